//! Reading the shared log: the entries of other replicas are applied like those of this one.

use super::{Committer, GroupError, before};
use crate::store::error::StorageError;
use crate::store::index::Engine;
use crate::store::journal::Followed;
use crate::store::journal::chain::Position;
use crate::store::record::RecordTable;
use crate::store::rows::{FORMAT, KeySpace, RowChanges};
use std::sync::atomic::Ordering;
use std::time::Instant;

impl Committer {
    /// Reads the rest of the shared log and applies it.
    pub(super) fn follow(&mut self) -> Result<(), GroupError> {
        let Some(engine) = self.engine.clone() else { return Ok(()) };
        self.followed = Instant::now();
        while let Some(Followed { records, writers, bytes, chain, has_more }) =
            self.journal.follow().map_err(GroupError::Journal)?
        {
            if let Some(turns) = &mut self.turns {
                turns.saw(writers, Instant::now());
            }
            let mut changes = RowChanges::new();
            records.into_iter().for_each(|record| changes.extend(record.rows));
            self.shared.state.journaled.fetch_add(bytes, Ordering::Relaxed);
            let position = Position { sequence: self.journal.sequence(), chain: Some(chain) };
            let before = before(&engine, &changes).map_err(GroupError::Index)?;
            self.apply(&engine, before, &changes, position)?;
            // A foreign publication may have left pieces.
            self.has_leftovers = true;
            if let Some(replica) = &self.shared.replica
                && changes.keys().any(|key| is_of_ledger(&self.shared.space, key))
            {
                replica.ledger_changes.fetch_add(1, Ordering::Release);
            }
            self.refuse_newer_format(&engine, &changes).map_err(GroupError::Journal)?;
            if let Some(replica) = &self.shared.replica {
                replica.followed.send_replace(position.sequence);
            }
            if !has_more {
                break;
            }
        }
        if let Some(replica) = &self.shared.replica {
            replica.was_read();
        }
        Ok(())
    }

    /// Stops writing if a newer version has written records that this one would not find.
    fn refuse_newer_format(&mut self, engine: &Engine, changes: &RowChanges) -> Result<(), StorageError> {
        let format = self.shared.space.address(RecordTable::Format, b"");
        if !changes.contains_key(&format.key(0)) {
            return Ok(());
        }
        let found = format.read(|key| Ok(engine.value(key)?)).ok().flatten();
        match found.and_then(|bytes| serde_json::from_slice::<u8>(&bytes).ok()) {
            Some(found) if found <= FORMAT => Ok(()),
            found => {
                let found = found.map_or_else(|| "a newer one".to_owned(), |found| found.to_string());
                let cause = format!(
                    "another replica of a newer version writes format {found}, and this one knows formats up to {FORMAT}; \
                     upgrade this replica"
                );
                self.journal.stop(&cause);
                Err(StorageError::Failed(cause))
            }
        }
    }

    /// [`Self::follow`] at a start.
    pub(in crate::store) fn catch_up(&mut self) -> Result<(), StorageError> {
        self.follow().map_err(|(GroupError::Journal(error) | GroupError::Index(error))| error)
    }
}

/// Whether a row is of the live release.
fn is_of_ledger(space: &KeySpace, key: &[u8]) -> bool {
    const TABLES: [RecordTable; 5] =
        [RecordTable::Csv, RecordTable::Entry, RecordTable::Head, RecordTable::Ledger, RecordTable::Amended];
    let letter = key.strip_prefix(space.prefix()).and_then(|rest| rest.first().copied());
    letter.and_then(RecordTable::of).is_some_and(|table| TABLES.contains(&table))
}
