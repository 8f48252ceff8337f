//! `/robots.txt` (RFC 9309).
//!
//! Google's calendar importer obeys it, so no feed may match a rule: rules are prefixes, and `/agenda`
//! without its end would forbid `/agendas/….ics`. Agendas keep themselves out of indexes by X-Robots-Tag.

use super::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

const TEXT: &str = "User-agent: *\nDisallow: /agenda$\nDisallow: /api/\nDisallow: /organizer/\n";

pub(super) fn answer() -> Response<Body> {
    let mut response = Response::new(Body::from(TEXT));
    let media_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rule_forbids_a_feed_even_where_wildcards_are_not_understood() {
        for rule in TEXT.lines().filter_map(|line| line.strip_prefix("Disallow: ")) {
            for feed in ["/program.ics", "/tracks/a.ics", "/agendas/cbr_a.ics", "/sessions/ab.ics"] {
                assert!(!feed.starts_with(rule), "{rule} {feed}");
                assert_ne!(rule.strip_suffix('$'), Some(feed));
            }
        }
    }
}
