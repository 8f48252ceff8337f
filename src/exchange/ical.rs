//! A calendar's events as picks: an agenda's own file, a part of the program, or what another tool wrote.

use super::{ExchangeError, Key, MOST_LINES, Wanted, shortened};
use crate::feed::CANCELLED_PREFIX;
use crate::ics::{self, Component, Moment};
use crate::program::{Civil, Zone};
use chrono::{DateTime, Utc};

/// Every VEVENT of the file. Flaws of its grammar are forgiven: what can be read is read.
pub(super) fn read(bytes: &[u8], zone: Zone) -> Result<Vec<Wanted>, ExchangeError> {
    let reading = ics::read(bytes);
    let mut calendars = reading.calendars().peekable();
    calendars.peek().ok_or(ExchangeError::Unknown)?;
    let events: Vec<&Component> = calendars.flat_map(|calendar| calendar.all("VEVENT")).collect();
    if events.len() > MOST_LINES {
        return Err(ExchangeError::TooMany(events.len()));
    }
    Ok(events.into_iter().map(|event| wanted(event, zone)).collect())
}

fn wanted(event: &Component, zone: Zone) -> Wanted {
    let uid = event.text("UID");
    let title = event.text("SUMMARY");
    let title = title.strip_prefix(CANCELLED_PREFIX).unwrap_or(&title);
    let start = event.property("DTSTART").and_then(ics::date_time).and_then(|start| instant(&start, zone));
    let named = [title, &uid].into_iter().find(|text| !text.trim().is_empty());
    let mut keys = vec![Key::Uid(uid.clone())];
    keys.extend(start.map(|start| Key::Titled(title.to_owned(), start)));
    Wanted { text: shortened(named.unwrap_or("an event without UID and title")), keys }
}

/// The instant of a start; a floating one is the venue's, a day is no time.
fn instant(start: &Moment, venue: Zone) -> Option<DateTime<Utc>> {
    let (civil, zone) = match start {
        Moment::Utc(at) => return Some(*at),
        Moment::Day(_) => return None,
        Moment::Zoned(civil, zone) => (civil, Zone::parse(zone).unwrap_or(venue)),
        Moment::Floating(civil) => (civil, venue),
    };
    match zone.instant(*civil) {
        Civil::Once(at) | Civil::Twice(at, _) | Civil::Skipped(at, _) => Some(at),
    }
}
