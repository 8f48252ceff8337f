//! Agendas that were polled lately: what identifies their feeds, and the bodies that were sent.
//!
//! Nothing of it is believed unchecked: an agenda is known only as long as the store's generation, or else the
//! very records behind its link, are those that it was joined from, and the release is the running one. So
//! an acknowledged change, a revoked link and an erased session are seen by the next request. Bodies lie under
//! their entity tags, which name what fixes them.

use super::recent::Recent;
use crate::feed::{Coding, Options};
use crate::freshness::LinkHash;
use crate::release::Release;
use crate::store::Behind;
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
    behind: Behind,
    /// The hash in its entity tag.
    pub(super) hash: String,
    /// When it last changed.
    pub(super) modified: DateTime<Utc>,
}

impl Known {
    pub(super) fn new(behind: Behind, hash: String, modified: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self { generation: behind.generation.into(), behind, hash, modified })
    }

    /// What it was joined from.
    pub(super) fn behind(&self) -> &Behind {
        &self.behind
    }
}

/// What is remembered between polls.
pub(in crate::http) struct Polled([Mutex<Shard>; SHARDS]);

struct Shard {
    /// Another one, though of the same number, leaves nothing of this: something was erased from the earlier.
    release: Weak<Release>,
    agendas: Recent<(LinkHash, Options), Arc<Known>>,
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
    pub(super) options: Options,
    pub(super) release: &'a Arc<Release>,
}

impl Look<'_> {
    /// Its feed, where nothing at all has changed in the store since it was last looked at.
    pub(super) fn at(&self, generation: u64) -> Option<Arc<Known>> {
        let known = self.shard().agendas.find(&(self.link, self.options))?;
        (known.generation.load(Ordering::Relaxed) == generation).then_some(known)
    }

    /// Its feed, where what is behind it has not changed.
    pub(super) fn of(&self, behind: &Behind) -> Option<Arc<Known>> {
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
        let mut replaced = None;
        if !std::ptr::eq(shard.release.as_ptr(), Arc::as_ptr(self.release)) {
            replaced = Some(std::mem::replace(&mut *shard, Shard::empty(Arc::downgrade(self.release))));
        }
        Locked { shard, _replaced: replaced }
    }
}

/// A locked shard. Fields drop in their order: what it took the place of is dropped once the lock is free, since
/// thousands of entries take a while.
struct Locked<'a> {
    shard: MutexGuard<'a, Shard>,
    _replaced: Option<Shard>,
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
