//! Picks in and out by the visitor's browser: an uploaded file, a link that carries picks, downloads.
//!
//! Both ways in show what was found and change nothing; the page's button posts to `/agenda/picks`, like any
//! pick, and the first makes an agenda.

use super::{Visit, html};
use crate::exchange::{self, ExchangeError, Matching};
use crate::http::agendas::AgendaError;
use crate::http::{Body, Problem, feeds, origin, upload};
use crate::web;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use std::sync::Arc;

impl Visit<'_> {
    pub(super) async fn import(self) -> Result<Response<Body>, Problem> {
        let release = Arc::clone(&self.published.release);
        let held = self.own()?.map(|owned| owned.record.picks).unwrap_or_default();
        let picked = held.clone();
        let (file, code) = if self.request.method == Method::POST {
            origin::check(&self.request.headers, &release.program.conference.public_url)?;
            (Some(upload::file(self.request, self.body.clone(), "file").await?), None)
        } else {
            let query = self.request.uri.query().unwrap_or_default();
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            (None, pairs.find(|(name, _)| name == "picks").map(|(_, code)| code.into_owned()))
        };
        let look = move || match (file, code) {
            (Some(file), _) => exchange::from_file(&file, &release, &picked).map(Some),
            (None, Some(code)) => exchange::from_code(&code)
                .map(|numbers| Some(exchange::from_numbers(&numbers, &release, &picked))),
            (None, None) => Ok(None),
        };
        let make = move || {
            let found: Result<Option<Matching>, ExchangeError> = look();
            let (matching, fault) = match found {
                Ok(matching) => (matching, None),
                Err(error) => (None, Some(error.to_string())),
            };
            let page = web::import(&self.published.release, &held, matching.as_ref(), fault.as_deref());
            let mut response = html(page);
            if fault.is_some() {
                *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            }
            response
        };
        self.queues.whole.make(make).await
    }

    /// The visitor's picks as a file: a calendar, or a list that other tools and this page read.
    pub(super) fn export(&self, is_calendar: bool) -> Result<Response<Body>, Problem> {
        let owned = self.own()?.ok_or(AgendaError::UnknownKey)?;
        let release = &self.published.release;
        if is_calendar {
            return feeds::own(&owned.record, release, self.request, self.clock.now());
        }
        let list = exchange::to_json(release, &owned.record.picks);
        let mut response = Response::new(Body::from(format!("{list:#}\n")));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let name = HeaderValue::from_static("attachment; filename=\"agenda.json\"");
        headers.insert(CONTENT_DISPOSITION, name);
        Ok(response)
    }
}
