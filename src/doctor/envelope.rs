//! VCALENDAR's own properties (RFC 5545, 3.6; RFC 7986).

use super::calendar::Calendar;
use super::finding::{Client, Findings};
use crate::ics::{self, Line};

pub(super) fn examine(calendar: &Calendar<'_>, findings: &mut Findings) {
    let component = calendar.component;
    let every = Client::Every;
    match component.property("VERSION") {
        None => {
            findings.error(every, "version", component.line, "there is no VERSION", "write VERSION:2.0");
        }
        Some(line) if line.value.trim() != "2.0" => {
            let message = format!("VERSION is {}, which no client reads", shown(line));
            findings.error(every, "version", line.number, message, "write VERSION:2.0");
        }
        Some(_) => {}
    }
    if component.property("PRODID").is_none_or(|line| line.value.trim().is_empty()) {
        let remedy = "name the program that writes the feed: PRODID:-//Example//Program//EN";
        findings.warn(every, "prodid", component.line, "there is no PRODID", remedy);
    }
    if let Some(line) =
        component.property("CALSCALE").filter(|line| !line.value.eq_ignore_ascii_case("GREGORIAN"))
    {
        let message = format!("CALSCALE is {}", shown(line));
        findings.error(every, "calscale", line.number, message, "write CALSCALE:GREGORIAN or leave it out");
    }
    for line in &component.properties {
        match line.name.as_str() {
            "COLOR" if line.value.starts_with('#') || line.value.contains(char::is_whitespace) => {
                let message =
                    format!("COLOR is {}, and takes a CSS3 colour name only (RFC 7986, 5.9)", shown(line));
                findings.warn(every, "color", line.number, message, "write a name such as COLOR:teal");
            }
            "REFRESH-INTERVAL" => {
                let typed =
                    line.parameter("VALUE").is_some_and(|value| value.eq_ignore_ascii_case("DURATION"));
                if !typed || ics::duration(&line.value).is_none() {
                    let message = "REFRESH-INTERVAL is no typed duration (RFC 7986, 5.7), and is ignored";
                    let remedy = "write REFRESH-INTERVAL;VALUE=DURATION:PT1H";
                    findings.warn(every, "refresh-interval", line.number, message, remedy);
                }
            }
            "SOURCE" | "URL" => super::event::address(line, findings),
            "NAME" | "X-WR-CALNAME" | "DESCRIPTION" | "X-WR-CALDESC" => super::event::text(line, findings),
            _ => {}
        }
    }
    super::event::once(component, &["VERSION", "PRODID", "CALSCALE", "METHOD"], findings);
}

/// A value as messages show it.
pub(super) fn shown(line: &Line) -> String {
    let short: String = line.value.chars().take(60).collect();
    format!("{short:?}")
}
