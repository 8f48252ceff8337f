//! The pipeline, and what it works with.

use super::agendas::{AgendaError, Agendas};
use super::allowance::{Allowances, Allowed};
use super::api::{self, Call, Reader};
use super::changes::Changes;
use super::dav::{self, Place};
use super::exports::Exports;
use super::feeds::Polled;
use super::jcal::{self, Jcals};
use super::method::{self, Asked};
use super::organizer::{Organizer, Secrets};
use super::pace::Pace;
use super::policy;
use super::queue::Queues;
use super::route::{Endpoint, Route, Routes};
use super::web::{Codes, Events, PageRequest};
use super::{Body, Metrics, Problem, access, cap, coded, feeds, host, problem};
use crate::clock::Clock;
use crate::config::Limits;
use crate::freshness::{Freshness, Share};
use crate::publisher::{Published, Publisher};
use crate::release::Release;
use crate::store::Store;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ALLOW, CONTENT_LENGTH};
use http::{HeaderValue, Method, Request, Response, StatusCode, request};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
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
    /// How often an address may do what.
    pub allowances: Allowances,
}

/// The application. Clones share it.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    publisher: Arc<Publisher>,
    agendas: Agendas,
    polled: Polled,
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
    reader: Reader,
    allowances: Allowances,
    pace: Pace,
    queues: Queues,
}

impl App {
    /// Puts it together.
    pub fn new(parts: Parts) -> Self {
        let Parts { publisher, store, clock, body_patience, frame_ancestors, secrets, freshness, allowances } =
            parts;
        let organizer = Organizer {
            publisher: Arc::clone(&publisher),
            store: store.clone(),
            secrets,
            freshness,
            clock: clock.clone(),
            sessions: Arc::default(),
            drafts: Arc::default(),
            previews: Arc::default(),
        };
        Self(Arc::new(Inner {
            publisher,
            agendas: Agendas::new(store.clone(), clock.clone(), Arc::clone(&organizer.freshness)),
            polled: Polled::default(),
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
            reader: Reader::default(),
            allowances,
            pace: Pace::default(),
            queues: Queues::default(),
        }))
    }

    /// What was counted of the answers.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Replaces how often an address may do what.
    pub fn limit_rates(&self, limits: &Limits) {
        self.0.allowances.limit(limits);
    }

    /// The time.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// How many of the read links polled lately hold the running release.
    pub(super) fn freshness(&self) -> Share {
        self.0.organizer.freshness.share(self.0.publisher.current().number(), self.0.clock.now())
    }

    /// Watches whether the server keeps up, so that requests are turned away when it does not; never returns.
    /// It belongs on the runtime that the requests are answered on.
    pub async fn keep_pace(&self) {
        self.0.pace.keep().await;
    }

    /// How many requests were turned away because the server did not keep up.
    pub fn turned_away(&self) -> u64 {
        self.0.pace.turned_away() + self.0.queues.turned_away() + self.0.jcals.turned_away()
    }

    /// Answers a request of this machine's. What goes wrong is an answer too.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
    {
        self.respond_to(request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await
    }

    /// Answers a request that came in from an address, a proxy's where there is one.
    pub async fn respond_to<B>(&self, request: Request<B>, socket: IpAddr) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
    {
        if !self.0.pace.admits() {
            let mut answer = Problem::Overloaded.answer(None);
            policy::common(answer.headers_mut());
            return if request.method() == Method::HEAD { without_body(answer) } else { answer };
        }
        let (head, body) = request.into_parts();
        let entry = access::Entry::begin(&head.method);
        let found = host::check(head.version, &head.headers)
            .and_then(|()| coded::transfer(&head.headers))
            .and_then(|()| self.route(&head));
        let (pattern, class) = match &found {
            Ok(route) => (route.pattern, route.class),
            Err(_) => ("-", None),
        };
        let answered = match found {
            Ok(route) => self.perform(route, &head, body, socket).await,
            Err(problem) => Err(problem),
        };
        let mut response = answered.unwrap_or_else(|problem| {
            let problem = problem.with_credentials(pattern, &head.headers);
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
            _ if !method::is_known(&head.method) => Err(Problem::UnknownMethod),
            "*" if head.method == Method::OPTIONS => {
                Ok(Route { pattern: "*", class: None, methods: method::READ, endpoint: None })
            }
            path if path.starts_with('/') => self.0.routes.of(&head.method, path),
            _ => Err(Problem::BadTarget),
        }
    }

    async fn perform<B>(
        &self,
        route: Route,
        head: &request::Parts,
        body: B,
        socket: IpAddr,
    ) -> Result<Response<Body>, Problem>
    where
        B: http_body::Body<Data = Bytes>,
    {
        // CalDAV has methods of its own.
        if !matches!(route.endpoint, Some(Endpoint::Dav(_))) {
            match method::asked(&head.method, route.methods) {
                Asked::Perform(_) => {}
                Asked::Options => return Ok(options(&route)),
                Asked::Refused => return Err(Problem::Method(route.methods)),
            }
        }
        match route.endpoint.ok_or(Problem::NotFound)? {
            Endpoint::Dav(Place::WellKnown) => Ok(dav::well_known(&head.headers)),
            feed @ (Endpoint::AgendaFeed(_) | Endpoint::SessionFeed(_)) => {
                let answer = self.ready_feed(feed.clone(), head);
                // Calendars report a failed poll to their owners, so one is answered once the store is back.
                if answer.is_err() && self.0.store.is_interrupted() {
                    Box::pin(self.0.store.until_back()).await;
                    return self.ready_feed(feed, head);
                }
                answer
            }
            feed @ Endpoint::Feed(_) if head.uri.query().is_none() => self.ready_feed(feed, head),
            // On the heap: inside, their future would make every request's as large, and it is moved about.
            other => Box::pin(self.perform_other(other, head, body, socket)).await,
        }
    }

    /// What is behind the other paths: waits for a body, and for its turn.
    async fn perform_other<B>(
        &self,
        endpoint: Endpoint,
        head: &request::Parts,
        body: B,
        socket: IpAddr,
    ) -> Result<Response<Body>, Problem>
    where
        B: http_body::Body<Data = Bytes>,
    {
        if !body.is_end_stream() {
            coded::content(&head.headers)?;
        }
        let allowed = self.0.allowances.of(socket, &head.headers, self.0.clock.elapsed());
        let patience = self.0.body_patience;
        if let Endpoint::Organizer(endpoint) = endpoint {
            return self.0.organizer.answer(endpoint, head, body, patience, allowed).await;
        }
        // Before its turn: a client may take its time to send.
        let body = match &endpoint {
            Endpoint::Web(page) => cap::read(body, page.cap(), patience).await?,
            Endpoint::Api(api) => cap::read(body, api::cap(api), patience).await?,
            Endpoint::Dav(_) => cap::read(body, dav::CAP, patience).await?,
            _ => Bytes::new(),
        };
        let published = self.0.publisher.published();
        let turn = self.0.queues.turn(&endpoint, head, &published).await?;
        let answer = self.make(endpoint, &published, head, body, allowed);
        match turn {
            Some(turn) => turn.run(answer).await,
            None => answer.await,
        }
    }

    /// What is behind a path, once everything is there that it is made of.
    async fn make(
        &self,
        endpoint: Endpoint,
        published: &Published,
        head: &request::Parts,
        body: Bytes,
        allowed: Allowed<'_>,
    ) -> Result<Response<Body>, Problem> {
        let (release, now) = (&published.release, self.0.clock.now());
        let (agendas, freshness) = (&self.0.agendas, &*self.0.organizer.freshness);
        match endpoint {
            Endpoint::Dav(place) => {
                dav::Visit { agendas, release, freshness, now, request: head, body }.answer(place).await
            }
            Endpoint::Jcal(feed) => {
                self.0.jcals.of(self.feed(*feed, release, &jcal::plain(head), now)?).await
            }
            Endpoint::Export(format) => {
                self.0.exports.answer(format, release, head, now, &self.0.queues.whole).await
            }
            Endpoint::Reading(what) => {
                let queue = &self.0.queues.short;
                self.0.reader.answer(what, release, &self.0.store, head, now, queue).await
            }
            Endpoint::Changes(feed) => {
                self.0.changes.answer(feed, agendas, release, head, now, &self.0.queues.whole).await
            }
            Endpoint::Web(page) => {
                let visit = PageRequest {
                    agendas,
                    publisher: &self.0.publisher,
                    published,
                    exports: &self.0.exports,
                    store: &self.0.store,
                    freshness,
                    codes: &self.0.codes,
                    events: &self.0.events,
                    clock: &self.0.clock,
                    queues: &self.0.queues,
                    frame_ancestors: &self.0.frame_ancestors,
                    allowed,
                    request: head,
                    body,
                };
                no_guessing(allowed, head, visit.answer(page).await)
            }
            Endpoint::Api(api) => {
                let queue = &self.0.queues.whole;
                let call = Call { agendas, release, freshness, allowed, now, queue, request: head, body };
                no_guessing(allowed, head, call.answer(api).await)
            }
            feed => self.feed(feed, release, head, now),
        }
    }

    /// A calendar feed that lies ready, or nearly so.
    fn ready_feed(&self, feed: Endpoint, request: &request::Parts) -> Result<Response<Body>, Problem> {
        self.feed(feed, &self.0.publisher.current(), request, self.0.clock.now())
    }

    /// A calendar feed.
    fn feed(
        &self,
        feed: Endpoint,
        release: &Arc<Release>,
        request: &request::Parts,
        now: DateTime<Utc>,
    ) -> Result<Response<Body>, Problem> {
        let (agendas, polled, freshness) = (&self.0.agendas, &self.0.polled, &*self.0.organizer.freshness);
        let poll = feeds::Poll { agendas, polled, release, freshness, now };
        match feed {
            Endpoint::Feed(key) => feeds::public(key, release, request, now),
            Endpoint::SessionFeed(id) => feeds::session(&id, release, request, now),
            Endpoint::AgendaFeed(token) => poll.answer(&token, request),
            Endpoint::TeamFeed(members) => poll.team(&members, request),
            _ => Err(Problem::NotFound),
        }
    }
}

/// A write with an edit key that opens nothing takes a token, and is told so when there is none left.
fn no_guessing(
    allowed: Allowed<'_>,
    request: &request::Parts,
    answer: Result<Response<Body>, Problem>,
) -> Result<Response<Body>, Problem> {
    let is_read = matches!(request.method, Method::GET | Method::HEAD);
    match answer {
        Err(Problem::Agenda(AgendaError::UnknownKey)) if !is_read => {
            Err(allowed.wrong_key().err().unwrap_or(Problem::Agenda(AgendaError::UnknownKey)))
        }
        answer => answer,
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
