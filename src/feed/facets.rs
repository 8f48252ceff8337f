//! What a session can be found by.

use super::FeedKey;
use super::filter::Filter;
use crate::program::{Session, SessionId, SessionKind, Slug, Zone};
use crate::revision::{Departure, Found, Slugs};
use chrono::{DateTime, NaiveDate, Utc};

/// The values of a session that filters and parts go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facets {
    pub track: Option<Slug>,
    pub kind: SessionKind,
    pub day: NaiveDate,
    pub room: Option<Slug>,
    pub speakers: Vec<Slug>,
}

/// A session that left some feeds, by its facets.
#[derive(Debug)]
pub(super) struct Left {
    pub at: DateTime<Utc>,
    pub session: SessionId,
    before: Facets,
    after: Option<Facets>,
}

impl Left {
    pub(super) fn of(departure: &Departure, slugs: &Slugs) -> Self {
        Self {
            at: departure.at,
            session: departure.session.clone(),
            before: Facets::found(&departure.before, slugs),
            after: departure.after.as_ref().map(|after| Facets::found(after, slugs)),
        }
    }

    /// Whether no feed shows it since.
    pub(super) fn is_hidden(&self) -> bool {
        self.after.is_none()
    }

    /// Whether it left a canonical feed.
    pub(super) fn leaves_feed(&self, key: &FeedKey) -> bool {
        self.before.are_in(key) && !self.after.as_ref().is_some_and(|after| after.are_in(key))
    }

    /// Whether it left what a filter lets through.
    pub(super) fn leaves(&self, filter: &Filter) -> bool {
        filter.admits(&self.before) && !self.after.as_ref().is_some_and(|after| filter.admits(after))
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

    /// Of what was kept, by present slugs: tracks and rooms may have been renamed since.
    fn found(found: &Found, slugs: &Slugs) -> Self {
        let room = found.room.as_ref().and_then(|name| slugs.room_slug(name));
        let track = |slug: &Slug| slugs.track(slug).map_or_else(|| slug.clone(), |track| track.slug.clone());
        Self {
            track: found.track.as_ref().map(track),
            kind: found.kind,
            day: found.day,
            room: room.and_then(|slug| slugs.room(slug)).map(|(slug, _)| slug.clone()),
            speakers: found.speakers.iter().filter_map(|name| slugs.speaker_slug(name)).cloned().collect(),
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
