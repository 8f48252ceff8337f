//! The feeds of a release: rendered events, and the canonical feeds made of them.

use super::coding::{Coded, Coding, Effort};
use super::deflate::Deflated;
use super::event::Pieces;
use super::facets::Facets;
use super::{Calendar, FeedKey};
use crate::program::{Conference, SessionId};
use crate::revision::{Digest, Revision};
use arc_swap::ArcSwap;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// A session, rendered.
#[derive(Debug)]
pub struct Event {
    /// Whose it is.
    pub id: SessionId,
    /// Its stamps.
    pub revision: Revision,
    /// Whether it is cancelled.
    pub cancelled: bool,
    /// Whether an agenda leaves its hour free: breaks, meals and what is cancelled.
    pub free: bool,
    pub(super) pieces: Pieces,
    pub(super) facets: Facets,
    pub(super) digest: Digest,
    pub(super) deflated: OnceLock<[Deflated; 4]>,
}

impl Event {
    /// Head, both windows and tail, deflated when first asked for.
    pub(super) fn deflated(&self) -> &[Deflated; 4] {
        self.deflated.get_or_init(|| {
            let pieces = &self.pieces;
            [pieces.head(), pieces.window(false), pieces.window(true), pieces.tail()]
                .map(|part| Deflated::piece(&part))
        })
    }

    /// The VEVENT as public feeds have it.
    pub fn default_bytes(&self) -> Bytes {
        self.pieces.default_bytes()
    }
}

/// A canonical feed.
#[derive(Debug)]
pub struct Feed {
    /// Its envelope.
    pub calendar: Calendar,
    /// When its own bytes last changed.
    pub modified: DateTime<Utc>,
    /// The hash in its entity tags.
    pub hash: String,
    /// The plain body.
    pub identity: Bytes,
    pub(super) members: Vec<usize>,
    pub(super) coded: ArcSwap<Vec<Coded>>,
}

impl Feed {
    /// The body in a coding, once it is made.
    pub fn coded(&self, coding: Coding) -> Option<Coded> {
        self.coded.load().iter().find(|coded| coded.coding == coding).cloned()
    }

    /// Which codings are there.
    pub fn codings(&self) -> Vec<Coding> {
        self.coded.load().iter().map(|coded| coded.coding).collect()
    }

    fn compress(&self, effort: Effort) {
        let coded = Coding::MADE.into_iter().filter_map(|coding| Coded::make(coding, effort, &self.identity));
        self.coded.store(Arc::new(coded.collect()));
    }
}

/// Every feed of a release.
#[derive(Debug)]
pub struct FeedSet {
    pub(super) conference: Arc<Conference>,
    pub(super) vtimezone: String,
    /// Of what all envelopes share, and since when it is so.
    pub(super) surroundings: (Digest, DateTime<Utc>),
    pub(super) last_departure: DateTime<Utc>,
    pub(super) events: Vec<Event>,
    pub(super) places: HashMap<SessionId, usize>,
    pub(super) feeds: HashMap<FeedKey, Feed>,
}

impl FeedSet {
    /// A canonical feed.
    pub fn feed(&self, key: &FeedKey) -> Option<&Feed> {
        self.feeds.get(key)
    }

    /// All canonical feeds, in no order.
    pub fn feeds(&self) -> impl Iterator<Item = (&FeedKey, &Feed)> {
        self.feeds.iter()
    }

    /// The events in program order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// A session's event; none where feeds do not show it.
    pub fn event(&self, id: &SessionId) -> Option<&Event> {
        self.events.get(*self.places.get(id)?)
    }

    /// The events of a canonical feed, in program order.
    pub fn members<'a>(&'a self, feed: &'a Feed) -> impl Iterator<Item = &'a Event> {
        feed.members.iter().filter_map(|place| self.events.get(*place))
    }

    /// Makes the codings of every feed; readers get the plain body until then.
    pub fn compress(&self, effort: Effort) {
        self.feeds.values().for_each(|feed| feed.compress(effort));
    }
}
