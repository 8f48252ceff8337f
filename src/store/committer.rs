//! The commit thread: the only writer of journal and index.
//!
//! The thread plans the waiting commits as one group, appends the group to the journal, waits for the disk, applies the
//! group to the index and answers its commits. Conflicts are answered at the same time, so a caller that reads again
//! finds the conflicting state. While no commit waits, the thread removes rows that no release needs.
//!
//! After a failed write or sync of the journal, writes are refused until the failed record is cut off and a new segment
//! has begun. The index does not have the record, so reads go on. A failed index is reopened, which applies the rest of
//! the journal. On a full disk the ballast is removed to make room for the recovery. Writes are accepted again once the
//! ballast is written again.

use super::StoreShared;
use super::directory::{drop_ballast, write_ballast};
use super::error::{CommitError, StorageError};
use super::high_water::HighWaterFile;
use super::index::Engine;
use super::index::ledger::leftovers;
use super::index::opening::{OpenedIndex, open_with_fallback};
use super::index::tally::Tally;
use super::journal::Journal;
use super::plan::{CommitPlan, PlanError};
use super::record::RecordTable;
use super::record::release::LedgerHead;
use super::rows::RowChanges;
use super::write::{ReleasePiece, Write};
use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// After this time without a commit the index is flushed and checked. Until the flush the journal has every commit.
const FLUSH_AFTER: Duration = Duration::from_millis(50);
/// The time between two checks of data directory and index while there is nothing to flush. It is below the two seconds
/// that a scan waits for a failing index.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// The longest time between two attempts to recover. Writes must work again within 5 seconds after space was freed.
const LAST_RETRY: Duration = Duration::from_secs(1);

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
}

impl Work {
    fn writes(&self) -> &[Write] {
        match self {
            Self::Writes(writes) => writes,
            Self::Piece(_) => &[],
        }
    }

    /// Whether the work may create leftovers: a replaced ledger, or the piece itself.
    fn makes_leftovers(&self) -> bool {
        match self {
            Self::Writes(writes) => writes.iter().any(|write| matches!(write, Write::PutRelease(_))),
            Self::Piece(_) => true,
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

/// The result of a commit during a failure.
fn refusal(failure: &StorageError) -> CommitError {
    match failure {
        StorageError::Full => CommitError::Full,
        cause => CommitError::Unavailable(format!("it takes no writes: {cause}")),
    }
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
        let retry = failure.map(|error| {
            shared.state.set_failure(Some(error));
            Retry { wait: FIRST_RETRY, next: Instant::now() + FIRST_RETRY }
        });
        let engine = Some(engine);
        Self {
            shared,
            journal,
            engine,
            tally,
            high_water,
            retry,
            needs_reopening,
            is_dirty: false,
            has_leftovers: true,
        }
    }

    /// Runs until every sender is gone, and then closes the database.
    pub(super) fn run(mut self, jobs: &Receiver<CommitJob>) {
        loop {
            let mut group =
                match jobs.recv_timeout(if self.is_flushed() { CHECK_INTERVAL } else { FLUSH_AFTER }) {
                    Ok(job) => vec![job],
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
                let refusal = self.fail(StorageError::Failed("the commit thread panicked".to_owned()));
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

    fn serve(&mut self, group: &[Work]) -> Vec<Result<(), CommitError>> {
        // An index that is known to have failed is reopened at the next retry.
        if self.shared.index.is_failing() && !self.needs_reopening {
            self.fail_index(StorageError::Failed("the database cannot be read any more".to_owned()));
        } else if self.retry.as_ref().is_some_and(|retry| retry.next <= Instant::now()) {
            self.recover();
        }
        if group.is_empty() {
            return Vec::new();
        }
        let refuse = |refusal: &CommitError| vec![Err(refusal.clone()); group.len()];
        if let Some(failure) = self.shared.state.failure() {
            return refuse(&refusal(&failure));
        }
        let Some(engine) = self.engine.clone() else {
            return refuse(&CommitError::Unavailable("the store is not open".to_owned()));
        };
        let mut changes = RowChanges::new();
        let failed = OnceCell::new();
        let read = |key: &[u8]| Ok(engine.value(key).inspect_err(|error| drop(failed.set(error.clone())))?);
        let limit = self.shared.options.piece_bytes;
        let results = group.iter().map(|work| {
            let plan = CommitPlan::new(&self.shared.space, &changes, limit, read);
            let planned = match work {
                Work::Writes(writes) => plan.commit(writes),
                Work::Piece(piece) => plan.piece(piece),
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
        let planned = group.iter().zip(&results).filter(|(_, result)| result.is_ok());
        let locked = self.shared.lock.check();
        let allowed =
            locked.and_then(|()| self.high_water.allow(planned.flat_map(|(work, _)| work.writes())));
        match allowed.map_err(GroupError::Journal).and_then(|()| self.write(&engine, &changes)) {
            Ok(()) => results,
            Err(error) => {
                drop(engine); // or its lock would outlive it
                match error {
                    GroupError::Journal(error) => refuse(&self.fail(error)),
                    GroupError::Index(error) => {
                        let refusal = self.fail_index(error);
                        // Reopening the index has applied the group.
                        if self.needs_reopening { refuse(&refusal) } else { results }
                    }
                }
            }
        }
    }

    /// Appends a group to the journal, applies it to the index, and then shows it to readers.
    fn write(&mut self, engine: &Engine, changes: &RowChanges) -> Result<(), GroupError> {
        if changes.is_empty() {
            return Ok(());
        }
        let before: Result<RowChanges, StorageError> =
            changes.keys().map(|key| Ok((key.clone(), engine.value(key)?))).collect();
        let before = before.map_err(|error| {
            self.needs_reopening = true;
            GroupError::Journal(error)
        })?;
        let (sequence, bytes) = self.journal.append(changes).map_err(GroupError::Journal)?;
        self.shared.state.journaled.fetch_add(bytes, Ordering::Relaxed);
        let tally = self.tally.after(sequence, &before, changes);
        self.shared.index.begin_group(before).map_err(GroupError::Index)?;
        engine.apply(changes, &tally).map_err(GroupError::Index)?;
        self.tally = tally;
        self.is_dirty = true;
        // If readers saw the group earlier, a checkpoint could contain the group and state the sequence before it.
        let StoreShared { index, state, .. } = &*self.shared;
        index.end_group(|| state.applied.store(sequence, Ordering::Release));
        Ok(())
    }

    /// Writes the first rows of a new store.
    pub(super) fn write_first(&mut self, changes: &RowChanges) -> Result<(), StorageError> {
        let Some(engine) = self.engine.clone() else { return Ok(()) };
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

    /// Removes up to one batch of rows that no release needs.
    fn remove_leftovers(&mut self) {
        if !self.has_leftovers || self.shared.state.is_staging.load(Ordering::Acquire) {
            return;
        }
        let Some(engine) = self.engine.clone() else { return };
        let space = &self.shared.space;
        let head = space.address(RecordTable::Head, b"").read(|key| Ok(engine.value(key)?));
        let head =
            head.map(|bytes| bytes.map(|bytes| serde_json::from_slice::<LedgerHead>(&bytes)).transpose());
        let Ok(Ok(head)) = head else {
            // Without the head, leftovers cannot be told from rows in use. Readers of the head report the damage.
            self.has_leftovers = false;
            return;
        };
        let removed = leftovers(&engine, space, head.as_ref()).map_err(GroupError::Index);
        let removed = removed.and_then(|rows| {
            self.has_leftovers = !rows.is_empty();
            self.write(&engine, &rows)
        });
        drop(engine);
        match removed {
            Ok(()) => {}
            Err(GroupError::Journal(error)) => drop(self.fail(error)),
            Err(GroupError::Index(error)) => drop(self.fail_index(error)),
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

    fn fail_index(&mut self, error: StorageError) -> CommitError {
        self.needs_reopening = true;
        self.fail(error)
    }

    /// Refuses writes from now on, and tries to recover at once. Returns the error for the group whose write failed.
    fn fail(&mut self, error: StorageError) -> CommitError {
        if self.retry.is_none() {
            tracing::error!(%error, "the store takes no writes until it recovers");
        }
        let refusal = refusal(&error);
        if error == StorageError::Full {
            drop_ballast(&self.shared.places);
        }
        self.shared.state.set_failure(Some(error));
        self.retry = Some(Retry { wait: FIRST_RETRY / 2, next: Instant::now() });
        self.recover();
        refusal
    }

    fn recover(&mut self) {
        let repaired = self.shared.lock.check().and_then(|()| self.journal.repair());
        let reopened = repaired.and_then(|()| if self.needs_reopening { self.reopen() } else { Ok(()) });
        match (reopened.and_then(|()| write_ballast(&self.shared.places)), &mut self.retry) {
            (Ok(()), _) => {
                self.retry = None;
                self.shared.state.set_failure(None);
                tracing::info!("the store takes writes again");
            }
            (Err(error), Some(retry)) => {
                if self.shared.state.failure().as_ref() == Some(&error) {
                    tracing::debug!(%error, "the store takes no writes yet");
                } else {
                    tracing::error!(%error, "the store takes no writes yet, for another reason");
                }
                self.shared.state.set_failure(Some(error));
                retry.wait = (retry.wait * 2).min(LAST_RETRY);
                retry.next = Instant::now() + retry.wait;
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
        state.applied.store(tally.sequence, Ordering::Release);
        Ok(())
    }
}
