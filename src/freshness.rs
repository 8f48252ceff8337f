//! Has my calendar seen it? Which read link was fetched when, by which family of client, at which release.
//!
//! Kept without addresses and without raw user agents. A poll costs one lock of one shard and no write. Every
//! shard is one note in the store (`stored`); those that changed are written now and then, so a crash forgets
//! what was polled since its shard was last written.

mod family;
mod stored;

pub use family::Family;
pub use stored::Note;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use stored::Progress;

/// What a read link's last fetch was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When.
    pub at: DateTime<Utc>,
    /// By which family of client.
    pub by: Family,
    /// The release that it got; a 304 counts, it confirms what the client holds.
    pub release: u64,
}

/// The names of read links here: their SHA-256.
pub type LinkHash = [u8; 32];

/// One for each first byte of a link's hash.
const SHARDS: usize = 256;

/// How long a link is remembered after its last fetch.
const KEPT: TimeDelta = TimeDelta::days(90);

/// The last fetch of each read link.
#[derive(Debug)]
pub struct Freshness {
    shards: [Mutex<Shard>; SHARDS],
    progress: Mutex<Progress>,
}

/// The links whose hashes begin with one byte.
#[derive(Debug, Default)]
struct Shard {
    links: HashMap<LinkHash, Seen>,
    /// Differs from its note in the store.
    is_dirty: bool,
    /// The store could not read its note. The store overwrites no such note, so the shard stays in memory.
    is_unreadable: bool,
}

impl Default for Freshness {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), progress: Mutex::default() }
    }
}

/// How many of the links polled lately hold the current release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Share {
    /// Links polled within two days.
    pub polled: usize,
    /// Those of them that hold the current release.
    pub current: usize,
}

impl Freshness {
    /// Notes a fetch.
    pub fn note(&self, link: LinkHash, seen: Seen) {
        let mut shard = self.shard(&link);
        shard.links.insert(link, seen);
        shard.is_dirty = true;
    }

    /// The last fetch of a link.
    pub fn of(&self, link: &LinkHash) -> Option<Seen> {
        self.shard(link).links.get(link).copied()
    }

    /// Forgets a link, for one that was revoked or deleted.
    pub fn forget(&self, link: &LinkHash) {
        let mut shard = self.shard(link);
        shard.is_dirty |= shard.links.remove(link).is_some();
    }

    /// Forgets all of them.
    pub fn forget_all(&self) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.is_dirty |= !shard.links.is_empty();
            shard.links.clear();
        }
    }

    /// The share of the links polled in the two days before `now` that hold `release`.
    pub fn share(&self, release: u64, now: DateTime<Utc>) -> Share {
        let mut share = Share::default();
        for shard in &self.shards {
            for seen in lock(shard).links.values().filter(|seen| now - seen.at <= TimeDelta::days(2)) {
                share.polled += 1;
                share.current += usize::from(seen.release >= release);
            }
        }
        share
    }

    fn shard(&self, link: &LinkHash) -> MutexGuard<'_, Shard> {
        let [first, ..] = link;
        let [zero, ..] = &self.shards;
        lock(self.shards.get(usize::from(*first)).unwrap_or(zero))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2025-03-25T16:00:00Z".parse().unwrap()
    }

    fn seen(hours_ago: i64, release: u64) -> Seen {
        Seen { at: now() - TimeDelta::hours(hours_ago), by: Family::Google, release }
    }

    #[test]
    fn only_links_polled_lately_count() {
        let freshness = Freshness::default();
        freshness.note([1; 32], seen(1, 3));
        freshness.note([2; 32], seen(47, 2));
        freshness.note([3; 32], seen(49, 3));
        assert_eq!(freshness.share(3, now()), Share { polled: 2, current: 1 });
    }
}
