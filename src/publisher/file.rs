//! The program file as a way in: taken in when its bytes differ from those last taken in.
//!
//! The store remembers the bytes last taken in and the release that they gave, so a file that an upload or a
//! roll-back overtook never undoes it, whatever happens to its time stamp.

use super::watch::Writer;
use super::{Proposal, Publication, PublishError, Publisher, status};
use crate::import::ProgramFile;
use crate::revision::Digest;
use crate::store::Origin;
use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;

impl Publisher {
    /// The program file that is watched.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Remembers the file on disk if it is the one last published, so that the status says at once whether it is stale.
    /// A start does this before it waits for the writer of a file that was changed just now.
    pub(super) async fn recognise_file(&self) {
        let path = self.file.clone();
        let contents = tokio::task::spawn_blocking(move || ProgramFile::read(&path)).await;
        let Ok(Ok(ProgramFile::Whole(csv))) = contents else { return };
        let digest = Digest::of(&csv);
        let taken = self.store.imported_file().ok().flatten();
        if taken.is_some_and(|taken| taken.digest == digest) {
            self.state().file = Some(digest);
        }
    }

    /// Takes in the program file, if its bytes differ from those last taken in.
    pub async fn take_file(self: &Arc<Self>) -> Option<Result<Publication, PublishError>> {
        let path = self.file.clone();
        let csv = match tokio::task::spawn_blocking(move || ProgramFile::read(&path)).await {
            Ok(Ok(ProgramFile::Whole(csv))) => csv,
            Ok(Ok(ProgramFile::TooLarge(report))) => {
                let result = Err(PublishError::Refused(Box::new(report)));
                let mut state = self.state();
                state.file = None;
                state.record(self.clock.now(), Origin::File, &result);
                drop(state);
                status::log(self.file().display(), &result);
                return Some(result);
            }
            Ok(Err(error)) => {
                self.state().file = None;
                tracing::warn!(file = %self.file().display(), %error, "the program file cannot be read; the running release goes on");
                return None;
            }
            Err(_) => return None, // the server is stopping
        };
        let csv = Bytes::from(csv);
        let digest = Digest::of(&csv);
        self.state().file = Some(digest);
        let taken = match self.store.imported_file() {
            Ok(taken) => taken,
            Err(error) => {
                let result = Err(PublishError::Read(error));
                self.state().record(self.clock.now(), Origin::File, &result);
                status::log_unknown_file(self.file(), &result);
                return Some(result);
            }
        };
        if taken.is_some_and(|taken| taken.digest == digest) {
            // What was held or could not be stored is no longer in the file.
            let mut state = self.state();
            state.held.let_go(Origin::File);
            state.unstored = None;
            return None;
        }
        let proposal = Proposal { csv, origin: Origin::File, who: None, confirm: None, expect: None };
        let result = self.publish(proposal).await;
        // A retry that fails as the attempt before it did is no news.
        if self.state().unstored.as_ref().is_none_or(|unstored| unstored.attempts == 1) {
            status::log(self.file().display(), &result);
        }
        Some(result)
    }

    /// What a start and a SIGHUP do: publish the file if it was saved since, and say so if it is stale. A file that is
    /// being written is left to the watch, which reads it when its writer closes it.
    pub async fn catch_up(self: &Arc<Self>) {
        self.hold_schedule_again().await;
        if *self.writer.borrow() == Writer::Writing {
            tracing::warn!(file = %self.file().display(), "another program is writing the program file; it is read when that program closes it");
            return;
        }
        if self.take_file().await.is_none() && self.file_is_stale() {
            status::log_stale(self.file());
        }
    }

    /// Whether the program file is older than what runs: an upload or a roll-back came after it. False where the
    /// store cannot say.
    pub fn file_is_stale(&self) -> bool {
        let (seen, taken) = (self.state().file, self.store.imported_file().ok().flatten());
        taken.is_some_and(|taken| seen == Some(taken.digest) && taken.release != self.current().number())
    }
}
