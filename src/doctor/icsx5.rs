//! ICSx5 and DAVx5: update an event only if LAST-MODIFIED rose.

use super::calendar::Calendar;
use super::finding::{Client, Findings};

pub(super) fn examine(calendar: &Calendar<'_>, findings: &mut Findings) {
    for event in &calendar.events {
        if event.component.property("LAST-MODIFIED").is_none() {
            let message =
                "this event has no LAST-MODIFIED; ICSx5 writes it anew with every fetch, reminders included";
            let remedy = "write LAST-MODIFIED: when the event was last changed, in UTC";
            findings.warn(Client::Icsx5, "last-modified-missing", event.component.line, message, remedy);
        }
        if event.component.property("SEQUENCE").is_none() {
            let message = "this event has no SEQUENCE, so an update looks as old as the event";
            findings.warn(
                Client::Icsx5,
                "sequence-missing",
                event.component.line,
                message,
                "write SEQUENCE:0 and count up",
            );
        }
    }
}
