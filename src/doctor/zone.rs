//! VTIMEZONE, executed: the offset that its rules give at each time of the feed, against the IANA database.

use super::calendar::Calendar;
use super::finding::{Client, Findings};
use crate::ics::{self, Moment, ZoneRules};
use crate::program::{Civil, Zone};

pub(super) fn examine(calendar: &Calendar<'_>, findings: &mut Findings) {
    let every = Client::Every;
    for (index, (tzid, zone)) in calendar.zones.iter().enumerate() {
        if calendar.zones.iter().take(index).any(|(other, _)| other == tzid) {
            let message = format!("the zone {tzid:?} is defined twice");
            findings.warn(every, "zone-twice", zone.line, message, "write one VTIMEZONE for each TZID");
        }
        for part in &zone.components {
            for name in ["DTSTART", "TZOFFSETFROM", "TZOFFSETTO"] {
                let line = part.property(name);
                let sound = match name {
                    "DTSTART" => line.and_then(ics::date_time).is_some(),
                    _ => line.and_then(|line| ics::offset(&line.value)).is_some(),
                };
                if !sound {
                    let at = line.map_or(part.line, |line| line.number);
                    let message = format!("{name} is missing or has not its form in this part of the zone");
                    let remedy = "write DTSTART as civil time, and both offsets as in -0800";
                    findings.error(every, "zone-part", at, message, remedy);
                }
            }
        }
    }
    let mut wrong: Vec<&str> = Vec::new();
    for (line, tzid) in calendar.zoned() {
        let (Some(zone), Ok(known)) = (calendar.zone(tzid), Zone::parse(tzid)) else { continue };
        let Some(Moment::Zoned(civil, _)) = ics::date_time(line) else { continue };
        match known.instant(civil) {
            Civil::Once(at) => {
                let told = ZoneRules::of(zone).offset(civil);
                if told.is_some_and(|told| told != known.offset(at)) && !wrong.contains(&tzid) {
                    wrong.push(tzid);
                    let message = format!(
                        "by the feed's VTIMEZONE, {tzid} is {} at {civil}, and it is {}",
                        hours(told.unwrap_or_default()),
                        hours(known.offset(at)),
                    );
                    let remedy = "correct the rules of the VTIMEZONE; Outlook goes by them";
                    findings.error(every, "zone-offset", line.number, message, remedy);
                }
            }
            Civil::Twice(..) => {
                let message = format!("{civil} comes twice in {tzid}, and clients differ on which is meant");
                findings.warn(every, "time-twice", line.number, message, "write it in UTC");
            }
            Civil::Skipped(..) => {
                let message = format!("{civil} does not exist in {tzid}: the clock skips it");
                findings.error(every, "time-skipped", line.number, message, "write a time that exists");
            }
        }
    }
}

fn hours(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
}
