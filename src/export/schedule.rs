//! The model that all exports print: sessions with their ids and times, rooms, days and persons.
//!
//! Invariant: the guid, number and code of a session, and the guids of persons and rooms, never change. Only an
//! organizer who changes the column `guid` changes the guid of a session.

use crate::program::{
    Civil, Conference, Lanes, MAX_DAYS, Session, Slug, Speaker, Text, Track, Zone, slug_of,
};
use crate::release::Release;
use crate::revision::Entry;
use chrono::{DateTime, Days, FixedOffset, NaiveDate, Offset, SecondsFormat, TimeDelta, TimeZone, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// A release in frab's terms.
#[derive(Debug)]
pub struct FrabSchedule<'a> {
    /// The release.
    pub release: &'a Release,
    /// The conference's slug in a form that both frab schemas accept: no hyphens, at least four characters.
    pub acronym: String,
    /// All rooms: declared rooms first, then the other rooms in the order of their first sessions.
    pub rooms: Vec<ScheduleRoom>,
    /// Every day of the conference, and other days that have sessions.
    pub days: Vec<ScheduleDay<'a>>,
}

/// A room. For sessions without a room, the track, the venue or the conference takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRoom {
    /// The room's name; never empty.
    pub name: Text,
    /// The room's guid, a UUIDv5 of the name that the room had before it was renamed.
    pub guid: Uuid,
}

/// A day of the program.
#[derive(Debug)]
pub struct ScheduleDay<'a> {
    /// The index of the day, from 1.
    pub index: usize,
    /// The date.
    pub date: NaiveDate,
    /// The first instant of the day.
    pub start: DateTime<FixedOffset>,
    /// The first instant of the next day.
    pub end: DateTime<FixedOffset>,
    /// The day's sessions by room. Rooms without sessions are omitted.
    pub rooms: Vec<(ScheduleRoom, Vec<ScheduleItem<'a>>)>,
}

impl<'a> FrabSchedule<'a> {
    /// The schedule of a release, without cancelled sessions, which frab cannot express.
    pub fn of(release: &'a Release) -> Self {
        let conference: &Conference = &release.program.conference;
        let zone = conference.zone;
        let acronym = acronym(conference.slug.as_str());
        let entries = release.visible_entries().into_iter().filter(|entry| !entry.is_cancelled());
        let mut items: Vec<ScheduleItem<'a>> =
            entries.flat_map(|entry| by_day(ScheduleItem::of(entry, release, &acronym), release)).collect();
        items.sort_by_key(|item| (item.start, item.end, item.id));
        separate_parallel(&mut items);
        let domain = &release.ledger.uid_domain;
        let mut rooms: Vec<ScheduleRoom> = Vec::new();
        let mut places: HashMap<Text, usize> = HashMap::new();
        let declared = conference.rooms.iter().map(|room| &room.name);
        let used: BTreeSet<&Text> = items.iter().map(|item| &item.room).collect();
        for name in declared.filter(|name| used.contains(name)).chain(items.iter().map(|item| &item.room)) {
            places.entry(name.clone()).or_insert_with(|| {
                let guid = room_guid(release.ledger.slugs.first_room_name(name), domain);
                rooms.push(ScheduleRoom { name: name.clone(), guid });
                rooms.len() - 1
            });
        }
        let mut dates: BTreeSet<NaiveDate> = items.iter().map(|item| item.day).collect();
        if let Some((first, last)) = conference.dates {
            dates.extend(first.iter_days().take_while(|day| *day <= last));
        }
        if dates.is_empty() {
            // Both schemas require a day. Without sessions and dates, the day of the release is used.
            dates.insert(zone.civil(release.published()).date());
        }
        // The sessions by day and room.
        let mut by_day: HashMap<NaiveDate, BTreeMap<usize, Vec<ScheduleItem<'a>>>> = HashMap::new();
        for item in items {
            if let Some(place) = places.get(&item.room) {
                by_day.entry(item.day).or_default().entry(*place).or_default().push(item);
            }
        }
        let mut rooms_of = |date: &NaiveDate| -> Vec<(ScheduleRoom, Vec<ScheduleItem<'a>>)> {
            let by_day = by_day.remove(date).unwrap_or_default();
            by_day.into_iter().filter_map(|(place, items)| Some((rooms.get(place)?.clone(), items))).collect()
        };
        let days = dates
            .into_iter()
            .enumerate()
            .map(|(index, date)| ScheduleDay {
                index: index + 1,
                date,
                start: at_venue(zone, day_start(conference, date)),
                end: at_venue(zone, day_start(conference, date + Days::new(1))),
                rooms: rooms_of(&date),
            })
            .collect();
        Self { release, acronym, rooms, days }
    }

    /// The conference of the release.
    pub fn conference(&self) -> &'a Conference {
        &self.release.program.conference
    }

    /// The program's tracks, including tracks without sessions.
    pub fn tracks(&self) -> &'a [Track] {
        &self.release.program.tracks
    }

    /// The first and the last day.
    pub fn span(&self) -> (NaiveDate, NaiveDate) {
        let date = |day: Option<&ScheduleDay<'_>>| day.map(|day| day.date).unwrap_or_default();
        (date(self.days.first()), date(self.days.last()))
    }
}

/// Gives parallel sessions without a room separate rooms, such as `Track 1 (2)`, since EventFahrplan shows only one
/// session per room and time. Rooms named in the program are not changed.
fn separate_parallel(items: &mut [ScheduleItem<'_>]) {
    let mut taken: HashMap<Text, Lanes> = HashMap::new();
    for item in items {
        let lanes = taken.entry(item.room.clone()).or_default();
        let (start, end) = (item.start.to_utc(), item.end.to_utc());
        let lane = match item.session().slot.room {
            Some(_) => {
                lanes.share_first(end);
                0
            }
            None => lanes.take(start, end),
        };
        if lane > 0 {
            item.room = Text::line(&format!("{} ({})", item.room, lane + 1)).0;
        }
    }
}

/// The longest event that apps can read: Giggity reads a duration as a time of day, and one of 24 hours or more makes it
/// refuse the whole schedule. EventFahrplan reads days and hours, but pretalx and frab write no such duration.
const MAX_EVENT: TimeDelta = TimeDelta::minutes(24 * 60 - 1);

/// The distance between the ids of two parts of a session. No ledger has as many sessions.
const PART_IDS: u64 = 10_000_000;

/// The events of a session: itself, or one for each day if it lasts 24 hours or longer. The first part has the ids of
/// the session, so they stay the same when the session becomes longer or shorter.
fn by_day<'a>(item: ScheduleItem<'a>, release: &Release) -> Vec<ScheduleItem<'a>> {
    if item.end - item.start <= MAX_EVENT {
        return vec![item];
    }
    let conference = &release.program.conference;
    let zone = conference.zone;
    let uid = release.ledger.uid(&item.session().id);
    let days = item.day.iter_days().take(MAX_DAYS).zip(0_u64..);
    let days = days.take_while(|(day, _)| day_start(conference, *day) < item.end);
    let part = |(day, place): (NaiveDate, u64)| {
        let start = item.start.max(at_venue(zone, day_start(conference, day)));
        let end = item.end.min(at_venue(zone, day_start(conference, day + Days::new(1))));
        // A day may have 24 or, when the clock goes back, 25 hours.
        let end = end.min(at_venue(zone, (start + MAX_EVENT).to_utc()));
        if place == 0 {
            return ScheduleItem { end, ..item.clone() };
        }
        let id = item.id + place * PART_IDS;
        ScheduleItem {
            id,
            guid: guid(&format!("{uid}/{day}")),
            code: code(id),
            slug: format!("{}-{day}", item.slug),
            day,
            start,
            end,
            ..item.clone()
        }
    };
    days.map(part).collect()
}

/// An instant with the venue's offset.
pub(super) fn at_venue(zone: Zone, at: DateTime<Utc>) -> DateTime<FixedOffset> {
    let offset = FixedOffset::east_opt(zone.offset(at)).unwrap_or_else(|| Utc.fix());
    offset.from_utc_datetime(&at.naive_utc())
}

/// The first instant of a day. If the clock skips that time, the day starts with the jump.
fn day_start(conference: &Conference, date: NaiveDate) -> DateTime<Utc> {
    match conference.zone.instant(conference.day_change.start_of(date)) {
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

/// A track's slug; none if a schema does not accept it. Both require at least two characters, a letter first.
pub(super) fn track_slug(track: &Track) -> Option<&str> {
    let slug = track.slug.as_str();
    (slug.len() > 1 && slug.starts_with(|c: char| c.is_ascii_lowercase())).then_some(slug)
}

/// A session with the ids and times of the exports.
#[derive(Debug, Clone)]
pub struct ScheduleItem<'a> {
    /// The session's ledger entry.
    pub entry: &'a Entry,
    /// The session's guid: the UUID of the source, or else a UUIDv5 of the UID.
    pub guid: Uuid,
    /// The session's number, or that of one of its parts.
    pub id: u64,
    /// The id in base 36.
    pub code: String,
    /// A slug that both frab schemas accept, unique in the conference.
    pub slug: String,
    /// The room's name; never empty.
    pub room: Text,
    /// The session's track.
    pub track: Option<&'a Track>,
    /// The day of the session.
    pub day: NaiveDate,
    /// The session's first instant, with the venue's offset.
    pub start: DateTime<FixedOffset>,
    /// The first instant after the session.
    pub end: DateTime<FixedOffset>,
    /// The organizer's page about the session, or our page if there is none.
    pub url: String,
    /// Our page about the session.
    pub page: String,
    /// Speakers with roles and bios as text, for formats that have no fields for roles and bios.
    pub description: String,
    /// The session's speakers.
    pub persons: Vec<SchedulePerson<'a>>,
}

/// A speaker with the ids of the exports.
#[derive(Debug, Clone)]
pub struct SchedulePerson<'a> {
    /// The speaker's name, affiliation, role and bio.
    pub speaker: &'a Speaker,
    /// The slug of the name.
    pub slug: Slug,
    /// The speaker's guid, a UUIDv5 of the slug.
    pub guid: Uuid,
    /// Our page about the speaker.
    pub url: String,
}

impl SchedulePerson<'_> {
    /// A number for tools that require one: 31 bits of the guid, since the ledger does not number speakers.
    pub fn number(&self) -> u32 {
        self.guid.as_fields().0 >> 1
    }
}

impl<'a> ScheduleItem<'a> {
    /// The item of a ledger entry.
    pub fn of(entry: &'a Entry, release: &'a Release, acronym: &str) -> Self {
        let session: &Session = &entry.session;
        let conference = &release.program.conference;
        let ledger = &release.ledger;
        let track = session.track.as_ref().and_then(|slug| ledger.slugs.track(slug));
        let room = session.slot.room.as_ref().or(track.map(|track| &track.name));
        let room = room.or(conference.venue.as_ref()).unwrap_or(&conference.title);
        let person = |speaker: &'a Speaker| {
            let slug = ledger.slugs.speaker_slug(&speaker.name).cloned();
            let slug: Slug = slug.unwrap_or_else(|| slug_of(speaker.name.as_str()));
            SchedulePerson {
                speaker,
                guid: person_guid(&slug, &ledger.uid_domain),
                url: conference.link(&format!("/speakers/{slug}")),
                slug,
            }
        };
        let page = conference.link(&format!("/sessions/{}", session.id));
        Self {
            entry,
            guid: session_guid(session, &ledger.uid(&session.id)),
            id: entry.number.into(),
            code: code(entry.number.into()),
            slug: format!("{acronym}-{}-{}", entry.number, session.id),
            room: room.clone(),
            track,
            day: conference.days().of(session.slot.start),
            start: at_venue(conference.zone, session.slot.start),
            end: at_venue(conference.zone, session.slot.end),
            url: session.url.as_ref().map_or_else(|| page.clone(), ToString::to_string),
            page,
            description: describe_speakers(session),
            persons: session.speakers.iter().map(person).collect(),
        }
    }

    /// The session.
    pub fn session(&self) -> &'a Session {
        &self.entry.session
    }

    /// `2025-03-25T09:00:00-07:00`
    pub fn date(&self) -> String {
        self.start.to_rfc3339_opts(SecondsFormat::Secs, false)
    }

    /// `09:00`
    pub fn clock(&self) -> String {
        self.start.format("%H:%M").to_string()
    }

    /// `00:45`; less than 24 hours for an item of a [`FrabSchedule`].
    pub fn duration(&self) -> String {
        let minutes = (self.end - self.start).num_minutes();
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// The name of the session's track; empty without a track.
    pub fn track_name(&self) -> &str {
        self.track.map_or("", |track| track.name.as_str())
    }
}

/// `Role: Name, Affiliation` for each speaker, with the bio below.
fn describe_speakers(session: &Session) -> String {
    let person = |speaker: &Speaker| match speaker.bio.is_empty() {
        true => speaker.line(),
        false => format!("{}\n{}", speaker.line(), speaker.bio),
    };
    session.speakers.iter().map(person).collect::<Vec<_>>().join("\n\n")
}

/// A session's guid: the UUID that the source of the row gave it, so that apps which know the source recognise the
/// session; without one, [`guid`].
pub fn session_guid(session: &Session, uid: &str) -> Uuid {
    let source = session.guid.as_ref().filter(|text| text.as_str().len() == 36);
    source.and_then(|text| Uuid::try_parse(text.as_str()).ok()).unwrap_or_else(|| guid(uid))
}

/// The UUIDv5 of a session's UID in the URL namespace, as in other frab tools (RFC 9562, 5.5).
pub fn guid(uid: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, uid.as_bytes())
}

/// A session's code: its number in base 36 with six digits, like the codes of pretalx.
pub fn code(number: u64) -> String {
    let mut digits = Vec::new();
    let mut rest = number;
    while rest > 0 || digits.len() < 6 {
        digits.push(char::from_digit((rest % 36) as u32, 36).unwrap_or('0').to_ascii_uppercase());
        rest /= 36;
    }
    digits.iter().rev().collect()
}

/// A person's guid, derived from the ledger's slug of the name.
pub fn person_guid(slug: &Slug, uid_domain: &str) -> Uuid {
    guid(&format!("speakers/{slug}@{uid_domain}"))
}

/// A room's guid, derived from its first name and not a slug, since a track's name can replace a room's.
pub fn room_guid(name: &Text, uid_domain: &str) -> Uuid {
    guid(&format!("rooms/{name}@{uid_domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_six_digits_in_base_36() {
        let codes: Vec<String> = [1, 35, 36, 1296, 60_466_176].map(code).into();
        assert_eq!(codes, ["000001", "00000Z", "000010", "000100", "100000"]);
    }

    #[test]
    fn a_guid_never_changes() {
        assert_eq!(guid("opening@conf.example.org").to_string(), "d64babd6-a3a7-5537-9d5a-7eb7ca444687");
        assert_eq!(guid("a@x").get_version_num(), 5);
        assert_ne!(guid("a@x"), guid("b@x"));
    }
}
