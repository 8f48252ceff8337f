//! The exact search behind the planner: the heaviest set of sessions that one person can attend, and the price of each
//! session that is not in it.
//!
//! Works on numbers alone: seconds, weights and indexes. Invariant: the order of the candidates decides only between
//! sets of equal weight.
//!
//! # Why a path
//!
//! Session `j` can follow session `i` if `end(i) + walk(i, j) <= start(j)`. If `j` can follow `i` and `k` can follow
//! `j`, then `k` can follow `i`: walking times obey the triangle inequality and sessions have a duration, so
//!
//! ```text
//! end(i) + walk(i, k) <= end(i) + walk(i, j) + walk(j, k) <= start(j) + walk(j, k)
//!                      <  end(j) + walk(j, k)             <= start(k)
//! ```
//!
//! So a sequence in which each session can follow the one before it has no two sessions that exclude each other, and the
//! best set is the heaviest path. Let `f(i)` be the weight of the heaviest path that ends with `i`, and `b(i)` that of
//! the heaviest path that begins with `i`. The best set that contains `i` weighs `f(i) + b(i) - w(i)`, and the price of
//! `i` is the difference to the best set.
//!
//! # Repeats
//!
//! Of the candidates of one talk at most one may be taken, which a path cannot express. The search ignores this rule
//! first, which gives an upper bound. Where the path has a talk twice, the search branches: one branch for each time of
//! the talk, without the others. It follows the branch with the highest bound, so the first path without a repeat is the
//! best one. All branches together may take a limited number of steps; [`SearchResult::is_exact`] says whether the limit
//! was reached.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ops::{Add, Sub};

/// The value of a set of sessions. Weights are compared lexicographically: one must outweighs any number of wants, and
/// a want any number of maybes. The difference of two weights may have negative parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct PickWeight {
    /// Sessions that the attendee must see.
    pub musts: i32,
    /// Sessions that the attendee wants to see.
    pub wants: i32,
    /// Sessions that the attendee may see.
    pub maybes: i32,
}

impl Add for PickWeight {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            musts: self.musts + other.musts,
            wants: self.wants + other.wants,
            maybes: self.maybes + other.maybes,
        }
    }
}

impl Sub for PickWeight {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self {
            musts: self.musts - other.musts,
            wants: self.wants - other.wants,
            maybes: self.maybes - other.maybes,
        }
    }
}

/// A session that may be taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct PickCandidate {
    /// The first second.
    pub(super) start: i64,
    /// The first second after the session, later than `start`.
    pub(super) end: i64,
    /// The value of the session, more than zero.
    pub(super) weight: PickWeight,
    /// The talk, which may have several candidates.
    pub(super) talk: usize,
}

/// The best set, and the price of each candidate outside of it.
#[derive(Debug, Default)]
pub(super) struct SearchResult {
    /// The indexes of the taken candidates, by time.
    pub(super) taken: Vec<usize>,
    /// The weight of the taken candidates.
    pub(super) weight: PickWeight,
    /// For each candidate the best set that contains it.
    pub(super) with: Vec<With>,
    /// Whether the search ended before the limit of steps.
    pub(super) is_exact: bool,
}

/// The best set that contains a candidate.
#[derive(Debug, Clone, Default)]
pub(super) struct With {
    /// The weight of the best set minus the weight of this one.
    pub(super) price: PickWeight,
    /// The indexes of the taken candidates, by time.
    pub(super) taken: Vec<usize>,
}

/// A weight, and the number of candidates that are in the best set too. Of two sets with equal weight the search prefers
/// the one that is more like the best set, so that it names no more sessions than necessary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Score(PickWeight, i32);

impl Add for Score {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }
}

/// Finds the best set and all prices.
///
/// `walk` returns the seconds from one candidate's room to another's, at most `longest`. The branches take at
/// most `steps` steps; one step compares a candidate with one that it can follow.
pub(super) fn search(
    candidates: &[PickCandidate],
    walk: impl Fn(usize, usize) -> i64,
    longest: i64,
    steps: usize,
) -> SearchResult {
    let spans = candidates.iter().map(|it| (it.start, it.end));
    let mirrored = candidates.iter().map(|it| (-it.end, -it.start));
    let search = Search {
        candidates,
        forward: Side::of(&spans.collect::<Vec<_>>(), &walk, longest),
        backward: Side::of(&mirrored.collect::<Vec<_>>(), &walk, longest),
    };
    let mut left = steps;
    let all = vec![true; candidates.len()];
    let plain: Vec<Score> = candidates.iter().map(|it| Score(it.weight, 0)).collect();
    let best = search.best(&plain, all.clone(), &mut left);
    let weight = best.score.0;
    let mut is_exact = best.is_exact;
    let mut scores = plain;
    for index in &best.taken {
        if let Some(score) = scores.get_mut(*index) {
            score.1 = 1;
        }
    }
    let (ahead, behind) = (search.forward.sweep(&scores, &all), search.backward.sweep(&scores, &all));
    let with = (0..candidates.len()).map(|index| {
        if best.taken.contains(&index) {
            return With { price: PickWeight::default(), taken: best.taken.clone() };
        }
        let mut taken = ahead.path(index);
        let onward = behind.path(index);
        taken.extend(onward.iter().rev().skip(1));
        // The path ignores repeats, so no set with this candidate is better. Without a repeat it is the best such set.
        if search.repeated(&taken).is_some() {
            if left < search.steps_of_branch() {
                is_exact = false;
                taken = search.without_repeats(&scores, &taken, Some(index)).1;
            } else {
                left -= search.steps_of_branch();
                let found = search.best(&scores, search.around(index, &walk), &mut left);
                is_exact &= found.is_exact;
                taken = found.taken;
            }
        }
        With { price: weight - search.weight_of(&taken), taken }
    });
    let with = with.collect();
    SearchResult { taken: best.taken, weight, with, is_exact }
}

struct Search<'a> {
    candidates: &'a [PickCandidate],
    forward: Side,
    backward: Side,
}

/// The best set of some candidates.
struct Best {
    taken: Vec<usize>,
    score: Score,
    is_exact: bool,
}

/// A branch: the candidates that are left, and the heaviest path of them. The highest score comes first, then the oldest
/// branch.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Branch {
    score: Score,
    age: Reverse<usize>,
    taken: Vec<usize>,
    alive: Vec<bool>,
}

impl Search<'_> {
    fn weight_of(&self, taken: &[usize]) -> PickWeight {
        let weights = taken.iter().filter_map(|index| self.candidates.get(*index)).map(|it| it.weight);
        weights.fold(PickWeight::default(), PickWeight::add)
    }

    fn talk(&self, index: usize) -> Option<usize> {
        self.candidates.get(index).map(|candidate| candidate.talk)
    }

    /// The first talk that a set has more than once.
    fn repeated(&self, taken: &[usize]) -> Option<usize> {
        let mut talks: Vec<usize> = taken.iter().filter_map(|index| self.talk(*index)).collect();
        talks.sort_unstable();
        let twice = talks.windows(2).find(|pair| pair.first() == pair.last())?;
        twice.first().copied()
    }

    /// The steps of one sweep.
    fn steps_of_branch(&self) -> usize {
        self.forward.order.len() + self.forward.near.iter().map(Vec::len).sum::<usize>()
    }

    /// The candidates that can be taken together with one candidate, and that candidate. Every candidate weighs more than
    /// nothing, so each best set of these contains it.
    fn around(&self, index: usize, walk: &impl Fn(usize, usize) -> i64) -> Vec<bool> {
        let Some(own) = self.candidates.get(index) else { return Vec::new() };
        let fits = |(other, it): (usize, &PickCandidate)| {
            let way = walk(index, other);
            let is_apart = it.end + way <= own.start || own.end + way <= it.start;
            other == index || (is_apart && it.talk != own.talk)
        };
        self.candidates.iter().enumerate().map(fits).collect()
    }

    fn best(&self, scores: &[Score], alive: Vec<bool>, left: &mut usize) -> Best {
        let mut open = BinaryHeap::from([self.branch(scores, alive, 0)]);
        let mut made = 1;
        let mut fallback: Option<(Score, Vec<usize>)> = None;
        while let Some(Branch { taken, alive, score, .. }) = open.pop() {
            let Some(talk) = self.repeated(&taken) else {
                return Best { taken, score, is_exact: true };
            };
            let repaired = self.without_repeats(scores, &taken, None);
            if fallback.as_ref().is_none_or(|(score, _)| repaired.0 > *score) {
                fallback = Some(repaired);
            }
            let times = (0..self.candidates.len()).filter(|index| self.talk(*index) == Some(talk));
            let times: Vec<usize> = times.filter(|index| alive.get(*index) == Some(&true)).collect();
            let steps = times.len() * self.steps_of_branch();
            if *left < steps {
                break;
            }
            *left -= steps;
            for kept in &times {
                let mut alive = alive.clone();
                for other in times.iter().filter(|other| *other != kept) {
                    if let Some(alive) = alive.get_mut(*other) {
                        *alive = false;
                    }
                }
                open.push(self.branch(scores, alive, made));
                made += 1;
            }
        }
        let (score, taken) = fallback.unwrap_or_default();
        Best { taken, score, is_exact: false }
    }

    fn branch(&self, scores: &[Score], alive: Vec<bool>, age: usize) -> Branch {
        let sweep = self.forward.sweep(scores, &alive);
        let taken = sweep.last.map(|last| sweep.path(last)).unwrap_or_default();
        let score = sweep.last.and_then(|last| sweep.best.get(last)).copied().unwrap_or_default();
        Branch { score, age: Reverse(age), taken, alive }
    }

    /// The set with each talk at most once: at the time to keep, else at its heaviest time, then its earliest one.
    fn without_repeats(&self, scores: &[Score], taken: &[usize], keep: Option<usize>) -> (Score, Vec<usize>) {
        let score = |index: &usize| scores.get(*index).copied().unwrap_or_default();
        let worth = |index: &usize| (Some(*index) == keep, score(index), Reverse(*index));
        let mut best: HashMap<Option<usize>, usize> = HashMap::with_capacity(taken.len());
        for index in taken {
            let chosen = best.entry(self.talk(*index)).or_insert(*index);
            if worth(index) > worth(chosen) {
                *chosen = *index;
            }
        }
        let is_kept = |index: &&usize| best.get(&self.talk(**index)) == Some(*index);
        let kept: Vec<usize> = taken.iter().filter(is_kept).copied().collect();
        (kept.iter().map(score).fold(Score::default(), Score::add), kept)
    }
}

/// The candidates in the order of one direction of time, with the candidates that each one can follow.
struct Side {
    order: Vec<usize>,
    /// For each candidate the number of candidates, from the beginning of the order, that end so early that it can follow
    /// them from any room.
    settled: Vec<usize>,
    /// For each candidate the later ones that it can follow, which depends on the rooms.
    near: Vec<Vec<usize>>,
}

/// The heaviest path to each candidate.
struct Sweep {
    best: Vec<Score>,
    before: Vec<Option<usize>>,
    /// The last candidate of the heaviest path.
    last: Option<usize>,
}

impl Side {
    fn of(spans: &[(i64, i64)], walk: &impl Fn(usize, usize) -> i64, longest: i64) -> Self {
        let span = |index: usize| spans.get(index).copied().unwrap_or_default();
        let mut order: Vec<usize> = (0..spans.len()).collect();
        order.sort_by_key(|index| {
            let (start, end) = span(*index);
            (end, start, *index)
        });
        let ends_by = |time: i64| order.partition_point(|index| span(*index).1 <= time);
        let (mut settled, mut near) = (Vec::with_capacity(spans.len()), Vec::with_capacity(spans.len()));
        for (index, (start, _)) in spans.iter().enumerate() {
            let first = ends_by(start.saturating_sub(longest));
            let window = order.get(first..ends_by(*start)).unwrap_or_default();
            let can_follow = |other: &&usize| span(**other).1 + walk(**other, index) <= *start;
            settled.push(first);
            near.push(window.iter().filter(can_follow).copied().collect());
        }
        Self { order, settled, near }
    }

    fn sweep(&self, scores: &[Score], alive: &[bool]) -> Sweep {
        let mut best = vec![Score::default(); self.order.len()];
        let mut before = vec![None; self.order.len()];
        // The heaviest path to any of the first candidates of the order.
        let mut heaviest: Vec<(Score, Option<usize>)> = Vec::with_capacity(self.order.len() + 1);
        heaviest.push((Score::default(), None));
        for index in &self.order {
            let settled = self.settled.get(*index).and_then(|count| heaviest.get(*count)).copied();
            let mut longest = settled.unwrap_or_default();
            let mut next = heaviest.last().copied().unwrap_or_default();
            if alive.get(*index) == Some(&true) {
                for other in self.near.get(*index).into_iter().flatten() {
                    let path = best.get(*other).copied().unwrap_or_default();
                    if alive.get(*other) == Some(&true) && path > longest.0 {
                        longest = (path, Some(*other));
                    }
                }
                let own = scores.get(*index).copied().unwrap_or_default() + longest.0;
                if let (Some(best), Some(before)) = (best.get_mut(*index), before.get_mut(*index)) {
                    (*best, *before) = (own, longest.1);
                }
                if own > next.0 {
                    next = (own, Some(*index));
                }
            }
            heaviest.push(next);
        }
        Sweep { best, before, last: heaviest.last().and_then(|(_, last)| *last) }
    }
}

impl Sweep {
    /// The heaviest path that ends with a candidate, in the order of the sweep.
    fn path(&self, last: usize) -> Vec<usize> {
        let step = |index: &usize| self.before.get(*index).copied().flatten();
        let mut path: Vec<usize> = std::iter::successors(Some(last), step).collect();
        path.reverse();
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Rooms on a line: the walk between two of them is their distance, which is a metric.
    fn line(places: &[i64]) -> impl Fn(usize, usize) -> i64 {
        let places = places.to_vec();
        move |a, b| (places[a] - places[b]).abs()
    }

    fn weight(rank: u8) -> PickWeight {
        let mut weight = PickWeight::default();
        match rank {
            0 => weight.musts = 1,
            1 => weight.wants = 1,
            _ => weight.maybes = 1,
        }
        weight
    }

    fn can_follow(
        candidates: &[PickCandidate],
        walk: &impl Fn(usize, usize) -> i64,
        i: usize,
        j: usize,
    ) -> bool {
        candidates[i].end + walk(i, j) <= candidates[j].start
    }

    /// The weight of the best set, and that of the best set with each candidate, among all sets.
    fn brute(
        candidates: &[PickCandidate],
        walk: &impl Fn(usize, usize) -> i64,
    ) -> (PickWeight, Vec<PickWeight>) {
        let n = candidates.len();
        let mut best = PickWeight::default();
        let mut with = vec![PickWeight { musts: -1, ..PickWeight::default() }; n];
        for set in 0u32..1 << n {
            let members: Vec<usize> = (0..n).filter(|i| set & (1 << i) != 0).collect();
            let fits = members.iter().all(|i| {
                members.iter().all(|j| {
                    i == j
                        || candidates[*i].talk != candidates[*j].talk
                            && (can_follow(candidates, walk, *i, *j) || can_follow(candidates, walk, *j, *i))
                })
            });
            if !fits {
                continue;
            }
            let total = members.iter().fold(PickWeight::default(), |sum, i| sum + candidates[*i].weight);
            best = best.max(total);
            members.iter().for_each(|i| with[*i] = with[*i].max(total));
        }
        (best, with)
    }

    fn is_valid(candidates: &[PickCandidate], walk: &impl Fn(usize, usize) -> i64, taken: &[usize]) -> bool {
        let mut talks: Vec<usize> = taken.iter().map(|i| candidates[*i].talk).collect();
        talks.sort_unstable();
        talks.windows(2).all(|pair| pair[0] != pair[1])
            && taken.windows(2).all(|pair| can_follow(candidates, walk, pair[0], pair[1]))
    }

    fn candidate() -> impl Strategy<Value = (PickCandidate, i64)> {
        (0i64..40, 1i64..12, 0u8..3, 0usize..8, 0i64..6).prop_map(|(start, length, rank, talk, place)| {
            (PickCandidate { start, end: start + length, weight: weight(rank), talk }, place)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

        #[test]
        fn the_optimum_and_every_price_are_those_of_all_sets(
            picks in prop::collection::vec(candidate(), 0..12),
            with_repeats: bool,
        ) {
            let (mut candidates, places): (Vec<_>, Vec<_>) = picks.into_iter().unzip();
            if !with_repeats {
                candidates.iter_mut().enumerate().for_each(|(n, it)| it.talk = n);
            }
            let walk = line(&places);
            let found = search(&candidates, &walk, 6, usize::MAX);
            let (best, with) = brute(&candidates, &walk);
            prop_assert!(found.is_exact && is_valid(&candidates, &walk, &found.taken));
            prop_assert_eq!(found.weight, best);
            for (index, expected) in with.iter().enumerate() {
                let own = &found.with[index];
                prop_assert_eq!(own.price, best - *expected, "{}", index);
                prop_assert!(own.taken.contains(&index) && is_valid(&candidates, &walk, &own.taken));
            }
        }

        #[test]
        fn a_reached_limit_is_reported_and_gives_a_valid_set(
            picks in prop::collection::vec(candidate(), 0..12),
            steps in 0usize..200,
        ) {
            let (candidates, places): (Vec<_>, Vec<_>) = picks.into_iter().unzip();
            let walk = line(&places);
            let found = search(&candidates, &walk, 6, steps);
            prop_assert!(is_valid(&candidates, &walk, &found.taken));
            prop_assert!(found.with.iter().all(|with| is_valid(&candidates, &walk, &with.taken)));
            if found.is_exact {
                prop_assert_eq!(found.weight, brute(&candidates, &walk).0);
            }
        }
    }

    #[test]
    fn one_must_outweighs_any_number_of_wants() {
        let long = PickCandidate { start: 0, end: 100, weight: weight(0), talk: 100 };
        let short =
            |n: i64| PickCandidate { start: n, end: n + 1, weight: weight(1), talk: n.try_into().unwrap() };
        let candidates: Vec<PickCandidate> = std::iter::once(long).chain((0..100).map(short)).collect();
        let found = search(&candidates, |_, _| 0, 0, 0);
        assert_eq!((found.taken, found.weight), (vec![0], weight(0)));
        assert_eq!(found.with[1].price, PickWeight { musts: 1, wants: -100, maybes: 0 });
    }

    #[test]
    fn a_set_with_a_session_keeps_as_much_of_the_best_set_as_it_can() {
        let at = |start, end, rank, talk| PickCandidate { start, end, weight: weight(rank), talk };
        // 1 and 2 are the same hour and weigh the same, and so do 0 and 3.
        let candidates = [at(0, 10, 1, 0), at(10, 20, 1, 1), at(10, 20, 1, 2), at(0, 10, 1, 3)];
        let found = search(&candidates, |_, _| 0, 0, 0);
        assert_eq!(found.taken, [0, 1]);
        assert_eq!(found.with[2].taken, [0, 2]);
        assert_eq!(found.with[3].taken, [3, 1]);
    }
}
