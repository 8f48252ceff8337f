//! All connections: how many there may be, in all and of one address, and who goes when there are more.

use super::pulse::Pulse;
use crate::peer::Peer;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A client whose turn it has been for less than this is not idle: its next request may be on its way.
const LATELY: Duration = Duration::from_millis(500);

/// The same for one that never sent a whole request. Of those a flood is made, and they fill every place within a
/// moment; a client that means it sends its request with its first breath.
const JUST_COME: Duration = Duration::from_millis(100);

/// Bytes of answers that are kept at once for clients that are slow to take them.
const KEPT: u64 = 128 * 1024 * 1024;

/// How long a connection that was asked to close may take to give its place up.
const HANDOVER: Duration = Duration::from_millis(50);

/// Everybody who is connected.
#[derive(Debug)]
pub(super) struct Crowd {
    places: Arc<Semaphore>,
    /// The most of one address.
    of_one: usize,
    next: AtomicU64,
    /// Bytes that are kept for slow readers.
    kept: AtomicU64,
    present: Mutex<Present>,
}

#[derive(Debug, Default)]
struct Present {
    /// Those that take a place, by number.
    seated: HashMap<u64, (Option<Peer>, Arc<Pulse>)>,
    /// Those that stepped aside.
    aside: HashMap<u64, Arc<Pulse>>,
    /// How many there are of each address that is counted, both kinds.
    counts: HashMap<Peer, usize>,
}

/// A place in the crowd, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) pulse: Arc<Pulse>,
    number: u64,
    peer: Option<Peer>,
    crowd: Arc<Crowd>,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Crowd {
    pub(super) fn new(most: usize, of_one: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            of_one,
            next: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            present: Mutex::default(),
        }
    }

    /// A place for a new connection, the idlest one's if need be. `peer` is none where the address says
    /// nothing about the client, as that of a proxy.
    pub(super) async fn admit(self: &Arc<Self>, peer: Option<Peer>) -> Option<Place> {
        if let Some(peer) = peer.filter(|peer| lock(&self.present).count(*peer) >= self.of_one) {
            // One too many for as long as that one takes to close.
            self.evict(Some(peer))?;
        }
        let permit = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                self.evict(None)?;
                let freed = Arc::clone(&self.places).acquire_owned();
                tokio::time::timeout(HANDOVER, freed).await.ok()?.ok()?
            }
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let pulse = Arc::new(Pulse::new());
        lock(&self.present).enter(number, peer, Arc::clone(&pulse));
        Some(Place { pulse, number, peer, crowd: Arc::clone(self), permit: Mutex::new(Some(permit)) })
    }

    /// Asks the idlest connection to close, of one address or of all. None where nobody idles.
    pub(super) fn evict(&self, of: Option<Peer>) -> Option<()> {
        self.close_idlest(|peer, _| of.is_none() || peer == of)
    }

    fn close_idlest(&self, goes: impl Fn(Option<Peer>, &Pulse) -> bool) -> Option<()> {
        let present = lock(&self.present);
        let all = present.seated.values().filter(|(peer, pulse)| goes(*peer, pulse));
        let idle = all.filter_map(|(_, pulse)| Some((pulse.idle()?, pulse)));
        let least = |pulse: &Pulse| if pulse.requests() == 0 { JUST_COME } else { LATELY };
        let (_, pulse) = idle.filter(|(idle, pulse)| *idle >= least(pulse)).max_by_key(|(idle, _)| *idle)?;
        pulse.ask_to_close();
        Some(())
    }

    /// Asks those that stepped aside to close: their answers have no end of their own.
    pub(super) fn close_aside(&self) {
        lock(&self.present).aside.values().for_each(|pulse| pulse.ask_to_close());
    }
}

impl Present {
    fn count(&self, peer: Peer) -> usize {
        self.counts.get(&peer).copied().unwrap_or_default()
    }

    fn enter(&mut self, number: u64, peer: Option<Peer>, pulse: Arc<Pulse>) {
        self.seated.insert(number, (peer, pulse));
        if let Some(peer) = peer {
            *self.counts.entry(peer).or_default() += 1;
        }
    }

    fn leave(&mut self, number: u64, peer: Option<Peer>) {
        self.seated.remove(&number);
        self.aside.remove(&number);
        let Some(peer) = peer else { return };
        if let Some(count) = self.counts.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&peer);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    /// Gives the place to somebody else and stays: for an answer that goes on for as long as the client likes,
    /// of which whoever makes it admits only so many.
    pub(super) fn step_aside(&self) {
        let mut present = lock(&self.crowd.present);
        present.seated.remove(&self.number);
        present.aside.insert(self.number, Arc::clone(&self.pulse));
        drop(present);
        drop(lock(&self.permit).take());
    }

    /// The client is behind with taking its answer. Where too much is kept for such clients, the slowest goes.
    pub(super) fn fall_behind(&self) {
        let more = self.pulse.keep();
        if more > 0 && self.crowd.kept.fetch_add(more, Ordering::Relaxed) + more > KEPT {
            self.crowd.close_idlest(|_, pulse| pulse.is_behind());
        }
    }

    /// It has taken everything.
    pub(super) fn catch_up(&self) {
        self.crowd.kept.fetch_sub(self.pulse.let_go(), Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.catch_up();
        lock(&self.crowd.present).leave(self.number, self.peer);
    }
}

/// Tells a connection that there is no place, without waiting for anything.
pub(super) fn refuse(socket: &TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n\
        connection: close\r\ncontent-length: 0\r\n\r\n";
    // A fresh socket's buffer has room for it; where not, closing says the same.
    let _ = socket.try_write(ANSWER);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn peer(last: u8) -> Option<Peer> {
        Some(Peer::of(IpAddr::from([192, 0, 2, last])))
    }

    #[tokio::test]
    async fn one_address_has_its_share_and_gets_more_only_for_its_own_idlest() {
        let crowd = Arc::new(Crowd::new(10, 2));
        let (first, second) = (crowd.admit(peer(1)).await.unwrap(), crowd.admit(peer(1)).await.unwrap());
        assert!(crowd.admit(peer(1)).await.is_none(), "both came a moment ago");
        let other = crowd.admit(peer(2)).await.unwrap();
        let proxied: Vec<Place> = vec![
            crowd.admit(None).await.unwrap(),
            crowd.admit(None).await.unwrap(),
            crowd.admit(None).await.unwrap(),
        ];
        tokio::time::sleep(LATELY + Duration::from_millis(50)).await;
        second.pulse.end(0);
        let third = crowd.admit(peer(1)).await.unwrap();
        let asked = |place: &Place| place.pulse.idle().is_none();
        assert!(asked(&first) && !asked(&second) && !asked(&other) && !proxied.iter().any(asked));
        drop((first, second, third));
        assert!(crowd.admit(peer(1)).await.is_some(), "places are given back");
        assert_eq!(lock(&crowd.present).counts.len(), 1);
    }

    #[tokio::test]
    async fn whoever_never_sent_a_request_goes_before_long() {
        let crowd = Arc::new(Crowd::new(1, 1));
        let served = crowd.admit(None).await.unwrap();
        served.pulse.begin();
        served.pulse.end(0);
        tokio::time::sleep(JUST_COME + Duration::from_millis(20)).await;
        assert_eq!(crowd.evict(None), None, "its next request may come");
        drop(served);
        let silent = crowd.admit(None).await.unwrap();
        tokio::time::sleep(JUST_COME + Duration::from_millis(20)).await;
        assert_eq!(crowd.evict(None), Some(()));
        drop(silent);
    }

    #[tokio::test]
    async fn where_too_much_is_kept_for_slow_readers_the_slowest_goes() {
        let crowd = Arc::new(Crowd::new(10, 10));
        let (silent, slow) = (crowd.admit(None).await.unwrap(), crowd.admit(None).await.unwrap());
        slow.pulse.end(KEPT);
        slow.fall_behind();
        tokio::time::sleep(LATELY + Duration::from_millis(50)).await;
        let next = crowd.admit(None).await.unwrap();
        next.pulse.end(1);
        next.fall_behind();
        let asked = |place: &Place| place.pulse.idle().is_none();
        assert!(asked(&slow) && !asked(&next) && !asked(&silent));
        drop(slow);
        next.catch_up();
        assert_eq!(crowd.kept.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn whoever_steps_aside_still_counts_for_its_address() {
        let crowd = Arc::new(Crowd::new(1, 1));
        let stream = crowd.admit(peer(1)).await.unwrap();
        stream.step_aside();
        assert!(crowd.admit(peer(1)).await.is_none());
        assert!(crowd.admit(peer(2)).await.is_some());
    }
}
