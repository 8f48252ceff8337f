//! The representation of a feed: as it was published, or joined on request; and the validators of joined feeds.

use crate::feed::{Coding, Feed, JoinedChunks, JoinedFeed};
use crate::http::EntityTag;
use crate::http::body::{Body, Stream};
use crate::http::conditional::{ConditionResult, Validators, evaluate};
use crate::http::negotiation::negotiate;
use crate::http::reply::Answer;
use crate::http::reply::{Content, Published, Representation, stable_last_modified};
use crate::release::Release;
use crate::release::ReleaseMark;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::HeaderName;
use http::request::Parts;
use quick_cache::unsync::Cache;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

const CALENDAR: &str = "text/calendar; charset=utf-8";

/// How many VEVENTs one request compresses, in about 40 ms. Until all VEVENTs of a large feed are compressed, the
/// feed is sent plain.
const MAX_DEFLATED: usize = 500;

/// The most VEVENTs of a joined feed that is sent compressed. Joining one compressed VEVENT takes 1.5 µs, more than
/// joining its text, and short VEVENTs shrink by a fifth only (measured on 2026-11-30 with 50,000 sessions).
const MAX_COMPRESSED: usize = 5000;

/// A larger feed is sent in chunks, so that its whole text, up to 40 MB, is never in memory.
const MAX_WHOLE: usize = 500;

/// The origin of a feed's bytes.
pub(super) enum FeedSource<'a> {
    Canonical(&'a Feed),
    Joined(Box<JoinedFeed<'a>>),
}

impl<'a> FeedSource<'a> {
    /// `floor` is a lower bound of Last-Modified, beside the feed's own time.
    pub(super) fn representation(
        self,
        request: &Parts,
        floor: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Representation<'a> {
        let last_modified =
            |modified: DateTime<Utc>| stable_last_modified(floor.map_or(modified, |f| f.max(modified)), now);
        match self {
            Self::Canonical(feed) => published(feed, last_modified(feed.modified)).representation(request),
            Self::Joined(joined) => {
                let coding = match joined_coding(request) {
                    Coding::Gzip if joined.len() > MAX_COMPRESSED || !joined.deflate(MAX_DEFLATED) => {
                        Coding::Identity
                    }
                    coding => coding,
                };
                let modified = last_modified(joined.modified);
                let tag = joined_tag(&joined.hash, coding);
                let body = if coding == Coding::Identity && joined.len() > MAX_WHOLE {
                    Content::Streamed(Box::new(move || Body::Stream(Box::pin(Joining(joined.chunks())))))
                } else {
                    Content::MadeIn(Box::new(move || Ok(joined_body(&joined, coding))))
                };
                calendar(tag, modified, coding, body)
            }
        }
    }
}

/// A canonical feed as it was published.
pub(super) fn published(feed: &Feed, modified: Option<DateTime<Utc>>) -> Published<'_> {
    let Feed { hash, identity: plain, codings, .. } = feed;
    Published { media_type: CALENDAR, hash, modified, plain, codings }
}

/// The coding of a joined feed: none, or one gzip member.
pub(super) fn joined_coding(request: &Parts) -> Coding {
    negotiate(&request.headers, |coding| coding == Coding::Gzip)
}

pub(super) fn joined_tag(hash: &str, coding: Coding) -> EntityTag {
    if coding == Coding::Gzip { EntityTag::coded(hash, coding, 'j') } else { EntityTag::plain(hash) }
}

/// The body in a coding, or plain if the coded body is not smaller. The tag keeps the coding: the tag determines the
/// feed, and so which of the two bodies is sent.
pub(super) fn joined_body(joined: &JoinedFeed<'_>, coding: Coding) -> (Coding, Bytes) {
    let gzip = if coding == Coding::Gzip { joined.gzip() } else { None };
    gzip.map_or_else(|| (Coding::Identity, joined.identity()), |gzip| (Coding::Gzip, gzip))
}

/// The representation of a feed, without further fields.
pub(super) fn calendar(
    tag: EntityTag,
    modified: Option<DateTime<Utc>>,
    coding: Coding,
    body: Content<'_>,
) -> Representation<'_> {
    Representation {
        media_type: CALENDAR,
        validators: Validators { tag, modified },
        coding,
        body,
        fields: Vec::new(),
    }
}

/// The body of a large joined feed.
struct Joining(JoinedChunks);

impl Stream for Joining {
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Bytes>> {
        Poll::Ready(self.0.next())
    }

    fn length(&self) -> Option<u64> {
        Some(self.0.remaining() as u64)
    }
}

/// The most feeds whose validators are cached.
const MAX_FEEDS: usize = 10_000;

/// The validators of joined feeds of the live release, by a name that determines the feed.
#[derive(Default)]
pub(in crate::http) struct JoinedValidators(Mutex<Option<ReleaseFeeds>>);

type ReleaseFeeds = (ReleaseMark, Cache<String, JoinedState>);

/// The state that determines the validators of a joined feed.
#[derive(Clone)]
pub(super) struct JoinedState {
    hash: String,
    modified: DateTime<Utc>,
}

impl JoinedValidators {
    pub(super) fn find(&self, name: &str, release: &Arc<Release>) -> Option<JoinedState> {
        let current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, feeds) = current.as_ref().filter(|(of, _)| of.is(release))?;
        feeds.get(name).cloned()
    }

    pub(super) fn insert(&self, name: String, release: &Arc<Release>, joined: &JoinedFeed<'_>) {
        let feed = JoinedState { hash: joined.hash.clone(), modified: joined.modified };
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match current.as_mut().filter(|(of, _)| of.is(release)) {
            Some((_, feeds)) => feeds.insert(name, feed),
            None => {
                let mut feeds = Cache::new(MAX_FEEDS);
                feeds.insert(name, feed);
                *current = Some((ReleaseMark::of(release), feeds));
            }
        }
    }
}

impl fmt::Debug for JoinedValidators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinedValidators").finish_non_exhaustive()
    }
}

impl JoinedState {
    /// The 304 for a client that has the feed; none for any other client.
    pub(super) fn unchanged(
        &self,
        request: &Parts,
        floor: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
        fields: &[(HeaderName, String)],
    ) -> Option<Answer> {
        let modified =
            stable_last_modified(floor.map_or(self.modified, |floor| floor.max(self.modified)), now);
        // The client may hold the plain form of a feed that was not compressed yet.
        [joined_coding(request), Coding::Identity].into_iter().find_map(|coding| {
            let validators = Validators { tag: joined_tag(&self.hash, coding), modified };
            let verdict = evaluate(&request.method, &request.headers, &validators);
            let (body, fields) = (Content::Kept(Bytes::new()), fields.to_vec());
            let representation = Representation { media_type: CALENDAR, validators, coding, body, fields };
            matches!(verdict, ConditionResult::NotModified(_)).then(|| representation.answer(request))
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::feed::{FeedFilter, FeedOptions};
    use crate::fixtures;

    #[test]
    fn a_large_feed_is_plain_until_all_of_it_is_compressed() {
        let release = fixtures::tricky().release();
        let joined =
            release.feeds.filtered(&FeedFilter::default(), FeedOptions::default(), &release.ledger.slugs);
        assert!(joined.len() > 2);
        assert!(!joined.deflate(1) && joined.deflate(joined.len()) && joined.deflate(0));
    }
}
