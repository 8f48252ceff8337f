//! Verifying a store that is not open: every row, record and checkpoint is read once.

use super::cell::FORMAT;
use super::checkpoint::LoadError;
use super::files::Places;
use super::journal::{replay, segments};
use super::lock::lock_directory;
use super::opening::{Found, examine, reach};
use super::snapshot::with_copied_index;
use super::{OpenError, Options, checkpoint, high_water};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file or directory.
    pub place: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place.display(), self.what)
    }
}

/// What was read, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Rows of the index.
    pub rows: u64,
    /// Segments of the journal.
    pub segments: usize,
    /// Records of the journal that are whole, after the oldest whole checkpoint.
    pub records: u64,
    /// Whole checkpoints.
    pub checkpoints: usize,
    /// Records that the index lacks, as a crash leaves it. Where it is sound the next start applies them.
    pub lacking: u64,
    /// Nothing, in a sound store.
    pub faults: Vec<Fault>,
}

/// What must last as long as a directory is read.
#[expect(dead_code, reason = "held for what dropping them does")]
enum Kept {
    Locked(File),
    Copied(TempDir),
}

/// Reads all of the store in a data directory, which may be read-only: then its index is copied first. Repairs nothing; fails while a server has it open.
pub fn verify(dir: &Path) -> Result<Verified, OpenError> {
    let unusable = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
    if !dir.is_dir() {
        return Err(unusable(io::ErrorKind::NotFound.into()));
    }
    let (places, _held) = match lock_directory(dir) {
        Ok(lock) => {
            let places = Places::of(dir);
            places.prepare().map_err(unusable)?;
            (places, Kept::Locked(lock))
        }
        Err(error) if error.is_read_only() => {
            let (places, copied) = with_copied_index(dir).map_err(unusable)?;
            (places, Kept::Copied(copied))
        }
        Err(error) => return Err(error),
    };
    let index = dir.join("index");
    let mut verified = Verified::default();
    let mut fault = |place: &Path, what: String| {
        verified.faults.push(Fault { place: place.to_owned(), what });
    };

    let mut whole: Vec<u64> = Vec::new();
    for found in checkpoint::list(&places.checkpoints).map_err(unusable)? {
        match checkpoint::verify(&found.path) {
            Ok(summary) => whole.push(summary.sequence),
            // No damage, and nothing for this version to repair.
            Err(LoadError::Newer(found)) => {
                let found = found.try_into().unwrap_or(u8::MAX);
                return Err(OpenError::Newer { dir: dir.to_owned(), found, known: FORMAT });
            }
            Err(error) => fault(&found.path, error.to_string()),
        }
    }
    let from = whole.first().copied().unwrap_or(0);
    let take = |_| {
        verified.records += 1;
        Ok::<_, io::Error>(())
    };
    let read = replay(&places.journal, from, take).map_err(unusable)?;
    if read.damaged {
        fault(&places.journal, format!("a record is damaged, or {} are missing", read.missing));
    }
    let reach = reach(&places, &read).map_err(unusable)?;
    let segments = segments(&places.journal).map_err(unusable)?;
    let first = segments.first().map_or(u64::MAX, |segment| segment.first);
    if places.index.exists() {
        match examine(&places, Options::default().cache_bytes) {
            Ok(found) => {
                let Found { counted, damaged, .. } = &found;
                let held = found.sequence();
                if !found.is_sound() {
                    let what = format!("{damaged} rows are damaged, or some are missing or outdated");
                    fault(&index, what);
                } else if held < reach && (read.end() < reach || held.saturating_add(1) < first) {
                    // Whole, but not the newest: sled opens on an older state without a word.
                    let what =
                        format!("it ends at {held}; what came then, up to {reach}, is not in the journal");
                    fault(&index, what);
                } else if read.end() < held {
                    fault(&places.journal, format!("it ends at {}, and the index at {held}", read.end()));
                }
                verified.lacking = reach.saturating_sub(held);
                verified.rows = counted.rows;
                found.engine.close();
            }
            Err(error) => fault(&index, error.to_string()),
        }
    }
    if places.high_water.exists() && high_water::read(&places.high_water).map_err(unusable)?.is_none() {
        verified.faults.push(Fault { place: places.high_water, what: "it is damaged".to_owned() });
    }
    verified.segments = segments.len();
    verified.checkpoints = whole.len();
    Ok(verified)
}
