//! Methods (RFC 9110, 9): which ones a resource takes.
//!
//! 1. HEAD wherever GET is, with the same fields and no body.
//! 2. OPTIONS everywhere: 204 with Allow.
//! 3. A known one that the resource does not take: 405 with Allow.
//! 4. One that no resource takes and that no standard named here has: 501 (9.1).

use http::{HeaderValue, Method};

/// What a resource that is only read takes.
pub(super) const READ: &[Method] = &[Method::GET];

/// The known methods beside those of RFC 9110 and PATCH: QUERY, and WebDAV's (RFC 4918, 3253, 3744, 4791, 5323, 5842).
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

/// Rule 4: whether a method is known.
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

/// The value of Allow.
pub(super) fn allow(methods: &[Method]) -> HeaderValue {
    let mut names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if methods.contains(&Method::GET) {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    HeaderValue::from_str(&names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}

/// What a request asks for, once its method is known to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    /// To perform the method; HEAD is performed as GET.
    Perform(&'a Method),
    /// To be told what is taken.
    Options,
    /// Something that is not taken.
    Refused,
}

/// Rules 1 to 3.
pub(super) fn asked<'a>(method: &'a Method, taken: &[Method]) -> Asked<'a> {
    let performed = if method == Method::HEAD { &Method::GET } else { method };
    if taken.contains(performed) {
        Asked::Perform(performed)
    } else if method == Method::OPTIONS {
        Asked::Options
    } else {
        Asked::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_comes_with_get_and_options_with_everything() {
        assert_eq!(allow(READ), "GET, HEAD, OPTIONS");
        assert_eq!(allow(&[Method::PUT, Method::DELETE]), "PUT, DELETE, OPTIONS");
        assert_eq!(asked(&Method::HEAD, READ), Asked::Perform(&Method::GET));
        assert_eq!(asked(&Method::HEAD, &[Method::PUT]), Asked::Refused);
        assert_eq!(asked(&Method::OPTIONS, READ), Asked::Options);
        assert_eq!(asked(&Method::PUT, READ), Asked::Refused);
    }

    #[test]
    fn invented_methods_and_other_spellings_are_not_known() {
        for name in ["GET", "TRACE", "PATCH", "PROPFIND", "MKCALENDAR", "QUERY"] {
            assert!(is_known(&Method::from_bytes(name.as_bytes()).unwrap()), "{name}");
        }
        for name in ["BREW", "get", "Propfind", "PRI"] {
            assert!(!is_known(&Method::from_bytes(name.as_bytes()).unwrap()), "{name}");
        }
    }
}
