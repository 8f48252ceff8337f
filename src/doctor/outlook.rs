//! Outlook and Exchange: need a VTIMEZONE for every TZID, with yearly rules and both offsets; ignore RDATE;
//! take a feed with METHOD, ORGANIZER or ATTENDEE for a meeting.

use super::calendar::Calendar;
use super::finding::{Client, Findings};
use crate::ics;

const CLIENT: Client = Client::Outlook;

pub(super) fn examine(calendar: &Calendar<'_>, findings: &mut Findings) {
    let component = calendar.component;
    if let Some(line) =
        component.property("METHOD").filter(|line| !line.value.eq_ignore_ascii_case("PUBLISH"))
    {
        let message = "METHOD makes a meeting request of the feed, and Outlook refuses to subscribe";
        findings.error(CLIENT, "method", line.number, message, "leave METHOD out");
    }
    if let Some(line) =
        component.property("X-PUBLISHED-TTL").filter(|line| ics::duration(&line.value).is_none())
    {
        let message = "X-PUBLISHED-TTL is no duration, and Outlook polls when it likes";
        findings.warn(CLIENT, "published-ttl", line.number, message, "write X-PUBLISHED-TTL:PT1H");
    }
    let mut told: Vec<&str> = Vec::new();
    for (line, tzid) in calendar.zoned() {
        if calendar.zone(tzid).is_none() && !told.contains(&tzid) {
            told.push(tzid);
            let message =
                format!("the feed has no VTIMEZONE for {tzid:?}; Outlook shifts times or shows nothing");
            let remedy = "write a VTIMEZONE with that TZID, with yearly rules";
            findings.error(CLIENT, "vtimezone-missing", line.number, message, remedy);
        }
    }
    for (_, zone) in &calendar.zones {
        if zone.all("STANDARD").next().is_none() {
            let message = "this VTIMEZONE has no STANDARD part, and Outlook refuses it";
            findings.error(
                CLIENT,
                "standard-missing",
                zone.line,
                message,
                "write STANDARD and DAYLIGHT parts",
            );
        }
        for part in &zone.components {
            if let Some(line) = part.property("RDATE") {
                let message = "Outlook ignores RDATE, and the clock never changes";
                findings.error(
                    CLIENT,
                    "zone-rdate",
                    line.number,
                    message,
                    "write yearly rules, or a part per change",
                );
            }
            if let Some(line) = part.property("RRULE") {
                let form = ["FREQ=YEARLY", "BYMONTH=", "BYDAY="].iter().all(|word| line.value.contains(word));
                if !form || line.value.contains("BYMONTHDAY") {
                    let message = "Outlook reads only yearly rules with BYMONTH and BYDAY in a zone";
                    let remedy = "write RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU";
                    findings.error(CLIENT, "zone-rule", line.number, message, remedy);
                }
            }
        }
    }
    for event in &calendar.events {
        for name in ["ORGANIZER", "ATTENDEE"] {
            if let Some(line) = event.component.property(name) {
                let message = format!("{name} makes a meeting of this event; Outlook asks people to answer");
                findings.warn(
                    CLIENT,
                    "meeting",
                    line.number,
                    message,
                    "leave it out and name people in the text",
                );
            }
        }
        let class = event.value("CLASS");
        if !class.is_empty() && !class.eq_ignore_ascii_case("PUBLIC") {
            let message = "Outlook hides the details of an event that is not public";
            findings.warn(CLIENT, "class", event.line("CLASS"), message, "write CLASS:PUBLIC");
        }
    }
}
