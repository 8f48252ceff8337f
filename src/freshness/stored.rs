//! The shards as notes of the store: `freshness-00` to `freshness-ff`, by the first byte of the links' hashes.
//!
//! A pass writes the dirty shards, at most about [`PASS_BYTES`] of them, and the next pass continues where it ended.
//! Up to about 20,000 links all dirty shards fit into one pass. A million links that poll every hour dirty all
//! shards (49 MB) all the time; each shard is then written about every two hours.
//!
//! Earlier versions kept everything in one note, [`WHOLE`]. While it exists, it alone is valid: the first pass writes
//! all shards and drops it, in one commit.

use super::{Family, Freshness, KEPT, LinkHash, SHARDS, Seen, Shard, lock};
use chrono::{DateTime, Utc};
use std::fmt::Display;

/// The single note of earlier versions.
const WHOLE: &str = "freshness";

/// What one pass writes at most, give or take a shard.
const PASS_BYTES: usize = 1024 * 1024;

/// Link, time, release, family.
const ROW: usize = 32 + 8 + 8 + 1;

/// A note to be written to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its name.
    pub name: String,
    /// Its content; none drops the note.
    pub value: Option<Vec<u8>>,
}

/// How far the shards are written. Its lock is held during a commit, so that an older state of a shard never
/// overwrites a newer one.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The shard that the next pass begins with.
    next: usize,
    /// The note of earlier versions is still in the store.
    has_whole: bool,
}

/// The part of the shards that one commit writes.
struct Batch {
    shards: Vec<usize>,
    notes: Vec<Note>,
    looked_at: usize,
}

impl Freshness {
    /// From the notes of a store. A note that cannot be read is logged, and the others are read.
    pub fn load<E: Display>(read: impl Fn(&str) -> Result<Option<Vec<u8>>, E>) -> Self {
        let freshness = Self::default();
        match read(WHOLE) {
            Ok(Some(whole)) => {
                let unread = freshness.add_rows(&whole);
                log_unread(WHOLE, unread);
                // Shards of a version that ran before the one that wrote this note are older: they are replaced.
                freshness.shards.iter().for_each(|shard| lock(shard).is_dirty = true);
                lock(&freshness.progress).has_whole = true;
                return freshness;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(note = WHOLE, %error, "the last fetches of read links are partly forgotten: a note cannot be read");
            }
        }
        for (at, shard) in freshness.shards.iter().enumerate() {
            let name = name(at);
            match read(&name) {
                Ok(None) => {}
                Ok(Some(rows)) => {
                    let unread = freshness.add_rows(&rows);
                    log_unread(&name, unread);
                    lock(shard).is_dirty = unread > 0;
                }
                Err(error) => {
                    tracing::warn!(note = name, %error, "the last fetches of some read links are forgotten: a note cannot be read, and new ones of these links are not stored");
                    lock(shard).is_unreadable = true;
                }
            }
        }
        freshness
    }

    /// Writes dirty shards, about `PASS_BYTES` of them, and calls `commit` only if there are any. Links that
    /// nobody has fetched for a quarter of a year before `now` are forgotten.
    ///
    /// # Errors
    /// That of `commit`; the shards stay dirty.
    pub fn save_some<E>(
        &self,
        now: DateTime<Utc>,
        commit: impl FnOnce(Vec<Note>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut progress = lock(&self.progress);
        self.save_batch(&mut progress, SHARDS, now, commit).map(drop)
    }

    /// Writes all dirty shards, in several commits where there are many.
    ///
    /// # Errors
    /// The first one of `commit`; the shards that are not written stay dirty.
    pub fn save_all<E>(
        &self,
        now: DateTime<Utc>,
        mut commit: impl FnMut(Vec<Note>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut progress = lock(&self.progress);
        let mut left = SHARDS;
        while left > 0 {
            left = left.saturating_sub(self.save_batch(&mut progress, left, now, &mut commit)?);
        }
        Ok(())
    }

    /// Writes dirty ones of the next shards, at most `most` of them; how many it looked at.
    fn save_batch<E>(
        &self,
        progress: &mut Progress,
        most: usize,
        now: DateTime<Utc>,
        commit: impl FnOnce(Vec<Note>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let Batch { shards, notes, looked_at } = self.batch(progress, most, now);
        if !notes.is_empty()
            && let Err(error) = commit(notes)
        {
            shards.iter().filter_map(|at| self.shards.get(*at)).for_each(|shard| lock(shard).is_dirty = true);
            return Err(error);
        }
        progress.next = (progress.next + looked_at) % SHARDS;
        progress.has_whole = false;
        Ok(looked_at)
    }

    fn batch(&self, progress: &Progress, most: usize, now: DateTime<Utc>) -> Batch {
        let mut batch = Batch { shards: Vec::new(), notes: Vec::new(), looked_at: 0 };
        // The note of earlier versions goes in the commit that writes all shards.
        let (most, limit) = if progress.has_whole { (SHARDS, usize::MAX) } else { (most, PASS_BYTES) };
        let mut bytes = 0;
        for (at, shard) in self.shards.iter().enumerate().cycle().skip(progress.next).take(most) {
            if bytes >= limit {
                break;
            }
            batch.looked_at += 1;
            if let Some(value) = lock(shard).take_dirty(now) {
                bytes += value.len();
                batch.shards.push(at);
                batch
                    .notes
                    .push(Note { name: name(at), value: Some(value).filter(|value| !value.is_empty()) });
            }
        }
        if progress.has_whole {
            batch.notes.push(Note { name: WHOLE.to_owned(), value: None });
        }
        batch
    }

    /// Adds the rows of a note; how many of them cannot be read.
    fn add_rows(&self, rows: &[u8]) -> usize {
        let rows = rows.chunks(ROW);
        rows.filter(|row| read(row).map(|(link, seen)| self.note(link, seen)).is_none()).count()
    }
}

impl Shard {
    /// Its rows, if the store has others. Counts as written from now on.
    fn take_dirty(&mut self, now: DateTime<Utc>) -> Option<Vec<u8>> {
        let before = self.links.len();
        self.links.retain(|_, seen| now - seen.at <= KEPT);
        self.is_dirty |= self.links.len() < before;
        if self.is_unreadable || !std::mem::take(&mut self.is_dirty) {
            return None;
        }
        let mut rows = Vec::with_capacity(self.links.len() * ROW);
        for (link, seen) in &self.links {
            rows.extend_from_slice(link);
            rows.extend_from_slice(&seen.at.timestamp().to_le_bytes());
            rows.extend_from_slice(&seen.release.to_le_bytes());
            rows.push(seen.by.code());
        }
        Some(rows)
    }
}

fn name(shard: usize) -> String {
    format!("{WHOLE}-{shard:02x}")
}

fn log_unread(note: &str, rows: usize) {
    if rows > 0 {
        tracing::warn!(note, rows, "the last fetches of some read links are forgotten: rows cannot be read");
    }
}

fn read(row: &[u8]) -> Option<(LinkHash, Seen)> {
    let (link, rest) = row.split_first_chunk::<32>()?;
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let (release, rest) = rest.split_first_chunk::<8>()?;
    let at = DateTime::from_timestamp(i64::from_le_bytes(*at), 0)?;
    let by = Family::from_code(*rest.first()?)?;
    Some((*link, Seen { at, by, release: u64::from_le_bytes(*release) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use std::collections::BTreeMap;

    /// Notes by name.
    type Notes = BTreeMap<String, Vec<u8>>;

    fn now() -> DateTime<Utc> {
        "2025-03-25T16:00:00Z".parse().unwrap()
    }

    fn seen(hours_ago: i64, release: u64) -> Seen {
        Seen { at: now() - TimeDelta::hours(hours_ago), by: Family::Google, release }
    }

    fn load(notes: &Notes) -> Freshness {
        Freshness::load(|name| Ok::<_, String>(notes.get(name).cloned()))
    }

    fn write(notes: &mut Notes, changed: Vec<Note>) {
        for Note { name, value } in changed {
            match value {
                Some(value) => drop(notes.insert(name, value)),
                None => drop(notes.remove(&name)),
            }
        }
    }

    /// One pass; the names that it wrote or dropped.
    fn save(freshness: &Freshness, notes: &mut Notes) -> Vec<String> {
        let mut names = Vec::new();
        let commit = |changed: Vec<Note>| {
            names.extend(changed.iter().map(|note| note.name.clone()));
            write(notes, changed);
            Ok::<_, String>(())
        };
        freshness.save_some(now(), commit).unwrap();
        names
    }

    /// A store with a link in each shard.
    fn stored() -> Notes {
        let (freshness, mut notes) = (Freshness::default(), Notes::new());
        (0..=255).for_each(|n| freshness.note([n; 32], seen(i64::from(n), n.into())));
        assert_eq!(save(&freshness, &mut notes).len(), SHARDS);
        notes
    }

    /// The note of earlier versions.
    fn whole(links: std::ops::RangeInclusive<u8>) -> Vec<u8> {
        let stored = stored();
        stored.values().filter(|row| links.contains(&row[0])).flatten().copied().collect()
    }

    #[test]
    fn a_restart_keeps_everything() {
        let freshness = load(&stored());
        (0..=255).for_each(|n| assert_eq!(freshness.of(&[n; 32]), Some(seen(n.into(), n.into()))));
    }

    #[test]
    fn one_poll_writes_one_shard() {
        let mut notes = stored();
        let freshness = load(&notes);
        assert!(save(&freshness, &mut notes).is_empty(), "nothing was polled");
        freshness.note([0x2a; 32], seen(0, 9));
        assert_eq!(save(&freshness, &mut notes), ["freshness-2a"]);
        assert!(save(&freshness, &mut notes).is_empty());
        assert_eq!(load(&notes).of(&[0x2a; 32]), Some(seen(0, 9)));
    }

    #[test]
    fn the_note_of_earlier_versions_is_replaced_in_one_commit() {
        // Shards from before a version that knew only the one note are older than that.
        let mut notes = stored();
        notes.insert(WHOLE.to_owned(), whole(0..=9));
        let freshness = load(&notes);
        let fails = freshness.save_some(now(), |changed| Err(changed.len()));
        assert_eq!(fails, Err(SHARDS + 1));
        assert_eq!(load(&notes).of(&[9; 32]), Some(seen(9, 9)));
        assert_eq!(save(&freshness, &mut notes).len(), SHARDS + 1);
        assert_eq!((notes.len(), notes.contains_key(WHOLE)), (10, false));
        let restarted = load(&notes);
        (0..=9).for_each(|n| assert_eq!(restarted.of(&[n; 32]), Some(seen(n.into(), n.into()))));
        assert!(restarted.of(&[10; 32]).is_none());
        assert!(save(&restarted, &mut notes).is_empty());
    }

    #[test]
    fn a_note_that_cannot_be_read_costs_only_its_own_links() {
        let mut notes = stored();
        let read = |name: &str| match name {
            "freshness-05" => Err("damaged"),
            _ => Ok(notes.get(name).cloned()),
        };
        let freshness = Freshness::load(read);
        assert!(freshness.of(&[5; 32]).is_none() && freshness.of(&[6; 32]).is_some());
        // The store refuses a commit that overwrites such a note, so it must be in none.
        freshness.note([5; 32], seen(0, 9));
        freshness.note([6; 32], seen(0, 9));
        assert_eq!(save(&freshness, &mut notes), ["freshness-06"]);

        notes.get_mut("freshness-07").unwrap().extend(b"torn");
        let freshness = load(&notes);
        assert!(freshness.of(&[7; 32]).is_some());
        assert_eq!(save(&freshness, &mut notes), ["freshness-07"]);
        assert_eq!(notes["freshness-07"].len(), ROW);
    }

    #[test]
    fn forgotten_and_expired_links_leave_their_shards() {
        let mut notes = stored();
        let freshness = load(&notes);
        freshness.forget(&[1; 32]);
        freshness.forget(&[0xee; 32]);
        freshness.forget(&[0xee; 32]);
        freshness.note([2; 32], seen(24 * 91, 1));
        freshness.note([3; 32], seen(24 * 89, 1));
        assert_eq!(save(&freshness, &mut notes).len(), 4);
        let restored = load(&notes);
        assert!([1, 2, 0xee].iter().all(|n| restored.of(&[*n; 32]).is_none()));
        assert!(restored.of(&[3; 32]).is_some());
        freshness.forget_all();
        save(&freshness, &mut notes);
        assert!(notes.is_empty());
    }

    #[test]
    fn a_link_expires_without_another_poll_of_its_shard() {
        let mut notes = stored();
        let freshness = load(&notes);
        let later = now() + TimeDelta::days(80); // those of 255 to 241 hours ago go
        let commit = |changed| {
            write(&mut notes, changed);
            Ok::<_, String>(())
        };
        freshness.save_some(later, commit).unwrap();
        assert_eq!(notes.len(), 241);
    }

    #[test]
    fn what_could_not_be_written_is_written_later() {
        let mut notes = stored();
        let freshness = load(&notes);
        freshness.note([1; 32], seen(0, 9));
        assert_eq!(freshness.save_some(now(), |_| Err("full")), Err("full"));
        assert_eq!(save(&freshness, &mut notes), ["freshness-01"]);
    }

    #[test]
    fn a_pass_writes_a_bounded_part_of_many_links_and_the_next_ones_the_others() {
        const EACH: u32 = 300; // 256 shards of 14,700 bytes: 3.8 MB
        let (freshness, mut notes) = (Freshness::default(), Notes::new());
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
        let first = save(&freshness, &mut notes);
        let bytes: usize = notes.values().map(Vec::len).sum();
        assert!((PASS_BYTES..PASS_BYTES + 20_000).contains(&bytes), "{bytes}");
        poll_all();
        let second = save(&freshness, &mut notes);
        assert!(second.iter().all(|name| !first.contains(name)), "every shard has its turn");
        poll_all();
        let (mut commits, mut shards) = (0, 0);
        let commit = |changed: Vec<Note>| {
            (commits, shards) = (commits + 1, shards + changed.len());
            Ok::<_, String>(())
        };
        freshness.save_all(now(), commit).unwrap();
        assert_eq!((commits, shards), (4, SHARDS));
        assert!(save(&freshness, &mut notes).is_empty());
    }
}
