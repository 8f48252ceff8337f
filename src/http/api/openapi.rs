//! `/openapi.json`: the description of the API (OpenAPI 3.1), and the reference that `/api` shows.
//!
//! The description is written by hand, one file per subject under `openapi/`. A new endpoint is a path in one of
//! these files or in a file of its own. Tests compare the description with the route table, send every example
//! request, and compare the responses with `examples.json`.

use crate::web::{ApiChapter, ApiOperation, ApiParameter, ApiResponse};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// The parts of the document, each with the paths and components of one subject.
const PARTS: &[&str] = &[
    include_str!("openapi/base.json"),
    include_str!("openapi/program.json"),
    include_str!("openapi/agendas.json"),
    include_str!("openapi/subscriptions.json"),
    include_str!("openapi/exchange.json"),
    include_str!("openapi/feeds.json"),
    include_str!("openapi/organizer.json"),
];

/// The recorded responses to the examples, by `operationId`: the status, and the body if it is JSON.
const EXAMPLES: &str = include_str!("openapi/examples.json");

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = Value::Object(Map::new());
    for part in PARTS {
        merge(&mut document, serde_json::from_str(part).unwrap_or_default());
    }
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap_or_default();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    for (_, operation) in paths.flat_map(|(_, path)| path.as_object_mut().into_iter().flatten()) {
        illustrate(operation, &examples);
    }
    document
});

static CHAPTERS: LazyLock<Vec<ApiChapter>> = LazyLock::new(|| chapters(&DOCUMENT));

/// The whole document.
pub(super) fn document() -> &'static Value {
    &DOCUMENT
}

/// The document in the form that a page shows.
pub(in crate::http) fn reference() -> &'static [ApiChapter] {
    &CHAPTERS
}

/// Merges one object into another, recursively.
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

/// Puts the recorded example into an operation's response.
fn illustrate(operation: &mut Value, examples: &Value) {
    let Some(example) = operation.get("operationId").and_then(|id| examples.get(id.as_str()?)) else {
        return;
    };
    let Some(body) = example.get("body") else { return };
    let status = example.get("status").map(Value::to_string).unwrap_or_default();
    let place = format!("/responses/{status}/content/application~1json");
    if let Some(Value::Object(media)) = operation.pointer_mut(&place) {
        media.insert("example".to_owned(), body.clone());
    }
}

fn chapters(document: &Value) -> Vec<ApiChapter> {
    let chapter = |tag: &Value| {
        let name = text(tag, "name");
        let operations = members(&document["paths"]).flat_map(|(path, methods)| {
            members(methods).map(move |(method, operation)| (path, method, operation))
        });
        let own = operations
            .filter(|(_, _, operation)| operation.pointer("/tags/0").is_some_and(|tag| tag == name.as_str()));
        ApiChapter {
            operations: own.map(|(path, method, one)| operation(document, path, method, one)).collect(),
            text: text(tag, "description"),
            name,
        }
    };
    items(&document["tags"]).map(chapter).collect()
}

fn operation(document: &Value, path: &str, method: &str, value: &Value) -> ApiOperation {
    let parameters = items(&value["parameters"]).map(|parameter| {
        let parameter = resolved(document, parameter);
        ApiParameter {
            name: text(parameter, "name"),
            place: text(parameter, "in"),
            is_required: parameter["required"] == true,
            text: text(parameter, "description"),
        }
    });
    let answers = members(&value["responses"]).map(|(status, answer)| {
        let answer = resolved(document, answer);
        ApiResponse { status: status.clone(), text: text(answer, "description") }
    });
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let shown = members(&value["responses"]).filter_map(|(_, answer)| {
        let media = answer.pointer("/content/application~1json")?;
        media.get("example").map(pretty)
    });
    let key = value.pointer("/security/0").map(|security| match security.get("editKey") {
        Some(_) => "edit key",
        None => "organizer's secret",
    });
    ApiOperation {
        id: text(value, "operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(value, "summary"),
        text: text(value, "description"),
        key,
        parameters: parameters.collect(),
        body: value.pointer("/requestBody/content/application~1json/example").map(pretty),
        answers: answers.collect(),
        example: shown.into_iter().next(),
    }
}

/// The value that a reference inside the document points to; a value without a reference as it is.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    target.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::SESSION_FIELDS;
    use crate::http::routes;
    use crate::program::SessionKind;
    use std::collections::{BTreeMap, BTreeSet};

    fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
        members(&document()["paths"]).flat_map(|(path, methods)| {
            members(methods).map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
    }

    #[test]
    fn every_part_is_json_and_every_reference_leads_somewhere() {
        for part in PARTS.iter().chain([&EXAMPLES]) {
            serde_json::from_str::<Value>(part).unwrap();
        }
        let text = document().to_string();
        for target in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(document().pointer(target).is_some(), "{target}");
        }
    }

    #[test]
    fn the_document_has_the_paths_and_methods_of_the_route_table() {
        let mut described: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (path, method, _) in operations() {
            described.entry(path).or_default().insert(method.to_uppercase());
        }
        let mut table: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (path, method) in routes() {
            table.entry(path).or_default().insert(method.to_string());
        }
        for (path, methods) in &described {
            assert_eq!(Some(methods), table.get(path), "{path}");
        }
        // The organizer's pages are for browsers.
        let desk = [
            "/organizer",
            "/organizer/session",
            "/organizer/session/end",
            "/organizer/publish",
            "/organizer/rooms",
            "/organizer/schedule/cancel",
            "/organizer/preview/{digest}",
            "/organizer/held/preview",
            "/organizer/held/discard",
        ];
        for path in table.keys().filter(|path| path.starts_with("/api/v1/") || path.starts_with("/organizer"))
        {
            let is_page = desk.contains(path) || *path == "/organizer/releases/{n}/preview";
            assert!(is_page || described.contains_key(path), "{path} is not described");
        }
    }

    #[test]
    fn names_are_given_once_and_parameters_are_those_of_the_path() {
        let mut ids = BTreeSet::new();
        for (path, method, operation) in operations() {
            assert!(ids.insert(text(operation, "operationId")), "{path} {method}");
            let named: BTreeSet<String> = items(&operation["parameters"])
                .map(|parameter| resolved(document(), parameter))
                .filter(|parameter| parameter["in"] == "path")
                .map(|parameter| text(parameter, "name"))
                .collect();
            let in_path = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned());
            assert_eq!(named, in_path.collect(), "{path}");
        }
    }

    #[test]
    fn vocabularies_are_those_of_the_types() {
        let schemas = &document()["components"]["schemas"];
        let words = |name: &str| -> Vec<&str> {
            items(&schemas[name]["enum"]).map(|word| word.as_str().unwrap()).collect()
        };
        assert_eq!(words("SessionKind"), SessionKind::WORDS);
        assert_eq!(words("SessionField"), SESSION_FIELDS);
        let members: BTreeSet<&str> =
            members(&schemas["Session"]["properties"]).map(|(name, _)| name.as_str()).collect();
        assert_eq!(members, SESSION_FIELDS.iter().copied().collect());
    }

    #[test]
    fn the_page_lists_every_operation() {
        let listed: usize = reference().iter().map(|chapter| chapter.operations.len()).sum();
        assert_eq!(listed, operations().count());
    }
}
