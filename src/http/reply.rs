//! Responses of handlers: the representation of a resource with its validators, and short replies without validators.
//!
//! A representation's body is rendered only if it is sent. Every compressed representation passes through here, so each one
//! varies by Accept-Encoding.

use super::body::Packed;
use super::conditional::{ConditionResult, Validators, evaluate, http_date, is_unchanged};
use super::negotiation::wanted;
use super::policy::{self, Class};
use super::{Body, EntityTag, Problem};
use crate::feed::{Coded, Coding, Codings, ResponseHeads};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION, SET_COOKIE, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};

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

/// The current state of a resource.
pub(super) struct Representation<'a> {
    pub(super) media_type: &'static str,
    pub(super) validators: Validators,
    pub(super) coding: Coding,
    pub(super) body: Content<'a>,
    /// Further fields of a 200 and a 304.
    pub(super) fields: Vec<(HeaderName, String)>,
}

/// A body, or the function that renders it.
pub(super) enum Content<'a> {
    /// A body in memory.
    Kept(Bytes),
    /// A cached body, perhaps held compressed; it is sent plain.
    Packed(&'a Packed),
    /// Rendered only if it is sent.
    Made(Box<dyn FnOnce() -> Result<Bytes, Problem> + 'a>),
    /// Rendered only if it is sent, and then piece by piece.
    Streamed(Box<dyn FnOnce() -> Body + 'a>),
    /// Rendered only if it is sent, with its coding: a compressed body that is no smaller is not worth sending.
    MadeIn(Box<dyn FnOnce() -> Result<(Coding, Bytes), Problem> + 'a>),
}

impl Representation<'_> {
    /// Answers a GET or HEAD: 200, 304 or 412.
    pub(super) fn answer(self, request: &Parts) -> Result<Response<Body>, Problem> {
        let (status, tag) = match evaluate(&request.method, &request.headers, &self.validators) {
            ConditionResult::Failed => return Err(Problem::Condition),
            ConditionResult::NotModified(tag) => (StatusCode::NOT_MODIFIED, tag),
            ConditionResult::Perform => (StatusCode::OK, None),
        };
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        // Room for the fields of the class, so that the map is allocated once.
        headers.reserve(12);
        let mut set = |name: HeaderName, value: String| {
            // All values are visible ASCII, so the conversion always succeeds.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        };
        set(ETAG, tag.unwrap_or_else(|| self.validators.tag.into_quoted()));
        self.fields.into_iter().for_each(|(name, value)| set(name, value));
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Some(modified) = self.validators.modified {
            headers.insert(LAST_MODIFIED, http_date(modified));
        }
        if status == StatusCode::OK {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
            let (coding, sent): (_, Body) = match self.body {
                Content::Kept(bytes) => (self.coding, bytes.into()),
                Content::Packed(packed) => (self.coding, packed.body()),
                Content::Made(make) => (self.coding, make()?.into()),
                Content::Streamed(stream) => (self.coding, stream()),
                Content::MadeIn(make) => {
                    let (coding, bytes) = make()?;
                    (coding, bytes.into())
                }
            };
            if coding != Coding::Identity {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
            }
            *response.body_mut() = sent;
        }
        Ok(response)
    }
}

/// A text of the live release, with the bodies that were made of it at publication.
pub(super) struct Published<'a> {
    pub(super) media_type: &'static str,
    pub(super) hash: &'a str,
    pub(super) modified: Option<DateTime<Utc>>,
    pub(super) plain: &'a Bytes,
    pub(super) codings: &'a Codings,
}

impl Published<'_> {
    /// The representation in the coding that the client prefers.
    pub(super) fn representation(&self, request: &Parts) -> Representation<'static> {
        self.codings.choose(|_, made| self.coded(wanted(&request.headers, made)))
    }

    fn coded(&self, coded: Option<&Coded>) -> Representation<'static> {
        let tag = match coded {
            Some(coded) => EntityTag::coded(self.hash, coded.coding, coded.level),
            None => EntityTag::plain(self.hash),
        };
        Representation {
            media_type: self.media_type,
            validators: Validators { tag, modified: self.modified },
            coding: coded.map_or(Coding::Identity, |coded| coded.coding),
            body: Content::Kept(coded.map_or(self.plain, |coded| &coded.bytes).clone()),
            fields: Vec::new(),
        }
    }

    /// Answers a GET or HEAD. The heads of the usual responses are made once for each body. `finish` adds fields to
    /// every head, and must add the same ones each time.
    pub(super) fn answer(&self, request: &Parts, class: Class, finish: impl Fn(&mut HeaderMap)) -> Answer {
        let answer = |request: &Parts, coded: Option<&Coded>| {
            let mut response = self.coded(coded).answer(request)?;
            finish(response.headers_mut());
            Ok::<_, Problem>(response)
        };
        self.codings.choose(|plain, made| {
            let coded = wanted(&request.headers, made);
            // A plain body may still be compressed for this request.
            if coded.is_none() && request.headers.contains_key(ACCEPT_ENCODING) {
                return answer(request, None);
            }
            let heads = coded.map_or(plain, |coded| &coded.heads);
            let heads = match heads.get() {
                Some(heads) => heads,
                None => {
                    let made = make_heads(class, |request| answer(request, coded))?;
                    heads.get_or_init(|| Box::new(made))
                }
            };
            let Some(is_unchanged) = is_unchanged(&request.headers, &heads.tag) else {
                return answer(request, coded);
            };
            let mut response = Response::new(Body::Empty);
            if is_unchanged {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                *response.headers_mut() = heads.not_modified.clone();
            } else {
                *response.headers_mut() = heads.ok.clone();
                *response.body_mut() = coded.map_or(self.plain, |coded| &coded.bytes).clone().into();
            }
            Ok(response)
        })
    }
}

/// The complete heads of a 200 and of a 304.
pub(super) fn make_heads(class: Class, answer: impl Fn(&Parts) -> Answer) -> Result<ResponseHeads, Problem> {
    let head = |request: &Parts| {
        let mut response = answer(request)?;
        policy::complete(Some(class), response.status(), response.headers_mut());
        Ok::<_, Problem>(std::mem::take(response.headers_mut()))
    };
    let (mut request, ()) = Request::new(()).into_parts();
    let ok = head(&request)?;
    let tag = ok.get(ETAG).ok_or(Problem::NotFound)?.clone();
    request.headers.insert(IF_NONE_MATCH, tag.clone());
    Ok(ResponseHeads { tag, ok, not_modified: head(&request)? })
}

/// The value of Last-Modified. It counts whole seconds, so a time less than 2 s ago could stand for two states and is omitted
/// (RFC 9110, 8.8.2.2).
pub(super) fn stable_last_modified(modified: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (now - modified >= TimeDelta::seconds(2)).then_some(modified)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Effort;
    use http::header::{IF_MATCH, IF_MODIFIED_SINCE};

    #[test]
    fn heads_that_are_made_once_are_those_that_would_be_made_anew() {
        let (plain, codings) = (Bytes::from("BEGIN:VEVENT\r\n".repeat(100)), Codings::default());
        codings.make(Effort::Quick, &[Coding::Gzip], &plain);
        let modified = Some(DateTime::UNIX_EPOCH);
        let published =
            Published { media_type: TEXT, hash: "hash", modified, plain: &plain, codings: &codings };
        let class = Class::PublicFeed;
        let complete = |answer: Answer| {
            let mut response = answer.ok()?;
            if !policy::is_complete(response.headers()) {
                policy::complete(Some(class), response.status(), response.headers_mut());
            }
            let (head, body) = response.into_parts();
            Some((head.status, head.headers.into_iter().collect::<Vec<_>>(), body.length()))
        };
        for (fields, status) in [
            (&[][..], Some(StatusCode::OK)),
            (&[(ACCEPT_ENCODING, "gzip")], Some(StatusCode::OK)),
            (&[(ACCEPT_ENCODING, "br")], Some(StatusCode::OK)),
            (&[(IF_NONE_MATCH, "\"hash\"")], Some(StatusCode::NOT_MODIFIED)),
            (&[(IF_NONE_MATCH, "\"hash-gd\"")], Some(StatusCode::NOT_MODIFIED)),
            (&[(IF_NONE_MATCH, "\"other\"")], Some(StatusCode::OK)),
            (&[(ACCEPT_ENCODING, "gzip"), (IF_NONE_MATCH, "\"hash-g1\"")], Some(StatusCode::NOT_MODIFIED)),
            (&[(ACCEPT_ENCODING, "gzip"), (IF_NONE_MATCH, "\"hash\"")], Some(StatusCode::OK)),
            (&[(IF_MODIFIED_SINCE, "Thu, 01 Jan 1970 00:00:00 GMT")], Some(StatusCode::NOT_MODIFIED)),
            (&[(IF_MATCH, "\"other\""), (IF_NONE_MATCH, "\"hash\"")], None),
        ] {
            let (mut request, ()) = Request::new(()).into_parts();
            request
                .headers
                .extend(fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))));
            let anew = complete(published.representation(&request).answer(&request));
            assert_eq!(anew.as_ref().map(|(status, ..)| *status), status, "{fields:?}");
            for _ in 0..2 {
                assert_eq!(complete(published.answer(&request, class, |_| {})), anew, "{fields:?}");
            }
        }
    }

    #[test]
    fn a_recent_modification_time_is_omitted() {
        let at = DateTime::from_timestamp(100, 0).unwrap();
        assert_eq!(stable_last_modified(at, at + TimeDelta::seconds(1)), None);
        assert_eq!(stable_last_modified(at, at + TimeDelta::seconds(2)), Some(at));
        assert_eq!(stable_last_modified(at, at - TimeDelta::seconds(9)), None);
    }
}
