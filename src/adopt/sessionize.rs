//! Reads the JSON views of Sessionize: All, GridSmart and Sessions. Their texts are plain text, and their times are
//! local times of the venue.

use super::foreign::{ForeignPerson, ForeignProgram, ForeignSession, is_kind_alone};
use super::value::{JsonObject, member, moment, name_of, objects, paragraphs_of, rooms_of, shown, unread};
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

/// The members of a speaker that are read, or that say nothing to attendees.
const SPEAKER_READ: &[&str] = &[
    "id",
    "firstName",
    "lastName",
    "fullName",
    "bio",
    "tagLine",
    "links",
    "sessions",
    "isTopSpeaker",
    "categoryItems",
    "questionAnswers",
];

/// Where a category of the call for papers belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Category {
    Kind,
    Track,
    Language,
    Tag,
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
    let mut foreign = ForeignProgram { is_plain: true, rooms: rooms_of(root), ..ForeignProgram::default() };
    for speaker in objects(root, "speakers") {
        let full = member(speaker, "fullName");
        let parts = [member(speaker, "firstName"), member(speaker, "lastName")].join(" ");
        let name = if full.is_empty() { parts } else { full };
        let bio = [paragraphs_of(speaker, "tagLine"), paragraphs_of(speaker, "bio")];
        let profiles = objects(speaker, "links")
            .map(|link| (member(link, "title"), member(link, "url")))
            .filter(|(_, url)| !url.is_empty())
            .map(|(title, url)| if title.is_empty() { url } else { format!("{title}: {url}") });
        let bio =
            bio.into_iter().chain(profiles).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
        for (name, value) in unread(speaker, SPEAKER_READ) {
            foreign.notes.unmapped(&format!("a speaker's {name}"), &value);
        }
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

/// Words in the title of a category whose items are languages that people speak.
const LANGUAGES: &[&str] = &["language", "sprache", "langue", "idioma", "lingua", "língua", "言語"];

fn category_of(title: &str) -> Category {
    let lower = title.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["format", "type", "kind"]) {
        Category::Kind
    } else if has(&["track", "topic", "stream", "theme"]) {
        Category::Track
    } else if has(LANGUAGES) && !has(&["program"]) {
        Category::Language
    } else {
        Category::Tag
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
    let status = match text("status").to_lowercase().as_str() {
        "canceled" | "cancelled" | "withdrawn" => Some(Status::Cancelled),
        "nominated" | "waitlisted" | "accept_queue" => Some(Status::Tentative),
        state @ ("declined" | "decline_queue" | "rejected") => {
            foreign.notes.add_for(&text("title"), format!("left out, since its status is {state}"));
            return;
        }
        _ => None,
    };
    let stated =
        [text("room"), room.to_owned(), names.rooms.get(&text("roomId")).cloned().unwrap_or_default()];
    if stated.iter().all(String::is_empty) && !text("roomId").is_empty() {
        foreign.notes.add_for(&text("title"), "a room was left out, since the file does not name it");
    }
    let mut session = ForeignSession {
        identity: id,
        title: text("title"),
        start,
        end: moment(&text("endsAt")),
        room: stated.into_iter().find(|name| !name.is_empty()).unwrap_or_default(),
        people: speakers(found, names, foreign),
        text: vec![paragraphs_of(found, "description")],
        status,
        ..ForeignSession::default()
    };
    for (name, label) in [("liveUrl", "Live stream"), ("recordingUrl", "Recording")] {
        session
            .links
            .extend(Some(text(name)).filter(|url| !url.is_empty()).map(|url| (label.to_owned(), url)));
    }
    session.links.extend(objects(found, "links").map(|link| (member(link, "title"), member(link, "url"))));
    for (category, _, name) in categories(found, names, foreign) {
        match category {
            Category::Kind if session.kind.is_empty() => session.kind = name,
            Category::Track if session.track.is_empty() => session.track = name,
            Category::Language if session.language.is_empty() => session.language = name,
            _ => session.tags.push(name),
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

/// The speakers, each an id, or an object with a name.
fn speakers(found: &JsonObject, names: &SessionizeNames, foreign: &mut ForeignProgram) -> Vec<ForeignPerson> {
    let list = found.get("speakers").and_then(Value::as_array).into_iter().flatten();
    let mut person = |value: &Value| match value {
        Value::Object(speaker) => {
            Some(ForeignPerson { name: name_of(speaker, "name"), ..ForeignPerson::default() })
        }
        id => {
            let known = names.speakers.get(&shown(id)).cloned();
            if known.is_none() && !id.is_null() {
                let title = member(found, "title");
                foreign.notes.add_for(&title, "a speaker was left out, since the file does not name them");
            }
            known
        }
    };
    list.filter_map(&mut person).collect()
}

fn categories(
    found: &JsonObject,
    names: &SessionizeNames,
    foreign: &mut ForeignProgram,
) -> Vec<(Category, String, String)> {
    let ids = found.get("categoryItems").and_then(Value::as_array).into_iter().flatten();
    let by_id = ids.filter_map(|id| {
        let known = names.items.get(&shown(id)).cloned();
        if known.is_none() {
            let title = member(found, "title");
            foreign.notes.add_for(&title, "a category was left out, since the file does not name it");
        }
        known
    });
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
