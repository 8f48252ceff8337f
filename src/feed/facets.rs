//! The values by which feeds and filters select sessions, with current slugs.

use super::FeedKey;
use crate::program::{Session, SessionId, SessionKind, Slug, Zone};
use crate::revision::{Departure, FilterValues, Slugs};
use chrono::{DateTime, NaiveDate, Utc};

/// The facets of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facets {
    pub track: Option<Slug>,
    pub kind: SessionKind,
    pub day: NaiveDate,
    pub room: Option<Slug>,
    pub speakers: Vec<Slug>,
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
            FeedKey::Day(day) => self.day == *day,
            FeedKey::Room(slug) => self.room.as_ref() == Some(slug),
            FeedKey::Speaker(slug) => self.speakers.contains(slug),
        }
    }

    /// The facets of stored values. Tracks and rooms may have been renamed since, so slugs are made current.
    fn of_stored(values: &FilterValues, slugs: &Slugs) -> Self {
        let room = values.room.as_ref().and_then(|name| slugs.room_slug(name));
        let track = |slug: &Slug| slugs.track(slug).map_or_else(|| slug.clone(), |track| track.slug.clone());
        Self {
            track: values.track.as_ref().map(track),
            kind: values.kind,
            day: values.day,
            room: room.and_then(|slug| slugs.room(slug)).map(|(slug, _)| slug.clone()),
            speakers: values.speakers.iter().filter_map(|name| slugs.speaker_slug(name)).cloned().collect(),
        }
    }

    pub(super) fn of(session: &Session, zone: Zone, slugs: &Slugs) -> Self {
        Self {
            track: session.track.clone(),
            kind: session.kind,
            day: zone.civil(session.slot.start).date(),
            room: session.slot.room.as_ref().and_then(|name| slugs.room_slug(name)).cloned(),
            speakers: session.speakers.iter().filter_map(|s| slugs.speaker_slug(&s.name)).cloned().collect(),
        }
    }
}
