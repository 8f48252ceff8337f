//! Reading the ledger, and finding rows that no release needs.
//!
//! ```text
//! base 0    a record for each entry, feed mark and slug
//! base n    the pieces of release n, and the changes of later releases in records under the number n
//! ```
//!
//! The head record names the base of the current ledger. So one small commit replaces a ledger of any size.

use super::Engine;
use super::scan::RecordScan;
use super::view::{Index, View};
use crate::program::{SessionId, Slug};
use crate::revision::{Entry, FeedMark, Ledger, Slugs};
use crate::store::error::{ReadError, StorageError};
use crate::store::record::RecordTable;
use crate::store::record::release::{LedgerBase, LedgerHead, LedgerPiece};
use crate::store::rows::{KeySpace, RowChanges, kind};
use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use std::ops::Bound;

impl View {
    /// The entry of a session.
    pub(in crate::store) fn entry(
        &self,
        space: &KeySpace,
        id: &SessionId,
    ) -> Result<Option<Entry>, ReadError> {
        let head: Option<LedgerHead> = self.record(&space.address(RecordTable::Head, b""))?;
        let base = head.map(|head| head.base).unwrap_or_default();
        if let Some(entry) = self.record(&space.entry(base, id))? {
            return Ok(Some(entry));
        }
        for piece in 0..base.pieces {
            let address = space.piece(RecordTable::Ledger, base.release, piece);
            let maps: Option<LedgerPiece> = self.record(&address)?;
            let entries = maps.map(|maps| maps.entries).unwrap_or_default();
            if let Some(entry) = entries.into_iter().find(|entry| entry.session.id == *id) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

/// The ledger of the live release; none before the first release.
///
/// The ledger is read page by page. If a release is published meanwhile, reading starts again, so the result never
/// mixes two releases.
pub(in crate::store) fn read(index: &Index, space: &KeySpace) -> Result<Option<Ledger>, ReadError> {
    loop {
        let Some(head) = head(index, space)? else { return Ok(None) };
        let maps = maps(index, space, head.base);
        if self::head(index, space)?.as_ref() != Some(&head) {
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

/// The highest session number. Damaged records are skipped.
pub(in crate::store) fn highest_number(index: &Index, space: &KeySpace, base: LedgerBase) -> u32 {
    let single =
        RecordScan::new(index, space, RecordTable::Entry).parsed::<Entry>().flatten().map(|(_, entry)| entry);
    let amended = Amended::of(index, space, base).flatten();
    let amended = amended.filter(|row| row.kind == kind::ENTRY).filter_map(|row| row.parse::<Entry>().ok());
    let pieces = (0..base.pieces).filter_map(|number| piece(index, space, base, number).ok());
    let pieces = pieces.flat_map(|maps| maps.entries);
    single.chain(amended).chain(pieces).map(|entry| entry.number).max().unwrap_or(0)
}

fn head(index: &Index, space: &KeySpace) -> Result<Option<LedgerHead>, ReadError> {
    index.read(|view| view.record(&space.address(RecordTable::Head, b"")))
}

/// The ledger's maps, without the head.
fn maps(index: &Index, space: &KeySpace, base: LedgerBase) -> Result<Ledger, ReadError> {
    let mut ledger = Ledger::empty("");
    if base.release == 0 {
        for row in RecordScan::new(index, space, RecordTable::Entry).parsed::<Entry>() {
            put_entry(&mut ledger, row?.1);
        }
        for row in RecordScan::new(index, space, RecordTable::Feed).parsed::<FeedMark>() {
            let (path, mark) = row?;
            ledger.feeds.insert(text(RecordTable::Feed, path)?, mark);
        }
        for row in RecordScan::new(index, space, RecordTable::Slug) {
            let (id, bytes) = row?;
            if let Some((kind, name)) = id.split_first() {
                put_slug(
                    &mut ledger.slugs,
                    &SlugRow { table: RecordTable::Slug, kind: *kind, name, bytes: &bytes },
                )?;
            }
        }
        return Ok(ledger);
    }
    for number in 0..base.pieces {
        let LedgerPiece { entries, mut feeds, mut slugs } = piece(index, space, base, number)?;
        entries.into_iter().for_each(|entry| put_entry(&mut ledger, entry));
        ledger.feeds.append(&mut feeds);
        let Slugs {
            tracks,
            rooms,
            speakers,
            tags,
            days,
            track_aliases,
            room_aliases,
            first_room_names,
            by_name: _,
        } = &mut slugs;
        ledger.slugs.tracks.append(tracks);
        ledger.slugs.rooms.append(rooms);
        ledger.slugs.speakers.append(speakers);
        ledger.slugs.tags.append(tags);
        ledger.slugs.days.append(days);
        ledger.slugs.track_aliases.append(track_aliases);
        ledger.slugs.room_aliases.append(room_aliases);
        ledger.slugs.first_room_names.append(first_room_names);
    }
    for row in Amended::of(index, space, base) {
        let row = row?;
        match row.kind {
            kind::ENTRY => put_entry(&mut ledger, row.parse()?),
            kind::FEED => {
                let mark: Option<FeedMark> = row.parse()?;
                let path = text(RecordTable::Amended, row.name)?;
                match mark {
                    Some(mark) => ledger.feeds.insert(path, mark),
                    None => ledger.feeds.remove(&path),
                };
            }
            kind => {
                let row = SlugRow { table: RecordTable::Amended, kind, name: &row.name, bytes: &row.bytes };
                put_slug(&mut ledger.slugs, &row)?;
            }
        }
    }
    Ok(ledger)
}

fn put_entry(ledger: &mut Ledger, entry: Entry) {
    ledger.entries.insert(entry.session.id.clone(), entry);
}

fn piece(index: &Index, space: &KeySpace, base: LedgerBase, number: u32) -> Result<LedgerPiece, ReadError> {
    let address = space.piece(RecordTable::Ledger, base.release, number);
    let piece = address.decode(index.read(|view| view.bytes(&address))?)?;
    piece.ok_or_else(|| address.damaged("a piece of it is missing"))
}

/// The changes that later releases made to a ledger that is stored in pieces.
struct Amended<'a> {
    records: RecordScan<'a>,
}

struct AmendedRow {
    kind: u8,
    name: Vec<u8>,
    bytes: Vec<u8>,
}

impl AmendedRow {
    fn parse<T: DeserializeOwned>(&self) -> Result<T, ReadError> {
        json(RecordTable::Amended, &self.bytes)
    }
}

impl<'a> Amended<'a> {
    fn of(index: &'a Index, space: &KeySpace, base: LedgerBase) -> Self {
        Self {
            records: RecordScan::with_id_prefix(
                index,
                space,
                RecordTable::Amended,
                &base.release.to_be_bytes(),
            ),
        }
    }
}

impl Iterator for Amended<'_> {
    type Item = Result<AmendedRow, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.records.next()?.and_then(|(id, bytes)| match id.split_first() {
            Some((kind, name)) => Ok(AmendedRow { kind: *kind, name: name.to_vec(), bytes }),
            None => Err(damaged(RecordTable::Amended, "its key is too short")),
        }))
    }
}

/// The record of a slug.
struct SlugRow<'a> {
    table: RecordTable,
    kind: u8,
    name: &'a [u8],
    bytes: &'a [u8],
}

fn put_slug(slugs: &mut Slugs, row: &SlugRow<'_>) -> Result<(), ReadError> {
    let SlugRow { table, kind, name, bytes } = *row;
    if kind == kind::DAY {
        slugs.days.insert(json::<NaiveDate>(table, bytes)?);
        return Ok(());
    }
    let slug = Slug::parse(&text(table, name.to_vec())?).map_err(|cause| damaged(table, cause))?;
    match kind {
        kind::TRACK => drop(slugs.tracks.insert(slug, json(table, bytes)?)),
        kind::ROOM => drop(slugs.rooms.insert(slug, json(table, bytes)?)),
        kind::SPEAKER => drop(slugs.speakers.insert(slug, json(table, bytes)?)),
        kind::TAG => drop(slugs.tags.insert(slug, json(table, bytes)?)),
        kind::TRACK_ALIAS => drop(slugs.track_aliases.insert(slug, json(table, bytes)?)),
        kind::ROOM_ALIAS => drop(slugs.room_aliases.insert(slug, json(table, bytes)?)),
        kind::FIRST_ROOM_NAME => drop(slugs.first_room_names.insert(slug, json(table, bytes)?)),
        _ => return Err(damaged(table, "its kind is unknown")),
    }
    Ok(())
}

fn json<T: DeserializeOwned>(table: RecordTable, bytes: &[u8]) -> Result<T, ReadError> {
    serde_json::from_slice(bytes).map_err(|cause| damaged(table, cause))
}

fn text(table: RecordTable, bytes: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(bytes).map_err(|cause| damaged(table, cause))
}

fn damaged(table: RecordTable, cause: impl ToString) -> ReadError {
    ReadError::Damaged { what: table.name(), cause: cause.to_string() }
}

/// The most leftover rows that one commit removes.
const MAX_LEFTOVERS: usize = 512;

/// The removal of rows that no release needs: pieces of releases that were never published, and a replaced ledger.
/// Empty if no such rows are left.
///
/// The result depends only on the head and the rows, so after a crash the same rows are found again.
pub(in crate::store) fn leftovers(
    engine: &Engine,
    space: &KeySpace,
    head: Option<&LedgerHead>,
) -> Result<RowChanges, StorageError> {
    let LedgerBase { release: base, pieces } = head.map(|head| head.base).unwrap_or_default();
    let published = head.map_or(0, |head| head.release);
    let mut found = RowChanges::new();
    let mut take = |table: RecordTable, from: &[u8], to: Option<&[u8]>| -> Result<(), StorageError> {
        let prefix = space.table(table);
        let start = [&prefix, from].concat();
        let end = to.map(|to| [&prefix, to].concat());
        let rows =
            engine.range(&prefix, Bound::Included(&start), MAX_LEFTOVERS.saturating_sub(found.len()))?;
        let rows = rows.into_iter().map(|(key, _)| key);
        found.extend(rows.take_while(|key| end.as_ref().is_none_or(|end| key < end)).map(|key| (key, None)));
        Ok(())
    };
    if base > 0 {
        [RecordTable::Entry, RecordTable::Feed, RecordTable::Slug]
            .into_iter()
            .try_for_each(|table| take(table, b"", None))?;
    }
    let (this, next) = (base.to_be_bytes(), base.saturating_add(1).to_be_bytes());
    take(RecordTable::Ledger, b"", Some(&this))?;
    take(RecordTable::Ledger, &[&this[..], &pieces.to_be_bytes()].concat(), None)?;
    take(RecordTable::Amended, b"", Some(&this))?;
    take(RecordTable::Amended, &next, None)?;
    let unpublished = published.saturating_add(1).to_be_bytes();
    for table in [RecordTable::Csv, RecordTable::Detail, RecordTable::Changes] {
        take(table, &unpublished, None)?;
    }
    Ok(found)
}
