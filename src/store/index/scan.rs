//! Scanning the index: all records of a table, page by page, while commits go on.

use super::view::Index;
use crate::store::error::ReadError;
use crate::store::record::RecordTable;
use crate::store::rows::{KeySpace, KeyValue, RecordAddress};
use serde::de::DeserializeOwned;
use std::collections::VecDeque;

/// Yields all rows of each record together, in the order of their keys.
///
/// Pages are read at different moments, but all rows of one record at the same moment.
pub(in crate::store) struct RowsByRecord<'a> {
    index: &'a Index,
    prefix: Vec<u8>,
    after: Option<Vec<u8>>,
    limit: usize,
    is_done: bool,
    ready: VecDeque<Vec<KeyValue>>,
}

impl<'a> RowsByRecord<'a> {
    /// Scans the records whose keys begin with a prefix.
    pub(in crate::store) fn new(index: &'a Index, prefix: Vec<u8>) -> Self {
        Self { index, prefix, after: None, limit: 1024, is_done: false, ready: VecDeque::new() }
    }

    /// Reads a page. The page may cut off its last record; the next page begins with that record.
    fn read_page(&mut self) -> Result<(), ReadError> {
        let page = self.index.read_waiting(|view| {
            #[cfg(test)]
            self.index.slow_disk.scan();
            view.page(&self.prefix, self.after.as_deref(), self.limit)
        })?;
        let mut records: VecDeque<Vec<KeyValue>> = VecDeque::new();
        // The record before the page may have grown since it was read. Its new parts are skipped.
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
impl Iterator for RowsByRecord<'_> {
    type Item = Result<Vec<KeyValue>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.is_done {
            if let Err(error) = self.read_page() {
                self.is_done = true;
                return Some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

/// The part of a key that all keys of a record share.
fn base(key: &[u8]) -> &[u8] {
    key.split_last_chunk::<2>().map_or(&[], |(base, _)| base)
}

/// The records of a table, in the order of their ids.
pub(in crate::store) struct RecordScan<'a> {
    groups: RowsByRecord<'a>,
    table: RecordTable,
    prefix: usize,
}

impl<'a> RecordScan<'a> {
    pub(in crate::store) fn new(index: &'a Index, space: &KeySpace, table: RecordTable) -> Self {
        Self::with_id_prefix(index, space, table, &[])
    }

    /// Scans the records whose ids begin with `id_prefix`. The yielded ids lack this prefix.
    pub(in crate::store) fn with_id_prefix(
        index: &'a Index,
        space: &KeySpace,
        table: RecordTable,
        id_prefix: &[u8],
    ) -> Self {
        let mut prefix = space.table(table);
        prefix.extend_from_slice(id_prefix);
        Self { table, prefix: prefix.len(), groups: RowsByRecord::new(index, prefix) }
    }

    fn record(&self, parts: &[KeyValue]) -> Result<KeyValue, ReadError> {
        let address = RecordAddress {
            table: self.table,
            base: parts.first().map(|(key, _)| base(key)).unwrap_or_default().to_vec(),
        };
        let record = address.join(parts)?;
        Ok((address.base.get(self.prefix..).unwrap_or_default().to_vec(), record))
    }

    /// The records, parsed.
    pub(in crate::store) fn parsed<T: DeserializeOwned>(
        self,
    ) -> impl Iterator<Item = Result<(Vec<u8>, T), ReadError>> + 'a {
        let address = RecordAddress { table: self.table, base: Vec::new() };
        self.map(move |row| {
            let (id, bytes) = row?;
            serde_json::from_slice(&bytes).map(|record| (id, record)).map_err(|cause| address.damaged(cause))
        })
    }
}

/// Yields ids and bytes. A damaged record yields an error, and the scan continues.
impl Iterator for RecordScan<'_> {
    type Item = Result<KeyValue, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let parts = self.groups.next()?;
        Some(parts.and_then(|parts| self.record(&parts)))
    }
}

#[cfg(test)]
mod tests {
    use crate::program::Slug;
    use crate::revision::Digest;
    use crate::store::record::agenda::AgendaRecord;
    use crate::store::{Store, Write};
    use chrono::DateTime;

    fn open(dir: &std::path::Path) -> Store {
        Store::open(dir, &Slug::parse("con").unwrap()).unwrap()
    }

    fn put(key: u8, expect: Option<u64>) -> Write {
        let version = expect.unwrap_or(0) + 1;
        let record = AgendaRecord { version, ..AgendaRecord::empty(DateTime::UNIX_EPOCH, 1) };
        Write::PutAgenda { key: Digest([key; 32]), expect, record }
    }

    fn versions(store: &Store) -> Vec<(u8, u64)> {
        store.agendas().map(Result::unwrap).map(|(key, record)| (key.0[0], record.version)).collect()
    }

    #[test]
    fn a_scan_on_a_slow_disk_does_not_delay_commits_or_other_reads() {
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
    fn a_page_shows_the_state_at_the_start_of_its_read() {
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
}
