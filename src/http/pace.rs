//! Whether the server keeps up, and who is turned away when it does not.
//!
//! A heartbeat goes through the same queue as the requests. While it is overdue and many requests have come
//! since the last one, those that wait are answered 503 at once, which empties the queue within milliseconds:
//! the accepted ones are answered in time, and nobody waits in a queue that only grows. Few requests are
//! never turned away, since then it is the machine that was busy elsewhere.
//!
//! A request pays for it with two atomic operations.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Time between two heartbeats.
const BEAT: Duration = Duration::from_millis(5);

/// A heartbeat this much after the last one is overdue, in microseconds.
const OVERDUE: u64 = 60_000;

/// Requests that must have come since the last heartbeat.
const MANY: u64 = 24;

/// The heartbeat, and what was counted since.
#[derive(Debug)]
pub(super) struct Pace {
    born: Instant,
    /// In microseconds after `born`; none yet while it is at its largest.
    last: AtomicU64,
    since: AtomicU64,
    turned_away: AtomicU64,
}

impl Default for Pace {
    fn default() -> Self {
        let none = u64::MAX;
        Self { born: Instant::now(), last: none.into(), since: 0.into(), turned_away: 0.into() }
    }
}

impl Pace {
    /// Counts a request that came in; false if it is to be turned away.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let before = self.since.fetch_add(1, Ordering::Relaxed);
        if before < MANY {
            return true;
        }
        let overdue = self.micros(now).saturating_sub(self.last.load(Ordering::Relaxed)) > OVERDUE;
        if overdue {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        !overdue
    }

    /// How many were turned away.
    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Beats for ever.
    pub(super) async fn keep(&self) {
        loop {
            self.beat(Instant::now());
            tokio::time::sleep(BEAT).await;
        }
    }

    fn beat(&self, now: Instant) {
        self.last.store(self.micros(now), Ordering::Relaxed);
        self.since.store(0, Ordering::Relaxed);
    }

    fn micros(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.born).as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_heartbeat_and_without_delay_everybody_is_admitted() {
        let pace = Pace::default();
        let late = pace.born + Duration::from_secs(9);
        assert!((0..1_000).all(|_| pace.admits(late)), "nobody keeps the pace in a test");
        pace.beat(late);
        assert!((0..1_000).all(|_| pace.admits(late + Duration::from_millis(50))));
    }

    #[test]
    fn while_the_heartbeat_is_overdue_many_are_turned_away_and_few_are_not() {
        let pace = Pace::default();
        pace.beat(pace.born);
        let late = pace.born + Duration::from_millis(100);
        let admitted = (0..1_000).filter(|_| pace.admits(late)).count();
        assert_eq!((admitted, pace.turned_away()), (24, 976));
        pace.beat(late);
        assert!((0..1_000).all(|_| pace.admits(late)), "the next heartbeat ends it");
    }
}
