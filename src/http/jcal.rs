//! jCal (RFC 7265) beside every feed: made of the feed's own bytes, once, and kept by their entity tag.
//!
//! A tag fixes the bytes of a feed, so a conversion serves every address and release with the same ones. Long ones are
//! made one at a time; the program's is made ahead of requests.

use super::packed::Packed;
use super::queue::{LONG_WAIT, Queue};
use super::{Body, Problem};
use crate::export::jcal;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_DISPOSITION, CONTENT_LOCATION, CONTENT_TYPE, ETAG, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that are kept.
const KEPT: u64 = 64 * 1024 * 1024;

/// Conversions that fit into that, by which the cache's tables are laid out.
const USUALLY: usize = 1000;

/// A feed up to here is converted where it is asked for: that takes less than a millisecond.
const SHORT: usize = 32 * 1024;

/// What was converted already.
pub(super) struct Jcals {
    made: Mutex<Cache<String, Packed, Weight>>,
    /// One at a time.
    queue: Queue,
}

#[derive(Clone)]
struct Weight;

impl Weighter<String, Packed> for Weight {
    fn weight(&self, tag: &String, json: &Packed) -> u64 {
        (tag.len() + json.weight()) as u64
    }
}

impl Default for Jcals {
    fn default() -> Self {
        let made = Mutex::new(Cache::with_weighter(USUALLY, KEPT, Weight));
        Self { made, queue: Queue::new(1, LONG_WAIT) }
    }
}

impl fmt::Debug for Jcals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jcals").finish_non_exhaustive()
    }
}

/// The request for the same feed as plain iCalendar, which jCal is made of.
pub(super) fn plain(request: &Parts) -> Parts {
    let mut request = request.clone();
    request.headers.remove(ACCEPT_ENCODING);
    request
}

impl Jcals {
    /// A feed's answer as jCal. The validators stay: a tag is of one resource, and a 304 needs no body to
    /// convert.
    pub(super) async fn of(&self, response: Response<Body>) -> Result<Response<Body>, Problem> {
        let (mut head, body) = response.into_parts();
        renamed(&mut head.headers, CONTENT_LOCATION);
        renamed(&mut head.headers, CONTENT_DISPOSITION);
        if head.status != StatusCode::OK {
            return Ok(Response::from_parts(head, body));
        }
        let Body::Whole(bytes) = body else { return Err(Problem::Export("no body to convert".to_owned())) };
        let tag = head.headers.get(ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
        let json = match self.known(&tag) {
            Some(json) => json,
            None => self.make(tag, bytes).await?,
        };
        let media_type = HeaderValue::from_static("application/calendar+json; charset=utf-8");
        head.headers.insert(CONTENT_TYPE, media_type);
        Ok(Response::from_parts(head, json.body()))
    }

    /// Converts a feed before its jCal is requested. A feed that cannot be converted is reported to the request.
    pub(super) fn convert_ahead(&self, tag: String, feed: &Bytes) {
        if !self.has(&tag)
            && let Ok(json) = convert(feed)
        {
            self.lock().insert(tag, json);
        }
    }

    /// Whether a feed's jCal is cached.
    pub(super) fn has(&self, tag: &str) -> bool {
        self.known(tag).is_some()
    }

    async fn make(&self, tag: String, bytes: Bytes) -> Result<Packed, Problem> {
        let is_short = bytes.len() <= SHORT;
        let convert = move || convert(&bytes);
        let json = if is_short {
            convert()?
        } else {
            let make = || match self.known(&tag) {
                // Somebody may have waited for the same one.
                Some(json) => Ok(json),
                None => convert(),
            };
            self.queue.make(make).await??
        };
        if !tag.is_empty() {
            self.lock().insert(tag, json.clone());
        }
        Ok(json)
    }

    /// How many were turned away.
    pub(super) fn rejected(&self) -> u64 {
        self.queue.rejected()
    }

    fn known(&self, tag: &str) -> Option<Packed> {
        self.lock().get(tag).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Cache<String, Packed, Weight>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn convert(feed: &Bytes) -> Result<Packed, Problem> {
    let json = jcal(feed).map_err(|error| Problem::Export(error.to_string()))?;
    Ok(Packed::new(json.into()))
}

/// A field that names the feed names its jCal instead.
fn renamed(headers: &mut HeaderMap, name: HeaderName) {
    let value = headers.get(&name).and_then(|value| value.to_str().ok());
    if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(&value.replacen(".ics", ".jcal", 1))) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(title: &str, lines: usize) -> Response<Body> {
        let more = "X-LONG:line\r\n".repeat(lines);
        let text = format!("BEGIN:VCALENDAR\r\nNAME:{title}\r\n{more}END:VCALENDAR\r\n");
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(ETAG, HeaderValue::from_static("\"one\""));
        response
    }

    fn text(response: Response<Body>) -> String {
        match response.into_body() {
            Body::Whole(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            _ => String::new(),
        }
    }

    #[tokio::test]
    async fn what_was_converted_is_not_converted_again() {
        for lines in [1, SHORT] {
            let jcals = Jcals::default();
            let first = text(jcals.of(feed("First", lines)).await.unwrap());
            assert!(first.starts_with("[\"vcalendar\",[[\"name\"") && first.len() > lines, "{first}");
            // The tag says that the bytes are the same, so these are not even looked at.
            assert_eq!(text(jcals.of(feed("Another", lines)).await.unwrap()), first);
        }
    }

    #[test]
    fn one_that_is_asked_for_again_outlives_those_that_were_asked_for_once() {
        let jcals = Jcals::default();
        let large = Bytes::from(vec![b' '; 1024 * 1024]);
        jcals.lock().insert("popular".to_owned(), Packed::Plain(large.clone()));
        assert!(jcals.known("popular").is_some());
        for n in 0..1_000 {
            jcals.lock().insert(format!("scan {n}"), Packed::Plain(large.clone()));
        }
        assert!(jcals.known("popular").is_some());
        assert!(jcals.lock().weight() <= KEPT);
    }
}
