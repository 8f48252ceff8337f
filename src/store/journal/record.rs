//! The records of the journal: the bytes of one group of commits, on disk and in a database.
//!
//! A record holds the new rows of a group of commits, not its writes. So a replay applies no rules, versions with
//! different rules get the same state, and applying a record twice changes nothing.
//!
//! ```text
//! record   length of the body (u32), CRC-32C of the rest of the head and the body (u32), sequence (u64), body
//! body     per row  length of the key (u16), key, length of the value (u32; FFFFFFFF removes the row), value
//! ```
//!
//! Numbers are little-endian.

use crate::store::rows::RowChanges;

/// The bytes of a record's head.
pub(in crate::store) const RECORD_HEAD: usize = 16;

/// The length field of a row that is removed.
const GONE: u32 = u32::MAX;

/// The rows of one group of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct JournalRecord {
    pub(in crate::store) sequence: u64,
    pub(in crate::store) rows: RowChanges,
}

/// The fields of a record's head.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordHead {
    pub(super) length: usize,
    pub(super) sequence: u64,
    crc: u32,
}

impl RecordHead {
    pub(super) fn parse(head: &[u8; RECORD_HEAD]) -> Self {
        let [l0, l1, l2, l3, c0, c1, c2, c3, sequence @ ..] = *head;
        Self {
            length: u32::from_le_bytes([l0, l1, l2, l3]) as usize,
            sequence: u64::from_le_bytes(sequence),
            crc: u32::from_le_bytes([c0, c1, c2, c3]),
        }
    }

    /// Decodes the body, if its length and checksum match the head.
    pub(super) fn open(self, body: &[u8]) -> Option<JournalRecord> {
        let length = u32::try_from(body.len()).ok()?;
        (checksum(length, self.sequence, body) == self.crc).then_some(())?;
        Some(JournalRecord { sequence: self.sequence, rows: rows(body)? })
    }
}

/// Encodes a record; none if the record is over 4 GiB.
pub(in crate::store) fn encode(sequence: u64, changes: &RowChanges) -> Option<Vec<u8>> {
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
    fill_head(&mut bytes, sequence)?;
    Some(bytes)
}

/// The whole record of a body; none if the record is over 4 GiB.
pub(in crate::store) fn with_head(sequence: u64, body: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = [&[0; RECORD_HEAD], body].concat();
    fill_head(&mut bytes, sequence)?;
    Some(bytes)
}

/// The body of a whole record.
pub(in crate::store) fn body_of(record: &[u8]) -> &[u8] {
    record.get(RECORD_HEAD..).unwrap_or_default()
}

fn fill_head(bytes: &mut [u8], sequence: u64) -> Option<()> {
    let (head, body) = bytes.split_first_chunk_mut::<RECORD_HEAD>()?;
    let length = u32::try_from(body.len()).ok()?;
    let fields = [length.to_le_bytes(), checksum(length, sequence, body).to_le_bytes()];
    let fields = fields.concat().into_iter().chain(sequence.to_le_bytes());
    head.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    Some(())
}

fn checksum(length: u32, sequence: u64, body: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&length.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &sequence.to_le_bytes());
    crc32c::crc32c_append(crc, body)
}

/// The rows in a body; none if it is damaged.
pub(in crate::store) fn rows(mut body: &[u8]) -> Option<RowChanges> {
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
