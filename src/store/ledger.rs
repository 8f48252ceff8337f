//! Where the ledger's maps are, and reading them.
//!
//! ```text
//! base 0    a record for each entry, feed mark and slug
//! base n    pieces that release n wrote, and over them what later releases changed, under the number n
//! ```
//!
//! A ledger of base n is exchanged for another in one step, by the head that names it, however large they are.

use super::cell::{Cell, Space, Table};
use super::plan::decode;
use super::release::Base;
use super::staging::{self, LedgerPart};
use super::view::{self, Records, View};
use super::{LedgerHead, ReadError};
use crate::program::{SessionId, Slug};
use crate::revision::{Entry, FeedMark, Ledger, Slugs};
use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use std::sync::RwLock;

/// What a record of [`Table::Amended`] or [`Table::Slug`] is of, by the letter before its name in the key.
pub(super) mod kind {
    pub(in super::super) const DAY: u8 = b'd';
    pub(in super::super) const ENTRY: u8 = b'e';
    pub(in super::super) const FEED: u8 = b'f';
    pub(in super::super) const ROOM: u8 = b'r';
    pub(in super::super) const ROOM_ALIAS: u8 = b'R';
    pub(in super::super) const SPEAKER: u8 = b's';
    pub(in super::super) const TRACK: u8 = b't';
    pub(in super::super) const TRACK_ALIAS: u8 = b'T';
}

impl Base {
    /// The place of an entry that is in no piece.
    pub(super) fn entry(self, space: &Space, id: &SessionId) -> Cell {
        let id = id.as_str().as_bytes();
        if self.release == 0 { space.cell(Table::Entry, id) } else { self.amended(space, kind::ENTRY, id) }
    }

    /// The place of a feed mark that is in no piece.
    pub(super) fn feed(self, space: &Space, path: &str) -> Cell {
        let path = path.as_bytes();
        if self.release == 0 { space.cell(Table::Feed, path) } else { self.amended(space, kind::FEED, path) }
    }

    /// The place of a slug that is in no piece.
    pub(super) fn slug(self, space: &Space, kind: u8, slug: &str) -> Cell {
        if self.release > 0 {
            return self.amended(space, kind, slug.as_bytes());
        }
        space.cell(Table::Slug, &[&[kind], slug.as_bytes()].concat())
    }

    fn amended(self, space: &Space, kind: u8, name: &[u8]) -> Cell {
        space.cell(Table::Amended, &[&self.release.to_be_bytes()[..], &[kind], name].concat())
    }

    /// The place of a piece.
    pub(super) fn piece(self, space: &Space, piece: u32) -> Cell {
        staging::cell(space, Table::Ledger, self.release, piece)
    }
}

impl View {
    /// The entry of one session.
    pub(super) fn entry(&self, space: &Space, id: &SessionId) -> Result<Option<Entry>, ReadError> {
        let head: Option<LedgerHead> = self.record(&space.cell(Table::Head, b""))?;
        let base = head.map(|head| head.base).unwrap_or_default();
        if let Some(entry) = self.record(&base.entry(space, id))? {
            return Ok(Some(entry));
        }
        for piece in 0..base.pieces {
            let part: Option<LedgerPart> = self.record(&base.piece(space, piece))?;
            let entries = part.map(|part| part.entries).unwrap_or_default();
            if let Some(entry) = entries.into_iter().find(|entry| entry.session.id == *id) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

/// The ledger of the running release; none before the first.
///
/// It is read page by page. A release that is published meanwhile makes it start again, so that what comes
/// back is of one release.
pub(super) fn read(view: &RwLock<View>, space: &Space) -> Result<Option<Ledger>, ReadError> {
    loop {
        let Some(head) = head(view, space)? else { return Ok(None) };
        let maps = maps(view, space, head.base);
        if self::head(view, space)?.as_ref() != Some(&head) {
            continue;
        }
        let mut ledger = maps?;
        ledger.release = head.release;
        ledger.published = head.published;
        ledger.uid_domain = head.uid_domain;
        ledger.departures = head.departures;
        ledger.last_departure = head.last_departure;
        ledger.floor = head.floor;
        return Ok(Some(ledger));
    }
}

/// The highest number of a session, damaged records left out.
pub(super) fn highest_number(view: &RwLock<View>, space: &Space, base: Base) -> u32 {
    let single = Records::new(view, space, Table::Entry).parsed::<Entry>().flatten().map(|(_, entry)| entry);
    let amended = Amended::of(view, space, base).flatten();
    let amended = amended.filter(|row| row.kind == kind::ENTRY).filter_map(|row| row.parse::<Entry>().ok());
    let pieces = (0..base.pieces).filter_map(|piece| part(view, space, base, piece).ok());
    let pieces = pieces.flat_map(|part| part.entries);
    single.chain(amended).chain(pieces).map(|entry| entry.number).max().unwrap_or(0)
}

fn head(view: &RwLock<View>, space: &Space) -> Result<Option<LedgerHead>, ReadError> {
    view::read(view, |view| view.record(&space.cell(Table::Head, b"")))
}

/// All but the head.
fn maps(view: &RwLock<View>, space: &Space, base: Base) -> Result<Ledger, ReadError> {
    let mut ledger = Ledger::empty("");
    if base.release == 0 {
        for row in Records::new(view, space, Table::Entry).parsed::<Entry>() {
            put_entry(&mut ledger, row?.1);
        }
        for row in Records::new(view, space, Table::Feed).parsed::<FeedMark>() {
            let (path, mark) = row?;
            ledger.feeds.insert(text(Table::Feed, path)?, mark);
        }
        for row in Records::new(view, space, Table::Slug) {
            let (id, bytes) = row?;
            if let Some((kind, name)) = id.split_first() {
                slug(&mut ledger.slugs, &Named { table: Table::Slug, kind: *kind, name, bytes: &bytes })?;
            }
        }
        return Ok(ledger);
    }
    for piece in 0..base.pieces {
        let LedgerPart { entries, mut feeds, mut slugs } = part(view, space, base, piece)?;
        entries.into_iter().for_each(|entry| put_entry(&mut ledger, entry));
        ledger.feeds.append(&mut feeds);
        let Slugs { tracks, rooms, speakers, days, track_aliases, room_aliases, by_name: _ } = &mut slugs;
        ledger.slugs.tracks.append(tracks);
        ledger.slugs.rooms.append(rooms);
        ledger.slugs.speakers.append(speakers);
        ledger.slugs.days.append(days);
        ledger.slugs.track_aliases.append(track_aliases);
        ledger.slugs.room_aliases.append(room_aliases);
    }
    for row in Amended::of(view, space, base) {
        let row = row?;
        match row.kind {
            kind::ENTRY => put_entry(&mut ledger, row.parse()?),
            kind::FEED => {
                let mark: Option<FeedMark> = row.parse()?;
                let path = text(Table::Amended, row.name)?;
                match mark {
                    Some(mark) => ledger.feeds.insert(path, mark),
                    None => ledger.feeds.remove(&path),
                };
            }
            kind => {
                let named = Named { table: Table::Amended, kind, name: &row.name, bytes: &row.bytes };
                slug(&mut ledger.slugs, &named)?;
            }
        }
    }
    Ok(ledger)
}

fn put_entry(ledger: &mut Ledger, entry: Entry) {
    ledger.entries.insert(entry.session.id.clone(), entry);
}

fn part(view: &RwLock<View>, space: &Space, base: Base, piece: u32) -> Result<LedgerPart, ReadError> {
    let cell = base.piece(space, piece);
    let part = decode(&cell, view::read(view, |view| view.bytes(&cell))?)?;
    part.ok_or_else(|| cell.damaged("a piece of it is missing"))
}

/// What later releases changed in a ledger that was written whole.
struct Amended<'a> {
    records: Records<'a>,
}

struct Row {
    kind: u8,
    name: Vec<u8>,
    bytes: Vec<u8>,
}

impl Row {
    fn parse<T: DeserializeOwned>(&self) -> Result<T, ReadError> {
        json(Table::Amended, &self.bytes)
    }
}

impl<'a> Amended<'a> {
    fn of(view: &'a RwLock<View>, space: &Space, base: Base) -> Self {
        Self { records: Records::within(view, space, Table::Amended, &base.release.to_be_bytes()) }
    }
}

impl Iterator for Amended<'_> {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.records.next()?.and_then(|(id, bytes)| match id.split_first() {
            Some((kind, name)) => Ok(Row { kind: *kind, name: name.to_vec(), bytes }),
            None => Err(damaged(Table::Amended, "its key is too short")),
        }))
    }
}

/// The record of a slug.
struct Named<'a> {
    table: Table,
    kind: u8,
    name: &'a [u8],
    bytes: &'a [u8],
}

fn slug(slugs: &mut Slugs, named: &Named<'_>) -> Result<(), ReadError> {
    let Named { table, kind, name, bytes } = *named;
    if kind == kind::DAY {
        slugs.days.insert(json::<NaiveDate>(table, bytes)?);
        return Ok(());
    }
    let slug = Slug::parse(&text(table, name.to_vec())?).map_err(|cause| damaged(table, cause))?;
    match kind {
        kind::TRACK => drop(slugs.tracks.insert(slug, json(table, bytes)?)),
        kind::ROOM => drop(slugs.rooms.insert(slug, json(table, bytes)?)),
        kind::SPEAKER => drop(slugs.speakers.insert(slug, json(table, bytes)?)),
        kind::TRACK_ALIAS => drop(slugs.track_aliases.insert(slug, json(table, bytes)?)),
        kind::ROOM_ALIAS => drop(slugs.room_aliases.insert(slug, json(table, bytes)?)),
        _ => return Err(damaged(table, "it names nothing that is known")),
    }
    Ok(())
}

fn json<T: DeserializeOwned>(table: Table, bytes: &[u8]) -> Result<T, ReadError> {
    serde_json::from_slice(bytes).map_err(|cause| damaged(table, cause))
}

fn text(table: Table, bytes: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(bytes).map_err(|cause| damaged(table, cause))
}

fn damaged(table: Table, cause: impl ToString) -> ReadError {
    ReadError::Damaged { what: table.name(), cause: cause.to_string() }
}
