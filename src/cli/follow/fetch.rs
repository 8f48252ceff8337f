//! Requests to the source: conditional, compressed, and redirected only within the host that the config names.

use crate::cli::deliver::seconds;
use crate::client::{Client, ClientResponse, OutgoingRequest};
use crate::clock::Clock;
use std::time::Duration;
use url::{Origin, Url};

/// How long one request may take, with its redirects.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 5;

/// Hosts that redirect to another host of the same owner, whose names end with the second text. Google serves published
/// sheets so (seen in November 2026). Header fields of `headers_file` do not go there.
const SAME_OWNER: &[(&str, &str)] = &[("docs.google.com", ".googleusercontent.com")];

/// Header fields of the requests. They may be credentials, so they are never printed.
#[derive(Clone, Default)]
pub(super) struct Headers(Vec<(String, String)>);

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Headers(…)")
    }
}

impl Headers {
    /// Reads lines of the form `Name: value`. Blank lines and lines that begin with `#` are ignored.
    ///
    /// # Errors
    /// The number of the first line that is no header field. The text never quotes the line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut fields = Vec::new();
        for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let is_name = |name: &str| {
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            };
            let is_value =
                |value: &str| value.bytes().all(|byte| byte == b'\t' || (b' '..0x7f).contains(&byte));
            let field = line.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
            match field.filter(|(name, value)| is_name(name) && is_value(value)) {
                Some((name, value)) => fields.push((name.to_owned(), value.to_owned())),
                None => {
                    let number = number + 1;
                    return Err(format!(
                        "line {number} is no header field; write one on each line, such as \"Authorization: Token …\""
                    ));
                }
            }
        }
        Ok(Self(fields))
    }

    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }
}

/// The result of a request to the source.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fetched {
    /// A whole body, with its validators.
    Body { bytes: Vec<u8>, etag: Option<String>, last_modified: Option<String> },
    /// The body is the one that the validators name.
    NotModified,
    /// No body, for a reason for people, and the time that the source asks to wait.
    Failed { reason: String, retry_after: Option<Duration> },
}

impl Fetched {
    fn failed(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), retry_after: None }
    }
}

/// The validators of an earlier answer, if it is still known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Validators<'a> {
    pub(super) etag: Option<&'a str>,
    pub(super) last_modified: Option<&'a str>,
}

/// Requests one source.
#[derive(Debug)]
pub(super) struct Fetcher {
    client: Client,
    clock: Clock,
    url: Url,
    headers: Headers,
}

impl Fetcher {
    pub(super) fn new(url: Url, headers: Headers) -> Self {
        Self { client: Client::for_source(TIMEOUT), clock: Clock::wall(), url, headers }
    }

    /// Requests the source.
    pub(super) fn fetch(&self, validators: Validators<'_>) -> Fetched {
        let mut url = self.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let host = url.host_str().unwrap_or_default().to_owned();
            let answer = match self.request(&url, validators) {
                Ok(answer) => answer,
                Err(cause) => return Fetched::failed(format!("{host} does not answer: {cause}")),
            };
            match answer.status {
                200 => {
                    let ClientResponse { body: bytes, etag, last_modified, .. } = answer;
                    return Fetched::Body { bytes, etag, last_modified };
                }
                304 if validators.etag.is_some() || validators.last_modified.is_some() => {
                    return Fetched::NotModified;
                }
                301 | 302 | 303 | 307 | 308 => {
                    let next = answer.location.as_deref().and_then(|location| url.join(location).ok());
                    let Some(next) = next else {
                        return Fetched::failed(format!("{host} redirects without an address"));
                    };
                    if !may_follow(&url, &next) {
                        let to = next.host_str().unwrap_or_default();
                        return Fetched::failed(format!(
                            "{host} redirects to {}://{to}, which is not followed; if the program is there, write its address into source.url; if it asks to sign in, write headers_file",
                            next.scheme()
                        ));
                    }
                    url = next;
                }
                status => {
                    let retry_after = answer.retry_after.as_deref();
                    let retry_after = retry_after.and_then(|text| seconds(text, &self.clock));
                    return Fetched::Failed {
                        reason: format!("{host} answered {status}{}", hint(status)),
                        retry_after: retry_after.map(Duration::from_secs),
                    };
                }
            }
        }
        Fetched::failed(format!("{} redirects too often", self.url.host_str().unwrap_or_default()))
    }

    fn request(&self, url: &Url, validators: Validators<'_>) -> Result<ClientResponse, String> {
        let accept = "text/csv, application/json, text/calendar, application/xml;q=0.9, */*;q=0.5".to_owned();
        let mut headers = vec![("accept", accept)];
        let own = |value: Option<&str>, name| value.map(|value| (name, value.to_owned()));
        headers.extend(own(validators.etag, "if-none-match"));
        headers.extend(own(validators.last_modified, "if-modified-since"));
        // A redirect must not carry credentials elsewhere.
        if may_send_headers(&self.url, url) {
            headers.extend(self.headers.0.iter().map(|(name, value)| (name.as_str(), value.clone())));
        }
        let request = OutgoingRequest { method: "GET", url: url.clone(), headers, body: None };
        self.client.send(request).map_err(|error| error.cause())
    }
}

/// Whether a redirect stays with the owner of the host, and does not give up encryption.
fn may_follow(from: &Url, to: &Url) -> bool {
    let host = |url: &Url| url.host_str().unwrap_or_default().to_owned();
    let is_of_owner = SAME_OWNER.iter().any(|(first, end)| host(from) == *first && host(to).ends_with(end));
    let is_upgrade = from.scheme() == "http"
        && to.scheme() == "https"
        && host(from) == host(to)
        && from.port().is_none()
        && to.port().is_none();
    is_same_origin(from, to) || is_upgrade || (is_of_owner && to.scheme() == "https")
}

/// Whether the header fields of the configured address may go to another address.
fn may_send_headers(configured: &Url, to: &Url) -> bool {
    is_same_origin(configured, to) || (configured.host() == to.host() && may_follow(configured, to))
}

fn is_same_origin(one: &Url, other: &Url) -> bool {
    matches!((one.origin(), other.origin()), (a @ Origin::Tuple(..), b) if a == b)
}

/// What to do about a status.
fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => "; the source asks for credentials, so write headers_file, or publish the program there",
        404 | 410 => "; compare source.url with the address in the browser",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn redirects_stay_with_the_host_and_its_owner() {
        let google = "https://docs.google.com/spreadsheets/d/e/1/pub?output=csv";
        for (from, to, follows, sends) in [
            ("https://a.example/x", "https://a.example/y", true, true),
            ("http://a.example/x", "https://a.example/x", true, true),
            ("http://a.example:8000/x", "https://a.example/x", false, false),
            ("https://a.example/x", "http://a.example/x", false, false),
            ("https://a.example/x", "https://a.example:8443/x", false, false),
            ("https://a.example/x", "https://b.example/x", false, false),
            ("https://a.example/x", "https://login.a.example/x", false, false),
            (google, "https://doc-0g-sheets.googleusercontent.com/pub/1", true, false),
            (google, "http://doc-0g-sheets.googleusercontent.com/pub/1", false, false),
            (google, "https://accounts.google.com/signin", false, false),
            (google, "https://evilgoogleusercontent.com/", false, false),
            ("https://a.example/x", "data:text/csv,id", false, false),
        ] {
            let (from, to) = (url(from), url(to));
            assert_eq!(
                (may_follow(&from, &to), may_send_headers(&from, &to)),
                (follows, sends),
                "{from} {to}"
            );
        }
    }

    #[test]
    fn header_fields_are_lines_and_are_never_printed() {
        let text = "\u{feff}# for pretalx\r\n\r\nAuthorization: Token s3cret\r\nPretalx-Version: v1\r\n";
        let headers = Headers::parse(text).unwrap();
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(headers.0, [own("Authorization", "Token s3cret"), own("Pretalx-Version", "v1")]);
        assert_eq!(format!("{headers:?}"), "Headers(…)");
        assert!(!headers.are_none() && Headers::parse("# none\n").unwrap().are_none());
        for wrong in ["Token s3cret", "Autho rization: s3cret", ": s3cret", "A: s3cret\u{7f}"] {
            let error = Headers::parse(&format!("\n{wrong}\n")).unwrap_err();
            assert!(error.starts_with("line 2 ") && !error.contains("s3cret"), "{error}");
        }
    }
}
