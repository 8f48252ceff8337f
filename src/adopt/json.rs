//! Recognises the JSON formats: frab schedules of both versions, Sessionize, pretalx's API and Indico's export.

use super::foreign::ForeignProgram;
use super::format::SourceFormat;
use super::value::JsonObject;
use super::{AdoptError, frab, indico, pretalx, schedule2, sessionize};
use serde_json::Value;

/// Reads a JSON file of any known format.
///
/// # Errors
/// [`AdoptError`], which says which export to fetch from the tool that probably wrote the file.
pub(super) fn read(bytes: &[u8]) -> Result<(SourceFormat, ForeignProgram), AdoptError> {
    // serde_json refuses more than 128 levels of nesting.
    let root: Value = serde_json::from_slice(bytes).map_err(|error| AdoptError::Json(error.to_string()))?;
    if let Value::Array(items) = &root {
        if items.is_empty() {
            return Err(AdoptError::Empty);
        }
        let objects: Vec<&JsonObject> = items.iter().filter_map(Value::as_object).collect();
        let foreign = sessionize::read_list(&objects).ok_or(AdoptError::UnknownJson)?;
        return Ok((SourceFormat::Sessionize, foreign));
    }
    let Value::Object(object) = &root else { return Err(AdoptError::UnknownJson) };
    if let Some(schedule) = object.get("schedule").and_then(Value::as_object) {
        return match schedule.get("events") {
            Some(Value::Array(_)) => Ok((SourceFormat::ScheduleV2, schedule2::read(schedule))),
            _ => Ok((SourceFormat::FrabJson, frab::read_json(&root)?)),
        };
    }
    let has = |names: &[&str]| names.iter().all(|name| object.contains_key(*name));
    if has(&["sessions", "rooms", "speakers"]) {
        return Ok((SourceFormat::Sessionize, sessionize::read_all(object)));
    }
    if has(&["results"])
        && (has(&["_type"]) || has(&["ts"]) || object.get("results").is_some_and(Value::is_object))
    {
        return Ok((SourceFormat::Indico, indico::read(object)?));
    }
    if has(&["results"]) || has(&["slots"]) || has(&["talks", "rooms"]) {
        return Ok((SourceFormat::Pretalx, pretalx::read(object)?));
    }
    Err(AdoptError::UnknownJson)
}
