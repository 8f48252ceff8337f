//! iCalendar, in the styles of pretalx, Indico, Sched and whoever else.

use super::Note;
use super::foreign::{Foreign, Person, Session, Time};
use super::kinds;
use crate::ics::{self, Component, Line, Moment, Reading, ZoneRules};
use crate::program::{Civil, Zone, ZoneError};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;

/// Who wrote a file, as far as it changes what a property means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Pretalx,
    Indico,
    Other,
}

/// What every server makes for itself.
const OWN: [&str; 9] =
    ["UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "TRANSP", "CLASS", "PRIORITY", "DURATION"];

pub(super) fn read(reading: &Reading) -> Foreign {
    let mut foreign = Foreign::default();
    for flaw in reading.flaws.iter().filter(|flaw| flaw.kind.breaks_grammar()) {
        foreign.note(format!("line {}: {}; what could be read was taken", flaw.line, flaw.kind));
    }
    let mut zones: HashMap<String, usize> = HashMap::new();
    for calendar in reading.calendars() {
        let name = ["NAME", "X-WR-CALNAME"].iter().find_map(|name| calendar.property(name)).map(Line::text);
        foreign.title = foreign.title.take().or(name);
        let zone = calendar.property("X-WR-TIMEZONE").map(|line| line.value.trim().to_owned());
        foreign.zone = foreign.zone.take().or(zone);
        let producer = calendar.text("PRODID").to_lowercase();
        let style = if producer.contains("pretalx") {
            Style::Pretalx
        } else if producer.contains("indico") {
            Style::Indico
        } else {
            Style::Other
        };
        let rules = |zone| Some((Component::property(zone, "TZID")?.value.clone(), ZoneRules::of(zone)));
        let rules: HashMap<String, ZoneRules> = calendar.all("VTIMEZONE").filter_map(rules).collect();
        for component in &calendar.components {
            match component.name.as_str() {
                "VEVENT" => {
                    let tzid = component.property("DTSTART").and_then(|line| line.parameter("TZID"));
                    if let Some(tzid) = tzid {
                        *zones.entry(tzid.to_owned()).or_default() += 1;
                    }
                    let session = event(component, style, &rules, &mut foreign);
                    foreign.sessions.push(session);
                }
                "VTIMEZONE" => {}
                other => foreign.skip(other),
            }
        }
    }
    if foreign.zone.is_none() {
        let most = zones.into_iter().max_by(|a, b| a.1.cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
        foreign.zone = most.map(|(zone, _)| zone);
    }
    foreign
}

fn event(
    component: &Component,
    style: Style,
    rules: &HashMap<String, ZoneRules>,
    foreign: &mut Foreign,
) -> Session {
    let mut session = Session { title: component.text("SUMMARY"), ..Session::default() };
    let note = |foreign: &mut Foreign, message: String| {
        let session = Some(format!("line {}", component.line));
        foreign.notes.push(Note { session, message });
    };
    let mut description = String::new();
    for line in &component.properties {
        match line.name.as_str() {
            "SUMMARY" | "DTEND" => {}
            "DTSTART" => {
                session.start = time(line, rules, foreign);
                let end = component.property("DTEND").and_then(|line| time(line, rules, foreign));
                let length = component.property("DURATION").and_then(|line| ics::duration(&line.value));
                session.end = end.or_else(|| later(session.start?, length?));
                if matches!(ics::date_time(line), Some(Moment::Day(_))) {
                    note(foreign, "a whole day; it is written as from 00:00 to 24:00".to_owned());
                    session.end = session.end.or_else(|| later(session.start?, TimeDelta::days(1)));
                }
            }
            "LOCATION" => session.room = line.text(),
            "DESCRIPTION" => description = line.text(),
            "URL" => session.url = line.value.trim().to_owned(),
            "STATUS" => session.status = line.value.trim().to_uppercase(),
            "CATEGORIES" => categories(line.texts(), &mut session, foreign),
            "ATTACH" if line.value.starts_with("http") => {
                session.links.push(("Attachment".to_owned(), line.value.trim().to_owned()));
            }
            "RRULE" | "RDATE" => {
                note(foreign, format!("{} repeats it; only the first time is taken", line.name));
            }
            name if OWN.contains(&name) => {}
            name => foreign.skip(name),
        }
    }
    component.components.iter().for_each(|inner| foreign.skip(&inner.name));
    match style {
        Style::Pretalx => split_title(&mut session),
        Style::Indico => description = speakers_line(&description, &mut session),
        Style::Other => {}
    }
    session.text.push(description);
    session
}

/// A category that names a kind is the kind, the first other one the track.
fn categories(names: Vec<String>, session: &mut Session, foreign: &mut Foreign) {
    for name in names.into_iter().filter(|name| !name.trim().is_empty()) {
        if session.kind.is_empty() && kinds::named(&name).is_some() {
            session.kind = name;
        } else if session.track.is_empty() {
            session.track = name;
        } else {
            foreign.skip(&format!("the category {name:?}, beside a track"));
        }
    }
}

/// pretalx writes `Title - Speaker, Speaker`.
fn split_title(session: &mut Session) {
    let Some((title, names)) = session.title.rsplit_once(" - ") else { return };
    let people = names.split(", ").map(|name| Person { name: name.trim().to_owned(), ..Person::default() });
    session.people = people.filter(|person| !person.name.is_empty()).collect();
    session.title = title.to_owned();
}

/// Indico starts a description with `Speakers: Name (Affiliation), Name`.
fn speakers_line(description: &str, session: &mut Session) -> String {
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
        session.people.push(Person { name, affiliation, bio: String::new() });
    }
    rest.trim_start().to_owned()
}

fn time(line: &Line, rules: &HashMap<String, ZoneRules>, foreign: &mut Foreign) -> Option<Time> {
    let (civil, tzid) = match ics::date_time(line)? {
        Moment::Utc(at) => return Some(Time::Instant(at)),
        Moment::Zoned(civil, tzid) => (civil, tzid),
        moment @ (Moment::Day(_) | Moment::Floating(_)) => return Some(Time::Civil(moment.civil())),
    };
    match Zone::parse(&tzid) {
        Ok(zone) => Some(Time::Instant(instant(zone, civil))),
        // pretalx names zones by their abbreviation: TZID:CET.
        Err(ZoneError::Abbreviation(_, name)) => {
            foreign.skip(&format!("the zone {tzid:?}, read as {name}"));
            Some(Time::Instant(instant(Zone::parse(name).ok()?, civil)))
        }
        Err(_) => match rules.get(&tzid).and_then(|rules| rules.offset(civil)) {
            Some(offset) => {
                foreign.skip(&format!("the zone {tzid:?}, read by its VTIMEZONE"));
                Some(Time::Instant(civil.and_utc() - TimeDelta::seconds(i64::from(offset))))
            }
            None => {
                foreign.skip(&format!("the zone {tzid:?}, whose times are taken as the conference's"));
                Some(Time::Civil(civil))
            }
        },
    }
}

pub(super) fn instant(zone: Zone, civil: chrono::NaiveDateTime) -> DateTime<Utc> {
    match zone.instant(civil) {
        Civil::Once(at) | Civil::Twice(at, _) | Civil::Skipped(at, _) => at,
    }
}

pub(super) fn later(start: Time, length: TimeDelta) -> Option<Time> {
    match start {
        Time::Instant(at) => at.checked_add_signed(length).map(Time::Instant),
        Time::Civil(civil) => civil.checked_add_signed(length).map(Time::Civil),
    }
}
