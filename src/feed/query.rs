//! The query of a feed's address: filters select sessions, and options set how sessions are shown.
//!
//! In a filter, a repeated key means *or* and different keys mean *and*. Feeds and filters select sessions by their
//! [`Facets`], with current slugs.

use super::{FeedKey, parse_day};
use crate::program::{ProgramDays, Session, SessionId, SessionKind, Slug, Text};
use crate::revision::{Departure, FilterValues, Slugs};
use crate::texts::Texts;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeSet;
use std::fmt;

/// The most values of a filter, counted over all keys.
pub const MAX_VALUES: usize = 20;

/// The sessions that a filtered feed shows. Sets are sorted, so all spellings of a query give the same filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FeedFilter {
    /// Track slugs.
    pub tracks: BTreeSet<Slug>,
    /// Kinds.
    pub kinds: BTreeSet<SessionKind>,
    /// Days, by the venue's date.
    pub days: BTreeSet<NaiveDate>,
    /// Speaker slugs.
    pub speakers: BTreeSet<Slug>,
    /// Room slugs.
    pub rooms: BTreeSet<Slug>,
    /// Tag slugs.
    pub tags: BTreeSet<Slug>,
}

/// Why a query matches no feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// An invalid option (400).
    #[error(transparent)]
    Option(#[from] OptionError),
    /// Too many values (400).
    #[error("a filter has at most {MAX_VALUES} values; subscribe to two feeds instead")]
    TooMany,
    /// A value that was never part of the program (404).
    #[error("no {key} {value:?} was ever part of this program")]
    Unknown {
        /// The filter's key.
        key: &'static str,
        /// The value.
        value: String,
    },
}

/// Splits a query into filter and options; other keys are ignored.
///
/// `pairs` are percent-decoded. Old slugs of renamed tracks and rooms become the current ones.
///
/// # Errors
/// [`QueryError`].
pub fn parse_query<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    slugs: &Slugs,
) -> Result<(FeedFilter, FeedOptions), QueryError> {
    let (mut filter, mut options, mut values) = (FeedFilter::default(), FeedOptions::default(), 0);
    for (key, value) in pairs {
        if options.parse_pair(key, value)? {
            continue;
        }
        let unknown = |key| QueryError::Unknown { key, value: value.chars().take(80).collect() };
        let slug = Slug::parse(value).ok();
        match key {
            "track" => {
                let track =
                    slug.as_ref().and_then(|slug| slugs.track(slug)).ok_or_else(|| unknown("track"))?;
                filter.tracks.insert(track.slug.clone());
            }
            "room" => {
                let room = slug.as_ref().and_then(|slug| slugs.room(slug)).ok_or_else(|| unknown("room"))?;
                filter.rooms.insert(room.0.clone());
            }
            "speaker" => {
                let speaker = slug.filter(|slug| slugs.speakers.contains_key(slug));
                filter.speakers.insert(speaker.ok_or_else(|| unknown("speaker"))?);
            }
            "tag" => {
                let by_name = || slugs.tag_slug(&Text::line(value).0).cloned();
                let tag = slug.filter(|slug| slugs.tags.contains_key(slug)).or_else(by_name);
                filter.tags.insert(tag.ok_or_else(|| unknown("tag"))?);
            }
            "kind" => {
                let kind = SessionKind::ALL.iter().find(|kind| kind.as_str() == value);
                filter.kinds.insert(*kind.ok_or_else(|| unknown("kind"))?);
            }
            "day" => {
                let day = parse_day(value).filter(|day| slugs.days.contains(day));
                filter.days.insert(day.ok_or_else(|| unknown("day"))?);
            }
            _ => continue,
        }
        values += 1;
        if values > MAX_VALUES {
            return Err(QueryError::TooMany);
        }
    }
    Ok((filter, options))
}

impl FeedFilter {
    /// Whether every session matches.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a session matches.
    pub(super) fn matches(&self, facets: &Facets) -> bool {
        fn any<T: Ord>(wanted: &BTreeSet<T>, has: Option<&T>) -> bool {
            wanted.is_empty() || has.is_some_and(|value| wanted.contains(value))
        }
        any(&self.tracks, facets.track.as_ref())
            && any(&self.kinds, Some(&facets.kind))
            && (self.days.is_empty() || facets.days.iter().any(|day| self.days.contains(day)))
            && any(&self.rooms, facets.room.as_ref())
            && (self.speakers.is_empty() || facets.speakers.iter().any(|slug| self.speakers.contains(slug)))
            && (self.tags.is_empty() || facets.tags.iter().any(|slug| self.tags.contains(slug)))
    }

    /// The canonical query pairs: keys and values sorted.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let day = self.days.iter().map(|day| ("day", day.format("%Y-%m-%d").to_string()));
        let kind = self.kinds.iter().map(|kind| ("kind", kind.to_string()));
        let room = self.rooms.iter().map(|slug| ("room", slug.to_string()));
        let speaker = self.speakers.iter().map(|slug| ("speaker", slug.to_string()));
        let tag = self.tags.iter().map(|slug| ("tag", slug.to_string()));
        let track = self.tracks.iter().map(|slug| ("track", slug.to_string()));
        day.chain(kind).chain(room).chain(speaker).chain(tag).chain(track).collect()
    }

    /// The filter in words: `Track 1, talk, Tue 25 Mar`.
    pub(super) fn describe(&self, slugs: &Slugs, texts: &Texts) -> String {
        let track =
            self.tracks.iter().filter_map(|slug| slugs.track(slug)).map(|track| track.name.to_string());
        let room = self.rooms.iter().filter_map(|slug| slugs.room(slug)).map(|(_, name)| name.to_string());
        let speaker =
            self.speakers.iter().filter_map(|slug| slugs.speakers.get(slug)).map(ToString::to_string);
        let kind = self.kinds.iter().map(|kind| texts.kind_within_text(*kind));
        let day = self.days.iter().map(|day| texts.calendar_short_day(*day));
        let tag = self.tags.iter().filter_map(|slug| slugs.tags.get(slug)).map(ToString::to_string);
        track.chain(room).chain(speaker).chain(kind).chain(tag).chain(day).collect::<Vec<_>>().join(", ")
    }
}

/// The canonical query of a filter and options, without the question mark.
pub fn canonical_query(filter: &FeedFilter, options: &FeedOptions) -> String {
    let mut pairs = filter.pairs();
    pairs.extend(options.pairs());
    pairs.sort();
    pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
}

/// How a cancelled session is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Cancelled {
    /// `STATUS:CANCELLED`, which clients strike through.
    #[default]
    Strike,
    /// Confirmed, with a prefix in the title, since Google deletes events with the status.
    Title,
    /// Omitted.
    Drop,
}

/// The options of a feed's address. The default gives the canonical feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FeedOptions {
    /// Whether sessions block their time; none means the default of the feed.
    pub busy: Option<bool>,
    /// A reminder this many minutes before the start, 1 to 1440.
    pub alarm: Option<u16>,
    /// How cancelled sessions are shown.
    pub cancelled: Cancelled,
}

/// An option with an invalid value. The text says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the option {option} has no value {value:?}; write {remedy}")]
pub struct OptionError {
    /// The option's name.
    pub option: &'static str,
    /// The invalid value.
    pub value: String,
    /// The valid values.
    pub remedy: &'static str,
}

impl FeedOptions {
    /// Reads one pair of a query; false if the key is not an option.
    ///
    /// # Errors
    /// [`OptionError`] for an invalid value.
    pub fn parse_pair(&mut self, key: &str, value: &str) -> Result<bool, OptionError> {
        let wrong = |option, remedy| OptionError { option, value: value.chars().take(40).collect(), remedy };
        match key {
            "busy" => {
                self.busy = match value {
                    "yes" => Some(true),
                    "no" => Some(false),
                    _ => return Err(wrong("busy", "busy=yes or busy=no")),
                }
            }
            "alarm" => {
                let minutes =
                    value.strip_suffix('m').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
                let minutes =
                    minutes.and_then(|digits| digits.parse().ok()).filter(|m| (1..=1440).contains(m));
                let remedy = "minutes from 1m to 1440m, such as alarm=10m";
                self.alarm = Some(minutes.ok_or_else(|| wrong("alarm", remedy))?);
            }
            "cancelled" => {
                self.cancelled = match value {
                    "strike" => Cancelled::Strike,
                    "title" => Cancelled::Title,
                    "drop" => Cancelled::Drop,
                    _ => return Err(wrong("cancelled", "cancelled=strike, title or drop")),
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The options that differ from the default, as query pairs in a fixed order.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let busy = self.busy.map(|busy| ("busy", if busy { "yes" } else { "no" }.to_owned()));
        let alarm = self.alarm.map(|minutes| ("alarm", format!("{minutes}m")));
        let cancelled = match self.cancelled {
            Cancelled::Strike => None,
            Cancelled::Title => Some("title"),
            Cancelled::Drop => Some("drop"),
        };
        let cancelled = cancelled.map(|word| ("cancelled", word.to_owned()));
        alarm.into_iter().chain(busy).chain(cancelled).collect()
    }
}

impl fmt::Display for FeedOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> =
            self.pairs().into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        f.write_str(&pairs.join("&"))
    }
}

/// The facets of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facets {
    pub track: Option<Slug>,
    pub kind: SessionKind,
    pub days: Vec<NaiveDate>,
    pub room: Option<Slug>,
    pub speakers: Vec<Slug>,
    pub tags: Vec<Slug>,
}

/// A session whose facets changed, so that it left some feed.
#[derive(Debug)]
pub(super) struct FeedDeparture {
    pub at: DateTime<Utc>,
    pub session: SessionId,
    before: Facets,
    after: Option<Facets>,
}

impl FeedDeparture {
    pub(super) fn of(departure: &Departure, slugs: &Slugs) -> Self {
        Self {
            at: departure.at,
            session: departure.session.clone(),
            before: Facets::of_stored(&departure.before, slugs),
            after: departure.after.as_ref().map(|after| Facets::of_stored(after, slugs)),
        }
    }

    /// Whether the session is hidden after the change.
    pub(super) fn is_hidden(&self) -> bool {
        self.after.is_none()
    }

    /// Whether the session left a canonical feed.
    pub(super) fn leaves_feed(&self, key: &FeedKey) -> bool {
        self.leaves(|facets| facets.are_in(key))
    }

    /// Whether the session left the sessions that `matches` selects.
    pub(super) fn leaves(&self, matches: impl Fn(&Facets) -> bool) -> bool {
        matches(&self.before) && !self.after.as_ref().is_some_and(matches)
    }
}

impl Facets {
    fn are_in(&self, key: &FeedKey) -> bool {
        match key {
            FeedKey::Program => true,
            FeedKey::Track(slug) => self.track.as_ref() == Some(slug),
            FeedKey::Day(day) => self.days.contains(day),
            FeedKey::Room(slug) => self.room.as_ref() == Some(slug),
            FeedKey::Speaker(slug) => self.speakers.contains(slug),
        }
    }

    /// The canonical feeds with the session.
    pub(super) fn feeds(&self) -> impl Iterator<Item = FeedKey> + '_ {
        let track = self.track.clone().map(FeedKey::Track);
        let room = self.room.clone().map(FeedKey::Room);
        let speakers = self.speakers.iter().cloned().map(FeedKey::Speaker);
        let days = self.days.iter().copied().map(FeedKey::Day);
        [FeedKey::Program].into_iter().chain(days).chain(track).chain(room).chain(speakers)
    }

    /// The facets of stored values. Tracks and rooms may have been renamed since, so slugs are made current.
    fn of_stored(values: &FilterValues, slugs: &Slugs) -> Self {
        let room = values.room.as_ref().and_then(|name| slugs.room_slug(name));
        let track = |slug: &Slug| slugs.track(slug).map_or_else(|| slug.clone(), |track| track.slug.clone());
        Self {
            track: values.track.as_ref().map(track),
            kind: values.kind,
            days: values.days().collect(),
            room: room.and_then(|slug| slugs.room(slug)).map(|(slug, _)| slug.clone()),
            speakers: values.speakers.iter().filter_map(|name| slugs.speaker_slug(name)).cloned().collect(),
            tags: values.tags.iter().filter_map(|tag| slugs.tag_slug(tag)).cloned().collect(),
        }
    }

    pub(super) fn of(session: &Session, program_days: ProgramDays, slugs: &Slugs) -> Self {
        Self {
            track: session.track.clone(),
            kind: session.kind,
            days: program_days.all(&session.slot).collect(),
            room: session.slot.room.as_ref().and_then(|name| slugs.room_slug(name)).cloned(),
            speakers: session.speakers.iter().filter_map(|s| slugs.speaker_slug(&s.name)).cloned().collect(),
            tags: session.tags.iter().filter_map(|tag| slugs.tag_slug(tag)).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn slugs() -> Slugs {
        let mut slugs = Slugs::default();
        slugs.tracks.extend(["a", "b"].map(fixtures::track).map(|track| (track.slug.clone(), track)));
        slugs.track_aliases.insert(Slug::parse("old").unwrap(), Slug::parse("a").unwrap());
        slugs
    }

    #[test]
    fn order_and_repetition_do_not_matter() {
        let slugs = slugs();
        let first = parse_query([("track", "b"), ("kind", "talk"), ("track", "a")], &slugs).unwrap();
        let second = parse_query(
            [("track", "a"), ("track", "b"), ("utm", "x"), ("track", "old"), ("kind", "talk")],
            &slugs,
        );
        assert_eq!(canonical_query(&first.0, &first.1), "kind=talk&track=a&track=b");
        assert_eq!(Ok(first), second);
    }

    #[test]
    fn unknown_values_and_too_many_values_are_rejected() {
        let slugs = slugs();
        for pair in [
            ("track", "c"),
            ("track", "../a"),
            ("kind", "keynote"),
            ("day", "2025-03-25"),
            ("room", "x"),
            ("speaker", "y"),
            ("tag", "z"),
        ] {
            assert!(matches!(parse_query([pair], &slugs), Err(QueryError::Unknown { .. })), "{pair:?}");
        }
        assert_eq!(parse_query(vec![("kind", "talk"); 21], &slugs), Err(QueryError::TooMany));
        assert!(matches!(parse_query([("alarm", "x")], &slugs), Err(QueryError::Option(_))));
    }

    #[test]
    fn options_print_back_and_invalid_ones_name_the_remedy() {
        let mut options = FeedOptions::default();
        for (key, value) in [("cancelled", "title"), ("busy", "yes"), ("alarm", "10m")] {
            assert_eq!(options.parse_pair(key, value), Ok(true));
        }
        assert_eq!(options.to_string(), "alarm=10m&busy=yes&cancelled=title");
        assert_eq!(options.parse_pair("utm_source", "x"), Ok(false));
        for (key, value) in [
            ("busy", "maybe"),
            ("alarm", "0m"),
            ("alarm", "1441m"),
            ("alarm", "10"),
            ("alarm", "+5m"),
            ("cancelled", ""),
        ] {
            let error = options.parse_pair(key, value).unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}
