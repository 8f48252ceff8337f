//! The readers' view: the index as it was after the last acknowledged group of commits.
//!
//! sled shows a batch at once, before its group is acknowledged. So the commit thread first publishes the old values of
//! the group's keys. A reader reads from sled and then replaces every value that a later group has changed, see
//! [`Undo`]. The reader sees one moment, however long it reads, and holds no lock while it waits for the disk.

use super::Engine;
use crate::revision::Digest;
use crate::store::error::{ReadError, StorageError};
use crate::store::record::RecordTable;
use crate::store::record::agenda::{LinkBucket, LinkTarget};
use crate::store::rows::{KeySpace, KeyValue, RecordAddress, RowChanges};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// How long a scan waits for a failed database to be reopened.
const REOPENING: Duration = Duration::from_secs(2);

/// The index of an open store, shared by readers and the commit thread.
pub(in crate::store) struct Index {
    current: RwLock<View>,
    /// A copy of `current.generation`, for readers that need only the generation.
    generation: AtomicU64,
    /// Whether a reader found that the database fails. The commit thread then reopens the database.
    is_failing: AtomicBool,
    is_reopening: AtomicBool,
    #[cfg(test)]
    pub(in crate::store) slow_disk: SlowDisk,
}

/// The index at one moment.
#[derive(Clone)]
pub(in crate::store) struct View {
    /// None while the database is being reopened, and after it was closed.
    engine: Option<Engine>,
    undo: Arc<Undo>,
    /// Moments with different records have different generations.
    pub(in crate::store) generation: u64,
}

/// The old values of the keys that a group of commits changes, with a link to the old values of the next group.
///
/// A reader keeps the node of its moment alive, and with it the later nodes. The first node with a key has the key's
/// value at that moment. A key in no node has the value that sled returned before the nodes were searched.
#[derive(Default)]
struct Undo {
    before: OnceLock<RowChanges>,
    next: OnceLock<Arc<Undo>>,
}

impl Undo {
    fn nodes(&self) -> impl Iterator<Item = &RowChanges> {
        let nodes = std::iter::successors(Some(self), |undo| undo.next.get().map(Arc::as_ref));
        nodes.filter_map(|undo| undo.before.get())
    }
}

/// A slow reader may keep thousands of nodes alive. Dropping them recursively would overflow the stack.
impl Drop for Undo {
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(undo) = next {
            next = Arc::into_inner(undo).and_then(|mut undo| undo.next.take());
        }
    }
}

impl View {
    fn engine(&self) -> Result<&Engine, ReadError> {
        self.engine.as_ref().ok_or_else(|| ReadError::Unavailable("it is not open".to_owned()))
    }

    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        let value = self.engine().and_then(|engine| Ok(engine.value(key)?));
        match self.undo.nodes().find_map(|before| before.get(key)) {
            Some(before) => Ok(before.clone()),
            None => value,
        }
    }

    /// A record's bytes.
    pub(in crate::store) fn bytes(&self, address: &RecordAddress) -> Result<Option<Vec<u8>>, ReadError> {
        address.read(|key| self.value(key))
    }

    /// A record.
    pub(in crate::store) fn record<T: DeserializeOwned>(
        &self,
        address: &RecordAddress,
    ) -> Result<Option<T>, ReadError> {
        address.decode(self.bytes(address)?)
    }

    /// The target of a read link; none if it was never issued.
    pub(in crate::store) fn link(
        &self,
        space: &KeySpace,
        hash: &Digest,
    ) -> Result<Option<LinkTarget>, ReadError> {
        let links: Option<LinkBucket> = self.record(&space.links(hash))?;
        match links.and_then(|links| links.target(hash)) {
            Some(target) => Ok(Some(target)),
            None => self.record(&space.address(RecordTable::Link, &hash.0)),
        }
    }

    /// Up to `limit` rows whose keys begin with `prefix`, after a key.
    pub(super) fn page(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<RowPage, ReadError> {
        let start = after.map_or(Bound::Included(prefix), Bound::Excluded);
        let read = self.engine()?.range(prefix, start, limit)?;
        // A damaged tree may return a key before the start of the range.
        if read.last().is_some_and(|(key, _)| key.as_slice() < after.unwrap_or(prefix)) {
            return Err(ReadError::Damaged { what: "index", cause: "its keys are not in order".to_owned() });
        }
        let next = if read.len() == limit { read.last().map(|(key, _)| key.clone()) } else { None };
        let end = next.as_deref().map_or(Bound::Unbounded, Bound::Included);
        let mut changed = BTreeMap::new();
        for before in self.undo.nodes() {
            let rows = before.range::<[u8], _>((start, end)).take_while(|(key, _)| key.starts_with(prefix));
            rows.for_each(|(key, value)| _ = changed.entry(key).or_insert(value));
        }
        if changed.is_empty() {
            return Ok(RowPage { rows: read, next });
        }
        let mut rows: BTreeMap<_, _> = read.into_iter().collect();
        for (key, before) in changed {
            match before {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(RowPage { rows: rows.into_iter().collect(), next })
    }
}

/// Some rows of a scan.
pub(super) struct RowPage {
    pub(super) rows: Vec<KeyValue>,
    /// The last key of the page; none on the last page.
    pub(super) next: Option<Vec<u8>>,
}

impl Index {
    /// The view of a database. `newer` holds rows of the journal that could not be applied to it.
    pub(in crate::store) fn new(engine: Engine, newer: RowChanges) -> Self {
        let undo = Undo::default();
        if !newer.is_empty() {
            let _ = undo.before.set(newer);
        }
        Self {
            current: RwLock::new(View { engine: Some(engine), undo: Arc::new(undo), generation: 0 }),
            generation: AtomicU64::new(0),
            is_failing: AtomicBool::new(false),
            is_reopening: AtomicBool::new(false),
            #[cfg(test)]
            slow_disk: SlowDisk::default(),
        }
    }

    /// A number that changes with every change that readers may see.
    pub(in crate::store) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Runs a read at one moment. The read never waits for a reopening, since it may run on a thread of the reactor.
    ///
    /// A failed sled reads only cached pages. The first read that fails makes the commit thread reopen the database.
    pub(in crate::store) fn read<T>(
        &self,
        read: impl FnOnce(&View) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let mut view = self.lock().clone();
        #[cfg(test)]
        self.slow_disk.read();
        let result = read(&view);
        if let (Err(ReadError::Unavailable(_)), Some(engine)) = (&result, &view.engine)
            && self.lock().engine.as_ref().is_some_and(|current| current.is_same(engine))
        {
            self.is_failing.store(true, Ordering::Relaxed);
        }
        // This may be the last user of a database that was replaced meanwhile.
        view.engine.take().into_iter().for_each(Engine::close);
        result
    }

    /// Like [`Self::read`], for scans on blocking threads: waits while the database is being reopened.
    pub(super) fn read_waiting<T>(
        &self,
        read: impl Fn(&View) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        for _ in 0..REOPENING.as_millis() {
            match self.read(&read) {
                Err(ReadError::Unavailable(_)) if self.may_come_back() => {}
                result => return result,
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.read(read)
    }

    /// Whether reads that fail now may succeed soon.
    fn may_come_back(&self) -> bool {
        self.is_reopening.load(Ordering::Relaxed) || self.lock().engine.is_some()
    }

    /// Whether the database has failed or is being reopened.
    pub(in crate::store) fn is_interrupted(&self) -> bool {
        self.is_reopening.load(Ordering::Relaxed) || self.is_failing()
    }

    /// Whether a read found the database failing since it was opened.
    pub(in crate::store) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Publishes the old values of the keys of a group of commits. The group may then be applied to the database, and
    /// no reader sees it before [`Self::end_group`].
    pub(in crate::store) fn begin_group(&self, before: RowChanges) -> Result<(), StorageError> {
        let set = self.lock().undo.before.set(before);
        set.map_err(|_| StorageError::Failed("the group before was never ended".to_owned()))
    }

    /// Shows a group of commits to readers. `in_lock` runs under the lock, before any reader can see the group.
    pub(in crate::store) fn end_group(&self, in_lock: impl FnOnce()) {
        let mut view = self.lock_for_change();
        let next = Arc::new(Undo::default());
        let _ = view.undo.next.set(Arc::clone(&next));
        let ended = std::mem::replace(&mut view.undo, next);
        in_lock();
        drop(view);
        drop(ended); // after the lock, since a group may be large
    }

    /// Takes the database out, to close it. Reads fail from then on; with `reopens` only until [`Self::reopened`].
    pub(in crate::store) fn take_engine(&self, reopens: bool) -> Option<Engine> {
        let mut view = self.lock_for_change();
        view.undo = Arc::default();
        self.is_failing.store(false, Ordering::Relaxed);
        self.is_reopening.store(reopens, Ordering::Relaxed);
        view.engine.take()
    }

    /// Ends a reopening. `opened` is the database and the rows of the journal that could not be applied to it.
    pub(in crate::store) fn reopened(&self, opened: Option<(Engine, RowChanges)>) {
        let mut view = self.lock_for_change();
        self.is_reopening.store(false, Ordering::Relaxed);
        let Some((engine, newer)) = opened else { return };
        view.engine = Some(engine);
        if !newer.is_empty() {
            let _ = view.undo.before.set(newer);
        }
    }

    /// The database, to flush it.
    pub(in crate::store) fn engine(&self) -> Option<Engine> {
        self.lock().engine.clone()
    }

    /// Ignores poison, since a panic of another thread leaves the view complete.
    fn lock(&self) -> RwLockReadGuard<'_, View> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every change of the view takes this lock, which gives the view a new generation.
    fn lock_for_change(&self) -> RwLockWriteGuard<'_, View> {
        let mut view = self.current.write().unwrap_or_else(PoisonError::into_inner);
        view.generation += 1;
        self.generation.store(view.generation, Ordering::Release);
        view
    }
}

/// Makes the reads of a test wait, as a disk that does not answer would.
#[cfg(test)]
#[derive(Default)]
pub(in crate::store) struct SlowDisk {
    /// Locked while all reads are stalled.
    pub(in crate::store) reads: RwLock<()>,
    /// Locked while scans are stalled.
    pub(in crate::store) scans: RwLock<()>,
    pub(in crate::store) waiting_scans: std::sync::atomic::AtomicUsize,
}

#[cfg(test)]
impl SlowDisk {
    fn read(&self) {
        drop(self.reads.read().unwrap());
    }

    pub(super) fn scan(&self) {
        self.waiting_scans.fetch_add(1, Ordering::SeqCst);
        drop(self.scans.read().unwrap());
        self.waiting_scans.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Slug;
    use crate::store::Store;
    use crate::store::record::agenda::AgendaRecord;
    use std::sync::mpsc;
    use std::time::Instant;

    #[test]
    fn a_long_chain_of_groups_is_dropped_without_recursion() {
        let first: Arc<Undo> = Arc::default();
        let mut last = Arc::clone(&first);
        for _ in 0..200_000 {
            let next: Arc<Undo> = Arc::default();
            let _ = last.next.set(Arc::clone(&next));
            last = next;
        }
        drop(last);
        drop(first);
    }

    #[test]
    fn a_failed_read_is_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::open(dir.path(), 1 << 20).unwrap();
        let index = Index::new(engine, RowChanges::new());
        let mut tries = 0;
        let result: Result<(), _> = index.read(|_| {
            tries += 1;
            Err(ReadError::Unavailable("it failed".to_owned()))
        });
        assert!(result.is_err() && index.is_failing());
        assert_eq!(tries, 1);
    }

    /// To reopen the index, the commit thread reads the journal. One segment is a pipe without a writer, so the
    /// reopening lasts as long as the test wants.
    #[test]
    fn a_read_during_a_reopening_fails_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), &Slug::parse("con").unwrap()).unwrap();
        let pipe = dir.path().join("journal/00000000000000000002.journal");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        store.index().is_failing.store(true, Ordering::Relaxed);
        let (answer, answers) = mpsc::channel::<Result<Option<AgendaRecord>, ReadError>>();
        let reader = store.clone();
        std::thread::spawn(move || {
            while answer.send(reader.agenda(&Digest([7; 32]))).is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        // The first reads may come before the reopening. A read that waits for the end of the reopening never returns.
        let mut failed = 0;
        while failed < 100 {
            let answered =
                answers.recv_timeout(Duration::from_secs(20)).expect("a read waits for the reopening");
            failed += usize::from(matches!(answered, Err(ReadError::Unavailable(_))));
        }
        drop(std::fs::OpenOptions::new().write(true).open(&pipe).unwrap());
        let ended = Instant::now();
        while store.agenda(&Digest([7; 32])) != Ok(None) {
            assert!(ended.elapsed() < Duration::from_secs(20), "the index does not come back");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
