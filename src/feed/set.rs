//! The feeds of a release: rendered events, and the canonical feeds made of them.

use super::coding::{Coded, Coding, Codings, Effort};
use super::deflate::Deflated;
use super::event::Pieces;
use super::facets::{Facets, Left};
use super::{Calendar, FeedKey};
use crate::program::{Conference, SessionId, Slug, Track};
use crate::revision::{Digest, Revision};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};
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
    /// Of its content, without its modification time.
    pub(super) digest: Digest,
    pub(super) members: Vec<Arc<Event>>,
    pub(super) codings: Codings,
}

impl Feed {
    /// The body in one of the codings that are made by now.
    pub fn coded(&self, choose: impl FnOnce(&[Coded]) -> Option<&Coded>) -> Option<Coded> {
        self.codings.choose(choose)
    }

    /// Its events in program order, to be kept.
    pub fn shared_members(&self) -> &[Arc<Event>] {
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
    /// The same, deflated when a joined feed is first coded.
    pub(super) deflated_zone: OnceLock<Deflated>,
    /// Of what all envelopes share, and since when it is so.
    pub(super) surroundings: (Digest, DateTime<Utc>),
    pub(super) last_departure: DateTime<Utc>,
    pub(super) departures: Vec<Left>,
    pub(super) events: Vec<Arc<Event>>,
    pub(super) places: HashMap<SessionId, usize>,
    pub(super) feeds: HashMap<FeedKey, Arc<Feed>>,
}

/// With more feeds than this, the small ones get one quick coding: ten thousand speakers' feeds would cost
/// minutes of processor time at each publication to save a few hundred bytes each.
const MANY_FEEDS: usize = 1000;
const SMALL: usize = 64 * 1024;

impl FeedSet {
    /// A canonical feed.
    pub fn feed(&self, key: &FeedKey) -> Option<&Feed> {
        self.feeds.get(key).map(Arc::as_ref)
    }

    /// All canonical feeds, in no order.
    pub fn feeds(&self) -> impl Iterator<Item = (&FeedKey, &Feed)> {
        self.feeds.iter().map(|(key, feed)| (key, feed.as_ref()))
    }

    /// The events in program order.
    pub fn events(&self) -> &[Arc<Event>] {
        &self.events
    }

    /// A session's event; none where feeds do not show it.
    pub fn event(&self, id: &SessionId) -> Option<&Event> {
        self.shared_event(id).map(Arc::as_ref)
    }

    /// A session's event, to be kept.
    pub fn shared_event(&self, id: &SessionId) -> Option<&Arc<Event>> {
        self.events.get(*self.places.get(id)?)
    }

    /// The events of a canonical feed, in program order.
    pub fn members<'a>(&'a self, feed: &'a Feed) -> impl Iterator<Item = &'a Event> {
        feed.members.iter().map(Arc::as_ref)
    }

    /// The events that earlier feeds do not share; all of them where what surrounds them differs.
    pub fn fresh_events<'a>(&'a self, earlier: Option<&'a Self>) -> impl Iterator<Item = &'a Event> {
        let earlier = earlier.filter(|earlier| earlier.surroundings.0 == self.surroundings.0);
        let is_shared = move |event: &Arc<Event>| {
            let known = earlier.and_then(|earlier| earlier.shared_event(&event.id));
            known.is_some_and(|known| Arc::ptr_eq(known, event))
        };
        self.events.iter().filter(move |event| !is_shared(event)).map(Arc::as_ref)
    }

    /// The canonical feeds that earlier feeds do not share, in no order.
    pub fn fresh_feeds<'a>(
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

    /// The events of chosen sessions, in program order, each once; those that feeds do not show are left out.
    pub fn picked(&self, picks: &[SessionId]) -> impl Iterator<Item = &Arc<Event>> {
        let mut places: Vec<usize> = picks.iter().filter_map(|id| self.places.get(id)).copied().collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| self.events.get(place))
    }

    /// Makes the codings of every feed, the program's first; readers get the plain body until then. Stops
    /// between two feeds once `is_wanted` says so: nobody asks for those of a release that was replaced.
    pub fn compress(&self, effort: Effort, is_wanted: impl Fn() -> bool) {
        let mut feeds: Vec<_> = self.feeds.iter().collect();
        feeds.sort_unstable_by_key(|(key, _)| *key);
        for (_, feed) in feeds {
            if !is_wanted() {
                return;
            }
            if self.feeds.len() > MANY_FEEDS && feed.identity.len() < SMALL {
                feed.compress(Effort::Quick, &[Coding::Gzip]);
            } else {
                feed.compress(effort, &Coding::MADE);
            }
        }
    }
}

#[cfg(test)]
impl FeedSet {
    /// A renderer's fault: the VEVENT of a session, or the bytes of a feed, with another text in them.
    pub(crate) fn plant(&mut self, key: &FeedKey, old: &str, new: &str) {
        let changed = |bytes: &Bytes| Bytes::from(String::from_utf8_lossy(bytes).replace(old, new));
        for event in self.events.iter_mut() {
            *event = Arc::new(Event {
                id: event.id.clone(),
                pieces: event.pieces.replaced(old, new),
                facets: event.facets.clone(),
                deflated: OnceLock::new(),
                ..**event
            });
        }
        let feed = &self.feeds[key];
        let members = feed.members.iter().map(|member| Arc::clone(&self.events[self.places[&member.id]]));
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
