//! Import and export of picks: lists of sessions as other tools name them, matched to a release.
//!
//! Owns the formats of picks (a calendar, a JSON list, a short code for an address) and the matching of names to
//! sessions. Fetches and changes nothing, and knows neither the store nor HTTP. Invariant: every entry of a file is in
//! its [`Matching`].

mod code;
mod matching;
mod read;

pub use code::{MAX_CODE, from_code, pack, to_code, unpack};
pub use matching::{MatchOutcome, MatchedPick, Matching};
pub use read::{ExchangeError, MAX_BYTES, MAX_ENTRIES};

use crate::agenda::{Agenda, Item};
use crate::export::{code, guid};
use crate::program::SessionId;
use crate::release::Release;
use matching::{NameIndex, NameKey, SessionName};
use serde_json::{Value, json};

/// Matches a file to a release. `picked` are the sessions that are already picked.
///
/// # Errors
/// [`ExchangeError`] if the file cannot be read. An entry without a session is no error; the matching contains it.
pub fn from_file(bytes: &[u8], release: &Release, picked: &[SessionId]) -> Result<Matching, ExchangeError> {
    let names = read::read(bytes, release.program.conference.zone)?;
    Ok(NameIndex::of(release, &names).matching(names, picked))
}

/// Matches the numbers of a code to a release.
pub fn from_numbers(numbers: &[u32], release: &Release, picked: &[SessionId]) -> Matching {
    let name =
        |number: &u32| SessionName { text: format!("number {number}"), keys: vec![NameKey::Number(*number)] };
    let names: Vec<SessionName> = numbers.iter().map(name).collect();
    NameIndex::of(release, &names).matching(names, picked)
}

/// The picks as JSON that can be imported again: `{"conference", "release", "picks": [{"id", "guid", "code", "number",
/// "title", "start", "end", "cancelled"}], "gone"}`, in program order. `gone` lists the ids that the program no longer
/// shows.
pub fn to_json(release: &Release, picks: &[SessionId]) -> Value {
    let agenda = Agenda::of(picks, release);
    let pick = |item: &Item<'_>| {
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
