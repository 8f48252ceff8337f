//! jCal (RFC 7265): a feed's own iCalendar bytes, property by property, as JSON.
//!
//! The strict reader refuses a file whose grammar is broken, so nothing is guessed. Values are typed by their
//! property (RFC 5545, 8.3.2; RFC 7986) or VALUE parameter; an X- property without one is `unknown` and kept
//! as written (RFC 7265, 5.1).

mod kind;
mod recur;

use crate::ics::{self, Component, FlawKind, Line};
use kind::Kind;
use serde_json::{Map, Value, json};

/// Why a file has no jCal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JcalError {
    /// Its grammar is broken.
    #[error("line {0}: {1}")]
    Grammar(usize, FlawKind),
    /// It holds no calendar, or several.
    #[error("a jCal holds one VCALENDAR, and this file has {0}")]
    NotOne(usize),
    /// A value has not the form of its type.
    #[error("line {0}: {1} is no {2}")]
    Value(usize, String, &'static str),
}

/// The jCal of an iCalendar file.
///
/// # Errors
/// [`JcalError`]; feeds of ours have none.
pub fn jcal(bytes: &[u8]) -> Result<Vec<u8>, JcalError> {
    let reading = ics::read(bytes);
    if let Some(flaw) = reading.flaws.into_iter().find(|flaw| flaw.kind.breaks_grammar()) {
        return Err(JcalError::Grammar(flaw.line, flaw.kind));
    }
    let [calendar] = reading.components.as_slice() else {
        return Err(JcalError::NotOne(reading.components.len()));
    };
    if calendar.name != "VCALENDAR" {
        return Err(JcalError::NotOne(0));
    }
    Ok(serde_json::to_vec(&component(calendar)?).unwrap_or_default())
}

fn component(found: &Component) -> Result<Value, JcalError> {
    let properties: Vec<Value> = found.properties.iter().map(property).collect::<Result<_, _>>()?;
    let components: Vec<Value> = found.components.iter().map(component).collect::<Result<_, _>>()?;
    Ok(json!([found.name.to_ascii_lowercase(), properties, components]))
}

fn property(line: &Line) -> Result<Value, JcalError> {
    let kind = Kind::of(line);
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
        // Structured values are one array (RFC 7265, 3.4.1.3).
        "GEO" | "REQUEST-STATUS" => {
            let parts = line.value.split(';').map(each).collect::<Result<Vec<_>, _>>()?;
            out.push(Value::Array(parts));
        }
        _ => out.push(each(&line.value)?),
    }
    Ok(Value::Array(out))
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
    fn a_broken_file_has_none() {
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

    proptest! {
        #[test]
        fn any_text_survives(text in any::<String>()) {
            let text = crate::program::Text::block(&text).0;
            let escaped: String = text.as_str().chars().map(|c| match c {
                '\\' | ',' | ';' => format!("\\{c}"),
                '\n' => "\\n".to_owned(),
                c => c.to_string(),
            }).collect();
            // Folded at every second character, as a strange but allowed writer might.
            let folded = escaped.chars().enumerate().map(|(n, c)| if n % 2 == 1 { format!("{c}\r\n ") } else { c.to_string() });
            let lines = format!("SUMMARY:{}\r\n", folded.collect::<String>());
            prop_assert_eq!(&properties(&lines)[0][3], text.as_str());
        }
    }
}
