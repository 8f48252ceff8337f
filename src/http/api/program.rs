//! `/api/v1`, the public part: the program as JSON.
//!
//! A document is rendered from the live release on its first request and cached until the next release; its tag is
//! the hash of its bytes. Long lists come in pages. Cursors into sessions belong to one release, since a move would
//! repeat one session and skip another; cursors into other lists survive a publication.
//!
//! A session that is withdrawn today appears in the changes only as withdrawn, by its id, and only if it was public
//! before: a mirror of the program must know what to remove.

use super::openapi;
use super::{Fields, MAX_PAGE, MAX_RELEASES, PageCursor, join_query, limit_pair, next_path};
use crate::export::{
    Exported, ProgramDocument, SessionDocument, is_public_change, speaker_documents, track_documents,
};
use crate::feed::{Cancelled, FeedFilter, FeedOptions, canonical_query, parse_query};
use crate::http::Problem;
use crate::http::changes::{MAX_HISTORY, ReleaseHistory, ReleaseRecords};
use crate::http::query::{ParameterError, Query};
use crate::http::queue::Queue;
use crate::http::render_cache::{CacheKey, RenderCache, RenderRequest};
use crate::http::reply::{Answer, JSON};
use crate::program::{Change, ChangeKind, SessionId, Status};
use crate::publisher::describe_changes;
use crate::release::Release;
use crate::revision::Digest;
use crate::store::{ReleaseRecord, Store};
use chrono::{DateTime, SecondsFormat, Utc};
use http::request::Parts;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most bytes of cached documents.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// The cached documents of the live release.
#[derive(Debug)]
pub(in crate::http) struct Documents(RenderCache);

impl Default for Documents {
    fn default() -> Self {
        Self(RenderCache::new(MAX_BYTES, 1000))
    }
}

/// A request for a document.
pub(in crate::http) struct ProgramRequest<'a> {
    pub(in crate::http) documents: &'a Documents,
    pub(in crate::http) store: &'a Store,
    pub(in crate::http) history: &'a ReleaseHistory,
    pub(in crate::http) release: Arc<Release>,
    pub(in crate::http) head: &'a Parts,
    pub(in crate::http) now: DateTime<Utc>,
    pub(in crate::http) queue: &'a Queue,
}

impl ProgramRequest<'_> {
    pub(in crate::http) async fn openapi(self) -> Answer {
        self.render(cached("openapi"), |_| Ok(openapi::document().clone())).await
    }

    pub(in crate::http) async fn program(self) -> Answer {
        self.render(cached("program"), |release| Ok(json!(ProgramDocument::of(release)))).await
    }

    pub(in crate::http) async fn tracks(self) -> Answer {
        let tracks = |release: &Release| {
            Ok(json!({ "release": release.number(), "tracks": track_documents(release) }))
        };
        self.render(cached("tracks"), tracks).await
    }

    pub(in crate::http) async fn sessions(self) -> Answer {
        let query = self.query();
        let (filter, options) = parse_query(query.pairs(), &self.release.ledger.slugs)?;
        let (fields, limit) = (Fields::of(&query)?, query.limit(MAX_PAGE)?);
        let without_cancelled = options.cancelled == Cancelled::Drop;
        let list = SessionList { filter, without_cancelled, fields, limit };
        let from = match PageCursor::of(&query, "sessions")? {
            Some(cursor) => list.start(&cursor, &self.release)?,
            None => 0,
        };
        let name = format!("sessions {from} {}", list.canonical());
        let is_cacheable = limit == MAX_PAGE && from % MAX_PAGE == 0 && list.fields.text().is_empty();
        self.render(CacheKey { name, is_cacheable }, move |release| Ok(list.page(release, from))).await
    }

    pub(in crate::http) async fn session(self, id: SessionId) -> Answer {
        let fields = Fields::of(&self.query())?;
        if self.release.feeds.event(&id).is_none() {
            return Err(Problem::NotFound);
        }
        let key = CacheKey { name: format!("session {id}"), is_cacheable: fields.text().is_empty() };
        let session = move |release: &Release| {
            let entry = release.ledger.entries.get(&id).ok_or(Problem::NotFound)?;
            Ok(fields.select(json!(SessionDocument::of(entry, release))))
        };
        self.render(key, session).await
    }

    pub(in crate::http) async fn speakers(self) -> Answer {
        let query = self.query();
        let limit = query.limit(MAX_PAGE)?;
        let after = PageCursor::of(&query, "speakers")?.map(|cursor| cursor.part::<String>(0)).transpose()?;
        let key = CacheKey { name: format!("speakers {after:?}"), is_cacheable: limit == MAX_PAGE };
        let speakers = move |release: &Release| {
            let mut all = speaker_documents(release);
            if let Some(after) = &after {
                all.retain(|speaker| speaker.slug() > after.as_str());
            }
            let more = all.len() > limit;
            all.truncate(limit);
            let next = all.last().filter(|_| more).map(|last| PageCursor::new("speakers", [last.slug()]));
            let next =
                next.map(|cursor| next_path("/api/v1/speakers", &limit_pair(limit, MAX_PAGE), &cursor));
            let next = next.map(|path| release.program.conference.link(&path));
            Ok(json!({ "release": release.number(), "speakers": all, "next": next }))
        };
        self.render(key, speakers).await
    }

    pub(in crate::http) async fn releases(self) -> Answer {
        let query = self.query();
        let limit = query.limit(MAX_RELEASES)?;
        let before = PageCursor::of(&query, "releases")?.map(|cursor| cursor.part::<u64>(0)).transpose()?;
        let key = CacheKey { name: format!("releases {before:?}"), is_cacheable: limit == MAX_RELEASES };
        let releases = move |release: &Release, records: &ReleaseRecords, store: &Store| {
            releases(release, records, store, limit, before)
        };
        self.render_from_store(key, releases).await
    }

    pub(in crate::http) async fn changes(self) -> Answer {
        let query = ChangesQuery::of(&self.query(), &self.release)?;
        let key = CacheKey { name: format!("changes {query:?}"), is_cacheable: query.limit == MAX_PAGE };
        self.render_from_store(key, move |release, records, _| Ok(query.changes(release, records))).await
    }

    fn query(&self) -> Query {
        Query::of(&self.head.uri)
    }

    fn request(&self) -> RenderRequest<'_> {
        RenderRequest { release: &self.release, head: self.head, now: self.now, queue: self.queue }
    }

    async fn render(
        &self,
        key: CacheKey,
        document: impl FnOnce(&Release) -> Result<Value, Problem>,
    ) -> Answer {
        let render = move |release: &Release| Ok(exported(&document(release)?, release));
        self.documents.0.answer(key, self.request(), render).await
    }

    async fn render_from_store(
        &self,
        key: CacheKey,
        document: impl FnOnce(&Release, &ReleaseRecords, &Store) -> Result<Value, Problem> + Send + 'static,
    ) -> Answer {
        let history = self.history.clone();
        let render = move |release: &Arc<Release>, store: &Store| {
            Ok(exported(&document(release, &*history.of(release, store)?, store)?, release))
        };
        self.documents.0.answer_from_store(key, self.request(), self.store, render).await
    }
}

fn exported(document: &Value, release: &Release) -> Exported {
    let mut bytes = document.to_string().into_bytes();
    bytes.push(b'\n');
    Exported::new(JSON, bytes, release.published())
}

/// The key of a document that has no parameters.
fn cached(name: &str) -> CacheKey {
    CacheKey { name: name.to_owned(), is_cacheable: true }
}

/// The sessions of a query, in pages.
struct SessionList {
    filter: FeedFilter,
    without_cancelled: bool,
    fields: Fields,
    limit: usize,
}

impl SessionList {
    /// The query in canonical form, without the cursor.
    fn canonical(&self) -> String {
        let cancelled = if self.without_cancelled { Cancelled::Drop } else { Cancelled::default() };
        let options = FeedOptions { cancelled, ..FeedOptions::default() };
        let fields = self.fields.text();
        let fields = if fields.is_empty() { fields } else { format!("fields={fields}") };
        join_query([canonical_query(&self.filter, &options), fields, limit_pair(self.limit, MAX_PAGE)])
    }

    /// The digest of the query. A cursor holds it and is valid only for the same query.
    fn seal(&self) -> String {
        Digest::of(self.canonical().as_bytes()).short()
    }

    /// Where the page of a cursor starts.
    fn start(&self, cursor: &PageCursor, release: &Release) -> Result<usize, ParameterError> {
        let (number, from, seal) = (cursor.part::<u64>(0)?, cursor.part(1)?, cursor.part::<String>(2)?);
        if seal != self.seal() {
            return Err(PageCursor::foreign());
        }
        if number == release.number() { Ok(from) } else { Err(ParameterError::Stale) }
    }

    fn page(&self, release: &Release, from: usize) -> Value {
        let admitted = release.feeds.matching(&self.filter);
        let mut events = admitted.filter(|event| !(event.cancelled && self.without_cancelled)).skip(from);
        let page = events.by_ref().take(self.limit);
        let entries = page.filter_map(|event| release.ledger.entries.get(&event.id));
        let sessions: Vec<Value> =
            entries.map(|entry| self.fields.select(json!(SessionDocument::of(entry, release)))).collect();
        let next = events.next().map(|_| {
            let place = [release.number().to_string(), (from + self.limit).to_string(), self.seal()];
            let path = next_path("/api/v1/sessions", &self.canonical(), &PageCursor::new("sessions", place));
            release.program.conference.link(&path)
        });
        json!({ "release": release.number(), "sessions": sessions, "next": next })
    }
}

/// A page of releases before one, the latest first.
fn releases(
    release: &Release,
    records: &ReleaseRecords,
    store: &Store,
    limit: usize,
    before: Option<u64>,
) -> Result<Value, Problem> {
    let end = before.unwrap_or(u64::MAX).min(release.number() + 1);
    let start = end.saturating_sub(limit as u64).max(1);
    let mut releases = Vec::new();
    for number in (start..end).rev() {
        let older = if records.get(number).is_none() { store.release(number)? } else { None };
        let Some(record) = records.get(number).or(older.as_ref()) else { continue };
        let mut changes: BTreeMap<&str, usize> = BTreeMap::new();
        for change in record.changes.iter().filter(|change| is_public_change(change, release)) {
            *changes.entry(change.kind.as_str()).or_default() += 1;
        }
        releases.push(json!({ "release": number, "published": published(record), "changes": changes }));
    }
    let next = (start > 1).then(|| PageCursor::new("releases", [start]));
    let next = next.map(|cursor| next_path("/api/v1/releases", &limit_pair(limit, MAX_RELEASES), &cursor));
    let next = next.map(|path| release.program.conference.link(&path));
    Ok(json!({ "running": release.number(), "releases": releases, "next": next }))
}

/// A query for changes.
#[derive(Debug)]
struct ChangesQuery {
    since: u64,
    limit: usize,
    /// The release and the session at the end of the previous page.
    after: Option<(u64, String)>,
}

impl ChangesQuery {
    fn of(query: &Query, release: &Release) -> Result<Self, ParameterError> {
        let newest = release.number();
        let since = query.number("since")?;
        let since = since
            .ok_or_else(|| ParameterError::invalid("since", "name the release that you have, such as 1"))?;
        if since > newest {
            return Err(ParameterError::Future { since, newest });
        }
        let oldest = newest.saturating_sub(MAX_HISTORY);
        if since < oldest {
            return Err(ParameterError::TooOld { oldest });
        }
        let after = PageCursor::of(query, "changes")?
            .map(|cursor| Ok((cursor.part(0)?, cursor.part(1)?)))
            .transpose()?;
        Ok(Self { since, limit: query.limit(MAX_PAGE)?, after })
    }

    /// Release by release, and by session id within each.
    fn changes(&self, release: &Release, records: &ReleaseRecords) -> Value {
        let first = self.after.as_ref().map_or(self.since + 1, |(number, _)| *number).max(self.since + 1);
        let mut changes: Vec<Value> = Vec::new();
        let (mut last, mut has_more) = (None, false);
        'releases: for number in first..=release.number() {
            let Some(record) = records.get(number) else { continue };
            let mut public: Vec<&Change> =
                record.changes.iter().filter(|one| is_public(one, release)).collect();
            public.sort_by(|a, b| a.session.cmp(&b.session));
            if let Some((at, session)) = &self.after {
                public.retain(|change| number > *at || change.session.as_str() > session.as_str());
            }
            for change in public {
                if changes.len() == self.limit {
                    has_more = true;
                    break 'releases;
                }
                changes.push(change_document(change, record, release));
                last = Some((number, change.session.to_string()));
            }
        }
        let next = last.filter(|_| has_more).map(|(number, session)| {
            let query = join_query([format!("since={}", self.since), limit_pair(self.limit, MAX_PAGE)]);
            let cursor = PageCursor::new("changes", [number.to_string(), session]);
            release.program.conference.link(&next_path("/api/v1/changes", &query, &cursor))
        });
        json!({ "since": self.since, "release": release.number(), "changes": changes, "next": next })
    }
}

fn is_public(change: &Change, release: &Release) -> bool {
    let was_public = change.before.as_ref().is_some_and(|session| session.status != Status::Withdrawn);
    is_public_change(change, release) || (change.kind == ChangeKind::Withdrawn && was_public)
}

fn change_document(change: &Change, record: &ReleaseRecord, release: &Release) -> Value {
    let mut public = change.clone();
    // The text of a withdrawn session was never public.
    public.before = public.before.filter(|session| session.status != Status::Withdrawn);
    let zone = release.program.conference.zone;
    let mut value = json!(describe_changes(&[public], zone).pop());
    if let Value::Object(members) = &mut value {
        members.insert("release".to_owned(), json!(record.number));
        members.insert("published".to_owned(), json!(published(record)));
    }
    value
}

fn published(record: &ReleaseRecord) -> String {
    record.published.to_rfc3339_opts(SecondsFormat::Secs, true)
}
