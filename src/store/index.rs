//! The index: all records in sled, where they are read. Only this folder knows sled.
//!
//! It is a cache of checkpoint and journal: an index that is damaged or behind is rebuilt from them.

pub(super) mod engine;
pub(super) mod ledger;
pub(super) mod opening;
pub(super) mod scan;
pub(super) mod tally;
pub(super) mod view;
