//! Feeds that are joined on request from the pieces of a release: filtered, optioned, single-session, agenda.
//!
//! The entity tag comes from what fixes the bytes (revisions, envelope, options), so a 304 makes no text.

mod team;

pub use team::Member;

use super::calendar::CLOSING;
use super::deflate::{Deflated, Gzip};
use super::event::END;
use super::facets::Left;
use super::render::stamp_bytes;
use super::set::{Event, Feed, FeedSet};
use super::{Calendar, Cancelled, Filter, Options, canonical_query, session_path};
use crate::program::{SessionId, Text};
use crate::revision::{Digest, Slugs};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// What to join.
#[derive(Debug)]
pub struct Join<'a> {
    calendar: Calendar,
    events: Vec<&'a Event>,
    /// Whether sessions block their hour unless the options say otherwise.
    busy: bool,
    options: Options,
    /// The earliest that LAST-MODIFIED can be.
    floor: DateTime<Utc>,
}

/// A feed that can be asked for its tag without being made.
#[derive(Debug)]
pub struct Joined<'a> {
    set: &'a FeedSet,
    calendar: Calendar,
    /// Each event, and whether its other window is taken.
    events: Vec<(&'a Event, bool)>,
    alarm: Option<u16>,
    /// Who goes to each, in a team's feed.
    going: Option<team::Going>,
    /// When it last changed.
    pub modified: DateTime<Utc>,
    /// The hash in its entity tag.
    pub hash: String,
}

impl FeedSet {
    /// The full program, filtered and with options.
    pub fn filtered<'a>(&'a self, filter: &Filter, options: Options, slugs: &Slugs) -> Joined<'a> {
        let events: Vec<&Event> = self.admitted(filter).collect();
        let title = &self.conference.title;
        let words = filter.describe(slugs);
        let name = if words.is_empty() { title.to_string() } else { format!("{title}: {words}") };
        let query = canonical_query(filter, &options);
        let page = canonical_query(filter, &Options::default());
        let page = if page.is_empty() { "/".to_owned() } else { format!("/?{page}") };
        let calendar = Calendar {
            name: Text::line(&name).0,
            about: Text::line(&format!("The program of {name}")).0,
            url: self.conference.link(&page),
            source: Some(self.conference.link(&format!("/program.ics?{query}"))),
            colour: None,
        };
        let floor = self.departed(|left| left.leaves(filter));
        self.join(Join { calendar, events, busy: false, options, floor })
    }

    /// The events that a filter lets through, in program order.
    pub fn admitted<'a>(&'a self, filter: &Filter) -> impl Iterator<Item = &'a Event> {
        self.events.iter().filter(|event| filter.admits(&event.facets)).map(Arc::as_ref)
    }

    /// A canonical feed with options.
    pub fn optioned<'a>(&'a self, feed: &'a Feed, options: Options) -> Joined<'a> {
        let mut calendar = feed.calendar.clone();
        calendar.source = calendar.source.map(|source| format!("{source}?{options}"));
        let events = self.members(feed).collect();
        self.join(Join { calendar, events, busy: false, options, floor: feed.modified })
    }

    /// One session; none where feeds do not show it.
    pub fn single<'a>(&'a self, id: &SessionId, title: &Text, options: Options) -> Option<Joined<'a>> {
        let event = self.event(id)?;
        let query = canonical_query(&Filter::default(), &options);
        let query = if query.is_empty() { query } else { format!("?{query}") };
        let calendar = Calendar {
            name: title.clone(),
            about: Text::line(&format!("{title} at {}", self.conference.title)).0,
            url: self.conference.link(&format!("/sessions/{id}")),
            source: Some(self.conference.link(&format!("{}{query}", session_path(id)))),
            colour: None,
        };
        let floor = DateTime::UNIX_EPOCH;
        Some(self.join(Join { calendar, events: vec![event], busy: false, options, floor }))
    }

    /// Chosen sessions, as somebody's agenda: they block their hour, breaks and meals aside. `changed` is when
    /// the choice last changed. Sessions that feeds do not show are left out.
    pub fn agenda<'a>(
        &'a self,
        name: &Text,
        picks: &[SessionId],
        options: Options,
        changed: DateTime<Utc>,
    ) -> Joined<'a> {
        let events = self.picked(picks).map(Arc::as_ref).collect();
        let calendar = Calendar {
            name: name.clone(),
            about: self.agenda_about(),
            url: self.conference.link("/"),
            source: None,
            colour: None,
        };
        let floor = changed.max(self.departed(|left| left.is_hidden() && picks.contains(&left.session)));
        self.join(Join { calendar, events, busy: true, options, floor })
    }

    /// What a calendar of an agenda is about.
    pub fn agenda_about(&self) -> Text {
        Text::line(&format!("A personal agenda for {}", self.conference.title)).0
    }

    /// A calendar without sessions, for a link that is no longer shared.
    pub fn closed<'a>(&'a self, name: &Text, about: &Text, since: DateTime<Utc>) -> Joined<'a> {
        let calendar = Calendar {
            name: name.clone(),
            about: about.clone(),
            url: self.conference.link("/"),
            source: None,
            colour: None,
        };
        let options = Options::default();
        self.join(Join { calendar, events: Vec::new(), busy: false, options, floor: since })
    }

    /// When the last session left a joined feed.
    fn departed(&self, leaves: impl Fn(&Left) -> bool) -> DateTime<Utc> {
        let left = self.departures.iter().rev().find(|left| leaves(left));
        left.map_or(self.last_departure, |left| left.at)
    }

    fn join<'a>(&'a self, join: Join<'a>) -> Joined<'a> {
        let options = join.options;
        let shown =
            join.events.into_iter().filter(|e| !(e.cancelled && options.cancelled == Cancelled::Drop));
        let other = |event: &Event| {
            if event.cancelled {
                return options.cancelled == Cancelled::Title;
            }
            options.busy.unwrap_or(join.busy && !event.free)
        };
        let events: Vec<(&Event, bool)> = shown.map(|event| (event, other(event))).collect();
        let newest = events.iter().map(|(event, _)| event.revision.modified).max().unwrap_or_default();
        let modified = newest.max(join.floor).max(self.surroundings.1);
        let calendar = join.calendar;
        let own = calendar.digest(&self.surroundings.0);
        let fixed = [modified.timestamp().to_le_bytes(), u64::from(options.alarm.unwrap_or(0)).to_le_bytes()];
        let stamps: Vec<([u8; 12], [u8; 1])> =
            events.iter().map(|(event, other)| (stamp_bytes(event), [u8::from(*other)])).collect();
        let content = events.iter().zip(&stamps).flat_map(|((event, _), (stamp, other))| {
            [event.digest.0.as_slice(), stamp.as_slice(), other.as_slice()]
        });
        let fixed = [own.0.as_slice()].into_iter().chain(fixed.iter().map(<[u8; 8]>::as_slice));
        let hash = Digest::of_parts(fixed.chain(content)).short();
        Joined { set: self, calendar, events, alarm: options.alarm, going: None, modified, hash }
    }
}

impl Joined<'_> {
    /// How many sessions it shows.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether it shows none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The plain body.
    pub fn identity(&self) -> Bytes {
        let opening = self.opening();
        let alarm = self.alarm_text();
        let length: usize =
            self.events.iter().map(|(event, _)| event.pieces.default_bytes().len() + 64).sum();
        let mut out = Vec::with_capacity(opening.len() + length + self.events.len() * alarm.len());
        out.extend_from_slice(opening.as_bytes());
        for (place, (event, other)) in self.events.iter().enumerate() {
            match self.led(place, event, *other) {
                Some(led) => out.extend_from_slice(led.as_bytes()),
                None => {
                    out.extend_from_slice(&event.pieces.head());
                    out.extend_from_slice(&event.pieces.window(*other));
                }
            }
            out.extend_from_slice(&event.pieces.tail());
            out.extend_from_slice(self.ending(event, &alarm).as_bytes());
        }
        out.extend_from_slice(CLOSING.as_bytes());
        out.into()
    }

    /// The same body as one gzip member, joined from deflated pieces; none where that is no smaller, as in a feed of a few
    /// short sessions.
    pub fn gzip(&self) -> Option<Bytes> {
        let alarm = self.alarm_text();
        let mut gzip = Gzip::new(1024 + self.events.len() * 512);
        let (opening, zone) = (self.opening(), self.set.vtimezone.as_str());
        // The zone is half of a short feed, and the same in every one.
        let own = opening.strip_suffix(zone).unwrap_or_default();
        gzip.text(own.as_bytes());
        gzip.piece(self.set.deflated_zone.get_or_init(|| Deflated::piece(zone.as_bytes())), zone.len());
        for (place, (event, other)) in self.events.iter().enumerate() {
            let [head, plain, opposite, tail] = event.deflated();
            match self.led(place, event, *other) {
                Some(led) => gzip.text(led.as_bytes()),
                None => {
                    gzip.piece(head, event.pieces.head().len());
                    gzip.piece(if *other { opposite } else { plain }, event.pieces.window(*other).len());
                }
            }
            gzip.piece(tail, event.pieces.tail().len());
            gzip.text(self.ending(event, &alarm).as_bytes());
        }
        gzip.text(CLOSING.as_bytes());
        gzip.finish()
    }

    fn opening(&self) -> String {
        self.calendar.opening(&self.set.conference, &self.set.vtimezone, self.modified)
    }

    /// A VALARM by hand: the crate would give it a wall-clock stamp and a random UID.
    fn alarm_text(&self) -> String {
        let Some(minutes) = self.alarm else { return String::new() };
        format!(
            "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\nTRIGGER:-PT{minutes}M\r\nEND:VALARM\r\n"
        )
    }

    fn ending(&self, event: &Event, alarm: &str) -> String {
        let alarm = if event.cancelled { "" } else { alarm };
        format!("{alarm}{END}")
    }
}
