//! `/api/v1`: the program as JSON for everybody ([`Reader`]), and agendas, opened by an edit key in
//! `Authorization: Bearer` (RFC 6750) or shown by a read link.
//!
//! A key that is missing, malformed, unknown or replaced gets one and the same 401. Changes take If-Match
//! with the agenda's ETag; without it they apply to whatever is there.

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
use super::conditional::{Validators, Verdict, evaluate};
use super::representation::{Content, Representation};
use super::route::Api;
use super::{Body, EntityTag, Problem};
use crate::agenda::EditKey;
use crate::exchange::MOST_BYTES;
use crate::feed::Coding;
use crate::freshness::Freshness;
use crate::release::Release;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
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
        let expect = if is_read { None } else { self.expect(&owned)? };
        match (api, method) {
            (Api::Agenda, &Method::PATCH) => self.rename(&key, expect).await,
            (Api::Agenda, &Method::DELETE) => {
                self.agendas.delete(&key, expect).await?;
                Ok(nothing())
            }
            (Api::Agenda, _) => self.show(&owned),
            (Api::Picks, _) => self.replace_picks(&key, expect).await,
            (Api::Pick(session), &Method::DELETE) => {
                let owned = self.agendas.unpick(&key, expect, &session, self.release).await?;
                Ok(tagged(nothing(), &owned))
            }
            (Api::Pick(session), _) => {
                let owned = self.agendas.pick(&key, expect, &session, self.release).await?;
                Ok(tagged(nothing(), &owned))
            }
            (Api::Links, &Method::POST) => self.add_link(&key, expect).await,
            (Api::Links, _) => {
                let links = view::links(&owned, self.release, self.freshness);
                Ok(tagged(document(StatusCode::OK, &links), &owned))
            }
            (Api::Link(n), _) => {
                let owned = self.agendas.revoke_link(&key, expect, n).await?;
                Ok(tagged(nothing(), &owned))
            }
            (Api::Import, _) => self.import(&key, expect, owned).await,
            (Api::Export, _) => self.export(&owned, self.now),
            (Api::Key, _) => {
                let owned = self.agendas.replace_key(&key, expect).await?;
                let answer = serde_json::json!({ "edit_key": owned.key.reveal() });
                Ok(tagged(document(StatusCode::OK, &answer), &owned))
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
        Ok(tagged(document(StatusCode::CREATED, &answer), &created.0))
    }

    fn show(&self, owned: &Owned) -> Result<Response<Body>, Problem> {
        let representation = Representation {
            media_type: JSON,
            validators: validators(owned),
            coding: Coding::Identity,
            body: Content::Made(Box::new(|| {
                Ok(view::agenda(owned, self.release, self.freshness).to_string().into())
            })),
            fields: Vec::new(),
        };
        representation.answer(self.request)
    }

    async fn rename(self, key: &EditKey, expect: Option<u64>) -> Result<Response<Body>, Problem> {
        let mut object = json::object(&self.request.headers, &self.body)?;
        let name = object.text("name");
        object.done()?;
        let owned = match name {
            Some(name) => self.agendas.rename(key, expect, &name).await?,
            None => self.agendas.open(key)?,
        };
        Ok(tagged(document(StatusCode::OK, &view::agenda(&owned, self.release, self.freshness)), &owned))
    }

    async fn replace_picks(self, key: &EditKey, expect: Option<u64>) -> Result<Response<Body>, Problem> {
        let picks = json::texts(&self.request.headers, &self.body)?;
        let owned = self.agendas.replace_picks(key, expect, &picks, self.release).await?;
        Ok(tagged(document(StatusCode::OK, &view::agenda(&owned, self.release, self.freshness)), &owned))
    }

    async fn add_link(self, key: &EditKey, expect: Option<u64>) -> Result<Response<Body>, Problem> {
        let label = if self.body.is_empty() {
            None
        } else {
            let mut object = json::object(&self.request.headers, &self.body)?;
            let label = object.text("label");
            object.done()?;
            label
        };
        let (owned, link) = self.agendas.add_link(key, expect, &label.unwrap_or_default()).await?;
        Ok(tagged(document(StatusCode::CREATED, &view::link(&link, self.release, None)), &owned))
    }

    /// The version that a change is meant for; none where it is meant for any.
    fn expect(&self, owned: &Owned) -> Result<Option<u64>, Problem> {
        match evaluate(&self.request.method, &self.request.headers, &validators(owned)) {
            Verdict::Perform => Ok(self
                .request
                .headers
                .get(IF_MATCH)
                .filter(|value| value.as_bytes() != b"*")
                .map(|_| owned.record.version)),
            _ => Err(AgendaError::Changed.into()),
        }
    }
}

/// The tag alone: two changes may share a second, and no time is told.
fn validators(owned: &Owned) -> Validators {
    Validators { tag: EntityTag::plain(format!("a-{}", owned.record.version)), modified: None }
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

fn tagged(mut response: Response<Body>, owned: &Owned) -> Response<Body> {
    if let Ok(tag) = HeaderValue::from_str(&validators(owned).tag.to_string()) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
