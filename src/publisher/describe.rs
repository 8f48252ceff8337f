//! Describes changes to organizers: one shape for the API's JSON, webhook bodies and the terminal.

use super::Impact;
use crate::program::{Change, ChangeKind, Field, FieldChange, Zone};
use crate::store::Origin;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// One session's change in words and plain values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeDescription {
    /// The session's id.
    pub session: String,
    /// `added`, `moved`, `edited`, `cancelled`, `restored` or `withdrawn`.
    pub change: String,
    /// The session's title; empty for a withdrawn session, whose text must not be repeated.
    pub title: String,
    /// The fields that differ, by CSV column; times carry the venue's UTC offset.
    pub fields: BTreeMap<String, FromTo>,
}

/// A field before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromTo {
    /// The value before the change.
    pub from: String,
    /// The value after the change.
    pub to: String,
}

impl ChangeDescription {
    fn of(change: &Change, zone: Zone) -> Self {
        let is_withdrawn = change.kind == ChangeKind::Withdrawn;
        let subject = change.subject().filter(|_| !is_withdrawn);
        let fields = if is_withdrawn { Vec::new() } else { change.fields() };
        let fields = fields.into_iter().map(|FieldChange { field, from, to }| {
            let text = |text: String| match field {
                Field::Start | Field::End => local(&text, zone).unwrap_or(text),
                _ => text,
            };
            (field.as_str().to_owned(), FromTo { from: text(from), to: text(to) })
        });
        Self {
            session: change.session.to_string(),
            change: change.kind.as_str().to_owned(),
            title: subject.map(|session| session.title.to_string()).unwrap_or_default(),
            fields: fields.collect(),
        }
    }
}

/// A time with the venue's UTC offset, so that it shows the hour that the organizer wrote.
fn local(instant: &str, zone: Zone) -> Option<String> {
    let at: DateTime<Utc> = instant.parse().ok()?;
    Some(at.with_timezone(&zone.tz()).to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// Describes changes, in the order of the release.
pub fn describe_changes(changes: &[Change], zone: Zone) -> Vec<ChangeDescription> {
    changes.iter().map(|change| ChangeDescription::of(change, zone)).collect()
}

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
