//! One session as a VEVENT (RFC 5545, 3.6.1), built once by the icalendar crate and cut into pieces that feeds join.
//!
//! The crate sorts properties by name, so the three properties that options change are adjacent. The pieces are: head
//! (up to SEQUENCE), status (STATUS, SUMMARY, TRANSP), tail (from UID). The crate folds lines of exactly 75 octets
//! wrongly, so [`super::line`] unfolds the crate's output and folds it again.

use super::line;
use crate::program::{Conference, Session, SessionKind, Slug, Status, Text, Track, Zone};
use crate::revision::{Digest, EventDraft, FormerPlace, Revision};
use crate::texts::Texts;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use icalendar::{Class, Component, Event, EventLike, EventStatus, Property};

/// The values that all VEVENTs of a release share.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventContext<'a> {
    pub conference: &'a Conference,
    pub tracks: &'a std::collections::BTreeMap<Slug, Track>,
    pub uid_domain: &'a str,
}

/// A VEVENT's content lines, unfolded, without DTSTAMP, LAST-MODIFIED and SEQUENCE.
#[derive(Debug, Clone)]
pub(super) struct Unstamped {
    lines: Vec<String>,
    /// The alternate STATUS, SUMMARY and TRANSP. The session is opaque; if it is cancelled, it is instead confirmed
    /// with a prefix in its title.
    alternate: [String; 3],
}

impl Unstamped {
    pub(super) fn build(draft: EventDraft<'_>, context: EventContext<'_>) -> Self {
        let session = draft.session;
        let mut event = Event::new();
        event
            .uid(&format!("{}@{}", session.id, context.uid_domain))
            // Without a timestamp the crate reads the wall clock. The line is removed below.
            .timestamp(DateTime::UNIX_EPOCH)
            .append_property(date_time("DTSTART", session.slot.start, context.conference.zone))
            .append_property(date_time("DTEND", session.slot.end, context.conference.zone))
            .location(&location(session, context))
            .description(&description(draft, context))
            .class(Class::Public)
            .url(&link(session, context.conference))
            .categories(categories(session, context));
        if let Some(image) = &session.image {
            event
                .append_property(Property::new("IMAGE", image.as_str()).add_parameter("VALUE", "URI").done());
        }
        for property in status_properties(session) {
            event.append_property(property);
        }
        let content = event.try_into_string().unwrap_or_default();
        let lines: Vec<String> =
            line::unfold(&content).filter(|line| !line.starts_with("DTSTAMP:")).collect();
        let alternate = alternate_status(session.status, &lines, Texts::of(&context.conference.language));
        Self { lines, alternate }
    }

    /// The digest of the default VEVENT without DTSTAMP, LAST-MODIFIED and SEQUENCE.
    pub(super) fn digest(&self) -> Digest {
        Digest::of_parts(self.lines.iter().map(String::as_bytes))
    }

    /// The pieces with their stamps, folded.
    pub(super) fn stamp(&self, revision: Revision) -> EventPieces {
        let at = line::utc(revision.modified);
        let stamps = [
            format!("DTSTAMP:{at}"),
            format!("LAST-MODIFIED:{at}"),
            format!("SEQUENCE:{}", revision.sequence),
        ];
        let mut out = String::new();
        let name = |line: &str| line.split([':', ';']).next().unwrap_or_default().to_owned();
        let is_tail = |line: &str| matches!(name(line).as_str(), "UID" | "URL" | "CATEGORIES" | "END");
        let (tail, before): (Vec<&String>, Vec<&String>) = self.lines.iter().partition(|line| is_tail(line));
        let (status, head): (Vec<&String>, Vec<&String>) =
            before.into_iter().partition(|line| is_status(line));
        let mut head: Vec<&String> = head.into_iter().chain(&stamps).collect();
        head.sort_by_key(|line| (!line.starts_with("BEGIN:"), name(line)));
        let mut ends = [0; 4];
        let blocks: [Vec<&String>; 4] = [head, status, tail, self.alternate.iter().collect()];
        for (end, block) in ends.iter_mut().zip(blocks) {
            block.iter().for_each(|line| line::fold(&mut out, line));
            *end = out.len();
        }
        EventPieces { bytes: Bytes::from(out), ends }
    }
}

fn is_status(line: &str) -> bool {
    ["STATUS:", "SUMMARY:", "TRANSP:"].iter().any(|name| line.starts_with(name))
}

/// A stamped VEVENT: head, status, tail and alternate status, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventPieces {
    bytes: Bytes,
    ends: [usize; 4],
}

/// The last line of a VEVENT. An alarm is inserted before it.
pub(super) const END: &str = "END:VEVENT\r\n";

impl EventPieces {
    /// The VEVENT of public feeds: it is transparent, and a cancelled session has its STATUS.
    pub(super) fn default_bytes(&self) -> Bytes {
        self.bytes.slice(..self.ends[2])
    }

    /// The length of head, one status and tail.
    pub(super) fn joined_length(&self, alternate: bool) -> usize {
        self.head().len() + self.status(alternate).len() + self.tail().len()
    }

    #[cfg(test)]
    pub(super) fn with_replaced(&self, old: &str, new: &str) -> Self {
        let [head, status, tail, alternate] =
            [self.head(), self.status(false), self.part(self.ends[1], self.ends[2]), self.status(true)]
                .map(|part| String::from_utf8_lossy(part).replace(old, new));
        let mut ends = [head.len(), status.len(), tail.len(), alternate.len()];
        (1..4).for_each(|n| ends[n] += ends[n - 1]);
        Self { bytes: Bytes::from([head, status, tail, alternate].concat()), ends }
    }

    /// The lines from BEGIN to SEQUENCE.
    pub(super) fn head(&self) -> &[u8] {
        self.part(0, self.ends[0])
    }

    /// STATUS, SUMMARY and TRANSP. The alternate is opaque; for a cancelled session it is instead confirmed with a
    /// prefix in the title.
    pub(super) fn status(&self, alternate: bool) -> &[u8] {
        if alternate { self.part(self.ends[2], self.ends[3]) } else { self.part(self.ends[0], self.ends[1]) }
    }

    /// The lines from UID to the last property.
    pub(super) fn tail(&self) -> &[u8] {
        self.part(self.ends[1], self.ends[2].saturating_sub(END.len()))
    }

    fn part(&self, from: usize, to: usize) -> &[u8] {
        self.bytes.get(from..to).unwrap_or_default()
    }
}

fn status_properties(session: &Session) -> [Property; 3] {
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

/// The alternate status, made from the crate's lines, which are already escaped.
///
/// A cancelled session has a prefix in its title, for clients that silently delete cancelled events.
fn alternate_status(status: Status, lines: &[String], texts: &Texts) -> [String; 3] {
    let value = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let (plain, summary) = (value("STATUS:"), value("SUMMARY:"));
    match status {
        Status::Cancelled => [
            "STATUS:CONFIRMED".to_owned(),
            format!("SUMMARY:{}{summary}", texts.cancelled_prefix),
            "TRANSP:TRANSPARENT".to_owned(),
        ],
        _ => [format!("STATUS:{plain}"), format!("SUMMARY:{summary}"), "TRANSP:OPAQUE".to_owned()],
    }
}

/// A civil time with its zone. Within a repeated hour the time is in UTC, since parsers disagree (RFC 5545, 3.3.5).
fn date_time(key: &str, at: DateTime<Utc>, zone: Zone) -> Property {
    if zone.is_utc() || zone.is_repeated(at) {
        return Property::new(key, line::utc(at));
    }
    Property::new(key, line::civil(zone.civil(at))).add_parameter("TZID", zone.name()).done()
}

fn track_name(session: &Session, context: EventContext<'_>) -> Option<Text> {
    session.track.as_ref().and_then(|slug| context.tracks.get(slug)).map(|track| track.name.clone())
}

/// The room, or else the track, the venue or the conference: Giggity drops events without a location.
fn location(session: &Session, context: EventContext<'_>) -> String {
    let conference = context.conference;
    let room = session.slot.room.clone();
    room.or_else(|| track_name(session, context))
        .or_else(|| conference.venue.clone())
        .unwrap_or_else(|| conference.title.clone())
        .to_string()
}

fn categories(session: &Session, context: EventContext<'_>) -> Vec<String> {
    let track = track_name(session, context).map(|name| name.to_string());
    let tags = session.tags.iter().map(ToString::to_string);
    track.into_iter().chain([session.kind.to_string()]).chain(tags).collect()
}

/// The organizer's page about the session, or our page if there is none.
fn link(session: &Session, conference: &Conference) -> String {
    session.url.as_ref().map_or_else(|| page(session, conference), ToString::to_string)
}

fn page(session: &Session, conference: &Conference) -> String {
    conference.link(&format!("/sessions/{}", session.id))
}

fn description(draft: EventDraft<'_>, context: EventContext<'_>) -> String {
    let session = draft.session;
    let mut parts: Vec<String> = Vec::new();
    if let Some(place) = draft.moved_from {
        parts.push(move_note(place, context.conference));
    }
    let block = session.block.iter().map(ToString::to_string);
    let people = session.speakers.iter().map(crate::program::Speaker::line);
    parts.push(block.chain(people).collect::<Vec<_>>().join("\n"));
    parts.push(session.abstract_text.to_string());
    let links = session.links.iter().map(|link| format!("{}: {}", link.label, link.url));
    parts.push(links.chain([page(session, context.conference)]).collect::<Vec<_>>().join("\n"));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

/// `Note: moved from Tue 11:00, Track 1`
fn move_note(place: &FormerPlace, conference: &Conference) -> String {
    let texts = Texts::of(&conference.language);
    let civil = conference.zone.civil(place.slot.start);
    let when =
        texts.weekday_time(texts.short_weekday(civil.date()), &texts.time(conference.clock, civil.time()));
    let places = place.track.iter().chain(&place.slot.room).map(|name| format!(", {name}"));
    texts.moved_note(&format!("{when}{}", places.collect::<String>()))
}

/// Whether an agenda shows the session's time as free.
pub(super) fn is_free(kind: SessionKind, status: Status) -> bool {
    kind.is_pause() || status == Status::Cancelled
}
