//! `/openapi.json`: the description of the API (OpenAPI 3.1).

use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The parts of the document, each with the paths and components of one subject.
const PARTS: &[&str] = &[];

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = Value::Object(Map::new());
    for part in PARTS {
        merge(&mut document, serde_json::from_str(part).unwrap_or_default());
    }
    document
});

/// The whole document.
pub(super) fn document() -> &'static Value {
    &DOCUMENT
}

/// Adds the members of one object to those of another, object by object.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
