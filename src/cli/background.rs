//! The server's background tasks: program file, schedule, retention, SIGHUP, and storing when read links were polled.

use super::reload::Reload;
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::publisher::{Publisher, follow_replicas, run_reminders, run_schedule, watch};
use crate::retention::Retention;
use crate::store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;

/// The time between two passes that store the polls of read links. A crash loses the polls since the last pass;
/// with more than about 20,000 links, it may lose older polls too.
const SAVE_EVERY: Duration = Duration::from_secs(180);

/// The time between two sweeps of the replica in charge.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// The background tasks and what they work with.
#[derive(Debug, Clone)]
pub(super) struct Background {
    pub(super) publisher: Arc<Publisher>,
    pub(super) reload: Arc<Reload>,
    pub(super) store: Store,
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
            run_reminders(publisher()),
            retention.run(),
            self.store_freshness(),
            self.reload_on(hang_ups),
            follow_replicas(publisher()),
            self.publisher.charge().clone().keep(),
            self.sweep()
        );
    }

    /// Removes temporary records that have expired, and retries announcements that failed, on the replica in charge; never
    /// returns.
    async fn sweep(&self) {
        if !self.store.is_shared() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            if !self.publisher.charge().is_held() {
                continue;
            }
            self.publisher.announce_releases().await;
            let (store, now) = (self.store.clone(), self.clock.now());
            let removed = tokio::task::spawn_blocking(move || store.remove_expired(now)).await;
            if let Ok(Err(error)) = removed {
                tracing::warn!(%error, "expired records could not be removed yet");
            }
        }
    }

    fn retention(&self) -> Retention {
        let (publisher, freshness) = (Arc::clone(&self.publisher), Arc::clone(&self.freshness));
        Retention::new(self.retention_days, publisher, self.store.clone(), freshness, self.clock.clone())
    }

    /// Reads config, secrets and program file again on each SIGHUP; never returns.
    async fn reload_on(&self, mut hang_ups: Signal) {
        while hang_ups.recv().await.is_some() {
            // The log has the problems.
            let _ = self.reload.run().await;
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
        self.publisher.charge().give_up().await;
        self.save_freshness(Extent::All).await;
    }

    async fn save_freshness(&self, extent: Extent) {
        let (freshness, store, now) = (Arc::clone(&self.freshness), self.store.clone(), self.clock.now());
        // Serialising many links takes long, and the commit waits for the disk.
        let save = move || {
            if store.is_shared()
                && let Err(error) = freshness.merge(&store)
            {
                tracing::warn!(%error, "the polls of read links on other replicas are not counted yet");
            }
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
