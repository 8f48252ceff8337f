//! Google Calendar: fetches without an Accept header, reads floating times as UTC, caps a feed near 1 MB,
//! removes cancelled sessions.

use super::calendar::{Calendar, Event, is_iana};
use super::finding::{Client, Findings};
use crate::ics::{self, Moment};

const CLIENT: Client = Client::Google;

/// Bytes above which imports fail.
const MOST_BYTES: usize = 1_000_000;

pub(super) fn shows(event: &Event<'_>) -> bool {
    !event.is_cancelled()
}

pub(super) fn measure(bytes: &[u8], findings: &mut Findings) {
    if bytes.len() > MOST_BYTES {
        let message = format!("the feed has {} bytes, and Google reads about a million", bytes.len());
        findings.error(CLIENT, "google-size", 0, message, "offer feeds per track or day, or shorten texts");
    }
}

pub(super) fn examine(calendar: &Calendar<'_>, findings: &mut Findings) {
    for event in &calendar.events {
        for name in ["DTSTART", "DTEND"] {
            let line = event.component.property(name);
            let floating = line.is_some_and(|line| matches!(ics::date_time(line), Some(Moment::Floating(_))));
            if floating {
                let message = format!("{name} has no zone; Google reads it as UTC");
                let remedy = "write ;TZID=Area/Location before the colon";
                findings.error(CLIENT, "floating", event.line(name), message, remedy);
            }
        }
    }
    if let Some(line) = calendar.component.property("X-WR-TIMEZONE").filter(|line| !is_iana(&line.value)) {
        let message = "X-WR-TIMEZONE is no IANA zone, and Google takes UTC";
        findings.warn(
            CLIENT,
            "wr-timezone",
            line.number,
            message,
            "write a zone such as America/Los_Angeles",
        );
    }
}
