//! What only reads: status, releases, programs as files, picks.

use super::{Call, document, file};
use crate::http::{Body, Problem};
use crate::publisher::{ShownOrigin, interest, shown};
use crate::store::{ReadError, ReleaseSummary, Skipped, Store};
use http::{Response, StatusCode};
use serde_json::{Value, json};

/// Fewer picks are not told: a handful of them could name somebody.
const TOLD_FROM: usize = 5;

impl Call<'_> {
    pub(super) fn running_program(&self) -> Result<Response<Body>, Problem> {
        let number = self.organizer.publisher.current().number();
        Ok(file(number, self.organizer.publisher.kept_csv(number)?))
    }

    pub(super) fn release_program(&self, number: u64) -> Result<Response<Body>, Problem> {
        Ok(file(number, self.organizer.publisher.kept_csv(number)?))
    }

    pub(super) fn status(&self) -> Result<Response<Body>, Problem> {
        let publisher = &self.organizer.publisher;
        let (release, status) = (publisher.current(), publisher.status());
        let share = self.organizer.freshness.share(release.number(), self.organizer.clock.now());
        let answer = json!({
            "release": release.number(),
            "published": release.published(),
            "sessions": release.feeds.events().len(),
            "last": status.last,
            "held": status.held.newest(),
            "unstored": status.unstored,
            "schedule": status.schedule,
            "faults": status.faults,
            "file": {
                "path": publisher.file().display().to_string(),
                "readable": status.file.is_some(),
                "stale": publisher.file_is_stale(),
            },
            "freshness": share,
        });
        Ok(document(StatusCode::OK, release.number(), &answer))
    }

    pub(super) fn releases(&self) -> Result<Response<Body>, Problem> {
        let running = self.organizer.publisher.current().number();
        let releases: Vec<Value> =
            readable_releases(&self.organizer.store)?.iter().rev().map(summary).collect();
        Ok(document(StatusCode::OK, running, &json!({ "running": running, "releases": releases })))
    }

    pub(super) fn release(&self, number: u64) -> Result<Response<Body>, Problem> {
        let record = self.organizer.store.release(number)?.ok_or(Problem::NotFound)?;
        let mut answer = summary(&record.summary());
        if let Value::Object(answer) = &mut answer {
            answer.insert("changes".to_owned(), json!(shown(&record.changes, record.conference.zone)));
            answer.insert("warnings".to_owned(), json!(record.warnings));
        }
        Ok(document(StatusCode::OK, number, &answer))
    }

    /// For room sizes; the scan of all agendas is no work for the reactor.
    pub(super) async fn picks(self) -> Result<Response<Body>, Problem> {
        let store = self.organizer.store.clone();
        let counted = tokio::task::spawn_blocking(move || interest(&store)).await;
        let mut picks: Vec<_> = counted??.into_iter().collect();
        picks.retain(|(_, count)| *count >= TOLD_FROM);
        picks.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let release = self.organizer.publisher.current();
        let rows: Vec<Value> = picks
            .iter()
            .filter_map(|(id, count)| {
                let entry = release.ledger.entries.get(id).filter(|entry| entry.is_shown())?;
                Some(json!({ "session": id.as_str(), "title": entry.session.title.as_str(), "picks": count }))
            })
            .collect();
        let answer = json!({ "shown_from": TOLD_FROM, "picks": rows });
        Ok(document(StatusCode::OK, release.number(), &answer))
    }
}

/// Every release whose line can be read, the oldest first. A damaged one must not hide the others.
pub(super) fn readable_releases(store: &Store) -> Result<Vec<ReleaseSummary>, ReadError> {
    let mut skipped = Skipped::default();
    let releases = skipped.over(store.each_release()).collect();
    skipped.log("listing releases");
    releases
}

fn summary(release: &ReleaseSummary) -> Value {
    let ShownOrigin { origin, rollback_of } = release.origin.into();
    json!({
        "release": release.number,
        "published": release.published,
        "origin": origin,
        "rollback_of": rollback_of,
        "who": release.who,
        "changes": release.changes,
        "warnings": release.warnings,
        "program": release.complete.then(|| format!("/organizer/releases/{}/program.csv", release.number)),
    })
}
