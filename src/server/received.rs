//! The body of a request on its way, so that a client that lets us wait for it is known to be idle.

use super::crowd::Place;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A request's body.
#[derive(Debug)]
pub struct Received {
    body: Incoming,
    place: Arc<Place>,
}

impl Received {
    pub(super) fn new(body: Incoming, place: Arc<Place>) -> Self {
        Self { body, place }
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.place.pulse.wait_for_body(frame.is_pending());
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
