//! What readers see: the tree, with the group in flight hidden.
//!
//! sled shows a batch to readers before it is on disk. Until a commit is acknowledged, readers get the
//! values from before it, also when its sync failed and nobody knows yet what is on disk.

use super::ReadError;
use super::cell::{Cell, Row, Space, Table};
use super::engine::{Engine, EngineError};
use super::plan::{Changes, decode};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// How long a scan waits for a failing database to be replaced.
const PATIENCE: Duration = Duration::from_secs(2);

/// The tree and the pre-images of the group in flight.
pub(super) struct View {
    /// None while it is being reopened, and when it is closed.
    pub(super) engine: Option<Engine>,
    /// What the keys of the group in flight held before it.
    pub(super) before: Changes,
    /// Rises whenever what readers see may change.
    pub(super) generation: u64,
    /// A reader met a failing database: the commit thread is to replace it.
    pub(super) is_failing: AtomicBool,
    /// The commit thread opens the database anew.
    pub(super) is_reopening: bool,
}

impl View {
    /// Whether reads that fail now may succeed soon.
    fn may_come_back(&self) -> bool {
        self.engine.is_some() || self.is_reopening
    }

    fn engine(&self) -> Result<&Engine, ReadError> {
        self.engine.as_ref().ok_or_else(|| ReadError::Unavailable("it is not open".to_owned()))
    }

    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        match self.before.get(key) {
            Some(before) => Ok(before.clone()),
            None => Ok(self.engine()?.value(key)?),
        }
    }

    /// A record's bytes.
    pub(super) fn bytes(&self, cell: &Cell) -> Result<Option<Vec<u8>>, ReadError> {
        cell.read(|key| self.value(key))
    }

    /// A record.
    pub(super) fn record<T: DeserializeOwned>(&self, cell: &Cell) -> Result<Option<T>, ReadError> {
        decode(cell, self.bytes(cell)?)
    }

    fn page(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Page, ReadError> {
        let start = after.map_or(Bound::Included(prefix), Bound::Excluded);
        let read = self.engine()?.range(prefix, start, limit)?;
        let next = if read.len() == limit { read.last().map(|(key, _)| key.clone()) } else { None };
        let end = next.as_deref().map_or(Bound::Unbounded, Bound::Included);
        let hidden =
            self.before.range::<[u8], _>((start, end)).take_while(|(key, _)| key.starts_with(prefix));
        let mut hidden = hidden.peekable();
        if hidden.peek().is_none() {
            return Ok(Page { rows: read, next });
        }
        let mut rows: BTreeMap<_, _> = read.into_iter().collect();
        for (key, before) in hidden {
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
    /// Where the next page goes on; none after the last.
    next: Option<Vec<u8>>,
}

impl From<EngineError> for ReadError {
    fn from(error: EngineError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Reads under the lock, for as short as the read takes. It waits for nothing: it may be on a thread of the reactor.
///
/// A sled that failed, at a group, at a flush or in a thread of its own, no longer reads what it had not cached. Such a
/// read fails, and tells the commit thread, which opens the database anew.
pub(super) fn read<T>(
    view: &RwLock<View>,
    read: impl FnOnce(&View) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let view = lock(view);
    let result = read(&view);
    if let Err(ReadError::Unavailable(_)) = result {
        view.is_failing.store(view.engine.is_some(), Ordering::Relaxed);
    }
    result
}

/// [`read`] for scans, which are on threads of their own: it waits a while for a database that is opened anew.
fn read_patiently<T>(
    view: &RwLock<View>,
    attempt: impl Fn(&View) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    for _ in 0..PATIENCE.as_millis() {
        match read(view, &attempt) {
            Err(ReadError::Unavailable(_)) if lock(view).may_come_back() => {}
            result => return result,
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    read(view, attempt)
}

/// A panic elsewhere leaves nothing half-done behind, so poison is no obstacle.
fn lock(view: &RwLock<View>) -> RwLockReadGuard<'_, View> {
    view.read().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the database is failing or being opened anew, and may be back soon.
pub(super) fn is_interrupted(view: &RwLock<View>) -> bool {
    let view = lock(view);
    view.is_reopening || view.is_failing.load(Ordering::Relaxed)
}

/// Whether a reader met a failing database since it was opened.
pub(super) fn is_failing(view: &RwLock<View>) -> bool {
    lock(view).is_failing.load(Ordering::Relaxed)
}

/// Locks for exchanging what readers see. It is the one way to do it, so no change goes without a new generation.
pub(super) fn write(view: &RwLock<View>) -> RwLockWriteGuard<'_, View> {
    let mut view = view.write().unwrap_or_else(PoisonError::into_inner);
    view.generation += 1;
    view
}

/// The rows of one record after the other, in the order of their keys. Each record is as it was at one moment,
/// but a scan takes many moments: the lock is held for a page at a time, so that commits go on meanwhile.
pub(super) struct Groups<'a> {
    view: &'a RwLock<View>,
    prefix: Vec<u8>,
    after: Option<Vec<u8>>,
    limit: usize,
    is_done: bool,
    ready: VecDeque<Vec<Row>>,
}

impl<'a> Groups<'a> {
    /// The records whose keys begin with a prefix.
    pub(super) fn new(view: &'a RwLock<View>, prefix: Vec<u8>) -> Self {
        Self { view, prefix, after: None, limit: 1024, is_done: false, ready: VecDeque::new() }
    }

    /// Reads a page. Its last record, which the page may cut off, begins the next.
    fn fill(&mut self) -> Result<(), ReadError> {
        let page =
            read_patiently(self.view, |view| view.page(&self.prefix, self.after.as_deref(), self.limit))?;
        let mut records: VecDeque<Vec<Row>> = VecDeque::new();
        // The record before may have grown since: its new parts are none of the next one's.
        let given = self.after.as_deref().map(base);
        for row in page.rows.into_iter().skip_while(|(key, _)| Some(base(key)) == given) {
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

/// A store that cannot be read ends the scan with the error.
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

/// What the keys of a record's parts have in common.
fn base(key: &[u8]) -> &[u8] {
    key.split_last_chunk::<2>().map_or(&[], |(base, _)| base)
}

/// The records of a table, in the order of their ids.
pub(super) struct Records<'a> {
    groups: Groups<'a>,
    table: Table,
    prefix: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(view: &'a RwLock<View>, space: &Space, table: Table) -> Self {
        Self::within(view, space, table, &[])
    }

    /// Those whose ids begin with some bytes, which are left out of the ids.
    pub(super) fn within(view: &'a RwLock<View>, space: &Space, table: Table, begin: &[u8]) -> Self {
        let mut prefix = space.table(table);
        prefix.extend_from_slice(begin);
        Self { table, prefix: prefix.len(), groups: Groups::new(view, prefix) }
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
    pub(super) fn parsed<T: DeserializeOwned>(
        self,
    ) -> impl Iterator<Item = Result<(Vec<u8>, T), ReadError>> + 'a {
        let cell = Cell { table: self.table, base: Vec::new() };
        self.map(move |row| {
            let (id, bytes) = row?;
            serde_json::from_slice(&bytes).map(|record| (id, record)).map_err(|cause| cell.damaged(cause))
        })
    }
}

/// Ids and bytes. A damaged record is an error in its place, and the others follow.
impl Iterator for Records<'_> {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let parts = self.groups.next()?;
        Some(parts.and_then(|parts| self.record(&parts)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Store, agenda::AgendaRecord};
    use super::*;
    use crate::program::Slug;
    use crate::revision::Digest;
    use std::cell::Cell as Count;
    use std::sync::mpsc;

    fn unavailable<T>() -> Result<T, ReadError> {
        Err(ReadError::Unavailable("it failed".to_owned()))
    }

    #[test]
    fn a_read_that_fails_is_not_tried_again() {
        let view = View {
            engine: None,
            before: Changes::new(),
            generation: 0,
            is_failing: false.into(),
            is_reopening: true,
        };
        let view = RwLock::new(view);
        let tries = Count::new(0);
        let result: Result<(), _> = read(&view, |_| {
            tries.set(tries.get() + 1);
            unavailable()
        });
        assert_eq!((result, tries.get()), (unavailable(), 1));
    }

    /// The journal that the commit thread reads to open the index anew is a pipe that nobody writes to, so the reopening
    /// goes on for as long as the test wants.
    #[test]
    fn a_read_during_a_reopening_fails_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), &Slug::parse("con").unwrap()).unwrap();
        let pipe = dir.path().join("journal/00000000000000000002.journal");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        lock(store.view()).is_failing.store(true, Ordering::Relaxed);
        let (answer, answers) = mpsc::channel::<Result<Option<AgendaRecord>, ReadError>>();
        let reader = store.clone();
        std::thread::spawn(move || {
            while answer.send(reader.agenda(&Digest([7; 32]))).is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        // The first reads may come before the reopening; one that waits for its end answers never.
        let mut failed = 0;
        while failed < 100 {
            let answered =
                answers.recv_timeout(Duration::from_secs(20)).expect("a read waits for the reopening");
            failed += usize::from(matches!(answered, Err(ReadError::Unavailable(_))));
        }
        drop(std::fs::OpenOptions::new().write(true).open(&pipe).unwrap());
        let back = std::time::Instant::now();
        while store.agenda(&Digest([7; 32])) != Ok(None) {
            assert!(back.elapsed() < Duration::from_secs(20), "it does not come back");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
