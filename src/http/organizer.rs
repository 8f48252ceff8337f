//! `/organizer`: publish, preview, releases, roll back. Requests need an organizer secret in `Authorization: Bearer`.
//!
//! Owns the shape of the responses, and limits how many programs are uploaded and previewed at once; the publisher
//! publishes. Handlers that read the store or import a program run on threads that may block. No response may be cached or
//! indexed.

mod desk;
mod drafts;
mod preview;
mod publish;
mod reports;
mod secrets;
mod sign_in;

pub use secrets::{Secrets, SecretsError};
pub(super) use sign_in::is_marked;

use drafts::Drafts;
use sign_in::SignIns;

use super::allowance::Allowed;
use super::browser::PostedForm;
use super::etag::Tags;
use super::query::Query;
use super::reply::{self, Answer};
use super::request_body::UnreadBody;
use super::{Body, EntityTag, Problem, browser, request_head};
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::import::without_formulas;
use crate::publisher::{PublishError, Publisher};
use crate::store::Store;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{AUTHORIZATION, ETAG, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
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
    /// When the server started to count the fetches of public calendars.
    pub(super) started: DateTime<Utc>,
}

/// A request to the organizer's paths, before its secret is checked.
pub(super) struct UncheckedRequest<'a> {
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

impl<'a> UncheckedRequest<'a> {
    /// Checks the secret, then reads the body.
    pub(super) async fn check_secret(self) -> Result<OrganizerRequest<'a>, Problem> {
        let who = self.organizer.who(self.request, self.allowed)?;
        let body = self.body.read().await?;
        Ok(OrganizerRequest { organizer: self.organizer, request: self.request, body, who })
    }

    /// [`Self::check_secret`] for a program, whose bytes are held in memory during a turn of their own.
    pub(super) async fn check_secret_with_upload(
        self,
    ) -> Result<(OrganizerRequest<'a>, OwnedSemaphorePermit), Problem> {
        let who = self.organizer.who(self.request, self.allowed)?;
        let turn = self.organizer.turns.upload().await?;
        let body = self.body.read().await?;
        Ok((OrganizerRequest { organizer: self.organizer, request: self.request, body, who }, turn))
    }

    /// [`Self::check_secret`] for a form of the organizer's pages.
    pub(super) async fn check_secret_with_form(self) -> Result<(OrganizerRequest<'a>, PostedForm), Problem> {
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
        browser::check_origin(&self.request.headers, &release.program.conference.public_url)?;
        PostedForm::read(&self.request.headers, &self.body.read().await?)
    }
}

impl Organizer {
    /// The sign-ins and previewed files, which replicas share through the store.
    pub(super) fn shared_state(store: &Store) -> (Arc<SignIns>, Arc<Drafts>) {
        (Arc::new(SignIns::of(store)), Arc::new(Drafts::of(store)))
    }

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
        if !request_head::is_read(&request.method) {
            browser::check_origin(&request.headers, public_url).map_err(|_| Problem::WrongSecret)?;
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

/// Previews that are rendered at once. A preview renders a whole release.
const MAX_PREVIEWS: usize = 1;

/// Uploads of up to 20 MiB that are in memory at once: one is previewed while the next one is read.
const MAX_UPLOADS: usize = 2;

/// The longest wait for a turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(30);

/// The turns of previews and uploads. Dropping the permit ends a turn.
#[derive(Debug)]
pub(in crate::http) struct ProgramTurns {
    previews: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
}

impl Default for ProgramTurns {
    fn default() -> Self {
        Self {
            previews: Arc::new(Semaphore::new(MAX_PREVIEWS)),
            uploads: Arc::new(Semaphore::new(MAX_UPLOADS)),
        }
    }
}

impl ProgramTurns {
    /// Waits for the turn to preview; [`Problem::Overloaded`] if that takes too long. The previewing thread holds the
    /// permit, since it goes on if the client disconnects.
    pub(super) async fn preview(&self) -> Result<OwnedSemaphorePermit, Problem> {
        turn(&self.previews).await
    }

    /// Waits for the turn to read an upload.
    pub(super) async fn upload(&self) -> Result<OwnedSemaphorePermit, Problem> {
        turn(&self.uploads).await
    }
}

async fn turn(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let permit = tokio::time::timeout(TURN_TIMEOUT, Arc::clone(turns).acquire_owned()).await;
    permit.ok().and_then(Result::ok).ok_or(Problem::Overloaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_preview_waits_and_is_refused_in_the_end() {
        let turns = ProgramTurns::default();
        let first = turns.preview().await.unwrap();
        let _upload = turns.upload().await.unwrap();
        let began = tokio::time::Instant::now();
        assert!(matches!(turns.preview().await, Err(Problem::Overloaded)));
        assert_eq!(began.elapsed(), TURN_TIMEOUT);
        drop(first);
        assert!(turns.preview().await.is_ok());
        let _last = turns.upload().await.unwrap();
        assert!(matches!(turns.upload().await, Err(Problem::Overloaded)));
    }
}
