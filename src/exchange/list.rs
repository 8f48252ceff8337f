//! A JSON list of guids, ids, codes or numbers; or of objects that hold one of these, as our own export does.

use super::{ExchangeError, Key, Wanted, shortened};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The list, or the list `picks` of an object.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Wanted>, ExchangeError> {
    let value = serde_json::from_slice(bytes).map_err(|error| ExchangeError::NotJson(error.to_string()))?;
    let lines = match value {
        Value::Array(lines) => lines,
        Value::Object(mut fields) => match fields.remove("picks") {
            Some(Value::Array(lines)) => lines,
            _ => return Err(ExchangeError::NoList(String::new())),
        },
        _ => return Err(ExchangeError::NoList(String::new())),
    };
    lines.iter().enumerate().map(|(place, line)| wanted(place, line)).collect()
}

fn wanted(place: usize, line: &Value) -> Result<Wanted, ExchangeError> {
    let keys = match line {
        Value::Object(fields) => of_object(fields),
        line => key(line).into_iter().collect(),
    };
    if keys.is_empty() {
        return Err(ExchangeError::NoList(format!("; look at its member {}", place + 1)));
    }
    let text = match line {
        Value::String(text) => shortened(text),
        Value::Object(fields) => {
            let named = ["title", "id", "guid", "code", "uid"].into_iter().find_map(|name| fields.get(name));
            named.and_then(Value::as_str).map_or_else(|| shortened(&line.to_string()), shortened)
        }
        line => line.to_string(),
    };
    Ok(Wanted { text, keys })
}

/// The surest first. In frab's files `id` is the number, in ours the session's id.
fn of_object(fields: &Map<String, Value>) -> Vec<Key> {
    let named = |name: &str| fields.get(name).and_then(key);
    ["guid", "uid", "id", "code", "number"].into_iter().filter_map(named).collect()
}

fn key(value: &Value) -> Option<Key> {
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => {
            let text = text.trim();
            Some(Uuid::try_parse(text).map_or_else(|_| Key::Any(text.to_owned()), Key::Guid))
        }
        // A number that no session can have is a line all the same, and finds nothing.
        Value::Number(number) => {
            let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
            Some(Key::Number(number.unwrap_or(0)))
        }
        _ => None,
    }
}
