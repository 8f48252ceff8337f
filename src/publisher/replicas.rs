//! Following the other replicas: serves the releases that they publish, and refreshes what depends on their writes.

use super::deliveries::Announce;
use super::{LiveRelease, PublishError, Publisher, StoredRelease};
use std::sync::Arc;
use std::time::Duration;

/// The shortest time between two looks at the store, while other replicas write without a pause.
const PAUSE: Duration = Duration::from_millis(50);

/// Follows the other replicas; never returns. Does nothing if there are none.
pub async fn follow_replicas(publisher: Arc<Publisher>) {
    let Some(mut news) = publisher.store.foreign_entries() else { return std::future::pending().await };
    let mut ledger_changes = publisher.store.foreign_ledger_changes();
    // Releases of the time before this task are not announced by the channel.
    news.mark_changed();
    while news.changed().await.is_ok() {
        let changes = publisher.store.foreign_ledger_changes();
        match publisher.follow_others(changes != ledger_changes).await {
            Ok(()) => ledger_changes = changes,
            Err(error) => {
                tracing::error!(%error, "a release of another replica is not served yet");
                news.mark_changed();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Publisher {
    async fn follow_others(self: &Arc<Self>, ledger_changed: bool) -> Result<(), PublishError> {
        self.outbox.wake();
        self.check_reminders();
        self.refresh_schedule();
        if ledger_changed {
            self.follow_ledger().await?;
        }
        self.refresh_held_schedule().await;
        self.refresh_held().await
    }

    /// Serves the newest release, or the live one as it was changed.
    async fn follow_ledger(self: &Arc<Self>) -> Result<(), PublishError> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.turn.lock().await;
            let before = this.current().number();
            this.adopt_newer_release(Announce::No).await?;
            if this.current().number() == before {
                this.reload_live_release().await?;
            }
            Ok(())
        });
        task.await?
    }

    /// Serves the live release as the store has it, after another replica erased a session from it.
    async fn reload_live_release(self: &Arc<Self>) -> Result<(), PublishError> {
        let (current, identity) = (self.current(), Arc::clone(&self.conference().identity));
        let changed = move |store: &crate::store::Store| {
            let Some(ledger) = store.ledger()? else { return Ok(None) };
            if ledger.release != current.number() || ledger == current.ledger {
                return Ok(None);
            }
            let stored = StoredRelease::load(store, &ledger, &identity)?;
            let is_same = !stored.prepared.is_new;
            Ok::<_, PublishError>(is_same.then(|| LiveRelease::new(stored.prepared.release, false)))
        };
        if let Some(live) = self.store.read(changed).await? {
            let replaced = self.current.swap(Arc::new(live));
            self.prepare_in_background(Some(replaced));
        }
        Ok(())
    }
}
