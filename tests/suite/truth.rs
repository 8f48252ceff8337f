//! The expected sessions of a feed as JSON, made from the program. Foreign parsers must find the same sessions.

use callboard::program::{Session, Status};
use callboard::revision::Ledger;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

/// The session that every reader of the feed must find.
pub(crate) fn of(session: &Session, ledger: &Ledger) -> Value {
    json!({
        "uid": ledger.uid(&session.id),
        "start": instant(session.slot.start),
        "end": instant(session.slot.end),
        "summary": session.title.as_str(),
        "status": status(session.status),
        "abstract": session.abstract_text.as_str(),
    })
}

/// One line per session, for readable diffs.
pub(crate) fn file(sessions: &[Value]) -> String {
    let lines: Vec<String> = sessions.iter().map(Value::to_string).collect();
    if lines.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", lines.join(",\n")) }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Confirmed => "CONFIRMED",
        Status::Tentative => "TENTATIVE",
        Status::Cancelled => "CANCELLED",
        Status::Withdrawn => unreachable!("a withdrawn session is in no feed"),
    }
}
