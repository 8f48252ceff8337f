//! `/api/v1/agenda`: agendas, opened by an edit key in `Authorization: Bearer` (RFC 6750) or shown by a read link.
//!
//! A key that is malformed, unknown or replaced gets the same 401. Changes take If-Match with the agenda's ETag;
//! without If-Match they apply to any state. The ETag covers the whole document. A change compares only its first
//! part, the agenda's own state, so a calendar that fetched the feed meanwhile causes no conflict.

use super::Fields;
use super::json;
use crate::agenda::{Agenda, Busy, EditKey, ReadToken};
use crate::exchange::{self, MatchOutcome, MatchedPick};
use crate::export::SessionDocument;
use crate::feed::Coding;
use crate::freshness::Freshness;
use crate::http::agendas::{AgendaError, Agendas, Created, Owned, ReadLink};
use crate::http::allowance::Allowed;
use crate::http::conditional::Validators;
use crate::http::etag::Tags;
use crate::http::query::Query;
use crate::http::queue::Queue;
use crate::http::reply::{self, Answer, JSON, no_content};
use crate::http::reply::{Content, Representation};
use crate::http::{Body, EntityTag, Problem, feeds};
use crate::program::SessionId;
use crate::publisher::Publisher;
use crate::release::Release;
use crate::revision::Digest;
use crate::store::AgendaRecord;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::Value;
use std::sync::Arc;

/// A request for an agenda.
pub(in crate::http) struct AgendaRequest<'a> {
    pub(in crate::http) agendas: &'a Agendas,
    pub(in crate::http) publisher: &'a Publisher,
    pub(in crate::http) release: Arc<Release>,
    pub(in crate::http) now: DateTime<Utc>,
    pub(in crate::http) queue: &'a Queue,
    pub(in crate::http) freshness: &'a Freshness,
    pub(in crate::http) allowed: Allowed<'a>,
    pub(in crate::http) head: &'a Parts,
    pub(in crate::http) body: Bytes,
}

/// An agenda that is about to be changed.
pub(super) struct AgendaChange {
    pub(super) owned: Owned,
    /// The version that the change requires, if any.
    pub(super) expect: Option<u64>,
}

impl AgendaRequest<'_> {
    pub(in crate::http) async fn create(self) -> Answer {
        let (name, picks) = if self.body.is_empty() {
            (String::new(), Vec::new())
        } else {
            let mut object = json::object(&self.head.headers, &self.body)?;
            let (name, picks) = (object.text("name"), object.texts("picks"));
            object.done()?;
            (name.unwrap_or_default(), picks.unwrap_or_default())
        };
        self.allowed.agenda()?;
        let Created(owned) = self.agendas.create(&name, &picks, &self.release).await?;
        let mut document = self.document(&owned);
        if let Value::Object(members) = &mut document {
            members.insert("edit_key".to_owned(), Value::String(owned.key.reveal()));
        }
        Ok(self.tagged(reply::json(StatusCode::CREATED, &document), &owned))
    }

    pub(in crate::http) async fn show(self) -> Answer {
        let owned = self.open()?;
        let document = self.document(&owned).to_string();
        let tag = tag(&owned, &document);
        self.represent(tag, document)
    }

    pub(in crate::http) async fn rename(self) -> Answer {
        let AgendaChange { owned, expect } = self.change()?;
        let mut object = json::object(&self.head.headers, &self.body)?;
        let name = object.text("name");
        object.done()?;
        let owned = match name {
            Some(name) => self.agendas.rename(owned, expect, &name).await?,
            None => owned,
        };
        Ok(self.tagged(reply::json(StatusCode::OK, &self.document(&owned)), &owned))
    }

    pub(in crate::http) async fn delete(self) -> Answer {
        let AgendaChange { owned, expect } = self.change()?;
        self.agendas.delete(owned, expect).await?;
        Ok(no_content())
    }

    pub(in crate::http) async fn replace_picks(self) -> Answer {
        let AgendaChange { owned, expect } = self.change()?;
        let picks = json::texts(&self.head.headers, &self.body)?;
        let owned = self.agendas.replace_picks(owned, expect, &picks, &self.release).await?;
        Ok(self.tagged(reply::json(StatusCode::OK, &self.document(&owned)), &owned))
    }

    pub(in crate::http) async fn pick(self, session: SessionId) -> Answer {
        let AgendaChange { owned, expect } = self.change()?;
        let owned = match self.rank()? {
            Some(rank) => self.agendas.rank(owned, expect, &session, rank, &self.release).await?,
            None => self.agendas.pick(owned, expect, &session, &self.release).await?,
        };
        Ok(self.tagged(no_content(), &owned))
    }

    pub(in crate::http) async fn unpick(self, session: SessionId) -> Answer {
        let AgendaChange { owned, expect } = self.change()?;
        let owned = self.agendas.unpick(owned, expect, &session, &self.release).await?;
        Ok(self.tagged(no_content(), &owned))
    }

    pub(in crate::http) async fn links(self) -> Answer {
        let owned = self.open()?;
        Ok(self.tagged(reply::json(StatusCode::OK, &self.link_documents(&owned)), &owned))
    }

    pub(in crate::http) async fn add_link(self) -> Answer {
        let AgendaChange { owned, expect } = self.change()?;
        self.allowed.link(&owned.key)?;
        let label = if self.body.is_empty() {
            None
        } else {
            let mut object = json::object(&self.head.headers, &self.body)?;
            let label = object.text("label");
            object.done()?;
            label
        };
        let (owned, link) = self.agendas.add_link(owned, expect, &label.unwrap_or_default()).await?;
        Ok(self.tagged(reply::json(StatusCode::CREATED, &self.link_document(&link, None)), &owned))
    }

    pub(in crate::http) async fn revoke_link(self, n: u32) -> Answer {
        let AgendaChange { owned, expect } = self.change()?;
        let owned = self.agendas.revoke_link(owned, expect, n).await?;
        Ok(self.tagged(no_content(), &owned))
    }

    pub(in crate::http) async fn replace_key(self) -> Answer {
        let AgendaChange { owned, expect } = self.change()?;
        let old = owned.key.clone();
        let replaced = self.agendas.replace_key(owned, expect).await?;
        self.allowed.new_key(&old, &replaced.key);
        let answer = serde_json::json!({ "edit_key": replaced.key.reveal() });
        Ok(self.tagged(reply::json(StatusCode::OK, &answer), &replaced))
    }

    /// A shared agenda by its read link: the content of its page, as JSON. The tag is a hash of the document.
    pub(in crate::http) async fn shared(self, token: ReadToken) -> Answer {
        let fields = Fields::of(&Query::of(&self.head.uri))?;
        let record = self.agendas.shared(&token)?.open()?;
        self.queue.make(|| self.represent_hashed(self.shared_document(&token, &record, &fields))).await?
    }

    fn shared_document(&self, token: &ReadToken, record: &AgendaRecord, fields: &Fields) -> String {
        let release = &self.release;
        let agenda = Agenda::of(&record.picks, release);
        let path = format!("/agendas/{}", token.reveal());
        let sessions = agenda.items.iter().map(|item| {
            let session = fields.select(serde_json::json!(SessionDocument::of(item.entry, release)));
            let overlaps: Vec<&SessionId> = item.overlaps.iter().map(|other| &other.session.id).collect();
            serde_json::json!({ "session": session, "clashes": overlaps, "more_clashes": item.more_overlaps })
        });
        let document = serde_json::json!({
            "name": record.name,
            "release": release.number(),
            "picks": sessions.collect::<Vec<_>>(),
            "gone": agenda.gone,
            "page": release.program.conference.link(&path),
            "feed": release.program.conference.link(&format!("{path}.ics")),
        });
        document.to_string()
    }

    /// The agenda of the edit key.
    pub(super) fn open(&self) -> Result<Owned, AgendaError> {
        self.agendas.open(&edit_key(&self.head.headers)?)
    }

    /// The agenda of the edit key for a change, which counts towards its limit.
    pub(super) fn change(&self) -> Result<AgendaChange, Problem> {
        let owned = self.open()?;
        self.allowed.change(&owned.key)?;
        let expect = expect(&self.head.headers, &owned)?;
        Ok(AgendaChange { owned, expect })
    }

    pub(super) fn represent_hashed(&self, document: String) -> Answer {
        let tag = EntityTag::plain(Digest::of(document.as_bytes()).short());
        self.represent(tag, document)
    }

    /// Represents a document without a modification time, since two changes may share a second.
    fn represent(&self, tag: EntityTag, document: String) -> Answer {
        let representation = Representation {
            media_type: JSON,
            validators: Validators { tag, modified: None },
            coding: Coding::Identity,
            body: Content::Kept(document.into()),
            fields: Vec::new(),
        };
        representation.answer(self.head)
    }

    /// Adds the tag of the agenda's document.
    pub(super) fn tagged(&self, mut response: Response<Body>, owned: &Owned) -> Response<Body> {
        if let Ok(tag) = HeaderValue::from_str(tag(owned, &self.document(owned).to_string()).quoted()) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }

    pub(super) fn document(&self, owned: &Owned) -> Value {
        let picks: Vec<String> = owned.picks(&self.release).iter().map(ToString::to_string).collect();
        serde_json::json!({
            "name": owned.record.name,
            "picks": picks,
            "ranks": owned.ranks(),
            "busy": owned.busy().iter().map(busy_document).collect::<Value>(),
            "read_links": self.link_documents(owned),
        })
    }

    fn link_documents(&self, owned: &Owned) -> Value {
        let last_fetch = |link: &ReadLink| {
            let (seen, behind) = owned.fetched(link, &self.release, self.freshness)?;
            Some(serde_json::json!({
                "at": seen.at,
                "client": seen.by.display_name(),
                "release": seen.release,
                "behind": behind,
            }))
        };
        owned.links().iter().map(|link| self.link_document(link, last_fetch(link))).collect()
    }

    /// Page and feed are null if the link was made with an earlier edit key: its token can no longer be derived.
    fn link_document(&self, link: &ReadLink, last_fetch: Option<Value>) -> Value {
        let path = link.token.as_ref().map(|token| format!("/agendas/{}", token.reveal()));
        let absolute = |path: &String| self.release.program.conference.link(path);
        let page = path.as_ref().map(absolute);
        let feed = path.as_ref().map(|path| absolute(&format!("{path}.ics")));
        serde_json::json!({ "n": link.n, "label": link.label, "page": page, "feed": feed, "seen": last_fetch })
    }
}

pub(super) fn busy_document(busy: &Busy) -> Value {
    serde_json::json!({ "start": busy.start, "end": busy.end, "label": busy.label })
}

/// The edit key in `Authorization` (RFC 6750, 2.1; RFC 9110, 11.4: the scheme is case-insensitive). All faults are
/// one error.
fn edit_key(headers: &HeaderMap) -> Result<EditKey, AgendaError> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return Err(AgendaError::UnknownKey) };
    let parsed = field.to_str().ok().and_then(|field| field.split_once(' ')).and_then(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer").then(|| EditKey::parse(token.trim()))?.ok()
    });
    parsed.ok_or(AgendaError::UnknownKey)
}

/// The version that a change requires; none if it applies to any (RFC 9110, 13.1.1 and 13.1.2).
fn expect(headers: &HeaderMap, owned: &Owned) -> Result<Option<u64>, AgendaError> {
    let state = state(owned);
    let is_unwanted = match Tags::of(headers, IF_NONE_MATCH) {
        Some(Tags::Any) => true,
        Some(Tags::List(tags)) => tags.iter().any(|sent| sent.resembles_state(&state)),
        None => false,
    };
    match Tags::of(headers, IF_MATCH) {
        _ if is_unwanted => Err(AgendaError::Changed),
        None | Some(Tags::Any) => Ok(None),
        Some(Tags::List(tags)) if tags.iter().any(|sent| sent.is_of_state(&state)) => {
            Ok(Some(owned.record.version))
        }
        Some(Tags::List(_)) => Err(AgendaError::Changed),
    }
}

/// The state that a change can be conditional on. All agendas have the same address, so it includes the key.
fn state(owned: &Owned) -> String {
    let version = owned.record.version.to_le_bytes();
    format!("a-{}", Digest::of_parts([&owned.key.hash().0[..], &version]).short())
}

fn tag(owned: &Owned, document: &str) -> EntityTag {
    EntityTag::of_state(state(owned), document.as_bytes())
}

/// The media types of an import.
const MEDIA_TYPES: &str = "text/calendar or application/json";

impl AgendaRequest<'_> {
    /// Picks the sessions of a file; with `?preview=yes` only reports what it would pick.
    pub(in crate::http) async fn import(self) -> Answer {
        let AgendaChange { owned, expect } = self.change()?;
        let declared = self.head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = declared.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !["text/calendar", JSON].iter().any(|known| essence.eq_ignore_ascii_case(known)) {
            return Err(Problem::MediaType(MEDIA_TYPES));
        }
        let is_preview = Query::of(&self.head.uri).flag("preview", "yes")?;
        let match_file = || exchange::from_file(&self.body, &self.release, &owned.record.picks);
        let matching = self.queue.make(match_file).await??;
        let new: Vec<String> = matching.new_picks().iter().map(ToString::to_string).collect();
        let owned = match is_preview {
            true => owned,
            false => self.agendas.pick_all(owned, expect, &new, &self.release).await?,
        };
        let answer = import_report(&matching, &owned, &self.release, !is_preview);
        Ok(self.tagged(reply::json(StatusCode::OK, &answer), &owned))
    }

    /// The picks as a list, or with `?format=ics` as a calendar.
    pub(in crate::http) async fn export(self) -> Answer {
        let owned = self.open()?;
        let is_calendar = Query::of(&self.head.uri).flag("format", "ics")?;
        let export = || match is_calendar {
            true => feeds::agenda_download(&owned.record, &self.release, self.head, self.now),
            false => self.represent_hashed(exchange::to_json(&self.release, &owned.record.picks).to_string()),
        };
        self.queue.make(export).await?
    }
}

/// Every line of the file with its outcome.
fn import_report(matching: &exchange::Matching, owned: &Owned, release: &Release, is_applied: bool) -> Value {
    let title =
        |id: &SessionId| release.ledger.entries.get(id).map_or("", |entry| entry.session.title.as_str());
    let named = |id: &SessionId| serde_json::json!({ "session": id.as_str(), "title": title(id) });
    let lines = |shape: &dyn Fn(&MatchedPick) -> Option<Value>| {
        matching.entries.iter().filter_map(shape).collect::<Vec<Value>>()
    };
    let one = |line: &MatchedPick, id: &SessionId| {
        Some(serde_json::json!({ "session": id.as_str(), "title": title(id), "text": line.text }))
    };
    serde_json::json!({
        "applied": is_applied,
        "matched": lines(&|line| match &line.outcome { MatchOutcome::New(id) => one(line, id), _ => None }),
        "already_picked": lines(&|line| match &line.outcome { MatchOutcome::Picked(id) => one(line, id), _ => None }),
        "unknown": lines(&|line| (line.outcome == MatchOutcome::Unknown).then(|| serde_json::json!({ "text": line.text }))),
        "ambiguous": lines(&|line| match &line.outcome {
            MatchOutcome::Ambiguous(ids) => {
                Some(serde_json::json!({ "text": line.text, "sessions": ids.iter().map(named).collect::<Vec<Value>>() }))
            }
            _ => None,
        }),
        "picks": owned.picks(release).iter().map(ToString::to_string).collect::<Vec<String>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_edit_key_under_one_scheme_is_accepted() {
        let token = EditKey::generate().unwrap().reveal();
        let accepts = |lines: &[String]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(AUTHORIZATION, line.parse().unwrap());
            }
            edit_key(&headers).is_ok()
        };
        assert!(accepts(&[format!("Bearer {token}")]));
        assert!(accepts(&[format!("bearer  {token}")]));
        for bad in
            [vec![], vec![token.clone()], vec![format!("Basic {token}")], vec![format!("Bearer {token}x")]]
        {
            assert!(!accepts(&bad), "{bad:?}");
        }
        assert!(!accepts(&[format!("Bearer {token}"), format!("Bearer {token}")]));
    }
}
