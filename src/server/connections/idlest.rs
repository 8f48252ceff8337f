//! Finds the idlest of many connections without a scan for each new one.
//!
//! A scan remembers the idlest few connections. They stay the idlest until they are used again, since a connection
//! that becomes idle later has been idle for less time. A scan that finds none is not repeated for a moment. So a
//! flood costs one scan for many new connections.

use crate::server::activity::{Activity, Idle};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A client counts as idle after this time without a request: until then its next request may be in transit.
pub(super) const IDLE_AFTER: Duration = Duration::from_millis(500);

/// Like [`IDLE_AFTER`], for a client that never completed a request. Floods consist of such clients; a real client
/// sends its request right after connecting.
pub(super) const NEW_IDLE_AFTER: Duration = Duration::from_millis(100);

/// How many connections a scan remembers.
const MAX_REMEMBERED: usize = 64;
/// The pause after a scan that found no idle connection.
const SCAN_PAUSE: Duration = Duration::from_millis(10);

/// The result of the last scan.
#[derive(Debug, Default)]
pub(super) struct IdlestFinder {
    /// The idlest connections, the longest idle first.
    idlest: VecDeque<(u64, Idle)>,
    /// When the last scan found no idle connection.
    found_none: Option<Instant>,
    /// How many connections were scanned so far.
    scanned: u64,
}

/// Whether a connection was idle long enough to be closed for a new one.
pub(super) fn is_due(idle: Idle) -> bool {
    idle.since.elapsed() >= if idle.was_served { IDLE_AFTER } else { NEW_IDLE_AFTER }
}

impl IdlestFinder {
    /// Asks the idlest of some connections to close. False if none is idle.
    pub(super) fn close_idlest<'a, I>(
        &mut self,
        count: usize,
        find: impl Fn(u64) -> Option<&'a Arc<Activity>>,
        all: impl Fn() -> I,
    ) -> bool
    where
        I: Iterator<Item = u64>,
    {
        if self.close_remembered(&find) {
            return true;
        }
        if self.found_none.is_some_and(|at| at.elapsed() < SCAN_PAUSE) {
            return false;
        }
        self.scanned += count as u64;
        let idle = |number| find(number)?.idle().filter(|idle| is_due(*idle)).map(|idle| (number, idle));
        let mut found: Vec<(u64, Idle)> = all().filter_map(idle).collect();
        if found.len() > MAX_REMEMBERED {
            found.select_nth_unstable_by_key(MAX_REMEMBERED, |(_, idle)| idle.since);
            found.truncate(MAX_REMEMBERED);
        }
        found.sort_unstable_by_key(|(_, idle)| idle.since);
        self.idlest = found.into();
        let is_closed = self.close_remembered(&find);
        self.found_none = (!is_closed).then(Instant::now);
        is_closed
    }

    fn close_remembered<'a>(&mut self, find: &impl Fn(u64) -> Option<&'a Arc<Activity>>) -> bool {
        while let Some((number, idle)) = self.idlest.pop_front() {
            if find(number).is_some_and(|activity| activity.close_if(idle)) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn connections(count: u64) -> HashMap<u64, Arc<Activity>> {
        (0..count).map(|number| (number, Arc::new(Activity::new()))).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_costs_one_scan_for_many_new_connections() {
        let present = connections(4096);
        tokio::time::advance(NEW_IDLE_AFTER).await;
        let mut finder = IdlestFinder::default();
        let close = |finder: &mut IdlestFinder| {
            finder.close_idlest(present.len(), |number| present.get(&number), || present.keys().copied())
        };
        for _ in 0..4096 {
            assert!(close(&mut finder));
        }
        assert_eq!(finder.scanned, 4096 * (4096 / MAX_REMEMBERED as u64), "one scan for many");
        assert!(present.values().all(|activity| activity.is_closing()));
        for _ in 0..1000 {
            assert!(!close(&mut finder), "none is left");
        }
        assert_eq!(finder.scanned, 4096 * (4096 / MAX_REMEMBERED as u64) + 4096, "one more scan");
        tokio::time::advance(SCAN_PAUSE).await;
        assert!(!close(&mut finder));
        assert_eq!(finder.scanned, 4096 * (4096 / MAX_REMEMBERED as u64) + 2 * 4096);
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_connection_is_closed_first_unless_it_was_used_again() {
        let mut present = HashMap::new();
        for number in 0..10 {
            present.insert(number, Arc::new(Activity::new()));
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        tokio::time::advance(NEW_IDLE_AFTER).await;
        let mut finder = IdlestFinder::default();
        let mut close = || finder.close_idlest(10, |number| present.get(&number), || present.keys().copied());
        let closed = || (0..10).filter(|number| present[number].is_closing()).collect::<Vec<u64>>();
        assert!(close());
        assert_eq!(closed(), [0]);
        present[&1].begin_request(Some(0));
        present[&2].begin_request(Some(0));
        present[&2].end_answer(0);
        assert!(close());
        assert_eq!(closed(), [0, 3]);
    }
}
