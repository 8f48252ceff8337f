//! Values of foreign JSON and XML: members as text, times, days and durations.

use super::foreign::ForeignTime;
use crate::ics;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use serde_json::{Map, Value};

/// A JSON object.
pub(super) type JsonObject = Map<String, Value>;

/// A member as text of one line. A translated member is an object by language; its different texts are joined.
pub(super) fn member(object: &JsonObject, name: &str) -> String {
    joined(object.get(name), " / ")
}

/// A member as paragraphs. The texts of a translated member follow each other.
pub(super) fn paragraphs_of(object: &JsonObject, name: &str) -> String {
    joined(object.get(name), "\n\n")
}

fn joined(value: Option<&Value>, separator: &str) -> String {
    match value {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Object(languages)) => {
            let mut texts: Vec<&str> = Vec::new();
            for text in languages.values().filter_map(Value::as_str).map(str::trim) {
                if !text.is_empty() && !texts.contains(&text) {
                    texts.push(text);
                }
            }
            texts.join(separator)
        }
        _ => String::new(),
    }
}

/// A member's name: the member is a text, a translated text, or an object with a `name`.
pub(super) fn name_of(object: &JsonObject, name: &str) -> String {
    match object.get(name).and_then(Value::as_object).filter(|inner| inner.contains_key("name")) {
        Some(inner) => member(inner, "name"),
        None => member(object, name),
    }
}

/// The objects of a list member; none if it is no list.
pub(super) fn objects<'v>(object: &'v JsonObject, name: &str) -> impl Iterator<Item = &'v JsonObject> {
    object.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// The names and colours of a list of tracks.
pub(super) fn tracks_of(object: &JsonObject) -> Vec<(String, String)> {
    let colour = |track: &JsonObject| ["color", "colour"].map(|name| member(track, name)).concat();
    objects(object, "tracks").map(|track| (name_of(track, "name"), colour(track))).collect()
}

/// The names and capacities of a list of rooms.
pub(super) fn rooms_of(object: &JsonObject) -> Vec<(String, Option<u32>)> {
    objects(object, "rooms").map(room_of).collect()
}

/// The name of a room, and the number of people that it holds.
pub(super) fn room_of(room: &JsonObject) -> (String, Option<u32>) {
    let capacity = member(room, "capacity").parse().ok().filter(|seats| (1..=1_000_000).contains(seats));
    (name_of(room, "name"), capacity)
}

/// A value as an example in a note.
pub(super) fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a value says anything.
pub(super) fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => items.iter().any(is_filled),
        Value::Object(members) => members.values().any(is_filled),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// The members that are filled and not among those that a reader knows, with their values.
pub(super) fn unread<'v>(object: &'v JsonObject, known: &[&str]) -> impl Iterator<Item = (&'v str, String)> {
    let is_unread = |name: &str, value: &Value| is_filled(value) && !known.contains(&name);
    let names: Vec<_> = object.iter().filter(|(name, value)| is_unread(name, value)).collect();
    names.into_iter().map(|(name, value)| (name.as_str(), shown(value)))
}

/// A time with an offset, or a civil time.
pub(super) fn moment(raw: &str) -> Option<ForeignTime> {
    let raw = raw.trim();
    let instant = DateTime::parse_from_rfc3339(raw)
        .or_else(|_| DateTime::parse_from_str(raw, "%Y-%m-%dT%H:%M:%S%z"))
        .or_else(|_| DateTime::parse_from_str(raw, "%Y-%m-%dT%H:%M%:z"));
    instant.ok().map(|at| ForeignTime::Instant(at.to_utc())).or_else(|| naive(raw).map(ForeignTime::Civil))
}

pub(super) fn naive(raw: &str) -> Option<NaiveDateTime> {
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
    forms.into_iter().find_map(|form| NaiveDateTime::parse_from_str(raw.trim(), form).ok())
}

/// Hours and minutes of `9:00`, `09:00` or `09:00:00`. Hours above 23 belong to the next day.
pub(super) fn clock(raw: &str) -> Option<(i64, i64)> {
    let mut parts = raw.trim().split(':').map(|part| part.trim().parse::<i64>().ok());
    let (hours, minutes) = (parts.next()??, parts.next()??);
    ((0..48).contains(&hours) && (0..60).contains(&minutes)).then_some((hours, minutes))
}

/// A day of a schedule, which may go on after midnight.
#[derive(Debug, Default, Clone)]
pub(super) struct DayFrame {
    pub(super) date: Option<NaiveDate>,
    start: Option<NaiveDateTime>,
    end: Option<NaiveDateTime>,
    /// The time at which a day of the schedule ends and the next starts.
    change: Option<NaiveTime>,
}

impl DayFrame {
    pub(super) fn of(date: &str, start: &str, end: &str, change: &str) -> Self {
        let civil = |raw: &str| {
            DateTime::parse_from_rfc3339(raw).ok().map(|at| at.naive_local()).or_else(|| naive(raw))
        };
        let (hours, minutes) = clock(change).unwrap_or_default();
        let change = u32::try_from(hours).ok().zip(u32::try_from(minutes).ok());
        Self {
            date: date.get(..10).and_then(|date| NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()),
            start: civil(start),
            end: civil(end),
            change: change.and_then(|(hours, minutes)| NaiveTime::from_hms_opt(hours, minutes, 0)),
        }
    }

    /// The time in the calendar of a time on this day: before the day's own start, it is the next morning.
    pub(super) fn calendar_time(&self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        let next = civil.checked_add_signed(TimeDelta::days(1))?;
        let is_next = match (self.start, self.change) {
            (Some(start), _) => civil < start && self.end.is_none_or(|end| next <= end),
            (None, Some(change)) => Some(civil.date()) == self.date && civil.time() < change,
            (None, None) => false,
        };
        Some(if is_next { next } else { civil })
    }
}

/// A duration: `00:45`, `00:45:00`, `PT45M`, or with days `1:26:00`.
///
/// Three numbers are hours, minutes and seconds, as c3voc's schema and most tools have it. Pentabarf writes days, hours and
/// minutes, which is meant where the other reading is impossible or would have seconds.
pub(super) fn length(raw: &str) -> Option<TimeDelta> {
    let raw = raw.trim();
    if raw.starts_with(['P', 'p']) {
        return ics::duration(&raw.to_ascii_uppercase());
    }
    let parts: Vec<i64> = raw.split(':').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    let minutes = |days: i64, hours: i64, minutes: i64| {
        let hours = days.checked_mul(24)?.checked_add(hours)?;
        TimeDelta::try_minutes(hours.checked_mul(60)?.checked_add(minutes)?)
    };
    match *parts.as_slice() {
        [hours, mins] => minutes(0, hours, mins),
        [hours, mins, 0] if mins < 60 && hours < 24 => minutes(0, hours, mins),
        [days, hours, mins] if hours < 24 && mins < 60 => minutes(days, hours, mins),
        [hours, mins, 0] if mins < 60 => minutes(0, hours, mins),
        _ => None,
    }
}

/// The texts of a list: its strings, and the names of its objects.
pub(super) fn strings<'a>(object: &'a JsonObject, name: &str) -> impl Iterator<Item = String> + 'a {
    let items = object.get(name).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| match item {
        Value::String(text) => Some(text.clone()),
        Value::Object(found) => {
            let names = ["tag", "name"].map(|name| member(found, name));
            names.into_iter().find(|text| !text.is_empty())
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_every_form() {
        for (raw, minutes) in [
            ("00:45", Some(45)),
            ("1:30", Some(90)),
            ("00:45:00", Some(45)),
            ("01:30:00", Some(90)),
            ("1:26:00", Some(86)),
            ("1:02:30", Some(24 * 60 + 150)),
            ("PT1H30M", Some(90)),
            ("P1DT2H", Some(26 * 60)),
            ("30:00", Some(30 * 60)),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(length(raw).map(|length| length.num_minutes()), minutes, "{raw}");
        }
    }

    #[test]
    fn a_time_before_the_start_of_the_day_is_the_next_morning() {
        let civil = |text: &str| text.parse::<NaiveDateTime>().unwrap();
        let by_frame =
            DayFrame::of("2026-05-01", "2026-05-01T10:00:00+02:00", "2026-05-02T04:00:00+02:00", "");
        let by_change = DayFrame::of("2026-05-01", "", "", "04:00:00");
        for frame in [by_frame, by_change] {
            assert_eq!(frame.calendar_time(civil("2026-05-01T00:30:00")), Some(civil("2026-05-02T00:30:00")));
            assert_eq!(frame.calendar_time(civil("2026-05-01T10:30:00")), Some(civil("2026-05-01T10:30:00")));
        }
    }
}
