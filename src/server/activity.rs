//! The activity of one connection, shared by its stream, its service and the task that accepts new connections.
//!
//! The facts that decide about closing are in one atomic word, so that other tasks never see half of a change:
//! whether the server or the client must act, since when, and whether the connection was asked to close. The other
//! fields are independent of each other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;
use tokio::time::Instant;

/// A request was read and is not answered yet.
const ANSWERING: u64 = 1;
/// The answer waits for more of the request's body.
const WAITS_FOR_BODY: u64 = 1 << 1;
/// The connection was asked to close.
const CLOSING: u64 = 1 << 2;
/// At least one request was read.
const SERVED: u64 = 1 << 3;
/// The connection was asked to close, and its task has not seen that yet.
const CLOSE_UNSEEN: u64 = 1 << 4;
/// The number of flag bits. Above them the word holds when the last answer was made, in milliseconds after the
/// connection was accepted.
const TIME_SHIFT: u32 = 5;

/// Stands for the length of a chunked body, which is known only at its end.
const CHUNKED: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct Activity {
    accepted: Instant,
    word: AtomicU64,
    /// When bytes last moved, in milliseconds after `accepted`.
    last_moved: AtomicU64,
    /// How many heads were complete, and the length of the last request's body.
    requests: AtomicU64,
    body_length: AtomicU64,
    /// Bytes of the last answer, and how many of them wait in memory for a client that is slow to take them.
    answer_bytes: AtomicU64,
    waiting_bytes: AtomicU64,
    /// Wakes the connection's task; none until the task begins.
    waker: Mutex<Option<Waker>>,
}

/// A connection whose client keeps the server waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Idle {
    /// When the last answer was made or, without an answer, when the connection was accepted.
    pub(super) since: Instant,
    /// Whether the client has sent at least one request.
    pub(super) was_served: bool,
    word: u64,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            accepted: Instant::now(),
            word: AtomicU64::new(0),
            last_moved: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            body_length: AtomicU64::new(0),
            answer_bytes: AtomicU64::new(0),
            waiting_bytes: AtomicU64::new(0),
            waker: Mutex::default(),
        }
    }

    /// The age of the connection in milliseconds.
    fn age(&self, now: Instant) -> u64 {
        let age = now.saturating_duration_since(self.accepted);
        u64::try_from(age.as_millis()).unwrap_or(u64::MAX) & (u64::MAX >> TIME_SHIFT)
    }

    /// Records that bytes were read or written. Returns the time.
    pub(super) fn touch(&self) -> Instant {
        let now = Instant::now();
        self.last_moved.store(self.age(now), Ordering::Relaxed);
        now
    }

    /// When bytes were last read or written.
    pub(super) fn last_moved(&self) -> Instant {
        self.accepted + Duration::from_millis(self.last_moved.load(Ordering::Relaxed))
    }

    /// Records a complete head. `body` is the length of the body; none if it is chunked.
    pub(super) fn begin_request(&self, body: Option<u64>) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.body_length.store(body.unwrap_or(CHUNKED), Ordering::Relaxed);
        self.word.fetch_or(ANSWERING | SERVED, Ordering::AcqRel);
    }

    /// Records whether the server waits for more of the request's body.
    pub(super) fn wait_for_body(&self, waits: bool) {
        if (self.word.load(Ordering::Acquire) & WAITS_FOR_BODY != 0) == waits {
            return;
        }
        match waits {
            true => self.word.fetch_or(WAITS_FOR_BODY, Ordering::AcqRel),
            false => self.word.fetch_and(!WAITS_FOR_BODY, Ordering::AcqRel),
        };
    }

    /// Records that an answer of `bytes` bytes was made; the client may not have read it yet.
    pub(super) fn end_answer(&self, bytes: u64) {
        let age = self.age(Instant::now());
        self.answer_bytes.store(bytes, Ordering::Relaxed);
        self.last_moved.store(age, Ordering::Relaxed);
        let flags = CLOSING | CLOSE_UNSEEN | SERVED;
        let _ = self
            .word
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| Some(word & flags | age << TIME_SHIFT));
    }

    /// Records that the client is slow to read the last answer. Returns how much more waits in memory than before.
    pub(super) fn start_waiting(&self) -> u64 {
        let bytes = self.answer_bytes.load(Ordering::Relaxed);
        bytes.saturating_sub(self.waiting_bytes.fetch_max(bytes, Ordering::Relaxed))
    }

    /// Records that the client has read everything, or is gone. Returns how much waited in memory.
    pub(super) fn stop_waiting(&self) -> u64 {
        self.waiting_bytes.swap(0, Ordering::Relaxed)
    }

    /// Whether an answer waits in memory.
    pub(super) fn has_waiting_answer(&self) -> bool {
        self.waiting_bytes.load(Ordering::Relaxed) > 0
    }

    /// Whether a request was read and is not answered yet.
    pub(super) fn is_answering(&self) -> bool {
        self.word.load(Ordering::Acquire) & ANSWERING != 0
    }

    /// Whether the client waits for the server: an answer is being made, and no part of the request is missing.
    pub(super) fn is_at_work(&self) -> bool {
        self.word.load(Ordering::Acquire) & (ANSWERING | WAITS_FOR_BODY) == ANSWERING
    }

    /// How many heads were complete.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The length of the last request's body; none if it is chunked.
    pub(super) fn body_length(&self) -> Option<u64> {
        Some(self.body_length.load(Ordering::Relaxed)).filter(|length| *length != CHUNKED)
    }

    /// Since when the client must act. Bytes of an unfinished request or answer do not reset this time. None while
    /// the server works on an answer, and for a connection that was asked to close.
    pub(super) fn idle(&self) -> Option<Idle> {
        let word = self.word.load(Ordering::Acquire);
        let is_at_work = word & (ANSWERING | WAITS_FOR_BODY) == ANSWERING;
        let since = self.accepted + Duration::from_millis(word >> TIME_SHIFT);
        let idle = Idle { since, was_served: word & SERVED != 0, word };
        (!is_at_work && word & CLOSING == 0).then_some(idle)
    }

    /// Asks an idle connection to close. False if its state changed since [`Self::idle`]: a request that arrived since is
    /// answered.
    pub(super) fn close_if(&self, idle: Idle) -> bool {
        let closing = idle.word | CLOSING | CLOSE_UNSEEN;
        let is_same =
            self.word.compare_exchange(idle.word, closing, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if is_same {
            self.wake();
        }
        is_same
    }

    /// Asks the connection to close, idle or not.
    pub(super) fn close(&self) {
        self.word.fetch_or(CLOSING | CLOSE_UNSEEN, Ordering::AcqRel);
        self.wake();
    }

    /// Whether the connection was asked to close.
    pub(super) fn is_closing(&self) -> bool {
        self.word.load(Ordering::Acquire) & CLOSING != 0
    }

    /// Whether the connection was asked to close since the last call.
    pub(super) fn take_close_request(&self) -> bool {
        self.word.load(Ordering::Acquire) & CLOSE_UNSEEN != 0
            && self.word.fetch_and(!CLOSE_UNSEEN, Ordering::AcqRel) & CLOSE_UNSEEN != 0
    }

    /// Makes [`Self::wake`] wake the connection's task. The task must look for requests to close afterwards, and each
    /// time it wakes up.
    pub(super) fn wake_with(&self, waker: Waker) {
        *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    }

    /// Wakes the connection's task, which then polls its stream.
    pub(super) fn wake(&self) {
        if let Some(waker) = &*self.waker.lock().unwrap_or_else(PoisonError::into_inner) {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle_for(activity: &Activity) -> Option<Duration> {
        activity.idle().map(|idle| idle.since.elapsed())
    }

    #[test]
    fn a_client_is_idle_while_it_owes_a_head_or_a_body_and_not_while_the_server_owes_an_answer() {
        let activity = Activity::new();
        std::thread::sleep(Duration::from_millis(20));
        activity.touch();
        assert!(idle_for(&activity).unwrap() >= Duration::from_millis(20), "bytes alone are no progress");
        activity.begin_request(Some(3));
        assert_eq!(idle_for(&activity), None);
        activity.wait_for_body(true);
        assert!(idle_for(&activity).is_some());
        activity.wait_for_body(false);
        assert_eq!(idle_for(&activity), None);
        activity.end_answer(0);
        assert!(idle_for(&activity).unwrap() < Duration::from_millis(20));
        activity.close();
        assert_eq!(idle_for(&activity), None, "it was asked already");
    }

    #[test]
    fn a_client_that_sent_a_request_in_the_meantime_is_not_closed() {
        let activity = Activity::new();
        let seen = activity.idle().unwrap();
        activity.begin_request(None);
        assert!(!activity.close_if(seen) && !activity.is_closing());
        activity.end_answer(0);
        assert!(!activity.close_if(seen), "it idles again, but not since then");
        let seen = activity.idle().unwrap();
        assert!(seen.was_served);
        assert!(activity.close_if(seen) && activity.is_closing());
        activity.end_answer(0);
        assert!(activity.is_closing(), "an answer does not take it back");
    }

    /// In two words, an observer could see a new state beside an old time, and a busy connection would look idle.
    #[test]
    fn an_observer_never_sees_a_new_state_beside_an_old_time() {
        let activity = std::sync::Arc::new(Activity::new());
        let busy = std::sync::Arc::clone(&activity);
        let until = Instant::now() + Duration::from_millis(200);
        let working = std::thread::spawn(move || {
            while Instant::now() < until {
                busy.begin_request(Some(0));
                busy.end_answer(1);
            }
        });
        let mut latest = activity.accepted;
        while !working.is_finished() {
            if let Some(idle) = activity.idle() {
                assert!(idle.since >= latest, "time goes back");
                latest = idle.since;
            }
        }
        working.join().unwrap();
        let last = activity.idle().unwrap().since;
        assert!(last >= latest && last > activity.accepted);
    }
}
