//! Describes releases and changes to organizers, as JSON and as text for a terminal.

use super::Impact;
use crate::program::{ChangeDescription, FromTo};
use crate::store::Origin;
use serde::Serialize;
use std::fmt::Write;

/// The source of a release as one word of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OriginDescription {
    /// `first`, `file`, `upload`, `rollback`, `config`, `upgrade` or `scheduled`.
    pub origin: &'static str,
    /// The release that was published again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_of: Option<u64>,
}

impl From<Origin> for OriginDescription {
    fn from(origin: Origin) -> Self {
        let (origin, rollback_of) = match origin {
            Origin::First => ("first", None),
            Origin::File => ("file", None),
            Origin::Upload => ("upload", None),
            Origin::Rollback { of } => ("rollback", Some(of)),
            Origin::Config => ("config", None),
            Origin::Upgrade => ("upgrade", None),
            Origin::Restored => ("restored", None),
            Origin::Scheduled => ("scheduled", None),
        };
        Self { origin, rollback_of }
    }
}

/// Changes as text for a terminal.
pub fn changes_as_text(changes: &[ChangeDescription], colour: bool) -> String {
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

/// A release's effect on agendas as text.
pub fn impact_as_text(impact: &Impact) -> String {
    let mut out = format!(
        "{} of {} agendas hold a session that changes; {} get a new clash\n",
        impact.touched, impact.agendas, impact.new_clashes
    );
    if impact.unreadable > 0 {
        let _ = writeln!(out, "damaged agendas, not counted: {}", impact.unreadable);
    }
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
