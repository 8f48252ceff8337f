//! The feeds of a release: rendered events, and the canonical feeds that are made from them.

use super::coding::Deflated;
use super::coding::{Coding, Codings, Effort};
use super::event::EventPieces;
use super::query::{Facets, FeedDeparture};
use super::{CalendarProperties, FeedKey, zone};
use crate::program::{Conference, SessionId, Slug, Track};
use crate::revision::{Digest, Revision};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

/// A rendered session.
#[derive(Debug)]
pub struct RenderedEvent {
    /// The id of the session.
    pub id: SessionId,
    /// The session's sequence and modification time.
    pub revision: Revision,
    /// Whether the session is cancelled.
    pub cancelled: bool,
    /// Whether an agenda shows the session's time as free, as for breaks, meals and cancelled sessions.
    pub free: bool,
    pub(super) pieces: EventPieces,
    pub(super) facets: Facets,
    pub(super) digest: Digest,
    pub(super) deflated: OnceLock<[Deflated; 4]>,
}

impl RenderedEvent {
    /// Head, both statuses and tail, deflated when first used.
    pub(super) fn deflated(&self) -> &[Deflated; 4] {
        self.deflated.get_or_init(|| {
            let pieces = &self.pieces;
            [pieces.head(), pieces.status(false), pieces.status(true), pieces.tail()].map(Deflated::piece)
        })
    }

    /// The VEVENT of public feeds.
    pub fn default_bytes(&self) -> Bytes {
        self.pieces.default_bytes()
    }
}

/// A canonical feed.
#[derive(Debug)]
pub struct Feed {
    /// The calendar properties of the feed.
    pub calendar: CalendarProperties,
    /// When the feed's own bytes last changed.
    pub modified: DateTime<Utc>,
    /// The hash in the feed's entity tags.
    pub hash: String,
    /// The plain body of the feed.
    pub identity: Bytes,
    /// The digest of the feed's content, without the modification time.
    pub(super) digest: Digest,
    pub(super) members: Vec<Arc<RenderedEvent>>,
    /// The codings of the body.
    pub codings: Codings,
}

impl Feed {
    /// The events of the feed, in program order.
    pub fn members(&self) -> &[Arc<RenderedEvent>] {
        &self.members
    }

    fn compress(&self, effort: Effort, codings: &[Coding]) {
        self.codings.make(effort, codings, &self.identity);
    }
}

/// Every feed of a release.
#[derive(Debug)]
pub struct FeedSet {
    pub(super) conference: Arc<Conference>,
    pub(super) tracks: BTreeMap<Slug, Track>,
    pub(super) uid_domain: String,
    pub(super) vtimezone: String,
    /// The VTIMEZONE, deflated when first used.
    pub(super) deflated_zone: OnceLock<Deflated>,
    /// The digest of the properties that all feeds share.
    pub(super) shared_digest: Digest,
    /// When the shared properties last changed.
    pub(super) shared_modified: DateTime<Utc>,
    pub(super) last_departure: DateTime<Utc>,
    pub(super) departures: Vec<FeedDeparture>,
    pub(super) events: Vec<Arc<RenderedEvent>>,
    /// The index of each session in `events`.
    pub(super) indices: HashMap<SessionId, usize>,
    pub(super) feeds: HashMap<FeedKey, Arc<Feed>>,
}

/// In a release with more feeds than this, small feeds get only one quick coding. The best codings for the feeds of ten
/// thousand speakers would take minutes of processor time at each publication, to save a few hundred bytes per feed.
const MAX_FULLY_CODED_FEEDS: usize = 1000;
/// The size in bytes below which a feed is small.
const SMALL: usize = 64 * 1024;

impl FeedSet {
    /// The VTIMEZONE of a feed; empty if the feed has events and all times are in UTC.
    pub(super) fn zone_of(&self, has_events: bool) -> &str {
        if has_events || !self.vtimezone.is_empty() { &self.vtimezone } else { zone::UTC }
    }

    /// A canonical feed.
    pub fn feed(&self, key: &FeedKey) -> Option<&Feed> {
        self.feeds.get(key).map(Arc::as_ref)
    }

    /// All canonical feeds, unordered.
    pub fn feeds(&self) -> impl Iterator<Item = (&FeedKey, &Feed)> {
        self.feeds.iter().map(|(key, feed)| (key, feed.as_ref()))
    }

    /// The events in program order.
    pub fn events(&self) -> &[Arc<RenderedEvent>] {
        &self.events
    }

    /// A session's event; none if it is hidden.
    pub fn event(&self, id: &SessionId) -> Option<&Arc<RenderedEvent>> {
        self.events.get(*self.indices.get(id)?)
    }

    /// The events that are not shared with earlier feeds; all of them if the shared properties differ.
    pub fn unshared_events<'a>(
        &'a self,
        earlier: Option<&'a Self>,
    ) -> impl Iterator<Item = &'a RenderedEvent> {
        let earlier = earlier.filter(|earlier| earlier.shared_digest == self.shared_digest);
        let is_shared = move |event: &Arc<RenderedEvent>| {
            let known = earlier.and_then(|earlier| earlier.event(&event.id));
            known.is_some_and(|known| Arc::ptr_eq(known, event))
        };
        self.events.iter().filter(move |event| !is_shared(event)).map(Arc::as_ref)
    }

    /// The canonical feeds that are not shared with earlier feeds, unordered.
    pub fn unshared_feeds<'a>(
        &'a self,
        earlier: Option<&'a Self>,
    ) -> impl Iterator<Item = (&'a FeedKey, &'a Feed)> {
        let is_shared = move |key: &FeedKey, feed: &Arc<Feed>| {
            let known = earlier.and_then(|earlier| earlier.feeds.get(key));
            known.is_some_and(|known| Arc::ptr_eq(known, feed))
        };
        self.feeds
            .iter()
            .filter(move |(key, feed)| !is_shared(key, feed))
            .map(|(key, feed)| (key, feed.as_ref()))
    }

    /// The events of some sessions, in program order, each once; hidden sessions are omitted.
    pub fn events_of(&self, ids: &[SessionId]) -> impl Iterator<Item = &Arc<RenderedEvent>> {
        let mut indices: Vec<usize> = ids.iter().filter_map(|id| self.indices.get(id)).copied().collect();
        indices.sort_unstable();
        indices.dedup();
        indices.into_iter().filter_map(|index| self.events.get(index))
    }

    /// Makes the codings of every feed, the program's first. Until then responses use the plain body. Stops between two
    /// feeds when `is_wanted` returns false, as when another release has replaced this release.
    pub fn compress(&self, effort: Effort, is_wanted: impl Fn() -> bool) {
        let mut feeds: Vec<_> = self.feeds.iter().collect();
        feeds.sort_unstable_by_key(|(key, _)| *key);
        for (_, feed) in feeds {
            if !is_wanted() {
                return;
            }
            if self.feeds.len() > MAX_FULLY_CODED_FEEDS && feed.identity.len() < SMALL {
                feed.compress(Effort::Quick, &[Coding::Gzip]);
            } else {
                feed.compress(effort, &Coding::MADE);
            }
        }
    }
}

#[cfg(test)]
impl FeedSet {
    /// Replaces a text in all VEVENTs and in one feed, as a faulty renderer might.
    pub(crate) fn corrupt(&mut self, key: &FeedKey, old: &str, new: &str) {
        let changed = |bytes: &Bytes| Bytes::from(String::from_utf8_lossy(bytes).replace(old, new));
        for event in self.events.iter_mut() {
            *event = Arc::new(RenderedEvent {
                id: event.id.clone(),
                pieces: event.pieces.with_replaced(old, new),
                facets: event.facets.clone(),
                deflated: OnceLock::new(),
                ..**event
            });
        }
        let feed = &self.feeds[key];
        let members = feed.members.iter().map(|member| Arc::clone(&self.events[self.indices[&member.id]]));
        let feed = Feed {
            calendar: feed.calendar.clone(),
            hash: feed.hash.clone(),
            identity: changed(&feed.identity),
            members: members.collect(),
            codings: Codings::default(),
            ..**feed
        };
        self.feeds.insert(key.clone(), Arc::new(feed));
    }
}
