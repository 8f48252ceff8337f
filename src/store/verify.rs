//! Verifies a store that is not open: reads every row, journal record and checkpoint once.

use super::StoreOptions;
use super::checkpoint;
use super::checkpoint::LoadError;
use super::directory::{Places, lock_directory};
use super::error::OpenError;
use super::high_water;
use super::index::opening::{examine, newest_sequence};
use super::journal::replay::replay;
use super::journal::segment::segments;
use super::rows::FORMAT;
use super::snapshot::with_copied_index;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Damage in a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFault {
    /// The file or directory.
    pub place: PathBuf,
    /// What is wrong with the file or directory.
    pub what: String,
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place.display(), self.what)
    }
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Rows of the index.
    pub rows: u64,
    /// Segments of the journal.
    pub segments: usize,
    /// Whole records of the journal, after the oldest whole checkpoint.
    pub records: u64,
    /// Whole checkpoints.
    pub checkpoints: usize,
    /// Journal records that the index lacks, as after a crash. The next start applies them if the index is undamaged.
    pub lacking: u64,
    /// All damage.
    pub faults: Vec<StoreFault>,
}

/// Protects a directory while it is being read.
#[expect(dead_code, reason = "dropping the values unlocks or removes a directory")]
enum ReadGuard {
    Locked(File),
    Copied(TempDir),
}

/// Verifies the store in a data directory and repairs nothing. If the directory is read-only, its index is copied.
///
/// # Errors
/// [`OpenError`], for example while a server has the directory open.
pub fn verify(dir: &Path) -> Result<Verified, OpenError> {
    let unusable = |cause| OpenError::Directory { dir: dir.to_owned(), cause };
    if !dir.is_dir() {
        return Err(unusable(io::ErrorKind::NotFound.into()));
    }
    let (places, _guard) = match lock_directory(dir) {
        Ok(lock) => {
            let places = Places::of(dir);
            places.prepare().map_err(unusable)?;
            (places, ReadGuard::Locked(lock))
        }
        Err(error) if error.is_read_only() => {
            let (places, copied) = with_copied_index(dir).map_err(unusable)?;
            (places, ReadGuard::Copied(copied))
        }
        Err(error) => return Err(error),
    };
    let index = dir.join("index");
    let mut verified = Verified::default();
    let mut fault = |place: &Path, what: String| {
        verified.faults.push(StoreFault { place: place.to_owned(), what });
    };

    let mut whole: Vec<u64> = Vec::new();
    for found in checkpoint::list(&places.checkpoints).map_err(unusable)? {
        match checkpoint::verify(&found.path) {
            Ok(summary) => whole.push(summary.sequence),
            // A newer format is not damage.
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
    let newest = newest_sequence(&places, &read).map_err(unusable)?;
    let segments = segments(&places.journal).map_err(unusable)?;
    let first = segments.first().map_or(u64::MAX, |segment| segment.first);
    if places.index.exists() {
        match examine(&places, StoreOptions::default().cache_bytes) {
            Ok(found) => {
                let (counted, damaged) = (found.counted, found.damaged);
                let held = found.sequence();
                if !found.is_sound() {
                    let what = format!("{damaged} rows are damaged, or rows are missing or outdated");
                    fault(&index, what);
                } else if held < newest && (read.end() < newest || held.saturating_add(1) < first) {
                    // sled opens on an older state without an error.
                    let what =
                        format!("it ends at record {held}; records up to {newest} are not in the journal");
                    fault(&index, what);
                } else if read.end() < held {
                    fault(&places.journal, format!("it ends at {}, and the index at {held}", read.end()));
                }
                verified.lacking = newest.saturating_sub(held);
                verified.rows = counted.rows;
                found.engine.close();
            }
            Err(error) => fault(&index, error.to_string()),
        }
    }
    if places.high_water.exists() && high_water::read(&places.high_water).map_err(unusable)?.is_none() {
        verified.faults.push(StoreFault { place: places.high_water, what: "it is damaged".to_owned() });
    }
    verified.segments = segments.len();
    verified.checkpoints = whole.len();
    Ok(verified)
}
