//! When a failed delivery is tried again, and when it is given up.

use crate::store::Channel;
use chrono::{DateTime, TimeDelta, Utc};

/// The first wait, in seconds. Each further wait is twice as long.
const FIRST_WAIT: i64 = 2;

/// The longest wait between two attempts, in seconds.
const MAX_WAIT: i64 = 6 * 60 * 60;

/// A receiver may ask for a longer pause (Retry-After), but for at most this many seconds.
const MAX_RETRY_AFTER: u64 = 24 * 60 * 60;

/// How long a delivery is tried before it is given up.
pub(super) fn give_up_after(channel: Channel) -> TimeDelta {
    match channel {
        Channel::Webhook => TimeDelta::hours(48),
        // Push services keep a message for a day at most (its TTL).
        Channel::WebPush | Channel::DavPush => TimeDelta::hours(24),
        // A relay that is down is repaired within days, and an invitation is right until its session is over.
        Channel::Mail => TimeDelta::hours(72),
    }
}

/// How long the first attempt waits. Calendar programs fetch their calendar after every message, and a mail disturbs, so
/// releases that follow each other closely become one.
pub(super) fn first_wait(channel: Channel) -> TimeDelta {
    match channel {
        Channel::Webhook | Channel::WebPush => TimeDelta::zero(),
        Channel::DavPush | Channel::Mail => TimeDelta::seconds(10),
    }
}

/// How long messages about the second and later releases of a burst wait for further ones. With the time to send them, they
/// still arrive within a minute.
pub(super) const PAUSE: TimeDelta = TimeDelta::seconds(20);

/// The time of the next attempt after `attempts` failed ones, at least 1.
///
/// `jitter` spreads the retries of deliveries that failed together: 0 waits a quarter less, 255 a quarter more.
pub(super) fn next_attempt(
    now: DateTime<Utc>,
    attempts: u32,
    retry_after: Option<u64>,
    jitter: u8,
) -> DateTime<Utc> {
    let doublings = attempts.saturating_sub(1).min(16);
    let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(MAX_WAIT) * 1000;
    let wait = wait * 3 / 4 + wait * i64::from(jitter) / 510;
    let asked = retry_after.unwrap_or(0).min(MAX_RETRY_AFTER) * 1000;
    now + TimeDelta::milliseconds(wait.max(i64::try_from(asked).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wait(attempts: u32, retry_after: Option<u64>, jitter: u8) -> i64 {
        let now = DateTime::UNIX_EPOCH;
        (next_attempt(now, attempts, retry_after, jitter) - now).num_milliseconds()
    }

    #[test]
    fn the_first_retries_follow_within_seconds() {
        assert_eq!([1, 2, 3, 4].map(|attempts| wait(attempts, None, 0)), [1500, 3000, 6000, 12_000]);
        assert_eq!(wait(1, None, 255), 2500);
    }

    proptest! {
        #[test]
        fn a_wait_never_falls_and_is_bounded(attempts in 1u32.., jitter: u8, asked in 0u64..) {
            let own = wait(attempts, None, jitter);
            prop_assert!(wait(attempts.saturating_add(1), None, jitter) >= own);
            prop_assert!((1500..=MAX_WAIT * 1250).contains(&own));
            let asked_for = i64::try_from(asked.min(MAX_RETRY_AFTER)).unwrap() * 1000;
            prop_assert_eq!(wait(attempts, Some(asked), jitter), own.max(asked_for));
        }
    }
}
