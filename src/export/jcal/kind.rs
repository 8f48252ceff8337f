//! Value types, and which one a property has (RFC 5545, 8.3.2 and 8.3.4; RFC 7986, 5).

use crate::ics::{self, Line, Moment};
use serde_json::{Value, json};

/// A value type of jCal (RFC 7265, 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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

impl Kind {
    /// The type of a property's value: what VALUE says, else the property's own.
    pub(super) fn of(line: &Line) -> Self {
        match line.parameter("VALUE") {
            Some(stated) => Self::named(&stated.to_ascii_uppercase()),
            None => Self::usual(&line.name),
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

    fn usual(property: &str) -> Self {
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

    pub(super) fn as_str(self) -> &'static str {
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

    /// One value in jCal's form; none where it has not the form of the type.
    pub(super) fn value(self, raw: &str) -> Option<Value> {
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
            Self::Recur => super::recur::value(raw)?,
        })
    }
}

/// `2025-03-25T09:00:00Z` of `20250325T090000Z`, and `2025-03-25` of `20250325`.
pub(super) fn moment(raw: &str) -> Option<String> {
    let bare = Line { number: 0, name: String::new(), parameters: Vec::new(), value: raw.to_owned() };
    Some(match ics::date_time(&bare)? {
        Moment::Day(day) => day.to_string(),
        Moment::Utc(at) => at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Moment::Zoned(civil, _) | Moment::Floating(civil) => civil.format("%Y-%m-%dT%H:%M:%S").to_string(),
    })
}
