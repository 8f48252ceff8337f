//! Walking times between rooms, as the config gives them, and the times that follow from them.
//!
//! Invariant: the times of [`WalkingTimes`] are a metric over rooms and sessions without a room. They are symmetric, the
//! time from a room to itself is 0, and no time is longer than a detour. The planner relies on it.

use super::{Slug, Text, slug_of};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most rooms that walking times may name. The times of all pairs are computed, in cubic time.
pub const MAX_PLACES: usize = 250;

/// The walking times of the config.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Walking {
    /// The minutes between two rooms that no entry connects.
    pub default: u16,
    /// Groups of rooms between which nobody has to walk, unless an entry says otherwise.
    pub buildings: Vec<Building>,
    /// The minutes between two rooms or buildings.
    pub between: Vec<Walk>,
}

/// A group of rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Building {
    /// The building's name.
    pub name: Text,
    /// The slugs of its rooms.
    pub rooms: Vec<Slug>,
}

/// An entry: the minutes between two rooms or buildings. An entry from a building to itself is about each two of its
/// rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The slug of a building, else of a room.
    pub from: Slug,
    /// The slug of a building, else of a room.
    pub to: Slug,
    /// The minutes of the walk.
    pub minutes: u16,
}

/// An entry that is longer than a detour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortened {
    /// The entry.
    pub walk: Walk,
    /// The two rooms that the detour connects.
    pub rooms: (Slug, Slug),
    /// The room through which the detour leads.
    pub via: Slug,
    /// The minutes of the detour.
    pub minutes: u32,
}

impl Walking {
    /// Whether the config has no walking times.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The building with a slug.
    pub fn building(&self, slug: &Slug) -> Option<&Building> {
        self.buildings.iter().find(|building| slug_of(building.name.as_str()) == *slug)
    }

    /// The rooms that buildings and entries name.
    pub fn rooms(&self) -> BTreeSet<&Slug> {
        let ends = self.between.iter().flat_map(|walk| [&walk.from, &walk.to]);
        let alone = ends.filter(|end| self.building(end).is_none());
        self.buildings.iter().flat_map(|building| &building.rooms).chain(alone).collect()
    }

    /// The entries that are longer than a detour.
    pub fn shortened(&self) -> Vec<Shortened> {
        WalkingTimes::with_entries(self, Slug::clone).1
    }

    /// The rooms of one end of an entry.
    fn rooms_of<'a>(&'a self, end: &'a Slug) -> &'a [Slug] {
        self.building(end).map_or(std::slice::from_ref(end), |building| &building.rooms)
    }
}

/// The walking time between any two rooms.
///
/// Entries make a graph of rooms. Within a connected part of it, the time is that of the shortest way. Callboard does
/// not know the way between two parts, or to a room that no entry names. It takes the default, and at least half of the
/// longest known walk from each of the two rooms: with less, the way through an unknown room would be a detour that is
/// shorter than a known walk. A session without a room counts as half as far away as an unknown room.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WalkingTimes {
    /// All times here are seconds.
    default: u32,
    places: BTreeMap<Slug, usize>,
    /// The shortest ways as a square matrix. [`FAR`] between parts that no entry connects.
    known: Vec<u32>,
    /// The longest known walk from each place.
    longest: Vec<u32>,
}

const FAR: u32 = u32::MAX;

impl WalkingTimes {
    /// Finds the shortest ways. `current` returns the current slug of a renamed room.
    pub fn of(walking: &Walking, current: impl Fn(&Slug) -> Slug) -> Self {
        Self::with_entries(walking, current).0
    }

    fn with_entries(walking: &Walking, current: impl Fn(&Slug) -> Slug) -> (Self, Vec<Shortened>) {
        let rooms: BTreeSet<Slug> = walking.rooms().into_iter().map(&current).collect();
        let n = rooms.len().min(MAX_PLACES);
        let places: BTreeMap<Slug, usize> = rooms.into_iter().zip(0..n).collect();
        let at = |a: usize, b: usize| a * n + b;
        let mut known = vec![FAR; n * n];
        // The index of the entry that gives a time directly.
        let mut source: Vec<Option<usize>> = vec![None; n * n];
        (0..n).for_each(|a| set(&mut known, at(a, a), 0));
        let mut put = |from: &[Slug], to: &[Slug], seconds: u32, entry: Option<usize>| {
            let index = |room: &Slug| places.get(&current(room)).copied();
            for a in from.iter().filter_map(index) {
                for b in to.iter().filter_map(index).filter(|b| *b != a) {
                    for pair in [at(a, b), at(b, a)] {
                        set(&mut known, pair, seconds);
                        set(&mut source, pair, entry);
                    }
                }
            }
        };
        for building in &walking.buildings {
            put(&building.rooms, &building.rooms, 0, None);
        }
        // An entry about rooms is more specific than one about buildings, so it comes later.
        let mut entries: Vec<(usize, &Walk)> = walking.between.iter().enumerate().collect();
        let is_room = |end: &Slug| walking.building(end).is_none();
        entries.sort_by_key(|(_, walk)| u8::from(is_room(&walk.from)) + u8::from(is_room(&walk.to)));
        for (entry, walk) in entries {
            let (from, to) = (walking.rooms_of(&walk.from), walking.rooms_of(&walk.to));
            put(from, to, u32::from(walk.minutes) * 60, Some(entry));
        }
        let given = known.clone();
        close(&mut known, n);
        let mut shortened = Vec::new();
        let names: Vec<&Slug> = places.keys().collect();
        let way = |from: usize, to: usize| known.get(at(from, to)).copied().unwrap_or(FAR);
        for (entry, walk) in walking.between.iter().enumerate() {
            let own = (0..n * n).filter(|pair| source.get(*pair) == Some(&Some(entry)));
            // Of several pairs, the one with the shortest detour is reported.
            let shorter = own.filter(|pair| known.get(*pair) < given.get(*pair));
            let Some(pair) = shorter.min_by_key(|pair| (known.get(*pair), *pair)) else { continue };
            let (a, b) = (pair / n, pair % n);
            let via = (0..n)
                .find(|via| *via != a && *via != b && way(a, *via).saturating_add(way(*via, b)) == way(a, b));
            let named = |place: usize| names.get(place).map(|name| (*name).clone());
            if let (Some(from), Some(to), Some(via)) = (named(a), named(b), via.and_then(named)) {
                let (walk, minutes) = (walk.clone(), way(a, b) / 60);
                shortened.push(Shortened { walk, rooms: (from, to), via, minutes });
            }
        }
        let reached = |row: &[u32]| row.iter().copied().filter(|way| *way != FAR).max().unwrap_or(0);
        let longest = if n == 0 { Vec::new() } else { known.chunks(n).map(reached).collect() };
        (Self { default: u32::from(walking.default) * 60, places, known, longest }, shortened)
    }

    /// Whether nobody ever has to walk.
    pub fn is_zero(&self) -> bool {
        self.default == 0 && self.longest.iter().all(|way| *way == 0)
    }

    /// The longest time between any two rooms.
    pub fn longest(&self) -> TimeDelta {
        let longest = self.longest.iter().copied().max().unwrap_or(0);
        TimeDelta::seconds(self.default.max(longest).into())
    }

    /// The time from one room to another; `None` is the place of a session without a room.
    pub fn between(&self, from: Option<&Slug>, to: Option<&Slug>) -> TimeDelta {
        if from == to { TimeDelta::zero() } else { self.way(self.place(from), self.place(to)) }
    }

    /// The place of a room, for [`Self::way`].
    pub fn place(&self, room: Option<&Slug>) -> RoomPlace {
        match room {
            None => RoomPlace::Nowhere,
            Some(room) => self.places.get(room).map_or(RoomPlace::Unnamed, |index| RoomPlace::Named(*index)),
        }
    }

    /// The time between the places of two different rooms.
    pub fn way(&self, from: RoomPlace, to: RoomPlace) -> TimeDelta {
        let longest = |place: RoomPlace| match place {
            RoomPlace::Named(index) => self.longest.get(index).copied().unwrap_or(0),
            RoomPlace::Unnamed | RoomPlace::Nowhere => 0,
        };
        let unknown = || self.default.max(u32::midpoint(longest(from), longest(to)));
        let seconds = match (from, to) {
            (RoomPlace::Nowhere, RoomPlace::Nowhere) => 0,
            (RoomPlace::Nowhere, room) | (room, RoomPlace::Nowhere) => self.default.max(longest(room)) / 2,
            (RoomPlace::Named(a), RoomPlace::Named(b)) => {
                let known = self.known.get(a * self.longest.len() + b).copied();
                known.filter(|way| *way != FAR).unwrap_or_else(unknown)
            }
            _ => unknown(),
        };
        TimeDelta::seconds(seconds.into())
    }
}

/// Where a room is, as far as the walking times say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomPlace {
    /// The index of a room that the config names.
    Named(usize),
    /// Any other room.
    Unnamed,
    /// The place of a session without a room.
    Nowhere,
}

fn set<T>(values: &mut [T], index: usize, value: T) {
    if let Some(place) = values.get_mut(index) {
        *place = value;
    }
}

/// Replaces each time by that of the shortest way (Floyd and Warshall).
fn close(known: &mut [u32], n: usize) {
    for via in 0..n {
        let Some(onward) = known.get(via * n..(via + 1) * n).map(<[u32]>::to_vec) else { return };
        for row in known.chunks_mut(n) {
            let there = row.get(via).copied().unwrap_or(FAR);
            if there == FAR {
                continue;
            }
            for (way, onward) in row.iter_mut().zip(&onward) {
                *way = (*way).min(there.saturating_add(*onward));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slug(raw: &str) -> Slug {
        Slug::parse(raw).unwrap()
    }

    fn walk(from: &str, to: &str, minutes: u16) -> Walk {
        Walk { from: slug(from), to: slug(to), minutes }
    }

    fn building(name: &str, rooms: &[&str]) -> Building {
        Building { name: Text::from(name), rooms: rooms.iter().map(|room| slug(room)).collect() }
    }

    fn minutes(walking: &Walking, from: &str, to: &str) -> i64 {
        WalkingTimes::of(walking, Slug::clone).between(Some(&slug(from)), Some(&slug(to))).num_minutes()
    }

    #[test]
    fn an_entry_holds_in_both_directions() {
        let walking = Walking { between: vec![walk("ballroom-a", "mezzanine", 10)], ..Walking::default() };
        assert_eq!(minutes(&walking, "ballroom-a", "mezzanine"), 10);
        assert_eq!(minutes(&walking, "mezzanine", "ballroom-a"), 10);
        assert_eq!(minutes(&walking, "mezzanine", "mezzanine"), 0);
        assert_eq!(walking.shortened(), []);
    }

    #[test]
    fn a_room_that_no_entry_names_is_at_least_half_of_a_known_walk_away() {
        let mut walking = Walking { between: vec![walk("aa", "bb", 10)], ..Walking::default() };
        assert_eq!((minutes(&walking, "aa", "xx"), minutes(&walking, "xx", "yy")), (5, 0));
        let times = WalkingTimes::of(&walking, Slug::clone);
        assert_eq!(times.between(None, Some(&slug("bb"))).num_minutes(), 5);
        assert_eq!(
            (times.between(None, None).num_minutes(), times.between(None, Some(&slug("xx"))).num_minutes()),
            (0, 0)
        );
        walking.default = 8;
        assert_eq!((minutes(&walking, "aa", "xx"), minutes(&walking, "xx", "yy")), (8, 8));
        walking.between.push(walk("cc", "dd", 30));
        assert_eq!(minutes(&walking, "aa", "cc"), 20);
    }

    #[test]
    fn rooms_of_a_building_share_its_walks() {
        let walking = Walking {
            default: 3,
            buildings: vec![building("Main House", &["aa", "bb"]), building("Annex", &["cc", "dd"])],
            between: vec![walk("annex", "main-house", 7), walk("cc", "aa", 5), walk("annex", "annex", 1)],
        };
        let found = ["aa bb", "cc dd", "bb cc", "aa cc", "aa dd", "aa xx"]
            .map(|pair| pair.split_once(' ').map(|(a, b)| minutes(&walking, a, b)).unwrap());
        // From bb to cc through aa, since a building's own rooms are 0 minutes apart.
        assert_eq!(found, [0, 1, 5, 5, 6, 3]);
        let shortened = walking.shortened();
        assert_eq!(shortened.len(), 1);
        assert_eq!((shortened[0].walk.minutes, shortened[0].minutes), (7, 5));
    }

    #[test]
    fn an_entry_that_is_longer_than_a_detour_is_shortened_and_reported() {
        let between = vec![walk("aa", "bb", 10), walk("aa", "cc", 2), walk("cc", "bb", 3)];
        let walking = Walking { between, ..Walking::default() };
        assert_eq!(minutes(&walking, "aa", "bb"), 5);
        let (rooms, via) = ((slug("aa"), slug("bb")), slug("cc"));
        assert_eq!(walking.shortened(), [Shortened { walk: walk("aa", "bb", 10), rooms, via, minutes: 5 }]);
    }

    #[test]
    fn a_renamed_room_keeps_its_walks() {
        let walking = Walking { between: vec![walk("old", "bb", 4)], ..Walking::default() };
        let current =
            |slug: &Slug| if slug.as_str() == "old" { Slug::parse("new").unwrap() } else { slug.clone() };
        let times = WalkingTimes::of(&walking, current);
        assert_eq!(times.between(Some(&slug("new")), Some(&slug("bb"))).num_minutes(), 4);
    }

    proptest! {
        #[test]
        fn the_times_are_a_metric(
            default in 0u16..20,
            rooms in prop::collection::vec(0usize..3, 6),
            walks in prop::collection::vec((0usize..8, 0usize..8, 0u16..40), 0..12),
        ) {
            let names = ["r0", "r1", "r2", "r3", "r4", "r5"];
            let inside = |n: usize| -> Vec<&str> {
                names.iter().zip(&rooms).filter(|(_, home)| **home == n).map(|(name, _)| *name).collect()
            };
            let ends = [&names[..], &["north", "south"]].concat();
            let between: Vec<Walk> =
                walks.iter().filter(|(a, b, _)| a != b).map(|(a, b, m)| walk(ends[*a], ends[*b], *m)).collect();
            let buildings = vec![building("North", &inside(1)), building("South", &inside(2))];
            let walking = Walking { default, buildings, between };
            let times = WalkingTimes::of(&walking, Slug::clone);
            let (x, y) = (slug("xx"), slug("yy"));
            let rooms: Vec<Slug> = names.iter().map(|name| slug(name)).collect();
            let mut places: Vec<Option<&Slug>> = rooms.iter().map(Some).collect();
            places.extend([Some(&x), Some(&y), None]);
            for a in &places {
                prop_assert_eq!(times.between(*a, *a), TimeDelta::zero());
                for b in &places {
                    prop_assert_eq!(times.between(*a, *b), times.between(*b, *a));
                    prop_assert!(times.between(*a, *b) <= times.longest());
                    for c in &places {
                        let detour = times.between(*a, *c) + times.between(*c, *b);
                        prop_assert!(times.between(*a, *b) <= detour, "{a:?} {b:?} {c:?} {walking:?}");
                    }
                }
            }
        }
    }
}
