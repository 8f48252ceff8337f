//! The body of a request on its way, and what becomes of the part that its handler does not read.
//!
//! A body that stays unread would be taken for the next request, so a connection can go on only once it was read
//! (RFC 9112, 9.3). A short one is read and dropped before the answer is sent; with any other the answer announces
//! that the connection closes (RFC 9112, 9.6).

use super::connections::{Place, Unread};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// The longest rest of a body that is read for nothing, in bytes.
const REST: u64 = 64 * 1024;
/// How long that may take. Clients that write head and body separately send the body within a round trip.
const PATIENCE: Duration = Duration::from_secs(2);

/// A request's body.
#[derive(Debug)]
pub struct Received {
    /// None once it has ended.
    body: Option<Incoming>,
    place: Arc<Place>,
    /// Whether the client waits to be told to send it (RFC 9110, 10.1.1). Reading tells it.
    is_held_back: bool,
}

impl Received {
    pub(super) fn new(body: Incoming, place: Arc<Place>, is_held_back: bool) -> Self {
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
        self.place.pulse.wait_for_body(frame.is_pending());
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

impl Unread {
    /// Reads it to its end and drops it. False where the connection cannot go on.
    pub(super) async fn read(self, place: &Place) -> bool {
        let Self::Rest(mut body) = self else { return false };
        if body.size_hint().lower() > REST {
            return false;
        }
        let all = async {
            let mut read = 0;
            loop {
                let frame = poll_fn(|cx| {
                    let frame = Pin::new(&mut body).poll_frame(cx);
                    place.pulse.wait_for_body(frame.is_pending());
                    frame
                });
                match frame.await {
                    None => return true,
                    Some(Err(_)) => return false,
                    Some(Ok(frame)) => read += frame.data_ref().map_or(0, |data| data.len() as u64),
                }
                if read > REST {
                    return false;
                }
            }
        };
        tokio::time::timeout(PATIENCE, all).await.unwrap_or(false)
    }
}
