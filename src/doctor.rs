//! The feed doctor: models of calendar clients that read a feed and say what would break in which.
//!
//! Each client is a module that looks at the parsed feed as that client does; `grammar`, `envelope`, `event`
//! and `zone` hold what breaks in all of them (RFC 5545). An XML file is read as a frab schedule, by the rules
//! of EventFahrplan and Giggity; the former reads no iCalendar at all. Owns rules, remedies and nothing else: it changes no feed and knows no HTTP.
//! Invariant: a feed of ours has no finding.

mod apple;
mod back;
mod calendar;
mod envelope;
mod event;
mod finding;
mod frab;
mod gate;
mod giggity;
mod google;
mod grammar;
mod icsx5;
mod outlook;
mod print;
mod thunderbird;
mod vdirsyncer;
mod zone;

pub use back::{BackError, parses_back};
pub use finding::{Client, Finding};
pub use gate::{Found, inspect};
pub use print::{render, to_json};

use crate::ics::Reading;
use calendar::Calendar;
use finding::Findings;

/// Everything that would break, by line.
///
/// Bytes that start with `<` are a frab schedule, all others iCalendar.
pub fn lint(bytes: &[u8]) -> Vec<Finding> {
    let mut findings = Findings::default();
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if start.trim_ascii_start().starts_with(b"<") {
        frab::examine(bytes, &mut findings);
        return findings.into_list();
    }
    google::measure(bytes, &mut findings);
    examine(bytes, &crate::ics::read(bytes), &mut findings);
    findings.into_list()
}

/// Every model's look at a file of iCalendar, its size aside.
fn examine(bytes: &[u8], reading: &Reading, findings: &mut Findings) {
    grammar::examine(bytes, reading, findings);
    thunderbird::examine(bytes, findings);
    for component in reading.calendars() {
        let calendar = Calendar::of(component);
        envelope::examine(&calendar, findings);
        event::examine(&calendar, findings);
        zone::examine(&calendar, findings);
        google::examine(&calendar, findings);
        apple::examine(&calendar, findings);
        outlook::examine(&calendar, findings);
        icsx5::examine(&calendar, findings);
        giggity::examine(&calendar, findings);
        vdirsyncer::examine(&calendar, findings);
    }
}

/// The UIDs (of a frab schedule: the guids) of the sessions that a client would show, in the order of the file.
pub fn shown(client: Client, bytes: &[u8]) -> Vec<String> {
    if bytes.trim_ascii_start().starts_with(b"<") {
        return frab::shown(bytes);
    }
    let reading = crate::ics::read(bytes);
    let mut uids = Vec::new();
    for component in reading.calendars() {
        let calendar = Calendar::of(component);
        let events = calendar.events.iter().filter(|event| event.start.is_some());
        let events = events.filter(|event| match client {
            Client::Google => google::shows(event),
            Client::Giggity => giggity::shows(event),
            _ => true,
        });
        uids.extend(events.map(|event| event.uid.clone()));
    }
    uids
}
