//! State shared by readers, the commit thread and the keeper of an open store.

use super::cell::Space;
use super::directory::{FileIdentity, Places};
use super::error::{CommitError, StorageError};
use super::index::view::Index;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The sizes of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Bytes of sled's page cache.
    pub cache_bytes: u64,
    /// The most commits that wait. Further commits are refused at once.
    pub queue: usize,
    /// The most commits in one group.
    pub group: usize,
    /// Whether a directory that holds only other conferences may also get this one.
    pub new_conference: bool,
    /// The growth of the journal after which a checkpoint is made. For a large state the limit is at least half of the
    /// state's size.
    pub checkpoint_bytes: u64,
    /// The size above which a release is written in pieces, and the approximate size of a piece.
    pub piece_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 32 * 1024 * 1024,
            queue: 1024,
            group: 256,
            new_conference: false,
            checkpoint_bytes: 64 * 1024 * 1024,
            piece_bytes: 4 * 1024 * 1024,
        }
    }
}

/// An open store, as its readers and threads share it.
pub(super) struct Shared {
    pub(super) index: Index,
    pub(super) space: Space,
    pub(super) places: Places,
    pub(super) lock: FileIdentity,
    pub(super) options: Options,
    pub(super) state: StoreState,
}

/// The present state of a store's threads.
#[derive(Default)]
pub(super) struct StoreState {
    /// Why writes are refused; none while they are accepted.
    failure: Mutex<Option<StorageError>>,
    pub(super) acknowledged: AtomicU64,
    /// Commits that have not been answered yet.
    pub(super) pending: AtomicUsize,
    /// The sequence of the last journal record that readers see.
    pub(super) applied: AtomicU64,
    /// Bytes written to the journal since the store was opened.
    pub(super) journaled: AtomicU64,
    /// The sequence of the newest checkpoint.
    pub(super) checkpoint: AtomicU64,
    /// How often the index was rebuilt since the store was opened.
    pub(super) rebuilt: AtomicU64,
    /// Rows or journal records that are in neither copy.
    pub(super) lost: AtomicU64,
    /// A release is being written in pieces. Its pieces are not leftovers, and no checkpoint is made meanwhile.
    pub(super) is_staging: AtomicBool,
    /// The store is being closed, so long work must end.
    pub(super) is_stopping: AtomicBool,
    /// When the oldest commit of the present group was queued.
    oldest: Mutex<Option<Instant>>,
}

impl StoreState {
    pub(super) fn set_failure(&self, failure: Option<StorageError>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    pub(super) fn failure(&self) -> Option<StorageError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_oldest(&self, at: Option<Instant>) {
        *self.oldest.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    pub(super) fn oldest(&self) -> Option<Instant> {
        *self.oldest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A publication in pieces. Only one may run at a time, since two would mix their pieces.
pub(super) struct Staging(Arc<Shared>);

impl Staging {
    /// Begins a publication. Fails with a conflict while another one runs, since both follow the same release.
    pub(super) fn begin(shared: &Arc<Shared>) -> Result<Self, CommitError> {
        match shared.state.is_staging.swap(true, Ordering::AcqRel) {
            true => Err(CommitError::Conflict),
            false => Ok(Self(Arc::clone(shared))),
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        self.0.state.is_staging.store(false, Ordering::Release);
    }
}
