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
//!
//! This file has the keys of canonical feeds, and their paths. Printing and parsing a path are inverse operations.

mod calendar;
mod coding;
mod event;
mod invitation;
mod join;
mod line;
mod object;
mod query;
mod render;
mod set;
mod zone;

pub use calendar::CalendarProperties;
pub use coding::{Coded, Coding, Codings, Effort, Heads, ResponseHeads};
pub use invitation::Invitation;
pub use join::{JoinedChunks, JoinedFeed, TeamMember};
pub use object::{BusyPeriod, CalendarObject, free_busy};
pub use query::{
    Cancelled, FeedFilter, FeedOptions, MAX_VALUES, OptionError, QueryError, canonical_query, parse_query,
};
pub use render::Rendering;
pub use set::{Feed, FeedSet, RenderedEvent};

use crate::program::{ProgramDays, Session, SessionId, Slug};
use crate::revision::Slugs;
use chrono::NaiveDate;
use std::fmt;

/// The size in bytes above which Google Calendar does not read a feed.
pub const GOOGLE_MAX_BYTES: usize = 1_000_000;

/// A canonical feed, rendered when its release is published.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeedKey {
    /// The full program.
    Program,
    /// A track.
    Track(Slug),
    /// A day, by the venue's date.
    Day(NaiveDate),
    /// A room.
    Room(Slug),
    /// A speaker.
    Speaker(Slug),
}

impl FeedKey {
    /// The key of a path such as `/tracks/track-1.ics`; none if no feed can have the path.
    pub fn parse(path: &str) -> Option<Self> {
        let stem = path.strip_prefix('/')?.strip_suffix(".ics")?;
        match stem.split_once('/') {
            None => (stem == "program").then_some(Self::Program),
            Some((parts, name)) => Self::part(parts, name),
        }
    }

    /// The key of a part of the program, from the two segments of its path.
    pub fn part(parts: &str, name: &str) -> Option<Self> {
        match parts {
            "tracks" => Slug::parse(name).ok().map(Self::Track),
            "days" => parse_day(name).map(Self::Day),
            "rooms" => Slug::parse(name).ok().map(Self::Room),
            "speakers" => Slug::parse(name).ok().map(Self::Speaker),
            _ => None,
        }
    }

    /// The key with its current slug; none if its slug was never published.
    pub fn resolve(self, slugs: &Slugs) -> Option<Self> {
        match self {
            Self::Program => Some(self),
            Self::Track(slug) => slugs.track(&slug).map(|track| Self::Track(track.slug.clone())),
            Self::Day(day) => slugs.days.contains(&day).then_some(self),
            Self::Room(slug) => slugs.room(&slug).map(|(slug, _)| Self::Room(slug.clone())),
            Self::Speaker(slug) => slugs.speakers.contains_key(&slug).then_some(Self::Speaker(slug)),
        }
    }

    /// The keys of all feeds.
    pub fn all(slugs: &Slugs) -> impl Iterator<Item = Self> {
        [Self::Program]
            .into_iter()
            .chain(slugs.tracks.keys().cloned().map(Self::Track))
            .chain(slugs.days.iter().copied().map(Self::Day))
            .chain(slugs.rooms.keys().cloned().map(Self::Room))
            .chain(slugs.speakers.keys().cloned().map(Self::Speaker))
    }
}

/// The canonical feeds with a session, by their current keys.
pub fn feeds_of(session: &Session, days: ProgramDays, slugs: &Slugs) -> Vec<FeedKey> {
    query::Facets::of(session, days, slugs).feeds().filter_map(|key| key.resolve(slugs)).collect()
}

/// A day written exactly as `2025-03-25`.
fn parse_day(raw: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(raw, "%Y-%m-%d").ok().filter(|day| day.format("%Y-%m-%d").to_string() == raw)
}

impl fmt::Display for FeedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("/program.ics"),
            Self::Track(slug) => write!(f, "/tracks/{slug}.ics"),
            Self::Day(day) => write!(f, "/days/{}.ics", day.format("%Y-%m-%d")),
            Self::Room(slug) => write!(f, "/rooms/{slug}.ics"),
            Self::Speaker(slug) => write!(f, "/speakers/{slug}.ics"),
        }
    }
}

/// The path of the feed of one session.
pub fn session_path(id: &SessionId) -> String {
    format!("/sessions/{id}.ics")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_other_path_is_a_feed() {
        for path in [
            "/program.icsx",
            "program.ics",
            "/tracks/A.ics",
            "/days/2025-3-25.ics",
            "/days/2025-02-30.ics",
            "/x/y.ics",
            "/tracks/a/b.ics",
        ] {
            assert_eq!(FeedKey::parse(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(which in 0..5u8, slug in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", day in 0..60_000i32) {
            let slug = Slug::parse(&slug).unwrap();
            let key = match which {
                0 => FeedKey::Program,
                1 => FeedKey::Track(slug),
                2 => FeedKey::Day(NaiveDate::from_num_days_from_ce_opt(700_000 + day).unwrap()),
                3 => FeedKey::Room(slug),
                _ => FeedKey::Speaker(slug),
            };
            prop_assert_eq!(FeedKey::parse(&key.to_string()), Some(key));
        }
    }
}
