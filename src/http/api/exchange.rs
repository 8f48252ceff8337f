//! Picks in and out by the API.

use super::query::Query;
use super::{Call, JSON, document};
use crate::exchange::{self, ExchangeError, Line, Matching, Outcome};
use crate::feed::Coding;
use crate::http::agendas::Owned;
use crate::http::conditional::Validators;
use crate::http::representation::{Content, Representation};
use crate::http::{Body, EntityTag, Problem, feeds};
use crate::program::SessionId;
use crate::release::Release;
use crate::revision::Digest;
use chrono::{DateTime, Utc};
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// What an import takes.
const FORMS: &str = "text/calendar or application/json";

impl Call<'_> {
    /// Picks what a file names, or with `?preview=yes` only says what it would pick.
    pub(super) async fn import(self, owned: Owned, expect: Option<u64>) -> Result<Response<Body>, Problem> {
        let declared = self.request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = declared.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !["text/calendar", JSON].iter().any(|form| essence.eq_ignore_ascii_case(form)) {
            return Err(Problem::MediaType(FORMS));
        }
        let is_preview = Query::of(self.request).says("preview", "yes")?;
        let (release, held) = (Arc::clone(self.release), owned.record.picks.clone());
        let body = self.body.clone();
        let look = move || exchange::from_file(&body, &release, &held);
        let found: Result<Matching, ExchangeError> = self.queue.make(look).await?;
        let found = found?;
        let new: Vec<String> = found.new_picks().iter().map(ToString::to_string).collect();
        let owned = match is_preview {
            true => owned,
            false => self.agendas.pick_all(owned, expect, &new, self.release).await?,
        };
        let answer = report(&found, &owned, self.release, !is_preview);
        Ok(self.tagged(document(StatusCode::OK, &answer), &owned))
    }

    /// The picks as a list, or with `?format=ics` as a calendar.
    pub(super) fn export(&self, owned: &Owned, now: DateTime<Utc>) -> Result<Response<Body>, Problem> {
        if Query::of(self.request).says("format", "ics")? {
            return feeds::own(&owned.record, self.release, self.request, now);
        }
        let list = exchange::to_json(self.release, &owned.record.picks).to_string();
        let representation = Representation {
            media_type: JSON,
            validators: Validators {
                tag: EntityTag::plain(Digest::of(list.as_bytes()).short()),
                modified: None,
            },
            coding: Coding::Identity,
            body: Content::Kept(list.into()),
            fields: Vec::new(),
        };
        representation.answer(self.request)
    }
}

/// Every line of the file, by what became of it.
fn report(found: &Matching, owned: &Owned, release: &Release, is_applied: bool) -> Value {
    let title =
        |id: &SessionId| release.ledger.entries.get(id).map_or("", |entry| entry.session.title.as_str());
    let named = |id: &SessionId| json!({ "session": id.as_str(), "title": title(id) });
    let lines =
        |shape: &dyn Fn(&Line) -> Option<Value>| found.lines.iter().filter_map(shape).collect::<Vec<Value>>();
    let one = |line: &Line, id: &SessionId| {
        Some(json!({ "session": id.as_str(), "title": title(id), "text": line.text }))
    };
    json!({
        "applied": is_applied,
        "matched": lines(&|line| match &line.outcome { Outcome::New(id) => one(line, id), _ => None }),
        "already_picked": lines(&|line| match &line.outcome { Outcome::Held(id) => one(line, id), _ => None }),
        "unknown": lines(&|line| (line.outcome == Outcome::Unknown).then(|| json!({ "text": line.text }))),
        "ambiguous": lines(&|line| match &line.outcome {
            Outcome::Ambiguous(ids) => {
                Some(json!({ "text": line.text, "sessions": ids.iter().map(named).collect::<Vec<Value>>() }))
            }
            _ => None,
        }),
        "picks": owned.picks(release).iter().map(ToString::to_string).collect::<Vec<String>>(),
    })
}
