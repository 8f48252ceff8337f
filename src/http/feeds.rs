//! Feeds over HTTP. Canonical feeds are served as published; other feeds are joined from the stored VEVENTs.
//!
//! Feeds never redirect: an old slug, another order of a query or an unknown key gets the bytes and the tag of the
//! canonical feed, whose address is in Content-Location (RFC 9110, 8.7). The `.ics` suffix wins over Accept.

mod joined;
mod polled;

pub(super) use joined::JoinedValidators;
pub(super) use polled::PolledFeeds;

use super::agendas::{Agendas, FollowedLink};
use super::allowance::Allowed;
use super::conditional::{http_date, is_unchanged};
use super::policy::Class;
use super::query::Query;
use super::queue::Queue;
use super::reply::{Answer, Content, Representation, make_heads, stable_last_modified};
use super::teams::{self, OpenedTeam};
use super::{Body, Problem};
use crate::agenda::{Members, ReadToken};
use crate::feed::{
    Coding, Feed, FeedFilter, FeedKey, FeedOptions, JoinedFeed, ResponseHeads, canonical_query, parse_query,
    session_path,
};
use crate::freshness::{Family, FeedKind, Freshness, LinkHash, Seen};
use crate::program::{SessionId, Text};
use crate::release::Release;
use crate::store::AgendaRecord;
use crate::texts::Texts;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{CONTENT_DISPOSITION, CONTENT_LOCATION, ETAG, HeaderName, LAST_MODIFIED, USER_AGENT};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use joined::{FeedSource, calendar, joined_body, joined_coding, joined_tag, published};
use polled::{CachedFeed, PolledFeed};
use std::sync::{Arc, LazyLock};

/// The feed at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FeedAddress {
    /// A canonical feed, with its filters and options.
    Public(FeedKey),
    /// One session as a download.
    Session(SessionId),
    /// A shared agenda.
    Agenda(ReadToken),
    /// Several shared agendas.
    Team(Members),
}

/// A request for a feed.
pub(super) struct FeedRequest<'a> {
    pub(super) agendas: &'a Agendas,
    pub(super) polled: &'a PolledFeeds,
    pub(super) validators: &'a JoinedValidators,
    pub(super) freshness: &'a Freshness,
    pub(super) release: Arc<Release>,
    pub(super) now: DateTime<Utc>,
    pub(super) queue: &'a Queue,
    pub(super) allowed: Allowed<'a>,
}

impl FeedRequest<'_> {
    /// The final answer for a feed that needs no turn, because it is in memory or joined from a few VEVENTs.
    pub(super) fn ready(&self, address: &FeedAddress, request: &Parts) -> Option<Answer> {
        match address {
            FeedAddress::Public(key) if request.uri.query().is_none() => Some(self.canonical(key, request)),
            FeedAddress::Session(id) => Some(self.session(id, request)),
            FeedAddress::Agenda(token) => Some(self.agenda(token, request, true)),
            FeedAddress::Public(_) | FeedAddress::Team(_) => None,
        }
    }

    /// The answer for any feed.
    pub(super) async fn answer(&self, address: &FeedAddress, request: &Parts) -> Answer {
        match address {
            FeedAddress::Public(key) => self.public(key, request).await,
            FeedAddress::Session(id) => self.session(id, request),
            FeedAddress::Agenda(token) => self.agenda(token, request, false),
            FeedAddress::Team(members) => self.team(members, request).await,
        }
    }

    /// A feed as it was published, for a request without a query. Nearly every subscriber sends such requests.
    fn canonical(&self, address: &FeedKey, request: &Parts) -> Answer {
        let (key, feed) = self.resolve(address)?;
        let published = published(feed, stable_last_modified(feed.modified, self.now));
        let answer = if *address == key && published.modified.is_some() {
            published.answer(request, Class::PublicFeed, |_| {})?
        } else {
            let mut representation = published.representation(request);
            if *address != key {
                representation.fields.push((CONTENT_LOCATION, key.to_string()));
            }
            representation.answer(request)?
        };
        self.note_public(&key, request);
        Ok(answer)
    }

    /// Counts a client that got a public feed, or a 304: it has the release now.
    fn note_public(&self, key: &FeedKey, request: &Parts) {
        if request.method != Method::GET {
            return;
        }
        let kind = match key {
            FeedKey::Program => FeedKind::Program,
            FeedKey::Track(_) => FeedKind::Track,
            FeedKey::Day(_) | FeedKey::Room(_) | FeedKey::Speaker(_) => FeedKind::Part,
        };
        let agent = request.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let client = (self.allowed.peer(), agent);
        self.freshness.note_public(kind, Family::of(agent), client, self.release.number(), self.now);
    }

    /// A canonical feed with options, or the program filtered.
    async fn public(&self, address: &FeedKey, request: &Parts) -> Answer {
        let Self { release, now, .. } = self;
        let slugs = &release.ledger.slugs;
        let (key, feed) = self.resolve(address)?;
        let query = Query::of(&request.uri);
        let (filter, options) = if key == FeedKey::Program {
            parse_query(query.pairs(), slugs)?
        } else {
            (FeedFilter::default(), query.feed_options()?)
        };
        let mut canonical = filter.pairs();
        canonical.extend(options.pairs());
        canonical.sort();
        let address_of_feed = with_query(&key.to_string(), &filter, &options);
        let mut fields = Vec::new();
        if *address != key || !query.is_canonical(&canonical) {
            fields.push((CONTENT_LOCATION, address_of_feed.clone()));
        }
        if filter.is_empty() && options == FeedOptions::default() {
            let mut representation = FeedSource::Canonical(feed).representation(request, None, *now);
            representation.fields = fields;
            let answer = representation.answer(request)?;
            self.note_public(&key, request);
            return Ok(answer);
        }
        let join = || match filter.is_empty() {
            true => release.feeds.with_options(feed, options),
            false => release.feeds.filtered(&filter, options, slugs),
        };
        let answer = self.joined(address_of_feed, None, fields, request, join).await?;
        self.note_public(&key, request);
        Ok(answer)
    }

    fn resolve(&self, address: &FeedKey) -> Result<(FeedKey, &Feed), Problem> {
        let key = address.clone().resolve(&self.release.ledger.slugs).ok_or(Problem::NotFound)?;
        let feed = self.release.feeds.feed(&key).ok_or(Problem::NotFound)?;
        Ok((key, feed))
    }

    /// Answers with a feed that is joined in a turn. A client that already has the feed gets its 304 without a turn
    /// if the validators are cached under `name`.
    async fn joined<'a>(
        &'a self,
        name: String,
        floor: Option<DateTime<Utc>>,
        fields: Vec<(HeaderName, String)>,
        request: &Parts,
        join: impl FnOnce() -> JoinedFeed<'a>,
    ) -> Answer {
        let Self { release, validators, now, .. } = self;
        let known = validators.find(&name, release);
        if let Some(answer) = known.and_then(|known| known.unchanged(request, floor, *now, &fields)) {
            return answer;
        }
        let join = || {
            let joined = join();
            validators.insert(name, release, &joined);
            let mut representation =
                FeedSource::Joined(Box::new(joined)).representation(request, floor, *now);
            representation.fields = fields;
            representation.answer(request)
        };
        self.queue.make(join).await?
    }

    /// One session as a download.
    fn session(&self, id: &SessionId, request: &Parts) -> Answer {
        let Self { release, now, .. } = self;
        let query = Query::of(&request.uri);
        let options = query.feed_options()?;
        let entry = release.ledger.entries.get(id).ok_or(Problem::NotFound)?;
        let joined = release.feeds.single(id, &entry.session.title, options).ok_or(Problem::NotFound)?;
        let mut representation = FeedSource::Joined(Box::new(joined)).representation(request, None, *now);
        representation.fields.push((CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.ics\"")));
        if !query.is_canonical(&options.pairs()) {
            let address = with_query(&session_path(id), &FeedFilter::default(), &options);
            representation.fields.push((CONTENT_LOCATION, address));
        }
        representation.answer(request)
    }

    /// Answers a read link. A client that gets the feed, or a 304, has seen the release. `is_final`: the answer is sent
    /// as it is, so its head may be complete.
    fn agenda(&self, token: &ReadToken, request: &Parts, is_final: bool) -> Answer {
        let Self { agendas, polled, release, now, .. } = self;
        let options = Query::of(&request.uri).feed_options();
        let valid = options.as_ref().copied().unwrap_or_default();
        let cached = CachedFeed { polled, token, options: valid, release };
        let (known, joined) = match cached.at(agendas.store().generation()) {
            Some(known) => (known, None),
            None => {
                let link = token.hash();
                let behind = agendas.store().linked_agenda(&link)?;
                match cached.of(&behind) {
                    Some(known) => (known, None),
                    None => match agendas.result_of(&behind)? {
                        FollowedLink::Closed { since } => return self.closed(since, request),
                        shared => {
                            let agenda = shared.open()?;
                            let joined = join(&agenda, release, cached.options);
                            let modified = joined.modified.max(floor(&agenda, release));
                            let known = PolledFeed::new(behind, link.0, joined.hash.clone(), modified)
                                .map_err(|_| Problem::NotFound)?;
                            cached.keep(&known);
                            (known, Some(joined))
                        }
                    },
                }
            }
        };
        // Checked after the link is looked up: a revoked link says so, even if the options are invalid.
        options?;
        let link = known.link;
        let usual = is_final.then(|| usual_answer(&known, cached, request, *now)).flatten();
        let answer = match usual {
            Some(answer) => answer,
            None => polled_feed(known, joined, cached, request, *now).answer(request)?,
        };
        if request.method == Method::GET {
            note_fetch(self.freshness, link, release, *now, request);
        }
        Ok(answer)
    }

    /// Answers a combined link. Its subscribers are not the members, so no member's link counts as fetched.
    async fn team(&self, members: &Members, request: &Parts) -> Answer {
        let Self { agendas, release, .. } = self;
        let team = match teams::open(agendas, members, texts_of(release)).await? {
            OpenedTeam::Closed { since } => return self.closed(since, request),
            OpenedTeam::Open(team) => team,
        };
        let options = Query::of(&request.uri).feed_options()?;
        let floor = team.changed.max(release.published());
        let name = with_query(&team.state(), &FeedFilter::default(), &options);
        let join = || release.feeds.team(&team.sharing(), options, team.changed);
        self.joined(name, Some(floor), Vec::new(), request, join).await
    }

    /// The empty calendar of a revoked link. Some clients keep the sessions for ever if the feed just disappears.
    fn closed(&self, since: DateTime<Utc>, request: &Parts) -> Answer {
        let about = Text::from(texts_of(&self.release).feed_closed_text);
        let joined = self.release.feeds.revoked(&closed_name(&self.release), &about, since);
        FeedSource::Joined(Box::new(joined)).representation(request, None, self.now).answer(request)
    }
}

/// A path with the canonical form of its query.
fn with_query(path: &str, filter: &FeedFilter, options: &FeedOptions) -> String {
    let query = canonical_query(filter, options);
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Records that a calendar fetched the release.
pub(super) fn note_fetch(
    freshness: &Freshness,
    link: LinkHash,
    release: &Release,
    at: DateTime<Utc>,
    request: &Parts,
) {
    let agent = request.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let by = Family::of(agent.unwrap_or_default());
    freshness.note(link, Seen { at, by, release: release.number() });
}

/// An agenda's feed as a download for its owner.
pub(super) fn agenda_download(
    agenda: &AgendaRecord,
    release: &Release,
    request: &Parts,
    now: DateTime<Utc>,
) -> Answer {
    let joined = join(agenda, release, Query::of(&request.uri).feed_options()?);
    let mut representation =
        FeedSource::Joined(Box::new(joined)).representation(request, Some(floor(agenda, release)), now);
    representation.fields.push((CONTENT_DISPOSITION, "attachment; filename=\"agenda.ics\"".to_owned()));
    representation.answer(request)
}

fn join<'a>(agenda: &AgendaRecord, release: &'a Release, options: FeedOptions) -> JoinedFeed<'a> {
    release.feeds.agenda(&agenda_name(agenda, release), &agenda.picks, options, agenda.modified)
}

fn floor(agenda: &AgendaRecord, release: &Release) -> DateTime<Utc> {
    agenda.modified.max(release.published())
}

/// The answer to a usual request for a feed with known validators: without conditions, if the body is in the cache, or
/// with the entity tag of the feed.
fn usual_answer(
    known: &PolledFeed,
    cached: CachedFeed<'_>,
    request: &Parts,
    now: DateTime<Utc>,
) -> Option<Response<Body>> {
    let coding = joined_coding(request);
    let (tag, modified) = (known.tag(coding), stable_last_modified(known.modified, now)?);
    let mut response = Response::new(Body::Empty);
    *response.headers_mut() = match is_unchanged(&request.headers, tag)? {
        true => {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            agenda_heads(coding)?.not_modified.clone()
        }
        false => {
            let (coding, body) = cached.body(tag)?;
            *response.body_mut() = body.into();
            agenda_heads(coding)?.ok.clone()
        }
    };
    response.headers_mut().insert(ETAG, tag.clone());
    response.headers_mut().insert(LAST_MODIFIED, http_date(modified));
    Some(response)
}

/// The heads of the responses with an agenda's feed, apart from its entity tag and time.
fn agenda_heads(coding: Coding) -> Option<&'static ResponseHeads> {
    static HEADS: LazyLock<[Option<ResponseHeads>; 2]> = LazyLock::new(|| {
        [Coding::Identity, Coding::Gzip].map(|coding| {
            let body = || Content::Kept(Bytes::from_static(b"\n"));
            let feed = || calendar(joined_tag("", coding), Some(DateTime::UNIX_EPOCH), coding, body());
            make_heads(Class::AgendaFeed, |request| feed().answer(request)).ok()
        })
    });
    let [plain, gzip] = &*HEADS;
    if coding == Coding::Gzip { gzip.as_ref() } else { plain.as_ref() }
}

/// A feed with known validators. Its body is joined only if it is sent and is not in the cache.
fn polled_feed<'a>(
    known: Arc<PolledFeed>,
    joined: Option<JoinedFeed<'a>>,
    cached: CachedFeed<'a>,
    request: &Parts,
    now: DateTime<Utc>,
) -> Representation<'a> {
    let coding = joined_coding(request);
    let (tag, modified) = (joined_tag(&known.hash, coding), stable_last_modified(known.modified, now));
    let body = move || {
        let tag = known.tag(coding);
        if let Some(body) = cached.body(tag) {
            return Ok(body);
        }
        let joined = match joined {
            Some(joined) => joined,
            None => join(&known.source().agenda()?.ok_or(Problem::Gone)?, cached.release, cached.options),
        };
        let (coding, body) = joined_body(&joined, coding);
        cached.keep_body(tag, coding, &body);
        Ok((coding, body))
    };
    calendar(tag, modified, coding, Content::MadeIn(Box::new(body)))
}

/// The calendar name of an agenda.
pub(super) fn agenda_name(agenda: &AgendaRecord, release: &Release) -> Text {
    match agenda.name.is_empty() {
        true => Text::line(&texts_of(release).feed_my_agenda(release.program.conference.title.as_str())).0,
        false => Text::line(&agenda.name).0,
    }
}

fn texts_of(release: &Release) -> &'static Texts {
    Texts::of(&release.program.conference.language)
}

/// The calendar name of a revoked link.
pub(super) fn closed_name(release: &Release) -> Text {
    Text::line(&texts_of(release).feed_closed(release.program.conference.title.as_str())).0
}
