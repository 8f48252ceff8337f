//! The only reader of the wall clock. All other code gets the time from a [`Clock`].

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A source of the current time, whole seconds in UTC: calendar clients compare no finer.
#[derive(Debug, Clone)]
pub struct Clock(TimeSource);

#[derive(Debug, Clone)]
enum TimeSource {
    Wall { made: Instant },
    Fixed(Arc<Mutex<Fixed>>),
}

#[derive(Debug)]
struct Fixed {
    at: DateTime<Utc>,
    elapsed: Duration,
}

impl Clock {
    /// The machine's clock.
    pub fn wall() -> Self {
        Self(TimeSource::Wall { made: Instant::now() })
    }

    /// A clock that stands still until [`Self::advance`] or [`Self::set`] moves it. Clones share the time.
    pub fn fixed(at: DateTime<Utc>) -> Self {
        Self(TimeSource::Fixed(Arc::new(Mutex::new(Fixed { at, elapsed: Duration::ZERO }))))
    }

    /// The time, whole seconds.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
            TimeSource::Wall { .. } => Utc::now().trunc_subsecs(0),
            TimeSource::Fixed(fixed) => lock(fixed).at,
        }
    }

    /// The time that passed since the clock was made. It never goes back, even if the wall clock is set back.
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            TimeSource::Wall { made } => made.elapsed(),
            TimeSource::Fixed(fixed) => lock(fixed).elapsed,
        }
    }

    /// Lets time pass on a fixed clock. Has no effect on the wall clock.
    pub fn advance(&self, by: TimeDelta) {
        if let TimeSource::Fixed(fixed) = &self.0 {
            let mut fixed = lock(fixed);
            fixed.at += by;
            fixed.elapsed += by.to_std().unwrap_or_default();
        }
    }

    /// Sets a fixed clock as an administrator sets a machine's clock: [`Self::elapsed`] does not change.
    pub fn set(&self, at: DateTime<Utc>) {
        if let TimeSource::Fixed(fixed) = &self.0 {
            lock(fixed).at = at;
        }
    }
}

fn lock(fixed: &Mutex<Fixed>) -> MutexGuard<'_, Fixed> {
    fixed.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let clock = Clock::fixed(DateTime::UNIX_EPOCH);
        let other = clock.clone();
        assert_eq!(clock.now(), clock.now());
        clock.advance(TimeDelta::seconds(5));
        assert_eq!((other.now().timestamp(), other.elapsed()), (5, Duration::from_secs(5)));
    }

    #[test]
    fn setting_a_clock_lets_no_time_pass() {
        let clock = Clock::fixed(DateTime::UNIX_EPOCH + TimeDelta::days(9));
        clock.advance(TimeDelta::seconds(5));
        clock.set(DateTime::UNIX_EPOCH);
        assert_eq!((clock.now().timestamp(), clock.elapsed()), (0, Duration::from_secs(5)));
        let wall = Clock::wall();
        let before = wall.elapsed();
        assert!(wall.clone().elapsed() >= before);
    }
}
