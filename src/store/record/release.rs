//! Releases and the ledger.
//!
//! The ledger is stored in one of two ways. Either each entry, feed mark and slug has its own record, or one release
//! wrote the ledger in pieces of some megabytes, and later changes are in separate records. See [`LedgerBase`].

use crate::program::{Change, Conference};
use crate::revision::{Departure, Digest, Entry, FeedMark, Floor, Ledger, Slugs};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The event that made a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The first start.
    First,
    /// The watched program file.
    File,
    /// An upload by the organizer.
    Upload,
    /// An earlier release, published again.
    Rollback {
        /// The number of the earlier release.
        of: u64,
    },
    /// A changed config.
    Config,
    /// A new version whose renderer changes the bytes of a session.
    Upgrade,
    /// A scheduled upload.
    Scheduled,
    /// A program elsewhere that is followed.
    Source,
    /// A backup that was restored, which may lack releases.
    Restored,
}

/// A stored release. Its program is a separate record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseRecord {
    /// The number of the release: 1, 2, 3 …
    pub number: u64,
    /// When the release was published.
    pub published: DateTime<Utc>,
    /// The event that made the release.
    pub origin: Origin,
    /// The label of the organizer's secret, if one was used.
    pub who: Option<String>,
    /// SHA-256 of the program's bytes, also after the program was removed.
    pub csv_digest: Digest,
    /// The changes since the previous release.
    pub changes: Vec<Change>,
    /// The config when the release was published.
    pub conference: Conference,
    /// The warnings of the import, as text.
    pub warnings: Vec<String>,
    /// Whether the release's program is still stored.
    pub complete: bool,
}

impl ReleaseRecord {
    /// The summary of the release, without its lists.
    pub fn summary(&self) -> ReleaseSummary {
        ReleaseSummary {
            number: self.number,
            published: self.published,
            origin: self.origin,
            who: self.who.clone(),
            csv_digest: self.csv_digest,
            changes: self.changes.len(),
            warnings: self.warnings.len(),
            complete: self.complete,
        }
    }

    pub(in crate::store) fn from_parts(summary: ReleaseSummary, detail: ReleaseDetail) -> Self {
        let ReleaseSummary { number, published, origin, who, csv_digest, complete, .. } = summary;
        let ReleaseDetail { changes, conference, warnings, .. } = detail;
        Self { number, published, origin, who, csv_digest, changes, conference, warnings, complete }
    }
}

/// A summary of one release. The changes are a separate record, since the first release has as many changes as
/// sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseSummary {
    /// The number of the release: 1, 2, 3 …
    pub number: u64,
    /// When the release was published.
    pub published: DateTime<Utc>,
    /// The event that made the release.
    pub origin: Origin,
    /// The label of the organizer's secret, if one was used.
    pub who: Option<String>,
    /// SHA-256 of the program's bytes.
    pub csv_digest: Digest,
    /// The number of changed sessions.
    pub changes: usize,
    /// The number of warnings of the import.
    pub warnings: usize,
    /// Whether the release's program is still stored.
    pub complete: bool,
}

/// The part of a release that [`ReleaseSummary`] leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::store) struct ReleaseDetail {
    /// The changes that are not in pieces.
    pub(in crate::store) changes: Vec<Change>,
    pub(in crate::store) conference: Conference,
    pub(in crate::store) warnings: Vec<String>,
    /// The number of pieces that hold the other changes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::store) pieces: u32,
}

/// [`ReleaseDetail`] without its lists, to read only the config.
#[derive(Deserialize)]
pub(in crate::store) struct ReleaseFrame {
    pub(in crate::store) conference: Conference,
}

fn is_zero(pieces: &u32) -> bool {
    *pieces == 0
}

/// The ledger without its maps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerHead {
    /// The release that the ledger belongs to.
    pub release: u64,
    /// When that release was published.
    pub published: DateTime<Utc>,
    /// The right side of every UID.
    pub uid_domain: String,
    /// The newest departures.
    #[serde(default)]
    pub departures: Vec<Departure>,
    /// The time of the newest departure that is no longer stored.
    pub last_departure: DateTime<Utc>,
    /// The lowest values that the number and the sequence of a new session may have.
    #[serde(default, skip_serializing_if = "Floor::is_zero")]
    pub floor: Floor,
    /// Where the ledger's maps are stored.
    #[serde(flatten)]
    pub(in crate::store) base: LedgerBase,
}

/// Where the maps of a ledger are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::store) struct LedgerBase {
    /// The release that wrote the ledger in pieces; 0 if each entry, feed mark and slug has its own record.
    #[serde(rename = "base", default, skip_serializing_if = "is_none")]
    pub(in crate::store) release: u64,
    /// The number of pieces.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::store) pieces: u32,
}

fn is_none(release: &u64) -> bool {
    *release == 0
}

impl LedgerHead {
    pub(in crate::store) fn of(ledger: &Ledger) -> Self {
        Self {
            release: ledger.release,
            published: ledger.published,
            uid_domain: ledger.uid_domain.clone(),
            departures: ledger.departures.clone(),
            last_departure: ledger.last_departure,
            floor: ledger.floor,
            base: LedgerBase::default(),
        }
    }

    /// Whether both heads are of the same release, ignoring where their ledgers are stored.
    pub(in crate::store) fn is_same(&self, other: &Self) -> bool {
        Self { base: self.base, ..other.clone() } == *self
    }
}

/// A piece of the ledger's maps. Entries are in the order of their ids, across all pieces.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::store) struct LedgerPiece {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::store) entries: Vec<Entry>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::store) feeds: BTreeMap<String, FeedMark>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::store) slugs: Slugs,
}

fn is_default(slugs: &Slugs) -> bool {
    *slugs == Slugs::default()
}
