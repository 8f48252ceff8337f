//! The access log: one line per request, without secrets.
//!
//! A path may hold a read token, and a query anything, so a line has the route's pattern instead. Fields and bodies
//! are never logged. The private cause of a problem is logged here, once, with the same request id.
//!
//! Successful requests log at `debug` (`CALLBOARD_LOG=info,access=debug`), failures at `info`. Rejections under
//! overload are only counted, since there may be thousands a second. For each status, ten lines a second log at
//! `info` and the rest at `debug`; the next second begins with the number of the rest. So no client can fill the disk.

use super::route::Pattern;
use super::{Body, Metrics, Problem};
use http::{Method, Response, StatusCode};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

/// The next request id, unique within a process.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The log limit of each status, starting at 400.
static STATUSES: LogLimit<200> = LogLimit::new();

/// Causes of server errors.
static CAUSES: LogLimit<1> = LogLimit::new();

/// A request in progress.
#[derive(Debug)]
pub(super) struct RequestLog {
    id: u64,
    method: &'static str,
    started: Instant,
}

impl RequestLog {
    pub(super) fn begin(method: &Method, started: Instant) -> Self {
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), method: known(method), started }
    }

    /// Logs the cause of a server error.
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
    pub(super) fn end(self, route: Pattern, response: &Response<Body>, metrics: &Metrics) {
        let took = self.started.elapsed();
        metrics.count(route.number, response, took);
        let status = response.status().as_u16();
        let bytes = response.body().length().unwrap_or(0);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let (Self { id: request, method, started }, route) = (self, route.text);
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

/// The name of a known method. An unknown one is text from the client, which does not belong in the log.
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

/// The most lines of one class in a second.
const EACH_SECOND: u64 = 10;

/// Counts lines by class without a lock: the second is in the upper half of a number, the lines in its lower half.
#[derive(Debug)]
struct LogLimit<const CLASSES: usize>([AtomicU64; CLASSES]);

impl<const CLASSES: usize> LogLimit<CLASSES> {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; CLASSES])
    }

    /// Whether to log a line of a class in this second. Calls `report` once with the number of lines that an earlier second
    /// omitted. A class without a counter is not limited.
    fn admits(&self, class: usize, second: u64, report: impl FnOnce(u64)) -> bool {
        let Some(counter) = self.0.get(class) else { return true };
        let second = second & u64::from(u32::MAX);
        let split = |packed: u64| (packed >> 32, packed & u64::from(u32::MAX));
        let next = |packed: u64| match split(packed) {
            (of, lines) if of == second => Some(second << 32 | (lines + 1).min(u32::MAX.into())),
            _ => Some(second << 32 | 1),
        };
        let before = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let (of, lines) = split(before.unwrap_or_else(|unchanged| unchanged));
        if of == second {
            return lines < EACH_SECOND;
        }
        let omitted = lines.saturating_sub(EACH_SECOND);
        if omitted > 0 {
            report(omitted);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn the_next_second_reports_how_many_lines_of_a_class_were_omitted() {
        let limit: LogLimit<2> = LogLimit::new();
        let omitted = Cell::new(0);
        let logged = |class: usize, second: u64, lines: usize| {
            (0..lines)
                .filter(|_| limit.admits(class, second, |more| omitted.set(omitted.get() + more)))
                .count()
        };
        assert_eq!((logged(0, 0, 20_000), logged(1, 0, 3)), (10, 3));
        assert_eq!(omitted.get(), 0);
        assert_eq!(logged(0, 1, 5), 5);
        assert_eq!(omitted.get(), 19_990);
        assert_eq!(logged(0, 2, 100), 10);
        assert_eq!(omitted.get(), 19_990, "five lines are within the limit");
        assert_eq!(logged(0, 9, 1), 1);
        assert_eq!(omitted.get(), 20_080);
        assert_eq!(logged(7, 9, 100), 100, "no such class");
    }
}
