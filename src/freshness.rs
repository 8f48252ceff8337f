//! Has my calendar seen it? Which read link was fetched when, by which family of client, at which release.
//!
//! Kept without addresses and without raw user agents. A poll costs one lock of one shard and no write; a
//! snapshot goes to the store now and then, so a crash forgets what was polled since the last one.

mod family;

pub use family::Family;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

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

const SHARDS: usize = 16;

/// How long a link is remembered after its last fetch.
const KEPT: TimeDelta = TimeDelta::days(90);

/// The last fetch of each read link.
#[derive(Debug, Default)]
pub struct Freshness {
    shards: [Mutex<HashMap<LinkHash, Seen>>; SHARDS],
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
    /// The note in the store that holds a snapshot.
    pub const NOTE: &str = "freshness";

    /// Notes a fetch.
    pub fn note(&self, link: LinkHash, seen: Seen) {
        self.shard(&link).insert(link, seen);
    }

    /// The last fetch of a link.
    pub fn of(&self, link: &LinkHash) -> Option<Seen> {
        self.shard(link).get(link).copied()
    }

    /// Forgets a link, for one that was revoked or deleted.
    pub fn forget(&self, link: &LinkHash) {
        self.shard(link).remove(link);
    }

    /// Forgets all of them.
    pub fn forget_all(&self) {
        self.shards.iter().for_each(|shard| lock(shard).clear());
    }

    /// The share of the links polled in the two days before `now` that hold `release`.
    pub fn share(&self, release: u64, now: DateTime<Utc>) -> Share {
        let mut share = Share::default();
        for shard in &self.shards {
            for seen in lock(shard).values().filter(|seen| now - seen.at <= TimeDelta::days(2)) {
                share.polled += 1;
                share.current += usize::from(seen.release >= release);
            }
        }
        share
    }

    /// All of it, for the store. Links that nobody has fetched for a quarter of a year before `now` are
    /// forgotten, the revoked ones with them.
    pub fn snapshot(&self, now: DateTime<Utc>) -> Vec<u8> {
        let mut out = Vec::new();
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.retain(|_, seen| now - seen.at <= KEPT);
            for (link, seen) in shard.iter() {
                out.extend_from_slice(link);
                out.extend_from_slice(&seen.at.timestamp().to_le_bytes());
                out.extend_from_slice(&seen.release.to_le_bytes());
                out.push(seen.by.code());
            }
        }
        out
    }

    /// From a snapshot; what cannot be read is left out, since it only says less.
    pub fn restore(bytes: &[u8]) -> Self {
        let freshness = Self::default();
        for row in bytes.chunks_exact(ROW) {
            if let Some((link, seen)) = read(row) {
                freshness.note(link, seen);
            }
        }
        freshness
    }

    fn shard(&self, link: &LinkHash) -> MutexGuard<'_, HashMap<LinkHash, Seen>> {
        let [first, ..] = link;
        let [zero, ..] = &self.shards;
        lock(self.shards.get(usize::from(*first) % SHARDS).unwrap_or(zero))
    }
}

/// Link, time, release, family.
const ROW: usize = 32 + 8 + 8 + 1;

fn read(row: &[u8]) -> Option<(LinkHash, Seen)> {
    let (link, rest) = row.split_first_chunk::<32>()?;
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let (release, rest) = rest.split_first_chunk::<8>()?;
    let at = DateTime::from_timestamp(i64::from_le_bytes(*at), 0)?;
    let by = Family::from_code(*rest.first()?)?;
    Some((*link, Seen { at, by, release: u64::from_le_bytes(*release) }))
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
    fn a_snapshot_gives_everything_back() {
        let freshness = Freshness::default();
        for n in 0..40 {
            freshness.note([n; 32], seen(i64::from(n), u64::from(n)));
        }
        let restored = Freshness::restore(&freshness.snapshot(now()));
        for n in 0..40 {
            assert_eq!(restored.of(&[n; 32]), Some(seen(i64::from(n), u64::from(n))));
        }
        assert_eq!(Freshness::restore(b"torn").of(&[1; 32]), None);
    }

    #[test]
    fn only_links_polled_lately_count() {
        let freshness = Freshness::default();
        freshness.note([1; 32], seen(1, 3));
        freshness.note([2; 32], seen(47, 2));
        freshness.note([3; 32], seen(49, 3));
        assert_eq!(freshness.share(3, now()), Share { polled: 2, current: 1 });
    }

    #[test]
    fn a_link_that_nobody_fetches_is_forgotten() {
        let freshness = Freshness::default();
        freshness.note([1; 32], seen(24 * 91, 1));
        freshness.note([2; 32], seen(24 * 89, 1));
        let restored = Freshness::restore(&freshness.snapshot(now()));
        assert_eq!((restored.of(&[1; 32]), freshness.of(&[1; 32])), (None, None));
        assert!(restored.of(&[2; 32]).is_some());
    }

    #[test]
    fn what_is_to_be_forgotten_is_in_no_snapshot() {
        let freshness = Freshness::default();
        freshness.note([1; 32], seen(1, 1));
        freshness.note([2; 32], seen(1, 1));
        freshness.forget(&[1; 32]);
        let restored = Freshness::restore(&freshness.snapshot(now()));
        assert_eq!((restored.of(&[1; 32]), restored.of(&[2; 32]).is_some()), (None, true));
        freshness.forget_all();
        assert!(freshness.snapshot(now()).is_empty());
    }
}
