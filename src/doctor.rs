//! The feed doctor: finds problems in a feed, and names the calendar clients that they affect.
//!
//! `standard` has the rules for every client (RFC 5545), `clients` the rules for single clients, and `frab` the rules
//! for XML schedules, which EventFahrplan and Giggity read. Changes no feed and knows no HTTP. Invariant: our own feeds
//! have no findings.

mod calendar;
mod clients;
mod finding;
mod frab;
mod gate;
mod standard;

pub use finding::{CalendarClient, Finding, render, to_json};
pub use gate::{FeedFinding, ParseBackError, inspect};

use crate::ics::Reading;
use calendar::ParsedCalendar;
use finding::Findings;

/// The findings in a file, by line. A file that starts with `<` is a frab schedule, any other iCalendar.
pub fn lint(bytes: &[u8]) -> Vec<Finding> {
    let mut findings = Findings::default();
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if start.trim_ascii_start().starts_with(b"<") {
        frab::check(bytes, &mut findings);
        return findings.into_list();
    }
    clients::check_size(bytes, &mut findings);
    check(bytes, &crate::ics::read(bytes), &mut findings);
    findings.into_list()
}

/// Applies all rules for iCalendar except the rule about the size.
fn check(bytes: &[u8], reading: &Reading, findings: &mut Findings) {
    standard::check_file(bytes, reading, findings);
    clients::check_empty(bytes, findings);
    for component in reading.calendars() {
        let calendar = ParsedCalendar::of(component);
        standard::check(&calendar, findings);
        clients::check(&calendar, findings);
    }
}

/// The UIDs of the sessions that a client would show, or the guids for a frab schedule, in the order of the file.
pub fn visible_sessions(client: CalendarClient, bytes: &[u8]) -> Vec<String> {
    if bytes.trim_ascii_start().starts_with(b"<") {
        return frab::visible_guids(bytes);
    }
    let reading = crate::ics::read(bytes);
    let mut uids = Vec::new();
    for component in reading.calendars() {
        let events = ParsedCalendar::of(component).events.into_iter();
        let visible = events.filter(|event| event.start.is_some() && clients::shows(client, event));
        uids.extend(visible.map(|event| event.uid));
    }
    uids
}
