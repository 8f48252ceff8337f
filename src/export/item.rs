//! One session as every export shows it, values printed once.

use super::ident::{code, guid, person_guid};
use super::schedule::local;
use crate::program::{Session, Slug, Text, Track};
use crate::release::Release;
use crate::revision::Entry;
use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat};
use uuid::Uuid;

/// A session with the ids and the printed times of the exports.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    /// Its line in the ledger.
    pub entry: &'a Entry,
    /// UUIDv5 of the UID.
    pub guid: Uuid,
    /// The number in base 36.
    pub code: String,
    /// Unique in the conference, in the form that both frab schemas accept.
    pub slug: String,
    /// The room's name, never empty.
    pub room: Text,
    /// Its track.
    pub track: Option<&'a Track>,
    /// The venue's date.
    pub day: NaiveDate,
    /// Its first instant, with the venue's offset.
    pub start: DateTime<FixedOffset>,
    /// The first instant after it.
    pub end: DateTime<FixedOffset>,
    /// The organizer's page on it, else ours.
    pub url: String,
    /// Our page on it.
    pub page: String,
    /// Who, and what is known about them; for formats that have no field for it.
    pub description: String,
    /// Its people.
    pub persons: Vec<Person<'a>>,
}

/// A speaker with the ids of the exports.
#[derive(Debug, Clone)]
pub struct Person<'a> {
    /// The name and what goes with it.
    pub speaker: &'a crate::program::Speaker,
    /// The name's slug.
    pub slug: Slug,
    /// By that slug.
    pub guid: Uuid,
    /// Their page here.
    pub url: String,
}

impl Person<'_> {
    /// A number for tools that want one: 31 bits of the guid, since the ledger numbers no people.
    pub fn number(&self) -> u32 {
        self.guid.as_fields().0 >> 1
    }
}

impl<'a> Item<'a> {
    /// An entry of a release.
    pub fn of(entry: &'a Entry, release: &'a Release, acronym: &str) -> Self {
        let session: &Session = &entry.session;
        let conference = &release.program.conference;
        let ledger = &release.ledger;
        let track = session.track.as_ref().and_then(|slug| ledger.slugs.track(slug));
        let room = session.slot.room.as_ref().or(track.map(|track| &track.name));
        let room = room.or(conference.venue.as_ref()).unwrap_or(&conference.title);
        let person = |speaker: &'a crate::program::Speaker| {
            let slug = ledger.slugs.speaker_slug(&speaker.name).cloned();
            let slug: Slug = slug.unwrap_or_else(|| crate::program::slug_of(speaker.name.as_str()));
            Person {
                speaker,
                guid: person_guid(&slug, &ledger.uid_domain),
                url: conference.link(&format!("/speakers/{slug}")),
                slug,
            }
        };
        let page = conference.link(&format!("/sessions/{}", session.id));
        Self {
            entry,
            guid: guid(&ledger.uid(&session.id)),
            code: code(entry.number),
            slug: format!("{acronym}-{}-{}", entry.number, session.id),
            room: room.clone(),
            track,
            day: conference.zone.civil(session.slot.start).date(),
            start: local(conference.zone, session.slot.start),
            end: local(conference.zone, session.slot.end),
            url: session.url.as_ref().map_or_else(|| page.clone(), ToString::to_string),
            page,
            description: people(session),
            persons: session.speakers.iter().map(person).collect(),
        }
    }

    /// The session.
    pub fn session(&self) -> &'a Session {
        &self.entry.session
    }

    /// `2025-03-25T09:00:00-07:00`
    pub fn date(&self) -> String {
        self.start.to_rfc3339_opts(SecondsFormat::Secs, false)
    }

    /// `09:00`
    pub fn clock(&self) -> String {
        self.start.format("%H:%M").to_string()
    }

    /// `00:45`; at most `99:59`, since frab's XML has two digits for the hours.
    pub fn duration(&self) -> String {
        let minutes = (self.end - self.start).num_minutes().min(99 * 60 + 59);
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// Its track's name; empty where it has none.
    pub fn track_name(&self) -> &str {
        self.track.map_or("", |track| track.name.as_str())
    }
}

/// `Role: Name, Affiliation` for everybody, each with the bio below.
fn people(session: &Session) -> String {
    let person = |speaker: &crate::program::Speaker| match speaker.bio.is_empty() {
        true => speaker.line(),
        false => format!("{}\n{}", speaker.line(), speaker.bio),
    };
    session.speakers.iter().map(person).collect::<Vec<_>>().join("\n\n")
}
