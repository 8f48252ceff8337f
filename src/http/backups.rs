//! Backups as the operator's listener counts them.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// When a backup was last saved, and how many could not be sent since the start.
#[derive(Debug, Default)]
pub struct Backups {
    /// Seconds of the Unix epoch; 0 for never.
    last_saved: AtomicI64,
    failed: AtomicU64,
}

impl Backups {
    /// Those of a conference whose last one was saved at a time, in seconds of the Unix epoch.
    pub fn since(last_saved: Option<i64>) -> Self {
        Self { last_saved: last_saved.unwrap_or(0).into(), failed: AtomicU64::default() }
    }

    /// Notes one that was saved.
    pub fn saved(&self, at: i64) {
        self.last_saved.store(at, Ordering::Relaxed);
    }

    /// Counts one that could not be sent.
    pub fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// When one was last saved, in seconds of the Unix epoch; 0 for never.
    pub fn last_saved(&self) -> i64 {
        self.last_saved.load(Ordering::Relaxed)
    }

    /// How many could not be sent.
    pub fn failures(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}
