//! Any text as a token: each token has one spelling, and only the tokens of the fixture are accepted.
//!
//! The first byte decides the use of the rest: as a token, as the edit of a valid token, or as placeholders in one.

use super::fuzz_app::{self, FuzzApp};
use callboard::agenda::{EditKey, ReadToken};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::Full;

pub(super) fn run(bytes: &[u8]) {
    let [how, rest @ ..] = bytes else { return };
    let text = String::from_utf8_lossy(rest);
    if let Ok(key) = EditKey::parse(&text) {
        assert_eq!(key.reveal(), text);
        assert!(!format!("{key:?}").contains(&text[4..]));
        let read = key.read_token(1);
        assert_eq!(ReadToken::parse(&read.reveal()), Ok(read));
    }
    if let Ok(token) = ReadToken::parse(&text) {
        assert_eq!(token.reveal(), text);
        assert!(!format!("{token:?}").contains(&text[4..]));
    }
    fuzz_app::with(|fuzz_app| {
        let (key, read) = (fuzz_app.key().to_owned(), fuzz_app.read().to_owned());
        let (as_key, as_read) = match how % 3 {
            0 => (text.to_string(), text.to_string()),
            1 => (fuzz_app.filled(&text), fuzz_app.filled(&text)),
            _ => (edited(&key, rest), edited(&read, rest)),
        };
        opens_only_for(fuzz_app, &as_key, &key, &as_read, &read);
    });
}

/// A valid token with some bytes replaced. Each pair of bytes is a position and a new byte.
fn edited(token: &str, edits: &[u8]) -> String {
    let mut bytes = token.as_bytes().to_vec();
    for edit in edits.chunks_exact(2) {
        let place = usize::from(edit[0]) % bytes.len();
        bytes[place] = edit[1];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn opens_only_for(fuzz_app: &FuzzApp, as_key: &str, key: &str, as_read: &str, read: &str) {
    let is_known = |sent: &str| sent == key || sent == fuzz_app.other();
    if let Ok(value) = HeaderValue::from_str(&format!("Bearer {as_key}")) {
        let request = Request::get("/api/v1/agenda").header("host", "a").header("authorization", value);
        let response = fuzz_app.ask(request.body(Full::default()).unwrap());
        let is_open = response.status == StatusCode::OK;
        assert!(!is_open || is_known(as_key.trim()), "{as_key:?}");
        assert!(is_open || !is_known(as_key), "{as_key:?}");
        assert!(is_open || response.status == StatusCode::UNAUTHORIZED, "{as_key:?} {}", response.status);
    }
    if let Ok(value) = HeaderValue::from_str(&format!("x; __Host-agenda={as_key}")) {
        let request = Request::post("/agenda/name").header("host", "a").header("cookie", value);
        let request = request.header("sec-fetch-site", "same-origin");
        let response = fuzz_app.ask(request.body(Full::default()).unwrap());
        let sent = as_key.split(';').next().unwrap_or_default().trim();
        let is_open = response.status != StatusCode::UNAUTHORIZED;
        assert!(!is_open || is_known(sent), "{as_key:?} {}", response.status);
        assert!(is_open || !is_known(as_key), "{as_key:?} {}", response.status);
    }
    for suffix in [".ics", ".jcal", "", "/changes.atom"] {
        let Ok(uri) = format!("/agendas/{as_read}{suffix}").parse::<Uri>() else { continue };
        // The syntax of a path may cut off a part of the token.
        let is_plain = as_read.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let response = fuzz_app.ask(Request::get(uri).header("host", "a").body(Full::default()).unwrap());
        if is_plain && !as_read.is_empty() && as_read != fuzz_app.revoked() {
            assert_eq!(response.status == StatusCode::OK, as_read == read, "{as_read:?}{suffix}");
        }
    }
}
