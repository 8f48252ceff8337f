//! Starting and stopping a store: its directory, its index and its threads.

use super::checkpoint;
use super::committer::{CommitJob, Committer};
use super::database::Database;
use super::directory::{FileIdentity, Places, drop_ballast, lock_directory, make_directory, write_ballast};
use super::error::{OpenError, ReadError, StorageError};
use super::high_water::HighWaterFile;
use super::index::Engine;
use super::index::opening::{OpenedIndex, open_with_fallback};
use super::index::view::Index;
use super::journal::Journal;
use super::journal::chain::{Chain, Position};
use super::journal::local::LocalJournal;
use super::journal::shared::SharedJournal;
use super::keeper::{Keeper, Order};
use super::record::RecordTable;
use super::replica::{self, ConnectedCopy, Replica};
use super::rows::{FORMAT, KeySpace, RowChanges};
use super::{StoreOptions, StoreShared, StoreState};
use crate::program::Slug;
use std::fs::File;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long sled may take to close. After a failed write sled may hang; the journal has all commits.
const CLOSING: Duration = Duration::from_secs(5);

/// The threads of an open store, with their queues, and its lock.
pub(super) struct Threads {
    pub(super) jobs: SyncSender<CommitJob>,
    pub(super) orders: Sender<Order>,
    committer: JoinHandle<()>,
    keeper: JoinHandle<()>,
    /// Locked while the store is open. sled locks `db` itself, but only after it has touched the directory, and not
    /// during a reopening. The threads check that this file still has its name, so it is closed after they have ended.
    lock: File,
}

/// Opens the store of a conference and starts its threads.
pub(super) fn start(
    dir: &Path,
    conference: &Slug,
    options: StoreOptions,
) -> Result<(Arc<StoreShared>, Threads), OpenError> {
    let (lock, places) = prepare(dir)?;
    if places.replica.exists() && !options.reads_replicas {
        return Err(OpenError::Replica { dir: dir.to_owned() });
    }
    open(dir, conference, options, lock, places, None)
}

/// Opens a replica's copy and starts its threads. Follows the log to its present end, if the database can be reached.
pub(super) fn start_replica(
    dir: &Path,
    conference: &Slug,
    options: StoreOptions,
    database: &Database,
) -> Result<(Arc<StoreShared>, Threads), OpenError> {
    let (lock, places) = prepare(dir)?;
    let copy = replica::prepare(&places, conference, database)?;
    open(dir, conference, options, lock, places, Some((copy, database.clone())))
}

fn prepare(dir: &Path) -> Result<(File, Places), OpenError> {
    let unusable = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
    make_directory(dir).map_err(unusable)?;
    let lock = lock_directory(dir)?;
    let places = Places::of(dir);
    places.prepare().map_err(unusable)?;
    Ok((lock, places))
}

fn open(
    dir: &Path,
    conference: &Slug,
    options: StoreOptions,
    lock: File,
    places: Places,
    shared_log: Option<(ConnectedCopy, Database)>,
) -> Result<(Arc<StoreShared>, Threads), OpenError> {
    let unusable = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
    let failed = |cause: StorageError| storage_error(dir, cause);
    let opened = open_with_fallback(&places, options.cache_bytes).map_err(failed)?;
    let space = KeySpace::new(conference);
    let opened = match &shared_log {
        Some((copy, _)) => {
            replica::checked(&places, &space, copy, opened, options.cache_bytes).map_err(failed)?
        }
        None => opened,
    };
    let OpenedIndex { engine, tally, findings, damage, pending } = opened;
    let is_behind = !pending.is_empty();
    if is_behind && shared_log.is_some() {
        return Err(failed(StorageError::Full)); // the position in the log is not in the index
    }
    let index = Index::new(engine.clone(), pending);
    let format = check_format(dir, &space, &engine, &index, options.new_conference)?;
    let end = findings.last.unwrap_or(0).max(tally.sequence);
    let journal = LocalJournal::open(&places.journal, end, &findings).or_else(|error| match error {
        StorageError::Full => {
            drop_ballast(&places);
            LocalJournal::open(&places.journal, end, &findings)
        }
        other => Err(other),
    });
    let journal = journal.map_err(failed)?;
    let (journal, replica) = match shared_log {
        None => (Journal::Local(journal), None),
        Some((ConnectedCopy { log, .. }, database)) => {
            let chain = tally.chain.unwrap_or(Chain::EMPTY);
            let replica = Replica::new(database, log.writer().to_owned());
            let shared = SharedJournal::new(log, journal, chain);
            (Journal::Shared(Box::new(shared)), Some(replica))
        }
    };

    let state = StoreState::default();
    state.set_position(Position { sequence: tally.sequence, chain: tally.chain });
    state.rebuilt.store(damage.rebuilt.into(), Ordering::Relaxed);
    state.lost.store(damage.lost, Ordering::Relaxed);
    let newest = checkpoint::list(&places.checkpoints).map_err(unusable)?.pop();
    state.checkpoint.store(newest.map_or(0, |newest| newest.sequence), Ordering::Relaxed);
    let full = if is_behind { Some(StorageError::Full) } else { write_ballast(&places).err() };
    let identity = FileIdentity::of_lock(dir, &lock).map_err(unusable)?;
    let shared = Arc::new(StoreShared { index, space, places, lock: identity, options, state, replica });
    let high_water = HighWaterFile::open(shared.places.high_water.clone(), &shared.index, &shared.space);
    let high_water = high_water.map_err(failed)?;
    let mut committer =
        Committer::new(Arc::clone(&shared), journal, engine.clone(), tally, high_water, full, is_behind);
    let reader = engine;
    if shared.replica.is_none() {
        committer.write_first(&format).map_err(failed)?;
    } else {
        follow_to_the_end(dir, &mut committer, &shared, &reader, options.new_conference)?;
    }
    drop(reader);

    let (jobs, queued): (_, Receiver<CommitJob>) = sync_channel(options.queue);
    let thread = std::thread::Builder::new().name("commit".to_owned());
    let committer = thread.spawn(move || committer.run(&queued)).map_err(unusable)?;
    let (orders, ordered) = channel();
    let keeper = Keeper::new(Arc::clone(&shared), damage.copy_damaged);
    let thread = std::thread::Builder::new().name("keeper".to_owned());
    let keeper = thread.spawn(move || keeper.run(&ordered)).map_err(unusable)?;
    Ok((shared, Threads { jobs, orders, committer, keeper, lock }))
}

/// Applies the rest of the log to a copy, and begins the log if it is empty. Does nothing while the database is away.
fn follow_to_the_end(
    dir: &Path,
    committer: &mut Committer,
    shared: &StoreShared,
    engine: &Engine,
    new_conference: bool,
) -> Result<(), OpenError> {
    loop {
        match committer.catch_up() {
            Ok(()) => {}
            Err(StorageError::Away(cause)) => {
                committer.refuse_writes(StorageError::Away(cause));
                return Ok(());
            }
            Err(error) => return Err(storage_error(dir, error)),
        }
        // Another replica may write the format at the same moment.
        let format = check_format(dir, &shared.space, engine, &shared.index, new_conference)?;
        if committer.write_first(&format).map_err(|error| storage_error(dir, error))? {
            return Ok(());
        }
    }
}

fn storage_error(dir: &Path, error: StorageError) -> OpenError {
    let dir = dir.to_owned();
    match error {
        StorageError::Panicked(cause) => OpenError::Panicked { dir, cause },
        error => OpenError::Engine { dir, cause: error.to_string() },
    }
}

/// Refuses a directory of a newer version, and a directory that holds only other conferences. Returns the rows that
/// record the format of a new store.
fn check_format(
    dir: &Path,
    space: &KeySpace,
    engine: &Engine,
    index: &Index,
    new_conference: bool,
) -> Result<RowChanges, OpenError> {
    let address = space.address(RecordTable::Format, b"");
    let newer = |found| OpenError::Newer { dir: dir.to_owned(), found, known: FORMAT };
    let failed = |cause: String| OpenError::Engine { dir: dir.to_owned(), cause };
    match index.read(|view| view.record::<u8>(&address)) {
        Ok(Some(found)) if found > FORMAT => return Err(newer(found)),
        Ok(Some(_)) => return Ok(RowChanges::new()),
        Ok(None) => {}
        Err(ReadError::Newer { found, .. }) => return Err(newer(found)),
        Err(error) => return Err(failed(error.to_string())),
    }
    let found = conferences(engine).map_err(|error| failed(error.to_string()))?;
    if !found.is_empty() {
        if !new_conference {
            let wanted = space.conference().to_owned();
            return Err(OpenError::OtherConference { dir: dir.to_owned(), found, wanted });
        }
        tracing::warn!(dir = %dir.display(), "the data directory holds another conference; this one starts empty");
    }
    let parts = address.write(FORMAT.to_string().as_bytes()).map_err(|error| failed(error.to_string()))?;
    Ok(parts.into_iter().map(|(key, value)| (key, Some(value))).collect())
}

/// The slugs of the conferences with a release or an agenda. A failed first start writes neither.
fn conferences(engine: &Engine) -> Result<Vec<String>, StorageError> {
    let mut found = Vec::new();
    for slug in engine.conferences()? {
        let holds = |table: RecordTable| {
            let prefix = [slug.as_slice(), &[0, table as u8]].concat();
            Ok::<_, StorageError>(!engine.range(&prefix, Bound::Included(&prefix), 1)?.is_empty())
        };
        if holds(RecordTable::Head)? || holds(RecordTable::Agenda)? {
            found.push(String::from_utf8_lossy(&slug).into_owned());
        }
    }
    Ok(found)
}

impl Threads {
    /// Whether the commit thread runs.
    pub(super) fn are_running(&self) -> bool {
        !self.committer.is_finished()
    }

    /// Ends both threads, after the queued commits, and then unlocks the directory.
    pub(super) fn stop(self, state: &StoreState) {
        let Self { jobs, orders, committer, keeper, lock } = self;
        state.is_stopping.store(true, Ordering::Relaxed);
        drop((jobs, orders));
        let deadline = Instant::now() + CLOSING;
        for (thread, name) in [(keeper, "the keeper of checkpoints"), (committer, "the commit thread")] {
            while !thread.is_finished() {
                if Instant::now() > deadline {
                    tracing::error!("{name} does not end; the next start reads everything from the journal");
                    // The directory stays locked until this process ends.
                    std::mem::forget(lock);
                    return;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            if thread.join().is_err() {
                tracing::error!("{name} panicked");
            }
        }
        drop(lock);
    }
}
