//! A session as the API shows it.

use super::utc;
use crate::export::item::Item;
use crate::export::schedule::local;
use crate::feed::session_path;
use crate::program::Link;
use crate::release::Release;
use crate::revision::{Entry, Place};
use chrono::{DateTime, FixedOffset, SecondsFormat};
use serde::Serialize;
use url::Url;

/// Its members by name, in the order of the documentation.
pub const SESSION_FIELDS: &[&str] = &[
    "id",
    "uid",
    "number",
    "guid",
    "code",
    "sequence",
    "modified",
    "release",
    "status",
    "kind",
    "title",
    "start",
    "end",
    "day",
    "track",
    "room",
    "block",
    "speakers",
    "abstract",
    "url",
    "links",
    "moved_from",
    "page",
    "feed",
];

/// A session with its ids, its revision and everything that the program says of it.
#[derive(Debug, Clone, Serialize)]
pub struct SessionDocument<'a> {
    id: &'a str,
    uid: String,
    number: u32,
    guid: String,
    code: String,
    sequence: u32,
    modified: String,
    release: u64,
    status: &'static str,
    kind: &'static str,
    title: &'a str,
    start: String,
    end: String,
    day: String,
    track: Option<Named<'a>>,
    room: Option<Named<'a>>,
    block: Option<&'a str>,
    speakers: Vec<SpeakerLine<'a>>,
    #[serde(rename = "abstract")]
    abstract_text: &'a str,
    url: Option<&'a Url>,
    links: &'a [Link],
    moved_from: Option<Earlier<'a>>,
    page: String,
    feed: String,
}

/// Something with a slug to filter by.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Named<'a> {
    pub(super) slug: &'a str,
    pub(super) name: &'a str,
}

/// A speaker as one session has them.
#[derive(Debug, Clone, Serialize)]
struct SpeakerLine<'a> {
    slug: String,
    guid: String,
    name: &'a str,
    affiliation: Option<&'a str>,
    role: Option<&'a str>,
    bio: &'a str,
}

/// Where a session was before its last move.
#[derive(Debug, Clone, Serialize)]
struct Earlier<'a> {
    start: String,
    end: String,
    room: Option<&'a str>,
    track: Option<&'a str>,
}

impl<'a> SessionDocument<'a> {
    /// Of a session's line in the ledger of a release.
    pub fn of(entry: &'a Entry, release: &'a Release) -> Self {
        let item = Item::of(entry, release, "");
        let (session, conference) = (item.session(), &release.program.conference);
        let slugs = &release.ledger.slugs;
        let speaker = |person: &crate::export::Person<'a>| SpeakerLine {
            slug: person.slug.to_string(),
            guid: person.guid.to_string(),
            name: person.speaker.name.as_str(),
            affiliation: person.speaker.affiliation.as_ref().map(|text| text.as_str()),
            role: person.speaker.role.as_ref().map(|text| text.as_str()),
            bio: person.speaker.bio.as_str(),
        };
        let room = session.slot.room.as_ref().and_then(|name| slugs.room(slugs.room_slug(name)?));
        Self {
            id: session.id.as_str(),
            uid: release.ledger.uid(&session.id),
            number: entry.number,
            guid: item.guid.to_string(),
            sequence: entry.revision.sequence,
            modified: utc(entry.revision.modified),
            release: entry.release,
            status: session.status.as_str(),
            kind: session.kind.as_str(),
            title: session.title.as_str(),
            start: venue(item.start),
            end: venue(item.end),
            day: item.day.to_string(),
            track: item.track.map(|track| Named { slug: track.slug.as_str(), name: track.name.as_str() }),
            room: room.map(|(slug, name)| Named { slug: slug.as_str(), name: name.as_str() }),
            block: session.block.as_ref().map(|text| text.as_str()),
            speakers: item.persons.iter().map(speaker).collect(),
            abstract_text: session.abstract_text.as_str(),
            url: session.url.as_ref(),
            links: &session.links,
            moved_from: entry.moved_from.as_ref().map(|place| Earlier::of(place, release)),
            feed: conference.link(&session_path(&session.id)),
            code: item.code,
            page: item.page,
        }
    }
}

impl<'a> Earlier<'a> {
    fn of(place: &'a Place, release: &Release) -> Self {
        let zone = release.program.conference.zone;
        Self {
            start: venue(local(zone, place.slot.start)),
            end: venue(local(zone, place.slot.end)),
            room: place.slot.room.as_ref().map(|text| text.as_str()),
            track: place.track.as_ref().map(|text| text.as_str()),
        }
    }
}

/// `2025-03-25T09:00:00-07:00`: the hour that the venue's clock shows, and the instant.
fn venue(at: DateTime<FixedOffset>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    fn documents() -> Vec<Value> {
        let release = fixtures::tricky().release();
        let shown = release.shown();
        shown.iter().map(|entry| json!(SessionDocument::of(entry, &release))).collect()
    }

    #[test]
    fn every_member_has_its_name_in_the_list() {
        let listed: BTreeSet<&str> = SESSION_FIELDS.iter().copied().collect();
        assert_eq!(listed.len(), SESSION_FIELDS.len());
        for document in documents() {
            let members: BTreeSet<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(members, listed);
        }
    }

    #[test]
    fn ids_and_revision_are_those_of_the_other_exports() {
        let release = fixtures::tricky().release();
        let frab: Value = serde_json::from_slice(&crate::export::schedule_json(&release).bytes).unwrap();
        let text = frab.to_string();
        for document in documents() {
            let guid = document["guid"].as_str().unwrap();
            assert_eq!(text.contains(guid), document["status"] != "cancelled", "{document}");
        }
        let keynote = documents().into_iter().find(|document| document["id"] == "safe-ai").unwrap();
        assert_eq!((&keynote["sequence"], &keynote["release"]), (&json!(0), &json!(1)));
        assert_eq!(keynote["start"], "2025-03-25T09:00:00-07:00");
        assert_eq!(keynote["modified"], fixtures::PUBLISHED);
        assert_eq!(keynote["track"], json!({ "slug": "plenary", "name": "Plenary" }));
        assert_eq!(keynote["speakers"][0]["affiliation"], "Workday, Inc.");
        assert_eq!(keynote["room"], Value::Null);
    }

    #[test]
    fn a_cancelled_session_is_there_and_a_withdrawn_one_is_not() {
        let ids: Vec<String> = documents().iter().map(|d| d["id"].as_str().unwrap().to_owned()).collect();
        assert!(ids.contains(&"fell-through".to_owned()) && !ids.contains(&"embargo".to_owned()));
    }
}
