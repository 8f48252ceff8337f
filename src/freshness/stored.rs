//! The shards as records of the store, one for each first byte of a link's hash.
//!
//! A pass writes dirty shards, about [`PASS_BYTES`] of them, and the next pass continues where it ended. Up to about
//! 20,000 links, one pass writes all dirty shards. A million links that are polled every hour keep all shards dirty
//! (49 MB); each shard is then written about every two hours.
//!
//! Earlier versions wrote one record for all links. While it exists, the shards in the store are outdated: the
//! first pass writes all shards and removes the record, in one commit.

use super::{EXPIRY, Family, Freshness, FreshnessShard, LinkHash, SHARD_COUNT, Seen, lock};
use crate::revision::Digest;
use crate::store::{LinkFetch, LinkTarget, NamedRecord, ReadError, RecordName, Store, Write};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// The size of one pass. Its last shard may exceed it.
const PASS_BYTES: usize = 1024 * 1024;

/// The rows of a record. A damaged row is `None`.
type Rows = Vec<Option<LinkFetch>>;

/// The progress of the passes. Its lock is held during a commit, so that an older state of a shard never overwrites a
/// newer one.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The shard that the next pass begins with.
    next: usize,
    /// Whether the next pass removes the record of earlier versions.
    has_old_record: bool,
}

/// The shards of one commit.
struct SaveBatch {
    shards: Vec<usize>,
    writes: Vec<Write>,
    examined: usize,
}

impl Freshness {
    /// Reads the last fetches from the store.
    ///
    /// A record that cannot be read is logged and skipped. The next pass replaces it if it is damaged.
    pub fn load(store: &Store) -> Self {
        Self::load_from(store.all_link_fetches(), |first| store.link_fetches(first))
    }

    fn load_from(
        old_record: Result<Option<Rows>, ReadError>,
        read: impl Fn(u8) -> Result<Option<Rows>, ReadError>,
    ) -> Self {
        let freshness = Self::default();
        match old_record {
            Ok(None) => {}
            Ok(Some(rows)) => {
                log_damaged_rows(freshness.add_rows(rows));
                freshness.replace_all_records();
                return freshness;
            }
            Err(error) => {
                tracing::warn!(%error, "some of the last fetches of read links are lost: a record cannot be read");
                if matches!(error, ReadError::Damaged { .. }) {
                    freshness.replace_all_records();
                }
            }
        }
        let replaces_all = lock(&freshness.progress).has_old_record;
        for (first, shard) in (0..=u8::MAX).zip(&freshness.shards) {
            match read(first) {
                Ok(rows) => {
                    let damaged = freshness.add_rows(rows.unwrap_or_default());
                    log_damaged_rows(damaged);
                    lock(shard).is_dirty = damaged > 0 || replaces_all;
                }
                Err(error @ ReadError::Damaged { .. }) => {
                    tracing::warn!(%error, "the last fetches of some read links are lost: their record is damaged and will be replaced");
                    lock(shard).is_dirty = true;
                }
                Err(error) => {
                    tracing::warn!(%error, "the last fetches of some read links cannot be read, and new ones will not be stored");
                    lock(shard).is_read_only = true;
                }
            }
        }
        freshness
    }

    /// Takes over the later fetches that other replicas stored, and forgets links that were closed on another replica. A pass
    /// that follows then stores the fetches of all replicas.
    ///
    /// # Errors
    /// If the store cannot be read; the shards so far are merged.
    pub fn merge(&self, store: &Store) -> Result<(), ReadError> {
        for (first, shard) in (0..=u8::MAX).zip(&self.shards) {
            let rows = match store.link_fetches(first) {
                Ok(rows) => rows.unwrap_or_default(),
                Err(ReadError::Damaged { .. }) => continue, // the next pass replaces the record
                Err(error) => return Err(error),
            };
            let stored: HashMap<LinkHash, Seen> =
                rows.into_iter().flatten().filter_map(|row| seen(&row)).collect();
            let is_open = |link: &LinkHash| {
                Ok::<_, ReadError>(matches!(store.link(&Digest(*link))?, Some(LinkTarget::Agenda(_))))
            };
            let known: Vec<LinkHash> = lock(shard).links.keys().copied().collect();
            for link in known.iter().filter(|link| !stored.contains_key(*link)) {
                if !is_open(link)? {
                    self.forget(link);
                }
            }
            for (link, seen) in stored {
                let own = self.of(&link);
                if own.is_some_and(|own| own.at >= seen.at) || own.is_none() && !is_open(&link)? {
                    continue;
                }
                lock(shard).links.insert(link, seen);
            }
        }
        Ok(())
    }

    /// Makes the first pass write every shard and remove the record of earlier versions.
    fn replace_all_records(&self) {
        self.shards.iter().for_each(|shard| lock(shard).is_dirty = true);
        lock(&self.progress).has_old_record = true;
    }

    /// Writes dirty shards, about `PASS_BYTES` of them. Calls `commit` only if there are any. Links without a fetch
    /// in the 90 days before `now` are forgotten.
    ///
    /// # Errors
    /// That of `commit`; the shards stay dirty.
    pub fn save_some<E>(
        &self,
        now: DateTime<Utc>,
        commit: impl FnOnce(Vec<Write>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut progress = lock(&self.progress);
        self.save_batch(&mut progress, SHARD_COUNT, now, commit).map(drop)
    }

    /// Writes all dirty shards, in as many commits as needed.
    ///
    /// # Errors
    /// The first error of `commit`; the shards that are not written stay dirty.
    pub fn save_all<E>(
        &self,
        now: DateTime<Utc>,
        mut commit: impl FnMut(Vec<Write>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut progress = lock(&self.progress);
        let mut left = SHARD_COUNT;
        while left > 0 {
            left = left.saturating_sub(self.save_batch(&mut progress, left, now, &mut commit)?);
        }
        Ok(())
    }

    /// Writes the dirty shards among the next ones and returns how many shards it examined, at most `most`.
    fn save_batch<E>(
        &self,
        progress: &mut Progress,
        most: usize,
        now: DateTime<Utc>,
        commit: impl FnOnce(Vec<Write>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let SaveBatch { shards, writes, examined } = self.batch(progress, most, now);
        if !writes.is_empty()
            && let Err(error) = commit(writes)
        {
            shards.iter().filter_map(|at| self.shards.get(*at)).for_each(|shard| lock(shard).is_dirty = true);
            return Err(error);
        }
        progress.next = (progress.next + examined) % SHARD_COUNT;
        progress.has_old_record = false;
        Ok(examined)
    }

    fn batch(&self, progress: &Progress, most: usize, now: DateTime<Utc>) -> SaveBatch {
        let mut batch = SaveBatch { shards: Vec::new(), writes: Vec::new(), examined: 0 };
        // One commit writes all shards and removes the record of earlier versions.
        let (most, limit) =
            if progress.has_old_record { (SHARD_COUNT, usize::MAX) } else { (most, PASS_BYTES) };
        let mut bytes = 0;
        let shards = (0..=u8::MAX).zip(&self.shards).cycle().skip(progress.next).take(most);
        for (first, shard) in shards {
            if bytes >= limit {
                break;
            }
            batch.examined += 1;
            if let Some(fetches) = lock(shard).take_dirty(now) {
                bytes += fetches.len() * LinkFetch::BYTES;
                batch.shards.push(first.into());
                batch.writes.push(match fetches.is_empty() {
                    true => Write::DropNamed(RecordName::LinkFetches(first)),
                    false => NamedRecord::LinkFetches(first, fetches).into(),
                });
            }
        }
        if progress.has_old_record {
            batch.writes.push(Write::DropNamed(RecordName::AllLinkFetches));
        }
        batch
    }

    /// Adds the rows of a record and returns how many are damaged.
    fn add_rows(&self, rows: Rows) -> usize {
        let mut damaged = 0;
        for row in rows {
            match row.and_then(|fetch| seen(&fetch)) {
                Some((link, seen)) => self.note(link, seen),
                None => damaged += 1,
            }
        }
        damaged
    }
}

impl FreshnessShard {
    /// The shard's rows, if they differ from the store's. Marks the shard clean.
    fn take_dirty(&mut self, now: DateTime<Utc>) -> Option<Vec<LinkFetch>> {
        let before = self.links.len();
        self.links.retain(|_, seen| now - seen.at <= EXPIRY);
        self.is_dirty |= self.links.len() < before;
        if self.is_read_only || !std::mem::take(&mut self.is_dirty) {
            return None;
        }
        let fetch = |(link, seen): (&LinkHash, &Seen)| {
            let Seen { at, by, release } = *seen;
            LinkFetch { link: Digest(*link), at, release, client: by.code() }
        };
        Some(self.links.iter().map(fetch).collect())
    }
}

fn seen(fetch: &LinkFetch) -> Option<(LinkHash, Seen)> {
    let LinkFetch { link, at, release, client } = *fetch;
    Some((link.0, Seen { at, by: Family::from_code(client)?, release }))
}

fn log_damaged_rows(rows: usize) {
    if rows > 0 {
        tracing::warn!(rows, "the last fetches of some read links are lost: rows of a record are damaged");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use std::collections::BTreeMap;

    /// The records of a store. `None` is the record of earlier versions.
    type StoredRecords = BTreeMap<Option<u8>, Rows>;

    fn now() -> DateTime<Utc> {
        "2025-03-25T16:00:00Z".parse().unwrap()
    }

    fn seen(hours_ago: i64, release: u64) -> Seen {
        Seen { at: now() - TimeDelta::hours(hours_ago), by: Family::Google, release }
    }

    fn load(records: &StoredRecords) -> Freshness {
        Freshness::load_from(Ok(records.get(&None).cloned()), |first| Ok(records.get(&Some(first)).cloned()))
    }

    /// Applies the writes of a pass and returns which records it wrote or removed.
    fn apply(records: &mut StoredRecords, writes: Vec<Write>) -> Vec<Option<u8>> {
        let apply = |write| match write {
            Write::PutNamed(NamedRecord::LinkFetches(first, fetches)) => {
                records.insert(Some(first), fetches.into_iter().map(Some).collect());
                Some(first)
            }
            Write::DropNamed(RecordName::LinkFetches(first)) => {
                records.remove(&Some(first));
                Some(first)
            }
            Write::DropNamed(RecordName::AllLinkFetches) => {
                records.remove(&None);
                None
            }
            other => panic!("{other:?}"),
        };
        writes.into_iter().map(apply).collect()
    }

    /// Makes one pass.
    fn save(freshness: &Freshness, records: &mut StoredRecords) -> Vec<Option<u8>> {
        let mut written = Vec::new();
        let commit = |writes| {
            written = apply(records, writes);
            Ok::<_, String>(())
        };
        freshness.save_some(now(), commit).unwrap();
        written
    }

    /// A store with a link in each shard.
    fn stored() -> StoredRecords {
        let (freshness, mut records) = (Freshness::default(), StoredRecords::new());
        (0..=255).for_each(|n| freshness.note([n; 32], seen(i64::from(n), n.into())));
        assert_eq!(save(&freshness, &mut records).len(), SHARD_COUNT);
        records
    }

    fn damaged() -> ReadError {
        ReadError::Damaged { what: "note", cause: String::new() }
    }

    #[test]
    fn a_restart_loses_nothing() {
        let freshness = load(&stored());
        (0..=255).for_each(|n| assert_eq!(freshness.of(&[n; 32]), Some(seen(n.into(), n.into()))));
    }

    #[test]
    fn one_poll_writes_one_shard() {
        let mut records = stored();
        let freshness = load(&records);
        assert!(save(&freshness, &mut records).is_empty(), "nothing was polled");
        freshness.note([0x2a; 32], seen(0, 9));
        assert_eq!(save(&freshness, &mut records), [Some(0x2a)]);
        assert!(save(&freshness, &mut records).is_empty());
        assert_eq!(load(&records).of(&[0x2a; 32]), Some(seen(0, 9)));
    }

    #[test]
    fn the_record_of_earlier_versions_is_replaced_in_one_commit() {
        // Shards in the store beside the old record are outdated.
        let mut records = stored();
        let old = records.values().take(10).flatten().copied().collect();
        records.insert(None, old);
        let freshness = load(&records);
        let fails = freshness.save_some(now(), |writes| Err(writes.len()));
        assert_eq!(fails, Err(SHARD_COUNT + 1));
        assert_eq!(load(&records).of(&[9; 32]), Some(seen(9, 9)));
        assert_eq!(save(&freshness, &mut records).len(), SHARD_COUNT + 1);
        assert_eq!((records.len(), records.contains_key(&None)), (10, false));
        let restarted = load(&records);
        (0..=9).for_each(|n| assert_eq!(restarted.of(&[n; 32]), Some(seen(n.into(), n.into()))));
        assert!(restarted.of(&[10; 32]).is_none());
        assert!(save(&restarted, &mut records).is_empty());
    }

    #[test]
    fn a_damaged_record_costs_its_own_links_and_is_replaced() {
        let mut records = stored();
        let read = |first: u8| match first {
            4 | 5 => Err(damaged()),
            _ => Ok(records.get(&Some(first)).cloned()),
        };
        let freshness = Freshness::load_from(Ok(None), read);
        assert!(freshness.of(&[5; 32]).is_none() && freshness.of(&[6; 32]).is_some());
        freshness.note([5; 32], seen(0, 9));
        assert_eq!(save(&freshness, &mut records), [Some(4), Some(5)]);
        let restarted = load(&records);
        assert_eq!((restarted.of(&[4; 32]), restarted.of(&[5; 32])), (None, Some(seen(0, 9))));

        records.get_mut(&Some(7)).unwrap().push(None);
        let freshness = load(&records);
        assert!(freshness.of(&[7; 32]).is_some());
        assert_eq!(save(&freshness, &mut records), [Some(7)]);
        assert_eq!(records[&Some(7)].len(), 1);
    }

    #[test]
    fn a_damaged_record_of_earlier_versions_is_replaced_by_the_shards() {
        let mut records = stored();
        let freshness = Freshness::load_from(Err(damaged()), |first| Ok(records.get(&Some(first)).cloned()));
        assert_eq!(save(&freshness, &mut records).len(), SHARD_COUNT + 1);
        assert_eq!(load(&records).of(&[9; 32]), Some(seen(9, 9)));
    }

    #[test]
    fn a_record_of_a_newer_version_is_never_overwritten() {
        let mut records = stored();
        let newer = |_| Err(ReadError::Newer { what: "note", found: 9, known: 3 });
        let freshness = Freshness::load_from(Ok(None), newer);
        freshness.note([5; 32], seen(0, 9));
        assert!(save(&freshness, &mut records).is_empty());
        assert_eq!(freshness.of(&[5; 32]), Some(seen(0, 9)));
    }

    #[test]
    fn forgotten_and_expired_links_leave_their_shards() {
        let mut records = stored();
        let freshness = load(&records);
        freshness.forget(&[1; 32]);
        freshness.forget(&[0xee; 32]);
        freshness.forget(&[0xee; 32]);
        freshness.note([2; 32], seen(24 * 91, 1));
        freshness.note([3; 32], seen(24 * 89, 1));
        assert_eq!(save(&freshness, &mut records).len(), 4);
        let restarted = load(&records);
        assert!([1, 2, 0xee].iter().all(|n| restarted.of(&[*n; 32]).is_none()));
        assert!(restarted.of(&[3; 32]).is_some());
        freshness.forget_all();
        save(&freshness, &mut records);
        assert!(records.is_empty());
    }

    #[test]
    fn a_link_expires_without_another_poll_of_its_shard() {
        let mut records = stored();
        let freshness = load(&records);
        let later = now() + TimeDelta::days(80); // 90 days after fetches of 240 hours ago
        let commit = |writes| {
            apply(&mut records, writes);
            Ok::<_, String>(())
        };
        freshness.save_some(later, commit).unwrap();
        assert_eq!(records.len(), 241);
    }

    #[test]
    fn a_failed_pass_is_repeated() {
        let mut records = stored();
        let freshness = load(&records);
        freshness.note([1; 32], seen(0, 9));
        assert_eq!(freshness.save_some(now(), |_| Err("full")), Err("full"));
        assert_eq!(save(&freshness, &mut records), [Some(1)]);
    }

    #[test]
    fn passes_of_bounded_size_write_every_shard_in_turn() {
        const EACH: u32 = 300; // 256 shards of 14,700 bytes: 3.8 MB
        let (freshness, mut records) = (Freshness::default(), StoredRecords::new());
        let poll_all = || {
            for first in 0..=255 {
                for n in 0..EACH {
                    let mut link = [first; 32];
                    link[28..].copy_from_slice(&n.to_le_bytes());
                    freshness.note(link, seen(0, 1));
                }
            }
        };
        poll_all();
        let first = save(&freshness, &mut records);
        let bytes = records.values().map(Vec::len).sum::<usize>() * LinkFetch::BYTES;
        assert!((PASS_BYTES..PASS_BYTES + 20_000).contains(&bytes), "{bytes}");
        poll_all();
        let second = save(&freshness, &mut records);
        assert!(second.iter().all(|name| !first.contains(name)), "the second pass writes other shards");
        poll_all();
        let (mut commits, mut shards) = (0, 0);
        let commit = |writes: Vec<Write>| {
            (commits, shards) = (commits + 1, shards + writes.len());
            Ok::<_, String>(())
        };
        freshness.save_all(now(), commit).unwrap();
        assert_eq!((commits, shards), (4, SHARD_COUNT));
        assert!(save(&freshness, &mut records).is_empty());
    }

    #[test]
    fn the_fetches_of_two_replicas_are_added_up_and_closed_links_are_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), &crate::program::Slug::parse("con").unwrap()).unwrap();
        let target = |at| match at {
            Some(at) => LinkTarget::Closed { at },
            None => LinkTarget::Agenda(Digest([9; 32])),
        };
        let link = |hash: LinkHash, closed| Write::PutLink { hash: Digest(hash), target: target(closed) };
        let at = |hours| DateTime::UNIX_EPOCH + TimeDelta::hours(hours);
        let seen = |hours| Seen { at: at(hours), by: Family::Google, release: 1 };
        let (one, two) = (Freshness::default(), Freshness::default());
        let (shared, of_two, closed) = ([1; 32], [2; 32], [3; 32]);
        store.commit_blocking(vec![link(shared, None), link(of_two, None), link(closed, None)]).unwrap();
        one.note(shared, seen(5));
        one.note(closed, seen(1));
        two.note(shared, seen(3));
        two.note(of_two, seen(4));
        two.note(closed, seen(2));
        let save = |freshness: &Freshness| {
            freshness.merge(&store).unwrap();
            freshness.save_all(at(6), |writes| store.commit_blocking(writes)).unwrap();
        };
        save(&one);
        save(&two);
        // Replica one revokes a link, and two still has its fetch.
        store.commit_blocking(vec![link(closed, Some(at(6)))]).unwrap();
        one.forget(&closed);
        save(&one);
        save(&two);
        save(&one);
        for (name, freshness) in [("one", &one), ("two", &two), ("stored", &Freshness::load(&store))] {
            let found = [shared, of_two, closed].map(|link| freshness.of(&link).map(|seen| seen.at));
            assert_eq!(found, [Some(at(5)), Some(at(4)), None], "{name}");
        }
    }
}
