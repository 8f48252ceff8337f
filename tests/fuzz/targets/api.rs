//! Any body for every request with a body: the owner's API, the forms of an agenda, the organizer's previews.
//!
//! The first byte chooses the endpoint, the second the media type. Every status is documented, and accepted picks are stored
//! afterwards.

use super::fuzz_app::{self, FuzzApp, FuzzResponse};
use super::skeleton::has_injected_markup;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::Value;

const ENDPOINTS: &[(&str, &str)] = &[
    ("PUT", "/api/v1/agenda/picks"),
    ("POST", "/api/v1/agendas"),
    ("PATCH", "/api/v1/agenda"),
    ("POST", "/api/v1/agenda/links"),
    ("POST", "/agenda/picks"),
    ("POST", "/agenda/name"),
    ("POST", "/agenda/links"),
    ("POST", "/organizer/preview"),
    ("POST", "/organizer/publish"),
    ("POST", "/organizer/held/preview"),
    ("POST", "/organizer/held/discard"),
    ("PUT", "/organizer/program"),
];

const MEDIA_TYPES: &[&str] = &[
    "application/json",
    "application/x-www-form-urlencoded",
    "text/csv",
    "multipart/form-data; boundary=fuzz",
    "application/json; charset=utf-16",
    "",
];

pub(super) fn run(bytes: &[u8]) {
    let [endpoint, media_type, body @ ..] = bytes else { return };
    let (method, path) = ENDPOINTS[usize::from(*endpoint) % ENDPOINTS.len()];
    let media_type = MEDIA_TYPES[usize::from(*media_type) % MEDIA_TYPES.len()];
    fuzz_app::with(|fuzz_app| {
        let body = Bytes::copy_from_slice(body);
        let response = fuzz_app.post(method, path, media_type, &body);
        is_documented(&response, method, path);
        if response.status == StatusCode::OK && path == "/api/v1/agenda/picks" {
            let picks: Vec<String> = serde_json::from_slice(&body).unwrap();
            let agenda = fuzz_app.post("GET", "/api/v1/agenda", "", &Bytes::new());
            let agenda: Value = serde_json::from_slice(&agenda.body.unwrap()).unwrap();
            let found = agenda["picks"].as_array().unwrap();
            assert!(
                picks.iter().all(|pick| found.iter().any(|found| found == pick || found["id"] == **pick))
            );
        }
        fuzz_app.refresh();
    });
}

impl FuzzApp {
    fn post(&self, method: &str, path: &str, media_type: &str, body: &Bytes) -> FuzzResponse {
        let secret = self.filled(if path.starts_with("/organizer") { "@secret@" } else { "@key@" });
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "conf.example")
            .header("content-type", media_type)
            .header("sec-fetch-site", "same-origin")
            .header("cookie", format!("__Host-agenda={}; {}", self.key(), self.filled("@desk@")))
            .header("authorization", format!("Bearer {secret}"));
        self.ask(request.body(Full::new(body.clone())).unwrap())
    }
}

fn is_documented(response: &FuzzResponse, method: &str, path: &str) {
    const KNOWN: [u16; 13] = [200, 201, 202, 204, 303, 400, 404, 409, 410, 412, 413, 415, 422];
    assert!(KNOWN.contains(&response.status.as_u16()), "{method} {path} {}", response.status);
    let body = response.body.as_ref().unwrap();
    if response.media_type().ends_with("json") {
        let answer: Value = serde_json::from_slice(body).unwrap();
        for name in ["name", "label"] {
            let text = answer[name].as_str().unwrap_or_default();
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    } else if response.media_type().starts_with("text/html") {
        let html = std::str::from_utf8(body).unwrap();
        assert!(!has_injected_markup(html), "{method} {path}: injected");
    }
}
