//! What was tried last, for the organizer's eyes.

use super::held::{self, HeldReleases, Waiting};
use super::{Guarded, Held, Publication, PublishError, Schedule};
use crate::doctor::BackError;
use crate::import::Report;
use crate::revision::Digest;
use crate::store::{Origin, ReadError};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The last attempt, and what waits.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Status {
    /// The last attempt to publish since the start.
    pub last: Option<Attempt>,
    /// What waits for a confirmation.
    pub held: HeldReleases,
    /// A saved program file that could not be stored, and is tried again until it can.
    pub unstored: Option<Unstored>,
    /// What is to be published later.
    pub schedule: Option<Schedule>,
    /// Whether `schedule` is what the store holds. It is not before the first look, nor after a commit that failed.
    #[serde(skip)]
    pub(super) schedule_is_known: bool,
    /// The config that is in force, and how it was read last.
    pub config: ConfigStatus,
    /// What cannot be done while a note in the store cannot be read, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<Part, String>,
    /// The program file's digest when it was last looked at.
    #[serde(skip)]
    pub file: Option<Digest>,
}

/// The config that is in force, and how it was read last.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ConfigStatus {
    /// When a config was last read and taken: at the start, or by a reload.
    pub read: Option<DateTime<Utc>>,
    /// Why the config file is not what is in force: the last reload refused it.
    pub refused: Option<String>,
    /// The keys whose values differ from those that the server started with and need a restart.
    pub needs_restart: Vec<&'static str>,
}

/// A program file that waits for the store, such as one that was saved while the disk was full.
#[derive(Debug, Clone, Serialize)]
pub struct Unstored {
    /// When it was first tried.
    pub since: DateTime<Utc>,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub reason: String,
}

/// A part of the publisher's work that a note in the store remembers the state of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Publishing at a set time.
    Schedule,
    /// Leaving webhook calls in the spool.
    Webhooks,
}

impl Part {
    fn advice(self) -> &'static str {
        match self {
            Self::Schedule => "nothing is published at a set time; take the schedule back or make it anew",
            Self::Webhooks => {
                "no webhook hears of a release; restore a backup, or start once without webhooks, to go on with the next release"
            }
        }
    }
}

/// An attempt to publish.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// When.
    pub at: DateTime<Utc>,
    /// How it came in.
    #[serde(flatten, serialize_with = "held::shown_origin")]
    pub origin: Origin,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The import's report, where there is one.
    pub report: Option<serde_json::Value>,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// Release `release` was published.
    Published {
        /// Its number.
        release: u64,
    },
    /// Nothing would change.
    Unchanged {
        /// The running release.
        release: u64,
    },
    /// The program has errors.
    Refused {
        /// How many.
        errors: usize,
    },
    /// The guard holds it.
    Held {
        /// Why.
        reasons: Vec<String>,
        /// What a confirmation must name.
        digest: String,
    },
    /// It could not be done.
    Failed {
        /// Why.
        reason: String,
    },
}

impl Status {
    pub(super) fn record(
        &mut self,
        at: DateTime<Utc>,
        origin: Origin,
        result: &Result<Publication, PublishError>,
    ) {
        let (verdict, report) = match result {
            Ok(publication) if publication.is_new => {
                (Verdict::Published { release: publication.release.number() }, Some(&publication.report))
            }
            Ok(publication) => {
                (Verdict::Unchanged { release: publication.release.number() }, Some(&publication.report))
            }
            Err(PublishError::Refused(report)) => {
                (Verdict::Refused { errors: report.error_count() }, Some(report.as_ref()))
            }
            Err(PublishError::Held(held)) => (held_verdict(&held.guarded), Some(&held.report)),
            Err(error) => (Verdict::Failed { reason: with_cause(error) }, None),
        };
        match result {
            Err(error) if origin == Origin::File && error.is_of_the_store() => {
                let before = self.unstored.take();
                let since = before.as_ref().map_or(at, |before| before.since);
                let attempts = before.map_or(0, |before| before.attempts).saturating_add(1);
                self.unstored = Some(Unstored { since, attempts, reason: with_cause(error) });
            }
            _ if origin == Origin::File => self.unstored = None,
            _ => {}
        }
        match result {
            Err(PublishError::Held(held)) => self.held.add(Waiting::of(at, origin, held)),
            // The digest covers the base release.
            Ok(publication) if publication.is_new => self.held = HeldReleases::default(),
            // A newer file replaces a held one; another organizer's upload does not.
            _ if matches!(origin, Origin::File | Origin::Config | Origin::Scheduled) => {
                self.held.let_go(origin)
            }
            _ => {}
        }
        self.last = Some(Attempt { at, origin, verdict, report: report.map(Report::to_json) });
    }

    /// Of a start that published release 1.
    pub(super) fn first(at: DateTime<Utc>, release: u64, report: &Report) -> Self {
        let verdict = Verdict::Published { release };
        let attempt = Attempt { at, origin: Origin::First, verdict, report: Some(report.to_json()) };
        Self { last: Some(attempt), ..Self::default() }
    }

    /// Remembers why a part of the work cannot be done, or that it can. A new cause is logged.
    pub(super) fn fault(&mut self, part: Part, error: Option<&ReadError>) {
        let Some(cause) = error.map(ToString::to_string) else {
            self.faults.remove(&part);
            return;
        };
        if self.faults.get(&part) != Some(&cause) {
            tracing::error!(cause, "{}", part.advice());
            self.faults.insert(part, cause);
        }
    }

    pub(super) fn config_refused(at: DateTime<Utc>, report: &Report) -> Self {
        tracing::error!(
            "the running program has errors under the new config; the release goes on with the old one"
        );
        let verdict = Verdict::Refused { errors: report.error_count() };
        let attempt = Attempt { at, origin: Origin::Config, verdict, report: Some(report.to_json()) };
        Self { last: Some(attempt), ..Self::default() }
    }

    /// The release goes on with the old config: with the new one a feed would not parse back.
    pub(super) fn config_unsound(at: DateTime<Utc>, error: &BackError) -> Self {
        tracing::error!(%error, "the new config is not published; the release goes on with the old one");
        let verdict = Verdict::Failed { reason: error.to_string() };
        Self { last: Some(Attempt { at, origin: Origin::Config, verdict, report: None }), ..Self::default() }
    }

    pub(super) fn config_held(at: DateTime<Utc>, held: &Held) -> Self {
        tracing::error!(
            reasons = held.guarded.reasons.join("; "),
            digest = held.guarded.digest,
            "the new config is HELD until `callboard publish --confirm`; the release goes on with the old one"
        );
        let verdict = held_verdict(&held.guarded);
        let mut state = Self {
            last: Some(Attempt { at, origin: Origin::Config, verdict, report: None }),
            ..Self::default()
        };
        state.held.add(Waiting::of(at, Origin::Config, held));
        state
    }
}

/// An error with what caused it, as in "the release could not be written: the disk is full".
fn with_cause(error: &PublishError) -> String {
    match std::error::Error::source(error) {
        Some(cause) if !matches!(error, PublishError::Unsound(_)) => format!("{error}: {cause}"),
        _ => error.to_string(),
    }
}

fn held_verdict(guarded: &Guarded) -> Verdict {
    Verdict::Held { reasons: guarded.reasons.clone(), digest: guarded.digest.clone() }
}

/// Says what came of a saved file; the report in full, since nobody else will show it.
pub(super) fn log(file: impl std::fmt::Display, result: &Result<Publication, PublishError>) {
    match result {
        Ok(publication) if publication.is_new => {
            let (release, changes) = (publication.release.number(), publication.changes.len());
            tracing::info!(%file, release, changes, "published");
            log_warnings(&file, &publication.report);
        }
        Ok(publication) => {
            tracing::info!(%file, release = publication.release.number(), "no session changed")
        }
        Err(PublishError::Refused(report)) => {
            let text = report.render_human(&file.to_string(), b"", false);
            tracing::error!(%file, "refused; the running release goes on\n{text}");
        }
        Err(PublishError::Held(held)) => {
            let (reasons, digest) = (held.guarded.reasons.join("; "), &held.guarded.digest);
            tracing::error!(%file, reasons, digest, "HELD until `callboard publish --confirm`; the running release goes on");
        }
        Err(error) => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::error!(%file, %error, cause, "not published; the running release goes on");
        }
    }
}

/// Writes the warnings of a published file to the log, since nobody else shows them.
pub(super) fn log_warnings(file: impl std::fmt::Display, report: &Report) {
    let warnings = report.warning_count();
    if warnings > 0 {
        let text = report.render_human(&file.to_string(), b"", false);
        tracing::warn!(%file, warnings, "published with warnings\n{text}");
    }
}

/// Says why a saved file is not published, and what to do.
pub(super) fn log_unknown_file(file: &Path, result: &Result<Publication, PublishError>) {
    if let Err(error) = result {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(file = %file.display(), %error, cause, "the program file is not published: the store cannot say whether it is older than what runs; publish over HTTP or with `callboard publish`, or restore a backup");
    }
}

pub(super) fn log_stale(file: &Path) {
    tracing::warn!(file = %file.display(), "the program file is older than what runs and is ignored until it is saved with other content; `callboard pull` writes what runs");
}
