//! Refusing writes after a failure, and recovering from it.
//!
//! After a failed write or sync of the journal, writes are refused until the failed record is cut off and a new segment
//! has begun. The index does not have the record, so reads go on. A failed index is reopened, which applies the rest of
//! the journal. On a full disk the ballast is removed to make room for the recovery. Writes are accepted again once the
//! ballast is written again.

use super::{Committer, GroupError, Retry};
use crate::store::directory::{drop_ballast, write_ballast};
use crate::store::error::{CommitError, StorageError};
use crate::store::index::Engine;
use crate::store::index::opening::{OpenedIndex, open_with_fallback};
use crate::store::journal::chain::Position;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const FIRST_RETRY: Duration = Duration::from_millis(100);
/// The longest time between two attempts to recover. Writes must work again within 5 seconds after space was freed.
const LAST_RETRY: Duration = Duration::from_secs(1);

impl Committer {
    /// Handles a failure to read the log.
    pub(super) fn fail_group(&mut self, error: GroupError) -> CommitError {
        match error {
            GroupError::Journal(error) => self.fail(error),
            GroupError::Index(error) => self.fail_index(error),
        }
    }

    /// Starts in the failed state.
    pub(in crate::store) fn refuse_writes(&mut self, error: StorageError) {
        self.shared.state.set_failure(Some(error));
        self.retry = Some(Retry { wait: FIRST_RETRY, next: Instant::now() + FIRST_RETRY });
    }

    pub(super) fn fail_index(&mut self, error: StorageError) -> CommitError {
        self.needs_reopening = true;
        self.fail(error)
    }

    /// Refuses writes from now on, and tries to recover at once. Returns the error for the group whose write failed.
    pub(super) fn fail(&mut self, error: StorageError) -> CommitError {
        if self.retry.is_none() {
            tracing::error!(%error, "the store refuses writes until it recovers");
        }
        let refusal = error.refusal();
        if error == StorageError::Full {
            drop_ballast(&self.shared.places);
        }
        self.set_failure(error);
        self.retry = Some(Retry { wait: FIRST_RETRY / 2, next: Instant::now() });
        self.recover();
        refusal
    }

    fn set_failure(&self, error: StorageError) {
        if let (StorageError::Diverged(_), Some(replica)) = (&error, &self.shared.replica) {
            replica.has_diverged.store(true, Ordering::Relaxed);
        }
        self.shared.state.set_failure(Some(error));
    }

    pub(super) fn recover(&mut self) {
        let repaired = self.shared.lock.check().and_then(|()| self.journal.repair());
        let reopened = repaired.and_then(|()| if self.needs_reopening { self.reopen() } else { Ok(()) });
        // A shared log may have the group that failed.
        let reopened =
            reopened.and_then(|()| if self.journal.is_shared() { self.catch_up() } else { Ok(()) });
        match (reopened.and_then(|()| write_ballast(&self.shared.places)), &mut self.retry) {
            (Ok(()), _) => {
                self.retry = None;
                self.shared.state.set_failure(None);
                tracing::info!("the store takes writes again");
            }
            (Err(error), Some(retry)) => {
                if self.shared.state.failure().as_ref() == Some(&error) {
                    tracing::debug!(%error, "the store still refuses writes");
                } else {
                    tracing::error!(%error, "the store still refuses writes, for another reason");
                }
                retry.wait = (retry.wait * 2).min(LAST_RETRY);
                retry.next = Instant::now() + retry.wait;
                self.set_failure(error);
            }
            (Err(_), None) => {}
        }
    }

    /// Reopens the index, which applies the rest of the journal. Reads fail at once during the reopening, since sled
    /// locks its directory.
    fn reopen(&mut self) -> Result<(), StorageError> {
        let shared = Arc::clone(&self.shared);
        let engines = [self.engine.take(), shared.index.take_engine(true)];
        engines.into_iter().flatten().for_each(Engine::close);
        let opened = match open_with_fallback(&shared.places, shared.options.cache_bytes) {
            Ok(opened) => opened,
            Err(error) => {
                shared.index.reopened(None);
                return Err(error);
            }
        };
        let OpenedIndex { engine, tally, damage, pending, .. } = opened;
        let state = &shared.state;
        state.rebuilt.fetch_add(damage.rebuilt.into(), Ordering::Relaxed);
        state.lost.fetch_add(damage.lost, Ordering::Relaxed);
        let is_behind = !pending.is_empty();
        shared.index.reopened(Some((engine.clone(), pending)));
        if is_behind {
            return Err(StorageError::Full);
        }
        if tally.sequence != self.journal.sequence() {
            let cause = format!("the index is at record {} of {}", tally.sequence, self.journal.sequence());
            return Err(StorageError::Failed(cause));
        }
        (self.engine, self.tally, self.needs_reopening, self.is_dirty) = (Some(engine), tally, false, true);
        state.set_position(Position { sequence: tally.sequence, chain: tally.chain });
        Ok(())
    }
}
