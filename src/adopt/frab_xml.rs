//! frab's XML, through the hardened reader.

use super::AdoptError;
use super::foreign::{Foreign, Person};
use super::frab::{Event, is_ours};
use crate::xml::{self, Element};

/// Elements of an event that are read, or that this server makes itself.
const KNOWN: [&str; 17] = [
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

pub(super) fn read(bytes: &[u8]) -> Result<Foreign, AdoptError> {
    let root = xml::read(bytes, xml::MOST_BYTES)?;
    if root.name != "schedule" {
        return Err(AdoptError::NoSchedule);
    }
    let ours = is_ours(root.child("generator").and_then(|generator| generator.attribute("name")));
    let mut foreign = Foreign::default();
    if let Some(conference) = root.child("conference") {
        let filled = |name: &str| Some(conference.text_of(name).to_owned()).filter(|text| !text.is_empty());
        foreign.title = filled("title");
        foreign.zone = filled("time_zone_name");
    }
    for day in root.all("day") {
        for room in day.all("room") {
            for found in room.all("event") {
                event(day, room, found, &mut foreign).add(ours, &mut foreign);
            }
        }
    }
    Ok(foreign)
}

fn event(day: &Element, room: &Element, found: &Element, foreign: &mut Foreign) -> Event {
    let text = |name: &str| found.text_of(name).to_owned();
    for child in &found.children {
        let filled = !child.text.trim().is_empty() || !child.children.is_empty();
        if filled && !KNOWN.contains(&child.name.as_str()) {
            foreign.skip(&child.name);
        }
    }
    let links = ["links", "attachments"].into_iter().filter_map(|name| found.child(name));
    let links = links
        .flat_map(|list| &list.children)
        .filter_map(|link| Some((link.text.trim().to_owned(), link.attribute("href")?.trim().to_owned())));
    let persons = found.child("persons").map(|persons| persons.children.as_slice()).unwrap_or_default();
    let person = |person: &Element| Person { name: person.text.trim().to_owned(), ..Person::default() };
    let place = found.text_of("room");
    let place = if place.is_empty() { room.attribute("name").unwrap_or_default() } else { place };
    Event {
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
        people: persons.iter().map(person).collect(),
        links: links.collect(),
    }
}
