//! How often an address may do what costs or could be guessed: new agendas, wrong edit keys, wrong secrets.
//!
//! Each is a bucket of tokens by address (RFC 6585, 4: 429). Reads of feeds and pages take none, since Google and
//! Microsoft poll everybody from a few addresses. A venue is one address too, so wrong edit keys of one guest
//! never shut the right ones of the others out: an edit key has 160 bits, and only the wrong answers are
//! limited. An organizer's secret may be shorter, so beyond its limit none of that address is looked at;
//! whoever is signed in stays.
//!
//! Invariant: memory does not grow with addresses; the table has a fixed size and forgets the stalest.

use super::Problem;
use crate::config::Limits;
use crate::peer::{Peer, Trusted};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sets of the table, and addresses in each: 8,192 addresses of each kind, in about 1 MiB for all three.
const SETS: usize = 1024;
const WAYS: usize = 8;

const WRONG_SECRETS: &str = "Wrong secrets are sent";

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// All three kinds.
#[derive(Debug)]
pub struct Allowances {
    trusted: Trusted,
    /// The minute of the Unix epoch in which a proxy without `X-Forwarded-For` was last logged.
    warned: AtomicI64,
    agendas: Buckets,
    keys: Buckets,
    secrets: Buckets,
}

/// Those of whoever asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed<'a> {
    allowances: &'a Allowances,
    socket: IpAddr,
    headers: &'a HeaderMap,
    now: DateTime<Utc>,
}

impl Allowances {
    /// As configured; all of them full.
    pub fn new(limits: &Limits, trusted: Trusted) -> Self {
        Self {
            trusted,
            warned: AtomicI64::new(i64::MIN),
            agendas: Buckets::new(limits.agendas_at_once, limits.agendas_hour),
            keys: Buckets::new(limits.wrong_keys_at_once, limits.wrong_keys_hour),
            secrets: Buckets::new(limits.wrong_secrets_at_once, limits.wrong_secrets_hour),
        }
    }

    /// Replaces how often an address may do what. Tokens that were taken stay taken.
    pub(super) fn limit(&self, limits: &Limits) {
        self.agendas.limit(limits.agendas_at_once, limits.agendas_hour);
        self.keys.limit(limits.wrong_keys_at_once, limits.wrong_keys_hour);
        self.secrets.limit(limits.wrong_secrets_at_once, limits.wrong_secrets_hour);
    }

    /// Those of a request that came in from an address.
    pub(super) fn of<'a>(
        &'a self,
        socket: IpAddr,
        headers: &'a HeaderMap,
        now: DateTime<Utc>,
    ) -> Allowed<'a> {
        Allowed { allowances: self, socket, headers, now }
    }
}

impl Default for Allowances {
    fn default() -> Self {
        Self::new(&Limits::default(), Trusted::loopback())
    }
}

impl Allowed<'_> {
    /// Takes one new agenda.
    pub(super) fn agenda(self) -> Result<(), Problem> {
        self.take(&self.allowances.agendas, "New agendas are made")
    }

    /// Takes one wrong edit key.
    pub(super) fn wrong_key(self) -> Result<(), Problem> {
        self.take(&self.allowances.keys, "Edit keys that open nothing are sent")
    }

    /// Whether an organizer secret of this address would be looked up now. It spares reading the body of a
    /// request that [`Self::guess`] would refuse.
    pub(super) fn may_guess(self) -> Result<(), Problem> {
        let wait = self.allowances.secrets.wait(self.peer(), self.now);
        self.told(wait, WRONG_SECRETS)
    }

    /// Looks up an organizer secret and counts it where it is wrong, as one step: of requests that arrive
    /// together, only as many are looked up as the limit leaves. A right secret counts for nothing.
    pub(super) fn guess<T>(self, look_up: impl FnOnce() -> Option<T>) -> Result<Option<T>, Problem> {
        match self.allowances.secrets.take_unless(self.peer(), self.now, look_up) {
            Ok(found) => Ok(found),
            Err(wait) => self.told(wait, WRONG_SECRETS).map(|()| None),
        }
    }

    fn take(self, buckets: &Buckets, what: &'static str) -> Result<(), Problem> {
        self.told(buckets.take(self.peer(), self.now).err().unwrap_or_default(), what)
    }

    fn told(self, wait: u64, what: &'static str) -> Result<(), Problem> {
        if wait == 0 {
            return Ok(());
        }
        if self.allowances.trusted.holds(self.socket) && !self.headers.contains_key(X_FORWARDED_FOR) {
            // A flood behind such a proxy is refused thousands of times a second.
            let minute = self.now.timestamp().div_euclid(60);
            if self.allowances.warned.swap(minute, Ordering::Relaxed) != minute {
                tracing::warn!(
                    "a proxy reached a limit that is meant for single clients; it should send X-Forwarded-For"
                );
            }
        }
        Err(Problem::TooOften { what, wait })
    }

    fn peer(self) -> Peer {
        let fields = self.headers.get_all(X_FORWARDED_FOR).iter();
        // A line that is no text says nothing, and ends the walk like an entry that is no address.
        let lines: Vec<&str> = fields.map(|line| line.to_str().unwrap_or("?")).collect();
        self.allowances.trusted.client(self.socket, lines.into_iter())
    }
}

/// Buckets of tokens by address, in a table of a fixed size.
#[derive(Debug)]
struct Buckets {
    /// Milliseconds that a token takes to come back.
    each: AtomicI64,
    /// Milliseconds that an empty bucket takes to fill.
    depth: AtomicI64,
    hasher: RandomState,
    sets: Box<[Mutex<[Option<Bucket>; WAYS]>]>,
}

/// A bucket as the time at which it will be full again, in milliseconds of the Unix epoch.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    peer: Peer,
    full_at: i64,
}

impl Buckets {
    fn new(at_once: u32, hour: u32) -> Self {
        let sets = std::iter::repeat_with(Mutex::default).take(SETS).collect();
        let buckets =
            Self { each: AtomicI64::new(1), depth: AtomicI64::new(1), hasher: RandomState::new(), sets };
        buckets.limit(at_once, hour);
        buckets
    }

    /// A request that reads one value before and one after counts by a mixture of both limits, once.
    fn limit(&self, at_once: u32, hour: u32) {
        let each = (3_600_000 / i64::from(hour.max(1))).max(1);
        self.each.store(each, Ordering::Relaxed);
        self.depth.store(each * i64::from(at_once), Ordering::Relaxed);
    }

    fn each(&self) -> i64 {
        self.each.load(Ordering::Relaxed)
    }

    fn depth(&self) -> i64 {
        self.depth.load(Ordering::Relaxed)
    }

    /// Takes a token, or says in how many seconds there will be one.
    fn take(&self, peer: Peer, now: DateTime<Utc>) -> Result<(), u64> {
        self.take_unless(peer, now, || None::<()>).map(|_| ())
    }

    /// Takes a token unless `look_up` finds something, which is not run where there is no token. The lock is held
    /// throughout, so `look_up` must be quick.
    fn take_unless<T>(
        &self,
        peer: Peer,
        now: DateTime<Utc>,
        look_up: impl FnOnce() -> Option<T>,
    ) -> Result<Option<T>, u64> {
        let now = now.timestamp_millis();
        let mut set = self.set(peer);
        let full_at = self.full_at(&mut set, peer, now);
        let wait = self.short(full_at, now);
        if wait > 0 {
            return Err(wait);
        }
        if let Some(found) = look_up() {
            return Ok(Some(found));
        }
        let bucket = Some(Bucket { peer, full_at: full_at + self.each() });
        let known = set.iter().position(|bucket| bucket.is_some_and(|bucket| bucket.peer == peer));
        let stalest =
            |(_, bucket): &(usize, &Option<Bucket>)| bucket.map_or(i64::MIN, |bucket| bucket.full_at);
        let place = known.or_else(|| set.iter().enumerate().min_by_key(stalest).map(|(place, _)| place));
        if let Some(place) = place.and_then(|place| set.get_mut(place)) {
            *place = bucket;
        }
        Ok(None)
    }

    /// In how many seconds there will be a token; 0 where there is one.
    fn wait(&self, peer: Peer, now: DateTime<Utc>) -> u64 {
        let now = now.timestamp_millis();
        self.short(self.full_at(&mut self.set(peer), peer, now), now)
    }

    /// A clock that was set back must not keep anybody out for longer than an empty bucket does, so what is too
    /// far ahead is put right for good.
    fn full_at(&self, set: &mut [Option<Bucket>; WAYS], peer: Peer, now: i64) -> i64 {
        let Some(known) = set.iter_mut().flatten().find(|bucket| bucket.peer == peer) else { return now };
        known.full_at = known.full_at.clamp(now, now + self.depth());
        known.full_at
    }

    fn short(&self, full_at: i64, now: i64) -> u64 {
        let millis = full_at + self.each() - self.depth() - now;
        u64::try_from(millis).unwrap_or(0).div_ceil(1000)
    }

    fn set(&self, peer: Peer) -> MutexGuard<'_, [Option<Bucket>; WAYS]> {
        // The remainder fits, whatever a usize is.
        let place = usize::try_from(self.hasher.hash_one(peer) % SETS as u64).unwrap_or_default();
        #[expect(clippy::indexing_slicing, reason = "there are SETS of them, and the place is a remainder")]
        self.sets[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn peer(n: u32) -> Peer {
        Peer::of(IpAddr::V4(n.into()))
    }

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn so_many_at_once_and_then_so_many_an_hour() {
        let buckets = Buckets::new(600, 3_000);
        let taken = |now| (0..10_000).take_while(|_| buckets.take(peer(1), now).is_ok()).count();
        assert_eq!(taken(START), 600);
        assert_eq!(buckets.take(peer(1), START), Err(2));
        assert_eq!(buckets.take(peer(2), START), Ok(()));
        assert_eq!(taken(START + TimeDelta::seconds(60)), 50);
        assert_eq!(taken(START + TimeDelta::hours(2)), 600, "no more than the bucket holds");
    }

    #[test]
    fn looking_takes_nothing() {
        let buckets = Buckets::new(1, 60);
        assert_eq!((buckets.wait(peer(1), START), buckets.wait(peer(1), START)), (0, 0));
        buckets.take(peer(1), START).unwrap();
        assert_eq!(buckets.wait(peer(1), START), 60);
        assert_eq!(buckets.wait(peer(1), START + TimeDelta::seconds(60)), 0);
    }

    #[test]
    fn only_what_is_not_found_takes_a_token() {
        let buckets = Buckets::new(2, 60);
        for _ in 0..10 {
            assert_eq!(buckets.take_unless(peer(1), START, || Some("right")), Ok(Some("right")));
        }
        for _ in 0..2 {
            assert_eq!(buckets.take_unless(peer(1), START, || None::<&str>), Ok(None));
        }
        let mut looked = false;
        let look_up = || {
            looked = true;
            Some("right")
        };
        assert_eq!(buckets.take_unless(peer(1), START, look_up), Err(60));
        assert!(!looked, "beyond the limit nothing is looked up");
    }

    #[test]
    fn guesses_on_many_threads_take_no_more_than_there_is() {
        let buckets = Buckets::new(10, 60);
        let looked = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let _ = buckets.take_unless(peer(1), START, || {
                            looked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                            None::<()>
                        });
                    }
                });
            }
        });
        assert_eq!(looked.into_inner(), 10);
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let buckets = Buckets::new(2, 3_600);
        buckets.take(peer(1), START + TimeDelta::days(365)).unwrap();
        assert_eq!(buckets.take(peer(1), START), Err(1));
        assert_eq!(buckets.take(peer(1), START + TimeDelta::seconds(1)), Ok(()));
    }

    #[test]
    fn a_flood_of_addresses_makes_the_stalest_forgotten_and_no_memory_grow() {
        let buckets = Buckets::new(2, 60);
        for n in 0..200_000 {
            buckets.take(peer(n), START).unwrap();
        }
        assert_eq!(buckets.sets.len(), SETS);
        // Whoever is near the limit is remembered while others come once each.
        let busy = peer(u32::MAX);
        for _ in 0..2 {
            buckets.take(busy, START + TimeDelta::seconds(600)).unwrap();
        }
        for n in 0..2_000 {
            buckets.take(peer(n), START + TimeDelta::seconds(600)).unwrap();
        }
        assert!(buckets.wait(busy, START + TimeDelta::seconds(600)) > 0);
    }
}
