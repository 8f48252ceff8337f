//! Reading and removing temporary records.
//!
//! Each has an expiry. The store knows no time of day, so a reader compares the expiry itself, and a sweep by the caller
//! removes what has expired.

use super::Store;
use super::error::{CommitError, ReadError};
use super::index::scan::RecordScan;
use super::record::RecordTable;
use super::record::temporary::{TemporaryKind, TemporaryRecord};
use super::write::Write;
use bytes::Bytes;
use chrono::{DateTime, Utc};

impl Store {
    /// A temporary record that has not expired at `now`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn temporary(
        &self,
        kind: TemporaryKind,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Bytes>, ReadError> {
        let found = self.raw(&kind.name(id))?.and_then(TemporaryRecord::decode);
        Ok(found.filter(|record| record.until > now).map(|record| record.bytes))
    }

    /// The number of records of a kind, expired ones included.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn count_temporary(&self, kind: TemporaryKind) -> Result<usize, ReadError> {
        self.temporaries(kind).try_fold(0, |count, row| row.map(|_| count + 1))
    }

    /// Removes the records that have expired at `now`. Blocks on the store.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn remove_expired(&self, now: DateTime<Utc>) -> Result<usize, CommitError> {
        let mut writes = Vec::new();
        for kind in TemporaryKind::ALL {
            for (id, record) in self.temporaries(kind).flatten() {
                if record.is_none_or(|record| record.until <= now) {
                    writes.push(Write::PutRaw { name: kind.name(&id), value: None });
                }
            }
        }
        let removed = writes.len();
        if removed > 0 {
            self.commit_blocking(writes)?;
        }
        Ok(removed)
    }

    /// All records of a kind. A damaged one is `None`.
    fn temporaries(
        &self,
        kind: TemporaryKind,
    ) -> impl Iterator<Item = Result<(String, Option<TemporaryRecord>), ReadError>> + '_ {
        let prefix = kind.prefix().as_bytes();
        let rows = RecordScan::with_id_prefix(self.index(), self.space(), RecordTable::Note, prefix);
        rows.map(|row| {
            let (id, bytes) = row?;
            Ok((String::from_utf8_lossy(&id).into_owned(), TemporaryRecord::decode(bytes)))
        })
    }
}
