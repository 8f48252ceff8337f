//! `/organizer`: publish, preview, releases, roll back; opened by a secret in `Authorization: Bearer`.
//!
//! Owns the form of the answers; what a publication is, the publisher knows. Everything that reads the store or
//! imports runs on a thread of its own, so feeds are answered meanwhile. Nothing here is cached or indexed.

mod desk;
mod previews;
mod publish;
mod secrets;
mod session;
mod show;

pub(super) use desk::Drafts;
pub(super) use previews::Previews;
pub use secrets::{Secrets, SecretsError};
pub(super) use session::Sessions;

use super::allowance::Allowed;
use super::etag::Tags;
use super::origin;
use super::{Body, EntityTag, Problem, cap};
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::import::{MAX_FILE, without_formulas};
use crate::program::SessionId;
use crate::publisher::{PublishError, Publisher};
use crate::store::Store;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What is behind a path of the organizer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// The running program as a file; what is put here is published.
    Program,
    /// What an upload would change.
    Preview,
    /// What was tried last, what waits, and how fresh calendars are.
    Status,
    /// What is on the schedule, to be taken off it.
    Schedule,
    /// Picks per session.
    Picks,
    /// All releases.
    Releases,
    /// One of them.
    Release(u64),
    /// Its program as a file.
    ReleaseProgram(u64),
    /// Publishes it again.
    Publish(u64),
    /// Erases a withdrawn session's text.
    Erase(SessionId),
    /// A page, or what its forms do.
    Desk(Desk),
}

/// A page of the organizer's, by cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Desk {
    /// Status, upload, releases; or the form that takes the secret.
    Home,
    /// Takes the secret once.
    SignIn,
    /// Forgets it.
    SignOut,
    /// Shows what a kept release would change.
    Preview(u64),
    /// Publishes what was shown.
    Publish,
    /// Shows what a held release would change, and whom it touches.
    PreviewHeld,
    /// Drops a held release.
    Discard,
}

/// The organizer's door.
#[derive(Debug, Clone)]
pub(super) struct Organizer {
    pub(super) publisher: Arc<Publisher>,
    pub(super) store: Store,
    pub(super) secrets: Secrets,
    pub(super) freshness: Arc<Freshness>,
    pub(super) clock: Clock,
    pub(super) sessions: Arc<Sessions>,
    pub(super) drafts: Arc<Drafts>,
    pub(super) previews: Arc<Previews>,
}

/// A request whose secret was right.
struct Call<'a> {
    organizer: &'a Organizer,
    request: &'a Parts,
    body: Bytes,
    /// The label of the secret.
    who: String,
}

impl Organizer {
    /// Answers. The body is read only once the secret was right.
    pub(super) async fn answer<B>(
        &self,
        endpoint: Endpoint,
        request: &Parts,
        body: B,
        patience: Duration,
        allowed: Allowed<'_>,
    ) -> Result<Response<Body>, Problem>
    where
        B: http_body::Body<Data = Bytes>,
    {
        if let Endpoint::Desk(desk) = endpoint {
            return self.at_desk(desk, request, body, patience, allowed).await;
        }
        let who = self.who(request, allowed)?;
        let is_upload = matches!(endpoint, Endpoint::Program | Endpoint::Preview)
            && (request.method == Method::PUT || request.method == Method::POST);
        let _turn = if is_upload { Some(self.previews.upload().await?) } else { None };
        let body = cap::read(body, MAX_FILE, patience).await?;
        let call = Call { organizer: self, request, body, who };
        match (endpoint, &request.method) {
            (Endpoint::Program, &Method::PUT) => call.put().await,
            (Endpoint::Program, _) => self.read(Self::running_program).await,
            (Endpoint::Preview, _) if desk::is_upload(request) => call.preview_page().await,
            (Endpoint::Preview, _) => call.preview().await,
            (Endpoint::Status, _) => self.read(Self::status).await,
            (Endpoint::Schedule, _) => call.unschedule().await,
            (Endpoint::Picks, _) => self.read(Self::picks).await,
            (Endpoint::Releases, _) => self.read(Self::releases).await,
            (Endpoint::Release(n), _) => self.read(move |this| this.release(n)).await,
            (Endpoint::ReleaseProgram(n), _) => self.read(move |this| this.release_program(n)).await,
            (Endpoint::Publish(n), _) => call.roll_back(n).await,
            (Endpoint::Erase(id), _) => call.erase(id).await,
            (Endpoint::Desk(_), _) => Err(Problem::NotFound),
        }
    }

    /// The label of the secret in the request, or of the one that the browser signed in with.
    fn who(&self, request: &Parts, allowed: Allowed<'_>) -> Result<String, Problem> {
        if self.secrets.are_none() {
            return Err(Problem::NotFound);
        }
        if request.headers.contains_key(AUTHORIZATION) {
            let secret = allowed.guess(|| self.secrets.in_headers(&request.headers))?;
            return secret.map(|secret| secret.label.to_string()).ok_or(Problem::WrongSecret);
        }
        let public_url = &self.publisher.current().program.conference.public_url;
        if request.method != Method::GET && request.method != Method::HEAD {
            origin::check(&request.headers, public_url).map_err(|_| Problem::WrongSecret)?;
        }
        self.signed_in(&request.headers, public_url).ok_or(Problem::WrongSecret)
    }

    /// The label of the secret that the browser signed in with, if that secret is still valid.
    fn signed_in(&self, headers: &HeaderMap, public_url: &Url) -> Option<String> {
        let secret = self.sessions.secret(headers, public_url, self.clock.now())?;
        self.secrets.label_of(&secret)
    }
}

impl Call<'_> {
    /// A value of the query, decoded.
    fn query(&self, name: &str) -> Option<String> {
        let query = self.request.uri.query().unwrap_or_default();
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }

    /// The release that the organizer looked at, where the request names one.
    fn expect(&self) -> Result<Option<u64>, PublishError> {
        let running = self.organizer.publisher.current().number();
        match Tags::of(&self.request.headers, IF_MATCH) {
            None | Some(Tags::Any) => Ok(None),
            Some(Tags::List(tags)) if tags.iter().any(|sent| sent.is_of_state(&state(running))) => {
                Ok(Some(running))
            }
            Some(Tags::List(_)) => Err(PublishError::Superseded { running }),
        }
    }
}

/// What a publication can be conditional on.
fn state(release: u64) -> String {
    format!("release-{release}")
}

/// Tags an answer with the release that it speaks of, and with what it shows: a status changes without a release.
fn tagged(mut response: Response<Body>, release: u64, body: &[u8]) -> Response<Body> {
    if let Ok(tag) = HeaderValue::from_str(EntityTag::of_state(state(release), body).quoted()) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// A JSON answer.
fn document(status: StatusCode, release: u64, value: &Value) -> Response<Body> {
    let body = Bytes::from(value.to_string());
    let mut response = Response::new(Body::from(body.clone()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    tagged(response, release, &body)
}

/// A program as a file, in which no cell is a formula: organizers open it in a spreadsheet.
fn file(release: u64, csv: Vec<u8>) -> Response<Body> {
    let csv = Bytes::from(without_formulas(csv));
    let mut response = Response::new(Body::from(csv.clone()));
    let media_type = HeaderValue::from_static("text/csv; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    tagged(response, release, &csv)
}
