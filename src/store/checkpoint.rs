//! Checkpoints: the whole state in one file, to rebuild the index, for backups, and for other programs.
//!
//! Owns `DIR/checkpoints/`. A checkpoint is NDJSON, see [`line`]. Its last line has the number of lines and their
//! SHA-256, and reading a checkpoint needs no journal. Commits go on while a checkpoint is made: a scan reads each
//! record at some moment after the sequence in the first line. Then the journal from that sequence to the end of the
//! scan is appended, so the result is exactly the state at the sequence in the last line.

pub(super) mod line;
pub(super) mod load;

use super::cell::Space;
use super::directory::{numbered_files, remove_file, sync_directory};
use super::error::StorageError;
use super::index::scan::Groups;
use super::index::tally::TALLY;
use super::index::view::Index;
use super::journal::replay::replay;
use super::journal::segment::JournalRecord;
use data_encoding::HEXLOWER;
use line::{CheckpointEnd, CheckpointHead, VERSION, print_changes, print_envelope, print_record};
use ring::digest::{Context, SHA256};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The number of checkpoints that are kept, together with the journal since the older one.
pub(super) const MOST_CHECKPOINTS: usize = 2;

const SUFFIX: &str = "ndjson";
/// Bytes between two syncs of a new checkpoint. One large sync would delay commits.
const SYNC_BYTES: usize = 8 * 1024 * 1024;

/// A checkpoint on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Checkpoint {
    /// The sequence of its state.
    pub(super) sequence: u64,
    pub(super) path: PathBuf,
}

/// The checkpoints in a directory, the oldest first.
pub(super) fn list(dir: &Path) -> io::Result<Vec<Checkpoint>> {
    let files = numbered_files(dir, SUFFIX)?;
    let mut checkpoints: Vec<_> =
        files.into_iter().map(|(sequence, path)| Checkpoint { sequence, path }).collect();
    checkpoints.sort();
    Ok(checkpoints)
}

/// Removes all but the newest `keep` checkpoints, and an unfinished one. Returns the remaining ones.
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

/// Makes a checkpoint with `write`, which returns its sequence. The file gets its final name once it is on disk.
pub(super) fn make(
    dir: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<u64, StorageError>,
) -> Result<Checkpoint, StorageError> {
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

/// Writes the state to `out` and returns its sequence.
///
/// `applied` returns the sequence of the last group that readers see; it is called before and after the scan.
/// Writing ends with an error once `is_stopping` is set.
pub(super) fn write(
    out: &mut dyn Write,
    index: &Index,
    space: &Space,
    journal: &Path,
    applied: impl Fn() -> u64,
    is_stopping: &AtomicBool,
) -> Result<u64, StorageError> {
    let conference = space.conference();
    let began = applied();
    let mut lines = Lines { out, hash: Context::new(&SHA256), count: 0 };
    let head = CheckpointHead {
        callboard: "checkpoint".to_owned(),
        version: VERSION,
        conference: conference.to_owned(),
        sequence: began,
    };
    lines.raw(&print_envelope(&head))?;
    for parts in Groups::new(index, Vec::new()) {
        let parts = parts.map_err(|error| StorageError::Failed(error.to_string()))?;
        if is_stopping.load(Ordering::Relaxed) {
            return Err(StorageError::Failed("the store is being closed".to_owned()));
        }
        if parts.first().is_some_and(|(key, _)| key != TALLY) {
            print_record(conference, &parts, |line| lines.line(line))?;
        }
    }
    let sequence = applied();
    if sequence > began {
        let mut next = began;
        replay(journal, began, |JournalRecord { sequence: n, rows }| {
            if n > sequence {
                return Ok(());
            }
            next += 1;
            if n != next {
                return Err(StorageError::Failed(format!("the journal lacks record {next}")));
            }
            Ok::<_, StorageError>(print_changes(conference, &rows, |line| lines.line(line))?)
        })?;
        if next != sequence {
            return Err(StorageError::Failed(format!("the journal ends at {next} instead of {sequence}")));
        }
    }
    let Lines { out, hash, count } = lines;
    let end = CheckpointEnd { records: count, sequence, sha256: HEXLOWER.encode(hash.finish().as_ref()) };
    out.write_all(&print_envelope(&end))?;
    out.write_all(b"\n")?;
    Ok(sequence)
}

struct Lines<'a> {
    out: &'a mut dyn Write,
    hash: Context,
    count: u64,
}

impl Lines<'_> {
    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.count += 1;
        self.raw(line)
    }

    fn raw(&mut self, line: &[u8]) -> io::Result<()> {
        for bytes in [line, b"\n"] {
            self.hash.update(bytes);
            self.out.write_all(bytes)?;
        }
        Ok(())
    }
}
