//! Overload: whether the server keeps up, and which requests are rejected when it does not.
//!
//! A heartbeat goes through the same queue as the requests. Waiting requests are answered 503 at once if the
//! heartbeat is overdue, many requests arrived since the last beat, and this process was busy meanwhile. That empties
//! the queue within milliseconds, so accepted requests are answered in time. If another process kept the machine
//! busy, nothing is rejected, since rejecting would speed nothing up. The check costs two atomic operations a
//! request.

use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Time between two heartbeats.
const BEAT_INTERVAL: Duration = Duration::from_millis(5);

/// Beats without a request after which the heartbeat stops.
const IDLE_BEATS: u32 = 20;

/// The time after a heartbeat at which the next one is overdue, in microseconds.
const OVERDUE_MICROS: u64 = 100_000;

/// The processor time that this process must have used since the last heartbeat, in microseconds of all threads.
const BUSY_MICROS: u64 = 80_000;

/// The requests that must have arrived since the last heartbeat.
const MIN_REQUESTS: u64 = 16;

/// The heartbeat, and the counts since the last beat.
#[derive(Debug)]
pub(super) struct Pace {
    started: Instant,
    /// The last heartbeat, in microseconds after `started`; the maximum before the first.
    last_beat: AtomicU64,
    /// The processor time of the process at the last heartbeat, in microseconds.
    cpu_at_beat: AtomicU64,
    requests_since_beat: AtomicU64,
    /// Whether the heartbeat has stopped. The next request starts it.
    is_idle: AtomicBool,
    woken: Notify,
    rejected: AtomicU64,
}

impl Default for Pace {
    fn default() -> Self {
        let started = Instant::now();
        Self {
            started,
            last_beat: u64::MAX.into(),
            cpu_at_beat: 0.into(),
            requests_since_beat: 0.into(),
            is_idle: false.into(),
            woken: Notify::new(),
            rejected: 0.into(),
        }
    }
}

impl Pace {
    /// Counts a request. False if it must be rejected.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let before = self.requests_since_beat.fetch_add(1, Ordering::SeqCst);
        if self.is_idle.load(Ordering::SeqCst) && self.is_idle.swap(false, Ordering::SeqCst) {
            // Work since the heartbeat stopped says nothing about the present load.
            self.beat(now, cpu_micros());
            self.woken.notify_one();
        }
        before < MIN_REQUESTS || self.keeps_up(now, cpu_micros)
    }

    fn keeps_up(&self, now: Instant, used: impl Fn() -> u64) -> bool {
        let past = |now: u64, then: &AtomicU64| now.saturating_sub(then.load(Ordering::Relaxed));
        let keeps_up = past(self.micros(now), &self.last_beat) <= OVERDUE_MICROS
            || past(used(), &self.cpu_at_beat) <= BUSY_MICROS;
        if !keeps_up {
            self.rejected.fetch_add(1, Ordering::Relaxed);
        }
        keeps_up
    }

    /// How many requests were rejected.
    pub(super) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Beats while requests arrive; never returns. After [`IDLE_BEATS`] beats without any it waits for the next request, so that an
    /// idle server sleeps.
    pub(super) async fn keep(&self) {
        let mut quiet = 0;
        loop {
            quiet = if self.requests_since_beat.load(Ordering::SeqCst) == 0 { quiet + 1 } else { 0 };
            self.beat(Instant::now(), cpu_micros());
            if quiet < IDLE_BEATS {
                tokio::time::sleep(BEAT_INTERVAL).await;
                continue;
            }
            self.is_idle.store(true, Ordering::SeqCst);
            // Either this load sees a request that arrived in between, or that request sees the flag.
            if self.requests_since_beat.load(Ordering::SeqCst) == 0 {
                self.woken.notified().await;
            }
            self.is_idle.store(false, Ordering::SeqCst);
            quiet = 0;
        }
    }

    fn beat(&self, now: Instant, used: u64) {
        self.cpu_at_beat.store(used, Ordering::Relaxed);
        self.last_beat.store(self.micros(now), Ordering::Relaxed);
        self.requests_since_beat.store(0, Ordering::Relaxed);
    }

    fn micros(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.started).as_micros()).unwrap_or(u64::MAX)
    }
}

/// The processor time that this process has used, in microseconds.
fn cpu_micros() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let micros = time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1_000);
    u64::try_from(micros).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pace: &Pace, millis: u64) -> Instant {
        pace.started + Duration::from_millis(millis)
    }

    #[test]
    fn without_a_heartbeat_every_request_is_admitted() {
        let pace = Pace::default();
        assert!((0..1_000).all(|_| pace.admits(Instant::now())), "no heartbeat in a test");
        assert!(pace.keeps_up(after(&pace, 9_000), || 9_000_000));
    }

    #[test]
    fn an_overdue_heartbeat_rejects_requests_only_if_this_process_was_busy() {
        let pace = Pace::default();
        pace.beat(after(&pace, 0), 1_000_000);
        assert!(pace.keeps_up(after(&pace, 90), || 1_180_000), "not late");
        assert!(pace.keeps_up(after(&pace, 500), || 1_010_000), "the machine was busy elsewhere");
        assert!(!pace.keeps_up(after(&pace, 110), || 1_100_000));
        assert_eq!(pace.rejected(), 1);
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
        let stopped_at = pace.last_beat.load(Ordering::Relaxed);
        assert!(pace.is_idle.load(Ordering::SeqCst));
        seconds(100).await;
        assert_eq!(pace.last_beat.load(Ordering::Relaxed), stopped_at, "nothing beats at rest");
        // Many requests after a long rest are no overload, though the last beat was long ago.
        assert!((0..1_000).all(|_| pace.admits(Instant::now())));
        assert_eq!(pace.rejected(), 0);
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert!(
                pace.admits(Instant::now()) && !pace.is_idle.load(Ordering::SeqCst),
                "it beats while requests come"
            );
        }
        assert!(pace.last_beat.load(Ordering::Relaxed) > stopped_at);
        keeper.abort();
    }

    #[test]
    fn few_requests_are_never_rejected() {
        let pace = Pace::default();
        pace.last_beat.store(0, Ordering::Relaxed);
        let start = cpu_micros();
        while cpu_micros() < start + 2 * BUSY_MICROS || pace.started.elapsed() < Duration::from_millis(110) {}
        assert_eq!((0..100).filter(|_| pace.admits(Instant::now())).count(), 16);
    }
}
