//! The tally: the index's position in the journal, and a checksum of all its rows.
//!
//! The checksum in a value shows that the value is whole. It cannot show that a value is outdated or missing, and sled
//! 0.34 can open on an older state of a page without an error. So each batch also writes the sequence of the last
//! journal record, the number of rows, and the sum of a mark of each row. One scan verifies all of them.

use crate::store::journal::chain::Chain;
use crate::store::rows::{KeyValue, RowChanges};

/// The key of the tally. It sorts before the keys of all conferences and is not part of the sum.
pub(in crate::store) const TALLY: &[u8] = b"\0tally";

/// The tally of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::store) struct Tally {
    /// The sequence of the last journal record in the index.
    pub(in crate::store) sequence: u64,
    /// The number of rows.
    pub(in crate::store) rows: u64,
    sum: u64,
    /// The hash of the shared log up to that record; none in the index of a local journal.
    pub(in crate::store) chain: Option<Chain>,
}

impl Tally {
    /// Adds a row.
    pub(in crate::store) fn add(&mut self, value: &[u8]) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(mark(value));
    }

    fn remove(&mut self, value: &[u8]) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(mark(value));
    }

    /// The tally of two disjoint sets of rows, with the sequence of this one.
    pub(in crate::store) fn plus(self, other: &Self) -> Self {
        Self { rows: self.rows.wrapping_add(other.rows), sum: self.sum.wrapping_add(other.sum), ..self }
    }

    /// The tally after `changes`. `before` has the old values of their keys.
    pub(in crate::store) fn after(
        mut self,
        sequence: u64,
        before: &RowChanges,
        changes: &RowChanges,
    ) -> Self {
        self.sequence = sequence;
        before.values().flatten().for_each(|value| self.remove(value));
        changes.values().flatten().for_each(|value| self.add(value));
        self
    }

    /// Whether both tallies are of the same rows, ignoring the sequence.
    pub(in crate::store) fn agrees_with(&self, other: &Self) -> bool {
        (self.rows, self.sum) == (other.rows, other.sum)
    }

    /// The stored row: three little-endian numbers, the hash of a shared log, and the CRC-32C of all.
    pub(in crate::store) fn row(&self) -> KeyValue {
        let mut value = Vec::with_capacity(60);
        for number in [self.sequence, self.rows, self.sum] {
            value.extend_from_slice(&number.to_le_bytes());
        }
        value.extend(self.chain.iter().flat_map(|chain| chain.0));
        value.extend_from_slice(&crc32c::crc32c(&value).to_le_bytes());
        (TALLY.to_vec(), value)
    }

    /// Parses a stored value; none if it is damaged.
    pub(in crate::store) fn parse(value: &[u8]) -> Option<Self> {
        let (numbers, crc) = value.split_last_chunk::<4>()?;
        let (sequence, rest) = numbers.split_first_chunk::<8>()?;
        let (rows, rest) = rest.split_first_chunk::<8>()?;
        let (sum, rest) = rest.split_first_chunk::<8>()?;
        let chain = match rest {
            [] => None,
            hash => Some(Chain(hash.try_into().ok()?)),
        };
        let [sequence, rows, sum] = [sequence, rows, sum].map(|bytes| u64::from_le_bytes(*bytes));
        (crc32c::crc32c(numbers) == u32::from_le_bytes(*crc)).then_some(Self { sequence, rows, sum, chain })
    }
}

/// Mixes layout, checksum and length of a value; the checksum covers its key. In a sum of plain checksums, two errors
/// could cancel each other out.
fn mark(value: &[u8]) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(value.iter().take(5)).for_each(|(to, from)| *to = *from);
    let mut x = u64::from_le_bytes(head) ^ (value.len() as u64) << 40;
    // The finalizer of SplitMix64.
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
    fn a_damaged_tally_is_not_read() {
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
        #[test]
        fn the_running_tally_equals_that_of_a_scan(
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
                let before: RowChanges =
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
