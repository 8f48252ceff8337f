//! Finds the slots that overlap a time span, and assigns lanes to sessions that overlap.

use super::Slot;
use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Slots in order of their start, indexed to find overlaps.
///
/// Finding the slots that overlap `[from, to)` takes O(log n) for each of them; counting them takes two binary searches.
#[derive(Debug, Clone, Default)]
pub struct Intervals {
    starts: Vec<DateTime<Utc>>,
    /// The ends of all slots, sorted, so not in the order of the slots.
    ends: Vec<DateTime<Utc>>,
    /// A segment tree of the latest end. Node 1 is the root, the children of node `n` are `2n` and `2n + 1`, and the
    /// leaves are the slots. Leaves beyond the last slot hold the earliest possible time.
    latest: Vec<DateTime<Utc>>,
}

impl Intervals {
    /// Builds the index from slots that are sorted by their start.
    pub fn of<'a>(slots: impl IntoIterator<Item = &'a Slot>) -> Self {
        let (starts, mut ends): (Vec<_>, Vec<_>) =
            slots.into_iter().map(|slot| (slot.start, slot.end)).unzip();
        let leaves = starts.len().next_power_of_two();
        let mut latest = vec![DateTime::<Utc>::MIN_UTC; leaves];
        latest.extend_from_slice(&ends);
        latest.resize(2 * leaves, DateTime::<Utc>::MIN_UTC);
        for node in (1..leaves).rev() {
            let later = latest.get(2 * node).max(latest.get(2 * node + 1)).copied();
            if let (Some(end), Some(later)) = (latest.get_mut(node), later) {
                *end = later;
            }
        }
        ends.sort_unstable();
        Self { starts, ends, latest }
    }

    /// The number of slots that overlap `[from, to)`.
    pub fn count(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> usize {
        // A slot that ended by `from` also started before `to`.
        let started = self.starts.partition_point(|start| *start < to);
        let ended = self.ends.partition_point(|end| *end <= from);
        started.saturating_sub(ended)
    }

    /// The indexes of the slots that overlap `[from, to)`, in order.
    pub fn overlapping(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> impl Iterator<Item = usize> {
        let started = self.starts.partition_point(|start| *start < to);
        let mut next = 0;
        std::iter::from_fn(move || {
            let found = self.first_ending_after(from, next).filter(|index| *index < started)?;
            next = found + 1;
            Some(found)
        })
    }

    /// The first slot from an index on that ends after a time.
    fn first_ending_after(&self, after: DateTime<Utc>, index: usize) -> Option<usize> {
        let leaves = self.latest.len() / 2;
        let ends_after = |node: usize| self.latest.get(node).is_some_and(|latest| *latest > after);
        if index >= leaves {
            return None;
        }
        let mut node = leaves + index;
        loop {
            // Climb to the largest subtree that starts with this leaf.
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

/// Lanes, numbered from 0, for sessions that take place at the same time. Taking one is O(log n).
///
/// Sessions must come in order of their start.
#[derive(Debug, Default)]
pub struct Lanes {
    /// The taken lanes, the earliest end on top. An entry is outdated if [`Self::ends`] has a later time for its lane.
    taken: BinaryHeap<Reverse<(DateTime<Utc>, usize)>>,
    free: BTreeSet<usize>,
    /// The time until which each lane is taken.
    ends: Vec<DateTime<Utc>>,
}

impl Lanes {
    /// Takes the lowest free lane from `start` to `end`.
    pub fn take(&mut self, start: DateTime<Utc>, end: DateTime<Utc>) -> usize {
        self.release(start);
        let lane = self.free.pop_first().unwrap_or(self.ends.len());
        self.hold(lane, end);
        lane
    }

    /// Takes lane 0 at least until `end`, even if it is not free.
    pub fn share_first(&mut self, end: DateTime<Utc>) {
        self.free.remove(&0);
        let end = self.ends.first().map_or(end, |taken| end.max(*taken));
        self.hold(0, end);
    }

    fn hold(&mut self, lane: usize, end: DateTime<Utc>) {
        match self.ends.get_mut(lane) {
            Some(taken) => *taken = end,
            None => self.ends.push(end),
        }
        self.taken.push(Reverse((end, lane)));
    }

    /// Frees the lanes whose session ended by a time.
    fn release(&mut self, by: DateTime<Utc>) {
        while let Some(Reverse((end, lane))) =
            self.taken.peek().copied().filter(|Reverse((end, _))| *end <= by)
        {
            self.taken.pop();
            if self.ends.get(lane) == Some(&end) {
                self.free.insert(lane);
            }
        }
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
        fn a_search_finds_and_counts_the_same_slots_as_a_scan(
            slots in prop::collection::vec((0..60i64, 1..30i64), 0..40),
            (from, length) in (0..70i64, 1..20i64),
        ) {
            let mut slots: Vec<Slot> = slots.into_iter().map(|(start, length)| slot(start, length)).collect();
            slots.sort_by_key(|slot| slot.start);
            let asked = slot(from, length);
            let expected: Vec<usize> =
                (0..slots.len()).filter(|index| slots[*index].overlaps(&asked)).collect();
            let intervals = Intervals::of(&slots);
            let found: Vec<usize> = intervals.overlapping(asked.start, asked.end).collect();
            prop_assert_eq!(intervals.count(asked.start, asked.end), expected.len());
            prop_assert_eq!(found, expected);
        }
    }

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minute * 60, 0).unwrap()
    }

    #[test]
    fn the_lowest_free_lane_is_taken_and_a_shared_lane_ends_with_its_last_session() {
        let mut lanes = Lanes::default();
        let taken: Vec<usize> =
            [(0, 10), (0, 5), (1, 4), (5, 6), (5, 9), (10, 11)].map(|(a, b)| lanes.take(at(a), at(b))).into();
        assert_eq!(taken, [0, 1, 2, 1, 2, 0]);
        lanes.share_first(at(20));
        lanes.share_first(at(15));
        assert_eq!([lanes.take(at(12), at(13)), lanes.take(at(20), at(21))], [1, 0]);
    }

    proptest! {
        #[test]
        fn the_lane_is_the_first_that_a_scan_finds_free(
            spans in prop::collection::vec((0..50i64, 1..30i64, any::<bool>()), 0..40),
        ) {
            let mut spans = spans;
            spans.sort_unstable();
            let (mut lanes, mut ends) = (Lanes::default(), Vec::<i64>::new());
            for (start, length, is_shared) in spans {
                let end = start + length;
                let free = ends.iter().position(|end| *end <= start).unwrap_or(ends.len());
                let expected = if is_shared { 0 } else { free };
                match ends.get_mut(expected) {
                    Some(taken) => *taken = end.max(*taken),
                    None => ends.push(end),
                }
                let lane = if is_shared {
                    lanes.share_first(at(end));
                    0
                } else {
                    lanes.take(at(start), at(end))
                };
                prop_assert_eq!(lane, expected);
            }
        }
    }

    #[test]
    fn each_lane_is_held_and_freed_once() {
        for n in [1_000, 2_000] {
            let mut lanes = Lanes::default();
            let taken: Vec<usize> = (0..n).map(|_| lanes.take(at(0), at(60))).collect();
            assert!(taken.iter().copied().eq(0..n));
            assert_eq!((lanes.taken.len(), lanes.free.len(), lanes.ends.len()), (n, 0, n));
            lanes.take(at(60), at(61));
            assert_eq!((lanes.taken.len(), lanes.free.len(), lanes.ends.len()), (1, n - 1, n));
        }
    }
}
