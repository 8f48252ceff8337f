//! Cross-site request forgery: a write with a cookie must come from one of our own pages (the Fetch standard; RFC 6454).
//!
//! 1. `Sec-Fetch-Site`, if present, must be `same-origin`.
//! 2. Otherwise `Origin` must be the public origin. `null` and a missing field are rejected.

use crate::http::Problem;
use http::header::ORIGIN;
use http::{HeaderMap, HeaderName};
use url::Url;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Rules 1 and 2.
pub(super) fn check(headers: &HeaderMap, public_url: &Url) -> Result<(), Problem> {
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
            assert_eq!(check(&headers, &public).is_ok(), ours, "{fields:?}");
        }
    }
}
