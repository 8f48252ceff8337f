//! Apple Calendar: knows IANA zones only; takes name and colour from the feed.

use super::calendar::{Calendar, is_iana};
use super::finding::{Client, Findings};

const CLIENT: Client = Client::Apple;

pub(super) fn examine(calendar: &Calendar<'_>, findings: &mut Findings) {
    let mut told: Vec<&str> = Vec::new();
    for (line, tzid) in calendar.zoned() {
        if !is_iana(tzid) && !told.contains(&tzid) {
            told.push(tzid);
            let message =
                format!("the zone {tzid:?} is not in the IANA database; Apple shows the wrong hour");
            findings.error(CLIENT, "zone-name", line.number, message, "write Area/Location, or UTC with a Z");
        }
    }
    let component = calendar.component;
    if component.property("X-WR-CALNAME").is_none_or(|line| line.value.trim().is_empty()) {
        let message = "there is no X-WR-CALNAME, and the calendar gets the name of its address";
        findings.warn(CLIENT, "calendar-name", component.line, message, "write X-WR-CALNAME beside NAME");
    }
    if let Some(line) = component.property("X-APPLE-CALENDAR-COLOR") {
        let hex = line.value.strip_prefix('#').unwrap_or_default();
        if !matches!(hex.len(), 6 | 8) || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message = "X-APPLE-CALENDAR-COLOR is no #RRGGBB and is ignored";
            findings.warn(CLIENT, "apple-color", line.number, message, "write it like #0B6E8F");
        }
    }
}
