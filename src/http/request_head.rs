//! Checks of a request's method and Host field, before it is routed.
//!
//! Methods (RFC 9110, 9): the known methods, and the value of Allow.
//!
//! The path (RFC 3986, 6.2.2): `/program%2Eics` is the same address as `/program.ics`.
//!
//! The Host field (RFC 9112, 3.2; RFC 3986, 3.2.2):
//!
//! 1. Repeated: 400.
//! 2. Not a host with an optional port: 400.
//! 3. Missing on HTTP/1.1: 400; on HTTP/1.0 it is served.
//!
//! The field's value is never used: links are built from the configured origin.

use super::Problem;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method, Version};
use std::borrow::Cow;

/// Extension methods: QUERY, and those of WebDAV (RFC 4918, 3253, 3744, 4791, 5323, 5842).
const EXTENSIONS: &[&str] = &[
    "QUERY",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "MKCALENDAR",
    "ACL",
    "SEARCH",
    "CHECKIN",
    "CHECKOUT",
    "UNCHECKOUT",
    "VERSION-CONTROL",
    "MKWORKSPACE",
    "MKACTIVITY",
    "UPDATE",
    "LABEL",
    "MERGE",
    "BASELINE-CONTROL",
    "ORDERPATCH",
    "BIND",
    "UNBIND",
    "REBIND",
];

/// The path with every needlessly encoded character decoded: letters, digits, `-`, `.`, `_` and `~` (RFC 3986, 2.3 and
/// 6.2.2.2). All other characters stay as they are, so decoding the path again gives the same text.
pub(super) fn normalized_path(path: &str) -> Cow<'_, str> {
    let unreserved = |encoded: &str| {
        let byte = encoded.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok())?;
        let is_unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        // A sign is no hexadecimal digit.
        (is_unreserved && !encoded.starts_with('+')).then_some(char::from(byte))
    };
    let mut parts = path.split('%');
    let mut out = Cow::Borrowed(parts.next().unwrap_or_default());
    for part in parts {
        match unreserved(part) {
            Some(decoded) => {
                out.to_mut().push(decoded);
                out.to_mut().push_str(part.get(2..).unwrap_or_default());
            }
            None => {
                out.to_mut().push('%');
                out.to_mut().push_str(part);
            }
        }
    }
    out
}

/// Whether a standard defines the method. An unknown method is answered 501, not 405 (9.1).
pub(super) fn is_known(method: &Method) -> bool {
    const KNOWN: &[Method] = &[
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::CONNECT,
        Method::OPTIONS,
        Method::TRACE,
        Method::PATCH,
    ];
    KNOWN.contains(method) || EXTENSIONS.contains(&method.as_str())
}

/// Whether a method only reads.
pub(super) fn is_read(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// Whether a method writes nothing (RFC 9110, 9.2.1; RFC 4791).
pub(super) fn is_safe(method: &Method) -> bool {
    is_read(method) || matches!(method.as_str(), "OPTIONS" | "PROPFIND" | "REPORT")
}

/// The value of Allow: HEAD comes with GET, OPTIONS with everything.
pub(super) fn allow(methods: &[&str]) -> HeaderValue {
    let mut names = methods.to_vec();
    if methods.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    HeaderValue::from_str(&names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}

/// Checks the Host field by rules 1 to 3.
pub(super) fn check_host(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let mut lines = headers.get_all(HOST).iter();
    match (lines.next(), lines.next()) {
        (Some(_), Some(_)) => Err(Problem::BadHost("more than one Host field")),
        (Some(line), None) if line.to_str().is_ok_and(is_host) => Ok(()),
        (Some(_), None) => Err(Problem::BadHost("a Host field that names no host")),
        (None, _) if version == Version::HTTP_11 => Err(Problem::BadHost("no Host field")),
        (None, _) => Ok(()),
    }
}

fn is_host(value: &str) -> bool {
    let (host, port) = match value.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, behind)) => {
            let is_address = address.parse::<std::net::Ipv6Addr>().is_ok();
            return is_address && (behind.is_empty() || behind.strip_prefix(':').is_some_and(is_port));
        }
        None => value.split_once(':').unwrap_or((value, "")),
    };
    !host.is_empty() && host.bytes().all(is_name_byte) && is_port(port)
}

/// Unreserved, sub-delims and the percent sign (RFC 3986, 2 and 3.2.2).
fn is_name_byte(b: u8) -> bool {
    matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'A'..=b'Z' | b'-' | b'.' | b'_' | b'~' | b'%' | b'!' | b'$'
        | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}

fn is_port(port: &str) -> bool {
    port.is_empty() || port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_comes_with_get_and_options_with_everything() {
        assert_eq!(allow(&["GET"]), "GET, HEAD, OPTIONS");
        assert_eq!(allow(&["PUT", "DELETE"]), "PUT, DELETE, OPTIONS");
    }

    #[test]
    fn invented_methods_and_other_spellings_are_unknown() {
        for name in ["GET", "TRACE", "PATCH", "PROPFIND", "MKCALENDAR", "QUERY"] {
            assert!(is_known(&Method::from_bytes(name.as_bytes()).unwrap()), "{name}");
        }
        for name in ["BREW", "get", "Propfind", "PRI"] {
            assert!(!is_known(&Method::from_bytes(name.as_bytes()).unwrap()), "{name}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_address_with_an_optional_port() {
        for good in
            ["conf.example.org", "localhost:8080", "127.0.0.1", "[::1]:8080", "[::1]", "a_b.local", "x:"]
        {
            assert!(is_host(good), "{good}");
        }
        for bad in ["", ":80", "a b", "a/b", "u@h", "[::1", "[x]", "[::1]x", "a:b", "a:99999", "a:1:2", "é"]
        {
            assert!(!is_host(bad), "{bad}");
        }
    }

    #[test]
    fn http_1_1_requires_one_host_and_http_1_0_none() {
        let mut headers = HeaderMap::new();
        assert!(check_host(Version::HTTP_10, &headers).is_ok());
        assert!(check_host(Version::HTTP_11, &headers).is_err());
        headers.append(HOST, "a".parse().unwrap());
        assert!(check_host(Version::HTTP_11, &headers).is_ok());
        headers.append(HOST, "a".parse().unwrap());
        assert!(check_host(Version::HTTP_11, &headers).is_err());
        assert!(check_host(Version::HTTP_10, &headers).is_err());
    }

    #[test]
    fn only_needless_encodings_are_decoded() {
        for (path, normal) in [
            ("/program.ics", "/program.ics"),
            ("/program%2Eics", "/program.ics"),
            ("/%70rogram%2eics", "/program.ics"),
            ("/tracks/a%2Fb.ics", "/tracks/a%2Fb.ics"),
            ("/tracks/track%252d1.ics", "/tracks/track%252d1.ics"),
            ("/%+41%4%zz%é%", "/%+41%4%zz%é%"),
        ] {
            assert_eq!(normalized_path(path), normal, "{path}");
        }
    }
}
