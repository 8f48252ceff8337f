//! All writes to the store, and the pieces of a large release.
//!
//! A release and the changes of its ledger are one write: publishing one moved talk of 50,000 writes a dozen small
//! records.
//!
//! A release that changes megabytes of the ledger writes the whole ledger instead. Such a large release is first
//! written in pieces, each in its own commit under the number of the coming release. The last commit is small: it makes
//! the release live and records the number of pieces. One commit for the whole release took a gigabyte of memory for
//! 50,000 sessions, and all other commits waited for seconds. If a publication ends early, the commit thread removes
//! its pieces.
//!
//! Invariant: a piece is only written under a number above that of the live release.

use super::record::agenda::{AgendaRecord, LinkTarget};
use super::record::charge::ChargeRecord;
use super::record::named::{ImportedFile, NamedRecord, RecordName, Schedule};
use super::record::outbox::{DeliveryRecord, ReachRecord, SubscriptionsRecord};
use super::record::release::{LedgerHead, LedgerPiece, ReleaseRecord};
use super::record::temporary::{TemporaryKind, TemporaryRecord};
use crate::program::{Change, Session, Slug};
use crate::revision::{Digest, Entry, FeedMark, Ledger, Slugs};
use bytes::Bytes;
use std::collections::btree_map::IntoIter;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

/// The approximate bytes of a session, mark or name as JSON, without its texts.
const ROW: usize = 160;

/// One change of the store. A write names the state after the change, so repeating the write changes nothing.
///
/// A compare-and-set also succeeds if the record is already as the write wants it.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Makes or changes an agenda.
    PutAgenda {
        /// SHA-256 of the edit key.
        key: Digest,
        /// The version that was read; none if the agenda must not exist yet.
        expect: Option<u64>,
        /// The new record. Its version is above the expected one.
        record: AgendaRecord,
    },
    /// Removes an agenda and its subscriptions. Other writes in the same commit change its links.
    DeleteAgenda {
        /// SHA-256 of the edit key.
        key: Digest,
        /// The version that was read. Without it, any version is removed.
        expect: Option<u64>,
    },
    /// Changes nothing, and fails if an agenda was changed since it was read. It confirms an answer that changes nothing.
    ExpectAgenda {
        /// SHA-256 of the edit key.
        key: Digest,
        /// The version that was read.
        version: u64,
    },
    /// Like [`Self::ExpectAgenda`], of the subscriptions of an agenda or of public calendars.
    ExpectSubscriptions {
        /// SHA-256 of the agenda's edit key, or [`SubscriptionsRecord::public_key`].
        key: Digest,
        /// The version that was read; none if there must be no record.
        version: Option<u64>,
    },
    /// Makes a read link, or changes its target.
    PutLink {
        /// SHA-256 of the link's token.
        hash: Digest,
        /// The new target of the link.
        target: LinkTarget,
    },
    /// Removes a read link, as if its token had never been issued.
    DropLink {
        /// SHA-256 of the link's token.
        hash: Digest,
    },
    /// Stores the subscriptions of an agenda that exists or of public calendars, or removes the record if there are none.
    PutSubscriptions {
        /// SHA-256 of the agenda's edit key, or [`SubscriptionsRecord::public_key`].
        key: Digest,
        /// The version that was read; none if there must be no record yet.
        expect: Option<u64>,
        /// The new record. Its version is above the expected one.
        record: SubscriptionsRecord,
    },
    /// Stores or removes a delivery.
    PutDelivery {
        /// The delivery's id.
        id: String,
        /// The version that was read; none if there must be no such delivery yet.
        expect: Option<u64>,
        /// The new record, with a version above the expected one; none removes the delivery.
        record: Option<DeliveryRecord>,
    },
    /// Stores the delivery counts of a release.
    PutReach {
        /// The number of the release.
        release: u64,
        /// The version that was read; none if there must be no counts yet.
        expect: Option<u64>,
        /// The new counts. Their version is above the expected one.
        record: ReachRecord,
    },
    /// Takes or renews the charge of the work that one replica does for all.
    PutCharge {
        /// The version that was read; none if there must be no record yet.
        expect: Option<u64>,
        /// The new record. Its version is above the expected one.
        record: ChargeRecord,
    },
    /// Stores a temporary record, in place of an earlier one with the same id.
    PutTemporary {
        /// What it is for.
        kind: TemporaryKind,
        /// Its id among those of its kind.
        id: String,
        /// The record.
        record: TemporaryRecord,
    },
    /// Removes a temporary record, if there is one.
    DropTemporary {
        /// What it is for.
        kind: TemporaryKind,
        /// Its id among those of its kind.
        id: String,
    },
    /// Removes a temporary record. Fails with a conflict if there is none, so only one of two callers takes it.
    TakeTemporary {
        /// What it is for.
        kind: TemporaryKind,
        /// Its id among those of its kind.
        id: String,
    },
    /// Stores a record with a fixed name.
    PutNamed(NamedRecord),
    /// Removes a record with a fixed name.
    DropNamed(RecordName),
    /// Stores or removes any bytes under any name, for tests of damaged records.
    #[doc(hidden)]
    PutRaw {
        /// The name.
        name: String,
        /// The bytes; `None` removes them.
        value: Option<Vec<u8>>,
    },
    /// Publishes a release.
    PutRelease(Box<ReleaseWrite>),
    /// Rewrites a stored release, to erase text. Fails with a conflict if no release has that number.
    RewriteRelease {
        /// The new record.
        record: Box<ReleaseRecord>,
        /// The new program; none leaves the program unchanged.
        csv: Option<Vec<u8>>,
    },
    /// Rewrites a session's entry in the ledger, to erase text. Number, sequence and time do not change. Fails with a
    /// conflict if the entry does not exist or was revised since it was read.
    RewriteEntry {
        /// The new entry.
        entry: Box<Entry>,
    },
    /// Removes a release's program. The release stays in the list, no longer complete.
    DropReleaseText {
        /// The number of the release.
        n: u64,
    },
}

impl From<NamedRecord> for Write {
    fn from(record: NamedRecord) -> Self {
        Self::PutNamed(record)
    }
}

impl From<ImportedFile> for Write {
    fn from(file: ImportedFile) -> Self {
        Self::PutNamed(NamedRecord::ImportedFile(file))
    }
}

impl Write {
    /// Schedules a release and replaces the present schedule.
    pub fn schedule(schedule: Schedule, csv: impl Into<Bytes>) -> Self {
        Self::PutNamed(NamedRecord::Schedule(schedule, csv.into()))
    }

    /// Stores bytes under a name that the product does not use, or damaged bytes under a name that it uses. For tests.
    #[doc(hidden)]
    pub fn raw(name: &str, value: impl Into<Vec<u8>>) -> Self {
        Self::PutRaw { name: name.to_owned(), value: Some(value.into()) }
    }
}

/// A release with the changes of its ledger, written in one step or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseWrite {
    /// The number of the live release that this release was made from; 0 before the first. For compare-and-set.
    pub expect: u64,
    /// The release.
    pub record: ReleaseRecord,
    /// The program's bytes.
    pub csv: Bytes,
    /// The new head of the ledger.
    pub head: LedgerHead,
    /// Whether `entries`, `slugs` and `feeds` are the whole ledger.
    pub is_whole: bool,
    /// New and changed entries.
    pub entries: Vec<Entry>,
    /// New and changed slugs. No slug is ever removed.
    pub slugs: Slugs,
    /// New and changed feed marks.
    pub feeds: BTreeMap<String, FeedMark>,
    /// The paths of removed feed marks.
    pub feeds_gone: BTreeSet<String>,
    /// The pieces that were written before.
    pub(super) staged: Staged,
}

impl ReleaseWrite {
    /// The write that leads from one ledger to the next.
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

    /// The same write with the whole next ledger instead of its changes.
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
        tags: news(&previous.tags, &next.tags),
        days: next.days.difference(&previous.days).copied().collect(),
        track_aliases: news(&previous.track_aliases, &next.track_aliases),
        room_aliases: news(&previous.room_aliases, &next.room_aliases),
        first_room_names: news(&previous.first_room_names, &next.first_room_names),
        by_name: Default::default(),
    }
}

/// The part of a release that was written before the commit that publishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Staged {
    /// Whether the program was written.
    pub(super) csv: bool,
    /// The number of pieces with changes.
    pub(super) changes: u32,
    /// The number of changes in those pieces.
    pub(super) changed: usize,
    /// The number of pieces of the ledger, if it is written whole.
    pub(super) ledger: u32,
    /// The highest session number in the ledger's pieces.
    pub(super) highest: u32,
}

/// One piece of an unpublished release.
#[derive(Debug, Clone)]
pub(super) struct ReleasePiece {
    pub(super) release: u64,
    pub(super) content: PieceContent,
}

/// The content of a piece. Pieces of changes and pieces of the ledger are numbered.
#[derive(Debug, Clone)]
pub(super) enum PieceContent {
    Csv(Bytes),
    Changes(u32, Vec<Change>),
    Ledger(u32, Box<LedgerPiece>),
}

/// Cuts a release into pieces, one by one.
pub(super) struct ReleasePieces<'a> {
    write: &'a mut ReleaseWrite,
    limit: usize,
    entries: Peekable<std::vec::IntoIter<Entry>>,
    feeds: Peekable<IntoIter<String, FeedMark>>,
    slugs: Option<Slugs>,
    changes: Peekable<std::vec::IntoIter<Change>>,
    csv: Option<Bytes>,
}

impl ReleaseWrite {
    /// The approximate bytes of the release's records.
    fn weight(&self) -> usize {
        self.csv.len()
            + self.record.changes.iter().map(weight_of_change).sum::<usize>()
            + self.ledger_weight()
    }

    /// The approximate bytes of the release's part of the ledger.
    pub(super) fn ledger_weight(&self) -> usize {
        self.entries.iter().map(weight_of_entry).sum::<usize>() + self.feeds.len() * ROW
    }

    /// Whether the release is written in pieces of about `limit` bytes.
    pub(super) fn is_large(&self, limit: usize) -> bool {
        self.is_whole || self.weight() > limit
    }

    /// Moves the content of the pieces out of this write. The pieces are written before it.
    pub(super) fn pieces(&mut self, limit: usize) -> ReleasePieces<'_> {
        self.staged.changed = self.record.changes.len();
        let changes = std::mem::take(&mut self.record.changes);
        let mut pieces = ReleasePieces {
            limit,
            entries: Vec::new().into_iter().peekable(),
            feeds: BTreeMap::new().into_iter().peekable(),
            slugs: None,
            changes: changes.into_iter().peekable(),
            csv: Some(std::mem::take(&mut self.csv)),
            write: self,
        };
        if pieces.write.is_whole {
            let ReleaseWrite { entries, feeds, slugs, staged, .. } = &mut *pieces.write;
            staged.highest = entries.iter().map(|entry| entry.number).max().unwrap_or(0);
            pieces.entries = std::mem::take(entries).into_iter().peekable();
            pieces.feeds = std::mem::take(feeds).into_iter().peekable();
            pieces.slugs = Some(std::mem::take(slugs));
        }
        pieces
    }
}

impl ReleasePieces<'_> {
    fn ledger(&mut self) -> LedgerPiece {
        // All slugs together are shorter than the texts that they come from.
        let mut piece =
            LedgerPiece { slugs: self.slugs.take().unwrap_or_default(), ..LedgerPiece::default() };
        let mut left = self.limit;
        while let Some(entry) = self.entries.next_if(|_| left > 0) {
            left = left.saturating_sub(weight_of_entry(&entry));
            piece.entries.push(entry);
        }
        while let Some((path, mark)) = self.feeds.next_if(|_| left > 0) {
            left = left.saturating_sub(ROW);
            piece.feeds.insert(path, mark);
        }
        piece
    }
}

impl Iterator for ReleasePieces<'_> {
    type Item = ReleasePiece;

    fn next(&mut self) -> Option<ReleasePiece> {
        let release = self.write.record.number;
        if let Some(csv) = self.csv.take() {
            self.write.staged.csv = true;
            return Some(ReleasePiece { release, content: PieceContent::Csv(csv) });
        }
        if self.changes.peek().is_some() {
            let piece = self.write.staged.changes;
            self.write.staged.changes += 1;
            let changes = take_changes(&mut self.changes, self.limit);
            return Some(ReleasePiece { release, content: PieceContent::Changes(piece, changes) });
        }
        if self.slugs.is_some() || self.entries.peek().is_some() || self.feeds.peek().is_some() {
            let piece = self.write.staged.ledger;
            self.write.staged.ledger += 1;
            let content = PieceContent::Ledger(piece, Box::new(self.ledger()));
            return Some(ReleasePiece { release, content });
        }
        None
    }
}

/// Takes changes of about `limit` bytes, but at least one change.
pub(super) fn take_changes(
    changes: &mut Peekable<impl Iterator<Item = Change>>,
    limit: usize,
) -> Vec<Change> {
    let (mut left, mut piece) = (limit, Vec::new());
    while let Some(change) = changes.next_if(|_| left > 0 || piece.is_empty()) {
        left = left.saturating_sub(weight_of_change(&change));
        piece.push(change);
    }
    piece
}

fn weight_of_entry(entry: &Entry) -> usize {
    // The weight of slot, digest, revision and state.
    2 * ROW + weight_of_session(&entry.session)
}

fn weight_of_change(change: &Change) -> usize {
    let sessions = change.before.iter().chain(&change.after);
    ROW + sessions.map(|session| weight_of_session(session)).sum::<usize>()
}

fn weight_of_session(session: &Session) -> usize {
    let speakers = session.speakers.iter().map(|one| 60 + one.name.as_str().len() + one.bio.as_str().len());
    let texts = session.title.as_str().len() + session.abstract_text.as_str().len();
    ROW + texts + speakers.sum::<usize>() + 80 * session.links.len()
}
