//! How many programs organizers look at or upload at once.
//!
//! A preview renders a whole release, and an upload holds up to 20 MiB before anything is known of it. Without a limit, a
//! few of them at once would need more memory than the server may take.

use crate::http::Problem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Previews that are made at once.
const PREVIEWS: usize = 1;

/// Uploads whose bytes are held at once: one is looked at while the next is read.
const UPLOADS: usize = 2;

/// The longest wait for a turn.
const LONGEST: Duration = Duration::from_secs(30);

/// The turns of previews and uploads. A turn ends when what is returned for it is dropped.
#[derive(Debug)]
pub(in crate::http) struct Previews {
    previews: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
}

impl Default for Previews {
    fn default() -> Self {
        Self { previews: Arc::new(Semaphore::new(PREVIEWS)), uploads: Arc::new(Semaphore::new(UPLOADS)) }
    }
}

impl Previews {
    /// Waits for the turn to make a preview; [`Problem::Overloaded`] where that takes too long. It belongs to the thread
    /// that makes the preview, since a client that goes away does not stop it.
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
    async fn one_preview_is_made_at_once_and_the_others_wait_so_long() {
        let previews = Previews::default();
        let first = previews.preview().await.unwrap();
        let _upload = previews.upload().await.unwrap();
        let began = tokio::time::Instant::now();
        assert!(matches!(previews.preview().await, Err(Problem::Overloaded)));
        assert_eq!(began.elapsed(), LONGEST);
        drop(first);
        assert!(previews.preview().await.is_ok());
        let _last = previews.upload().await.unwrap();
        assert!(matches!(previews.upload().await, Err(Problem::Overloaded)));
    }
}
