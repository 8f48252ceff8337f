//! How many clients fetch the public feeds, by kind of feed, family of clients and release.
//!
//! Subscribers of a public feed have no token, and nothing about them may be stored. So a client is hashed with a key
//! that only this process knows, and the hash only updates a sketch that estimates a number of distinct hashes
//! (HyperLogLog; Flajolet et al., 2007). Neither clients nor hashes can be read from a sketch. Sketches can be merged,
//! so a client that fetched release 2 and then release 3 counts once, for release 3.
//!
//! Google and Microsoft fetch once for many people, and many people may share an address and an app, so the numbers are
//! lower bounds of people. Invariant: memory does not grow with clients: each kind and family has at most
//! [`MAX_DAYS`] × [`MAX_RELEASES_PER_DAY`] sketches.

use super::Family;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};

/// What a feed contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedKind {
    /// The whole program, or a part of it that a filter chooses.
    Program,
    /// A track.
    Track,
    /// A room, a day or a speaker.
    Part,
    /// An agenda.
    Agenda,
}

impl FeedKind {
    /// The name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Track => "track",
            Self::Part => "part",
            Self::Agenda => "agenda",
        }
    }
}

/// The number of recent clients that fetch one kind of feed and belong to one family, such as Apple's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// The kind of feed.
    pub kind: FeedKind,
    /// The family of the clients.
    pub client: Family,
    /// The number of clients by the newest release that they have, the newest first.
    pub releases: Vec<(u64, usize)>,
    /// The last fetch.
    pub last: DateTime<Utc>,
}

impl Audience {
    pub(super) fn new(kind: FeedKind, client: Family, last: DateTime<Utc>) -> Self {
        Self { kind, client, releases: Vec::new(), last }
    }
}

/// The days that are kept, today included.
const MAX_DAYS: usize = 2;

/// The most releases of one day that have counts of their own. Clients with an older release count for the oldest of
/// them.
const MAX_RELEASES_PER_DAY: usize = 8;

/// The kinds of public feeds.
const PUBLIC_KINDS: [FeedKind; 3] = [FeedKind::Program, FeedKind::Track, FeedKind::Part];

/// The fetches of public feeds: a cell for each kind of feed and each family.
#[derive(Debug)]
pub(super) struct PublicFetches {
    hasher: RandomState,
    cells: [Vec<Mutex<FetchCounts>>; PUBLIC_KINDS.len()],
}

impl Default for PublicFetches {
    fn default() -> Self {
        let cells = || Family::ALL.iter().map(|_| Mutex::default()).collect();
        Self { hasher: RandomState::new(), cells: std::array::from_fn(|_| cells()) }
    }
}

/// The last days of one kind and family, the oldest first.
#[derive(Debug, Default)]
struct FetchCounts {
    days: VecDeque<FetchDay>,
    last: Option<DateTime<Utc>>,
}

#[derive(Debug, Default)]
struct FetchDay {
    /// The number of the day since 1970.
    number: i64,
    releases: BTreeMap<u64, Sketch>,
}

impl FetchCounts {
    fn note(&mut self, hash: u64, release: u64, at: DateTime<Utc>) {
        let number = day_of(at);
        self.last = self.last.max(Some(at));
        let known = self.days.iter().position(|day| day.number == number);
        let place = known.unwrap_or_else(|| {
            self.days.push_back(FetchDay { number, ..FetchDay::default() });
            while self.days.len() > MAX_DAYS {
                self.days.pop_front();
            }
            self.days.len() - 1
        });
        let Some(day) = self.days.get_mut(place) else { return };
        day.releases.entry(release).or_default().add(hash);
        if day.releases.len() > MAX_RELEASES_PER_DAY
            && let Some((_, oldest)) = day.releases.pop_first()
            && let Some(mut next) = day.releases.first_entry()
        {
            next.get_mut().merge(&oldest);
        }
    }

    /// The number of clients since yesterday, by the newest release that they have.
    fn releases(&self, now: DateTime<Utc>) -> Vec<(u64, usize)> {
        let mut sketches: BTreeMap<u64, Sketch> = BTreeMap::new();
        let oldest = day_of(now) - 1;
        for (release, sketch) in
            self.days.iter().filter(|day| day.number >= oldest).flat_map(|day| &day.releases)
        {
            sketches.entry(*release).or_default().merge(sketch);
        }
        let (mut all, mut before) = (Sketch::default(), 0);
        let count = |(release, sketch): (u64, Sketch)| {
            all.merge(&sketch);
            let total = all.estimate();
            let clients = total.saturating_sub(before);
            before = total;
            (release, clients)
        };
        let counted = sketches.into_iter().rev().map(count);
        counted.filter(|(_, clients)| *clients > 0).collect()
    }
}

fn day_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(24 * 60 * 60)
}

impl PublicFetches {
    pub(super) fn note(
        &self,
        kind: FeedKind,
        by: Family,
        client: impl Hash,
        release: u64,
        at: DateTime<Utc>,
    ) {
        let hash = self.hasher.hash_one(client);
        let cells =
            PUBLIC_KINDS.iter().position(|known| *known == kind).and_then(|place| self.cells.get(place));
        let place = Family::ALL.iter().position(|known| *known == by);
        if let Some(cell) = cells.zip(place).and_then(|(cells, place)| cells.get(place)) {
            cell.lock().unwrap_or_else(PoisonError::into_inner).note(hash, release, at);
        }
    }

    pub(super) fn audience(&self, now: DateTime<Utc>) -> Vec<Audience> {
        let mut found = Vec::new();
        for (kind, cells) in PUBLIC_KINDS.iter().zip(&self.cells) {
            for (client, cell) in Family::ALL.iter().zip(cells) {
                let cell = cell.lock().unwrap_or_else(PoisonError::into_inner);
                let releases = cell.releases(now);
                if let Some(last) = cell.last.filter(|_| !releases.is_empty()) {
                    found.push(Audience { releases, ..Audience::new(*kind, *client, last) });
                }
            }
        }
        found
    }
}

/// The bits of a hash that choose a register.
const REGISTER_BITS: u32 = 10;

/// The registers of a sketch: 1 KiB, a standard error of 3 %.
const REGISTER_COUNT: usize = 1 << REGISTER_BITS;

/// An estimate of a number of distinct hashes.
#[derive(Debug, Clone)]
struct Sketch(Box<[u8]>);

impl Default for Sketch {
    fn default() -> Self {
        Self(vec![0; REGISTER_COUNT].into())
    }
}

impl Sketch {
    /// Adds a hash: the register that its last bits choose keeps the longest run of leading zeros.
    fn add(&mut self, hash: u64) {
        let place = usize::try_from(hash % REGISTER_COUNT as u64).unwrap_or_default();
        let rest = (hash >> REGISTER_BITS).leading_zeros() - REGISTER_BITS;
        let rank = u8::try_from(rest + 1).unwrap_or(u8::MAX);
        if let Some(register) = self.0.get_mut(place) {
            *register = rank.max(*register);
        }
    }

    fn merge(&mut self, other: &Self) {
        for (register, other) in self.0.iter_mut().zip(&other.0) {
            *register = (*register).max(*other);
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate of at most some billions"
    )]
    fn estimate(&self) -> usize {
        const M: f64 = REGISTER_COUNT as f64;
        /// The correction for the bias of the harmonic mean.
        const ALPHA: f64 = 0.7213 / (1.0 + 1.079 / M);
        let sum: f64 = self.0.iter().map(|register| f64::from(*register).exp2().recip()).sum();
        let raw = ALPHA * M * M / sum;
        let empty = self.0.iter().filter(|register| **register == 0).count();
        // For few hashes, the number of empty registers gives a better estimate (linear counting).
        let estimate = if raw <= 2.5 * M && empty > 0 { M * (M / empty as f64).ln() } else { raw };
        estimate.round() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_742_860_800 + hour * 3600, 0).unwrap() // 2025-03-25T00:00:00Z
    }

    /// Whether the only row has these counts. They are estimates with random hashes, so each may be off by two.
    fn has_counts(fetches: &PublicFetches, hour: i64, expected: &[(u64, usize)]) -> bool {
        let mut rows = fetches.audience(at(hour));
        assert_eq!(rows.len(), 1, "{rows:?}");
        let counts = rows.remove(0).releases;
        counts.len() == expected.len()
            && counts.iter().zip(expected).all(|(a, b)| a.0 == b.0 && a.1.abs_diff(b.1) <= 2)
    }

    #[test]
    fn a_client_counts_once_for_the_newest_release_that_it_has() {
        let fetches = PublicFetches::default();
        let note = |client: u32, release, hour| {
            fetches.note(FeedKind::Program, Family::Apple, client, release, at(hour));
        };
        (0..20).for_each(|client| note(client, 4, 1));
        (0..20).for_each(|client| note(client, 4, 2));
        assert!(has_counts(&fetches, 3, &[(4, 20)]));
        (0..5).for_each(|client| note(client, 5, 3));
        assert!(has_counts(&fetches, 4, &[(5, 5), (4, 15)]));
        assert!(has_counts(&fetches, 30, &[(5, 5), (4, 15)]), "the next day");
        (0..20).for_each(|client| note(client, 5, 31));
        assert!(has_counts(&fetches, 32, &[(5, 20)]));
        assert!(fetches.audience(at(24 * 3)).is_empty(), "two days later");
    }

    #[test]
    fn kinds_and_families_are_counted_separately() {
        let fetches = PublicFetches::default();
        for (kind, by) in [(FeedKind::Track, Family::Google), (FeedKind::Program, Family::Other)] {
            fetches.note(kind, by, "somebody", 1, at(1));
        }
        let rows = fetches.audience(at(1));
        let rows: Vec<_> = rows.iter().map(|row| (row.kind, row.client, row.releases.as_slice())).collect();
        let one = [(1, 1)];
        assert_eq!(
            rows,
            [
                (FeedKind::Program, Family::Other, one.as_slice()),
                (FeedKind::Track, Family::Google, one.as_slice()),
            ]
        );
    }

    #[test]
    fn memory_is_bounded_by_days_and_releases() {
        let mut cell = FetchCounts::default();
        for release in 0..100_u64 {
            cell.note(
                release.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                release,
                at(i64::try_from(release).unwrap()),
            );
            cell.note(7, release, at(99));
        }
        assert!(
            cell.days.len() <= MAX_DAYS
                && cell.days.iter().all(|day| day.releases.len() <= MAX_RELEASES_PER_DAY)
        );
    }

    #[test]
    fn estimates_are_close() {
        let hasher = RandomState::new();
        for clients in [1_u32, 10, 100, 1_000, 10_000, 100_000] {
            let mut sketch = Sketch::default();
            (0..clients).for_each(|client| sketch.add(hasher.hash_one(client)));
            let (estimate, real) = (sketch.estimate(), usize::try_from(clients).unwrap());
            // Six standard errors, so that the test does not fail by chance.
            assert!(estimate.abs_diff(real) <= 1 + real / 5, "{estimate} for {real}");
        }
    }

    proptest! {
        #[test]
        fn a_merged_sketch_estimates_like_one_with_all_hashes(
            a in prop::collection::vec(any::<u64>(), 0..200),
            b in prop::collection::vec(any::<u64>(), 0..200),
        ) {
            let sketch = |hashes: &[&[u64]]| {
                let mut sketch = Sketch::default();
                hashes.iter().copied().flatten().for_each(|hash| sketch.add(*hash));
                sketch
            };
            let mut merged = sketch(&[&a]);
            merged.merge(&sketch(&[&b]));
            prop_assert_eq!(merged.estimate(), sketch(&[&a, &b]).estimate());
        }
    }
}
