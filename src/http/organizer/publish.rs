//! Uploads, schedules, roll-backs, erasures, and previews.

use super::{OrganizerRequest, document};
use crate::http::reply::{Answer, no_content};
use crate::http::{Body, Problem, browser};
use crate::program::SessionId;
use crate::publisher::{Preview, Proposal, Publication, PublishError, ScheduleReceipt, describe_changes};
use crate::store::Origin;
use chrono::{DateTime, Utc};
use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

impl OrganizerRequest<'_> {
    /// Publishes the body as the program, now or at the time that the query names.
    pub(in crate::http) async fn put(self) -> Answer {
        let expect = self.expect()?;
        let proposal = Proposal {
            csv: self.body.clone(),
            origin: Origin::Upload,
            who: Some(self.who.clone()),
            confirm: self.query("confirm"),
            expect,
        };
        let publisher = &self.organizer.publisher;
        match self.query("at") {
            Some(at) => Ok(scheduled(&publisher.schedule(proposal, time(&at)?).await?)),
            None => Ok(published(&publisher.publish(proposal).await?)),
        }
    }

    pub(in crate::http) async fn roll_back(self, number: u64) -> Answer {
        let (expect, confirm) = (self.expect()?, self.query("confirm"));
        let publisher = &self.organizer.publisher;
        Ok(published(&publisher.roll_back(number, Some(self.who), confirm, expect).await?))
    }

    /// Shows the changes that an upload would make: as a page for the desk's form, as JSON for programs.
    pub(in crate::http) async fn preview_upload(self) -> Answer {
        match browser::boundary(self.request) {
            Some(_) => self.preview_file().await,
            None => self.preview().await,
        }
    }

    /// Shows the changes that an upload of the body would make, and their effect on agendas.
    async fn preview(self) -> Answer {
        let publisher = Arc::clone(&self.organizer.publisher);
        let body = self.body.clone();
        let turn = self.organizer.turns.preview().await?;
        let look = move || {
            let _turn = turn;
            let Preview { report, prepared, verdict, base } = publisher.preview(&body);
            let (Some(prepared), Some(verdict)) = (prepared, verdict) else {
                return Err(PublishError::Refused(Box::new(report)));
            };
            let impact = publisher.impact(&base, &prepared)?;
            let answer = json!({
                "release": base.number(),
                "changes": describe_changes(&prepared.changes, prepared.release.program.conference.zone),
                "impact": impact,
                "warnings": warnings(&report),
                "digest": verdict.digest,
                "reasons": verdict.reasons,
            });
            Ok((base.number(), answer))
        };
        let (release, answer) = tokio::task::spawn_blocking(look).await??;
        Ok(document(StatusCode::OK, release, &answer))
    }

    pub(in crate::http) async fn unschedule(self) -> Answer {
        self.expect()?;
        let publisher = &self.organizer.publisher;
        if !publisher.unschedule(None).await? {
            return Err(Problem::NotFound);
        }
        Ok(no_content())
    }

    pub(in crate::http) async fn erase(self, id: SessionId) -> Answer {
        self.expect()?;
        let publisher = &self.organizer.publisher;
        let erased = publisher.erase(id.clone()).await?;
        let answer = json!({ "session": id.as_str(), "releases": erased.releases });
        Ok(document(StatusCode::OK, publisher.current().number(), &answer))
    }
}

fn published(publication: &Publication) -> Response<Body> {
    let release = publication.release.number();
    let answer = json!({
        "release": release,
        "changes": describe_changes(&publication.changes, publication.release.program.conference.zone),
        "warnings": warnings(&publication.report),
    });
    if !publication.is_new {
        return document(StatusCode::OK, release, &answer);
    }
    let mut response = document(StatusCode::CREATED, release, &answer);
    if let Ok(location) = HeaderValue::from_str(&format!("/organizer/releases/{release}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn scheduled(scheduled: &ScheduleReceipt) -> Response<Body> {
    let answer = json!({
        "release": scheduled.running,
        "at": scheduled.schedule.at,
        "changes": describe_changes(&scheduled.changes, scheduled.zone),
        "warnings": warnings(&scheduled.report),
    });
    document(StatusCode::ACCEPTED, scheduled.running, &answer)
}

fn warnings(report: &crate::import::Report) -> Value {
    report.warnings().map(ToString::to_string).collect()
}

/// Parses an RFC 3339 time. An unencoded plus sign arrives as a space.
fn time(text: &str) -> Result<DateTime<Utc>, Problem> {
    DateTime::parse_from_rfc3339(&text.trim().replace(' ', "+")).map(|at| at.to_utc()).map_err(|_| {
        Problem::BadBody(format!("{text:?} is not a time; write one such as 2025-03-24T09:00:00-07:00"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_rfc_3339_with_or_without_an_encoded_plus() {
        let expected: DateTime<Utc> = "2025-03-24T16:00:00Z".parse().unwrap();
        for text in ["2025-03-24T16:00:00Z", "2025-03-24T09:00:00-07:00", "2025-03-24T18:00:00 02:00"] {
            assert_eq!(time(text).unwrap(), expected, "{text}");
        }
        for text in ["", "tomorrow", "2025-03-24T09:00:00", "2025-03-24"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
