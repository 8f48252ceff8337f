//! Picks for another tool.

use crate::agenda::Agenda;
use crate::export::{code, guid};
use crate::program::SessionId;
use crate::release::Release;
use serde_json::{Value, json};

/// `{"conference", "release", "picks": [{"id", "guid", "code", "number", "title", "start", "end", "cancelled"}]}` in
/// program order, and in `gone` the ids of picks that the program no longer shows. It imports back.
pub fn to_json(release: &Release, picks: &[SessionId]) -> Value {
    let agenda = Agenda::of(picks, release);
    let pick = |item: &crate::agenda::Item<'_>| {
        let session = item.session();
        json!({
            "id": session.id.as_str(),
            "guid": guid(&release.ledger.uid(&session.id)).to_string(),
            "code": code(item.entry.number),
            "number": item.entry.number,
            "title": session.title.as_str(),
            "start": session.slot.start,
            "end": session.slot.end,
            "cancelled": item.entry.is_cancelled(),
        })
    };
    let gone: Vec<&str> = agenda.gone.iter().map(SessionId::as_str).collect();
    json!({
        "conference": release.program.conference.title.as_str(),
        "release": release.number(),
        "picks": agenda.items.iter().map(pick).collect::<Vec<Value>>(),
        "gone": gone,
    })
}
