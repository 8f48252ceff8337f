//! The signs of life of one connection, shared by its stream, its service and the crowd.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// When something last moved, and whether an answer is being made.
#[derive(Debug)]
pub(super) struct Pulse {
    born: Instant,
    /// When bytes last moved, in milliseconds after `born`.
    last: AtomicU64,
    /// When the last answer was made, likewise.
    answered: AtomicU64,
    is_answering: AtomicBool,
    waits_for_body: AtomicBool,
    requests: AtomicU64,
    /// Bytes of the last answer, and how many of them are kept for a client that is behind with taking them.
    made: AtomicU64,
    kept: AtomicU64,
    is_closing: AtomicBool,
    close: Notify,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            born: Instant::now(),
            last: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            is_answering: AtomicBool::new(false),
            waits_for_body: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            made: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            is_closing: AtomicBool::new(false),
            close: Notify::new(),
        }
    }

    fn age(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Bytes were read or written.
    pub(super) fn beat(&self) {
        self.last.store(self.age(), Ordering::Relaxed);
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

    /// Whether the client owes the rest of a body.
    pub(super) fn wait_for_body(&self, waits: bool) {
        if self.waits_for_body.load(Ordering::Relaxed) != waits {
            self.waits_for_body.store(waits, Ordering::Relaxed);
        }
    }

    /// The answer is made, of so many bytes; it may still be on its way.
    pub(super) fn end(&self, bytes: u64) {
        let age = self.age();
        self.made.store(bytes, Ordering::Relaxed);
        self.last.store(age, Ordering::Relaxed);
        self.answered.store(age, Ordering::Relaxed);
        self.wait_for_body(false);
        self.is_answering.store(false, Ordering::Relaxed);
    }

    /// The client is behind with taking the last answer: how much more is kept for it than before.
    pub(super) fn keep(&self) -> u64 {
        let made = self.made.load(Ordering::Relaxed);
        made.saturating_sub(self.kept.fetch_max(made, Ordering::Relaxed))
    }

    /// The client has taken everything, or is gone: how much was kept for it.
    pub(super) fn let_go(&self) -> u64 {
        self.kept.swap(0, Ordering::Relaxed)
    }

    /// Whether something is kept for it.
    pub(super) fn is_behind(&self) -> bool {
        self.kept.load(Ordering::Relaxed) > 0
    }

    /// Whether an answer is being made.
    pub(super) fn is_answering(&self) -> bool {
        self.is_answering.load(Ordering::Relaxed)
    }

    /// How many heads were complete.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// How long it has been the client's turn: since its last answer was made, or since it connected. Bytes
    /// that drip do not count. None while an answer is being made, and for one that was asked to close.
    pub(super) fn idle(&self) -> Option<Duration> {
        let is_ours = self.is_answering() && !self.waits_for_body.load(Ordering::Relaxed);
        let since = Duration::from_millis(self.answered.load(Ordering::Relaxed));
        let is_candidate = !is_ours && !self.is_closing.load(Ordering::Relaxed);
        is_candidate.then(|| self.born.elapsed().saturating_sub(since))
    }

    /// Asks the connection to close at once.
    pub(super) fn ask_to_close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        self.close.notify_one();
    }

    /// Waits until it is asked to close.
    pub(super) async fn asked_to_close(&self) {
        self.close.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_idles_while_it_owes_a_head_or_a_body_and_not_while_we_owe_an_answer() {
        let pulse = Pulse::new();
        std::thread::sleep(Duration::from_millis(20));
        pulse.beat();
        assert!(pulse.idle().unwrap() >= Duration::from_millis(20), "bytes alone are no progress");
        pulse.begin();
        assert_eq!(pulse.idle(), None);
        pulse.wait_for_body(true);
        assert!(pulse.idle().is_some());
        pulse.wait_for_body(false);
        assert_eq!(pulse.idle(), None);
        pulse.end(0);
        assert!(pulse.idle().unwrap() < Duration::from_millis(20));
        pulse.ask_to_close();
        assert_eq!(pulse.idle(), None, "nobody is asked twice");
    }
}
