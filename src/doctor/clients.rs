//! The rules for single calendar clients, where they differ from the standard.

use super::finding::{CalendarClient, Findings};
use super::{ParsedCalendar, ParsedEvent, is_iana};
use crate::feed::GOOGLE_MAX_BYTES;
use crate::ics::{self, Component, Line, Moment};
use crate::program::Severity;
use CalendarClient::{Apple, Giggity, Google, Icsx5, Outlook, Thunderbird, Vdirsyncer};

/// A limitation of one client, and the check that finds feeds affected by it.
struct Rule {
    client: CalendarClient,
    name: &'static str,
    severity: Severity,
    remedy: &'static str,
    check: fn(&ParsedCalendar<'_>) -> Vec<Violation>,
}

/// The line that breaks a rule, and what the client does with it.
type Violation = (usize, String);

const fn error(
    client: CalendarClient,
    name: &'static str,
    remedy: &'static str,
    check: fn(&ParsedCalendar<'_>) -> Vec<Violation>,
) -> Rule {
    Rule { client, name, severity: Severity::Error, remedy, check }
}

const fn warning(
    client: CalendarClient,
    name: &'static str,
    remedy: &'static str,
    check: fn(&ParsedCalendar<'_>) -> Vec<Violation>,
) -> Rule {
    Rule { client, name, severity: Severity::Warning, remedy, check }
}

const RULES: &[Rule] = &[
    error(Google, "floating", "write ;TZID=Area/Location before the colon", |calendar| {
        let times =
            calendar.events.iter().flat_map(|event| ["DTSTART", "DTEND"].map(|name| event.property(name)));
        let floating =
            times.flatten().filter(|line| matches!(ics::date_time(line), Some(Moment::Floating(_))));
        floating
            .map(|line| (line.number, format!("{} has no zone; Google reads it as UTC", line.name)))
            .collect()
    }),
    warning(Google, "wr-timezone", "write a zone such as America/Los_Angeles", |calendar| {
        let unknown = calendar.component.property("X-WR-TIMEZONE").filter(|line| !is_iana(&line.value));
        at_lines(unknown, "X-WR-TIMEZONE is not an IANA zone, and Google uses UTC")
    }),
    error(Apple, "zone-name", "write Area/Location, or UTC with a Z", |calendar| {
        violating_zones(
            calendar,
            |tzid| !is_iana(tzid),
            |tzid| format!("the zone {tzid:?} is not in the IANA database; Apple shows the wrong hour"),
        )
    }),
    warning(Apple, "calendar-name", "write X-WR-CALNAME beside NAME", |calendar| {
        let name = calendar.component.property("X-WR-CALNAME").filter(|line| !line.value.trim().is_empty());
        let message = "X-WR-CALNAME is missing, so the calendar is named after its address";
        if name.is_some() { Vec::new() } else { vec![(calendar.component.line, message.to_owned())] }
    }),
    warning(Apple, "apple-color", "write it like #0B6E8F", |calendar| {
        let is_hex = |line: &Line| {
            let hex = line.value.strip_prefix('#').unwrap_or_default();
            matches!(hex.len(), 6 | 8) && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let wrong = calendar.component.property("X-APPLE-CALENDAR-COLOR").filter(|line| !is_hex(line));
        at_lines(wrong, "X-APPLE-CALENDAR-COLOR is not #RRGGBB and is ignored")
    }),
    error(Outlook, "method", "leave METHOD out", |calendar| {
        let method = calendar.component.property("METHOD");
        let request = method.filter(|line| !line.value.eq_ignore_ascii_case("PUBLISH"));
        at_lines(request, "METHOD turns the feed into a meeting request, and Outlook refuses to subscribe")
    }),
    warning(Outlook, "published-ttl", "write X-PUBLISHED-TTL:PT1H", |calendar| {
        let interval = calendar.component.property("X-PUBLISHED-TTL");
        let wrong = interval.filter(|line| ics::duration(&line.value).is_none());
        at_lines(wrong, "X-PUBLISHED-TTL is not a duration, and Outlook chooses its own interval")
    }),
    error(Outlook, "vtimezone-missing", "write a VTIMEZONE with that TZID, with yearly rules", |calendar| {
        violating_zones(
            calendar,
            |tzid| calendar.zone(tzid).is_none(),
            |tzid| format!("the feed has no VTIMEZONE for {tzid:?}; Outlook shifts times or shows nothing"),
        )
    }),
    error(Outlook, "standard-missing", "write STANDARD and DAYLIGHT parts", |calendar| {
        let without = calendar.zones.iter().filter(|(_, zone)| zone.all("STANDARD").next().is_none());
        let message = "this VTIMEZONE has no STANDARD part, and Outlook refuses it";
        without.map(|(_, zone)| (zone.line, message.to_owned())).collect()
    }),
    error(Outlook, "zone-rdate", "write yearly rules, or a part per change", |calendar| {
        let dated = zone_parts(calendar).filter_map(|part| part.property("RDATE"));
        at_lines(dated, "Outlook ignores RDATE, so the offset never changes")
    }),
    error(Outlook, "zone-rule", "write RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", |calendar| {
        let is_yearly = |line: &Line| {
            let has = |word: &&str| line.value.contains(word);
            ["FREQ=YEARLY", "BYMONTH=", "BYDAY="].iter().all(has) && !line.value.contains("BYMONTHDAY")
        };
        let rules = zone_parts(calendar).filter_map(|part| part.property("RRULE"));
        let others = rules.filter(|line| !is_yearly(line));
        at_lines(others, "Outlook reads only yearly rules with BYMONTH and BYDAY in a zone")
    }),
    warning(Outlook, "meeting", "leave it out and name people in the text", |calendar| {
        let people = calendar
            .events
            .iter()
            .flat_map(|event| ["ORGANIZER", "ATTENDEE"].map(|name| event.property(name)));
        let message = "turns this event into a meeting; Outlook asks people to answer";
        people.flatten().map(|line| (line.number, format!("{} {message}", line.name))).collect()
    }),
    warning(Outlook, "class", "write CLASS:PUBLIC", |calendar| {
        violating_events(
            calendar,
            "CLASS",
            "Outlook hides the details of an event that is not public",
            |event| {
                let class = event.value("CLASS");
                !class.is_empty() && !class.eq_ignore_ascii_case("PUBLIC")
            },
        )
    }),
    warning(
        Icsx5,
        "last-modified-missing",
        "write LAST-MODIFIED: when the event was last changed, in UTC",
        |calendar| {
            let message =
                "this event has no LAST-MODIFIED; ICSx5 rewrites it at every fetch, with its reminders";
            violating_events(calendar, "LAST-MODIFIED", message, |event| {
                event.property("LAST-MODIFIED").is_none()
            })
        },
    ),
    warning(Icsx5, "sequence-missing", "write SEQUENCE:0 and count up", |calendar| {
        let message = "this event has no SEQUENCE, so an update looks as old as the first version";
        violating_events(calendar, "SEQUENCE", message, |event| event.property("SEQUENCE").is_none())
    }),
    error(Giggity, "location-missing", "write the room, else the track or the venue", |calendar| {
        let message = "this event has no LOCATION, and Giggity drops it";
        violating_events(calendar, "LOCATION", message, |event| !shows(Giggity, event))
    }),
    error(Giggity, "giggity-zone", "write Area/Location, or UTC with a Z", |calendar| {
        violating_zones(
            calendar,
            |tzid| !is_iana(tzid),
            |tzid| format!("Giggity does not know the zone {tzid:?} and stops reading"),
        )
    }),
    // vdirsyncer sends no conditional requests, and treats every changed byte as a new event.
    warning(Vdirsyncer, "dtstamp-moves", "write DTSTAMP equal to LAST-MODIFIED", |calendar| {
        let message = "DTSTAMP is newer than LAST-MODIFIED: it seems to be the time of writing, so every fetch rewrites every event";
        violating_events(calendar, "DTSTAMP", message, |event| {
            let stamp = |name| match event.property(name).and_then(ics::date_time) {
                Some(Moment::Utc(at)) => Some(at),
                _ => None,
            };
            stamp("DTSTAMP").zip(stamp("LAST-MODIFIED")).is_some_and(|(stamp, modified)| stamp > modified)
        })
    }),
    warning(Vdirsyncer, "uid-form", "write letters, digits, - . _ and @", |calendar| {
        violating_events(calendar, "UID", "the UID contains a slash or a space, but names a file", |event| {
            event.uid.contains(|c: char| c == '/' || c.is_whitespace())
        })
    }),
];

/// Checks a calendar by the rules of every client.
pub(super) fn check(calendar: &ParsedCalendar<'_>, findings: &mut Findings) {
    for rule in RULES {
        for (line, message) in (rule.check)(calendar) {
            findings.add(rule.severity, rule.client, rule.name, line, message, rule.remedy);
        }
    }
}

/// Thunderbird deletes a calendar when its feed is empty.
pub(super) fn check_empty(bytes: &[u8], findings: &mut Findings) {
    if bytes.trim_ascii().is_empty() {
        let message = "the feed is empty; Thunderbird deletes every event that it had";
        findings.error(Thunderbird, "empty", 0, message, "answer with a VCALENDAR, even without events");
    }
}

/// Google reads only feeds of up to a megabyte.
pub(super) fn check_size(bytes: &[u8], findings: &mut Findings) {
    if bytes.len() > GOOGLE_MAX_BYTES {
        let message = format!("the feed has {} bytes, and Google reads about a million", bytes.len());
        findings.error(Google, "google-size", 0, message, "offer feeds per track or day, or shorten texts");
    }
}

/// Whether a client shows an event that it can read.
pub(super) fn shows(client: CalendarClient, event: &ParsedEvent<'_>) -> bool {
    match client {
        Google => !event.is_cancelled(),
        Giggity => !event.value("LOCATION").is_empty(),
        _ => true,
    }
}

/// One violation for each line, all with the same message.
fn at_lines<'a>(lines: impl IntoIterator<Item = &'a Line>, message: &str) -> Vec<Violation> {
    lines.into_iter().map(|line| (line.number, message.to_owned())).collect()
}

/// A violation for each event that breaks a rule, at the line of a property.
fn violating_events(
    calendar: &ParsedCalendar<'_>,
    property: &str,
    message: &str,
    is_broken: impl Fn(&ParsedEvent<'_>) -> bool,
) -> Vec<Violation> {
    let broken = calendar.events.iter().filter(|event| is_broken(event));
    broken.map(|event| (event.line(property), message.to_owned())).collect()
}

/// A violation for each zone that breaks a rule, at the first use of the zone.
fn violating_zones(
    calendar: &ParsedCalendar<'_>,
    is_broken: impl Fn(&str) -> bool,
    message: impl Fn(&str) -> String,
) -> Vec<Violation> {
    let mut seen: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for (line, tzid) in calendar.zoned() {
        if is_broken(&tzid) && !seen.contains(&tzid) {
            found.push((line.number, message(&tzid)));
            seen.push(tzid);
        }
    }
    found
}

fn zone_parts<'a>(calendar: &ParsedCalendar<'a>) -> impl Iterator<Item = &'a Component> {
    calendar.zones.iter().flat_map(|(_, zone)| &zone.components)
}
