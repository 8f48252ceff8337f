//! One connection, from its first byte to its last.
//!
//! Bodies of requests are received here too. The rest of a body that its handler does not read is left to the connection.

use super::ConnectionLimits;
use super::connections::{ConnectionPlace, Unread};
use super::stream::ConnectionStream;
use bytes::Bytes;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::net::TcpStream;

/// The longest head of a request, in bytes, its first line included.
const HEAD_BYTES: usize = 16 * 1024;
/// The most fields of a head.
const HEAD_FIELDS: usize = 64;

/// The size of hyper's buffers for reading and for pipelined answers, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// How long a connection that was asked to close still looks for a request: on a busy machine, a request may have
/// arrived that was not read yet.
const LAST_LOOK: Duration = Duration::from_millis(5);

/// Everything that serving a connection needs.
pub(super) struct Service<R> {
    pub(super) respond: R,
    pub(super) address: IpAddr,
    pub(super) limits: ConnectionLimits,
    pub(super) place: ConnectionPlace,
}

/// Serves a connection until it closes.
pub(super) async fn serve<R, A, B>(socket: TcpStream, service: Service<R>)
where
    R: Fn(Request<Received>, IpAddr) -> A + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Service { respond, address, limits, place } = service;
    // Answers are written whole, so Nagle's algorithm would only delay them.
    let _ = socket.set_nodelay(true);
    let place = Arc::new(place);
    let stream = ConnectionStream::new(socket, Arc::clone(&place), limits);
    let own = Arc::clone(&place);
    let answer = service_fn(move |request: Request<Incoming>| {
        let has_body = !request.body().is_end_stream();
        own.activity.begin_request(request.body().size_hint().exact());
        let is_held_back = has_body && request.headers().contains_key(EXPECT);
        let request = request.map(|body| Received::new(body, Arc::clone(&own), is_held_back));
        // Boxed, because the future is moved several times on its way into hyper.
        let (place, answer) = (Arc::clone(&own), Box::pin(respond(request, address)));
        async move {
            let mut answer = answer.await;
            let is_closing =
                has_body && answer.headers().get(CONNECTION).is_some_and(|value| value == "close");
            // Boxed, because this future is large and few requests have a body.
            let can_go_on = !has_body || Box::pin(finish_body(&place, is_closing)).await;
            let length = answer.body().size_hint().exact();
            // An answer without a length detaches its connection from its place, so the connection closes after it.
            if !can_go_on || length.is_none() || place.is_ending() {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            place.activity.end_answer(length.unwrap_or_default());
            if length.is_none() {
                place.detach();
            }
            Ok::<_, Infallible>(answer)
        }
    });
    // Without a timer, hyper has no time limits of its own. `ConnectionStream` limits every wait for the client.
    let connection = http1::Builder::new()
        .max_header_size(HEAD_BYTES)
        .max_headers(HEAD_FIELDS)
        .max_buf_size(BUFFER_BYTES)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = pin!(connection);
    place.activity.wake_with(poll_fn(|cx| Poll::Ready(cx.waker().clone())).await);
    loop {
        let ended = poll_fn(|cx| match connection.as_mut().poll(cx) {
            Poll::Pending if place.activity.take_close_request() => Poll::Ready(None),
            polled => polled.map(Some),
        });
        let ended = match ended.await {
            Some(ended) => ended,
            // A request that has arrived by now is answered all the same, and its answer announces the end.
            None => match tokio::time::timeout(LAST_LOOK, connection.as_mut()).await {
                Ok(ended) => ended,
                Err(_) if place.activity.is_at_work() => continue,
                Err(_) => return,
            },
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
        return;
    }
}

/// Reads the rest of the request's body. False if the connection must close.
async fn finish_body(place: &ConnectionPlace, is_closing: bool) -> bool {
    match place.take_unread() {
        None => true,
        Some(_) if is_closing => false,
        Some(unread) => unread.read(place).await,
    }
}

/// A request's body.
#[derive(Debug)]
pub struct Received {
    /// None after the body's end.
    body: Option<Incoming>,
    place: Arc<ConnectionPlace>,
    /// Whether the client waits for `100 Continue` (RFC 9110, 10.1.1), which reading sends.
    is_held_back: bool,
}

impl Received {
    pub(super) fn new(body: Incoming, place: Arc<ConnectionPlace>, is_held_back: bool) -> Self {
        let body = Some(body).filter(|body| !body.is_end_stream());
        Self { body, place, is_held_back }
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.is_held_back = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(cx);
        self.place.activity.wait_for_body(frame.is_pending());
        match ready!(frame) {
            None => self.body = None,
            Some(Err(error)) => {
                self.body = None;
                self.place.leave(Unread::Lost);
                return Poll::Ready(Some(Err(error)));
            }
            frame => return Poll::Ready(frame),
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            self.place.leave(if self.is_held_back { Unread::Lost } else { Unread::Rest(body) });
        }
    }
}
