//! Follows a source: a program that is edited in another tool.
//!
//! `callboard follow` reads the source, and this file merges what it sets into the live program and publishes the
//! result through the same guard as a file. The live program holds the edits of the organizers, whichever way they were
//! published, so an upload and the source are merged like two branches. The store keeps what the source set last time;
//! it changes in the same commit as the release, so a crash between them cannot turn edits of the source into edits by
//! hand.

use super::deliveries::Announce;
use super::source_status::{SourceProblem, conflicts};
use super::{GuardVerdict, Proposal, Publication, PublishError, Publisher, guard, status};
use crate::adopt::{MergeError, Merged, SheetDoubt, merge};
use crate::import::Report;
use crate::program::Conference;
use crate::revision::Digest;
use crate::store::{NamedRecord, Origin, ReadError, SourceRecord, Store, Write};
use bytes::Bytes;
use std::sync::Arc;

/// A complete answer of a source, as a program file.
#[derive(Debug, Clone)]
pub struct SourceReading {
    /// The program file.
    pub csv: Bytes,
    /// Why the answer may lack sessions. The guard holds a release with doubts.
    pub doubts: Vec<SheetDoubt>,
    /// What the reader must remember once the program is merged.
    pub memory: serde_json::Value,
}

/// What became of a reading.
#[derive(Debug)]
pub enum FollowResult {
    /// The source changed sessions, and a release was published.
    Published(Box<Publication>),
    /// No session changed.
    Unchanged,
    /// The guard holds the release.
    Held(GuardVerdict),
    /// An organizer discarded this program. The live release stays until the source changes.
    Discarded,
    /// The program has errors.
    Refused(Box<Report>),
    /// The source shows another program than before.
    OtherProgram(String),
}

/// The program file of a conference without sessions.
pub(super) const EMPTY: &[u8] = b"id,date,start,end,kind,title\n";

/// The additions of a followed source to a publication.
#[derive(Debug, Default)]
pub(super) struct FollowedParts {
    /// Further reasons for the guard to hold the release.
    pub(super) doubts: Vec<SheetDoubt>,
    /// Written with the release, or alone if nothing changed.
    pub(super) record: Option<Write>,
}

impl Publisher {
    /// The stored notes of `callboard follow` about the source.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn source_memory(&self) -> Result<serde_json::Value, ReadError> {
        Ok(self.store.source()?.map(|(record, _)| record.memory).unwrap_or_default())
    }

    /// Forgets what the source set, for a source that was replaced by another one. The next reading then adds its
    /// sessions to the live program.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn forget_source(&self) -> Result<(), PublishError> {
        let _turn = self.turn.lock().await;
        self.store.commit(vec![Write::DropNamed(crate::store::RecordName::Source)]).await?;
        self.note_discarded(false);
        Ok(())
    }

    /// Records that the source has the program that was merged last. A program that was held or discarded since then is out
    /// of date.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn source_is_unchanged(&self) -> Result<(), PublishError> {
        let _turn = self.turn.lock().await;
        if let Some((record, csv)) = self.store.read(Store::source).await? {
            self.forget_discarded(record, csv).await?;
        }
        self.note_published(Origin::Source, self.current().number()).await;
        self.source_was_read();
        Ok(())
    }

    /// Forgets which program was discarded, since the source has another one. If the source goes back to the discarded
    /// program, an organizer must decide again.
    async fn forget_discarded(&self, record: SourceRecord, csv: Bytes) -> Result<SourceRecord, PublishError> {
        let has_discarded = record.discarded.is_some();
        let record = SourceRecord { discarded: None, ..record };
        if has_discarded {
            self.store.commit(vec![Write::PutNamed(NamedRecord::Source(record.clone(), csv))]).await?;
        }
        self.note_discarded(false);
        Ok(record)
    }

    /// Records whether the source has the program that was discarded.
    pub(super) fn note_discarded(&self, is_discarded: bool) {
        if let Some(source) = &mut self.state().source {
            source.discarded = is_discarded;
        }
    }

    /// Records what was left out or guessed in the program that was read.
    pub fn note_source(&self, notes: Vec<String>) {
        if let Some(source) = &mut self.state().source {
            source.notes = notes;
        }
    }

    /// Records why the source cannot be followed. Logs a new cause.
    pub fn note_source_problem(&self, reason: String) {
        let now = self.clock.now();
        let mut state = self.state();
        let Some(source) = &mut state.source else { return };
        let earlier = source.problem.as_ref().filter(|problem| problem.reason == reason);
        if earlier.is_none() {
            tracing::error!(
                host = source.host,
                reason,
                "the source cannot be followed; the live release stays"
            );
            let since = source.problem.as_ref().map_or(now, |problem| problem.since);
            source.problem = Some(SourceProblem { since, reason });
        }
    }

    fn source_was_read(&self) {
        let now = self.clock.now();
        let mut state = self.state();
        let Some(source) = &mut state.source else { return };
        if source.problem.take().is_some() {
            tracing::info!(host = source.host, "the source is followed again");
        }
        source.read = Some(now);
    }

    /// Merges a reading of the source into the live program, and publishes the result.
    ///
    /// # Errors
    /// If the store cannot be read or written. Everything else is a [`FollowResult`]; the live release stays unless one
    /// was published.
    pub async fn follow(self: &Arc<Self>, reading: SourceReading) -> Result<FollowResult, PublishError> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.turn.lock().await;
            this.follow_now(reading).await
        });
        task.await?
    }

    async fn follow_now(self: &Arc<Self>, reading: SourceReading) -> Result<FollowResult, PublishError> {
        self.adopt_newer_release(Announce::Yes).await?;
        let (this, base) = (Arc::clone(self), self.current());
        let number = base.number();
        let is_empty = base.program.order().is_empty();
        let read = move |store: &Store| Ok::<_, PublishError>((store.source()?, this.release_csv(number)?));
        let (stored, live) = self.store.read(read).await?;
        let (record, before) = stored.unwrap_or_default();
        let SourceReading { csv, doubts, memory } = reading;
        let digest = Digest::of(&csv);
        if record.discarded == Some(digest) {
            self.note_discarded(true);
            self.source_was_read();
            return Ok(FollowResult::Discarded);
        }
        let record = self.forget_discarded(record, before.clone()).await?;
        let conference = self.conference();
        // A conference that started without a program takes the first reading as it is.
        let file = if is_empty { csv.clone() } else { Bytes::from(live.clone()) };
        let merging = {
            let (csv, conference) = (csv.clone(), Arc::clone(&conference));
            // Nothing was merged yet if the first reading was held and discarded.
            let before = (!before.is_empty()).then_some(before);
            move || merge(before.as_deref(), &csv, &file, &conference)
        };
        let merged = match tokio::task::spawn_blocking(merging).await? {
            Ok(merged) => merged,
            Err(MergeError::Faulty { report, .. }) => return Ok(self.refuse(report).await),
            Err(error @ MergeError::OtherSource(_)) => {
                self.note_source_problem(error.to_string());
                return Ok(FollowResult::OtherProgram(error.to_string()));
            }
        };
        self.publish_merged(merged, MergedFrom { live, conference, digest, record, doubts, memory }).await
    }

    async fn publish_merged(
        self: &Arc<Self>,
        merged: Merged,
        from: MergedFrom,
    ) -> Result<FollowResult, PublishError> {
        let MergedFrom { live, conference, digest, record, doubts, memory } = from;
        let unresolved = merged.conflicts_since(&conflicts(&record));
        let Merged { csv, source, conflicts: new, .. } = merged;
        for conflict in &new {
            tracing::warn!("{conflict}");
        }
        let next = SourceRecord {
            memory,
            // A list of enums with strings always has a JSON form.
            conflicts: serde_json::to_value(&unresolved).unwrap_or_default(),
            discarded: None,
        };
        let note_merged = || {
            self.source_was_read();
            if let Some(source) = &mut self.state().source {
                source.conflicts = unresolved;
            }
        };
        let record = (next, Bytes::from(source));
        let write = Write::PutNamed(NamedRecord::Source(record.0.clone(), record.1.clone()));
        let confirmation = guard::digest(&csv, &conference, self.current().number());
        if csv == live && *self.current().program.conference == *conference {
            let is_stored =
                move |store: &Store| Ok::<_, PublishError>(store.source()?.as_ref() == Some(&record));
            if !self.store.read(is_stored).await? {
                self.store.commit(vec![write]).await?;
            }
            self.note_published(Origin::Source, self.current().number()).await;
            note_merged();
            return Ok(FollowResult::Unchanged);
        }
        if let Some(held) = self.held_from_source(&confirmation) {
            self.source_was_read();
            return Ok(FollowResult::Held(held));
        }
        let proposal =
            Proposal { csv: csv.into(), origin: Origin::Source, who: None, confirm: None, expect: None };
        let parts = FollowedParts { doubts, record: Some(write) };
        let result = self.publish_and_record(proposal, parts).await;
        status::log("the followed source", &result);
        match result {
            Ok(publication) => {
                note_merged();
                Ok(match publication.is_new {
                    true => FollowResult::Published(Box::new(publication)),
                    false => FollowResult::Unchanged,
                })
            }
            Err(PublishError::Held(held)) => {
                self.state().held_source = Some(digest);
                self.source_was_read();
                Ok(FollowResult::Held(held.verdict))
            }
            Err(PublishError::Refused(report)) => Ok(FollowResult::Refused(report)),
            Err(error) => Err(error),
        }
    }

    /// The verdict on a release of the source that is held already.
    fn held_from_source(&self, digest: &str) -> Option<GuardVerdict> {
        let state = self.state();
        let held = state.held.find(digest).filter(|held| held.origin == Origin::Source)?;
        let (touched, of) = (held.changes.len(), self.current().program.order().len());
        Some(GuardVerdict { digest: digest.to_owned(), touched, of, reasons: held.reasons.clone() })
    }

    async fn refuse(&self, report: Box<Report>) -> FollowResult {
        let refused = Err(PublishError::Refused(report));
        let held = self.held_digest(Origin::Source);
        let is_known = {
            let mut state = self.state();
            let before = state.last.as_ref().map(|last| (last.origin, last.verdict.clone()));
            state.record(self.clock.now(), Origin::Source, &refused);
            before == state.last.as_ref().map(|last| (last.origin, last.verdict.clone()))
        };
        self.share_held(Origin::Source, held).await;
        if !is_known {
            status::log("the followed source", &refused);
        }
        let Err(PublishError::Refused(report)) = refused else { return FollowResult::Unchanged };
        self.note_source_problem(format!("the program has errors: {}", first_error(&report)));
        FollowResult::Refused(report)
    }

    /// The write that discards a held program of the source: it is not merged until the source changes.
    pub(super) fn discarding_write(&self) -> Result<Option<Write>, ReadError> {
        let Some(digest) = self.state().held_source else { return Ok(None) };
        let (record, csv) = self.store.source()?.unwrap_or_default();
        let record = SourceRecord { discarded: Some(digest), ..record };
        Ok(Some(Write::PutNamed(NamedRecord::Source(record, csv))))
    }
}

fn first_error(report: &Report) -> String {
    let is_error = |fault: &&&crate::import::Fault| fault.severity == crate::program::Severity::Error;
    let faults = report.displayed();
    faults.iter().find(is_error).map(|fault| fault.to_string()).unwrap_or_default()
}

/// The inputs of a merge, and the notes that are stored with its result.
struct MergedFrom {
    live: Vec<u8>,
    conference: Arc<Conference>,
    /// Of the source's program file.
    digest: Digest,
    record: SourceRecord,
    doubts: Vec<SheetDoubt>,
    memory: serde_json::Value,
}
