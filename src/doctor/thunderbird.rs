//! Thunderbird: an empty answer wipes the calendar.

use super::finding::{Client, Findings};

pub(super) fn examine(bytes: &[u8], findings: &mut Findings) {
    if bytes.trim_ascii().is_empty() {
        let message = "the feed is empty; Thunderbird deletes every event that it had";
        let remedy = "answer with a VCALENDAR, be it one without events";
        findings.error(Client::Thunderbird, "empty", 0, message, remedy);
    }
}
