//! jCal (RFC 7265) beside every feed: made of the feed's own bytes, once, and kept by their entity tag.
//!
//! A tag fixes the bytes of a feed, so a conversion serves every address and release with the same ones. Long
//! ones are made one at a time on a thread of their own: reading takes some ten times a feed's memory.

use super::{Body, Problem};
use crate::export::jcal;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_DISPOSITION, CONTENT_LOCATION, CONTENT_TYPE, ETAG, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that are kept; beyond, the oldest go.
const KEPT: usize = 64 * 1024 * 1024;

/// A feed up to here is converted where it is asked for: that takes less than a millisecond.
const SHORT: usize = 32 * 1024;

/// What was converted already.
#[derive(Debug, Default)]
pub(super) struct Jcals {
    made: Mutex<Made>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Made {
    by_tag: HashMap<String, Bytes>,
    /// The oldest first.
    order: VecDeque<String>,
    length: usize,
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
        Ok(Response::from_parts(head, Body::from(json)))
    }

    async fn make(&self, tag: String, bytes: Bytes) -> Result<Bytes, Problem> {
        let is_short = bytes.len() <= SHORT;
        let convert = move || jcal(&bytes).map_err(|error| Problem::Export(error.to_string()));
        let json = if is_short {
            convert()?
        } else {
            let _turn = self.turn.lock().await;
            // Somebody may have waited for the same one.
            if let Some(json) = self.known(&tag) {
                return Ok(json);
            }
            tokio::task::spawn_blocking(convert).await??
        };
        let json = Bytes::from(json);
        self.lock().keep(tag, json.clone());
        Ok(json)
    }

    fn known(&self, tag: &str) -> Option<Bytes> {
        self.lock().by_tag.get(tag).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Made {
    fn keep(&mut self, tag: String, json: Bytes) {
        if tag.is_empty() || json.len() > KEPT {
            return;
        }
        self.length += json.len();
        match self.by_tag.insert(tag.clone(), json) {
            Some(same) => self.length -= same.len(),
            None => self.order.push_back(tag),
        }
        while self.length > KEPT {
            let Some(oldest) = self.order.pop_front() else { return };
            self.length -= self.by_tag.remove(&oldest).map_or(0, |gone| gone.len());
        }
    }
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
    fn beyond_what_is_kept_the_oldest_goes() {
        let mut made = Made::default();
        let third = Bytes::from(vec![b' '; KEPT / 3]);
        for tag in ["a", "b", "b", "c", "d"] {
            made.keep(tag.to_owned(), third.clone());
        }
        assert_eq!((made.order, made.length), (["b", "c", "d"].map(str::to_owned).into(), third.len() * 3));
    }
}
