//! The keeper: a thread that makes checkpoints, and looks after those that there are.
//!
//! A checkpoint is due when there is no second copy of the index, when one was found damaged, and when the
//! journal since the last one has grown past a limit. Two are kept, with the journal since the older one. Once
//! after opening and then once a day all of it is read again: a copy that nobody reads is none.

use super::engine::EngineError;
use super::opening::is_whole_journal;
use super::shared::Shared;
use super::view;
use super::{checkpoint, journal};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

/// Between two looks while commits come.
const TICK: Duration = Duration::from_secs(1);
/// Between two looks while nothing was written and the index is synced: a server at rest wakes as seldom as it can.
const TICK_AT_REST: Duration = Duration::from_secs(5);
/// Between two looks into the directories while nothing was written. Reading a directory allocates more than the
/// allocator's caches hold, so each look makes jemalloc's background thread purge for a second.
const RELIST: Duration = Duration::from_secs(60);
/// Between two syncs of the index: what a power cut leaves to be applied again.
const SYNC: Duration = Duration::from_secs(10);
const FIRST_REVIEW: Duration = Duration::from_secs(60);
const NEXT_REVIEW: Duration = Duration::from_secs(24 * 3600);
/// After a checkpoint that failed.
const RETRY: Duration = Duration::from_secs(30);

/// What it is told.
pub(super) enum Order {
    /// Make a checkpoint now, and say which.
    Checkpoint(SyncSender<Result<u64, EngineError>>),
    /// Write one to this instead, and say which.
    Backup(Box<dyn Write + Send>, SyncSender<Result<u64, EngineError>>),
}

pub(super) struct Keeper {
    shared: Arc<Shared>,
    /// A copy is damaged: the next checkpoint takes the place of all that there is.
    is_damaged: bool,
    next_try: Instant,
    next_sync: Instant,
    next_review: Instant,
    synced: u64,
    /// When no checkpoint was due the last time, and how many bytes had been journaled; none where the next look
    /// has to find out.
    not_due: Option<(Instant, u64)>,
    /// Bytes of the journal since the newest checkpoint that were there when the store was opened; with a
    /// checkpoint since, less what was written before that.
    found: i128,
}

impl Keeper {
    pub(super) fn new(shared: Arc<Shared>, is_damaged: bool) -> Self {
        let now = Instant::now();
        let found = since_checkpoint(&shared).unwrap_or(0);
        Self {
            shared,
            is_damaged,
            next_try: now,
            next_sync: now + SYNC,
            next_review: now + FIRST_REVIEW,
            synced: 0,
            not_due: None,
            found: found.into(),
        }
    }

    /// Goes on until the sender is gone.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        loop {
            self.look();
            match orders.recv_timeout(self.tick()) {
                Ok(Order::Checkpoint(reply)) => drop(reply.try_send(self.make())),
                Ok(Order::Backup(out, reply)) => drop(reply.try_send(self.back_up(out))),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// The time until the next look.
    fn tick(&self) -> Duration {
        let is_synced = self.synced == self.shared.pulse.applied.load(Ordering::Acquire);
        let journaled = self.journaled();
        let is_at_rest = is_synced && self.not_due.is_some_and(|(_, then)| then == journaled);
        if is_at_rest { TICK_AT_REST } else { TICK }
    }

    fn journaled(&self) -> u64 {
        self.shared.pulse.journaled.load(Ordering::Relaxed)
    }

    /// Whether a checkpoint may have become due since the last look.
    fn may_be_due(&self, now: Instant, journaled: u64) -> bool {
        self.is_damaged || self.not_due.is_none_or(|(at, then)| then != journaled || now >= at + RELIST)
    }

    fn look(&mut self) {
        if self.shared.held.check().is_err() {
            return; // the commit thread says so
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
                Err(error) => tracing::error!(%error, "journal and checkpoints cannot be looked through"),
            }
        }
        // A checkpoint takes memory, and a publication needs all that there is.
        if now < self.next_try || self.shared.pulse.is_staging.load(Ordering::Relaxed) {
            return;
        }
        let journaled = self.journaled();
        if !self.may_be_due(now, journaled) {
            return;
        }
        self.not_due = None;
        let made = self.is_due().map_err(EngineError::from).and_then(|is_due| match is_due {
            true => self.make().map(Some),
            false => Ok(None),
        });
        match made {
            Ok(None) => self.not_due = Some((now, journaled)),
            Ok(Some(sequence)) => tracing::info!(sequence, "made a checkpoint"),
            Err(_) if self.is_stopping() => {}
            Err(error) => {
                tracing::warn!(%error, "a checkpoint could not be made; the journal keeps everything meanwhile");
                self.next_try = now + RETRY;
            }
        }
    }

    fn is_stopping(&self) -> bool {
        self.shared.pulse.is_stopping.load(Ordering::Relaxed)
    }

    /// Failures are those of the next commit to report.
    fn sync(&mut self) {
        let applied = self.shared.pulse.applied.load(Ordering::Acquire);
        let engine = view::read(&self.shared.view, |view| Ok(view.engine.clone())).ok().flatten();
        if let Some(engine) = engine.filter(|_| applied != self.synced) {
            match engine.sync() {
                Ok(()) => self.synced = applied,
                Err(error) => tracing::warn!(%error, "the index could not be synced"),
            }
        }
    }

    fn is_due(&self) -> io::Result<bool> {
        let (places, limit) = (&self.shared.places, self.shared.options.checkpoint_bytes);
        let newest = checkpoint::list(&places.checkpoints)?.pop();
        if self.is_damaged || newest.is_none() && !is_whole_journal(places)? {
            return Ok(true);
        }
        // A large state is not written out for a small journal.
        let limit = match &newest {
            Some(newest) => limit.max(newest.path.metadata()?.len() / 2),
            None => limit,
        };
        Ok(self.found + i128::from(self.journaled()) >= limit.into())
    }

    fn make(&mut self) -> Result<u64, EngineError> {
        self.sync();
        let Shared { places, held, pulse, .. } = &*self.shared;
        held.check()?;
        let written = pulse.journaled.load(Ordering::Relaxed);
        let made = checkpoint::make(&places.checkpoints, |out| self.write(out))?;
        let keep = if std::mem::take(&mut self.is_damaged) { 1 } else { checkpoint::KEPT };
        let kept = checkpoint::prune(&places.checkpoints, keep)?;
        // Until there are two, the journal before the first stays as its second copy.
        if let Some(oldest) = kept.first().filter(|_| kept.len() == keep) {
            journal::prune(&places.journal, oldest.sequence)?;
        }
        self.found = -i128::from(written);
        pulse.checkpoint.store(made.sequence, Ordering::Relaxed);
        Ok(made.sequence)
    }

    /// On this thread, since nothing may take the journal away meanwhile.
    fn back_up(&self, mut out: Box<dyn Write + Send>) -> Result<u64, EngineError> {
        let sequence = self.write(&mut out)?;
        out.flush()?;
        Ok(sequence)
    }

    fn write(&self, out: &mut dyn Write) -> Result<u64, EngineError> {
        let Shared { places, held, view, space, pulse, .. } = &*self.shared;
        let applied = || pulse.applied.load(Ordering::Acquire);
        held.check()?;
        let sequence = checkpoint::write(out, view, space, &places.journal, applied, &pulse.is_stopping)?;
        held.check()?; // the journal was read by its name
        Ok(sequence)
    }

    /// Reads all that is not read otherwise. Whether anything of it is damaged.
    fn review(&self) -> io::Result<bool> {
        let places = &self.shared.places;
        let mut is_damaged = false;
        for checkpoint in checkpoint::list(&places.checkpoints)? {
            if let Err(error) = checkpoint::verify(&checkpoint.path) {
                tracing::error!(checkpoint = %checkpoint.path.display(), %error, "a checkpoint is damaged");
                is_damaged = true;
            }
        }
        let mut segments = journal::segments(&places.journal)?;
        segments.pop(); // it is written to, and was read when the store was opened
        for segment in segments {
            if !segment.is_whole()? {
                tracing::error!(segment = %segment.path.display(), "a segment of the journal is damaged");
                is_damaged = true;
            }
        }
        Ok(is_damaged)
    }
}

/// Bytes in the segments that were begun after the newest checkpoint.
fn since_checkpoint(shared: &Shared) -> io::Result<u64> {
    let newest = checkpoint::list(&shared.places.checkpoints)?.pop();
    let since = newest.map_or(0, |newest| newest.sequence);
    let segments = journal::segments(&shared.places.journal)?;
    let young = segments.iter().filter(|segment| segment.first > since);
    young.map(|segment| Ok(segment.path.metadata()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Slug;
    use crate::store::{Store, Write as StoreWrite};

    #[test]
    fn at_rest_it_looks_seldom_and_reads_no_directory() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), &Slug::parse("con").unwrap()).unwrap();
        let mut keeper = Keeper::new(Arc::clone(&store.0.shared), false);
        let note = || vec![StoreWrite::raw("note", [1])];
        store.commit_blocking(note()).unwrap();
        keeper.look();
        assert_eq!(keeper.tick(), TICK, "the index is not synced yet");
        keeper.sync();
        assert_eq!(keeper.tick(), TICK_AT_REST);

        let checkpoints = &store.0.shared.places.checkpoints;
        let aside = dir.path().join("aside");
        std::fs::rename(checkpoints, &aside).unwrap();
        keeper.look();
        assert_eq!(keeper.tick(), TICK_AT_REST, "the missing directory was not noticed");
        let (at, journaled) = keeper.not_due.unwrap();
        assert!(!keeper.may_be_due(at + RELIST / 2, journaled) && keeper.may_be_due(at + RELIST, journaled));
        std::fs::rename(&aside, checkpoints).unwrap();

        store.commit_blocking(note()).unwrap();
        assert!(keeper.may_be_due(at, keeper.journaled()));
        assert_eq!(keeper.tick(), TICK);
    }
}
