//! The commit thread: the only writer of journal and index.
//!
//! It takes what is waiting, writes it to the journal as one record, waits until that is on disk, applies it to
//! the index, and only then answers anybody of the group, those with a conflict too: whoever reads again after
//! a conflict finds the state that it conflicts with.
//!
//! While nobody waits it removes what publications left over, some rows at a time.
//!
//! A failed write or sync of the journal ends all acknowledging until the record was cut off again and a new
//! segment was begun; the index knows nothing of it, so reads go on. An index that fails is opened anew, which
//! brings it up to the journal, with the room of the ballast where the disk is full. Both are tried at once.
//! Writes are taken again when the ballast could be laid again.

use super::cell::Table;
use super::engine::{Engine, EngineError};
use super::files::{drop_ballast, lay_ballast};
use super::high_water::Mark;
use super::journal::Journal;
use super::opening::{self, Opened};
use super::plan::{Changes, Plan, PlanError};
use super::shared::Shared;
use super::staging::Piece;
use super::sweep::leftovers;
use super::tally::Tally;
use super::view;
use super::{CommitError, LedgerHead, Write};
use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Without a commit for so long, the index is flushed, and looked after. The journal has everything meanwhile, so nobody
/// has to wait for that between two commits.
const QUIET: Duration = Duration::from_millis(50);
/// At rest, with nothing to flush: between two looks at whether the data directory is still there and the index still reads. Readers
/// of a failing index wait for two seconds.
const REST: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// Well under the 5 s in which writes have to work again after space came back.
const LAST_RETRY: Duration = Duration::from_secs(1);

/// One commit on its way.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reply: Reply,
    pub(super) at: Instant,
}

/// What a commit writes.
pub(super) enum Work {
    Writes(Vec<Write>),
    /// A piece of a release that is not published yet.
    Piece(Piece),
}

impl Work {
    fn writes(&self) -> &[Write] {
        match self {
            Self::Writes(writes) => writes,
            Self::Piece(_) => &[],
        }
    }

    /// Whether something is left over after it: the ledger that a release took the place of, or the piece itself.
    fn leaves_something(&self) -> bool {
        match self {
            Self::Writes(writes) => writes.iter().any(|write| matches!(write, Write::PutRelease(_))),
            Self::Piece(_) => true,
        }
    }
}

/// Who waits for it.
pub(super) enum Reply {
    Task(oneshot::Sender<Result<(), CommitError>>),
    Thread(SyncSender<Result<(), CommitError>>),
}

impl Reply {
    /// Whoever waited may have gone; the write stays.
    fn send(self, result: Result<(), CommitError>) {
        match self {
            Self::Task(sender) => drop(sender.send(result)),
            Self::Thread(sender) => drop(sender.try_send(result)),
        }
    }
}

/// When writes are tried again; why none are taken is in the pulse.
struct Failure {
    wait: Duration,
    next_try: Instant,
}

/// What a commit is told that meets it.
fn answer(failure: &EngineError) -> CommitError {
    match failure {
        EngineError::Full => CommitError::Full,
        cause => CommitError::Unavailable(format!("it takes no writes: {cause}")),
    }
}

pub(super) struct Committer {
    shared: Arc<Shared>,
    journal: Journal,
    /// None after an attempt to reopen it failed.
    engine: Option<Engine>,
    tally: Tally,
    mark: Mark,
    failure: Option<Failure>,
    /// A failed engine serves nothing any more.
    needs_reopening: bool,
    /// The index was written to since it was flushed last.
    is_dirty: bool,
    /// There may be rows that no release needs.
    needs_sweeping: bool,
}

/// Why a group was not written.
enum Lapse {
    /// Nothing of it is there, or nothing will be once the journal is mended.
    Journal(EngineError),
    /// The journal has it.
    Index(EngineError),
}

impl Committer {
    /// A store that was opened on a full disk begins with that failure: it can be read.
    pub(super) fn new(
        shared: Arc<Shared>,
        journal: Journal,
        engine: Engine,
        tally: Tally,
        mark: Mark,
        failure: Option<EngineError>,
        needs_reopening: bool,
    ) -> Self {
        let failure = failure.map(|error| {
            shared.pulse.set_failure(Some(error));
            Failure { wait: FIRST_RETRY, next_try: Instant::now() + FIRST_RETRY }
        });
        let engine = Some(engine);
        Self {
            shared,
            journal,
            engine,
            tally,
            mark,
            failure,
            needs_reopening,
            is_dirty: false,
            needs_sweeping: true,
        }
    }

    /// Serves until every sender is gone, then closes the database.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let mut group = match jobs.recv_timeout(if self.is_at_rest() { REST } else { QUIET }) {
                Ok(job) => vec![job],
                Err(RecvTimeoutError::Timeout) => {
                    self.rest();
                    Vec::new()
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            group.extend(jobs.try_iter().take(self.shared.options.group.saturating_sub(group.len())));
            self.shared.pulse.set_oldest(group.first().map(|job| job.at));
            let (work, replies): (Vec<_>, Vec<_>) =
                group.into_iter().map(|job| (job.work, job.reply)).unzip();
            self.needs_sweeping |= work.iter().any(Work::leaves_something);
            // A panic of our own must not leave a store that neither writes nor says so.
            let served = catch_unwind(AssertUnwindSafe(|| self.serve(&work)));
            let results = served.unwrap_or_else(|_| {
                let answer = self.fail(EngineError::Failed("the commit thread panicked".to_owned()));
                vec![Err(answer); work.len()]
            });
            drop(work);
            self.shared.pulse.set_oldest(None);
            for (reply, result) in replies.into_iter().zip(results) {
                self.shared.pulse.pending.fetch_sub(1, Ordering::Relaxed);
                if result.is_ok() {
                    self.shared.pulse.acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                reply.send(result);
            }
        }
        let shared = Arc::clone(&self.shared);
        let engines = [self.engine.take(), view::write(&shared.view).engine.take()];
        engines.into_iter().flatten().for_each(Engine::close);
    }

    fn serve(&mut self, group: &[Work]) -> Vec<Result<(), CommitError>> {
        // One that is known to have failed is opened anew when the next try is due.
        if view::is_failing(&self.shared.view) && !self.needs_reopening {
            self.fail_index(EngineError::Failed("the database reads no more".to_owned()));
        } else if self.failure.as_ref().is_some_and(|failure| failure.next_try <= Instant::now()) {
            self.recover();
        }
        if group.is_empty() {
            return Vec::new();
        }
        let refuse = |answer: &CommitError| vec![Err(answer.clone()); group.len()];
        if let Some(failure) = self.shared.pulse.failure() {
            return refuse(&answer(&failure));
        }
        let Some(engine) = self.engine.clone() else {
            return refuse(&CommitError::Unavailable("the store is not open".to_owned()));
        };
        let mut changes = Changes::new();
        let failed = OnceCell::new();
        let read = |key: &[u8]| Ok(engine.value(key).inspect_err(|error| drop(failed.set(error.clone())))?);
        let limit = self.shared.options.piece_bytes;
        let results = group.iter().map(|work| {
            let plan = Plan::new(&self.shared.space, &changes, limit, read);
            let planned = match work {
                Work::Writes(writes) => plan.commit(writes),
                Work::Piece(piece) => plan.stage(piece),
            };
            match planned {
                Ok(own) => {
                    changes.extend(own);
                    Ok(())
                }
                Err(PlanError::Refused(error)) => Err(error),
                Err(PlanError::Unreadable(error)) => {
                    tracing::error!(%error, "a commit is refused, since a record that it needs cannot be read");
                    Err(CommitError::Unavailable(error.to_string()))
                }
            }
        });
        let results: Vec<_> = results.collect();
        // sled may have failed by itself, in a thread of its own: then it reads nothing more, and nothing is written yet.
        if let Some(error) = failed.into_inner() {
            drop(engine);
            return refuse(&self.fail_index(error));
        }
        let taken = group.iter().zip(&results).filter(|(_, result)| result.is_ok());
        let held = self.shared.held.check();
        let allowed = held.and_then(|()| self.mark.allow(taken.flat_map(|(work, _)| work.writes())));
        match allowed.map_err(Lapse::Journal).and_then(|()| self.write(&engine, &changes)) {
            Ok(()) => results,
            Err(lapse) => {
                drop(engine); // or its lock would outlive it
                match lapse {
                    Lapse::Journal(error) => refuse(&self.fail(error)),
                    Lapse::Index(error) => {
                        let answer = self.fail_index(error);
                        // What the journal has is there, once the index is back.
                        if self.needs_reopening { refuse(&answer) } else { results }
                    }
                }
            }
        }
    }

    /// Writes a group to the journal, hides it from readers while it is applied, and shows it whole.
    fn write(&mut self, engine: &Engine, changes: &Changes) -> Result<(), Lapse> {
        if changes.is_empty() {
            return Ok(());
        }
        let before: Result<Changes, EngineError> =
            changes.keys().map(|key| Ok((key.clone(), engine.value(key)?))).collect();
        let before = before.map_err(|error| {
            self.needs_reopening = true;
            Lapse::Journal(error)
        })?;
        let (sequence, bytes) = self.journal.append(changes).map_err(Lapse::Journal)?;
        self.shared.pulse.journaled.fetch_add(bytes, Ordering::Relaxed);
        let tally = self.tally.after(sequence, &before, changes);
        view::write(&self.shared.view).before = before;
        engine.apply(changes, &tally).map_err(Lapse::Index)?;
        self.tally = tally;
        self.is_dirty = true;
        let mut view = view::write(&self.shared.view);
        let written = std::mem::take(&mut view.before);
        // Before anybody reads what it wrote, or a checkpoint would have it and say that it ends before.
        self.shared.pulse.applied.store(sequence, Ordering::Release);
        drop(view);
        drop(written); // after the lock: a release's is long
        Ok(())
    }

    /// Writes what is not a commit of anybody's, before there are any.
    pub(super) fn found(&mut self, changes: &Changes) -> Result<(), EngineError> {
        let Some(engine) = self.engine.clone() else { return Ok(()) };
        self.write(&engine, changes).map_err(|(Lapse::Journal(error) | Lapse::Index(error))| error)
    }

    fn is_at_rest(&self) -> bool {
        self.failure.is_none() && !self.is_dirty
    }

    /// What is done while nobody waits.
    fn rest(&mut self) {
        if self.failure.is_some() {
            return;
        }
        match self.shared.held.check() {
            Ok(()) => {
                self.flush();
                self.sweep();
            }
            Err(error) => drop(self.fail(error)),
        }
    }

    /// Removes some of what no release needs.
    fn sweep(&mut self) {
        if !self.needs_sweeping || self.shared.pulse.is_staging.load(Ordering::Acquire) {
            return;
        }
        let Some(engine) = self.engine.clone() else { return };
        let space = &self.shared.space;
        let head = space.cell(Table::Head, b"").read(|key| Ok(engine.value(key)?));
        let head =
            head.map(|bytes| bytes.map(|bytes| serde_json::from_slice::<LedgerHead>(&bytes)).transpose());
        let Ok(Ok(head)) = head else {
            // Whoever reads it says so. Without it nothing is known to be left over.
            self.needs_sweeping = false;
            return;
        };
        let swept = leftovers(&engine, space, head.as_ref()).map_err(Lapse::Index);
        let swept = swept.and_then(|rows| {
            self.needs_sweeping = !rows.is_empty();
            self.write(&engine, &rows)
        });
        drop(engine);
        match swept {
            Ok(()) => {}
            Err(Lapse::Journal(error)) => drop(self.fail(error)),
            Err(Lapse::Index(error)) => drop(self.fail_index(error)),
        }
    }

    /// Gives the system what sled holds back: a kill then leaves the index up to date.
    fn flush(&mut self) {
        if let (true, Some(engine)) = (std::mem::take(&mut self.is_dirty), &self.engine)
            && let Err(error) = engine.flush()
        {
            self.fail_index(error);
        }
    }

    fn fail_index(&mut self, error: EngineError) -> CommitError {
        self.needs_reopening = true;
        self.fail(error)
    }

    /// Ends acknowledging, and tries to get over it. Gives the answer to the group that met the failure.
    fn fail(&mut self, error: EngineError) -> CommitError {
        if self.failure.is_none() {
            tracing::error!(%error, "the store takes no writes until this is put right");
        }
        let answer = answer(&error);
        if error == EngineError::Full {
            drop_ballast(&self.shared.places);
        }
        self.shared.pulse.set_failure(Some(error));
        self.failure = Some(Failure { wait: FIRST_RETRY / 2, next_try: Instant::now() });
        self.recover();
        answer
    }

    fn recover(&mut self) {
        let mended = self.shared.held.check().and_then(|()| self.journal.mend());
        let reopened = mended.and_then(|()| if self.needs_reopening { self.reopen() } else { Ok(()) });
        match (reopened.and_then(|()| lay_ballast(&self.shared.places)), &mut self.failure) {
            (Ok(()), _) => {
                self.failure = None;
                self.shared.pulse.set_failure(None);
                tracing::info!("the store takes writes again");
            }
            (Err(error), Some(failure)) => {
                if self.shared.pulse.failure().as_ref() == Some(&error) {
                    tracing::debug!(%error, "the store takes no writes yet");
                } else {
                    tracing::error!(%error, "the store takes no writes yet, now for this");
                }
                self.shared.pulse.set_failure(Some(error));
                failure.wait = (failure.wait * 2).min(LAST_RETRY);
                failure.next_try = Instant::now() + failure.wait;
            }
            (Err(_), None) => {}
        }
    }

    /// Opens the index anew and brings it up to the journal. Reads fail meanwhile: there is none to read from, since
    /// sled locks its directory. None of them waits: the lock is free while the database is opened.
    fn reopen(&mut self) -> Result<(), EngineError> {
        let shared = Arc::clone(&self.shared);
        let engines = {
            let mut view = view::write(&shared.view);
            view.before = Changes::new();
            view.is_failing = false.into();
            view.is_reopening = true;
            [self.engine.take(), view.engine.take()]
        };
        engines.into_iter().flatten().for_each(Engine::close);
        let opened = opening::open_somehow(&shared.places, shared.options.cache_bytes);
        let mut view = view::write(&shared.view);
        view.is_reopening = false;
        let Opened { engine, tally, health, pending, .. } = opened?;
        let pulse = &shared.pulse;
        pulse.rebuilt.fetch_add(health.rebuilt.into(), Ordering::Relaxed);
        pulse.lost.fetch_add(health.lost, Ordering::Relaxed);
        view.engine = Some(engine.clone());
        if !pending.is_empty() {
            view.before = pending;
            return Err(EngineError::Full);
        }
        if tally.sequence != self.journal.sequence() {
            let cause = format!("the index is at {} of {}", tally.sequence, self.journal.sequence());
            return Err(EngineError::Failed(cause));
        }
        (self.engine, self.tally, self.needs_reopening, self.is_dirty) = (Some(engine), tally, false, true);
        pulse.applied.store(tally.sequence, Ordering::Release);
        Ok(())
    }
}
