//! Reads the times at which somebody is busy from a calendar file.
//!
//! Only times are read: titles, places and people of a private calendar stay out of the agenda.

use super::read::{ExchangeError, MAX_BYTES, MAX_ENTRIES, instant};
use crate::agenda::Busy;
use crate::ics::{self, Component};
use crate::program::Conference;
use chrono::{DateTime, Utc};

/// The busy times of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BusyFile {
    /// The times, sorted, with overlapping ones joined.
    pub times: Vec<Busy>,
    /// The number of events during the conference that were not read: events that repeat or last whole days.
    pub skipped: usize,
}

/// Reads the events of a calendar between two instants.
///
/// Ignored are sessions of this conference, cancelled events, and events that their calendar shows as free
/// (TRANSP, RFC 5545, 3.8.2.7). Repetitions are not computed.
///
/// # Errors
/// [`ExchangeError`] if the file is too long or not a calendar.
pub fn busy_from_file(
    bytes: &[u8],
    conference: &Conference,
    span: (DateTime<Utc>, DateTime<Utc>),
) -> Result<BusyFile, ExchangeError> {
    if bytes.len() > MAX_BYTES {
        return Err(ExchangeError::TooLarge);
    }
    let reading = ics::read(bytes);
    let mut calendars = reading.calendars().peekable();
    calendars.peek().ok_or(ExchangeError::NoCalendar)?;
    let events: Vec<&Component> = calendars.flat_map(|calendar| calendar.all("VEVENT")).collect();
    if events.len() > MAX_ENTRIES {
        return Err(ExchangeError::TooMany(events.len()));
    }
    let own = format!("@{}", conference.uid_domain);
    let is_free = |event: &Component| {
        event.text("TRANSP").eq_ignore_ascii_case("TRANSPARENT")
            || event.text("STATUS").eq_ignore_ascii_case("CANCELLED")
            || event.text("UID").ends_with(&own)
    };
    let mut file = BusyFile::default();
    for event in events.into_iter().filter(|event| !is_free(event)) {
        match times(event, conference) {
            Times::Once(start, end) if start < span.1 && span.0 < end => {
                let (start, end) = (start.max(span.0), end.min(span.1));
                file.times.push(Busy { start, end, label: String::new() });
            }
            Times::Once(..) => {}
            Times::WholeDays(start) if start >= span.1 => {}
            Times::WholeDays(_) | Times::Repeated => file.skipped += 1,
        }
    }
    file.times = joined(file.times);
    Ok(file)
}

enum Times {
    Once(DateTime<Utc>, DateTime<Utc>),
    WholeDays(DateTime<Utc>),
    Repeated,
}

fn times(event: &Component, conference: &Conference) -> Times {
    let moment = |name| event.property(name).and_then(ics::date_time);
    let at = |moment: &ics::Moment| instant(moment, conference.zone);
    if event.property("RRULE").is_some() || event.property("RDATE").is_some() {
        return Times::Repeated;
    }
    let Some(begins) = moment("DTSTART") else { return Times::Repeated };
    let Some(start) = at(&begins) else {
        return Times::WholeDays(begins.civil().and_utc());
    };
    let lasts = || event.property("DURATION").and_then(|line| ics::duration(&line.value));
    let end = moment("DTEND").as_ref().and_then(at).or_else(|| start.checked_add_signed(lasts()?));
    Times::Once(start, end.unwrap_or(start))
}

/// Joins times that overlap or touch.
fn joined(mut times: Vec<Busy>) -> Vec<Busy> {
    times.retain(|busy| busy.start < busy.end);
    times.sort();
    let mut joined: Vec<Busy> = Vec::new();
    for busy in times {
        match joined.last_mut().filter(|last| busy.start <= last.end) {
            Some(last) => last.end = last.end.max(busy.end),
            None => joined.push(busy),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, at};
    use proptest::prelude::*;

    fn read(events: &[&str]) -> BusyFile {
        let event =
            |lines: &&str| format!("BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n", lines.replace('\n', "\r\n"));
        let events: String = events.iter().map(event).collect();
        let file = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n");
        let span = (at("2025-03-25T07:00:00Z"), at("2025-03-27T07:00:00Z"));
        busy_from_file(file.as_bytes(), &fixtures::conference().build(), span).unwrap()
    }

    fn shown(file: &BusyFile) -> Vec<String> {
        file.times
            .iter()
            .map(|busy| format!("{}/{}", busy.start.format("%d %H:%M"), busy.end.format("%H:%M")))
            .collect()
    }

    #[test]
    fn times_are_read_in_their_zones_without_titles() {
        let file = read(&[
            "UID:1\nSUMMARY:Doctor\nDTSTART:20250325T160000Z\nDTEND:20250325T163000Z",
            "UID:2\nDTSTART;TZID=Europe/Berlin:20250325T180000\nDURATION:PT1H",
            "UID:3\nDTSTART:20250325T120000\nDTEND:20250325T123000",
            "UID:4\nDTSTART:20250325T171500Z\nDTEND:20250325T183000Z",
        ]);
        assert_eq!(shown(&file), ["25 16:00/16:30", "25 17:00/18:30", "25 19:00/19:30"]);
        assert!(file.times.iter().all(|busy| busy.label.is_empty()));
    }

    #[test]
    fn what_takes_no_time_is_ignored_and_what_cannot_be_read_is_counted() {
        let file = read(&[
            "UID:1\nTRANSP:TRANSPARENT\nDTSTART:20250325T160000Z\nDTEND:20250325T163000Z",
            "UID:2\nSTATUS:CANCELLED\nDTSTART:20250325T160000Z\nDTEND:20250325T163000Z",
            "UID:keynote@conference.callboard.invalid\nDTSTART:20250325T160000Z\nDTEND:20250325T163000Z",
            "UID:3\nDTSTART:20250401T160000Z\nDTEND:20250401T163000Z",
            "UID:4\nDTSTART;VALUE=DATE:20250325\nDTEND;VALUE=DATE:20250326",
            "UID:5\nRRULE:FREQ=DAILY\nDTSTART:20250301T160000Z\nDTEND:20250301T163000Z",
            "UID:6\nDTSTART:20250324T160000Z\nDTEND:20250325T080000Z",
        ]);
        assert_eq!((shown(&file), file.skipped), (vec!["25 07:00/08:00".to_owned()], 2));
    }

    #[test]
    fn other_files_are_refused() {
        let (conference, day) = (fixtures::conference().build(), at("2025-03-25T07:00:00Z"));
        let read = |bytes: &[u8]| busy_from_file(bytes, &conference, (day, day));
        assert_eq!(read(b"[\"keynote\"]"), Err(ExchangeError::NoCalendar));
        assert_eq!(read(&vec![b'x'; MAX_BYTES + 1]), Err(ExchangeError::TooLarge));
    }

    proptest! {
        #[test]
        fn no_events_panic_and_all_times_are_within_the_span(
            events in prop::collection::vec("(DTSTART|DTEND|DURATION|RRULE|UID)(:|;TZID=Europe/Berlin:)([0-9]{8}T[0-9]{6}Z?|P[0-9]{1,19}D|x)\n(DTSTART:20250325T1[0-9]0000Z\n)?(DTEND:20250326T1[0-9]0000)?", 0..5),
        ) {
            let events: Vec<&str> = events.iter().map(String::as_str).collect();
            let (first, last) = (at("2025-03-25T07:00:00Z"), at("2025-03-27T07:00:00Z"));
            for busy in read(&events).times {
                prop_assert!(first <= busy.start && busy.start < busy.end && busy.end <= last);
            }
        }
    }
}
