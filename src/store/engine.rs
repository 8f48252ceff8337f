//! sled 0.34, fenced in. Nothing else in the crate touches it.
//!
//! What it needs to be trusted with reads, and to be found out where it cannot be:
//!
//! - `flush_async` stops for ever at seven or more concurrent callers (sled 1308). Only the commit thread
//!   writes, with the blocking `flush()`.
//! - `flush()` is no fsync on Linux: it leaves the log in the page cache. [`Engine::sync`] follows it with
//!   an fdatasync of sled's file `db` through a handle of its own, and opening syncs the directory and
//!   `conf`, which sled never does. Its own flusher, which only logs a failed fsync, is off. No acknowledgement
//!   waits for it: that is the journal's.
//! - A `snap.*.generating` that a crash left behind is taken for a snapshot and the store no longer opens
//!   (sled 1527). It is removed first, under our own lock, so that no living process loses one.
//! - Its errors stick until it is opened anew: even pages that it once wrote can then be unreadable. And it
//!   can panic. A panic is caught and is an error like others.
//! - Opening writes a snapshot, which a full disk has no room for. A ballast file is given up for it.
//! - A batch is atomic within one tree only. There is one tree, the default one, and keys have prefixes.
//! - While a batch is applied, other threads' reads wait: a process-wide lock of sled's.
//! - Its `Mode` is read nowhere in 0.34.7, so none is set. Old segments are cleaned by later writes.

use super::cell::{Row, table_of};
use super::files::sync_directory;
use super::plan::Changes;
use super::read_ahead::read_ahead;
use super::tally::{TALLY, Tally};
use std::fs::File;
use std::io::ErrorKind;
use std::num::NonZero;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Threads that scan at the most: what each has in hand is in memory beside the cache.
const SCANNERS: usize = 4;

/// Why sled or the file system under it failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum EngineError {
    /// No space, or a quota or size limit.
    #[error("the disk is full")]
    Full,
    /// Sled panicked: what it keeps for the whole process is not to be trusted either.
    #[error("the database panicked: {0}")]
    Panicked(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl From<std::io::Error> for EngineError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::Full,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<sled::Error> for EngineError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => error.into(),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// An open database. Clones share it; it is closed when the last is gone.
#[derive(Clone)]
pub(super) struct Engine {
    db: sled::Db,
    log: Arc<File>,
}

impl Engine {
    /// Opens or makes the database in a directory that exists and is locked.
    pub(super) fn open(dir: &Path, cache_bytes: u64) -> Result<Self, EngineError> {
        for left_over in generating(dir)? {
            tracing::warn!(file = %left_over.display(), "removing a snapshot that was never finished");
            std::fs::remove_file(left_over)?;
        }
        // Sled makes the file where it is missing.
        if let Ok(file) = File::open(dir.join("db")) {
            read_ahead(file);
        }
        let config = sled::Config::default().path(dir).cache_capacity(cache_bytes).flush_every_ms(None);
        let db = open_unlocked(&config)?;
        let log = File::open(dir.join("db"))?;
        log.sync_all()?;
        File::open(dir.join("conf"))?.sync_all()?;
        sync_directory(dir)?;
        Ok(Self { db, log: Arc::new(log) })
    }

    /// Writes all changes and the tally after them, or none. It is on disk some time later.
    pub(super) fn apply(&self, changes: &Changes, tally: &Tally) -> Result<(), EngineError> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        let (key, value) = tally.row();
        batch.insert(key, value);
        guarded(|| self.db.apply_batch(batch))
    }

    /// Hands what was written to the system: after it, a killed process takes nothing along.
    pub(super) fn flush(&self) -> Result<(), EngineError> {
        guarded(|| self.db.flush()).map(drop)
    }

    /// Waits until what was flushed is on disk.
    pub(super) fn sync(&self) -> Result<(), EngineError> {
        self.flush()?;
        Ok(self.log.sync_data()?)
    }

    /// Shows every key and value but the tally once, on as many threads as there are cores, each with a sum of
    /// its own. Gives the sums.
    ///
    /// Reading a million agendas is sled's work on one page after the other, and no page needs another.
    pub(super) fn scan<T: Default + Send>(
        &self,
        show: impl Fn(&mut T, &[u8], &[u8]) + Sync,
    ) -> Result<Vec<T>, EngineError> {
        let cuts = self.cuts()?;
        let next = AtomicUsize::new(0);
        let work = || -> Result<T, EngineError> {
            let mut sum = T::default();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let Some(start) = cuts.get(n) else { return Ok(sum) };
                let end = cuts.get(n + 1).map_or(Bound::Unbounded, |end| Bound::Excluded(end.as_slice()));
                guarded(|| {
                    for row in self.db.range::<&[u8], _>((Bound::Included(start.as_slice()), end)) {
                        let (key, value) = row?;
                        if key != TALLY {
                            show(&mut sum, &key, &value);
                        }
                    }
                    Ok(())
                })?;
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        std::thread::scope(|scope| {
            // Where the system gives no thread, the others do its share.
            let others: Vec<_> = (1..cores.min(SCANNERS))
                .map_while(|_| {
                    std::thread::Builder::new().name("scan".to_owned()).spawn_scoped(scope, work).ok()
                })
                .collect();
            let mut sums = vec![work()?];
            for other in others {
                let sum = other.join().map_err(|_| EngineError::Failed("a scan panicked".to_owned()))?;
                sums.push(sum?);
            }
            Ok(sums)
        })
    }

    /// Where the tree is cut for a scan: at the first byte of ids, since those of the large tables are digests.
    /// They are in order and the first is before every key, so each row is in one share, whatever its key.
    fn cuts(&self) -> Result<Vec<Vec<u8>>, EngineError> {
        const STEP: usize = 16;
        let mut cuts = vec![Vec::new()];
        let mut from = vec![1]; // behind the tally
        while let Some((key, _)) = guarded(|| self.db.range(from.as_slice()..).next().transpose())? {
            // A damaged tree may show a key that is before where it was asked from.
            let Some(table) = table_of(&key).filter(|table| *table >= from.as_slice()) else { break };
            cuts.extend((0..=u8::MAX).step_by(STEP).map(|first| [table, &[first]].concat()));
            let Some((letter, conference)) = table.split_last() else { break };
            let Some(next) = letter.checked_add(1) else { break };
            from = [conference, &[next]].concat();
        }
        Ok(cuts)
    }

    /// The value of a key.
    pub(super) fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(guarded(|| self.db.get(key))?.map(|value| value.to_vec()))
    }

    /// Up to `limit` keys and values that begin with `prefix`, in order, from `start` on.
    pub(super) fn range(
        &self,
        prefix: &[u8],
        start: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, EngineError> {
        guarded(|| {
            self.db
                .range::<&[u8], _>((start, Bound::Unbounded))
                .take_while(|row| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix)))
                .take(limit)
                .map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())))
                .collect()
        })
    }

    /// Every conference that has a row: what its keys have before the first zero byte.
    pub(super) fn conferences(&self) -> Result<Vec<Vec<u8>>, EngineError> {
        guarded(|| {
            let (mut found, mut from) = (Vec::new(), vec![1]); // the tally's key belongs to no conference
            while let Some((key, _)) = self.db.range(from..).next().transpose()? {
                let slug = key.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
                from = [slug.as_slice(), &[1]].concat();
                if key.as_ref() != TALLY {
                    found.push(slug);
                }
            }
            Ok(found)
        })
    }

    /// Lets go of the database. sled flushes once more unless it failed before, and may panic at it.
    pub(super) fn close(self) {
        if let Err(error) = guarded(|| {
            drop(self);
            Ok(())
        }) {
            tracing::error!(%error, "closing the store failed");
        }
    }
}

/// How long a lock of sled's may outlive its database, on a busy machine.
const LINGERS: Duration = Duration::from_secs(5);

/// The caller holds the lock of the directory, so a lock of sled's is one that is about to go.
fn open_unlocked(config: &sled::Config) -> Result<sled::Db, EngineError> {
    let started = Instant::now();
    loop {
        match guarded(|| config.open()) {
            Err(EngineError::Failed(cause))
                if cause.contains("could not acquire lock") && started.elapsed() < LINGERS => {}
            result => return result,
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(super) fn snapshots(dir: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

fn generating(dir: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let mut paths = snapshots(dir)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "generating"));
    Ok(paths)
}

/// Runs sled and turns a panic of its into an error.
fn guarded<T>(work: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, EngineError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Ok(result?),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message");
            Err(EngineError::Panicked(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        let error = guarded::<()>(|| panic!("page {} is gone", 7)).unwrap_err();
        assert_eq!(error.to_string(), "the database panicked: page 7 is gone");
    }

    #[test]
    fn a_scan_shows_every_row_once_whatever_its_key() {
        let mut changes = Changes::new();
        for table in [b"a\0a", b"a\0l", b"b\0a", b"b\0\xff"] {
            for first in 0..=u8::MAX {
                changes.insert([&table[..], &[first], &[u8::MAX; 3]].concat(), Some(vec![first]));
            }
            changes.insert(table.to_vec(), Some(vec![]));
        }
        changes.insert(b"laid out otherwise".to_vec(), Some(vec![]));
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::open(dir.path(), 1 << 20).unwrap();
        engine.apply(&changes, &Tally::default()).unwrap();
        let shares = engine.scan(|keys: &mut Vec<_>, key, _| keys.push(key.to_vec())).unwrap();
        let mut seen = shares.concat();
        seen.sort();
        assert_eq!(seen, changes.into_keys().collect::<Vec<_>>());
        engine.close();
    }

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let full = sled::Error::Io(std::io::Error::from(ErrorKind::StorageFull));
        assert_eq!(EngineError::from(full.clone()), EngineError::Full);
        let broken = sled::Error::Io(std::io::Error::other("EIO"));
        assert_eq!(EngineError::from(broken), EngineError::Failed("EIO".to_owned()));
    }

    #[test]
    fn left_over_snapshots_are_removed_and_finished_ones_kept() {
        let dir = tempfile::tempdir().unwrap();
        Engine::open(dir.path(), 1 << 20).unwrap().close();
        std::fs::write(dir.path().join("snap.00000000000000FF.generating"), b"half a snapsh").unwrap();
        let finished = snapshots(dir.path()).unwrap().len() - 1;
        let engine = Engine::open(dir.path(), 1 << 20).unwrap();
        assert_eq!(generating(dir.path()).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(snapshots(dir.path()).unwrap().len(), finished.max(1));
        engine.close();
    }
}
