//! The program as documents of the API, made from the same [`ScheduleItem`] as every other export.
//!
//! Cancelled sessions are included with their status; withdrawn sessions are not. Every member is always present: null
//! or an empty list stands for a missing value.

use super::schedule::{ScheduleItem, SchedulePerson, at_venue, person_guid};
use crate::feed::{FeedKey, session_path};
use crate::program::{ClockStyle, Link, Slug, Track};
use crate::release::Release;
use crate::revision::{Entry, FormerPlace};
use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use url::Url;

/// The conference, its counts, and the addresses of all other documents.
#[derive(Debug, Clone, Serialize)]
pub struct ProgramDocument<'a> {
    conference: ConferenceDocument<'a>,
    release: u64,
    published: String,
    counts: CountsDocument,
    days: Vec<NaiveDate>,
    rooms: Vec<NamedSlug<'a>>,
    links: BTreeMap<&'static str, String>,
}

#[derive(Debug, Clone, Serialize)]
struct ConferenceDocument<'a> {
    title: &'a str,
    slug: &'a str,
    zone: &'static str,
    language: &'a str,
    clock: ClockStyle,
    first_day: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
    venue: Option<&'a str>,
    uid_domain: &'a str,
}

#[derive(Debug, Clone, Serialize)]
struct CountsDocument {
    sessions: usize,
    cancelled: usize,
    tracks: usize,
    rooms: usize,
    speakers: usize,
}

/// The names and paths of the links in the conference's document.
const LINKS: &[(&str, &str)] = &[
    ("agendas", "/api/v1/agendas"),
    ("changes", "/api/v1/changes"),
    ("changes_atom", "/changes.atom"),
    ("changes_json", "/changes.json"),
    ("feed", "/program.ics"),
    ("giggity", "/giggity.json"),
    ("openapi", "/openapi.json"),
    ("page", "/"),
    ("releases", "/api/v1/releases"),
    ("schedule_csv", "/schedule.csv"),
    ("schedule_json", "/schedule.json"),
    ("schedule_xml", "/schedule.xml"),
    ("sessions", "/api/v1/sessions"),
    ("speakers", "/api/v1/speakers"),
    ("tracks", "/api/v1/tracks"),
];

impl<'a> ProgramDocument<'a> {
    /// The document of a release.
    pub fn of(release: &'a Release) -> Self {
        let conference = &release.program.conference;
        let slugs = &release.ledger.slugs;
        let visible: Vec<_> = release.ledger.entries.values().filter(|entry| entry.is_visible()).collect();
        let mut days: BTreeSet<NaiveDate> =
            visible.iter().flat_map(|entry| conference.days().all(&entry.session.slot)).collect();
        let dates = conference.dates;
        if let Some((first, last)) = dates {
            days.extend(first.iter_days().take_while(|day| *day <= last));
        }
        let used: BTreeSet<&str> = visible
            .iter()
            .filter_map(|entry| entry.session.slot.room.as_ref())
            .map(|name| name.as_str())
            .collect();
        let rooms = slugs.rooms.iter().filter(|(_, name)| used.contains(name.as_str()));
        let rooms: Vec<NamedSlug<'a>> =
            rooms.map(|(slug, name)| NamedSlug { slug: slug.as_str(), name: name.as_str() }).collect();
        let counts = CountsDocument {
            sessions: visible.len(),
            cancelled: visible.iter().filter(|entry| entry.is_cancelled()).count(),
            tracks: track_documents(release).len(),
            rooms: rooms.len(),
            speakers: speaker_documents(release).len(),
        };
        Self {
            conference: ConferenceDocument {
                title: conference.title.as_str(),
                slug: conference.slug.as_str(),
                zone: conference.zone.name(),
                language: &conference.language,
                clock: conference.clock,
                first_day: dates.map(|(first, _)| first),
                last_day: dates.map(|(_, last)| last),
                venue: conference.venue.as_ref().map(|text| text.as_str()),
                uid_domain: &release.ledger.uid_domain,
            },
            release: release.number(),
            published: utc(release.published()),
            counts,
            days: days.into_iter().collect(),
            rooms,
            links: LINKS.iter().map(|(name, path)| (*name, conference.link(path))).collect(),
        }
    }
}

/// A track.
#[derive(Debug, Clone, Serialize)]
pub struct TrackDocument<'a> {
    #[serde(flatten)]
    named: NamedSlug<'a>,
    colour: Option<String>,
    about: &'a str,
    was: &'a [Slug],
    sessions: usize,
    page: String,
    feed: String,
    changes: String,
}

/// A speaker and the ids of their sessions.
#[derive(Debug, Clone, Serialize)]
pub struct SpeakerDocument<'a> {
    #[serde(flatten)]
    named: NamedSlug<'a>,
    guid: String,
    sessions: Vec<&'a str>,
    page: String,
    feed: String,
}

impl SpeakerDocument<'_> {
    /// The slug. Speakers are sorted by it.
    pub fn slug(&self) -> &str {
        self.named.slug
    }
}

/// The tracks in the config's order, then removed tracks that still have sessions.
pub fn track_documents(release: &Release) -> Vec<TrackDocument<'_>> {
    let conference = &release.program.conference;
    let mut sessions: HashMap<&Slug, usize> = HashMap::new();
    for entry in release.ledger.entries.values().filter(|entry| entry.is_visible()) {
        if let Some(track) = entry.session.track.as_ref().and_then(|slug| release.ledger.slugs.track(slug)) {
            *sessions.entry(&track.slug).or_default() += 1;
        }
    }
    let present = &release.program.tracks;
    let is_former =
        |track: &&Track| sessions.contains_key(&track.slug) && release.program.track(&track.slug).is_none();
    let tracks = present.iter().chain(release.ledger.slugs.tracks.values().filter(is_former));
    let documents = tracks.map(|Track { name, slug, colour, about, was }| TrackDocument {
        named: NamedSlug { slug: slug.as_str(), name: name.as_str() },
        colour: colour.map(|colour| colour.to_string()),
        about: about.as_str(),
        was,
        sessions: sessions.get(slug).copied().unwrap_or(0),
        page: conference.link(&format!("/tracks/{slug}")),
        feed: conference.link(&FeedKey::Track(slug.clone()).to_string()),
        changes: conference.link(&format!("/tracks/{slug}/changes.atom")),
    });
    documents.collect()
}

/// The speakers of visible sessions, by slug.
pub fn speaker_documents(release: &Release) -> Vec<SpeakerDocument<'_>> {
    let (ledger, conference) = (&release.ledger, &release.program.conference);
    let slugs: HashMap<&str, &Slug> =
        ledger.slugs.speakers.iter().map(|(slug, name)| (name.as_str(), slug)).collect();
    let mut sessions: BTreeMap<&Slug, (&str, Vec<&str>)> = BTreeMap::new();
    for event in release.feeds.events() {
        let Some(entry) = ledger.entries.get(&event.id) else { continue };
        for speaker in &entry.session.speakers {
            let name = speaker.name.as_str();
            let Some(slug) = slugs.get(name) else { continue };
            let (_, ids) = sessions.entry(slug).or_insert_with(|| (name, Vec::new()));
            if ids.last() != Some(&entry.session.id.as_str()) {
                ids.push(entry.session.id.as_str());
            }
        }
    }
    let documents = sessions.into_iter().map(|(slug, (name, sessions))| SpeakerDocument {
        named: NamedSlug { slug: slug.as_str(), name },
        guid: person_guid(slug, &ledger.uid_domain).to_string(),
        sessions,
        page: conference.link(&format!("/speakers/{slug}")),
        feed: conference.link(&FeedKey::Speaker(slug.clone()).to_string()),
    });
    documents.collect()
}

/// The members of a session's document, in the order of the documentation.
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
    "language",
    "tags",
    "image",
    "feedback_url",
    "recording",
    "moved_from",
    "page",
    "feed",
];

/// A session with its ids, its revision and all of its fields.
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
    track: Option<NamedSlug<'a>>,
    room: Option<NamedSlug<'a>>,
    block: Option<&'a str>,
    speakers: Vec<SessionSpeaker<'a>>,
    #[serde(rename = "abstract")]
    abstract_text: &'a str,
    url: Option<&'a Url>,
    links: &'a [Link],
    language: Option<&'a str>,
    tags: Vec<&'a str>,
    image: Option<&'a Url>,
    feedback_url: Option<&'a Url>,
    recording: bool,
    moved_from: Option<FormerPlaceDocument<'a>>,
    page: String,
    feed: String,
}

/// A name with the slug that filters use.
#[derive(Debug, Clone, Serialize)]
struct NamedSlug<'a> {
    slug: &'a str,
    name: &'a str,
}

/// A speaker of one session.
#[derive(Debug, Clone, Serialize)]
struct SessionSpeaker<'a> {
    slug: String,
    guid: String,
    name: &'a str,
    affiliation: Option<&'a str>,
    role: Option<&'a str>,
    bio: &'a str,
}

/// Where a session was before its last move.
#[derive(Debug, Clone, Serialize)]
struct FormerPlaceDocument<'a> {
    start: String,
    end: String,
    room: Option<&'a str>,
    track: Option<&'a str>,
}

impl<'a> SessionDocument<'a> {
    /// The document of a ledger entry.
    pub fn of(entry: &'a Entry, release: &'a Release) -> Self {
        let item = ScheduleItem::of(entry, release, "");
        let (session, conference) = (item.session(), &release.program.conference);
        let slugs = &release.ledger.slugs;
        let speaker = |person: &SchedulePerson<'a>| SessionSpeaker {
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
            start: venue_time(item.start),
            end: venue_time(item.end),
            day: item.day.to_string(),
            track: item.track.map(|track| NamedSlug { slug: track.slug.as_str(), name: track.name.as_str() }),
            room: room.map(|(slug, name)| NamedSlug { slug: slug.as_str(), name: name.as_str() }),
            block: session.block.as_ref().map(|text| text.as_str()),
            speakers: item.persons.iter().map(speaker).collect(),
            abstract_text: session.abstract_text.as_str(),
            url: session.url.as_ref(),
            links: &session.links,
            language: session.language.as_ref().map(|tag| tag.as_str()),
            tags: session.tags.iter().map(|tag| tag.as_str()).collect(),
            image: session.image.as_ref(),
            feedback_url: session.feedback_url.as_ref(),
            recording: !session.no_recording,
            moved_from: entry.moved_from.as_ref().map(|place| FormerPlaceDocument::of(place, release)),
            feed: conference.link(&session_path(&session.id)),
            code: item.code,
            page: item.page,
        }
    }
}

impl<'a> FormerPlaceDocument<'a> {
    fn of(place: &'a FormerPlace, release: &Release) -> Self {
        let zone = release.program.conference.zone;
        Self {
            start: venue_time(at_venue(zone, place.slot.start)),
            end: venue_time(at_venue(zone, place.slot.end)),
            room: place.slot.room.as_ref().map(|text| text.as_str()),
            track: place.track.as_ref().map(|text| text.as_str()),
        }
    }
}

/// The instant with the venue's offset, `2025-03-25T09:00:00-07:00`.
fn venue_time(at: DateTime<FixedOffset>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// An instant in UTC, `2025-03-25T16:00:00Z`.
fn utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    fn documents() -> Vec<Value> {
        let release = fixtures::tricky().release();
        let visible = release.visible_entries();
        visible.iter().map(|entry| json!(SessionDocument::of(entry, &release))).collect()
    }

    #[test]
    fn every_member_is_listed() {
        let listed: BTreeSet<&str> = SESSION_FIELDS.iter().copied().collect();
        assert_eq!(listed.len(), SESSION_FIELDS.len());
        for document in documents() {
            let members: BTreeSet<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(members, listed);
        }
    }

    #[test]
    fn ids_and_revisions_agree_with_the_other_exports() {
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
    fn cancelled_sessions_are_included_and_withdrawn_ones_are_not() {
        let ids: Vec<String> = documents().iter().map(|d| d["id"].as_str().unwrap().to_owned()).collect();
        assert!(ids.contains(&"fell-through".to_owned()) && !ids.contains(&"embargo".to_owned()));
    }
}
