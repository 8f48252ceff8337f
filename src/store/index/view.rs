//! What readers see: the index as it was after the last acknowledged group of commits.
//!
//! sled shows a batch at once, before its group is acknowledged. So the commit thread first publishes the values that
//! the group's keys had before it. A reader reads from sled and then replaces every value that a later group has
//! changed, see [`Undo`]. It sees one moment, however long it reads, and holds no lock while it waits for the disk.

use super::engine::{Engine, EngineError};
use crate::revision::Digest;
use crate::store::cell::{Cell, Changes, Row, Space};
use crate::store::error::ReadError;
use crate::store::record::Table;
use crate::store::record::agenda::{LinkBucket, LinkTarget};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// How long a scan waits for a failed database to be reopened.
const REOPENING: Duration = Duration::from_secs(2);

/// The index of an open store, shared by readers and the commit thread.
pub(in crate::store) struct Index {
    current: RwLock<View>,
    /// The generation of `current`, for readers that need nothing else.
    generation: AtomicU64,
    /// A reader found that the database fails. The commit thread will reopen it.
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
    /// Differs from that of every other moment with other records.
    pub(in crate::store) generation: u64,
}

/// The values that keys had before a group of commits, and then those of the groups after it.
///
/// A reader keeps the node of its moment alive, and with it the nodes that follow. The first node with a key has the
/// key's value at that moment. A key in no node has the value that sled returned before the nodes were searched.
#[derive(Default)]
struct Undo {
    before: OnceLock<Changes>,
    next: OnceLock<Arc<Undo>>,
}

impl Undo {
    fn nodes(&self) -> impl Iterator<Item = &Changes> {
        let nodes = std::iter::successors(Some(self), |undo| undo.next.get().map(Arc::as_ref));
        nodes.filter_map(|undo| undo.before.get())
    }
}

/// A slow reader may hold thousands of nodes: dropping them one inside the other would overflow the stack.
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
    pub(in crate::store) fn bytes(&self, cell: &Cell) -> Result<Option<Vec<u8>>, ReadError> {
        cell.read(|key| self.value(key))
    }

    /// A record.
    pub(in crate::store) fn record<T: DeserializeOwned>(&self, cell: &Cell) -> Result<Option<T>, ReadError> {
        cell.decode(self.bytes(cell)?)
    }

    /// The target of a read link; none if it was never issued.
    pub(in crate::store) fn link(
        &self,
        space: &Space,
        hash: &Digest,
    ) -> Result<Option<LinkTarget>, ReadError> {
        let links: Option<LinkBucket> = self.record(&space.links(hash))?;
        match links.and_then(|links| links.target(hash)) {
            Some(target) => Ok(Some(target)),
            None => self.record(&space.cell(Table::Link, &hash.0)),
        }
    }

    fn page(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Page, ReadError> {
        let start = after.map_or(Bound::Included(prefix), Bound::Excluded);
        let read = self.engine()?.range(prefix, start, limit)?;
        let next = if read.len() == limit { read.last().map(|(key, _)| key.clone()) } else { None };
        let end = next.as_deref().map_or(Bound::Unbounded, Bound::Included);
        let mut changed = BTreeMap::new();
        for before in self.undo.nodes() {
            let rows = before.range::<[u8], _>((start, end)).take_while(|(key, _)| key.starts_with(prefix));
            rows.for_each(|(key, value)| _ = changed.entry(key).or_insert(value));
        }
        if changed.is_empty() {
            return Ok(Page { rows: read, next });
        }
        let mut rows: BTreeMap<_, _> = read.into_iter().collect();
        for (key, before) in changed {
            match before {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(Page { rows: rows.into_iter().collect(), next })
    }
}

struct Page {
    rows: Vec<Row>,
    /// The last key of the page; none on the last page.
    next: Option<Vec<u8>>,
}

impl From<EngineError> for ReadError {
    fn from(error: EngineError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl Index {
    /// The index over a database. `newer`: rows of the journal that could not be applied to it.
    pub(in crate::store) fn new(engine: Engine, newer: Changes) -> Self {
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

    /// Differs from earlier values whenever readers may see something else.
    pub(in crate::store) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Runs a read at one moment. It never waits for a reopening, since it may run on a thread of the reactor.
    ///
    /// A failed sled reads only what it has cached. A read that meets it fails, and the commit thread reopens the
    /// database.
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

    /// Like [`Self::read`], for scans on blocking threads: it waits for a database that is being reopened.
    fn read_patiently<T>(&self, read: impl Fn(&View) -> Result<T, ReadError>) -> Result<T, ReadError> {
        for _ in 0..REOPENING.as_millis() {
            match self.read(&read) {
                Err(ReadError::Unavailable(_)) if self.may_come_back() => {}
                result => return result,
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.read(read)
    }

    /// Whether reads that fail now may soon succeed.
    fn may_come_back(&self) -> bool {
        self.is_reopening.load(Ordering::Relaxed) || self.lock().engine.is_some()
    }

    /// Whether the database fails or is being reopened.
    pub(in crate::store) fn is_interrupted(&self) -> bool {
        self.is_reopening.load(Ordering::Relaxed) || self.is_failing()
    }

    /// Whether a reader met a failing database since it was opened.
    pub(in crate::store) fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Publishes the values before a group of commits. The group may then be applied to the database, and no reader
    /// sees it before [`Self::end_group`].
    pub(in crate::store) fn begin_group(&self, before: Changes) -> Result<(), EngineError> {
        let set = self.lock().undo.before.set(before);
        set.map_err(|_| EngineError::Failed("the group before was never ended".to_owned()))
    }

    /// Shows a group of commits to readers. `in_lock` runs when no reader can see it yet.
    pub(in crate::store) fn end_group(&self, in_lock: impl FnOnce()) {
        let mut view = self.lock_for_change();
        let next = Arc::new(Undo::default());
        let _ = view.undo.next.set(Arc::clone(&next));
        let ended = std::mem::replace(&mut view.undo, next);
        in_lock();
        drop(view);
        drop(ended); // after the lock, since a group may be large
    }

    /// Takes the database out, to close it. Reads fail from now on, unless `reopens` until [`Self::reopened`].
    pub(in crate::store) fn take_engine(&self, reopens: bool) -> Option<Engine> {
        let mut view = self.lock_for_change();
        view.undo = Arc::default();
        self.is_failing.store(false, Ordering::Relaxed);
        self.is_reopening.store(reopens, Ordering::Relaxed);
        view.engine.take()
    }

    /// Ends a reopening, with a database and the newer rows of the journal that could not be applied to it.
    pub(in crate::store) fn reopened(&self, opened: Option<(Engine, Changes)>) {
        let mut view = self.lock_for_change();
        self.is_reopening.store(false, Ordering::Relaxed);
        let Some((engine, newer)) = opened else { return };
        view.engine = Some(engine);
        if !newer.is_empty() {
            let _ = view.undo.before.set(newer);
        }
    }

    /// The database itself, to flush it.
    pub(in crate::store) fn engine(&self) -> Option<Engine> {
        self.lock().engine.clone()
    }

    /// A panic elsewhere leaves nothing half-done behind, so poison is no obstacle.
    fn lock(&self) -> RwLockReadGuard<'_, View> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every change of what readers see goes through here, so each has a new generation.
    fn lock_for_change(&self) -> RwLockWriteGuard<'_, View> {
        let mut view = self.current.write().unwrap_or_else(PoisonError::into_inner);
        view.generation += 1;
        self.generation.store(view.generation, Ordering::Release);
        view
    }
}

/// The rows of one record after the other, in the order of their keys.
///
/// It reads page by page, each at its own moment. A record is always of one moment.
pub(in crate::store) struct Groups<'a> {
    index: &'a Index,
    prefix: Vec<u8>,
    after: Option<Vec<u8>>,
    limit: usize,
    is_done: bool,
    ready: VecDeque<Vec<Row>>,
}

impl<'a> Groups<'a> {
    /// The records whose keys begin with a prefix.
    pub(in crate::store) fn new(index: &'a Index, prefix: Vec<u8>) -> Self {
        Self { index, prefix, after: None, limit: 1024, is_done: false, ready: VecDeque::new() }
    }

    /// Reads a page. The page may cut off its last record, so the next page begins with it.
    fn fill(&mut self) -> Result<(), ReadError> {
        let page = self.index.read_patiently(|view| {
            #[cfg(test)]
            self.index.slow_disk.scan();
            view.page(&self.prefix, self.after.as_deref(), self.limit)
        })?;
        let mut records: VecDeque<Vec<Row>> = VecDeque::new();
        // The record before the page may have grown since. Its new parts are skipped.
        let returned = self.after.as_deref().map(base);
        for row in page.rows.into_iter().skip_while(|(key, _)| Some(base(key)) == returned) {
            match records.back_mut() {
                Some(parts) if parts.first().is_some_and(|(first, _)| base(first) == base(&row.0)) => {
                    parts.push(row)
                }
                _ => records.push_back(vec![row]),
            }
        }
        if page.next.is_some() && records.pop_back().is_some() && records.is_empty() {
            self.limit *= 2;
            return Ok(());
        }
        let last = records.back().and_then(|parts| parts.last()).map(|(key, _)| key.clone());
        self.ready = records;
        self.is_done = page.next.is_none();
        self.after = last.or(page.next);
        Ok(())
    }
}

/// An index that cannot be read ends the scan with an error.
impl Iterator for Groups<'_> {
    type Item = Result<Vec<Row>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.is_done {
            if let Err(error) = self.fill() {
                self.is_done = true;
                return Some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

/// The part that the keys of a record share.
fn base(key: &[u8]) -> &[u8] {
    key.split_last_chunk::<2>().map_or(&[], |(base, _)| base)
}

/// The records of a table, in the order of their ids.
pub(in crate::store) struct Records<'a> {
    groups: Groups<'a>,
    table: Table,
    prefix: usize,
}

impl<'a> Records<'a> {
    pub(in crate::store) fn new(index: &'a Index, space: &Space, table: Table) -> Self {
        Self::within(index, space, table, &[])
    }

    /// The records whose ids begin with `begin`, which is left out of the ids.
    pub(in crate::store) fn within(index: &'a Index, space: &Space, table: Table, begin: &[u8]) -> Self {
        let mut prefix = space.table(table);
        prefix.extend_from_slice(begin);
        Self { table, prefix: prefix.len(), groups: Groups::new(index, prefix) }
    }

    fn record(&self, parts: &[Row]) -> Result<Row, ReadError> {
        let cell = Cell {
            table: self.table,
            base: parts.first().map(|(key, _)| base(key)).unwrap_or_default().to_vec(),
        };
        let record = cell.join(parts)?;
        Ok((cell.base.get(self.prefix..).unwrap_or_default().to_vec(), record))
    }

    /// The records, parsed.
    pub(in crate::store) fn parsed<T: DeserializeOwned>(
        self,
    ) -> impl Iterator<Item = Result<(Vec<u8>, T), ReadError>> + 'a {
        let cell = Cell { table: self.table, base: Vec::new() };
        self.map(move |row| {
            let (id, bytes) = row?;
            serde_json::from_slice(&bytes).map(|record| (id, record)).map_err(|cause| cell.damaged(cause))
        })
    }
}

/// Ids and bytes. A damaged record is an error in its place, and the scan continues.
impl Iterator for Records<'_> {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let parts = self.groups.next()?;
        Some(parts.and_then(|parts| self.record(&parts)))
    }
}

/// Makes the reads of a test wait, as a disk that does not answer would.
#[cfg(test)]
#[derive(Default)]
pub(in crate::store) struct SlowDisk {
    /// Locked while all reads wait.
    pub(in crate::store) reads: RwLock<()>,
    /// Locked while scans wait.
    pub(in crate::store) scans: RwLock<()>,
    pub(in crate::store) waiting_scans: std::sync::atomic::AtomicUsize,
}

#[cfg(test)]
impl SlowDisk {
    fn read(&self) {
        drop(self.reads.read().unwrap());
    }

    fn scan(&self) {
        self.waiting_scans.fetch_add(1, Ordering::SeqCst);
        drop(self.scans.read().unwrap());
        self.waiting_scans.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Slug;
    use crate::store::record::agenda::AgendaRecord;
    use crate::store::{Store, Write};
    use chrono::DateTime;
    use std::sync::mpsc;
    use std::time::Instant;

    fn open(dir: &std::path::Path) -> Store {
        Store::open(dir, &Slug::parse("con").unwrap()).unwrap()
    }

    fn put(key: u8, expect: Option<u64>) -> Write {
        let record = AgendaRecord {
            version: expect.unwrap_or(0) + 1,
            name: String::new(),
            picks: Vec::new(),
            links: Vec::new(),
            created: DateTime::UNIX_EPOCH,
            modified: DateTime::UNIX_EPOCH,
            key_generation: 0,
            next_link: 1,
            seen_release: 1,
        };
        Write::PutAgenda { key: Digest([key; 32]), expect, record }
    }

    fn versions(store: &Store) -> Vec<(u8, u64)> {
        store.agendas().map(Result::unwrap).map(|(key, record)| (key.0[0], record.version)).collect()
    }

    #[test]
    fn a_scan_on_a_slow_disk_delays_no_commit_and_no_other_read() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        store.commit_blocking(vec![put(1, None)]).unwrap();
        let stalled = store.stall_scans();
        let scan = std::thread::spawn({
            let store = store.clone();
            move || versions(&store)
        });
        stalled.wait_for_a_scan();
        let before = store.generation();
        store.commit_blocking(vec![put(2, None)]).unwrap();
        assert!(store.agenda(&Digest([1; 32])).unwrap().is_some());
        assert!(store.generation() > before);
        assert!(stalled.end(), "the commit or a read waited for the scan");
        scan.join().unwrap();
    }

    #[test]
    fn a_page_is_of_the_moment_at_which_its_read_began() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        store.commit_blocking(vec![put(1, None), put(2, None), put(3, None)]).unwrap();
        let stalled = store.stall_scans();
        let scan = std::thread::spawn({
            let store = store.clone();
            move || versions(&store)
        });
        stalled.wait_for_a_scan();
        store.commit_blocking(vec![put(1, Some(1)), put(4, None)]).unwrap();
        store.commit_blocking(vec![put(1, Some(2)), put(2, Some(1))]).unwrap();
        store.commit_blocking(vec![Write::DeleteAgenda { key: Digest([3; 32]), expect: None }]).unwrap();
        assert!(stalled.end());
        assert_eq!(scan.join().unwrap(), [(1, 1), (2, 1), (3, 1)]);
        assert_eq!(versions(&store), [(1, 3), (2, 2), (4, 1)]);
    }

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
        let index = Index::new(engine, Changes::new());
        let mut tries = 0;
        let result: Result<(), _> = index.read(|_| {
            tries += 1;
            Err(ReadError::Unavailable("it failed".to_owned()))
        });
        assert!(result.is_err() && index.is_failing());
        assert_eq!(tries, 1);
    }

    /// The commit thread reads the journal to reopen the index. One segment is a pipe without a writer, so the
    /// reopening lasts as long as the test wants.
    #[test]
    fn a_read_during_a_reopening_fails_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
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
        // The first reads may come before the reopening. A read that waits for its end never answers.
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
