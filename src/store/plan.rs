//! From writes to rows: reads the records that a write needs, applies the rules and encodes the new records.
//!
//! A commit is planned against the index and the earlier commits of its group, as if the commits had run one after the
//! other. A commit that fails changes nothing.

use super::error::{CommitError, ReadError};
use super::record::RecordTable;
use super::record::agenda::{AgendaRecord, LinkBucket, LinkTarget};
use super::record::outbox::Version;
use super::record::release::{
    LedgerBase, LedgerHead, LedgerPiece, ReleaseDetail, ReleaseRecord, ReleaseSummary,
};
use super::rows::{FORMAT, KeySpace, RecordAddress, RowChanges, kind, packed_parts};
use super::rules;
use super::write::{PieceContent, ReleasePiece, ReleaseWrite, Staged, Write, take_changes};
use crate::program::Change;
use crate::revision::{Digest, Entry, FeedMark, Slugs};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The name of the record of the replica in charge.
pub(super) const CHARGE: &str = "in-charge";

/// The most bytes of a commit. A program of 20 MiB with its ledger and changes needs a fifth.
const COMMIT_BYTES: usize = 512 * 1024 * 1024;

/// Why a commit was not planned.
#[derive(Debug)]
pub(super) enum PlanError {
    /// A rule or a limit refuses it.
    Refused(CommitError),
    /// A record that the commit needs cannot be read.
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

/// Reads a value from the index.
pub(super) trait Fetch: Fn(&[u8]) -> Result<Option<Vec<u8>>, ReadError> {}
impl<F: Fn(&[u8]) -> Result<Option<Vec<u8>>, ReadError>> Fetch for F {}

/// The rows of one commit, on top of the rows of the earlier commits of its group.
pub(super) struct CommitPlan<'a, F> {
    space: &'a KeySpace,
    group: &'a RowChanges,
    fetch: F,
    own: RowChanges,
    bytes: usize,
    /// The approximate bytes of one piece of a large release.
    limit: usize,
    /// The id of this replica's process; none if the journal is local.
    replica: Option<&'a str>,
}

/// The name of the record that says which replica writes the pieces of a release: two would mix their pieces.
pub(super) const STAGING: &str = "staging";

impl<'a, F: Fetch> CommitPlan<'a, F> {
    pub(super) fn new(
        space: &'a KeySpace,
        group: &'a RowChanges,
        limit: usize,
        replica: Option<&'a str>,
        fetch: F,
    ) -> Self {
        Self { space, group, fetch, own: RowChanges::new(), bytes: 0, limit, replica }
    }

    /// Plans the record that lets this replica alone write the pieces of the next release.
    pub(super) fn stage(mut self) -> Result<RowChanges, PlanError> {
        if let Some(replica) = self.replica {
            self.put_raw(&self.space.named(STAGING), replica.as_bytes())?;
        }
        Ok(self.own)
    }

    /// Fails with a conflict if another replica writes the pieces of a release.
    fn check_staging(&self) -> Result<(), PlanError> {
        let Some(replica) = self.replica else { return Ok(()) };
        let stager = self.bytes(&self.space.named(STAGING))?;
        if stager.as_deref() == Some(replica.as_bytes()) { Ok(()) } else { Err(CommitError::Conflict.into()) }
    }

    /// Plans the rows of a piece of an unpublished release.
    pub(super) fn piece(mut self, piece: &ReleasePiece) -> Result<RowChanges, PlanError> {
        let ReleasePiece { release, content } = piece;
        rules::put_piece(self.head()?.as_ref(), *release)?;
        self.check_staging()?;
        let address = |table, piece: u32| self.space.piece(table, *release, piece);
        match content {
            PieceContent::Csv(csv) => self.put_raw(&self.space.release(RecordTable::Csv, *release), csv)?,
            PieceContent::Changes(piece, changes) => {
                self.put(&address(RecordTable::Changes, *piece), changes)?
            }
            PieceContent::Ledger(piece, maps) => self.put(&address(RecordTable::Ledger, *piece), maps)?,
        }
        Ok(self.own)
    }

    /// Plans all writes of a commit, or none.
    pub(super) fn commit(mut self, writes: &[Write]) -> Result<RowChanges, PlanError> {
        for write in writes {
            self.write(write)?;
        }
        Ok(self.own)
    }

    fn write(&mut self, write: &Write) -> Result<(), PlanError> {
        match write {
            Write::PutAgenda { key, expect, record } => {
                let address = self.space.address(RecordTable::Agenda, &key.0);
                let (stored, bytes) = (self.bytes(&address)?, json(record)?);
                let is_same = stored.as_ref() == Some(&bytes);
                let stored = agenda_version(&address, stored.as_deref())?;
                rules::put_agenda(stored, *expect, record.version, is_same)?;
                if record.needs_format_4() {
                    self.raise_format()?;
                }
                self.put_raw(&address, &bytes)
            }
            Write::ExpectAgenda { key, version } => {
                let address = self.space.address(RecordTable::Agenda, &key.0);
                let stored = agenda_version(&address, self.bytes(&address)?.as_deref())?;
                Ok(rules::expect_version(stored, Some(*version))?)
            }
            Write::DeleteAgenda { key, expect } => {
                let address = self.space.address(RecordTable::Agenda, &key.0);
                // Without an expected version, a damaged agenda can be removed too.
                if expect.is_some() {
                    let stored = agenda_version(&address, self.bytes(&address)?.as_deref())?;
                    rules::delete_agenda(stored, *expect)?;
                }
                self.remove(&self.space.address(RecordTable::Subscriptions, &key.0))?;
                self.remove(&address)
            }
            Write::PutLink { hash, target } => self.link(hash, Some(*target)),
            Write::DropLink { hash } => self.link(hash, None),
            Write::PutSubscriptions { key, expect, record } => {
                let address = self.space.address(RecordTable::Subscriptions, &key.0);
                let has_agenda = self.parts(&self.space.address(RecordTable::Agenda, &key.0))? > 0;
                rules::put_subscriptions(has_agenda, record.is_public())?;
                self.put_versioned(&address, *expect, Some(record).filter(|record| !record.list.is_empty()))
            }
            Write::ExpectSubscriptions { key, version } => {
                let stored: Option<Version> =
                    self.get(&self.space.address(RecordTable::Subscriptions, &key.0))?;
                Ok(rules::expect_version(stored.map(|stored| stored.version), *version)?)
            }
            Write::PutDelivery { id, expect, record } => {
                let address = self.space.address(RecordTable::Delivery, id.as_bytes());
                self.put_versioned(&address, *expect, record.as_ref())
            }
            Write::PutReach { release, expect, record } => {
                self.put_versioned(&self.space.release(RecordTable::Reach, *release), *expect, Some(record))
            }
            Write::PutCharge { expect, record } => {
                self.put_versioned(&self.space.named(CHARGE), *expect, Some(record))
            }
            Write::PutTemporary { kind, id, record } => {
                self.put_raw(&self.space.named(&kind.name(id)), &record.encode())
            }
            Write::DropTemporary { kind, id } => self.remove(&self.space.named(&kind.name(id))),
            Write::TakeTemporary { kind, id } => {
                let address = self.space.named(&kind.name(id));
                rules::take_temporary(self.parts(&address)? > 0)?;
                self.remove(&address)
            }
            Write::PutNamed(record) => {
                self.put_raw(&self.space.named(&record.name().key()), &record.encode())
            }
            Write::DropNamed(name) => self.remove(&self.space.named(&name.key())),
            Write::PutRaw { name, value: Some(value) } => self.put_raw(&self.space.named(name), value),
            Write::PutRaw { name, value: None } => self.remove(&self.space.named(name)),
            Write::PutRelease(write) => self.release(write),
            Write::RewriteRelease { record, csv } => {
                let stored: Option<ReleaseSummary> =
                    self.get(&self.space.release(RecordTable::Release, record.number))?;
                rules::rewrite_release(stored.as_ref())?;
                self.rewrite_release(record)?;
                match csv {
                    Some(csv) => self.put_raw(&self.space.release(RecordTable::Csv, record.number), csv),
                    None => Ok(()),
                }
            }
            Write::RewriteEntry { entry } => self.rewrite_entry(entry),
            Write::DropReleaseText { n } => {
                let address = self.space.release(RecordTable::Release, *n);
                if let Some(summary) = self.get(&address)? {
                    self.put(&address, &rules::drop_program(summary))?;
                }
                self.remove(&self.space.release(RecordTable::Csv, *n))
            }
        }
    }

    /// Sets or removes a link, and removes the link's own record of format 1. From then on the store has the present
    /// format.
    fn link(&mut self, hash: &Digest, target: Option<LinkTarget>) -> Result<(), PlanError> {
        self.raise_format()?;
        self.remove(&self.space.address(RecordTable::Link, &hash.0))?;
        let address = self.space.links(hash);
        let stored: Option<LinkBucket> = self.get(&address)?;
        match rules::set_link(stored, hash, target) {
            Some(links) => self.put(&address, &links),
            None => self.remove(&address),
        }
    }

    /// Sets or removes a record with a version. From then on the store has the present format.
    fn put_versioned<T: Serialize + AsRef<Version>>(
        &mut self,
        address: &RecordAddress,
        expect: Option<u64>,
        record: Option<&T>,
    ) -> Result<(), PlanError> {
        let stored = self.bytes(address)?;
        let bytes = record.map(json).transpose()?;
        let is_same = stored == bytes;
        let stored: Option<Version> = address.decode(stored)?;
        let version = record.map(|record| record.as_ref().version);
        rules::put_versioned(stored.map(|stored| stored.version), expect, version, is_same)?;
        self.raise_format()?;
        match bytes {
            Some(bytes) => self.put_raw(address, &bytes),
            None => self.remove(address),
        }
    }

    fn head(&self) -> Result<Option<LedgerHead>, ReadError> {
        self.get(&self.space.address(RecordTable::Head, b""))
    }

    /// Records the present format, so that older versions refuse the store: they would not find the new records.
    fn raise_format(&mut self) -> Result<(), PlanError> {
        let format = self.space.address(RecordTable::Format, b"");
        if self.get(&format)? < Some(FORMAT) {
            self.put(&format, &FORMAT)?;
        }
        Ok(())
    }

    fn release(&mut self, write: &ReleaseWrite) -> Result<(), PlanError> {
        let head = rules::publish(self.head()?.as_ref(), write)?;
        let (number, staged, base) = (write.record.number, &write.staged, head.base);
        if *staged != Staged::default() && self.replica.is_some() {
            self.check_staging()?;
            self.remove(&self.space.named(STAGING))?;
        }
        self.put(&self.space.address(RecordTable::Head, b""), &head)?;
        if !staged.csv {
            self.put_raw(&self.space.release(RecordTable::Csv, number), &write.csv)?;
        }
        self.put(&self.space.release(RecordTable::Release, number), &rules::published_summary(write))?;
        self.detail(&write.record, write.record.changes.clone(), staged.changes)?;
        for entry in &write.entries {
            self.put(&self.space.entry(base, &entry.session.id), entry)?;
        }
        for (path, mark) in &write.feeds {
            self.put(&self.space.feed(base, path), mark)?;
        }
        for path in &write.feeds_gone {
            let address = self.space.feed(base, path);
            // A piece may still have the mark.
            if base.release == 0 { self.remove(&address)? } else { self.put(&address, &None::<FeedMark>)? }
        }
        self.slugs(base, &write.slugs)
    }

    /// Writes the lists of a release, without the changes that are in pieces, and removes surplus pieces.
    fn detail(&mut self, record: &ReleaseRecord, changes: Vec<Change>, pieces: u32) -> Result<(), PlanError> {
        let (conference, warnings) = (record.conference.clone(), record.warnings.clone());
        let detail = ReleaseDetail { changes, conference, warnings, pieces };
        self.put(&self.space.release(RecordTable::Detail, record.number), &detail)?;
        for piece in pieces.. {
            let address = self.space.piece(RecordTable::Changes, record.number, piece);
            if self.parts(&address)? == 0 {
                break;
            }
            self.remove(&address)?;
        }
        Ok(())
    }

    /// Rewrites a stored release.
    fn rewrite_release(&mut self, record: &ReleaseRecord) -> Result<(), PlanError> {
        self.put(&self.space.release(RecordTable::Release, record.number), &record.summary())?;
        let mut changes = record.changes.iter().cloned().peekable();
        let first = take_changes(&mut changes, self.limit);
        let mut pieces = 0;
        while changes.peek().is_some() {
            let piece = take_changes(&mut changes, self.limit);
            self.put(&self.space.piece(RecordTable::Changes, record.number, pieces), &piece)?;
            pieces += 1;
        }
        self.detail(record, first, pieces)
    }

    /// Rewrites an entry. Its outdated copy in a piece is rewritten too, since the text must be erased everywhere.
    fn rewrite_entry(&mut self, entry: &Entry) -> Result<(), PlanError> {
        let base = self.head()?.map(|head| head.base).unwrap_or_default();
        let id = &entry.session.id;
        let address = self.space.entry(base, id);
        let stored: Option<Entry> = self.get(&address)?;
        let mut is_known = stored.is_some();
        if let Some(stored) = stored {
            rules::rewrite_entry(&stored, entry)?;
            self.put(&address, entry)?;
        }
        for piece in 0..base.pieces {
            let address = self.space.piece(RecordTable::Ledger, base.release, piece);
            let mut maps: LedgerPiece =
                self.get(&address)?.ok_or_else(|| address.damaged("a piece of it is missing"))?;
            if let Some(found) = maps.entries.iter_mut().find(|found| found.session.id == *id) {
                if !is_known {
                    rules::rewrite_entry(found, entry)?;
                }
                is_known = true;
                *found = entry.clone();
                self.put(&address, &maps)?;
                break;
            }
        }
        if is_known { Ok(()) } else { Err(CommitError::Conflict.into()) }
    }

    fn slugs(&mut self, base: LedgerBase, slugs: &Slugs) -> Result<(), PlanError> {
        let space = self.space;
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
        } = slugs;
        if !first_room_names.is_empty() || !tags.is_empty() {
            self.raise_format()?;
        }
        for (slug, track) in tracks {
            self.put(&space.slug(base, kind::TRACK, slug.as_str()), track)?;
        }
        let rooms = [(kind::ROOM, rooms), (kind::FIRST_ROOM_NAME, first_room_names)];
        for (kind, names) in rooms.into_iter().chain([(kind::SPEAKER, speakers), (kind::TAG, tags)]) {
            for (slug, name) in names {
                self.put(&space.slug(base, kind, slug.as_str()), name)?;
            }
        }
        for (kind, aliases) in [(kind::TRACK_ALIAS, track_aliases), (kind::ROOM_ALIAS, room_aliases)] {
            for (was, slug) in aliases {
                self.put(&space.slug(base, kind, was.as_str()), slug)?;
            }
        }
        for day in days {
            self.put(&space.slug(base, kind::DAY, &day.to_string()), day)?;
        }
        Ok(())
    }

    fn fetch(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        match self.own.get(key).or_else(|| self.group.get(key)) {
            Some(planned) => Ok(planned.clone()),
            None => (self.fetch)(key),
        }
    }

    fn get<T: DeserializeOwned>(&self, address: &RecordAddress) -> Result<Option<T>, ReadError> {
        address.decode(self.bytes(address)?)
    }

    fn bytes(&self, address: &RecordAddress) -> Result<Option<Vec<u8>>, ReadError> {
        address.read(|key| self.fetch(key))
    }

    fn put<T: Serialize + ?Sized>(&mut self, address: &RecordAddress, record: &T) -> Result<(), PlanError> {
        self.put_raw(address, &json(record)?)
    }

    fn put_raw(&mut self, address: &RecordAddress, bytes: &[u8]) -> Result<(), PlanError> {
        self.bytes += bytes.len();
        if self.bytes > COMMIT_BYTES {
            return Err(CommitError::TooLarge.into());
        }
        let parts = address.write(bytes)?;
        if packed_parts(&parts).is_some() {
            self.raise_format()?;
        }
        // If the new record is shorter, the surplus parts of the old record are removed.
        for surplus in parts.len()..self.parts(address)? {
            self.own.insert(address.key(u16::try_from(surplus).unwrap_or(u16::MAX)), None);
        }
        self.own.extend(parts.into_iter().map(|(key, value)| (key, Some(value))));
        Ok(())
    }

    fn remove(&mut self, address: &RecordAddress) -> Result<(), PlanError> {
        for part in 0..self.parts(address)? {
            self.own.insert(address.key(u16::try_from(part).unwrap_or(u16::MAX)), None);
        }
        Ok(())
    }

    fn parts(&self, address: &RecordAddress) -> Result<usize, ReadError> {
        let key = address.key(0);
        let Some(value) = self.fetch(&key)? else { return Ok(0) };
        match address.first(&key, &value) {
            Ok((count, _)) => Ok(count.into()),
            // A damaged record can be replaced and removed; otherwise a damaged record with a fixed name would stop
            // publications for good. A compare-and-set has failed before this point, since it reads the record.
            Err(ReadError::Damaged { .. }) => {
                let mut count = 1;
                while self.fetch(&address.key(u16::try_from(count).unwrap_or(u16::MAX)))?.is_some()
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

/// The version of a stored agenda.
fn agenda_version(address: &RecordAddress, stored: Option<&[u8]>) -> Result<Option<u64>, ReadError> {
    let version =
        |stored| AgendaRecord::version_of(stored).ok_or_else(|| address.damaged("it has no version"));
    stored.map(version).transpose()
}

/// A record's JSON.
fn json<T: Serialize + ?Sized>(record: &T) -> Result<Vec<u8>, CommitError> {
    // This fails only for maps whose keys are not strings, and no record has such a map.
    serde_json::to_vec(record).map_err(|_| CommitError::TooLarge)
}
