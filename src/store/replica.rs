//! A replica's copy of the log: making it, checking that the log continues it, and replacing it.
//!
//! A copy is a data directory with the file `replica`. A new copy is made from the newest checkpoint in the database. A
//! copy that the log does not continue is set aside in `DIR/replaced`: the database has lost entries that this replica
//! acknowledged or read. The high-water mark stays, so that no number of the lost entries is issued again.

use super::checkpoint;
use super::database::Database;
use super::database::log::{LogClient, SharedLog};
use super::directory::{Places, make_directory, remove_file, remove_tree, sync_directory};
use super::error::{OpenError, StorageError};
use super::high_water::{self, HighWater};
use super::index::opening::{OpenedIndex, open_with_fallback};
use super::index::tally::Tally;
use super::index::view::Index;
use super::journal::Appended;
use super::journal::chain::Chain;
use super::journal::local::LocalJournal;
use super::journal::replay::JournalFindings;
use super::journal::segment::segments;
use super::journal::shared::is_continued;
use super::rows::{KeySpace, RowChanges};
use super::{Store, StoreShared};
use crate::program::Slug;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long a start waits for the database without a copy, and with one.
const FIRST_TIMEOUT: Duration = Duration::from_secs(20);
const TIMEOUT: Duration = Duration::from_secs(3);

/// Whether two ids of processes are of the same replica. An id is the replica's name, a space, and random digits.
pub(super) fn is_same_replica(one: &[u8], other: &[u8]) -> bool {
    fn name(id: &[u8]) -> Option<&[u8]> {
        Some(id.split_at(id.iter().rposition(|byte| *byte == b' ')?).0)
    }
    name(one) == name(other)
}

/// What an open store shares with other replicas.
pub(super) struct Replica {
    pub(super) database: Database,
    /// The id of this process, in the entries that it appends.
    pub(super) id: String,
    /// Changes that other replicas made to the live release or its ledger.
    pub(super) ledger_changes: AtomicU64,
    /// The sequence of the last entry of another replica that readers see.
    pub(super) followed: watch::Sender<u64>,
    /// Groups that another replica's entry overtook.
    pub(super) conflicts: AtomicU64,
    /// Appended groups, and the time that they took in microseconds.
    pub(super) appends: AtomicU64,
    pub(super) append_micros: AtomicU64,
    /// Whether the database lacks entries of this replica.
    pub(super) has_diverged: AtomicBool,
    /// When the log was last read to its end.
    read_at: Mutex<Option<Instant>>,
}

impl Replica {
    pub(super) fn new(database: Database, id: String) -> Self {
        Self {
            database,
            id,
            ledger_changes: AtomicU64::new(0),
            followed: watch::Sender::new(0),
            conflicts: AtomicU64::new(0),
            appends: AtomicU64::new(0),
            append_micros: AtomicU64::new(0),
            has_diverged: AtomicBool::new(false),
            read_at: Mutex::default(),
        }
    }

    /// Records that the log was read to its end.
    pub(super) fn was_read(&self) {
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn read_at(&self) -> Option<Instant> {
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an append for the metrics.
    pub(super) fn count(&self, appended: Appended, took: Duration) {
        if appended == Appended::Overtaken {
            self.conflicts.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.appends.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.append_micros.fetch_add(micros, Ordering::Relaxed);
    }
}

/// The state of a replica, for readiness and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// The replica's name.
    pub name: String,
    /// The database, without user and password.
    pub database: String,
    /// The sequence of the last entry that readers see.
    pub position: u64,
    /// How long ago the log was last read to its end; none while the database is away.
    pub lag: Option<Duration>,
    /// Groups that this process appended.
    pub appends: u64,
    /// The sum of the times that they took.
    pub append_time: Duration,
    /// Groups that were planned again because another replica was first.
    pub conflicts: u64,
    /// Whether the database lacks entries of this replica. A restart fetches a new copy.
    pub has_diverged: bool,
}

impl Store {
    /// Whether other replicas share the journal.
    pub fn is_shared(&self) -> bool {
        self.0.shared.replica.is_some()
    }

    /// The state of a replica; none if the journal is local.
    pub fn replica(&self) -> Option<ReplicaStatus> {
        let StoreShared { replica, state, .. } = &*self.0.shared;
        let replica = replica.as_ref()?;
        let is_away = state.failure().is_some();
        Some(ReplicaStatus {
            name: replica.database.replica().to_owned(),
            database: replica.database.to_string(),
            position: state.applied.load(Ordering::Acquire),
            lag: replica.read_at().map(|at| at.elapsed()).filter(|_| !is_away),
            appends: replica.appends.load(Ordering::Relaxed),
            append_time: Duration::from_micros(replica.append_micros.load(Ordering::Relaxed)),
            conflicts: replica.conflicts.load(Ordering::Relaxed),
            has_diverged: replica.has_diverged.load(Ordering::Relaxed),
        })
    }

    /// Whether writes are refused only because the database cannot be reached.
    pub fn is_away(&self) -> bool {
        matches!(self.0.shared.state.failure(), Some(StorageError::Away(_)))
    }

    /// Receives the sequence of every entry of another replica that readers see; none if the journal is local.
    pub fn foreign_entries(&self) -> Option<watch::Receiver<u64>> {
        self.0.shared.replica.as_ref().map(|replica| replica.followed.subscribe())
    }

    /// The id of this process among the replicas; none if the journal is local.
    pub(super) fn replica_id(&self) -> Option<&str> {
        self.0.shared.replica.as_ref().map(|replica| replica.id.as_str())
    }

    /// A number that rises when another replica changes the live release or its ledger; 0 if the journal is local.
    pub fn foreign_ledger_changes(&self) -> u64 {
        self.0.shared.replica.as_ref().map_or(0, |replica| replica.ledger_changes.load(Ordering::Acquire))
    }

    /// The sequence of the last entry that readers see, if other replicas append too.
    pub fn log_position(&self) -> Option<u64> {
        self.0.shared.replica.as_ref().map(|_| self.0.shared.state.applied.load(Ordering::Acquire))
    }

    /// Waits until readers see the entry of a sequence, at most `timeout`. Returns whether they see it.
    pub async fn wait_for(&self, sequence: u64, timeout: Duration) -> bool {
        let is_behind = || self.log_position().is_some_and(|position| position < sequence);
        if !is_behind() {
            return true;
        }
        let follow = async {
            while is_behind() && self.follow().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(timeout, follow).await;
        !is_behind()
    }

    /// The highest numbers ever issued, if the counters must be advanced past them: the database has lost entries.
    ///
    /// # Errors
    /// If the data directory cannot be read.
    pub fn lost_numbers(&self) -> io::Result<Option<HighWater>> {
        let places = &self.0.shared.places;
        Ok(match places.diverged.exists() {
            true => Some(high_water::read(&places.high_water)?.unwrap_or_default()),
            false => None,
        })
    }

    /// Records that the counters were advanced.
    ///
    /// # Errors
    /// If the data directory cannot be written.
    pub fn advanced_past_lost_numbers(&self) -> io::Result<()> {
        let places = &self.0.shared.places;
        remove_file(&places.diverged)?;
        sync_directory(&places.dir)
    }
}

/// A copy that may be opened, and its log.
pub(super) struct ConnectedCopy {
    pub(super) log: SharedLog,
    /// Whether the copy was just made from a checkpoint.
    is_fetched: bool,
}

/// Connects to the log, and makes a copy if the directory has none.
pub(super) fn prepare(
    places: &Places,
    conference: &Slug,
    database: &Database,
) -> Result<ConnectedCopy, OpenError> {
    let dir = &places.dir;
    let unusable = |cause| OpenError::Directory { dir: dir.clone(), cause };
    let away = |cause: StorageError| OpenError::Database { dir: dir.clone(), cause: cause.to_string() };
    let has_copy = places.index.exists()
        || !checkpoint::list(&places.checkpoints).map_err(unusable)?.is_empty()
        || !segments(&places.journal).map_err(unusable)?.is_empty();
    if has_copy && !places.replica.exists() {
        return Err(OpenError::NotAReplica { dir: dir.clone() });
    }
    let log = LogClient::start(database, conference.as_str()).map_err(unusable)?;
    match log.open(if has_copy { TIMEOUT } else { FIRST_TIMEOUT }) {
        Ok(()) => {}
        Err(StorageError::Away(cause)) if has_copy => {
            tracing::warn!(cause, "the copy in the data directory is served; writes wait for the database");
            return Ok(ConnectedCopy { log: Arc::new(log), is_fetched: false });
        }
        Err(error) => return Err(away(error)),
    }
    if let Some((0, standbys @ 1..)) = log.standbys() {
        if !database.acknowledges_loss() {
            return Err(OpenError::MayLose { database: database.to_string(), standbys });
        }
        tracing::warn!(%database, standbys, "a failover may lose acknowledged picks: no standby is synchronous");
    }
    if !has_copy {
        fetch_copy(places, &log).map_err(away)?;
    }
    Ok(ConnectedCopy { log: Arc::new(log), is_fetched: !has_copy })
}

/// Makes a new copy: the newest checkpoint of the database and an empty journal after it.
fn fetch_copy(places: &Places, log: &LogClient) -> Result<(), StorageError> {
    mark(places, true)?;
    let Some(newest) = log.checkpoints()?.first().copied() else {
        return match log.ends()? {
            None | Some((1, _)) => Ok(()),
            Some((first, _)) => Err(StorageError::Failed(format!(
                "the log in the database begins with entry {first} and has no checkpoint; restore the database"
            ))),
        };
    };
    tracing::info!(sequence = newest.sequence, "fetching the newest checkpoint from the database");
    let mut packed = tempfile::tempfile_in(&places.dir)?;
    log.download(&newest, &mut packed)?;
    io::Seek::rewind(&mut packed)?;
    checkpoint::make(&places.checkpoints, |out| {
        io::copy(&mut zstd::stream::Decoder::new(packed)?, out)?;
        Ok(newest.sequence)
    })?;
    LocalJournal::open(&places.journal, newest.sequence, &JournalFindings::default()).map(drop)
}

/// Checks that the log continues an opened copy, and replaces a copy that it does not continue.
pub(super) fn checked(
    places: &Places,
    space: &KeySpace,
    ConnectedCopy { log, is_fetched }: &ConnectedCopy,
    mut opened: OpenedIndex,
    cache_bytes: u64,
) -> Result<OpenedIndex, StorageError> {
    if *is_fetched {
        opened.damage = Default::default(); // its index is new, and no copy was damaged
    }
    begin_chain(&mut opened.tally);
    let cause = match opened.tally.chain {
        None => Err("the copy of the log is damaged".to_owned()),
        Some(chain) => match log.read(opened.tally.sequence) {
            Ok(read) => is_continued(log, opened.tally.sequence, chain, read.at)?,
            Err(StorageError::Away(_)) => Ok(()),
            Err(error) => return Err(error),
        },
    };
    let Err(cause) = cause else { return Ok(opened) };
    tracing::error!(cause, "the copy of the log is set aside in `replaced`, and a new one is fetched");
    let index = Index::new(opened.engine.clone(), RowChanges::new());
    let mark =
        high_water::highest_stored(&index, space).map_err(|error| StorageError::Failed(error.to_string()))?;
    high_water::raise(&places.high_water, mark)?;
    drop(index);
    opened.engine.close();
    File::create(&places.diverged)?.sync_all()?;
    set_aside(places)?;
    fetch_copy(places, log)?;
    let mut opened = open_with_fallback(places, cache_bytes)?;
    opened.damage = Default::default();
    begin_chain(&mut opened.tally);
    Ok(opened)
}

/// An empty copy continues the beginning of every log.
fn begin_chain(tally: &mut Tally) {
    if tally.sequence == 0 && tally.rows == 0 {
        tally.chain = Some(Chain::EMPTY);
    }
}

fn set_aside(places: &Places) -> io::Result<()> {
    remove_tree(&places.replaced)?;
    make_directory(&places.replaced)?;
    for (name, place) in
        [("index", &places.index), ("journal", &places.journal), ("checkpoints", &places.checkpoints)]
    {
        if place.exists() {
            std::fs::rename(place, places.replaced.join(name))?;
        }
    }
    for dir in [&places.journal, &places.checkpoints] {
        make_directory(dir)?;
    }
    sync_directory(&places.replaced)?;
    sync_directory(&places.dir)
}

/// Stores a checkpoint of the copy in the database, and removes what no replica needs any more. Does nothing if the
/// database has a checkpoint after `previous`, the sequence of this replica's checkpoint before: another replica was first.
pub(super) fn upload(
    database: &Database,
    conference: &str,
    checkpoint: &checkpoint::Checkpoint,
    dir: &Path,
    previous: u64,
) -> Result<(), StorageError> {
    let log = LogClient::start(database, conference)?;
    log.open(TIMEOUT)?;
    if log.checkpoints()?.first().is_some_and(|newest| newest.sequence > previous) {
        return Ok(());
    }
    upload_to(&log, checkpoint, dir)?;
    log.prune()
}

/// Stores a checkpoint in the database.
pub(super) fn upload_to(
    log: &LogClient,
    checkpoint: &checkpoint::Checkpoint,
    dir: &Path,
) -> Result<(), StorageError> {
    let summary = checkpoint::verify(&checkpoint.path);
    let summary = summary.map_err(|error| StorageError::Failed(error.to_string()))?;
    let Some(chain) = summary.chain else { return Ok(()) };
    let mut packed = tempfile::tempfile_in(dir)?;
    zstd::stream::copy_encode(File::open(&checkpoint.path)?, &mut packed, 1)?;
    io::Seek::rewind(&mut packed)?;
    log.upload(summary.sequence, chain, &mut packed)
}

/// Makes a data directory a copy, or a store of its own again.
pub(super) fn mark(places: &Places, is_replica: bool) -> io::Result<()> {
    if is_replica {
        let file =
            OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&places.replica);
        file.and_then(|mut file| file.write_all(b"This directory is a copy of the log in a database.\n"))?;
    } else {
        remove_file(&places.replica)?;
    }
    sync_directory(&places.dir)
}
