//! Agendas that were polled lately: what identifies their feeds, and the bodies that were sent.
//!
//! Nothing of it is believed unchecked: an agenda is known only as long as the store's generation, or else the
//! very records behind its link, are those that it was joined from, and the release is the running one. So
//! an acknowledged change, a revoked link and an erased session are seen by the next request. Bodies lie under
//! their entity tags, which name what fixes them.

use super::recent::{Half, Recent};
use crate::feed::{Coding, FeedOptions};
use crate::freshness::LinkHash;
use crate::release::Release;
use crate::store::LinkedAgenda;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

const SHARDS: usize = 8;

/// Some ten thousand agendas.
const AGENDAS: usize = 8 * 1024 * 1024;

/// Some six hundred agendas of ten picks. Clients that revalidate need none.
const BODIES: usize = 12 * 1024 * 1024;

/// An agenda's feed, as it follows from what is behind a link.
pub(super) struct Known {
    /// When that was read last.
    generation: AtomicU64,
    behind: LinkedAgenda,
    /// The hash in its entity tag.
    pub(super) hash: String,
    /// When it last changed.
    pub(super) modified: DateTime<Utc>,
}

impl Known {
    pub(super) fn new(behind: LinkedAgenda, hash: String, modified: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self { generation: behind.generation.into(), behind, hash, modified })
    }

    /// What it was joined from.
    pub(super) fn behind(&self) -> &LinkedAgenda {
        &self.behind
    }
}

/// What is remembered between polls.
pub(in crate::http) struct Polled([Mutex<Shard>; SHARDS]);

struct Shard {
    /// Another one, though of the same number, leaves nothing of this: something was erased from the earlier.
    release: Weak<Release>,
    agendas: Recent<(LinkHash, FeedOptions), Arc<Known>>,
    bodies: Recent<String, (Coding, Bytes)>,
}

impl Shard {
    fn empty(release: Weak<Release>) -> Self {
        let (agendas, bodies) = (Recent::within(AGENDAS / SHARDS), Recent::within(BODIES / SHARDS));
        Self { release, agendas, bodies }
    }
}

impl Default for Polled {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(Shard::empty(Weak::new()))))
    }
}

impl fmt::Debug for Polled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polled").finish_non_exhaustive()
    }
}

/// A look at what is remembered of one link with its options.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) polled: &'a Polled,
    pub(super) link: LinkHash,
    pub(super) options: FeedOptions,
    pub(super) release: &'a Arc<Release>,
}

impl Look<'_> {
    /// Its feed, where nothing at all has changed in the store since it was last looked at.
    pub(super) fn at(&self, generation: u64) -> Option<Arc<Known>> {
        let known = self.shard().agendas.find(&(self.link, self.options))?;
        (known.generation.load(Ordering::Relaxed) == generation).then_some(known)
    }

    /// Its feed, where what is behind it has not changed.
    pub(super) fn of(&self, behind: &LinkedAgenda) -> Option<Arc<Known>> {
        let known = self.shard().agendas.find(&(self.link, self.options))?;
        if !known.behind.is_same(behind) {
            return None;
        }
        known.generation.store(behind.generation, Ordering::Relaxed);
        Some(known)
    }

    /// Remembers its feed.
    pub(super) fn keep(&self, known: &Arc<Known>) {
        let bytes = size_of::<Known>() + known.hash.len() + known.behind.len();
        self.shard().agendas.keep((self.link, self.options), Arc::clone(known), bytes);
    }

    /// The body of an entity tag, and the coding that it is in.
    pub(super) fn body(&self, tag: &str) -> Option<(Coding, Bytes)> {
        self.shard().bodies.find(tag)
    }

    /// Remembers a body.
    pub(super) fn keep_body(&self, tag: String, coding: Coding, body: &Bytes) {
        let bytes = tag.len() + body.len();
        self.shard().bodies.keep(tag, (coding, body.clone()), bytes);
    }

    fn shard(&self) -> Locked<'_> {
        let Polled([zero, ..]) = self.polled;
        let [first, ..] = self.link;
        let shard = self.polled.0.get(usize::from(first) % SHARDS).unwrap_or(zero);
        // A panic elsewhere leaves nothing half-done behind, so poison is no obstacle.
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = Gone::default();
        if !std::ptr::eq(shard.release.as_ptr(), Arc::as_ptr(self.release)) {
            gone.shard = Some(std::mem::replace(&mut *shard, Shard::empty(Arc::downgrade(self.release))));
        }
        Locked { shard, gone }
    }
}

/// A locked shard. Fields drop in their order, so what left it is dropped once the lock is free: thousands of entries take
/// a while.
struct Locked<'a> {
    shard: MutexGuard<'a, Shard>,
    gone: Gone,
}

/// What left a shard while it was locked.
#[derive(Default)]
struct Gone {
    shard: Option<Shard>,
    agendas: Vec<Half<(LinkHash, FeedOptions), Arc<Known>>>,
    bodies: Vec<Half<String, (Coding, Bytes)>>,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.gone.agendas = self.shard.agendas.take_retired();
        self.gone.bodies = self.shard.bodies.take_retired();
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
    use std::sync::atomic::AtomicUsize;

    /// The bytes of a body that counts whether they are dropped under a lock.
    struct Probe {
        bytes: Vec<u8>,
        polled: Weak<Polled>,
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
    fn bodies_are_dropped_once_the_lock_is_free() {
        let (polled, release) = (Arc::new(Polled::default()), Arc::new(fixtures::tricky().release()));
        let (dropped, under_a_lock) = (Arc::default(), Arc::default());
        let look =
            Look { polled: &polled, link: [0; 32], options: FeedOptions::default(), release: &release };
        for n in 0..40_u32 {
            let body = Bytes::from_owner(Probe {
                bytes: vec![0; 100_000],
                polled: Arc::downgrade(&polled),
                dropped: Arc::clone(&dropped),
                under_a_lock: Arc::clone(&under_a_lock),
            });
            look.keep_body(n.to_string(), Coding::Identity, &body);
            drop(body);
            // What is found moves into the younger half, which may be full.
            let _ = look.body(&n.saturating_sub(6).to_string());
        }
        assert!(dropped.load(Ordering::Relaxed) > 20, "{dropped:?} were dropped");
        assert_eq!(under_a_lock.load(Ordering::Relaxed), 0);
    }
}
