//! What a session can be found by.

use crate::program::{Session, SessionKind, Slug, Zone};
use crate::revision::Slugs;
use chrono::NaiveDate;

/// The values of a session that filters and parts go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facets {
    pub track: Option<Slug>,
    pub kind: SessionKind,
    pub day: NaiveDate,
    pub room: Option<Slug>,
    pub speakers: Vec<Slug>,
}

impl Facets {
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
