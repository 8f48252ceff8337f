//! Connections: accepted, limited, answered by a function, drained at the end (RFC 9112).
//!
//! Owns sockets and time limits; knows nothing of the content. TLS and HTTP/2 belong to the reverse proxy.
//!
//! - A request's head must be complete within `header` of its first byte, or of the connection.
//! - A head over 16 KiB or 64 fields gets 431, a head that is not HTTP gets 400; both close the connection. So does a
//!   head with a line that ends in a bare LF, since other servers may see another request in it.
//! - If an answer is ready before its request's body, a short body is read first and the connection goes on. With a
//!   longer body, the answer announces that the connection closes.
//! - A connection that moves no byte for `idle` is closed.
//! - A slow client has `answer` to read its answer, and a second more for each 4 KiB that it read. If more than 128 MiB of
//!   answers wait for slow clients, the slowest is closed.
//! - A client that has closed its side of the connection after its request is answered.
//! - An answer without a length (a stream of events) frees its place for another connection. Its own connection
//!   closes after it.
//! - Beyond `connections`, the idlest connection is closed for a new one; if none is idle, the new one gets 503. The
//!   same holds for one address beyond `per_address`, except trusted proxies and this machine, which may carry many
//!   clients. The idlest connection is the one that has gone longest without completing a request or reading its
//!   answer.
//! - Without free descriptors, the idlest connection is closed too. The new connection is accepted with a reserved
//!   descriptor and gets 503.
//! - At a stop every answer announces that its connection closes; idle connections close a little later. A request that was
//!   read is answered.
//!
//! Invariant: when [`run`] returns, no connection is left.

mod activity;
mod connection;
mod connections;
mod framing;
mod stream;

pub use connection::Received;

use crate::peer::{Peer, Trusted};
use bytes::Bytes;
use connection::{Service, serve};
use connections::{Admission, Connections};
use http::{Request, Response};
use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The number of connections and their time limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The most connections.
    pub connections: usize,
    /// The most connections of one address.
    pub per_address: usize,
    /// The time for a client to send a request's head.
    pub header: Duration,
    /// How long a connection may move no byte.
    pub idle: Duration,
    /// The time for a slow client to read its answer; each 4 KiB that it read adds a second.
    pub answer: Duration,
    /// The time for requests in progress at a stop.
    pub drain: Duration,
}

/// The result of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that were cut off at the deadline.
    pub cut_off: usize,
}

/// How long idle connections stay open at a stop: the next request of a busy client may be in transit, and its answer can
/// announce the end.
const IDLE_LINGER: Duration = Duration::from_millis(250);

/// How long accepting pauses when the system has no descriptor to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` completes and all requests in progress are answered or out of time.
///
/// `respond` gets the address at the other end of the socket, which may be a proxy's.
pub async fn run<R, A, B>(
    listeners: Vec<TcpListener>,
    respond: R,
    limits: ConnectionLimits,
    trusted: Trusted,
    stop: impl Future<Output = ()>,
) -> Stopped
where
    R: Fn(Request<Received>, IpAddr) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let connections = Arc::new(Connections::new(limits.connections, limits.per_address));
    let mut tasks = JoinSet::new();
    let take = |(socket, address): Accepted, tasks: &mut JoinSet<()>| {
        while tasks.try_join_next().is_some() {}
        let is_counted = !address.to_canonical().is_loopback() && !trusted.holds(address);
        let respond = respond.clone();
        match connections.admit(is_counted.then(|| Peer::of(address))) {
            Admission::Admitted(place) => {
                tasks.spawn(serve(socket, Service { respond, address, limits, place }));
            }
            Admission::Waits(waiting) => {
                tasks.spawn(async move {
                    match waiting.place().await {
                        Some(place) => serve(socket, Service { respond, address, limits, place }).await,
                        None => connections::refuse(&socket),
                    }
                });
            }
            Admission::Refused => connections::refuse(&socket),
        }
    };
    let mut reserve = ReserveDescriptor::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = poll_fn(|cx| poll_accept(&listeners, cx)) => match accepted {
                Ok(accepted) => take(accepted, &mut tasks),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted at the moment");
                    let is_out = ReserveDescriptor::helps(&error);
                    if is_out {
                        connections.evict();
                    }
                    let accept = poll_fn(|cx| {
                        let accept = || Some(waiting(&listeners, cx)?.map(|(socket, _)| socket));
                        Poll::Ready(is_out && reserve.refuse(accept))
                    });
                    if accept.await {
                        tokio::task::yield_now().await;
                    } else {
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            },
        }
    }
    connections.announce_end();
    // Closing the listener would reset the connections that the system has already accepted.
    while let Some(Ok(accepted)) = poll_fn(|cx| Poll::Ready(waiting(&listeners, cx))).await {
        take(accepted, &mut tasks);
    }
    drop(listeners);
    let _ = tokio::time::timeout(IDLE_LINGER, all_done(&mut tasks)).await;
    connections.close_idle();
    let until = Instant::now() + limits.drain;
    while !tasks.is_empty() && Instant::now() < until {
        connections.close_quiet_streams(IDLE_LINGER);
        let _ = tokio::time::timeout_at(until.min(Instant::now() + IDLE_LINGER), all_done(&mut tasks)).await;
    }
    while tasks.try_join_next().is_some() {}
    let cut_off = tasks.len();
    tasks.shutdown().await;
    Stopped { cut_off }
}

async fn all_done(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// A connection, and the address at its other end.
type Accepted = (TcpStream, IpAddr);

fn poll_accept(listeners: &[TcpListener], cx: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
    for listener in listeners {
        if let Poll::Ready(accepted) = listener.poll_accept(cx) {
            return Poll::Ready(accepted.map(|(socket, address)| (socket, address.ip())));
        }
    }
    Poll::Pending
}

fn waiting(listeners: &[TcpListener], cx: &mut Context<'_>) -> Option<io::Result<Accepted>> {
    match poll_accept(listeners, cx) {
        Poll::Ready(accepted) => Some(accepted),
        Poll::Pending => None,
    }
}

/// Whether an error is about the connection, not about the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// "Too many open files": of the process, and of the system. The numbers are Linux's on every machine.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

/// A descriptor in reserve, for when the process or the system has no other. Without the reserve, a connection that
/// cannot be accepted would stay in the backlog, and the accept loop would spin.
#[derive(Debug)]
struct ReserveDescriptor(Option<File>);

impl ReserveDescriptor {
    fn new() -> Self {
        Self(File::open("/dev/null").ok())
    }

    /// Whether a free descriptor would resolve the error.
    fn helps(error: &io::Error) -> bool {
        matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
    }

    /// Accepts a connection with the reserved descriptor and answers 503. False if even that fails.
    fn refuse(&mut self, accept: impl FnOnce() -> Option<io::Result<TcpStream>>) -> bool {
        let had_one = self.0.take().is_some();
        let accepted = accept();
        if let Some(Ok(socket)) = &accepted {
            connections::refuse(socket);
        }
        let was_refused = matches!(accepted, Some(Ok(_)));
        drop(accepted);
        *self = Self::new();
        had_one && was_refused
    }
}
