//! The state of the followed source, for the desk, the metrics and the log.

use crate::adopt::Conflict;
use crate::config::Source;
use crate::store::{SourceRecord, Store};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// How following the source goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceStatus {
    /// The source's host. The whole address may be a secret.
    pub host: String,
    /// When the source last gave a whole program, or said that it did not change. None since the start.
    pub read: Option<DateTime<Utc>>,
    /// Why the source cannot be followed now.
    pub problem: Option<SourceProblem>,
    /// The edits by hand that hide a change of the source.
    pub conflicts: Vec<Conflict>,
    /// Whether the source has a program that an organizer discarded. It is ignored until the source changes.
    pub discarded: bool,
    /// Notes about parts of the last program that were left out or guessed.
    pub notes: Vec<String>,
}

/// Why a source cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceProblem {
    /// Since when.
    pub since: DateTime<Utc>,
    /// The cause, for people.
    pub reason: String,
}

impl SourceStatus {
    /// The status after a start.
    pub(super) fn at_start(source: &Source, store: &Store) -> Self {
        let (record, _) = store.source().ok().flatten().unwrap_or_default();
        Self {
            host: source.host().to_owned(),
            conflicts: conflicts(&record),
            discarded: record.discarded.is_some(),
            ..Self::default()
        }
    }
}

/// The stored conflicts. Those of another version that cannot be read are left out.
pub(super) fn conflicts(record: &SourceRecord) -> Vec<Conflict> {
    serde_json::from_value(record.conflicts.clone()).unwrap_or_default()
}
