//! The one model of all exports: which sessions, in which rooms, on which days.

use super::ident::room_guid;
use super::item::Item;
use crate::program::{Civil, Conference, Lanes, Text, Track, Zone};
use crate::release::Release;
use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveTime, Offset, TimeZone, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// A release as frab's tools see a conference.
#[derive(Debug)]
pub struct Schedule<'a> {
    /// Whose schedule it is.
    pub release: &'a Release,
    /// The conference's slug in the form that both frab schemas accept: no hyphens, at least four characters.
    pub acronym: String,
    /// Every room, in the order of its first session; a declared room before the others.
    pub rooms: Vec<Room>,
    /// Every day of the conference, and those outside it that have a session.
    pub days: Vec<Day<'a>>,
}

/// A place of sessions: a named room, else the track, else the venue, else the conference itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Never empty.
    pub name: Text,
    /// Stable.
    pub guid: Uuid,
}

/// A day by the venue's date.
#[derive(Debug)]
pub struct Day<'a> {
    /// From 1.
    pub index: usize,
    /// The date.
    pub date: NaiveDate,
    /// Its first instant.
    pub start: DateTime<FixedOffset>,
    /// The first instant of the next day.
    pub end: DateTime<FixedOffset>,
    /// Its sessions by room, rooms without any left out.
    pub rooms: Vec<(Room, Vec<Item<'a>>)>,
}

impl<'a> Schedule<'a> {
    /// The sessions of a release that take place; frab has no word for a cancelled one.
    pub fn of(release: &'a Release) -> Self {
        let conference: &Conference = &release.program.conference;
        let zone = conference.zone;
        let acronym = acronym(conference.slug.as_str());
        let entries = release.shown().into_iter().filter(|entry| !entry.is_cancelled());
        let mut items: Vec<Item<'a>> = entries.map(|entry| Item::of(entry, release, &acronym)).collect();
        spread(&mut items);
        let domain = &release.ledger.uid_domain;
        let mut rooms: Vec<Room> = Vec::new();
        let mut places: HashMap<Text, usize> = HashMap::new();
        let declared = conference.rooms.iter().map(|room| &room.name);
        let used: BTreeSet<&Text> = items.iter().map(|item| &item.room).collect();
        for name in declared.filter(|name| used.contains(name)).chain(items.iter().map(|item| &item.room)) {
            places.entry(name.clone()).or_insert_with(|| {
                rooms.push(Room { name: name.clone(), guid: room_guid(name, domain) });
                rooms.len() - 1
            });
        }
        let mut dates: BTreeSet<NaiveDate> = items.iter().map(|item| item.day).collect();
        if let Some((first, last)) = conference.dates {
            dates.extend(first.iter_days().take_while(|day| *day <= last));
        }
        if dates.is_empty() {
            // Both schemas want a day, and a program without sessions or dates has only the release's.
            dates.insert(zone.civil(release.published()).date());
        }
        // By day and by the place of the room.
        let mut held: HashMap<NaiveDate, BTreeMap<usize, Vec<Item<'a>>>> = HashMap::new();
        for item in items {
            if let Some(place) = places.get(&item.room) {
                held.entry(item.day).or_default().entry(*place).or_default().push(item);
            }
        }
        let mut rooms_of = |date: &NaiveDate| -> Vec<(Room, Vec<Item<'a>>)> {
            let held = held.remove(date).unwrap_or_default();
            held.into_iter().filter_map(|(place, items)| Some((rooms.get(place)?.clone(), items))).collect()
        };
        let days = dates
            .into_iter()
            .enumerate()
            .map(|(index, date)| Day {
                index: index + 1,
                date,
                start: local(zone, midnight(zone, date)),
                end: local(zone, midnight(zone, date + Days::new(1))),
                rooms: rooms_of(&date),
            })
            .collect();
        Self { release, acronym, rooms, days }
    }

    /// The conference.
    pub fn conference(&self) -> &'a Conference {
        &self.release.program.conference
    }

    /// The tracks, those that are announced but still empty included.
    pub fn tracks(&self) -> &'a [Track] {
        &self.release.program.tracks
    }

    /// The first and the last day.
    pub fn span(&self) -> (NaiveDate, NaiveDate) {
        let date = |day: Option<&Day<'_>>| day.map(|day| day.date).unwrap_or_default();
        (date(self.days.first()), date(self.days.last()))
    }
}

/// Gives sessions that share a stand-in for a room at one time a place of their own each, `Track 1 (2)`, since
/// EventFahrplan cuts off all but one. What the program says of rooms is left as it is.
fn spread(items: &mut [Item<'_>]) {
    let mut taken: HashMap<Text, Lanes> = HashMap::new();
    for item in items {
        let lanes = taken.entry(item.room.clone()).or_default();
        let slot = &item.session().slot;
        let lane = match slot.room {
            Some(_) => {
                lanes.share_first(slot.end);
                0
            }
            None => lanes.take(slot.start, slot.end),
        };
        if lane > 0 {
            item.room = Text::line(&format!("{} ({})", item.room, lane + 1)).0;
        }
    }
}

/// An instant with the venue's offset.
pub(super) fn local(zone: Zone, at: DateTime<Utc>) -> DateTime<FixedOffset> {
    let offset = FixedOffset::east_opt(zone.offset(at)).unwrap_or_else(|| Utc.fix());
    offset.from_utc_datetime(&at.naive_utc())
}

/// The first instant of a day. Where the clock skips midnight, the day starts with the jump.
fn midnight(zone: Zone, date: NaiveDate) -> DateTime<Utc> {
    match zone.instant(date.and_time(NaiveTime::MIN)) {
        Civil::Once(at) | Civil::Twice(at, _) | Civil::Skipped(at, _) => at,
    }
}

fn acronym(slug: &str) -> String {
    let mut acronym = slug.replace('-', "_");
    if acronym.len() < 4 {
        acronym.push_str("_conf");
    }
    acronym
}

/// A slug as both schemas accept it: at least two characters, a letter first.
pub(super) fn track_slug(track: &Track) -> Option<&str> {
    let slug = track.slug.as_str();
    (slug.len() > 1 && slug.starts_with(|c: char| c.is_ascii_lowercase())).then_some(slug)
}
