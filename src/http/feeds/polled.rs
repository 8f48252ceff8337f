//! A cache of recently polled agenda feeds: their validators, and the bodies that were sent.
//!
//! Invariant: a cached feed is used only for the live release, and only while the store's generation, or else the
//! records of its link, are the same as when the feed was joined. So the next request sees an acknowledged change, a
//! revoked link and an erased session. Bodies are cached by entity tag.

use super::recent::{Half, Recent};
use crate::feed::{Coding, FeedOptions};
use crate::freshness::LinkHash;
use crate::release::Release;
use crate::release::ReleaseMark;
use crate::store::LinkedAgenda;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SHARDS: usize = 8;

/// The most bytes of cached validators: room for about ten thousand agendas.
const AGENDAS: usize = 8 * 1024 * 1024;

/// The most bytes of cached bodies: room for about six hundred agendas of ten picks. Clients that revalidate need no
/// body.
const BODIES: usize = 12 * 1024 * 1024;

/// The validators of an agenda's feed.
pub(super) struct PolledFeed {
    /// The store's generation at the last check.
    generation: AtomicU64,
    source: LinkedAgenda,
    /// The hash in its entity tag.
    pub(super) hash: String,
    /// When the feed last changed.
    pub(super) modified: DateTime<Utc>,
}

impl PolledFeed {
    pub(super) fn new(source: LinkedAgenda, hash: String, modified: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self { generation: source.generation.into(), source, hash, modified })
    }

    /// The records that the feed was joined from.
    pub(super) fn source(&self) -> &LinkedAgenda {
        &self.source
    }
}

/// The cache, in shards by link.
pub(in crate::http) struct PolledFeeds([Mutex<Shard>; SHARDS]);

struct Shard {
    release: ReleaseMark,
    agendas: Recent<(LinkHash, FeedOptions), Arc<PolledFeed>>,
    bodies: Recent<String, (Coding, Bytes)>,
}

impl Shard {
    fn empty(release: ReleaseMark) -> Self {
        let (agendas, bodies) = (Recent::within(AGENDAS / SHARDS), Recent::within(BODIES / SHARDS));
        Self { release, agendas, bodies }
    }
}

impl Default for PolledFeeds {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(Shard::empty(ReleaseMark::default()))))
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
    pub(super) link: LinkHash,
    pub(super) options: FeedOptions,
    pub(super) release: &'a Arc<Release>,
}

impl CachedFeed<'_> {
    /// The feed, if nothing in the store has changed since the last check.
    pub(super) fn at(&self, generation: u64) -> Option<Arc<PolledFeed>> {
        let known = self.shard().agendas.find(&(self.link, self.options))?;
        (known.generation.load(Ordering::Relaxed) == generation).then_some(known)
    }

    /// The feed, if the records of its link have not changed.
    pub(super) fn of(&self, source: &LinkedAgenda) -> Option<Arc<PolledFeed>> {
        let known = self.shard().agendas.find(&(self.link, self.options))?;
        if !known.source.is_same(source) {
            return None;
        }
        known.generation.store(source.generation, Ordering::Relaxed);
        Some(known)
    }

    /// Caches the feed.
    pub(super) fn keep(&self, known: &Arc<PolledFeed>) {
        let bytes = size_of::<PolledFeed>() + known.hash.len() + known.source.len();
        self.shard().agendas.keep((self.link, self.options), Arc::clone(known), bytes);
    }

    /// The body of an entity tag, with its coding.
    pub(super) fn body(&self, tag: &str) -> Option<(Coding, Bytes)> {
        self.shard().bodies.find(tag)
    }

    /// Caches a body.
    pub(super) fn keep_body(&self, tag: String, coding: Coding, body: &Bytes) {
        let bytes = tag.len() + body.len();
        self.shard().bodies.keep(tag, (coding, body.clone()), bytes);
    }

    fn shard(&self) -> Locked<'_> {
        let PolledFeeds([zero, ..]) = self.polled;
        let [first, ..] = self.link;
        let shard = self.polled.0.get(usize::from(first) % SHARDS).unwrap_or(zero);
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut evicted = Evicted::default();
        if !shard.release.is(self.release) {
            evicted.shard = Some(std::mem::replace(&mut *shard, Shard::empty(ReleaseMark::of(self.release))));
        }
        Locked { shard, evicted }
    }
}

/// A locked shard. Fields drop in order, so evicted entries are dropped after the lock is released: thousands take a while.
struct Locked<'a> {
    shard: MutexGuard<'a, Shard>,
    evicted: Evicted,
}

/// The entries that were evicted while a shard was locked.
#[derive(Default)]
struct Evicted {
    shard: Option<Shard>,
    agendas: Vec<Half<(LinkHash, FeedOptions), Arc<PolledFeed>>>,
    bodies: Vec<Half<String, (Coding, Bytes)>>,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.evicted.agendas = self.shard.agendas.take_retired();
        self.evicted.bodies = self.shard.bodies.take_retired();
    }
}

impl Deref for Locked<'_> {
    type Target = Shard;

    fn deref(&self) -> &Shard {
        &self.shard
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
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
        let cached =
            CachedFeed { polled: &polled, link: [0; 32], options: FeedOptions::default(), release: &release };
        for n in 0..40_u32 {
            let body = Bytes::from_owner(Probe {
                bytes: vec![0; 100_000],
                polled: Arc::downgrade(&polled),
                dropped: Arc::clone(&dropped),
                under_a_lock: Arc::clone(&under_a_lock),
            });
            cached.keep_body(n.to_string(), Coding::Identity, &body);
            drop(body);
            // A body that is found moves into the younger half, which may be full.
            let _ = cached.body(&n.saturating_sub(6).to_string());
        }
        assert!(dropped.load(Ordering::Relaxed) > 20, "{dropped:?} were dropped");
        assert_eq!(under_a_lock.load(Ordering::Relaxed), 0);
    }
}
