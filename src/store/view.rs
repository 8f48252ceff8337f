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
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

/// How long a read waits for a failing database to be replaced.
const PATIENCE: Duration = Duration::from_secs(1);

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
}

impl View {
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

/// Reads under the lock, for as short as the read takes.
///
/// A sled that failed, at a group, at a flush or in a thread of its own, no longer reads what it had not cached. Such a
/// read tells the commit thread, which replaces it, and waits for that instead of failing.
pub(super) fn read<T>(
    view: &RwLock<View>,
    read: impl Fn(&View) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    // A panic elsewhere leaves nothing half-done behind, so poison is no obstacle.
    let lock = || view.read().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..PATIENCE.as_millis() {
        let view = lock();
        match read(&view) {
            Err(ReadError::Unavailable(_)) if view.engine.is_some() || !view.before.is_empty() => {
                view.is_failing.store(view.engine.is_some(), Ordering::Relaxed);
            }
            result => return result,
        }
        drop(view);
        std::thread::sleep(Duration::from_millis(1));
    }
    read(&lock())
}

/// Whether a reader met a failing database since this was asked last.
pub(super) fn is_failing(view: &RwLock<View>) -> bool {
    view.read().unwrap_or_else(PoisonError::into_inner).is_failing.swap(false, Ordering::Relaxed)
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
        let page = read(self.view, |view| view.page(&self.prefix, self.after.as_deref(), self.limit))?;
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
