//! Reads version 2 of c3voc's schedule JSON, a flat list of events.

use super::foreign::{ForeignPerson, ForeignProgram, ForeignSession};
use super::value::{
    JsonObject, length, member, moment, name_of, objects, paragraphs_of, rooms_of, strings, tracks_of, unread,
};
use crate::program::Status;
use serde_json::Value;

/// The members of an event that are read, or that Callboard writes itself.
const READ: &[&str] = &[
    "guid",
    "code",
    "id",
    "start",
    "end",
    "duration",
    "room",
    "slug",
    "url",
    "title",
    "subtitle",
    "track",
    "type",
    "abstract",
    "description",
    "participants",
    "persons",
    "links",
    "attachments",
    "state",
    "language",
    "logo",
    "feedback_url",
    "do_not_record",
    "tags",
    "keywords",
];

pub(super) fn read(schedule: &JsonObject) -> ForeignProgram {
    let mut foreign = ForeignProgram::default();
    if let Some(conference) = schedule.get("conference").and_then(Value::as_object) {
        let filled = |name: &str| Some(member(conference, name)).filter(|text| !text.is_empty());
        (foreign.title, foreign.zone) = (filled("title"), filled("time_zone_name"));
        (foreign.tracks, foreign.rooms) = (tracks_of(conference), rooms_of(conference));
    }
    for event in objects(schedule, "events") {
        let session = session(event, &mut foreign);
        foreign.sessions.extend(session);
    }
    foreign
}

fn session(event: &JsonObject, foreign: &mut ForeignProgram) -> Option<ForeignSession> {
    let text = |name: &str| member(event, name);
    for (name, value) in unread(event, READ) {
        foreign.notes.unmapped(name, &value);
    }
    let status = match text("state").as_str() {
        "CANCELED" | "CANCELLED" | "WITHDRAWN" => Some(Status::Cancelled),
        "DRAFT" | "SUBMITTED" | "ACCEPTED" => Some(Status::Tentative),
        "REJECTED" | "DELETED" => {
            foreign.notes.add_for(&text("title"), format!("left out, since its state is {}", text("state")));
            return None;
        }
        _ => None,
    };
    let person =
        |person: &JsonObject| ForeignPerson { name: name_of(person, "name"), ..ForeignPerson::default() };
    let link = |link: &JsonObject| (member(link, "title"), member(link, "url"));
    let links = objects(event, "links").chain(objects(event, "attachments")).map(link);
    let start = moment(&text("start"));
    let identity = ["guid", "id", "code"].into_iter().map(text).find(|text| !text.is_empty());
    let kind = text("type").replace('_', " ");
    Some(ForeignSession {
        identity: identity.unwrap_or_default(),
        title: text("title"),
        start,
        end: moment(&text("end")).or_else(|| start?.plus(length(&text("duration"))?)),
        // The two words for an event of no particular kind.
        kind: if ["OTHER", "META"].contains(&kind.as_str()) { String::new() } else { kind },
        track: name_of(event, "track"),
        room: name_of(event, "room"),
        people: objects(event, "participants").chain(objects(event, "persons")).map(person).collect(),
        text: vec![text("subtitle"), paragraphs_of(event, "abstract"), paragraphs_of(event, "description")],
        url: text("url"),
        links: links.filter(|(_, address)| !address.is_empty()).collect(),
        language: text("language"),
        tags: strings(event, "tags").chain(strings(event, "keywords")).collect(),
        image: text("logo"),
        feedback_url: text("feedback_url"),
        no_recording: event.get("do_not_record").and_then(Value::as_bool) == Some(true),
        status,
        ..ForeignSession::default()
    })
}
