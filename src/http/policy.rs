//! Caching, sharing across origins and indexing, by class of resource (RFC 9111; the Fetch standard's CORS).
//!
//! | class | Cache-Control | others |
//! | --- | --- | --- |
//! | public feed | `public, max-age=300, stale-while-revalidate=3600` | any origin may read it |
//! | agenda feed | `private, no-cache` | no referrer, no index: its address is a secret |
//! | agenda API | `no-store` | no referrer, no index |
//! | organizer | `no-store` | no index; no path in a referrer |
//! | site file | `public, max-age=86400` | |
//! | page | `public, max-age=0, must-revalidate` | content security policy |
//! | personal page | `private, no-cache` | the same, no index |
//! | asset | `public, max-age=31536000, immutable` | its name changes with its content |
//! | CalDAV | `no-cache`; an agenda's `private, no-cache` | an agenda's as its feed; DAV lists the supported features |
//! | live | `no-store` | |
//!
//! An error is `no-store`, and keeps the other fields of its class.
//!
//! Every answer, whatever its class, status and path, passes through [`common`]. It adds the content security policy to
//! everything that a browser could run as a document or worker, and forbids other sites to frame it.

use http::header::CONTENT_SECURITY_POLICY;
use http::header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE};
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY,
    VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use url::Url;

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// A value that is validated at compile time. Validation at run time would cost as much as routing.
const fn fixed(value: &'static str) -> HeaderValue {
    HeaderValue::from_static(value)
}

/// The supported features of WebDAV (RFC 4918, 10.1; RFC 4791, 5.1): no locks.
pub(super) const DAV: HeaderName = HeaderName::from_static("dav");
const DAV_FEATURES: &str = "1, 3, calendar-access";

/// The content security policy without the origins that may frame the page: own resources only, no inline scripts.
macro_rules! policy {
    () => {
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
    };
}

/// A class of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    PublicFeed,
    AgendaFeed,
    AgendaApi,
    Organizer,
    SiteFile,
    /// A page that is the same for everybody.
    Page,
    /// A page of one visitor, or with a secret in its address.
    PersonalPage,
    /// A file whose name changes with its content.
    Asset,
    /// Public CalDAV.
    Dav,
    /// An agenda's CalDAV.
    AgendaDav,
    /// A stream of events.
    Live,
}

impl Class {
    /// Whether every answer needs the record of an agenda. A feed that was polled before does not.
    pub(super) fn reads_agendas(self) -> bool {
        matches!(self, Self::AgendaApi | Self::PersonalPage | Self::AgendaDav)
    }

    /// Sets the fields of the class on an answer of any status, and keeps its own Vary and DAV.
    pub(super) fn apply(self, status: StatusCode, headers: &mut HeaderMap) {
        let features = match self {
            Self::Dav | Self::AgendaDav => headers.remove(DAV).unwrap_or(const { fixed(DAV_FEATURES) }),
            _ => const { fixed(DAV_FEATURES) },
        };
        let mut set = |name: HeaderName, value: HeaderValue| {
            headers.insert(name, value);
        };
        let is_error = status.is_client_error() || status.is_server_error();
        let caching = match self {
            Self::PublicFeed => const { fixed("public, max-age=300, stale-while-revalidate=3600") },
            Self::AgendaFeed | Self::AgendaDav => const { fixed("private, no-cache") },
            Self::Dav => const { fixed("no-cache") },
            Self::AgendaApi | Self::Organizer => const { fixed("no-store") },
            Self::SiteFile => const { fixed("public, max-age=86400") },
            Self::Page => const { fixed("public, max-age=0, must-revalidate") },
            Self::PersonalPage => const { fixed("private, no-cache") },
            Self::Asset => const { fixed("public, max-age=31536000, immutable") },
            Self::Live => const { fixed("no-store") },
        };
        set(CACHE_CONTROL, if is_error { const { fixed("no-store") } } else { caching });
        match self {
            Self::PublicFeed => {
                set(ACCESS_CONTROL_ALLOW_ORIGIN, const { fixed("*") });
                set(ACCESS_CONTROL_EXPOSE_HEADERS, const { fixed("ETag, Last-Modified, Content-Location") });
            }
            Self::AgendaFeed | Self::AgendaApi => {
                set(ROBOTS, const { fixed("noindex") });
                set(REFERRER_POLICY, const { fixed("no-referrer") });
            }
            // Not `no-referrer`: browsers would send `Origin: null`, and the sign-in would be rejected.
            Self::Organizer => {
                set(ROBOTS, const { fixed("noindex") });
                set(REFERRER_POLICY, const { fixed("strict-origin") });
            }
            Self::Page => {
                set(REFERRER_POLICY, const { fixed("strict-origin") });
            }
            // Not `no-referrer`: browsers would send `Origin: null` with the page's forms.
            Self::PersonalPage => {
                set(ROBOTS, const { fixed("noindex") });
                set(REFERRER_POLICY, const { fixed("strict-origin") });
            }
            Self::Dav => set(DAV, features),
            Self::AgendaDav => {
                set(DAV, features);
                set(ROBOTS, const { fixed("noindex") });
                set(REFERRER_POLICY, const { fixed("no-referrer") });
            }
            Self::Asset | Self::SiteFile | Self::Live => {}
        }
        match self {
            Self::AgendaApi | Self::Organizer | Self::AgendaDav => {
                vary(headers, const { fixed("Authorization") })
            }
            Self::PersonalPage => vary(headers, const { fixed("Cookie") }),
            _ => {}
        }
    }

    /// Whether a browser gets problems of this class as pages. Programs that call the organizer's paths do not ask for
    /// HTML.
    pub(super) fn is_page(self) -> bool {
        matches!(self, Self::Page | Self::PersonalPage | Self::Organizer)
    }

    /// Sets the fields of a preflight: any origin may request public feeds, with the fields that feed readers and
    /// calendar libraries send.
    pub(super) fn preflight(self, headers: &mut HeaderMap) {
        if self == Self::PublicFeed {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, const { fixed(REQUEST_FIELDS) });
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        }
    }
}

/// The request fields that other origins may send. `*` stands for all fields but Authorization in current browsers;
/// older ones compare it with the field's name.
const REQUEST_FIELDS: &str = "*, Accept-Language, Authorization, Cache-Control, Content-Type, If-Modified-Since, \
                              If-None-Match, Pragma, Range, User-Agent, X-Requested-With";

/// Sets the content security policy with the origins that may frame the page.
pub(super) fn frame(ancestors: &str, headers: &mut HeaderMap) {
    if let Ok(policy) = HeaderValue::try_from(format!("{}{ancestors}", policy!())) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
}

/// Sets the content security policy of a page that shows an image of another origin.
pub(super) fn show_image(image: &Url, headers: &mut HeaderMap) {
    let own = concat!(policy!(), "'none'");
    let policy =
        own.replace("img-src 'self'", &format!("img-src 'self' {}", image.origin().ascii_serialization()));
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        headers.insert(X_FRAME_OPTIONS, const { fixed("DENY") });
    }
}

/// Adds to the Vary of an answer (RFC 9110, 12.5.5).
pub(super) fn vary(headers: &mut HeaderMap, by: HeaderValue) {
    if headers.get_all(VARY).iter().all(|there| *there != by) {
        headers.append(VARY, by);
    }
}

/// Whether [`complete`] has set the fields of an answer, as of one whose head was made at publication.
pub(super) fn is_complete(headers: &HeaderMap) -> bool {
    headers.contains_key(X_CONTENT_TYPE_OPTIONS)
}

/// Sets the fields of the class and those that every answer has. `class` is `None` if no route fits.
pub(super) fn complete(class: Option<Class>, status: StatusCode, headers: &mut HeaderMap) {
    if let Some(class) = class {
        class.apply(status, headers);
    }
    common(class, headers);
}

/// Sets the fields that every answer has. `class` is `None` if no route fits.
pub(super) fn common(class: Option<Class>, headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, const { fixed("nosniff") });
    // A page that other origins may frame has its policy already.
    if is_svg(headers) {
        headers.insert(CONTENT_SECURITY_POLICY, const { fixed(SVG_POLICY) });
    }
    if is_executable(class, headers) && !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, const { fixed(concat!(policy!(), "'none'")) });
        headers.insert(X_FRAME_OPTIONS, const { fixed("DENY") });
    }
}

/// The policy of SVG images, some of which are an organizer's: styles of their own, no scripts, and an origin of their
/// own if somebody opens the image as a document.
const SVG_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'";

fn is_svg(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"image/svg+xml"))
}

/// Whether a browser could run the body as a document or as a worker. A worker's policy is that of its own script. The
/// other scripts are assets: they run in pages, under the policy of the page, and are spared 260 bytes each.
fn is_executable(class: Option<Class>, headers: &HeaderMap) -> bool {
    let is = |kind: &&str| {
        headers.get(CONTENT_TYPE).is_some_and(|media_type| media_type.as_bytes().starts_with(kind.as_bytes()))
    };
    ["text/html", "application/xhtml+xml"].iter().any(is)
        || (is(&"text/javascript") && class != Some(Class::Asset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_may_be_framed_keeps_its_policy_and_allows_frames() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, fixed("text/html; charset=utf-8"));
        frame("https://www.example.org", &mut headers);
        common(Some(Class::Page), &mut headers);
        let policy = headers.get(CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
        assert!(policy.ends_with("frame-ancestors https://www.example.org"), "{policy}");
        assert!(!headers.contains_key(X_FRAME_OPTIONS));
    }

    #[test]
    fn a_worker_has_a_policy_and_the_scripts_of_pages_have_that_of_the_page() {
        for (class, has_policy) in [(Class::SiteFile, true), (Class::Asset, false)] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, fixed("text/javascript; charset=utf-8"));
            class.apply(StatusCode::OK, &mut headers);
            common(Some(class), &mut headers);
            assert_eq!(headers.contains_key(CONTENT_SECURITY_POLICY), has_policy, "{class:?}");
        }
    }

    #[test]
    fn a_feed_has_no_content_security_policy() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, fixed("text/calendar; charset=utf-8"));
        common(Some(Class::PublicFeed), &mut headers);
        assert!(!headers.contains_key(CONTENT_SECURITY_POLICY) && !headers.contains_key(X_FRAME_OPTIONS));
    }
}
