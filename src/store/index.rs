//! The index: all records in sled, from which the store reads. Only this folder uses sled.
//!
//! The index can be derived from checkpoint and journal: if it is damaged or behind, it is rebuilt from them.

pub(super) mod engine;
pub(super) mod ledger;
pub(super) mod opening;
pub(super) mod scan;
pub(super) mod tally;
pub(super) mod view;
