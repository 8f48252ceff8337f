//! Turns among replicas that append to the shared log at the same time.
//!
//! Only one of them can append the next entry, and the others would read it, plan their groups again and try once more. So
//! they take turns, in the order of their ids: after an entry, its writer's successor appends at once, the one after that
//! if the successor did not within a slot, and so on. No replica has to know of the turns for the log to be right: its
//! primary key decides.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The length of a slot follows the time that an append takes, between these bounds.
const SLOT: std::ops::RangeInclusive<Duration> = Duration::from_millis(2)..=Duration::from_millis(40);

/// A slot is so many times as long as an append, since its owner first has to see the entry before, and to plan its group.
const SLOT_PER_APPEND: u32 = 2;

/// How often a waiting replica reads the log in a slot.
const READS_PER_SLOT: u32 = 4;

/// A replica that has appended nothing for so many slots has no turn any more.
const ACTIVE_SLOTS: u32 = 16;

/// The turns, as this replica sees them.
#[derive(Debug)]
pub(super) struct Turns {
    /// The id of this replica.
    own: String,
    /// When this replica saw the last entry of each other one.
    others: BTreeMap<String, Instant>,
    /// The writer of the log's last entry, and when this replica saw it.
    last: Option<(String, Instant)>,
    slot: Duration,
}

impl Turns {
    pub(super) fn new(own: String) -> Self {
        Self { own, others: BTreeMap::new(), last: None, slot: *SLOT.start() }
    }

    /// Records an entry that this replica has read.
    pub(super) fn saw(&mut self, writer: String, now: Instant) {
        if writer != self.own {
            self.others.insert(writer.clone(), now);
        }
        self.last = Some((writer, now));
    }

    /// Records an entry of this replica, which took `took` to append.
    pub(super) fn appended(&mut self, took: Duration, now: Instant) {
        self.slot = ((self.slot * 7 + took * SLOT_PER_APPEND) / 8).clamp(*SLOT.start(), *SLOT.end());
        self.last = Some((self.own.clone(), now));
    }

    /// How long to wait before this replica looks again whether it is its turn; none if it may append now.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Duration> {
        let active = self.slot * ACTIVE_SLOTS;
        self.others.retain(|_, seen| now.saturating_duration_since(*seen) < active);
        let (last, seen) = self.last.as_ref()?;
        if self.others.is_empty() {
            return None;
        }
        let is_ahead = |id: &&String| match *last < self.own {
            true => *last < **id && **id < self.own,
            false => *last < **id || **id < self.own,
        };
        let ahead = u32::try_from(self.others.keys().filter(is_ahead).count()).unwrap_or(u32::MAX);
        let due = *seen + self.slot.saturating_mul(ahead);
        let wait = due.checked_duration_since(now).filter(|wait| !wait.is_zero())?;
        // A replica ahead of this one may append long before its slot ends.
        Some(wait.min(self.slot / READS_PER_SLOT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: Duration = Duration::from_millis(2);

    fn turns(own: &str) -> Turns {
        Turns::new(own.to_owned())
    }

    #[test]
    fn a_replica_alone_never_waits() {
        let (mut turns, now) = (turns("b"), Instant::now());
        assert_eq!(turns.wait(now), None);
        turns.appended(SLOT / SLOT_PER_APPEND, now);
        assert_eq!(turns.wait(now), None);
    }

    #[test]
    fn the_successor_of_the_last_writer_appends_at_once_and_the_others_after_a_slot_each() {
        let now = Instant::now();
        for (own, last, slots) in [("b", "a", 0), ("c", "a", 1), ("a", "c", 0), ("b", "c", 1), ("a", "b", 1)]
        {
            let mut turns = turns(own);
            for other in ["a", "b", "c"].into_iter().filter(|other| *other != own && *other != last) {
                turns.saw(other.to_owned(), now);
            }
            turns.saw(last.to_owned(), now);
            assert_eq!(turns.wait(now).is_some(), slots > 0, "{own} after {last}");
            assert_eq!(turns.wait(now + SLOT * slots), None, "{own} after {last}");
        }
    }

    #[test]
    fn a_replica_lets_all_others_append_before_its_next_entry() {
        let (mut turns, now) = (turns("b"), Instant::now());
        turns.saw("a".to_owned(), now);
        turns.saw("c".to_owned(), now);
        turns.appended(SLOT / SLOT_PER_APPEND, now);
        assert_eq!(turns.wait(now), Some(SLOT / READS_PER_SLOT));
        assert_eq!(turns.wait(now + SLOT), Some(SLOT / READS_PER_SLOT));
        assert_eq!(turns.wait(now + SLOT * 2), None);
    }

    #[test]
    fn a_replica_that_appends_nothing_loses_its_turn() {
        let (mut turns, now) = (turns("b"), Instant::now());
        turns.saw("a".to_owned(), now);
        let later = now + SLOT * ACTIVE_SLOTS;
        turns.appended(SLOT / SLOT_PER_APPEND, later);
        assert_eq!(turns.wait(later), None);
    }

    #[test]
    fn slots_follow_the_time_of_an_append_within_bounds() {
        let (mut turns, now) = (turns("b"), Instant::now());
        for (took, slot) in [(Duration::from_secs(9), 40), (Duration::ZERO, 2)] {
            (0..100).for_each(|_| turns.appended(took, now));
            assert_eq!(turns.slot, Duration::from_millis(slot));
        }
    }
}
