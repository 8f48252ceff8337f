//! The ledger and its entries, in the form in which the store keeps them.

use super::{Digest, Slugs};
use crate::program::{Session, SessionId, SessionKind, Slot, Slug, Status, Text, Zone};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often a session changed, and when last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// SEQUENCE: 0 at first publication.
    pub sequence: u32,
    /// LAST-MODIFIED and DTSTAMP, in whole seconds.
    pub modified: DateTime<Utc>,
}

/// Whether feeds and pages show a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It is a row of the program.
    Listed,
    /// Its row is gone: a tombstone, visible as cancelled.
    Removed,
    /// Its status is withdrawn: hidden.
    Withdrawn,
    /// A tombstone that expired: hidden.
    Dropped,
}

/// When and where a session was before its last move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerPlace {
    /// Time and room.
    pub slot: Slot,
    /// The track's name at that time.
    pub track: Option<Text>,
}

/// One session in the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// 1, 2, 3 … in order of first publication; never reused.
    pub number: u32,
    /// Sequence and modification time.
    pub revision: Revision,
    /// The release that changed it last.
    pub release: u64,
    /// The session as last published; cancelled once its row is gone.
    pub session: Arc<Session>,
    /// Whether it is visible.
    pub standing: Standing,
    /// Where it was before its last change, if that was a move.
    pub moved_from: Option<FormerPlace>,
    /// The digest of its default VEVENT without DTSTAMP, LAST-MODIFIED and SEQUENCE; zero without a VEVENT.
    pub digest: Digest,
}

impl Entry {
    /// Whether feeds and pages show it, perhaps as cancelled.
    pub fn is_visible(&self) -> bool {
        matches!(self.standing, Standing::Listed | Standing::Removed)
    }

    /// The sort key of sessions everywhere: start, end, number.
    pub fn program_order(&self) -> (DateTime<Utc>, DateTime<Utc>, u32) {
        (self.session.slot.start, self.session.slot.end, self.number)
    }

    /// Whether its status is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.session.status == Status::Cancelled
    }
}

/// When a feed's own bytes last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedMark {
    /// The digest of its content without LAST-MODIFIED.
    pub digest: Digest,
    /// LAST-MODIFIED of the calendar.
    pub modified: DateTime<Utc>,
}

/// Where the numbers and sequences of new sessions start. A restore raises it above every value issued before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Floor {
    /// Numbers up to this are used.
    pub number: u32,
    /// The sequence of a first publication.
    pub sequence: u32,
}

impl Floor {
    /// Whether no restore ever raised it.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

/// The highest values that may have been issued. None of them may be issued again with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// The number of a release.
    pub release: u64,
    /// When that release was published.
    pub published: DateTime<Utc>,
    /// The number of a session.
    pub number: u32,
}

/// Seconds by which a release's time may run ahead of the clock, because several were made at once.
const BURST: i64 = 60;

/// An upper bound on session numbers issued since a backup, when no record of them is left.
const UNKNOWN_NUMBERS: u32 = 100_000;

impl Issued {
    /// An upper bound when no record is left: releases are at least a second apart. A second guess from the same
    /// ledger may issue session numbers twice.
    pub fn guess(ledger: &Ledger, now: DateTime<Utc>) -> Self {
        let latest = now.max(ledger.published) + TimeDelta::seconds(BURST);
        let seconds = (latest - ledger.published).num_seconds().unsigned_abs();
        Self {
            release: ledger.release.saturating_add(seconds),
            published: latest,
            number: ledger.highest_number().saturating_add(UNKNOWN_NUMBERS),
        }
    }
}

/// The values by which filters and feeds select a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterValues {
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

impl FilterValues {
    /// The values of a visible entry.
    fn of(entry: &Entry, zone: Zone) -> Option<Self> {
        let session = &entry.session;
        entry.is_visible().then(|| Self {
            track: session.track.clone(),
            kind: session.kind,
            day: zone.civil(session.slot.start).date(),
            room: session.slot.room.clone(),
            speakers: session.speakers.iter().map(|speaker| speaker.name.clone()).collect(),
        })
    }
}

/// A session whose filter values changed, so that it left some feed.
///
/// Feeds that are joined on request (filters, agendas) are stored nowhere. A LAST-MODIFIED made of the sessions
/// that are left would fall back when one leaves; the departures keep it from doing so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// The time of the release.
    pub at: DateTime<Utc>,
    /// The session.
    pub session: SessionId,
    /// Its filter values before.
    pub before: FilterValues,
    /// Its filter values since; none if it is hidden.
    pub after: Option<FilterValues>,
}

/// The most departures in a ledger.
const MAX_DEPARTURES: usize = 1_000;

/// The revisions of all sessions, tombstones too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The number of its release; 0 before the first.
    pub release: u64,
    /// When that was published; every time in a later release is after it.
    pub published: DateTime<Utc>,
    /// The right side of every UID.
    pub uid_domain: String,
    /// The newest departures, oldest first.
    #[serde(default)]
    pub departures: Vec<Departure>,
    /// The time of the newest departure that was dropped from the list: no joined feed may look older.
    pub last_departure: DateTime<Utc>,
    /// Where new sessions start.
    #[serde(default)]
    pub floor: Floor,
    /// By session.
    pub entries: BTreeMap<SessionId, Entry>,
    /// Every slug ever published.
    pub slugs: Slugs,
    /// By feed path.
    pub feeds: BTreeMap<String, FeedMark>,
}

impl Ledger {
    /// The ledger before release 1.
    pub fn empty(uid_domain: &str) -> Self {
        Self {
            release: 0,
            published: DateTime::UNIX_EPOCH,
            uid_domain: uid_domain.to_owned(),
            departures: Vec::new(),
            last_departure: DateTime::UNIX_EPOCH,
            floor: Floor::default(),
            entries: BTreeMap::new(),
            slugs: Slugs::default(),
            feeds: BTreeMap::new(),
        }
    }

    /// The highest number that a session ever had.
    pub fn highest_number(&self) -> u32 {
        self.entries.values().map(|entry| entry.number).max().unwrap_or(0).max(self.floor.number)
    }

    /// The UID of a session (RFC 7986, 5.3): the same in every feed and release.
    pub fn uid(&self, id: &SessionId) -> String {
        format!("{id}@{}", self.uid_domain)
    }

    /// The visible entries by start, end and number. It sorts them each time; a release has them sorted already.
    pub fn visible_entries(&self) -> Vec<&Entry> {
        let mut visible: Vec<&Entry> = self.entries.values().filter(|entry| entry.is_visible()).collect();
        visible.sort_by_key(|entry| entry.program_order());
        visible
    }

    /// Records a departure if a session's filter values changed.
    pub(super) fn record_departure(&mut self, before: &Entry, after: &Entry, zone: Zone) {
        let Some(was) = FilterValues::of(before, zone) else { return };
        let is = FilterValues::of(after, zone);
        if is.as_ref() != Some(&was) {
            let (at, session) = (self.published, before.session.id.clone());
            self.departures.push(Departure { at, session, before: was, after: is });
        }
    }

    /// Drops the oldest departures; every joined feed then counts the newest of those as its own.
    pub(super) fn trim_departures(&mut self) {
        let surplus = self.departures.len().saturating_sub(MAX_DEPARTURES);
        for dropped in self.departures.drain(..surplus) {
            self.last_departure = self.last_departure.max(dropped.at);
        }
    }

    /// A restored ledger advanced past everything that may have been issued since its backup; none if nothing was.
    ///
    /// A sequence starts at 0 and rises at most once a release, so it never exceeds the number of the release. The
    /// number of a release that nobody saw is therefore a sequence above all that were seen.
    pub fn advance_past(&self, issued: Issued, now: DateTime<Utc>) -> Option<Self> {
        if issued.release <= self.release {
            return None;
        }
        let release = issued.release.saturating_add(1);
        let sequence = u32::try_from(release).unwrap_or(u32::MAX);
        let published = issued.published.max(self.published).max(now) + TimeDelta::seconds(1);
        let revision = Revision { sequence, modified: published };
        let advanced = |entry: &Entry| Entry { revision, release, ..entry.clone() };
        Some(Self {
            release,
            published,
            last_departure: published,
            floor: Floor { number: issued.number.max(self.floor.number), sequence },
            entries: self.entries.iter().map(|(id, entry)| (id.clone(), advanced(entry))).collect(),
            ..self.clone()
        })
    }
}
