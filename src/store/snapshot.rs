//! A snapshot: a data directory as it was at one moment, read without changing anything in it.
//!
//! Journal and checkpoints together are a whole copy of the state, see [`super`]. A snapshot links the checkpoints and copies the
//! journal into a temporary directory, as a crash at that moment would have left them, and opens that. So it works
//! beside a running server, which holds the lock, and on a file system that is mounted read-only.

use super::files::Places;
use super::journal::segments;
use super::{OpenError, Options, Store, checkpoint};
use crate::program::Slug;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// How often a copy is begun anew because the server removed a checkpoint or a segment meanwhile.
const TRIES: usize = 5;

/// A store that was copied into a temporary directory (`$TMPDIR`), which goes with it. Writes to it reach no other store.
#[derive(Debug)]
pub struct Snapshot {
    store: Store,
    /// After the store, so that it is closed by the time its directory is removed.
    _dir: TempDir,
}

impl Snapshot {
    /// Copies the store of a data directory, which may be open in another process. A directory that does not exist
    /// yet, or is empty, gives an empty store.
    ///
    /// # Errors
    /// [`OpenError`], in words that name the data directory and not the copy.
    pub fn of(dir: &Path, conference: &Slug, options: Options) -> Result<Self, OpenError> {
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

    fn open(copied: TempDir, dir: &Path, conference: &Slug, options: Options) -> Result<Self, OpenError> {
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

/// A crash image of the store in a directory.
fn copy(dir: &Path) -> io::Result<TempDir> {
    let copied = tempfile::Builder::new().prefix("callboard-").tempdir()?;
    let to = Places::of(copied.path());
    for dir in [&to.journal, &to.checkpoints] {
        fs::create_dir(dir)?;
    }
    let Some(from) = source(dir)? else { return Ok(copied) };
    // Checkpoints first: a server removes the journal before a checkpoint only once there is a newer one.
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
    // One that went away meanwhile may have taken the beginning of the journal with it.
    for found in checkpoint::list(&to.checkpoints)? {
        fs::metadata(found.path)?;
    }
    Ok(copied)
}

/// Where journal and checkpoints are: in the data directory, or in a restored backup that the next start puts there.
/// None where nothing is stored yet.
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

/// Where a data directory that cannot be written to is read from: journal and checkpoints in it, and a copy of the index,
/// since the database writes to what it opens.
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
