//! The structure of what was written, without its texts: how often each path occurs.

use callboard::ics::{self, Component};
use callboard::xml::{self, Element};
use serde_json::Value;
use std::collections::BTreeMap;

/// Paths and how often they occur.
pub(super) type Skeleton = BTreeMap<String, usize>;

/// Of a calendar that must be without a flaw.
pub(super) fn calendar(bytes: &[u8]) -> Skeleton {
    let reading = ics::read(bytes);
    assert_eq!(reading.flaws, [], "in\n{}", String::from_utf8_lossy(bytes));
    let mut skeleton = Skeleton::new();
    reading.components.iter().for_each(|component| bones_of_component("", component, &mut skeleton));
    skeleton
}

fn bones_of_component(above: &str, component: &Component, skeleton: &mut Skeleton) {
    let path = format!("{above}/{}", component.name);
    *skeleton.entry(path.clone()).or_default() += 1;
    for line in &component.properties {
        let parameters: Vec<&str> = line.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        *skeleton.entry(format!("{path}/{};{}", line.name, parameters.join(";"))).or_default() += 1;
    }
    component.components.iter().for_each(|inner| bones_of_component(&path, inner, skeleton));
}

/// Of a document that must be well-formed.
pub(super) fn document(bytes: &[u8]) -> Skeleton {
    let root = xml::read(bytes, xml::MOST_BYTES).unwrap();
    let mut skeleton = Skeleton::new();
    bones_of_element("", &root, &mut skeleton);
    skeleton
}

fn bones_of_element(above: &str, element: &Element, skeleton: &mut Skeleton) {
    let attributes: Vec<&str> = element.attributes.iter().map(|(name, _)| name.as_str()).collect();
    let path = format!("{above}/{}[{}]", element.name, attributes.join(","));
    *skeleton.entry(path.clone()).or_default() += 1;
    element.children.iter().for_each(|child| bones_of_element(&path, child, skeleton));
}

/// Of JSON; the members of `named` are keyed by texts, and count as one name.
pub(super) fn json(bytes: &[u8], named: &[&str]) -> Skeleton {
    let mut skeleton = Skeleton::new();
    bones_of_value("", &serde_json::from_slice(bytes).unwrap(), named, &mut skeleton);
    skeleton
}

fn bones_of_value(path: &str, value: &Value, named: &[&str], skeleton: &mut Skeleton) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    *skeleton.entry(format!("{path}:{kind}")).or_default() += 1;
    match value {
        Value::Array(values) => {
            values.iter().for_each(|value| bones_of_value(&format!("{path}/*"), value, named, skeleton));
        }
        Value::Object(fields) => {
            let are_texts = named.iter().any(|name| path.ends_with(name));
            for (name, value) in fields {
                let name = if are_texts { "*" } else { name };
                bones_of_value(&format!("{path}/{name}"), value, named, skeleton);
            }
        }
        _ => {}
    }
}

/// Whether a planted mark became markup: `<fuzz` an element, `"onfuzz=` an attribute. JSON within a page escapes
/// the quote and stays a string.
pub(super) fn is_broken_out_of(html: &str) -> bool {
    html.contains("<fuzz") || html.replace("\\\"", "").contains("\"onfuzz=")
}
