//! The releases that wait for a confirmation, and how an organizer decides on them.
//!
//! One waits for each way in; a newer one of the same way replaces it, and a new release ends them all, since each was
//! weighed against the release that ran. A held file is read again at a start, and a held scheduled release stays
//! in the store. A held upload is in memory: a restart forgets it, and its sender has the file.

use super::{Guarded, Held, PublishError, Publisher, ShownChange, ShownOrigin, shown};
use crate::program::Change;
use crate::revision::Digest;
use crate::store::{ImportedFile, Origin, RecordName, Write};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use std::mem::discriminant;
use std::sync::Arc;

/// A release that waits for a confirmation.
#[derive(Debug, Clone, Serialize)]
pub struct Waiting {
    /// Since when.
    pub at: DateTime<Utc>,
    /// How it came in.
    #[serde(flatten, serialize_with = "shown_origin")]
    pub origin: Origin,
    /// What a confirmation must name.
    pub digest: String,
    /// Why it is held.
    pub reasons: Vec<String>,
    /// What it would change.
    pub changes: Vec<ShownChange>,
    /// The same for pages.
    #[serde(skip)]
    pub details: Vec<Change>,
    /// Its program.
    #[serde(skip)]
    pub csv: Bytes,
    /// The release that it was weighed against.
    #[serde(skip)]
    pub base: u64,
}

pub(super) fn shown_origin<S: Serializer>(origin: &Origin, serializer: S) -> Result<S::Ok, S::Error> {
    ShownOrigin::from(*origin).serialize(serializer)
}

impl Waiting {
    pub(super) fn of(at: DateTime<Utc>, origin: Origin, held: &Held) -> Self {
        let Guarded { digest, reasons, .. } = held.guarded.clone();
        let (csv, base) = (held.csv.clone(), held.base);
        let changes = shown(&held.changes, held.zone);
        Self { at, origin, digest, reasons, changes, details: held.changes.clone(), csv, base }
    }
}

/// The waiting releases, the newest last. In JSON they are the newest or null.
#[derive(Debug, Clone, Default)]
pub struct HeldReleases(Vec<Waiting>);

impl HeldReleases {
    /// All of them, the newest last.
    pub fn all(&self) -> &[Waiting] {
        &self.0
    }

    /// The newest.
    pub fn newest(&self) -> Option<&Waiting> {
        self.0.last()
    }

    /// The one that a digest confirms.
    pub fn find(&self, digest: &str) -> Option<&Waiting> {
        self.0.iter().find(|waiting| waiting.digest == digest)
    }

    /// Adds one in place of the one that came in the same way.
    pub(super) fn add(&mut self, waiting: Waiting) {
        self.let_go(waiting.origin);
        self.0.push(waiting);
    }

    /// Forgets the one that came in this way.
    pub(super) fn let_go(&mut self, origin: Origin) {
        self.0.retain(|waiting| discriminant(&waiting.origin) != discriminant(&origin));
    }

    /// Whether one that came in this way waits.
    pub(super) fn has(&self, origin: Origin) -> bool {
        self.0.iter().any(|waiting| waiting.origin == origin)
    }
}

impl Serialize for HeldReleases {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.newest().serialize(serializer)
    }
}

impl Publisher {
    /// Drops a held release; false where none has the digest. A discarded file is not taken in again until it is
    /// saved with other content. A config is discarded until the next start: its file has to be changed.
    ///
    /// # Errors
    /// When the store cannot be written; the release waits on then.
    pub async fn discard(self: &Arc<Self>, digest: &str) -> Result<bool, PublishError> {
        let _turn = self.turn.lock().await;
        let found = self.state().held.find(digest).cloned();
        let Some(waiting) = found else { return Ok(false) };
        let write = match waiting.origin {
            Origin::File => Some(ImportedFile { digest: Digest::of(&waiting.csv), release: 0 }.into()),
            Origin::Scheduled => Some(Write::DropNamed(RecordName::Schedule)),
            _ => None,
        };
        if let Some(write) = write {
            self.store.commit(vec![write]).await?;
        }
        self.state().held.let_go(waiting.origin);
        tracing::info!(digest, "a held release was discarded");
        Ok(true)
    }
}
