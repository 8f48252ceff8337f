//! The server's background tasks: program file, schedule, retention, signals, and storing when read links were polled.
//!
//! On SIGHUP, the config is read again, and the keys that a running server can apply are applied. A config with mistakes, or
//! one under which the live program has errors, is refused and changes nothing.

use super::settings::Serving;
use super::systemd;
use crate::clock::Clock;
use crate::config::{Changed, Config};
use crate::freshness::Freshness;
use crate::http::{App, Secrets};
use crate::publisher::{ConfigStatus, PublishError, Publisher, PublisherSettings, run_schedule, watch};
use crate::retention::Retention;
use crate::store::Store;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::signal::unix::Signal;

/// The time between two passes that store the polls of read links. A crash loses the polls since the last pass;
/// with more than about 20,000 links, it may lose older polls too.
const SAVE_EVERY: Duration = Duration::from_secs(180);

/// The background tasks and what they work with.
#[derive(Debug, Clone)]
pub(super) struct Background {
    pub(super) publisher: Arc<Publisher>,
    pub(super) reload: Arc<Reload>,
    pub(super) app: App,
    pub(super) store: Store,
    pub(super) secrets: Secrets,
    pub(super) freshness: Arc<Freshness>,
    pub(super) clock: Clock,
    pub(super) retention_days: u32,
}

impl Background {
    /// Runs until it is aborted. First it announces releases whose announcement a crash prevented, and publishes a file that was saved
    /// meanwhile.
    ///
    /// The caller creates `hang_ups` before the server answers, because SIGHUP ends a process without a handler.
    pub(super) async fn run(self, hang_ups: Signal) {
        self.publisher.announce_releases().await;
        let publisher = || Arc::clone(&self.publisher);
        let retention = Arc::new(self.retention());
        tokio::join!(
            watch(publisher()),
            run_schedule(publisher()),
            retention.run(),
            self.store_freshness(),
            self.reload_on(hang_ups)
        );
    }

    fn retention(&self) -> Retention {
        let (publisher, freshness) = (Arc::clone(&self.publisher), Arc::clone(&self.freshness));
        Retention::new(self.retention_days, publisher, self.store.clone(), freshness, self.clock.clone())
    }

    /// On SIGHUP, reads config, secrets and program file again. systemd waits until that is done.
    async fn reload_on(&self, mut hang_ups: Signal) {
        while hang_ups.recv().await.is_some() {
            systemd::reloading();
            self.reload.run(&self.publisher, &self.app, &self.clock).await;
            match self.secrets.reload() {
                Ok(()) => {
                    let valid = self.secrets.count();
                    tracing::info!(valid, "SIGHUP: the organizer secrets were read again");
                }
                Err(error) => {
                    let valid = self.secrets.count();
                    tracing::error!(%error, valid, "SIGHUP: only the valid lines of the organizer secrets file are used");
                }
            }
            self.publisher.catch_up().await;
            systemd::ready();
        }
    }

    /// Stores the polls of read links at intervals; never returns. The first pass replaces the record of an earlier
    /// version.
    async fn store_freshness(&self) {
        loop {
            self.save_freshness(Extent::Some).await;
            tokio::time::sleep(SAVE_EVERY).await;
        }
    }

    /// Stores all polls of read links, before the store is closed.
    pub(super) async fn finish(&self) {
        self.save_freshness(Extent::All).await;
    }

    async fn save_freshness(&self, extent: Extent) {
        let (freshness, store, now) = (Arc::clone(&self.freshness), self.store.clone(), self.clock.now());
        // Serialising many links takes long, and the commit waits for the disk.
        let save = move || {
            let commit = |writes| store.commit_blocking(writes);
            match extent {
                Extent::Some => freshness.save_some(now, commit),
                Extent::All => freshness.save_all(now, commit),
            }
        };
        match tokio::task::spawn_blocking(save).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the polls of read links could not be stored"),
            Err(error) => tracing::error!(%error, "the polls of read links could not be stored"),
        }
    }
}

/// How many of the changed polls a pass stores.
#[derive(Debug, Clone, Copy)]
enum Extent {
    Some,
    All,
}

/// The config in force, and the flags to read it again.
#[derive(Debug)]
pub(super) struct Reload {
    serving: Serving,
    /// The config at the start. Keys that need a restart keep their values from here.
    started: Config,
    /// The last config that was applied.
    applied: Mutex<Config>,
    /// The listening address: the origin of links without a `public_url`.
    bound: SocketAddr,
}

impl Reload {
    pub(super) fn new(serving: &Serving, config: &Config, bound: SocketAddr) -> Self {
        let (serving, started) = (serving.clone(), config.clone());
        Self { serving, applied: Mutex::new(started.clone()), started, bound }
    }

    /// Reads the config and applies it.
    pub(super) async fn run(&self, publisher: &Arc<Publisher>, app: &App, clock: &Clock) {
        if let Err(reason) = self.apply(publisher, app, clock).await {
            tracing::error!(reason, "the config is refused; the config in force stays");
            publisher.note_refused_config(reason);
        }
    }

    async fn apply(&self, publisher: &Arc<Publisher>, app: &App, clock: &Clock) -> Result<(), String> {
        let config = self.serving.config().map_err(|failure| failure.to_string())?;
        let Changed { restart, fixed, .. } = self.started.changed(&config);
        if !fixed.is_empty() {
            let keys = fixed.join(" and ");
            return Err(format!(
                "{keys} cannot change for the data directory {}",
                self.started.data.display()
            ));
        }
        let changed = self.applied.lock().unwrap_or_else(PoisonError::into_inner).changed(&config).applied;
        let settings = PublisherSettings {
            conference: Arc::new(config.conference(self.bound)),
            publishing: config.publishing.clone(),
            webhooks: config.webhooks.clone(),
            push: config.push.clone(),
        };
        match publisher.reconfigure(settings).await {
            Ok(Some(publication)) if publication.is_new => {
                let (release, changes) = (publication.release.number(), publication.changes.len());
                tracing::info!(release, changes, "the new config is published");
            }
            Ok(_) => {}
            Err(PublishError::Held(held)) => {
                let (reasons, digest) = (held.verdict.reasons.join("; "), &held.verdict.digest);
                tracing::error!(
                    reasons,
                    digest,
                    "the new config is HELD until `callboard publish --confirm`; the live release stays"
                );
            }
            Err(PublishError::Refused(report)) => {
                let text = report.render_human("the live program", b"", false);
                return Err(format!("the live program has errors under it\n{text}"));
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                return Err(format!("{error}{}", cause.unwrap_or_default()));
            }
        }
        app.limit_rates(&config.limits);
        for warning in config.walking_warnings() {
            tracing::warn!("walking: {warning}");
        }
        *self.applied.lock().unwrap_or_else(PoisonError::into_inner) = config;
        tracing::info!(changed = changed.join(", "), "the config was read again");
        if !restart.is_empty() {
            tracing::warn!(keys = restart.join(", "), "these changed keys of the config need a restart");
        }
        publisher.note_config(ConfigStatus {
            read: Some(clock.now()),
            refused: None,
            needs_restart: restart,
        });
        Ok(())
    }
}
