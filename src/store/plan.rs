//! From writes to keys and values: the compare-and-sets, and what each write does to the tree.
//!
//! A commit is planned against the tree and everything that its group wrote before it, so two commits of
//! one group meet each other as they would in two. One that fails leaves nothing behind in the plan.

use super::cell::{Cell, FORMAT, Space, Table};
use super::links::Links;
use super::{
    AgendaRecord, CommitError, LedgerHead, LinkTarget, ReadError, ReleaseRecord, ReleaseSummary,
    ReleaseWrite, Write,
};
use crate::program::SessionId;
use crate::revision::{Digest, Entry, Slugs};
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
}

impl<'a, F: Fetch> Plan<'a, F> {
    pub(super) fn new(space: &'a Space, group: &'a Changes, fetch: F) -> Self {
        Self { space, group, fetch, own: Changes::new(), bytes: 0 }
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
                let stored: Option<AgendaRecord> = self.get(&cell)?;
                let is_next = stored.as_ref().map(|stored| stored.version) == *expect
                    && expect.is_none_or(|read| record.version > read);
                check(is_next || stored.as_ref() == Some(record))?;
                self.put(&cell, record)
            }
            Write::DeleteAgenda { key, expect } => {
                let cell = self.space.cell(Table::Agenda, &key.0);
                if expect.is_some() {
                    let stored: Option<AgendaRecord> = self.get(&cell)?;
                    check(stored.map(|stored| stored.version) == *expect)?;
                }
                self.remove(&cell)
            }
            Write::PutLink { hash, target } => self.link(hash, Some(*target)),
            Write::DropLink { hash } => self.link(hash, None),
            Write::PutNote { name, value } => {
                self.put_raw(&self.space.cell(Table::Note, name.as_bytes()), value)
            }
            Write::DropNote { name } => self.remove(&self.space.cell(Table::Note, name.as_bytes())),
            Write::PutRelease(write) => self.release(write),
            Write::RewriteRelease { record, csv } => {
                let known = self.get::<ReleaseSummary>(&self.number(Table::Release, record.number))?;
                check(known.is_some())?;
                self.record(record)?;
                match csv {
                    Some(csv) => self.put_raw(&self.number(Table::Csv, record.number), csv),
                    None => Ok(()),
                }
            }
            Write::RewriteEntry { entry } => {
                let cell = self.entry(&entry.session.id);
                let stored: Option<Entry> = self.get(&cell)?;
                check(stored.is_some_and(|s| s.number == entry.number && s.revision == entry.revision))?;
                self.put(&cell, entry)
            }
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
        let format = self.space.cell(Table::Format, b"");
        if self.get(&format)? < Some(FORMAT) {
            self.put(&format, &FORMAT)?;
        }
        self.remove(&self.space.cell(Table::Link, &hash.0))?;
        let cell = Links::cell(self.space, hash);
        let mut links: Links = self.get(&cell)?.unwrap_or_default();
        links.set(*hash, target);
        if links.is_empty() { self.remove(&cell) } else { self.put(&cell, &links) }
    }

    fn release(&mut self, write: &ReleaseWrite) -> Result<(), PlanError> {
        let cell = self.space.cell(Table::Head, b"");
        let stored: Option<LedgerHead> = self.get(&cell)?;
        let running = stored.as_ref().map_or(0, |head| head.release);
        let follows = write.head.release > write.expect && write.head.release == write.record.number;
        check((running == write.expect && follows) || stored.as_ref() == Some(&write.head))?;
        self.put(&cell, &write.head)?;
        self.record(&write.record)?;
        self.put_raw(&self.number(Table::Csv, write.record.number), &write.csv)?;
        for entry in &write.entries {
            self.put(&self.entry(&entry.session.id), entry)?;
        }
        for (path, mark) in &write.feeds {
            self.put(&self.space.cell(Table::Feed, path.as_bytes()), mark)?;
        }
        for path in &write.feeds_gone {
            self.remove(&self.space.cell(Table::Feed, path.as_bytes()))?;
        }
        self.slugs(&write.slugs)
    }

    fn record(&mut self, record: &ReleaseRecord) -> Result<(), PlanError> {
        self.put(&self.number(Table::Release, record.number), &record.summary())?;
        self.put(&self.number(Table::Detail, record.number), &record.detail())
    }

    fn slugs(&mut self, slugs: &Slugs) -> Result<(), PlanError> {
        let Slugs { tracks, rooms, speakers, days, track_aliases, room_aliases, by_name: _ } = slugs;
        for (slug, track) in tracks {
            self.put(&slug_cell(self.space, slug_kind::TRACK, slug.as_str()), track)?;
        }
        for (kind, names) in [(slug_kind::ROOM, rooms), (slug_kind::SPEAKER, speakers)] {
            for (slug, name) in names {
                self.put(&slug_cell(self.space, kind, slug.as_str()), name)?;
            }
        }
        for (kind, aliases) in
            [(slug_kind::TRACK_ALIAS, track_aliases), (slug_kind::ROOM_ALIAS, room_aliases)]
        {
            for (was, slug) in aliases {
                self.put(&slug_cell(self.space, kind, was.as_str()), slug)?;
            }
        }
        for day in days {
            self.put(&slug_cell(self.space, slug_kind::DAY, &day.to_string()), day)?;
        }
        Ok(())
    }

    fn number(&self, table: Table, number: u64) -> Cell {
        self.space.cell(table, &number.to_be_bytes())
    }

    fn entry(&self, id: &SessionId) -> Cell {
        self.space.cell(Table::Entry, id.as_str().as_bytes())
    }

    fn fetch(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        match self.own.get(key).or_else(|| self.group.get(key)) {
            Some(planned) => Ok(planned.clone()),
            None => (self.fetch)(key),
        }
    }

    fn get<T: DeserializeOwned>(&self, cell: &Cell) -> Result<Option<T>, ReadError> {
        decode(cell, cell.read(|key| self.fetch(key))?)
    }

    fn put<T: Serialize + ?Sized>(&mut self, cell: &Cell, record: &T) -> Result<(), PlanError> {
        // Only a map with keys that are no strings fails here, and no record holds one.
        let bytes = serde_json::to_vec(record).map_err(|_| CommitError::TooLarge)?;
        self.put_raw(cell, &bytes)
    }

    fn put_raw(&mut self, cell: &Cell, bytes: &[u8]) -> Result<(), PlanError> {
        self.bytes += bytes.len();
        if self.bytes > COMMIT_BYTES {
            return Err(CommitError::TooLarge.into());
        }
        let parts = cell.write(bytes)?;
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
        Ok(match self.fetch(&key)? {
            Some(value) => cell.first(&key, &value)?.0.into(),
            None => 0,
        })
    }
}

/// What a slug names, by the letter before it in the key.
pub(super) mod slug_kind {
    pub(in super::super) const DAY: u8 = b'd';
    pub(in super::super) const ROOM: u8 = b'r';
    pub(in super::super) const ROOM_ALIAS: u8 = b'R';
    pub(in super::super) const SPEAKER: u8 = b's';
    pub(in super::super) const TRACK: u8 = b't';
    pub(in super::super) const TRACK_ALIAS: u8 = b'T';
}

fn slug_cell(space: &Space, kind: u8, slug: &str) -> Cell {
    let mut id = vec![kind];
    id.extend_from_slice(slug.as_bytes());
    space.cell(Table::Slug, &id)
}

/// Parses a record's JSON.
pub(super) fn decode<T: DeserializeOwned>(
    cell: &Cell,
    bytes: Option<Vec<u8>>,
) -> Result<Option<T>, ReadError> {
    bytes.map(|bytes| serde_json::from_slice(&bytes).map_err(|cause| cell.damaged(cause))).transpose()
}

fn check(holds: bool) -> Result<(), CommitError> {
    if holds { Ok(()) } else { Err(CommitError::Conflict) }
}
