//! The access log: one line per request, without secrets.
//!
//! A path may hold a read token and a query anything, so the line names the route's pattern instead; a field
//! or a body is never logged. The private cause of a problem is logged here too, once, under the same
//! request id.
//!
//! A line costs as much as answering from memory does, and the reverse proxy writes one anyway. So what was
//! answered as it should be is logged at `debug` (`CALLBOARD_LOG=info,access=debug`), errors at `info`; of who is
//! turned away there may be thousands a second, which the metrics count.

use super::{Body, Metrics, Problem};
use http::{Method, Response, StatusCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Where request ids come from: unique within a process, which the log's own lines tell apart.
static NEXT: AtomicU64 = AtomicU64::new(1);

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
        if let Some(cause) = problem.cause() {
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
        let Self { id: request, method, .. } = self;
        if response.status() == StatusCode::SERVICE_UNAVAILABLE || status < 400 {
            tracing::debug!(target: "access", request, method, route, status, bytes, micros);
        } else {
            tracing::info!(target: "access", request, method, route, status, bytes, micros);
        }
    }
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
