//! Checkpoints: the whole state in one file, for making the index anew, for backups, and for whoever moves on.
//!
//! Owns `DIR/checkpoints/`. A checkpoint is NDJSON, see [`line`]; it says at its end how many lines it has and
//! what their SHA-256 is, and stands for itself: it needs no journal to be whole. It is made while commits go
//! on. A scan sees each record at some moment after the sequence that it began at; what the journal has from
//! there to a later sequence is written after it, and with that the state is exactly that of the later one.

mod line;
mod load;
mod write;

pub(super) use load::{LoadError, Summary, load, verify, verify_from};
pub(super) use write::write;

use super::engine::EngineError;
use super::files::{remove_file, sync_directory};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// So many stay, with their journals.
pub(super) const KEPT: usize = 2;

const SUFFIX: &str = "ndjson";
/// Between two syncs of a checkpoint that is being written: one large sync would hold commits up.
const SYNC_BYTES: usize = 8 * 1024 * 1024;

/// A checkpoint on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Checkpoint {
    /// The state that it holds.
    pub(super) sequence: u64,
    pub(super) path: PathBuf,
}

/// The checkpoints in a directory, the oldest first.
pub(super) fn list(dir: &Path) -> io::Result<Vec<Checkpoint>> {
    let mut checkpoints = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let sequence = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let (Some(sequence), true) = (sequence, path.extension().is_some_and(|found| found == SUFFIX)) {
            checkpoints.push(Checkpoint { sequence, path });
        }
    }
    checkpoints.sort();
    Ok(checkpoints)
}

/// Removes all but the newest `keep`, and what was never finished. Gives those that stay.
pub(super) fn prune(dir: &Path, keep: usize) -> io::Result<Vec<Checkpoint>> {
    let mut checkpoints = list(dir)?;
    let surplus = checkpoints.len().saturating_sub(keep);
    for old in checkpoints.drain(..surplus) {
        std::fs::remove_file(old.path)?;
    }
    remove_file(&temporary(dir))?;
    sync_directory(dir)?;
    Ok(checkpoints)
}

/// Makes a checkpoint with `write`, which gives its sequence, and gives it its name when it is on disk.
pub(super) fn make(
    dir: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<u64, EngineError>,
) -> Result<Checkpoint, EngineError> {
    let temporary = temporary(dir);
    let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    let mut out = io::BufWriter::with_capacity(256 * 1024, Synced { file, unsynced: 0 });
    let written = write(&mut out).and_then(|sequence| {
        out.flush()?;
        out.get_ref().file.sync_all()?;
        Ok(sequence)
    });
    let sequence = written.inspect_err(|_| drop(remove_file(&temporary)))?;
    let path = dir.join(format!("{sequence:020}.{SUFFIX}"));
    std::fs::rename(&temporary, &path)?;
    sync_directory(dir)?;
    Ok(Checkpoint { sequence, path })
}

fn temporary(dir: &Path) -> PathBuf {
    dir.join("unfinished")
}

struct Synced {
    file: std::fs::File,
    unsynced: usize,
}

impl Write for Synced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unsynced += written;
        if self.unsynced >= SYNC_BYTES {
            self.file.sync_data()?;
            self.unsynced = 0;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
