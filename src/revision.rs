//! Revisions: what every session was last published as, and how often that changed.
//!
//! Owns the ledger's rules. It knows neither how a VEVENT looks (it is handed digests) nor where the ledger
//! is kept. Invariants: a sequence never falls, and rises exactly when the session's digest changes
//! (RFC 5545, 3.8.7.4); numbers and slugs are never reused; an entry is never removed.

mod advance;
mod departure;
mod digest;
mod ledger;
mod lift;
mod slugs;

pub use advance::{Draft, Step, advance};
pub use departure::{Departure, Found};
pub use digest::Digest;
pub use ledger::{Entry, FeedMark, Floor, Ledger, Place, Revision, Standing};
pub use lift::{Ceiling, lift};
pub use slugs::Slugs;
