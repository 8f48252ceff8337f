//! Which of many slots overlap a time, without looking at the others.
//!
//! A search for the slots that overlap `[from, to)` takes O(log n) for each slot that it finds. Counting them takes two binary
//! searches.

use super::Slot;
use chrono::{DateTime, Utc};

/// Slots in order of their start.
#[derive(Debug, Clone, Default)]
pub struct Intervals {
    starts: Vec<DateTime<Utc>>,
    /// In order of time, not of the slots.
    ends: Vec<DateTime<Utc>>,
    /// A segment tree of the latest end: node 1 is the root, the children of node `n` are `2n` and `2n + 1`, and the leaves are
    /// the slots. Leaves beyond the last slot hold the earliest time there is.
    latest: Vec<DateTime<Utc>>,
}

impl Intervals {
    /// Builds it of slots that are sorted by their start.
    pub fn of<'a>(slots: impl IntoIterator<Item = &'a Slot>) -> Self {
        let (starts, mut ends): (Vec<_>, Vec<_>) =
            slots.into_iter().map(|slot| (slot.start, slot.end)).unzip();
        let leaves = starts.len().next_power_of_two();
        let mut latest = vec![DateTime::<Utc>::MIN_UTC; leaves];
        latest.extend_from_slice(&ends);
        latest.resize(2 * leaves, DateTime::<Utc>::MIN_UTC);
        for node in (1..leaves).rev() {
            let later = latest.get(2 * node).max(latest.get(2 * node + 1)).copied();
            if let (Some(place), Some(later)) = (latest.get_mut(node), later) {
                *place = later;
            }
        }
        ends.sort_unstable();
        Self { starts, ends, latest }
    }

    /// How many slots overlap `[from, to)`.
    pub fn count(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> usize {
        // Whatever ended by `from` started before `to`.
        let started = self.starts.partition_point(|start| *start < to);
        let ended = self.ends.partition_point(|end| *end <= from);
        started.saturating_sub(ended)
    }

    /// The places of the slots that overlap `[from, to)`, in their order.
    pub fn overlapping(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> impl Iterator<Item = usize> {
        let started = self.starts.partition_point(|start| *start < to);
        let mut next = 0;
        std::iter::from_fn(move || {
            let place = self.first(next, from).filter(|place| *place < started)?;
            next = place + 1;
            Some(place)
        })
    }

    /// The first slot from a place on that ends after a time.
    fn first(&self, place: usize, after: DateTime<Utc>) -> Option<usize> {
        let leaves = self.latest.len() / 2;
        let ends_after = |node: usize| self.latest.get(node).is_some_and(|latest| *latest > after);
        if place >= leaves {
            return None;
        }
        let mut node = leaves + place;
        loop {
            // The largest subtree whose first leaf this is.
            while node.is_multiple_of(2) {
                node /= 2;
            }
            if ends_after(node) {
                break;
            }
            node += 1;
            if node.is_power_of_two() {
                return None;
            }
        }
        while node < leaves {
            node *= 2;
            node += usize::from(!ends_after(node));
        }
        Some(node - leaves)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slot(start: i64, length: i64) -> Slot {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        Slot { start: at(start), end: at(start + length), room: None }
    }

    proptest! {
        #[test]
        fn it_finds_and_counts_what_a_look_at_every_slot_finds(
            slots in prop::collection::vec((0..60i64, 1..30i64), 0..40),
            (from, length) in (0..70i64, 1..20i64),
        ) {
            let mut slots: Vec<Slot> = slots.into_iter().map(|(start, length)| slot(start, length)).collect();
            slots.sort_by_key(|slot| slot.start);
            let asked = slot(from, length);
            let expected: Vec<usize> =
                (0..slots.len()).filter(|place| slots[*place].overlaps(&asked)).collect();
            let intervals = Intervals::of(&slots);
            let found: Vec<usize> = intervals.overlapping(asked.start, asked.end).collect();
            prop_assert_eq!(intervals.count(asked.start, asked.end), expected.len());
            prop_assert_eq!(found, expected);
        }
    }
}
