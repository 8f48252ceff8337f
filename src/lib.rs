//! Callboard: one `program.csv` in, every attendee's calendar right.
//!
//! ```text
//! program.csv --import--> Program --diff--> [Change] --advance--> Ledger --render, lint--> FeedSet, pages
//!                            |                            |                            |
//!                            +------ persisted, then one immutable Release swapped in ----+
//!                                                         |
//!  picks in sled --store--> picks --agenda--> Agenda --join rendered VEVENTs--> Feed --http--> subscriber
//! ```
//!
//! Nothing low imports anything above it. `tests/architecture.rs` fails when an arrow points the wrong way.

pub mod agenda;
pub mod clock;
pub mod config;
pub mod feed;
pub mod import;
pub mod program;
pub mod release;
pub mod revision;
pub mod store;
