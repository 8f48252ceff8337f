//! The operator's paths, on a listener of their own: alive, ready, and what is counted.

use super::{App, Body};
use crate::publisher::{Publisher, Verdict};
use crate::store::{Store, StoreStatus};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::json;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A commit that waits longer is a store that hangs.
const HANGS: Duration = Duration::from_secs(10);

/// Answers for the operator. Clones share it.
#[derive(Debug, Clone)]
pub struct Operator {
    app: App,
    publisher: Arc<Publisher>,
    store: Store,
    draining: Arc<AtomicBool>,
}

impl Operator {
    /// For an application; `draining` is set when it stops.
    pub fn new(app: App, publisher: Arc<Publisher>, store: Store, draining: Arc<AtomicBool>) -> Self {
        Self { app, publisher, store, draining }
    }

    /// Answers a request of any body, which is not read.
    pub fn respond<B>(&self, request: &Request<B>) -> Response<Body> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return answer(
                StatusCode::METHOD_NOT_ALLOWED,
                "text/plain; charset=utf-8",
                "GET only\n".to_owned(),
            );
        }
        match request.uri().path() {
            "/healthz" => answer(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned()),
            "/readyz" => self.ready(),
            "/metrics" => answer(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", self.metrics()),
            _ => answer(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "nothing is here\n".to_owned()),
        }
    }

    /// Whether commits go through: what the watchdog of systemd hears of.
    pub fn is_alive(&self) -> bool {
        commits_go_through(&self.store.status())
    }

    /// A held or refused program is no reason to send nobody here: the running release is good.
    fn ready(&self) -> Response<Body> {
        let StoreStatus { writable, queue, .. } = self.store.status();
        let draining = self.draining.load(Ordering::Relaxed);
        let release = self.publisher.current();
        let ready = writable && !draining && self.is_alive();
        let body = json!({
            "ready": ready,
            "draining": draining,
            "store": {
                "writable": writable,
                "failure": self.store.failure(),
                "alive": self.is_alive(),
                "queue": queue,
            },
            "release": release.number(),
            "published": release.published(),
            "publication": self.publisher.status(),
        });
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        answer(status, "application/json", body.to_string())
    }

    fn metrics(&self) -> String {
        let mut out = String::new();
        self.app.metrics().print(&mut out);
        let (release, status, store) =
            (self.publisher.current(), self.publisher.status(), self.store.status());
        let held = status.held.is_some();
        let refused = status.last.is_some_and(|last| matches!(last.verdict, Verdict::Refused { .. }));
        let links = self.app.freshness();
        let gauges: [(&str, &str, i128); 15] = [
            ("callboard_release", "The running release's number.", release.number().into()),
            (
                "callboard_release_published_seconds",
                "When it was published.",
                release.published().timestamp().into(),
            ),
            ("callboard_sessions", "Sessions that feeds show.", release.feeds.events().len() as i128),
            ("callboard_publication_held", "1 while a release waits for a confirmation.", i128::from(held)),
            ("callboard_publication_refused", "1 if the last program had errors.", i128::from(refused)),
            ("callboard_links_polled", "Read links polled within two days.", links.polled as i128),
            ("callboard_links_current", "Those that hold the running release.", links.current as i128),
            (
                "callboard_turned_away",
                "Requests answered 503 because they came too fast, since the start.",
                self.app.turned_away().into(),
            ),
            ("callboard_store_writable", "1 while the store takes writes.", i128::from(store.writable)),
            ("callboard_store_queue", "Commits that wait.", store.queue as i128),
            ("callboard_store_commits", "Commits acknowledged since the start.", store.acknowledged.into()),
            ("callboard_store_sequence", "The last record of the journal.", store.sequence.into()),
            (
                "callboard_store_checkpoint",
                "The record that the last checkpoint is of.",
                store.checkpoint.into(),
            ),
            (
                "callboard_store_rebuilt",
                "Times that the index was damaged and made anew.",
                store.rebuilt.into(),
            ),
            ("callboard_store_lost", "What is damaged in both copies: restore a backup.", store.lost.into()),
        ];
        for (name, help, value) in gauges {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
        }
        out
    }
}

fn commits_go_through(store: &StoreStatus) -> bool {
    store.oldest_pending.is_none_or(|waits| waits < HANGS)
}

fn answer(status: StatusCode, media_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_older_than_ten_seconds_is_a_store_that_hangs() {
        let waits = |seconds: Option<u64>| {
            let oldest_pending = seconds.map(Duration::from_secs);
            commits_go_through(&StoreStatus { writable: true, oldest_pending, ..StoreStatus::default() })
        };
        assert!(waits(None) && waits(Some(9)));
        assert!(!waits(Some(10)) && !waits(Some(3_600)));
    }
}
