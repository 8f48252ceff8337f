//! Restoring a backup: a store beside the present one, which takes its place in one step when it is ready.
//!
//! What was there is kept in `DIR/replaced`. Until [`Restoring::finish`] a crash or an error leaves everything
//! as it was.

use super::files::{Places, make_directory, remove_tree, sync_directory};
use super::high_water::{self, HighWater};
use super::journal::{Findings, Journal};
use super::lock::lock_directory;
use super::{Backup, BackupError, CommitError, OpenError, Store, verify_backup};
use crate::program::Slug;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Why a backup was not restored. Everything is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file is no whole backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// It is of another conference.
    #[error("{} is a backup of {found}, and the config is for {wanted}; name the right --config", file.display())]
    Conference {
        /// The file.
        file: PathBuf,
        /// The slug in the backup.
        found: String,
        /// The slug in the config.
        wanted: Slug,
    },
    /// The data directory, or the store that is made in it.
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

/// A backup that was read into a store of its own, beside the one in the data directory.
#[derive(Debug)]
pub struct Restoring {
    store: Store,
    places: Places,
    work: PathBuf,
    backup: Backup,
    high_water: Option<HighWater>,
    /// The server must not run.
    lock: File,
}

impl Restoring {
    /// Verifies the backup and reads it. Fails while a server has the data directory open.
    pub fn begin(dir: &Path, conference: &Slug, file: &Path) -> Result<Self, RestoreError> {
        let backup = verify_backup(file)?;
        if backup.conference != conference.as_str() {
            let (file, wanted) = (file.to_owned(), conference.clone());
            return Err(RestoreError::Conference { file, found: backup.conference, wanted });
        }
        make_directory(dir)?;
        let lock = lock_directory(dir)?;
        let places = Places::of(dir);
        places.take_restored()?;
        let work = dir.join("restoring");
        remove_tree(&work)?;
        let inner = Places::of(&work);
        for dir in [&work, &inner.checkpoints, &inner.journal] {
            DirBuilder::new().mode(0o700).create(dir)?;
        }
        copy(file, &inner.checkpoints.join(format!("{:020}.ndjson", backup.sequence)))?;
        sync_directory(&inner.checkpoints)?;
        // An empty journal that goes on where the backup ends.
        Journal::open(&inner.journal, backup.sequence, &Findings::default())
            .map_err(|error| RestoreError::Write(error.to_string()))?;
        let high_water = high_water::read(&places.high_water)?;
        let store = Store::open(&work, conference)?;
        Ok(Self { store, places, work, backup, high_water, lock })
    }

    /// The restored store: what it gives out may have to be lifted first.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What the backup holds.
    pub fn backup(&self) -> &Backup {
        &self.backup
    }

    /// What was given out at most before; none where nothing is left that could say it.
    pub fn high_water(&self) -> Option<HighWater> {
        self.high_water
    }

    /// Puts it in the place of the present store. Gives where that lies now.
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
