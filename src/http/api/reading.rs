//! `/api/v1`, the public side: the program as JSON, read by anybody from anywhere.
//!
//! A document is made of the running release when it is first asked for and kept until the next; its tag is
//! the hash of its bytes, which nothing but the release decides. A list has an upper bound for one answer and
//! says where it goes on in `next`. Cursors into sessions belong to a release, since a move would show one
//! twice and another never; the others go by what never changes.

use super::cursor::Cursor;
use super::history;
use super::openapi;
use super::query::{AskError, Fields, Query, next_path, together};
use crate::export::{Exported, ProgramDocument, SessionDocument, speaker_documents, track_documents};
use crate::feed::{Cancelled, Filter, Options, canonical_query, parse_query};
use crate::http::kept::{Ask, Asked, Kept};
use crate::http::queue::Queue;
use crate::http::{Body, Problem};
use crate::program::SessionId;
use crate::release::Release;
use crate::revision::Digest;
use crate::store::Store;
use chrono::{DateTime, Utc};
use http::Response;
use http::request::Parts;
use serde_json::{Value, json};
use std::sync::Arc;

/// Sessions, speakers or changes in one answer.
pub(super) const MOST: usize = 500;
/// Releases in one answer.
pub(super) const MOST_RELEASES: usize = 50;

/// Bytes of documents kept at most.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) enum Reading {
    Program,
    Sessions,
    Session(SessionId),
    Tracks,
    Speakers,
    Releases,
    Changes,
    /// The description of the API.
    OpenApi,
}

/// The reader of the API, with what it has made of the running release.
#[derive(Debug)]
pub(in crate::http) struct Reader(Kept);

/// What one reading works with.
struct Look<'a> {
    reader: &'a Reader,
    release: &'a Arc<Release>,
    ask: Ask<'a>,
}

impl Default for Reader {
    fn default() -> Self {
        Self(Kept::within(MOST_BYTES, 1000))
    }
}

impl Reader {
    /// Answers.
    pub(in crate::http) async fn answer(
        &self,
        reading: Reading,
        release: &Arc<Release>,
        store: &Store,
        request: &Parts,
        now: DateTime<Utc>,
        queue: &Queue,
    ) -> Result<Response<Body>, Problem> {
        let query = Query::of(request);
        let look = Look { reader: self, ask: Ask { release, request, now, queue }, release };
        match reading {
            Reading::Program => {
                look.keep(kept("program"), |release| Ok(json!(ProgramDocument::of(release)))).await
            }
            Reading::Sessions => look.sessions(&query).await,
            Reading::Session(id) => look.session(id, &query).await,
            Reading::Tracks => look.keep(kept("tracks"), |release| Ok(tracks(release))).await,
            Reading::Speakers => look.speakers(&query).await,
            Reading::Releases => {
                let limit = query.limit(MOST_RELEASES)?;
                let before = query.cursor("releases")?.map(|cursor| cursor.part::<u64>(0)).transpose()?;
                let store = store.clone();
                let name = format!("releases {before:?}");
                look.keep(Asked { name, is_kept: limit == MOST_RELEASES }, move |release| {
                    history::releases(release, &store, limit, before)
                })
                .await
            }
            Reading::Changes => {
                let asked = history::Asked::of(&query, release)?;
                let store = store.clone();
                let kept = Asked { name: format!("changes {asked:?}"), is_kept: asked.limit == MOST };
                look.keep(kept, move |release| asked.answer(release, &store)).await
            }
            Reading::OpenApi => look.keep(kept("openapi"), |_| Ok(openapi::document().clone())).await,
        }
    }
}

impl Look<'_> {
    async fn keep(
        &self,
        asked: Asked,
        make: impl FnOnce(&Release) -> Result<Value, Problem>,
    ) -> Result<Response<Body>, Problem> {
        let make = move |release: &Release| {
            let mut bytes = make(release)?.to_string().into_bytes();
            bytes.push(b'\n');
            Ok(Exported::new(super::JSON, bytes, release.published()))
        };
        self.reader.0.answer(asked, self.ask, make).await
    }

    async fn sessions(&self, query: &Query) -> Result<Response<Body>, Problem> {
        let (filter, options) = parse_query(query.pairs(), &self.release.ledger.slugs)?;
        let (fields, limit) = (query.fields()?, query.limit(MOST)?);
        let page = Page { filter, without_cancelled: options.cancelled == Cancelled::Drop, fields, limit };
        let from = match query.cursor("sessions")? {
            Some(cursor) => page.from(&cursor, self.release)?,
            None => 0,
        };
        let name = format!("sessions {from} {}", page.canonical());
        let is_kept = page.limit == MOST && from % MOST == 0 && page.fields.text().is_empty();
        self.keep(Asked { name, is_kept }, move |release| Ok(page.sessions(release, from))).await
    }

    async fn session(&self, id: SessionId, query: &Query) -> Result<Response<Body>, Problem> {
        let fields = query.fields()?;
        if self.release.feeds.event(&id).is_none() {
            return Err(Problem::NotFound);
        }
        let asked = Asked { name: format!("session {id}"), is_kept: fields.text().is_empty() };
        let make = move |release: &Release| {
            let entry = release.ledger.entries.get(&id).ok_or(Problem::NotFound)?;
            Ok(fields.select(json!(SessionDocument::of(entry, release))))
        };
        self.keep(asked, make).await
    }

    async fn speakers(&self, query: &Query) -> Result<Response<Body>, Problem> {
        let limit = query.limit(MOST)?;
        let after = query.cursor("speakers")?.map(|cursor| cursor.part::<String>(0)).transpose()?;
        let asked = Asked { name: format!("speakers {after:?}"), is_kept: limit == MOST };
        let make = move |release: &Release| {
            let mut all = speaker_documents(release);
            if let Some(after) = &after {
                all.retain(|speaker| speaker.slug() > after.as_str());
            }
            let more = all.len() > limit;
            all.truncate(limit);
            let next = all.last().filter(|_| more).map(|last| Cursor::new("speakers", [last.slug()]));
            let next = next.map(|cursor| next_path("/api/v1/speakers", &limited(limit, MOST), &cursor));
            let next = next.map(|path| release.program.conference.link(&path));
            Ok(json!({ "release": release.number(), "speakers": all, "next": next }))
        };
        self.keep(asked, make).await
    }
}

/// A document that there is one of.
fn kept(name: &str) -> Asked {
    Asked { name: name.to_owned(), is_kept: true }
}

fn tracks(release: &Release) -> Value {
    json!({ "release": release.number(), "tracks": track_documents(release) })
}

/// `limit=…` where it is not the most anyway.
pub(super) fn limited(limit: usize, most: usize) -> String {
    if limit == most { String::new() } else { format!("limit={limit}") }
}

/// Which sessions, and what of them.
struct Page {
    filter: Filter,
    without_cancelled: bool,
    fields: Fields,
    limit: usize,
}

impl Page {
    /// The query in its one spelling, without the cursor.
    fn canonical(&self) -> String {
        let cancelled = if self.without_cancelled { Cancelled::Drop } else { Cancelled::default() };
        let options = Options { cancelled, ..Options::default() };
        let fields = self.fields.text();
        let fields = if fields.is_empty() { fields } else { format!("fields={fields}") };
        together([canonical_query(&self.filter, &options), fields, limited(self.limit, MOST)])
    }

    /// Ties a cursor to the query that it goes on with.
    fn seal(&self) -> String {
        Digest::of(self.canonical().as_bytes()).short()
    }

    fn from(&self, cursor: &Cursor, release: &Release) -> Result<usize, AskError> {
        let (number, from, seal) = (cursor.part::<u64>(0)?, cursor.part(1)?, cursor.part::<String>(2)?);
        if seal != self.seal() {
            return Err(Cursor::foreign());
        }
        if number == release.number() { Ok(from) } else { Err(AskError::Stale) }
    }

    fn sessions(&self, release: &Release, from: usize) -> Value {
        let admitted = release.feeds.admitted(&self.filter);
        let mut events = admitted.filter(|event| !(event.cancelled && self.without_cancelled)).skip(from);
        let page = events.by_ref().take(self.limit);
        let entries = page.filter_map(|event| release.ledger.entries.get(&event.id));
        let sessions: Vec<Value> =
            entries.map(|entry| self.fields.select(json!(SessionDocument::of(entry, release)))).collect();
        let next = events.next().map(|_| {
            let place = [release.number().to_string(), (from + self.limit).to_string(), self.seal()];
            let path = next_path("/api/v1/sessions", &self.canonical(), &Cursor::new("sessions", place));
            release.program.conference.link(&path)
        });
        json!({ "release": release.number(), "sessions": sessions, "next": next })
    }
}
