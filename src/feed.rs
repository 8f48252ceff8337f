//! Feeds: the ledger as iCalendar, ready to be sent.
//!
//! Owns the envelope, VTIMEZONE, VEVENT, folding, filters and options (RFC 5545, RFC 7986), and how a feed
//! is joined from stored pieces. It knows neither HTTP nor where picks come from, and reads no clock: the
//! same ledger rendered tomorrow gives the same bytes. Invariant: a UID occurs once in a feed.
//!
//! ```text
//! Session --event--> pieces --set--> canonical feeds (bytes, codings)
//!                       \----join--> filtered, optioned, single-session, agenda and team feeds, on request
//! ```

mod busy;
mod calendar;
mod coding;
mod colour;
mod deflate;
mod event;
mod facets;
mod filter;
mod join;
mod key;
mod line;
mod object;
mod options;
mod render;
mod set;
mod zone;

pub use busy::{Taken, free_busy};
pub use calendar::Calendar;
pub use coding::{Coded, Coding, Codings, Effort};
pub use event::CANCELLED_PREFIX;
pub use filter::{Filter, MOST_VALUES, QueryError, canonical_query, parse_query};
pub use join::{Join, Joined, Member};
pub use key::{FeedKey, session_path};
pub use object::Object;
pub use options::{Cancelled, OptionError, Options};
pub use render::Rendering;
pub use set::{Event, Feed, FeedSet};
