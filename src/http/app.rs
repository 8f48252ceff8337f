//! The pipeline: from a request to its response.

use super::agendas::{AgendaError, Agendas};
use super::allowance::Allowances;
use super::context::{Context, Reply, Services};
use super::exports::Exports;
use super::exports::Warmup;
use super::organizer::{Organizer, Secrets};
use super::pace::Pace;
use super::reply::{Answer, no_content};
use super::request_body::UnreadBody;
use super::route::{self, Path, Resource};
use super::web::Codes;
use super::{
    Body, Metrics, Problem, access, compression, policy, position, problem, request_body, request_head,
};
use crate::clock::Clock;
use crate::config::Limits;
use crate::freshness::{Audience, Freshness, Share};
use crate::publisher::Publisher;
use crate::store::{CommitError, Store};
use crate::texts::Texts;
use crate::web::{self, SignInReason};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ALLOW, CONTENT_LENGTH};
use http::{HeaderValue, Method, Request, Response, StatusCode, request};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The parts of an application.
#[derive(Debug)]
pub struct Parts {
    /// Holds the live release.
    pub publisher: Arc<Publisher>,
    /// Holds the agendas.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// How long a request's body may take.
    pub body_patience: Duration,
    /// The origins whose pages may frame the embedded program; empty for none.
    pub frame_ancestors: Vec<String>,
    /// The organizer's secrets.
    pub secrets: Secrets,
    /// The release that each read link last fetched.
    pub freshness: Arc<Freshness>,
    /// The limits that apply to one client.
    pub allowances: Allowances,
}

/// The application. Clones share it.
#[derive(Clone)]
pub struct App(Arc<AppState>);

struct AppState {
    services: Services,
    body_patience: Duration,
    metrics: Metrics,
    pace: Pace,
}

impl App {
    /// Assembles the application.
    pub fn new(parts: Parts) -> Self {
        let Parts { publisher, store, clock, body_patience, frame_ancestors, secrets, freshness, allowances } =
            parts;
        let (sign_ins, drafts) = Organizer::shared_state(&store);
        let organizer = Organizer {
            publisher: Arc::clone(&publisher),
            store: store.clone(),
            secrets,
            freshness: Arc::clone(&freshness),
            clock: clock.clone(),
            sign_ins,
            drafts,
            turns: Arc::default(),
            started: clock.now(),
        };
        let warmup = Warmup::default();
        let codes = Codes::of(&store, &clock);
        let services = Services {
            publisher,
            agendas: Agendas::new(store.clone(), clock.clone(), Arc::clone(&freshness)),
            polled: Default::default(),
            validators: Default::default(),
            store,
            freshness,
            codes,
            events: Default::default(),
            clock,
            frame_ancestors: frame_ancestors.join(" "),
            organizer,
            changes: Default::default(),
            history: Default::default(),
            exports: Exports::new(warmup.clone()),
            jcals: Default::default(),
            warmup,
            documents: Default::default(),
            pages: Default::default(),
            allowances,
            queues: Default::default(),
        };
        let metrics = Metrics::new(route::patterns());
        let inner = Arc::new(AppState { services, body_patience, metrics, pace: Pace::default() });
        render_ahead_of_requests(&inner);
        Self(inner)
    }

    /// Counters of the responses.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Replaces the limits that apply to one client.
    pub fn limit_rates(&self, limits: &Limits) {
        self.0.services.allowances.limit(limits);
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.0.services.clock.now()
    }

    /// How many of the recently polled read links hold the live release.
    pub(super) fn freshness(&self) -> Share {
        let Services { freshness, publisher, clock, .. } = &self.0.services;
        freshness.share(publisher.current().number(), clock.now())
    }

    /// The calendars that were fetched recently, by kind of feed and family of clients.
    pub(super) fn audience(&self) -> Vec<Audience> {
        let Services { freshness, clock, .. } = &self.0.services;
        freshness.audience(clock.now())
    }

    /// Watches whether the server keeps up, so that requests are rejected when it does not. Never returns. Run it on
    /// the runtime that answers the requests.
    pub async fn keep_pace(&self) {
        self.0.pace.keep().await;
    }

    /// How many requests were rejected because the server did not keep up.
    pub fn rejected_requests(&self) -> u64 {
        let Services { queues, jcals, .. } = &self.0.services;
        self.0.pace.rejected() + queues.rejected() + jcals.rejected()
    }

    /// Answers a request from this machine. Errors become responses.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
    {
        self.clone().respond_to(request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await
    }

    /// Answers a request from the address of a socket, which may be a proxy's.
    pub async fn respond_to<B>(self, request: Request<B>, socket: IpAddr) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
    {
        let started = Instant::now();
        if !self.0.pace.admits(started) {
            let mut answer = Problem::Overloaded.answer(None);
            policy::common(None, answer.headers_mut());
            return if request.method() == Method::HEAD { without_body(answer) } else { answer };
        }
        let (head, body) = request.into_parts();
        let is_behind = !position::wait(&self.0.services.store, &head.headers).await;
        let log = access::RequestLog::begin(&head.method, started);
        let path = request_head::normalized_path(head.uri.path());
        let found = request_head::check_host(head.version, &head.headers)
            .and_then(|()| request_body::check_transfer_coding(&head.headers))
            .and_then(|()| route::find(&head.method, &path));
        let (pattern, class, answered) = match found {
            Ok((resource, path)) => {
                let route = resource.route(&head.method);
                let class = route.map_or(resource.class, |route| Some(route.class));
                if is_behind && !request_head::is_safe(&head.method) {
                    let error = CommitError::Unavailable("this replica is behind its client".to_owned());
                    (resource.pattern, class, Err(Problem::Agenda(AgendaError::Commit(error))))
                } else {
                    (resource.pattern, class, self.perform(resource, &path, &head, body, socket).await)
                }
            }
            Err(problem) => (route::UNKNOWN, None, Err(problem)),
        };
        let mut response = answered.unwrap_or_else(|problem| {
            let problem = problem.with_credentials(pattern.text, &head.headers);
            log.problem(pattern.text, &problem);
            let is_page = class.is_none_or(policy::Class::is_page);
            let release = self.0.services.publisher.current();
            let page = |problem: &Problem| {
                let (title, text) = problem.for_people(Texts::of(&release.program.conference.language));
                match (problem, class) {
                    (Problem::NoSecret, Some(policy::Class::Organizer)) => {
                        web::sign_in(&release, SignInReason::Expired)
                    }
                    (_, Some(policy::Class::Organizer)) => web::desk_problem(&release, title, &text),
                    _ => web::problem(&release, title, &text),
                }
            };
            let is_wanted = is_page && problem::prefers_page(&head.headers);
            problem.answer(is_wanted.then_some(&page as problem::RenderPage<'_>))
        });
        let is_complete = policy::is_complete(response.headers());
        if !is_complete {
            policy::complete(class, response.status(), response.headers_mut());
        }
        if !request_head::is_safe(&head.method) {
            position::add(&self.0.services.store, response.headers_mut());
        }
        if !is_complete {
            compression::compress(&head.headers, &mut response);
        }
        if head.method == Method::HEAD {
            response = without_body(response);
        }
        log.end(pattern, &response, &self.0.metrics);
        response
    }

    async fn perform<B>(
        &self,
        resource: &'static Resource,
        path: &Path<'_>,
        head: &request::Parts,
        body: B,
        socket: IpAddr,
    ) -> Answer
    where
        B: http_body::Body<Data = Bytes> + Send,
    {
        let Some(route) = resource.route(&head.method) else {
            return match head.method {
                Method::OPTIONS => Ok(options(resource)),
                _ => Err(Problem::Method(&resource.methods)),
            };
        };
        if !body.is_end_stream() {
            request_body::check_content_coding(&head.headers)?;
        }
        if route.class.reads_agendas() && self.0.services.store.is_interrupted() {
            // A full disk makes the store reopen its index, in which it reads nothing for a moment.
            Box::pin(self.0.services.store.until_back()).await;
        }
        let body = UnreadBody::new(body, route.max_body, self.0.body_patience);
        let context = Context { services: &self.0.services, head, body, socket, queue: route.queue };
        match (route.handler)(context, path)? {
            Reply::Ready(answer) => answer,
            Reply::Pending(answer) => answer.await,
        }
    }
}

/// 204 with Allow, and the fields that a preflight asks for.
fn options(resource: &Resource) -> Response<Body> {
    let mut response = no_content();
    let headers = response.headers_mut();
    headers.insert(ALLOW, request_head::allow(&resource.methods));
    if let Some(class) = resource.class {
        class.preflight(headers);
    }
    response
}

/// The answer to HEAD: the same fields without the body (RFC 9110, 9.3.2).
fn without_body(mut response: Response<Body>) -> Response<Body> {
    let has_length =
        response.status() != StatusCode::NOT_MODIFIED && response.status() != StatusCode::NO_CONTENT;
    if let Some(length) = response.body().length().filter(|_| has_length) {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = Body::Empty;
    response
}

/// Registers the rendering of exports with the publisher, which gets only a weak reference to the application.
fn render_ahead_of_requests(inner: &Arc<AppState>) {
    let weak = Arc::downgrade(inner);
    inner.services.publisher.prepare_with(move |release| {
        let Some(inner) = weak.upgrade() else { return Box::new(|_| {}) };
        let rendering = inner.services.warmup.begin(release);
        Box::new(move |is_live| inner.services.render_ahead(&rendering, is_live))
    });
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::queue::QueueName;
    use crate::http::test_app::{TestApp, request};
    use http::header::{ETAG, IF_NONE_MATCH};
    use http_body_util::{BodyExt, Full};

    async fn get(app: &App, path: &str, tag: Option<&HeaderValue>) -> Response<Body> {
        let mut request = Request::get(path).header("host", "conf.example");
        if let Some(tag) = tag {
            request = request.header(IF_NONE_MATCH, tag);
        }
        app.respond(request.body(Full::new(Bytes::new())).unwrap()).await
    }

    /// The path of a new agenda's feed.
    async fn feed_of_an_agenda(app: &App) -> String {
        let body = r#"{"name":"Mine","picks":["opening"]}"#;
        let create = request(&Method::POST, "/api/v1/agendas", body);
        let mut create = create.body(Full::new(Bytes::from(body))).unwrap();
        create.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        let answer = app.respond(create).await.into_body().collect().await.unwrap().to_bytes();
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        let feed = answer["read_links"][0]["feed"].as_str().unwrap();
        feed.strip_prefix("https://conf.example").unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_304_is_answered_while_every_turn_is_taken() {
        let TestApp { app, store: _store, _dir } = TestApp::new();
        let [one, two] = [feed_of_an_agenda(&app).await, feed_of_an_agenda(&app).await];
        let token = |feed: &str| feed["/agendas/".len()..].trim_end_matches(".ics").to_owned();
        let team = format!("/team/{}.{}.ics", token(&one), token(&two));
        let changes = one.replace(".ics", "/changes.atom");
        let mut tags = Vec::new();
        for path in [
            "/program.ics?kind=talk",
            "/program.ics?alarm=5m&kind=talk&unknown=x",
            "/days/2025-03-25.ics?busy=yes",
            "/schedule.json",
            "/changes",
            "/changes.atom",
            "/api",
            "/api/v1/sessions?kind=talk",
            "/api/v1/releases",
            "/api/v1/changes?since=1",
            "/dav/public/program/opening.ics",
            one.as_str(),
            &team,
            &changes,
        ] {
            let answer = get(&app, path, None).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            tags.push((path, answer.headers()[ETAG].clone()));
        }
        let queues = &app.0.services.queues;
        let mut turns = Vec::new();
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            turns.push(queues.get(QueueName::Short).turn().await.unwrap());
            turns.push(queues.get(QueueName::Whole).turn().await.unwrap());
        }
        for (path, tag) in &tags {
            let answer = get(&app, path, Some(tag)).await;
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{path}");
        }
        let other = get(&app, "/program.ics?kind=meal", None).await;
        assert_eq!(other.status(), StatusCode::SERVICE_UNAVAILABLE, "this one has to be joined");
    }
}
