//! Snapshots: read a data directory as it is at one moment, without changing it.
//!
//! Journal and checkpoints together are a whole copy of the state. A snapshot links the checkpoints and copies the
//! journal into a temporary directory, as a crash at that moment would have left them, and opens the temporary
//! directory. So a snapshot works beside a running server and on a read-only file system.

use super::Store;
use super::StoreOptions;
use super::checkpoint;
use super::directory::Places;
use super::error::OpenError;
use super::journal::segment::segments;
use crate::program::Slug;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// How often copying starts again after the server removed a checkpoint or a segment meanwhile.
const TRIES: usize = 5;

/// A copy of a store in a temporary directory under `$TMPDIR`. Dropping the copy removes the directory.
#[derive(Debug)]
pub struct Snapshot {
    store: Store,
    /// Removed after the store is closed, since fields are dropped in order.
    _dir: TempDir,
}

impl Snapshot {
    /// Copies the store of a data directory, which may be open in another process. A missing or empty directory gives
    /// an empty store.
    ///
    /// # Errors
    /// [`OpenError`], which names the data directory and not the copy.
    pub fn of(dir: &Path, conference: &Slug, options: StoreOptions) -> Result<Self, OpenError> {
        let unusable = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
        for _ in 1..TRIES {
            match copy(dir) {
                Ok(copied) => return Self::open(copied, dir, conference, options),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(unusable(error)),
            }
        }
        let copied = copy(dir).map_err(unusable)?;
        Self::open(copied, dir, conference, options)
    }

    fn open(
        copied: TempDir,
        dir: &Path,
        conference: &Slug,
        options: StoreOptions,
    ) -> Result<Self, OpenError> {
        let options = StoreOptions { reads_replicas: true, ..options };
        let store = Store::open_with(copied.path(), conference, options);
        let store = store.map_err(|error| error.of_directory(dir))?;
        Ok(Self { store, _dir: copied })
    }

    /// The copied store.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.store.close();
    }
}

/// Copies the store in a directory as a crash would have left it.
fn copy(dir: &Path) -> io::Result<TempDir> {
    let copied = tempfile::Builder::new().prefix("callboard-").tempdir()?;
    let to = Places::of(copied.path());
    for dir in [&to.journal, &to.checkpoints] {
        fs::create_dir(dir)?;
    }
    let Some(from) = source(dir)? else { return Ok(copied) };
    // Checkpoints first: a server removes the journal before a checkpoint only once there is a newer checkpoint.
    if from.checkpoints.is_dir() {
        for found in checkpoint::list(&from.checkpoints)? {
            let name = found.path.file_name().unwrap_or_default();
            symlink(fs::canonicalize(&found.path)?, to.checkpoints.join(name))?;
        }
    }
    if from.journal.is_dir() {
        for found in segments(&from.journal)? {
            fs::copy(&found.path, to.journal.join(found.path.file_name().unwrap_or_default()))?;
        }
    }
    // If a checkpoint was removed meanwhile, the beginning of the journal may be missing too.
    for found in checkpoint::list(&to.checkpoints)? {
        fs::metadata(found.path)?;
    }
    Ok(copied)
}

/// The places of journal and checkpoints: the data directory, or a restored backup that replaces it at the next start.
/// None if the directory has no store yet.
fn source(dir: &Path) -> io::Result<Option<Places>> {
    let places = Places::of(dir);
    let restored = Places::of(&places.restored);
    let place = |restored: PathBuf, own: PathBuf| if restored.exists() { restored } else { own };
    let places = Places {
        journal: place(restored.journal, places.journal),
        checkpoints: place(restored.checkpoints, places.checkpoints),
        ..places
    };
    let has_copy = (places.journal.is_dir() && !segments(&places.journal)?.is_empty())
        || (places.checkpoints.is_dir() && !checkpoint::list(&places.checkpoints)?.is_empty());
    let has_database = places.index.exists() || dir.join("db").exists() || dir.join("index.moving").exists();
    if has_database && !has_copy {
        let text = "it holds a database of an older version, without a journal; start the server once, or copy the directory";
        return Err(io::Error::new(ErrorKind::Unsupported, text));
    }
    Ok(has_copy.then_some(places))
}

/// The places from which a read-only data directory is read: its journal and checkpoints, and a copy of its index,
/// since sled writes to the files that it opens.
pub(super) fn with_copied_index(dir: &Path) -> io::Result<(Places, TempDir)> {
    let copied = tempfile::Builder::new().prefix("callboard-").tempdir()?;
    let own = Places::of(dir);
    let index =
        if own.restored.join("index").exists() { own.restored.join("index") } else { own.index.clone() };
    let places = Places { index: copied.path().join("index"), ..source(dir)?.unwrap_or(own) };
    if index.is_dir() {
        copy_tree(&index, &places.index)?;
    }
    Ok((places, copied))
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
