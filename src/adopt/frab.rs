//! Reads frab schedules in JSON and XML.

use super::AdoptError;
use super::foreign::{ForeignPerson, ForeignProgram, ForeignSession, ForeignTime};
use crate::xml::{self, Element};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta};
use serde_json::{Map, Value};

/// An event, with the fields that the XML and JSON formats share.
#[derive(Debug, Default)]
struct FrabEvent {
    identity: String,
    day: String,
    date: String,
    start: String,
    duration: String,
    end: String,
    title: String,
    subtitle: String,
    kind: String,
    track: String,
    room: String,
    abstract_text: String,
    description: String,
    url: String,
    /// The address of the session's page in the tool that wrote the schedule.
    origin_url: String,
    people: Vec<ForeignPerson>,
    links: Vec<(String, String)>,
}

/// The session's id in an address such as `https://conf.example.org/sessions/opening`, as Callboard writes it.
fn own_id(page: &str) -> String {
    page.rsplit_once("/sessions/").map(|(_, id)| id.to_owned()).unwrap_or_default()
}

impl FrabEvent {
    /// Adds the event to the program. In our own schedules the subtitle is the block, and the description lists the
    /// speakers.
    fn add(self, is_ours: bool, foreign: &mut ForeignProgram) {
        let start = self.start();
        let stated = DateTime::parse_from_rfc3339(&self.end).ok().map(|at| ForeignTime::Instant(at.to_utc()));
        let end = stated.or_else(|| start?.plus(length(&self.duration)?));
        let (block, subtitle) =
            if is_ours { (self.subtitle, String::new()) } else { (String::new(), self.subtitle) };
        let description = if is_ours { String::new() } else { self.description };
        foreign.sessions.push(ForeignSession {
            identity: self.identity,
            own_id: if is_ours { own_id(&self.origin_url) } else { String::new() },
            title: self.title,
            start,
            end,
            kind: self.kind,
            track: self.track,
            block,
            room: self.room,
            people: self.people,
            text: vec![subtitle, self.abstract_text, description],
            url: self.url,
            links: self.links,
            status: None,
        });
    }

    /// The start: `date` with its offset, or the day's date with `start`.
    fn start(&self) -> Option<ForeignTime> {
        if let Ok(at) = DateTime::parse_from_rfc3339(&self.date) {
            return Some(ForeignTime::Instant(at.to_utc()));
        }
        let day = NaiveDate::parse_from_str(self.day.get(..10)?, "%Y-%m-%d").ok()?;
        let time = NaiveTime::parse_from_str(self.start.get(..5)?, "%H:%M").ok()?;
        Some(ForeignTime::Civil(day.and_time(time)))
    }
}

/// A duration: `00:45`, `1:30` or, with days, `1:02:00`.
fn length(raw: &str) -> Option<TimeDelta> {
    let parts: Vec<i64> = raw.split(':').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    match parts.as_slice() {
        [hours, minutes] => TimeDelta::try_minutes(hours.checked_mul(60)?.checked_add(*minutes)?),
        [days, hours, minutes] => {
            let hours = days.checked_mul(24)?.checked_add(*hours)?;
            TimeDelta::try_minutes(hours.checked_mul(60)?.checked_add(*minutes)?)
        }
        _ => None,
    }
}

/// Whether the `generator` of a schedule is Callboard.
fn is_ours(generator: Option<&str>) -> bool {
    generator.is_some_and(|name| name.eq_ignore_ascii_case("callboard"))
}

/// The fields of an event that are read, or that Callboard writes itself: members in JSON, elements in XML.
const EVENT_FIELDS: [&str; 17] = [
    "date",
    "start",
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
    "slug",
    "origin_url",
    "language",
];

/// The fields that an event has in JSON only. XML has some of them as attributes.
const JSON_EVENT_FIELDS: [&str; 5] = ["id", "guid", "code", "end", "logo"];

/// The members of a person that are read, or that Callboard writes itself.
const PERSON_MEMBERS: [&str; 7] = ["id", "guid", "code", "name", "public_name", "biography", "url"];

/// Reads the JSON format, as pretalx writes it.
pub(super) fn read_json(bytes: &[u8]) -> Result<ForeignProgram, AdoptError> {
    // serde_json refuses more than 128 levels of nesting.
    let root: Value = serde_json::from_slice(bytes).map_err(|error| AdoptError::Json(error.to_string()))?;
    let schedule = root.get("schedule").and_then(Value::as_object).ok_or(AdoptError::NoSchedule)?;
    let conference = schedule.get("conference").and_then(Value::as_object).ok_or(AdoptError::NoSchedule)?;
    let is_ours = is_ours(root.pointer("/generator/name").and_then(Value::as_str));
    let filled = |name: &str| Some(member(conference, name)).filter(|text| !text.is_empty());
    let mut foreign = ForeignProgram {
        title: filled("title"),
        zone: filled("time_zone_name"),
        is_plain: is_ours,
        ..ForeignProgram::default()
    };
    for day in conference.get("days").and_then(Value::as_array).into_iter().flatten() {
        let Some(day) = day.as_object() else { continue };
        let rooms = day.get("rooms").and_then(Value::as_object).into_iter().flatten();
        for (room, events) in rooms {
            for found in events.as_array().into_iter().flatten().filter_map(Value::as_object) {
                json_event(day, room, found, &mut foreign).add(is_ours, &mut foreign);
            }
        }
    }
    Ok(foreign)
}

/// A member as text of one line. A translated member is an object by language; its different texts are joined.
fn member(object: &Map<String, Value>, name: &str) -> String {
    member_joined(object, name, " / ")
}

fn member_joined(object: &Map<String, Value>, name: &str, separator: &str) -> String {
    match object.get(name) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Object(languages)) => {
            let mut texts: Vec<&str> = Vec::new();
            for text in languages.values().filter_map(Value::as_str).map(str::trim) {
                if !text.is_empty() && !texts.contains(&text) {
                    texts.push(text);
                }
            }
            texts.join(separator)
        }
        _ => String::new(),
    }
}

/// A value as an example in a note.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
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

fn json_event(
    day: &Map<String, Value>,
    room: &str,
    found: &Map<String, Value>,
    foreign: &mut ForeignProgram,
) -> FrabEvent {
    let is_read = |name: &str| EVENT_FIELDS.contains(&name) || JSON_EVENT_FIELDS.contains(&name);
    for (name, value) in found.iter().filter(|(name, value)| is_filled(value) && !is_read(name)) {
        foreign.notes.unmapped(name, &shown(value));
    }
    let objects = |name: &str| {
        found.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
    };
    let mut people = Vec::new();
    for person in objects("persons") {
        for (name, value) in
            person.iter().filter(|(name, value)| is_filled(value) && !PERSON_MEMBERS.contains(&name.as_str()))
        {
            foreign.notes.unmapped(&format!("a person's {name}"), &shown(value));
        }
        let public = member(person, "public_name");
        let name = if public.is_empty() { member(person, "name") } else { public };
        people.push(ForeignPerson {
            name,
            affiliation: String::new(),
            bio: member_joined(person, "biography", "\n\n"),
        });
    }
    let links = objects("links")
        .chain(objects("attachments"))
        .map(|link| (member(link, "title"), member(link, "url")));
    let links = links.filter(|(_, address)| !address.is_empty()).collect();
    let text = |name: &str| member(found, name);
    let identity = ["guid", "id", "code"].into_iter().map(text).find(|text| !text.is_empty());
    let place = text("room");
    FrabEvent {
        identity: identity.unwrap_or_default(),
        day: member(day, "date"),
        date: text("date"),
        start: text("start"),
        duration: text("duration"),
        end: text("end"),
        title: text("title"),
        subtitle: text("subtitle"),
        kind: text("type"),
        track: text("track"),
        room: if place.is_empty() { room.to_owned() } else { place },
        abstract_text: member_joined(found, "abstract", "\n\n"),
        description: member_joined(found, "description", "\n\n"),
        url: text("url"),
        origin_url: text("origin_url"),
        people,
        links,
    }
}

/// Reads the XML format.
pub(super) fn read_xml(bytes: &[u8]) -> Result<ForeignProgram, AdoptError> {
    let root = xml::read(bytes, xml::MOST_BYTES)?;
    if root.name != "schedule" {
        return Err(AdoptError::NoSchedule);
    }
    let is_ours = is_ours(root.child("generator").and_then(|generator| generator.attribute("name")));
    let mut foreign = ForeignProgram { is_plain: is_ours, ..ForeignProgram::default() };
    if let Some(conference) = root.child("conference") {
        let filled = |name: &str| Some(conference.text_of(name).to_owned()).filter(|text| !text.is_empty());
        foreign.title = filled("title");
        foreign.zone = filled("time_zone_name");
    }
    for day in root.all("day") {
        for room in day.all("room") {
            for found in room.all("event") {
                xml_event(day, room, found, &mut foreign).add(is_ours, &mut foreign);
            }
        }
    }
    Ok(foreign)
}

fn xml_event(day: &Element, room: &Element, found: &Element, foreign: &mut ForeignProgram) -> FrabEvent {
    let text = |name: &str| found.text_of(name).to_owned();
    for child in &found.children {
        let filled = !child.text.trim().is_empty() || !child.children.is_empty();
        if filled && !EVENT_FIELDS.contains(&child.name.as_str()) {
            foreign.notes.unmapped(&child.name, child.text.trim());
        }
    }
    let links = ["links", "attachments"].into_iter().filter_map(|name| found.child(name));
    let links = links
        .flat_map(|list| &list.children)
        .filter_map(|link| Some((link.text.trim().to_owned(), link.attribute("href")?.trim().to_owned())));
    let persons = found.child("persons").map(|persons| persons.children.as_slice()).unwrap_or_default();
    let person =
        |person: &Element| ForeignPerson { name: person.text.trim().to_owned(), ..ForeignPerson::default() };
    let place = found.text_of("room");
    let place = if place.is_empty() { room.attribute("name").unwrap_or_default() } else { place };
    let identity = found.attribute("guid").or_else(|| found.attribute("id"));
    FrabEvent {
        identity: identity.unwrap_or_default().to_owned(),
        day: day.attribute("date").unwrap_or_default().to_owned(),
        date: text("date"),
        start: text("start"),
        duration: text("duration"),
        end: String::new(),
        title: text("title"),
        subtitle: text("subtitle"),
        kind: text("type"),
        track: text("track"),
        room: place.to_owned(),
        abstract_text: text("abstract"),
        description: text("description"),
        url: text("url"),
        origin_url: text("origin_url"),
        people: persons.iter().map(person).collect(),
        links: links.collect(),
    }
}
