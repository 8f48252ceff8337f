//! Methods (RFC 9110, 9): which ones a resource takes.
//!
//! 1. HEAD wherever GET is, with the same fields and no body.
//! 2. OPTIONS everywhere: 204 with Allow.
//! 3. Any other that the resource does not take, known or not: 405 with Allow.

use http::{HeaderValue, Method};

/// What a resource that is only read takes.
pub(super) const READ: &[Method] = &[Method::GET];

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
        let invented = Method::from_bytes(b"BREW").unwrap();
        assert_eq!(asked(&invented, READ), Asked::Refused);
    }
}
