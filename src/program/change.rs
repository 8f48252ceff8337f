//! The difference of two programs, session by session, and its description in plain values: one shape for the API's
//! JSON, webhook bodies and the terminal.
//!
//! Laws: `diff(a, a)` is empty, and applying `diff(a, b)` to `a` gives the sessions of `b`.

use super::{Field, Program, Session, SessionId, Status, Zone};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a session changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// The session is new in the program.
    Added,
    /// The session's time, room or track changed.
    Moved,
    /// Another field changed.
    Edited,
    /// The session's status is cancelled now, or its row left the program.
    Cancelled,
    /// The session was cancelled and takes place after all.
    Restored,
    /// The session leaves every feed without a tombstone.
    Withdrawn,
}

impl ChangeKind {
    /// The word that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Moved => "moved",
            Self::Edited => "edited",
            Self::Cancelled => "cancelled",
            Self::Restored => "restored",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// The change of one session between two programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The session that changed.
    pub session: SessionId,
    /// How the session changed.
    pub kind: ChangeKind,
    /// The session before the change; none if the session is new.
    pub before: Option<Arc<Session>>,
    /// The session after the change; none if its row is gone.
    pub after: Option<Arc<Session>>,
}

/// A field before and after a change, as text. Instants are RFC 3339 in UTC; an empty field is an empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The field.
    pub field: Field,
    /// The field's text before the change.
    pub from: String,
    /// The field's text after the change.
    pub to: String,
}

impl Change {
    /// The change between two states of one session; none if they are equal.
    pub fn between(before: Option<&Arc<Session>>, after: Option<&Arc<Session>>) -> Option<Self> {
        let id = after.or(before)?.id.clone();
        if before == after {
            return None;
        }
        let status = |session: Option<&Arc<Session>>| session.map(|session| session.status);
        let kind = match (status(before), status(after)) {
            (_, Some(Status::Withdrawn)) => ChangeKind::Withdrawn,
            (None, _) => ChangeKind::Added,
            (Some(Status::Cancelled), Some(Status::Cancelled)) => ChangeKind::Edited,
            (_, None | Some(Status::Cancelled)) => ChangeKind::Cancelled,
            (Some(Status::Cancelled | Status::Withdrawn), Some(_)) => ChangeKind::Restored,
            _ => {
                let moved = fields(before.map(Arc::as_ref), after.map(Arc::as_ref))
                    .iter()
                    .any(|change| change.field.moves());
                if moved { ChangeKind::Moved } else { ChangeKind::Edited }
            }
        };
        Some(Self { session: id, kind, before: before.cloned(), after: after.cloned() })
    }

    /// The fields that differ, in the order of the columns. Empty if the session is new or its row is gone.
    pub fn fields(&self) -> Vec<FieldChange> {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => fields(Some(before), Some(after)),
            _ => Vec::new(),
        }
    }

    /// The session after the change, or before it if its row is gone.
    pub fn subject(&self) -> Option<&Arc<Session>> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

fn fields(before: Option<&Session>, after: Option<&Session>) -> Vec<FieldChange> {
    let text = |session: Option<&Session>, field| {
        session.map(|session| field_text(session, field)).unwrap_or_default()
    };
    Field::ALL
        .iter()
        .map(|field| FieldChange { field: *field, from: text(before, *field), to: text(after, *field) })
        .filter(|change| change.from != change.to)
        .collect()
}

/// A field as text. `start` and `end` hold the whole instant, so `date` and `end_date` are always empty.
fn field_text(session: &Session, field: Field) -> String {
    fn text(value: Option<&impl ToString>) -> String {
        value.map(ToString::to_string).unwrap_or_default()
    }
    match field {
        Field::Id | Field::Date | Field::EndDate => String::new(),
        Field::Start => session.slot.start.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        Field::End => session.slot.end.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        Field::Kind => session.kind.to_string(),
        Field::Title => session.title.to_string(),
        Field::Track => text(session.track.as_ref()),
        Field::Block => text(session.block.as_ref()),
        Field::Room => text(session.slot.room.as_ref()),
        Field::Speakers => session.speakers.iter().map(super::Speaker::line).collect::<Vec<_>>().join("\n"),
        Field::Abstract => session.abstract_text.to_string(),
        Field::Bios => session.speakers.iter().map(|s| s.bio.as_str()).collect::<Vec<_>>().join("\n--\n"),
        Field::Url => text(session.url.as_ref()),
        Field::Links => session
            .links
            .iter()
            .map(|link| format!("{} {}", link.label, link.url))
            .collect::<Vec<_>>()
            .join("\n"),
        Field::Language => text(session.language.as_ref()),
        Field::Tags => session.tags.iter().map(super::Text::as_str).collect::<Vec<_>>().join("; "),
        Field::Image => text(session.image.as_ref()),
        Field::FeedbackUrl => text(session.feedback_url.as_ref()),
        Field::Recording => if session.no_recording { "no" } else { "" }.to_owned(),
        Field::Guid => text(session.guid.as_ref()),
        Field::Status => session.status.to_string(),
    }
}

/// All changes from one program to the other, in the order of the session ids.
pub fn diff(before: &Program, after: &Program) -> Vec<Change> {
    let by_id = |program: &Program| -> BTreeMap<SessionId, Arc<Session>> {
        program.order().iter().map(|session| (session.id.clone(), Arc::clone(session))).collect()
    };
    let (before, after) = (by_id(before), by_id(after));
    let mut ids: Vec<&SessionId> = before.keys().chain(after.keys()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().filter_map(|id| Change::between(before.get(id), after.get(id))).collect()
}

/// Applies changes to a program.
pub fn apply(program: &Program, changes: &[Change]) -> Program {
    let mut sessions: BTreeMap<SessionId, Arc<Session>> =
        program.order().iter().map(|session| (session.id.clone(), Arc::clone(session))).collect();
    for change in changes {
        match &change.after {
            Some(session) => sessions.insert(change.session.clone(), Arc::clone(session)),
            None => sessions.remove(&change.session),
        };
    }
    Program::from_shared(
        Arc::clone(&program.conference),
        program.tracks.clone(),
        sessions.into_values().collect(),
    )
}

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
