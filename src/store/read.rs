//! The reading side of the store: synchronous, and never behind the disk unless a page is not cached.

use super::cell::{Cell, Table};
use super::links;
use super::plan::{decode, slug_kind};
use super::release::ReleaseDetail;
use super::view::{self, Records};
use super::{AgendaRecord, LedgerHead, LinkTarget, ReadError, ReleaseRecord, ReleaseSummary, Store};
use crate::program::{SessionId, Slug};
use crate::revision::{Digest, Entry, FeedMark, Ledger, Slugs};
use chrono::NaiveDate;
use serde::de::DeserializeOwned;

impl Store {
    /// The agenda of an edit key's SHA-256.
    pub fn agenda(&self, key: &Digest) -> Result<Option<AgendaRecord>, ReadError> {
        self.record(Table::Agenda, &key.0)
    }

    /// Where the read link of a token's SHA-256 leads.
    pub fn link(&self, hash: &Digest) -> Result<Option<LinkTarget>, ReadError> {
        view::read(self.view(), |view| view.link(self.space(), hash))
    }

    /// All agendas, by key. Commits go on during the scan: each record is whole, but they are not all of one
    /// moment. A damaged record is an error in its place, and the others follow it.
    pub fn agendas(&self) -> impl Iterator<Item = Result<(Digest, AgendaRecord), ReadError>> + '_ {
        self.by_digest(Table::Agenda)
    }

    /// All read links, the closed ones too; by hash but for those that format 1 wrote, which come first.
    pub fn links(&self) -> impl Iterator<Item = Result<(Digest, LinkTarget), ReadError>> + '_ {
        // In this order, one that is written meanwhile and so moves is met twice at worst, and never missed.
        self.by_digest(Table::Link).chain(links::all(self.records(Table::Links)))
    }

    /// A small named value.
    pub fn note(&self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.bytes(&self.space().cell(Table::Note, name.as_bytes()))
    }

    /// The number of the release that runs; 0 before the first.
    pub fn release_number(&self) -> Result<u64, ReadError> {
        Ok(self.head()?.map_or(0, |head| head.release))
    }

    /// A kept release.
    pub fn release(&self, n: u64) -> Result<Option<ReleaseRecord>, ReadError> {
        let cell = |table| self.space().cell(table, &n.to_be_bytes());
        let (summary, detail) = (cell(Table::Release), cell(Table::Detail));
        // Both halves at one moment.
        let halves = view::read(self.view(), |view| Ok((view.bytes(&summary)?, view.bytes(&detail)?)))?;
        let Some(kept) = decode::<ReleaseSummary>(&summary, halves.0)? else { return Ok(None) };
        match decode::<ReleaseDetail>(&detail, halves.1)? {
            Some(lists) => Ok(Some(ReleaseRecord::from_parts(kept, lists))),
            None => Err(detail.damaged("its changes are missing")),
        }
    }

    /// A kept release's line in the list.
    pub fn release_summary(&self, n: u64) -> Result<Option<ReleaseSummary>, ReadError> {
        self.record(Table::Release, &n.to_be_bytes())
    }

    /// Every release, the oldest first.
    pub fn releases(&self) -> Result<Vec<ReleaseSummary>, ReadError> {
        self.records(Table::Release).parsed().map(|row| row.map(|(_, summary)| summary)).collect()
    }

    /// The program of a release, byte for byte; none when it is no longer kept.
    pub fn program_csv(&self, n: u64) -> Result<Option<Vec<u8>>, ReadError> {
        self.bytes(&self.space().cell(Table::Csv, &n.to_be_bytes()))
    }

    /// The ledger of the running release; none before the first.
    ///
    /// It is read page by page. A release that is published meanwhile makes it start again, so that what
    /// comes back is of one release.
    pub fn ledger(&self) -> Result<Option<Ledger>, ReadError> {
        loop {
            let Some(head) = self.head()? else { return Ok(None) };
            let entries = self.records(Table::Entry).parsed::<Entry>();
            let entries = entries.map(|row| row.map(|(_, entry)| (entry.session.id.clone(), entry)));
            let feeds = self.records(Table::Feed).parsed::<FeedMark>().map(|row| {
                let (path, mark) = row?;
                Ok((text(Table::Feed, path)?, mark))
            });
            let ledger = Ledger {
                release: head.release,
                published: head.published,
                uid_domain: head.uid_domain.clone(),
                departures: head.departures.clone(),
                last_departure: head.last_departure,
                floor: head.floor,
                entries: entries.collect::<Result<_, ReadError>>()?,
                slugs: self.slugs()?,
                feeds: feeds.collect::<Result<_, ReadError>>()?,
            };
            if self.head()?.as_ref() == Some(&head) {
                return Ok(Some(ledger));
            }
        }
    }

    /// The ledger's entry of one session.
    pub fn entry(&self, id: &SessionId) -> Result<Option<Entry>, ReadError> {
        self.record(Table::Entry, id.as_str().as_bytes())
    }

    fn slugs(&self) -> Result<Slugs, ReadError> {
        const TABLE: Table = Table::Slug;
        fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ReadError> {
            serde_json::from_slice(bytes)
                .map_err(|cause| ReadError::Damaged { what: TABLE.name(), cause: cause.to_string() })
        }
        let mut slugs = Slugs::default();
        for row in self.records(TABLE) {
            let (id, bytes) = row?;
            let Some((kind, name)) = id.split_first() else { continue };
            let name = text(TABLE, name.to_vec())?;
            if *kind == slug_kind::DAY {
                slugs.days.insert(json::<NaiveDate>(&bytes)?);
                continue;
            }
            let slug = Slug::parse(&name)
                .map_err(|cause| ReadError::Damaged { what: TABLE.name(), cause: cause.to_string() })?;
            match *kind {
                slug_kind::TRACK => drop(slugs.tracks.insert(slug, json(&bytes)?)),
                slug_kind::ROOM => drop(slugs.rooms.insert(slug, json(&bytes)?)),
                slug_kind::SPEAKER => drop(slugs.speakers.insert(slug, json(&bytes)?)),
                slug_kind::TRACK_ALIAS => drop(slugs.track_aliases.insert(slug, json(&bytes)?)),
                slug_kind::ROOM_ALIAS => drop(slugs.room_aliases.insert(slug, json(&bytes)?)),
                _ => {
                    let cause = "it names nothing that is known".to_owned();
                    return Err(ReadError::Damaged { what: TABLE.name(), cause });
                }
            }
        }
        Ok(slugs)
    }

    fn head(&self) -> Result<Option<LedgerHead>, ReadError> {
        self.record(Table::Head, b"")
    }

    fn record<T: DeserializeOwned>(&self, table: Table, id: &[u8]) -> Result<Option<T>, ReadError> {
        let cell = self.space().cell(table, id);
        decode(&cell, self.bytes(&cell)?)
    }

    fn bytes(&self, cell: &Cell) -> Result<Option<Vec<u8>>, ReadError> {
        view::read(self.view(), |view| view.bytes(cell))
    }

    fn records(&self, table: Table) -> Records<'_> {
        Records::new(self.view(), self.space(), table)
    }

    fn by_digest<T: DeserializeOwned>(
        &self,
        table: Table,
    ) -> impl Iterator<Item = Result<(Digest, T), ReadError>> + '_ {
        self.records(table).parsed().map(move |row| {
            let (id, record) = row?;
            let cause = "its key is no digest".to_owned();
            let key = id.try_into().map_err(|_| ReadError::Damaged { what: table.name(), cause })?;
            Ok((Digest(key), record))
        })
    }
}

fn text(table: Table, bytes: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(bytes)
        .map_err(|cause| ReadError::Damaged { what: table.name(), cause: cause.to_string() })
}
