//! Bringing an index up to the journal: its records, many in one batch, with the tally after them.

use super::engine::{Engine, EngineError};
use super::journal::Record;
use super::plan::Changes;
use super::tally::Tally;

/// Rows that are applied in one batch.
const BATCH: usize = 2000;

/// Applies records of the journal, many in one batch.
pub(super) struct Applying<'a> {
    pub(super) engine: &'a Engine,
    pub(super) tally: Tally,
    /// What is held and not written yet.
    pub(super) batch: Changes,
    /// Of the last record held.
    pub(super) sequence: u64,
}

impl Applying<'_> {
    pub(super) fn hold(&mut self, record: Record) {
        self.sequence = record.sequence;
        self.batch.extend(record.rows);
    }

    pub(super) fn write_if_large(&mut self) -> Result<(), EngineError> {
        if self.batch.len() >= BATCH { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), EngineError> {
        let changes = std::mem::take(&mut self.batch);
        let before: Result<Changes, EngineError> =
            changes.keys().map(|key| Ok((key.clone(), self.engine.value(key)?))).collect();
        self.tally = self.tally.after(self.sequence, &before?, &changes);
        self.engine.apply(&changes, &self.tally)
    }

    pub(super) fn finish(mut self) -> Result<Tally, EngineError> {
        if !self.batch.is_empty() {
            self.write()?;
        }
        Ok(self.tally)
    }
}
