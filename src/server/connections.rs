//! All connections: how many there may be, in all and of one address, and which one closes when there are more.

mod look;

use super::pulse::Pulse;
use crate::peer::Peer;
use hyper::body::Incoming;
use look::Look;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of answers that wait in memory at once for clients that are slow to take them.
const KEPT: u64 = 128 * 1024 * 1024;

/// How long a connection that was asked to close may take to give its place up.
const HANDOVER: Duration = Duration::from_millis(50);

/// New connections that wait at once for a place that somebody was asked to give up. Beyond these a new one is
/// refused at once, so that a flood of connections costs neither descriptors nor tasks without end.
const WAITING: usize = 32;

/// Every connection.
#[derive(Debug)]
pub(super) struct Connections {
    places: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// The most of one address.
    per_address: usize,
    next: AtomicU64,
    /// Bytes that wait in memory for slow readers.
    kept: AtomicU64,
    /// Set at a stop: every answer announces that its connection closes.
    announces_end: AtomicBool,
    /// Set a little later: a connection that waits for a request closes.
    closes_idle: AtomicBool,
    present: Mutex<Present>,
}

#[derive(Debug, Default)]
struct Present {
    /// Those that take a place, by number.
    seated: HashMap<u64, (Option<Peer>, Arc<Pulse>)>,
    /// Those that stepped aside.
    aside: HashMap<u64, Arc<Pulse>>,
    /// Those of each address that is counted, both kinds.
    by_address: HashMap<Peer, OfOne>,
    look: Look,
}

#[derive(Debug, Default)]
struct OfOne {
    numbers: HashSet<u64>,
    look: Look,
}

/// One connection's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) pulse: Arc<Pulse>,
    number: u64,
    peer: Option<Peer>,
    connections: Arc<Connections>,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
    unread: Mutex<Option<Unread>>,
}

/// The part of a request's body that its handler did not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// It can still be read.
    Rest(Incoming),
    /// It cannot be read: the connection failed, or the client waits for a 100 (Continue) that it did not get.
    Lost,
}

/// What becomes of a new connection.
#[derive(Debug)]
pub(super) enum Admission {
    Admitted(Place),
    /// Somebody was asked to make room.
    Waits(Waiting),
    /// Nobody idles, or too many wait already.
    Refused,
}

/// A new connection that waits for a place.
#[derive(Debug)]
pub(super) struct Waiting {
    connections: Arc<Connections>,
    peer: Option<Peer>,
    _permit: OwnedSemaphorePermit,
}

impl Waiting {
    /// The place, once it is free; none where it does not become free soon.
    pub(super) async fn place(self) -> Option<Place> {
        let freed = Arc::clone(&self.connections.places).acquire_owned();
        let permit = tokio::time::timeout(HANDOVER, freed).await.ok()?.ok()?;
        Some(self.connections.seat(self.peer, permit))
    }
}

impl Connections {
    pub(super) fn new(most: usize, per_address: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            waiting: Arc::new(Semaphore::new(WAITING)),
            per_address,
            next: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            announces_end: AtomicBool::new(false),
            closes_idle: AtomicBool::new(false),
            present: Mutex::default(),
        }
    }

    /// A place for a new connection, the idlest one's if need be. `peer` is none where the address says
    /// nothing about the client, as that of a proxy. Never waits: accepting goes on meanwhile.
    pub(super) fn admit(self: &Arc<Self>, peer: Option<Peer>) -> Admission {
        if let Some(peer) = peer
            && lock(&self.present).count(peer) >= self.per_address
            // One too many for as long as that one takes to close.
            && !self.evict_of(peer)
        {
            return Admission::Refused;
        }
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            return Admission::Admitted(self.seat(peer, permit));
        }
        match Arc::clone(&self.waiting).try_acquire_owned() {
            Ok(permit) if self.evict() => {
                Admission::Waits(Waiting { connections: Arc::clone(self), peer, _permit: permit })
            }
            _ => Admission::Refused,
        }
    }

    fn seat(self: &Arc<Self>, peer: Option<Peer>, permit: OwnedSemaphorePermit) -> Place {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let pulse = Arc::new(Pulse::new());
        lock(&self.present).enter(number, peer, Arc::clone(&pulse));
        let (permit, unread) = (Mutex::new(Some(permit)), Mutex::new(None));
        Place { pulse, number, peer, connections: Arc::clone(self), permit, unread }
    }

    /// Asks the idlest connection to close. False where nobody idles.
    pub(super) fn evict(&self) -> bool {
        let mut present = lock(&self.present);
        let Present { seated, look, .. } = &mut *present;
        look.close_idlest(seated.len(), |number| Some(&seated.get(&number)?.1), || seated.keys().copied())
    }

    fn evict_of(&self, peer: Peer) -> bool {
        let mut present = lock(&self.present);
        let Present { seated, by_address, .. } = &mut *present;
        let Some(OfOne { numbers, look }) = by_address.get_mut(&peer) else { return false };
        look.close_idlest(numbers.len(), |number| Some(&seated.get(&number)?.1), || numbers.iter().copied())
    }

    /// Asks the slowest of the clients that are behind with taking their answers to close.
    fn evict_slowest(&self) {
        let present = lock(&self.present);
        let behind = present.seated.values().map(|(_, pulse)| pulse).filter(|pulse| pulse.is_behind());
        let idle = behind.filter_map(|pulse| Some((pulse.idle()?, pulse)));
        if let Some((idle, pulse)) = idle.min_by_key(|(idle, _)| idle.since)
            && look::is_due(idle)
        {
            pulse.close_if(idle);
        }
    }

    /// From now on every answer announces that its connection closes.
    pub(super) fn announce_end(&self) {
        self.announces_end.store(true, Ordering::Release);
    }

    /// From now on a connection closes where nothing of a request has arrived.
    pub(super) fn close_idle(&self) {
        self.closes_idle.store(true, Ordering::Release);
        let present = lock(&self.present);
        present.seated.values().for_each(|(_, pulse)| pulse.wake());
        present.aside.values().for_each(|pulse| pulse.wake());
    }

    /// Asks those that stepped aside to close, once nothing has moved on them for a while: a long answer is on its
    /// way, but a stream of events has no end.
    pub(super) fn close_quiet_streams(&self, quiet: Duration) {
        let present = lock(&self.present);
        let is_quiet = |pulse: &&Arc<Pulse>| pulse.last().elapsed() >= quiet;
        present.aside.values().filter(is_quiet).for_each(|pulse| pulse.close());
    }
}

impl Present {
    fn count(&self, peer: Peer) -> usize {
        self.by_address.get(&peer).map_or(0, |of_one| of_one.numbers.len())
    }

    fn enter(&mut self, number: u64, peer: Option<Peer>, pulse: Arc<Pulse>) {
        self.seated.insert(number, (peer, pulse));
        if let Some(peer) = peer {
            self.by_address.entry(peer).or_default().numbers.insert(number);
        }
    }

    fn leave(&mut self, number: u64, peer: Option<Peer>) {
        self.seated.remove(&number);
        self.aside.remove(&number);
        let Some(peer) = peer else { return };
        if let Some(of_one) = self.by_address.get_mut(&peer) {
            of_one.numbers.remove(&number);
            if of_one.numbers.is_empty() {
                self.by_address.remove(&peer);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    /// Gives the place to another connection and stays: for an answer that goes on for as long as the client likes,
    /// of which its handler admits a limited number.
    pub(super) fn step_aside(&self) {
        let mut present = lock(&self.connections.present);
        present.seated.remove(&self.number);
        present.aside.insert(self.number, Arc::clone(&self.pulse));
        drop(present);
        drop(lock(&self.permit).take());
    }

    /// The client is behind with taking its answer. Where too much waits for such clients, the slowest is closed.
    pub(super) fn fall_behind(&self) {
        let more = self.pulse.keep();
        if more > 0 && self.connections.kept.fetch_add(more, Ordering::Relaxed) + more > KEPT {
            self.connections.evict_slowest();
        }
    }

    /// It has taken everything.
    pub(super) fn catch_up(&self) {
        self.connections.kept.fetch_sub(self.pulse.let_go(), Ordering::Relaxed);
    }

    /// Whether the answer that is being made is the connection's last.
    pub(super) fn is_ending(&self) -> bool {
        self.connections.announces_end.load(Ordering::Acquire) || self.pulse.is_closing()
    }

    /// Whether the connection closes where nothing of a request has arrived.
    pub(super) fn closes_when_idle(&self) -> bool {
        self.connections.closes_idle.load(Ordering::Acquire)
    }

    /// Remembers what the handler has left of the request's body.
    pub(super) fn leave(&self, unread: Unread) {
        *lock(&self.unread) = Some(unread);
    }

    /// What the handler has left of the request's body.
    pub(super) fn take_unread(&self) -> Option<Unread> {
        lock(&self.unread).take()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.catch_up();
        lock(&self.connections.present).leave(self.number, self.peer);
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
    use super::look::{JUST_COME, LATELY};
    use super::*;
    use std::net::IpAddr;

    fn peer(last: u8) -> Option<Peer> {
        Some(Peer::of(IpAddr::from([192, 0, 2, last])))
    }

    fn admit(connections: &Arc<Connections>, peer: Option<Peer>) -> Option<Place> {
        match connections.admit(peer) {
            Admission::Admitted(place) => Some(place),
            Admission::Waits(_) | Admission::Refused => None,
        }
    }

    #[tokio::test]
    async fn one_address_has_its_share_and_gets_more_only_for_its_own_idlest() {
        let connections = Arc::new(Connections::new(10, 2));
        let (first, second) = (admit(&connections, peer(1)).unwrap(), admit(&connections, peer(1)).unwrap());
        assert!(admit(&connections, peer(1)).is_none(), "both came a moment ago");
        let other = admit(&connections, peer(2)).unwrap();
        let proxied: Vec<Place> = (0..3).map(|_| admit(&connections, None).unwrap()).collect();
        tokio::time::sleep(LATELY + Duration::from_millis(50)).await;
        second.pulse.end(0);
        let third = admit(&connections, peer(1)).unwrap();
        let asked = |place: &Place| place.pulse.is_closing();
        assert!(asked(&first) && !asked(&second) && !asked(&other) && !proxied.iter().any(asked));
        drop((first, second, third));
        assert!(admit(&connections, peer(1)).is_some(), "places are given back");
        assert_eq!(lock(&connections.present).by_address.len(), 1);
    }

    #[tokio::test]
    async fn a_client_that_never_sent_a_request_is_closed_before_long() {
        let connections = Arc::new(Connections::new(1, 1));
        let served = admit(&connections, None).unwrap();
        served.pulse.begin(Some(0));
        served.pulse.end(0);
        tokio::time::sleep(JUST_COME + Duration::from_millis(20)).await;
        assert!(!connections.evict(), "its next request may come");
        drop(served);
        let silent = admit(&connections, None).unwrap();
        tokio::time::sleep(JUST_COME + Duration::from_millis(20)).await;
        assert!(connections.evict());
        drop(silent);
    }

    #[tokio::test]
    async fn a_new_connection_waits_beside_the_accepting_task_for_the_place_of_another() {
        let connections = Arc::new(Connections::new(2, 10));
        let both = (admit(&connections, None).unwrap(), admit(&connections, None).unwrap());
        tokio::time::sleep(JUST_COME + Duration::from_millis(20)).await;
        let (Admission::Waits(one), Admission::Waits(two)) =
            (connections.admit(None), connections.admit(None))
        else {
            panic!("both idle")
        };
        assert!(matches!(connections.admit(None), Admission::Refused), "all were asked to close");
        drop(both.0);
        let freed = one.place().await;
        assert!(freed.is_some());
        assert!(two.place().await.is_none(), "the other one did not close in time");
        drop(both.1);
    }

    #[tokio::test]
    async fn where_too_much_waits_for_slow_readers_the_slowest_is_closed() {
        let connections = Arc::new(Connections::new(10, 10));
        let (silent, slow) = (admit(&connections, None).unwrap(), admit(&connections, None).unwrap());
        slow.pulse.begin(Some(0));
        slow.pulse.end(KEPT);
        slow.fall_behind();
        tokio::time::sleep(LATELY + Duration::from_millis(50)).await;
        let next = admit(&connections, None).unwrap();
        next.pulse.end(1);
        next.fall_behind();
        let asked = |place: &Place| place.pulse.is_closing();
        assert!(asked(&slow) && !asked(&next) && !asked(&silent));
        drop(slow);
        next.catch_up();
        assert_eq!(connections.kept.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_connection_that_steps_aside_still_counts_for_its_address() {
        let connections = Arc::new(Connections::new(1, 1));
        let stream = admit(&connections, peer(1)).unwrap();
        stream.step_aside();
        assert!(admit(&connections, peer(1)).is_none());
        assert!(admit(&connections, peer(2)).is_some());
    }
}
