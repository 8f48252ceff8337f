//! All connections: their limits, in total and per address, and the choice of the one that closes for a new
//! connection.

mod idlest;

use super::activity::Activity;
use crate::peer::Peer;
use http_body::Body as _;
use hyper::body::Incoming;
use idlest::IdlestFinder;
use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most bytes of answers that may wait in memory for slow clients.
const MAX_WAITING_BYTES: u64 = 128 * 1024 * 1024;

/// How long a connection that was asked to close may take to free its place.
const HANDOVER: Duration = Duration::from_millis(50);

/// The most new connections that wait for a place to be freed. Further ones are refused at once, so that a flood uses
/// a limited number of descriptors and tasks.
const MAX_WAITING_CONNECTIONS: usize = 32;

/// Every connection.
#[derive(Debug)]
pub(super) struct Connections {
    places: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// The most connections of one address.
    per_address: usize,
    next_number: AtomicU64,
    /// Bytes of answers that wait in memory for slow clients.
    waiting_bytes: AtomicU64,
    /// Set at a stop: every answer then announces that its connection closes.
    announces_end: AtomicBool,
    /// Set a little later in a stop: connections that wait for a request then close.
    closes_idle: AtomicBool,
    present: Mutex<Present>,
}

#[derive(Debug, Default)]
struct Present {
    /// Connections that hold a place, by number.
    placed: HashMap<u64, (Option<Peer>, Arc<Activity>)>,
    /// Detached connections, which hold no place.
    detached: HashMap<u64, Arc<Activity>>,
    /// Seated and detached connections by address. Connections whose address is not counted are absent.
    by_address: HashMap<Peer, AddressConnections>,
    finder: IdlestFinder,
}

#[derive(Debug, Default)]
struct AddressConnections {
    numbers: HashSet<u64>,
    finder: IdlestFinder,
}

/// One connection's place. Dropping it frees the place.
#[derive(Debug)]
pub(super) struct ConnectionPlace {
    pub(super) activity: Arc<Activity>,
    number: u64,
    peer: Option<Peer>,
    connections: Arc<Connections>,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
    unread: Mutex<Option<Unread>>,
}

/// The decision about a new connection.
#[derive(Debug)]
pub(super) enum Admission {
    Admitted(ConnectionPlace),
    /// An idle connection was asked to close.
    Waits(WaitingConnection),
    /// No connection is idle, or too many wait already.
    Refused,
}

/// A new connection that waits for a place.
#[derive(Debug)]
pub(super) struct WaitingConnection {
    connections: Arc<Connections>,
    peer: Option<Peer>,
    _permit: OwnedSemaphorePermit,
}

impl WaitingConnection {
    /// Waits for the place. None if no place becomes free within [`HANDOVER`].
    pub(super) async fn place(self) -> Option<ConnectionPlace> {
        let freed = Arc::clone(&self.connections.places).acquire_owned();
        let permit = tokio::time::timeout(HANDOVER, freed).await.ok()?.ok()?;
        Some(self.connections.give_place(self.peer, permit))
    }
}

impl Connections {
    pub(super) fn new(most: usize, per_address: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            waiting: Arc::new(Semaphore::new(MAX_WAITING_CONNECTIONS)),
            per_address,
            next_number: AtomicU64::new(0),
            waiting_bytes: AtomicU64::new(0),
            announces_end: AtomicBool::new(false),
            closes_idle: AtomicBool::new(false),
            present: Mutex::default(),
        }
    }

    /// Decides about a new connection. If all places are taken, asks the idlest connection to close. `peer` is none
    /// if the address does not identify a client, such as a proxy's address. Never waits, so that accepting goes on.
    pub(super) fn admit(self: &Arc<Self>, peer: Option<Peer>) -> Admission {
        if let Some(peer) = peer
            && lock(&self.present).count(peer) >= self.per_address
            // The address exceeds its limit by one until the evicted connection has closed.
            && !self.evict_from(peer)
        {
            return Admission::Refused;
        }
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            return Admission::Admitted(self.give_place(peer, permit));
        }
        match Arc::clone(&self.waiting).try_acquire_owned() {
            Ok(permit) if self.evict() => {
                Admission::Waits(WaitingConnection { connections: Arc::clone(self), peer, _permit: permit })
            }
            _ => Admission::Refused,
        }
    }

    fn give_place(self: &Arc<Self>, peer: Option<Peer>, permit: OwnedSemaphorePermit) -> ConnectionPlace {
        let number = self.next_number.fetch_add(1, Ordering::Relaxed);
        let activity = Arc::new(Activity::new());
        lock(&self.present).enter(number, peer, Arc::clone(&activity));
        let (permit, unread) = (Mutex::new(Some(permit)), Mutex::new(None));
        ConnectionPlace { activity, number, peer, connections: Arc::clone(self), permit, unread }
    }

    /// Asks the idlest connection to close. False if none is idle.
    pub(super) fn evict(&self) -> bool {
        let mut present = lock(&self.present);
        let Present { placed, finder, .. } = &mut *present;
        finder.close_idlest(placed.len(), |number| Some(&placed.get(&number)?.1), || placed.keys().copied())
    }

    fn evict_from(&self, peer: Peer) -> bool {
        let mut present = lock(&self.present);
        let Present { placed, by_address, .. } = &mut *present;
        let Some(AddressConnections { numbers, finder }) = by_address.get_mut(&peer) else { return false };
        finder.close_idlest(numbers.len(), |number| Some(&placed.get(&number)?.1), || numbers.iter().copied())
    }

    /// Asks the connection of the slowest client to close.
    fn evict_slowest(&self) {
        let present = lock(&self.present);
        let behind = present
            .placed
            .values()
            .map(|(_, activity)| activity)
            .filter(|activity| activity.has_waiting_answer());
        let idle = behind.filter_map(|activity| Some((activity.idle()?, activity)));
        if let Some((idle, activity)) = idle.min_by_key(|(idle, _)| idle.since)
            && idlest::is_due(idle)
        {
            activity.close_if(idle);
        }
    }

    /// Makes every answer announce that its connection closes.
    pub(super) fn announce_end(&self) {
        self.announces_end.store(true, Ordering::Release);
    }

    /// Closes every connection on which no byte of a request has arrived.
    pub(super) fn close_idle(&self) {
        self.closes_idle.store(true, Ordering::Release);
        let present = lock(&self.present);
        present.placed.values().for_each(|(_, activity)| activity.wake());
        present.detached.values().for_each(|activity| activity.wake());
    }

    /// Asks detached connections to close if no byte moved on them for `quiet`. A long answer may finish, but a
    /// stream of events would never end.
    pub(super) fn close_quiet_streams(&self, quiet: Duration) {
        let present = lock(&self.present);
        let is_quiet = |activity: &&Arc<Activity>| activity.last_moved().elapsed() >= quiet;
        present.detached.values().filter(is_quiet).for_each(|activity| activity.close());
    }
}

impl Present {
    fn count(&self, peer: Peer) -> usize {
        self.by_address.get(&peer).map_or(0, |connections| connections.numbers.len())
    }

    fn enter(&mut self, number: u64, peer: Option<Peer>, activity: Arc<Activity>) {
        self.placed.insert(number, (peer, activity));
        if let Some(peer) = peer {
            self.by_address.entry(peer).or_default().numbers.insert(number);
        }
    }

    fn leave(&mut self, number: u64, peer: Option<Peer>) {
        self.placed.remove(&number);
        self.detached.remove(&number);
        let Some(peer) = peer else { return };
        if let Some(connections) = self.by_address.get_mut(&peer) {
            connections.numbers.remove(&number);
            if connections.numbers.is_empty() {
                self.by_address.remove(&peer);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ConnectionPlace {
    /// Frees the place; the connection goes on without one. For answers that last as long as the client wants: their
    /// handlers limit their number.
    pub(super) fn detach(&self) {
        let mut present = lock(&self.connections.present);
        present.placed.remove(&self.number);
        present.detached.insert(self.number, Arc::clone(&self.activity));
        drop(present);
        drop(lock(&self.permit).take());
    }

    /// Records that the client is slow to read. Beyond [`MAX_WAITING_BYTES`] in total, the slowest client's
    /// connection is closed.
    pub(super) fn start_waiting_for_client(&self) {
        let more = self.activity.start_waiting();
        if more > 0
            && self.connections.waiting_bytes.fetch_add(more, Ordering::Relaxed) + more > MAX_WAITING_BYTES
        {
            self.connections.evict_slowest();
        }
    }

    /// Records that the client has read everything.
    pub(super) fn stop_waiting_for_client(&self) {
        self.connections.waiting_bytes.fetch_sub(self.activity.stop_waiting(), Ordering::Relaxed);
    }

    /// Whether the next answer is the connection's last.
    pub(super) fn is_ending(&self) -> bool {
        self.connections.announces_end.load(Ordering::Acquire) || self.activity.is_closing()
    }

    /// Whether the connection closes if nothing of a request has arrived.
    pub(super) fn closes_when_idle(&self) -> bool {
        self.connections.closes_idle.load(Ordering::Acquire)
    }

    /// Stores the unread rest of the request's body.
    pub(super) fn leave(&self, unread: Unread) {
        *lock(&self.unread) = Some(unread);
    }

    /// The unread rest of the request's body.
    pub(super) fn take_unread(&self) -> Option<Unread> {
        lock(&self.unread).take()
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        self.stop_waiting_for_client();
        lock(&self.connections.present).leave(self.number, self.peer);
    }
}

/// Answers 503 without waiting.
pub(super) fn refuse(socket: &TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n\
        connection: close\r\ncontent-length: 0\r\n\r\n";
    // A new socket's buffer has room for the answer. If it has not, the client only sees the connection close.
    let _ = socket.try_write(ANSWER);
}

/// The longest rest of a body that is read, in bytes.
const MAX_REST_BYTES: u64 = 64 * 1024;
/// How long reading the rest may take. Clients that write head and body separately send the body within a round trip.
const REST_TIMEOUT: Duration = Duration::from_secs(2);

/// The rest of a request's body that its handler did not read.
///
/// The rest would be parsed as the next request, so the connection can go on only after the rest was read (RFC 9112,
/// 9.3). A short rest is read before the answer is sent. With a longer rest, the answer announces that the connection
/// closes (RFC 9112, 9.6).
#[derive(Debug)]
pub(super) enum Unread {
    /// More of the body is still to come.
    Rest(Incoming),
    /// The rest cannot be read, or the client still waits for `100 Continue`.
    Lost,
}

impl Unread {
    /// Reads the rest to its end. False if the connection cannot go on.
    pub(super) async fn read(self, place: &ConnectionPlace) -> bool {
        let Self::Rest(mut body) = self else { return false };
        if body.size_hint().lower() > MAX_REST_BYTES {
            return false;
        }
        let all = async {
            let mut read = 0;
            loop {
                let frame = poll_fn(|cx| {
                    let frame = Pin::new(&mut body).poll_frame(cx);
                    place.activity.wait_for_body(frame.is_pending());
                    frame
                });
                match frame.await {
                    None => return true,
                    Some(Err(_)) => return false,
                    Some(Ok(frame)) => read += frame.data_ref().map_or(0, |data| data.len() as u64),
                }
                if read > MAX_REST_BYTES {
                    return false;
                }
            }
        };
        tokio::time::timeout(REST_TIMEOUT, all).await.unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::idlest::{IDLE_AFTER, NEW_IDLE_AFTER};
    use super::*;
    use std::net::IpAddr;

    fn peer(last: u8) -> Option<Peer> {
        Some(Peer::of(IpAddr::from([192, 0, 2, last])))
    }

    fn admit(connections: &Arc<Connections>, peer: Option<Peer>) -> Option<ConnectionPlace> {
        match connections.admit(peer) {
            Admission::Admitted(place) => Some(place),
            Admission::Waits(_) | Admission::Refused => None,
        }
    }

    #[tokio::test]
    async fn beyond_its_share_an_address_replaces_only_its_own_idlest_connection() {
        let connections = Arc::new(Connections::new(10, 2));
        let (first, second) = (admit(&connections, peer(1)).unwrap(), admit(&connections, peer(1)).unwrap());
        assert!(admit(&connections, peer(1)).is_none(), "neither is idle yet");
        let other = admit(&connections, peer(2)).unwrap();
        let proxied: Vec<ConnectionPlace> = (0..3).map(|_| admit(&connections, None).unwrap()).collect();
        tokio::time::sleep(IDLE_AFTER + Duration::from_millis(50)).await;
        second.activity.end_answer(0);
        let third = admit(&connections, peer(1)).unwrap();
        let asked = |place: &ConnectionPlace| place.activity.is_closing();
        assert!(asked(&first) && !asked(&second) && !asked(&other) && !proxied.iter().any(asked));
        drop((first, second, third));
        assert!(admit(&connections, peer(1)).is_some(), "places are given back");
        assert_eq!(lock(&connections.present).by_address.len(), 1);
    }

    #[tokio::test]
    async fn a_client_that_never_sent_a_request_is_closed_early() {
        let connections = Arc::new(Connections::new(1, 1));
        let served = admit(&connections, None).unwrap();
        served.activity.begin_request(Some(0));
        served.activity.end_answer(0);
        tokio::time::sleep(NEW_IDLE_AFTER + Duration::from_millis(20)).await;
        assert!(!connections.evict(), "its next request may come");
        drop(served);
        let silent = admit(&connections, None).unwrap();
        tokio::time::sleep(NEW_IDLE_AFTER + Duration::from_millis(20)).await;
        assert!(connections.evict());
        drop(silent);
    }

    #[tokio::test]
    async fn a_new_connection_waits_for_a_place_while_others_are_accepted() {
        let connections = Arc::new(Connections::new(2, 10));
        let both = (admit(&connections, None).unwrap(), admit(&connections, None).unwrap());
        tokio::time::sleep(NEW_IDLE_AFTER + Duration::from_millis(20)).await;
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
    async fn when_too_much_waits_for_slow_clients_the_slowest_is_closed() {
        let connections = Arc::new(Connections::new(10, 10));
        let (silent, slow) = (admit(&connections, None).unwrap(), admit(&connections, None).unwrap());
        slow.activity.begin_request(Some(0));
        slow.activity.end_answer(MAX_WAITING_BYTES);
        slow.start_waiting_for_client();
        tokio::time::sleep(IDLE_AFTER + Duration::from_millis(50)).await;
        let next = admit(&connections, None).unwrap();
        next.activity.end_answer(1);
        next.start_waiting_for_client();
        let asked = |place: &ConnectionPlace| place.activity.is_closing();
        assert!(asked(&slow) && !asked(&next) && !asked(&silent));
        drop(slow);
        next.stop_waiting_for_client();
        assert_eq!(connections.waiting_bytes.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_detached_connection_still_counts_for_its_address() {
        let connections = Arc::new(Connections::new(1, 1));
        let stream = admit(&connections, peer(1)).unwrap();
        stream.detach();
        assert!(admit(&connections, peer(1)).is_none());
        assert!(admit(&connections, peer(2)).is_some());
    }
}
