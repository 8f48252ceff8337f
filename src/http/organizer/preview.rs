//! Previews at the desk, and the form that publishes exactly what a preview showed.
//!
//! A previewed file stays in memory, or with several replicas in the store, under the digest that confirms it, with the
//! release that it was compared with. So exactly the changes that were shown are published. If another release was published meanwhile, a new preview is
//! shown. A release that the guard holds also needs the number that its preview asks for.

use super::OrganizerRequest;
use super::desk::{done, faults, reason_texts, source};
use super::drafts::PreviewedFile;
use crate::http::Problem;
use crate::http::browser::{PostedForm, uploaded_file};
use crate::http::reply::{Answer, html};
use crate::import::rows_of;
use crate::program::{Civil, SessionId, Text, Zone};
use crate::publisher::{Preview, Proposal, PublishError, Publisher};
use crate::store::Origin;
use crate::texts::Texts;
use crate::web::{self, DeskDone, PreviewContent, PreviewFault, TypedNumber, WrittenRow};
use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use http::StatusCode;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

impl OrganizerRequest<'_> {
    /// Shows what publishing a stored release again would change.
    pub(in crate::http) async fn preview_release(self, number: u64) -> Answer {
        let publisher = Arc::clone(&self.organizer.publisher);
        let csv = self.organizer.store.read(move |_| publisher.release_csv(number)).await?.into();
        self.show(csv, Origin::Rollback { of: number }, PreviewReason::First).await
    }

    /// Shows what a held release would change.
    pub(in crate::http) async fn preview_held(self, form: PostedForm) -> Answer {
        let status = self.organizer.publisher.status();
        let held = status.held.find(form.one("digest")).ok_or(Problem::NoPreview)?;
        self.show(held.csv.clone(), held.origin, PreviewReason::First).await
    }

    /// Shows the changes that the uploaded file would make.
    pub(super) async fn preview_page(self) -> Answer {
        let csv = uploaded_file(self.request, self.body.clone(), "program").await?;
        self.show(csv, Origin::Upload, PreviewReason::First).await
    }

    async fn show(&self, csv: Bytes, origin: Origin, reason: PreviewReason) -> Answer {
        let publisher = Arc::clone(&self.organizer.publisher);
        let turn = self.organizer.turns.preview().await?;
        // The turn lasts until the page is rendered: a preview of 50,000 sessions holds hundreds of megabytes.
        let look = move || {
            let _turn = turn;
            let seen = publisher.preview(&csv);
            let base = Arc::clone(&seen.base);
            let mut page = content(&publisher, seen, &csv)?;
            page.source = source(origin);
            let status = reason.status(&page);
            if let PreviewReason::Fault(fault) = reason {
                page.fault = Some(fault);
            }
            let draft = page.digest.clone().map(|digest| {
                let number = (!page.reasons.is_empty()).then(|| TypedNumber::of(&page.changes));
                (digest, PreviewedFile { csv, origin, base: base.number(), number })
            });
            Ok::<_, PublishError>((status, draft, web::preview(&base, &page)))
        };
        let (status, draft, page) = tokio::task::spawn_blocking(look).await??;
        if let Some((digest, draft)) = draft {
            self.organizer.drafts.add(digest, draft, self.organizer.clock.now()).await?;
        }
        let mut response = html(page);
        *response.status_mut() = status;
        Ok(response)
    }

    /// Publishes a previewed or held program, now or at the time in the form. If another release was published since
    /// the preview, shows a new preview.
    pub(in crate::http) async fn publish_shown(self, form: PostedForm) -> Answer {
        let digest = form.one("confirm");
        let publisher = &self.organizer.publisher;
        let held = || {
            let status = publisher.status();
            let held = status.held.find(digest)?;
            let number = Some(TypedNumber::of(&held.details));
            Some(PreviewedFile { csv: held.csv.clone(), origin: held.origin, base: held.base, number })
        };
        let found = self.organizer.drafts.find(digest, self.organizer.clock.now())?;
        let draft = found.or_else(held).ok_or(Problem::NoPreview)?;
        let PreviewedFile { csv, origin, base, number } = draft;
        if let Some(number) = number.filter(|_| base == publisher.current().number()) {
            let typed: String = form.one("number").chars().take(20).collect();
            if !number.is(&typed) {
                return self.show(csv, origin, PreviewReason::Fault(PreviewFault::WrongNumber(typed))).await;
            }
        }
        let proposal = Proposal {
            csv: csv.clone(),
            origin,
            who: Some(self.who.clone()),
            // Without a typed number the guard must not hold the release, as when it was previewed.
            confirm: number.map(|_| digest.to_owned()),
            expect: Some(base),
        };
        let result = match form.one("at") {
            "" => publisher.publish(proposal).await.map(|published| match published.is_new {
                true => DeskDone::Published,
                false => DeskDone::Unchanged,
            }),
            at => match venue_time(at, publisher.conference().zone) {
                Some(at) => publisher.schedule(proposal, at).await.map(|_| DeskDone::Scheduled),
                None => return self.show(csv, origin, PreviewReason::Fault(PreviewFault::BadTime)).await,
            },
        };
        match result {
            Ok(what) => done(what),
            Err(PublishError::Superseded { .. }) => {
                self.show(csv, origin, PreviewReason::Fault(PreviewFault::Superseded)).await
            }
            Err(PublishError::Past { .. }) => {
                self.show(csv, origin, PreviewReason::Fault(PreviewFault::BadTime)).await
            }
            Err(PublishError::Held(_) | PublishError::Refused(_)) => {
                self.show(csv, origin, PreviewReason::Again).await
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Why a preview is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PreviewReason {
    /// The organizer requested it.
    First,
    /// The program could not be published as shown before.
    Again,
    /// The form was wrong, or another release came first.
    Fault(PreviewFault),
}

impl PreviewReason {
    fn status(&self, page: &PreviewContent) -> StatusCode {
        match self {
            Self::First if page.digest.is_none() && page.faults.iter().any(|fault| fault.is_error) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::First => StatusCode::OK,
            Self::Again | Self::Fault(PreviewFault::Superseded) => StatusCode::CONFLICT,
            Self::Fault(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

/// The page's content. Reads every agenda, so it runs on a thread that may block.
fn content(publisher: &Publisher, seen: Preview, csv: &[u8]) -> Result<PreviewContent, PublishError> {
    let mut page = PreviewContent { faults: faults(&seen.report), ..PreviewContent::default() };
    let (Some(prepared), Some(verdict)) = (seen.prepared, seen.verdict) else { return Ok(page) };
    let impact = publisher.impact(&seen.base, &prepared)?;
    let title = |id: &SessionId| {
        let entry = prepared.release.ledger.entries.get(id);
        entry.map_or_else(|| Text::from(id.as_str()), |entry| entry.session.title.clone())
    };
    page.impact = Some((impact.touched, impact.new_overlaps));
    page.most_held =
        impact.sessions.iter().take(10).map(|held| (title(&held.session), held.agendas)).collect();
    // A release may be held for more than the guard sees, such as changes that it would overwrite.
    let status = publisher.status();
    let held = status.held.find(&verdict.digest);
    let reasons = held.map_or(&verdict.reasons, |held| &held.reasons);
    page.reasons = reason_texts(reasons, Texts::of(&seen.base.program.conference.language));
    page.digest = prepared.is_new.then_some(verdict.digest);
    page.changes = prepared.changes;
    let changed: HashSet<&str> = page.changes.iter().map(|change| change.session.as_str()).collect();
    page.rows = rows(csv, &changed);
    let missing = changed.iter().copied().filter(|id| !page.rows.contains_key(*id)).collect();
    // Without the live program's file, the page only lacks those rows.
    if let Ok(live) = publisher.release_csv(seen.base.number()) {
        page.former_rows = rows(&live, &missing);
    }
    Ok(page)
}

fn rows(csv: &[u8], ids: &HashSet<&str>) -> BTreeMap<SessionId, WrittenRow> {
    let found = rows_of(csv, |id| ids.contains(id)).into_iter();
    found
        .filter_map(|(id, row)| {
            Some((SessionId::parse(&id).ok()?, WrittenRow { line: row.line, text: row.text }))
        })
        .collect()
}

/// A time as a browser's field for date and time sends it, on the venue's clock. Of a repeated hour, the first.
fn venue_time(text: &str, zone: Zone) -> Option<DateTime<Utc>> {
    let civil = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    match zone.instant(civil) {
        Civil::Once(at) | Civil::Twice(at, _) => Some(at),
        Civil::Skipped(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_venue_s() {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        let at = |text| venue_time(text, zone).map(|at| at.to_rfc3339());
        assert_eq!(at("2025-03-24T09:00").as_deref(), Some("2025-03-24T16:00:00+00:00"));
        assert_eq!(at("2025-03-24T09:00:30").as_deref(), Some("2025-03-24T16:00:30+00:00"));
        assert_eq!(at("2025-11-02T01:30").as_deref(), Some("2025-11-02T08:30:00+00:00"), "the first of two");
        for none in ["", "tomorrow", "2025-03-24", "2025-03-09T02:30"] {
            assert_eq!(at(none), None, "{none}");
        }
    }
}
