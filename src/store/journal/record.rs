//! One record of the journal: what a group of commits does to the rows.
//!
//! ```text
//! length of the body (u32), CRC-32C of the other 12 bytes of the head and the body (u32), sequence (u64), body
//! body: per row  length of the key (u16), key, length of the value (u32; FFFFFFFF: the row goes), value
//! ```
//!
//! Numbers are little-endian. The rows are what is to be, so a record that is applied again, or to a later
//! state with all its successors, changes nothing.

use super::super::plan::Changes;

/// Length, CRC, sequence.
pub(in super::super) const HEAD: usize = 16;

const GONE: u32 = u32::MAX;

/// A decoded record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Record {
    pub(in super::super) sequence: u64,
    pub(in super::super) rows: Changes,
}

/// The fields of a head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) length: usize,
    pub(super) sequence: u64,
    crc: u32,
}

impl Head {
    pub(super) fn parse(head: &[u8; HEAD]) -> Self {
        let [l0, l1, l2, l3, c0, c1, c2, c3, sequence @ ..] = *head;
        Self {
            length: u32::from_le_bytes([l0, l1, l2, l3]) as usize,
            sequence: u64::from_le_bytes(sequence),
            crc: u32::from_le_bytes([c0, c1, c2, c3]),
        }
    }

    /// The rows of the body, if it is the one that the head was written with.
    pub(super) fn open(self, body: &[u8]) -> Option<Record> {
        let length = u32::try_from(body.len()).ok()?;
        (checksum(length, self.sequence, body) == self.crc).then_some(())?;
        Some(Record { sequence: self.sequence, rows: rows(body)? })
    }
}

/// A record as it is written; none when it is over 4 GiB.
pub(in super::super) fn encode(sequence: u64, changes: &Changes) -> Option<Vec<u8>> {
    let sizes = changes.iter().map(|(key, value)| 6 + key.len() + value.as_ref().map_or(0, Vec::len));
    let mut bytes = Vec::with_capacity(HEAD + sizes.sum::<usize>());
    bytes.extend_from_slice(&[0; HEAD]);
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
    let (head, body) = bytes.split_first_chunk_mut::<HEAD>()?;
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

fn rows(mut body: &[u8]) -> Option<Changes> {
    let mut rows = Changes::new();
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

    fn decode(bytes: &[u8]) -> Option<Record> {
        let (head, body) = bytes.split_first_chunk::<HEAD>()?;
        let head = Head::parse(head);
        head.open(body.get(..head.length)?)
    }

    fn changes() -> impl Strategy<Value = Changes> {
        let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
        prop::collection::btree_map(bytes(20), prop::option::of(bytes(200)), 0..8)
    }

    #[test]
    fn the_layout_of_a_record_stays_as_it_is() {
        let rows = Changes::from([(b"k".to_vec(), Some(b"hello".to_vec())), (b"l".to_vec(), None)]);
        let bytes = encode(258, &rows).unwrap();
        let hex = data_encoding::HEXLOWER.encode(&bytes);
        assert_eq!(hex, "13000000429440dc020100000000000001006b0500000068656c6c6f01006cffffffff");
    }

    proptest! {
        #[test]
        fn any_record_comes_back(sequence: u64, rows in changes()) {
            let bytes = encode(sequence, &rows).unwrap();
            prop_assert_eq!(decode(&bytes), Some(Record { sequence, rows }));
        }

        #[test]
        fn a_flipped_bit_or_a_missing_end_is_noticed(
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
