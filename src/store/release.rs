//! The records of releases, and the write that publishes one.
//!
//! A release and its ledger are written together, and of the ledger only what changed: publishing one moved
//! talk of 50,000 writes a dozen small records, not the program. A release that changes megabytes of the ledger
//! writes all of it anew, in pieces, before the commit that makes it the running one; see [`super::staging`].

use super::staging::Staged;
use crate::program::{Change, Conference, Slug};
use crate::revision::{Departure, Digest, Entry, FeedMark, Floor, Ledger, Slugs};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What made a release.
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
        /// Its number.
        of: u64,
    },
    /// A changed config.
    Config,
    /// A renderer that shows a session differently.
    Upgrade,
    /// An upload whose time came.
    Scheduled,
    /// A backup that was restored, which may lack releases.
    Restored,
}

/// A release as it is kept. Its program is kept beside it: [`super::Store::program_csv`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseRecord {
    /// 1, 2, 3 …
    pub number: u64,
    /// When it was published.
    pub published: DateTime<Utc>,
    /// What made it.
    pub origin: Origin,
    /// The label of the organizer's secret, where one was used.
    pub who: Option<String>,
    /// Of the program's bytes, those that an erasure or the passing of time took away too.
    pub csv_digest: Digest,
    /// What changed against the release before.
    pub changes: Vec<Change>,
    /// The config that it was published with.
    pub conference: Conference,
    /// What the import warned of, as shown.
    pub warnings: Vec<String>,
    /// Whether its program is still kept.
    pub complete: bool,
}

impl ReleaseRecord {
    /// The release without its lists.
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

    pub(super) fn from_parts(summary: ReleaseSummary, detail: ReleaseDetail) -> Self {
        let ReleaseSummary { number, published, origin, who, csv_digest, complete, .. } = summary;
        let ReleaseDetail { changes, conference, warnings, .. } = detail;
        Self { number, published, origin, who, csv_digest, changes, conference, warnings, complete }
    }
}

/// One line of the list of releases. Kept apart from the changes, of which the first release has as many as
/// there are sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseSummary {
    /// 1, 2, 3 …
    pub number: u64,
    /// When it was published.
    pub published: DateTime<Utc>,
    /// What made it.
    pub origin: Origin,
    /// The label of the organizer's secret, where one was used.
    pub who: Option<String>,
    /// Of the program's bytes.
    pub csv_digest: Digest,
    /// How many sessions changed.
    pub changes: usize,
    /// How many warnings the import gave.
    pub warnings: usize,
    /// Whether its program is still kept.
    pub complete: bool,
}

/// What [`ReleaseSummary`] leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ReleaseDetail {
    /// The changes that are in no piece.
    pub(super) changes: Vec<Change>,
    pub(super) conference: Conference,
    pub(super) warnings: Vec<String>,
    /// How many records of their own hold the other changes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) pieces: u32,
}

/// [`ReleaseDetail`] without the changes, of which the first release has as many as there are sessions.
#[derive(Deserialize)]
pub(super) struct ReleaseFrame {
    pub(super) conference: Conference,
}

fn is_zero(pieces: &u32) -> bool {
    *pieces == 0
}

/// The ledger but for its maps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerHead {
    /// The release that the ledger belongs to.
    pub release: u64,
    /// When that was published.
    pub published: DateTime<Utc>,
    /// The right side of every UID.
    pub uid_domain: String,
    /// The newest departures.
    #[serde(default)]
    pub departures: Vec<Departure>,
    /// When the last session left a feed whose departure is not kept.
    pub last_departure: DateTime<Utc>,
    /// Where new sessions begin.
    #[serde(default, skip_serializing_if = "Floor::is_ground")]
    pub floor: Floor,
    /// Where the maps are.
    #[serde(flatten)]
    pub(super) base: Base,
}

/// Where the ledger's maps are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Base {
    /// The release that wrote the ledger whole; 0 where each entry, feed mark and slug has a record of its own.
    #[serde(rename = "base", default, skip_serializing_if = "is_none")]
    pub(super) release: u64,
    /// In how many pieces.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) pieces: u32,
}

fn is_none(release: &u64) -> bool {
    *release == 0
}

impl LedgerHead {
    fn of(ledger: &Ledger) -> Self {
        Self {
            release: ledger.release,
            published: ledger.published,
            uid_domain: ledger.uid_domain.clone(),
            departures: ledger.departures.clone(),
            last_departure: ledger.last_departure,
            floor: ledger.floor,
            base: Base::default(),
        }
    }

    /// Whether both are of the same release, wherever their ledger is stored.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Self { base: self.base, ..other.clone() } == *self
    }
}

/// A release and what it changes in the ledger, written in one step or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseWrite {
    /// The number of the release that it was made from; 0 before the first. The compare-and-set of publishing.
    pub expect: u64,
    /// The release.
    pub record: ReleaseRecord,
    /// The program's bytes.
    pub csv: Bytes,
    /// The ledger's head after it.
    pub head: LedgerHead,
    /// Whether `entries`, `slugs` and `feeds` are all that the ledger has.
    pub is_whole: bool,
    /// The entries that are new or changed.
    pub entries: Vec<Entry>,
    /// The slugs that are new or name something else now; none is ever taken back.
    pub slugs: Slugs,
    /// The feed marks that are new or changed.
    pub feeds: BTreeMap<String, FeedMark>,
    /// The paths whose mark is gone.
    pub feeds_gone: BTreeSet<String>,
    /// What of it was written before.
    pub(super) staged: Staged,
}

impl ReleaseWrite {
    /// What has to be written to get from one ledger to the next.
    pub fn between(previous: Option<&Ledger>, next: &Ledger, record: ReleaseRecord, csv: Bytes) -> Self {
        let nothing = Ledger::empty(&next.uid_domain);
        let previous = previous.unwrap_or(&nothing);
        Self {
            expect: previous.release,
            record,
            csv,
            head: LedgerHead::of(next),
            is_whole: false,
            entries: changed(&previous.entries, &next.entries).map(|(_, entry)| entry.clone()).collect(),
            slugs: slugs_between(&previous.slugs, &next.slugs),
            feeds: changed(&previous.feeds, &next.feeds).map(|(path, mark)| (path.clone(), *mark)).collect(),
            feeds_gone: previous
                .feeds
                .keys()
                .filter(|path| !next.feeds.contains_key(*path))
                .cloned()
                .collect(),
            staged: Staged::default(),
        }
    }

    /// The same, with all of the ledger that it leads to instead of what changes.
    #[must_use]
    pub fn whole(self, next: &Ledger) -> Self {
        let expect = self.expect;
        let whole = Self::between(None, next, self.record, self.csv);
        Self { expect, is_whole: true, ..whole }
    }
}

fn changed<'a, K: Ord, V: PartialEq>(
    previous: &'a BTreeMap<K, V>,
    next: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, &'a V)> {
    next.iter().filter(|(key, value)| previous.get(key) != Some(value))
}

fn slugs_between(previous: &Slugs, next: &Slugs) -> Slugs {
    fn news<V: PartialEq + Clone>(
        previous: &BTreeMap<Slug, V>,
        next: &BTreeMap<Slug, V>,
    ) -> BTreeMap<Slug, V> {
        changed(previous, next).map(|(slug, value)| (slug.clone(), value.clone())).collect()
    }
    Slugs {
        tracks: news(&previous.tracks, &next.tracks),
        rooms: news(&previous.rooms, &next.rooms),
        speakers: news(&previous.speakers, &next.speakers),
        days: next.days.difference(&previous.days).copied().collect(),
        track_aliases: news(&previous.track_aliases, &next.track_aliases),
        room_aliases: news(&previous.room_aliases, &next.room_aliases),
        by_name: Default::default(),
    }
}
