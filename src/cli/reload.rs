//! SIGHUP: reads the config again and applies the keys that a running server can apply.
//!
//! A config with mistakes, or one under which the live program has errors, is refused and changes nothing.

use super::settings::Serving;
use crate::clock::Clock;
use crate::config::{Changed, Config};
use crate::http::App;
use crate::publisher::{ConfigStatus, PublishError, Publisher, Settings};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

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
        let settings = Settings {
            conference: Arc::new(config.conference(self.bound)),
            publishing: config.publishing.clone(),
            webhooks: config.webhooks.clone(),
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
