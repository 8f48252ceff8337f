//! What a server does beside answering: the file, the schedule, signals, and what read links have seen.

use super::reload::Reload;
use super::systemd;
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::http::{App, Secrets};
use crate::publisher::{Publisher, keep_schedule, watch};
use crate::retention::Retention;
use crate::store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;

/// Time between two passes that store the last fetches of read links: what a crash forgets, with up to about
/// 20,000 links.
const SAVE_EVERY: Duration = Duration::from_secs(180);

/// Everything that goes on beside answering.
#[derive(Debug, Clone)]
pub(super) struct Background {
    pub(super) publisher: Arc<Publisher>,
    pub(super) reload: Arc<Reload>,
    pub(super) app: App,
    pub(super) store: Store,
    pub(super) secrets: Secrets,
    pub(super) freshness: Arc<Freshness>,
    pub(super) clock: Clock,
    pub(super) retention_days: u32,
}

impl Background {
    /// Goes on until it is aborted. It begins with what a start owes: calls that a crash came before, and the
    /// file that was saved meanwhile.
    ///
    /// `hang_ups` is listened for since before the server answers: without a listener SIGHUP ends a process.
    pub(super) async fn run(self, hang_ups: Signal) {
        self.publisher.tell_what_was_not().await;
        let publisher = || Arc::clone(&self.publisher);
        let retention = Arc::new(self.retention());
        tokio::join!(
            watch(publisher()),
            keep_schedule(publisher()),
            retention.run(),
            self.store_freshness(),
            self.hear(hang_ups)
        );
    }

    fn retention(&self) -> Retention {
        let (publisher, freshness) = (Arc::clone(&self.publisher), Arc::clone(&self.freshness));
        Retention::new(self.retention_days, publisher, self.store.clone(), freshness, self.clock.clone())
    }

    /// SIGHUP: config, secrets and program file are read again. systemd waits until that is done.
    async fn hear(&self, mut hang_ups: Signal) {
        while hang_ups.recv().await.is_some() {
            systemd::reloading();
            self.reload.run(&self.publisher, &self.app, &self.clock).await;
            match self.secrets.reload() {
                Ok(()) => {
                    let valid = self.secrets.count();
                    tracing::info!(valid, "SIGHUP: the organizer secrets were read again");
                }
                Err(error) => {
                    let valid = self.secrets.count();
                    tracing::error!(%error, valid, "SIGHUP: only the valid lines of the organizer secrets file count");
                }
            }
            self.publisher.catch_up().await;
            systemd::ready();
        }
    }

    /// Stores what read links were seen to fetch; never returns. The first time at once, for the note of an earlier
    /// version.
    async fn store_freshness(&self) {
        loop {
            self.save_freshness(Extent::Some).await;
            tokio::time::sleep(SAVE_EVERY).await;
        }
    }

    /// Stores all that read links were seen to fetch; the last thing before the store is closed.
    pub(super) async fn finish(&self) {
        self.save_freshness(Extent::All).await;
    }

    async fn save_freshness(&self, extent: Extent) {
        let (freshness, store, now) = (Arc::clone(&self.freshness), self.store.clone(), self.clock.now());
        // Many links take a while to serialise, and the commit waits for the disk.
        let save = move || {
            let commit = |writes| store.commit_blocking(writes);
            match extent {
                Extent::Some => freshness.save_some(now, commit),
                Extent::All => freshness.save_all(now, commit),
            }
        };
        match tokio::task::spawn_blocking(save).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last fetches of read links could not be stored"),
            Err(error) => tracing::error!(%error, "the last fetches of read links could not be stored"),
        }
    }
}

/// How much of what changed is stored.
#[derive(Debug, Clone, Copy)]
enum Extent {
    Some,
    All,
}
