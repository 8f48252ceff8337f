//! Whether the server keeps up, and who is turned away when it does not.
//!
//! A heartbeat goes through the same queue as the requests. While it is overdue, many requests have come since the
//! last one, and it was our own work that took so long, those that wait are answered 503 at once, which empties the
//! queue within milliseconds: the accepted ones are answered in time, and nobody waits in a queue that only
//! grows. Where the machine was busy with something else, nobody is turned away: that would make nothing faster.
//!
//! A request pays for it with two atomic operations.

use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Time between two heartbeats.
const BEAT: Duration = Duration::from_millis(5);

/// Beats without a request after which the heartbeat stops.
const QUIET: u32 = 20;

/// A heartbeat this much after the last one is overdue, in microseconds.
const OVERDUE: u64 = 100_000;

/// Of which this process has worked so much, in microseconds of all its threads.
const WORKED: u64 = 80_000;

/// Requests that must have come since the last heartbeat.
const MANY: u64 = 16;

/// The heartbeat, and what was counted since.
#[derive(Debug)]
pub(super) struct Pace {
    born: Instant,
    /// In microseconds after `born`; none yet while it is at its largest.
    last: AtomicU64,
    /// The processor time that the process had used by then, in microseconds.
    used: AtomicU64,
    since: AtomicU64,
    /// No heartbeat goes: the next request starts it.
    is_idle: AtomicBool,
    woken: Notify,
    turned_away: AtomicU64,
}

impl Default for Pace {
    fn default() -> Self {
        let born = Instant::now();
        Self {
            born,
            last: u64::MAX.into(),
            used: 0.into(),
            since: 0.into(),
            is_idle: false.into(),
            woken: Notify::new(),
            turned_away: 0.into(),
        }
    }
}

impl Pace {
    /// Counts a request that came in; false if it is to be turned away.
    pub(super) fn admits(&self) -> bool {
        let before = self.since.fetch_add(1, Ordering::SeqCst);
        if self.is_idle.load(Ordering::SeqCst) && self.is_idle.swap(false, Ordering::SeqCst) {
            // As if the heartbeat had gone all the time: what was worked since it stopped says nothing.
            self.beat(Instant::now(), used());
            self.woken.notify_one();
        }
        before < MANY || self.keeps_up(Instant::now(), used)
    }

    fn keeps_up(&self, now: Instant, used: impl Fn() -> u64) -> bool {
        let past = |now: u64, then: &AtomicU64| now.saturating_sub(then.load(Ordering::Relaxed));
        let keeps_up = past(self.micros(now), &self.last) <= OVERDUE || past(used(), &self.used) <= WORKED;
        if !keeps_up {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        keeps_up
    }

    /// How many were turned away.
    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Beats while requests come; never returns. Without any for [`QUIET`] beats it waits for the next one, so that a server at rest
    /// sleeps.
    pub(super) async fn keep(&self) {
        let mut quiet = 0;
        loop {
            quiet = if self.since.load(Ordering::SeqCst) == 0 { quiet + 1 } else { 0 };
            self.beat(Instant::now(), used());
            if quiet < QUIET {
                tokio::time::sleep(BEAT).await;
                continue;
            }
            self.is_idle.store(true, Ordering::SeqCst);
            // Either this sees the request that came in between, or that one sees the flag.
            if self.since.load(Ordering::SeqCst) == 0 {
                self.woken.notified().await;
            }
            self.is_idle.store(false, Ordering::SeqCst);
            quiet = 0;
        }
    }

    fn beat(&self, now: Instant, used: u64) {
        self.used.store(used, Ordering::Relaxed);
        self.last.store(self.micros(now), Ordering::Relaxed);
        self.since.store(0, Ordering::Relaxed);
    }

    fn micros(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.born).as_micros()).unwrap_or(u64::MAX)
    }
}

/// The processor time that this process has used, in microseconds.
fn used() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let micros = time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1_000);
    u64::try_from(micros).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pace: &Pace, millis: u64) -> Instant {
        pace.born + Duration::from_millis(millis)
    }

    #[test]
    fn without_a_heartbeat_everybody_is_admitted() {
        let pace = Pace::default();
        assert!((0..1_000).all(|_| pace.admits()), "nobody keeps the pace in a test");
        assert!(pace.keeps_up(after(&pace, 9_000), || 9_000_000));
    }

    #[test]
    fn an_overdue_heartbeat_turns_requests_away_only_when_our_own_work_made_it_late() {
        let pace = Pace::default();
        pace.beat(after(&pace, 0), 1_000_000);
        assert!(pace.keeps_up(after(&pace, 90), || 1_180_000), "not late");
        assert!(pace.keeps_up(after(&pace, 500), || 1_010_000), "the machine was busy elsewhere");
        assert!(!pace.keeps_up(after(&pace, 110), || 1_100_000));
        assert_eq!(pace.turned_away(), 1);
        pace.beat(after(&pace, 100), 1_100_000);
        assert!(pace.keeps_up(after(&pace, 101), || 1_101_000), "the next heartbeat ends it");
    }

    #[tokio::test(start_paused = true)]
    async fn the_heartbeat_stops_without_requests_and_the_next_one_starts_it() {
        let pace = std::sync::Arc::new(Pace::default());
        let keeper = tokio::spawn({
            let pace = std::sync::Arc::clone(&pace);
            async move { pace.keep().await }
        });
        let seconds = |n| tokio::time::sleep(Duration::from_secs(n));
        seconds(1).await;
        let stopped_at = pace.last.load(Ordering::Relaxed);
        assert!(pace.is_idle.load(Ordering::SeqCst));
        seconds(100).await;
        assert_eq!(pace.last.load(Ordering::Relaxed), stopped_at, "nothing beats at rest");
        // A crowd after a long rest is no sign of falling behind, though the last beat is long ago.
        assert!((0..1_000).all(|_| pace.admits()));
        assert_eq!(pace.turned_away(), 0);
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert!(pace.admits() && !pace.is_idle.load(Ordering::SeqCst), "it beats while requests come");
        }
        assert!(pace.last.load(Ordering::Relaxed) > stopped_at);
        keeper.abort();
    }

    #[test]
    fn few_requests_are_never_turned_away() {
        let pace = Pace::default();
        pace.last.store(0, Ordering::Relaxed);
        let start = used();
        while used() < start + 2 * WORKED || pace.born.elapsed() < Duration::from_millis(110) {}
        assert_eq!((0..100).filter(|_| pace.admits()).count(), 16);
    }
}
