//! The desk: the organizer's pages, with a sign-in cookie and plain forms.
//!
//! A previewed file stays in memory under the digest that confirms it, with the release that it was compared with. So
//! exactly the changes that were shown are published. If another release was published meanwhile, a new preview is
//! shown.

use super::{Door, Organizer, OrganizerRequest};
use crate::http::Problem;
use crate::http::browser::{PostedForm, uploaded_file};
use crate::http::reply::{Answer, html, see_other, set_cookies};
use crate::import::{Fault, Report, capitalized, place};
use crate::program::{Severity, Text};
use crate::publisher::{AttemptResult, Proposal, PublishError};
use crate::store::Origin;
use crate::texts::Texts;
use crate::web::{self, FaultLine, KeptRelease};
use bytes::Bytes;
use http::StatusCode;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The most previewed files in memory; beyond that, the oldest is dropped.
const MOST_DRAFTS: usize = 8;

/// How many releases the desk lists, the newest first.
const LISTED: usize = 50;

/// The previewed files, by the digest that confirms them.
#[derive(Debug, Default)]
pub(in crate::http) struct Drafts(Mutex<VecDeque<(String, Draft)>>);

#[derive(Debug, Clone)]
struct Draft {
    csv: Bytes,
    origin: Origin,
    /// The release that the file was compared with.
    base: u64,
}

impl Drafts {
    fn add(&self, digest: String, draft: Draft) {
        let mut drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drafts.retain(|(known, _)| *known != digest);
        if drafts.len() >= MOST_DRAFTS {
            drafts.pop_front();
        }
        drafts.push_back((digest, draft));
    }

    fn find(&self, digest: &str) -> Option<Draft> {
        let drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drafts.iter().find(|(known, _)| known == digest).map(|(_, draft)| draft.clone())
    }
}

impl Door<'_> {
    /// The desk; the sign-in page without a valid cookie.
    pub(in crate::http) async fn home(self) -> Answer {
        let Self { organizer, request, .. } = self;
        if organizer.secrets.are_none() {
            return Err(Problem::NotFound);
        }
        let release = organizer.publisher.current();
        match organizer.signed_in(&request.headers, &release.program.conference.public_url) {
            Some(who) => organizer.read(move |organizer| organizer.home(who)).await,
            None => Ok(html(web::sign_in(&release, false))),
        }
    }

    /// Checks the posted secret and sets the cookie.
    pub(in crate::http) async fn sign_in(self) -> Answer {
        let Self { organizer, allowed, .. } = self;
        if organizer.secrets.are_none() {
            return Err(Problem::NotFound);
        }
        allowed.may_guess()?;
        let form = self.form().await?;
        let release = organizer.publisher.current();
        let Some(secret) = allowed.guess(|| organizer.secrets.find(form.one("secret")))? else {
            let mut response = html(web::sign_in(&release, true));
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            return Ok(response);
        };
        let public_url = &release.program.conference.public_url;
        let cookie = organizer.sign_ins.open(&secret.sha256, public_url, organizer.clock.now());
        let mut response = see_other("/organizer");
        set_cookies(&mut response, [cookie.map_err(crate::http::agendas::AgendaError::from)?]);
        Ok(response)
    }

    pub(in crate::http) async fn sign_out(self) -> Answer {
        let Self { organizer, request, .. } = self;
        self.form().await?;
        let release = organizer.publisher.current();
        let (public_url, now) = (&release.program.conference.public_url, organizer.clock.now());
        let mut response = see_other("/organizer");
        set_cookies(&mut response, [organizer.sign_ins.close(&request.headers, public_url, now)]);
        Ok(response)
    }
}

impl Organizer {
    fn home(&self, who: String) -> Answer {
        let release = self.publisher.current();
        let (status, now) = (self.publisher.status(), self.clock.now());
        let texts = Texts::of(&release.program.conference.language);
        let share = self.freshness.share(release.number(), now);
        let percent =
            (share.current * 100).checked_div(share.polled).and_then(|share| u8::try_from(share).ok());
        let last = status.last.as_ref().map(|last| {
            let faults = last.report.as_ref().map(faults_of_json).unwrap_or_default();
            (last.at, in_words(&last.verdict, texts), faults)
        });
        let held = status.held.all().iter().rev().map(|waiting| web::HeldRelease {
            since: waiting.at,
            origin: origin_in_words(waiting.origin, texts),
            reasons: waiting.reasons.clone(),
            digest: waiting.digest.clone(),
            changes: waiting.details.clone(),
            // The next start would hold a discarded config again, until its file is changed.
            is_discardable: waiting.origin != Origin::Config,
        });
        let stale = self.publisher.file_is_stale().then(|| self.publisher.file().display().to_string());
        let kept = super::reports::readable_releases(&self.store)?;
        let releases = kept.iter().rev().take(LISTED).map(|kept| KeptRelease {
            number: kept.number,
            published: kept.published,
            origin: origin_in_words(kept.origin, texts),
            who: kept.who.clone().unwrap_or_default(),
            changes: kept.changes,
            has_text: kept.complete,
        });
        let (held, releases) = (held.collect(), releases.collect());
        let desk = web::DeskStatus { who, last, held, stale, current: percent, releases };
        Ok(html(web::desk(&release, &desk)))
    }
}

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

    /// Drops a held release.
    pub(in crate::http) async fn discard_held(self, form: PostedForm) -> Answer {
        self.organizer.publisher.discard(form.one("digest")).await?;
        Ok(see_other("/organizer"))
    }

    /// Shows the changes that the uploaded file would make.
    pub(super) async fn preview_page(self) -> Answer {
        let csv = uploaded_file(self.request, self.body.clone(), "program").await?;
        self.show(csv, Origin::Upload, PreviewReason::First).await
    }

    async fn show(&self, csv: Bytes, origin: Origin, reason: PreviewReason) -> Answer {
        let publisher = Arc::clone(&self.organizer.publisher);
        let bytes = csv.clone();
        let turn = self.organizer.turns.preview().await?;
        let look = move || {
            let _turn = turn;
            let seen = publisher.preview(&bytes);
            let mut page =
                web::PreviewContent { faults: faults(&seen.report), ..web::PreviewContent::default() };
            if let (Some(prepared), Some(verdict)) = (seen.prepared, seen.verdict) {
                let impact = publisher.impact(&seen.base, &prepared)?;
                let title = |id: &crate::program::SessionId| {
                    let entry = prepared.release.ledger.entries.get(id);
                    entry.map_or_else(|| Text::from(id.as_str()), |entry| entry.session.title.clone())
                };
                page.blast = Some((impact.touched, impact.new_clashes));
                let most = impact.sessions.iter().take(10);
                page.most_held = most.map(|held| (title(&held.session), held.agendas)).collect();
                page.reasons = verdict.reasons;
                page.digest = prepared.is_new.then_some(verdict.digest);
                page.changes = prepared.changes;
            }
            Ok::<_, PublishError>((seen.base, page))
        };
        let (base, mut page) = tokio::task::spawn_blocking(look).await??;
        page.superseded = reason == PreviewReason::Superseded;
        if let Some(digest) = &page.digest {
            self.organizer.drafts.add(digest.clone(), Draft { csv, origin, base: base.number() });
        }
        let mut response = html(web::preview(&base, &page));
        if reason != PreviewReason::First {
            *response.status_mut() = StatusCode::CONFLICT;
        } else if page.digest.is_none() && page.faults.iter().any(|fault| fault.is_error) {
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        }
        Ok(response)
    }

    /// Publishes a previewed or held program. If another release was published since the preview, shows a new preview.
    pub(in crate::http) async fn publish_shown(self, form: PostedForm) -> Answer {
        let digest = form.one("confirm");
        let publisher = &self.organizer.publisher;
        let held = || {
            let status = publisher.status();
            let held = status.held.find(digest)?;
            Some(Draft { csv: held.csv.clone(), origin: held.origin, base: held.base })
        };
        let draft = self.organizer.drafts.find(digest).or_else(held).ok_or(Problem::NoPreview)?;
        let Draft { csv, origin, base } = draft;
        let proposal = Proposal {
            csv: csv.clone(),
            origin,
            who: Some(self.who.clone()),
            confirm: Some(digest.to_owned()),
            expect: Some(base),
        };
        match publisher.publish(proposal).await {
            Ok(_) => Ok(see_other("/organizer")),
            Err(PublishError::Superseded { .. }) => self.show(csv, origin, PreviewReason::Superseded).await,
            Err(PublishError::Held(_) | PublishError::Refused(_)) => {
                self.show(csv, origin, PreviewReason::Again).await
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Why a preview is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PreviewReason {
    /// The organizer requested it.
    First,
    /// The program could not be published as shown before.
    Again,
    /// Another release was published since the last preview.
    Superseded,
}

fn origin_in_words(origin: Origin, texts: &Texts) -> String {
    match origin {
        Origin::First => texts.origin_first.to_owned(),
        Origin::File => texts.origin_file.to_owned(),
        Origin::Upload => texts.origin_upload.to_owned(),
        Origin::Rollback { of } => texts.origin_rollback(of),
        Origin::Config => texts.origin_config.to_owned(),
        Origin::Upgrade => texts.origin_upgrade.to_owned(),
        Origin::Restored => texts.origin_restored.to_owned(),
        Origin::Scheduled => texts.origin_scheduled.to_owned(),
    }
}

fn faults(report: &Report) -> Vec<FaultLine> {
    let mut lines: Vec<FaultLine> = report.displayed().into_iter().map(fault).collect();
    let left = (report.error_count() + report.warning_count()).saturating_sub(lines.len());
    if left > 0 {
        let message = format!("{left} more are not listed here");
        lines.push(line(false, 0, ["", &message, "correct the listed ones and look at the file again"]));
    }
    lines
}

fn fault(fault: &Fault) -> FaultLine {
    let column = fault.column.as_deref().unwrap_or_default();
    let texts = [column, &fault.message, &fault.remedy];
    line(fault.severity == Severity::Error, fault.line, texts)
}

/// The faults of a report in the status, which is JSON.
fn faults_of_json(report: &serde_json::Value) -> Vec<FaultLine> {
    let faults = report.get("faults").and_then(serde_json::Value::as_array);
    let of_json = |fault: &serde_json::Value| {
        let text = |name: &str| fault.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        let number = fault.get("line").and_then(serde_json::Value::as_u64).unwrap_or_default();
        line(text("severity") == "error", number, ["column", "message", "remedy"].map(text))
    };
    faults.map(|faults| faults.iter().take(200).map(of_json).collect()).unwrap_or_default()
}

fn line(is_error: bool, number: u64, [column, message, remedy]: [&str; 3]) -> FaultLine {
    let place = place(number, Some(column).filter(|column| !column.is_empty()));
    let (place, message) = match place.is_empty() {
        true => (place, capitalized(message)),
        false => (format!("{place}:"), message.to_owned()),
    };
    FaultLine { is_error, place, message: format!("{message}."), remedy: format!("{}.", capitalized(remedy)) }
}

fn in_words(verdict: &AttemptResult, texts: &Texts) -> String {
    match verdict {
        AttemptResult::Published { release } => texts.attempt_published(*release),
        AttemptResult::Unchanged { release } => texts.attempt_unchanged(*release),
        AttemptResult::Refused { errors } => texts.attempt_refused(*errors),
        AttemptResult::Held { reasons, .. } => texts.attempt_held(&reasons.join("; ")),
        AttemptResult::Failed { reason } => texts.attempt_failed(reason),
    }
}
