//! The tally: how far the index has come in the journal, and what it must hold there.
//!
//! A checksum in each value tells that a value is whole, not that it is the newest, nor that none is missing:
//! sled 0.34 can open on an older state of a page without a word. So the index carries, in the batch of
//! every group, the sequence of the last journal record in it, the number of its rows and the sum of a mark
//! of each row. Verifying takes one scan that adds the marks up again.

use super::cell::Row;
use super::plan::Changes;

/// The key of the tally. It sorts before every conference's keys and is no part of the sum.
pub(super) const TALLY: &[u8] = b"\0tally";

/// Sequence, rows, sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    /// Of the last journal record that the index holds.
    pub(super) sequence: u64,
    /// How many rows there are.
    pub(super) rows: u64,
    sum: u64,
}

impl Tally {
    /// Counts a row in.
    pub(super) fn add(&mut self, value: &[u8]) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(mark(value));
    }

    fn remove(&mut self, value: &[u8]) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(mark(value));
    }

    /// The tally of this one's rows and of the other's, which are others; the sequence stays.
    pub(super) fn plus(self, other: &Self) -> Self {
        Self { rows: self.rows.wrapping_add(other.rows), sum: self.sum.wrapping_add(other.sum), ..self }
    }

    /// The tally after `changes`, where the keys held `before`.
    pub(super) fn after(mut self, sequence: u64, before: &Changes, changes: &Changes) -> Self {
        self.sequence = sequence;
        before.values().flatten().for_each(|value| self.remove(value));
        changes.values().flatten().for_each(|value| self.add(value));
        self
    }

    /// Whether the rows are the same, wherever in the journal.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        (self.rows, self.sum) == (other.rows, other.sum)
    }

    /// As it is stored: three little-endian numbers and their CRC-32C.
    pub(super) fn row(&self) -> Row {
        let mut value = Vec::with_capacity(28);
        for number in [self.sequence, self.rows, self.sum] {
            value.extend_from_slice(&number.to_le_bytes());
        }
        value.extend_from_slice(&crc32c::crc32c(&value).to_le_bytes());
        (TALLY.to_vec(), value)
    }

    /// From a stored value; none where it is damaged.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let (numbers, crc) = value.split_last_chunk::<4>()?;
        let (sequence, rest) = numbers.split_first_chunk::<8>()?;
        let (rows, rest) = rest.split_first_chunk::<8>()?;
        let sum: &[u8; 8] = rest.try_into().ok()?;
        let [sequence, rows, sum] = [sequence, rows, sum].map(|bytes| u64::from_le_bytes(*bytes));
        (crc32c::crc32c(numbers) == u32::from_le_bytes(*crc)).then_some(Self { sequence, rows, sum })
    }
}

/// Mixes what tells a value from every other: layout, checksum (which covers the key) and length. A sum of
/// plain checksums would not notice two errors that cancel each other out.
fn mark(value: &[u8]) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(value.iter().take(5)).for_each(|(to, from)| *to = *from);
    let mut x = u64::from_le_bytes(head) ^ (value.len() as u64) << 40;
    // The finaliser of SplitMix64.
    x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn scan(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> Tally {
        let mut tally = Tally::default();
        rows.values().for_each(|value| tally.add(value));
        tally
    }

    #[test]
    fn a_stored_tally_comes_back_and_a_damaged_one_does_not() {
        let mut tally = Tally { sequence: 7, ..Tally::default() };
        tally.add(b"one");
        let (_, value) = tally.row();
        assert_eq!(Tally::parse(&value), Some(tally));
        for at in 0..value.len() {
            let mut flipped = value.clone();
            flipped[at] ^= 1;
            assert_eq!(Tally::parse(&flipped), None, "byte {at}");
            assert_eq!(Tally::parse(&value[..at]), None, "cut at {at}");
        }
    }

    proptest! {
        /// Whatever is written in whatever order: the running tally is that of a scan.
        #[test]
        fn the_running_tally_is_that_of_a_scan(
            groups in prop::collection::vec(
                prop::collection::btree_map(
                    prop::collection::vec(0u8..4, 1..3),
                    prop::option::of(prop::collection::vec(any::<u8>(), 0..9)),
                    0..6,
                ),
                0..12,
            )
        ) {
            let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
            let mut tally = Tally::default();
            for (n, changes) in (1..).zip(groups) {
                let before: Changes =
                    changes.keys().map(|key| (key.clone(), rows.get(key).cloned())).collect();
                tally = tally.after(n, &before, &changes);
                for (key, value) in changes {
                    match value {
                        Some(value) => rows.insert(key, value),
                        None => rows.remove(&key),
                    };
                }
            }
            prop_assert!(tally.agrees_with(&scan(&rows)));
            if let Some(key) = rows.keys().next().cloned() {
                rows.remove(&key);
                prop_assert!(!tally.agrees_with(&scan(&rows)));
            }
        }
    }
}
