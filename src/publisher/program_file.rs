//! Publishes the watched program file when its bytes differ from those imported last.
//!
//! The store remembers the digest of the last imported file and the release that it became. So a file that an upload
//! or roll-back replaced is never published again by itself, whatever its time stamp says.

use super::watch::WriterState;
use super::{Proposal, Publication, PublishError, Publisher, status};
use crate::import::ProgramFile;
use crate::revision::Digest;
use crate::store::Origin;
use bytes::Bytes;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

impl Publisher {
    /// The watched program file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Reads the file. None while the server stops.
    async fn read_file(&self) -> Option<std::io::Result<ProgramFile>> {
        let path = self.file.clone();
        tokio::task::spawn_blocking(move || ProgramFile::read(&path)).await.ok()
    }

    /// Remembers the file's digest if it was imported last, so that the status shows at once whether the file is stale.
    /// A start does this before it waits for the writer of a recently changed file.
    pub(super) async fn recognise_file(&self) {
        let Some(Ok(ProgramFile::Whole(csv))) = self.read_file().await else { return };
        let digest = Digest::of(&csv);
        let imported = self.store.imported_file().ok().flatten();
        if imported.is_some_and(|imported| imported.digest == digest) {
            self.state().file = Some(digest);
        }
    }

    /// Publishes the program file if its bytes differ from those imported last. None if they do not, or if the file
    /// cannot be read.
    pub async fn publish_file(self: &Arc<Self>) -> Option<Result<Publication, PublishError>> {
        let csv = match self.read_file().await? {
            Ok(ProgramFile::Whole(csv)) => Bytes::from(csv),
            Ok(ProgramFile::TooLarge(report)) => {
                let result = Err(PublishError::Refused(Box::new(report)));
                let mut state = self.state();
                state.file = None;
                state.record(self.clock.now(), Origin::File, &result);
                drop(state);
                status::log(self.file().display(), &result);
                return Some(result);
            }
            // Beside a source, the file is optional.
            Err(error) if error.kind() == ErrorKind::NotFound && self.settings.load().source.is_some() => {
                self.state().file = None;
                return None;
            }
            Err(error) => {
                self.state().file = None;
                tracing::warn!(file = %self.file().display(), %error, "the program file cannot be read; the live release stays");
                return None;
            }
        };
        let digest = Digest::of(&csv);
        self.state().file = Some(digest);
        let imported = match self.store.imported_file() {
            Ok(imported) => imported,
            Err(error) => {
                let result = Err(PublishError::Read(error));
                self.state().record(self.clock.now(), Origin::File, &result);
                status::log_unknown_file(self.file(), &result);
                return Some(result);
            }
        };
        if let Some(imported) = imported.filter(|imported| imported.digest == digest) {
            self.note_known_file(imported.release).await;
            return None;
        }
        let proposal = Proposal { csv, origin: Origin::File, who: None, confirm: None, expect: None };
        let result = self.publish(proposal).await;
        // A retry that fails again is not logged again.
        if self.state().unstored.as_ref().is_none_or(|unstored| unstored.attempts == 1) {
            status::log(self.file().display(), &result);
        }
        Some(result)
    }

    /// Records that the file has the bytes that were imported last, as `release`: it no longer has the program that was
    /// held, refused or could not be stored.
    async fn note_known_file(&self, release: u64) {
        let _turn = self.turn.lock().await;
        self.state().unstored = None;
        match self.note_published(Origin::File, release).await {
            true if release == self.current().number() => {
                status::log_unchanged(self.file().display(), release)
            }
            true => status::log_stale(self.file()),
            false => {}
        }
    }

    /// At a start and a SIGHUP: publishes the file if it was saved since, and logs if it is stale. A file that is being
    /// written is left to the watch, which reads it when its writer closes it.
    pub async fn catch_up(self: &Arc<Self>) {
        self.restore_held_schedule().await;
        if *self.writer.borrow() == WriterState::Writing {
            tracing::warn!(file = %self.file().display(), "another program is writing the program file; it is read when that program closes it");
            return;
        }
        if self.publish_file().await.is_none() && self.file_is_stale() {
            status::log_stale(self.file());
        }
    }

    /// Whether the program file is ignored: it differs from the live release, which came from an upload or a roll-back, or
    /// an organizer discarded it. False if the store cannot be read.
    pub fn file_is_stale(&self) -> bool {
        // Beside a source, a file is one way to edit the program, and is expected to stay behind.
        if self.settings.load().source.is_some() {
            return false;
        }
        let (seen, imported) = (self.state().file, self.store.imported_file().ok().flatten());
        imported.is_some_and(|imported| {
            seen == Some(imported.digest) && imported.release != self.current().number()
        })
    }
}
