//! Any bytes as a calendar: read, linted and converted to jCal. Printed findings cannot control a terminal.

use callboard::doctor::{self, CalendarClient};
use callboard::export::jcal;
use callboard::ics;
use serde_json::Value;

pub(super) fn run(bytes: &[u8]) {
    let reading = ics::read(bytes);
    for calendar in reading.calendars() {
        for line in &calendar.properties {
            let _ = (line.text(), line.texts(), ics::date_time(line), ics::duration(&line.value));
        }
        for zone in calendar.all("VTIMEZONE") {
            let rules = ics::ZoneRules::of(zone);
            let _ = rules.offset("2025-03-30T02:30:00".parse().unwrap());
        }
    }
    if let Ok(json) = jcal(bytes) {
        serde_json::from_slice::<Value>(&json).unwrap();
    }
    lint(bytes);
}

/// Both reports of the doctor, and the view of each client.
pub(super) fn lint(bytes: &[u8]) {
    let findings = doctor::lint(bytes);
    let page = doctor::render("x\u{1b}.ics", &findings, false);
    assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{page:?}");
    let _ = doctor::to_json(&findings).to_string();
    for client in [CalendarClient::Google, CalendarClient::Giggity, CalendarClient::Apple] {
        doctor::visible_sessions(client, bytes);
    }
}
