//! The index: all records in sled, from which the store reads. Only this folder uses sled.
//!
//! The index can be derived from checkpoint and journal: if it is damaged or behind, it is rebuilt from them.
//!
//! [`Engine`] is sled 0.34 behind a narrow interface. These workarounds make sled's reads trustworthy:
//!
//! - `flush_async` hangs forever with seven or more concurrent callers (sled 1308). Only the commit thread writes,
//!   with the blocking `flush()`.
//! - `flush()` is no fsync on Linux: it leaves the log in the page cache. [`Engine::sync`] adds an fdatasync of
//!   sled's file `db`, and opening syncs the directory and `conf`, which sled never does. sled's own flusher is off,
//!   since it only logs a failed fsync. No acknowledgement waits for these syncs; the journal has its own.
//! - After a crash, sled takes a leftover `snap.*.generating` for a snapshot and no longer opens (sled 1527). The file
//!   is removed before opening, under our lock, so no running process loses its snapshot.
//! - Errors persist until sled is reopened, and even pages that it wrote can then be unreadable. sled can also panic. A
//!   panic is caught and returned as an error.
//! - Opening writes a snapshot, for which a full disk has no room. The ballast file is removed to make room.
//! - A batch is atomic within one tree only. There is one tree, the default one, and keys have prefixes.
//! - While a batch is applied, reads of other threads wait for a process-wide lock of sled.
//! - No `Mode` is set, since 0.34.7 never reads it. Later writes clean old segments.

pub(super) mod ledger;
pub(super) mod opening;
pub(super) mod scan;
pub(super) mod tally;
pub(super) mod view;

use super::directory::{snapshots, sync_directory};
use super::error::StorageError;
use super::rows::{KeyValue, RowChanges, table_of};
use std::fs::File;
use std::num::NonZero;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tally::{TALLY, Tally};

/// The most threads of a scan. Each thread holds one page in memory beside sled's cache.
const SCANNERS: usize = 4;

impl From<sled::Error> for StorageError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => error.into(),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// An open database. Clones share it, and the last one closes it.
#[derive(Clone)]
pub(super) struct Engine(Arc<Database>);

struct Database {
    db: sled::Db,
    /// sled's file `db`.
    log: File,
}

impl Engine {
    /// Opens or creates the database in a directory that exists and is locked.
    pub(super) fn open(dir: &Path, cache_bytes: u64) -> Result<Self, StorageError> {
        for left_over in generating(dir)? {
            tracing::warn!(file = %left_over.display(), "removing a snapshot that was never finished");
            std::fs::remove_file(left_over)?;
        }
        if let Ok(file) = File::open(dir.join("db")) {
            read_ahead(file);
        }
        let config = sled::Config::default().path(dir).cache_capacity(cache_bytes).flush_every_ms(None);
        let db = open_unlocked(&config)?;
        let log = File::open(dir.join("db"))?;
        log.sync_all()?;
        File::open(dir.join("conf"))?.sync_all()?;
        sync_directory(dir)?;
        Ok(Self(Arc::new(Database { db, log })))
    }

    /// Whether both engines are clones of one database.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Applies all changes and the tally after them, or nothing. They are on disk only after [`Self::sync`].
    pub(super) fn apply(&self, changes: &RowChanges, tally: &Tally) -> Result<(), StorageError> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        let (key, value) = tally.row();
        batch.insert(key, value);
        catching_panics(|| self.0.db.apply_batch(batch))
    }

    /// Hands all writes to the system. From then on they survive a killed process, but not a power cut.
    pub(super) fn flush(&self) -> Result<(), StorageError> {
        catching_panics(|| self.0.db.flush()).map(drop)
    }

    /// Flushes, and waits until all writes are on disk.
    pub(super) fn sync(&self) -> Result<(), StorageError> {
        self.flush()?;
        Ok(self.0.log.sync_data()?)
    }

    /// Calls `show` once for each row but the tally, on several threads, each with its own sum. Returns the sums.
    ///
    /// Reading a million agendas from sled takes most of a start. Its pages can be read in parallel.
    pub(super) fn scan<T: Default + Send>(
        &self,
        show: impl Fn(&mut T, &[u8], &[u8]) + Sync,
    ) -> Result<Vec<T>, StorageError> {
        let cuts = self.cuts()?;
        let next = AtomicUsize::new(0);
        let work = || -> Result<T, StorageError> {
            let mut sum = T::default();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let Some(start) = cuts.get(n) else { return Ok(sum) };
                let end = cuts.get(n + 1).map_or(Bound::Unbounded, |end| Bound::Excluded(end.as_slice()));
                catching_panics(|| {
                    for row in self.0.db.range::<&[u8], _>((Bound::Included(start.as_slice()), end)) {
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
            // If the system refuses a thread, the other threads take its share.
            let others: Vec<_> = (1..cores.min(SCANNERS))
                .map_while(|_| {
                    std::thread::Builder::new().name("scan".to_owned()).spawn_scoped(scope, work).ok()
                })
                .collect();
            let mut sums = vec![work()?];
            for other in others {
                let sum = other.join().map_err(|_| StorageError::Failed("a scan panicked".to_owned()))?;
                sums.push(sum?);
            }
            Ok(sums)
        })
    }

    /// The keys at which a scan splits the tree. It splits at the first byte of ids, since large tables have digests as
    /// ids. The cuts are sorted and begin before every key, so each row is in exactly one share.
    fn cuts(&self) -> Result<Vec<Vec<u8>>, StorageError> {
        const FIRST_BYTES_PER_CUT: usize = 16;
        let mut cuts = vec![Vec::new()];
        let mut from = vec![1]; // behind the tally
        while let Some((key, _)) = catching_panics(|| self.0.db.range(from.as_slice()..).next().transpose())?
        {
            // A damaged tree may return a key before the start of the range.
            let Some(table) = table_of(&key).filter(|table| *table >= from.as_slice()) else { break };
            cuts.extend((0..=u8::MAX).step_by(FIRST_BYTES_PER_CUT).map(|first| [table, &[first]].concat()));
            let Some((letter, conference)) = table.split_last() else { break };
            let Some(next) = letter.checked_add(1) else { break };
            from = [conference, &[next]].concat();
        }
        Ok(cuts)
    }

    /// The value of a key.
    pub(super) fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(catching_panics(|| self.0.db.get(key))?.map(|value| value.to_vec()))
    }

    /// Up to `limit` keys and values that begin with `prefix`, in order, from `start` on.
    pub(super) fn range(
        &self,
        prefix: &[u8],
        start: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, StorageError> {
        catching_panics(|| {
            self.0
                .db
                .range::<&[u8], _>((start, Bound::Unbounded))
                .take_while(|row| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix)))
                .take(limit)
                .map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())))
                .collect()
        })
    }

    /// The slugs of all conferences with rows.
    pub(super) fn conferences(&self) -> Result<Vec<Vec<u8>>, StorageError> {
        catching_panics(|| {
            let (mut found, mut from) = (Vec::new(), vec![1]); // the tally's key belongs to no conference
            while let Some((key, _)) = self.0.db.range(from..).next().transpose()? {
                let slug = key.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
                from = [slug.as_slice(), &[1]].concat();
                if key.as_ref() != TALLY {
                    found.push(slug);
                }
            }
            Ok(found)
        })
    }

    /// Drops this clone. Dropping the last one flushes sled, unless sled failed before, and may panic.
    pub(super) fn close(self) {
        if let Err(error) = catching_panics(|| {
            drop(self);
            Ok(())
        }) {
            tracing::error!(%error, "closing the store failed");
        }
    }
}

/// How long sled may hold its lock after its database is dropped, on a busy machine or under a slow read.
const MAX_SLED_LOCK: Duration = Duration::from_secs(5);

/// Waits for a lock that an earlier database of this process still holds: the caller has locked the directory, so no
/// other process can hold it.
fn open_unlocked(config: &sled::Config) -> Result<sled::Db, StorageError> {
    let started = Instant::now();
    loop {
        match catching_panics(|| config.open()) {
            Err(StorageError::Failed(cause))
                if cause.contains("could not acquire lock") && started.elapsed() < MAX_SLED_LOCK => {}
            result => return result,
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn generating(dir: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let mut paths = snapshots(dir)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "generating"));
    Ok(paths)
}

/// Runs `work` and returns a panic of sled as an error.
fn catching_panics<T>(work: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, StorageError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Ok(result?),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message");
            Err(StorageError::Panicked(text.to_owned()))
        }
    }
}

/// Asks the system to read a whole file ahead, on a thread: on a slow disk the requests take as long as the reading.
///
/// Verifying a million agendas reads nearly all of sled's file in the order of keys, which is random on disk. Without
/// the advice, a start after a reboot mostly waits for single pages.
#[cfg(target_os = "linux")]
fn read_ahead(file: File) {
    use rustix::fs::{Advice, fadvise};
    use std::num::NonZero;

    /// The default of a device's `read_ahead_kb`. The system reads no more for one request.
    const STEP_BYTES: NonZero<u64> = NonZero::new(128 << 10).unwrap();

    let advise = move || -> std::io::Result<()> {
        for start in (0..file.metadata()?.len()).step_by(STEP_BYTES.get() as usize) {
            fadvise(&file, start, Some(STEP_BYTES), Advice::WillNeed)?;
        }
        Ok(())
    };
    let log = |error: std::io::Error| tracing::debug!(%error, "the database file is not read ahead");
    let thread = std::thread::Builder::new().name("read ahead".to_owned());
    thread.spawn(move || advise().unwrap_or_else(log)).map_or_else(log, drop);
}

/// Other systems do not offer this advice.
#[cfg(not(target_os = "linux"))]
fn read_ahead(_: File) {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    #[test]
    fn a_panic_is_an_error() {
        let error = catching_panics::<()>(|| panic!("page {} is gone", 7)).unwrap_err();
        assert_eq!(error.to_string(), "the database panicked: page 7 is gone");
    }

    #[test]
    fn a_scan_shows_every_row_once() {
        let mut changes = RowChanges::new();
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
        assert_eq!(StorageError::from(full.clone()), StorageError::Full);
        let broken = sled::Error::Io(std::io::Error::other("EIO"));
        assert_eq!(StorageError::from(broken), StorageError::Failed("EIO".to_owned()));
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
