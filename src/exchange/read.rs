//! Reads a file of picks: a calendar, or a JSON list.

use super::matching::{NameKey, SessionName, shortened};
use crate::ics::{self, Component, Moment};
use crate::program::{Civil, Zone};
use crate::texts::Texts;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The most bytes of a file.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The most entries of a file.
pub const MAX_ENTRIES: usize = 2000;

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The file is larger than [`MAX_BYTES`].
    #[error("the file has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// The file has more than [`MAX_ENTRIES`] entries.
    #[error("the file has {0} entries, more than {MAX_ENTRIES}; import a part of it")]
    TooMany(usize),
    /// The file is neither a calendar nor JSON.
    #[error("the file is neither a calendar (.ics) nor a JSON list of guids or ids")]
    Unknown,
    /// The file is not a calendar.
    #[error("the file is not a calendar (.ics)")]
    NoCalendar,
    /// The JSON is malformed.
    #[error("the file is not JSON: {0}")]
    NotJson(String),
    /// The JSON is valid and is not a list of sessions.
    #[error(
        "the JSON is not a list of guids, ids, codes or numbers, nor an object with such a list as \"picks\"{0}"
    )]
    NoList(String),
    /// The code is cut off or mistyped.
    #[error("the link has no picks; it may be cut off")]
    Code,
}

/// Reads the names in a file of any supported format.
pub(super) fn read(bytes: &[u8], zone: Zone) -> Result<Vec<SessionName>, ExchangeError> {
    if bytes.len() > MAX_BYTES {
        return Err(ExchangeError::TooLarge);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let names = match bytes.trim_ascii_start().first() {
        Some(b'[' | b'{') => read_json(bytes)?,
        _ => read_calendar(bytes, zone)?,
    };
    if names.len() > MAX_ENTRIES {
        return Err(ExchangeError::TooMany(names.len()));
    }
    Ok(names)
}

/// The VEVENTs of a calendar. Errors in the grammar are ignored as far as the calendar can be read.
fn read_calendar(bytes: &[u8], zone: Zone) -> Result<Vec<SessionName>, ExchangeError> {
    let reading = ics::read(bytes);
    let mut calendars = reading.calendars().peekable();
    calendars.peek().ok_or(ExchangeError::Unknown)?;
    let events: Vec<&Component> = calendars.flat_map(|calendar| calendar.all("VEVENT")).collect();
    if events.len() > MAX_ENTRIES {
        return Err(ExchangeError::TooMany(events.len()));
    }
    Ok(events.into_iter().map(|event| event_name(event, zone)).collect())
}

fn event_name(event: &Component, zone: Zone) -> SessionName {
    let uid = event.text("UID");
    let title = event.text("SUMMARY");
    // The calendar may be of a conference in another language.
    let prefixes = Texts::all().map(|texts| texts.cancelled_prefix);
    let title = prefixes.filter_map(|prefix| title.strip_prefix(prefix)).next().unwrap_or(&title);
    let start = event.property("DTSTART").and_then(ics::date_time).and_then(|start| instant(&start, zone));
    let name = [title, &uid].into_iter().find(|text| !text.trim().is_empty());
    let mut keys = vec![NameKey::Uid(uid.clone())];
    keys.extend(start.map(|start| NameKey::Titled(title.to_owned(), start)));
    SessionName { text: shortened(name.unwrap_or("an event without UID and title")), keys }
}

/// The instant of a start. A floating time is in the venue's zone. A whole day has no instant.
pub(super) fn instant(start: &Moment, venue: Zone) -> Option<DateTime<Utc>> {
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

/// The members of a list, or of the list `picks` of an object. Each member is a guid, id, code or number, or an object
/// with one of these, as in our own export.
fn read_json(bytes: &[u8]) -> Result<Vec<SessionName>, ExchangeError> {
    let value = serde_json::from_slice(bytes).map_err(|error| ExchangeError::NotJson(error.to_string()))?;
    let members = match value {
        Value::Array(members) => members,
        Value::Object(mut fields) => match fields.remove("picks") {
            Some(Value::Array(members)) => members,
            _ => return Err(ExchangeError::NoList(String::new())),
        },
        _ => return Err(ExchangeError::NoList(String::new())),
    };
    members.iter().enumerate().map(|(index, member)| member_name(index, member)).collect()
}

fn member_name(index: usize, member: &Value) -> Result<SessionName, ExchangeError> {
    let keys = match member {
        Value::Object(fields) => object_keys(fields),
        member => key(member).into_iter().collect(),
    };
    if keys.is_empty() {
        return Err(ExchangeError::NoList(format!("; its member {} is none of them", index + 1)));
    }
    let text = match member {
        Value::String(text) => shortened(text),
        Value::Object(fields) => {
            let named = ["title", "id", "guid", "code", "uid"].into_iter().find_map(|name| fields.get(name));
            named.and_then(Value::as_str).map_or_else(|| shortened(&member.to_string()), shortened)
        }
        member => member.to_string(),
    };
    Ok(SessionName { text, keys })
}

/// The keys of an object, the most certain first. `id` is a number in frab schedules, and the session's id in our own
/// files.
fn object_keys(fields: &Map<String, Value>) -> Vec<NameKey> {
    let named = |name: &str| fields.get(name).and_then(key);
    ["guid", "uid", "id", "code", "number"].into_iter().filter_map(named).collect()
}

fn key(value: &Value) -> Option<NameKey> {
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => {
            let text = text.trim();
            Some(Uuid::try_parse(text).map_or_else(|_| NameKey::Any(text.to_owned()), NameKey::Guid))
        }
        // A number that no session can have becomes an entry that matches nothing.
        Value::Number(number) => {
            let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
            Some(NameKey::Number(number.unwrap_or(0)))
        }
        _ => None,
    }
}
