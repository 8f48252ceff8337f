//! Reading config, organizer secrets and program file again: on SIGHUP and for `callboard reload`.
//!
//! The keys of the config that a running server can apply are applied. A config with mistakes, or one under which the live
//! program has errors, is refused and changes nothing.

use super::control;
use super::exit::{Exit, Failure};
use super::settings::{Serving, Settings};
use super::systemd;
use crate::clock::Clock;
use crate::config::{Changed, Config};
use crate::http::{App, Secrets};
use crate::publisher::{ConfigStatus, PublishError, Publisher, PublisherSettings, join_reasons};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long `callboard reload` waits. Under a new config, a large program is rendered again.
const TIMEOUT: Duration = Duration::from_secs(110);

/// The answer to `callboard reload`.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    /// The reasons why something is not in force; empty if everything was applied.
    problems: Vec<String>,
}

/// `callboard reload`: asks the running server to read its files again, and waits until that is done.
pub(super) fn reload(settings: &Settings) -> Result<Exit, Failure> {
    // With --data, no config is read: the server tells best what is wrong with it.
    let data = match &settings.data {
        Some(data) => data.clone(),
        None => settings.config_without_zone()?.data,
    };
    let answer = control::ask(&data, control::RELOAD, TIMEOUT).map_err(|error| {
        if control::has_no_server(&error) {
            let text = format!(
                "no server listens for the data directory {}, so nothing was reloaded; a service of systemd has its \
                 socket elsewhere: use `systemctl reload`",
                data.display()
            );
            Failure::text(Exit::Failed, text)
        } else {
            Failure::text(Exit::Failed, format!("the server did not confirm the reload: {error}"))
        }
    })?;
    let Ok(Answer { problems }) = serde_json::from_slice(&answer) else {
        let text = "the server does not know this command; it has an older version, so restart it";
        return Err(Failure::text(Exit::Failed, text));
    };
    if !problems.is_empty() {
        return Err(Failure::text(Exit::BadConfig, problems.join("\n")));
    }
    let _ = writeln!(io::stdout().lock(), "reloaded");
    Ok(Exit::Done)
}

/// The files that a running server reads again, and what they are applied to.
#[derive(Debug)]
pub(super) struct Reload {
    publisher: Arc<Publisher>,
    app: App,
    secrets: Secrets,
    clock: Clock,
    /// The flags of `callboard serve`.
    serving: Serving,
    /// The config at the start. Keys that need a restart keep their values from here.
    started: Config,
    /// The last config that was applied.
    applied: Mutex<Config>,
    /// The listening address: the origin of links without a `public_url`.
    bound: SocketAddr,
    /// One reload at a time.
    turn: tokio::sync::Mutex<()>,
}

/// The parts of the server that a [`Reload`] changes.
pub(super) struct Applied {
    pub(super) publisher: Arc<Publisher>,
    pub(super) app: App,
    pub(super) secrets: Secrets,
    pub(super) clock: Clock,
}

impl Reload {
    pub(super) fn new(serving: &Serving, config: &Config, bound: SocketAddr, to: Applied) -> Self {
        let Applied { publisher, app, secrets, clock } = to;
        let (serving, started) = (serving.clone(), config.clone());
        let (applied, turn) = (Mutex::new(started.clone()), tokio::sync::Mutex::default());
        Self { publisher, app, secrets, clock, serving, started, applied, bound, turn }
    }

    /// Reads config, secrets and program file again, and tells systemd. Returns what is not in force; the log has it too.
    pub(super) async fn run(&self) -> Vec<String> {
        let _turn = self.turn.lock().await;
        systemd::reloading();
        let problems =
            [self.read_config().await, self.read_secrets()].into_iter().filter_map(Result::err).collect();
        self.publisher.catch_up().await;
        systemd::ready();
        problems
    }

    /// Answers `callboard reload`.
    pub(super) async fn serve(&self, mut client: UnixStream) -> io::Result<()> {
        let answer = Answer { problems: self.run().await };
        client.write_all(&serde_json::to_vec(&answer)?)
    }

    fn read_secrets(&self) -> Result<(), String> {
        let read = self.secrets.reload();
        let valid = self.secrets.count();
        match read {
            Ok(()) => {
                tracing::info!(valid, "the organizer secrets were read again");
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, valid, "only the valid lines of the organizer secrets file are used");
                Err(error.to_string())
            }
        }
    }

    async fn read_config(&self) -> Result<(), String> {
        self.apply().await.map_err(|reason| {
            tracing::error!(reason, "the config is refused; the config in force stays");
            self.publisher.note_refused_config(reason.clone());
            format!("the config is refused, and the config in force stays: {reason}")
        })
    }

    async fn apply(&self) -> Result<(), String> {
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
            source: config.source.clone(),
            mail: config.mail.clone(),
        };
        match self.publisher.reconfigure(settings).await {
            Ok(Some(publication)) if publication.is_new => {
                let (release, changes) = (publication.release.number(), publication.changes.len());
                tracing::info!(release, changes, "the new config is published");
            }
            Ok(_) => {}
            Err(PublishError::Held(held)) => {
                let (reasons, digest) = (join_reasons(&held.verdict.reasons), &held.verdict.digest);
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
        self.app.limit_rates(&config.limits);
        for warning in config.walking_warnings() {
            tracing::warn!("walking: {warning}");
        }
        *self.applied.lock().unwrap_or_else(PoisonError::into_inner) = config;
        tracing::info!(changed = changed.join(", "), "the config was read again");
        if !restart.is_empty() {
            tracing::warn!(keys = restart.join(", "), "these changed keys of the config need a restart");
        }
        self.publisher.note_config(ConfigStatus {
            read: Some(self.clock.now()),
            refused: None,
            needs_restart: restart,
        });
        Ok(())
    }
}
