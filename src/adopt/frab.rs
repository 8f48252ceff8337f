//! Reads frab schedules in JSON and XML.

use super::AdoptError;
use super::foreign::{ForeignPerson, ForeignProgram, ForeignSession, ForeignTime};
use super::own;
use super::value::{
    DayFrame, JsonObject, clock, is_filled, length, member, moment, paragraphs_of, rooms_of, shown, tracks_of,
};
use crate::xml::Element;
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use serde_json::Value;
use std::collections::HashMap;

/// An event, with the fields that the XML and JSON formats share.
#[derive(Debug, Default)]
struct FrabEvent {
    identity: String,
    day: DayFrame,
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
    language: String,
    image: String,
    feedback_url: String,
    no_recording: bool,
}

/// The session's id in an address such as `https://conf.example.org/sessions/opening`, as Callboard writes it.
fn own_id(page: &str) -> String {
    page.rsplit_once("/sessions/").map(|(_, id)| id.to_owned()).unwrap_or_default()
}

impl FrabEvent {
    /// Adds the event to the program. In our own schedules the subtitle is the block, the description lists the speakers,
    /// and the address may be that of our page.
    fn add(mut self, is_ours: bool, foreign: &mut ForeignProgram) {
        let start = self.start();
        let end = moment(&self.end).or_else(|| start?.plus(length(&self.duration)?));
        if self.duration.matches(':').count() == 2 && !self.duration.starts_with('0') && self.end.is_empty() {
            let minutes =
                end.zip(start).and_then(|(end, start)| end.since(start)).map(|length| length.num_minutes());
            let example =
                format!("{}: {} is {} minutes", self.title, self.duration, minutes.unwrap_or_default());
            foreign.notes.add_for(&example, "a duration that can be read in two ways");
        }
        let (block, subtitle) =
            if is_ours { (self.subtitle, String::new()) } else { (String::new(), self.subtitle) };
        if is_ours && self.url == self.origin_url {
            self.url.clear();
        }
        if is_ours && !self.description.is_empty() {
            match own::speakers_of(&self.description, &self.people) {
                Some(people) => self.people = people,
                None => foreign.notes.unmapped("the description of the speakers", &self.title),
            }
        }
        let description = if is_ours { String::new() } else { self.description };
        foreign.sessions.push(ForeignSession {
            identity: self.identity,
            own_id: if is_ours { own_id(&self.origin_url) } else { String::new() },
            title: self.title,
            stated_start: format!("{} {}", self.date, self.start),
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
            language: self.language,
            image: self.image,
            feedback_url: self.feedback_url,
            no_recording: self.no_recording,
            ..ForeignSession::default()
        });
    }

    /// The start: `date` with its offset, or the day's date with `start`.
    fn start(&self) -> Option<ForeignTime> {
        moment(&self.date).or_else(|| {
            let date = NaiveDate::parse_from_str(self.date.trim(), "%Y-%m-%d").ok();
            let (hours, minutes) = clock(&self.start)?;
            let midnight = date.or(self.day.date)?.and_time(NaiveTime::MIN);
            let civil = midnight.checked_add_signed(TimeDelta::try_minutes(hours * 60 + minutes)?)?;
            let civil = if date.is_none() { self.day.calendar_time(civil)? } else { civil };
            Some(ForeignTime::Civil(civil))
        })
    }
}

/// Joins the events that Callboard writes for the days of a session of 24 hours or more. They have different ids and the
/// same page; the session has the ids of the first.
fn join_days(foreign: &mut ForeignProgram) {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut joined: Vec<ForeignSession> = Vec::with_capacity(foreign.sessions.len());
    for part in std::mem::take(&mut foreign.sessions) {
        let known = places.get(&part.own_id).and_then(|place| joined.get_mut(*place));
        match known.filter(|_| !part.own_id.is_empty()) {
            Some(first) if part.start < first.start => {
                *first = ForeignSession { end: first.end.max(part.end), ..part };
            }
            Some(first) => first.end = first.end.max(part.end),
            None => {
                places.insert(part.own_id.clone(), joined.len());
                joined.push(part);
            }
        }
    }
    foreign.sessions = joined;
}

/// Completes a schedule that Callboard wrote, and names what it lacks.
fn finish_own(foreign: &mut ForeignProgram) {
    own::remove_stand_ins(foreign);
    foreign.notes.add(
        "Callboard's schedules for apps have no tags, no status and no cancelled sessions; fetch /schedule.csv to have all",
    );
}

/// Whether the `generator` of a schedule is Callboard.
fn is_ours(generator: Option<&str>) -> bool {
    generator.is_some_and(|name| name.eq_ignore_ascii_case("callboard"))
}

/// The fields of an event that are read, or that Callboard writes itself: members in JSON, elements in XML.
const EVENT_FIELDS: &[&str] = &[
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
    "slug",
    "origin_url",
    "language",
    "logo",
    "feedback_url",
];

/// The fields that an event has in JSON only. XML has some of them as attributes.
const JSON_EVENT_FIELDS: &[&str] = &["id", "guid", "code", "do_not_record", "recording"];

/// The members of a person that are read, or that Callboard writes itself.
const PERSON_MEMBERS: &[&str] = &["id", "guid", "code", "name", "public_name", "biography", "url"];

/// Reads the JSON format, as pretalx writes it.
pub(super) fn read_json(root: &Value) -> Result<ForeignProgram, AdoptError> {
    let conference = root.pointer("/schedule/conference").and_then(Value::as_object);
    let conference = conference.ok_or(AdoptError::UnknownJson)?;
    let is_ours = is_ours(root.pointer("/generator/name").and_then(Value::as_str));
    let filled = |name: &str| Some(member(conference, name)).filter(|text| !text.is_empty());
    let mut foreign = ForeignProgram {
        title: filled("title"),
        zone: filled("time_zone_name"),
        tracks: tracks_of(conference),
        rooms: rooms_of(conference),
        is_plain: is_ours,
        ..ForeignProgram::default()
    };
    for day in conference.get("days").and_then(Value::as_array).into_iter().flatten() {
        let Some(day) = day.as_object() else { continue };
        let text = |name: &str| member(day, name);
        let [start, end] = [["day_start", "start"], ["day_end", "end"]].map(|names| names.map(text).concat());
        let frame = DayFrame::of(&text("date"), &start, &end, &member(conference, "day_change"));
        let rooms = day.get("rooms").and_then(Value::as_object).into_iter().flatten();
        for (room, events) in rooms {
            for found in events.as_array().into_iter().flatten().filter_map(Value::as_object) {
                json_event(&frame, room, found, &mut foreign).add(is_ours, &mut foreign);
            }
        }
    }
    join_days(&mut foreign);
    if is_ours {
        finish_own(&mut foreign);
    }
    Ok(foreign)
}

fn json_event(day: &DayFrame, room: &str, found: &JsonObject, foreign: &mut ForeignProgram) -> FrabEvent {
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
        let bio = paragraphs_of(person, "biography");
        people.push(ForeignPerson { name, bio, ..ForeignPerson::default() });
    }
    let links = objects("links")
        .chain(objects("attachments"))
        .map(|link| (member(link, "title"), member(link, "url")));
    let links = links.filter(|(_, address)| !address.is_empty()).collect();
    let text = |name: &str| member(found, name);
    let identity = ["guid", "id", "code"].into_iter().map(text).find(|text| !text.is_empty());
    let place = text("room");
    // As in XML; some tools write it beside or in place of `do_not_record`.
    let recording = found.get("recording").and_then(Value::as_object);
    let licence = recording.map(|recording| member(recording, "license")).unwrap_or_default();
    if !licence.is_empty() {
        foreign.notes.unmapped("recording_license", &licence);
    }
    let is_true = |value: Option<&Value>| value.and_then(Value::as_bool) == Some(true);
    let no_recording = is_true(found.get("do_not_record"))
        || is_true(recording.and_then(|recording| recording.get("optout")));
    FrabEvent {
        identity: identity.unwrap_or_default(),
        day: day.clone(),
        date: text("date"),
        start: text("start"),
        duration: text("duration"),
        end: text("end"),
        title: text("title"),
        subtitle: text("subtitle"),
        kind: text("type"),
        track: text("track"),
        room: if place.is_empty() { room.to_owned() } else { place },
        abstract_text: paragraphs_of(found, "abstract"),
        description: paragraphs_of(found, "description"),
        url: text("url"),
        origin_url: text("origin_url"),
        people,
        links,
        language: text("language"),
        image: text("logo"),
        feedback_url: text("feedback_url"),
        no_recording,
    }
}

/// Reads the XML format: its root element `schedule`.
pub(super) fn read_xml(root: &Element) -> ForeignProgram {
    let is_ours = is_ours(root.child("generator").and_then(|generator| generator.attribute("name")));
    let mut foreign = ForeignProgram { is_plain: is_ours, ..ForeignProgram::default() };
    let mut change = "";
    if let Some(conference) = root.child("conference") {
        change = conference.text_of("day_change");
        let filled = |name: &str| Some(conference.text_of(name).to_owned()).filter(|text| !text.is_empty());
        foreign.title = filled("title");
        foreign.zone = filled("time_zone_name");
        let attribute = |track: &Element, name: &str| track.attribute(name).unwrap_or_default().to_owned();
        foreign.tracks = conference
            .all("track")
            .map(|track| (attribute(track, "name"), attribute(track, "color")))
            .collect();
    }
    for day in root.all("day") {
        let text = |name: &str| day.attribute(name).unwrap_or_default();
        let frame = DayFrame::of(text("date"), text("start"), text("end"), change);
        for found in day.all("event") {
            xml_event(&frame, day, found, &mut foreign).add(is_ours, &mut foreign);
        }
        for room in day.all("room") {
            foreign.rooms.extend(room.attribute("name").map(|name| (name.to_owned(), None)));
            for found in room.all("event") {
                xml_event(&frame, room, found, &mut foreign).add(is_ours, &mut foreign);
            }
        }
    }
    join_days(&mut foreign);
    if is_ours {
        finish_own(&mut foreign);
    }
    foreign
}

fn xml_event(day: &DayFrame, room: &Element, found: &Element, foreign: &mut ForeignProgram) -> FrabEvent {
    let text = |name: &str| found.text_of(name).to_owned();
    for child in &found.children {
        let filled = !child.text.trim().is_empty() || !child.children.is_empty();
        if filled && child.name != "recording" && !EVENT_FIELDS.contains(&child.name.as_str()) {
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
    let recording = found.child("recording");
    let licence = recording.map(|recording| recording.text_of("license")).unwrap_or_default();
    if !licence.is_empty() {
        foreign.notes.unmapped("recording_license", licence);
    }
    let identity = found.attribute("guid").or_else(|| found.attribute("id"));
    FrabEvent {
        identity: identity.unwrap_or_default().to_owned(),
        day: day.clone(),
        date: text("date"),
        start: text("start"),
        duration: text("duration"),
        end: text("end"),
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
        language: text("language"),
        image: text("logo"),
        feedback_url: text("feedback_url"),
        no_recording: recording.is_some_and(|recording| recording.text_of("optout") == "true"),
    }
}
