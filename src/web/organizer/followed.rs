//! The desk's section about the followed source.

use crate::program::Field;
use crate::web::preview::value;
use crate::web::site::Site;
use chrono::{DateTime, Utc};

/// The state of the followed source.
#[derive(Debug, Clone, Default)]
pub struct FollowedSource {
    /// The source's host.
    pub host: String,
    /// When the source last gave a whole program, since the server's start.
    pub read: Option<DateTime<Utc>>,
    /// Since when the source cannot be followed, and why.
    pub problem: Option<(DateTime<Utc>, String)>,
    /// Whether the source has a program that an organizer discarded.
    pub is_discarded: bool,
    /// The edits by hand that hide a change of the source.
    pub conflicts: Vec<SourceConflict>,
    /// Notes about parts of the last program that were left out or guessed.
    pub notes: Vec<String>,
}

/// An edit by hand that hides a change of the source.
#[derive(Debug, Clone)]
pub enum SourceConflict {
    /// Both have a value.
    Cells {
        /// The session's title.
        title: String,
        /// The fields.
        fields: Vec<Field>,
        /// The source's value.
        source: String,
        /// The live value.
        own: String,
    },
    /// The source changed a session whose row was deleted here: its title.
    DeletedRow(String),
}

/// The section's texts.
pub(super) struct FollowedView<'a> {
    pub(super) heading: String,
    pub(super) read: String,
    pub(super) problem: Option<String>,
    pub(super) discarded: Option<&'static str>,
    pub(super) conflicts: Vec<String>,
    pub(super) notes: &'a [String],
}

impl<'a> FollowedView<'a> {
    pub(super) fn of(site: &Site<'_>, source: &'a FollowedSource) -> Self {
        let words = site.words;
        let shown = |fields: &[Field], text: &str| match (fields, text) {
            (_, "") => words.source_nothing.to_owned(),
            ([field], text) => value(site, *field, text.to_owned()),
            _ => text.to_owned(),
        };
        let conflict = |conflict: &SourceConflict| match conflict {
            SourceConflict::Cells { title, fields, source, own } => {
                let names: Vec<&str> = fields.iter().map(|field| words.field(*field)).collect();
                words.source_conflict(title, &names.join(", "), &shown(fields, source), &shown(fields, own))
            }
            SourceConflict::DeletedRow(title) => words.source_deleted_row(title),
        };
        Self {
            heading: words.source_from(&source.host),
            read: match source.read {
                Some(at) => words.source_read(&site.when.full(at)),
                None => words.source_unread.to_owned(),
            },
            problem: source
                .problem
                .as_ref()
                .map(|(since, reason)| words.source_problem(&site.when.full(*since), reason)),
            discarded: source.is_discarded.then_some(words.source_discarded),
            conflicts: source.conflicts.iter().map(conflict).collect(),
            notes: &source.notes,
        }
    }
}
