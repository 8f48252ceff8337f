//! Revisions: the last published state of every session, and how often the session changed.
//!
//! Owns the ledger's rules. Gets digests of VEVENTs and knows neither their format nor where the ledger is stored.
//! Invariants: a sequence never falls, and rises exactly when the session's digest changes (RFC 5545, 3.8.7.4); numbers
//! and slugs are never reused; an entry is never removed.

mod advance;
mod digest;
mod ledger;
mod slugs;

pub use advance::{Advanced, Draft, advance};
pub use digest::Digest;
pub use ledger::{
    Departure, Entry, FeedMark, FilterValues, Floor, FormerPlace, Issued, Ledger, Revision, Standing,
};
pub use slugs::Slugs;
