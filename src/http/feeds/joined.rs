//! The representation of a feed: as it was published, or joined on request.

use crate::feed::{Coding, Feed, JoinedFeed};
use crate::http::conditional::Validators;
use crate::http::encoding::{negotiate, wanted};
use crate::http::representation::{Content, Representation, settled};
use crate::http::{EntityTag, Problem};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::request::Parts;

const CALENDAR: &str = "text/calendar; charset=utf-8";

/// Where the bytes come from.
pub(super) enum Source<'a> {
    Canonical(&'a Feed),
    Joined(JoinedFeed<'a>),
}

impl<'a> Source<'a> {
    /// `floor` is a lower bound of Last-Modified, beside the feed's own time.
    pub(super) fn representation(
        self,
        request: &Parts,
        floor: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Representation<'a> {
        let settled = |modified: DateTime<Utc>| settled(floor.map_or(modified, |f| f.max(modified)), now);
        match self {
            Self::Canonical(feed) => {
                // A better coding may replace one at any time, so tag and bytes are read together.
                let coded = feed.coded(|made| wanted(&request.headers, made));
                let tag = match &coded {
                    Some(coded) => EntityTag::coded(&feed.hash, coded.coding, coded.level),
                    None => EntityTag::plain(&feed.hash),
                };
                Representation {
                    media_type: CALENDAR,
                    validators: Validators { tag, modified: settled(feed.modified) },
                    coding: coded.as_ref().map_or(Coding::Identity, |coded| coded.coding),
                    body: Content::Kept(coded.map_or_else(|| feed.identity.clone(), |coded| coded.bytes)),
                    fields: Vec::new(),
                }
            }
            Self::Joined(joined) => {
                let (coding, modified) = (joined_coding(request), settled(joined.modified));
                let tag = joined_tag(&joined.hash, coding);
                lazy(tag, modified, coding, move || Ok(joined_body(&joined, coding)))
            }
        }
    }
}

/// The coding of a joined feed: none, or one gzip member.
pub(super) fn joined_coding(request: &Parts) -> Coding {
    negotiate(&request.headers, |coding| coding == Coding::Gzip)
}

pub(super) fn joined_tag(hash: &str, coding: Coding) -> EntityTag {
    if coding == Coding::Gzip { EntityTag::coded(hash, coding, 'j') } else { EntityTag::plain(hash) }
}

/// The body in a coding, or plain if that is no longer. The tag keeps the coding: it determines the feed, and so which of
/// the two is smaller.
pub(super) fn joined_body(joined: &JoinedFeed<'_>, coding: Coding) -> (Coding, Bytes) {
    let gzip = if coding == Coding::Gzip { joined.gzip() } else { None };
    gzip.map_or_else(|| (Coding::Identity, joined.identity()), |gzip| (Coding::Gzip, gzip))
}

/// A feed whose body is made only if it is sent.
pub(super) fn lazy<'a>(
    tag: EntityTag,
    modified: Option<DateTime<Utc>>,
    coding: Coding,
    body: impl FnOnce() -> Result<(Coding, Bytes), Problem> + 'a,
) -> Representation<'a> {
    let validators = Validators { tag, modified };
    let body = Content::MadeIn(Box::new(body));
    Representation { media_type: CALENDAR, validators, coding, body, fields: Vec::new() }
}
