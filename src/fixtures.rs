//! Small conferences for tests: unit tests, the suite and the fuzz targets build theirs here.
//!
//! Not part of the public interface. The server never calls it, so the linker drops it from the binary.

#![expect(clippy::unwrap_used, reason = "only tests call it, with values that parse")]

use crate::program::{
    ClockStyle, Colour, Conference, DayChange, Link, Program, Room, Session, SessionId, SessionKind, Slot,
    Slug, Speaker, Status, Text, Track, Walking, Zone, slug_of,
};
use crate::release::{Prepared, Release};
use crate::revision::Ledger;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// When release 1 of every fixture is published.
pub const PUBLISHED: &str = "2025-02-01T12:00:00Z";

/// A conference under construction. Tests that need more than the methods set the fields.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// The conference.
    pub conference: Conference,
    /// The sessions of the program.
    pub sessions: Vec<Session>,
}

/// A conference in Los Angeles with the defaults of the config, without sessions.
pub fn conference() -> Fixture {
    let conference = Conference {
        title: Text::default(),
        slug: slug_of("Conference"),
        dates: None,
        zone: Zone::parse("America/Los_Angeles").unwrap(),
        day_change: DayChange::default(),
        venue: None,
        language: "en".to_owned(),
        clock: ClockStyle::TwentyFour,
        uid_domain: String::new(),
        public_url: "https://conf.example".parse().unwrap(),
        tracks: Vec::new(),
        rooms: Vec::new(),
        tombstone_days: 30,
        identity: std::sync::Arc::default(),
        walking: Walking::default(),
    };
    Fixture { conference, sessions: Vec::new() }.title("Conference")
}

impl Fixture {
    /// Sets the title, and the slug and the UID domain that the config derives from the title.
    pub fn title(mut self, title: &str) -> Self {
        let slug = slug_of(title);
        self.conference.title = Text::line(title).0;
        self.conference.uid_domain = format!("{slug}.callboard.invalid");
        self.conference.slug = slug;
        self
    }

    /// Sets the zone.
    pub fn zone(mut self, name: &str) -> Self {
        self.conference.zone = Zone::parse(name).unwrap();
        self
    }

    /// Sets the language.
    pub fn language(mut self, tag: &str) -> Self {
        self.conference.language = tag.to_owned();
        self
    }

    /// Sets the first and the last day.
    pub fn dates(mut self, first: &str, last: &str) -> Self {
        self.conference.dates = Some((first.parse().unwrap(), last.parse().unwrap()));
        self
    }

    /// Adds tracks.
    pub fn tracks(mut self, tracks: impl IntoIterator<Item = Track>) -> Self {
        self.conference.tracks.extend(tracks);
        self
    }

    /// Adds sessions.
    pub fn sessions(mut self, sessions: impl IntoIterator<Item = Session>) -> Self {
        self.sessions.extend(sessions);
        self
    }

    /// Changes a session.
    pub fn edit(mut self, id: &str, change: impl FnOnce(&mut Session)) -> Self {
        change(self.sessions.iter_mut().find(|session| session.id.as_str() == id).unwrap());
        self
    }

    /// Removes a session.
    pub fn without(mut self, id: &str) -> Self {
        self.sessions.retain(|session| session.id.as_str() != id);
        self
    }

    /// The conference alone.
    pub fn build(self) -> Arc<Conference> {
        Arc::new(self.conference)
    }

    /// The program.
    pub fn program(self) -> Program {
        let tracks = self.conference.tracks.clone();
        Program::new(Arc::new(self.conference), tracks, self.sessions)
    }

    /// Release 1, published at [`PUBLISHED`].
    pub fn release(self) -> Release {
        let nothing = Ledger::empty(&self.conference.uid_domain);
        self.after(&nothing, PUBLISHED).release
    }

    /// The release after `ledger`, published at `when`.
    pub fn after(self, ledger: &Ledger, when: &str) -> Prepared {
        Release::prepare(self.program(), ledger, at(when))
    }
}

/// An instant such as `2025-03-25T16:00:00Z`.
pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A confirmed talk without optional values.
pub fn talk(id: &str, start: DateTime<Utc>, end: DateTime<Utc>, title: &str) -> Session {
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
        language: None,
        tags: Vec::new(),
        image: None,
        feedback_url: None,
        no_recording: false,
        guid: None,
        status: Status::Confirmed,
    }
}

/// A track whose slug is derived from its name.
pub fn track(name: &str) -> Track {
    Track { name: name.into(), slug: slug_of(name), colour: None, about: Text::default(), was: Vec::new() }
}

/// A speaker. An empty `affiliation` becomes `None`.
pub fn speaker(name: &str, affiliation: &str) -> Speaker {
    let affiliation = Some(Text::line(affiliation).0).filter(|text| !text.is_empty());
    Speaker { name: Text::line(name).0, affiliation, role: None, bio: Text::default() }
}

/// A conference with one session, `opening`, whose title has a comma.
pub fn opening() -> Fixture {
    let (start, end) = (at("2025-03-25T16:00:00Z"), at("2025-03-25T16:45:00Z"));
    conference().sessions([talk("opening", start, end, "Opening, with coffee")])
}

/// A conference with everything that an export can get wrong: markup, formulas, wide characters, a session past
/// midnight, and tentative, cancelled and withdrawn sessions.
pub fn tricky() -> Fixture {
    let slug = |raw: &str| Some(Slug::parse(raw).unwrap());
    let session = |id: &str, start: &str, end: &str, title: &str| talk(id, at(start), at(end), title);
    let mut keynote =
        session("safe-ai", "2025-03-25T16:00:00Z", "2025-03-25T16:45:00Z", "Safe & <Sound>, =\"quoted\"");
    keynote.track = slug("plenary");
    keynote.kind = SessionKind::Plenary;
    keynote.block = Some(Text::from("Opening Plenary Session"));
    keynote.abstract_text = Text::from("- one\n\n• two, three; four \\ five\n=SUM(A1)");
    let bio = Text::from("Writes about\n\nreliability.");
    keynote.speakers = vec![
        speaker("Leonardo Antônio dos Santos", "Workday, Inc."),
        Speaker { bio, ..speaker("Yifan (Sabrina) Zhao", "") },
        speaker("Third Person", "A: B"),
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
    let mut fixture = conference()
        .title("SREcon25 Americas")
        .dates("2025-03-24", "2025-03-27")
        .tracks([
            Track { colour: Some(Colour([0x7a, 0x3e, 0x9d])), ..track("Plenary") },
            Track { colour: Some(Colour([0x0b, 0x6e, 0x8f])), ..track("Track 1") },
            Track { slug: Slug::parse("2").unwrap(), ..track("Track 2") },
        ])
        .sessions([keynote, first, second, cancelled, withdrawn, coffee, night]);
    fixture.conference.language = "en-US".to_owned();
    fixture.conference.clock = ClockStyle::Twelve;
    fixture.conference.rooms =
        vec![Room { name: Text::from("Grand Ballroom"), was: Vec::new(), capacity: None }];
    fixture
}
