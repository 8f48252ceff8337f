//! Held proposals: they wait for an organizer's confirmation.
//!
//! There is at most one held proposal for each source; a newer one replaces it. A new release drops all of them,
//! since each was compared with the previous release. After a restart, a held file is read again, and a held
//! scheduled release is in the store. A held upload is lost; its sender has the file.

use super::{
    ChangeDescription, GuardVerdict, Hold, OriginDescription, PublishError, Publisher, describe_changes,
};
use crate::program::Change;
use crate::revision::Digest;
use crate::store::{ImportedFile, Origin, RecordName, Write};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use std::mem::discriminant;
use std::sync::Arc;

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
    pub reasons: Vec<String>,
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

pub(super) fn serialize_origin<S: Serializer>(origin: &Origin, serializer: S) -> Result<S::Ok, S::Error> {
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
        let write = match proposal.origin {
            Origin::File => Some(ImportedFile { digest: Digest::of(&proposal.csv), release: 0 }.into()),
            Origin::Scheduled => Some(Write::DropNamed(RecordName::Schedule)),
            _ => None,
        };
        if let Some(write) = write {
            self.store.commit(vec![write]).await?;
        }
        self.state().held.remove(proposal.origin);
        tracing::info!(digest, "a held proposal was discarded");
        Ok(true)
    }
}
