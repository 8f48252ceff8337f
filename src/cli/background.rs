//! The server's background tasks: program file, schedule, retention, signals, and storing when read links were polled.

use super::reload::Reload;
use super::systemd;
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::http::{App, Secrets};
use crate::publisher::{Publisher, run_schedule, watch};
use crate::retention::Retention;
use crate::store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;

/// The time between two passes that store the polls of read links. A crash loses the polls since the last pass;
/// with more than about 20,000 links, it may lose older polls too.
const SAVE_EVERY: Duration = Duration::from_secs(180);

/// The background tasks and what they work with.
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
    /// Runs until it is aborted. First it announces releases whose announcement a crash prevented, and publishes a file that was saved
    /// meanwhile.
    ///
    /// The caller creates `hang_ups` before the server answers, because SIGHUP ends a process without a handler.
    pub(super) async fn run(self, hang_ups: Signal) {
        self.publisher.announce_releases().await;
        let publisher = || Arc::clone(&self.publisher);
        let retention = Arc::new(self.retention());
        tokio::join!(
            watch(publisher()),
            run_schedule(publisher()),
            retention.run(),
            self.store_freshness(),
            self.reload_on(hang_ups)
        );
    }

    fn retention(&self) -> Retention {
        let (publisher, freshness) = (Arc::clone(&self.publisher), Arc::clone(&self.freshness));
        Retention::new(self.retention_days, publisher, self.store.clone(), freshness, self.clock.clone())
    }

    /// On SIGHUP, reads config, secrets and program file again. systemd waits until that is done.
    async fn reload_on(&self, mut hang_ups: Signal) {
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
                    tracing::error!(%error, valid, "SIGHUP: only the valid lines of the organizer secrets file are used");
                }
            }
            self.publisher.catch_up().await;
            systemd::ready();
        }
    }

    /// Stores the polls of read links at intervals; never returns. The first pass replaces the record of an earlier
    /// version.
    async fn store_freshness(&self) {
        loop {
            self.save_freshness(Extent::Some).await;
            tokio::time::sleep(SAVE_EVERY).await;
        }
    }

    /// Stores all polls of read links, before the store is closed.
    pub(super) async fn finish(&self) {
        self.save_freshness(Extent::All).await;
    }

    async fn save_freshness(&self, extent: Extent) {
        let (freshness, store, now) = (Arc::clone(&self.freshness), self.store.clone(), self.clock.now());
        // Serialising many links takes long, and the commit waits for the disk.
        let save = move || {
            let commit = |writes| store.commit_blocking(writes);
            match extent {
                Extent::Some => freshness.save_some(now, commit),
                Extent::All => freshness.save_all(now, commit),
            }
        };
        match tokio::task::spawn_blocking(save).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the polls of read links could not be stored"),
            Err(error) => tracing::error!(%error, "the polls of read links could not be stored"),
        }
    }
}

/// How many of the changed polls a pass stores.
#[derive(Debug, Clone, Copy)]
enum Extent {
    Some,
    All,
}
