//! Verifying a backup, and restoring it as a store beside the present one.
//!
//! A backup is a checkpoint. The restored store replaces the present one in one step, [`Restoring::finish`]. Until then a
//! crash or an error changes nothing. The replaced store stays in `DIR/replaced`.

use super::Store;
use super::checkpoint::{CheckpointSummary, LoadError, verify, verify_from};
use super::directory::{Places, lock_directory, make_directory, remove_tree, sync_directory};
use super::error::{CommitError, OpenError};
use super::high_water::{self, HighWater};
use super::journal::local::LocalJournal;
use super::journal::replay::JournalFindings;
use crate::program::Slug;
use std::fs::{DirBuilder, File};
use std::io::{self, BufRead};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The content of a whole backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The slug of the backup's conference.
    pub conference: String,
    /// The number of records in the backup.
    pub records: u64,
    /// The sequence of the last journal record in the backup.
    pub sequence: u64,
}

/// Why a file cannot be restored.
#[derive(Debug, thiserror::Error)]
#[error("{} is no whole backup: {cause}", file.display())]
pub struct BackupError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with the file.
    pub cause: String,
}

/// Reads a backup to its end and verifies the number of lines and their SHA-256.
pub fn verify_backup(file: &Path) -> Result<Backup, BackupError> {
    backup(verify(file), file)
}

/// Like [`verify_backup`], from a reader. Errors call it `name`.
pub fn verify_backup_from(reader: &mut dyn BufRead, name: &Path) -> Result<Backup, BackupError> {
    backup(verify_from(reader), name)
}

fn backup(read: Result<CheckpointSummary, LoadError>, file: &Path) -> Result<Backup, BackupError> {
    let failed = |error: LoadError| BackupError { file: file.to_owned(), cause: error.to_string() };
    let CheckpointSummary { conference, records, sequence, .. } = read.map_err(failed)?;
    Ok(Backup { conference, records, sequence })
}

/// Why a backup was not restored. The present store is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file is not a whole backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The backup is of another conference.
    #[error("{} is a backup of {found}, and the config is for {wanted}; name the right --config", file.display())]
    Conference {
        /// The file.
        file: PathBuf,
        /// The slug in the backup.
        found: String,
        /// The slug in the config.
        wanted: Slug,
    },
    /// The data directory or the new store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file could not be written.
    #[error("the backup cannot be restored: {0}")]
    Write(String),
}

impl From<io::Error> for RestoreError {
    fn from(error: io::Error) -> Self {
        Self::Write(error.to_string())
    }
}

impl From<CommitError> for RestoreError {
    fn from(error: CommitError) -> Self {
        Self::Write(error.to_string())
    }
}

/// A backup that was loaded into a new store, beside the present one.
#[derive(Debug)]
pub struct Restoring {
    store: Store,
    places: Places,
    work: PathBuf,
    backup: Backup,
    high_water: Option<HighWater>,
    /// Keeps a server from opening the data directory.
    lock: File,
}

impl Restoring {
    /// Verifies a backup and loads it. Fails while a server has the data directory open.
    pub fn begin(dir: &Path, conference: &Slug, file: &Path) -> Result<Self, RestoreError> {
        let backup = verify_backup(file)?;
        if backup.conference != conference.as_str() {
            let (file, wanted) = (file.to_owned(), conference.clone());
            return Err(RestoreError::Conference { file, found: backup.conference, wanted });
        }
        make_directory(dir)?;
        let lock = lock_directory(dir)?;
        let places = Places::of(dir);
        if places.replica.exists() {
            return Err(OpenError::Replica { dir: dir.to_owned() }.into());
        }
        places.take_restored()?;
        let work = dir.join("restoring");
        remove_tree(&work)?;
        let inner = Places::of(&work);
        for dir in [&work, &inner.checkpoints, &inner.journal] {
            DirBuilder::new().mode(0o700).create(dir)?;
        }
        copy(file, &inner.checkpoints.join(format!("{:020}.ndjson", backup.sequence)))?;
        sync_directory(&inner.checkpoints)?;
        // An empty journal that continues after the backup.
        LocalJournal::open(&inner.journal, backup.sequence, &JournalFindings::default())
            .map_err(|error| RestoreError::Write(error.to_string()))?;
        let high_water = high_water::read(&places.high_water)?;
        let store = Store::open(&work, conference)?;
        Ok(Self { store, places, work, backup, high_water, lock })
    }

    /// The new store. Its counters may have to be advanced before it is used.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The content of the backup.
    pub fn backup(&self) -> &Backup {
        &self.backup
    }

    /// The high-water mark of the present store; none if it is lost.
    pub fn high_water(&self) -> Option<HighWater> {
        self.high_water
    }

    /// Replaces the present store, and returns the directory with the replaced one.
    pub fn finish(self) -> Result<PathBuf, RestoreError> {
        let Self { store, places, work, lock, .. } = self;
        store.checkpoint()?;
        store.close();
        drop(store);
        let inner = Places::of(&work);
        if let Some(given) = high_water::read(&inner.high_water)? {
            high_water::raise(&places.high_water, given)
                .map_err(|error| RestoreError::Write(error.to_string()))?;
        }
        remove_tree(&places.replaced)?;
        std::fs::rename(&work, &places.restored)?;
        sync_directory(&places.dir)?;
        places.take_restored()?;
        drop(lock);
        Ok(places.replaced)
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let mut copy = options.create_new(true).write(true).mode(0o600).open(to)?;
    io::copy(&mut File::open(from)?, &mut copy)?;
    copy.sync_all()
}
