//! What readers, the commit thread and the keeper of an open store have in common.

use super::Options;
use super::cell::Space;
use super::engine::EngineError;
use super::files::Places;
use super::lock::Held;
use super::view::View;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Instant;

/// What an open store is to readers and to its threads.
pub(super) struct Shared {
    pub(super) view: RwLock<View>,
    pub(super) space: Space,
    pub(super) places: Places,
    pub(super) held: Held,
    pub(super) options: Options,
    pub(super) pulse: Pulse,
}

/// How the commit thread is doing.
#[derive(Default)]
pub(super) struct Pulse {
    /// Why no writes are taken, while that is so.
    pub(super) failure: Mutex<Option<EngineError>>,
    pub(super) acknowledged: AtomicU64,
    /// Commits that wait for an answer.
    pub(super) pending: AtomicUsize,
    /// The journal's last record that readers see.
    pub(super) applied: AtomicU64,
    /// Bytes that were written to the journal since the store was opened.
    pub(super) journaled: AtomicU64,
    /// Of the newest checkpoint.
    pub(super) checkpoint: AtomicU64,
    /// How often the index was made anew since the store was opened.
    pub(super) rebuilt: AtomicU64,
    /// Rows or records that are in neither copy.
    pub(super) lost: AtomicU64,
    /// A release is being written in pieces: none of them is left over, and no checkpoint is made meanwhile.
    pub(super) is_staging: AtomicBool,
    /// The store is being closed: what takes long is to end.
    pub(super) is_stopping: AtomicBool,
    /// When the first of the group in flight came in.
    pub(super) oldest: Mutex<Option<Instant>>,
}

impl Pulse {
    pub(super) fn set_failure(&self, failure: Option<EngineError>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    pub(super) fn failure(&self) -> Option<EngineError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_oldest(&self, at: Option<Instant>) {
        *self.oldest.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}
