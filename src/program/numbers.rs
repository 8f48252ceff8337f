//! Places beside each other, such as the lanes of a grid, given out to what takes place at the same time.

use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Numbers from 0 that are taken until a time. Each takes O(log n), however many are taken.
///
/// Requests come in order of their start.
#[derive(Debug, Default)]
pub struct Numbers {
    /// The first that ends is on top. An entry is out of date where [`Self::ends`] has a later time.
    taken: BinaryHeap<Reverse<(DateTime<Utc>, usize)>>,
    free: BTreeSet<usize>,
    /// By number.
    ends: Vec<DateTime<Utc>>,
}

impl Numbers {
    /// Takes the lowest free number from `start` to `end`.
    pub fn take(&mut self, start: DateTime<Utc>, end: DateTime<Utc>) -> usize {
        self.release(start);
        let number = self.free.pop_first().unwrap_or(self.ends.len());
        self.hold(number, end);
        number
    }

    /// Takes number 0 whether it is free or not, at least until `end`.
    pub fn share_first(&mut self, end: DateTime<Utc>) {
        self.free.remove(&0);
        let end = self.ends.first().map_or(end, |taken| end.max(*taken));
        self.hold(0, end);
    }

    fn hold(&mut self, number: usize, end: DateTime<Utc>) {
        match self.ends.get_mut(number) {
            Some(place) => *place = end,
            None => self.ends.push(end),
        }
        self.taken.push(Reverse((end, number)));
    }

    /// Frees what ended by a time.
    fn release(&mut self, by: DateTime<Utc>) {
        while let Some(Reverse((end, number))) =
            self.taken.peek().copied().filter(|Reverse((end, _))| *end <= by)
        {
            self.taken.pop();
            if self.ends.get(number) == Some(&end) {
                self.free.insert(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minute * 60, 0).unwrap()
    }

    #[test]
    fn the_lowest_free_number_is_taken_and_a_shared_one_lasts_as_long_as_its_longest() {
        let mut numbers = Numbers::default();
        let taken: Vec<usize> = [(0, 10), (0, 5), (1, 4), (5, 6), (5, 9), (10, 11)]
            .map(|(a, b)| numbers.take(at(a), at(b)))
            .into();
        assert_eq!(taken, [0, 1, 2, 1, 2, 0]);
        numbers.share_first(at(20));
        numbers.share_first(at(15));
        assert_eq!([numbers.take(at(12), at(13)), numbers.take(at(20), at(21))], [1, 0]);
    }

    proptest! {
        #[test]
        fn a_number_is_the_first_that_a_look_at_all_of_them_finds_free(
            spans in prop::collection::vec((0..50i64, 1..30i64, any::<bool>()), 0..40),
        ) {
            let mut spans = spans;
            spans.sort_unstable();
            let (mut numbers, mut ends) = (Numbers::default(), Vec::<i64>::new());
            for (start, length, is_shared) in spans {
                let end = start + length;
                let free = ends.iter().position(|end| *end <= start).unwrap_or(ends.len());
                let expected = if is_shared { 0 } else { free };
                match ends.get_mut(expected) {
                    Some(taken) => *taken = end.max(*taken),
                    None => ends.push(end),
                }
                let number = if is_shared {
                    numbers.share_first(at(end));
                    0
                } else {
                    numbers.take(at(start), at(end))
                };
                prop_assert_eq!(number, expected);
            }
        }
    }

    #[test]
    fn a_crowded_hour_costs_each_session_as_much_as_a_small_one() {
        // Every number is held once, and released once: nothing looks at all of them.
        for n in [1_000, 2_000] {
            let mut numbers = Numbers::default();
            let taken: Vec<usize> = (0..n).map(|_| numbers.take(at(0), at(60))).collect();
            assert!(taken.iter().copied().eq(0..n));
            assert_eq!((numbers.taken.len(), numbers.free.len(), numbers.ends.len()), (n, 0, n));
            numbers.take(at(60), at(61));
            assert_eq!((numbers.taken.len(), numbers.free.len(), numbers.ends.len()), (1, n - 1, n));
        }
    }
}
