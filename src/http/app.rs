//! The pipeline, and what it works with.

use super::agendas::Agendas;
use super::api::{self, Call};
use super::changes::Changes;
use super::exports::Exports;
use super::jcal::{self, Jcals};
use super::method::{self, Asked};
use super::organizer::{Organizer, Secrets};
use super::policy;
use super::route::{Endpoint, Route, Routes};
use super::web::{Codes, Events, Visit};
use super::{Body, Metrics, Problem, access, cap, feeds, host, problem};
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::publisher::Publisher;
use crate::release::Release;
use crate::store::Store;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH};
use http::{HeaderValue, Method, Request, Response, StatusCode, request};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What an application is made of.
#[derive(Debug)]
pub struct Parts {
    /// Holds the release that readers see.
    pub publisher: Arc<Publisher>,
    /// Where agendas are kept.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// How long a request's body may take.
    pub body_patience: Duration,
    /// Whose pages may frame the embedded program; empty: nobody's.
    pub frame_ancestors: Vec<String>,
    /// The organizer's secrets.
    pub secrets: Secrets,
    /// Which read link has seen which release.
    pub freshness: Arc<Freshness>,
}

/// The application. Clones share it.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    publisher: Arc<Publisher>,
    agendas: Agendas,
    store: Store,
    codes: Codes,
    events: Events,
    clock: Clock,
    body_patience: Duration,
    frame_ancestors: String,
    routes: Routes,
    metrics: Metrics,
    organizer: Organizer,
    changes: Changes,
    exports: Exports,
    jcals: Jcals,
}

impl App {
    /// Puts it together.
    pub fn new(parts: Parts) -> Self {
        let Parts { publisher, store, clock, body_patience, frame_ancestors, secrets, freshness } = parts;
        let organizer = Organizer {
            publisher: Arc::clone(&publisher),
            store: store.clone(),
            secrets,
            freshness,
            clock: clock.clone(),
            sessions: Arc::default(),
            drafts: Arc::default(),
        };
        Self(Arc::new(Inner {
            publisher,
            agendas: Agendas::new(store.clone(), clock.clone()),
            store,
            codes: Codes::default(),
            events: Events::default(),
            clock,
            body_patience,
            frame_ancestors: frame_ancestors.join(" "),
            routes: Routes::new(),
            metrics: Metrics::new(Routes::patterns()),
            organizer,
            changes: Changes::default(),
            exports: Exports::default(),
            jcals: Jcals::default(),
        }))
    }

    /// What was counted of the answers.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Answers a request. What goes wrong is an answer too.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
    {
        let (head, body) = request.into_parts();
        let entry = access::Entry::begin(&head.method);
        let found = host::check(head.version, &head.headers).and_then(|()| self.route(&head));
        let (pattern, class) = match &found {
            Ok(route) => (route.pattern, route.class),
            Err(_) => ("-", None),
        };
        let answered = match found {
            Ok(route) => self.perform(route, &head, body).await,
            Err(problem) => Err(problem),
        };
        let mut response = answered.unwrap_or_else(|problem| {
            entry.problem(pattern, &problem);
            let is_page = class.is_none_or(policy::Class::is_page);
            let release = self.0.publisher.current();
            let page = |title: &str, detail: &str| crate::web::problem(&release, title, detail);
            let is_wanted = is_page && problem::prefers_page(&head.headers);
            problem.answer(is_wanted.then_some(&page as problem::Page<'_>))
        });
        let status = response.status();
        if let Some(class) = class {
            class.apply(status, response.headers_mut());
        }
        policy::common(response.headers_mut());
        if head.method == Method::HEAD {
            response = without_body(response);
        }
        entry.end(pattern, &response, &self.0.metrics);
        response
    }

    fn route(&self, head: &request::Parts) -> Result<Route, Problem> {
        // CONNECT's target is an authority, and `*` asks about the server as a whole (RFC 9112, 3.2).
        match head.uri.path() {
            "*" if head.method == Method::OPTIONS => {
                Ok(Route { pattern: "*", class: None, methods: method::READ, endpoint: None })
            }
            path if path.starts_with('/') => self.0.routes.find(path),
            _ => Err(Problem::BadTarget),
        }
    }

    async fn perform<B>(
        &self,
        route: Route,
        head: &request::Parts,
        body: B,
    ) -> Result<Response<Body>, Problem>
    where
        B: http_body::Body<Data = Bytes>,
    {
        match method::asked(&head.method, route.methods) {
            Asked::Perform(_) => {}
            Asked::Options => return Ok(options(&route)),
            Asked::Refused => return Err(Problem::Method(route.methods)),
        }
        let published = self.0.publisher.published();
        let release = &published.release;
        let now = self.0.clock.now();
        let agendas = &self.0.agendas;
        match route.endpoint.ok_or(Problem::NotFound)? {
            Endpoint::Jcal(feed) => self.0.jcals.of(self.feed(&feed, release, &jcal::plain(head))?).await,
            Endpoint::Export(format) => self.0.exports.answer(format, release, head, now).await,
            Endpoint::Changes(feed) => self.0.changes.answer(feed, agendas, release, head, now).await,
            Endpoint::Organizer(endpoint) => {
                self.0.organizer.answer(endpoint, head, body, self.0.body_patience).await
            }
            Endpoint::Web(page) => {
                let body = cap::read(body, page.cap(), self.0.body_patience).await?;
                let visit = Visit {
                    agendas,
                    publisher: &self.0.publisher,
                    published: &published,
                    exports: &self.0.exports,
                    store: &self.0.store,
                    freshness: &self.0.organizer.freshness,
                    codes: &self.0.codes,
                    events: &self.0.events,
                    clock: &self.0.clock,
                    frame_ancestors: &self.0.frame_ancestors,
                    request: head,
                    body,
                };
                visit.answer(page).await
            }
            Endpoint::Api(api) => {
                let body = cap::read(body, api::cap(&api), self.0.body_patience).await?;
                let freshness = &self.0.organizer.freshness;
                Call { agendas, release, freshness, now, request: head, body }.answer(api).await
            }
            feed => self.feed(&feed, release, head),
        }
    }
}

impl App {
    /// A calendar feed.
    fn feed(
        &self,
        feed: &Endpoint,
        release: &Release,
        request: &request::Parts,
    ) -> Result<Response<Body>, Problem> {
        let (agendas, now) = (&self.0.agendas, self.0.clock.now());
        match feed {
            Endpoint::Feed(key) => feeds::public(key.clone(), release, request, now),
            Endpoint::SessionFeed(id) => feeds::session(id, release, request, now),
            Endpoint::AgendaFeed(token) => {
                let poll = feeds::Poll { agendas, release, freshness: &self.0.organizer.freshness, now };
                poll.answer(token, request)
            }
            _ => Err(Problem::NotFound),
        }
    }
}

/// 204 with Allow, and with what a preflight asks for.
fn options(route: &Route) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ALLOW, method::allow(route.methods));
    if let Some(class) = route.class {
        class.preflight(headers);
    }
    response
}

/// The same fields without the body (RFC 9110, 9.3.2).
fn without_body(mut response: Response<Body>) -> Response<Body> {
    let has_length =
        response.status() != StatusCode::NOT_MODIFIED && response.status() != StatusCode::NO_CONTENT;
    if let Some(length) = response.body().length().filter(|_| has_length) {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = Body::Empty;
    response
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}
