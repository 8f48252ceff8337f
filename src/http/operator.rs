//! The operator's paths on their own listener: `/healthz`, `/readyz` and `/metrics`.

use super::metrics::{self, Exposition};
use super::{App, Body};
use crate::publisher::{AttemptResult, Publisher};
use crate::store::{ReplicaStatus, Store, StoreStatus};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// The shares of deliveries whose time is shown, in percent.
pub(super) const SHARES: [u64; 3] = [50, 95, 100];

/// The store counts as hanging if a commit waits longer.
const MAX_COMMIT_WAIT: Duration = Duration::from_secs(10);

/// Answers for the operator. Clones share it.
#[derive(Debug, Clone)]
pub struct Operator {
    app: App,
    publisher: Arc<Publisher>,
    store: Store,
    backups: Arc<Backups>,
    draining: Arc<AtomicBool>,
    /// When this operator was made, in seconds of the Unix epoch.
    started: i64,
}

impl Operator {
    /// The operator of an application. `draining` is set when the application stops.
    pub fn new(
        app: App,
        publisher: Arc<Publisher>,
        store: Store,
        backups: Arc<Backups>,
        draining: Arc<AtomicBool>,
    ) -> Self {
        let started = app.now().timestamp();
        Self { app, publisher, store, backups, draining, started }
    }

    /// Answers a request without reading its body.
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

    /// [`Self::respond`] on a thread that may wait for the disk: a scrape reads the outbox and /proc.
    pub fn respond_apart<B>(
        &self,
        request: &Request<B>,
    ) -> impl Future<Output = Response<Body>> + Send + 'static + use<B> {
        let mut head = Request::new(());
        request.method().clone_into(head.method_mut());
        request.uri().clone_into(head.uri_mut());
        let this = self.clone();
        async move {
            let answered = tokio::task::spawn_blocking(move || this.respond(&head)).await;
            answered.unwrap_or_else(|_| {
                let text = "the server is stopping\n".to_owned();
                answer(StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", text)
            })
        }
    }

    /// Whether commits go through. systemd's watchdog is notified only while they do.
    pub fn is_alive(&self) -> bool {
        commits_go_through(&self.store.status())
    }

    /// A held or refused program does not make the server unready: the live release is good.
    fn ready(&self) -> Response<Body> {
        let (ready, body) = self.readiness();
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        answer(status, "application/json", body.to_string())
    }

    /// Whether the server is ready for requests, and the JSON of `/readyz`, which says why it is not.
    pub fn readiness(&self) -> (bool, Value) {
        let StoreStatus { writable, queue, .. } = self.store.status();
        let draining = self.draining.load(Ordering::Relaxed);
        let release = self.publisher.current();
        let failure = self.store.failure();
        let replica = self.store.replica();
        let outdated = self.publisher.status().outdated;
        let reason = if draining {
            Some("the server is stopping".to_owned())
        } else if !self.is_alive() {
            Some("a write has waited for the disk for more than 10 seconds".to_owned())
        } else if !writable {
            Some(match &failure {
                Some(failure) => format!("the store refuses writes: {failure}"),
                None => "the store is closed".to_owned(),
            })
        } else {
            outdated.clone()
        };
        // A replica without its database still answers every read, and the other replicas are without it too.
        let reads_go_on = self.store.is_away() && !draining && outdated.is_none();
        let ready = reason.is_none() || reads_go_on;
        let body = json!({
            "ready": ready,
            "reason": reason,
            "draining": draining,
            "store": {
                "writable": writable,
                "failure": failure,
                "alive": self.is_alive(),
                "queue": queue,
            },
            "replica": replica.map(|replica| json!({
                "name": replica.name,
                "database": replica.database,
                "position": replica.position,
                "lag_ms": replica.lag.map(|lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX)),
                "in_charge": self.publisher.charge().is_held(),
            })),
            "release": release.number(),
            "published": release.published(),
            "publication": self.publisher.status(),
        });
        (ready, body)
    }

    fn metrics(&self) -> String {
        let mut out = Exposition::default();
        self.app.metrics().print(&mut out.0);
        self.publication_metrics(&mut out);
        self.store_metrics(&mut out);
        let links = self.app.freshness();
        out.gauge("callboard_links_polled", "Read links polled within two days.", links.polled);
        out.gauge(
            "callboard_links_current",
            "Recently polled read links that have the live release.",
            links.current,
        );
        self.calendar_metrics(&mut out);
        out.counter(
            "callboard_turned_away",
            "Requests answered 503 because the server did not keep up.",
            self.app.rejected_requests(),
        );
        let backups = &self.backups;
        out.gauge(
            "callboard_backup_last_success_timestamp_seconds",
            "When a backup was last saved, in seconds of the Unix epoch; 0 for never.",
            backups.last_saved(),
        );
        out.counter("callboard_backups_failed", "Backups that could not be sent.", backups.failures());
        out.info(
            "callboard_build_info",
            "The version of the server.",
            &[("version", env!("CARGO_PKG_VERSION"))],
        );
        metrics::print_process(&mut out, self.started);
        out.0
    }

    fn publication_metrics(&self, out: &mut Exposition) {
        let (release, status) = (self.publisher.current(), self.publisher.status());
        let last = status.last.as_ref().map(|last| &last.verdict);
        let flag = |is: bool| u8::from(is);
        out.gauge("callboard_release", "The number of the live release.", release.number());
        out.gauge(
            "callboard_release_published_seconds",
            "When the live release was published, in seconds of the Unix epoch.",
            release.published().timestamp(),
        );
        out.gauge("callboard_sessions", "Sessions that feeds show.", release.feeds.events().len());
        out.gauge(
            "callboard_publication_held",
            "1 while a release waits for a confirmation.",
            flag(status.held.newest().is_some()),
        );
        out.gauge(
            "callboard_publication_refused",
            "1 if the last program had errors.",
            flag(matches!(last, Some(AttemptResult::Refused { .. }))),
        );
        out.gauge(
            "callboard_publication_failed",
            "1 while a program could not be published, as on a full disk.",
            flag(status.unstored.is_some() || matches!(last, Some(AttemptResult::Failed { .. }))),
        );
        let config = &status.config;
        out.gauge(
            "callboard_config_last_reload_successful",
            "1 if the config file is in force, 0 if the last reload refused it.",
            flag(config.refused.is_none()),
        );
        out.gauge(
            "callboard_config_last_reload_success_timestamp_seconds",
            "When the config in force was read, in seconds of the Unix epoch.",
            config.read.map_or(0, |read| read.timestamp()),
        );
        out.gauge(
            "callboard_config_needs_restart",
            "Changed keys of the config that need a restart.",
            config.needs_restart.len(),
        );
        // Of several replicas, only the one in charge follows the source.
        if let Some(source) = status.source.as_ref().filter(|_| self.publisher.charge().is_held()) {
            out.gauge(
                "callboard_source_last_read_timestamp_seconds",
                "When the followed source last gave a whole program, in seconds of the Unix epoch; 0 for never since the start.",
                source.read.map_or(0, |read| read.timestamp()),
            );
            out.gauge(
                "callboard_source_problem",
                "1 while the followed source cannot be read or used.",
                flag(source.problem.is_some()),
            );
            out.gauge(
                "callboard_source_conflicts",
                "Edits by hand that hide a change of the followed source.",
                source.conflicts.len(),
            );
        }
        // An unreadable outbox has no number; an alert on absent values reports it.
        if let Ok(counts) = self.publisher.count_deliveries() {
            let waiting = counts.values().map(|count| count.waiting).sum::<usize>();
            let given_up = counts.values().map(|count| count.given_up).sum::<usize>();
            out.gauge("callboard_deliveries_waiting", "Deliveries that wait in the outbox.", waiting);
            let oldest = counts.values().filter_map(|count| count.oldest).min();
            let age =
                oldest.map_or(0, |oldest| (self.publisher.outbox().now() - oldest).num_seconds().max(0));
            out.gauge(
                "callboard_deliveries_oldest_seconds",
                "How long the oldest waiting delivery has waited; 0 if none waits.",
                age,
            );
            out.gauge(
                "callboard_deliveries_undelivered",
                "Webhook deliveries that were given up and can be retried.",
                given_up,
            );
        }
        self.reach_metrics(out);
        self.mail_metrics(out);
    }

    /// How the messages about the live release fare. Earlier releases are on the organizer's desk.
    fn reach_metrics(&self, out: &mut Exposition) {
        let Ok(reach) = self.store.reach(self.publisher.current().number()) else { return };
        let channels = reach.unwrap_or_default().channels;
        let deliveries = channels.iter().flat_map(|(channel, tally)| {
            let states = [
                ("sent", tally.sent()),
                ("delivered", tally.delivered),
                ("failed", tally.failed),
                ("waiting", tally.waiting()),
            ];
            states
                .map(|(state, count)| (format!("channel=\"{}\",state=\"{state}\"", channel.as_str()), count))
        });
        out.gauges(
            "callboard_reach_deliveries",
            "Deliveries of the live release, by channel and state; `sent` is all of them.",
            deliveries,
        );
        let seconds = channels.iter().flat_map(|(channel, tally)| {
            SHARES.into_iter().filter_map(|percent| {
                let labels = format!("channel=\"{}\",percent=\"{percent}\"", channel.as_str());
                Some((labels, tally.seconds_to(percent)?))
            })
        });
        out.gauges(
            "callboard_reach_seconds",
            "Seconds from the live release until a share of its deliveries was accepted; absent while fewer are.",
            seconds,
        );
    }

    fn calendar_metrics(&self, out: &mut Exposition) {
        let live = self.publisher.current().number();
        let counts = self.app.audience().into_iter().flat_map(|audience| {
            let has_live = |(release, _): &(u64, usize)| *release >= live;
            let (current, earlier): (Vec<_>, Vec<_>) = audience.releases.into_iter().partition(has_live);
            [("live", current), ("earlier", earlier)].map(|(holds, counts)| {
                let (feed, client) =
                    (audience.kind.as_str(), format!("{:?}", audience.client).to_lowercase());
                let labels = format!("feed=\"{feed}\",client=\"{client}\",holds=\"{holds}\"");
                (labels, counts.iter().map(|(_, count)| count).sum::<usize>())
            })
        });
        out.gauges(
            "callboard_calendars",
            "Calendars fetched within two days, by kind of feed, family of clients, and the release that they have.",
            counts,
        );
    }

    fn mail_metrics(&self, out: &mut Exposition) {
        if self.publisher.mail().is_none() {
            return;
        }
        let counts = self.publisher.outbox().confirmation_counts();
        out.counter(
            "callboard_mail_confirmations_sent",
            "Mails to confirm a mailbox that were sent.",
            counts.sent,
        );
        out.counter(
            "callboard_mail_confirmations_limited",
            "Requests for a mail to confirm a mailbox that exceeded the limit of the conference.",
            counts.limited,
        );
    }

    fn store_metrics(&self, out: &mut Exposition) {
        let store = self.store.status();
        out.gauge("callboard_store_writable", "1 while the store accepts writes.", u8::from(store.writable));
        out.gauge("callboard_store_queue", "Commits that wait.", store.queue);
        out.counter("callboard_store_commits", "Commits acknowledged.", store.acknowledged);
        out.gauge("callboard_store_sequence", "The sequence of the last journal record.", store.sequence);
        out.gauge("callboard_store_checkpoint", "The sequence of the newest checkpoint.", store.checkpoint);
        out.counter("callboard_store_rebuilt", "How often a damaged index was rebuilt.", store.rebuilt);
        out.gauge(
            "callboard_store_lost",
            "Rows or records that are damaged in both copies: restore a backup.",
            store.lost,
        );
        if let Some(replica) = self.store.replica() {
            self.replica_metrics(out, &replica);
        }
    }
}

impl Operator {
    fn replica_metrics(&self, out: &mut Exposition, replica: &ReplicaStatus) {
        out.info("callboard_replica_info", "The name of this replica.", &[("name", &replica.name)]);
        out.gauge(
            "callboard_replica_position",
            "The sequence of the last log entry that readers see.",
            replica.position,
        );
        out.gauge(
            "callboard_replica_connected",
            "1 while the log can be read.",
            u8::from(replica.lag.is_some()),
        );
        // Without a connection there is no lag; an alert on callboard_replica_connected reports it.
        if let Some(lag) = replica.lag {
            let lag = format!("{:.3}", lag.as_secs_f64());
            out.gauge(
                "callboard_replica_lag_seconds",
                "Seconds since the log was last read to its end.",
                lag,
            );
        }
        out.counter("callboard_replica_appends", "Groups of commits appended to the log.", replica.appends);
        let seconds = format!("{:.6}", replica.append_time.as_secs_f64());
        out.counter(
            "callboard_replica_append_seconds",
            "The time that appending groups took, in total.",
            seconds,
        );
        out.counter(
            "callboard_replica_conflicts",
            "Groups that were planned again because another replica was first.",
            replica.conflicts,
        );
        out.gauge(
            "callboard_replica_in_charge",
            "1 on the replica in charge, which watches the program file and erases.",
            u8::from(self.publisher.charge().is_held()),
        );
        out.gauge(
            "callboard_replica_diverged",
            "1 if the database lacks entries of this replica: restart it.",
            u8::from(replica.has_diverged),
        );
    }
}

/// When a backup was last saved, and how many backups could not be sent since the start.
#[derive(Debug, Default)]
pub struct Backups {
    /// Seconds of the Unix epoch; 0 for never.
    last_saved: AtomicI64,
    failed: AtomicU64,
}

impl Backups {
    /// Starts with the time of the last backup, in seconds of the Unix epoch.
    pub fn since(last_saved: Option<i64>) -> Self {
        Self { last_saved: last_saved.unwrap_or(0).into(), failed: AtomicU64::default() }
    }

    /// Records a saved backup.
    pub fn saved(&self, at: i64) {
        self.last_saved.store(at, Ordering::Relaxed);
    }

    /// Counts a backup that could not be sent.
    pub fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// When a backup was last saved, in seconds of the Unix epoch; 0 for never.
    pub fn last_saved(&self) -> i64 {
        self.last_saved.load(Ordering::Relaxed)
    }

    /// How many backups could not be sent.
    pub fn failures(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

fn commits_go_through(store: &StoreStatus) -> bool {
    store.oldest_pending.is_none_or(|waits| waits < MAX_COMMIT_WAIT)
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
