//! Changes as organizers see them: one shape for the API's JSON and for the terminal.

use super::Impact;
use crate::program::{Change, Session, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// One session's change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownChange {
    /// The session's id.
    pub session: String,
    /// `added`, `moved`, `edited`, `cancelled`, `restored` or `withdrawn`.
    pub change: String,
    /// Its title, for people; empty for a withdrawn session, which should never have been seen.
    pub title: String,
    /// The fields that differ, by CSV column; instants in UTC.
    pub fields: BTreeMap<String, FromTo>,
}

/// A field before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromTo {
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
}

impl From<&Change> for ShownChange {
    fn from(change: &Change) -> Self {
        let fields = change.fields().into_iter().filter_map(|field| {
            let name = field.field?.as_str().to_owned();
            Some((name, FromTo { from: field.from, to: field.to }))
        });
        let title = |session: &std::sync::Arc<Session>| session.title.clone();
        Self {
            session: change.session.to_string(),
            change: change.kind.as_str().to_owned(),
            title: change.subject().map(title).as_ref().map(Text::as_str).unwrap_or_default().to_owned(),
            fields: fields.collect(),
        }
    }
}

/// All changes, in the order of the release.
pub fn shown(changes: &[Change]) -> Vec<ShownChange> {
    changes.iter().map(ShownChange::from).collect()
}

/// Changes as text for a terminal.
pub fn describe(changes: &[ShownChange], colour: bool) -> String {
    let mut out = String::new();
    for change in changes {
        let (mark, paint) = match change.change.as_str() {
            "added" | "restored" => ('+', "32"),
            "cancelled" | "withdrawn" => ('-', "31"),
            "moved" => ('>', "33"),
            _ => ('~', "36"),
        };
        let word = if colour {
            format!("\x1b[{paint}m{mark} {}\x1b[0m", change.change)
        } else {
            format!("{mark} {}", change.change)
        };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{word} {}: {}", change.session, change.title);
        for (field, FromTo { from, to }) in &change.fields {
            let _ = writeln!(out, "    {field}: {} -> {}", brief(from), brief(to));
        }
    }
    if changes.is_empty() {
        out.push_str("no session changes\n");
    }
    out
}

/// The blast radius as text.
pub fn describe_impact(impact: &Impact) -> String {
    let mut out = format!(
        "{} of {} agendas hold a session that changes; {} get a new clash\n",
        impact.touched, impact.agendas, impact.new_clashes
    );
    for holders in impact.sessions.iter().take(10) {
        let _ =
            writeln!(out, "    {} ({}) is in {} agendas", holders.session, holders.change, holders.agendas);
    }
    out
}

fn brief(value: &str) -> String {
    let line = value.replace('\n', " / ");
    let short: String = line.chars().take(80).collect();
    match (line.is_empty(), short.len() < line.len()) {
        (true, _) => "(nothing)".to_owned(),
        (false, true) => format!("{short}…"),
        (false, false) => line,
    }
}
