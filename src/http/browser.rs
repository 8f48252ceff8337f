//! Requests of browsers: cookies (RFC 6265bis), posted forms with files or without, and the origin of writes.
//!
//! An agenda's edit key is in a cookie that no script can read. A second cookie tells scripts that there is an agenda.
//!
//! A write with a cookie must come from one of our own pages, which prevents cross-site request forgery (the Fetch
//! standard; RFC 6454):
//!
//! 1. `Sec-Fetch-Site`, if present, must be `same-origin`.
//! 2. Otherwise `Origin` must be the public origin. `null` and a missing field are rejected.

use super::Problem;
use crate::agenda::EditKey;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use url::Url;

/// `__Host-` binds a cookie to this very host and to https; without https the prefix is not allowed.
const SECURE_NAME: &str = "__Host-agenda";
const PLAIN_NAME: &str = "agenda";

/// The cookie that scripts may read. It holds no secret.
const MARK: &str = "agenda_here";

/// The lifetime of the cookies in seconds: 400 days, the most that browsers allow.
const MAX_AGE: u32 = 400 * 24 * 3600;

/// The first cookie of that name.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Reads and writes the cookies of an agenda for one origin.
#[derive(Debug, Clone, Copy)]
pub(super) struct CookieJar {
    secure: bool,
}

impl CookieJar {
    pub(super) fn of(public_url: &Url) -> Self {
        Self { secure: public_url.scheme() == "https" }
    }

    fn name(self) -> &'static str {
        if self.secure { SECURE_NAME } else { PLAIN_NAME }
    }

    /// The edit key in the request's cookies; none if it is missing or malformed.
    pub(super) fn key(self, headers: &HeaderMap) -> Option<EditKey> {
        EditKey::parse(cookie(headers, self.name())?).ok()
    }

    /// The cookies that store a key in the browser.
    pub(super) fn keep(self, key: &EditKey) -> [String; 2] {
        self.set(&key.reveal(), "1", MAX_AGE)
    }

    /// The cookies that delete the key from the browser.
    pub(super) fn forget(self) -> [String; 2] {
        self.set("", "", 0)
    }

    fn set(self, key: &str, mark: &str, age: u32) -> [String; 2] {
        let secure = if self.secure { "; Secure" } else { "" };
        [
            format!("{}={key}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}", self.name()),
            format!("{MARK}={mark}; Path=/; SameSite=Lax; Max-Age={age}{secure}"),
        ]
    }
}

/// The longest form without a file, in bytes: enough for 500 session ids.
pub(super) const MAX_FORM: usize = 64 * 1024;

const FORM: &str = "application/x-www-form-urlencoded";

/// A form as `application/x-www-form-urlencoded` (the URL standard, 5.1): its fields, in order.
pub(super) struct PostedForm(Vec<(String, String)>);

impl PostedForm {
    /// Parses a body. A body that is not empty must be declared as a form.
    pub(super) fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self, Problem> {
        let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = declared.split(';').next().unwrap_or_default().trim();
        if !body.is_empty() && !essence.eq_ignore_ascii_case(FORM) {
            return Err(Problem::MediaType(FORM));
        }
        Ok(Self(url::form_urlencoded::parse(body).into_owned().collect()))
    }

    /// The first value of a field; empty where the field is missing.
    pub(super) fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Whether the form has a field.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| field == name)
    }

    /// All values of a field.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(field, _)| field == name).map(|(_, value)| value.clone()).collect()
    }
}

/// The boundary of a form with files, `multipart/form-data` (RFC 7578); none for any other body.
pub(super) fn boundary(request: &Parts) -> Option<String> {
    multer::parse_boundary(request.headers.get(CONTENT_TYPE)?.to_str().ok()?).ok()
}

/// The first uploaded file of that name.
pub(super) async fn uploaded_file(request: &Parts, body: Bytes, name: &str) -> Result<Bytes, Problem> {
    let boundary = boundary(request).ok_or(Problem::MediaType("multipart/form-data"))?;
    let bad = |error: multer::Error| Problem::BadBody(error.to_string());
    let whole = http_body_util::BodyDataStream::new(http_body_util::Full::new(body));
    let mut parts = multer::Multipart::new(whole, boundary);
    while let Some(part) = parts.next_field().await.map_err(bad)? {
        if part.name() == Some(name) {
            return part.bytes().await.map_err(bad);
        }
    }
    Err(Problem::BadBody(format!("the form has no part named {name}")))
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Checks that a write comes from one of our own pages.
pub(super) fn check_origin(headers: &HeaderMap, public_url: &Url) -> Result<(), Problem> {
    let is_ours = match headers.get(SEC_FETCH_SITE) {
        Some(site) => site == "same-origin",
        None => headers.get(ORIGIN).is_some_and(|origin| {
            origin.to_str().is_ok_and(|origin| origin == public_url.origin().ascii_serialization())
        }),
    };
    if is_ours { Ok(()) } else { Err(Problem::OtherSite) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(origin: &str) -> CookieJar {
        CookieJar::of(&origin.parse().unwrap())
    }

    #[test]
    fn a_stored_key_is_read_back_and_hidden_from_scripts() {
        let key = EditKey::generate().unwrap();
        for (origin, start) in [("https://a.example", "__Host-agenda="), ("http://127.0.0.1:8080", "agenda=")]
        {
            let [cookie, mark] = jar(origin).keep(&key);
            assert!(cookie.starts_with(start) && cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            assert_eq!(cookie.contains("; Secure"), origin.starts_with("https"));
            assert!(!mark.contains(&key.reveal()));
            let mut headers = HeaderMap::new();
            let pair = cookie.split(';').next().unwrap();
            headers.insert(COOKIE, format!("x=1; {pair}; y").parse().unwrap());
            assert_eq!(jar(origin).key(&headers), Some(key.clone()));
        }
    }

    #[test]
    fn a_missing_or_malformed_cookie_gives_no_key() {
        let mut headers = HeaderMap::new();
        assert_eq!(jar("http://a.example").key(&headers), None);
        headers.insert(COOKIE, "agenda=cbe_typo".parse().unwrap());
        assert_eq!(jar("http://a.example").key(&headers), None);
    }

    #[test]
    fn only_our_own_pages_may_write() {
        let public: Url = "https://conf.example".parse().unwrap();
        for (fields, ours) in [
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "same-origin"), ("origin", "null")], true),
            (vec![("sec-fetch-site", "same-site"), ("origin", "https://conf.example")], false),
            (vec![("sec-fetch-site", "cross-site"), ("origin", "https://conf.example")], false),
            (vec![("sec-fetch-site", "none")], false),
            (vec![("origin", "https://conf.example")], true),
            (vec![("origin", "https://conf.example:8443")], false),
            (vec![("origin", "http://conf.example")], false),
            (vec![("origin", "null")], false),
            (vec![], false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in &fields {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(check_origin(&headers, &public).is_ok(), ours, "{fields:?}");
        }
    }
}
