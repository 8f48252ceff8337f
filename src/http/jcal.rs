//! jCal (RFC 7265) beside every feed: converted from the feed's own bytes, once, and cached by their entity tag.
//!
//! An entity tag determines the bytes of a feed, so one conversion serves every address and release with that tag.
//! Long feeds are converted one at a time; the program is converted before it is requested.

use super::body::Packed;
use super::queue::{LONG_WAIT, Queue};
use super::{Body, Problem, compression};
use crate::export::jcal;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_DISPOSITION, CONTENT_LOCATION, CONTENT_TYPE, ETAG, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::Body as _;
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most bytes of cached conversions.
const MAX_CACHED_BYTES: u64 = 64 * 1024 * 1024;

/// The expected number of cached conversions, which sizes the cache's tables.
const EXPECTED_CONVERSIONS: usize = 1000;

/// A feed of at most this many bytes is converted without waiting in the queue, since that takes less than a millisecond.
const MAX_UNQUEUED_BYTES: usize = 32 * 1024;

/// The cached conversions.
pub(super) struct JcalCache {
    cache: Mutex<Cache<String, Packed, JcalWeight>>,
    /// Long feeds are converted one at a time.
    queue: Queue,
}

#[derive(Clone)]
struct JcalWeight;

impl Weighter<String, Packed> for JcalWeight {
    fn weight(&self, tag: &String, json: &Packed) -> u64 {
        (tag.len() + json.weight()) as u64
    }
}

impl Default for JcalCache {
    fn default() -> Self {
        let cache = Mutex::new(Cache::with_weighter(EXPECTED_CONVERSIONS, MAX_CACHED_BYTES, JcalWeight));
        Self { cache, queue: Queue::new(1, LONG_WAIT) }
    }
}

impl fmt::Debug for JcalCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JcalCache").finish_non_exhaustive()
    }
}

/// The request for the same feed as plain iCalendar, from which jCal is converted.
pub(super) fn plain_request(request: &Parts) -> Parts {
    let mut request = request.clone();
    request.headers.remove(ACCEPT_ENCODING);
    request
}

/// A body in one piece. Long joined feeds are streams.
async fn whole(mut body: Body) -> Bytes {
    if let Body::Whole(bytes) = body {
        return bytes;
    }
    let mut whole = Vec::new();
    while let Some(Ok(frame)) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        whole.extend_from_slice(&frame.into_data().unwrap_or_default());
    }
    whole.into()
}

impl JcalCache {
    /// Converts a feed's answer to jCal. The validators stay: a tag is compared only within one resource, and a 304
    /// has no body to convert.
    pub(super) async fn convert(
        &self,
        response: Response<Body>,
        request: &HeaderMap,
    ) -> Result<Response<Body>, Problem> {
        let (mut head, body) = response.into_parts();
        point_to_jcal(&mut head.headers, CONTENT_LOCATION);
        point_to_jcal(&mut head.headers, CONTENT_DISPOSITION);
        if head.status != StatusCode::OK {
            return Ok(Response::from_parts(head, body));
        }
        let bytes = whole(body).await;
        let tag = head.headers.get(ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
        let json = match self.cached(&tag) {
            Some(json) => json,
            None => self.convert_uncached(tag, bytes).await?,
        };
        let media_type = HeaderValue::from_static("application/calendar+json; charset=utf-8");
        head.headers.insert(CONTENT_TYPE, media_type);
        let body = compression::packed(request, &json, &mut head.headers);
        Ok(Response::from_parts(head, body))
    }

    /// Converts a feed before its jCal is requested. If the conversion fails, the request for it reports the error.
    pub(super) fn convert_ahead(&self, tag: String, feed: &Bytes) {
        if !self.has(&tag)
            && let Ok(json) = to_jcal(feed)
        {
            self.lock().insert(tag, json);
        }
    }

    /// Whether a feed's jCal is cached.
    pub(super) fn has(&self, tag: &str) -> bool {
        self.cached(tag).is_some()
    }

    async fn convert_uncached(&self, tag: String, bytes: Bytes) -> Result<Packed, Problem> {
        let is_short = bytes.len() <= MAX_UNQUEUED_BYTES;
        let convert = move || to_jcal(&bytes);
        let json = if is_short {
            convert()?
        } else {
            let make = || match self.cached(&tag) {
                // Another request may have converted the same feed meanwhile.
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

    /// How many requests were rejected.
    pub(super) fn rejected(&self) -> u64 {
        self.queue.rejected()
    }

    fn cached(&self, tag: &str) -> Option<Packed> {
        self.lock().get(tag).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Cache<String, Packed, JcalWeight>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn to_jcal(feed: &Bytes) -> Result<Packed, Problem> {
    let json = jcal(feed).map_err(|error| Problem::Export(error.to_string()))?;
    Ok(Packed::new(json.into()))
}

/// Changes a field that names the feed to name its jCal.
fn point_to_jcal(headers: &mut HeaderMap, name: HeaderName) {
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
    async fn a_cached_conversion_is_not_repeated() {
        for lines in [1, MAX_UNQUEUED_BYTES] {
            let jcals = JcalCache::default();
            let first = text(jcals.convert(feed("First", lines), &HeaderMap::new()).await.unwrap());
            assert!(first.starts_with("[\"vcalendar\",[[\"name\"") && first.len() > lines, "{first}");
            // The tag promises equal bytes, so these bytes are not even read.
            assert_eq!(text(jcals.convert(feed("Another", lines), &HeaderMap::new()).await.unwrap()), first);
        }
    }

    #[test]
    fn a_popular_feed_stays_cached_while_many_others_are_requested_once() {
        let jcals = JcalCache::default();
        let large = Bytes::from(vec![b' '; 1024 * 1024]);
        jcals.lock().insert("popular".to_owned(), Packed::Plain(large.clone()));
        assert!(jcals.cached("popular").is_some());
        for n in 0..1_000 {
            jcals.lock().insert(format!("scan {n}"), Packed::Plain(large.clone()));
        }
        assert!(jcals.cached("popular").is_some());
        assert!(jcals.lock().weight() <= MAX_CACHED_BYTES);
    }
}
