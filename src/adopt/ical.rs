//! Reads iCalendar, as pretalx, Indico, Sched and other tools write it.
//!
//! A repeated event becomes one session for each of its times (RRULE, RDATE, EXDATE), and an event with a RECURRENCE-ID
//! replaces the time that it names. A time in a zone that nothing defines is never guessed: its session is left out.

mod series;

use super::foreign::{
    ForeignPerson, ForeignProgram, ForeignSession, ForeignTime, is_kind_alone, kind_named, utc_of,
};
use super::own;
use crate::ics::{self, Component, GrammarErrorKind, Line, Moment, Reading, ZoneRules};
use crate::program::{Status, Zone};
use chrono::TimeDelta;
use series::{Series, span};
use std::collections::HashMap;

/// The tool that wrote a file, if that tool uses properties in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Producer {
    Callboard,
    Pretalx,
    Indico,
    Other,
}

/// The properties that Callboard writes itself, or that are read beside others.
const READ: &[&str] = &[
    "UID",
    "DTSTAMP",
    "CREATED",
    "LAST-MODIFIED",
    "SEQUENCE",
    "TRANSP",
    "CLASS",
    "PRIORITY",
    "DURATION",
    "SUMMARY",
    "DTSTART",
    "DTEND",
    "RECURRENCE-ID",
    "EXDATE",
    "EXRULE",
    "RRULE",
    "RDATE",
];

pub(super) fn read(reading: &Reading) -> ForeignProgram {
    let mut foreign = ForeignProgram { cut: cut_of(reading), ..ForeignProgram::default() };
    for error in reading.errors.iter().filter(|error| !error.kind.is_layout()) {
        foreign.notes.add_for(&format!("line {}", error.line), format!("{}; the rest was read", error.kind));
    }
    for component in reading.components.iter().filter(|component| component.name != "VCALENDAR") {
        let example = format!("line {}: {}", component.line, component.text("SUMMARY"));
        foreign.notes.add_for(
            &example,
            format!("left out, since it is outside of every VCALENDAR: {}", component.name),
        );
    }
    let mut zones: HashMap<String, usize> = HashMap::new();
    let (mut series, mut is_ours, mut stated) = (Vec::new(), false, None);
    for calendar in reading.calendars() {
        let name = ["NAME", "X-WR-CALNAME"].iter().find_map(|name| calendar.property(name)).map(Line::text);
        foreign.title = foreign.title.take().or(name);
        stated =
            stated.or_else(|| calendar.property("X-WR-TIMEZONE").map(|line| line.text().trim().to_owned()));
        let reader = EventReader::of(calendar);
        foreign.is_plain |= reader.producer == Producer::Callboard;
        is_ours |= reader.producer == Producer::Callboard;
        for component in &calendar.components {
            match component.name.as_str() {
                "VEVENT" => {
                    if let Some(zone) = component.property("DTSTART").and_then(Line::zone) {
                        *zones.entry(reader.location_of(&zone)).or_default() += 1;
                    }
                }
                "VTIMEZONE" => {}
                other => foreign.notes.add(format!("not imported: {other}")),
            }
        }
        for group in by_uid(calendar) {
            let group = Series::read(&group, &reader, &mut foreign);
            foreign.sessions.extend(group.replaced());
            series.push((group, reader.zones.clone()));
        }
    }
    let window = span(&foreign.sessions, &series);
    for (group, zones) in series {
        let times = group.times(window, &zones, &mut foreign);
        foreign.sessions.extend(times);
    }
    if is_ours {
        own::remove_stand_ins(&mut foreign);
        foreign.notes.add(
            "Callboard's calendars have no bios, no languages, no feedback addresses and no word about recordings; fetch \
             /schedule.csv to have all",
        );
    }
    let most =
        zones.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0))).map(|(zone, _)| zone);
    let is_utc = |zone: &String| Zone::meant(zone).is_some_and(Zone::is_utc);
    foreign.zone = match (stated, most) {
        // Sched writes UTC for every conference; Google and others write it for a calendar that nobody set up.
        (Some(zone), most) if is_utc(&zone) && !is_ours => {
            foreign.zone_evidence = format!("every time is in UTC, and X-WR-TIMEZONE is {zone}");
            most
        }
        (stated, most) => stated.or(most),
    };
    foreign
}

/// Why a file is only the beginning of a calendar: a component has no end, or its last line is the beginning of one.
fn cut_of(reading: &Reading) -> Option<String> {
    let is_cut = |kind: &GrammarErrorKind| {
        matches!(
            kind,
            GrammarErrorKind::Unclosed(_) | GrammarErrorKind::Mismatched(..) | GrammarErrorKind::TooLarge
        )
    };
    reading.errors.iter().find(|error| is_cut(&error.kind)).map(|error| error.kind.to_string())
}

/// The events of a calendar by their UID, in the order of the file. Events without a UID are alone.
fn by_uid(calendar: &Component) -> Vec<Vec<&Component>> {
    let mut groups: Vec<Vec<&Component>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for event in calendar.all("VEVENT") {
        let uid = event.text("UID").trim().to_owned();
        let place = if uid.is_empty() { groups.len() } else { *places.entry(uid).or_insert(groups.len()) };
        match groups.get_mut(place) {
            Some(group) => group.push(event),
            None => groups.push(vec![event]),
        }
    }
    groups
}

/// The zones that a calendar defines.
#[derive(Debug, Clone, Default)]
struct Zones {
    rules: std::rc::Rc<HashMap<String, ZoneRules>>,
}

impl Zones {
    /// The time of a moment; none, with a note, if its zone says no time.
    fn place(&self, moment: &Moment, title: &str, foreign: &mut ForeignProgram) -> Option<ForeignTime> {
        let (civil, name) = match moment {
            Moment::Utc(at) => return Some(ForeignTime::Instant(*at)),
            Moment::Zoned(civil, name) => (*civil, name),
            Moment::Day(_) | Moment::Floating(_) => return Some(ForeignTime::Civil(moment.civil())),
        };
        if let Some(zone) = Zone::meant(name).filter(|zone| zone.name() == name) {
            return Some(ForeignTime::Instant(utc_of(zone.instant(civil), civil, zone)));
        }
        if let Some(offset) = self.rules.get(name).and_then(|rules| rules.offset(civil)) {
            foreign.notes.add(format!("the zone {name:?}, read by its VTIMEZONE"));
            return civil
                .and_utc()
                .checked_sub_signed(TimeDelta::seconds(i64::from(offset)))
                .map(ForeignTime::Instant);
        }
        if let Some(zone) = Zone::meant(name) {
            foreign.notes.add(format!("the zone {name:?}, read as {zone}"));
            return Some(ForeignTime::Instant(utc_of(zone.instant(civil), civil, zone)));
        }
        if let Some(found) = Zone::instant_by_name(name, civil) {
            return Some(ForeignTime::Instant(utc_of(found, civil, Zone::UTC)));
        }
        let why = if self.rules.contains_key(name) {
            "its VTIMEZONE does not say"
        } else {
            "the file does not define"
        };
        let message = format!(
            "left out, since {why} what the zone {name:?} is; correct it in the file, or export again"
        );
        foreign.notes.add_for(title, message);
        None
    }
}

/// Reads the events of one calendar.
struct EventReader {
    producer: Producer,
    zones: Zones,
    /// The zones of the database that VTIMEZONEs name beside their own name.
    locations: HashMap<String, String>,
}

impl EventReader {
    fn of(calendar: &Component) -> Self {
        let id = calendar.text("PRODID").to_lowercase();
        let known = [
            ("pretalx", Producer::Pretalx),
            ("indico", Producer::Indico),
            ("callboard", Producer::Callboard),
        ];
        let producer =
            known.iter().find(|(word, _)| id.contains(word)).map_or(Producer::Other, |(_, tool)| *tool);
        let named = |zone: &Component| Some((zone.property("TZID")?.text(), ZoneRules::of(zone)));
        let located =
            |zone: &Component| Some((zone.property("TZID")?.text(), zone.property("X-LIC-LOCATION")?.text()));
        Self {
            producer,
            zones: Zones { rules: std::rc::Rc::new(calendar.all("VTIMEZONE").filter_map(named).collect()) },
            locations: calendar.all("VTIMEZONE").filter_map(located).collect(),
        }
    }

    /// The zone of the database that a TZID means, or the TZID.
    fn location_of(&self, tzid: &str) -> String {
        let location = || self.locations.get(tzid).and_then(|name| Zone::meant(name));
        Zone::meant(tzid).or_else(location).map_or_else(|| tzid.to_owned(), |zone| zone.name().to_owned())
    }

    /// The session of an event, and the moment at which it starts; none if its times cannot be placed.
    fn event(
        &self,
        event: &Component,
        foreign: &mut ForeignProgram,
    ) -> Option<(ForeignSession, Option<Moment>)> {
        let mut session = ForeignSession {
            identity: event.text("UID").trim().to_owned(),
            title: event.text("SUMMARY"),
            room: event.text("LOCATION"),
            ..ForeignSession::default()
        };
        let title = session.title.clone();
        let start = event.property("DTSTART").and_then(ics::date_time);
        if let Some(moment) = &start {
            session.start = Some(self.zones.place(moment, &title, foreign)?);
        }
        if let Some(moment) = event.property("DTEND").and_then(ics::date_time) {
            session.end = Some(self.zones.place(&moment, &title, foreign)?);
        }
        let length = event.property("DURATION").and_then(|line| ics::duration(line.value.trim()));
        session.end = session.end.or_else(|| session.start?.plus(length?));
        if matches!(start, Some(Moment::Day(_))) {
            foreign.notes.add_for(&title, "a whole day, written as 00:00 to 24:00");
            session.end = session.end.or_else(|| session.start?.plus(TimeDelta::days(1)));
        }
        self.texts(event, &mut session, foreign);
        event.components.iter().for_each(|inner| foreign.notes.unmapped(&inner.name, ""));
        Some((session, start))
    }

    fn texts(&self, event: &Component, session: &mut ForeignSession, foreign: &mut ForeignProgram) {
        let mut description = event.text("DESCRIPTION");
        for line in &event.properties {
            match line.name.as_str() {
                "LOCATION" | "DESCRIPTION" => {}
                "URL" => session.url = line.value.trim().to_owned(),
                "STATUS" => {
                    session.status = Some(match line.value.trim().to_uppercase().as_str() {
                        "CANCELLED" => Status::Cancelled,
                        "TENTATIVE" => Status::Tentative,
                        _ => Status::Confirmed,
                    });
                }
                "CATEGORIES" if self.producer == Producer::Callboard => {
                    own::categories(line.texts(), session)
                }
                "CATEGORIES" => categories(line.texts(), session),
                "X-ALT-DESC" if description.trim().is_empty() => description = line.text(),
                // The same text as HTML.
                "X-ALT-DESC" => {}
                "IMAGE" if line.value.trim().starts_with("http") => {
                    session.image = line.value.trim().to_owned();
                }
                "ATTACH" | "CONFERENCE" if line.value.trim().starts_with("http") => {
                    let label = line.parameter("LABEL").or_else(|| line.parameter("FILENAME"));
                    let label =
                        label.unwrap_or(if line.name == "ATTACH" { "Attachment" } else { "Video call" });
                    session.links.push((label.to_owned(), line.value.trim().to_owned()));
                }
                name if READ.contains(&name) => {}
                name => foreign.notes.unmapped(name, &line.text()),
            }
        }
        match self.producer {
            Producer::Pretalx => split_title(session),
            Producer::Indico => description = speakers_line(&description, session),
            Producer::Callboard => {
                session.own_id = session.identity.split('@').next().unwrap_or_default().to_owned();
                description = own::text_of(&description, session);
                if !description.is_empty() {
                    let message = "a description of Callboard's calendars does not tell block and speakers from the abstract, so \
                                   the abstract may begin with them; fetch /schedule.csv to have them in their columns";
                    foreign.notes.add_for(&session.title, message);
                }
            }
            Producer::Other => {}
        }
        session.text.push(description);
    }
}

/// The kind is guessed from the first category that names one. The track is the first category that says more than a
/// kind: `Keynote Track` is both.
fn categories(names: Vec<String>, session: &mut ForeignSession) {
    for name in names.into_iter().filter(|name| !name.trim().is_empty()) {
        let names_kind = kind_named(&name).is_some();
        let gives_kind = session.kind.is_empty() && names_kind;
        if gives_kind {
            session.kind.clone_from(&name);
        }
        if session.track.is_empty() && !is_kind_alone(&name) {
            session.track = name;
        } else if !gives_kind {
            session.tags.push(name);
        }
    }
}

/// Splits a title of pretalx: `Title - Speaker, Speaker`.
fn split_title(session: &mut ForeignSession) {
    let Some((title, names)) = session.title.rsplit_once(" - ") else { return };
    let person = |name: &str| ForeignPerson { name: name.trim().to_owned(), ..ForeignPerson::default() };
    let people = names.split(", ").map(person);
    session.people = people.filter(|person| !person.name.is_empty()).collect();
    session.title = title.to_owned();
}

/// Splits a description of Indico, which starts with `Speakers: Name (Affiliation), Name`.
fn speakers_line(description: &str, session: &mut ForeignSession) -> String {
    let (first, rest) = description.split_once('\n').unwrap_or((description, ""));
    let list = ["Speakers:", "Speaker:"].iter().find_map(|word| first.trim().strip_prefix(word));
    let Some(list) = list else { return description.to_owned() };
    let mut depth = 0_usize;
    let people = list.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    for entry in people.map(str::trim).filter(|entry| !entry.is_empty()) {
        let (name, affiliation) = match entry.strip_suffix(')').and_then(|entry| entry.rsplit_once(" (")) {
            Some((name, affiliation)) => (name, affiliation),
            None => (entry, ""),
        };
        let (name, affiliation) = (name.to_owned(), affiliation.to_owned());
        session.people.push(ForeignPerson { name, affiliation, ..ForeignPerson::default() });
    }
    rest.trim_start().to_owned()
}
