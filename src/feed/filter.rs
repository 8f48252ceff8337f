//! The filter grammar of feeds: a repeated key means *or*, different keys mean *and*.

use super::facets::Facets;
use super::key::parse_day;
use super::options::{OptionError, Options};
use crate::program::{SessionKind, Slug};
use crate::revision::Slugs;
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// The values of a filter at most, over all keys.
pub const MOST_VALUES: usize = 20;

/// Which sessions a filtered feed shows. Sets are sorted, so two spellings of a query are one filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Filter {
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
}

/// A query that names no feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A bad option (400).
    #[error(transparent)]
    Option(#[from] OptionError),
    /// Too many values (400).
    #[error("a filter has at most {MOST_VALUES} values; subscribe to two feeds instead")]
    TooMany,
    /// A value that no slug ever had (404).
    #[error("no {key} {value:?} was ever part of this program")]
    Unknown {
        /// The filter's key.
        key: &'static str,
        /// The value.
        value: String,
    },
}

/// Splits a query into filter and options; keys that are neither are ignored.
///
/// `pairs` are percent-decoded. Old slugs of renamed tracks and rooms become the present ones.
///
/// # Errors
/// [`QueryError`].
pub fn parse_query<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    slugs: &Slugs,
) -> Result<(Filter, Options), QueryError> {
    let (mut filter, mut options, mut values) = (Filter::default(), Options::default(), 0);
    for (key, value) in pairs {
        if options.take(key, value)? {
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
        if values > MOST_VALUES {
            return Err(QueryError::TooMany);
        }
    }
    Ok((filter, options))
}

impl Filter {
    /// Whether every session passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a session passes.
    pub(super) fn admits(&self, facets: &Facets) -> bool {
        fn any<T: Ord>(wanted: &BTreeSet<T>, has: Option<&T>) -> bool {
            wanted.is_empty() || has.is_some_and(|value| wanted.contains(value))
        }
        any(&self.tracks, facets.track.as_ref())
            && any(&self.kinds, Some(&facets.kind))
            && any(&self.days, Some(&facets.day))
            && any(&self.rooms, facets.room.as_ref())
            && (self.speakers.is_empty() || facets.speakers.iter().any(|slug| self.speakers.contains(slug)))
    }

    /// The canonical pairs: keys and values sorted.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let day = self.days.iter().map(|day| ("day", day.format("%Y-%m-%d").to_string()));
        let kind = self.kinds.iter().map(|kind| ("kind", kind.to_string()));
        let room = self.rooms.iter().map(|slug| ("room", slug.to_string()));
        let speaker = self.speakers.iter().map(|slug| ("speaker", slug.to_string()));
        let track = self.tracks.iter().map(|slug| ("track", slug.to_string()));
        day.chain(kind).chain(room).chain(speaker).chain(track).collect()
    }

    /// What it shows, in words: `Track 1, talk, Tue 25 Mar`.
    pub fn describe(&self, slugs: &Slugs) -> String {
        let track =
            self.tracks.iter().filter_map(|slug| slugs.track(slug)).map(|track| track.name.to_string());
        let room = self.rooms.iter().filter_map(|slug| slugs.room(slug)).map(|(_, name)| name.to_string());
        let speaker =
            self.speakers.iter().filter_map(|slug| slugs.speakers.get(slug)).map(ToString::to_string);
        let kind = self.kinds.iter().map(ToString::to_string);
        let day = self.days.iter().map(|day| day.format("%a %-d %b").to_string());
        track.chain(room).chain(speaker).chain(kind).chain(day).collect::<Vec<_>>().join(", ")
    }
}

/// The canonical query of a filter and options, without the question mark.
pub fn canonical_query(filter: &Filter, options: &Options) -> String {
    let mut pairs = filter.pairs();
    pairs.extend(options.pairs());
    pairs.sort();
    pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Text, Track};

    fn slugs() -> Slugs {
        let mut slugs = Slugs::default();
        for name in ["a", "b"] {
            let slug = Slug::parse(name).unwrap();
            let track = Track {
                name: Text::from(name),
                slug: slug.clone(),
                colour: None,
                about: Text::default(),
                was: vec![],
            };
            slugs.tracks.insert(slug, track);
        }
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
    fn what_never_was_is_unknown_and_too_much_is_refused() {
        let slugs = slugs();
        for pair in [
            ("track", "c"),
            ("track", "../a"),
            ("kind", "keynote"),
            ("day", "2025-03-25"),
            ("room", "x"),
            ("speaker", "y"),
        ] {
            assert!(matches!(parse_query([pair], &slugs), Err(QueryError::Unknown { .. })), "{pair:?}");
        }
        assert_eq!(parse_query(vec![("kind", "talk"); 21], &slugs), Err(QueryError::TooMany));
        assert!(matches!(parse_query([("alarm", "x")], &slugs), Err(QueryError::Option(_))));
    }
}
