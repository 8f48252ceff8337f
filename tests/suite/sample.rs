//! Conferences and sessions for tests, by way of the config's own parser.

use callboard::config::{Config, Overrides};
use callboard::program::{
    Conference, Program, Session, SessionId, SessionKind, Slot, Speaker, Status, Text, Track,
};
use callboard::release::Release;
use callboard::revision::Ledger;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// When every release of these tests is published.
pub(crate) const PUBLISHED: &str = "2025-02-01T12:00:00Z";

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The conference of a config's text, with links to `https://conf.example`.
pub(crate) fn conference(config: &str) -> Arc<Conference> {
    let overrides = Overrides { public_url: Some("https://conf.example".to_owned()), ..Overrides::default() };
    let config = Config::parse(Some(config), overrides).unwrap();
    Arc::new(config.conference("127.0.0.1:8080".parse().unwrap()))
}

/// A conference of a title and a zone.
pub(crate) fn plain_conference(title: &str, zone: &str) -> Arc<Conference> {
    conference(&format!("[conference]\ntitle = {title:?}\nzone = {zone:?}\n"))
}

/// A talk, confirmed, without more than it must have.
pub(crate) fn talk(id: &str, start: DateTime<Utc>, end: DateTime<Utc>, title: &str) -> Session {
    Session {
        id: SessionId::parse(id).unwrap(),
        slot: Slot { start, end, room: None },
        kind: SessionKind::Talk,
        title: Text::line(title).0,
        track: None,
        block: None,
        speakers: Vec::new(),
        abstract_text: Text::default(),
        url: None,
        links: Vec::new(),
        status: Status::Confirmed,
    }
}

pub(crate) fn speaker(name: &str, affiliation: Option<&str>) -> Speaker {
    Speaker {
        name: Text::line(name).0,
        affiliation: affiliation.map(|text| Text::line(text).0),
        role: None,
        bio: Text::default(),
    }
}

/// The sessions as release 1.
pub(crate) fn first_release(conference: &Arc<Conference>, sessions: Vec<Session>) -> Release {
    let tracks: Vec<Track> = conference.tracks.clone();
    let program = Program::new(Arc::clone(conference), tracks, sessions);
    Release::prepare(program, &Ledger::empty(&conference.uid_domain), instant(PUBLISHED)).release
}
