//! The API as it is documented: sends the request of every example of `/openapi.json`, and of every command of the
//! documentation's page on the API, and compares the answers.
//!
//! `UPDATE_GOLDEN=1 cargo test described` writes `src/http/api/openapi/examples.json` again; review the diff. The
//! next build puts the examples into the document.

use super::test_app::{SECRET, TestAgenda, TestApp, TestRequest, TestResponse};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// An operation of the OpenAPI document, with the whole document for its references.
struct Described<'a> {
    document: &'a Value,
    method: String,
    path: &'a str,
    value: &'a Value,
}

impl Described<'_> {
    fn id(&self) -> &str {
        self.value["operationId"].as_str().unwrap()
    }

    fn parameters(&self) -> Vec<&Value> {
        let all = self.value["parameters"].as_array().into_iter().flatten();
        let resolve = |one: &'_ Value| one["$ref"].as_str().map(|target| target[1..].to_owned());
        all.map(|one| resolve(one).map_or(one, |target| self.document.pointer(&target).unwrap())).collect()
    }

    /// The request of the operation's examples. None if a parameter of the path has no example.
    fn request(&self, mine: &TestAgenda) -> Option<TestRequest> {
        let (mut path, mut query) = (self.path.to_owned(), Vec::new());
        for parameter in self.parameters() {
            let name = parameter["name"].as_str().unwrap();
            let example = &parameter["example"];
            match parameter["in"].as_str().unwrap() {
                "path" => {
                    let token = mine.feed.trim_start_matches("/agendas/").trim_end_matches(".ics");
                    let value = if name == "read" { token.to_owned() } else { text(example)? };
                    path = path.replace(&format!("{{{name}}}"), &value);
                }
                "query" => match example {
                    Value::Array(values) if parameter["explode"] == false => {
                        let values: Vec<String> = values.iter().filter_map(text).collect();
                        query.push(format!("{name}={}", values.join(",")));
                    }
                    Value::Array(values) => {
                        query.extend(values.iter().filter_map(text).map(|value| format!("{name}={value}")));
                    }
                    one => query.extend(text(one).map(|value| format!("{name}={value}"))),
                },
                _ => {}
            }
        }
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let mut request = TestRequest::new("GET", &format!("{path}{query}"));
        request.method =
            ["GET", "PUT", "POST", "PATCH", "DELETE"].into_iter().find(|one| *one == self.method)?;
        if let Some(security) = self.value.pointer("/security/0") {
            let key = if security.get("editKey").is_some() { &mine.key } else { SECRET };
            request = request.field("authorization", &format!("Bearer {key}"));
        }
        let media = self.value.pointer("/requestBody/content").and_then(Value::as_object);
        Some(match media {
            Some(media) if media.contains_key("text/csv") => {
                request.text("text/csv", &std::fs::read_to_string(root().join("program.csv")).unwrap())
            }
            Some(media) => request.json(&media["application/json"]["example"]),
            None => request,
        })
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Replaces random values, and values that depend on this machine.
fn masked(value: &Value) -> Value {
    match value {
        // Letters, since an address has to stay one.
        Value::String(text) => json!(mask(text, "EXAMPLE")),
        Value::Array(values) => values.iter().map(masked).collect(),
        Value::Object(members) => {
            let masked = members.iter().map(|(name, value)| {
                let value = match (name.as_str(), value) {
                    ("digest", Value::String(_)) => json!("…"),
                    ("key", Value::String(_)) => json!("BP4z9K…"),
                    ("path", Value::String(_)) => json!("program.csv"),
                    // In this test the server watches no file.
                    ("readable", Value::Bool(_)) => json!(true),
                    _ => masked(value),
                };
                (name.clone(), value)
            });
            Value::Object(masked.collect())
        }
        other => other.clone(),
    }
}

/// Replaces keys and tokens after their prefix.
fn mask(text: &str, by: &str) -> String {
    let mut out = text.to_owned();
    for prefix in ["cbe_", "cbr_"] {
        let pieces: Vec<&str> = out.split(prefix).collect();
        let rest = |piece: &str| piece.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).to_owned();
        let (first, others) = pieces.split_first().unwrap();
        out =
            others.iter().fold((*first).to_owned(), |out, piece| format!("{out}{prefix}{by}{}", rest(piece)));
    }
    out
}

/// The status, and the body if it is JSON.
fn summary(id: &str, answer: &TestResponse) -> Value {
    let mut summary = json!({ "status": answer.status });
    if answer.field("content-type") == "application/json" && id != "readOpenApi" {
        summary["body"] = masked(&answer.json());
    }
    summary
}

#[tokio::test]
async fn every_example_of_the_description_is_what_the_server_answers() {
    let shared = TestApp::shipped();
    let document = shared.get("/openapi.json").await.json();
    // tests/clients/openapi.test.js reads it with linters.
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi.json");
    std::fs::write(place, serde_json::to_string_pretty(&document).unwrap()).unwrap();
    let mut examples = Map::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, value) in methods.as_object().unwrap() {
            let one = Described { document: &document, method: method.to_uppercase(), path, value };
            // Each operation gets a new agenda. An organizer's operation also gets a server of its own.
            let own = one.value.pointer("/security/0/organizer").map(|_| TestApp::shipped());
            let app = own.as_ref().unwrap_or(&shared);
            let mine = app.of_srecon().await;
            let Some(request) = one.request(&mine) else { continue };
            let answer = app.send(request).await;
            let statuses = one.value["responses"].as_object().unwrap();
            assert!(statuses.contains_key(&answer.status.to_string()), "{} {}", one.id(), answer.status);
            match one.value["tags"][0].as_str().unwrap() {
                "Feeds" | "Exports" => assert_eq!(answer.status, 200, "{}", one.id()),
                _ => _ = examples.insert(one.id().to_owned(), summary(one.id(), &answer)),
            }
        }
    }
    let file = root().join("src/http/api/openapi/examples.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, serde_json::to_string_pretty(&examples).unwrap() + "\n").unwrap();
    }
    let kept: Map<String, Value> = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    for (id, example) in &examples {
        assert_eq!(kept.get(id), Some(example), "{id}");
    }
    assert_eq!(kept.len(), examples.len(), "an example of an operation that is not there");
}

impl TestApp {
    /// An agenda like that of the documentation.
    async fn of_srecon(&self) -> TestAgenda {
        let body = json!({ "name": "My SREcon", "picks": ["slow-queries", "live-laugh-log"] });
        let made = self.send(TestRequest::new("POST", "/api/v1/agendas").json(&body)).await.json();
        let feed = made["read_links"][0]["feed"].as_str().unwrap();
        TestAgenda {
            key: made["edit_key"].as_str().unwrap().to_owned(),
            feed: feed.strip_prefix("http://127.0.0.1:8080").unwrap().to_owned(),
        }
    }
}

/// A command of the page on the API, and the output that the page shows below it.
struct Shown {
    words: Vec<String>,
    printed: String,
}

/// The `curl` commands of that page.
fn commands() -> Vec<Shown> {
    let page = std::fs::read_to_string(root().join("docs/reference/api.md")).unwrap();
    let mut commands: Vec<Shown> = Vec::new();
    for block in page.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap().replace("\\\n", " ");
        for line in block.lines() {
            match line.strip_prefix("$ curl ") {
                Some(command) => commands.push(Shown { words: words(command), printed: String::new() }),
                None => commands.last_mut().unwrap().printed.push_str(line),
            }
        }
    }
    commands
}

/// Splits a command into words as a shell does: at spaces outside quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote, mut open) = (vec![String::new()], None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (None, '\'' | '"') => (quote, open) = (Some(c), true),
            (None, ' ') if open || !words.last().unwrap().is_empty() => {
                words.push(String::new());
                open = false;
            }
            (None, ' ') => {}
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[tokio::test]
async fn every_command_of_the_page_on_the_api_prints_what_it_shows() {
    let app = TestApp::shipped();
    let mine = app.of_srecon().await;
    let commands = commands();
    assert!(commands.len() >= 5);
    for Shown { words, printed } in commands {
        let mut request = TestRequest::new("GET", "");
        let mut words = words.iter().map(|word| word.replace("$EDIT_KEY", &mine.key));
        while let Some(word) = words.next() {
            match word.as_str() {
                "-s" | "--fail" => {}
                "-X" => {
                    let method = words.next().unwrap();
                    request.method =
                        ["PUT", "POST", "DELETE"].into_iter().find(|one| *one == method).unwrap();
                }
                "-H" => {
                    let field = words.next().unwrap();
                    let (name, value) = field.split_once(": ").unwrap();
                    let known = ["Content-Type", "Authorization", "If-None-Match"];
                    request = request.field(known.into_iter().find(|one| *one == name).unwrap(), value);
                }
                "--data-binary" => {
                    assert_eq!(words.next().unwrap(), "@mine.ics");
                    request.body = app.get(&mine.feed).await.body;
                }
                "-d" => request.body = words.next().unwrap().into(),
                target => request.target = target.strip_prefix("http://127.0.0.1:8080").unwrap().to_owned(),
            }
        }
        let target = request.target.clone();
        let answer = app.send(request).await;
        assert!(answer.status < 300, "{target}: {}", answer.text());
        // If the page shows no output, only the status is tested.
        if answer.body.is_empty() || !printed.is_empty() {
            assert_eq!(mask(answer.text().trim_end(), "…"), printed.trim_end(), "{target}");
        }
    }
}

#[tokio::test]
async fn the_description_is_a_page_too_that_asks_for_no_script() {
    let app = TestApp::shipped();
    let page = app.get("/api").await;
    assert_eq!((page.status, page.field("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.field("content-security-policy").contains("default-src 'none'"));
    for needle in [
        "GET /api/v1/sessions",
        "PUT /api/v1/agenda/picks/{session}",
        "/openapi.json",
        "organizer&#39;s secret",
    ] {
        assert!(page.text().contains(needle), "{needle}");
    }
    assert!(!page.text().contains("style=") && !page.text().contains("onclick"));
    let again = app.send(TestRequest::new("GET", "/api").field("if-none-match", page.tag())).await;
    assert_eq!(again.status, 304);
    assert!(app.get("/").await.text().contains("href=\"/api\""));
}

#[tokio::test]
async fn the_whole_program_opens_in_giggity_from_the_page_on_subscribing() {
    let app = TestApp::shipped();
    let page = app.get("/subscribe/program").await;
    let link = page.text().split("https://ggt.gaa.st/#url=").nth(1).expect("a link for the app");
    let link = link.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
    let (address, entry) = link.split_once("&json=").unwrap();
    assert_eq!(
        address.replace("%2E", ".").replace("%3A", ":").replace("%2F", "/"),
        "http://127.0.0.1:8080/schedule.xml"
    );
    assert!(entry.len() > 100);
    let menu = app.get("/giggity.json").await.json();
    assert_eq!(menu["url"], "http://127.0.0.1:8080/schedule.xml");
    assert_eq!((&menu["start"], &menu["end"]), (&json!("2025-03-24"), &json!("2025-03-27")));
    for part in ["/subscribe/tracks/track-1", "/subscribe/program?track=track-1"] {
        assert!(!app.get(part).await.text().contains("ggt.gaa.st"), "{part}");
    }
}
