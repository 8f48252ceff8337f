//! RECUR as an object (RFC 7265, 3.6.10).

use serde_json::{Map, Value, json};

/// A rule; none where it has not the form.
pub(super) fn value(raw: &str) -> Option<Value> {
    let mut rule = Map::new();
    for part in raw.split(';').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=')?;
        let name = name.to_ascii_lowercase();
        let value = match name.as_str() {
            "freq" | "wkst" | "rscale" | "skip" => json!(value),
            "until" => json!(super::kind::moment(value)?),
            "count" | "interval" => json!(value.parse::<u32>().ok()?),
            "byday" => several(value, |day| Some(json!(day)))?,
            _ => several(value, |number| Some(json!(number.parse::<i32>().ok()?)))?,
        };
        rule.insert(name, value);
    }
    rule.contains_key("freq").then_some(Value::Object(rule))
}

/// A single value stands alone, several in an array.
fn several(raw: &str, each: impl Fn(&str) -> Option<Value>) -> Option<Value> {
    let mut values: Vec<Value> = raw.split(',').map(each).collect::<Option<_>>()?;
    if values.len() == 1 { values.pop() } else { Some(Value::Array(values)) }
}
