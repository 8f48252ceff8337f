//! Limits how many programs organizers upload and preview at once.
//!
//! A preview renders a whole release, and an upload is held in memory with up to 20 MiB. Several at once would need more
//! memory than the server may use.

use crate::http::Problem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Previews that are rendered at once.
const PREVIEWS: usize = 1;

/// Uploads in memory at once: one is previewed while the next one is read.
const UPLOADS: usize = 2;

/// The longest wait for a turn.
const LONGEST: Duration = Duration::from_secs(30);

/// The turns of previews and uploads. Dropping the permit ends a turn.
#[derive(Debug)]
pub(in crate::http) struct ProgramTurns {
    previews: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
}

impl Default for ProgramTurns {
    fn default() -> Self {
        Self { previews: Arc::new(Semaphore::new(PREVIEWS)), uploads: Arc::new(Semaphore::new(UPLOADS)) }
    }
}

impl ProgramTurns {
    /// Waits for the turn to preview; [`Problem::Overloaded`] if that takes too long. The previewing thread holds the
    /// permit, since it goes on if the client disconnects.
    pub(super) async fn preview(&self) -> Result<OwnedSemaphorePermit, Problem> {
        turn(&self.previews).await
    }

    /// Waits for the turn to read an upload.
    pub(super) async fn upload(&self) -> Result<OwnedSemaphorePermit, Problem> {
        turn(&self.uploads).await
    }
}

async fn turn(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let permit = tokio::time::timeout(LONGEST, Arc::clone(of).acquire_owned()).await;
    permit.ok().and_then(Result::ok).ok_or(Problem::Overloaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_preview_waits_and_is_refused_in_the_end() {
        let turns = ProgramTurns::default();
        let first = turns.preview().await.unwrap();
        let _upload = turns.upload().await.unwrap();
        let began = tokio::time::Instant::now();
        assert!(matches!(turns.preview().await, Err(Problem::Overloaded)));
        assert_eq!(began.elapsed(), LONGEST);
        drop(first);
        assert!(turns.preview().await.is_ok());
        let _last = turns.upload().await.unwrap();
        assert!(matches!(turns.upload().await, Err(Problem::Overloaded)));
    }
}
