//! vdirsyncer and khal: no conditional requests; an item is its bytes, so any change is a delete and a create.

use super::calendar::Calendar;
use super::finding::{Client, Findings};
use crate::ics::{self, Moment};

const CLIENT: Client = Client::Vdirsyncer;

pub(super) fn examine(calendar: &Calendar<'_>, findings: &mut Findings) {
    for event in &calendar.events {
        let stamp = |name| match event.component.property(name).and_then(ics::date_time) {
            Some(Moment::Utc(at)) => Some(at),
            _ => None,
        };
        if let (Some(written), Some(modified)) = (stamp("DTSTAMP"), stamp("LAST-MODIFIED"))
            && written > modified
        {
            let message = "DTSTAMP is newer than LAST-MODIFIED: it seems to be the time of writing, which rewrites every event at each fetch";
            let remedy = "write DTSTAMP equal to LAST-MODIFIED";
            findings.warn(CLIENT, "dtstamp-moves", event.line("DTSTAMP"), message, remedy);
        }
        if event.uid.contains(|c: char| c == '/' || c.is_whitespace()) {
            let message = "the UID holds a slash or a space, and it names a file";
            findings.warn(
                CLIENT,
                "uid-form",
                event.line("UID"),
                message,
                "write letters, digits, - . _ and @",
            );
        }
    }
}
