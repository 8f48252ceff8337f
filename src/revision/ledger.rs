//! The ledger and its entries, as they are kept in the store.

use super::{Departure, Digest, Slugs};
use crate::program::{Session, SessionId, Slot, Status, Text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often a session changed, and when last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// SEQUENCE: 0 at first publication.
    pub sequence: u32,
    /// LAST-MODIFIED and DTSTAMP, whole seconds.
    pub modified: DateTime<Utc>,
}

/// Whether a session of the ledger is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It is a line of the program.
    Listed,
    /// Its line is gone: a tombstone, shown as cancelled.
    Removed,
    /// Its status is withdrawn: shown nowhere.
    Withdrawn,
    /// A tombstone whose time is over: shown nowhere.
    Dropped,
}

/// When and where a session was before its last move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Time and room.
    pub slot: Slot,
    /// The track's name at that time.
    pub track: Option<Text>,
}

/// One session's line in the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// 1, 2, 3 … in order of first publication; never reused.
    pub number: u32,
    /// Sequence and modification time.
    pub revision: Revision,
    /// The release that changed it last.
    pub release: u64,
    /// As last published; cancelled where its line is gone.
    pub session: Arc<Session>,
    /// Whether it is shown.
    pub standing: Standing,
    /// Where it was before its last change, when that was a move.
    pub moved_from: Option<Place>,
    /// Of its default VEVENT without DTSTAMP, LAST-MODIFIED and SEQUENCE; zero while it has none.
    pub digest: Digest,
}

impl Entry {
    /// Whether feeds and pages show it, be it as cancelled.
    pub fn is_shown(&self) -> bool {
        matches!(self.standing, Standing::Listed | Standing::Removed)
    }

    /// By start, end and number: the order in which sessions are shown.
    pub fn program_order(&self) -> (DateTime<Utc>, DateTime<Utc>, u32) {
        (self.session.slot.start, self.session.slot.end, self.number)
    }

    /// Whether it is shown as cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.session.status == Status::Cancelled
    }
}

/// When a feed's own bytes last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedMark {
    /// Of its content without LAST-MODIFIED.
    pub digest: Digest,
    /// LAST-MODIFIED of the calendar.
    pub modified: DateTime<Utc>,
}

/// Where new sessions begin: above what was given out before a backup was restored, though no entry has it
/// any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Floor {
    /// Numbers up to this are taken.
    pub number: u32,
    /// The sequence of a first publication.
    pub sequence: u32,
}

impl Floor {
    /// Whether nothing was ever restored.
    pub fn is_ground(&self) -> bool {
        *self == Self::default()
    }
}

/// All revisions, tombstones too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The release that this ledger belongs to; 0 before the first.
    pub release: u64,
    /// When that was published; every time in a later release is after it.
    pub published: DateTime<Utc>,
    /// The right side of every UID.
    pub uid_domain: String,
    /// The newest departures, oldest first.
    #[serde(default)]
    pub departures: Vec<Departure>,
    /// The time of the last departure that is not kept any longer: no joined feed may look older.
    pub last_departure: DateTime<Utc>,
    /// Where new sessions begin.
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

    /// The UID of a session (RFC 7986, 5.3): the same in every feed, whatever moves.
    pub fn uid(&self, id: &SessionId) -> String {
        format!("{id}@{}", self.uid_domain)
    }

    /// The entries that feeds show, by start, end and number. It sorts all of them: a release has them sorted already.
    pub fn shown(&self) -> Vec<&Entry> {
        let mut shown: Vec<&Entry> = self.entries.values().filter(|entry| entry.is_shown()).collect();
        shown.sort_by_key(|entry| entry.program_order());
        shown
    }
}
