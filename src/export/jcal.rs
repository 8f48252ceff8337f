//! jCal (RFC 7265): converts a feed's iCalendar to JSON, property by property.
//!
//! A file with grammar errors is rejected, so no value is guessed. The type of a value comes from the VALUE parameter
//! or the property (RFC 5545, 8.3.2; RFC 7986). X- properties without VALUE are `unknown` and are not converted (RFC
//! 7265, 5.1).

use crate::ics::{self, Component, GrammarErrorKind, Line, Moment};
use serde_json::{Map, Value, json};

/// Why a file cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JcalError {
    /// The grammar is broken.
    #[error("line {0}: {1}")]
    Grammar(usize, GrammarErrorKind),
    /// The file has no calendar, or several.
    #[error("a jCal has one VCALENDAR, and this file has {0}")]
    NotOne(usize),
    /// A value does not match its type.
    #[error("line {0}: {1} is no {2}")]
    Value(usize, String, &'static str),
}

/// The jCal of an iCalendar file.
///
/// # Errors
/// [`JcalError`], which never occurs for our own feeds.
pub fn jcal(bytes: &[u8]) -> Result<Vec<u8>, JcalError> {
    match by_event(bytes) {
        Some(json) => Ok(json),
        None => whole(bytes),
    }
}

const EVENT: &str = "\r\nBEGIN:VEVENT\r\n";

/// Converts a long feed event by event, since a parsed feed takes ten times its length. None for a short feed, and for
/// a feed with faults: [`whole`] reports the faults with their lines.
fn by_event(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() > SHORT)?;
    let text = text.strip_suffix("END:VCALENDAR\r\n")?;
    let mut starts = memchr::memmem::find_iter(text.as_bytes(), EVENT.as_bytes()).map(|at| at + 2);
    let mut start = starts.next()?;
    let mut json = whole(format!("{}END:VCALENDAR\r\n", text.get(..start)?).as_bytes()).ok()?;
    let mut is_first = json.ends_with(b",[]]");
    json.truncate(json.len().checked_sub(2)?);
    while start < text.len() {
        let end = starts.next().unwrap_or(text.len());
        let event =
            whole(format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", text.get(start..end)?).as_bytes())
                .ok()?;
        if !std::mem::take(&mut is_first) {
            json.push(b',');
        }
        json.extend_from_slice(event.strip_prefix(b"[\"vcalendar\",[],[")?.strip_suffix(b"]]")?);
        start = end;
    }
    json.extend_from_slice(b"]]");
    Some(json)
}

/// The length up to which a feed is converted as a whole.
const SHORT: usize = 256 * 1024;

fn whole(bytes: &[u8]) -> Result<Vec<u8>, JcalError> {
    let reading = ics::read(bytes);
    if let Some(error) = reading.errors.into_iter().find(|error| error.kind.breaks_grammar()) {
        return Err(JcalError::Grammar(error.line, error.kind));
    }
    let [calendar] = reading.components.as_slice() else {
        return Err(JcalError::NotOne(reading.components.len()));
    };
    if calendar.name != "VCALENDAR" {
        return Err(JcalError::NotOne(0));
    }
    Ok(serde_json::to_vec(&component(calendar)?).unwrap_or_default())
}

fn component(parsed: &Component) -> Result<Value, JcalError> {
    let properties: Vec<Value> = parsed.properties.iter().map(property).collect::<Result<_, _>>()?;
    let components: Vec<Value> = parsed.components.iter().map(component).collect::<Result<_, _>>()?;
    Ok(json!([parsed.name.to_ascii_lowercase(), properties, components]))
}

fn property(line: &Line) -> Result<Value, JcalError> {
    let kind = ValueType::of(line);
    let mut parameters = Map::new();
    for parameter in line.parameters.iter().filter(|parameter| parameter.name != "VALUE") {
        let value = match parameter.values.as_slice() {
            [one] => json!(one),
            several => json!(several),
        };
        parameters.insert(parameter.name.to_ascii_lowercase(), value);
    }
    let mut out =
        vec![json!(line.name.to_ascii_lowercase()), Value::Object(parameters), json!(kind.as_str())];
    let wrong = |raw: &str| JcalError::Value(line.number, raw.chars().take(40).collect(), kind.as_str());
    let each = |raw: &str| kind.value(raw).ok_or_else(|| wrong(raw));
    match line.name.as_str() {
        "CATEGORIES" | "RESOURCES" | "EXDATE" | "RDATE" | "FREEBUSY" => {
            out.extend(ics::list(&line.value).into_iter().map(each).collect::<Result<Vec<_>, _>>()?);
        }
        // A structured value is one array (RFC 7265, 3.4.1.3).
        "GEO" | "REQUEST-STATUS" => {
            let parts = line.value.split(';').map(each).collect::<Result<Vec<_>, _>>()?;
            out.push(Value::Array(parts));
        }
        _ => out.push(each(&line.value)?),
    }
    Ok(Value::Array(out))
}

/// A value type of jCal (RFC 7265, 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueType {
    Binary,
    Boolean,
    CalAddress,
    Date,
    DateTime,
    Duration,
    Float,
    Integer,
    Period,
    Recur,
    Text,
    Uri,
    UtcOffset,
    Unknown,
}

impl ValueType {
    /// The type of a property's value: its VALUE parameter, or the default type of the property.
    fn of(line: &Line) -> Self {
        match line.parameter("VALUE") {
            Some(stated) => Self::named(&stated.to_ascii_uppercase()),
            None => Self::default_of(&line.name),
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "BINARY" => Self::Binary,
            "BOOLEAN" => Self::Boolean,
            "CAL-ADDRESS" => Self::CalAddress,
            "DATE" => Self::Date,
            "DATE-TIME" => Self::DateTime,
            "DURATION" => Self::Duration,
            "FLOAT" => Self::Float,
            "INTEGER" => Self::Integer,
            "PERIOD" => Self::Period,
            "RECUR" => Self::Recur,
            "TEXT" => Self::Text,
            "URI" => Self::Uri,
            "UTC-OFFSET" => Self::UtcOffset,
            _ => Self::Unknown,
        }
    }

    fn default_of(property: &str) -> Self {
        match property {
            "DTSTART" | "DTEND" | "DTSTAMP" | "DUE" | "COMPLETED" | "CREATED" | "LAST-MODIFIED"
            | "RECURRENCE-ID" | "EXDATE" | "RDATE" => Self::DateTime,
            "DURATION" | "TRIGGER" | "REFRESH-INTERVAL" => Self::Duration,
            "FREEBUSY" => Self::Period,
            "GEO" => Self::Float,
            "SEQUENCE" | "PRIORITY" | "REPEAT" | "PERCENT-COMPLETE" => Self::Integer,
            "RRULE" | "EXRULE" => Self::Recur,
            "TZOFFSETFROM" | "TZOFFSETTO" => Self::UtcOffset,
            "URL" | "TZURL" | "ATTACH" | "SOURCE" | "IMAGE" | "CONFERENCE" => Self::Uri,
            "ORGANIZER" | "ATTENDEE" => Self::CalAddress,
            "VERSION" | "PRODID" | "CALSCALE" | "METHOD" | "NAME" | "DESCRIPTION" | "SUMMARY"
            | "LOCATION" | "STATUS" | "TRANSP" | "CLASS" | "COMMENT" | "CONTACT" | "RELATED-TO" | "UID"
            | "CATEGORIES" | "RESOURCES" | "REQUEST-STATUS" | "ACTION" | "TZID" | "TZNAME" | "COLOR" => {
                Self::Text
            }
            _ => Self::Unknown,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Boolean => "boolean",
            Self::CalAddress => "cal-address",
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Duration => "duration",
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Period => "period",
            Self::Recur => "recur",
            Self::Text => "text",
            Self::Uri => "uri",
            Self::UtcOffset => "utc-offset",
            Self::Unknown => "unknown",
        }
    }

    /// One value in jCal; none if the value does not match the type.
    fn value(self, raw: &str) -> Option<Value> {
        Some(match self {
            Self::Text => json!(ics::unescape(raw)),
            Self::Binary | Self::CalAddress | Self::Uri | Self::Unknown => json!(raw),
            Self::Boolean => json!(match raw.to_ascii_uppercase().as_str() {
                "TRUE" => true,
                "FALSE" => false,
                _ => return None,
            }),
            Self::Integer => json!(raw.parse::<i64>().ok()?),
            Self::Float => json!(raw.parse::<f64>().ok().filter(|number| number.is_finite())?),
            Self::Duration => {
                ics::duration(raw)?;
                json!(raw)
            }
            Self::Date | Self::DateTime => json!(moment(raw)?),
            Self::Period => {
                let (start, end) = raw.split_once('/')?;
                let end = if ics::duration(end).is_some() { end.to_owned() } else { moment(end)? };
                json!([moment(start)?, end])
            }
            Self::UtcOffset => {
                ics::offset(raw)?;
                let seconds = raw.get(5..7).map(|rest| format!(":{rest}")).unwrap_or_default();
                json!(format!("{}:{}{seconds}", raw.get(..3)?, raw.get(3..5)?))
            }
            Self::Recur => recurrence(raw)?,
        })
    }
}

/// Converts `20250325T090000Z` to `2025-03-25T09:00:00Z`, and `20250325` to `2025-03-25`.
fn moment(raw: &str) -> Option<String> {
    let bare = Line { number: 0, name: String::new(), parameters: Vec::new(), value: raw.to_owned() };
    Some(match ics::date_time(&bare)? {
        Moment::Day(day) => day.to_string(),
        Moment::Utc(at) => at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Moment::Zoned(civil, _) | Moment::Floating(civil) => civil.format("%Y-%m-%dT%H:%M:%S").to_string(),
    })
}

/// A RECUR as an object (RFC 7265, 3.6.10); none if the RECUR is malformed.
fn recurrence(raw: &str) -> Option<Value> {
    let mut rule = Map::new();
    for part in raw.split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let name = name.to_ascii_lowercase();
        let value = match name.as_str() {
            "freq" | "wkst" | "rscale" | "skip" => json!(value),
            "until" => json!(moment(value)?),
            "count" | "interval" => json!(value.parse::<u32>().ok()?),
            "byday" => several(value, |day| Some(json!(day)))?,
            _ => several(value, |number| Some(json!(number.parse::<i32>().ok()?)))?,
        };
        rule.insert(name, value);
    }
    rule.contains_key("freq").then_some(Value::Object(rule))
}

/// One value, or an array if there are several.
fn several(raw: &str, each: impl Fn(&str) -> Option<Value>) -> Option<Value> {
    let mut values: Vec<Value> = raw.split(',').map(each).collect::<Option<_>>()?;
    if values.len() == 1 { values.pop() } else { Some(Value::Array(values)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use proptest::prelude::*;

    fn convert(lines: &str) -> Result<Value, JcalError> {
        let text = format!("BEGIN:VCALENDAR\r\n{lines}END:VCALENDAR\r\n");
        jcal(text.as_bytes()).map(|bytes| serde_json::from_slice(&bytes).unwrap())
    }

    fn properties(lines: &str) -> Value {
        convert(lines).unwrap()[1].clone()
    }

    #[test]
    fn values_are_typed_by_their_property() {
        let lines = "DTSTART;TZID=America/Los_Angeles:20250325T090000\r\nDTSTAMP:20250110T120000Z\r\n\
            SEQUENCE:3\r\nCATEGORIES:Track\\, 1,talk\r\nREFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n\
            RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU;UNTIL=20260101T000000Z\r\nTZOFFSETTO:-0730\r\n\
            X-APPLE-CALENDAR-COLOR:#7A3E9D\r\nGEO:37.5;-122.25\r\nDTEND;VALUE=DATE:20250326\r\nURL:https://a/b\r\n\
            TRIGGER:-PT10M\r\n";
        let expected = json!([
            ["dtstart", {"tzid": "America/Los_Angeles"}, "date-time", "2025-03-25T09:00:00"],
            ["dtstamp", {}, "date-time", "2025-01-10T12:00:00Z"],
            ["sequence", {}, "integer", 3],
            ["categories", {}, "text", "Track, 1", "talk"],
            ["refresh-interval", {}, "duration", "PT1H"],
            ["rrule", {}, "recur", {"freq": "YEARLY", "bymonth": 3, "byday": "2SU", "until": "2026-01-01T00:00:00Z"}],
            ["tzoffsetto", {}, "utc-offset", "-07:30"],
            ["x-apple-calendar-color", {}, "unknown", "#7A3E9D"],
            ["geo", {}, "float", [37.5, -122.25]],
            ["dtend", {}, "date", "2025-03-26"],
            ["url", {}, "uri", "https://a/b"],
            ["trigger", {}, "duration", "-PT10M"],
        ]);
        assert_eq!(properties(lines), expected);
    }

    #[test]
    fn a_broken_file_is_rejected() {
        assert!(matches!(jcal(b""), Err(JcalError::NotOne(0))));
        assert!(matches!(jcal(b"BEGIN:VCALENDAR\nEND:VCALENDAR\n"), Err(JcalError::Grammar(1, _))));
        assert!(matches!(convert("DTSTART:tomorrow\r\n"), Err(JcalError::Value(2, _, "date-time"))));
        assert!(matches!(convert("SEQUENCE:x\r\n"), Err(JcalError::Value(2, _, "integer"))));
    }

    #[test]
    fn every_feed_of_a_release_converts_with_all_its_properties() {
        let release = fixtures::tricky().release();
        for (key, feed) in release.feeds.feeds() {
            let value: Value = serde_json::from_slice(&jcal(&feed.identity).unwrap()).unwrap();
            let reading = ics::read(&feed.identity);
            let calendar = &reading.components[0];
            assert_eq!(value[1].as_array().unwrap().len(), calendar.properties.len(), "{key}");
            assert_eq!(value[2].as_array().unwrap().len(), calendar.components.len(), "{key}");
        }
    }

    #[test]
    fn a_long_feed_converts_event_by_event_to_the_same_json() {
        let release = fixtures::tricky().release();
        let feed = release.feeds.feed(&crate::feed::FeedKey::Program).unwrap();
        let feed = std::str::from_utf8(&feed.identity).unwrap();
        let start = feed.find(EVENT).unwrap() + 2;
        let (head, rest) = feed.split_at(start);
        let events = rest.strip_suffix("END:VCALENDAR\r\n").unwrap();
        for head in [head, "BEGIN:VCALENDAR\r\n", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"] {
            let long = format!("{head}{}END:VCALENDAR\r\n", events.repeat(SHORT / events.len() + 1));
            assert_eq!(by_event(long.as_bytes()).unwrap(), whole(long.as_bytes()).unwrap());
        }
        let broken =
            format!("{head}{}DTSTART:tomorrow\r\nEND:VCALENDAR\r\n", events.repeat(SHORT / events.len() + 1));
        assert!(by_event(broken.as_bytes()).is_none());
        assert!(matches!(jcal(broken.as_bytes()), Err(JcalError::Value(..))));
    }

    proptest! {
        #[test]
        fn any_text_converts_unchanged(text in any::<String>()) {
            let text = crate::program::Text::block(&text).0;
            let escaped: String = text.as_str().chars().map(|c| match c {
                '\\' | ',' | ';' => format!("\\{c}"),
                '\n' => "\\n".to_owned(),
                c => c.to_string(),
            }).collect();
            // The line is folded at every second character, which is allowed.
            let folded = escaped.chars().enumerate().map(|(n, c)| if n % 2 == 1 { format!("{c}\r\n ") } else { c.to_string() });
            let lines = format!("SUMMARY:{}\r\n", folded.collect::<String>());
            prop_assert_eq!(&properties(&lines)[0][3], text.as_str());
        }
    }
}
