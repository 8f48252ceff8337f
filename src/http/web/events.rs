//! `/events`: notifies open pages of new releases (server-sent events, the HTML standard, 9.2).

use super::PageRequest;
use crate::http::body::Stream;
use crate::http::reply::Answer;
use crate::http::{Body, Problem};
use crate::publisher::Publisher;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// The most open streams. A page without a stream works; it is only not notified.
const MOST: usize = 1024;

/// The interval of comments that keep proxies from closing a silent stream.
const BEAT: Duration = Duration::from_secs(25);

/// The streams that are open.
#[derive(Debug)]
pub(in crate::http) struct EventStreams(Arc<Semaphore>);

impl Default for EventStreams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
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
            Response::new(Body::Stream(Box::pin(Releases { next: Box::pin(next), _place: place })));
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

struct Releases {
    next: Next,
    _place: OwnedSemaphorePermit,
}

/// The next message: a new release, or a comment after [`BEAT`]. None when the publisher has ended.
async fn wait(mut releases: Receiver) -> Option<(Receiver, Bytes)> {
    let text = match tokio::time::timeout(BEAT, releases.changed()).await {
        Ok(Ok(())) => release_event(*releases.borrow_and_update()),
        Ok(Err(_)) => return None,
        Err(_) => Bytes::from_static(b":\n\n"),
    };
    Some((releases, text))
}

fn release_event(release: u64) -> Bytes {
    format!("event: release\nid: {release}\ndata: {{\"release\":{release}}}\n\n").into()
}

impl Stream for Releases {
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        match self.next.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some((releases, text))) => {
                self.next = Box::pin(wait(releases));
                Poll::Ready(Some(text))
            }
        }
    }
}
