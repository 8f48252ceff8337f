//! Whether retention may trust the wall clock.
//!
//! A clock that is a year ahead would erase every agenda. So the clock is compared with the last trusted time, which
//! the store remembers, plus the time that has passed since on a monotonic clock. A clock that jumped ahead is on
//! probation: it is trusted again once servers have watched it run steadily for a day. Such a jump may only mean that
//! the server was stopped for long.
//!
//! The store remembers the probation too, so a restart continues it. Only time during which a process ran counts, since
//! nothing else measures the time between two processes.

use crate::store::ClockProbation;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How far the clock may differ from the expected time. A restart takes less, and a wrong clock differs by more.
const TOLERANCE: TimeDelta = TimeDelta::days(1);

/// How far the clock of a restart may be behind the last check before it. A clock that starts at the same wrong time
/// after every boot is further behind.
const SETBACK: TimeDelta = TimeDelta::minutes(5);

/// How long a clock that jumped must run steadily.
const PROBATION: Duration = Duration::from_secs(24 * 60 * 60);

/// The wall clock at a moment of the monotonic clock.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    wall: DateTime<Utc>,
    elapsed: Duration,
}

/// The state of the clock.
#[derive(Debug)]
pub(super) struct Trust {
    /// The last time that was trusted.
    anchor: Anchor,
    /// The clock's probation, if it jumped.
    probation: Option<Probation>,
}

#[derive(Debug, Clone, Copy)]
struct Probation {
    /// The clock when this process began to watch; after a restart, the clock that the previous process saw last.
    began: Anchor,
    /// How long earlier processes watched the clock.
    before: Duration,
    /// The present state, to be stored.
    stored: ClockProbation,
}

/// Whether a clock is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClockVerdict {
    /// The clock shows the expected time.
    Trusted,
    /// The clock is ahead of the expected time, and nothing may be erased yet.
    Jumped {
        /// How far the clock is ahead.
        ahead: TimeDelta,
    },
}

impl Anchor {
    /// The time that a steady clock shows later.
    fn after(self, elapsed: Duration) -> DateTime<Utc> {
        let passed = TimeDelta::from_std(elapsed.saturating_sub(self.elapsed)).unwrap_or(TimeDelta::MAX);
        self.wall.checked_add_signed(passed).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl Trust {
    /// Begins with the last trusted time and the probation that an earlier process stored.
    ///
    /// `now` and `elapsed` are the clocks at the first check. The time before it does not count.
    pub(super) fn new(
        trusted: DateTime<Utc>,
        probation: Option<ClockProbation>,
        now: DateTime<Utc>,
        elapsed: Duration,
    ) -> Self {
        let probation = probation.filter(|stored| now - stored.seen >= -SETBACK);
        let probation = probation.map(|stored| Probation {
            began: Anchor { wall: stored.seen, elapsed },
            before: stored.watched,
            stored,
        });
        Self { anchor: Anchor { wall: trusted, elapsed }, probation }
    }

    /// Compares the clock with the expected time.
    pub(super) fn judge(&mut self, now: DateTime<Utc>, elapsed: Duration) -> ClockVerdict {
        let ahead = now - self.anchor.after(elapsed);
        if ahead <= TOLERANCE {
            self.probation = None;
            // A clock that is behind only delays erasing. If it later returns to the right time, that counts as a
            // jump.
            if ahead < -TOLERANCE {
                self.anchor = Anchor { wall: now, elapsed };
            }
            return ClockVerdict::Trusted;
        }
        let is_steady = |probation: &Probation| (now - probation.began.after(elapsed)).abs() <= TOLERANCE;
        let (began, before) = match self.probation.filter(is_steady) {
            Some(Probation { began, before, .. }) => (began, before),
            None => (Anchor { wall: now, elapsed }, Duration::ZERO),
        };
        let watched = before + elapsed.saturating_sub(began.elapsed);
        if watched >= PROBATION {
            *self = Self::new(now, None, now, elapsed);
            return ClockVerdict::Trusted;
        }
        self.probation = Some(Probation { began, before, stored: ClockProbation { seen: now, watched } });
        ClockVerdict::Jumped { ahead }
    }

    /// The probation to be stored.
    pub(super) fn probation(&self) -> Option<ClockProbation> {
        self.probation.map(|probation| probation.stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + n)
    }

    fn ahead(days: i64) -> ClockVerdict {
        ClockVerdict::Jumped { ahead: TimeDelta::days(days) }
    }

    fn new(trusted: DateTime<Utc>) -> Trust {
        Trust::new(trusted, None, trusted, Duration::ZERO)
    }

    /// A process that starts with the clock at `from` and checks it every hour.
    fn run(trust: &mut Trust, from: DateTime<Utc>, hours: u32) -> Vec<ClockVerdict> {
        (0..=hours).map(|n| trust.judge(from + TimeDelta::hours(n.into()), HOUR * n)).collect()
    }

    fn restart(trust: &Trust, now: DateTime<Utc>) -> Trust {
        Trust::new(trust.anchor.wall, trust.probation(), now, Duration::ZERO)
    }

    fn erases(verdicts: &[ClockVerdict]) -> bool {
        verdicts.contains(&ClockVerdict::Trusted)
    }

    #[test]
    fn a_clock_that_runs_steadily_is_trusted_for_years() {
        let mut trust = Trust::new(day(0), None, day(0), HOUR);
        for n in (0..2_000).step_by(7) {
            let days = Duration::from_secs(n * 24 * 60 * 60);
            assert_eq!(trust.judge(day(i64::try_from(n).unwrap()), HOUR + days), ClockVerdict::Trusted);
        }
    }

    #[test]
    fn a_jump_is_trusted_after_a_steady_day_and_not_before() {
        let mut trust = new(day(0));
        assert_eq!(trust.judge(day(400), Duration::ZERO), ahead(400));
        assert_eq!(trust.judge(day(400) + TimeDelta::hours(23), HOUR * 23), ahead(400));
        assert_eq!(trust.judge(day(401), HOUR * 24), ClockVerdict::Trusted);
        assert_eq!(trust.judge(day(402), HOUR * 48), ClockVerdict::Trusted);
    }

    #[test]
    fn restarts_neither_shorten_nor_restart_the_day() {
        let mut first = new(day(0));
        assert!(!erases(&run(&mut first, day(400), 14)));
        let from = day(400) + TimeDelta::hours(14);
        let mut second = restart(&first, from);
        assert!(!erases(&run(&mut second, from, 9)), "23 hours were watched");
        let from = day(400) + TimeDelta::hours(23);
        let mut third = restart(&second, from);
        let verdicts = run(&mut third, from, 1);
        let jump = ClockVerdict::Jumped { ahead: TimeDelta::days(400) + TimeDelta::hours(23) };
        assert_eq!(verdicts, [jump, ClockVerdict::Trusted]);
        assert_eq!(third.probation(), None);
    }

    #[test]
    fn a_server_that_restarts_every_day_ends_its_probation() {
        let mut trust = new(day(0));
        for start in 0..2 {
            let from = day(400) + TimeDelta::hours(20 * start);
            trust = restart(&trust, from);
            assert_eq!(erases(&run(&mut trust, from, 20)), start == 1);
        }
    }

    #[test]
    fn many_starts_with_a_wrong_clock_do_not_add_up_without_time() {
        let mut trust = new(day(0));
        for _ in 0..100 {
            trust = restart(&trust, day(400));
            assert_eq!(trust.judge(day(400), Duration::ZERO), ahead(400));
        }
        // Nor does the wall clock's time between two processes count.
        for n in 0..10 {
            let now = day(400) + TimeDelta::hours(n * 20);
            trust = restart(&trust, now);
            assert!(!erases(&[trust.judge(now, Duration::ZERO)]));
        }
    }

    #[test]
    fn a_restart_that_sees_another_jump_begins_the_day_again() {
        let mut first = new(day(0));
        assert!(!erases(&run(&mut first, day(400), 23)));
        let mut second = restart(&first, day(800));
        assert!(!erases(&run(&mut second, day(800), 23)));
        assert_eq!(second.judge(day(801), HOUR * 24), ClockVerdict::Trusted);
    }

    #[test]
    fn a_clock_that_every_start_sets_to_the_same_wrong_time_begins_the_day_again() {
        let mut trust = new(day(0));
        for _ in 0..5 {
            trust = restart(&trust, day(400));
            assert!(!erases(&run(&mut trust, day(400), 23)));
        }
    }

    #[test]
    fn a_second_jump_begins_the_day_again() {
        let mut trust = new(day(0));
        assert_eq!(trust.judge(day(400), Duration::ZERO), ahead(400));
        assert_eq!(trust.judge(day(801), HOUR * 24), ahead(800));
        assert_eq!(trust.judge(day(802), HOUR * 48), ClockVerdict::Trusted);
    }

    #[test]
    fn a_clock_that_is_put_right_is_trusted_at_once() {
        let mut trust = new(day(0));
        assert!(matches!(trust.judge(day(400), HOUR), ClockVerdict::Jumped { .. }));
        assert_eq!(trust.judge(day(0) + TimeDelta::hours(2), HOUR * 2), ClockVerdict::Trusted);
        assert_eq!(trust.probation(), None);
        assert_eq!(restart(&trust, day(0)).judge(day(0) + TimeDelta::hours(3), HOUR), ClockVerdict::Trusted);
    }

    #[test]
    fn a_clock_set_back_is_trusted_and_its_return_is_a_jump() {
        let mut trust = new(day(400));
        assert_eq!(trust.judge(day(0), Duration::ZERO), ClockVerdict::Trusted);
        assert_eq!(trust.judge(day(400), Duration::ZERO), ahead(400));
    }
}
