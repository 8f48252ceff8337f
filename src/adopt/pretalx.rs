//! Reads the JSON of pretalx: submissions, slots and schedules of its API, and the data of its schedule widget.

use super::AdoptError;
use super::foreign::{ForeignPerson, ForeignProgram, ForeignSession};
use super::value::{
    JsonObject, member, moment, name_of, objects, paragraphs_of, room_of, rooms_of, strings, tracks_of,
    unread,
};
use crate::program::Status;
use chrono::TimeDelta;
use serde_json::Value;
use std::collections::HashMap;

/// The members of a submission that are read, or that only organizers need.
const READ: &[&str] = &[
    "content_locale",
    "do_not_record",
    "image",
    "tags",
    "code",
    "id",
    "title",
    "abstract",
    "description",
    "state",
    "pending_state",
    "submission_type",
    "submission_type_id",
    "track",
    "track_id",
    "speakers",
    "slots",
    "slot",
    "slot_count",
    "duration",
    "start",
    "end",
    "room",
    "is_featured",
    "internal_notes",
    "notes",
    "created",
    "answers",
    "reviews",
    "invitation_token",
    "access_code",
    "review_code",
    "anonymised_data",
    "url",
    "urls",
    "assigned_reviewers",
    "median_score",
    "mean_score",
];

/// The names behind the numbers of the widget's data.
#[derive(Default)]
struct PretalxNames {
    rooms: HashMap<String, String>,
    tracks: HashMap<String, String>,
    speakers: HashMap<String, ForeignPerson>,
}

pub(super) fn read(root: &JsonObject) -> Result<ForeignProgram, AdoptError> {
    let mut foreign = ForeignProgram::default();
    let zone = member(root, "timezone");
    foreign.zone = Some(zone).filter(|zone| !zone.is_empty());
    let named =
        |list: &str| objects(root, list).map(|entry| (member(entry, "id"), member(entry, "name"))).collect();
    let names = PretalxNames {
        rooms: named("rooms"),
        tracks: named("tracks"),
        speakers: objects(root, "speakers")
            .map(|speaker| (member(speaker, "code"), person(speaker)))
            .collect(),
    };
    (foreign.tracks, foreign.rooms) = (tracks_of(root), rooms_of(root));
    let lists = ["results", "slots", "talks"].map(|name| objects(root, name));
    for found in lists.into_iter().flatten() {
        match found.get("submission") {
            Some(Value::Object(submission)) => scheduled(submission, found, &names, &mut foreign)?,
            Some(Value::String(_)) => return Err(AdoptError::Unexpanded),
            // A slot without a submission is a break, with its text as description.
            Some(_) => break_slot(found, &names, &mut foreign)?,
            None => submission(found, &names, &mut foreign)?,
        }
    }
    if root.get("next").is_some_and(|next| !next.is_null()) {
        let count = member(root, "count");
        let cut = format!("the file is one page of {count} entries; fetch all with page_size={count}");
        foreign.notes.add(cut.clone());
        foreign.cut = Some(cut);
    }
    Ok(foreign)
}

/// A submission with its slots, or one that is itself the slot, as in the widget's data.
fn submission(
    found: &JsonObject,
    names: &PretalxNames,
    foreign: &mut ForeignProgram,
) -> Result<(), AdoptError> {
    if found.contains_key("start") && !found.contains_key("slots") {
        let is_break = member(found, "code").is_empty();
        return if is_break {
            break_slot(found, names, foreign)
        } else {
            scheduled(found, found, names, foreign)
        };
    }
    match (found.get("slots"), found.get("slot")) {
        (Some(Value::Array(slots)), _) => {
            if slots.iter().any(Value::is_number) {
                return Err(AdoptError::Unexpanded);
            }
            let slots: Vec<&JsonObject> = slots.iter().filter_map(Value::as_object).collect();
            if slots.is_empty() {
                foreign.notes.add_for(&member(found, "title"), "left out, since it is not in the schedule");
            }
            slots.into_iter().try_for_each(|slot| scheduled(found, slot, names, foreign))
        }
        (_, Some(Value::Object(slot))) => scheduled(found, slot, names, foreign),
        _ if found.contains_key("code") => {
            foreign.notes.add_for(&member(found, "title"), "left out, since it is not in the schedule");
            Ok(())
        }
        _ => Err(AdoptError::UnknownJson),
    }
}

fn scheduled(
    found: &JsonObject,
    slot: &JsonObject,
    names: &PretalxNames,
    foreign: &mut ForeignProgram,
) -> Result<(), AdoptError> {
    let text = |name: &str| member(found, name);
    let status = match text("state").as_str() {
        "canceled" | "cancelled" | "withdrawn" => Some(Status::Cancelled),
        "accepted" | "submitted" => Some(Status::Tentative),
        state @ ("rejected" | "deleted" | "draft") => {
            foreign.notes.add_for(&text("title"), format!("left out, since its state is {state}"));
            return Ok(());
        }
        _ => None,
    };
    for (name, value) in unread(found, READ).filter(|(name, _)| *name != "resources") {
        foreign.notes.unmapped(name, &value);
    }
    if found.get("tags").and_then(Value::as_array).is_some_and(|tags| tags.iter().any(Value::is_number)) {
        let message = "tags were left out, since the file has only their numbers; write tags into expand= of the address";
        foreign.notes.add_for(&text("title"), message);
    }
    let (start, end) = times(slot, found);
    let link = |resource: &JsonObject| {
        let address = ["resource", "url", "link"].map(|name| member(resource, name));
        (
            member(resource, "description"),
            address.into_iter().find(|text| !text.is_empty()).unwrap_or_default(),
        )
    };
    let url =
        ["url", "urls"].map(|name| found.get(name).and_then(Value::as_str).unwrap_or_default()).concat();
    foreign.rooms.extend(slot.get("room").and_then(Value::as_object).map(room_of));
    foreign.sessions.push(ForeignSession {
        identity: text("code"),
        title: text("title"),
        start,
        end,
        kind: unless_number(name_of(found, "submission_type")),
        track: names
            .tracks
            .get(&text("track"))
            .cloned()
            .unwrap_or_else(|| unless_number(name_of(found, "track"))),
        room: room(slot, names)?,
        people: people(found, names)?,
        text: vec![paragraphs_of(found, "abstract"), paragraphs_of(found, "description")],
        url,
        links: objects(found, "resources").map(link).filter(|(_, address)| !address.is_empty()).collect(),
        language: text("content_locale"),
        tags: strings(found, "tags").collect(),
        image: text("image"),
        no_recording: found.get("do_not_record").and_then(Value::as_bool) == Some(true),
        status,
        ..ForeignSession::default()
    });
    Ok(())
}

fn break_slot(
    slot: &JsonObject,
    names: &PretalxNames,
    foreign: &mut ForeignProgram,
) -> Result<(), AdoptError> {
    let title =
        ["title", "description"].into_iter().map(|name| member(slot, name)).find(|text| !text.is_empty());
    let (start, end) = times(slot, slot);
    foreign.sessions.push(ForeignSession {
        title: title.unwrap_or_else(|| "Break".to_owned()),
        start,
        end,
        kind: "break".to_owned(),
        room: room(slot, names)?,
        ..ForeignSession::default()
    });
    Ok(())
}

type SlotTimes = (Option<super::foreign::ForeignTime>, Option<super::foreign::ForeignTime>);

fn times(slot: &JsonObject, submission: &JsonObject) -> SlotTimes {
    let start = moment(&member(slot, "start"));
    let minutes = || {
        let stated =
            [slot, submission].into_iter().find_map(|object| object.get("duration").and_then(Value::as_i64));
        start?.plus(TimeDelta::try_minutes(stated?)?)
    };
    (start, moment(&member(slot, "end")).or_else(minutes))
}

/// A room: a number of the widget's data, a name in each language, or an object with a name.
fn room(slot: &JsonObject, names: &PretalxNames) -> Result<String, AdoptError> {
    match slot.get("room") {
        Some(Value::Number(number)) => {
            names.rooms.get(&number.to_string()).cloned().ok_or(AdoptError::Unexpanded)
        }
        _ => Ok(name_of(slot, "room")),
    }
}

fn people(found: &JsonObject, names: &PretalxNames) -> Result<Vec<ForeignPerson>, AdoptError> {
    let list = found.get("speakers").and_then(Value::as_array).into_iter().flatten();
    let one = |value: &Value| match value {
        Value::Object(speaker) => Ok(person(speaker)),
        Value::String(code) => names.speakers.get(code).cloned().ok_or(AdoptError::Unexpanded),
        _ => Err(AdoptError::Unexpanded),
    };
    list.map(one).collect()
}

fn person(speaker: &JsonObject) -> ForeignPerson {
    ForeignPerson {
        name: member(speaker, "name"),
        bio: paragraphs_of(speaker, "biography"),
        ..ForeignPerson::default()
    }
}

/// A name; empty if the API gave only the number of a kind or track.
fn unless_number(name: String) -> String {
    if name.bytes().all(|byte| byte.is_ascii_digit()) { String::new() } else { name }
}
