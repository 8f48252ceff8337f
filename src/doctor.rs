//! The feed doctor: finds problems in a feed, and names the calendar clients that they affect.
//!
//! `standard` has the rules for every client (RFC 5545), `clients` the rules for single clients, and `frab` the rules
//! for XML schedules, which EventFahrplan and Giggity read. Changes no feed and knows no HTTP. Invariant: our own feeds
//! have no findings. The rules for iCalendar check a `ParsedCalendar`.

mod clients;
mod finding;
mod frab;
mod gate;
mod standard;

pub use finding::{CalendarClient, Finding, render, to_json};
pub use gate::{FeedFinding, ParseBackError, inspect};

use crate::ics::{self, Component, Line, Moment, Reading};
use crate::program::{Civil, Zone};
use chrono::{DateTime, TimeDelta, Utc};
use finding::Findings;

/// The findings in a file, by line. A file that starts with `<` is a frab schedule, any other iCalendar.
pub fn lint(bytes: &[u8]) -> Vec<Finding> {
    let mut findings = Findings::default();
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if start.trim_ascii_start().starts_with(b"<") {
        frab::check(bytes, &mut findings);
        return findings.into_list();
    }
    clients::check_size(bytes, &mut findings);
    check(bytes, &crate::ics::read(bytes), &mut findings);
    findings.into_list()
}

/// Applies all rules for iCalendar except the rule about the size.
fn check(bytes: &[u8], reading: &Reading, findings: &mut Findings) {
    standard::check_file(bytes, reading, findings);
    clients::check_empty(bytes, findings);
    for component in reading.calendars() {
        let calendar = ParsedCalendar::of(component);
        standard::check(&calendar, findings);
        clients::check(&calendar, findings);
    }
}

/// The UIDs of the sessions that a client would show, or the guids for a frab schedule, in the order of the file.
pub fn visible_sessions(client: CalendarClient, bytes: &[u8]) -> Vec<String> {
    if bytes.trim_ascii_start().starts_with(b"<") {
        return frab::visible_guids(bytes);
    }
    let reading = crate::ics::read(bytes);
    let mut uids = Vec::new();
    for component in reading.calendars() {
        let events = ParsedCalendar::of(component).events.into_iter();
        let visible = events.filter(|event| event.start.is_some() && clients::shows(client, event));
        uids.extend(visible.map(|event| event.uid));
    }
    uids
}

/// A VCALENDAR.
#[derive(Debug)]
struct ParsedCalendar<'a> {
    pub component: &'a Component,
    /// The VTIMEZONEs by their TZID, which is TEXT.
    pub zones: Vec<(String, &'a Component)>,
    pub events: Vec<ParsedEvent<'a>>,
}

/// A VEVENT.
#[derive(Debug)]
struct ParsedEvent<'a> {
    pub component: &'a Component,
    /// The UID; empty if the event has none.
    pub uid: String,
    pub start: Option<Moment>,
    /// The end: DTEND, or DTSTART plus DURATION.
    pub end: Option<Moment>,
}

impl<'a> ParsedCalendar<'a> {
    fn of(component: &'a Component) -> Self {
        let name = |zone: &'a Component| (zone.text("TZID"), zone);
        Self {
            component,
            zones: component.all("VTIMEZONE").map(name).collect(),
            events: component.all("VEVENT").map(ParsedEvent::of).collect(),
        }
    }

    /// The VTIMEZONE that defines a TZID.
    fn zone(&self, tzid: &str) -> Option<&'a Component> {
        self.zones.iter().find(|(name, _)| *name == tzid).map(|(_, zone)| *zone)
    }

    /// Every property of all events that has a TZID, with that TZID.
    fn zoned(&self) -> impl Iterator<Item = (&'a Line, String)> {
        let lines = self.events.iter().flat_map(|event| event.component.properties.iter());
        lines.filter_map(|line| Some((line, line.zone()?)))
    }
}

impl<'a> ParsedEvent<'a> {
    fn of(component: &'a Component) -> Self {
        let start = component.property("DTSTART").and_then(ics::date_time);
        let end = component.property("DTEND").and_then(ics::date_time);
        let length = component.property("DURATION").and_then(|line| ics::duration(&line.value));
        let end = end.or_else(|| Some(later(start.clone()?, length?)));
        Self { component, uid: component.text("UID"), start, end }
    }

    fn property(&self, name: &str) -> Option<&'a Line> {
        self.component.property(name)
    }

    /// The line number of a property, or of the event if it has no such property.
    fn line(&self, property: &str) -> usize {
        self.component.property(property).map_or(self.component.line, |line| line.number)
    }

    /// The trimmed value of a property; empty if the event has no such property.
    fn value(&self, property: &str) -> &'a str {
        self.component.property(property).map_or("", |line| line.value.trim())
    }

    fn is_cancelled(&self) -> bool {
        self.value("STATUS").eq_ignore_ascii_case("CANCELLED")
    }

    /// Start and end as instants. Floating times are read as UTC.
    fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        Some((instant(self.start.as_ref()?)?, instant(self.end.as_ref()?)?))
    }
}

fn later(start: Moment, length: TimeDelta) -> Moment {
    match start {
        Moment::Day(day) => Moment::Day(day + length),
        Moment::Utc(at) => Moment::Utc(at + length),
        Moment::Zoned(civil, zone) => Moment::Zoned(civil + length, zone),
        Moment::Floating(civil) => Moment::Floating(civil + length),
    }
}

/// The instant; none if clients do not know the zone. A time that occurs twice means the first occurrence.
fn instant(moment: &Moment) -> Option<DateTime<Utc>> {
    match moment {
        Moment::Utc(at) => Some(*at),
        Moment::Day(_) | Moment::Floating(_) => Some(moment.civil().and_utc()),
        Moment::Zoned(civil, zone) => match Zone::parse(zone).ok()?.instant(*civil) {
            Civil::Once(at) | Civil::Twice(at, _) | Civil::Skipped(at, _) => Some(at),
        },
    }
}

/// Whether a zone is in the IANA database, which includes old links such as `US/Pacific`.
fn is_iana(tzid: &str) -> bool {
    Zone::is_iana(tzid)
}
