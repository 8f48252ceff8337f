//! Passes: random names for something that this process holds for a while, such as a sign-in or a hand-over.
//!
//! Only their hashes are kept, in memory; a restart forgets them all.

use crate::agenda::one_time_code;
use crate::revision::Digest;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Passes at once; beyond, the oldest goes.
const MOST: usize = 10_000;

/// What each pass stands for, and until when.
#[derive(Debug)]
pub(super) struct Passes<T> {
    lasts: TimeDelta,
    held: Mutex<HashMap<Digest, (T, DateTime<Utc>)>>,
}

impl<T: Clone> Passes<T> {
    pub(super) fn new(lasts: TimeDelta) -> Self {
        Self { lasts, held: Mutex::default() }
    }

    /// A new pass for something.
    pub(super) fn issue(&self, what: T, now: DateTime<Utc>) -> Result<String, getrandom::Error> {
        let pass = one_time_code()?;
        let mut held = self.lock();
        held.retain(|_, (_, until)| *until > now);
        if held.len() >= MOST {
            let oldest = held.iter().min_by_key(|(_, (_, until))| *until).map(|(hash, _)| *hash);
            oldest.and_then(|hash| held.remove(&hash));
        }
        held.insert(hash(&pass), (what, now + self.lasts));
        Ok(pass)
    }

    /// What a pass stands for.
    pub(super) fn find(&self, pass: &str, now: DateTime<Utc>) -> Option<T> {
        let held = self.lock();
        let (what, until) = held.get(&hash(pass))?;
        (*until > now).then(|| what.clone())
    }

    /// The same, for the last time.
    pub(super) fn redeem(&self, pass: &str, now: DateTime<Utc>) -> Option<T> {
        let (what, until) = self.lock().remove(&hash(pass))?;
        (until > now).then_some(what)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, (T, DateTime<Utc>)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(pass: &str) -> Digest {
    Digest::of(pass.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_found_until_it_is_redeemed_or_over() {
        let now = DateTime::UNIX_EPOCH;
        let lasts = TimeDelta::minutes(10);
        let passes = Passes::new(lasts);
        let pass = passes.issue(1, now).unwrap();
        assert_eq!(passes.find(&pass, now), Some(1));
        assert_eq!(passes.find(&pass, now), Some(1));
        assert_eq!(passes.redeem(&pass, now + TimeDelta::minutes(9)), Some(1));
        assert_eq!(passes.redeem(&pass, now), None);
        let late = passes.issue(2, now).unwrap();
        assert_eq!(passes.find(&late, now + lasts), None);
        assert_eq!(passes.redeem(&late, now + lasts), None);
        assert_eq!(passes.find("guess", now), None);
    }

    #[test]
    fn beyond_the_most_the_oldest_goes() {
        let passes = Passes::new(TimeDelta::hours(1));
        let now = DateTime::UNIX_EPOCH;
        let first = passes.issue(0, now).unwrap();
        for n in 1..=MOST {
            passes.issue(n, now + TimeDelta::seconds(1)).unwrap();
        }
        assert_eq!(passes.find(&first, now + TimeDelta::seconds(1)), None);
    }
}
