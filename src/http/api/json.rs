//! JSON bodies (RFC 8259), read field by field so that every fault names its field.

use crate::http::Problem;
use crate::http::problem::InvalidValue;
use crate::http::reply::JSON;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

/// An object whose fields are read one by one. Other fields are ignored.
pub(super) struct Object {
    fields: Map<String, Value>,
    faults: Vec<InvalidValue>,
}

/// Parses a body that must be an object.
pub(super) fn object(headers: &HeaderMap, body: &Bytes) -> Result<Object, Problem> {
    match parse(headers, body)? {
        Value::Object(fields) => Ok(Object { fields, faults: Vec::new() }),
        _ => Err(Problem::Values(vec![InvalidValue::new("", "write an object, such as {\"name\": \"…\"}")])),
    }
}

/// Parses a body that must be a list of strings.
pub(super) fn texts(headers: &HeaderMap, body: &Bytes) -> Result<Vec<String>, Problem> {
    let mut faults = Vec::new();
    let texts = strings("", parse(headers, body)?, &mut faults);
    if faults.is_empty() { Ok(texts) } else { Err(Problem::Values(faults)) }
}

/// Parses a body that must be a list.
pub(super) fn values(headers: &HeaderMap, body: &Bytes) -> Result<Vec<Value>, Problem> {
    match parse(headers, body)? {
        Value::Array(values) => Ok(values),
        _ => Err(Problem::Values(vec![InvalidValue::new("", "write a list, such as []")])),
    }
}

impl Object {
    /// A string; null counts as empty.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.fields.remove(name)? {
            Value::String(text) => Some(text),
            Value::Null => Some(String::new()),
            _ => {
                self.faults.push(InvalidValue::new(name, "write a string"));
                None
            }
        }
    }

    /// true or false; null counts as missing.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.fields.remove(name)? {
            Value::Bool(flag) => Some(flag),
            Value::Null => None,
            _ => {
                self.faults.push(InvalidValue::new(name, "write true or false"));
                None
            }
        }
    }

    /// An object, to read its fields; null and a missing one count as empty.
    pub(super) fn object(&mut self, name: &str) -> Self {
        let fields = match self.fields.remove(name) {
            Some(Value::Object(fields)) => fields,
            None | Some(Value::Null) => Map::new(),
            Some(_) => {
                self.faults.push(InvalidValue::new(name, "write an object"));
                Map::new()
            }
        };
        Self { fields, faults: Vec::new() }
    }

    /// A list of strings; null counts as empty.
    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        match self.fields.remove(name)? {
            Value::Null => Some(Vec::new()),
            value => Some(strings(name, value, &mut self.faults)),
        }
    }

    /// Fails if any field that was read has a fault.
    pub(super) fn done(self) -> Result<(), Problem> {
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::Values(self.faults)) }
    }
}

fn strings(name: &str, value: Value, faults: &mut Vec<InvalidValue>) -> Vec<String> {
    let Value::Array(values) = value else {
        faults.push(InvalidValue::new(name, "write a list of session ids, such as [\"keynote\"]"));
        return Vec::new();
    };
    let mut texts = Vec::with_capacity(values.len());
    for (place, value) in values.into_iter().enumerate() {
        match value {
            Value::String(text) => texts.push(text),
            _ => {
                faults.push(InvalidValue::new(format!("{name}[{place}]"), "write a session's id as a string"))
            }
        }
    }
    texts
}

fn parse(headers: &HeaderMap, body: &Bytes) -> Result<Value, Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(JSON) {
        return Err(Problem::MediaType(JSON));
    }
    serde_json::from_slice(body).map_err(|error| Problem::BadBody(format!("the body is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(media_type: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, media_type.parse().unwrap());
        headers
    }

    fn faults(problem: Problem) -> Vec<String> {
        match problem {
            Problem::Values(faults) => faults.into_iter().map(|fault| fault.field).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_fault_names_its_field() {
        let json = headers("application/json; charset=utf-8");
        let body = Bytes::from_static(b"{\"name\": 1, \"picks\": [\"ab\", 2, null], \"x\": 3}");
        let mut object = object(&json, &body).unwrap_or_else(|_| panic!());
        assert_eq!(object.text("name"), None);
        assert_eq!(object.texts("picks"), Some(vec!["ab".to_owned()]));
        assert_eq!(faults(object.done().unwrap_err()), ["name", "picks[1]", "picks[2]"]);
        assert_eq!(faults(texts(&json, &Bytes::from_static(b"{}")).unwrap_err()), [""]);
    }

    #[test]
    fn another_media_type_and_what_is_no_json_are_told_apart() {
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
            let problem = texts(&headers(media_type), &Bytes::from_static(b"[]")).unwrap_err();
            assert!(matches!(problem, Problem::MediaType(_)), "{media_type}");
        }
        for body in ["", "[", "[1,]", "\u{feff}[]", "NaN"] {
            let problem = texts(&headers("Application/JSON"), &Bytes::from(body)).unwrap_err();
            assert!(matches!(problem, Problem::BadBody(_)), "{body}");
        }
        let deep = "[".repeat(60_000);
        assert!(texts(&headers("application/json"), &Bytes::from(deep)).is_err());
    }
}
