//! Whether the wall clock may be trusted with erasing.
//!
//! A clock that is a year ahead would erase every agenda. So the clock is compared with the last time that it was
//! trusted, which the store keeps, and while the server runs with the time that really passed. A clock that jumped
//! ahead is trusted again once it ran steadily for a day, since the server may just have been stopped for long.

use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How far the clock may be ahead of what is expected: a restart takes less, a wrong clock is off by more.
const TOLERANCE: TimeDelta = TimeDelta::days(1);

/// How long a clock that jumped must run steadily before it is trusted.
const PROBATION: Duration = Duration::from_secs(24 * 60 * 60);

/// What the clock said at a moment of the time that passes.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    wall: DateTime<Utc>,
    elapsed: Duration,
}

/// What is known about the clock.
#[derive(Debug)]
pub(super) struct Trust {
    /// The last time that was trusted.
    anchor: Anchor,
    /// When the clock was first seen ahead of it.
    jumped: Option<Anchor>,
}

/// Whether a clock is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It shows the time that is expected.
    Trusted,
    /// It jumped ahead of the last time that was trusted, and nothing may be erased yet.
    Jumped {
        /// By how much.
        ahead: TimeDelta,
    },
}

impl Anchor {
    /// What a clock that runs steadily shows later.
    fn after(self, elapsed: Duration) -> DateTime<Utc> {
        let passed = TimeDelta::from_std(elapsed.saturating_sub(self.elapsed)).unwrap_or(TimeDelta::MAX);
        self.wall.checked_add_signed(passed).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl Trust {
    /// Begins with the last time that an earlier process trusted.
    pub(super) fn since(wall: DateTime<Utc>, elapsed: Duration) -> Self {
        Self { anchor: Anchor { wall, elapsed }, jumped: None }
    }

    /// Compares what the clock shows now with what it should show.
    pub(super) fn judge(&mut self, now: DateTime<Utc>, elapsed: Duration) -> Verdict {
        let ahead = now - self.anchor.after(elapsed);
        if ahead <= TOLERANCE {
            self.jumped = None;
            // Erasing by a clock that is behind erases less, never more. From there a jump is noticed again.
            if ahead < -TOLERANCE {
                self.anchor = Anchor { wall: now, elapsed };
            }
            return Verdict::Trusted;
        }
        let steady = |jumped: &Anchor| (now - jumped.after(elapsed)).abs() <= TOLERANCE;
        match self.jumped.filter(steady) {
            Some(jumped) if elapsed.saturating_sub(jumped.elapsed) >= PROBATION => {
                *self = Self::since(now, elapsed);
                Verdict::Trusted
            }
            Some(_) => Verdict::Jumped { ahead },
            None => {
                self.jumped = Some(Anchor { wall: now, elapsed });
                Verdict::Jumped { ahead }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + n)
    }

    fn ahead(days: i64) -> Verdict {
        Verdict::Jumped { ahead: TimeDelta::days(days) }
    }

    #[test]
    fn a_clock_that_runs_steadily_is_trusted_for_years() {
        let mut trust = Trust::since(day(0), HOUR);
        for n in (0..2_000).step_by(7) {
            let days = Duration::from_secs(n * 24 * 60 * 60);
            assert_eq!(trust.judge(day(i64::try_from(n).unwrap()), HOUR + days), Verdict::Trusted);
        }
    }

    #[test]
    fn a_jump_is_trusted_after_a_steady_day_and_not_before() {
        let mut trust = Trust::since(day(0), Duration::ZERO);
        assert_eq!(trust.judge(day(400), Duration::ZERO), ahead(400));
        assert_eq!(trust.judge(day(400) + TimeDelta::hours(23), HOUR * 23), ahead(400));
        assert_eq!(trust.judge(day(401), HOUR * 24), Verdict::Trusted);
        assert_eq!(trust.judge(day(402), HOUR * 48), Verdict::Trusted);
    }

    #[test]
    fn a_second_jump_begins_the_day_anew() {
        let mut trust = Trust::since(day(0), Duration::ZERO);
        assert_eq!(trust.judge(day(400), Duration::ZERO), ahead(400));
        assert_eq!(trust.judge(day(801), HOUR * 24), ahead(800));
        assert_eq!(trust.judge(day(802), HOUR * 48), Verdict::Trusted);
    }

    #[test]
    fn a_clock_that_is_put_right_is_trusted_at_once() {
        let mut trust = Trust::since(day(0), Duration::ZERO);
        assert!(matches!(trust.judge(day(400), HOUR), Verdict::Jumped { .. }));
        assert_eq!(trust.judge(day(0) + TimeDelta::hours(2), HOUR * 2), Verdict::Trusted);
    }

    #[test]
    fn a_clock_set_back_is_trusted_and_its_return_is_a_jump() {
        let mut trust = Trust::since(day(400), Duration::ZERO);
        assert_eq!(trust.judge(day(0), Duration::ZERO), Verdict::Trusted);
        assert_eq!(trust.judge(day(400), Duration::ZERO), ahead(400));
    }
}
