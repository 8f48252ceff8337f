//! A release of one session, for the tests of this module.

use crate::program::{
    Clock, Conference, Program, Session, SessionId, SessionKind, Slot, Slug, Status, Text, Zone,
};
use crate::release::Release;
use crate::revision::Ledger;
use std::sync::Arc;

pub(super) fn release() -> Release {
    let conference = Arc::new(Conference {
        title: Text::from("Conference"),
        slug: Slug::parse("conf").unwrap(),
        dates: None,
        zone: Zone::parse("America/Los_Angeles").unwrap(),
        venue: None,
        language: "en".to_owned(),
        clock: Clock::TwentyFour,
        uid_domain: "conf.example.org".to_owned(),
        public_url: "https://conf.example.org".parse().unwrap(),
        tracks: Vec::new(),
        rooms: Vec::new(),
        tombstone_days: 30,
    });
    let slot = Slot {
        start: "2025-03-25T16:00:00Z".parse().unwrap(),
        end: "2025-03-25T16:45:00Z".parse().unwrap(),
        room: None,
    };
    let session = Session {
        id: SessionId::parse("opening").unwrap(),
        slot,
        kind: SessionKind::Talk,
        title: Text::from("Opening, with coffee"),
        track: None,
        block: None,
        speakers: Vec::new(),
        abstract_text: Text::default(),
        url: None,
        links: Vec::new(),
        status: Status::Confirmed,
    };
    let program = Program::new(conference, Vec::new(), [session]);
    Release::prepare(program, &Ledger::empty("conf.example.org"), "2025-01-01T00:00:00Z".parse().unwrap())
        .release
}
