//! Reads iCalendar in XML: xCal of RFC 6321, and the earlier form that Pentabarf and frab write, whose elements hold their
//! value directly.
//!
//! The elements become the components that `ics` would read, so that `ical` knows one form only.

use super::foreign::{ForeignPerson, ForeignProgram};
use super::ical;
use crate::ics::{Component, Line, Parameter, Reading};
use crate::xml::Element;
use std::collections::HashMap;

/// Elements of RFC 6321 that hold components and properties, and are none themselves.
const CONTAINERS: &[&str] = &["components", "properties"];

/// Whether a document is a calendar.
pub(super) fn is_calendar(root: &Element) -> bool {
    root.name.eq_ignore_ascii_case("icalendar") && root.child("vcalendar").is_some()
}

pub(super) fn read(root: &Element) -> ForeignProgram {
    let components: Vec<Component> = root.all("vcalendar").map(component).collect();
    let people = people(&components);
    let mut foreign = ical::read(&Reading { components, errors: Vec::new() });
    for session in &mut foreign.sessions {
        if let Some(named) = people.get(&session.identity).filter(|_| session.people.is_empty()) {
            session.people.clone_from(named);
        }
    }
    foreign
}

/// The speakers of each UID: attendees that are names and not addresses, as Pentabarf writes them.
fn people(components: &[Component]) -> HashMap<String, Vec<ForeignPerson>> {
    let events = components.iter().flat_map(|calendar| calendar.all("VEVENT"));
    let named = |event: &Component| {
        let names = event.properties("ATTENDEE").map(|line| line.text().trim().to_owned());
        let person = |name| ForeignPerson { name, ..ForeignPerson::default() };
        let is_name = |name: &String| !name.is_empty() && !name.contains([':', '@']);
        (event.text("UID").trim().to_owned(), names.filter(is_name).map(person).collect())
    };
    events.map(named).collect()
}

/// A component with its properties and inner components.
fn component(element: &Element) -> Component {
    let mut component =
        Component { name: element.name.to_ascii_uppercase(), line: element.line, ..Component::default() };
    let inner = element.children.iter().flat_map(|child| {
        if CONTAINERS.contains(&child.name.as_str()) {
            child.children.as_slice()
        } else {
            std::slice::from_ref(child)
        }
    });
    for child in inner {
        let is_component =
            child.name.starts_with(['v', 'V']) && child.name.len() > 4 && child.name != "version"
                || matches!(child.name.as_str(), "standard" | "daylight");
        if is_component {
            component.components.push(self::component(child));
        } else if !child.namespace.contains("pentabarf") {
            component.properties.push(property(child));
        }
    }
    component
}

/// A property. Names of Pentabarf's that iCalendar spells in another way are translated.
fn property(element: &Element) -> Line {
    let parameters = element.child("parameters").map(|list| list.children.as_slice()).unwrap_or_default();
    let parameter = |one: &Element| Parameter {
        name: one.name.to_ascii_uppercase(),
        values: match one.children.as_slice() {
            [] => vec![one.text.trim().to_owned()],
            values => values.iter().map(|value| value.text.trim().to_owned()).collect(),
        },
    };
    let values: Vec<&Element> = element.children.iter().filter(|child| child.name != "parameters").collect();
    let mut parameters: Vec<Parameter> = parameters.iter().map(parameter).collect();
    if values.first().is_some_and(|value| value.name == "date") {
        parameters.push(Parameter { name: "VALUE".to_owned(), values: vec!["DATE".to_owned()] });
    }
    let value = match values.as_slice() {
        [] => escaped(element.text.trim()),
        values => values.iter().map(|value| value_of(value)).collect::<Vec<_>>().join(","),
    };
    let name = match element.name.to_ascii_uppercase() {
        name if name == "CATEGORY" => "CATEGORIES".to_owned(),
        name => name,
    };
    Line { number: element.line, name, parameters, value }
}

/// A typed value as iCalendar writes it (RFC 6321, 3.6).
fn value_of(element: &Element) -> String {
    let text = element.text.trim();
    match element.name.as_str() {
        "text" => escaped(text),
        "date" | "date-time" => text.replace(['-', ':'], ""),
        "utc-offset" => text.replace(':', ""),
        "recur" => recurrence(element),
        "period" => {
            let part = |name: &str| element.child(name).map(|part| part.text.trim().replace(['-', ':'], ""));
            let parts = [part("start"), part("end").or_else(|| part("duration"))];
            parts.into_iter().flatten().collect::<Vec<_>>().join("/")
        }
        _ => text.to_owned(),
    }
}

/// A rule, whose parts are elements: `<freq>DAILY</freq><byday>MO</byday><byday>TU</byday>`.
fn recurrence(element: &Element) -> String {
    let mut parts: Vec<(String, Vec<String>)> = Vec::new();
    for part in &element.children {
        let name = part.name.to_ascii_uppercase();
        let text = part.text.trim();
        let value = if name == "UNTIL" { text.replace(['-', ':'], "") } else { text.to_owned() };
        match parts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => parts.push((name, vec![value])),
        }
    }
    let parts = parts.into_iter().map(|(name, values)| format!("{name}={}", values.join(",")));
    parts.collect::<Vec<_>>().join(";")
}

/// A text with the escapes of iCalendar (RFC 5545, 3.3.11).
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace(';', "\\;")
        .replace(',', "\\,")
        .replace("\r\n", "\\n")
        .replace('\n', "\\n")
}
