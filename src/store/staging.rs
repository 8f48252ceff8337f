//! A large release in pieces: written before it is published, and read by nobody until then.
//!
//! One commit of a program of 50,000 sessions took a gigabyte of memory, and held up everybody's picks for seconds. So
//! its texts, and where much of the ledger changes the whole ledger, are written first, as records of some megabytes in
//! commits of their own. They are named by the number of the release that is to be. The last commit, a small one, makes
//! that release the running one and says how many pieces it has. A publication that ends before leaves pieces
//! of a release that never was: the commit thread removes them; see [`super::sweep`].
//!
//! Invariant: a piece is only written under a number above that of the running release.

use super::cell::{Cell, Space, Table};
use super::shared::Pulse;
use super::{CommitError, ReleaseWrite};
use crate::program::Change;
use crate::revision::{Entry, FeedMark, Slugs};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::IntoIter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a session, a mark or a name takes beside its texts, as JSON.
const ROW: usize = 160;

/// What of a release was written before the commit that publishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Staged {
    /// The program's bytes.
    pub(super) csv: bool,
    /// Pieces of changes.
    pub(super) changes: u32,
    /// How many changes are in them.
    pub(super) changed: usize,
    /// Pieces of the ledger, where it is written whole.
    pub(super) ledger: u32,
    /// The highest number of a session in them.
    pub(super) highest: u32,
}

/// One piece, with the number of its release.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) release: u64,
    pub(super) part: Part,
}

/// What is in a piece.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Csv(Bytes),
    Changes(u32, Vec<Change>),
    Ledger(u32, Box<LedgerPart>),
}

/// Some of the ledger's maps. Entries are in the order of their ids, and each piece goes on where the one before ends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct LedgerPart {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) entries: Vec<Entry>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) feeds: BTreeMap<String, FeedMark>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) slugs: Slugs,
}

fn is_default(slugs: &Slugs) -> bool {
    *slugs == Slugs::default()
}

/// The place of a numbered piece.
pub(super) fn cell(space: &Space, table: Table, release: u64, piece: u32) -> Cell {
    let mut id = release.to_be_bytes().to_vec();
    id.extend_from_slice(&piece.to_be_bytes());
    space.cell(table, &id)
}

/// The pieces of a release, the next of which is cut off when it is asked for.
pub(super) struct Pieces<'a> {
    write: &'a mut ReleaseWrite,
    limit: usize,
    entries: std::iter::Peekable<std::vec::IntoIter<Entry>>,
    feeds: std::iter::Peekable<IntoIter<String, FeedMark>>,
    slugs: Option<Slugs>,
    changes: std::iter::Peekable<std::vec::IntoIter<Change>>,
    csv: Option<Bytes>,
}

impl ReleaseWrite {
    /// About how long its records are.
    fn weight(&self) -> usize {
        self.csv.len()
            + self.record.changes.iter().map(weight_of_change).sum::<usize>()
            + self.ledger_weight()
    }

    /// About how long its part of the ledger is.
    pub(super) fn ledger_weight(&self) -> usize {
        self.entries.iter().map(weight_of_entry).sum::<usize>() + self.feeds.len() * ROW
    }

    /// Whether it is written in pieces, of about `limit` bytes.
    pub(super) fn is_large(&self, limit: usize) -> bool {
        self.is_whole || self.weight() > limit
    }

    /// Takes out of it what is written before.
    pub(super) fn pieces(&mut self, limit: usize) -> Pieces<'_> {
        self.staged.changed = self.record.changes.len();
        let changes = std::mem::take(&mut self.record.changes);
        let mut pieces = Pieces {
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

impl Pieces<'_> {
    fn ledger(&mut self) -> LedgerPart {
        // All names together are shorter than the texts that they come from.
        let mut part = LedgerPart { slugs: self.slugs.take().unwrap_or_default(), ..LedgerPart::default() };
        let mut left = self.limit;
        while let Some(entry) = self.entries.next_if(|_| left > 0) {
            left = left.saturating_sub(weight_of_entry(&entry));
            part.entries.push(entry);
        }
        while let Some((path, mark)) = self.feeds.next_if(|_| left > 0) {
            left = left.saturating_sub(ROW);
            part.feeds.insert(path, mark);
        }
        part
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let release = self.write.record.number;
        if let Some(csv) = self.csv.take() {
            self.write.staged.csv = true;
            return Some(Piece { release, part: Part::Csv(csv) });
        }
        if self.changes.peek().is_some() {
            let piece = self.write.staged.changes;
            self.write.staged.changes += 1;
            return Some(Piece { release, part: Part::Changes(piece, some(&mut self.changes, self.limit)) });
        }
        if self.slugs.is_some() || self.entries.peek().is_some() || self.feeds.peek().is_some() {
            let piece = self.write.staged.ledger;
            self.write.staged.ledger += 1;
            return Some(Piece { release, part: Part::Ledger(piece, Box::new(self.ledger())) });
        }
        None
    }
}

/// Cuts changes off, of about `limit` bytes and at least one.
pub(super) fn some(
    changes: &mut std::iter::Peekable<impl Iterator<Item = Change>>,
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
    // Slot, digest, revision and standing.
    2 * ROW + weight_of_session(&entry.session)
}

fn weight_of_change(change: &Change) -> usize {
    let sessions = change.before.iter().chain(&change.after);
    ROW + sessions.map(|session| weight_of_session(session)).sum::<usize>()
}

fn weight_of_session(session: &crate::program::Session) -> usize {
    let speakers = session.speakers.iter().map(|one| 60 + one.name.as_str().len() + one.bio.as_str().len());
    let texts = session.title.as_str().len() + session.abstract_text.as_str().len();
    ROW + texts + speakers.sum::<usize>() + 80 * session.links.len()
}

/// A publication in pieces that is under way. There is one at a time: two would mix their pieces.
pub(super) struct Staging(Arc<super::shared::Shared>);

impl Staging {
    /// Fails while another is under way, which is a conflict: both follow the same release.
    pub(super) fn begin(shared: &Arc<super::shared::Shared>) -> Result<Self, CommitError> {
        match is_staging(&shared.pulse).swap(true, Ordering::AcqRel) {
            true => Err(CommitError::Conflict),
            false => Ok(Self(Arc::clone(shared))),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        is_staging(&self.0.pulse).store(false, Ordering::Release);
    }
}

fn is_staging(pulse: &Pulse) -> &AtomicBool {
    &pulse.is_staging
}
