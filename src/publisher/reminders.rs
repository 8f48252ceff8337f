//! Reminders before sessions: waits until one may be due, and queues those that are.

use super::Publisher;
use crate::reach::OutboxError;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Duration;

/// The longest time between two checks while a reminder waits: somebody may set the clock, and a machine may sleep.
const MAX_WAIT: Duration = Duration::from_secs(600);

/// The shortest time between two checks. The clock has whole seconds, so a check may come a moment early.
const MIN_WAIT: Duration = Duration::from_millis(200);

/// The pause after a failed check.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// The time between two looks whether this replica is in charge by now.
const UNTIL_IN_CHARGE: Duration = Duration::from_secs(3);

impl Publisher {
    /// Checks soon when the next reminder is due.
    pub fn check_reminders(&self) {
        self.reminders_changed.notify_one();
    }

    /// Queues the reminders that are due. Returns when the next one may be due; none if messages to browsers are off,
    /// if no device asked for reminders, or if no session follows. Blocks on the store.
    ///
    /// # Errors
    /// [`OutboxError`]; a later call continues.
    pub fn remind(&self) -> Result<Option<DateTime<Utc>>, OutboxError> {
        if self.push().is_none() {
            return Ok(None);
        }
        self.outbox.remind(&self.current())
    }
}

/// Queues reminders at their time; never returns. Without a reminder to come, it wakes only when a release is published
/// or a device subscribes.
pub async fn run_reminders(publisher: Arc<Publisher>) {
    loop {
        if !publisher.charge().is_held() {
            tokio::time::sleep(UNTIL_IN_CHARGE).await;
            continue;
        }
        let this = Arc::clone(&publisher);
        let wait = match tokio::task::spawn_blocking(move || this.remind()).await {
            Ok(Ok(next)) => next.map(|due| {
                let left = (due - publisher.clock.now()).to_std().unwrap_or_default();
                left.clamp(MIN_WAIT, MAX_WAIT)
            }),
            Ok(Err(error)) => {
                tracing::error!(%error, "reminders could not be queued; they are tried again in 30 seconds");
                Some(AFTER_FAILURE)
            }
            Err(_) => return std::future::pending().await, // the server is stopping
        };
        let changed = publisher.reminders_changed.notified();
        match wait {
            Some(wait) => drop(tokio::time::timeout(wait, changed).await),
            None => changed.await,
        }
    }
}
