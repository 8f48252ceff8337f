//! A program made from any bytes, and the same program with harmless texts.
//!
//! The bytes are fields separated by U+001F: choices, the conference's title, venue, track, about, agenda, then nine for
//! each session. Items of a list are separated by U+001E, parts of an item by U+001D.

use callboard::fixtures::{self, Fixture, talk};
use callboard::program::{
    Conference, Link, Program, Session, SessionKind, Slug, Speaker, Status, Text, Zone,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::cell::RefCell;
use std::collections::BTreeMap;
use url::Url;

const MAX_SESSIONS: usize = 12;

/// A conference without sessions.
pub(super) fn conference() -> Conference {
    let tracks = ["Plenary", "Track 1", "Track 2"].map(fixtures::track);
    fixtures::conference().title("Fuzzed").dates("2025-03-24", "2025-03-27").tracks(tracks).conference
}

/// Keeps texts, or replaces each by a harmless one: equal texts by equal texts.
pub(super) enum TextFilter {
    Raw,
    Harmless(RefCell<BTreeMap<String, usize>>),
}

impl TextFilter {
    pub(super) fn harmless() -> Self {
        Self::Harmless(RefCell::default())
    }

    fn number(&self, text: &str) -> Option<usize> {
        let Self::Harmless(seen) = self else { return None };
        let mut seen = seen.borrow_mut();
        let next = seen.len();
        Some(*seen.entry(text.to_owned()).or_insert(next))
    }

    pub(super) fn text(&self, text: Text) -> Text {
        if text.is_empty() {
            return text;
        }
        self.number(text.as_str()).map_or(text, |n| Text::from(format!("harmless {n}")))
    }

    fn url(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let Some(n) = self.number(url.as_str()) else { return Some(url) };
        Url::parse(&format!("https://harmless.example/{n}")).ok()
    }
}

/// The generated program.
pub(super) struct Grown {
    pub(super) program: Program,
    pub(super) agenda: Text,
    /// Whether its pages are rendered as well.
    pub(super) pages: bool,
}

fn some(text: Text) -> Option<Text> {
    Some(text).filter(|text| !text.is_empty())
}

pub(super) fn grow(bytes: &[u8], filter: &TextFilter) -> Grown {
    let text = String::from_utf8_lossy(bytes);
    let mut fields = text.split('\u{1f}');
    let mut next = || fields.next().unwrap_or_default();
    let choices = next().as_bytes();
    // The first byte chooses the zone and whether pages are rendered.
    let choice = |n: usize| choices.get(n).copied().unwrap_or_default();
    let line = |raw: &str| filter.text(Text::line(raw).0);
    let block = |raw: &str| filter.text(Text::block(raw).0);
    let title = line(next());
    let zones = ["America/Los_Angeles", "Europe/Dublin", "Asia/Kolkata", "UTC", "Australia/Lord_Howe"];
    let zone = zones[usize::from(choice(0)) % zones.len()];
    let mut conference = conference();
    conference.title = if title.is_empty() { "Fuzzed".into() } else { title };
    conference.zone = Zone::parse(zone).unwrap();
    conference.venue = some(line(next()));
    let name = line(next());
    let about = block(next());
    let mut track = fixtures::track("Track");
    track.about = about;
    if !name.is_empty() {
        track.name = name;
    }
    conference.tracks = vec![track];
    let agenda = line(next());
    let first: DateTime<Utc> = "2025-03-30T00:00:00Z".parse().unwrap();
    let mut sessions = Vec::new();
    while sessions.len() < MAX_SESSIONS {
        let n = sessions.len();
        let title = line(next());
        if title.is_empty() {
            break;
        }
        let bits = choice(n + 1);
        let start = first + TimeDelta::minutes(30 * i64::from(bits));
        let room = some(line(next()));
        let named = some(line(next()));
        let people = next().split('\u{1e}').filter_map(|person| {
            let mut parts = person.split('\u{1d}');
            let name = line(parts.next()?);
            let mut part = || parts.next().unwrap_or_default();
            let (affiliation, role) = (some(line(part())), some(line(part())));
            let speaker = Speaker { name, affiliation, role, bio: block(part()) };
            Some(speaker).filter(|speaker| !speaker.name.is_empty())
        });
        let speakers = people.take(5).collect();
        let abstract_text = block(next());
        let url = filter.url(next());
        let links = next().split('\u{1e}').filter_map(|link| {
            let (label, url) = link.split_once('\u{1d}')?;
            let label = line(label);
            Some(Link { label: if label.is_empty() { "Link".into() } else { label }, url: filter.url(url)? })
        });
        let links = links.take(5).collect();
        let mut session = talk(&format!("session-{n}"), start, start + TimeDelta::minutes(45), "");
        session.slot.room = room;
        sessions.push(Session {
            kind: SessionKind::ALL[usize::from(bits >> 2) % SessionKind::ALL.len()],
            title,
            track: (bits & 1 == 0).then(|| Slug::parse("track").unwrap()),
            block: named,
            speakers,
            abstract_text,
            url,
            links,
            status: match bits >> 4 {
                3 => Status::Cancelled,
                5 => Status::Tentative,
                _ => Status::Confirmed,
            },
            ..session
        });
    }
    let pages = choice(0) >= 0xe0;
    Grown { program: Fixture { conference, sessions }.program(), agenda, pages }
}
