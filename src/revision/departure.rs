//! Departures: which sessions left which feeds, and when.
//!
//! A feed that is joined on request has no mark of its own in the ledger, and may not look older once a
//! session is in it no longer; nor newer because some other feed lost one.

use super::{Entry, Ledger};
use crate::program::{SessionId, SessionKind, Slug, Text, Zone};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// What a session can be found by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its track.
    pub track: Option<Slug>,
    /// Its kind.
    pub kind: SessionKind,
    /// The venue's date of its start.
    pub day: NaiveDate,
    /// Its room's name.
    pub room: Option<Text>,
    /// Its speakers' names.
    pub speakers: Vec<Text>,
}

/// A session that is found otherwise than before, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// The time of the release.
    pub at: DateTime<Utc>,
    /// Whose it is.
    pub session: SessionId,
    /// What it was found by.
    pub before: Found,
    /// What it is found by since; none where no feed shows it.
    pub after: Option<Found>,
}

/// Departures that are kept; older ones count for every joined feed.
const KEPT: usize = 1_000;

impl Found {
    fn of(entry: &Entry, zone: Zone) -> Option<Self> {
        let session = &entry.session;
        entry.is_shown().then(|| Self {
            track: session.track.clone(),
            kind: session.kind,
            day: zone.civil(session.slot.start).date(),
            room: session.slot.room.clone(),
            speakers: session.speakers.iter().map(|speaker| speaker.name.clone()).collect(),
        })
    }
}

/// Notes in the ledger what a step from one entry to the next takes out of some feed.
pub(super) fn note(ledger: &mut Ledger, before: &Entry, after: &Entry, zone: Zone) {
    let (Some(was), is) = (Found::of(before, zone), Found::of(after, zone)) else { return };
    if is.as_ref() == Some(&was) {
        return;
    }
    let (at, session) = (ledger.published, before.session.id.clone());
    ledger.departures.push(Departure { at, session, before: was, after: is });
}

/// Keeps the newest departures; what is forgotten counts for everybody.
pub(super) fn forget_old(ledger: &mut Ledger) {
    let surplus = ledger.departures.len().saturating_sub(KEPT);
    for forgotten in ledger.departures.drain(..surplus) {
        ledger.last_departure = ledger.last_departure.max(forgotten.at);
    }
}
