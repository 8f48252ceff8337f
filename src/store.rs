//! The store: agendas, the ledger, releases and other state that survives a restart of the server.
//!
//! Owns the data directory, the layout on disk, and the moment at which a write is acknowledged. The store never sees
//! tokens (only their SHA-256 digests), rendered feeds, HTTP or the time of day. Invariant: a commit returns `Ok` only
//! when all its writes are on disk, and no reader sees any of the writes earlier.
//!
//! ```text
//! commit --bounded queue--> commit thread: plan (rules) -> journal, fdatasync -> index -> answer
//! reads  -----------------> index, without the group in flight
//! keeper -----------------> checkpoints: index + journal -> one file
//! ```
//!
//! All state is on disk twice: in the index, and in checkpoint and journal. Each copy can be rebuilt from the other.

mod backup;
mod charge;
mod checkpoint;
mod committer;
mod database;
mod directory;
mod error;
mod high_water;
mod index;
mod journal;
mod keeper;
mod moving;
mod plan;
mod read;
mod record;
mod replica;
mod rows;
mod rules;
mod snapshot;
mod start;
mod temporary;
mod verify;
mod write;

pub use backup::{Backup, BackupError, RestoreError, Restoring, verify_backup, verify_backup_from};
pub use charge::Charge;
pub use database::{Database, DatabaseError, DatabaseOptions};
pub use directory::OwnershipGuard;
pub use error::{CommitError, OpenError, ReadError};
pub use high_water::HighWater;
pub use moving::MoveError;
pub use read::{LinkedAgenda, Skipped};
#[cfg(test)]
pub(crate) use record::agenda::take_parses;
pub use record::agenda::{AgendaRecord, BusyRecord, LinkRecord, LinkTarget};
pub use record::charge::ChargeRecord;
pub use record::held::{HeldRecord, HeldSource};
pub use record::mail::{InvitationRecord, InvitationState, MailAsk, MailRecord, PendingMail};
pub use record::named::{
    AnnouncedReleases, ClockProbation, ImportedFile, LinkFetch, MailSecretBytes, NamedRecord, PushKeyBytes,
    RecordName, RemindedSessions, Schedule, SourceRecord,
};
pub use record::outbox::{
    CalendarSource, Cause, Channel, DeliveryRecord, FollowedCalendar, ReachRecord, ReachTally,
    SubscriptionRecord, SubscriptionsRecord, Version,
};
pub use record::release::{LedgerHead, Origin, ReleaseRecord, ReleaseSummary};
pub use record::temporary::{TemporaryKind, TemporaryRecord};
pub use replica::ReplicaStatus;
pub use snapshot::Snapshot;
pub use verify::{StoreFault, Verified, verify};
pub use write::{ReleaseWrite, Write};

use crate::program::Slug;
use crate::revision::Ledger;
use bytes::Bytes;
use committer::{CommitJob, CommitReply, Work};
use directory::{FileIdentity, Places};
use error::StorageError;
use index::view::Index;
use journal::chain::Position;
use keeper::Order;
use replica::Replica;
use rows::KeySpace;
use start::{Threads, start, start_replica};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io};
use tokio::sync::oneshot;

/// The state of a store, for readiness, the watchdog and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreStatus {
    /// Whether commits are accepted: the store is open and has not failed.
    pub writable: bool,
    /// How long the oldest commit of the present group has waited for the disk.
    pub oldest_pending: Option<Duration>,
    /// Acknowledged commits since the store was opened.
    pub acknowledged: u64,
    /// Commits that have not been answered yet.
    pub queue: usize,
    /// The sequence of the last journal record that readers see.
    pub sequence: u64,
    /// The sequence of the last journal record in the newest checkpoint; 0 without a checkpoint.
    pub checkpoint: u64,
    /// How often a damaged index was rebuilt since the store was opened.
    pub rebuilt: u64,
    /// Rows or records that are damaged in both copies. If there are any, only a backup may still have them.
    pub lost: u64,
}

/// An open store. Clones share it, and the last one closes it.
#[derive(Clone)]
pub struct Store(Arc<Handle>);

struct Handle {
    shared: Arc<StoreShared>,
    threads: Mutex<Option<Threads>>,
}

impl Store {
    /// Opens the store of a conference in a directory. A missing directory is created with mode 0700.
    ///
    /// A directory may hold several conferences, but only one of them can be open. A directory with only other
    /// conferences is refused unless [`StoreOptions::new_conference`] is set.
    pub fn open(dir: &Path, conference: &Slug) -> Result<Self, OpenError> {
        Self::open_with(dir, conference, StoreOptions::default())
    }

    /// Like [`Self::open`], with the sizes in `options`.
    pub fn open_with(dir: &Path, conference: &Slug, options: StoreOptions) -> Result<Self, OpenError> {
        let (shared, threads) = start(dir, conference, options)?;
        Ok(Self(Arc::new(Handle { shared, threads: Mutex::new(Some(threads)) })))
    }

    /// Opens a replica: a store whose journal is the log of the conference in a database. The directory holds this
    /// replica's copy, from which it is read.
    ///
    /// Without a copy, the database must be reachable. With one, the store opens without it, and takes writes once it
    /// is back.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_replica(
        dir: &Path,
        conference: &Slug,
        options: StoreOptions,
        database: &Database,
    ) -> Result<Self, OpenError> {
        let (shared, threads) = start_replica(dir, conference, options, database)?;
        Ok(Self(Arc::new(Handle { shared, threads: Mutex::new(Some(threads)) })))
    }

    /// Makes all writes or none, and returns once they are on disk.
    ///
    /// If the queue is full, returns [`CommitError::Unavailable`] at once. Dropping the future does not undo the
    /// commit. A large release is written in pieces; dropping its future may leave some of the pieces unwritten.
    pub async fn commit(&self, mut writes: Vec<Write>) -> Result<(), CommitError> {
        let limit = self.0.shared.options.piece_bytes;
        let _staging = match large_release(&mut writes, limit) {
            Some(release) => {
                let staging = Staging::begin(&self.0.shared)?;
                if self.0.shared.replica.is_some() {
                    self.write(Work::Stage).await?;
                }
                for piece in release.pieces(limit) {
                    self.write(Work::Piece(piece)).await?;
                }
                Some(staging)
            }
            None => None,
        };
        self.write(Work::Writes(writes)).await
    }

    async fn write(&self, work: Work) -> Result<(), CommitError> {
        let (reply, answer) = oneshot::channel();
        let job = job(work, CommitReply::Task(reply));
        self.send(|jobs| {
            jobs.try_send(job).map_err(|error| match error {
                TrySendError::Full(_) => CommitError::Unavailable("too many writes are waiting".to_owned()),
                TrySendError::Disconnected(_) => closed(),
            })
        })?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Like [`Self::commit`], for threads without a runtime. Waits for room in the queue.
    pub fn commit_blocking(&self, mut writes: Vec<Write>) -> Result<(), CommitError> {
        let limit = self.0.shared.options.piece_bytes;
        let _staging = match large_release(&mut writes, limit) {
            Some(release) => {
                let staging = Staging::begin(&self.0.shared)?;
                if self.0.shared.replica.is_some() {
                    self.write_blocking(Work::Stage)?;
                }
                release.pieces(limit).try_for_each(|piece| self.write_blocking(Work::Piece(piece)))?;
                Some(staging)
            }
            None => None,
        };
        self.write_blocking(Work::Writes(writes))
    }

    fn write_blocking(&self, work: Work) -> Result<(), CommitError> {
        let (reply, answer) = sync_channel(1);
        let job = job(work, CommitReply::Thread(reply));
        self.send(|jobs| jobs.send(job).map_err(|_| closed()))?;
        answer.recv().unwrap_or_else(|_| Err(closed()))
    }

    /// Reads a shared log up to its present end.
    async fn follow(&self) -> Result<(), CommitError> {
        self.write(Work::Follow).await
    }

    /// The write that publishes a release: the changes of the ledger, or the whole ledger if the changes are large.
    pub fn release_write(
        &self,
        previous: Option<&Ledger>,
        next: &Ledger,
        record: ReleaseRecord,
        csv: Bytes,
    ) -> Write {
        let write = ReleaseWrite::between(previous, next, record, csv);
        let is_large = write.ledger_weight() > self.0.shared.options.piece_bytes;
        Write::PutRelease(Box::new(if is_large { write.whole(next) } else { write }))
    }

    /// Makes a checkpoint and returns its sequence. Blocks until it is on disk.
    pub fn checkpoint(&self) -> Result<u64, CommitError> {
        self.order(Order::Checkpoint)
    }

    /// Writes the whole state to `out`, as a checkpoint, and returns its sequence. Commits go on meanwhile. A slow
    /// `out` delays checkpoints, so writes to `out` must have a timeout.
    pub fn back_up(&self, out: Box<dyn io::Write + Send>) -> Result<u64, CommitError> {
        self.order(|reply| Order::Backup(out, reply))
    }

    fn order(
        &self,
        order: impl FnOnce(SyncSender<Result<u64, StorageError>>) -> Order,
    ) -> Result<u64, CommitError> {
        let (reply, answer) = sync_channel(1);
        let orders = self.0.threads().as_ref().map(|threads| threads.orders.clone()).ok_or_else(closed)?;
        orders.send(order(reply)).map_err(|_| closed())?;
        let made = answer.recv().map_err(|_| closed())?;
        made.map_err(|error| match error {
            StorageError::Full => CommitError::Full,
            error => CommitError::Unavailable(error.to_string()),
        })
    }

    /// The present state.
    pub fn status(&self) -> StoreStatus {
        let state = &self.0.shared.state;
        let is_open = self.0.threads().as_ref().is_some_and(Threads::are_running);
        StoreStatus {
            writable: is_open && state.failure().is_none(),
            oldest_pending: state.oldest().map(|at| at.elapsed()),
            acknowledged: state.acknowledged.load(Ordering::Relaxed),
            queue: state.pending.load(Ordering::Relaxed),
            sequence: state.applied.load(Ordering::Relaxed),
            checkpoint: state.checkpoint.load(Ordering::Relaxed),
            rebuilt: state.rebuilt.load(Ordering::Relaxed),
            lost: state.lost.load(Ordering::Relaxed),
        }
    }

    /// The disk or database error for which the store refuses writes; `None` while the store accepts them.
    pub fn failure(&self) -> Option<String> {
        self.0.shared.state.failure().map(|error| error.to_string())
    }

    /// Answers the queued commits, closes the database and unlocks the directory. Later reads and commits fail.
    ///
    /// An index that does not close within seconds stays open until the process ends. No data is lost.
    pub fn close(&self) {
        self.0.close();
    }

    fn send(
        &self,
        send: impl FnOnce(SyncSender<CommitJob>) -> Result<(), CommitError>,
    ) -> Result<(), CommitError> {
        let jobs = self.0.threads().as_ref().map(|threads| threads.jobs.clone()).ok_or_else(closed)?;
        let pending = &self.0.shared.state.pending;
        pending.fetch_add(1, Ordering::Relaxed);
        send(jobs).inspect_err(|_| _ = pending.fetch_sub(1, Ordering::Relaxed))
    }

    fn index(&self) -> &Index {
        &self.0.shared.index
    }

    fn space(&self) -> &rows::KeySpace {
        &self.0.shared.space
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("dir", &self.0.shared.places.dir)
            .field("status", &self.status())
            .finish()
    }
}

impl Handle {
    fn threads(&self) -> MutexGuard<'_, Option<Threads>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let threads = self.threads().take();
        if let Some(threads) = threads {
            threads.stop(&self.shared.state);
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

fn job(work: Work, reply: CommitReply) -> CommitJob {
    CommitJob { work, reply, at: Instant::now() }
}

/// The release in `writes` that must be written in pieces, if there is one.
fn large_release(writes: &mut [Write], limit: usize) -> Option<&mut ReleaseWrite> {
    writes.iter_mut().find_map(|write| match write {
        Write::PutRelease(release) if release.is_large(limit) => Some(release.as_mut()),
        _ => None,
    })
}

fn closed() -> CommitError {
    CommitError::Unavailable("the store is closed".to_owned())
}

/// The sizes of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes of sled's page cache.
    pub cache_bytes: u64,
    /// The most commits that wait. Further commits are refused at once.
    pub queue: usize,
    /// The most commits in one group.
    pub group: usize,
    /// Whether a directory that holds only other conferences may also get this one.
    pub new_conference: bool,
    /// Whether a replica's copy is opened like a store of its own, to be read.
    pub reads_replicas: bool,
    /// The growth of the journal after which a checkpoint is made. For a large state the limit is at least half of the
    /// state's size.
    pub checkpoint_bytes: u64,
    /// The size above which a release is written in pieces, and the approximate size of a piece.
    pub piece_bytes: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 32 * 1024 * 1024,
            queue: 1024,
            group: 256,
            new_conference: false,
            reads_replicas: false,
            checkpoint_bytes: 64 * 1024 * 1024,
            piece_bytes: 4 * 1024 * 1024,
        }
    }
}

/// An open store, as its readers and threads share it.
struct StoreShared {
    index: Index,
    space: KeySpace,
    places: Places,
    lock: FileIdentity,
    options: StoreOptions,
    state: StoreState,
    /// What a replica shares with others; none for a local journal.
    replica: Option<Replica>,
}

/// The present state of a store's threads.
#[derive(Default)]
struct StoreState {
    /// Why writes are refused; none while they are accepted.
    failure: Mutex<Option<StorageError>>,
    acknowledged: AtomicU64,
    /// Commits that have not been answered yet.
    pending: AtomicUsize,
    /// The sequence of the last journal record that readers see.
    applied: AtomicU64,
    /// The hash of the shared log up to that record, with the same sequence.
    position: Mutex<Position>,
    /// Bytes written to the journal since the store was opened.
    journaled: AtomicU64,
    /// The sequence of the newest checkpoint.
    checkpoint: AtomicU64,
    /// How often the index was rebuilt since the store was opened.
    rebuilt: AtomicU64,
    /// Rows or journal records that are in neither copy.
    lost: AtomicU64,
    /// A release is being written in pieces. Its pieces are not leftovers, and no checkpoint is made meanwhile.
    is_staging: AtomicBool,
    /// The store is being closed, so long work must end.
    is_stopping: AtomicBool,
    /// When the oldest commit of the present group was queued.
    oldest: Mutex<Option<Instant>>,
}

impl StoreState {
    fn set_failure(&self, failure: Option<StorageError>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    fn failure(&self) -> Option<StorageError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows the position of a group to readers.
    fn set_position(&self, position: Position) {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = position;
        self.applied.store(position.sequence, Ordering::Release);
    }

    /// The position of the last group that readers see.
    fn position(&self) -> Position {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_oldest(&self, at: Option<Instant>) {
        *self.oldest.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    fn oldest(&self) -> Option<Instant> {
        *self.oldest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A publication in pieces. Only one may run at a time, since two would mix their pieces.
struct Staging(Arc<StoreShared>);

impl Staging {
    /// Begins a publication. Fails with a conflict while another one runs, since both follow the same release.
    fn begin(shared: &Arc<StoreShared>) -> Result<Self, CommitError> {
        match shared.state.is_staging.swap(true, Ordering::AcqRel) {
            true => Err(CommitError::Conflict),
            false => Ok(Self(Arc::clone(shared))),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        self.0.state.is_staging.store(false, Ordering::Release);
    }
}
