//! One session as a VEVENT (RFC 5545, 3.6.1): built by the icalendar crate, cut into pieces that every
//! feed and option joins without building it again.
//!
//! The crate sorts properties by name, so the four that options change (SEQUENCE aside) stand together:
//! head (… SEQUENCE), window (STATUS, SUMMARY, TRANSP), tail (UID …). Its own folding is wrong at exactly
//! 75 octets, so its output is unfolded and folded again by [`super::line`].

use super::line;
use crate::program::{Conference, Session, SessionKind, Slug, Status, Text, Track, Zone};
use crate::revision::{Digest, Draft, Place, Revision};
use bytes::Bytes;
use chrono::{DateTime, SubsecRound, Utc};
use icalendar::{Class, Component, Event, EventLike, EventStatus, Property};

/// What a cancelled session's title starts with where clients would delete it unseen.
pub const CANCELLED_PREFIX: &str = "CANCELLED: ";

/// What every VEVENT of a release shares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub conference: &'a Conference,
    pub tracks: &'a std::collections::BTreeMap<Slug, Track>,
    pub uid_domain: &'a str,
}

/// A VEVENT's content lines, unfolded, without its three stamps.
#[derive(Debug, Clone)]
pub(super) struct Unstamped {
    lines: Vec<String>,
    /// STATUS, SUMMARY, TRANSP of the other choice: opaque, or for a cancelled session titled.
    other: [String; 3],
}

impl Unstamped {
    pub(super) fn build(draft: Draft<'_>, surroundings: Surroundings<'_>) -> Self {
        let session = draft.session;
        let mut event = Event::new();
        event
            .uid(&format!("{}@{}", session.id, surroundings.uid_domain))
            // The crate stamps what has no stamp with the wall clock; this line is taken out below.
            .timestamp(DateTime::UNIX_EPOCH)
            .append_property(date_time("DTSTART", session.slot.start, surroundings.conference.zone))
            .append_property(date_time("DTEND", session.slot.end, surroundings.conference.zone))
            .location(&location(session, surroundings))
            .description(&description(draft, surroundings))
            .class(Class::Public)
            .url(&link(session, surroundings.conference))
            .categories(categories(session, surroundings));
        for property in window(session) {
            event.append_property(property);
        }
        let content = event.try_into_string().unwrap_or_default();
        let lines: Vec<String> =
            line::unfold(&content).filter(|line| !line.starts_with("DTSTAMP:")).collect();
        let other = other_window(session.status, &lines);
        Self { lines, other }
    }

    /// Of the default VEVENT without DTSTAMP, LAST-MODIFIED and SEQUENCE.
    pub(super) fn digest(&self) -> Digest {
        Digest::of_parts(self.lines.iter().map(String::as_bytes))
    }

    /// The pieces with their stamps, folded.
    pub(super) fn stamp(&self, revision: Revision) -> Pieces {
        let at = revision.modified.trunc_subsecs(0).format("%Y%m%dT%H%M%SZ").to_string();
        let stamps = [
            format!("DTSTAMP:{at}"),
            format!("LAST-MODIFIED:{at}"),
            format!("SEQUENCE:{}", revision.sequence),
        ];
        let mut out = String::new();
        let name = |line: &str| line.split([':', ';']).next().unwrap_or_default().to_owned();
        let is_tail = |line: &str| matches!(name(line).as_str(), "UID" | "URL" | "CATEGORIES" | "END");
        let (tail, before): (Vec<&String>, Vec<&String>) = self.lines.iter().partition(|line| is_tail(line));
        let (window, head): (Vec<&String>, Vec<&String>) =
            before.into_iter().partition(|line| is_window(line));
        let mut head: Vec<&String> = head.into_iter().chain(&stamps).collect();
        head.sort_by_key(|line| (!line.starts_with("BEGIN:"), name(line)));
        let mut ends = [0; 4];
        let blocks: [Vec<&String>; 4] = [head, window, tail, self.other.iter().collect()];
        for (end, block) in ends.iter_mut().zip(blocks) {
            block.iter().for_each(|line| line::fold(&mut out, line));
            *end = out.len();
        }
        Pieces { bytes: Bytes::from(out), ends }
    }
}

fn is_window(line: &str) -> bool {
    ["STATUS:", "SUMMARY:", "TRANSP:"].iter().any(|name| line.starts_with(name))
}

/// A stamped VEVENT: head, default window, tail, other window, one behind the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pieces {
    bytes: Bytes,
    ends: [usize; 4],
}

/// `END:VEVENT` and its line end: an alarm goes before it.
pub(super) const END: &str = "END:VEVENT\r\n";

impl Pieces {
    /// The VEVENT as public feeds have it: transparent, a cancelled one with its STATUS.
    pub(super) fn default_bytes(&self) -> Bytes {
        self.bytes.slice(..self.ends[2])
    }

    #[cfg(test)]
    pub(super) fn replaced(&self, old: &str, new: &str) -> Self {
        let [head, window, tail, other] = [
            self.head(),
            self.window(false),
            self.bytes.slice(self.ends[1]..self.ends[2]),
            self.window(true),
        ]
        .map(|part| String::from_utf8_lossy(&part).replace(old, new));
        let mut ends = [head.len(), window.len(), tail.len(), other.len()];
        (1..4).for_each(|n| ends[n] += ends[n - 1]);
        Self { bytes: Bytes::from([head, window, tail, other].concat()), ends }
    }

    /// BEGIN up to SEQUENCE.
    pub(super) fn head(&self) -> Bytes {
        self.bytes.slice(..self.ends[0])
    }

    /// STATUS, SUMMARY and TRANSP; `other` is opaque, or for a cancelled session confirmed with a prefixed title.
    pub(super) fn window(&self, other: bool) -> Bytes {
        if other { self.bytes.slice(self.ends[2]..) } else { self.bytes.slice(self.ends[0]..self.ends[1]) }
    }

    /// UID up to the last property.
    pub(super) fn tail(&self) -> Bytes {
        self.bytes.slice(self.ends[1]..self.ends[2].saturating_sub(END.len()))
    }
}

fn window(session: &Session) -> [Property; 3] {
    let status = match session.status {
        Status::Cancelled => EventStatus::Cancelled,
        Status::Tentative => EventStatus::Tentative,
        _ => EventStatus::Confirmed,
    };
    [
        status.into(),
        Property::new("SUMMARY", session.title.to_string()),
        Property::new("TRANSP", "TRANSPARENT"),
    ]
}

/// The window's other choice, from the lines that the crate wrote: nothing in it needs escaping anew.
fn other_window(status: Status, lines: &[String]) -> [String; 3] {
    let value = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let (plain, summary) = (value("STATUS:"), value("SUMMARY:"));
    match status {
        Status::Cancelled => [
            "STATUS:CONFIRMED".to_owned(),
            format!("SUMMARY:{CANCELLED_PREFIX}{summary}"),
            "TRANSP:TRANSPARENT".to_owned(),
        ],
        _ => [format!("STATUS:{plain}"), format!("SUMMARY:{summary}"), "TRANSP:OPAQUE".to_owned()],
    }
}

/// Civil time with its zone; UTC inside an hour that comes twice, where parsers differ (RFC 5545, 3.3.5).
fn date_time(key: &str, at: DateTime<Utc>, zone: Zone) -> Property {
    if zone.is_utc() || zone.is_repeated(at) {
        return Property::new(key, at.format("%Y%m%dT%H%M%SZ").to_string());
    }
    let civil = zone.civil(at).format("%Y%m%dT%H%M%S").to_string();
    Property::new(key, civil).add_parameter("TZID", zone.name()).done()
}

fn track_name(session: &Session, surroundings: Surroundings<'_>) -> Option<Text> {
    session.track.as_ref().and_then(|slug| surroundings.tracks.get(slug)).map(|track| track.name.clone())
}

/// Room, else track, else venue, else the conference: Giggity drops what has no place.
fn location(session: &Session, surroundings: Surroundings<'_>) -> String {
    let conference = surroundings.conference;
    let room = session.slot.room.clone();
    room.or_else(|| track_name(session, surroundings))
        .or_else(|| conference.venue.clone())
        .unwrap_or_else(|| conference.title.clone())
        .to_string()
}

fn categories(session: &Session, surroundings: Surroundings<'_>) -> Vec<String> {
    let track = track_name(session, surroundings).map(|name| name.to_string());
    track.into_iter().chain([session.kind.to_string()]).collect()
}

/// The organizer's page on the session, else ours.
fn link(session: &Session, conference: &Conference) -> String {
    let own = session.url.as_ref().map(ToString::to_string);
    own.unwrap_or_else(|| page(session, conference))
}

fn page(session: &Session, conference: &Conference) -> String {
    conference.link(&format!("/sessions/{}", session.id))
}

fn description(draft: Draft<'_>, surroundings: Surroundings<'_>) -> String {
    let session = draft.session;
    let mut parts: Vec<String> = Vec::new();
    if let Some(place) = draft.moved_from {
        parts.push(moved(place, surroundings.conference.zone));
    }
    let block = session.block.iter().map(ToString::to_string);
    let people = session.speakers.iter().map(crate::program::Speaker::line);
    parts.push(block.chain(people).collect::<Vec<_>>().join("\n"));
    parts.push(session.abstract_text.to_string());
    let links = session.links.iter().map(|link| format!("{}: {}", link.label, link.url));
    parts.push(links.chain([page(session, surroundings.conference)]).collect::<Vec<_>>().join("\n"));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

/// `Note: moved from Tue 11:00, Track 1`, on the 24-hour clock, which no language misreads.
fn moved(place: &Place, zone: Zone) -> String {
    let when = zone.civil(place.slot.start).format("%a %H:%M").to_string();
    let wheres = place.track.iter().chain(&place.slot.room).map(|name| format!(", {name}"));
    format!("Note: moved from {when}{}", wheres.collect::<String>())
}

/// Whether a session leaves its hour free in an agenda.
pub(super) fn is_free(kind: SessionKind, status: Status) -> bool {
    kind.is_pause() || status == Status::Cancelled
}
