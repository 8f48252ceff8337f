//! The commit thread: the only writer of journal and index.
//!
//! The thread plans the waiting commits as one group, appends the group to the journal, waits for the disk, applies the
//! group to the index and answers its commits. Conflicts are answered at the same time, so a caller that reads again
//! finds the conflicting state. While no commit waits, the thread removes rows that no release needs.

mod follow;
mod leftovers;
mod recovery;
mod turns;

use super::StoreShared;
use super::error::{CommitError, StorageError};
use super::high_water::HighWaterFile;
use super::index::Engine;
use super::index::tally::Tally;
use super::journal::chain::Position;
use super::journal::{Appended, Journal};
use super::plan::{CommitPlan, PlanError};
use super::rows::RowChanges;
use super::write::{ReleasePiece, Write};
use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use turns::Turns;

/// After this time without a commit the index is flushed and checked. Until the flush the journal has every commit.
const FLUSH_AFTER: Duration = Duration::from_millis(50);
/// The time between two checks of data directory and index while there is nothing to flush. It is below the two seconds
/// that a scan waits for a failing index.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The time between two reads of a shared log.
const FOLLOW: Duration = Duration::from_millis(250);
/// How long a group is planned again because other replicas append first.
const MAX_OVERTAKEN: Duration = Duration::from_secs(5);

/// One queued commit.
pub(super) struct CommitJob {
    pub(super) work: Work,
    pub(super) reply: CommitReply,
    pub(super) at: Instant,
}

/// The content of a commit.
pub(super) enum Work {
    Writes(Vec<Write>),
    /// A piece of an unpublished release.
    Piece(ReleasePiece),
    /// Lets this replica alone write the pieces of the next release.
    Stage,
    /// Reads the shared log up to its present end.
    Follow,
}

impl Work {
    fn writes(&self) -> &[Write] {
        match self {
            Self::Writes(writes) => writes,
            Self::Piece(_) | Self::Stage | Self::Follow => &[],
        }
    }

    /// Whether the work may create leftovers: a replaced ledger, or the piece itself.
    fn makes_leftovers(&self) -> bool {
        match self {
            Self::Writes(writes) => writes.iter().any(|write| matches!(write, Write::PutRelease(_))),
            Self::Piece(_) | Self::Stage => true,
            Self::Follow => false,
        }
    }
}

/// The receiver of a commit's result.
pub(super) enum CommitReply {
    Task(oneshot::Sender<Result<(), CommitError>>),
    Thread(SyncSender<Result<(), CommitError>>),
}

impl CommitReply {
    /// Sends the result. A caller that is gone does not undo its commit.
    fn send(self, result: Result<(), CommitError>) {
        match self {
            Self::Task(sender) => drop(sender.send(result)),
            Self::Thread(sender) => drop(sender.try_send(result)),
        }
    }
}

/// The back-off of the recovery. Its cause is the failure in the store's state.
struct Retry {
    wait: Duration,
    next: Instant,
}

pub(super) struct Committer {
    shared: Arc<StoreShared>,
    journal: Journal,
    /// None after a failed attempt to reopen the index.
    engine: Option<Engine>,
    tally: Tally,
    high_water: HighWaterFile,
    retry: Option<Retry>,
    /// Whether the index has failed.
    needs_reopening: bool,
    /// Whether the index has writes that are not flushed.
    is_dirty: bool,
    /// Whether there may be leftovers.
    has_leftovers: bool,
    /// When the shared log was last read.
    followed: Instant,
    /// The turns among the replicas that append; none if the journal is local.
    turns: Option<Turns>,
    /// The replica that writes the pieces of a release, and when that was first seen.
    stager: Option<(Vec<u8>, Instant)>,
}

/// A group that was planned and written.
enum Written {
    Results(Vec<Result<(), CommitError>>),
    /// The plan is of an outdated state.
    Outdated,
}

/// Why a group failed.
enum GroupError {
    /// The journal does not have the group, or will not have it after the repair.
    Journal(StorageError),
    /// The journal has the group, and the index does not.
    Index(StorageError),
}

impl Committer {
    /// If the store was opened on a full disk, it starts in the failed state: it can be read, and refuses writes.
    pub(super) fn new(
        shared: Arc<StoreShared>,
        journal: Journal,
        engine: Engine,
        tally: Tally,
        high_water: HighWaterFile,
        failure: Option<StorageError>,
        needs_reopening: bool,
    ) -> Self {
        let engine = Some(engine);
        let turns = shared.replica.as_ref().map(|replica| Turns::new(replica.id.clone()));
        let mut committer = Self {
            shared,
            journal,
            engine,
            tally,
            high_water,
            retry: None,
            needs_reopening,
            is_dirty: false,
            has_leftovers: true,
            followed: Instant::now(),
            turns,
            stager: None,
        };
        if let Some(error) = failure {
            committer.refuse_writes(error);
        }
        committer
    }

    /// Runs until every sender is gone, and then closes the database.
    pub(super) fn run(mut self, jobs: &Receiver<CommitJob>) {
        loop {
            let wait = if self.is_flushed() { CHECK_INTERVAL } else { FLUSH_AFTER };
            let wait = if self.journal.is_shared() { wait.min(FOLLOW) } else { wait };
            let mut group = match jobs.recv_timeout(wait) {
                Ok(job) => {
                    if !matches!(job.work, Work::Follow) {
                        self.wait_for_turn();
                    }
                    vec![job]
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.flush_and_check();
                    Vec::new()
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            group.extend(jobs.try_iter().take(self.shared.options.group.saturating_sub(group.len())));
            self.shared.state.set_oldest(group.first().map(|job| job.at));
            let (work, replies): (Vec<_>, Vec<_>) =
                group.into_iter().map(|job| (job.work, job.reply)).unzip();
            self.has_leftovers |= work.iter().any(Work::makes_leftovers);
            // After a panic the store refuses writes and reports the failure.
            let served = catch_unwind(AssertUnwindSafe(|| self.serve(&work)));
            let results = served.unwrap_or_else(|_| {
                let refusal = self.fail(panicked());
                vec![Err(refusal); work.len()]
            });
            drop(work);
            self.shared.state.set_oldest(None);
            for (reply, result) in replies.into_iter().zip(results) {
                self.shared.state.pending.fetch_sub(1, Ordering::Relaxed);
                if result.is_ok() {
                    self.shared.state.acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                reply.send(result);
            }
        }
        let shared = Arc::clone(&self.shared);
        let engines = [self.engine.take(), shared.index.take_engine(false)];
        engines.into_iter().flatten().for_each(Engine::close);
    }

    /// Waits while it is another replica's turn to append.
    fn wait_for_turn(&mut self) {
        while self.retry.is_none()
            && let Some(wait) = self.turns.as_mut().and_then(|turns| turns.wait(Instant::now()))
        {
            std::thread::sleep(wait);
            match catch_unwind(AssertUnwindSafe(|| self.follow())) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => drop(self.fail_group(error)),
                Err(_) => drop(self.fail(panicked())),
            }
        }
    }

    fn serve(&mut self, group: &[Work]) -> Vec<Result<(), CommitError>> {
        // An index that is known to have failed is reopened at the next retry.
        if self.shared.index.is_failing() && !self.needs_reopening {
            self.fail_index(StorageError::Failed("the database cannot be read any more".to_owned()));
        } else if self.retry.as_ref().is_some_and(|retry| retry.next <= Instant::now()) {
            self.recover();
        }
        let refuse = |refusal: &CommitError| vec![Err(refusal.clone()); group.len()];
        let is_asked = group.iter().any(|work| matches!(work, Work::Follow));
        let is_due = self.journal.is_shared()
            && self.retry.is_none()
            && (is_asked || self.followed.elapsed() >= FOLLOW);
        if is_due && let Err(error) = self.follow() {
            let refusal = self.fail_group(error);
            return refuse(&refusal);
        }
        if group.is_empty() {
            return Vec::new();
        }
        let until = Instant::now() + MAX_OVERTAKEN;
        let mut is_current = is_asked || is_due;
        loop {
            match self.serve_once(group, is_current) {
                Written::Results(results) => return results,
                Written::Outdated if Instant::now() > until => {
                    let cause = "other replicas write too much at the moment".to_owned();
                    return refuse(&CommitError::Unavailable(cause));
                }
                Written::Outdated => {
                    is_current = true;
                    if let Err(error) = self.follow() {
                        let refusal = self.fail_group(error);
                        return refuse(&refusal);
                    }
                }
            }
        }
    }

    /// Plans and writes a group. `is_current` says that the log was read just now.
    fn serve_once(&mut self, group: &[Work], is_current: bool) -> Written {
        let refuse = |refusal: &CommitError| Written::Results(vec![Err(refusal.clone()); group.len()]);
        if let Some(failure) = self.shared.state.failure() {
            return refuse(&failure.refusal());
        }
        let Some(engine) = self.engine.clone() else {
            return refuse(&CommitError::Unavailable("the store is not open".to_owned()));
        };
        let mut changes = RowChanges::new();
        let failed = OnceCell::new();
        let read = |key: &[u8]| Ok(engine.value(key).inspect_err(|error| drop(failed.set(error.clone())))?);
        let limit = self.shared.options.piece_bytes;
        let replica = self.shared.replica.as_ref().map(|replica| replica.id.as_str());
        let results = group.iter().map(|work| {
            let plan = CommitPlan::new(&self.shared.space, &changes, limit, replica, read);
            let planned = match work {
                Work::Writes(writes) => plan.commit(writes),
                Work::Piece(piece) => plan.piece(piece),
                Work::Stage => plan.stage(),
                Work::Follow => Ok(RowChanges::new()),
            };
            match planned {
                Ok(own) => {
                    changes.extend(own);
                    Ok(())
                }
                Err(PlanError::Refused(error)) => Err(error),
                Err(PlanError::Unreadable(error)) => {
                    tracing::error!(%error, "a commit is refused: a record that it needs cannot be read");
                    Err(CommitError::Unavailable(error.to_string()))
                }
            }
        });
        let results: Vec<_> = results.collect();
        // sled may have failed in one of its own threads, and then cannot be read. Nothing of the group is written yet.
        if let Some(error) = failed.into_inner() {
            drop(engine);
            return refuse(&self.fail_index(error));
        }
        let mut acknowledged = group.iter().zip(&results).filter(|(_, result)| result.is_ok());
        let is_acknowledged = acknowledged.any(|(work, _)| !work.writes().is_empty());
        // Without an append, nothing shows that no other replica has written since.
        if changes.is_empty() && self.journal.is_shared() && !is_acknowledged && !is_current {
            return Written::Outdated;
        }
        let planned = group.iter().zip(&results).filter(|(_, result)| result.is_ok());
        let locked = self.shared.lock.check();
        let allowed =
            locked.and_then(|()| self.high_water.allow(planned.flat_map(|(work, _)| work.writes())));
        let written = allowed.map_err(GroupError::Journal).and_then(|()| {
            // Acknowledged writes that change nothing are an entry without rows. An append whose outcome is unknown, of
            // this or another replica, then has lost its place, and cannot take effect after the acknowledgement.
            match is_acknowledged && self.journal.is_shared() {
                true => self.append(&engine, &changes),
                false => self.write(&engine, &changes),
            }
        });
        match written {
            Ok(true) => Written::Results(results),
            Ok(false) => Written::Outdated,
            Err(error) => {
                drop(engine); // or its lock would outlive it
                match error {
                    GroupError::Journal(error) => refuse(&self.fail(error)),
                    GroupError::Index(error) => {
                        let refusal = self.fail_index(error);
                        // Reopening the index has applied the group.
                        if self.needs_reopening { refuse(&refusal) } else { Written::Results(results) }
                    }
                }
            }
        }
    }

    /// [`Self::append`], if there is something to append.
    fn write(&mut self, engine: &Engine, changes: &RowChanges) -> Result<bool, GroupError> {
        if changes.is_empty() { Ok(true) } else { self.append(engine, changes) }
    }

    /// Appends a group to the journal, applies it to the index, and then shows it to readers. False if another replica
    /// appended first; the group is then nowhere.
    fn append(&mut self, engine: &Engine, changes: &RowChanges) -> Result<bool, GroupError> {
        let before = before(engine, changes).map_err(|error| {
            self.needs_reopening = true;
            GroupError::Journal(error)
        })?;
        let started = Instant::now();
        let appended = self.journal.append(changes).map_err(GroupError::Journal)?;
        let took = started.elapsed();
        if let Some(replica) = &self.shared.replica {
            replica.count(appended, took);
        }
        let Appended::Ours { sequence, bytes, chain } = appended else { return Ok(false) };
        if let Some(turns) = &mut self.turns {
            turns.appended(took, Instant::now());
        }
        self.shared.state.journaled.fetch_add(bytes, Ordering::Relaxed);
        self.apply(engine, before, changes, Position { sequence, chain })?;
        Ok(true)
    }

    /// Applies rows that the journal has to the index, and then shows them to readers.
    fn apply(
        &mut self,
        engine: &Engine,
        before: RowChanges,
        changes: &RowChanges,
        position: Position,
    ) -> Result<(), GroupError> {
        let mut tally = self.tally.after(position.sequence, &before, changes);
        tally.chain = position.chain;
        self.shared.index.begin_group(before).map_err(GroupError::Index)?;
        engine.apply(changes, &tally).map_err(GroupError::Index)?;
        self.tally = tally;
        self.is_dirty = true;
        // If readers saw the group earlier, a checkpoint could contain the group and state the sequence before it.
        let StoreShared { index, state, .. } = &*self.shared;
        index.end_group(|| state.set_position(position));
        Ok(())
    }

    /// Writes the first rows of a new store. False if another replica wrote first.
    pub(super) fn write_first(&mut self, changes: &RowChanges) -> Result<bool, StorageError> {
        let Some(engine) = self.engine.clone() else { return Ok(true) };
        self.write(&engine, changes).map_err(|(GroupError::Journal(error) | GroupError::Index(error))| error)
    }

    fn is_flushed(&self) -> bool {
        self.retry.is_none() && !self.is_dirty
    }

    /// While no commit waits: checks the data directory, flushes, and removes leftovers.
    fn flush_and_check(&mut self) {
        if self.retry.is_some() {
            return;
        }
        match self.shared.lock.check() {
            Ok(()) => {
                self.flush();
                self.remove_leftovers();
            }
            Err(error) => drop(self.fail(error)),
        }
    }

    /// Hands sled's buffered writes to the system, so that the index is up to date even if the process is killed.
    fn flush(&mut self) {
        if let (true, Some(engine)) = (std::mem::take(&mut self.is_dirty), &self.engine)
            && let Err(error) = engine.flush()
        {
            self.fail_index(error);
        }
    }
}

fn panicked() -> StorageError {
    StorageError::Failed("the commit thread panicked".to_owned())
}

/// The present values of the keys in `changes`.
fn before(engine: &Engine, changes: &RowChanges) -> Result<RowChanges, StorageError> {
    changes.keys().map(|key| Ok((key.clone(), engine.value(key)?))).collect()
}
