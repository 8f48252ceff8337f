//! The body of a request while it is received. The rest that its handler does not read is left to the connection.

use super::connections::{Place, Unread};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A request's body.
#[derive(Debug)]
pub struct Received {
    /// None after the body's end.
    body: Option<Incoming>,
    place: Arc<Place>,
    /// Whether the client waits for `100 Continue` (RFC 9110, 10.1.1), which reading sends.
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
