//! Compresses bodies that were rendered for one request (RFC 9110, 8.4). Feeds, pages and exports of a release are
//! compressed when they are published, and pass through here unchanged.
//!
//! The compressed body has an entity tag of its own: that of the plain body with `-gd`. Both tags stand for the same
//! text, so either one gets a 304, whichever coding the client accepts.
//!
//! No page shows text of the request beside a secret, so the length of a body reveals no secret (BREACH).

use super::body::Packed;
use super::negotiation::negotiate;
use super::{Body, policy};
use crate::feed::{Coded, Coding, Effort};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, Response};

/// The length in bytes from which a body is compressed: shorter ones fit into two or three packets anyway.
const MIN_LENGTH: usize = 4 * 1024;

/// The length in bytes up to which a body is compressed. That takes about 20 ms of a thread that answers requests.
const MAX_LENGTH: usize = 2 * 1024 * 1024;

/// Compresses a body that is still plain, if the client accepts gzip.
pub(super) fn compress(request: &HeaderMap, response: &mut Response<Body>) {
    let Body::Whole(plain) = response.body() else { return };
    let headers = response.headers();
    if !(MIN_LENGTH..=MAX_LENGTH).contains(&plain.len())
        || headers.contains_key(CONTENT_ENCODING)
        || !is_text(headers)
        || has_coded_tag(headers)
        || names_an_object(headers)
    {
        return;
    }
    let plain = plain.clone();
    policy::vary(response.headers_mut(), HeaderValue::from_static("Accept-Encoding"));
    if accepts_gzip(request)
        && let Some(coded) = Coded::make(Coding::Gzip, Effort::Quick, &plain)
    {
        mark(response.headers_mut());
        *response.body_mut() = Body::from(coded.bytes);
    }
}

/// The body of a document that may be held compressed, in the coding that the client accepts.
pub(super) fn packed(request: &HeaderMap, packed: &Packed, headers: &mut HeaderMap) -> Body {
    match packed.gzip().filter(|_| accepts_gzip(request)) {
        Some(gzip) => {
            mark(headers);
            Body::from(gzip)
        }
        None => packed.body(),
    }
}

fn accepts_gzip(request: &HeaderMap) -> bool {
    request.contains_key(ACCEPT_ENCODING)
        && negotiate(request, |coding| coding == Coding::Gzip) == Coding::Gzip
}

/// Sets the fields of a compressed body.
fn mark(headers: &mut HeaderMap) {
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(Coding::Gzip.as_str()));
    let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).and_then(|tag| tag.strip_suffix('"'));
    if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(format!("{tag}-gd\"")).ok()) {
        headers.insert(ETAG, tag);
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default();
    let (kind, subtype) = media_type.split_once('/').unwrap_or_default();
    kind == "text" || ["json", "xml", "javascript"].iter().any(|text| subtype.ends_with(text))
}

/// Whether the body would be compressed if that made it smaller, as with short joined feeds.
fn has_coded_tag(headers: &HeaderMap) -> bool {
    headers.get(ETAG).is_some_and(|tag| tag.as_bytes().ends_with(b"-gj\""))
}

/// Whether the response is an object of a CalDAV calendar, whose tag clients compare with that of a report.
fn names_an_object(headers: &HeaderMap) -> bool {
    headers.contains_key(policy::DAV) && headers.contains_key(ETAG)
}
