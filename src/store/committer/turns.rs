//! Turns among replicas that append to the shared log at the same time.
//!
//! Only one of them can append the next entry, and the others would read it, plan their groups again and try once more. So
//! they take turns, in the order of their ids: after an entry, its writer's successor appends at once, the one after that
//! if the successor did not within a slot, and so on. No replica has to know of the turns for the log to be right: its
//! primary key decides.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The bounds of the time that an append takes, and of the time between two entries.
const TIMES: std::ops::RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_millis(40);

/// The most time between two entries while replicas take turns, in appends: the next writer sees the entry, applies it,
/// plans its group and appends. A longer time means that nobody had anything to append.
const MAX_APPENDS: u32 = 4;

/// A slot is so many times as long as the usual time between two entries, since some take longer.
const SLOT_PER_ENTRY: u32 = 2;

/// How often a waiting replica reads the log in a slot, once an entry is due.
const READS_PER_SLOT: u32 = 16;

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
    /// The usual time that an append of this replica takes.
    append: Duration,
    /// The usual time between two entries while several replicas append.
    usual: Duration,
}

impl Turns {
    pub(super) fn new(own: String) -> Self {
        Self { own, others: BTreeMap::new(), last: None, append: *TIMES.start(), usual: *TIMES.start() }
    }

    /// Records entries that this replica has read at once, by their writers.
    pub(super) fn saw(&mut self, writers: Vec<String>, now: Instant) {
        let count = u32::try_from(writers.len()).unwrap_or(u32::MAX);
        for writer in writers {
            if writer != self.own {
                self.others.insert(writer.clone(), now);
            }
            self.follows(writer, count, now);
        }
    }

    /// Records an entry of this replica, which took `took` to append.
    pub(super) fn appended(&mut self, took: Duration, now: Instant) {
        self.append = average(self.append, took);
        self.follows(self.own.clone(), 1, now);
    }

    /// Records the writer of the last entry, which was seen as one of `count` at once.
    fn follows(&mut self, writer: String, count: u32, now: Instant) {
        if let Some((_, before)) = self.last.replace((writer, now))
            && !self.others.is_empty()
            && now > before
        {
            let took = now.duration_since(before) / count.max(1);
            self.usual = average(self.usual, took.min(self.append * MAX_APPENDS));
        }
    }

    fn slot(&self) -> Duration {
        self.usual * SLOT_PER_ENTRY
    }

    /// How long to wait before this replica looks again whether it is its turn; none if it may append now.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Duration> {
        let slot = self.slot();
        let active = slot * ACTIVE_SLOTS;
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
        let wait = |at: Instant| at.checked_duration_since(now).filter(|wait| !wait.is_zero());
        let due = wait(*seen + slot.saturating_mul(ahead))?;
        // Replicas ahead of this one usually append long before their slots end. The first look is a little early: a look at
        // the usual time would find entries only then, so the usual time would never become shorter.
        let first = wait(*seen + self.usual.saturating_mul(ahead) * 3 / 4);
        Some(first.unwrap_or(slot / READS_PER_SLOT).min(due))
    }
}

fn average(before: Duration, new: Duration) -> Duration {
    ((before * 7 + new) / 8).clamp(*TIMES.start(), *TIMES.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first slot.
    const SLOT: Duration = Duration::from_millis(2);
    const APPEND: Duration = Duration::from_millis(1);

    fn turns(own: &str) -> Turns {
        Turns::new(own.to_owned())
    }

    fn see(turns: &mut Turns, writer: &str, now: Instant) {
        turns.saw(vec![writer.to_owned()], now);
    }

    #[test]
    fn a_replica_alone_never_waits() {
        let (mut turns, now) = (turns("b"), Instant::now());
        assert_eq!(turns.wait(now), None);
        turns.appended(APPEND, now);
        assert_eq!(turns.wait(now), None);
    }

    #[test]
    fn the_successor_of_the_last_writer_appends_at_once_and_the_others_after_a_slot_each() {
        let now = Instant::now();
        for (own, last, slots) in [("b", "a", 0), ("c", "a", 1), ("a", "c", 0), ("b", "c", 1), ("a", "b", 1)]
        {
            let mut turns = turns(own);
            for other in ["a", "b", "c"].into_iter().filter(|other| *other != own && *other != last) {
                see(&mut turns, other, now);
            }
            see(&mut turns, last, now);
            assert_eq!(turns.wait(now).is_some(), slots > 0, "{own} after {last}");
            assert_eq!(turns.wait(now + SLOT * slots), None, "{own} after {last}");
        }
    }

    #[test]
    fn a_replica_lets_all_others_append_before_its_next_entry() {
        let (mut turns, now) = (turns("b"), Instant::now());
        see(&mut turns, "a", now);
        see(&mut turns, "c", now);
        turns.appended(APPEND, now);
        let usual = SLOT / SLOT_PER_ENTRY;
        assert_eq!(turns.wait(now), Some(usual * 3 / 2), "it looks when both may have appended");
        assert_eq!(turns.wait(now + usual * 3 / 2), Some(SLOT / READS_PER_SLOT), "and then more often");
        assert_eq!(turns.wait(now + SLOT * 2), None);
    }

    #[test]
    fn a_replica_that_appends_nothing_loses_its_turn() {
        let (mut turns, now) = (turns("b"), Instant::now());
        see(&mut turns, "a", now);
        let later = now + Duration::from_secs(1);
        turns.appended(APPEND, later);
        assert_eq!(turns.wait(later), None);
        assert!(turns.others.is_empty());
    }

    #[test]
    fn a_slot_follows_the_time_between_entries_and_stays_short_if_there_are_none() {
        let (mut turns, mut now) = (turns("b"), Instant::now());
        see(&mut turns, "a", now);
        for between in [Duration::from_millis(12), Duration::from_secs(9)] {
            for _ in 0..100 {
                now += between;
                turns.appended(Duration::from_millis(5), now);
            }
            let expected = between.min(Duration::from_millis(5) * MAX_APPENDS) * SLOT_PER_ENTRY;
            let slot = turns.slot();
            assert!(slot > expected * 9 / 10 && slot <= expected, "{slot:?} of {expected:?}");
        }
    }
}
