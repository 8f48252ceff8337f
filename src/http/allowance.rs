//! Rate limits: new agendas, subscribed calendars, mailboxes, wrong edit keys and wrong secrets by address; changes, links and
//! hand-overs by agenda.
//!
//! Each limit is a token bucket (RFC 6585, 4: 429). Reads are not limited, since Google and Microsoft poll for all
//! their users from a few addresses. All guests of a venue may share one address, so wrong edit keys never lock out
//! right ones: a key has 160 random bits, and only failures are charged. An organizer's secret may be shorter. So
//! once an address has used up its limit, no secret from that address is checked; organizers who are signed in stay
//! signed in.
//!
//! An agenda that changes more often than a person would also draws on a limit of its address. So a client cannot
//! evade the limit with many agendas, and other guests of the venue are not rejected.
//!
//! Time is monotonic, so setting the wall clock causes no rejection. Invariant: memory does not grow with addresses
//! or agendas; a table has a fixed size and evicts the stalest entry.

use super::Problem;
use crate::agenda::EditKey;
use crate::clock::Clock;
use crate::config::Limits;
use crate::peer::{Peer, Trusted};
use http::{HeaderMap, HeaderName};
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The number of sets in a table, and of entries in each set: 8,192 entries in about 300 KiB.
const SETS: usize = 1024;
const WAYS: usize = 8;

/// New subscriptions of calendar programs by one address, at once and in an hour. A program subscribes to each of its
/// calendars, and all guests of a venue may share an address. Renewals are free.
const CALENDARS_AT_ONCE: u32 = 600;
const CALENDARS_HOUR: u32 = 600;

/// Mails to confirm a mailbox that one address may ask for, at once and in an hour.
const MAILBOXES_HOUR: u32 = 5;

const WRONG_SECRETS: &str = "Wrong secrets are sent";

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// An agenda draws on the limit of its address once it has used this share of its own limit: 1/5.
const OWN_SHARE: i64 = 5;

/// All limits.
#[derive(Debug)]
pub struct Allowances {
    trusted: Trusted,
    /// The minute in which a proxy without `X-Forwarded-For` was last logged.
    warned: AtomicI64,
    agendas: Buckets<Peer>,
    calendars: Buckets<Peer>,
    mailboxes: Buckets<Peer>,
    keys: Buckets<Peer>,
    secrets: Buckets<Peer>,
    changes: ByAgenda,
    links: ByAgenda,
    hand_overs: ByAgenda,
}

/// A limit by agenda, and a limit for addresses that change agendas often.
#[derive(Debug)]
struct ByAgenda {
    agendas: Buckets<AgendaKeyHash>,
    addresses: Buckets<Peer>,
}

/// The first 8 bytes of the SHA-256 of an agenda's edit key. No client can choose them.
type AgendaKeyHash = [u8; 8];

/// The limits that apply to one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed<'a> {
    allowances: &'a Allowances,
    socket: IpAddr,
    headers: &'a HeaderMap,
    clock: &'a Clock,
}

impl Allowances {
    /// The configured limits, with full buckets.
    pub fn new(limits: &Limits, trusted: Trusted) -> Self {
        Self {
            trusted,
            warned: AtomicI64::new(i64::MIN),
            agendas: Buckets::new(limits.agendas_at_once, limits.agendas_hour),
            calendars: Buckets::new(CALENDARS_AT_ONCE, CALENDARS_HOUR),
            mailboxes: Buckets::new(MAILBOXES_HOUR, MAILBOXES_HOUR),
            keys: Buckets::new(limits.wrong_keys_at_once, limits.wrong_keys_hour),
            secrets: Buckets::new(limits.wrong_secrets_at_once, limits.wrong_secrets_hour),
            changes: ByAgenda {
                agendas: Buckets::new(limits.agenda_changes_at_once, limits.agenda_changes_hour),
                addresses: Buckets::new(limits.changes_at_once, limits.changes_hour),
            },
            links: ByAgenda {
                agendas: Buckets::new(limits.agenda_links_at_once, limits.agenda_links_hour),
                addresses: Buckets::new(limits.links_at_once, limits.links_hour),
            },
            hand_overs: ByAgenda {
                agendas: Buckets::new(limits.agenda_handovers_at_once, limits.agenda_handovers_hour),
                addresses: Buckets::new(limits.handovers_at_once, limits.handovers_hour),
            },
        }
    }

    /// Replaces the limits. Tokens that were taken are not given back.
    pub(super) fn limit(&self, limits: &Limits) {
        self.agendas.limit(limits.agendas_at_once, limits.agendas_hour);
        self.keys.limit(limits.wrong_keys_at_once, limits.wrong_keys_hour);
        self.secrets.limit(limits.wrong_secrets_at_once, limits.wrong_secrets_hour);
        self.changes.agendas.limit(limits.agenda_changes_at_once, limits.agenda_changes_hour);
        self.changes.addresses.limit(limits.changes_at_once, limits.changes_hour);
        self.links.agendas.limit(limits.agenda_links_at_once, limits.agenda_links_hour);
        self.links.addresses.limit(limits.links_at_once, limits.links_hour);
        self.hand_overs.agendas.limit(limits.agenda_handovers_at_once, limits.agenda_handovers_hour);
        self.hand_overs.addresses.limit(limits.handovers_at_once, limits.handovers_hour);
    }

    /// The limits that apply to a request from an address.
    pub(super) fn of<'a>(&'a self, socket: IpAddr, headers: &'a HeaderMap, clock: &'a Clock) -> Allowed<'a> {
        Allowed { allowances: self, socket, headers, clock }
    }
}

impl Default for Allowances {
    fn default() -> Self {
        Self::new(&Limits::default(), Trusted::loopback())
    }
}

impl Allowed<'_> {
    /// Charges a new agenda.
    pub(super) fn agenda(self) -> Result<(), Problem> {
        self.take(&self.allowances.agendas, "New agendas are made")
    }

    /// Charges a new subscription of a calendar program to a calendar.
    pub(super) fn calendar(self) -> Result<(), Problem> {
        self.take(&self.allowances.calendars, "Calendars are subscribed to")
    }

    /// Charges a mail to confirm a mailbox.
    pub(super) fn mailbox(self) -> Result<(), Problem> {
        self.take(&self.allowances.mailboxes, "Mails to confirm are asked for")
    }

    /// Charges a wrong edit key.
    pub(super) fn wrong_key(self) -> Result<(), Problem> {
        self.take(&self.allowances.keys, "Edit keys that open nothing are sent")
    }

    /// Charges a change of an agenda.
    pub(super) fn change(self, key: &EditKey) -> Result<(), Problem> {
        self.take_by_agenda(&self.allowances.changes, key, "Changes are made")
    }

    /// Charges a new read link, in addition to the change.
    pub(super) fn link(self, key: &EditKey) -> Result<(), Problem> {
        self.take_by_agenda(&self.allowances.links, key, "New links are made")
    }

    /// Charges a hand-over link.
    pub(super) fn hand_over(self, key: &EditKey) -> Result<(), Problem> {
        self.take_by_agenda(&self.allowances.hand_overs, key, "Links for another device are made")
    }

    /// Moves the used limits of an agenda to its new key.
    pub(super) fn new_key(self, old: &EditKey, new: &EditKey) {
        let Allowances { changes, links, hand_overs, .. } = self.allowances;
        for limit in [changes, links, hand_overs] {
            limit.agendas.move_bucket(agenda_key(old), agenda_key(new), self.now());
        }
    }

    fn take_by_agenda(self, limit: &ByAgenda, key: &EditKey, what: &'static str) -> Result<(), Problem> {
        let agenda = agenda_key(key);
        if let Err(wait) = limit.agendas.take(agenda, self.now()) {
            return Err(Problem::TooOften { what, by: "with this agenda", wait });
        }
        if limit.agendas.has_used_less_than_share(agenda, self.now()) {
            return Ok(());
        }
        self.take(&limit.addresses, what)
    }

    /// Whether a secret from this address would be checked now. Callers use it to avoid reading the body of a request
    /// that [`Self::guess`] would reject.
    pub(super) fn may_guess(self) -> Result<(), Problem> {
        let wait = self.allowances.secrets.wait(self.peer(), self.now());
        self.deny_while(wait, WRONG_SECRETS)
    }

    /// Looks up an organizer secret and charges a wrong one, in one step, so that concurrent requests cannot exceed
    /// the limit. A right secret costs nothing.
    pub(super) fn guess<T>(self, look_up: impl FnOnce() -> Option<T>) -> Result<Option<T>, Problem> {
        match self.allowances.secrets.take_unless(self.peer(), self.now(), look_up) {
            Ok(found) => Ok(found),
            Err(wait) => self.deny_while(wait, WRONG_SECRETS).map(|()| None),
        }
    }

    fn take(self, buckets: &Buckets<Peer>, what: &'static str) -> Result<(), Problem> {
        self.deny_while(buckets.take(self.peer(), self.now()).err().unwrap_or_default(), what)
    }

    fn deny_while(self, wait: u64, what: &'static str) -> Result<(), Problem> {
        if wait == 0 {
            return Ok(());
        }
        if self.allowances.trusted.holds(self.socket) && !self.headers.contains_key(X_FORWARDED_FOR) {
            // One warning a minute: a flood behind such a proxy is rejected thousands of times a second.
            let minute = i64::try_from(self.now().as_secs() / 60).unwrap_or_default();
            if self.allowances.warned.swap(minute, Ordering::Relaxed) != minute {
                tracing::warn!(
                    "a proxy reached a limit that is meant for single clients; it should send X-Forwarded-For"
                );
            }
        }
        Err(Problem::TooOften { what, by: "from this address", wait })
    }

    fn now(self) -> Duration {
        self.clock.elapsed()
    }

    /// The client's address, or its network if the address is of IPv6.
    pub(super) fn peer(self) -> Peer {
        let fields = self.headers.get_all(X_FORWARDED_FOR).iter();
        // A line that is not text ends the search, as does an entry that is not an address.
        let lines: Vec<&str> = fields.map(|line| line.to_str().unwrap_or("?")).collect();
        self.allowances.trusted.client(self.socket, lines.into_iter())
    }
}

fn agenda_key(key: &EditKey) -> AgendaKeyHash {
    let [a, b, c, d, e, f, g, h, ..] = key.hash().0;
    [a, b, c, d, e, f, g, h]
}

/// Token buckets by address or agenda, in a table of fixed size.
#[derive(Debug)]
struct Buckets<K> {
    /// Milliseconds until a token is refilled.
    each: AtomicI64,
    /// Milliseconds until an empty bucket is full.
    depth: AtomicI64,
    hasher: RandomState,
    sets: Box<[Set<K>]>,
}

type Set<K> = Mutex<[Option<Bucket<K>>; WAYS]>;

/// A bucket, stored as the time at which it is full again, in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Bucket<K> {
    key: K,
    full_at: i64,
}

impl<K: Copy + Eq + Hash> Buckets<K> {
    fn new(at_once: u32, hour: u32) -> Self {
        let sets = std::iter::repeat_with(Mutex::default).take(SETS).collect();
        let buckets =
            Self { each: AtomicI64::new(1), depth: AtomicI64::new(1), hasher: RandomState::new(), sets };
        buckets.limit(at_once, hour);
        buckets
    }

    /// Replaces the limit. A concurrent request may see a mixture of the old and the new limit.
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

    /// Takes a token. The error is the number of seconds until a token is refilled.
    fn take(&self, key: K, now: Duration) -> Result<(), u64> {
        self.take_unless(key, now, || None::<()>).map(|_| ())
    }

    /// Takes a token unless `look_up` finds something. If no token is left, `look_up` does not run. The set stays
    /// locked while `look_up` runs, so `look_up` must be quick.
    fn take_unless<T>(
        &self,
        key: K,
        now: Duration,
        look_up: impl FnOnce() -> Option<T>,
    ) -> Result<Option<T>, u64> {
        let now = millis(now);
        let mut set = self.set(key);
        let full_at = self.full_at(&set, key, now);
        let wait = self.seconds_short(full_at, now);
        if wait > 0 {
            return Err(wait);
        }
        if let Some(found) = look_up() {
            return Ok(Some(found));
        }
        put(&mut set, Bucket { key, full_at: full_at + self.each() });
        Ok(None)
    }

    /// The number of seconds until a token is refilled; 0 if there is a token.
    fn wait(&self, key: K, now: Duration) -> u64 {
        let now = millis(now);
        self.seconds_short(self.full_at(&self.set(key), key, now), now)
    }

    /// Whether a key has used no more than its own share of the limit ([`OWN_SHARE`]).
    fn has_used_less_than_share(&self, key: K, now: Duration) -> bool {
        let now = millis(now);
        self.full_at(&self.set(key), key, now) - now <= self.depth() / OWN_SHARE
    }

    /// Moves one key's bucket to another key.
    fn move_bucket(&self, old: K, new: K, now: Duration) {
        let now = millis(now);
        let full_at = self.full_at(&self.set(old), old, now);
        if full_at > now {
            put(&mut self.set(new), Bucket { key: new, full_at });
        }
    }

    /// When a key's bucket is full again; `now` if it is full. The result is capped at the refill time of an empty
    /// bucket, which a reload may have shortened.
    fn full_at(&self, set: &[Option<Bucket<K>>; WAYS], key: K, now: i64) -> i64 {
        let known = set.iter().flatten().find(|bucket| bucket.key == key);
        known.map_or(now, |known| known.full_at.clamp(now, now + self.depth()))
    }

    fn seconds_short(&self, full_at: i64, now: i64) -> u64 {
        let millis = full_at + self.each() - self.depth() - now;
        u64::try_from(millis).unwrap_or(0).div_ceil(1000)
    }

    fn set(&self, key: K) -> MutexGuard<'_, [Option<Bucket<K>>; WAYS]> {
        let place = usize::try_from(self.hasher.hash_one(key) % SETS as u64).unwrap_or_default();
        #[expect(clippy::indexing_slicing, reason = "there are SETS of them, and the place is a remainder")]
        self.sets[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Replaces the bucket of the same key, or else the stalest bucket.
fn put<K: Copy + Eq>(set: &mut [Option<Bucket<K>>; WAYS], bucket: Bucket<K>) {
    let known = set.iter().position(|known| known.is_some_and(|known| known.key == bucket.key));
    let stalest = |(_, known): &(usize, &Option<Bucket<K>>)| known.map_or(i64::MIN, |known| known.full_at);
    let place = known.or_else(|| set.iter().enumerate().min_by_key(stalest).map(|(place, _)| place));
    if let Some(place) = place.and_then(|place| set.get_mut(place)) {
        *place = Some(bucket);
    }
}

fn millis(now: Duration) -> i64 {
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: u32) -> Peer {
        Peer::of(IpAddr::V4(n.into()))
    }

    const START: Duration = Duration::from_secs(7);

    fn later(seconds: u64) -> Duration {
        START + Duration::from_secs(seconds)
    }

    #[test]
    fn so_many_at_once_and_then_so_many_an_hour() {
        let buckets = Buckets::new(600, 3_000);
        let taken = |now| (0..10_000).take_while(|_| buckets.take(peer(1), now).is_ok()).count();
        assert_eq!(taken(START), 600);
        assert_eq!(buckets.take(peer(1), START), Err(2));
        assert_eq!(buckets.take(peer(2), START), Ok(()));
        assert_eq!(taken(later(60)), 50);
        assert_eq!(taken(later(2 * 60 * 60)), 600, "no more than the bucket holds");
    }

    #[test]
    fn looking_takes_nothing() {
        let buckets = Buckets::new(1, 60);
        assert_eq!((buckets.wait(peer(1), START), buckets.wait(peer(1), START)), (0, 0));
        buckets.take(peer(1), START).unwrap();
        assert_eq!(buckets.wait(peer(1), START), 60);
        assert_eq!(buckets.wait(peer(1), later(60)), 0);
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
    fn a_key_in_the_place_of_another_has_what_was_left() {
        let buckets = Buckets::new(2, 3_600);
        buckets.take(peer(1), START).unwrap();
        buckets.take(peer(1), START).unwrap();
        buckets.move_bucket(peer(1), peer(2), START);
        buckets.move_bucket(peer(3), peer(4), START);
        assert_eq!((buckets.take(peer(2), START), buckets.take(peer(4), START)), (Err(1), Ok(())));
    }

    #[test]
    fn the_share_that_is_its_own_comes_back_with_the_tokens() {
        let buckets = Buckets::new(10, 3_600);
        let taken = (0..10).map(|_| {
            buckets.take(peer(1), START).unwrap();
            buckets.has_used_less_than_share(peer(1), START)
        });
        assert_eq!(taken.filter(|is_own| *is_own).count(), 2);
        assert!(buckets.has_used_less_than_share(peer(1), later(8)));
    }

    #[test]
    fn a_flood_of_addresses_makes_the_stalest_forgotten_and_no_memory_grow() {
        let buckets = Buckets::new(2, 60);
        for n in 0..200_000 {
            buckets.take(peer(n), START).unwrap();
        }
        assert_eq!(buckets.sets.len(), SETS);
        // An address near its limit stays in the table while many other addresses send one request each.
        let busy = peer(u32::MAX);
        for _ in 0..2 {
            buckets.take(busy, later(600)).unwrap();
        }
        for n in 0..2_000 {
            buckets.take(peer(n), later(600)).unwrap();
        }
        assert!(buckets.wait(busy, later(600)) > 0);
    }
}
