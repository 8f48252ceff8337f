//! A small program with everything that an export can trip over.

use crate::program::{
    Clock, Colour, Conference, Link, Program, Room, Session, SessionId, SessionKind, Slot, Slug, Speaker,
    Status, Text, Track, Zone,
};
use crate::release::Release;
use crate::revision::Ledger;
use chrono::{DateTime, Utc};
use std::sync::Arc;

pub(crate) fn conference() -> Arc<Conference> {
    let track = |name: &str, slug: &str, colour| Track {
        name: Text::from(name),
        slug: Slug::parse(slug).unwrap(),
        colour,
        about: Text::default(),
        was: Vec::new(),
    };
    Arc::new(Conference {
        title: Text::from("SREcon25 Americas"),
        slug: Slug::parse("srecon25-americas").unwrap(),
        dates: Some(("2025-03-24".parse().unwrap(), "2025-03-27".parse().unwrap())),
        zone: Zone::parse("America/Los_Angeles").unwrap(),
        venue: None,
        language: "en-US".to_owned(),
        clock: Clock::Twelve,
        uid_domain: "srecon25.example.org".to_owned(),
        public_url: "https://conf.example.org".parse().unwrap(),
        tracks: vec![
            track("Plenary", "plenary", Some(Colour([0x7a, 0x3e, 0x9d]))),
            track("Track 1", "track-1", Some(Colour([0x0b, 0x6e, 0x8f]))),
            track("Track 2", "2", None),
        ],
        rooms: vec![Room { name: Text::from("Grand Ballroom"), was: Vec::new() }],
        tombstone_days: 30,
    })
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn session(id: &str, start: &str, end: &str, title: &str) -> Session {
    Session {
        id: SessionId::parse(id).unwrap(),
        slot: Slot { start: at(start), end: at(end), room: None },
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

pub(crate) fn speaker(name: &str, affiliation: &str, bio: &str) -> Speaker {
    Speaker {
        name: Text::from(name),
        affiliation: Some(Text::from(affiliation)).filter(|text| !text.is_empty()),
        role: None,
        bio: Text::from(bio),
    }
}

pub(crate) fn sessions() -> Vec<Session> {
    let slug = |raw: &str| Some(Slug::parse(raw).unwrap());
    let mut keynote =
        session("safe-ai", "2025-03-25T16:00:00Z", "2025-03-25T16:45:00Z", "Safe & <Sound>, =\"quoted\"");
    keynote.track = slug("plenary");
    keynote.kind = SessionKind::Plenary;
    keynote.block = Some(Text::from("Opening Plenary Session"));
    keynote.abstract_text = Text::from("- one\n\n• two, three; four \\ five\n=SUM(A1)");
    keynote.speakers = vec![
        speaker("Leonardo Antônio dos Santos", "Workday, Inc.", ""),
        speaker("Yifan (Sabrina) Zhao", "", "Writes about\n\nreliability."),
        speaker("Third Person", "A: B", ""),
    ];
    keynote.links =
        vec![Link { label: Text::from("Slides"), url: "https://example.org/s.pdf?a=1&b=2".parse().unwrap() }];
    keynote.url = Some("https://example.org/talk".parse().unwrap());
    let mut first =
        session("ml-monitoring", "2025-03-25T18:00:00Z", "2025-03-25T18:45:00Z", "+1 for monitoring");
    first.track = slug("track-1");
    let mut second =
        session("slow-queries", "2025-03-25T18:00:00Z", "2025-03-25T18:45:00Z", "'=Slow' queries 遅い");
    second.track = slug("2");
    second.slot.room = Some(Text::from("Grand Ballroom"));
    second.status = Status::Tentative;
    let mut cancelled =
        session("fell-through", "2025-03-26T18:00:00Z", "2025-03-26T18:45:00Z", "A talk that fell through");
    cancelled.status = Status::Cancelled;
    cancelled.track = slug("track-1");
    let mut withdrawn = session("embargo", "2025-03-26T20:00:00Z", "2025-03-26T20:45:00Z", "Never shown");
    withdrawn.status = Status::Withdrawn;
    let mut coffee =
        session("coffee", "2025-03-25T17:30:00Z", "2025-03-25T18:00:00Z", "Coffee and Tea Break");
    coffee.kind = SessionKind::Break;
    let mut night = session("night", "2025-03-28T05:00:00Z", "2025-03-28T09:30:00Z", "Night walk");
    night.kind = SessionKind::Social;
    vec![keynote, first, second, cancelled, withdrawn, coffee, night]
}

pub(crate) fn program(sessions: Vec<Session>) -> Program {
    let conference = conference();
    let tracks = conference.tracks.clone();
    Program::new(conference, tracks, sessions)
}

/// Release 1 of the sample.
pub(crate) fn release() -> Release {
    after(program(sessions()), &Ledger::empty("srecon25.example.org"), "2025-01-10T12:00:00Z").0
}

/// The release that a program gives on top of a ledger, with its changes.
pub(crate) fn after(program: Program, ledger: &Ledger, when: &str) -> (Release, Vec<crate::program::Change>) {
    let prepared = Release::prepare(program, ledger, at(when));
    (prepared.release, prepared.changes)
}
