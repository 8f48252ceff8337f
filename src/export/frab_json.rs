//! `/schedule.json`: the same schedule in frab's JSON, valid against the published schema.

use super::schedule::track_slug;
use super::{Day, Exported, Item, Person, Schedule};
use crate::program::{Link, Track};
use crate::release::Release;
use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

/// The grid of a day; five minutes divide every program's times.
pub(super) const TIMESLOT: &str = "00:05";

/// The schedule as JSON.
pub fn schedule_json(release: &Release) -> Exported {
    let schedule = Schedule::of(release);
    let conference = schedule.conference();
    let (first, last) = schedule.span();
    let value = json!({
        "$schema": "https://c3voc.de/schedule/schema.json",
        "generator": {
            "name": "callboard",
            "version": env!("CARGO_PKG_VERSION"),
            "url": conference.link("/"),
        },
        "schedule": {
            "version": release.number().to_string(),
            "url": conference.link("/schedule.json"),
            "base_url": conference.link("/"),
            "conference": {
                "acronym": schedule.acronym,
                "title": conference.title.as_str(),
                "start": first.to_string(),
                "end": last.to_string(),
                "daysCount": schedule.days.len(),
                "timeslot_duration": TIMESLOT,
                "time_zone_name": conference.zone.name(),
                "url": conference.link("/"),
                "rooms": schedule.rooms.iter().map(|room| json!({
                    "name": room.name.as_str(),
                    "guid": room.guid.to_string(),
                })).collect::<Vec<_>>(),
                "tracks": schedule.tracks().iter().map(track).collect::<Vec<_>>(),
                "days": schedule.days.iter().map(|found| day(found, &conference.language)).collect::<Vec<_>>(),
            },
        },
    });
    let mut bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
    bytes.push(b'\n');
    Exported::new("application/json; charset=utf-8", bytes, release.published())
}

/// The language without its region, as frab writes it: `en` of `en-US`.
pub(super) fn tongue(language: &str) -> &str {
    language.split('-').next().unwrap_or(language)
}

fn track(track: &Track) -> Value {
    let mut value = Map::new();
    value.insert("name".to_owned(), json!(track.name.as_str()));
    if let Some(slug) = track_slug(track) {
        value.insert("slug".to_owned(), json!(slug));
    }
    if let Some(colour) = track.colour {
        value.insert("color".to_owned(), json!(colour.to_string()));
    }
    Value::Object(value)
}

fn day(day: &Day<'_>, language: &str) -> Value {
    let rooms: Map<String, Value> = day
        .rooms
        .iter()
        .map(|(room, items)| {
            let events = items.iter().map(|item| event(item, language)).collect();
            (room.name.to_string(), Value::Array(events))
        })
        .collect();
    json!({
        "index": day.index,
        "date": day.date.to_string(),
        "day_start": day.start.to_rfc3339_opts(SecondsFormat::Secs, false),
        "day_end": day.end.to_rfc3339_opts(SecondsFormat::Secs, false),
        "rooms": rooms,
    })
}

fn event(item: &Item<'_>, language: &str) -> Value {
    let session = item.session();
    json!({
        "guid": item.guid.to_string(),
        "code": item.code,
        "id": item.entry.number,
        "date": item.date(),
        "start": item.clock(),
        "end": item.end.to_rfc3339_opts(SecondsFormat::Secs, false),
        "duration": item.duration(),
        "room": item.room.as_str(),
        "slug": item.slug,
        "url": item.url,
        "origin_url": item.page,
        "title": session.title.as_str(),
        "subtitle": session.block.as_ref().map_or("", |block| block.as_str()),
        "track": item.track.map(|track| track.name.as_str()),
        "type": session.kind.as_str(),
        "language": tongue(language),
        "abstract": session.abstract_text.as_str(),
        "description": item.description,
        "persons": item.persons.iter().map(person).collect::<Vec<_>>(),
        "links": session.links.iter().map(link).collect::<Vec<_>>(),
        "attachments": [],
    })
}

/// A person in pretalx's form. With frab's numeric id besides, the schema's `oneOf` would match twice.
fn person(person: &Person<'_>) -> Value {
    json!({
        "guid": person.guid.to_string(),
        "name": person.speaker.name.as_str(),
        "public_name": person.speaker.name.as_str(),
        "biography": person.speaker.bio.as_str(),
        "url": person.url,
    })
}

fn link(link: &Link) -> Value {
    json!({ "title": link.label.as_str(), "url": link.url.as_str() })
}
