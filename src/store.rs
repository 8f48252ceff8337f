//! Agendas, the ledger and the releases, as records of its own: in a journal, and in sled as its index.
//!
//! Owns what is kept, how it is laid out on disk, and when a write may be acknowledged. It refuses to know
//! tokens (it is handed SHA-256 digests), rendered feeds, HTTP and the time of day. Nothing else uses sled.
//!
//! There is one door for writing, [`Store::commit`] with [`Write`]s, so that a journal or another backend can
//! go in front of it. Invariant: a commit returns `Ok` only when all its writes are on disk, and until it
//! returns readers see none of them.
//!
//! ```text
//! commit --bounded queue--> commit thread: plan (compare-and-set) -> journal, fdatasync -> index -> answer
//! reads  ------------------> pre-images of the group in flight, else the index
//! keeper ------------------> checkpoints: index + journal -> one file
//! ```
//!
//! All of it is on disk twice: in the index, and in a checkpoint with the journal since. Either is made anew
//! from the other.

mod agenda;
mod applying;
mod backup;
mod behind;
mod cell;
mod checkpoint;
mod closing;
mod committer;
mod engine;
mod error;
mod files;
mod high_water;
mod journal;
mod keeper;
mod ledger;
mod links;
mod lock;
mod opening;
mod owner;
mod plan;
mod read;
mod read_ahead;
mod record;
mod release;
mod restoring;
mod shared;
mod skipped;
mod snapshot;
mod staging;
mod sweep;
mod tally;
mod verify;
mod view;
mod write;

#[cfg(test)]
pub(crate) use agenda::take_parses;
pub use agenda::{AgendaRecord, LinkRecord, LinkTarget};
pub use backup::{Backup, BackupError, verify_backup, verify_backup_from};
pub use behind::Behind;
pub use error::{CommitError, OpenError, ReadError};
pub use high_water::HighWater;
pub use owner::OwnerKept;
pub use record::named::{ClockProbation, ImportedFile, LinkFetch, NamedRecord, RecordName, Schedule};
pub use release::{LedgerHead, Origin, ReleaseRecord, ReleaseSummary, ReleaseWrite};
pub use restoring::{RestoreError, Restoring};
pub use skipped::Skipped;
pub use snapshot::Snapshot;
pub use verify::{Fault, Verified, verify};
pub use write::Write;

use crate::program::Slug;
use crate::revision::Ledger;
use bytes::Bytes;
use cell::{FORMAT, Space, Table};
use closing::Door;
use committer::{Committer, Job, Reply, Work};
use engine::{Engine, EngineError};
use files::{Places, drop_ballast, lay_ballast, make_directory};
use high_water::Mark;
use journal::Journal;
use keeper::{Keeper, Order};
use lock::{Held, lock_directory};
use opening::Opened;
use plan::Changes;
use shared::{Pulse, Shared};
use staging::Staging;
use std::fmt;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use view::View;

/// How much the store takes for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// sled's page cache.
    pub cache_bytes: u64,
    /// Commits that may wait; more are refused at once.
    pub queue: usize,
    /// Commits written in one batch.
    pub group: usize,
    /// Whether a directory that holds only other conferences may get this one beside them.
    pub new_conference: bool,
    /// How far the journal grows before a checkpoint is made; with a large state, at least to half of that.
    pub checkpoint_bytes: u64,
    /// A release that is longer is written in pieces of about this length.
    pub piece_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 32 * 1024 * 1024,
            queue: 1024,
            group: 256,
            new_conference: false,
            checkpoint_bytes: 64 * 1024 * 1024,
            piece_bytes: 4 * 1024 * 1024,
        }
    }
}

/// How the store is doing, for readiness, the watchdog and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreStatus {
    /// Whether commits are taken: no write failed since it was opened, and it is not closed.
    pub writable: bool,
    /// How long the oldest commit of the group in flight waits for the disk.
    pub oldest_pending: Option<Duration>,
    /// Commits acknowledged since it was opened.
    pub acknowledged: u64,
    /// Commits that wait for an answer.
    pub queue: usize,
    /// The last record of the journal that readers see.
    pub sequence: u64,
    /// The record that the newest checkpoint is of; 0 while there is none.
    pub checkpoint: u64,
    /// How often the index was found damaged and made anew since the store was opened.
    pub rebuilt: u64,
    /// What was damaged in both copies: 0, or a backup is needed.
    pub lost: u64,
}

/// An open store. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct Store(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    door: Mutex<Option<Door>>,
}

impl Store {
    /// Opens the store of a conference in a directory, which is made (mode 0700) where there is none.
    ///
    /// Stores of several conferences may lie in one directory, but only one can be open. A directory that holds
    /// only other conferences is refused unless [`Options::new_conference`] is set.
    pub fn open(dir: &Path, conference: &Slug) -> Result<Self, OpenError> {
        Self::open_with(dir, conference, Options::default())
    }

    /// [`Self::open`] with sizes of one's own.
    pub fn open_with(dir: &Path, conference: &Slug, options: Options) -> Result<Self, OpenError> {
        let unusable = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
        make_directory(dir).map_err(unusable)?;
        let lock = lock_directory(dir)?;
        let places = Places::of(dir);
        places.prepare().map_err(unusable)?;
        let failed = |cause: EngineError| OpenError::of(dir, cause);
        let opened = opening::open_somehow(&places, options.cache_bytes).map_err(failed)?;
        let Opened { engine, tally, findings, health, pending } = opened;
        let space = Space::new(conference);
        let is_behind = !pending.is_empty();
        let view = View {
            engine: Some(engine.clone()),
            before: pending,
            generation: 0,
            is_failing: false.into(),
            is_reopening: false,
        };
        let format = check_format(dir, &space, &engine, &view, options.new_conference)?;
        let end = findings.last.unwrap_or(0).max(tally.sequence);
        let journal = Journal::open(&places.journal, end, &findings).or_else(|error| match error {
            EngineError::Full => {
                drop_ballast(&places);
                Journal::open(&places.journal, end, &findings)
            }
            other => Err(other),
        });
        let journal = journal.map_err(failed)?;

        let pulse = Pulse::default();
        pulse.applied.store(tally.sequence, Ordering::Relaxed);
        pulse.rebuilt.store(health.rebuilt.into(), Ordering::Relaxed);
        pulse.lost.store(health.lost, Ordering::Relaxed);
        let newest = checkpoint::list(&places.checkpoints).map_err(unusable)?.pop();
        pulse.checkpoint.store(newest.map_or(0, |newest| newest.sequence), Ordering::Relaxed);
        let full = if is_behind { Some(EngineError::Full) } else { lay_ballast(&places).err() };
        let held = Held::lock(dir, &lock).map_err(unusable)?;
        let shared = Arc::new(Shared { view: RwLock::new(view), space, places, held, options, pulse });
        let mark = Mark::open(&shared).map_err(failed)?;
        let mut committer =
            Committer::new(Arc::clone(&shared), journal, engine, tally, mark, full, is_behind);
        committer.found(&format).map_err(failed)?;

        let (jobs, waiting): (_, Receiver<Job>) = sync_channel(options.queue);
        let thread = std::thread::Builder::new().name("commit".to_owned());
        let thread = thread.spawn(move || committer.run(&waiting)).map_err(unusable)?;
        let (orders, ordered) = channel();
        let keeper = Keeper::new(Arc::clone(&shared), health.copy_damaged);
        let keeping = std::thread::Builder::new().name("keeper".to_owned());
        let keeper = keeping.spawn(move || keeper.run(&ordered)).map_err(unusable)?;
        let door = Mutex::new(Some(Door { jobs, thread, orders, keeper, lock }));
        Ok(Self(Arc::new(Handle { shared, door })))
    }

    /// Writes all of it, or nothing. Returns when it is on disk.
    ///
    /// A full queue answers [`CommitError::Unavailable`] at once. A caller that stops waiting does not undo
    /// the write; one of a large release, which is written in pieces, may end it between two of them.
    pub async fn commit(&self, mut writes: Vec<Write>) -> Result<(), CommitError> {
        let limit = self.0.shared.options.piece_bytes;
        let _staging = match large(&mut writes, limit) {
            Some(release) => {
                let staging = Staging::begin(&self.0.shared)?;
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
        let job = job(work, Reply::Task(reply));
        self.send(|jobs| {
            jobs.try_send(job).map_err(|error| match error {
                TrySendError::Full(_) => CommitError::Unavailable("too many writes are waiting".to_owned()),
                TrySendError::Disconnected(_) => stopped(),
            })
        })?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// [`Self::commit`] for threads without a runtime. It waits for room in the queue.
    pub fn commit_blocking(&self, mut writes: Vec<Write>) -> Result<(), CommitError> {
        let limit = self.0.shared.options.piece_bytes;
        let _staging = match large(&mut writes, limit) {
            Some(release) => {
                let staging = Staging::begin(&self.0.shared)?;
                release.pieces(limit).try_for_each(|piece| self.write_blocking(Work::Piece(piece)))?;
                Some(staging)
            }
            None => None,
        };
        self.write_blocking(Work::Writes(writes))
    }

    fn write_blocking(&self, work: Work) -> Result<(), CommitError> {
        let (reply, answer) = sync_channel(1);
        let job = job(work, Reply::Thread(reply));
        self.send(|jobs| jobs.send(job).map_err(|_| stopped()))?;
        answer.recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// The write that publishes a release: what changed against the previous ledger, or where that is much, the
    /// whole of the next.
    pub fn release_write(
        &self,
        previous: Option<&Ledger>,
        next: &Ledger,
        record: ReleaseRecord,
        csv: Bytes,
    ) -> Write {
        let write = ReleaseWrite::between(previous, next, record, csv);
        let is_much = write.ledger_weight() > self.0.shared.options.piece_bytes;
        Write::PutRelease(Box::new(if is_much { write.whole(next) } else { write }))
    }

    /// Makes a checkpoint now, and gives the sequence that it is of. Blocks until it is on disk.
    pub fn checkpoint(&self) -> Result<u64, CommitError> {
        self.order(Order::Checkpoint)
    }

    /// Writes the whole state to `out`, as a checkpoint, and gives the sequence that it is of. Commits go on
    /// meanwhile. A slow `out` holds checkpoints up, so it must give up at some time.
    pub fn back_up(&self, out: Box<dyn io::Write + Send>) -> Result<u64, CommitError> {
        self.order(|reply| Order::Backup(out, reply))
    }

    fn order(
        &self,
        order: impl FnOnce(SyncSender<Result<u64, EngineError>>) -> Order,
    ) -> Result<u64, CommitError> {
        let (reply, answer) = sync_channel(1);
        let orders = self.0.door().as_ref().map(|door| door.orders.clone()).ok_or_else(stopped)?;
        orders.send(order(reply)).map_err(|_| stopped())?;
        let made = answer.recv().map_err(|_| stopped())?;
        made.map_err(|error| match error {
            EngineError::Full => CommitError::Full,
            error => CommitError::Unavailable(error.to_string()),
        })
    }

    /// How it is doing.
    pub fn status(&self) -> StoreStatus {
        let pulse = &self.0.shared.pulse;
        let is_open = self.0.door().as_ref().is_some_and(|door| !door.thread.is_finished());
        let oldest = *pulse.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        StoreStatus {
            writable: is_open && pulse.failure().is_none(),
            oldest_pending: oldest.map(|at| at.elapsed()),
            acknowledged: pulse.acknowledged.load(Ordering::Relaxed),
            queue: pulse.pending.load(Ordering::Relaxed),
            sequence: pulse.applied.load(Ordering::Relaxed),
            checkpoint: pulse.checkpoint.load(Ordering::Relaxed),
            rebuilt: pulse.rebuilt.load(Ordering::Relaxed),
            lost: pulse.lost.load(Ordering::Relaxed),
        }
    }

    /// Why it takes no writes, while that is so: what the disk or the database said.
    pub fn failure(&self) -> Option<String> {
        self.0.shared.pulse.failure().map(|error| error.to_string())
    }

    /// Answers what is waiting, closes the database and gives its lock back. Later reads and commits fail.
    ///
    /// An index that does not close within seconds is left to the end of the process: nothing is lost by it.
    pub fn close(&self) {
        self.0.close();
    }

    fn send(&self, send: impl FnOnce(SyncSender<Job>) -> Result<(), CommitError>) -> Result<(), CommitError> {
        let jobs = self.0.door().as_ref().map(|door| door.jobs.clone()).ok_or_else(stopped)?;
        let pending = &self.0.shared.pulse.pending;
        pending.fetch_add(1, Ordering::Relaxed);
        send(jobs).inspect_err(|_| _ = pending.fetch_sub(1, Ordering::Relaxed))
    }

    fn view(&self) -> &RwLock<View> {
        &self.0.shared.view
    }

    fn space(&self) -> &Space {
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
    fn door(&self) -> std::sync::MutexGuard<'_, Option<Door>> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let door = self.door().take();
        if let Some(door) = door {
            door.close(&self.shared.pulse);
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

fn job(work: Work, reply: Reply) -> Job {
    Job { work, reply, at: Instant::now() }
}

/// The release among some writes that is written in pieces.
fn large(writes: &mut [Write], limit: usize) -> Option<&mut ReleaseWrite> {
    writes.iter_mut().find_map(|write| match write {
        Write::PutRelease(release) if release.is_large(limit) => Some(release.as_mut()),
        _ => None,
    })
}

fn stopped() -> CommitError {
    CommitError::Unavailable("the store is closed".to_owned())
}

/// Refuses a directory that a later version wrote, and one that holds only other conferences. Returns the record that
/// notes the format of a new one.
fn check_format(
    dir: &Path,
    space: &Space,
    engine: &Engine,
    view: &View,
    new_conference: bool,
) -> Result<Changes, OpenError> {
    let cell = space.cell(Table::Format, b"");
    let newer = |found| OpenError::Newer { dir: dir.to_owned(), found, known: FORMAT };
    let failed = |cause: String| OpenError::Engine { dir: dir.to_owned(), cause };
    match view.record::<u8>(&cell) {
        Ok(Some(found)) if found > FORMAT => return Err(newer(found)),
        Ok(Some(_)) => return Ok(Changes::new()),
        Ok(None) => {}
        Err(ReadError::Newer { found, .. }) => return Err(newer(found)),
        Err(error) => return Err(failed(error.to_string())),
    }
    let found = published(engine).map_err(|error| failed(error.to_string()))?;
    if !found.is_empty() {
        if !new_conference {
            let wanted = space.conference().to_owned();
            return Err(OpenError::OtherConference { dir: dir.to_owned(), found, wanted });
        }
        tracing::warn!(dir = %dir.display(), "the data directory holds another conference; this one starts empty");
    }
    let parts = cell.write(FORMAT.to_string().as_bytes()).map_err(|error| failed(error.to_string()))?;
    Ok(parts.into_iter().map(|(key, value)| (key, Some(value))).collect())
}

/// The slugs of the conferences that have a release or an agenda. A first start that failed leaves neither.
fn published(engine: &Engine) -> Result<Vec<String>, EngineError> {
    let mut found = Vec::new();
    for slug in engine.conferences()? {
        let holds = |table: Table| {
            let prefix = [slug.as_slice(), &[0, table as u8]].concat();
            Ok::<_, EngineError>(!engine.range(&prefix, Bound::Included(&prefix), 1)?.is_empty())
        };
        if holds(Table::Head)? || holds(Table::Agenda)? {
            found.push(String::from_utf8_lossy(&slug).into_owned());
        }
    }
    Ok(found)
}
