//! Agendas, the ledger and the releases, as records of its own in one sled database.
//!
//! Owns what is kept, how it is laid out on disk, and when a write may be acknowledged. It refuses to know
//! tokens (it is handed SHA-256 digests), rendered feeds, HTTP and the time of day. Nothing else uses sled.
//!
//! There is one door for writing, [`Store::commit`] with [`Write`]s, so that a journal or another backend can
//! go in front of it. Invariant: a commit returns `Ok` only when all its writes are on disk, and until it
//! returns readers see none of them.
//!
//! ```text
//! commit --bounded queue--> commit thread: plan (compare-and-set) -> batch -> flush -> fdatasync -> answer
//! reads  ------------------> pre-images of the group in flight, else the tree
//! ```

mod agenda;
mod base64;
mod cell;
mod committer;
mod engine;
mod error;
mod plan;
mod read;
mod release;
mod view;
mod write;

pub use agenda::{AgendaRecord, LinkRecord, LinkTarget};
pub use error::{CommitError, OpenError, ReadError};
pub use release::{LedgerHead, Origin, ReleaseRecord, ReleaseSummary, ReleaseWrite};
pub use write::Write;

use crate::program::Slug;
use cell::{FORMAT, Space, Table};
use committer::{Committer, Job, Pulse, Reply, Shared};
use engine::{Engine, EngineError, LOCK_PATIENCE, drop_ballast, lay_ballast};
use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
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
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 64 * 1024 * 1024, queue: 1024, group: 256 }
    }
}

/// How the store is doing, for readiness, the watchdog and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreStatus {
    /// Whether commits are taken: no write failed since it was opened, and it is not closed.
    pub writable: bool,
    /// How long the oldest commit of the group in flight waits for the disk.
    pub oldest_pending: Option<Duration>,
    /// Commits acknowledged since it was opened.
    pub acknowledged: u64,
    /// Commits that wait for an answer.
    pub queue: usize,
}

/// An open store. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct Store(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    door: Mutex<Option<Door>>,
}

/// What closing takes apart.
struct Door {
    jobs: SyncSender<Job>,
    thread: JoinHandle<()>,
    /// Locked for as long as it lives. sled locks `db` itself, but not before it has touched the directory,
    /// and not while it is reopened.
    lock: File,
}

impl Store {
    /// Opens the store of a conference in a directory, which is made (mode 0700) where there is none.
    ///
    /// Stores of several conferences may lie in one directory, but only one can be open.
    pub fn open(dir: &Path, conference: &Slug) -> Result<Self, OpenError> {
        Self::open_with(dir, conference, Options::default())
    }

    /// [`Self::open`] with sizes of one's own.
    pub fn open_with(dir: &Path, conference: &Slug, options: Options) -> Result<Self, OpenError> {
        let unusable = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
        make_directory(dir).map_err(unusable)?;
        let lock = lock_directory(dir)?;
        let failed = |cause: EngineError| OpenError::Engine { dir: dir.to_owned(), cause: cause.to_string() };
        let engine = Engine::open(dir, options.cache_bytes).or_else(|error| match error {
            EngineError::Full => {
                drop_ballast(dir);
                Engine::open(dir, options.cache_bytes)
            }
            other => Err(other),
        });
        let engine = engine.map_err(failed)?;
        let space = Space::new(conference);
        let view = View { engine: Some(engine.clone()), before: plan::Changes::new() };
        check_format(dir, &space, &engine, &view)?;

        let shared = Arc::new(Shared {
            view: RwLock::new(view),
            space,
            dir: dir.to_owned(),
            options,
            pulse: Pulse::default(),
        });
        let (jobs, waiting): (_, Receiver<Job>) = sync_channel(options.queue);
        let committer = Committer::new(Arc::clone(&shared), engine, lay_ballast(dir).err());
        let thread = std::thread::Builder::new().name("commit".to_owned());
        let thread = thread.spawn(move || committer.run(&waiting)).map_err(unusable)?;
        let door = Mutex::new(Some(Door { jobs, thread, lock }));
        Ok(Self(Arc::new(Handle { shared, door })))
    }

    /// Writes all of it, or nothing. Returns when it is on disk.
    ///
    /// A full queue answers [`CommitError::Unavailable`] at once. A caller that stops waiting does not undo
    /// the write.
    pub async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        let (reply, answer) = oneshot::channel();
        let job = self.job(writes, Reply::Task(reply));
        self.send(|jobs| {
            jobs.try_send(job).map_err(|error| match error {
                TrySendError::Full(_) => CommitError::Unavailable("too many writes are waiting".to_owned()),
                TrySendError::Disconnected(_) => stopped(),
            })
        })?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// [`Self::commit`] for threads without a runtime. It waits for room in the queue.
    pub fn commit_blocking(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        let (reply, answer) = sync_channel(1);
        let job = self.job(writes, Reply::Thread(reply));
        self.send(|jobs| jobs.send(job).map_err(|_| stopped()))?;
        answer.recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// How it is doing.
    pub fn status(&self) -> StoreStatus {
        let pulse = &self.0.shared.pulse;
        let is_open = self.0.door().as_ref().is_some_and(|door| !door.thread.is_finished());
        let oldest = *pulse.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        StoreStatus {
            writable: is_open && !pulse.has_failed.load(Ordering::Relaxed),
            oldest_pending: oldest.map(|at| at.elapsed()),
            acknowledged: pulse.acknowledged.load(Ordering::Relaxed),
            queue: pulse.pending.load(Ordering::Relaxed),
        }
    }

    /// Answers what is waiting, closes the database and gives its lock back. Later reads and commits fail.
    pub fn close(&self) {
        self.0.close();
    }

    fn job(&self, writes: Vec<Write>, reply: Reply) -> Job {
        Job { writes, reply, at: Instant::now() }
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
        f.debug_struct("Store").field("dir", &self.0.shared.dir).field("status", &self.status()).finish()
    }
}

impl Handle {
    fn door(&self) -> std::sync::MutexGuard<'_, Option<Door>> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let Some(Door { jobs, thread, lock }) = self.door().take() else { return };
        drop(jobs);
        if thread.join().is_err() {
            tracing::error!("the commit thread panicked");
        }
        drop(lock);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

fn stopped() -> CommitError {
    CommitError::Unavailable("the store is closed".to_owned())
}

fn make_directory(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Takes the directory for this process.
fn lock_directory(dir: &Path) -> Result<File, OpenError> {
    let unusable = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
    let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(dir.join("lock"));
    let lock = lock.map_err(unusable)?;
    let started = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked { dir: dir.to_owned() }),
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
    }
}

/// Refuses a directory that a later version wrote, and says which format is in a new one.
fn check_format(dir: &Path, space: &Space, engine: &Engine, view: &View) -> Result<(), OpenError> {
    let cell = space.cell(Table::Format, b"");
    let newer = |found| OpenError::Newer { dir: dir.to_owned(), found, known: FORMAT };
    let failed = |cause: String| OpenError::Engine { dir: dir.to_owned(), cause };
    match view.record::<u8>(&cell) {
        Ok(Some(found)) if found > FORMAT => return Err(newer(found)),
        Ok(Some(_)) => return Ok(()),
        Ok(None) => {}
        Err(ReadError::Newer { found, .. }) => return Err(newer(found)),
        Err(error) => return Err(failed(error.to_string())),
    }
    if engine.holds_others_than(space.prefix()).map_err(|error| failed(error.to_string()))? {
        tracing::warn!(dir = %dir.display(), "the data directory holds another conference; this one starts empty");
    }
    let parts = cell.write(FORMAT.to_string().as_bytes()).map_err(|error| failed(error.to_string()))?;
    let changes = parts.into_iter().map(|(key, value)| (key, Some(value))).collect();
    engine.write(&changes).map_err(|error| failed(error.to_string()))
}
