//! Cells: how one record becomes keys and values of the database's only tree.
//!
//! ```text
//! key    conference slug, 00, table, id, part (u16)
//! value  layout (01 or 03), CRC-32 of key and payload (u32, little-endian), payload
//! ```
//!
//! The payload of part 0 begins with the number of parts (u16); numbers are big-endian but for the CRC. With layout 03
//! the length of the record follows (u32), and the rest of the payloads, joined, is the record as one zstd frame.
//! A record is cut into parts of 4 KiB because sled 0.34 moves every page over a quarter of its 512 KiB
//! segment into a file of its own under `blobs/`, which neither `flush()` nor an fdatasync of `db` makes
//! durable. A leaf holds up to some 20 values, so parts of 4 KiB keep every page inside `db`.
//! The CRC covers the key, so a value that a damaged page shows under another key is noticed too: sled
//! checks its log, but a truncated or flipped store without a fresh snapshot opens silently.

use super::{CommitError, ReadError};
use crate::program::Slug;
use serde::{Deserialize, Serialize};

/// The format of the store that this version writes, and the newest that it reads. Format 1 had a record for each
/// read link. Format 2 compressed nothing, and its ledger had one record per entry however large it was.
///
/// Whoever raises it keeps reading the older ones, and writes the new number into [`Table::Format`] with the
/// first record that an older version would not find, so that one refuses the directory when it opens.
pub(super) const FORMAT: u8 = 3;

/// How a record's bytes are stored. The first byte of every value: the format that brought its layout.
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

/// The zstd levels that are tried where a record must fit into a number of parts; new records take the first.
const LEVELS: [i32; 4] = [1, 3, 9, 19];

/// The longest record that is unpacked, whatever its head says: more than any commit holds.
const RECORD_BYTES: usize = 1 << 30;

/// A key and its value.
pub(super) type Row = (Vec<u8>, Vec<u8>);

/// The kinds of records, by their letter in the key, and by their name in a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub(super) enum Table {
    Agenda = b'a',
    Csv = b'c',
    Detail = b'd',
    Entry = b'e',
    Feed = b'f',
    /// A piece of a ledger that was written whole.
    Ledger = b'g',
    Head = b'h',
    Links = b'k',
    Link = b'l',
    /// What changed since in a ledger that was written whole.
    Amended = b'm',
    Note = b'n',
    Release = b'r',
    Slug = b's',
    Format = b'v',
    /// A piece of a release's changes.
    Changes = b'x',
}

impl Table {
    /// Every kind.
    const ALL: [Self; 15] = [
        Self::Agenda,
        Self::Csv,
        Self::Detail,
        Self::Entry,
        Self::Feed,
        Self::Ledger,
        Self::Head,
        Self::Links,
        Self::Link,
        Self::Amended,
        Self::Note,
        Self::Release,
        Self::Slug,
        Self::Format,
        Self::Changes,
    ];

    /// The kind of a letter; none where a later version made it.
    fn of(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| *table as u8 == letter)
    }

    /// Whether its records are JSON. The others are bytes that somebody handed in.
    pub(super) fn is_json(self) -> bool {
        !matches!(self, Self::Csv | Self::Note)
    }

    /// Whether its long records are compressed. Agendas are read at every poll, and read links are short.
    fn is_compressed(self) -> bool {
        matches!(self, Self::Csv | Self::Detail | Self::Ledger | Self::Amended | Self::Note | Self::Changes)
    }

    /// Whether its ids are text. The others are digests and numbers, though their bytes may happen to be text.
    pub(super) fn has_text_ids(self) -> bool {
        matches!(self, Self::Entry | Self::Feed | Self::Format | Self::Head | Self::Note | Self::Slug)
    }

    /// The kind in words, for errors.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Agenda => "agenda",
            Self::Csv => "program",
            Self::Changes | Self::Detail | Self::Release => "release",
            Self::Entry => "ledger entry",
            Self::Feed => "feed mark",
            Self::Amended | Self::Head | Self::Ledger => "ledger",
            Self::Link | Self::Links => "read link",
            Self::Note => "note",
            Self::Slug => "slug",
            Self::Format => "store format",
        }
    }
}

/// The keys of one conference.
#[derive(Debug, Clone)]
pub(super) struct Space(Vec<u8>);

impl Space {
    pub(super) fn new(conference: &Slug) -> Self {
        let mut prefix = conference.as_str().as_bytes().to_vec();
        prefix.push(0); // no slug holds it, so no conference's keys begin with another's
        Self(prefix)
    }

    /// What every key of a table begins with.
    pub(super) fn table(&self, table: Table) -> Vec<u8> {
        let mut prefix = self.0.clone();
        prefix.push(table as u8);
        prefix
    }

    /// The conference's slug.
    pub(super) fn conference(&self) -> &str {
        let slug = self.0.split_last().map_or(&[][..], |(_, slug)| slug);
        std::str::from_utf8(slug).unwrap_or_default()
    }

    pub(super) fn cell(&self, table: Table, id: &[u8]) -> Cell {
        let mut base = self.table(table);
        base.extend_from_slice(id);
        Cell { table, base }
    }
}

/// The place of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) table: Table,
    pub(super) base: Vec<u8>,
}

impl Cell {
    /// The cell of a key, with its conference and id; none where a later version laid it out.
    pub(super) fn of_key(key: &[u8]) -> Option<(Self, &str, &[u8])> {
        let base = key.split_last_chunk::<2>()?.0;
        let at = base.iter().position(|byte| *byte == 0)?;
        let (conference, rest) = base.split_at_checked(at)?;
        let (letter, id) = rest.get(1..)?.split_first()?;
        let cell = Self { table: Table::of(*letter)?, base: base.to_vec() };
        Some((cell, std::str::from_utf8(conference).ok()?, id))
    }

    /// The key of a part.
    pub(super) fn key(&self, part: u16) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.base.len() + 2);
        key.extend_from_slice(&self.base);
        key.extend_from_slice(&part.to_be_bytes());
        key
    }

    /// Cuts a record into keys and values, compressed where that makes it shorter.
    pub(super) fn write(&self, record: &[u8]) -> Result<Vec<Row>, CommitError> {
        let packed = pack(self.table, record, LEVELS[0]);
        match packed {
            Some(packed) => self.cut(Layout::Zstd, &packed),
            None => self.cut(Layout::Plain, record),
        }
    }

    /// [`Self::write`] as the rows of a checkpoint's record were: plain, or compressed into at most so many parts.
    ///
    /// More parts than there were would outlive a removal that a later journal record knows the number of parts of.
    pub(super) fn write_as(&self, record: &[u8], parts: Option<u16>) -> Result<Vec<Row>, CommitError> {
        let Some(parts) = parts else { return self.cut(Layout::Plain, record) };
        let most = usize::from(parts) * PART_BYTES;
        let packed = LEVELS.into_iter().filter_map(|level| pack(self.table, record, level));
        match packed.into_iter().find(|packed| packed.len() <= most) {
            Some(packed) => self.cut(Layout::Zstd, &packed),
            None => self.write(record),
        }
    }

    fn cut(&self, layout: Layout, bytes: &[u8]) -> Result<Vec<Row>, CommitError> {
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

    /// Puts a record together again.
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
            usize::try_from(u32::from_be_bytes(*length)).ok().filter(|length| *length <= RECORD_BYTES);
        let length = length.ok_or_else(|| self.damaged("its length is wrong"))?;
        let record = zstd::bulk::decompress(frame, length).map_err(|cause| self.damaged(cause))?;
        if record.len() == length { Ok(record) } else { Err(self.damaged("its length is wrong")) }
    }

    /// Puts a record together from all its rows, in order.
    pub(super) fn join(&self, parts: &[Row]) -> Result<Vec<u8>, ReadError> {
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

    pub(super) fn damaged(&self, cause: impl ToString) -> ReadError {
        ReadError::Damaged { what: self.table.name(), cause: cause.to_string() }
    }
}

/// What a key has in common with all of its table; none where a later version laid it out.
pub(super) fn table_of(key: &[u8]) -> Option<&[u8]> {
    let at = key.iter().position(|byte| *byte == 0)?;
    key.get(..at + 2)
}

/// Checks a value and gives its payload.
pub(super) fn payload<'a>(table: Table, key: &[u8], value: &'a [u8]) -> Result<&'a [u8], ReadError> {
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

/// The length of a record and the record as one zstd frame; none where that is not shorter by a part, so that it is
/// stored plain.
fn pack(table: Table, record: &[u8], level: i32) -> Option<Vec<u8>> {
    if !table.is_compressed() || record.len() <= PART_BYTES {
        return None;
    }
    let mut packed = u32::try_from(record.len()).ok()?.to_be_bytes().to_vec();
    packed.append(&mut zstd::bulk::compress(record, level).ok()?);
    (packed.len().div_ceil(PART_BYTES) < record.len().div_ceil(PART_BYTES)).then_some(packed)
}

/// Whether the rows of a record are compressed; as how many parts they are written again.
pub(super) fn packed_parts(parts: &[Row]) -> Option<u16> {
    let (_, first) = parts.first()?;
    if Layout::of(first) == Layout::Zstd { u16::try_from(parts.len()).ok() } else { None }
}

/// Whether a value of any kind is what was written under its key. One of a newer format is, as far as anybody
/// can tell.
pub(super) fn is_whole(key: &[u8], value: &[u8]) -> bool {
    !matches!(payload(Table::Note, key, value), Err(ReadError::Damaged { .. }))
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

    fn cell() -> Cell {
        Space::new(&Slug::parse("con").unwrap()).cell(Table::Note, b"x")
    }

    /// Bytes that zstd makes no shorter.
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
        cell().read(|key| Ok(parts.get(key).cloned()))
    }

    #[test]
    fn the_first_layout_stays_as_it_is() {
        let parts = cell().write(b"hello").unwrap();
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        assert_eq!(parts.len(), 1);
        assert_eq!(hex(&parts[0].0), "636f6e006e780000");
        assert_eq!(hex(&parts[0].1), "01203b9e76000168656c6c6f");
    }

    #[test]
    fn a_compressed_layout_stays_as_it_is() {
        let record = b"The same sentence again. ".repeat(200);
        let parts = cell().write(&record).unwrap();
        assert_eq!((parts.len(), parts[0].1[0], &parts[0].1[5..11]), (1, 3, &[0, 1, 0, 0, 19, 136][..]));
        assert_eq!(read(&parts.into_iter().collect()), Ok(Some(record.clone())));
        let agenda = Space::new(&Slug::parse("con").unwrap()).cell(Table::Agenda, b"x");
        assert_eq!(agenda.write(&record).unwrap()[0].1[0], 1, "agendas are never compressed");
    }

    #[test]
    fn a_record_is_written_into_no_more_parts_than_it_had() {
        let record: Vec<u8> = (0..200_000u32)
            .flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 20).to_string().into_bytes())
            .collect();
        let fast = cell().write(&record).unwrap();
        assert_eq!(cell().write_as(&record, packed_parts(&fast)).unwrap(), fast);
        let small = u16::try_from(fast.len()).unwrap() - 2;
        assert!(cell().write_as(&record, Some(small)).unwrap().len() <= small.into());
        let plain = cell().write_as(&record, None).unwrap();
        assert_eq!((plain[0].1[0], packed_parts(&plain)), (1, None));
        assert_eq!(read(&plain.into_iter().collect()), Ok(Some(record)));
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let mut parts: BTreeMap<_, _> = cell().write(b"hello").unwrap().into_iter().collect();
        parts.values_mut().for_each(|value| value[0] = FORMAT + 1);
        let newer = ReadError::Newer { what: "note", found: FORMAT + 1, known: FORMAT };
        assert_eq!(read(&parts), Err(newer));
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_noticed() {
        let parts: BTreeMap<_, _> = cell().write(&noise(5000)).unwrap().into_iter().collect();
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
        assert_eq!(cell().cut(Layout::Plain, &vec![0; 65_536 * 4096]), Err(CommitError::TooLarge));
    }

    proptest! {
        #[test]
        fn records_of_any_size_come_back(length in 0usize..20_000, seed in any::<u8>(), noisy: bool) {
            let plain = (0..length).map(|i| (i as u8).wrapping_mul(31) ^ seed);
            let record: Vec<u8> = if noisy { noise(length) } else { plain.collect() };
            let parts = cell().write(&record).unwrap();
            prop_assert!(parts.iter().all(|(_, value)| value.len() <= 4096 + 7));
            prop_assert_eq!(read(&parts.into_iter().collect()), Ok(Some(record)));
        }
    }
}
