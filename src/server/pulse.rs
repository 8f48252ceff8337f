//! The signs of life of one connection, shared by its stream, its service and the crowd.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// When something last moved, and whether an answer is being made.
#[derive(Debug)]
pub(super) struct Pulse {
    born: Instant,
    /// Milliseconds after `born`.
    last: AtomicU64,
    is_answering: AtomicBool,
    requests: AtomicU64,
    close: Notify,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            born: Instant::now(),
            last: AtomicU64::new(0),
            is_answering: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            close: Notify::new(),
        }
    }

    /// Bytes were read or written.
    pub(super) fn beat(&self) {
        let millis = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
    }

    /// When bytes were last read or written.
    pub(super) fn last(&self) -> Instant {
        self.born + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }

    /// A request's head is complete.
    pub(super) fn begin(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.is_answering.store(true, Ordering::Relaxed);
    }

    /// The answer is made; it may still be on its way.
    pub(super) fn end(&self) {
        self.is_answering.store(false, Ordering::Relaxed);
        self.beat();
    }

    /// Whether an answer is being made.
    pub(super) fn is_answering(&self) -> bool {
        self.is_answering.load(Ordering::Relaxed)
    }

    /// How many heads were complete.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// How long nothing has moved; none while an answer is being made.
    pub(super) fn idle(&self) -> Option<Duration> {
        (!self.is_answering()).then(|| self.last().elapsed())
    }

    /// Asks the connection to close at once.
    pub(super) fn ask_to_close(&self) {
        self.close.notify_one();
    }

    /// Waits until it is asked to close.
    pub(super) async fn asked_to_close(&self) {
        self.close.notified().await;
    }
}
