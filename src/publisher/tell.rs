//! Telling of releases: their webhook calls into the spool, each release once.

use super::status::Part;
use super::{Publisher, Spooled, spool};
use crate::store::{NamedRecord, ReadError, ReleaseRecord};
use std::sync::Arc;

impl Publisher {
    /// How many calls lie in the spool.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn spooled_calls(&self) -> std::io::Result<Spooled> {
        spool::count(&self.spool)
    }

    /// Leaves the calls of every release that has none yet in the spool: those of the release just published,
    /// and of earlier ones that a crash or a full disk came between.
    ///
    /// A spool that cannot be written does not take back a release that is served.
    pub async fn tell_what_was_not(self: &Arc<Self>) {
        if self.settings.load().webhooks.is_empty() {
            return;
        }
        let this = Arc::clone(self);
        // Reading and fsyncing are nothing for the reactor's threads.
        match tokio::task::spawn_blocking(move || this.fill_the_spool()).await {
            Ok(Ok(())) => self.state().fault(Part::Webhooks, None),
            Err(_) => {}
            Ok(Err(SpoolError::Read(error))) => self.state().fault(Part::Webhooks, Some(&error)),
            Ok(Err(error)) => {
                let spool = self.spool.display();
                tracing::error!(%error, %spool, "webhook calls could not be left in the spool; the next release or start tries again");
            }
        }
    }

    fn fill_the_spool(&self) -> Result<(), SpoolError> {
        let running = self.current().number();
        let last = self.store.spooled_release()?.unwrap_or(running);
        for number in last + 1..=running {
            if let Some(record) = self.store.release(number)? {
                self.call(&record)?;
            }
        }
        Ok(())
    }

    fn call(&self, record: &ReleaseRecord) -> Result<(), SpoolError> {
        spool::spool(&self.spool, &self.settings.load().webhooks, record)?;
        self.store.commit_blocking(vec![NamedRecord::SpooledRelease(record.number).into()])?;
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum SpoolError {
    #[error("{0}")]
    Disk(#[from] std::io::Error),
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("{0}")]
    Commit(#[from] crate::store::CommitError),
}
