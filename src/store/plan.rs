//! From writes to keys and values: the compare-and-sets, and what each write does to the tree.
//!
//! A commit is planned against the tree and everything that its group wrote before it, so two commits of
//! one group meet each other as they would in two. One that fails leaves nothing behind in the plan.

use super::cell::{Cell, FORMAT, Space, Table, packed_parts};
use super::ledger::kind;
use super::links::Links;
use super::release::{Base, ReleaseDetail};
use super::staging::{self, LedgerPart, Part, Piece};
use super::{
    AgendaRecord, CommitError, LedgerHead, LinkTarget, ReadError, ReleaseRecord, ReleaseSummary,
    ReleaseWrite, Write,
};
use crate::program::Change;
use crate::revision::{Digest, Entry, FeedMark, Slugs};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Keys and what they are to hold; none where they are to go.
pub(super) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The largest commit, as written: a program of 20 MiB, its ledger and its changes take a fifth of it.
const COMMIT_BYTES: usize = 512 * 1024 * 1024;

/// Why a commit is not in the plan.
#[derive(Debug)]
pub(super) enum PlanError {
    /// Its own fault: the answer to it alone.
    Refused(CommitError),
    /// The tree cannot be read.
    Unreadable(ReadError),
}

impl From<ReadError> for PlanError {
    fn from(error: ReadError) -> Self {
        Self::Unreadable(error)
    }
}

impl From<CommitError> for PlanError {
    fn from(error: CommitError) -> Self {
        Self::Refused(error)
    }
}

/// Reads the tree, whatever group is in flight.
pub(super) trait Fetch: Fn(&[u8]) -> Result<Option<Vec<u8>>, ReadError> {}
impl<F: Fn(&[u8]) -> Result<Option<Vec<u8>>, ReadError>> Fetch for F {}

/// What one commit writes on top of its group.
pub(super) struct Plan<'a, F> {
    space: &'a Space,
    group: &'a Changes,
    fetch: F,
    own: Changes,
    bytes: usize,
    /// About how long a piece of a large release is.
    limit: usize,
}

impl<'a, F: Fetch> Plan<'a, F> {
    pub(super) fn new(space: &'a Space, group: &'a Changes, limit: usize, fetch: F) -> Self {
        Self { space, group, fetch, own: Changes::new(), bytes: 0, limit }
    }

    /// Plans a piece of a release that is not published yet.
    pub(super) fn stage(mut self, piece: &Piece) -> Result<Changes, PlanError> {
        let Piece { release, part } = piece;
        let head: Option<LedgerHead> = self.get(&self.space.cell(Table::Head, b""))?;
        check(head.map_or(0, |head| head.release) < *release)?;
        match part {
            Part::Csv(csv) => self.put_raw(&self.number(Table::Csv, *release), csv)?,
            Part::Changes(piece, changes) => self.put(&self.changes_cell(*release, *piece), changes)?,
            Part::Ledger(piece, part) => {
                self.put(&Base { release: *release, pieces: 0 }.piece(self.space, *piece), part)?
            }
        }
        Ok(self.own)
    }

    /// Plans all writes of a commit, or none.
    pub(super) fn commit(mut self, writes: &[Write]) -> Result<Changes, PlanError> {
        for write in writes {
            self.write(write)?;
        }
        Ok(self.own)
    }

    fn write(&mut self, write: &Write) -> Result<(), PlanError> {
        match write {
            Write::PutAgenda { key, expect, record } => {
                let cell = self.space.cell(Table::Agenda, &key.0);
                let (stored, bytes) = (self.bytes(&cell)?, json(record)?);
                let is_next = version(&cell, stored.as_deref())? == *expect
                    && expect.is_none_or(|read| record.version > read);
                check(is_next || stored.as_ref() == Some(&bytes))?;
                self.put_raw(&cell, &bytes)
            }
            Write::DeleteAgenda { key, expect } => {
                let cell = self.space.cell(Table::Agenda, &key.0);
                if expect.is_some() {
                    let stored = self.bytes(&cell)?;
                    check(version(&cell, stored.as_deref())? == *expect)?;
                }
                self.remove(&cell)
            }
            Write::PutLink { hash, target } => self.link(hash, Some(*target)),
            Write::DropLink { hash } => self.link(hash, None),
            Write::PutNamed(record) => self.put_raw(&self.named(&record.name().key()), &record.encode()),
            Write::DropNamed(name) => self.remove(&self.named(&name.key())),
            Write::PutRaw { name, value: Some(value) } => self.put_raw(&self.named(name), value),
            Write::PutRaw { name, value: None } => self.remove(&self.named(name)),
            Write::PutRelease(write) => self.release(write),
            Write::RewriteRelease { record, csv } => {
                let known = self.get::<ReleaseSummary>(&self.number(Table::Release, record.number))?;
                check(known.is_some())?;
                self.rewrite(record)?;
                match csv {
                    Some(csv) => self.put_raw(&self.number(Table::Csv, record.number), csv),
                    None => Ok(()),
                }
            }
            Write::RewriteEntry { entry } => self.rewrite_entry(entry),
            Write::DropReleaseText { n } => {
                let cell = self.number(Table::Release, *n);
                if let Some(summary) = self.get::<ReleaseSummary>(&cell)? {
                    self.put(&cell, &ReleaseSummary { complete: false, ..summary })?;
                }
                self.remove(&self.number(Table::Csv, *n))
            }
        }
    }

    /// Puts a link into its record, or takes it out. The record of its own that it had in format 1 goes, and the
    /// store is one of the present format from then on.
    fn link(&mut self, hash: &Digest, target: Option<LinkTarget>) -> Result<(), PlanError> {
        self.raise_format()?;
        self.remove(&self.space.cell(Table::Link, &hash.0))?;
        let cell = Links::cell(self.space, hash);
        let mut links: Links = self.get(&cell)?.unwrap_or_default();
        links.set(*hash, target);
        if links.is_empty() { self.remove(&cell) } else { self.put(&cell, &links) }
    }

    /// Keeps older versions out from here on: they would not find what is written now.
    fn raise_format(&mut self) -> Result<(), PlanError> {
        let format = self.space.cell(Table::Format, b"");
        if self.get(&format)? < Some(FORMAT) {
            self.put(&format, &FORMAT)?;
        }
        Ok(())
    }

    fn release(&mut self, write: &ReleaseWrite) -> Result<(), PlanError> {
        let cell = self.space.cell(Table::Head, b"");
        let stored: Option<LedgerHead> = self.get(&cell)?;
        let running = stored.as_ref().map_or(0, |head| head.release);
        let follows = write.head.release > write.expect && write.head.release == write.record.number;
        let is_stored = stored.as_ref().is_some_and(|stored| stored.is_same(&write.head));
        check((running == write.expect && follows) || is_stored)?;
        let (number, staged) = (write.record.number, &write.staged);
        let base = match staged.ledger {
            0 => stored.map(|head| head.base).unwrap_or_default(),
            pieces => Base { release: number, pieces },
        };
        self.put(&cell, &LedgerHead { base, ..write.head.clone() })?;
        if !staged.csv {
            self.put_raw(&self.number(Table::Csv, number), &write.csv)?;
        }
        let summary = write.record.summary();
        self.put(
            &self.number(Table::Release, number),
            &ReleaseSummary { changes: summary.changes + staged.changed, ..summary },
        )?;
        self.detail(&write.record, write.record.changes.clone(), staged.changes)?;
        for entry in &write.entries {
            self.put(&base.entry(self.space, &entry.session.id), entry)?;
        }
        for (path, mark) in &write.feeds {
            self.put(&base.feed(self.space, path), mark)?;
        }
        for path in &write.feeds_gone {
            let cell = base.feed(self.space, path);
            // It may be in a piece, which says otherwise.
            if base.release == 0 { self.remove(&cell)? } else { self.put(&cell, &None::<FeedMark>)? }
        }
        self.slugs(base, &write.slugs)
    }

    /// The lists of a release, as many of its changes as are in no piece, and no more pieces than it says.
    fn detail(&mut self, record: &ReleaseRecord, changes: Vec<Change>, pieces: u32) -> Result<(), PlanError> {
        let (conference, warnings) = (record.conference.clone(), record.warnings.clone());
        let detail = ReleaseDetail { changes, conference, warnings, pieces };
        self.put(&self.number(Table::Detail, record.number), &detail)?;
        for piece in pieces.. {
            let cell = self.changes_cell(record.number, piece);
            if self.parts(&cell)? == 0 {
                break;
            }
            self.remove(&cell)?;
        }
        Ok(())
    }

    /// A kept release as it is to be from now on.
    fn rewrite(&mut self, record: &ReleaseRecord) -> Result<(), PlanError> {
        self.put(&self.number(Table::Release, record.number), &record.summary())?;
        let mut changes = record.changes.iter().cloned().peekable();
        let first = staging::some(&mut changes, self.limit);
        let mut pieces = 0;
        while changes.peek().is_some() {
            let piece = staging::some(&mut changes, self.limit);
            self.put(&self.changes_cell(record.number, pieces), &piece)?;
            pieces += 1;
        }
        self.detail(record, first, pieces)
    }

    /// An entry as it is to be from now on. What a piece says of it goes too: nobody reads it, but it is text.
    fn rewrite_entry(&mut self, entry: &Entry) -> Result<(), PlanError> {
        let head: Option<LedgerHead> = self.get(&self.space.cell(Table::Head, b""))?;
        let base = head.map(|head| head.base).unwrap_or_default();
        let is_same = |stored: &Entry| stored.number == entry.number && stored.revision == entry.revision;
        let id = &entry.session.id;
        let amended = base.entry(self.space, id);
        let stored: Option<Entry> = self.get(&amended)?;
        let mut is_known = stored.as_ref().is_some_and(is_same);
        if stored.is_some() {
            check(is_known)?;
            self.put(&amended, entry)?;
        }
        for piece in 0..base.pieces {
            let cell = base.piece(self.space, piece);
            let mut part: LedgerPart =
                self.get(&cell)?.ok_or_else(|| cell.damaged("a piece of it is missing"))?;
            if let Some(found) = part.entries.iter_mut().find(|found| found.session.id == *id) {
                is_known |= is_same(found);
                *found = entry.clone();
                check(is_known)?;
                self.put(&cell, &part)?;
                break;
            }
        }
        Ok(check(is_known)?)
    }

    fn slugs(&mut self, base: Base, slugs: &Slugs) -> Result<(), PlanError> {
        let space = self.space;
        let Slugs { tracks, rooms, speakers, days, track_aliases, room_aliases, by_name: _ } = slugs;
        for (slug, track) in tracks {
            self.put(&base.slug(space, kind::TRACK, slug.as_str()), track)?;
        }
        for (kind, names) in [(kind::ROOM, rooms), (kind::SPEAKER, speakers)] {
            for (slug, name) in names {
                self.put(&base.slug(space, kind, slug.as_str()), name)?;
            }
        }
        for (kind, aliases) in [(kind::TRACK_ALIAS, track_aliases), (kind::ROOM_ALIAS, room_aliases)] {
            for (was, slug) in aliases {
                self.put(&base.slug(space, kind, was.as_str()), slug)?;
            }
        }
        for day in days {
            self.put(&base.slug(space, kind::DAY, &day.to_string()), day)?;
        }
        Ok(())
    }

    fn named(&self, name: &str) -> Cell {
        self.space.cell(Table::Note, name.as_bytes())
    }

    fn number(&self, table: Table, number: u64) -> Cell {
        self.space.cell(table, &number.to_be_bytes())
    }

    fn changes_cell(&self, release: u64, piece: u32) -> Cell {
        staging::cell(self.space, Table::Changes, release, piece)
    }

    fn fetch(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        match self.own.get(key).or_else(|| self.group.get(key)) {
            Some(planned) => Ok(planned.clone()),
            None => (self.fetch)(key),
        }
    }

    fn get<T: DeserializeOwned>(&self, cell: &Cell) -> Result<Option<T>, ReadError> {
        decode(cell, self.bytes(cell)?)
    }

    fn bytes(&self, cell: &Cell) -> Result<Option<Vec<u8>>, ReadError> {
        cell.read(|key| self.fetch(key))
    }

    fn put<T: Serialize + ?Sized>(&mut self, cell: &Cell, record: &T) -> Result<(), PlanError> {
        self.put_raw(cell, &json(record)?)
    }

    fn put_raw(&mut self, cell: &Cell, bytes: &[u8]) -> Result<(), PlanError> {
        self.bytes += bytes.len();
        if self.bytes > COMMIT_BYTES {
            return Err(CommitError::TooLarge.into());
        }
        let parts = cell.write(bytes)?;
        if packed_parts(&parts).is_some() {
            self.raise_format()?;
        }
        // A shorter record leaves no part of the longer one behind.
        for surplus in parts.len()..self.parts(cell)? {
            self.own.insert(cell.key(u16::try_from(surplus).unwrap_or(u16::MAX)), None);
        }
        self.own.extend(parts.into_iter().map(|(key, value)| (key, Some(value))));
        Ok(())
    }

    fn remove(&mut self, cell: &Cell) -> Result<(), PlanError> {
        for part in 0..self.parts(cell)? {
            self.own.insert(cell.key(u16::try_from(part).unwrap_or(u16::MAX)), None);
        }
        Ok(())
    }

    fn parts(&self, cell: &Cell) -> Result<usize, ReadError> {
        let key = cell.key(0);
        let Some(value) = self.fetch(&key)? else { return Ok(0) };
        match cell.first(&key, &value) {
            Ok((count, _)) => Ok(count.into()),
            // A damaged record can be replaced and taken away, or its note would stop publications for good. Who may
            // replace a record only as it was read has read it before, and was refused.
            Err(ReadError::Damaged { .. }) => {
                let mut count = 1;
                while self.fetch(&cell.key(u16::try_from(count).unwrap_or(u16::MAX)))?.is_some()
                    && count < u16::MAX.into()
                {
                    count += 1;
                }
                Ok(count)
            }
            Err(error) => Err(error),
        }
    }
}

/// Parses a record's JSON.
pub(super) fn decode<T: DeserializeOwned>(
    cell: &Cell,
    bytes: Option<Vec<u8>>,
) -> Result<Option<T>, ReadError> {
    bytes.map(|bytes| serde_json::from_slice(&bytes).map_err(|cause| cell.damaged(cause))).transpose()
}

/// The version of a stored agenda.
fn version(cell: &Cell, stored: Option<&[u8]>) -> Result<Option<u64>, ReadError> {
    let version = |stored| AgendaRecord::version_of(stored).ok_or_else(|| cell.damaged("it has no version"));
    stored.map(version).transpose()
}

/// A record's JSON.
fn json<T: Serialize + ?Sized>(record: &T) -> Result<Vec<u8>, CommitError> {
    // This fails only for maps whose keys are no strings, and no record has one.
    serde_json::to_vec(record).map_err(|_| CommitError::TooLarge)
}

fn check(holds: bool) -> Result<(), CommitError> {
    if holds { Ok(()) } else { Err(CommitError::Conflict) }
}
