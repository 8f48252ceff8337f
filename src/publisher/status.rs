//! The status that organizers see: the last attempt to publish, held proposals and faults. Also its log lines.
//!
//! Held proposals wait for an organizer's confirmation. There is at most one held proposal for each source; a newer one
//! replaces it. A new release drops all of them, since each was compared with the previous release. After a restart, a
//! held file is read again, and a held scheduled release is in the store. A held upload is lost; its sender has the file.
//! Several replicas share what is held through the store.

use super::{
    ChangeDescription, GuardVerdict, Hold, HoldReason, OriginDescription, Publication, PublishError,
    Publisher, SourceStatus, describe_changes, join_reasons,
};
use crate::doctor::ParseBackError;
use crate::import::Report;
use crate::program::Change;
use crate::revision::Digest;
use crate::store::{HeldSource, ImportedFile, Origin, ReadError, RecordName, Schedule, Write};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::mem::discriminant;
use std::path::Path;
use std::sync::Arc;

/// The digests of the held releases that the store has.
pub(super) type StoredHolds = BTreeMap<HeldSource, String>;

/// The publisher's status.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Status {
    /// The last attempt to publish since the start.
    pub last: Option<Attempt>,
    /// The proposals that wait for a confirmation.
    pub held: HeldProposals,
    /// A saved program file that the store did not accept. Storing it is retried until it succeeds.
    pub unstored: Option<UnstoredFile>,
    /// The release on the schedule.
    pub schedule: Option<Schedule>,
    /// Whether `schedule` is known to equal the store's. That is unknown before the first read and after a failed
    /// commit.
    #[serde(skip)]
    pub(super) schedule_is_known: bool,
    /// The config in force, and the last reload.
    pub config: ConfigStatus,
    /// The tasks that are stopped because the store cannot be read, each with the cause.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<PublisherTask, String>,
    /// The source that is followed, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceStatus>,
    /// The digest of the source's program that is held.
    #[serde(skip)]
    pub(super) held_source: Option<Digest>,
    /// The release that is held on all replicas, as this one last read or wrote it.
    #[serde(skip)]
    pub(super) stored_holds: StoredHolds,
    /// Why this replica cannot serve the newest release: a newer version rendered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outdated: Option<String>,
    /// The program file's digest when it was last read.
    #[serde(skip)]
    pub file: Option<Digest>,
}

/// The config in force, and the last reload.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ConfigStatus {
    /// When the config in force was read: at the start or by a reload.
    pub read: Option<DateTime<Utc>>,
    /// Why the last reload refused the config file.
    pub refused: Option<String>,
    /// The changed keys that need a restart.
    pub needs_restart: Vec<&'static str>,
}

/// A program file that the store did not accept, for example because the disk is full.
#[derive(Debug, Clone, Serialize)]
pub struct UnstoredFile {
    /// When the file was first tried.
    pub since: DateTime<Utc>,
    /// How often the file was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub reason: String,
}

/// A task whose state is a record in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PublisherTask {
    /// Publishing at a set time.
    Schedule,
    /// Telling subscribers of releases.
    Deliveries,
}

impl std::fmt::Display for PublisherTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Schedule => "Publishing at a set time",
            Self::Deliveries => "Deliveries",
        })
    }
}

impl PublisherTask {
    fn advice(self) -> &'static str {
        match self {
            Self::Schedule => {
                "nothing is published at a set time; take the release off the schedule or schedule it again"
            }
            Self::Deliveries => {
                "no release is announced to subscribers; restore a backup, or start once without webhooks to begin with the next release"
            }
        }
    }
}

/// An attempt to publish.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// The time of the attempt.
    pub at: DateTime<Utc>,
    /// The program's source.
    #[serde(flatten, serialize_with = "serialize_origin")]
    pub origin: Origin,
    /// The result.
    #[serde(flatten)]
    pub verdict: AttemptResult,
    /// The import's report, if there is one.
    pub report: Option<serde_json::Value>,
}

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum AttemptResult {
    /// A release was published.
    Published {
        /// The release's number.
        release: u64,
    },
    /// The program equals the live one.
    Unchanged {
        /// The live release.
        release: u64,
    },
    /// The program has errors.
    Refused {
        /// How many errors.
        errors: usize,
    },
    /// The guard holds the release.
    Held {
        /// Why.
        reasons: Vec<HoldReason>,
        /// The digest that confirms the release.
        digest: String,
    },
    /// The store failed, or Callboard has a bug.
    Failed {
        /// The cause.
        reason: String,
    },
}

impl AttemptResult {
    fn is_ok(&self) -> bool {
        matches!(self, Self::Published { .. } | Self::Unchanged { .. })
    }
}

impl Status {
    /// Records an attempt and updates the held proposals and the unstored file.
    pub(super) fn record(
        &mut self,
        at: DateTime<Utc>,
        origin: Origin,
        result: &Result<Publication, PublishError>,
    ) {
        let (verdict, report) = match result {
            Ok(publication) if publication.is_new => (
                AttemptResult::Published { release: publication.release.number() },
                Some(&publication.report),
            ),
            Ok(publication) => (
                AttemptResult::Unchanged { release: publication.release.number() },
                Some(&publication.report),
            ),
            Err(PublishError::Refused(report)) => {
                (AttemptResult::Refused { errors: report.error_count() }, Some(report.as_ref()))
            }
            Err(PublishError::Held(held)) => (held_result(&held.verdict), Some(&held.report)),
            Err(error) => (AttemptResult::Failed { reason: with_cause(error) }, None),
        };
        match result {
            Err(error) if origin == Origin::File && error.is_of_the_store() => {
                let before = self.unstored.take();
                let since = before.as_ref().map_or(at, |before| before.since);
                let attempts = before.map_or(0, |before| before.attempts).saturating_add(1);
                self.unstored = Some(UnstoredFile { since, attempts, reason: with_cause(error) });
            }
            _ if origin == Origin::File => self.unstored = None,
            _ => {}
        }
        match result {
            Err(PublishError::Held(held)) => self.held.add(HeldProposal::of(at, origin, held)),
            // Each held proposal was compared with the previous release.
            Ok(publication) if publication.is_new => self.held = HeldProposals::default(),
            // A newer file, config or schedule replaces a held proposal; another organizer's upload does not.
            _ if matches!(origin, Origin::File | Origin::Config | Origin::Scheduled | Origin::Source) => {
                self.held.remove(origin)
            }
            _ => {}
        }
        self.last = Some(Attempt { at, origin, verdict, report: report.map(Report::to_json) });
    }

    /// Records that a source has the live program again, if the last attempt was its and did not succeed; true if it did.
    /// Such a program is not published, so without this record the desk would show the old fault for good.
    pub(super) fn record_recovery(&mut self, at: DateTime<Utc>, origin: Origin, release: u64) -> bool {
        let had_failed = self.forget_failure(origin);
        if had_failed {
            let verdict = AttemptResult::Unchanged { release };
            self.last = Some(Attempt { at, origin, verdict, report: None });
        }
        had_failed
    }

    /// Forgets the last attempt, if it was the source's and did not succeed; true if it did.
    pub(super) fn forget_failure(&mut self, origin: Origin) -> bool {
        let failed = |last: &mut Attempt| last.origin == origin && !last.verdict.is_ok();
        self.last.take_if(failed).is_some()
    }

    /// The status after a start that published release 1.
    pub(super) fn first(at: DateTime<Utc>, release: u64, report: &Report) -> Self {
        let verdict = AttemptResult::Published { release };
        let attempt = Attempt { at, origin: Origin::First, verdict, report: Some(report.to_json()) };
        Self { last: Some(attempt), ..Self::default() }
    }

    /// Records the cause that stops a task, or that the task works again. A new cause is logged.
    pub(super) fn set_fault(&mut self, task: PublisherTask, error: Option<&ReadError>) {
        let Some(cause) = error.map(ToString::to_string) else {
            self.faults.remove(&task);
            return;
        };
        if self.faults.get(&task) != Some(&cause) {
            tracing::error!(cause, "{}", task.advice());
            self.faults.insert(task, cause);
        }
    }

    /// The status after a start whose changed config makes the program invalid.
    pub(super) fn config_refused(at: DateTime<Utc>, report: &Report) -> Self {
        tracing::error!(
            "the live program has errors under the new config; the live release stays, with the old config"
        );
        let verdict = AttemptResult::Refused { errors: report.error_count() };
        let attempt = Attempt { at, origin: Origin::Config, verdict, report: Some(report.to_json()) };
        Self { last: Some(attempt), ..Self::default() }
    }

    /// The status after a start whose changed config renders a feed that does not parse back.
    pub(super) fn config_unsound(at: DateTime<Utc>, error: &ParseBackError) -> Self {
        tracing::error!(%error, "the new config is not published; the live release stays, with the old config");
        let verdict = AttemptResult::Failed { reason: error.to_string() };
        Self { last: Some(Attempt { at, origin: Origin::Config, verdict, report: None }), ..Self::default() }
    }

    /// The status after a start whose changed config the guard holds.
    pub(super) fn config_held(at: DateTime<Utc>, held: &Hold) -> Self {
        tracing::error!(
            reasons = join_reasons(&held.verdict.reasons),
            digest = held.verdict.digest,
            "the new config is HELD until `callboard publish --confirm`; the live release stays, with the old config"
        );
        let verdict = held_result(&held.verdict);
        let mut state = Self {
            last: Some(Attempt { at, origin: Origin::Config, verdict, report: None }),
            ..Self::default()
        };
        state.held.add(HeldProposal::of(at, Origin::Config, held));
        state
    }
}

/// An error with its cause, as in "the release could not be written: the disk is full".
fn with_cause(error: &PublishError) -> String {
    match std::error::Error::source(error) {
        Some(cause) if !matches!(error, PublishError::Unsound(_)) => format!("{error}: {cause}"),
        _ => error.to_string(),
    }
}

fn held_result(verdict: &GuardVerdict) -> AttemptResult {
    AttemptResult::Held { reasons: verdict.reasons.clone(), digest: verdict.digest.clone() }
}

/// Logs the result for a saved file with the full report, since no response shows it.
pub(super) fn log(file: impl std::fmt::Display, result: &Result<Publication, PublishError>) {
    match result {
        Ok(publication) if publication.is_new => {
            let (release, changes) = (publication.release.number(), publication.changes.len());
            tracing::info!(%file, release, changes, "published");
            log_warnings(&file, &publication.report);
        }
        Ok(publication) => log_unchanged(file, publication.release.number()),
        Err(PublishError::Refused(report)) => {
            let text = report.render_human(&file.to_string(), b"", false);
            tracing::error!(%file, "refused; the live release stays\n{text}");
        }
        Err(PublishError::Held(held)) => {
            let (reasons, digest) = (join_reasons(&held.verdict.reasons), &held.verdict.digest);
            tracing::error!(%file, reasons, digest, "HELD until `callboard publish --confirm`; the live release stays");
        }
        Err(error) => {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::error!(%file, %error, cause, "not published; the live release stays");
        }
    }
}

/// Logs that a saved file is in order, and changes nothing.
pub(super) fn log_unchanged(file: impl std::fmt::Display, release: u64) {
    tracing::info!(%file, release, "no session changed");
}

/// Logs the warnings of a published file, since no response shows them.
pub(super) fn log_warnings(file: impl std::fmt::Display, report: &Report) {
    let warnings = report.warning_count();
    if warnings > 0 {
        let text = report.render_human(&file.to_string(), b"", false);
        tracing::warn!(%file, warnings, "published with warnings\n{text}");
    }
}

/// Logs why a saved file is not published, and what to do.
pub(super) fn log_unknown_file(file: &Path, result: &Result<Publication, PublishError>) {
    if let Err(error) = result {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(file = %file.display(), %error, cause, "the program file is not published: the store cannot tell whether it is older than the live release; publish over HTTP or with `callboard publish`, or restore a backup");
    }
}

/// Logs that the program file is stale, and what to do.
pub(super) fn log_stale(file: &Path) {
    tracing::warn!(file = %file.display(), "the program file differs from the live release and is ignored until it is saved with other content; `callboard pull` writes the live program");
}

/// A proposal that waits for a confirmation.
#[derive(Debug, Clone, Serialize)]
pub struct HeldProposal {
    /// When it was held.
    pub at: DateTime<Utc>,
    /// The proposal's source.
    #[serde(flatten, serialize_with = "serialize_origin")]
    pub origin: Origin,
    /// The digest that confirms the proposal.
    pub digest: String,
    /// Why the guard holds the proposal.
    pub reasons: Vec<HoldReason>,
    /// The proposal's changes.
    pub changes: Vec<ChangeDescription>,
    /// The proposal's changes, for pages.
    #[serde(skip)]
    pub details: Vec<Change>,
    /// The proposal's program file.
    #[serde(skip)]
    pub csv: Bytes,
    /// The release that the proposal was compared with.
    #[serde(skip)]
    pub base: u64,
}

fn serialize_origin<S: Serializer>(origin: &Origin, serializer: S) -> Result<S::Ok, S::Error> {
    OriginDescription::from(*origin).serialize(serializer)
}

impl HeldProposal {
    pub(super) fn of(at: DateTime<Utc>, origin: Origin, held: &Hold) -> Self {
        let GuardVerdict { digest, reasons, .. } = held.verdict.clone();
        let (csv, base) = (held.csv.clone(), held.base);
        let changes = describe_changes(&held.changes, held.zone);
        Self { at, origin, digest, reasons, changes, details: held.changes.clone(), csv, base }
    }
}

/// The held proposals, the newest last. Their JSON is the newest proposal, or null.
#[derive(Debug, Clone, Default)]
pub struct HeldProposals(Vec<HeldProposal>);

impl HeldProposals {
    /// All held proposals, the newest last.
    pub fn all(&self) -> &[HeldProposal] {
        &self.0
    }

    /// The newest held proposal.
    pub fn newest(&self) -> Option<&HeldProposal> {
        self.0.last()
    }

    /// The proposal that a digest confirms.
    pub fn find(&self, digest: &str) -> Option<&HeldProposal> {
        self.0.iter().find(|proposal| proposal.digest == digest)
    }

    /// Adds a proposal in place of an earlier one from the same source.
    pub(super) fn add(&mut self, proposal: HeldProposal) {
        self.remove(proposal.origin);
        self.0.push(proposal);
    }

    /// Removes the proposal from a source.
    pub(super) fn remove(&mut self, origin: Origin) {
        self.0.retain(|proposal| discriminant(&proposal.origin) != discriminant(&origin));
    }

    /// Removes the proposal from a source that replicas share.
    pub(super) fn remove_from(&mut self, source: HeldSource) {
        self.0.retain(|proposal| HeldSource::of(proposal.origin) != Some(source));
    }

    /// Whether a proposal from a source is held.
    pub(super) fn has(&self, origin: Origin) -> bool {
        self.0.iter().any(|proposal| proposal.origin == origin)
    }
}

impl Serialize for HeldProposals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.newest().serialize(serializer)
    }
}

impl Publisher {
    /// Discards a held proposal; false if none has the digest. A discarded program file is ignored until it is saved with
    /// other content. A discarded config is held again by the next start, until its file is changed.
    ///
    /// # Errors
    /// If the store cannot be written. The proposal then stays held.
    pub async fn discard(self: &Arc<Self>, digest: &str) -> Result<bool, PublishError> {
        let _turn = self.turn.lock().await;
        let found = self.state().held.find(digest).cloned();
        let Some(proposal) = found else { return Ok(false) };
        let mut writes = self.drop_held_writes(proposal.origin);
        writes.extend(match proposal.origin {
            Origin::File => Some(ImportedFile { digest: Digest::of(&proposal.csv), release: 0 }.into()),
            Origin::Scheduled => Some(Write::DropNamed(RecordName::Schedule)),
            Origin::Source => self.discarding_write()?,
            _ => None,
        });
        if !writes.is_empty() {
            self.store.commit(writes).await?;
        }
        let mut state = self.state();
        state.held.remove(proposal.origin);
        state.last.take_if(
            |last| matches!(&last.verdict, AttemptResult::Held { digest: held, .. } if held == digest),
        );
        if let Some(source) = HeldSource::of(proposal.origin) {
            state.stored_holds.remove(&source);
        }
        drop(state);
        if proposal.origin == Origin::Source {
            self.note_discarded(true);
        }
        tracing::info!(digest, "a held proposal was discarded");
        Ok(true)
    }
}
