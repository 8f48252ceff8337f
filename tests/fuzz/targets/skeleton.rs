//! The structure of an output without its texts: how often each path occurs.

use callboard::ics::{self, Component};
use callboard::xml::{self, Element};
use serde_json::Value;
use std::collections::BTreeMap;

/// The number of occurrences of each path.
pub(super) type Skeleton = BTreeMap<String, usize>;

/// The skeleton of a calendar, which must have no error.
pub(super) fn calendar(bytes: &[u8]) -> Skeleton {
    let reading = ics::read(bytes);
    assert_eq!(reading.errors, [], "in\n{}", String::from_utf8_lossy(bytes));
    let mut skeleton = Skeleton::new();
    reading.components.iter().for_each(|component| add_component("", component, &mut skeleton));
    skeleton
}

fn add_component(above: &str, component: &Component, skeleton: &mut Skeleton) {
    let path = format!("{above}/{}", component.name);
    *skeleton.entry(path.clone()).or_default() += 1;
    for line in &component.properties {
        let parameters: Vec<&str> = line.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        *skeleton.entry(format!("{path}/{};{}", line.name, parameters.join(";"))).or_default() += 1;
    }
    component.components.iter().for_each(|inner| add_component(&path, inner, skeleton));
}

/// The skeleton of an XML document, which must be well-formed.
pub(super) fn document(bytes: &[u8]) -> Skeleton {
    let root = xml::read(bytes, xml::MAX_BYTES).unwrap();
    let mut skeleton = Skeleton::new();
    add_element("", &root, &mut skeleton);
    skeleton
}

fn add_element(above: &str, element: &Element, skeleton: &mut Skeleton) {
    let attributes: Vec<&str> = element.attributes.iter().map(|(name, _)| name.as_str()).collect();
    let path = format!("{above}/{}[{}]", element.name, attributes.join(","));
    *skeleton.entry(path.clone()).or_default() += 1;
    element.children.iter().for_each(|child| add_element(&path, child, skeleton));
}

/// The skeleton of JSON. The members of the objects in `named` have texts as names, which count as one name.
pub(super) fn json(bytes: &[u8], named: &[&str]) -> Skeleton {
    let mut skeleton = Skeleton::new();
    add_value("", &serde_json::from_slice(bytes).unwrap(), named, &mut skeleton);
    skeleton
}

fn add_value(path: &str, value: &Value, named: &[&str], skeleton: &mut Skeleton) {
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
            values.iter().for_each(|value| add_value(&format!("{path}/*"), value, named, skeleton));
        }
        Value::Object(fields) => {
            let are_texts = named.iter().any(|name| path.ends_with(name));
            for (name, value) in fields {
                let name = if are_texts { "*" } else { name };
                add_value(&format!("{path}/{name}"), value, named, skeleton);
            }
        }
        _ => {}
    }
}

/// Whether planted text became markup: `<fuzz` an element or `"onfuzz=` an attribute. JSON in a page escapes the quote.
pub(super) fn has_injected_markup(html: &str) -> bool {
    html.contains("<fuzz") || html.replace("\\\"", "").contains("\"onfuzz=")
}
