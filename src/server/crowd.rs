//! All connections: how many there may be, and who goes when there are more.

use super::pulse::Pulse;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A connection on which something moved this lately is not idle.
const LATELY: Duration = Duration::from_secs(1);

/// How long a connection that was asked to close may take to give its place up.
const HANDOVER: Duration = Duration::from_millis(50);

/// Everybody who is connected.
#[derive(Debug)]
pub(super) struct Crowd {
    places: Arc<Semaphore>,
    next: AtomicU64,
    present: Mutex<HashMap<u64, Arc<Pulse>>>,
    /// Those that stepped aside.
    aside: Mutex<HashMap<u64, Arc<Pulse>>>,
}

/// A place in the crowd, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) pulse: Arc<Pulse>,
    number: u64,
    crowd: Arc<Crowd>,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Crowd {
    pub(super) fn new(most: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            next: AtomicU64::new(0),
            present: Mutex::default(),
            aside: Mutex::default(),
        }
    }

    /// A place for a new connection, the idlest one's if need be.
    pub(super) async fn admit(self: &Arc<Self>) -> Option<Place> {
        let permit = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                self.idlest()?.ask_to_close();
                let freed = Arc::clone(&self.places).acquire_owned();
                tokio::time::timeout(HANDOVER, freed).await.ok()?.ok()?
            }
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let pulse = Arc::new(Pulse::new());
        lock(&self.present).insert(number, Arc::clone(&pulse));
        Some(Place { pulse, number, crowd: Arc::clone(self), permit: Mutex::new(Some(permit)) })
    }

    fn idlest(&self) -> Option<Arc<Pulse>> {
        let present = lock(&self.present);
        let idle = present.values().filter_map(|pulse| Some((pulse.idle()?, pulse)));
        let (_, pulse) = idle.filter(|(idle, _)| *idle >= LATELY).max_by_key(|(idle, _)| *idle)?;
        Some(Arc::clone(pulse))
    }

    /// Asks those that stepped aside to close: their answers have no end of their own.
    pub(super) fn close_aside(&self) {
        lock(&self.aside).values().for_each(|pulse| pulse.ask_to_close());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    /// Gives the place to somebody else and stays: for an answer that goes on for as long as the client likes,
    /// of which whoever makes it admits only so many.
    pub(super) fn step_aside(&self) {
        lock(&self.crowd.present).remove(&self.number);
        lock(&self.crowd.aside).insert(self.number, Arc::clone(&self.pulse));
        drop(lock(&self.permit).take());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.crowd.present).remove(&self.number);
        lock(&self.crowd.aside).remove(&self.number);
    }
}

/// Tells a connection that there is no place, without waiting for anything.
pub(super) fn refuse(socket: &TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n\
        connection: close\r\ncontent-length: 0\r\n\r\n";
    // A fresh socket's buffer has room for it; where not, closing says the same.
    let _ = socket.try_write(ANSWER);
}
