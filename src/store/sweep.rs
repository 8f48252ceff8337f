//! What no release needs: pieces of one that was never published, and the ledger that another took the place of.
//!
//! It decides from the head alone, so a crash at any moment leaves nothing that it does not find again.

use super::LedgerHead;
use super::cell::{Space, Table};
use super::engine::{Engine, EngineError};
use super::plan::Changes;
use super::release::Base;
use std::ops::Bound;

/// Rows that are removed in one commit.
const ROWS: usize = 512;

/// Some rows to remove; none once there are no more.
pub(super) fn leftovers(
    engine: &Engine,
    space: &Space,
    head: Option<&LedgerHead>,
) -> Result<Changes, EngineError> {
    let Base { release: base, pieces } = head.map(|head| head.base).unwrap_or_default();
    let published = head.map_or(0, |head| head.release);
    let mut found = Changes::new();
    let mut take = |table: Table, from: &[u8], to: Option<&[u8]>| -> Result<(), EngineError> {
        let prefix = space.table(table);
        let start = [&prefix, from].concat();
        let end = to.map(|to| [&prefix, to].concat());
        let rows = engine.range(&prefix, Bound::Included(&start), ROWS.saturating_sub(found.len()))?;
        let rows = rows.into_iter().map(|(key, _)| key);
        found.extend(rows.take_while(|key| end.as_ref().is_none_or(|end| key < end)).map(|key| (key, None)));
        Ok(())
    };
    if base > 0 {
        [Table::Entry, Table::Feed, Table::Slug].into_iter().try_for_each(|table| take(table, b"", None))?;
    }
    let (this, next) = (base.to_be_bytes(), base.saturating_add(1).to_be_bytes());
    take(Table::Ledger, b"", Some(&this))?;
    take(Table::Ledger, &[&this[..], &pieces.to_be_bytes()].concat(), None)?;
    take(Table::Amended, b"", Some(&this))?;
    take(Table::Amended, &next, None)?;
    let unpublished = published.saturating_add(1).to_be_bytes();
    for table in [Table::Csv, Table::Detail, Table::Changes] {
        take(table, &unpublished, None)?;
    }
    Ok(found)
}
