//! `/organizer`: publish, preview, releases, roll back. Requests need an organizer secret in `Authorization: Bearer`.
//!
//! Owns the shape of the responses; the publisher publishes. Handlers that read the store or import a program run on
//! threads that may block. No response may be cached or indexed.

mod desk;
mod program_turns;
mod publish;
mod reports;
mod secrets;
mod sign_in;

pub(super) use desk::Drafts;
pub(super) use program_turns::ProgramTurns;
pub use secrets::{Secrets, SecretsError};
pub(super) use sign_in::SignIns;

use super::allowance::Allowed;
use super::browser::PostedForm;
use super::etag::Tags;
use super::query::Query;
use super::reply::{self, Answer};
use super::request_body::UnreadBody;
use super::{Body, EntityTag, Problem, method, origin};
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::import::without_formulas;
use crate::publisher::{PublishError, Publisher};
use crate::store::Store;
use bytes::Bytes;
use http::header::{AUTHORIZATION, ETAG, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

/// Answers requests to `/organizer`.
#[derive(Debug, Clone)]
pub(super) struct Organizer {
    pub(super) publisher: Arc<Publisher>,
    pub(super) store: Store,
    pub(super) secrets: Secrets,
    pub(super) freshness: Arc<Freshness>,
    pub(super) clock: Clock,
    pub(super) sign_ins: Arc<SignIns>,
    pub(super) drafts: Arc<Drafts>,
    pub(super) turns: Arc<ProgramTurns>,
}

/// A request to the organizer's paths, before its secret is checked.
pub(super) struct Door<'a> {
    pub(super) organizer: &'a Organizer,
    pub(super) request: &'a Parts,
    pub(super) body: UnreadBody<'a>,
    pub(super) allowed: Allowed<'a>,
}

/// A request with a valid secret.
pub(super) struct OrganizerRequest<'a> {
    organizer: &'a Organizer,
    request: &'a Parts,
    body: Bytes,
    /// The label of the secret.
    who: String,
}

impl<'a> Door<'a> {
    /// Checks the secret, then reads the body.
    pub(super) async fn enter(self) -> Result<OrganizerRequest<'a>, Problem> {
        let who = self.organizer.who(self.request, self.allowed)?;
        let body = self.body.read().await?;
        Ok(OrganizerRequest { organizer: self.organizer, request: self.request, body, who })
    }

    /// [`Self::enter`] for a program, whose bytes are held in memory during a turn of their own.
    pub(super) async fn enter_with_upload(
        self,
    ) -> Result<(OrganizerRequest<'a>, OwnedSemaphorePermit), Problem> {
        let who = self.organizer.who(self.request, self.allowed)?;
        let turn = self.organizer.turns.upload().await?;
        let body = self.body.read().await?;
        Ok((OrganizerRequest { organizer: self.organizer, request: self.request, body, who }, turn))
    }

    /// [`Self::enter`] for a form of the organizer's pages.
    pub(super) async fn enter_with_form(self) -> Result<(OrganizerRequest<'a>, PostedForm), Problem> {
        let Self { organizer, request, allowed, .. } = self;
        let form = self.form().await?;
        let who = organizer.who(request, allowed)?;
        Ok((OrganizerRequest { organizer, request, body: Bytes::new(), who }, form))
    }

    /// Reads a form, which must come from one of our own pages.
    async fn form(self) -> Result<PostedForm, Problem> {
        if self.organizer.secrets.are_none() {
            return Err(Problem::NotFound);
        }
        let release = self.organizer.publisher.current();
        origin::check(&self.request.headers, &release.program.conference.public_url)?;
        PostedForm::read(&self.request.headers, &self.body.read().await?)
    }
}

impl Organizer {
    /// The label of the request's secret, or of the secret that the browser signed in with.
    fn who(&self, request: &Parts, allowed: Allowed<'_>) -> Result<String, Problem> {
        if self.secrets.are_none() {
            return Err(Problem::NotFound);
        }
        if request.headers.contains_key(AUTHORIZATION) {
            let secret = allowed.guess(|| self.secrets.in_headers(&request.headers))?;
            return secret.map(|secret| secret.label.to_string()).ok_or(Problem::WrongSecret);
        }
        let public_url = &self.publisher.current().program.conference.public_url;
        if !method::is_read(&request.method) {
            origin::check(&request.headers, public_url).map_err(|_| Problem::WrongSecret)?;
        }
        self.signed_in(&request.headers, public_url).ok_or(Problem::WrongSecret)
    }

    /// The label of the secret that the browser signed in with, if that secret is still valid.
    fn signed_in(&self, headers: &HeaderMap, public_url: &Url) -> Option<String> {
        let secret = self.sign_ins.secret(headers, public_url, self.clock.now())?;
        self.secrets.label_of(&secret)
    }
}

impl OrganizerRequest<'_> {
    /// The first value of a key of the query.
    fn query(&self, key: &str) -> Option<String> {
        Query::of(&self.request.uri).first(key).map(ToOwned::to_owned)
    }

    /// Answers from the store, on a thread that may wait for the disk.
    pub(super) async fn read(self, answer: impl FnOnce(&Organizer) -> Answer + Send + 'static) -> Answer {
        self.organizer.read(answer).await
    }

    /// The release that If-Match names, which must be the live one.
    fn expect(&self) -> Result<Option<u64>, PublishError> {
        let running = self.organizer.publisher.current().number();
        match Tags::of(&self.request.headers, IF_MATCH) {
            None | Some(Tags::Any) => Ok(None),
            Some(Tags::List(tags)) if tags.iter().any(|sent| sent.is_of_state(&state(running))) => {
                Ok(Some(running))
            }
            Some(Tags::List(_)) => Err(PublishError::Superseded { live: running }),
        }
    }
}

/// The entity tag's state of a release, for conditional publications.
fn state(release: u64) -> String {
    format!("release-{release}")
}

/// Adds an entity tag of the release and the body, since a status can change without a new release.
fn tagged(mut response: Response<Body>, release: u64, body: &[u8]) -> Response<Body> {
    if let Ok(tag) = HeaderValue::from_str(EntityTag::of_state(state(release), body).quoted()) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// A JSON response.
fn document(status: StatusCode, release: u64, value: &Value) -> Response<Body> {
    tagged(reply::json(status, value), release, value.to_string().as_bytes())
}

/// A program file in which no cell is a formula, since organizers open the file in a spreadsheet.
fn file(release: u64, csv: Vec<u8>) -> Response<Body> {
    let csv = Bytes::from(without_formulas(csv));
    tagged(reply::ok("text/csv; charset=utf-8", csv.clone()), release, &csv)
}
