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
//! There is one write path for the program ([`publisher`]) and one for picks ([`store`]). A request never
//! parses CSV, never compresses a public feed and never builds a VEVENT: those bytes exist since the release
//! was published.
//!
//! Nothing low imports anything above it; the `architecture` test fails when an arrow points the wrong way.
//! From the bottom:
//!
//! - [`program`], [`clock`], [`telemetry`], [`peer`], and the readers of foreign formats, [`ics`] and [`xml`];
//! - [`config`] and [`import`]: a file in, checked values out;
//! - [`revision`]: the ledger; [`feed`]: the ledger as iCalendar; [`release`]: both, as one snapshot;
//! - [`agenda`], then what is made of releases and agendas: [`export`], [`exchange`], [`web`], [`doctor`]; [`adopt`] brings a
//!   foreign program in;
//! - [`store`] persists, [`freshness`] records the fetches of read links, [`publisher`] publishes, [`retention`] erases,
//!   [`http`] answers, [`server`] listens;
//! - [`cli`] wires them up, [`client`] is its way out.

pub mod adopt;
pub mod agenda;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod exchange;
pub mod export;
pub mod feed;
#[doc(hidden)]
pub mod fixtures;
pub mod freshness;
pub mod http;
pub mod ics;
pub mod import;
pub mod peer;
pub mod program;
pub mod publisher;
pub mod release;
pub mod retention;
pub mod revision;
pub mod server;
pub mod store;
pub mod telemetry;
pub mod web;
pub mod xml;
