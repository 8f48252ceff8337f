//! What was tried last, for the organizer's eyes.

use super::{Guarded, Publication, PublishError};
use crate::import::Report;
use crate::revision::Digest;
use crate::store::Origin;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::path::Path;

/// The last attempt, and what waits for a confirmation.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Status {
    /// The last attempt to publish since the start.
    pub last: Option<Attempt>,
    /// The digest that would confirm the held release.
    pub held: Option<String>,
    /// The program file's digest when it was last looked at.
    pub file: Option<Digest>,
}

/// An attempt to publish.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// When.
    pub at: DateTime<Utc>,
    /// How it came in.
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
                (Verdict::Refused { errors: report.errors().count() }, Some(report.as_ref()))
            }
            Err(PublishError::Held(held)) => (held_verdict(&held.guarded), Some(&held.report)),
            Err(error) => (Verdict::Failed { reason: error.to_string() }, None),
        };
        match &verdict {
            Verdict::Held { digest, .. } => self.held = Some(digest.clone()),
            Verdict::Published { .. } => self.held = None, // the digest covers the base release: it is stale
            _ => {}
        }
        self.last = Some(Attempt { at, origin, verdict, report: report.map(Report::to_json) });
    }

    pub(super) fn config_refused(at: DateTime<Utc>, report: Report) -> Self {
        tracing::error!(
            "the running program has errors under the new config; the release goes on with the old one"
        );
        let verdict = Verdict::Refused { errors: report.errors().count() };
        let attempt = Attempt { at, origin: Origin::Config, verdict, report: Some(report.to_json()) };
        Self { last: Some(attempt), ..Self::default() }
    }

    pub(super) fn config_held(at: DateTime<Utc>, guarded: &Guarded) -> Self {
        let verdict = held_verdict(guarded);
        tracing::error!(
            reasons = guarded.reasons.join("; "),
            digest = guarded.digest,
            "the new config is held; the release goes on with the old one until it is confirmed"
        );
        let attempt = Attempt { at, origin: Origin::Config, verdict, report: None };
        Self { last: Some(attempt), held: Some(guarded.digest.clone()), ..Self::default() }
    }
}

fn held_verdict(guarded: &Guarded) -> Verdict {
    Verdict::Held { reasons: guarded.reasons.clone(), digest: guarded.digest.clone() }
}

/// Says what came of a saved file; the report in full, since nobody else will show it.
pub(super) fn log(file: &Path, result: &Result<Publication, PublishError>) {
    let file = file.display();
    match result {
        Ok(publication) if publication.is_new => {
            let (release, changes) = (publication.release.number(), publication.changes.len());
            tracing::info!(%file, release, changes, "published");
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

pub(super) fn log_stale(file: &Path) {
    tracing::warn!(file = %file.display(), "the program file is older than what runs and is ignored until it is saved with other content; `callboard pull` writes what runs");
}
