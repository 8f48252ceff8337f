//! Reads iCalendar, as pretalx, Indico, Sched and other tools write it.

use super::foreign::{ForeignPerson, ForeignProgram, ForeignSession, ForeignTime, instant, kind_named};
use crate::ics::{self, Component, Line, Moment, Reading, ZoneRules};
use crate::program::{Status, Zone, ZoneError};
use chrono::TimeDelta;
use std::collections::HashMap;

/// The tool that wrote a file, if that tool uses properties in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Producer {
    Callboard,
    Pretalx,
    Indico,
    Other,
}

/// The properties that Callboard writes itself.
const OWN: [&str; 9] =
    ["UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "TRANSP", "CLASS", "PRIORITY", "DURATION"];

pub(super) fn read(reading: &Reading) -> ForeignProgram {
    let mut foreign = ForeignProgram::default();
    for flaw in reading.flaws.iter().filter(|flaw| flaw.kind.breaks_grammar()) {
        foreign.notes.add(format!("line {}: {}; the rest was read", flaw.line, flaw.kind));
    }
    let mut zones: HashMap<String, usize> = HashMap::new();
    for calendar in reading.calendars() {
        let name = ["NAME", "X-WR-CALNAME"].iter().find_map(|name| calendar.property(name)).map(Line::text);
        foreign.title = foreign.title.take().or(name);
        let zone = calendar.property("X-WR-TIMEZONE").map(|line| line.value.trim().to_owned());
        foreign.zone = foreign.zone.take().or(zone);
        let id = calendar.text("PRODID").to_lowercase();
        let producer = if id.contains("pretalx") {
            Producer::Pretalx
        } else if id.contains("indico") {
            Producer::Indico
        } else if id.contains("callboard") {
            Producer::Callboard
        } else {
            Producer::Other
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
                    let session = event(component, producer, &rules, &mut foreign);
                    foreign.sessions.push(session);
                }
                "VTIMEZONE" => {}
                other => foreign.notes.add(format!("not imported: {other}")),
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
    producer: Producer,
    rules: &HashMap<String, ZoneRules>,
    foreign: &mut ForeignProgram,
) -> ForeignSession {
    let instance = component.property("RECURRENCE-ID").map(|line| format!(" {}", line.value.trim()));
    let mut session = ForeignSession {
        identity: format!("{}{}", component.text("UID").trim(), instance.unwrap_or_default()),
        title: component.text("SUMMARY"),
        ..ForeignSession::default()
    };
    let title = session.title.clone();
    let mut description = String::new();
    for line in &component.properties {
        match line.name.as_str() {
            "SUMMARY" | "DTEND" => {}
            "DTSTART" => {
                session.start = time(line, rules, foreign);
                let end = component.property("DTEND").and_then(|line| time(line, rules, foreign));
                let length = component.property("DURATION").and_then(|line| ics::duration(&line.value));
                session.end = end.or_else(|| session.start?.plus(length?));
                if matches!(ics::date_time(line), Some(Moment::Day(_))) {
                    foreign.notes.add_for(&title, "a whole day, written as 00:00 to 24:00");
                    session.end = session.end.or_else(|| session.start?.plus(TimeDelta::days(1)));
                }
            }
            "LOCATION" => session.room = line.text(),
            "DESCRIPTION" => description = line.text(),
            "URL" => session.url = line.value.trim().to_owned(),
            "STATUS" => {
                session.status = match line.value.trim().to_uppercase().as_str() {
                    "CANCELLED" => Some(Status::Cancelled),
                    "TENTATIVE" => Some(Status::Tentative),
                    _ => Some(Status::Confirmed),
                };
            }
            "CATEGORIES" => categories(line.texts(), &mut session, foreign),
            "ATTACH" if line.value.starts_with("http") => {
                session.links.push(("Attachment".to_owned(), line.value.trim().to_owned()));
            }
            "RRULE" | "RDATE" => {
                let message =
                    format!("a repeated session ({}), of which only the first time is imported", line.name);
                foreign.notes.add_for(&title, message);
            }
            name if OWN.contains(&name) => {}
            name => foreign.notes.unmapped(name, &line.text()),
        }
    }
    component.components.iter().for_each(|inner| foreign.notes.unmapped(&inner.name, ""));
    match producer {
        Producer::Pretalx => split_title(&mut session),
        Producer::Indico => description = speakers_line(&description, &mut session),
        Producer::Callboard => {
            session.own_id = session.identity.split('@').next().unwrap_or_default().to_owned();
        }
        Producer::Other => {}
    }
    session.text.push(description);
    session
}

/// The first category that names a kind becomes the kind. The first category that names no kind becomes the track.
fn categories(names: Vec<String>, session: &mut ForeignSession, foreign: &mut ForeignProgram) {
    for name in names.into_iter().filter(|name| !name.trim().is_empty()) {
        if session.kind.is_empty() && kind_named(&name).is_some() {
            session.kind = name;
        } else if session.track.is_empty() {
            session.track = name;
        } else {
            foreign.notes.unmapped("a further category", &name);
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
        session.people.push(ForeignPerson { name, affiliation, bio: String::new() });
    }
    rest.trim_start().to_owned()
}

fn time(
    line: &Line,
    rules: &HashMap<String, ZoneRules>,
    foreign: &mut ForeignProgram,
) -> Option<ForeignTime> {
    let (civil, tzid) = match ics::date_time(line)? {
        Moment::Utc(at) => return Some(ForeignTime::Instant(at)),
        Moment::Zoned(civil, tzid) => (civil, tzid),
        moment @ (Moment::Day(_) | Moment::Floating(_)) => return Some(ForeignTime::Civil(moment.civil())),
    };
    match Zone::parse(&tzid) {
        Ok(zone) => Some(ForeignTime::Instant(instant(zone, civil))),
        // pretalx writes abbreviations, such as TZID:CET.
        Err(ZoneError::Abbreviation(_, name)) => {
            foreign.notes.add(format!("the zone {tzid:?}, read as {name}"));
            Some(ForeignTime::Instant(instant(Zone::parse(name).ok()?, civil)))
        }
        Err(_) => match rules.get(&tzid).and_then(|rules| rules.offset(civil)) {
            Some(offset) => {
                foreign.notes.add(format!("the zone {tzid:?}, read by its VTIMEZONE"));
                Some(ForeignTime::Instant(civil.and_utc() - TimeDelta::seconds(i64::from(offset))))
            }
            None => {
                foreign.notes.add(format!("the zone {tzid:?}, read as the conference's"));
                Some(ForeignTime::Civil(civil))
            }
        },
    }
}
