//! The keeper: the thread that makes and verifies checkpoints, and syncs the index.
//!
//! A checkpoint is due if the index has no second copy, if a copy is damaged, or if the journal since the newest
//! checkpoint has grown past a limit. Two checkpoints are kept, with the journal since the older one. A minute after
//! opening and then once a day all checkpoints and closed segments are verified.

use super::StoreShared;
use super::checkpoint;
use super::error::StorageError;
use super::index::Engine;
use super::index::opening::is_whole_journal;
use super::journal::replay::is_whole;
use super::journal::segment::{self, segments};
use super::replica;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

/// The time between two checks while there are commits.
const TICK: Duration = Duration::from_secs(1);
/// The time between two checks while nothing is written and the index is synced. It keeps wake-ups at rest few.
const TICK_AT_REST: Duration = Duration::from_secs(5);
/// The time between two listings of the directories while nothing is written. Listing a directory allocates more than
/// the allocator's caches have, so jemalloc's background thread then purges for a second.
const RELIST: Duration = Duration::from_secs(60);
/// The time between two syncs of the index. After a power cut the journal since the last sync is applied again.
const SYNC: Duration = Duration::from_secs(10);
const FIRST_REVIEW: Duration = Duration::from_secs(60);
const NEXT_REVIEW: Duration = Duration::from_secs(24 * 3600);
/// The time between a failed checkpoint and the next attempt.
const RETRY: Duration = Duration::from_secs(30);

/// A request of the store to the keeper. The reply is the sequence of the checkpoint.
pub(super) enum Order {
    /// Make a checkpoint now.
    Checkpoint(SyncSender<Result<u64, StorageError>>),
    /// Write a checkpoint to a writer.
    Backup(Box<dyn Write + Send>, SyncSender<Result<u64, StorageError>>),
}

pub(super) struct Keeper {
    shared: Arc<StoreShared>,
    /// A checkpoint or the journal is damaged. The next checkpoint replaces all others.
    is_damaged: bool,
    next_try: Instant,
    next_sync: Instant,
    next_review: Instant,
    synced: u64,
    /// The time of the check that found no checkpoint due, and the journaled bytes at that time. None if the next check
    /// must list the directories.
    not_due: Option<(Instant, u64)>,
    /// The sum of this offset and the journaled bytes of this process is the size of the journal since the newest
    /// checkpoint.
    offset: i128,
}

impl Keeper {
    pub(super) fn new(shared: Arc<StoreShared>, is_damaged: bool) -> Self {
        let now = Instant::now();
        let offset = since_checkpoint(&shared).unwrap_or(0);
        Self {
            shared,
            is_damaged,
            next_try: now,
            next_sync: now + SYNC,
            next_review: now + FIRST_REVIEW,
            synced: 0,
            not_due: None,
            offset: offset.into(),
        }
    }

    /// Runs until the sender is gone.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        loop {
            self.check();
            match orders.recv_timeout(self.tick()) {
                Ok(Order::Checkpoint(reply)) => drop(reply.try_send(self.make())),
                Ok(Order::Backup(out, reply)) => drop(reply.try_send(self.back_up(out))),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// The time until the next check.
    fn tick(&self) -> Duration {
        let is_synced = self.synced == self.shared.state.applied.load(Ordering::Acquire);
        let journaled = self.journaled();
        let is_at_rest = is_synced && self.not_due.is_some_and(|(_, then)| then == journaled);
        if is_at_rest { TICK_AT_REST } else { TICK }
    }

    fn journaled(&self) -> u64 {
        self.shared.state.journaled.load(Ordering::Relaxed)
    }

    /// Whether a checkpoint may have become due since the last check.
    fn may_be_due(&self, now: Instant, journaled: u64) -> bool {
        self.is_damaged || self.not_due.is_none_or(|(at, then)| then != journaled || now >= at + RELIST)
    }

    fn check(&mut self) {
        if self.shared.lock.check().is_err() {
            return; // the commit thread reports it
        }
        let now = Instant::now();
        if now >= self.next_sync {
            self.next_sync = now + SYNC;
            self.sync();
        }
        if now >= self.next_review {
            self.next_review = now + NEXT_REVIEW;
            match self.review() {
                Ok(is_damaged) => self.is_damaged |= is_damaged,
                Err(error) => tracing::error!(%error, "journal and checkpoints cannot be verified"),
            }
        }
        // A checkpoint and a publication both take much memory, so they do not run at the same time.
        if now < self.next_try || self.shared.state.is_staging.load(Ordering::Relaxed) {
            return;
        }
        let journaled = self.journaled();
        if !self.may_be_due(now, journaled) {
            return;
        }
        self.not_due = None;
        let made = self.is_due().map_err(StorageError::from).and_then(|is_due| match is_due {
            true => self.make().map(Some),
            false => Ok(None),
        });
        match made {
            Ok(None) => self.not_due = Some((now, journaled)),
            Ok(Some(sequence)) => tracing::info!(sequence, "made a checkpoint"),
            Err(_) if self.is_stopping() => {}
            Err(error) => {
                tracing::warn!(%error, "a checkpoint could not be made; the journal still has everything");
                self.next_try = now + RETRY;
            }
        }
    }

    fn is_stopping(&self) -> bool {
        self.shared.state.is_stopping.load(Ordering::Relaxed)
    }

    /// Syncs the index. The commit thread handles a sync that fails.
    fn sync(&mut self) {
        let applied = self.shared.state.applied.load(Ordering::Acquire);
        if applied == self.synced {
            return;
        }
        let Some(engine) = self.shared.index.engine() else { return };
        // The index must not get ahead of a copy on disk.
        if self.shared.replica.is_some()
            && let Err(error) = segment::sync_newest(&self.shared.places.journal)
        {
            tracing::warn!(%error, "the copy of the log could not be synced");
            return;
        }
        match engine.sync() {
            Ok(()) => self.synced = applied,
            Err(error) => tracing::warn!(%error, "the index could not be synced"),
        }
        Engine::close(engine);
    }

    fn is_due(&self) -> io::Result<bool> {
        let (places, limit) = (&self.shared.places, self.shared.options.checkpoint_bytes);
        let newest = checkpoint::list(&places.checkpoints)?.pop();
        if self.is_damaged || newest.is_none() && !is_whole_journal(places)? {
            return Ok(true);
        }
        // The limit grows with the state, so that a large state is not written again after few commits.
        let limit = match &newest {
            Some(newest) => limit.max(newest.path.metadata()?.len() / 2),
            None => limit,
        };
        Ok(self.offset + i128::from(self.journaled()) >= limit.into())
    }

    fn make(&mut self) -> Result<u64, StorageError> {
        self.sync();
        let StoreShared { places, lock, state, .. } = &*self.shared;
        lock.check()?;
        let written = state.journaled.load(Ordering::Relaxed);
        let previous = state.checkpoint.load(Ordering::Relaxed);
        let made = checkpoint::make(&places.checkpoints, |out| self.write(out))?;
        let most = if std::mem::take(&mut self.is_damaged) { 1 } else { checkpoint::MAX_CHECKPOINTS };
        let left = checkpoint::prune(&places.checkpoints, most)?;
        // A single checkpoint needs the journal before it as a second copy.
        if let Some(oldest) = left.first().filter(|_| left.len() == most) {
            segment::prune(&places.journal, oldest.sequence)?;
        }
        self.offset = -i128::from(written);
        state.checkpoint.store(made.sequence, Ordering::Relaxed);
        self.upload(&made, previous);
        Ok(made.sequence)
    }

    /// Stores a replica's checkpoint in the database, for replicas without a copy. If that fails, the next checkpoint is
    /// stored; the log has all entries until then.
    fn upload(&self, made: &checkpoint::Checkpoint, previous: u64) {
        let StoreShared { places, space, replica, .. } = &*self.shared;
        let Some(replica) = replica else { return };
        let uploaded = replica::upload(&replica.database, space.conference(), made, &places.dir, previous);
        if let Err(error) = uploaded {
            tracing::warn!(%error, "a checkpoint could not be stored in the database; the next one is tried");
        }
    }

    /// Writes a backup. It runs on this thread, which also removes segments: none may be removed during a backup.
    fn back_up(&self, mut out: Box<dyn Write + Send>) -> Result<u64, StorageError> {
        let sequence = self.write(&mut out)?;
        out.flush()?;
        Ok(sequence)
    }

    fn write(&self, out: &mut dyn Write) -> Result<u64, StorageError> {
        let StoreShared { places, lock, index, space, state, .. } = &*self.shared;
        let applied = || state.position();
        lock.check()?;
        let sequence = checkpoint::write(out, index, space, &places.journal, applied, &state.is_stopping)?;
        lock.check()?; // the journal was opened by its name
        Ok(sequence)
    }

    /// Verifies checkpoints and closed segments. Returns whether any of them is damaged.
    fn review(&self) -> io::Result<bool> {
        let places = &self.shared.places;
        let mut is_damaged = false;
        for checkpoint in checkpoint::list(&places.checkpoints)? {
            if let Err(error) = checkpoint::verify(&checkpoint.path) {
                tracing::error!(checkpoint = %checkpoint.path.display(), %error, "a checkpoint is damaged");
                is_damaged = true;
            }
        }
        let mut closed = segments(&places.journal)?;
        closed.pop(); // the open segment was verified when the store was opened
        for segment in closed {
            if !is_whole(&segment)? {
                tracing::error!(segment = %segment.path.display(), "a segment of the journal is damaged");
                is_damaged = true;
            }
        }
        Ok(is_damaged)
    }
}

/// The bytes in the segments that begin after the newest checkpoint.
fn since_checkpoint(shared: &StoreShared) -> io::Result<u64> {
    let newest = checkpoint::list(&shared.places.checkpoints)?.pop();
    let since = newest.map_or(0, |newest| newest.sequence);
    let segments = segments(&shared.places.journal)?;
    let young = segments.iter().filter(|segment| segment.first > since);
    young.map(|segment| Ok(segment.path.metadata()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Slug;
    use crate::store::{Store, Write as StoreWrite};

    #[test]
    fn at_rest_it_checks_rarely_and_reads_no_directory() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), &Slug::parse("con").unwrap()).unwrap();
        let mut keeper = Keeper::new(Arc::clone(&store.0.shared), false);
        let note = || vec![StoreWrite::raw("note", [1])];
        store.commit_blocking(note()).unwrap();
        keeper.check();
        assert_eq!(keeper.tick(), TICK, "the index is not synced yet");
        keeper.sync();
        assert_eq!(keeper.tick(), TICK_AT_REST);

        let checkpoints = &store.0.shared.places.checkpoints;
        let aside = dir.path().join("aside");
        std::fs::rename(checkpoints, &aside).unwrap();
        keeper.check();
        assert_eq!(keeper.tick(), TICK_AT_REST, "the missing directory was not noticed");
        let (at, journaled) = keeper.not_due.unwrap();
        assert!(!keeper.may_be_due(at + RELIST / 2, journaled) && keeper.may_be_due(at + RELIST, journaled));
        std::fs::rename(&aside, checkpoints).unwrap();

        store.commit_blocking(note()).unwrap();
        assert!(keeper.may_be_due(at, keeper.journaled()));
        assert_eq!(keeper.tick(), TICK);
    }
}
