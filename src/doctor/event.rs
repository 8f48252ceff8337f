//! VEVENT (RFC 5545, 3.6.1): what it must have, and values that no client can read.

use super::calendar::{Calendar, Event};
use super::envelope::shown;
use super::finding::{Client, Findings};
use crate::ics::{self, Component, Line, Moment};
use std::collections::HashMap;

const EVERY: Client = Client::Every;

/// Properties that an event has at most once.
const ONCE: [&str; 14] = [
    "UID",
    "DTSTAMP",
    "DTSTART",
    "DTEND",
    "DURATION",
    "SUMMARY",
    "LOCATION",
    "DESCRIPTION",
    "STATUS",
    "SEQUENCE",
    "LAST-MODIFIED",
    "TRANSP",
    "CLASS",
    "URL",
];

pub(super) fn examine(calendar: &Calendar<'_>, findings: &mut Findings) {
    let mut seen: HashMap<(String, String), usize> = HashMap::new();
    for event in &calendar.events {
        let line = event.component.line;
        if event.uid.is_empty() {
            let remedy = "write a UID that never changes, such as UID:opening@conf.example.org";
            findings.error(EVERY, "uid-missing", line, "this event has no UID and cannot be updated", remedy);
        } else {
            let key = (event.uid.clone(), event.value("RECURRENCE-ID").to_owned());
            if let Some(first) = seen.get(&key) {
                let message =
                    format!("the UID is that of the event on line {first}; one of the two is not shown");
                let remedy = "give every event a UID of its own";
                findings.error(EVERY, "uid-twice", event.line("UID"), message, remedy);
            } else {
                seen.insert(key, line);
            }
        }
        if event.component.property("DTSTAMP").is_none() {
            let remedy = "write DTSTAMP, in UTC: when the event was last changed";
            findings.error(EVERY, "dtstamp-missing", line, "this event has no DTSTAMP", remedy);
        }
        if event.value("SUMMARY").is_empty() {
            let message = "this event has no title";
            findings.warn(EVERY, "summary-missing", event.line("SUMMARY"), message, "write a SUMMARY");
        }
        times(event, findings);
        values(event, findings);
        once(event.component, &ONCE, findings);
        for alarm in event.component.all("VALARM") {
            alarmed(alarm, findings);
        }
    }
}

fn times(event: &Event<'_>, findings: &mut Findings) {
    let component = event.component;
    let utc_only = ["DTSTAMP", "LAST-MODIFIED", "CREATED"];
    for line in &component.properties {
        let is_time = matches!(line.name.as_str(), "DTSTART" | "DTEND" | "RECURRENCE-ID");
        match (ics::date_time(line), utc_only.contains(&line.name.as_str())) {
            (None, stamp) if stamp || is_time => {
                let message = format!("{} is {}, which is no date or time", line.name, shown(line));
                let remedy = "write 20250325T090000 with a TZID, or 20250325T160000Z";
                findings.error(EVERY, "time-form", line.number, message, remedy);
            }
            (Some(moment), true) if !matches!(moment, Moment::Utc(_)) => {
                let message = format!("{} must be in UTC", line.name);
                findings.warn(EVERY, "stamp-utc", line.number, message, "write it with Z: 20250110T120000Z");
            }
            (Some(Moment::Day(_)), _) if is_time && line.parameter("VALUE").is_none() => {
                let message = format!("{} is a date, and its type says date and time", line.name);
                findings.error(
                    EVERY,
                    "date-type",
                    line.number,
                    message,
                    "write ;VALUE=DATE before the colon",
                );
            }
            (Some(Moment::Utc(_)), _) if is_time && line.parameter("TZID").is_some() => {
                let message = format!("{} has both a TZID and a Z (RFC 5545, 3.2.19)", line.name);
                findings.error(EVERY, "zone-and-utc", line.number, message, "leave out the TZID, or the Z");
            }
            _ => {}
        }
    }
    if component.property("DTSTART").is_none() {
        let message = "this event has no DTSTART and is not shown";
        findings.error(EVERY, "start-missing", component.line, message, "write DTSTART");
    }
    let (end, length) = (component.property("DTEND"), component.property("DURATION"));
    match (end, length) {
        (Some(_), Some(length)) => {
            let message = "this event has DTEND and DURATION, and only one is allowed";
            findings.error(EVERY, "end-twice", length.number, message, "leave out DURATION");
        }
        (None, None)
            if component.property("DTSTART").is_some() && !matches!(event.start, Some(Moment::Day(_))) =>
        {
            let message = "this event has no end; clients show a moment, or an hour of their own";
            findings.warn(EVERY, "end-missing", component.line, message, "write DTEND");
        }
        (None, Some(length)) if ics::duration(&length.value).is_none() => {
            let message = format!("DURATION is {}", shown(length));
            findings.error(EVERY, "duration-form", length.number, message, "write it like PT45M");
        }
        _ => {}
    }
    let (Some(start), Some(ended)) = (&event.start, &event.end) else { return };
    if matches!(start, Moment::Day(_)) != matches!(ended, Moment::Day(_)) {
        let message = "DTSTART and DTEND are of two types, a date and a time";
        findings.error(EVERY, "types-differ", event.line("DTEND"), message, "write both in one form");
    } else if event.span().is_some_and(|(start, end)| end <= start) {
        let message = "this event ends before it starts, or as it starts";
        let line = if end.is_some() { "DTEND" } else { "DURATION" };
        findings.error(EVERY, "end-before-start", event.line(line), message, "write an end after the start");
    }
}

fn values(event: &Event<'_>, findings: &mut Findings) {
    for line in &event.component.properties {
        let word = line.value.to_ascii_uppercase();
        let unknown = match line.name.as_str() {
            "STATUS" => !["CONFIRMED", "TENTATIVE", "CANCELLED"].contains(&word.as_str()),
            "TRANSP" => !["OPAQUE", "TRANSPARENT"].contains(&word.as_str()),
            "SEQUENCE" => line.value.parse::<u32>().is_err(),
            _ => false,
        };
        if unknown {
            let message = format!("{} is {}, which no client knows", line.name, shown(line));
            let remedy = "write STATUS:CONFIRMED, TENTATIVE or CANCELLED; TRANSP:OPAQUE or TRANSPARENT; SEQUENCE: a number";
            findings.error(EVERY, "unknown-value", line.number, message, remedy);
        }
        match line.name.as_str() {
            "SUMMARY" | "LOCATION" | "DESCRIPTION" => text(line, findings),
            "URL" => address(line, findings),
            _ => {}
        }
    }
}

fn alarmed(alarm: &Component, findings: &mut Findings) {
    let missing: Vec<&str> =
        ["ACTION", "TRIGGER"].into_iter().filter(|name| alarm.property(name).is_none()).collect();
    if !missing.is_empty() {
        let message = format!("this alarm has no {}; Apple drops such an event", missing.join(" and no "));
        let remedy = "write ACTION:DISPLAY, DESCRIPTION and TRIGGER:-PT10M";
        findings.error(EVERY, "alarm", alarm.line, message, remedy);
    }
    if let Some(trigger) = alarm.property("TRIGGER")
        && ics::duration(&trigger.value).is_none()
        && ics::date_time(trigger).is_none()
    {
        let message = format!("TRIGGER is {}", shown(trigger));
        findings.error(EVERY, "alarm", trigger.number, message, "write it like TRIGGER:-PT10M");
    }
}

/// A TEXT value with a character that must be escaped, or an escape that nobody knows.
pub(super) fn text(line: &Line, findings: &mut Findings) {
    let mut chars = line.value.chars();
    while let Some(c) = chars.next() {
        let (rule, message, remedy) = match c {
            '\\' => match chars.next() {
                Some('\\' | ';' | ',' | 'n' | 'N') => continue,
                _ => (
                    "bad-escape",
                    format!("{} holds a backslash that escapes nothing", line.name),
                    "write \\\\ for a backslash, \\n for a line end, \\, and \\;",
                ),
            },
            ',' | ';' => (
                "unescaped",
                format!("a bare {c:?} stands in {}; some clients cut the text there", line.name),
                "write \\, and \\;",
            ),
            _ => continue,
        };
        findings.warn(EVERY, rule, line.number, message, remedy);
        return;
    }
}

/// A URI that is none, or one that clients will not open.
pub(super) fn address(line: &Line, findings: &mut Findings) {
    let value = line.value.as_str();
    let sound = url::Url::parse(value).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "webcal"));
    if !sound || value.contains(char::is_whitespace) {
        let message = format!("{} is {}, which is no web address", line.name, shown(line));
        findings.warn(
            EVERY,
            "address",
            line.number,
            message,
            "write an absolute https address, or leave it out",
        );
    }
}

/// Properties that are there more often than once.
pub(super) fn once(component: &Component, names: &[&str], findings: &mut Findings) {
    for name in names {
        if let Some(second) = component.properties(name).nth(1) {
            let message = format!("{name} stands twice in one {}", component.name);
            findings.error(EVERY, "property-twice", second.number, message, "keep one of them");
        }
    }
}
