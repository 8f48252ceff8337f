//! frab's JSON, as pretalx writes it.

use super::AdoptError;
use super::foreign::{Foreign, Person};
use super::frab::{Event, is_ours};
use serde_json::{Map, Value};

/// Members of an event that are read, or that this server makes itself.
const KNOWN: [&str; 22] = [
    "id",
    "guid",
    "code",
    "slug",
    "date",
    "start",
    "end",
    "duration",
    "title",
    "subtitle",
    "type",
    "track",
    "room",
    "abstract",
    "description",
    "url",
    "persons",
    "links",
    "attachments",
    "origin_url",
    "language",
    "logo",
];

/// Members of a person likewise.
const KNOWN_OF_PERSON: [&str; 7] = ["id", "guid", "code", "name", "public_name", "biography", "url"];

pub(super) fn read(bytes: &[u8]) -> Result<Foreign, AdoptError> {
    // serde_json refuses more than 128 levels by itself.
    let root: Value = serde_json::from_slice(bytes).map_err(|error| AdoptError::Json(error.to_string()))?;
    let schedule = root.get("schedule").and_then(Value::as_object).ok_or(AdoptError::NoSchedule)?;
    let conference = schedule.get("conference").and_then(Value::as_object).ok_or(AdoptError::NoSchedule)?;
    let ours = is_ours(root.pointer("/generator/name").and_then(Value::as_str));
    let filled = |name: &str| Some(text(conference, name)).filter(|text| !text.is_empty());
    let mut foreign =
        Foreign { title: filled("title"), zone: filled("time_zone_name"), ..Foreign::default() };
    for day in conference.get("days").and_then(Value::as_array).into_iter().flatten() {
        let Some(day) = day.as_object() else { continue };
        let rooms = day.get("rooms").and_then(Value::as_object).into_iter().flatten();
        for (room, events) in rooms {
            for found in events.as_array().into_iter().flatten().filter_map(Value::as_object) {
                event(day, room, found, &mut foreign).add(ours, &mut foreign);
            }
        }
    }
    Ok(foreign)
}

/// A member as text: what pretalx translates is an object by language, of which English or the first is taken.
fn text(object: &Map<String, Value>, name: &str) -> String {
    match object.get(name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Object(languages)) => {
            let chosen = languages.get("en").or_else(|| languages.values().next());
            chosen.and_then(Value::as_str).unwrap_or_default().trim().to_owned()
        }
        _ => String::new(),
    }
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

fn event(day: &Map<String, Value>, room: &str, found: &Map<String, Value>, foreign: &mut Foreign) -> Event {
    for (name, _) in found.iter().filter(|(name, value)| is_filled(value) && !KNOWN.contains(&name.as_str()))
    {
        foreign.skip(name);
    }
    let objects = |name: &str| {
        found.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
    };
    let mut people = Vec::new();
    for person in objects("persons") {
        for (name, _) in person
            .iter()
            .filter(|(name, value)| is_filled(value) && !KNOWN_OF_PERSON.contains(&name.as_str()))
        {
            foreign.skip(&format!("a person's {name}"));
        }
        let public = text(person, "public_name");
        let name = if public.is_empty() { text(person, "name") } else { public };
        people.push(Person { name, affiliation: String::new(), bio: text(person, "biography") });
    }
    let links = objects("links").chain(objects("attachments")).map(|link| {
        let address = text(link, "url");
        (text(link, "title"), address)
    });
    let links = links.filter(|(_, address)| !address.is_empty()).collect();
    let place = text(found, "room");
    let member = |name: &str| text(found, name);
    Event {
        day: text(day, "date"),
        date: member("date"),
        start: member("start"),
        duration: member("duration"),
        end: member("end"),
        title: member("title"),
        subtitle: member("subtitle"),
        kind: member("type"),
        track: member("track"),
        room: if place.is_empty() { room.to_owned() } else { place },
        abstract_text: member("abstract"),
        description: member("description"),
        url: member("url"),
        people,
        links,
    }
}
