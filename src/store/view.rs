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
/// A sled that failed in the middle of a group no longer reads what it had not cached. The commit thread is
/// about to replace it, so such a read waits for that instead of failing.
pub(super) fn read<T>(
    view: &RwLock<View>,
    read: impl Fn(&View) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    // A panic elsewhere leaves nothing half-done behind, so poison is no obstacle.
    let lock = || view.read().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..PATIENCE.as_millis() {
        let view = lock();
        match read(&view) {
            Err(ReadError::Unavailable(_)) if !view.before.is_empty() => {}
            result => return result,
        }
        drop(view);
        std::thread::sleep(Duration::from_millis(1));
    }
    read(&lock())
}

/// Locks for exchanging what readers see.
pub(super) fn write(view: &RwLock<View>) -> RwLockWriteGuard<'_, View> {
    view.write().unwrap_or_else(PoisonError::into_inner)
}

/// The records of a table, in the order of their ids. Each is as it was at one moment, but a scan takes many
/// moments: the lock is held for a page at a time, so that commits go on meanwhile.
pub(super) struct Records<'a> {
    view: &'a RwLock<View>,
    table: Table,
    prefix: Vec<u8>,
    after: Option<Vec<u8>>,
    limit: usize,
    is_done: bool,
    ready: VecDeque<Result<Row, ReadError>>,
}

impl<'a> Records<'a> {
    pub(super) fn new(view: &'a RwLock<View>, space: &Space, table: Table) -> Self {
        let prefix = space.table(table);
        Self { view, table, prefix, after: None, limit: 1024, is_done: false, ready: VecDeque::new() }
    }

    /// Reads a page and puts its records together. The last one, which the page may cut off, begins the next.
    fn fill(&mut self) -> Result<(), ReadError> {
        let page = read(self.view, |view| view.page(&self.prefix, self.after.as_deref(), self.limit))?;
        let base = |row: &Row| row.0.len().saturating_sub(2);
        let same = |a: &Row, b: &Row| a.0.get(..base(a)) == b.0.get(..base(b));
        let mut records: Vec<&[Row]> = page.rows.chunk_by(same).collect();
        if page.next.is_some() && records.pop().is_some() && records.is_empty() {
            self.limit *= 2;
            return Ok(());
        }
        let last = records.last().and_then(|parts| parts.last()).map(|(key, _)| key.clone());
        for parts in records {
            self.ready.push_back(self.record(parts));
        }
        self.is_done = page.next.is_none();
        self.after = last.or(page.next);
        Ok(())
    }

    fn record(&self, parts: &[Row]) -> Result<Row, ReadError> {
        let base = parts.first().and_then(|(key, _)| key.get(..key.len().saturating_sub(2)));
        let cell = Cell { table: self.table, base: base.unwrap_or_default().to_vec() };
        let mut rest = parts.iter();
        let record = cell.read(|key| {
            let part = rest.as_slice().first().filter(|(found, _)| found == key);
            Ok(part.and_then(|_| rest.next()).map(|(_, value)| value.clone()))
        })?;
        let record = record.ok_or_else(|| cell.damaged("its first part is missing"))?;
        Ok((cell.base.get(self.prefix.len()..).unwrap_or_default().to_vec(), record))
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

/// Ids and bytes. A damaged record is an error in its place, and the others follow; a store that cannot be read
/// ends the scan with the error.
impl Iterator for Records<'_> {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.is_done {
            if let Err(error) = self.fill() {
                self.is_done = true;
                return Some(Err(error));
            }
        }
        self.ready.pop_front()
    }
}
