//! Feeds: renders the ledger as iCalendar, ready to send.
//!
//! Owns VCALENDAR, VTIMEZONE, VEVENT, folding, filters and options (RFC 5545, RFC 7986), and joins feeds from rendered
//! pieces. Knows neither HTTP nor the store, and reads no clock: rendering the same ledger again gives the same bytes.
//! Invariant: a UID occurs once in a feed.
//!
//! ```text
//! Session --event--> pieces --set--> canonical feeds (bytes, codings)
//!                       \----join--> filtered, optioned, single-session, agenda and team feeds, on request
//! ```

mod calendar;
mod coding;
mod deflate;
mod event;
mod facets;
mod join;
mod key;
mod line;
mod object;
mod query;
mod render;
mod set;
mod zone;

pub use calendar::CalendarProperties;
pub use coding::{Coded, Coding, Codings, Effort};
pub use join::{JoinedChunks, JoinedFeed, TeamMember};
pub use key::{FeedKey, session_path};
pub use object::{BusyPeriod, CalendarObject, free_busy};
pub use query::{
    Cancelled, FeedFilter, FeedOptions, MAX_VALUES, OptionError, QueryError, canonical_query, parse_query,
};
pub use render::Rendering;
pub use set::{Feed, FeedSet, RenderedEvent};
