//! Exports over HTTP: the whole program in the formats of other tools, and jCal beside every feed.
//!
//! A whole-program export is made when it is first asked for after a publication, and kept until the next.

use super::kept::Kept;
use super::{Body, Problem};
use crate::export::{Exported, giggity_menu, jcal, program_text, schedule_csv, schedule_json, schedule_xml};
use crate::release::Release;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ACCEPT_ENCODING, CONTENT_DISPOSITION, CONTENT_LOCATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use std::sync::Arc;

/// A format of the whole program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// frab / c3voc, XML.
    Xml,
    /// frab / c3voc, JSON.
    Json,
    /// Our own CSV back out.
    Csv,
    /// For terminals.
    Text,
    /// Giggity's menu entry.
    Giggity,
}

impl Format {
    fn make(self, release: &Release) -> Exported {
        match self {
            Self::Xml => schedule_xml(release),
            Self::Json => schedule_json(release),
            Self::Csv => schedule_csv(release),
            Self::Text => program_text(release),
            Self::Giggity => giggity_menu(release),
        }
    }
}

/// The exports of the running release that were asked for.
#[derive(Debug, Default)]
pub(super) struct Exports(Kept);

impl Exports {
    pub(super) async fn answer(
        &self,
        format: Format,
        release: &Arc<Release>,
        request: &Parts,
        now: DateTime<Utc>,
    ) -> Result<Response<Body>, Problem> {
        let make = move |release: &Release| Ok(format.make(release));
        self.0.answer(format!("{format:?}"), release, request, now, make).await
    }
}

/// The request for the same feed as plain iCalendar, which jCal is made of.
pub(super) fn plain(request: &Parts) -> Parts {
    let mut request = request.clone();
    request.headers.remove(ACCEPT_ENCODING);
    request
}

/// A feed's answer as jCal (RFC 7265). The validators stay: a tag is of one resource, and a 304 needs no body
/// to convert.
pub(super) fn as_jcal(response: Response<Body>) -> Result<Response<Body>, Problem> {
    let (mut head, body) = response.into_parts();
    let headers = &mut head.headers;
    let location = headers.get(CONTENT_LOCATION).and_then(|place| place.to_str().ok());
    if let Some(Ok(place)) = location.map(|place| HeaderValue::from_str(&place.replacen(".ics", ".jcal", 1)))
    {
        headers.insert(CONTENT_LOCATION, place);
    }
    if let Some(Ok(name)) = headers
        .get(CONTENT_DISPOSITION)
        .and_then(|name| name.to_str().ok())
        .map(|name| HeaderValue::from_str(&name.replacen(".ics", ".jcal", 1)))
    {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    if head.status != StatusCode::OK {
        return Ok(Response::from_parts(head, body));
    }
    let Body::Whole(bytes) = body else { return Err(Problem::Export("no body to convert".to_owned())) };
    let json = jcal(&bytes).map_err(|error| Problem::Export(error.to_string()))?;
    let media_type = HeaderValue::from_static("application/calendar+json; charset=utf-8");
    head.headers.insert(CONTENT_TYPE, media_type);
    Ok(Response::from_parts(head, Body::from(Bytes::from(json))))
}
