//! Methods (RFC 9110, 9): the known methods, and the value of Allow.

use http::{HeaderValue, Method};

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

/// The value of Allow: HEAD comes with GET, OPTIONS with everything.
pub(super) fn allow(methods: &[&str]) -> HeaderValue {
    let mut names = methods.to_vec();
    if methods.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    HeaderValue::from_str(&names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
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
}
