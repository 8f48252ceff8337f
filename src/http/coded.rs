//! The codings of a request's body: none is decoded here, and one that is not looked at would be taken for text.
//!
//! 1. A transfer coding beside `chunked`, or `chunked` twice: 501, and the connection closes, since another server
//!    may see the request end elsewhere (RFC 9112, 6.1 and 7).
//! 2. A content coding other than `identity` on a body: 415 with Accept-Encoding (RFC 9110, 8.4 and 15.5.16).

use super::Problem;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, TRANSFER_ENCODING};

/// Checks rule 1.
pub(super) fn transfer(headers: &HeaderMap) -> Result<(), Problem> {
    let mut lines = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(line) = lines.next() else { return Ok(()) };
    let is_chunked = line.to_str().is_ok_and(|line| line.trim().eq_ignore_ascii_case("chunked"));
    if is_chunked && lines.next().is_none() { Ok(()) } else { Err(Problem::TransferCoding) }
}

/// Checks rule 2, for a request that has a body.
pub(super) fn content(headers: &HeaderMap) -> Result<(), Problem> {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    let is_plain = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    let mut codings = lines.flat_map(|line| line.to_str().unwrap_or("?").split(',')).map(str::trim);
    if codings.all(is_plain) { Ok(()) } else { Err(Problem::ContentCoding) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    fn headers(name: HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&name, line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn chunked_alone_is_implemented() {
        for good in [&[][..], &["chunked"], &["Chunked"], &[" chunked\t"]] {
            assert!(transfer(&headers(TRANSFER_ENCODING, good)).is_ok(), "{good:?}");
        }
        for bad in [&["gzip, chunked"][..], &["chunked, chunked"], &["chunked", "chunked"], &["gzip"], &[""]]
        {
            assert!(transfer(&headers(TRANSFER_ENCODING, bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_body_is_plain() {
        for good in [&[][..], &["identity"], &["Identity, identity"], &[""]] {
            assert!(content(&headers(CONTENT_ENCODING, good)).is_ok(), "{good:?}");
        }
        for bad in [&["gzip"][..], &["identity", "br"], &["identity, gzip"], &["x"], &["\u{e9}"]] {
            assert!(content(&headers(CONTENT_ENCODING, bad)).is_err(), "{bad:?}");
        }
    }
}
