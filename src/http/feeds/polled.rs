//! A cache of recently polled agenda feeds: their validators, and the bodies that were sent.
//!
//! Invariant: a cached feed is used only for the live release, and only while the store's generation, or else the
//! records of its link, are the same as when the feed was joined. So the next request sees an acknowledged change, a
//! revoked link and an erased session. Bodies are cached by entity tag.
//!
//! The cache is a map of recently used values within a limit of bytes, in two halves. Used values move into the younger
//! half. When that is full, it becomes the older half, and the former older half is evicted. A half may hold thousands of entries, so the holder of the lock around the map
//! takes evicted halves out and drops them after releasing the lock.

use super::joined::joined_tag;
use crate::agenda::ReadToken;
use crate::feed::{Coding, FeedOptions};
use crate::freshness::LinkHash;
use crate::release::{Release, ReleaseMark};
use crate::store::LinkedAgenda;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::HeaderValue;
use http::header::InvalidHeaderValue;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt, mem};

const SHARD_COUNT: usize = 8;

/// The most bytes of cached validators: room for about ten thousand agendas.
const MAX_VALIDATOR_BYTES: usize = 8 * 1024 * 1024;

/// The most bytes of cached bodies: room for about six hundred agendas of ten picks. Clients that revalidate need no
/// body.
const MAX_BODY_BYTES: usize = 12 * 1024 * 1024;

/// The validators of an agenda's feed.
pub(super) struct PolledFeed {
    /// The store's generation at the last check.
    generation: AtomicU64,
    source: LinkedAgenda,
    /// The hash of the token.
    pub(super) link: LinkHash,
    /// The hash in its entity tags.
    pub(super) hash: String,
    /// The entity tags of the plain and of the compressed body.
    tags: [HeaderValue; 2],
    /// When the feed last changed.
    pub(super) modified: DateTime<Utc>,
}

impl PolledFeed {
    pub(super) fn new(
        source: LinkedAgenda,
        link: LinkHash,
        hash: String,
        modified: DateTime<Utc>,
    ) -> Result<Arc<Self>, InvalidHeaderValue> {
        let tag = |coding| HeaderValue::try_from(joined_tag(&hash, coding).into_quoted());
        let tags = [tag(Coding::Identity)?, tag(Coding::Gzip)?];
        Ok(Arc::new(Self { generation: source.generation.into(), source, link, hash, tags, modified }))
    }

    /// The entity tag of the body in a coding.
    pub(super) fn tag(&self, coding: Coding) -> &HeaderValue {
        let [plain, gzip] = &self.tags;
        if coding == Coding::Gzip { gzip } else { plain }
    }

    /// The records that the feed was joined from.
    pub(super) fn source(&self) -> &LinkedAgenda {
        &self.source
    }
}

/// The cache, in shards by token. A hash of the token would take longer than the rest of the look-up.
pub(in crate::http) struct PolledFeeds([Mutex<PolledShard>; SHARD_COUNT]);

struct PolledShard {
    release: ReleaseMark,
    agendas: Recent<(ReadToken, FeedOptions), Arc<PolledFeed>>,
    bodies: Recent<HeaderValue, (Coding, Bytes)>,
}

impl PolledShard {
    fn empty(release: ReleaseMark) -> Self {
        let (agendas, bodies) =
            (Recent::within(MAX_VALIDATOR_BYTES / SHARD_COUNT), Recent::within(MAX_BODY_BYTES / SHARD_COUNT));
        Self { release, agendas, bodies }
    }
}

impl Default for PolledFeeds {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(PolledShard::empty(ReleaseMark::default()))))
    }
}

impl fmt::Debug for PolledFeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolledFeeds").finish_non_exhaustive()
    }
}

/// The cached feed of one link with its options.
#[derive(Clone, Copy)]
pub(super) struct CachedFeed<'a> {
    pub(super) polled: &'a PolledFeeds,
    pub(super) token: &'a ReadToken,
    pub(super) options: FeedOptions,
    pub(super) release: &'a Arc<Release>,
}

impl CachedFeed<'_> {
    /// The feed, if nothing in the store has changed since the last check.
    pub(super) fn at(&self, generation: u64) -> Option<Arc<PolledFeed>> {
        let known = self.shard().agendas.find(&self.key())?;
        (known.generation.load(Ordering::Relaxed) == generation).then_some(known)
    }

    /// The feed, if the records of its link have not changed.
    pub(super) fn of(&self, source: &LinkedAgenda) -> Option<Arc<PolledFeed>> {
        let known = self.shard().agendas.find(&self.key())?;
        if !known.source.is_same(source) {
            return None;
        }
        known.generation.store(source.generation, Ordering::Relaxed);
        Some(known)
    }

    /// Caches the feed.
    pub(super) fn keep(&self, known: &Arc<PolledFeed>) {
        let texts = known.hash.len() + known.tags.iter().map(HeaderValue::len).sum::<usize>();
        let bytes = size_of::<PolledFeed>() + texts + known.source.len();
        self.shard().agendas.keep(self.key(), Arc::clone(known), bytes);
    }

    /// The body of an entity tag, with its coding.
    pub(super) fn body(&self, tag: &HeaderValue) -> Option<(Coding, Bytes)> {
        self.shard().bodies.find(tag)
    }

    /// Caches a body.
    pub(super) fn keep_body(&self, tag: &HeaderValue, coding: Coding, body: &Bytes) {
        let bytes = tag.len() + body.len();
        self.shard().bodies.keep(tag.clone(), (coding, body.clone()), bytes);
    }

    fn key(&self) -> (ReadToken, FeedOptions) {
        (self.token.clone(), self.options)
    }

    fn shard(&self) -> Locked<'_> {
        let PolledFeeds([zero, ..]) = self.polled;
        let [first, ..] = *self.token.bits();
        let shard = self.polled.0.get(usize::from(first) % SHARD_COUNT).unwrap_or(zero);
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut evicted = Evicted::default();
        if !shard.release.is(self.release) {
            evicted.shard =
                Some(std::mem::replace(&mut *shard, PolledShard::empty(ReleaseMark::of(self.release))));
        }
        Locked { shard, evicted }
    }
}

/// A locked shard. Fields drop in order, so evicted entries are dropped after the lock is released: thousands take a while.
struct Locked<'a> {
    shard: MutexGuard<'a, PolledShard>,
    evicted: Evicted,
}

/// The entries that were evicted while a shard was locked.
#[derive(Default)]
struct Evicted {
    shard: Option<PolledShard>,
    agendas: Vec<Half<(ReadToken, FeedOptions), Arc<PolledFeed>>>,
    bodies: Vec<Half<HeaderValue, (Coding, Bytes)>>,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.evicted.agendas = self.shard.agendas.take_retired();
        self.evicted.bodies = self.shard.bodies.take_retired();
    }
}

impl Deref for Locked<'_> {
    type Target = PolledShard;

    fn deref(&self) -> &PolledShard {
        &self.shard
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut PolledShard {
        &mut self.shard
    }
}

/// The cost of an entry besides its value, in bytes.
const ENTRY_BYTES: usize = 128;

/// Values with their weights.
type Half<K, V> = HashMap<K, (V, usize)>;

/// The map that the module describes. Values should be cheap to clone.
#[derive(Debug)]
struct Recent<K, V> {
    young: Half<K, V>,
    old: Half<K, V>,
    /// Evicted halves that are not dropped yet; usually none.
    retired: Vec<Half<K, V>>,
    /// The weight of the younger half.
    weight: usize,
    half: usize,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// A map of at most `bytes` bytes. The caller states the size of each value.
    fn within(bytes: usize) -> Self {
        let (young, old) = (HashMap::new(), HashMap::new());
        Self { young, old, retired: Vec::new(), weight: 0, half: bytes / 2 }
    }

    fn find<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, weight)) = self.old.remove_entry(key)?;
        self.put(key, value.clone(), weight);
        Some(value)
    }

    /// Inserts a value of `bytes` bytes, unless it alone would evict much of the rest.
    fn keep(&mut self, key: K, value: V, bytes: usize) {
        if bytes + ENTRY_BYTES <= self.half / 4 {
            self.put(key, value, bytes + ENTRY_BYTES);
        }
    }

    /// The evicted halves.
    fn take_retired(&mut self) -> Vec<Half<K, V>> {
        mem::take(&mut self.retired)
    }

    fn put(&mut self, key: K, value: V, weight: usize) {
        if self.weight + weight > self.half {
            let retired = mem::replace(&mut self.old, mem::take(&mut self.young));
            self.retired.push(retired);
            self.weight = 0;
        }
        self.weight += weight;
        if let Some((_, replaced)) = self.young.insert(key, (value, weight)) {
            self.weight -= replaced;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agenda::EditKey;
    use crate::fixtures;
    use proptest::prelude::*;
    use std::sync::Weak;
    use std::sync::atomic::AtomicUsize;

    /// Bytes of a body; counts drops under a lock.
    struct Probe {
        bytes: Vec<u8>,
        polled: Weak<PolledFeeds>,
        dropped: Arc<AtomicUsize>,
        under_a_lock: Arc<AtomicUsize>,
    }

    impl AsRef<[u8]> for Probe {
        fn as_ref(&self) -> &[u8] {
            &self.bytes
        }
    }

    impl Drop for Probe {
        fn drop(&mut self) {
            let Some(polled) = self.polled.upgrade() else { return };
            self.dropped.fetch_add(1, Ordering::Relaxed);
            if polled.0.iter().any(|shard| shard.try_lock().is_err()) {
                self.under_a_lock.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn bodies_are_dropped_after_the_lock_is_released() {
        let (polled, release) = (Arc::new(PolledFeeds::default()), Arc::new(fixtures::tricky().release()));
        let (dropped, under_a_lock) = (Arc::default(), Arc::default());
        let token = &EditKey::generate().unwrap().read_token(1);
        let cached =
            CachedFeed { polled: &polled, token, options: FeedOptions::default(), release: &release };
        for n in 0..40_u32 {
            let body = Bytes::from_owner(Probe {
                bytes: vec![0; 100_000],
                polled: Arc::downgrade(&polled),
                dropped: Arc::clone(&dropped),
                under_a_lock: Arc::clone(&under_a_lock),
            });
            cached.keep_body(&n.into(), Coding::Identity, &body);
            drop(body);
            // A body that is found moves into the younger half, which may be full.
            let _ = cached.body(&n.saturating_sub(6).into());
        }
        assert!(dropped.load(Ordering::Relaxed) > 20, "{dropped:?} were dropped");
        assert_eq!(under_a_lock.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_value_that_is_used_again_stays() {
        let mut recent = Recent::within(40 * ENTRY_BYTES);
        recent.keep("used", 0, 0);
        for n in 0..100_usize {
            recent.keep(Box::leak(format!("other {n}").into_boxed_str()), n, 0);
            assert_eq!(recent.find("used"), Some(0), "after {n}");
        }
        assert_eq!((recent.find("other 0"), recent.find("other 99")), (None, Some(99)));
    }

    #[test]
    fn a_value_that_would_evict_the_rest_is_not_inserted() {
        let mut recent = Recent::within(80 * ENTRY_BYTES);
        recent.keep("large", (), 10 * ENTRY_BYTES);
        recent.keep("small", (), 9 * ENTRY_BYTES);
        assert_eq!((recent.find("large"), recent.find("small")), (None, Some(())));
    }

    proptest! {
        #[test]
        fn the_limit_holds_and_the_last_value_is_found(
            steps in prop::collection::vec((0..30_u8, 0..500_usize, any::<bool>()), 1..200),
        ) {
            let bound = 40 * ENTRY_BYTES;
            let mut recent = Recent::within(bound);
            let mut last = HashMap::new();
            for (key, bytes, is_kept) in steps {
                if is_kept {
                    recent.keep(key, bytes, bytes);
                    last.insert(key, bytes);
                    prop_assert_eq!(recent.find(&key), Some(bytes));
                } else if let Some(found) = recent.find(&key) {
                    prop_assert_eq!(Some(&found), last.get(&key));
                }
                recent.take_retired();
                let weight = |half: &HashMap<u8, (usize, usize)>| half.values().map(|(_, w)| w).sum::<usize>();
                prop_assert_eq!(recent.weight, weight(&recent.young));
                prop_assert!(weight(&recent.young) + weight(&recent.old) <= bound);
            }
        }
    }
}
