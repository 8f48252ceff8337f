//! Responses that are not representations of a resource, and so carry no validators.

use super::{Body, Problem};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};

/// The return type of every handler.
pub(super) type Answer = Result<Response<Body>, Problem>;

pub(super) const JSON: &str = "application/json";
pub(super) const HTML: &str = "text/html; charset=utf-8";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// 200 with a body of a media type.
pub(super) fn ok(media_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// A page that is rendered for one request.
pub(super) fn html(body: String) -> Response<Body> {
    ok(HTML, body)
}

/// A JSON document.
pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = ok(JSON, Bytes::from(value.to_string()));
    *response.status_mut() = status;
    response
}

/// 204.
pub(super) fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// 303: the form was processed, the result is at `path` (RFC 9110, 15.4.4).
pub(super) fn see_other(path: &'static str) -> Response<Body> {
    see_other_at(HeaderValue::from_static(path))
}

/// [`see_other`] for a path that is not constant.
pub(super) fn see_other_at(path: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, path);
    response
}

pub(super) fn set_cookies(response: &mut Response<Body>, cookies: impl IntoIterator<Item = String>) {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
}
