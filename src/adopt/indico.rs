//! Reads the JSON exports of Indico: an event with its contributions (`/export/event/ID.json?detail=contributions`), and
//! a timetable (`/export/timetable/ID.json`).

use super::AdoptError;
use super::foreign::{ForeignPerson, ForeignProgram, ForeignSession, ForeignTime};
use super::value::{JsonObject, length, member, moment, name_of, objects, paragraphs_of, strings, unread};
use crate::program::Zone;
use chrono::TimeDelta;
use serde_json::Value;

/// The members of a contribution, a session or an entry of a timetable that are read, or that say nothing to attendees.
const READ: &[&str] = &[
    "_fossil",
    "_type",
    "id",
    "db_id",
    "friendly_id",
    "uniqueId",
    "conferenceId",
    "contributionId",
    "sessionId",
    "sessionSlotId",
    "sessionSlotEntry",
    "scheduleEntryId",
    "entryType",
    "title",
    "slotTitle",
    "startDate",
    "endDate",
    "duration",
    "contribDuration",
    "inheritLoc",
    "inheritRoom",
    "room",
    "roomFullname",
    "location",
    "speakers",
    "presenters",
    "conveners",
    "type",
    "track",
    "session",
    "description",
    "url",
    "pdf",
    "folders",
    "attachments",
    "keywords",
    "allowed",
    "isPoster",
    "slug",
    "color",
    "textColor",
    "entries",
    "contributions",
    "roomMapURL",
];

pub(super) fn read(root: &JsonObject) -> Result<ForeignProgram, AdoptError> {
    let mut foreign = ForeignProgram::default();
    match root.get("results") {
        Some(Value::Array(_)) => {
            for event in objects(root, "results") {
                foreign.title = foreign.title.take().or_else(|| Some(member(event, "title")));
                let zone = Some(member(event, "timezone")).filter(|zone| !zone.is_empty());
                foreign.zone = foreign.zone.take().or(zone);
                let before = foreign.sessions.len();
                for found in objects(event, "contributions") {
                    contribution(found, "", &mut foreign);
                }
                for block in objects(event, "sessions") {
                    let title = member(block, "title");
                    objects(block, "contributions")
                        .for_each(|found| contribution(found, &title, &mut foreign));
                }
                if foreign.sessions.len() == before {
                    return Err(AdoptError::WithoutContributions);
                }
            }
        }
        Some(Value::Object(events)) => {
            let days = events.values().filter_map(Value::as_object).flat_map(|days| days.values());
            for entry in days.filter_map(Value::as_object).flat_map(|day| day.iter()) {
                timetable_entry(entry, "", &mut foreign);
            }
        }
        _ => return Err(AdoptError::UnknownJson),
    }
    Ok(foreign)
}

fn contribution(found: &JsonObject, block: &str, foreign: &mut ForeignProgram) {
    let text = |name: &str| member(found, name);
    let identity = ["db_id", "id", "friendly_id"].into_iter().map(text).find(|text| !text.is_empty());
    let stated = text("session");
    let mut session = session(found, foreign);
    session.identity = identity.unwrap_or_default();
    session.block = if stated.is_empty() { block.to_owned() } else { stated };
    foreign.sessions.push(session);
}

/// An entry of a timetable by its key, such as `c12`. The entries of a block are sessions of that block.
fn timetable_entry((key, value): (&String, &Value), block: &str, foreign: &mut ForeignProgram) {
    let Some(found) = value.as_object() else { return };
    let entries = found.get("entries").and_then(Value::as_object).filter(|entries| !entries.is_empty());
    let kind = member(found, "entryType");
    let slot = member(found, "slotTitle");
    if let Some(entries) = entries {
        let title = member(found, "title");
        entries.iter().for_each(|entry| timetable_entry(entry, &title, foreign));
        return;
    }
    let mut session = session(found, foreign);
    session.identity.clone_from(key);
    block.clone_into(&mut session.block);
    if !slot.is_empty() && slot != session.title {
        session.title = format!("{}: {slot}", session.title);
    }
    if kind.eq_ignore_ascii_case("break") {
        session.kind = kind;
    }
    foreign.sessions.push(session);
}

fn session(found: &JsonObject, foreign: &mut ForeignProgram) -> ForeignSession {
    let text = |name: &str| member(found, name);
    for (name, value) in unread(found, READ) {
        foreign.notes.unmapped(name, &value);
    }
    let start = time(found, "startDate", foreign);
    let lasts = || match found.get("duration")? {
        // Timetables have fractions of minutes, such as 20.0.
        Value::Number(minutes) => TimeDelta::try_seconds((minutes.as_f64()? * 60.0) as i64),
        _ => length(&text("duration")),
    };
    let room = ["room", "roomFullname", "location"].into_iter().map(text).find(|text| !text.is_empty());
    let people = ["speakers", "presenters", "conveners"]
        .into_iter()
        .map(|list| objects(found, list).map(person).collect::<Vec<_>>());
    ForeignSession {
        title: text("title"),
        start,
        end: time(found, "endDate", foreign).or_else(|| start?.plus(lasts()?)),
        kind: name_of(found, "type"),
        track: name_of(found, "track"),
        room: room.unwrap_or_default(),
        people: people.into_iter().find(|people| !people.is_empty()).unwrap_or_default(),
        text: vec![paragraphs_of(found, "description")],
        url: text("url"),
        links: objects(found, "folders")
            .flat_map(|folder| objects(folder, "attachments"))
            .map(|file| {
                (member(file, "title"), ["link_url", "download_url"].map(|name| member(file, name)).concat())
            })
            .filter(|(_, address)| !address.is_empty())
            .collect(),
        tags: strings(found, "keywords").collect(),
        ..ForeignSession::default()
    }
}

/// A time of the form `{"date": "2026-05-01", "time": "09:00:00", "tz": "Europe/Zurich"}`.
fn time(found: &JsonObject, name: &str, foreign: &mut ForeignProgram) -> Option<ForeignTime> {
    let stated = found.get(name)?.as_object()?;
    let time = moment(&format!("{}T{}", member(stated, "date"), member(stated, "time")))?;
    let zone = Zone::meant(&member(stated, "tz"));
    if foreign.zone.is_none() {
        foreign.zone = zone.map(|zone| zone.name().to_owned());
    }
    Some(zone.map_or(time, |zone| ForeignTime::Instant(time.instant(zone))))
}

fn person(found: &JsonObject) -> ForeignPerson {
    let text = |names: &[&str]| {
        names.iter().map(|name| member(found, name)).find(|text| !text.is_empty()).unwrap_or_default()
    };
    let parts = [text(&["first_name", "firstName"]), text(&["last_name", "familyName"])];
    let parts = parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    // `fullName` starts with the family name and a comma.
    let whole = text(&["fullName", "name"]);
    let whole = match whole.split_once(", ") {
        Some((family, first)) if !first.contains(',') => format!("{first} {family}"),
        _ => whole,
    };
    let name = if parts.is_empty() { whole } else { parts };
    ForeignPerson { name, affiliation: text(&["affiliation"]), ..ForeignPerson::default() }
}
