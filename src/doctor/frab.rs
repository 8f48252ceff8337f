//! The rules for frab schedules, as EventFahrplan and Giggity read them. EventFahrplan shows each room as a column; if
//! two sessions in a room take place at the same time, it cuts one of them off.

use super::finding::{CalendarClient, Findings};
use crate::program::foreign_character;
use crate::xml::{self, Element};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;

const CLIENT: CalendarClient = CalendarClient::Fahrplan;

/// The guids of the sessions with readable times.
pub(super) fn visible_guids(bytes: &[u8]) -> Vec<String> {
    let Ok(root) = xml::read(bytes, xml::MAX_BYTES) else { return Vec::new() };
    let readable = events(&root).filter(|(_, event)| span(event).is_some());
    readable.filter_map(|(_, event)| event.attribute("guid").map(str::to_owned)).collect()
}

fn events(root: &Element) -> impl Iterator<Item = (&Element, &Element)> {
    let rooms = root.all("day").flat_map(|day| day.all("room"));
    rooms.flat_map(|room| room.all("event").map(move |event| (room, event)))
}

pub(super) fn check(bytes: &[u8], findings: &mut Findings) {
    let root = match xml::read(bytes, xml::MAX_BYTES) {
        Ok(root) => root,
        Err(error) => {
            let message = format!("the XML cannot be read: {error}");
            findings.error(
                CalendarClient::Every,
                "xml",
                line_of(&error),
                message,
                "write well-formed XML without a DOCTYPE",
            );
            return;
        }
    };
    if root.name != "schedule" {
        let message = format!("the document is a <{}>", root.name);
        findings.error(CLIENT, "schedule", root.line, message, "write a <schedule>");
        return;
    }
    if root.text_of("version").is_empty() {
        let message = "the version is missing, so updates are not noticed";
        findings.warn(CLIENT, "schedule-version", root.line, message, "write a <version> that changes");
    }
    let mut ids: HashMap<(&str, String), usize> = HashMap::new();
    let mut slots = Vec::new();
    for (room, event) in events(&root) {
        for key in ["guid", "id"] {
            let Some(value) = event.attribute(key).filter(|value| !value.is_empty()) else {
                let message = format!("this event has no {key}");
                findings.error(
                    CLIENT,
                    "event-id",
                    event.line,
                    message,
                    "write a guid and an id that never change",
                );
                continue;
            };
            if let Some(first) = ids.insert((key, value.to_owned()), event.line) {
                let message = format!("the event on line {first} has the same {key}; one of the two is lost");
                findings.error(
                    CLIENT,
                    "event-id-twice",
                    event.line,
                    message,
                    "give each event different ids",
                );
            }
        }
        if room.attribute("name").is_none_or(str::is_empty) || event.text_of("room").is_empty() {
            let message = "this event has no room";
            findings.error(
                CLIENT,
                "event-room",
                event.line,
                message,
                "write a room, else the track or the venue",
            );
        }
        if event.text_of("title").is_empty() {
            findings.error(CLIENT, "event-title", event.line, "this event has no title", "write a <title>");
        }
        for url in event.all("url").filter(|url| !url.text.trim().starts_with("http")) {
            let message = "the url is empty or not a web address";
            findings.error(
                CLIENT,
                "event-url",
                url.line,
                message,
                "write an absolute address, or leave it out",
            );
        }
        let links = event.child("links").into_iter().flat_map(|links| links.all("link"));
        let addresses = links.filter_map(|link| Some((link.line, link.attribute("href")?)));
        let pages = event.all("url").chain(event.all("logo")).chain(event.all("feedback_url"));
        for (line, address) in addresses.chain(pages.map(|page| (page.line, page.text.trim()))) {
            if let Some(c) = foreign_character(address) {
                let message = format!("the address has the character {c:?}, which no address may have");
                findings.warn(CLIENT, "address-character", line, message, "percent-encode it (RFC 3986)");
            }
        }
        match span(event) {
            None => {
                let message = "date, start or duration cannot be read, so the event is not shown";
                let remedy = "write <date> with an offset, <start> as 09:00 and <duration> as 00:45";
                findings.error(CLIENT, "event-time", event.line, message, remedy);
            }
            Some((start, end)) => {
                if end - start >= TimeDelta::days(1) {
                    let message = "the duration is 24 hours or more; Giggity cannot read it and shows no session at all";
                    let remedy = "write an event for each day";
                    findings.error(CalendarClient::Giggity, "event-duration", event.line, message, remedy);
                }
                let room = room.attribute("name").unwrap_or_default().to_owned();
                slots.push(ColumnSlot { room, line: event.line, start, end });
            }
        }
    }
    check_overlaps(slots, findings);
}

fn span(event: &Element) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let start = DateTime::parse_from_rfc3339(event.text_of("date")).ok()?.to_utc();
    let clock = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        Some(hours.parse::<u32>().ok()? * 60 + minutes.get(..2)?.parse::<u32>().ok().filter(|m| *m < 60)?)
    };
    clock(event.text_of("start")).filter(|minutes| *minutes < 24 * 60)?;
    let length = clock(event.text_of("duration")).filter(|minutes| *minutes < 100 * 60)?;
    Some((start, start + TimeDelta::minutes(i64::from(length))))
}

fn line_of(error: &xml::XmlError) -> usize {
    match error {
        xml::XmlError::TooDeep(line)
        | xml::XmlError::TooManyAttributes(line)
        | xml::XmlError::DocType(line)
        | xml::XmlError::Entity(line, _)
        | xml::XmlError::Malformed(line, _) => *line,
        xml::XmlError::TooLarge(..) | xml::XmlError::TooMany | xml::XmlError::NotUtf8 => 0,
    }
}

/// The time of a session in the column of its room.
struct ColumnSlot {
    room: String,
    line: usize,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

fn check_overlaps(mut slots: Vec<ColumnSlot>, findings: &mut Findings) {
    slots.retain(|slot| !slot.room.is_empty());
    slots.sort_by_key(|slot| (slot.start, slot.line));
    let mut last: HashMap<&str, &ColumnSlot> = HashMap::new();
    for slot in &slots {
        if let Some(before) = last.get(slot.room.as_str()).filter(|before| before.end > slot.start) {
            let message = format!(
                "this session overlaps with the one on line {} in {:?}; EventFahrplan cuts one of them off",
                before.line, slot.room,
            );
            let remedy = "give the two sessions different rooms";
            findings.warn(CLIENT, "room-overlap", slot.line, message, remedy);
        }
        let later = last.get(slot.room.as_str()).is_none_or(|before| slot.end > before.end);
        if later {
            last.insert(slot.room.as_str(), slot);
        }
    }
}
