//! Connections: accepted, limited, answered by a function, drained at the end (RFC 9112).
//!
//! Owns sockets and patience, and knows nothing of what is served. TLS and HTTP/2 belong to the reverse proxy.
//!
//! - A request's head must come within `header` of its first byte, or of the connection; hyper's own timer,
//!   which cannot tell a slow head from an idle connection, stands behind that.
//! - A head over 16 KiB or 64 fields is 431, one that is no HTTP 400; both close the connection. So is a head with
//!   a line that ends in a bare LF, since others may see another request in it.
//! - Where an answer is ready before its request's body, a short body is read first and the connection goes on; with
//!   a longer one the answer announces that the connection closes.
//! - A connection that moves no byte for `idle`, waiting for a request or for its client to take an answer,
//!   is closed.
//! - A client that takes its answer slowly has `answer`, and a second more for each 4 KiB that it took. Where
//!   more than 128 MiB of answers are kept for such clients, the slowest is closed.
//! - A client that has closed its side of the connection after its request is answered.
//! - A connection whose answer has no length (a stream of events) gives its place to others, and closes behind it; a
//!   stop ends it.
//! - Beyond `connections` the idlest one is closed for a new one; where none idles, the new one gets 503. The
//!   same holds for the connections of one address beyond `per_address`, but for trusted proxies and this
//!   machine, behind which all the world may stand. Idle is who has let us wait longest for a whole request,
//!   or for taking an answer; bytes that drip do not count.
//! - Out of descriptors, the idlest is closed too, and a new connection gets its 503 through a spare one.
//! - At a stop every answer announces that its connection closes; a connection that stays idle closes a little later.
//!   A request that was read is answered.
//!
//! Invariant: when [`run`] returns, no connection is left.

mod connection;
mod connections;
mod framing;
mod pulse;
mod received;
mod spare;
mod stream;

pub use received::Received;

use crate::peer::{Peer, Trusted};
use bytes::Bytes;
use connection::{Service, serve};
use connections::{Admission, Connections};
use http::{Request, Response};
use spare::Spare;
use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How many connections, and how much patience with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections of one address at once.
    pub per_address: usize,
    /// For a request's head.
    pub header: Duration,
    /// For a connection on which nothing moves.
    pub idle: Duration,
    /// For a client that takes its answer slowly; a second more for each 4 KiB that it took.
    pub answer: Duration,
    /// For requests under way at a stop.
    pub drain: Duration,
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that were cut off at the deadline.
    pub cut_off: usize,
}

/// How long idle connections stay open at a stop: the next request of a busy client is on its way, and its answer
/// can announce the end.
const LINGER: Duration = Duration::from_millis(250);

/// How long accepting pauses when the system has no descriptor to give.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` completes and what was under way is answered or out of time.
///
/// `respond` is told the address on the socket, a proxy's where there is one.
pub async fn run<R, A, B>(
    listeners: Vec<TcpListener>,
    respond: R,
    limits: Limits,
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
    let mut spare = Spare::new();
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
                    let is_out = Spare::helps(&error);
                    if is_out {
                        connections.evict();
                    }
                    let accept = poll_fn(|cx| {
                        let accept = || Some(waiting(&listeners, cx)?.map(|(socket, _)| socket));
                        Poll::Ready(is_out && spare.refuse(accept))
                    });
                    if accept.await {
                        tokio::task::yield_now().await;
                    } else {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            },
        }
    }
    connections.announce_end();
    // A connection that the system has accepted already would be reset with the listener.
    while let Some(Ok(accepted)) = poll_fn(|cx| Poll::Ready(waiting(&listeners, cx))).await {
        take(accepted, &mut tasks);
    }
    drop(listeners);
    let _ = tokio::time::timeout(LINGER, all_done(&mut tasks)).await;
    connections.close_idle();
    let until = Instant::now() + limits.drain;
    while !tasks.is_empty() && Instant::now() < until {
        connections.close_quiet_streams(LINGER);
        let _ = tokio::time::timeout_at(until.min(Instant::now() + LINGER), all_done(&mut tasks)).await;
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

/// An error that says something about the connection that was to be accepted, not about the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
