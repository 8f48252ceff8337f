//! One connection, from its first byte to its last.

use super::Limits;
use super::Received;
use super::crowd::Place;
use super::stream::Stream;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::net::TcpStream;

/// The longest head of a request, in bytes, its first line included.
const HEAD_BYTES: usize = 16 * 1024;
/// The most fields of a head.
const HEAD_FIELDS: usize = 64;

/// What is read ahead of a request's end, and how much of pipelined answers waits to be taken, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// What a connection needs.
pub(super) struct Service<R> {
    pub(super) respond: R,
    pub(super) address: IpAddr,
    pub(super) limits: Limits,
    pub(super) place: Place,
}

/// Serves a connection until it closes, or is closed.
pub(super) async fn serve<R, A, B>(socket: TcpStream, service: Service<R>, watcher: Watcher)
where
    R: Fn(Request<Received>, IpAddr) -> A + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Service { respond, address, limits, place } = service;
    // Answers are written whole; waiting for more would only delay them.
    let _ = socket.set_nodelay(true);
    let place = Arc::new(place);
    let stream = Stream::new(socket, Arc::clone(&place), limits);
    let own = Arc::clone(&place);
    let answer = service_fn(move |request: Request<Incoming>| {
        own.pulse.begin();
        let request = request.map(|body| Received::new(body, Arc::clone(&own)));
        let (place, answer) = (Arc::clone(&own), respond(request, address));
        async move {
            let answer = answer.await;
            let length = answer.body().size_hint().exact();
            place.pulse.end(length.unwrap_or_default());
            if length.is_none() {
                place.step_aside();
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle + limits.header)
        .max_header_size(HEAD_BYTES)
        .max_headers(HEAD_FIELDS)
        .max_buf_size(BUFFER_BYTES)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), answer);
    tokio::select! {
        ended = watcher.watch(connection) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
        }
        () = place.pulse.asked_to_close() => {}
    }
}
