//! The rules of the standard, for every client: grammar, VCALENDAR, VEVENT and VTIMEZONE (RFC 5545, RFC 7986).

use super::finding::{CalendarClient, Findings};
use super::{ParsedCalendar, ParsedEvent};
use crate::ics::{self, Component, GrammarErrorKind, Line, Moment, Reading, ZoneRules};
use crate::program::{Civil, Zone, foreign_character};
use std::collections::HashMap;

const EVERY_CLIENT: CalendarClient = CalendarClient::Every;

/// Checks the grammar of a file (RFC 5545, 3.1), and that the file holds one calendar.
pub(super) fn check_file(bytes: &[u8], reading: &Reading, findings: &mut Findings) {
    for error in &reading.errors {
        let (rule, remedy) = grammar_rule(&error.kind);
        let line = error.line;
        let message = error.kind.to_string();
        match error.kind {
            GrammarErrorKind::FoldedByTab => {
                let message = "a line is continued with a tab; Giggity unfolds only on a space";
                findings.error(CalendarClient::Giggity, rule, line, message, remedy);
            }
            GrammarErrorKind::ByteOrderMark
            | GrammarErrorKind::BlankLine
            | GrammarErrorKind::BareLineFeed
            | GrammarErrorKind::LongLine(_) => {
                findings.warn(EVERY_CLIENT, rule, line, message, remedy);
            }
            _ => findings.error(EVERY_CLIENT, rule, line, message, remedy),
        }
    }
    let calendars = reading.calendars().count();
    match reading.components.len() {
        0 if bytes.trim_ascii().is_empty() => {}
        _ if calendars == 0 => {
            let message = "the file has no VCALENDAR";
            findings.error(EVERY_CLIENT, "no-calendar", 0, message, "start with BEGIN:VCALENDAR");
        }
        1 => {}
        _ => {
            let second = reading.components.get(1).map_or(0, |component| component.line);
            let message =
                "the file has a second component beside the calendar; most clients read only the first";
            findings.error(
                EVERY_CLIENT,
                "several-calendars",
                second,
                message,
                "put everything into one VCALENDAR",
            );
        }
    }
}

fn grammar_rule(kind: &GrammarErrorKind) -> (&'static str, &'static str) {
    match kind {
        GrammarErrorKind::TooLarge => ("too-large", "split the feed"),
        GrammarErrorKind::NotUtf8 => ("not-utf8", "write the file as UTF-8"),
        GrammarErrorKind::ByteOrderMark => ("byte-order-mark", "write the file without a byte order mark"),
        GrammarErrorKind::BareLineFeed => ("line-feed", "end every line with CRLF"),
        GrammarErrorKind::NoFinalLineEnd => ("no-final-line-end", "end the last line with CRLF"),
        GrammarErrorKind::LongLine(_) => ("long-line", "fold lines at 75 octets with CRLF and a space"),
        GrammarErrorKind::SplitCharacter => ("split-character", "fold between characters, not inside one"),
        GrammarErrorKind::FoldedByTab => ("tab-fold", "continue lines with a space"),
        GrammarErrorKind::Control(_) => {
            ("control", "remove the character; write a line end in a text as \\n")
        }
        GrammarErrorKind::BlankLine => ("blank-line", "delete the empty line"),
        GrammarErrorKind::NothingToContinue => ("continuation", "start the file with BEGIN:VCALENDAR"),
        GrammarErrorKind::NoColon | GrammarErrorKind::BadName => {
            ("content-line", "write NAME:value, and a line end in a text as \\n")
        }
        GrammarErrorKind::BadParameter | GrammarErrorKind::UnclosedQuote => {
            ("parameter", "write ;NAME=value, in double quotes if it contains , ; or :")
        }
        GrammarErrorKind::Unopened(_)
        | GrammarErrorKind::Mismatched(..)
        | GrammarErrorKind::Outside(_)
        | GrammarErrorKind::TooDeep => {
            ("nesting", "close every component that is opened, the inner ones first")
        }
        GrammarErrorKind::Unclosed(_) => ("unclosed", "write the whole file, down to END:VCALENDAR"),
    }
}

/// Checks the properties, events and zones of a calendar.
pub(super) fn check(calendar: &ParsedCalendar<'_>, findings: &mut Findings) {
    check_properties(calendar, findings);
    check_events(calendar, findings);
    check_zones(calendar, findings);
}

/// Checks the properties of VCALENDAR (RFC 5545, 3.6; RFC 7986).
fn check_properties(calendar: &ParsedCalendar<'_>, findings: &mut Findings) {
    let component = calendar.component;
    if component.components.is_empty() {
        let message = "the calendar has no component, which some clients refuse (RFC 5545, 3.6)";
        let remedy = "write a VTIMEZONE, even for UTC";
        findings.warn(EVERY_CLIENT, "no-component", component.line, message, remedy);
    }
    match component.property("VERSION") {
        None => {
            findings.error(
                EVERY_CLIENT,
                "version",
                component.line,
                "VERSION is missing",
                "write VERSION:2.0",
            );
        }
        Some(line) if line.value.trim() != "2.0" => {
            let message = format!("VERSION is {}, which no client can read", excerpt(line));
            findings.error(EVERY_CLIENT, "version", line.number, message, "write VERSION:2.0");
        }
        Some(_) => {}
    }
    if component.property("PRODID").is_none_or(|line| line.value.trim().is_empty()) {
        let remedy = "name the program that writes the feed: PRODID:-//Example//Program//EN";
        findings.warn(EVERY_CLIENT, "prodid", component.line, "PRODID is missing", remedy);
    }
    if let Some(line) =
        component.property("CALSCALE").filter(|line| !line.value.eq_ignore_ascii_case("GREGORIAN"))
    {
        let message = format!("CALSCALE is {}, which clients do not support", excerpt(line));
        findings.error(
            EVERY_CLIENT,
            "calscale",
            line.number,
            message,
            "write CALSCALE:GREGORIAN or leave it out",
        );
    }
    for line in &component.properties {
        match line.name.as_str() {
            "COLOR" if line.value.starts_with('#') || line.value.contains(char::is_whitespace) => {
                let message =
                    format!("COLOR is {}, but must be a CSS3 colour name (RFC 7986, 5.9)", excerpt(line));
                findings.warn(EVERY_CLIENT, "color", line.number, message, "write a name such as COLOR:teal");
            }
            "REFRESH-INTERVAL" => {
                let typed =
                    line.parameter("VALUE").is_some_and(|value| value.eq_ignore_ascii_case("DURATION"));
                if !typed || ics::duration(&line.value).is_none() {
                    let message = "REFRESH-INTERVAL is not a typed duration (RFC 7986, 5.7) and is ignored";
                    let remedy = "write REFRESH-INTERVAL;VALUE=DURATION:PT1H";
                    findings.warn(EVERY_CLIENT, "refresh-interval", line.number, message, remedy);
                }
            }
            "SOURCE" | "URL" => check_address(line, findings),
            "NAME" | "X-WR-CALNAME" | "DESCRIPTION" | "X-WR-CALDESC" => check_text(line, findings),
            _ => {}
        }
    }
    check_once(component, &["VERSION", "PRODID", "CALSCALE", "METHOD"], findings);
}

/// Properties that may occur only once in an event.
const AT_MOST_ONCE: [&str; 14] = [
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

/// Checks each VEVENT (RFC 5545, 3.6.1): required properties, and values that no client can read.
fn check_events(calendar: &ParsedCalendar<'_>, findings: &mut Findings) {
    let mut seen: HashMap<(String, String), usize> = HashMap::new();
    for event in &calendar.events {
        let line = event.component.line;
        if event.uid.is_empty() {
            let remedy = "write a UID that never changes, such as UID:opening@conf.example.org";
            findings.error(
                EVERY_CLIENT,
                "uid-missing",
                line,
                "this event has no UID and cannot be updated",
                remedy,
            );
        } else {
            let key = (event.uid.clone(), event.value("RECURRENCE-ID").to_owned());
            if let Some(first) = seen.get(&key) {
                let message =
                    format!("the event on line {first} has the same UID; clients show only one of the two");
                let remedy = "give every event a different UID";
                findings.error(EVERY_CLIENT, "uid-twice", event.line("UID"), message, remedy);
            } else {
                seen.insert(key, line);
            }
        }
        if event.component.property("DTSTAMP").is_none() {
            let remedy = "write DTSTAMP, in UTC: when the event was last changed";
            findings.error(EVERY_CLIENT, "dtstamp-missing", line, "this event has no DTSTAMP", remedy);
        }
        if event.value("SUMMARY").is_empty() {
            let message = "this event has no title";
            findings.warn(EVERY_CLIENT, "summary-missing", event.line("SUMMARY"), message, "write a SUMMARY");
        }
        check_times(event, findings);
        check_values(event, findings);
        check_once(event.component, &AT_MOST_ONCE, findings);
        for alarm in event.component.all("VALARM") {
            check_alarm(alarm, findings);
        }
    }
}

fn check_times(event: &ParsedEvent<'_>, findings: &mut Findings) {
    let component = event.component;
    let utc_only = ["DTSTAMP", "LAST-MODIFIED", "CREATED"];
    for line in &component.properties {
        let is_time = matches!(line.name.as_str(), "DTSTART" | "DTEND" | "RECURRENCE-ID");
        match (ics::date_time(line), utc_only.contains(&line.name.as_str())) {
            (None, stamp) if stamp || is_time => {
                let message = format!("{} is {}, which is not a date or time", line.name, excerpt(line));
                let remedy = "write 20250325T090000 with a TZID, or 20250325T160000Z";
                findings.error(EVERY_CLIENT, "time-form", line.number, message, remedy);
            }
            (Some(moment), true) if !matches!(moment, Moment::Utc(_)) => {
                let message = format!("{} must be in UTC", line.name);
                findings.warn(
                    EVERY_CLIENT,
                    "stamp-utc",
                    line.number,
                    message,
                    "write it with Z: 20250110T120000Z",
                );
            }
            (Some(Moment::Day(_)), _) if is_time && line.parameter("VALUE").is_none() => {
                let message =
                    format!("{} is a date, but without VALUE=DATE its type is date and time", line.name);
                findings.error(
                    EVERY_CLIENT,
                    "date-type",
                    line.number,
                    message,
                    "write ;VALUE=DATE before the colon",
                );
            }
            (Some(Moment::Utc(_)), _) if is_time && line.parameter("TZID").is_some() => {
                let message = format!("{} has both a TZID and a Z (RFC 5545, 3.2.19)", line.name);
                findings.error(
                    EVERY_CLIENT,
                    "zone-and-utc",
                    line.number,
                    message,
                    "leave out the TZID, or the Z",
                );
            }
            _ => {}
        }
    }
    if component.property("DTSTART").is_none() {
        let message = "this event has no DTSTART and is not shown";
        findings.error(EVERY_CLIENT, "start-missing", component.line, message, "write DTSTART");
    }
    let (end, length) = (component.property("DTEND"), component.property("DURATION"));
    match (end, length) {
        (Some(_), Some(length)) => {
            let message = "this event has DTEND and DURATION, and only one is allowed";
            findings.error(EVERY_CLIENT, "end-twice", length.number, message, "leave out DURATION");
        }
        (None, None)
            if component.property("DTSTART").is_some() && !matches!(event.start, Some(Moment::Day(_))) =>
        {
            let message = "this event has no end; some clients show it without a length, others as one hour";
            findings.warn(EVERY_CLIENT, "end-missing", component.line, message, "write DTEND");
        }
        (None, Some(length)) if ics::duration(&length.value).is_none() => {
            let message = format!("DURATION is {}, which is not a duration", excerpt(length));
            findings.error(EVERY_CLIENT, "duration-form", length.number, message, "write it like PT45M");
        }
        _ => {}
    }
    let (Some(start), Some(ended)) = (&event.start, &event.end) else { return };
    if matches!(start, Moment::Day(_)) != matches!(ended, Moment::Day(_)) {
        let message = "DTSTART and DTEND have different types: one is a date, the other a time";
        findings.error(EVERY_CLIENT, "types-differ", event.line("DTEND"), message, "write both in one form");
    } else if event.span().is_some_and(|(start, end)| end <= start) {
        let message = "this event does not end after its start";
        let line = if end.is_some() { "DTEND" } else { "DURATION" };
        findings.error(
            EVERY_CLIENT,
            "end-before-start",
            event.line(line),
            message,
            "write an end after the start",
        );
    }
}

fn check_values(event: &ParsedEvent<'_>, findings: &mut Findings) {
    for line in &event.component.properties {
        let word = line.value.to_ascii_uppercase();
        let unknown = match line.name.as_str() {
            "STATUS" => !["CONFIRMED", "TENTATIVE", "CANCELLED"].contains(&word.as_str()),
            "TRANSP" => !["OPAQUE", "TRANSPARENT"].contains(&word.as_str()),
            "SEQUENCE" => line.value.parse::<u32>().is_err(),
            _ => false,
        };
        if unknown {
            let message = format!("{} is {}, which no client knows", line.name, excerpt(line));
            let remedy = "write STATUS:CONFIRMED, TENTATIVE or CANCELLED; TRANSP:OPAQUE or TRANSPARENT; SEQUENCE: a number";
            findings.error(EVERY_CLIENT, "unknown-value", line.number, message, remedy);
        }
        match line.name.as_str() {
            "SUMMARY" | "LOCATION" | "DESCRIPTION" => check_text(line, findings),
            "URL" => check_address(line, findings),
            _ => {}
        }
    }
}

fn check_alarm(alarm: &Component, findings: &mut Findings) {
    let missing: Vec<&str> =
        ["ACTION", "TRIGGER"].into_iter().filter(|name| alarm.property(name).is_none()).collect();
    if !missing.is_empty() {
        let message = format!("this alarm has no {}; Apple drops the event", missing.join(" and no "));
        let remedy = "write ACTION:DISPLAY, DESCRIPTION and TRIGGER:-PT10M";
        findings.error(EVERY_CLIENT, "alarm", alarm.line, message, remedy);
    }
    if let Some(trigger) = alarm.property("TRIGGER")
        && ics::duration(&trigger.value).is_none()
        && ics::date_time(trigger).is_none()
    {
        let message = format!("TRIGGER is {}, which is neither a duration nor a time", excerpt(trigger));
        findings.error(EVERY_CLIENT, "alarm", trigger.number, message, "write it like TRIGGER:-PT10M");
    }
}

/// Reports a TEXT value with a character that must be escaped, or with an unknown escape.
fn check_text(line: &Line, findings: &mut Findings) {
    let mut chars = line.value.chars();
    while let Some(c) = chars.next() {
        let (rule, message, remedy) = match c {
            '\\' => match chars.next() {
                Some('\\' | ';' | ',' | 'n' | 'N') => continue,
                _ => (
                    "bad-escape",
                    format!("{} has a backslash that escapes nothing", line.name),
                    "write \\\\ for a backslash, \\n for a line end, \\, and \\;",
                ),
            },
            ',' | ';' => (
                "unescaped",
                format!("{} has an unescaped {c:?}; some clients cut the text there", line.name),
                "write \\, and \\;",
            ),
            _ => continue,
        };
        findings.warn(EVERY_CLIENT, rule, line.number, message, remedy);
        return;
    }
}

/// Reports a URI that is invalid, or that clients do not open.
fn check_address(line: &Line, findings: &mut Findings) {
    let value = line.value.as_str();
    let sound = url::Url::parse(value).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "webcal"));
    if !sound || value.contains(char::is_whitespace) {
        let message = format!("{} is {}, which is not a web address", line.name, excerpt(line));
        findings.warn(
            EVERY_CLIENT,
            "address",
            line.number,
            message,
            "write an absolute https address, or leave it out",
        );
    } else if let Some(c) = foreign_character(value) {
        let message = format!(
            "{} has the character {c:?}, which no address may have; ICSx5 and DAVx5 drop the calendar",
            line.name
        );
        findings.error(
            CalendarClient::Icsx5,
            "address-character",
            line.number,
            message,
            "percent-encode it (RFC 3986)",
        );
    }
}

/// Reports properties that occur more than once.
fn check_once(component: &Component, names: &[&str], findings: &mut Findings) {
    for name in names {
        if let Some(second) = component.properties(name).nth(1) {
            let message = format!("{name} occurs twice in one {}", component.name);
            findings.error(EVERY_CLIENT, "property-twice", second.number, message, "keep one of them");
        }
    }
}

/// Checks each VTIMEZONE: the offset that its rules give for each time of the feed, compared with the IANA database.
fn check_zones(calendar: &ParsedCalendar<'_>, findings: &mut Findings) {
    for (index, (tzid, zone)) in calendar.zones.iter().enumerate() {
        if calendar.zones.iter().take(index).any(|(other, _)| other == tzid) {
            let message = format!("the zone {tzid:?} is defined twice");
            findings.warn(
                EVERY_CLIENT,
                "zone-twice",
                zone.line,
                message,
                "write one VTIMEZONE for each TZID",
            );
        }
        for part in &zone.components {
            for name in ["DTSTART", "TZOFFSETFROM", "TZOFFSETTO"] {
                let line = part.property(name);
                let sound = match name {
                    "DTSTART" => line.and_then(ics::date_time).is_some(),
                    _ => line.and_then(|line| ics::offset(&line.value)).is_some(),
                };
                if !sound {
                    let at = line.map_or(part.line, |line| line.number);
                    let message = format!("{name} is missing or malformed in this part of the zone");
                    let remedy = "write DTSTART as civil time, and both offsets as in -0800";
                    findings.error(EVERY_CLIENT, "zone-part", at, message, remedy);
                }
            }
        }
    }
    let mut reported: Vec<String> = Vec::new();
    for (line, tzid) in calendar.zoned() {
        let (Some(zone), Ok(known)) = (calendar.zone(&tzid), Zone::parse(&tzid)) else { continue };
        let Some(Moment::Zoned(civil, _)) = ics::date_time(line) else { continue };
        match known.instant(civil) {
            Civil::Once(at) => {
                let by_rules = ZoneRules::of(zone).offset(civil);
                if by_rules.is_some_and(|by_rules| by_rules != known.offset(at)) && !reported.contains(&tzid)
                {
                    let message = format!(
                        "the feed's VTIMEZONE gives {tzid} the offset {} at {civil}; the correct offset is {}",
                        offset_text(by_rules.unwrap_or_default()),
                        offset_text(known.offset(at)),
                    );
                    let remedy = "correct the rules of the VTIMEZONE, which Outlook uses";
                    findings.error(EVERY_CLIENT, "zone-offset", line.number, message, remedy);
                    reported.push(tzid);
                }
            }
            Civil::Twice(..) => {
                let message =
                    format!("{civil} occurs twice in {tzid}, and clients disagree about which is meant");
                findings.warn(EVERY_CLIENT, "time-twice", line.number, message, "write it in UTC");
            }
            Civil::Skipped(..) => {
                let message = format!("{civil} does not exist in {tzid}: the clock skips it");
                findings.error(
                    EVERY_CLIENT,
                    "time-skipped",
                    line.number,
                    message,
                    "write a time that exists",
                );
            }
        }
    }
}

/// Prints an offset as `-0800`.
fn offset_text(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
}

/// The start of a value, in quotation marks.
fn excerpt(line: &Line) -> String {
    let short: String = line.value.chars().take(60).collect();
    format!("{short:?}")
}
