//! What a server does beside answering: the file, the schedule, signals, and what read links have seen.

use super::reload::Reload;
use super::systemd;
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::http::{App, Secrets};
use crate::publisher::{Publisher, keep_schedule, watch};
use crate::retention::Retention;
use crate::revision::Digest;
use crate::store::{Store, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;

/// Time between two snapshots of it: what a crash forgets at most.
const SNAPSHOT: Duration = Duration::from_secs(180);

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
            retention.keep(),
            self.snapshots(),
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

    async fn snapshots(&self) {
        let mut saved = Digest::default();
        loop {
            tokio::time::sleep(SNAPSHOT).await;
            let snapshot = self.freshness.snapshot(self.clock.now());
            let digest = Digest::of(&snapshot);
            if digest != saved && self.save(snapshot).await {
                saved = digest;
            }
        }
    }

    /// Keeps what read links have seen; the last thing before the store is closed.
    pub(super) async fn finish(&self) {
        self.save(self.freshness.snapshot(self.clock.now())).await;
    }

    async fn save(&self, value: Vec<u8>) -> bool {
        let write = Write::PutNote { name: Freshness::NOTE.to_owned(), value };
        match self.store.commit(vec![write]).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "what read links have seen could not be kept");
                false
            }
        }
    }
}

/// What read links had seen at the last snapshot.
pub(super) fn freshness(store: &Store) -> Freshness {
    match store.note(Freshness::NOTE) {
        Ok(note) => Freshness::restore(&note.unwrap_or_default()),
        Err(error) => {
            tracing::warn!(%error, "what read links have seen is forgotten");
            Freshness::default()
        }
    }
}
