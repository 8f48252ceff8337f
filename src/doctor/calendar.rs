//! A parsed calendar, in the form that the rules check.

use crate::ics::{self, Component, Line, Moment};
use crate::program::{Civil, Zone, ZoneError};
use chrono::{DateTime, TimeDelta, Utc};

/// A VCALENDAR.
#[derive(Debug)]
pub(super) struct ParsedCalendar<'a> {
    pub component: &'a Component,
    pub zones: Vec<(&'a str, &'a Component)>,
    pub events: Vec<ParsedEvent<'a>>,
}

/// A VEVENT.
#[derive(Debug)]
pub(super) struct ParsedEvent<'a> {
    pub component: &'a Component,
    /// The UID; empty if the event has none.
    pub uid: String,
    pub start: Option<Moment>,
    /// The end: DTEND, or DTSTART plus DURATION.
    pub end: Option<Moment>,
}

impl<'a> ParsedCalendar<'a> {
    pub(super) fn of(component: &'a Component) -> Self {
        let name = |zone: &'a Component| (zone.property("TZID").map_or("", |line| line.value.as_str()), zone);
        Self {
            component,
            zones: component.all("VTIMEZONE").map(name).collect(),
            events: component.all("VEVENT").map(ParsedEvent::of).collect(),
        }
    }

    /// The VTIMEZONE that defines a TZID.
    pub(super) fn zone(&self, tzid: &str) -> Option<&'a Component> {
        self.zones.iter().find(|(name, _)| *name == tzid).map(|(_, zone)| *zone)
    }

    /// Every property of all events that has a TZID, with that TZID.
    pub(super) fn zoned(&self) -> impl Iterator<Item = (&'a Line, &'a str)> {
        let lines = self.events.iter().flat_map(|event| event.component.properties.iter());
        lines.filter_map(|line| Some((line, line.parameter("TZID")?)))
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

    pub(super) fn property(&self, name: &str) -> Option<&'a Line> {
        self.component.property(name)
    }

    /// The line number of a property, or of the event if it has no such property.
    pub(super) fn line(&self, property: &str) -> usize {
        self.component.property(property).map_or(self.component.line, |line| line.number)
    }

    /// The trimmed value of a property; empty if the event has no such property.
    pub(super) fn value(&self, property: &str) -> &'a str {
        self.component.property(property).map_or("", |line| line.value.trim())
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.value("STATUS").eq_ignore_ascii_case("CANCELLED")
    }

    /// Start and end as instants. Floating times are read as UTC.
    pub(super) fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
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
pub(super) fn instant(moment: &Moment) -> Option<DateTime<Utc>> {
    match moment {
        Moment::Utc(at) => Some(*at),
        Moment::Day(_) | Moment::Floating(_) => Some(moment.civil().and_utc()),
        Moment::Zoned(civil, zone) => match Zone::parse(zone).ok()?.instant(*civil) {
            Civil::Once(at) | Civil::Twice(at, _) | Civil::Skipped(at, _) => Some(at),
        },
    }
}

/// Whether a zone is in the IANA database, which includes old links such as `US/Pacific`.
pub(super) fn is_iana(tzid: &str) -> bool {
    !matches!(Zone::parse(tzid), Err(ZoneError::Abbreviation(..) | ZoneError::Unknown(..)))
}
