//! A queue that never grows longer than is worth waiting in.
//!
//! So many are made at once. Whoever comes when more wait than can be served in time is told so at once (503), and
//! so is whoever has waited that long for nothing; what is accepted is answered soon.

use crate::http::Problem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// A new turn's share in what is thought of how long one takes: one in so many.
const INERTIA: u64 = 8;

/// Whose turn it is, and who waits.
#[derive(Debug)]
pub(in crate::http) struct Queue {
    turns: Semaphore,
    at_once: u64,
    longest: Duration,
    waiting: AtomicU64,
    /// How long a turn takes, in microseconds, as the last ones did.
    usual: AtomicU64,
    refused: AtomicU64,
}

/// A turn, which is over when it is dropped.
#[derive(Debug)]
pub(in crate::http) struct Turn<'a> {
    queue: &'a Queue,
    began: Instant,
    _permit: SemaphorePermit<'a>,
}

impl Turn<'_> {
    /// Runs something that keeps a processor busy. The runtime gets another thread meanwhile, so that what comes in is
    /// taken in; on a runtime of one thread, as in tests, it has to wait.
    pub(in crate::http) async fn run<F: Future>(self, work: F) -> F::Output {
        let runtime = Handle::current();
        match runtime.runtime_flavor() {
            RuntimeFlavor::CurrentThread => work.await,
            _ => tokio::task::block_in_place(|| runtime.block_on(work)),
        }
    }
}

impl Queue {
    /// A queue for so many turns at once, in which nobody waits longer than that.
    pub(in crate::http) fn new(at_once: usize, longest: Duration) -> Self {
        let turns = Semaphore::new(at_once);
        let (waiting, usual, refused) = (0.into(), 0.into(), 0.into());
        Self { turns, at_once: at_once as u64, longest, waiting, usual, refused }
    }

    /// Waits for a turn; [`Problem::Overloaded`] where that takes too long.
    pub(in crate::http) async fn turn(&self) -> Result<Turn<'_>, Problem> {
        let permit = match self.turns.try_acquire() {
            Ok(permit) => Some(permit),
            Err(_) => self.wait().await,
        };
        match permit {
            Some(permit) => Ok(Turn { queue: self, began: Instant::now(), _permit: permit }),
            None => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Err(Problem::Overloaded)
            }
        }
    }

    /// Makes something in a turn of its own, off the threads that answer requests. What is being made is not given up when its
    /// client goes away: else clients that come and go could have more made at once than there are turns.
    pub(in crate::http) async fn make<T>(&self, work: impl FnOnce() -> T) -> Result<T, Problem> {
        let turn = self.turn().await?;
        Ok(turn.run(async { work() }).await)
    }

    async fn wait(&self) -> Option<SemaphorePermit<'_>> {
        let place = Waiting::enter(&self.waiting);
        let expected = place.ahead.saturating_mul(self.usual.load(Ordering::Relaxed)) / self.at_once;
        if Duration::from_micros(expected) > self.longest {
            return None;
        }
        tokio::time::timeout(self.longest, self.turns.acquire()).await.ok()?.ok()
    }

    /// How many were turned away.
    pub(in crate::http) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Counted among those that wait until it is dropped: a client that goes away waits no longer.
struct Waiting<'a> {
    waiting: &'a AtomicU64,
    ahead: u64,
}

impl<'a> Waiting<'a> {
    fn enter(waiting: &'a AtomicU64) -> Self {
        Self { waiting, ahead: waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let took = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Two turns that end at once may lose one of them, which is of no matter to an average.
        let usual = self.queue.usual.load(Ordering::Relaxed);
        let usual = usual - usual / INERTIA + took / INERTIA;
        self.queue.usual.store(usual, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const LONGEST: Duration = Duration::from_millis(100);

    #[tokio::test(start_paused = true)]
    async fn as_many_as_are_worth_waiting_for_wait_and_the_others_are_told_at_once() {
        let queue = Arc::new(Queue::new(2, LONGEST));
        // Turns of 10 ms: 20 of them fit into the longest wait, two at a time.
        for _ in 0..100 {
            let turn = queue.turn().await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            drop(turn);
        }
        let come = |_| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move {
                let came = Instant::now();
                let turn = queue.turn().await;
                let waited = came.elapsed();
                tokio::time::sleep(Duration::from_millis(10)).await;
                (turn.is_ok(), waited)
            })
        };
        let mut told = Vec::new();
        for visitor in (0..200).map(come).collect::<Vec<_>>() {
            told.push(visitor.await.unwrap());
        }
        let served: Vec<_> = told.iter().filter(|(is_served, _)| *is_served).collect();
        assert!((20..=24).contains(&served.len()), "{} served", served.len());
        assert!(served.iter().all(|(_, waited)| *waited <= LONGEST + Duration::from_millis(5)), "{served:?}");
        let at_once = told.iter().filter(|(is_served, waited)| !is_served && waited.is_zero()).count();
        assert!(at_once >= 170, "{at_once} told at once");
        assert_eq!(queue.refused() as usize, 200 - served.len());
        assert!(queue.turn().await.is_ok(), "it is over when they are gone");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_in_vain_is_told_in_the_end_and_whoever_leaves_makes_room() {
        let queue = Queue::new(1, LONGEST);
        let long = queue.turn().await.unwrap();
        let came = Instant::now();
        assert!(matches!(queue.turn().await, Err(Problem::Overloaded)));
        assert!(came.elapsed() >= LONGEST && came.elapsed() < 2 * LONGEST);
        assert!(tokio::time::timeout(Duration::from_millis(1), queue.turn()).await.is_err());
        assert_eq!(queue.waiting.load(Ordering::Relaxed), 0);
        drop(long);
        assert!(queue.turn().await.is_ok());
    }
}
