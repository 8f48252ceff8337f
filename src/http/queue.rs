//! Queues for answers that are rendered on request, so that a flood of requests cannot take every processor.
//!
//! Each route names the queue of its handler. Handlers take a turn only to render something: they
//! check validators and caches first, so a 304 and a cached body never wait. Invariant: a request that could not
//! start in time is rejected at once with 503.

use super::Problem;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// The longest wait for work of a few milliseconds.
const SHORT_WAIT: Duration = Duration::from_millis(50);

/// The longest wait for work on the whole program, which takes seconds for a large program.
pub(super) const LONG_WAIT: Duration = Duration::from_secs(2);

/// Weight of a new sample in the moving average of service time: 1/8.
const SAMPLE_WEIGHT: u64 = 8;

/// The queue in which a handler works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueueName {
    /// No queue: the handler renders nothing, or has a limit of its own.
    Unlimited,
    /// Milliseconds of work.
    Short,
    /// Work on the whole program.
    Whole,
}

/// All queues. In each limited queue, as many requests are worked on at once as there are processors.
#[derive(Debug)]
pub(super) struct Queues {
    unlimited: Queue,
    short: Queue,
    whole: Queue,
}

impl Default for Queues {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            unlimited: Queue::new(Semaphore::MAX_PERMITS, Duration::ZERO),
            short: Queue::new(processors, SHORT_WAIT),
            whole: Queue::new(processors, LONG_WAIT),
        }
    }
}

impl Queues {
    pub(super) fn get(&self, name: QueueName) -> &Queue {
        match name {
            QueueName::Unlimited => &self.unlimited,
            QueueName::Short => &self.short,
            QueueName::Whole => &self.whole,
        }
    }

    /// How many requests were rejected.
    pub(super) fn rejected(&self) -> u64 {
        self.short.rejected() + self.whole.rejected()
    }
}

/// A queue that rejects a request whose expected wait is too long. Clones share the queue.
#[derive(Debug, Clone)]
pub(super) struct Queue(Arc<QueueState>);

#[derive(Debug)]
struct QueueState {
    turns: Arc<Semaphore>,
    at_once: u64,
    longest_wait: Duration,
    waiting: AtomicU64,
    /// Moving average of the service time, in microseconds.
    service_time: AtomicU64,
    rejected: AtomicU64,
}

/// A turn in a queue. Dropping it lets the next request work.
#[derive(Debug)]
pub(super) struct Turn {
    queue: Queue,
    began: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Queue {
    /// A queue that lets `at_once` requests work at once, after at most `longest_wait`.
    pub(super) fn new(at_once: usize, longest_wait: Duration) -> Self {
        let (waiting, service_time, rejected) = (0.into(), 0.into(), 0.into());
        let turns = Arc::new(Semaphore::new(at_once));
        Self(Arc::new(QueueState {
            turns,
            at_once: at_once as u64,
            longest_wait,
            waiting,
            service_time,
            rejected,
        }))
    }

    /// Waits for a turn; [`Problem::Overloaded`] if that would take too long.
    pub(super) async fn turn(&self) -> Result<Turn, Problem> {
        let permit = match Arc::clone(&self.0.turns).try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) => self.wait().await,
        };
        match permit {
            Some(permit) => Ok(Turn { queue: self.clone(), began: Instant::now(), _permit: permit }),
            None => {
                self.0.rejected.fetch_add(1, Ordering::Relaxed);
                Err(Problem::Overloaded)
            }
        }
    }

    /// Waits for a turn and works in it. The work goes on if its client disconnects: otherwise clients that connect
    /// and disconnect could cause more work than there are turns.
    pub(super) async fn make<T>(&self, work: impl FnOnce() -> T) -> Result<T, Problem> {
        if self.is_unlimited() {
            return Ok(work());
        }
        Ok(self.turn().await?.run(async { work() }).await)
    }

    fn is_unlimited(&self) -> bool {
        self.0.at_once == Semaphore::MAX_PERMITS as u64
    }

    async fn wait(&self) -> Option<OwnedSemaphorePermit> {
        let place = WaitingRequest::enter(&self.0.waiting);
        let service_time = self.0.service_time.load(Ordering::Relaxed);
        let expected = place.ahead.saturating_mul(service_time) / self.0.at_once;
        if Duration::from_micros(expected) > self.0.longest_wait {
            return None;
        }
        let turn = Arc::clone(&self.0.turns).acquire_owned();
        tokio::time::timeout(self.0.longest_wait, turn).await.ok()?.ok()
    }

    /// How many requests were rejected.
    pub(super) fn rejected(&self) -> u64 {
        self.0.rejected.load(Ordering::Relaxed)
    }
}

impl Turn {
    /// Runs work that keeps a processor busy. Meanwhile the runtime starts another thread for other requests; a
    /// runtime of one thread, as in tests, cannot.
    pub(super) async fn run<F: Future>(self, work: F) -> F::Output {
        let runtime = Handle::current();
        match runtime.runtime_flavor() {
            RuntimeFlavor::CurrentThread => work.await,
            _ => tokio::task::block_in_place(|| runtime.block_on(work)),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let took = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let service_time = &self.queue.0.service_time;
        // If two turns end at the same moment, one sample may be lost, which does not matter to an average.
        let average = service_time.load(Ordering::Relaxed);
        service_time.store(average - average / SAMPLE_WEIGHT + took / SAMPLE_WEIGHT, Ordering::Relaxed);
    }
}

/// A place among the waiting requests. If the client disconnects, this value is dropped and frees the place.
struct WaitingRequest<'a> {
    waiting: &'a AtomicU64,
    ahead: u64,
}

impl<'a> WaitingRequest<'a> {
    fn enter(waiting: &'a AtomicU64) -> Self {
        Self { waiting, ahead: waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for WaitingRequest<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_WAIT: Duration = Duration::from_millis(100);

    #[tokio::test(start_paused = true)]
    async fn requests_beyond_a_useful_wait_are_rejected_at_once() {
        let queue = Arc::new(Queue::new(2, MAX_WAIT));
        // Turns of 10 ms: 20 of them fit into the longest wait, two at a time.
        for _ in 0..100 {
            let turn = queue.turn().await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            drop(turn);
        }
        let request = |_| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move {
                let came = Instant::now();
                let turn = queue.turn().await;
                let waited = came.elapsed();
                tokio::time::sleep(Duration::from_millis(10)).await;
                (turn.is_ok(), waited)
            })
        };
        let mut outcomes = Vec::new();
        for request in (0..200).map(request).collect::<Vec<_>>() {
            outcomes.push(request.await.unwrap());
        }
        let served: Vec<_> = outcomes.iter().filter(|(is_served, _)| *is_served).collect();
        assert!((20..=24).contains(&served.len()), "{} served", served.len());
        assert!(
            served.iter().all(|(_, waited)| *waited <= MAX_WAIT + Duration::from_millis(5)),
            "{served:?}"
        );
        let at_once = outcomes.iter().filter(|(is_served, waited)| !is_served && waited.is_zero()).count();
        assert!(at_once >= 170, "{at_once} rejected at once");
        assert_eq!(queue.rejected() as usize, 200 - served.len());
        assert!(queue.turn().await.is_ok(), "turns are free again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_waited_too_long_is_rejected_and_one_that_is_dropped_leaves_the_queue() {
        let queue = Queue::new(1, MAX_WAIT);
        let long = queue.turn().await.unwrap();
        let came = Instant::now();
        assert!(matches!(queue.turn().await, Err(Problem::Overloaded)));
        assert!(came.elapsed() >= MAX_WAIT && came.elapsed() < 2 * MAX_WAIT);
        assert!(tokio::time::timeout(Duration::from_millis(1), queue.turn()).await.is_err());
        assert_eq!(queue.0.waiting.load(Ordering::Relaxed), 0);
        drop(long);
        assert!(queue.turn().await.is_ok());
    }
}
