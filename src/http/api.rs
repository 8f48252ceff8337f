//! `/api/v1`: the program as JSON for everybody ([`Reader`]), and agendas, opened by an edit key in
//! `Authorization: Bearer` (RFC 6750) or shown by a read link.
//!
//! A key that is malformed, unknown or replaced gets one and the same 401. Changes take If-Match with the agenda's
//! ETag; without it they apply to whatever is there. The ETag names all that the document shows. For a change only its
//! first part counts, the agenda's own state: that a calendar was fetched meanwhile stops no change.

mod bearer;
mod cursor;
mod exchange;
mod history;
mod json;
mod openapi;
mod query;
mod reading;
mod shared;
mod view;

pub(super) use openapi::reference;
pub use query::AskError;
pub(super) use reading::{Reader, Reading};

use super::agendas::{AgendaError, Agendas, Owned};
use super::allowance::Allowed;
use super::conditional::Validators;
use super::etag::Tags;
use super::queue::Queue;
use super::representation::{Content, Representation};
use super::route::Api;
use super::{Body, EntityTag, Problem};
use crate::exchange::MOST_BYTES;
use crate::feed::Coding;
use crate::freshness::Freshness;
use crate::release::Release;
use crate::revision::Digest;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::Value;
use std::sync::Arc;

/// The longest body in bytes: 500 ids of 63 characters take half of it.
const CAP: usize = 64 * 1024;

/// The longest body of a call.
pub(super) fn cap(api: &Api) -> usize {
    if *api == Api::Import { MOST_BYTES } else { CAP }
}

const JSON: &str = "application/json";

/// A call of the API.
pub(super) struct Call<'a> {
    pub(super) agendas: &'a Agendas,
    pub(super) release: &'a Arc<Release>,
    pub(super) now: DateTime<Utc>,
    /// For what looks through the whole program.
    pub(super) queue: &'a Queue,
    pub(super) freshness: &'a Freshness,
    pub(super) allowed: Allowed<'a>,
    pub(super) request: &'a Parts,
    pub(super) body: Bytes,
}

impl Call<'_> {
    pub(super) async fn answer(self, api: Api) -> Result<Response<Body>, Problem> {
        if api == Api::Agendas {
            return self.create().await;
        }
        if let Api::Shared(token) = api {
            return self.shared(&token);
        }
        let key = bearer::key(&self.request.headers)?;
        let owned = self.agendas.open(&key)?;
        let method = &self.request.method;
        let is_read = method == Method::GET || method == Method::HEAD;
        let expect = if is_read {
            None
        } else {
            self.allowed.change(&key)?;
            expect(&self.request.headers, &owned)?
        };
        match (api, method) {
            (Api::Agenda, &Method::PATCH) => self.rename(owned, expect).await,
            (Api::Agenda, &Method::DELETE) => {
                self.agendas.delete(owned, expect).await?;
                Ok(nothing())
            }
            (Api::Agenda, _) => self.show(&owned),
            (Api::Picks, _) => self.replace_picks(owned, expect).await,
            (Api::Pick(session), &Method::DELETE) => {
                let owned = self.agendas.unpick(owned, expect, &session, self.release).await?;
                Ok(self.tagged(nothing(), &owned))
            }
            (Api::Pick(session), _) => {
                let owned = self.agendas.pick(owned, expect, &session, self.release).await?;
                Ok(self.tagged(nothing(), &owned))
            }
            (Api::Links, &Method::POST) => {
                self.allowed.link(&key)?;
                self.add_link(owned, expect).await
            }
            (Api::Links, _) => {
                let links = view::links(&owned, self.release, self.freshness);
                Ok(self.tagged(document(StatusCode::OK, &links), &owned))
            }
            (Api::Link(n), _) => {
                let owned = self.agendas.revoke_link(owned, expect, n).await?;
                Ok(self.tagged(nothing(), &owned))
            }
            (Api::Import, _) => self.import(owned, expect).await,
            (Api::Export, _) => self.export(&owned, self.now),
            (Api::Key, _) => {
                let owned = self.agendas.replace_key(owned, expect).await?;
                self.allowed.new_key(&key, &owned.key);
                let answer = serde_json::json!({ "edit_key": owned.key.reveal() });
                Ok(self.tagged(document(StatusCode::OK, &answer), &owned))
            }
            (Api::Agendas | Api::Shared(_), _) => Err(Problem::NotFound),
        }
    }

    async fn create(self) -> Result<Response<Body>, Problem> {
        let (name, picks) = if self.body.is_empty() {
            (String::new(), Vec::new())
        } else {
            let mut object = json::object(&self.request.headers, &self.body)?;
            let (name, picks) = (object.text("name"), object.texts("picks"));
            object.done()?;
            (name.unwrap_or_default(), picks.unwrap_or_default())
        };
        self.allowed.agenda()?;
        let created = self.agendas.create(&name, &picks, self.release).await?;
        let answer = view::created(&created, self.release, self.freshness);
        Ok(self.tagged(document(StatusCode::CREATED, &answer), &created.0))
    }

    fn show(&self, owned: &Owned) -> Result<Response<Body>, Problem> {
        let document = self.document(owned);
        // The tag alone: two changes may share a second, and no time is told.
        let validators = Validators { tag: tag(owned, &document), modified: None };
        let representation = Representation {
            media_type: JSON,
            validators,
            coding: Coding::Identity,
            body: Content::Kept(document.into()),
            fields: Vec::new(),
        };
        representation.answer(self.request)
    }

    /// The agenda's document.
    fn document(&self, owned: &Owned) -> String {
        view::agenda(owned, self.release, self.freshness).to_string()
    }

    /// Adds the tag that the agenda's document has at present.
    fn tagged(&self, mut response: Response<Body>, owned: &Owned) -> Response<Body> {
        if let Ok(tag) = HeaderValue::from_str(tag(owned, &self.document(owned)).quoted()) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }

    async fn rename(self, owned: Owned, expect: Option<u64>) -> Result<Response<Body>, Problem> {
        let mut object = json::object(&self.request.headers, &self.body)?;
        let name = object.text("name");
        object.done()?;
        let owned = match name {
            Some(name) => self.agendas.rename(owned, expect, &name).await?,
            None => owned,
        };
        Ok(self.tagged(document(StatusCode::OK, &view::agenda(&owned, self.release, self.freshness)), &owned))
    }

    async fn replace_picks(self, owned: Owned, expect: Option<u64>) -> Result<Response<Body>, Problem> {
        let picks = json::texts(&self.request.headers, &self.body)?;
        let owned = self.agendas.replace_picks(owned, expect, &picks, self.release).await?;
        Ok(self.tagged(document(StatusCode::OK, &view::agenda(&owned, self.release, self.freshness)), &owned))
    }

    async fn add_link(self, owned: Owned, expect: Option<u64>) -> Result<Response<Body>, Problem> {
        let label = if self.body.is_empty() {
            None
        } else {
            let mut object = json::object(&self.request.headers, &self.body)?;
            let label = object.text("label");
            object.done()?;
            label
        };
        let (owned, link) = self.agendas.add_link(owned, expect, &label.unwrap_or_default()).await?;
        Ok(self.tagged(document(StatusCode::CREATED, &view::link(&link, self.release, None)), &owned))
    }
}

/// The version that a change is meant for; none where it is meant for any (RFC 9110, 13.1.1 and 13.1.2).
fn expect(headers: &HeaderMap, owned: &Owned) -> Result<Option<u64>, AgendaError> {
    let state = state(owned);
    let is_unwanted = match Tags::of(headers, IF_NONE_MATCH) {
        Some(Tags::Any) => true,
        Some(Tags::List(tags)) => tags.iter().any(|sent| sent.resembles_state(&state)),
        None => false,
    };
    match Tags::of(headers, IF_MATCH) {
        _ if is_unwanted => Err(AgendaError::Changed),
        None | Some(Tags::Any) => Ok(None),
        Some(Tags::List(tags)) if tags.iter().any(|sent| sent.is_of_state(&state)) => {
            Ok(Some(owned.record.version))
        }
        Some(Tags::List(_)) => Err(AgendaError::Changed),
    }
}

/// What a change of an agenda can be conditional on. The addresses of all agendas are the same, so it says whose it is.
fn state(owned: &Owned) -> String {
    let version = owned.record.version.to_le_bytes();
    format!("a-{}", Digest::of_parts([&owned.key.hash().0[..], &version]).short())
}

fn tag(owned: &Owned, document: &str) -> EntityTag {
    EntityTag::of_state(state(owned), document.as_bytes())
}

fn nothing() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn document(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}
