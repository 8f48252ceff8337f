//! The access log: one line per request, without secrets.
//!
//! A path may hold a read token and a query anything, so the line names the route's pattern instead; a field
//! or a body is never logged. The private cause of a problem is logged here too, once, under the same
//! request id.
//!
//! A line costs as much as answering from memory does, and the reverse proxy writes one anyway. So what was
//! answered as it should be is logged at `debug` (`CALLBOARD_LOG=info,access=debug`), errors at `info`; of who is
//! turned away there may be thousands a second, which the metrics count. Of one status, ten lines a second are logged at `info`,
//! the others at `debug`; the next second begins with their number. So nobody can fill a disk with lines about what he asks.

use super::log_limit::LogLimit;
use super::{Body, Metrics, Problem};
use http::{Method, Response, StatusCode};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Where request ids come from: unique within a process, which the log's own lines tell apart.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// By status, from 400.
static STATUSES: LogLimit<200> = LogLimit::new();

/// Causes that are ours, all together.
static CAUSES: LogLimit<1> = LogLimit::new();

/// A request under way.
#[derive(Debug)]
pub(super) struct Entry {
    id: u64,
    method: &'static str,
    started: Instant,
}

impl Entry {
    pub(super) fn begin(method: &Method) -> Self {
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), method: known(method), started: Instant::now() }
    }

    /// Logs the cause of a problem, where it is ours.
    pub(super) fn problem(&self, route: &'static str, problem: &Problem) {
        if let Some(cause) = problem.cause()
            && CAUSES.admits(0, started_seconds(self.started), |more| {
                tracing::error!(target: "access", more, "more requests failed within a second");
            })
        {
            tracing::error!(target: "access", request = self.id, route, cause, "a request failed");
        }
    }

    /// Logs and counts the answer.
    pub(super) fn end(self, route: &'static str, response: &Response<Body>, metrics: &Metrics) {
        let took = self.started.elapsed();
        metrics.count(route, response, took);
        let status = response.status().as_u16();
        let bytes = response.body().length().unwrap_or(0);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let Self { id: request, method, started } = self;
        let is_quiet = response.status() == StatusCode::SERVICE_UNAVAILABLE || status < 400;
        if is_quiet || !STATUSES.admits(usize::from(status).saturating_sub(400), started_seconds(started), |more| {
                tracing::info!(target: "access", status, more, "more requests within a second were answered so");
            }) {
            tracing::debug!(target: "access", request, method, route, status, bytes, micros);
        } else {
            tracing::info!(target: "access", request, method, route, status, bytes, micros);
        }
    }
}

/// Seconds since the first request.
fn started_seconds(started: Instant) -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    started.saturating_duration_since(*FIRST.get_or_init(|| started)).as_secs()
}

/// A method by name; invented ones are the client's words, which do not belong into the log.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => ["PROPFIND", "REPORT"].into_iter().find(|name| method == name).unwrap_or("other"),
    }
}
