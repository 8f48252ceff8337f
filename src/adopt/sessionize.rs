//! Reads the JSON views of Sessionize: All, GridSmart and Sessions. Their texts are plain text, and their times are
//! local times of the venue.

use super::foreign::{ForeignPerson, ForeignProgram, ForeignSession, is_kind_alone};
use super::value::{JsonObject, member, moment, name_of, objects, paragraphs_of, unread};
use crate::program::Status;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// The members of a session that are read, or that say nothing to attendees.
const READ: &[&str] = &[
    "id",
    "title",
    "description",
    "startsAt",
    "endsAt",
    "isServiceSession",
    "isPlenumSession",
    "speakers",
    "categories",
    "categoryItems",
    "roomId",
    "room",
    "status",
    "isInformed",
    "isConfirmed",
    "liveUrl",
    "recordingUrl",
    "links",
    "questionAnswers",
    "groupId",
    "groupName",
];

/// Where a category of the call for papers belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Category {
    Kind,
    Track,
    Other,
}

/// SessionizeNames that refer to the ids of the view All.
#[derive(Debug, Default)]
struct SessionizeNames {
    speakers: HashMap<String, ForeignPerson>,
    rooms: HashMap<String, String>,
    /// The items of categories: the category, its title, and the item's name.
    items: HashMap<String, (Category, String, String)>,
}

/// Reads the view All.
pub(super) fn read_all(root: &JsonObject) -> ForeignProgram {
    let mut names = SessionizeNames::default();
    for speaker in objects(root, "speakers") {
        let full = member(speaker, "fullName");
        let parts = [member(speaker, "firstName"), member(speaker, "lastName")].join(" ");
        let name = if full.is_empty() { parts } else { full };
        let bio = [paragraphs_of(speaker, "tagLine"), paragraphs_of(speaker, "bio")];
        let bio = bio.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
        names.speakers.insert(member(speaker, "id"), ForeignPerson { name, bio, ..ForeignPerson::default() });
    }
    names.rooms = objects(root, "rooms").map(|room| (member(room, "id"), member(room, "name"))).collect();
    for category in objects(root, "categories") {
        let title = member(category, "title");
        for item in objects(category, "items") {
            names
                .items
                .insert(member(item, "id"), (category_of(&title), title.clone(), member(item, "name")));
        }
    }
    let mut foreign = ForeignProgram { is_plain: true, ..ForeignProgram::default() };
    for found in objects(root, "sessions") {
        add(found, "", &names, &mut foreign);
    }
    foreign
}

/// Reads the view GridSmart, a list of days, or the view Sessions, a list of groups. None for other lists.
pub(super) fn read_list(list: &[&JsonObject]) -> Option<ForeignProgram> {
    let is_view = |entry: &&JsonObject| entry.contains_key("rooms") || entry.contains_key("sessions");
    if list.is_empty() || !list.iter().all(is_view) {
        return None;
    }
    let (names, mut foreign) =
        (SessionizeNames::default(), ForeignProgram { is_plain: true, ..ForeignProgram::default() });
    for entry in list {
        for found in objects(entry, "sessions") {
            add(found, "", &names, &mut foreign);
        }
        for room in objects(entry, "rooms") {
            let name = member(room, "name");
            for found in objects(room, "sessions") {
                add(found, &name, &names, &mut foreign);
            }
        }
    }
    Some(foreign)
}

fn category_of(title: &str) -> Category {
    let lower = title.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["format", "type", "kind"]) {
        Category::Kind
    } else if has(&["track", "topic", "stream", "theme"]) {
        Category::Track
    } else {
        Category::Other
    }
}

fn add(found: &JsonObject, room: &str, names: &SessionizeNames, foreign: &mut ForeignProgram) {
    let text = |name: &str| member(found, name);
    let (id, start) = (text("id"), moment(&text("startsAt")));
    // A plenary is listed in each room that it fills.
    let is_listed = |session: &ForeignSession| session.identity == id && session.start == start;
    if !id.is_empty() && foreign.sessions.last().is_some_and(is_listed) {
        return;
    }
    for (name, value) in unread(found, READ) {
        foreign.notes.unmapped(name, &value);
    }
    let stated =
        [text("room"), room.to_owned(), names.rooms.get(&text("roomId")).cloned().unwrap_or_default()];
    let mut session = ForeignSession {
        identity: id,
        title: text("title"),
        start,
        end: moment(&text("endsAt")),
        room: stated.into_iter().find(|name| !name.is_empty()).unwrap_or_default(),
        people: speakers(found, names),
        text: vec![paragraphs_of(found, "description")],
        status: matches!(text("status").to_lowercase().as_str(), "canceled" | "cancelled")
            .then_some(Status::Cancelled),
        ..ForeignSession::default()
    };
    for (name, label) in [("liveUrl", "Live stream"), ("recordingUrl", "Recording")] {
        session
            .links
            .extend(Some(text(name)).filter(|url| !url.is_empty()).map(|url| (label.to_owned(), url)));
    }
    session.links.extend(objects(found, "links").map(|link| (member(link, "title"), member(link, "url"))));
    for (category, title, name) in categories(found, names) {
        match category {
            Category::Kind if session.kind.is_empty() => session.kind = name,
            Category::Track if session.track.is_empty() => session.track = name,
            _ => foreign.notes.unmapped(&format!("the category {title:?}"), &name),
        }
    }
    for answer in objects(found, "questionAnswers") {
        let value = ["answerValue", "answer"].map(|name| member(answer, name)).concat();
        foreign.notes.unmapped("answers of the call for papers", &value);
    }
    let is = |name: &str| found.get(name).and_then(Value::as_bool).unwrap_or_default();
    if session.kind.is_empty() && is("isServiceSession") && !is_kind_alone(&session.title) {
        "break".clone_into(&mut session.kind);
    }
    if is("isPlenumSession") && !is("isServiceSession") {
        "plenary".clone_into(&mut session.kind);
    }
    foreign.sessions.push(session);
}

/// The speakers, each an id, a name, or an object with a name.
fn speakers(found: &JsonObject, names: &SessionizeNames) -> Vec<ForeignPerson> {
    let list = found.get("speakers").and_then(Value::as_array).into_iter().flatten();
    let person = |value: &Value| match value {
        Value::String(id) => {
            let unknown = || ForeignPerson { name: id.clone(), ..ForeignPerson::default() };
            names.speakers.get(id).cloned().unwrap_or_else(unknown)
        }
        Value::Object(speaker) => {
            ForeignPerson { name: name_of(speaker, "name"), ..ForeignPerson::default() }
        }
        _ => ForeignPerson::default(),
    };
    list.map(person).collect()
}

fn categories(found: &JsonObject, names: &SessionizeNames) -> Vec<(Category, String, String)> {
    let ids = found.get("categoryItems").and_then(Value::as_array).into_iter().flatten();
    let by_id = ids.filter_map(|id| names.items.get(&super::value::shown(id)).cloned());
    let mut all: Vec<(Category, String, String)> = by_id.collect();
    for category in objects(found, "categories") {
        let title = member(category, "name");
        let items = objects(category, "categoryItems").map(|item| member(item, "name"));
        all.extend(items.map(|name| (category_of(&title), title.clone(), name)));
    }
    let mut seen = HashSet::new();
    all.retain(|(_, title, name)| seen.insert((title.clone(), name.clone())));
    all
}
