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

const TICK: Duration = Duration::from_secs(1);
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
            found: found.into(),
        }
    }

    /// Goes on until the sender is gone.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        loop {
            self.look();
            match orders.recv_timeout(TICK) {
                Ok(Order::Checkpoint(reply)) => drop(reply.try_send(self.make())),
                Ok(Order::Backup(out, reply)) => drop(reply.try_send(self.back_up(out))),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
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
        let made = self.is_due().map_err(EngineError::from).and_then(|is_due| match is_due {
            true => self.make().map(Some),
            false => Ok(None),
        });
        match made {
            Ok(None) => {}
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
        let written = self.shared.pulse.journaled.load(Ordering::Relaxed);
        Ok(self.found + i128::from(written) >= limit.into())
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
