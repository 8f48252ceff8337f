//! The ledger and its entries, in the form that the store saves.

use super::{Digest, Slugs};
use crate::program::{ProgramDays, Session, SessionId, SessionKind, Slot, Slug, Status, Text};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often a session changed, and when it changed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// SEQUENCE: 0 when the session is first published.
    pub sequence: u32,
    /// LAST-MODIFIED and DTSTAMP, in whole seconds.
    pub modified: DateTime<Utc>,
}

/// Whether feeds and pages show a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryState {
    /// The session is a row of the program.
    Listed,
    /// The session's row is gone. The session is a tombstone, visible as cancelled.
    Removed,
    /// The session's status is withdrawn. The session is hidden.
    Withdrawn,
    /// The session's tombstone expired. The session is hidden.
    Dropped,
}

/// When and where a session was before its last move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerPlace {
    /// Time and room.
    pub slot: Slot,
    /// The name of the session's track at that time.
    pub track: Option<Text>,
}

/// One session in the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// 1, 2, 3 … in order of first publication; never reused.
    pub number: u32,
    /// Sequence and modification time.
    pub revision: Revision,
    /// The last release that changed the session.
    pub release: u64,
    /// The session as last published; cancelled once its row is gone.
    pub session: Arc<Session>,
    /// Whether the session is visible.
    #[serde(rename = "standing")] // the name in stored records
    pub state: EntryState,
    /// The session's place before its last change, if that change was a move.
    pub moved_from: Option<FormerPlace>,
    /// The digest of the default VEVENT without DTSTAMP, LAST-MODIFIED and SEQUENCE; zero without a VEVENT.
    pub digest: Digest,
}

impl Entry {
    /// Whether feeds and pages show the session, perhaps as cancelled.
    pub fn is_visible(&self) -> bool {
        matches!(self.state, EntryState::Listed | EntryState::Removed)
    }

    /// The sort key of sessions in all feeds and pages: start, end, number.
    pub fn program_order(&self) -> (DateTime<Utc>, DateTime<Utc>, u32) {
        (self.session.slot.start, self.session.slot.end, self.number)
    }

    /// Whether the session's status is cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.session.status == Status::Cancelled
    }
}

/// When a feed's own bytes last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedMark {
    /// The digest of the feed's content without LAST-MODIFIED.
    pub digest: Digest,
    /// LAST-MODIFIED of the calendar.
    pub modified: DateTime<Utc>,
}

/// The lowest number and sequence of new sessions. A restore raises both above every value issued before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Floor {
    /// All numbers up to this one are used.
    pub number: u32,
    /// The sequence of a first publication.
    pub sequence: u32,
}

impl Floor {
    /// Whether no restore has raised the floor.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

/// The highest values that may have been issued. No such value may be issued again with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// The highest number of a release.
    pub release: u64,
    /// When that release was published.
    pub published: DateTime<Utc>,
    /// The highest number of a session.
    pub number: u32,
}

/// How many seconds a release's time may be ahead of the clock, because several releases were made at once.
const MAX_SECONDS_AHEAD: i64 = 60;

/// An upper bound on the session numbers issued since a backup, if no record of them is left.
const UNKNOWN_NUMBERS: u32 = 100_000;

impl Issued {
    /// An upper bound if no record is left: releases are at least a second apart. A second guess from the same ledger
    /// may issue session numbers twice.
    pub fn guess(ledger: &Ledger, now: DateTime<Utc>) -> Self {
        let latest = now.max(ledger.published) + TimeDelta::seconds(MAX_SECONDS_AHEAD);
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
    /// The session's track.
    pub track: Option<Slug>,
    /// The session's kind.
    pub kind: SessionKind,
    /// The day of the session's start.
    pub day: NaiveDate,
    /// The later dates on which the session goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later_days: Vec<NaiveDate>,
    /// The name of the session's room.
    pub room: Option<Text>,
    /// The names of the session's speakers.
    pub speakers: Vec<Text>,
    /// The session's tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Text>,
}

impl FilterValues {
    /// The dates of the session.
    pub fn days(&self) -> impl Iterator<Item = NaiveDate> + '_ {
        [self.day].into_iter().chain(self.later_days.iter().copied())
    }

    /// The values of an entry; none if it is hidden.
    fn of(entry: &Entry, days: ProgramDays) -> Option<Self> {
        let session = &entry.session;
        entry.is_visible().then(|| Self {
            track: session.track.clone(),
            kind: session.kind,
            day: days.of(session.slot.start),
            later_days: days.all(&session.slot).skip(1).collect(),
            room: session.slot.room.clone(),
            speakers: session.speakers.iter().map(|speaker| speaker.name.clone()).collect(),
            tags: session.tags.clone(),
        })
    }
}

/// A session whose filter values changed, so that it left some feed.
///
/// Feeds that are joined on request (filters, agendas) are not stored. If LAST-MODIFIED were computed from the
/// remaining sessions, it would fall when a session leaves. The departures prevent this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// The time of the release that changed the values.
    pub at: DateTime<Utc>,
    /// The session.
    pub session: SessionId,
    /// The session's filter values before the change.
    pub before: FilterValues,
    /// The session's filter values after the change; none if the session is hidden.
    pub after: Option<FilterValues>,
}

/// The most departures in a ledger.
const MAX_DEPARTURES: usize = 1_000;

/// The revisions of all sessions, including tombstones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The number of the ledger's release; 0 before release 1.
    pub release: u64,
    /// When that release was published. Every time in a later release is later.
    pub published: DateTime<Utc>,
    /// The right side of every UID.
    pub uid_domain: String,
    /// The newest departures, oldest first.
    #[serde(default)]
    pub departures: Vec<Departure>,
    /// The time of the newest departure that was dropped from the list. The LAST-MODIFIED of a joined feed is never
    /// earlier.
    pub last_departure: DateTime<Utc>,
    /// The lowest number and sequence of new sessions.
    #[serde(default)]
    pub floor: Floor,
    /// The entries by session.
    pub entries: BTreeMap<SessionId, Entry>,
    /// Every slug ever published.
    pub slugs: Slugs,
    /// The marks by feed path.
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

    /// The visible entries by start, end and number. Sorts them at each call; a release has them sorted already.
    pub fn visible_entries(&self) -> Vec<&Entry> {
        let mut visible: Vec<&Entry> = self.entries.values().filter(|entry| entry.is_visible()).collect();
        visible.sort_by_key(|entry| entry.program_order());
        visible
    }

    /// Records a departure if a session's filter values changed.
    pub(super) fn record_departure(&mut self, before: &Entry, after: &Entry, days: ProgramDays) {
        let Some(was) = FilterValues::of(before, days) else { return };
        let is = FilterValues::of(after, days);
        if is.as_ref() != Some(&was) {
            let (at, session) = (self.published, before.session.id.clone());
            self.departures.push(Departure { at, session, before: was, after: is });
        }
    }

    /// Drops the oldest departures. Every joined feed then counts the newest dropped departure as its own.
    pub(super) fn trim_departures(&mut self) {
        let surplus = self.departures.len().saturating_sub(MAX_DEPARTURES);
        for dropped in self.departures.drain(..surplus) {
            self.last_departure = self.last_departure.max(dropped.at);
        }
    }

    /// A restored ledger, advanced past all values that may have been issued since its backup; none if no value was
    /// issued.
    ///
    /// A sequence starts at 0 and rises at most once a release, so it never exceeds the number of the release. The
    /// number of an unpublished release is therefore above every sequence that clients have received.
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
