//! Serves the pages: public ones as rendered at publication, personal ones rendered on request.
//!
//! Public pages do not depend on the visitor, so everybody gets the same bytes from memory. Answers that depend on a
//! cookie are `private`, so shared caches do not store them.

mod devices;
mod handover;
mod mail;
mod planner;
mod public;
mod shared;
mod visitor;

pub(super) use handover::Codes;
pub(super) use public::{RenderedPages, program_page};

use super::agendas::Agendas;
use super::allowance::Allowed;
use super::body::Stream;
use super::changes::ReleaseHistory;
use super::exports::Exports;
use super::queue::{Queue, Queues};
use super::reply::Answer;
use super::{Body, Problem, negotiation, policy};
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::publisher::{LiveRelease, Publisher};
use crate::store::Store;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// A request for a page, with everything that answering it needs.
pub(super) struct PageRequest<'a> {
    pub(super) agendas: &'a Agendas,
    pub(super) publisher: &'a Publisher,
    pub(super) published: Arc<LiveRelease>,
    pub(super) exports: &'a Exports,
    pub(super) pages: &'a RenderedPages,
    pub(super) store: &'a Store,
    pub(super) history: &'a ReleaseHistory,
    pub(super) freshness: &'a Freshness,
    pub(super) codes: &'a Codes,
    pub(super) events: &'a EventStreams,
    pub(super) clock: &'a Clock,
    pub(super) queues: &'a Queues,
    pub(super) queue: &'a Queue,
    pub(super) frame_ancestors: &'a str,
    pub(super) allowed: Allowed<'a>,
    pub(super) request: &'a Parts,
    pub(super) body: Bytes,
}

/// Adds the `Vary` of answers that are either a page or plain text.
pub(super) fn vary_by_text(mut response: Response<Body>) -> Response<Body> {
    policy::vary(response.headers_mut(), HeaderValue::from_static(negotiation::PAGE_OR_TEXT));
    response
}

/// The most open streams. A page without a stream works; it is only not notified.
const MAX_STREAMS: usize = 1024;

/// The interval of comments that keep proxies from closing a silent stream.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

/// The open streams of `/events`, which notify pages of new releases (server-sent events, the HTML standard, 9.2).
#[derive(Debug)]
pub(super) struct EventStreams(Arc<Semaphore>);

impl Default for EventStreams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_STREAMS)))
    }
}

impl PageRequest<'_> {
    pub(in crate::http) fn events(&self) -> Answer {
        self.events.answer(self.publisher)
    }
}

impl EventStreams {
    fn answer(&self, publisher: &Publisher) -> Answer {
        let place = Arc::clone(&self.0).try_acquire_owned().map_err(|_| Problem::Busy)?;
        let mut releases = publisher.subscribe();
        // The first event tells a page whether it is older than the live release.
        let next = async move {
            let text = release_event(*releases.borrow_and_update());
            Some((releases, text))
        };
        let mut response =
            Response::new(Body::Stream(Box::pin(ReleaseEvents { next: Box::pin(next), _place: place })));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        // nginx would collect events before it passes them on.
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        Ok(response)
    }
}

type Receiver = watch::Receiver<u64>;
type Next = Pin<Box<dyn Future<Output = Option<(Receiver, Bytes)>> + Send>>;

struct ReleaseEvents {
    next: Next,
    _place: OwnedSemaphorePermit,
}

/// The next message: a new release, or a comment after [`KEEP_ALIVE`]. None when the publisher has ended.
async fn next_event(mut releases: Receiver) -> Option<(Receiver, Bytes)> {
    let text = match tokio::time::timeout(KEEP_ALIVE, releases.changed()).await {
        Ok(Ok(())) => release_event(*releases.borrow_and_update()),
        Ok(Err(_)) => return None,
        Err(_) => Bytes::from_static(b":\n\n"),
    };
    Some((releases, text))
}

fn release_event(release: u64) -> Bytes {
    format!("event: release\nid: {release}\ndata: {{\"release\":{release}}}\n\n").into()
}

impl Stream for ReleaseEvents {
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        match self.next.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some((releases, text))) => {
                self.next = Box::pin(next_event(releases));
                Poll::Ready(Some(text))
            }
        }
    }
}
