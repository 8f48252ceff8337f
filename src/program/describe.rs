//! Changes in words and plain values: one shape for the API's JSON, webhook bodies and the terminal.

use super::{Change, ChangeKind, Field, FieldChange, Zone};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
