//! The journal: the log of commits. A commit is acknowledged once its record is on disk here.
//!
//! Owns `DIR/journal/`: segments that only grow, each named by the sequence of its first record. Sequences have no
//! gaps. The journal stores rows and does not interpret them. One thread writes, and a record is durable once
//! [`Journal::append`] has returned.
//!
//! After a failed write or sync the end of the file cannot be trusted, since the kernel drops pages that it could not
//! write (fsync(2)). [`Journal::repair`] cuts the untrusted end off and continues in a new file.
//!
//! ```text
//! segment  "callboard journal 1\n", first sequence (u64), CRC-32C of both (u32); then records
//! record   length of the body (u32), CRC-32C of the rest of the head and the body (u32), sequence (u64), body
//! body     per row  length of the key (u16), key, length of the value (u32; FFFFFFFF removes the row), value
//! ```
//!
//! Numbers are little-endian. A record holds the new rows of a group of commits, not its writes. So a replay applies no
//! rules, versions with different rules get the same state, and applying a record twice changes nothing.

pub(super) mod replay;

use super::directory::{FileIdentity, numbered_files, remove_file, sync_directory};
use super::error::StorageError;
use super::rows::RowChanges;
use replay::JournalFindings;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The size after which a new segment is begun.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// Removes the segments whose records are all in the checkpoint of `sequence`. The newest segment stays.
pub(super) fn prune(dir: &Path, sequence: u64) -> io::Result<()> {
    let segments = segments(dir)?;
    for pair in segments.windows(2) {
        if let [old, next] = pair
            && next.first <= sequence.saturating_add(1)
        {
            std::fs::remove_file(&old.path)?;
        }
    }
    sync_directory(dir)
}

/// Creates the journal of a new store. A journal that has its first segment is complete.
pub(super) fn begin(dir: &Path) -> Result<(), StorageError> {
    create(dir, 1).map(drop)
}

/// The end of the journal, open for writing.
pub(super) struct Journal {
    dir: PathBuf,
    file: File,
    identity: FileIdentity,
    /// The end of the last acknowledged record.
    length: u64,
    /// The sequence of the last record.
    sequence: u64,
    /// Whether a write or sync failed.
    is_broken: bool,
}

impl Journal {
    /// Continues after `sequence`: in the newest segment, or in a new one if `findings` have no tail.
    pub(super) fn open(dir: &Path, sequence: u64, findings: &JournalFindings) -> Result<Self, StorageError> {
        if let Some((segment, length)) = &findings.tail
            && *length < SEGMENT_BYTES
        {
            let file = OpenOptions::new().write(true).open(&segment.path)?;
            // Cuts off a torn end, and syncs the records that a killed process left in the page cache.
            file.set_len(*length)?;
            file.sync_all()?;
            sync_directory(dir)?;
            let identity = FileIdentity::of(&segment.path, &file)?;
            return Ok(Self {
                dir: dir.to_owned(),
                file,
                identity,
                length: *length,
                sequence,
                is_broken: false,
            });
        }
        let (file, identity) = create(dir, sequence.saturating_add(1))?;
        let (dir, length) = (dir.to_owned(), SEGMENT_HEAD as u64);
        Ok(Self { dir, file, identity, length, sequence, is_broken: false })
    }

    /// The sequence of the last record.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Appends a record. Returns its sequence and size once it is on disk.
    ///
    /// After an error, no record is accepted until [`Self::repair`] has succeeded.
    pub(super) fn append(&mut self, changes: &RowChanges) -> Result<(u64, u64), StorageError> {
        if self.is_broken {
            return Err(StorageError::Failed("the journal waits for its repair".to_owned()));
        }
        if self.length >= SEGMENT_BYTES {
            self.rotate()?;
        }
        let sequence = self.sequence + 1;
        let bytes = encode(sequence, changes)
            .ok_or_else(|| StorageError::Failed("a group of commits is over 4 GiB".to_owned()))?;
        self.is_broken = true;
        self.identity.check()?;
        self.file.write_all_at(&bytes, self.length)?;
        self.file.sync_data()?;
        self.is_broken = false;
        self.sequence = sequence;
        self.length += bytes.len() as u64;
        Ok((sequence, bytes.len() as u64))
    }

    /// Cuts off the rest of a failed write and begins a new segment. Afterwards the failed commit is certainly not in
    /// the journal.
    pub(super) fn repair(&mut self) -> Result<(), StorageError> {
        if !self.is_broken {
            return Ok(());
        }
        self.file.set_len(self.length)?;
        self.file.sync_all()?;
        self.rotate()?;
        self.is_broken = false;
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), StorageError> {
        (self.file, self.identity) = create(&self.dir, self.sequence + 1)?;
        self.length = SEGMENT_HEAD as u64;
        Ok(())
    }
}

/// Creates a segment and makes it durable. An older file of that name has no acknowledged record: otherwise the next
/// segment would have a later name.
fn create(dir: &Path, first: u64) -> Result<(File, FileIdentity), StorageError> {
    let segment = JournalSegment::new(dir, first);
    remove_file(&segment.path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&segment.path)?;
    file.write_all(&segment_head(first))?;
    file.sync_all()?;
    // A later sync may not cover a failed one (fsync(2)), so a retry must create the file again.
    sync_directory(dir).inspect_err(|_| drop(remove_file(&segment.path)))?;
    let identity = FileIdentity::of(&segment.path, &file)?;
    Ok((file, identity))
}

const MAGIC: &[u8; 20] = b"callboard journal 1\n";
/// The bytes of a segment's head.
pub(super) const SEGMENT_HEAD: usize = MAGIC.len() + 12;
const SUFFIX: &str = "journal";

/// A segment on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct JournalSegment {
    /// The sequence of its first record.
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

impl JournalSegment {
    fn new(dir: &Path, first: u64) -> Self {
        Self { first, path: dir.join(format!("{first:020}.{SUFFIX}")) }
    }
}

/// The segments in a directory, the oldest first.
pub(super) fn segments(dir: &Path) -> io::Result<Vec<JournalSegment>> {
    let files = numbered_files(dir, SUFFIX)?;
    let mut segments: Vec<_> =
        files.into_iter().map(|(first, path)| JournalSegment { first, path }).collect();
    segments.sort();
    Ok(segments)
}

/// The head of a segment.
fn segment_head(first: u64) -> Vec<u8> {
    let mut head = [MAGIC.as_slice(), &first.to_le_bytes()].concat();
    head.extend_from_slice(&crc32c::crc32c(&head).to_le_bytes());
    head
}

/// Whether bytes are the head of a segment.
fn is_segment_head(head: &[u8; SEGMENT_HEAD], first: u64) -> bool {
    head.as_slice() == segment_head(first)
}

/// The bytes of a record's head.
const RECORD_HEAD: usize = 16;

/// The length field of a row that is removed.
const GONE: u32 = u32::MAX;

/// The rows of one group of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JournalRecord {
    pub(super) sequence: u64,
    pub(super) rows: RowChanges,
}

/// The fields of a record's head.
#[derive(Debug, Clone, Copy)]
struct RecordHead {
    length: usize,
    sequence: u64,
    crc: u32,
}

impl RecordHead {
    fn parse(head: &[u8; RECORD_HEAD]) -> Self {
        let [l0, l1, l2, l3, c0, c1, c2, c3, sequence @ ..] = *head;
        Self {
            length: u32::from_le_bytes([l0, l1, l2, l3]) as usize,
            sequence: u64::from_le_bytes(sequence),
            crc: u32::from_le_bytes([c0, c1, c2, c3]),
        }
    }

    /// Decodes the body, if its length and checksum match the head.
    fn open(self, body: &[u8]) -> Option<JournalRecord> {
        let length = u32::try_from(body.len()).ok()?;
        (checksum(length, self.sequence, body) == self.crc).then_some(())?;
        Some(JournalRecord { sequence: self.sequence, rows: rows(body)? })
    }
}

/// Encodes a record; none if the record is over 4 GiB.
pub(super) fn encode(sequence: u64, changes: &RowChanges) -> Option<Vec<u8>> {
    let sizes = changes.iter().map(|(key, value)| 6 + key.len() + value.as_ref().map_or(0, Vec::len));
    let mut bytes = Vec::with_capacity(RECORD_HEAD + sizes.sum::<usize>());
    bytes.extend_from_slice(&[0; RECORD_HEAD]);
    for (key, value) in changes {
        bytes.extend_from_slice(&u16::try_from(key.len()).ok()?.to_le_bytes());
        bytes.extend_from_slice(key);
        let length = match value {
            Some(value) => u32::try_from(value.len()).ok().filter(|length| *length != GONE)?,
            None => GONE,
        };
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(value.as_deref().unwrap_or_default());
    }
    let (head, body) = bytes.split_first_chunk_mut::<RECORD_HEAD>()?;
    let length = u32::try_from(body.len()).ok()?;
    let fields = [length.to_le_bytes(), checksum(length, sequence, body).to_le_bytes()];
    let fields = fields.concat().into_iter().chain(sequence.to_le_bytes());
    head.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    Some(bytes)
}

fn checksum(length: u32, sequence: u64, body: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&length.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &sequence.to_le_bytes());
    crc32c::crc32c_append(crc, body)
}

fn rows(mut body: &[u8]) -> Option<RowChanges> {
    let mut rows = RowChanges::new();
    while !body.is_empty() {
        let (length, rest) = body.split_first_chunk::<2>()?;
        let (key, rest) = rest.split_at_checked(u16::from_le_bytes(*length).into())?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length);
        let (value, rest) = if length == GONE {
            (None, rest)
        } else {
            let (value, rest) = rest.split_at_checked(length as usize)?;
            (Some(value.to_vec()), rest)
        };
        rows.insert(key.to_vec(), value);
        body = rest;
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> Option<JournalRecord> {
        let (head, body) = bytes.split_first_chunk::<RECORD_HEAD>()?;
        let head = RecordHead::parse(head);
        head.open(body.get(..head.length)?)
    }

    fn changes() -> impl Strategy<Value = RowChanges> {
        let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
        prop::collection::btree_map(bytes(20), prop::option::of(bytes(200)), 0..8)
    }

    #[test]
    fn the_layout_of_a_record_stays_the_same() {
        let rows = RowChanges::from([(b"k".to_vec(), Some(b"hello".to_vec())), (b"l".to_vec(), None)]);
        let bytes = encode(258, &rows).unwrap();
        let hex = data_encoding::HEXLOWER.encode(&bytes);
        assert_eq!(hex, "13000000429440dc020100000000000001006b0500000068656c6c6f01006cffffffff");
    }

    proptest! {
        #[test]
        fn any_record_is_read_back(sequence: u64, rows in changes()) {
            let bytes = encode(sequence, &rows).unwrap();
            prop_assert_eq!(decode(&bytes), Some(JournalRecord { sequence, rows }));
        }

        #[test]
        fn a_flipped_bit_or_a_missing_end_is_detected(
            sequence: u64, rows in changes(), at: prop::sample::Index, bit in 0u8..8
        ) {
            let bytes = encode(sequence, &rows).unwrap();
            let at = at.index(bytes.len());
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            prop_assert_eq!(decode(&flipped), None);
            prop_assert_eq!(decode(&bytes[..at]), None);
        }
    }
}
