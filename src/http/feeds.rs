//! Feeds over HTTP: canonical ones as they were published, others joined from their pieces.
//!
//! Feeds never redirect: an old slug, another order of a query or an unknown key answers with the bytes and
//! the tag of the canonical feed, and says where that is by Content-Location (RFC 9110, 8.7). The `.ics`
//! suffix wins over Accept.

mod polled;
mod recent;
mod shared;

pub(super) use polled::Polled;
pub(super) use shared::{Poll, closed_name, name, note, own};

use super::conditional::Validators;
use super::encoding::{negotiate, wanted};
use super::representation::{Content, Representation, settled};
use super::{Body, EntityTag, Problem};
use crate::feed::{
    Coding, Feed, FeedKey, Filter, Joined, Options, QueryError, canonical_query, parse_query, session_path,
};
use crate::program::SessionId;
use crate::release::Release;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Response;
use http::header::{CONTENT_DISPOSITION, CONTENT_LOCATION};
use http::request::Parts;

const CALENDAR: &str = "text/calendar; charset=utf-8";

/// A canonical feed, or the program filtered, with options.
pub(super) fn public(
    key: FeedKey,
    release: &Release,
    request: &Parts,
    now: DateTime<Utc>,
) -> Result<Response<Body>, Problem> {
    let slugs = &release.ledger.slugs;
    let asked = key;
    let key = asked.clone().resolve(slugs).ok_or(Problem::NotFound)?;
    let feed = release.feeds.feed(&key).ok_or(Problem::NotFound)?;
    if request.uri.query().is_none() && asked == key {
        // What nearly every subscriber asks for: nothing to parse, and no other address to tell.
        return Source::Canonical(feed).representation(request, None, now).answer(request);
    }
    let pairs = pairs(request);
    let (filter, options) = if key == FeedKey::Program {
        parse_query(borrowed(&pairs), slugs)?
    } else {
        (Filter::default(), options(&pairs)?)
    };
    let source = if !filter.is_empty() {
        Source::Joined(release.feeds.filtered(&filter, options, slugs))
    } else if options != Options::default() {
        Source::Joined(release.feeds.optioned(feed, options))
    } else {
        Source::Canonical(feed)
    };
    let mut representation = source.representation(request, None, now);
    let mut wanted = filter.pairs();
    wanted.extend(options.pairs());
    wanted.sort();
    if asked != key || !same(&pairs, &wanted) {
        let query = canonical_query(&filter, &options);
        let query = if query.is_empty() { query } else { format!("?{query}") };
        representation.fields.push((CONTENT_LOCATION, format!("{key}{query}")));
    }
    representation.answer(request)
}

/// One session, as a download.
pub(super) fn session(
    id: &SessionId,
    release: &Release,
    request: &Parts,
    now: DateTime<Utc>,
) -> Result<Response<Body>, Problem> {
    let pairs = pairs(request);
    let options = options(&pairs)?;
    let entry = release.ledger.entries.get(id).ok_or(Problem::NotFound)?;
    let joined = release.feeds.single(id, &entry.session.title, options).ok_or(Problem::NotFound)?;
    let mut representation = Source::Joined(joined).representation(request, None, now);
    representation.fields.push((CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.ics\"")));
    if !same(&pairs, &options.pairs()) {
        let query = canonical_query(&Filter::default(), &options);
        let query = if query.is_empty() { query } else { format!("?{query}") };
        representation.fields.push((CONTENT_LOCATION, format!("{}{query}", session_path(id))));
    }
    representation.answer(request)
}

/// Where the bytes come from.
enum Source<'a> {
    Canonical(&'a Feed),
    Joined(Joined<'a>),
}

impl<'a> Source<'a> {
    /// `floor` is a time before which the feed cannot have changed last, beside its own.
    fn representation(
        self,
        request: &Parts,
        floor: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Representation<'a> {
        let settled = |modified: DateTime<Utc>| settled(floor.map_or(modified, |f| f.max(modified)), now);
        match self {
            Self::Canonical(feed) => {
                // A coding may be swapped for a better one at any time, so tag and bytes come from one look.
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
                made(tag, modified, coding, move || Ok(joined_body(&joined, coding)))
            }
        }
    }
}

/// A joined feed exists plain and as one gzip member.
fn joined_coding(request: &Parts) -> Coding {
    negotiate(&request.headers, |coding| coding == Coding::Gzip)
}

fn joined_tag(hash: &str, coding: Coding) -> EntityTag {
    if coding == Coding::Gzip { EntityTag::coded(hash, coding, 'j') } else { EntityTag::plain(hash) }
}

/// The body in a coding, or plain where that is no longer. The tag of the coding stays: it fixes the feed, so it fixes
/// which of the two is smaller.
fn joined_body(joined: &Joined<'_>, coding: Coding) -> (Coding, Bytes) {
    let gzip = if coding == Coding::Gzip { joined.gzip() } else { None };
    gzip.map_or_else(|| (Coding::Identity, joined.identity()), |gzip| (Coding::Gzip, gzip))
}

/// A feed whose body is made if it is sent.
fn made<'a>(
    tag: EntityTag,
    modified: Option<DateTime<Utc>>,
    coding: Coding,
    body: impl FnOnce() -> Result<(Coding, Bytes), Problem> + 'a,
) -> Representation<'a> {
    let validators = Validators { tag, modified };
    let body = Content::MadeIn(Box::new(body));
    Representation { media_type: CALENDAR, validators, coding, body, fields: Vec::new() }
}

/// A query's pairs, decoded.
pub(super) fn pairs(request: &Parts) -> Vec<(String, String)> {
    let query = request.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// A query's pairs, lent.
pub(super) fn borrowed(pairs: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
}

/// The options of a query that filters nothing.
pub(super) fn options(pairs: &[(String, String)]) -> Result<Options, Problem> {
    let mut options = Options::default();
    for (key, value) in borrowed(pairs) {
        options.take(key, value).map_err(QueryError::from)?;
    }
    Ok(options)
}

/// Whether a query is spelt canonically, but for its percent-encoding.
fn same(pairs: &[(String, String)], canonical: &[(&'static str, String)]) -> bool {
    borrowed(pairs).eq(canonical.iter().map(|(key, value)| (*key, value.as_str())))
}
