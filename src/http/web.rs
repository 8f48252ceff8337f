//! Serves the pages: public ones as rendered at publication, personal ones rendered on request.
//!
//! Public pages do not depend on the visitor, so everybody gets the same bytes from memory. Answers that depend on a
//! cookie are `private`, so shared caches do not store them.

mod events;
mod handover;
mod planner;
mod public;
mod shared;
mod visitor;

pub(super) use events::EventStreams;
pub(super) use handover::Codes;
pub(super) use public::RenderedPages;

use super::agendas::Agendas;
use super::allowance::Allowed;
use super::exports::Exports;
use super::queue::{Queue, Queues};
use super::release_history::ReleaseHistory;
use super::{Body, negotiation, policy};
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::publisher::{LiveRelease, Publisher};
use crate::store::Store;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response};
use std::sync::Arc;

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
pub(super) fn chosen(mut response: Response<Body>) -> Response<Body> {
    policy::vary(response.headers_mut(), HeaderValue::from_static(negotiation::PAGE_OR_TEXT));
    response
}
