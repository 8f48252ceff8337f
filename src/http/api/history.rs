//! Releases and their changes, as everybody may see them.
//!
//! A session that is withdrawn today appears only as withdrawn, by its id, and only if it was public before: a mirror of
//! the program must know what to remove.

use super::{MAX_PAGE, MAX_RELEASES, PageCursor, join_query, limit_pair, next_path};
use crate::export::is_public_change;
use crate::http::Problem;
use crate::http::query::{ParameterError, Query};
use crate::http::release_history::{self, ReleaseRecords};
use crate::program::{Change, ChangeKind, Status};
use crate::publisher::describe_changes;
use crate::release::Release;
use crate::store::{ReleaseRecord, Store};
use chrono::SecondsFormat;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A page of releases before one, the latest first.
pub(super) fn releases(
    release: &Release,
    records: &ReleaseRecords,
    store: &Store,
    limit: usize,
    before: Option<u64>,
) -> Result<Value, Problem> {
    let end = before.unwrap_or(u64::MAX).min(release.number() + 1);
    let start = end.saturating_sub(limit as u64).max(1);
    let mut releases = Vec::new();
    for number in (start..end).rev() {
        let older = if records.get(number).is_none() { store.release(number)? } else { None };
        let Some(record) = records.get(number).or(older.as_ref()) else { continue };
        let mut changes: BTreeMap<&str, usize> = BTreeMap::new();
        for change in record.changes.iter().filter(|change| is_public_change(change, release)) {
            *changes.entry(change.kind.as_str()).or_default() += 1;
        }
        releases.push(json!({ "release": number, "published": published(record), "changes": changes }));
    }
    let next = (start > 1).then(|| PageCursor::new("releases", [start]));
    let next = next.map(|cursor| next_path("/api/v1/releases", &limit_pair(limit, MAX_RELEASES), &cursor));
    let next = next.map(|path| release.program.conference.link(&path));
    Ok(json!({ "running": release.number(), "releases": releases, "next": next }))
}

/// A query for changes.
#[derive(Debug)]
pub(super) struct ChangesQuery {
    since: u64,
    pub(super) limit: usize,
    /// The release and the session at the end of the previous page.
    after: Option<(u64, String)>,
}

impl ChangesQuery {
    pub(super) fn of(query: &Query, release: &Release) -> Result<Self, ParameterError> {
        let newest = release.number();
        let since = query.number("since")?;
        let since = since
            .ok_or_else(|| ParameterError::invalid("since", "name the release that you have, such as 1"))?;
        if since > newest {
            return Err(ParameterError::Future { since, newest });
        }
        let oldest = newest.saturating_sub(release_history::MAX_RELEASES);
        if since < oldest {
            return Err(ParameterError::TooOld { oldest });
        }
        let after = PageCursor::of(query, "changes")?
            .map(|cursor| Ok((cursor.part(0)?, cursor.part(1)?)))
            .transpose()?;
        Ok(Self { since, limit: query.limit(MAX_PAGE)?, after })
    }

    /// Release by release, and by session id within each.
    pub(super) fn changes(&self, release: &Release, records: &ReleaseRecords) -> Value {
        let first = self.after.as_ref().map_or(self.since + 1, |(number, _)| *number).max(self.since + 1);
        let mut changes: Vec<Value> = Vec::new();
        let (mut last, mut has_more) = (None, false);
        'releases: for number in first..=release.number() {
            let Some(record) = records.get(number) else { continue };
            let mut public: Vec<&Change> =
                record.changes.iter().filter(|one| is_public(one, release)).collect();
            public.sort_by(|a, b| a.session.cmp(&b.session));
            if let Some((at, session)) = &self.after {
                public.retain(|change| number > *at || change.session.as_str() > session.as_str());
            }
            for change in public {
                if changes.len() == self.limit {
                    has_more = true;
                    break 'releases;
                }
                changes.push(document(change, record, release));
                last = Some((number, change.session.to_string()));
            }
        }
        let next = last.filter(|_| has_more).map(|(number, session)| {
            let query = join_query([format!("since={}", self.since), limit_pair(self.limit, MAX_PAGE)]);
            let cursor = PageCursor::new("changes", [number.to_string(), session]);
            release.program.conference.link(&next_path("/api/v1/changes", &query, &cursor))
        });
        json!({ "since": self.since, "release": release.number(), "changes": changes, "next": next })
    }
}

fn is_public(change: &Change, release: &Release) -> bool {
    let was_public = change.before.as_ref().is_some_and(|session| session.status != Status::Withdrawn);
    is_public_change(change, release) || (change.kind == ChangeKind::Withdrawn && was_public)
}

fn document(change: &Change, record: &ReleaseRecord, release: &Release) -> Value {
    let mut public = change.clone();
    // The text of a withdrawn session was never public.
    public.before = public.before.filter(|session| session.status != Status::Withdrawn);
    let zone = release.program.conference.zone;
    let mut value = json!(describe_changes(&[public], zone).pop());
    if let Value::Object(members) = &mut value {
        members.insert("release".to_owned(), json!(record.number));
        members.insert("published".to_owned(), json!(published(record)));
    }
    value
}

fn published(record: &ReleaseRecord) -> String {
    record.published.to_rfc3339_opts(SecondsFormat::Secs, true)
}
