//! Caching, sharing across origins and indexing, by class of resource (RFC 9111; the Fetch standard's CORS).
//!
//! | class | Cache-Control | others |
//! | --- | --- | --- |
//! | public feed | `public, max-age=300, stale-while-revalidate=3600` | any origin may read it |
//! | agenda feed | `private, no-cache` | no referrer, no index: its address is a secret |
//! | agenda API | `no-store` | no referrer, no index |
//! | organizer | `no-store` | no referrer, no index |
//! | site file | `public, max-age=86400` | |
//!
//! An error is `no-store`, and keeps the other fields of its class.

use http::header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE};
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// A class of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    PublicFeed,
    AgendaFeed,
    AgendaApi,
    Organizer,
    SiteFile,
}

impl Class {
    /// Sets the fields of the class on an answer of any status.
    pub(super) fn apply(self, status: StatusCode, headers: &mut HeaderMap) {
        let mut set = |name: HeaderName, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        let is_error = status.is_client_error() || status.is_server_error();
        let caching = match self {
            Self::PublicFeed => "public, max-age=300, stale-while-revalidate=3600",
            Self::AgendaFeed => "private, no-cache",
            Self::AgendaApi | Self::Organizer => "no-store",
            Self::SiteFile => "public, max-age=86400",
        };
        set(CACHE_CONTROL, if is_error { "no-store" } else { caching });
        match self {
            Self::PublicFeed => {
                set(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
                set(ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, Last-Modified, Content-Location");
                set(VARY, "Accept-Encoding");
            }
            Self::AgendaFeed => {
                set(ROBOTS, "noindex");
                set(REFERRER_POLICY, "no-referrer");
                set(VARY, "Accept-Encoding");
            }
            Self::AgendaApi | Self::Organizer => {
                set(ROBOTS, "noindex");
                set(REFERRER_POLICY, "no-referrer");
                set(VARY, "Authorization");
            }
            Self::SiteFile => {}
        }
    }

    /// Sets what a preflight asks for: public feeds take the fields of a conditional request from anywhere.
    pub(super) fn preflight(self, headers: &mut HeaderMap) {
        if self == Self::PublicFeed {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
            let fields = HeaderValue::from_static("If-None-Match, If-Modified-Since");
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, fields);
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        }
    }
}

/// Sets what every answer has.
pub(super) fn common(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}
