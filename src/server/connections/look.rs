//! Finds the idlest of many connections without looking at all of them each time.
//!
//! A look at all of them remembers the idlest few. They stay the idlest until they are used again, since a connection
//! that becomes idle later has idled for less; so the following requests are answered from memory. Where nobody
//! idles, that holds for a moment too. A flood of connections thus costs one look at all for many that come.

use crate::server::pulse::{Idle, Pulse};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A client whose turn it has been for less than this is not idle: its next request may be on its way.
pub(super) const LATELY: Duration = Duration::from_millis(500);

/// The same for one that never sent a whole request. Floods are made of those, and they fill every place within a
/// moment; an honest client sends its request right after it has connected.
pub(super) const JUST_COME: Duration = Duration::from_millis(100);

/// How many a look remembers.
const REMEMBERED: usize = 64;
/// For how long nobody looks again where nobody idled.
const PAUSE: Duration = Duration::from_millis(10);

/// What the last look found.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// The idlest, the longest idle first.
    idlest: VecDeque<(u64, Idle)>,
    /// When nobody idled.
    in_vain: Option<Instant>,
    /// How many connections were looked at so far.
    looked_at: u64,
}

/// Whether it has idled for long enough to be closed for another.
pub(super) fn is_due(idle: Idle) -> bool {
    idle.since.elapsed() >= if idle.was_served { LATELY } else { JUST_COME }
}

impl Look {
    /// Asks the idlest of some connections to close. False where nobody idles.
    pub(super) fn close_idlest<'a, I>(
        &mut self,
        count: usize,
        find: impl Fn(u64) -> Option<&'a Arc<Pulse>>,
        all: impl Fn() -> I,
    ) -> bool
    where
        I: Iterator<Item = u64>,
    {
        if self.close_remembered(&find) {
            return true;
        }
        if self.in_vain.is_some_and(|at| at.elapsed() < PAUSE) {
            return false;
        }
        self.looked_at += count as u64;
        let idle = |number| find(number)?.idle().filter(|idle| is_due(*idle)).map(|idle| (number, idle));
        let mut found: Vec<(u64, Idle)> = all().filter_map(idle).collect();
        if found.len() > REMEMBERED {
            found.select_nth_unstable_by_key(REMEMBERED, |(_, idle)| idle.since);
            found.truncate(REMEMBERED);
        }
        found.sort_unstable_by_key(|(_, idle)| idle.since);
        self.idlest = found.into();
        let is_closed = self.close_remembered(&find);
        self.in_vain = (!is_closed).then(Instant::now);
        is_closed
    }

    fn close_remembered<'a>(&mut self, find: &impl Fn(u64) -> Option<&'a Arc<Pulse>>) -> bool {
        while let Some((number, idle)) = self.idlest.pop_front() {
            if find(number).is_some_and(|pulse| pulse.close_if(idle)) {
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

    fn crowd(count: u64) -> HashMap<u64, Arc<Pulse>> {
        (0..count).map(|number| (number, Arc::new(Pulse::new()))).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_costs_one_look_at_all_for_every_few_that_come() {
        let present = crowd(4096);
        tokio::time::advance(JUST_COME).await;
        let mut look = Look::default();
        let close = |look: &mut Look| {
            look.close_idlest(present.len(), |number| present.get(&number), || present.keys().copied())
        };
        for _ in 0..4096 {
            assert!(close(&mut look));
        }
        assert_eq!(look.looked_at, 4096 * (4096 / REMEMBERED as u64), "not each time");
        assert!(present.values().all(|pulse| pulse.is_closing()));
        for _ in 0..1000 {
            assert!(!close(&mut look), "nobody is left");
        }
        assert_eq!(look.looked_at, 4096 * (4096 / REMEMBERED as u64) + 4096, "and not in vain each time");
        tokio::time::advance(PAUSE).await;
        assert!(!close(&mut look));
        assert_eq!(look.looked_at, 4096 * (4096 / REMEMBERED as u64) + 2 * 4096);
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_is_closed_first_and_one_that_was_used_again_is_not() {
        let mut present = HashMap::new();
        for number in 0..10 {
            present.insert(number, Arc::new(Pulse::new()));
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        tokio::time::advance(JUST_COME).await;
        let mut look = Look::default();
        let mut close = || look.close_idlest(10, |number| present.get(&number), || present.keys().copied());
        let closed = || (0..10).filter(|number| present[number].is_closing()).collect::<Vec<u64>>();
        assert!(close());
        assert_eq!(closed(), [0]);
        present[&1].begin(Some(0));
        present[&2].begin(Some(0));
        present[&2].end(0);
        assert!(close());
        assert_eq!(closed(), [0, 3]);
    }
}
