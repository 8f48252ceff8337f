//! Import and export of picks through the API.

use super::agenda::{AgendaChange, AgendaRequest};
use crate::exchange::{self, MatchOutcome, MatchedPick};
use crate::http::agendas::Owned;
use crate::http::query::Query;
use crate::http::reply::{self, Answer, JSON};
use crate::http::{Problem, feeds};
use crate::program::SessionId;
use crate::release::Release;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

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
        let answer = report(&matching, &owned, &self.release, !is_preview);
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
fn report(matching: &exchange::Matching, owned: &Owned, release: &Release, is_applied: bool) -> Value {
    let title =
        |id: &SessionId| release.ledger.entries.get(id).map_or("", |entry| entry.session.title.as_str());
    let named = |id: &SessionId| json!({ "session": id.as_str(), "title": title(id) });
    let lines = |shape: &dyn Fn(&MatchedPick) -> Option<Value>| {
        matching.entries.iter().filter_map(shape).collect::<Vec<Value>>()
    };
    let one = |line: &MatchedPick, id: &SessionId| {
        Some(json!({ "session": id.as_str(), "title": title(id), "text": line.text }))
    };
    json!({
        "applied": is_applied,
        "matched": lines(&|line| match &line.outcome { MatchOutcome::New(id) => one(line, id), _ => None }),
        "already_picked": lines(&|line| match &line.outcome { MatchOutcome::Picked(id) => one(line, id), _ => None }),
        "unknown": lines(&|line| (line.outcome == MatchOutcome::Unknown).then(|| json!({ "text": line.text }))),
        "ambiguous": lines(&|line| match &line.outcome {
            MatchOutcome::Ambiguous(ids) => {
                Some(json!({ "text": line.text, "sessions": ids.iter().map(named).collect::<Vec<Value>>() }))
            }
            _ => None,
        }),
        "picks": owned.picks(release).iter().map(ToString::to_string).collect::<Vec<String>>(),
    })
}
