//! Previews at the desk, and the form that publishes exactly what a preview showed.
//!
//! A previewed file stays in memory, or with several replicas in the store, with the release that was live then. Each
//! preview is a page with an address of its own (the form redirects to it), so the browser's Back and reload buttons work.
//! The page names the digest that confirms exactly the changes that it shows. If another release was published meanwhile,
//! a new preview is shown. A release that the guard holds also needs the number that its preview asks for.

use super::OrganizerRequest;
use super::desk::{done, faults, reason_texts, source};
use super::drafts::PreviewedFile;
use crate::http::Problem;
use crate::http::browser::{PostedForm, uploaded_file};
use crate::http::reply::{Answer, html, see_other_at};
use crate::import::rows_of;
use crate::program::{Civil, SessionId, Text, Zone};
use crate::publisher::{Preview, Proposal, PublishError, Publisher};
use crate::store::Origin;
use crate::texts::Texts;
use crate::web::{self, DeskDone, PreviewContent, PreviewFault, TypedNumber, WrittenRow};
use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use http::HeaderValue;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use url::form_urlencoded::byte_serialize;

impl OrganizerRequest<'_> {
    /// Shows what publishing a stored release again would change.
    pub(in crate::http) async fn preview_release(self, number: u64) -> Answer {
        let publisher = Arc::clone(&self.organizer.publisher);
        let csv = self.organizer.store.read(move |_| publisher.release_csv(number)).await?.into();
        self.keep(csv, Origin::Rollback { of: number }).await
    }

    /// Shows what a held release would change.
    pub(in crate::http) async fn preview_held(self, form: PostedForm) -> Answer {
        let status = self.organizer.publisher.status();
        let held = status.held.find(form.one("digest")).ok_or(Problem::NoPreview)?;
        let file = PreviewedFile { csv: held.csv.clone(), origin: held.origin, base: held.base };
        self.keep_as(held.digest.clone(), file).await
    }

    /// Shows the changes that the uploaded file would make.
    pub(super) async fn preview_file(self) -> Answer {
        let csv = uploaded_file(self.request, self.body.clone(), "program").await?;
        self.keep(csv, Origin::Upload).await
    }

    /// Keeps a program and redirects to its preview.
    async fn keep(&self, csv: Bytes, origin: Origin) -> Answer {
        let base = self.organizer.publisher.current().number();
        let digest = self.digest(&csv, base).await?;
        self.keep_as(digest, PreviewedFile { csv, origin, base }).await
    }

    async fn keep_as(&self, digest: String, file: PreviewedFile) -> Answer {
        let answer = shown(&digest, None);
        self.organizer.drafts.add(digest, file, self.organizer.clock.now()).await?;
        answer
    }

    /// The digest that confirms a program as the successor of a release. The program may have 20 MiB, so a thread that
    /// may block computes it.
    async fn digest(&self, csv: &Bytes, base: u64) -> Result<String, Problem> {
        let (publisher, csv) = (Arc::clone(&self.organizer.publisher), csv.clone());
        Ok(tokio::task::spawn_blocking(move || publisher.digest(&csv, base)).await?)
    }

    /// The page of a kept program: its changes against the live release.
    pub(in crate::http) async fn preview_page(self, key: String) -> Answer {
        let kept = self.organizer.drafts.find(&key, self.organizer.clock.now())?;
        let PreviewedFile { csv, origin, base } = kept.ok_or(Problem::NoPreview)?;
        let fault = match (self.query("typed"), self.query("fault").as_deref()) {
            (Some(typed), _) => Some(PreviewFault::WrongNumber(cut(&typed))),
            (None, Some("time")) => Some(PreviewFault::BadTime),
            (None, _) => None,
        };
        let publisher = Arc::clone(&self.organizer.publisher);
        let turn = self.organizer.turns.preview().await?;
        // The turn lasts until the page is rendered: a preview of 50,000 sessions holds hundreds of megabytes.
        let look = move || {
            let _turn = turn;
            let seen = publisher.preview(&csv);
            let live = Arc::clone(&seen.base);
            let mut page = content(&publisher, seen, &csv)?;
            (page.key, page.source) = (key, source(origin));
            page.reverted = publisher.reverted_changes(base, &live, &page.changes)?;
            let is_superseded = base != live.number() && !page.changes.is_empty();
            page.fault = fault.or(is_superseded.then_some(PreviewFault::Superseded));
            Ok::<_, PublishError>(web::preview(&live, &page))
        };
        Ok(html(tokio::task::spawn_blocking(look).await??))
    }

    /// Publishes a previewed or held program, now or at the time in the form. If another release was published since
    /// the preview, shows a new preview.
    pub(in crate::http) async fn publish_shown(self, form: PostedForm) -> Answer {
        let confirm = form.one("confirm");
        let key = Some(form.one("preview")).filter(|key| !key.is_empty()).unwrap_or(confirm);
        let publisher = &self.organizer.publisher;
        let held = publisher.status().held.find(confirm).cloned();
        let file = match (self.organizer.drafts.find(key, self.organizer.clock.now())?, &held) {
            (Some(file), _) => file,
            (None, Some(held)) => {
                let file = PreviewedFile { csv: held.csv.clone(), origin: held.origin, base: held.base };
                // A fault in the form is shown on the preview.
                self.organizer.drafts.add(key.to_owned(), file.clone(), self.organizer.clock.now()).await?;
                file
            }
            (None, None) => return Err(Problem::NoPreview),
        };
        let PreviewedFile { csv, origin, .. } = file;
        let live = publisher.current().number();
        if self.digest(&csv, live).await? != confirm {
            return shown(key, None);
        }
        let number = match held {
            Some(held) => Some(TypedNumber::of(&held.details)),
            // Only the form of a held release has the field.
            None if form.has("number") => self.number(&csv).await?,
            None => None,
        };
        if number.is_some_and(|number| !number.is(&cut(form.one("number")))) {
            return shown(key, Some(PreviewFault::WrongNumber(cut(form.one("number")))));
        }
        let proposal = Proposal {
            csv,
            origin,
            who: Some(self.who.clone()),
            // Without a typed number the guard must not hold the release, as when it was previewed.
            confirm: number.map(|_| confirm.to_owned()),
            expect: Some(live),
        };
        let result = match form.one("at") {
            "" => publisher.publish(proposal).await.map(|published| match published.is_new {
                true => DeskDone::Published,
                false => DeskDone::Unchanged,
            }),
            at => match venue_time(at, publisher.conference().zone) {
                Some(at) => publisher.schedule(proposal, at).await.map(|_| DeskDone::Scheduled),
                None => return shown(key, Some(PreviewFault::BadTime)),
            },
        };
        match result {
            Ok(what) => done(what),
            Err(PublishError::Past { .. }) => shown(key, Some(PreviewFault::BadTime)),
            Err(PublishError::Superseded { .. } | PublishError::Held(_) | PublishError::Refused(_)) => {
                shown(key, None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The number that publishes a program; none if the guard does not hold it.
    async fn number(&self, csv: &Bytes) -> Result<Option<TypedNumber>, Problem> {
        let (publisher, csv) = (Arc::clone(&self.organizer.publisher), csv.clone());
        let turn = self.organizer.turns.preview().await?;
        let look = move || {
            let _turn = turn;
            let Preview { prepared, verdict, .. } = publisher.preview(&csv);
            verdict.filter(|verdict| verdict.is_held())?;
            Some(TypedNumber::of(&prepared?.changes))
        };
        Ok(tokio::task::spawn_blocking(look).await?)
    }
}

/// The redirect to the preview of a kept program, which shows a fault of the form.
fn shown(key: &str, fault: Option<PreviewFault>) -> Answer {
    let query = match fault {
        Some(PreviewFault::WrongNumber(typed)) => {
            format!("?typed={}", byte_serialize(typed.as_bytes()).collect::<String>())
        }
        Some(PreviewFault::BadTime) => "?fault=time".to_owned(),
        Some(PreviewFault::Superseded) | None => String::new(),
    };
    let key: String = byte_serialize(key.as_bytes()).collect();
    let location = HeaderValue::try_from(format!("/organizer/preview/{key}{query}"));
    Ok(see_other_at(location.map_err(|_| Problem::NoPreview)?))
}

/// As much of a typed text as the page repeats.
fn cut(typed: &str) -> String {
    typed.chars().take(20).collect()
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
