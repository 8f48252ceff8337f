//! Giggity: drops events without a LOCATION, needs IANA zones, unfolds only on a space.

use super::calendar::{Calendar, Event, is_iana};
use super::finding::{Client, Findings};

const CLIENT: Client = Client::Giggity;

pub(super) fn shows(event: &Event<'_>) -> bool {
    !event.value("LOCATION").is_empty()
}

pub(super) fn examine(calendar: &Calendar<'_>, findings: &mut Findings) {
    for event in &calendar.events {
        if !shows(event) {
            let message = "this event has no LOCATION, and Giggity drops it";
            let remedy = "write the room, else the track or the venue";
            findings.error(CLIENT, "location-missing", event.line("LOCATION"), message, remedy);
        }
    }
    let mut told: Vec<&str> = Vec::new();
    for (line, tzid) in calendar.zoned() {
        if !is_iana(tzid) && !told.contains(&tzid) {
            told.push(tzid);
            let message = format!("Giggity does not know the zone {tzid:?} and stops reading");
            findings.error(
                CLIENT,
                "giggity-zone",
                line.number,
                message,
                "write Area/Location, or UTC with a Z",
            );
        }
    }
}
