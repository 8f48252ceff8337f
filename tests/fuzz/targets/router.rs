//! Any request: `METHOD target` in the first line, then fields, an empty line and the body.
//!
//! `@key@`, `@read@`, `@other@`, `@revoked@`, `@secret@` and `@desk@` stand for secrets of the fixture. The answer is never a
//! 500, fits its media type, and is consistent with HEAD and with its own ETag.

use super::fuzz_app::{self, FuzzApp, FuzzResponse};
use super::skeleton::has_injected_markup;
use bytes::Bytes;
use callboard::{ics, xml};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};
use http_body_util::Full;
use serde_json::Value;

pub(super) fn run(bytes: &[u8]) {
    let (head, body) = match bytes.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    let Ok(head) = std::str::from_utf8(head) else { return };
    fuzz_app::with(|fuzz_app| {
        let Some(asked) = Asked::read(&fuzz_app.filled(head), &fuzz_app.filled_body(body)) else { return };
        let response = fuzz_app.ask(asked.request(&asked.method, &[]));
        check_answer(&response, &asked);
        if asked.method == Method::GET {
            check_head_and_tag(fuzz_app, &asked, &response);
        } else if head.contains("@key@") {
            fuzz_app.refresh();
        }
    });
}

impl FuzzApp {
    fn filled_body(&self, body: &[u8]) -> Bytes {
        match std::str::from_utf8(body) {
            Ok(text) => self.filled(text).into(),
            Err(_) => Bytes::copy_from_slice(body),
        }
    }
}

struct Asked {
    method: Method,
    target: Uri,
    version: Version,
    fields: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Asked {
    fn read(head: &str, body: &Bytes) -> Option<Self> {
        let mut lines = head.split('\n');
        let mut first = lines.next()?.splitn(3, ' ');
        let method = Method::from_bytes(first.next()?.as_bytes()).ok()?;
        let target: Uri = first.next()?.parse().ok()?;
        let version = if first.next() == Some("HTTP/1.0") { Version::HTTP_10 } else { Version::HTTP_11 };
        let mut fields: Vec<(HeaderName, HeaderValue)> = lines
            .filter_map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.trim().parse().ok()?, HeaderValue::from_str(value.trim()).ok()?))
            })
            .collect();
        if !fields.iter().any(|(name, _)| name == "host") {
            fields.push((http::header::HOST, HeaderValue::from_static("conf.example")));
        }
        Some(Self { method, target, version, fields, body: body.clone() })
    }

    fn request(&self, method: &Method, more: &[(&str, &HeaderValue)]) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = self.target.clone();
        *request.version_mut() = self.version;
        for (name, value) in &self.fields {
            request.headers_mut().append(name, value.clone());
        }
        for (name, value) in more {
            request.headers_mut().insert(name.parse::<HeaderName>().unwrap(), (*value).clone());
        }
        request
    }
}

/// Checks the rules that every answer follows.
fn check_answer(response: &FuzzResponse, asked: &Asked) {
    let FuzzResponse { status, body, .. } = response;
    let what = format!("{} {} {status}", asked.method, asked.target);
    assert!(!status.is_server_error() || *status == StatusCode::SERVICE_UNAVAILABLE, "{what}");
    assert!(
        !status.is_redirection() || *status == StatusCode::NOT_MODIFIED || status.as_u16() == 303,
        "{what}"
    );
    let Some(body) = body.as_ref().filter(|body| !body.is_empty()) else { return };
    assert!(asked.method != Method::HEAD && *status != StatusCode::NOT_MODIFIED, "{what}: a body");
    if response.headers.contains_key("content-encoding") || *status == StatusCode::PARTIAL_CONTENT {
        return;
    }
    let media_type = response.media_type();
    match media_type.split(';').next().unwrap_or_default() {
        "application/problem+json" => {
            let problem: Value = serde_json::from_slice(body).unwrap();
            assert_eq!(problem["status"], status.as_u16(), "{what}");
        }
        kind if kind.ends_with("json") => {
            serde_json::from_slice::<Value>(body).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        kind if kind.ends_with("xml") && !kind.ends_with("svg+xml") => {
            xml::read(body, xml::MAX_BYTES).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        "text/calendar" => {
            let reading = ics::read(body);
            assert_eq!(reading.errors, [], "{what}");
            assert!(!body.windows(8).any(|part| part == b"\r\nX-FUZZ"), "{what}: injected");
        }
        "text/html" => {
            let html = std::str::from_utf8(body).unwrap();
            assert!(!has_injected_markup(html), "{what}: injected");
        }
        _ => {}
    }
}

/// Checks that HEAD has the fields of GET (RFC 9110, 9.3.2) and that an ETag matches itself (13.1.2).
fn check_head_and_tag(fuzz_app: &FuzzApp, asked: &Asked, response: &FuzzResponse) {
    let head = fuzz_app.ask(asked.request(&Method::HEAD, &[]));
    let what = format!("HEAD {}", asked.target);
    if response.body.is_none() || asked.fields.iter().any(|(name, _)| name == "range") {
        return;
    }
    assert_eq!(head.status, response.status, "{what}");
    let fields = |response: &FuzzResponse| {
        let fields = response.headers.iter().filter(|(name, _)| *name != "content-length");
        let mut fields: Vec<_> = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
        fields.sort_by(|a, b| (a.0.as_str(), a.1.as_bytes()).cmp(&(b.0.as_str(), b.1.as_bytes())));
        fields
    };
    assert_eq!(fields(&head), fields(response), "{what}");
    let conditional = asked.fields.iter().any(|(name, _)| name.as_str().starts_with("if-"));
    // The tag of an answer that must not be cached is only for If-Match.
    let is_stored = response.headers.get("cache-control").is_none_or(|caching| caching != "no-store");
    let is_tagged = response.status == StatusCode::OK && !conditional && is_stored;
    if let Some(tag) = response.headers.get("etag").filter(|_| is_tagged) {
        let again = fuzz_app.ask(asked.request(&Method::GET, &[("if-none-match", tag)]));
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{} {tag:?}", asked.target);
    }
}
