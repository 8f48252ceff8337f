//! Moving a data directory into a database, and a log out of it. Both need a store that nobody has open.
//!
//! The log in the database then begins with a checkpoint of the whole state. The data directory stays in both directions, as
//! the copy of a replica or as a store of its own. Every step can be repeated after a crash.

use super::checkpoint;
use super::database::Database;
use super::database::log::LogClient;
use super::directory::{Places, lock_directory};
use super::error::{OpenError, StorageError};
use super::index::Engine;
use super::index::opening::{OpenedIndex, open_with_fallback};
use super::index::tally::Tally;
use super::index::view::Index;
use super::journal::chain::{Chain, Position};
use super::replica;
use super::rows::{KeySpace, RowChanges};
use super::{Store, StoreOptions};
use crate::program::Slug;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(20);

/// Why a store was not moved. It is where it was.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The data directory cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The data directory is a replica's copy already.
    #[error(
        "the data directory is a copy of the log in a database already; start the server with the database"
    )]
    IsReplica,
    /// The data directory holds several conferences.
    #[error("the data directory holds the conferences {0}; a database takes a directory with one of them")]
    Several(String),
    /// The database has a log of this conference.
    #[error(
        "the database {0} has a log of this conference already; name an empty database, or start a replica with an empty data directory"
    )]
    HasLog(String),
    /// A file or the database failed.
    #[error("{0}")]
    Failed(String),
}

impl From<StorageError> for MoveError {
    fn from(error: StorageError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<io::Error> for MoveError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Store {
    /// Makes the store of a data directory the log of its conference in a database, and the directory a replica's copy.
    /// Returns the position of the log.
    ///
    /// # Errors
    /// [`MoveError`]; the directory is then a store of its own still.
    pub fn move_to_database(dir: &Path, conference: &Slug, database: &Database) -> Result<u64, MoveError> {
        let places = Places::of(dir);
        if places.replica.exists() {
            return Err(MoveError::IsReplica);
        }
        // Repairs what is damaged, and refuses another conference.
        Self::open(dir, conference)?.close();
        let log = LogClient::start(database, conference.as_str())?;
        log.open(TIMEOUT)?;
        let _lock = lock_directory(dir)?;
        let mut state = OfflineState::open(&places, conference)?;
        let several: Vec<String> = state
            .engine
            .conferences()?
            .iter()
            .map(|slug| String::from_utf8_lossy(slug).into_owned())
            .collect();
        if several.len() > 1 {
            return Err(MoveError::Several(several.join(" and ")));
        }
        let is_uploaded = |chain| {
            let stored = log.checkpoints()?;
            Ok::<_, StorageError>(stored.iter().any(|stored| Some(stored.hash) == chain))
        };
        let sequence = state.tally.sequence;
        if !is_uploaded(state.tally.chain)? {
            if log.ends()?.is_some() || !log.checkpoints()?.is_empty() {
                return Err(MoveError::HasLog(database.to_string()));
            }
            let chain = Chain::random().map_err(|error| MoveError::Failed(error.to_string()))?;
            let made = state.write(&places, Some(chain))?;
            replica::upload_to(&log, &made, dir)?;
        }
        state.engine.close();
        replica::mark(&places, true)?;
        Ok(sequence)
    }

    /// Follows the log in a database to its end, and makes the data directory a store of its own. The log stays in the
    /// database, and replicas that still run would continue it on their own. Returns the position.
    ///
    /// # Errors
    /// [`MoveError`]; the directory is then a replica's copy still.
    pub fn move_from_database(dir: &Path, conference: &Slug, database: &Database) -> Result<u64, MoveError> {
        let places = Places::of(dir);
        let store = Self::open_replica(dir, conference, StoreOptions::default(), database)?;
        let failure = store.failure();
        store.close();
        drop(store);
        if let Some(failure) = failure {
            return Err(MoveError::Failed(failure));
        }
        let _lock = lock_directory(dir)?;
        let mut state = OfflineState::open(&places, conference)?;
        state.write(&places, None)?;
        let sequence = state.tally.sequence;
        state.engine.close();
        replica::mark(&places, false)?;
        Ok(sequence)
    }
}

/// The index of a store without threads.
struct OfflineState {
    engine: Engine,
    tally: Tally,
    space: KeySpace,
}

impl OfflineState {
    fn open(places: &Places, conference: &Slug) -> Result<Self, MoveError> {
        let OpenedIndex { engine, tally, pending, .. } =
            open_with_fallback(places, StoreOptions::default().cache_bytes)?;
        if !pending.is_empty() {
            return Err(StorageError::Full.into());
        }
        Ok(Self { engine, tally, space: KeySpace::new(conference) })
    }

    /// Writes the hash of the log into the index and into the only checkpoint, which it returns.
    fn write(&mut self, places: &Places, chain: Option<Chain>) -> Result<checkpoint::Checkpoint, MoveError> {
        self.tally.chain = chain;
        let index = Index::new(self.engine.clone(), RowChanges::new());
        let position = Position { sequence: self.tally.sequence, chain };
        let never = AtomicBool::new(false);
        let made = checkpoint::make(&places.checkpoints, |out| {
            checkpoint::write(out, &index, &self.space, &places.journal, || position, &never)
        })?;
        checkpoint::prune(&places.checkpoints, 1)?;
        self.engine.apply(&RowChanges::new(), &self.tally)?;
        self.engine.sync()?;
        Ok(made)
    }
}
