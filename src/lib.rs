//! Callboard turns one `program.csv` into calendar feeds that follow every change of the program.
//!
//! ```text
//! program.csv --import--> Program --diff--> [Change] --advance--> Ledger --render, lint--> FeedSet, pages
//!                            |                            |                            |
//!                            +------ persisted, then one immutable Release swapped in ----+
//!                                                         |
//!  picks in sled --store--> picks --agenda--> Agenda --join rendered VEVENTs--> Feed --http--> subscriber
//!  Release + picks --reach--> outbox --callboard deliver--> webhook, browser, mailbox
//! ```
//!
//! The program has one write path ([`publisher`]), and picks have one ([`store`]). A request never parses CSV, never
//! compresses a public feed and never builds a VEVENT: the publication of a release makes those bytes.
//!
//! A module uses only modules of the layers below its own; the test `architecture` fails otherwise. From the bottom:
//!
//! - [`program`], [`clock`], [`logging`], [`peer`], and the readers of foreign formats, [`ics`] and [`xml`];
//! - `texts`: every text of the interface, in each language, from the catalogues in `src/texts`;
//! - [`config`] and [`import`]: parse the config and the program file into validated values;
//! - [`revision`]: the ledger; [`feed`]: the ledger as iCalendar; [`release`]: both, as one snapshot;
//! - [`agenda`], then the modules that render, convert or check releases and agendas: [`export`], [`exchange`],
//!   [`web`], [`doctor`]; [`adopt`] converts a foreign program to `program.csv`;
//! - [`store`] persists, in a data directory or as one of several replicas on a database; [`freshness`] records the
//!   fetches of read links, [`reach`] notifies subscribers,
//!   [`publisher`] publishes, [`retention`] erases,
//!   [`http`] answers, [`server`] listens;
//! - [`cli`] starts and connects the other modules; [`client`] makes the outgoing HTTP requests of the command line, and
//!   [`smtp`] sends its mails.

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
pub mod logging;
pub mod peer;
pub mod program;
pub mod publisher;
pub mod reach;
pub mod release;
pub mod retention;
pub mod revision;
pub mod server;
pub mod smtp;
pub mod store;

// Private, so that the compiler finds messages that nothing shows.
mod texts;
pub mod web;
pub mod xml;
