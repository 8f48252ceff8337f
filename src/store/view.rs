//! What readers see: the tree, with the group in flight hidden.
//!
//! sled shows a batch to readers before it is on disk. Until a commit is acknowledged, readers get the
//! values from before it, also when its sync failed and nobody knows yet what is on disk.

use super::ReadError;
use super::cell::{Cell, Space, Table, payload};
use super::engine::{Engine, EngineError};
use super::plan::{Changes, decode};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

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
        let mut rows: BTreeMap<_, _> = read.into_iter().collect();
        let hidden =
            self.before.range::<[u8], _>((start, end)).take_while(|(key, _)| key.starts_with(prefix));
        for (key, before) in hidden {
            match before {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(Page { rows, next })
    }
}

struct Page {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Where the next page goes on; none after the last.
    next: Option<Vec<u8>>,
}

impl From<EngineError> for ReadError {
    fn from(error: EngineError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Locks for reading. A panic elsewhere leaves nothing half-done behind, so poison is no obstacle.
pub(super) fn read(view: &RwLock<View>) -> RwLockReadGuard<'_, View> {
    view.read().unwrap_or_else(PoisonError::into_inner)
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
    ready: VecDeque<(Vec<u8>, Vec<u8>)>,
}

impl<'a> Records<'a> {
    pub(super) fn new(view: &'a RwLock<View>, space: &Space, table: Table) -> Self {
        let prefix = space.table(table);
        Self { view, table, prefix, after: None, limit: 1024, is_done: false, ready: VecDeque::new() }
    }

    /// Reads a page and puts its records together; one that the page cuts off begins the next page.
    fn fill(&mut self) -> Result<(), ReadError> {
        let page = read(self.view).page(&self.prefix, self.after.as_deref(), self.limit)?;
        let mut rows = page.rows.into_iter().peekable();
        let mut last = None;
        while let Some((key, value)) = rows.next() {
            let base = key.get(..key.len().saturating_sub(2)).unwrap_or_default().to_vec();
            let cell = Cell { table: self.table, base };
            let (count, mut record) = cell.first(&key, &value)?;
            let mut end = key;
            let mut parts = 1;
            while let Some((key, value)) = rows.next_if(|(key, _)| *key == cell.key(parts)) {
                record.extend_from_slice(payload(self.table, &key, &value)?);
                (end, parts) = (key, parts.saturating_add(1));
            }
            if parts != count {
                if rows.peek().is_some() || page.next.is_none() {
                    return Err(cell.damaged("a part is missing"));
                }
                self.limit = if last.is_none() { self.limit * 2 } else { self.limit };
                self.after = last.or_else(|| self.after.take());
                return Ok(());
            }
            self.ready.push_back((cell.base.get(self.prefix.len()..).unwrap_or_default().to_vec(), record));
            last = Some(end);
        }
        self.is_done = page.next.is_none();
        self.after = page.next;
        Ok(())
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

/// Ids and bytes. After an error there is nothing more.
impl Iterator for Records<'_> {
    type Item = Result<(Vec<u8>, Vec<u8>), ReadError>;

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
