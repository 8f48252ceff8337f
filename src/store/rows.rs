//! How a record becomes rows: the keys and values of journal and index.
//!
//! ```text
//! key    conference slug, 00, table, id, part (u16)
//! value  layout (01 or 03), CRC-32 of key and payload (u32, little-endian), payload
//! ```
//!
//! The payload of part 0 begins with the number of parts (u16). With layout 03 the length of the record follows
//! (u32), and the joined rest of the payloads is the record as one zstd frame. Numbers other than the CRC are
//! big-endian.
//!
//! A record is cut into parts of 4 KiB because sled 0.34 moves pages over 128 KiB into files of their own under
//! `blobs/`. Neither `flush()` nor an fdatasync of `db` makes these files durable. A leaf holds up to about 20 values,
//! so parts of 4 KiB keep every page inside `db`. The CRC covers the key, so a value under a wrong key is detected too.
//! sled checks its log, but without a fresh snapshot it opens a truncated or corrupted log without an error.

use super::error::{CommitError, ReadError};
use super::record::RecordTable;
use super::record::agenda::LinkBucket;
use super::record::release::LedgerBase;
use crate::program::{SessionId, Slug};
use crate::revision::Digest;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The format that this version writes, and the newest format that it reads. Format 1 had a record for each read link.
/// Format 2 compressed nothing, and its ledger always had one record per entry. Format 3 had no subscriptions and no
/// deliveries, and its agendas had neither ranks nor busy times.
///
/// A version with a higher format still reads the older ones. It writes the new number into [`RecordTable::Format`] together
/// with the first record that an older version would not find. The older version then refuses the directory.
pub(super) const FORMAT: u8 = 4;

/// How a record's bytes are stored. The first byte of every value is the number of the format that introduced its
/// layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Layout {
    Plain = 1,
    Zstd = 3,
}

impl Layout {
    fn of(value: &[u8]) -> Self {
        if value.first() == Some(&(Self::Zstd as u8)) { Self::Zstd } else { Self::Plain }
    }
}

const PART_BYTES: usize = 4096;
const HEADER_BYTES: usize = 5;

/// The zstd levels that are tried for a record that must fit into a number of parts. New records use the first.
const ZSTD_LEVELS: [i32; 4] = [1, 3, 9, 19];

/// The longest record that is decompressed: a damaged length may state more. No commit is that large.
const MAX_RECORD_BYTES: usize = 1 << 30;

/// A key and its value.
pub(super) type KeyValue = (Vec<u8>, Vec<u8>);

/// Keys to be written, with their new values; `None` removes a key.
pub(super) type RowChanges = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The kind of an amended ledger record or a slug: the letter before the name in the key.
pub(super) mod kind {
    pub(in super::super) const DAY: u8 = b'd';
    pub(in super::super) const ENTRY: u8 = b'e';
    pub(in super::super) const FEED: u8 = b'f';
    pub(in super::super) const FIRST_ROOM_NAME: u8 = b'n';
    pub(in super::super) const ROOM: u8 = b'r';
    pub(in super::super) const ROOM_ALIAS: u8 = b'R';
    pub(in super::super) const SPEAKER: u8 = b's';
    pub(in super::super) const TAG: u8 = b'g';
    pub(in super::super) const TRACK: u8 = b't';
    pub(in super::super) const TRACK_ALIAS: u8 = b'T';
}

/// The keys of one conference.
#[derive(Debug, Clone)]
pub(super) struct KeySpace(Vec<u8>);

impl KeySpace {
    pub(super) fn new(conference: &Slug) -> Self {
        let mut prefix = conference.as_str().as_bytes().to_vec();
        prefix.push(0); // no slug has a 0 byte, so no conference's keys begin with another's
        Self(prefix)
    }

    /// The prefix of all keys.
    pub(super) fn prefix(&self) -> &[u8] {
        &self.0
    }

    /// The prefix of all keys of a table.
    pub(super) fn table(&self, table: RecordTable) -> Vec<u8> {
        let mut prefix = self.0.clone();
        prefix.push(table as u8);
        prefix
    }

    /// The conference's slug.
    pub(super) fn conference(&self) -> &str {
        let slug = self.0.split_last().map_or(&[][..], |(_, slug)| slug);
        std::str::from_utf8(slug).unwrap_or_default()
    }

    pub(super) fn address(&self, table: RecordTable, id: &[u8]) -> RecordAddress {
        let mut base = self.table(table);
        base.extend_from_slice(id);
        RecordAddress { table, base }
    }

    /// The address of a record that belongs to a release.
    pub(super) fn release(&self, table: RecordTable, number: u64) -> RecordAddress {
        self.address(table, &number.to_be_bytes())
    }

    /// The address of a numbered piece of a release.
    pub(super) fn piece(&self, table: RecordTable, release: u64, piece: u32) -> RecordAddress {
        self.address(table, &[&release.to_be_bytes()[..], &piece.to_be_bytes()].concat())
    }

    /// The address of a record with a fixed name.
    pub(super) fn named(&self, name: &str) -> RecordAddress {
        self.address(RecordTable::Note, name.as_bytes())
    }

    /// The address of the links that share their first bits with a hash.
    pub(super) fn links(&self, hash: &Digest) -> RecordAddress {
        self.address(RecordTable::Links, &LinkBucket::id(hash))
    }

    /// The address of an entry that is not in a piece.
    pub(super) fn entry(&self, base: LedgerBase, id: &SessionId) -> RecordAddress {
        let id = id.as_str().as_bytes();
        if base.release == 0 {
            self.address(RecordTable::Entry, id)
        } else {
            self.amended(base, kind::ENTRY, id)
        }
    }

    /// The address of a feed mark that is not in a piece.
    pub(super) fn feed(&self, base: LedgerBase, path: &str) -> RecordAddress {
        let path = path.as_bytes();
        if base.release == 0 {
            self.address(RecordTable::Feed, path)
        } else {
            self.amended(base, kind::FEED, path)
        }
    }

    /// The address of a slug that is not in a piece.
    pub(super) fn slug(&self, base: LedgerBase, kind: u8, slug: &str) -> RecordAddress {
        if base.release > 0 {
            return self.amended(base, kind, slug.as_bytes());
        }
        self.address(RecordTable::Slug, &[&[kind], slug.as_bytes()].concat())
    }

    fn amended(&self, base: LedgerBase, kind: u8, name: &[u8]) -> RecordAddress {
        self.address(RecordTable::Amended, &[&base.release.to_be_bytes()[..], &[kind], name].concat())
    }
}

/// The conference, table and id of one record, from which the keys of its rows are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordAddress {
    pub(super) table: RecordTable,
    pub(super) base: Vec<u8>,
}

impl RecordAddress {
    /// The address that a key belongs to, with its conference and id; none for the layouts of later versions.
    pub(super) fn of_key(key: &[u8]) -> Option<(Self, &str, &[u8])> {
        let base = key.split_last_chunk::<2>()?.0;
        let at = base.iter().position(|byte| *byte == 0)?;
        let (conference, rest) = base.split_at_checked(at)?;
        let (letter, id) = rest.get(1..)?.split_first()?;
        let address = Self { table: RecordTable::of(*letter)?, base: base.to_vec() };
        Some((address, std::str::from_utf8(conference).ok()?, id))
    }

    /// The key of a part.
    pub(super) fn key(&self, part: u16) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.base.len() + 2);
        key.extend_from_slice(&self.base);
        key.extend_from_slice(&part.to_be_bytes());
        key
    }

    /// Cuts a record into rows, compressed if that makes it shorter.
    pub(super) fn write(&self, record: &[u8]) -> Result<Vec<KeyValue>, CommitError> {
        let packed = pack(self.table, record, ZSTD_LEVELS[0]);
        match packed {
            Some(packed) => self.cut(Layout::Zstd, &packed),
            None => self.cut(Layout::Plain, record),
        }
    }

    /// Cuts a record of a checkpoint into rows: plain without `parts`, else compressed into at most `parts` parts.
    ///
    /// The journal may later remove exactly `parts` parts of this record, so a surplus part would stay behind.
    pub(super) fn write_as(&self, record: &[u8], parts: Option<u16>) -> Result<Vec<KeyValue>, CommitError> {
        let Some(parts) = parts else { return self.cut(Layout::Plain, record) };
        let most = usize::from(parts) * PART_BYTES;
        let packed = ZSTD_LEVELS.into_iter().filter_map(|level| pack(self.table, record, level));
        match packed.into_iter().find(|packed| packed.len() <= most) {
            Some(packed) => self.cut(Layout::Zstd, &packed),
            None => self.write(record),
        }
    }

    fn cut(&self, layout: Layout, bytes: &[u8]) -> Result<Vec<KeyValue>, CommitError> {
        let count = bytes.len().div_ceil(PART_BYTES).max(1);
        let count = u16::try_from(count).map_err(|_| CommitError::TooLarge)?;
        let mut chunks = bytes.chunks(PART_BYTES);
        Ok((0..count)
            .map(|part| {
                let key = self.key(part);
                let mut payload = Vec::with_capacity(PART_BYTES + 2);
                if part == 0 {
                    payload.extend_from_slice(&count.to_be_bytes());
                }
                payload.extend_from_slice(chunks.next().unwrap_or_default());
                let mut value = Vec::with_capacity(HEADER_BYTES + payload.len());
                value.push(layout as u8);
                value.extend_from_slice(&checksum(&key, &payload).to_le_bytes());
                value.append(&mut payload);
                (key, value)
            })
            .collect())
    }

    /// Joins a record from its rows.
    pub(super) fn read(
        &self,
        mut fetch: impl FnMut(&[u8]) -> Result<Option<Vec<u8>>, ReadError>,
    ) -> Result<Option<Vec<u8>>, ReadError> {
        let first = self.key(0);
        let Some(value) = fetch(&first)? else { return Ok(None) };
        let (count, mut record) = self.first(&first, &value)?;
        for part in 1..count {
            let key = self.key(part);
            let value = fetch(&key)?.ok_or_else(|| self.damaged("a part is missing"))?;
            record.extend_from_slice(payload(self.table, &key, &value)?);
        }
        match Layout::of(&value) {
            Layout::Plain => Ok(Some(record)),
            Layout::Zstd => self.unpack(&record).map(Some),
        }
    }

    fn unpack(&self, packed: &[u8]) -> Result<Vec<u8>, ReadError> {
        let (length, frame) = packed.split_first_chunk().ok_or_else(|| self.damaged("it is cut off"))?;
        let length =
            usize::try_from(u32::from_be_bytes(*length)).ok().filter(|length| *length <= MAX_RECORD_BYTES);
        let length = length.ok_or_else(|| self.damaged("its length is wrong"))?;
        let record = zstd::bulk::decompress(frame, length).map_err(|cause| self.damaged(cause))?;
        if record.len() == length { Ok(record) } else { Err(self.damaged("its length is wrong")) }
    }

    /// Joins a record from all its rows, given in order.
    pub(super) fn join(&self, parts: &[KeyValue]) -> Result<Vec<u8>, ReadError> {
        let mut rest = parts.iter();
        let record = self.read(|key| {
            let part = rest.as_slice().first().filter(|(found, _)| found == key);
            Ok(part.and_then(|_| rest.next()).map(|(_, value)| value.clone()))
        })?;
        record.ok_or_else(|| self.damaged("its first part is missing"))
    }

    /// The number of parts and the payload of part 0.
    pub(super) fn first(&self, key: &[u8], value: &[u8]) -> Result<(u16, Vec<u8>), ReadError> {
        match payload(self.table, key, value)? {
            [high, low, rest @ ..] => Ok((u16::from_be_bytes([*high, *low]), rest.to_vec())),
            _ => Err(self.damaged("it is cut off")),
        }
    }

    /// Parses a record's JSON.
    pub(super) fn decode<T: DeserializeOwned>(&self, bytes: Option<Vec<u8>>) -> Result<Option<T>, ReadError> {
        bytes.map(|bytes| serde_json::from_slice(&bytes).map_err(|cause| self.damaged(cause))).transpose()
    }

    pub(super) fn damaged(&self, cause: impl ToString) -> ReadError {
        ReadError::Damaged { what: self.table.name(), cause: cause.to_string() }
    }
}

/// The part that a key shares with its whole table; none for the layouts of later versions.
pub(super) fn table_of(key: &[u8]) -> Option<&[u8]> {
    let at = key.iter().position(|byte| *byte == 0)?;
    key.get(..at + 2)
}

/// Verifies a value and returns its payload.
pub(super) fn payload<'a>(table: RecordTable, key: &[u8], value: &'a [u8]) -> Result<&'a [u8], ReadError> {
    let what = table.name();
    let damaged = |cause: &str| ReadError::Damaged { what, cause: cause.to_owned() };
    match value {
        [found, ..] if *found > FORMAT => Err(ReadError::Newer { what, found: *found, known: FORMAT }),
        [1 | 3, a, b, c, d, payload @ ..] => {
            let stored = u32::from_le_bytes([*a, *b, *c, *d]);
            if checksum(key, payload) == stored { Ok(payload) } else { Err(damaged("its checksum is wrong")) }
        }
        [1 | 3, ..] | [] => Err(damaged("it is cut off")),
        [found, ..] => Err(damaged(&format!("there is no layout {found}"))),
    }
}

/// The length of the record, followed by the record as one zstd frame; none if compression does not save a part.
fn pack(table: RecordTable, record: &[u8], level: i32) -> Option<Vec<u8>> {
    if !table.is_compressed() || record.len() <= PART_BYTES {
        return None;
    }
    let mut packed = u32::try_from(record.len()).ok()?.to_be_bytes().to_vec();
    packed.append(&mut zstd::bulk::compress(record, level).ok()?);
    (packed.len().div_ceil(PART_BYTES) < record.len().div_ceil(PART_BYTES)).then_some(packed)
}

/// The number of parts of a compressed record; none if the record is plain.
pub(super) fn packed_parts(parts: &[KeyValue]) -> Option<u16> {
    let (_, first) = parts.first()?;
    if Layout::of(first) == Layout::Zstd { u16::try_from(parts.len()).ok() } else { None }
}

/// Whether a value has the right checksum. A value of a newer format cannot be checked and counts as whole.
pub(super) fn is_whole(key: &[u8], value: &[u8]) -> bool {
    !matches!(payload(RecordTable::Note, key, value), Err(ReadError::Damaged { .. }))
}

fn checksum(key: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn address() -> RecordAddress {
        KeySpace::new(&Slug::parse("con").unwrap()).address(RecordTable::Note, b"x")
    }

    /// Bytes that zstd cannot compress.
    fn noise(length: usize) -> Vec<u8> {
        let mut x = 1u64;
        (0..length)
            .map(|_| {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                (x >> 32) as u8
            })
            .collect()
    }

    fn read(parts: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Option<Vec<u8>>, ReadError> {
        address().read(|key| Ok(parts.get(key).cloned()))
    }

    #[test]
    fn the_plain_layout_stays_the_same() {
        let parts = address().write(b"hello").unwrap();
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        assert_eq!(parts.len(), 1);
        assert_eq!(hex(&parts[0].0), "636f6e006e780000");
        assert_eq!(hex(&parts[0].1), "01203b9e76000168656c6c6f");
    }

    #[test]
    fn the_compressed_layout_stays_the_same() {
        let record = b"The same sentence again. ".repeat(200);
        let parts = address().write(&record).unwrap();
        assert_eq!((parts.len(), parts[0].1[0], &parts[0].1[5..11]), (1, 3, &[0, 1, 0, 0, 19, 136][..]));
        assert_eq!(read(&parts.into_iter().collect()), Ok(Some(record.clone())));
        let agenda = KeySpace::new(&Slug::parse("con").unwrap()).address(RecordTable::Agenda, b"x");
        assert_eq!(agenda.write(&record).unwrap()[0].1[0], 1, "agendas are never compressed");
    }

    #[test]
    fn rewriting_a_record_makes_no_more_parts() {
        let record: Vec<u8> = (0..200_000u32)
            .flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 20).to_string().into_bytes())
            .collect();
        let fast = address().write(&record).unwrap();
        assert_eq!(address().write_as(&record, packed_parts(&fast)).unwrap(), fast);
        let small = u16::try_from(fast.len()).unwrap() - 2;
        assert!(address().write_as(&record, Some(small)).unwrap().len() <= small.into());
        let plain = address().write_as(&record, None).unwrap();
        assert_eq!((plain[0].1[0], packed_parts(&plain)), (1, None));
        assert_eq!(read(&plain.into_iter().collect()), Ok(Some(record)));
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let mut parts: BTreeMap<_, _> = address().write(b"hello").unwrap().into_iter().collect();
        parts.values_mut().for_each(|value| value[0] = FORMAT + 1);
        let newer = ReadError::Newer { what: "note", found: FORMAT + 1, known: FORMAT };
        assert_eq!(read(&parts), Err(newer));
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_detected() {
        let parts: BTreeMap<_, _> = address().write(&noise(5000)).unwrap().into_iter().collect();
        assert_eq!(parts.len(), 2);
        for (key, value) in &parts {
            for at in (0..value.len()).step_by(97).chain(0..9) {
                let mut flipped = parts.clone();
                flipped.get_mut(key).unwrap()[at] ^= 4;
                assert!(read(&flipped).is_err(), "byte {at}");
                let mut cut = parts.clone();
                cut.get_mut(key).unwrap().truncate(at);
                assert!(read(&cut).is_err(), "cut at {at}");
            }
        }
        let mut missing = parts.clone();
        missing.pop_last();
        assert!(matches!(read(&missing), Err(ReadError::Damaged { .. })));
    }

    #[test]
    fn a_record_over_256_mib_is_refused() {
        assert_eq!(address().cut(Layout::Plain, &vec![0; 65_536 * 4096]), Err(CommitError::TooLarge));
    }

    proptest! {
        #[test]
        fn records_of_any_size_are_read_back(length in 0usize..20_000, seed in any::<u8>(), noisy: bool) {
            let plain = (0..length).map(|i| (i as u8).wrapping_mul(31) ^ seed);
            let record: Vec<u8> = if noisy { noise(length) } else { plain.collect() };
            let parts = address().write(&record).unwrap();
            prop_assert!(parts.iter().all(|(_, value)| value.len() <= 4096 + 7));
            prop_assert_eq!(read(&parts.into_iter().collect()), Ok(Some(record)));
        }
    }
}
