//! Exports over HTTP: the whole program in the formats of other tools, and jCal beside every feed.
//!
//! A whole-program export is made when it is first asked for after a publication, and kept until the next.

use super::conditional::Validators;
use super::encoding::negotiate;
use super::representation::{Representation, settled};
use super::{Body, EntityTag, Problem};
use crate::export::{Exported, jcal, program_text, schedule_csv, schedule_json, schedule_xml};
use crate::feed::{Coded, Coding, Effort};
use crate::release::Release;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ACCEPT_ENCODING, CONTENT_DISPOSITION, CONTENT_LOCATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A format of the whole program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Format {
    /// frab / c3voc, XML.
    Xml,
    /// frab / c3voc, JSON.
    Json,
    /// Our own CSV back out.
    Csv,
    /// For terminals.
    Text,
}

/// The exports of the running release that were asked for.
#[derive(Debug, Default)]
pub(super) struct Exports(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    release: Arc<Release>,
    made: HashMap<Format, Arc<Made>>,
}

#[derive(Debug)]
struct Made {
    exported: Exported,
    gzip: Option<Coded>,
}

impl Exports {
    pub(super) async fn answer(
        &self,
        format: Format,
        release: &Arc<Release>,
        request: &Parts,
        now: DateTime<Utc>,
    ) -> Result<Response<Body>, Problem> {
        let made = match self.known(format, release) {
            Some(made) => made,
            None => self.make(format, release).await?,
        };
        let exported = &made.exported;
        let coding = match &made.gzip {
            Some(_) => negotiate(&request.headers, &[Coding::Gzip]),
            None => Coding::Identity,
        };
        let coded = made.gzip.clone().filter(|_| coding == Coding::Gzip);
        let tag = match &coded {
            Some(coded) => EntityTag::coded(&exported.hash, coded.coding, coded.level),
            None => EntityTag::plain(exported.hash.clone()),
        };
        let representation = Representation {
            media_type: exported.media_type,
            validators: Validators { tag, modified: settled(exported.modified, now) },
            coding,
            body: Box::new(|| coded.map_or_else(|| Bytes::from(exported.bytes.clone()), |coded| coded.bytes)),
            fields: Vec::new(),
        };
        representation.answer(request)
    }

    fn known(&self, format: Format, release: &Arc<Release>) -> Option<Arc<Made>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|known| Arc::ptr_eq(&known.release, release))?.made.get(&format).cloned()
    }

    async fn make(&self, format: Format, release: &Arc<Release>) -> Result<Arc<Made>, Problem> {
        let whole = Arc::clone(release);
        let make = move || {
            let exported = match format {
                Format::Xml => schedule_xml(&whole),
                Format::Json => schedule_json(&whole),
                Format::Csv => schedule_csv(&whole),
                Format::Text => program_text(&whole),
            };
            let gzip = Coded::make(Coding::Gzip, Effort::Best, &exported.bytes);
            Made { exported, gzip }
        };
        let made = tokio::task::spawn_blocking(make).await.map_err(crate::publisher::PublishError::from)?;
        let made = Arc::new(made);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.as_mut().filter(|known| Arc::ptr_eq(&known.release, release)) {
            Some(known) => drop(known.made.insert(format, Arc::clone(&made))),
            None => {
                let made = HashMap::from([(format, Arc::clone(&made))]);
                *known = Some(Known { release: Arc::clone(release), made });
            }
        }
        Ok(made)
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
