//! The desk: the organizer's first page, its sign-in cookie, and the forms that discard a held release or cancel a
//! scheduled one.

use super::{Organizer, OrganizerRequest, UncheckedRequest, is_marked};
use crate::freshness::FeedKind;
use crate::http::Problem;
use crate::http::browser::PostedForm;
use crate::http::operator::SHARES;
use crate::http::query::Query;
use crate::http::reply::{Answer, html, see_other, see_other_at, set_cookies};
use crate::import::{Fault, Report, capitalized, place};
use crate::program::Severity;
use crate::publisher::{AttemptResult, Conflict, HoldReason, SourceStatus};
use crate::reach::DeliveryCounts;
use crate::store::{Channel, Origin, ReachTally};
use crate::texts::Texts;
use crate::web::{
    self, AttemptOutcome, CalendarCount, CalendarKind, DeskDone, FaultLine, FollowedSource, LastAttempt,
    MessageChannel, OutboxStatus, ProgramSource, ReachRow, ReleaseRow, ScheduledRelease, SignInReason,
    SourceConflict,
};
use chrono::DateTime;
use http::{HeaderValue, StatusCode};
use std::collections::BTreeMap;

/// How many releases the desk lists, the newest first.
const MAX_LISTED_RELEASES: usize = 50;

impl UncheckedRequest<'_> {
    /// The desk; the sign-in page without a valid cookie.
    pub(in crate::http) async fn home(self) -> Answer {
        let Self { organizer, request, .. } = self;
        if organizer.secrets.are_none() {
            return Err(Problem::NotFound);
        }
        let release = organizer.publisher.current();
        let public_url = &release.program.conference.public_url;
        let query = Query::of(&request.uri);
        if let Some(who) = organizer.signed_in(&request.headers, public_url) {
            let done = query.first("done").and_then(DeskDone::parse);
            return organizer.read(move |organizer| organizer.home(who, done)).await;
        }
        let reason = if query.first("done") == Some("signed-out") {
            SignInReason::SignedOut
        } else {
            SignInReason::New
        };
        let mut response = html(web::sign_in(&release, reason));
        if is_marked(&request.headers) {
            // The sign-in has ended, so pages stop linking to the desk.
            let (headers, now) = (&request.headers, organizer.clock.now());
            set_cookies(&mut response, organizer.sign_ins.close(headers, public_url, now).await?);
        }
        Ok(response)
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
            let mut response = html(web::sign_in(&release, SignInReason::Wrong));
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            return Ok(response);
        };
        let public_url = &release.program.conference.public_url;
        let cookies = organizer.sign_ins.open(&secret.sha256, public_url, organizer.clock.now());
        let mut response = see_other("/organizer");
        set_cookies(&mut response, cookies?);
        Ok(response)
    }

    pub(in crate::http) async fn sign_out(self) -> Answer {
        let Self { organizer, request, .. } = self;
        self.form().await?;
        let release = organizer.publisher.current();
        let (public_url, now) = (&release.program.conference.public_url, organizer.clock.now());
        let mut response = see_other("/organizer?done=signed-out");
        set_cookies(&mut response, organizer.sign_ins.close(&request.headers, public_url, now).await?);
        Ok(response)
    }
}

impl Organizer {
    fn home(&self, who: String, done: Option<DeskDone>) -> Answer {
        let release = self.publisher.current();
        let texts = Texts::of(&release.program.conference.language);
        let (status, now) = (self.publisher.status(), self.clock.now());
        let last = status.last.as_ref().map(|last| LastAttempt {
            at: last.at,
            source: source(last.origin),
            outcome: outcome(&last.verdict, texts),
            faults: last.report.as_ref().map(faults_of_json).unwrap_or_default(),
        });
        let held = status.held.all().iter().rev().map(|waiting| web::HeldRelease {
            since: waiting.at,
            source: source(waiting.origin),
            reasons: reason_texts(&waiting.reasons, texts),
            digest: waiting.digest.clone(),
            changes: waiting.details.clone(),
            // The next start would hold a discarded config again, until its file is changed.
            is_discardable: waiting.origin != Origin::Config,
        });
        let kept = super::reports::readable_releases(&self.store)?;
        let releases = kept.iter().rev().take(MAX_LISTED_RELEASES).map(|kept| ReleaseRow {
            number: kept.number,
            published: kept.published,
            source: source(kept.origin),
            who: kept.who.clone().unwrap_or_default(),
            changes: kept.changes,
            has_text: kept.complete,
        });
        let calendars = self.freshness.audience(now).into_iter().map(|audience| CalendarCount {
            kind: match audience.kind {
                FeedKind::Program => CalendarKind::Program,
                FeedKind::Track => CalendarKind::Track,
                FeedKind::Part => CalendarKind::Part,
                FeedKind::Agenda => CalendarKind::Agenda,
            },
            client: audience.client.display_name().to_owned(),
            releases: audience.releases,
            last: audience.last,
        });
        let desk = web::DeskStatus {
            who,
            done,
            last,
            held: held.collect(),
            stale: self.publisher.file_is_stale().then(|| self.publisher.file().display().to_string()),
            unstored: status.unstored.map(|unstored| (unstored.since, unstored.reason)),
            source: status.source.map(followed),
            stopped: status.faults.iter().map(|(task, cause)| format!("{task}: {cause}")).collect(),
            planned: status.schedule.map(|schedule| ScheduledRelease {
                at: schedule.at,
                made: schedule.made,
                who: schedule.who.unwrap_or_default(),
            }),
            calendars: calendars.collect(),
            counted_since: Some(self.started),
            outbox: self.outbox(),
            reach: kept
                .iter()
                .rev()
                .take(MAX_LISTED_RELEASES)
                .flat_map(|kept| self.reach(kept.number))
                .collect(),
            releases: releases.collect(),
        };
        Ok(html(web::desk(&release, &desk)))
    }

    /// The deliveries that wait or were given up, by channel. An outbox that cannot be read must not hide the rest of
    /// the page.
    fn outbox(&self) -> Vec<OutboxStatus> {
        let counts = self.publisher.count_deliveries().unwrap_or_else(|error| {
            tracing::warn!(%error, "the outbox cannot be read");
            BTreeMap::new()
        });
        let has_any = |(_, count): &(Channel, DeliveryCounts)| count.waiting + count.given_up > 0;
        let status = |(channel, count): (Channel, DeliveryCounts)| OutboxStatus {
            channel: message_channel(channel),
            waiting: count.waiting,
            failed: count.given_up,
            oldest: count.oldest,
        };
        counts.into_iter().filter(has_any).map(status).collect()
    }
}

impl Organizer {
    /// How the messages about a release fared, by channel. Counts that cannot be read must not hide the rest of the
    /// page.
    fn reach(&self, release: u64) -> Vec<ReachRow> {
        let record = self.store.reach(release).unwrap_or_else(|error| {
            tracing::warn!(%error, release, "the deliveries of a release cannot be counted");
            None
        });
        let channels = record.unwrap_or_default().channels.into_iter();
        let row = |(channel, tally): (Channel, ReachTally)| ReachRow {
            release,
            channel: message_channel(channel),
            sent: tally.sent(),
            delivered: tally.delivered,
            failed: tally.failed,
            waiting: tally.waiting(),
            seconds: SHARES.map(|percent| tally.seconds_to(percent)),
        };
        channels.filter(|(_, tally)| tally.sent() > 0).map(row).collect()
    }
}

fn followed(status: SourceStatus) -> FollowedSource {
    let conflict = |conflict: Conflict| match conflict {
        Conflict::Cells { title, fields, source, file, .. } => {
            SourceConflict::Cells { title, fields, source, own: file }
        }
        Conflict::DeletedRow { title, .. } => SourceConflict::DeletedRow(title),
    };
    FollowedSource {
        host: status.host,
        read: status.read,
        problem: status.problem.map(|problem| (problem.since, problem.reason)),
        is_discarded: status.discarded,
        conflicts: status.conflicts.into_iter().map(conflict).collect(),
        notes: status.notes,
    }
}

fn message_channel(channel: Channel) -> MessageChannel {
    match channel {
        Channel::Webhook => MessageChannel::Webhook,
        Channel::WebPush => MessageChannel::Browser,
        Channel::DavPush => MessageChannel::CalendarProgram,
        Channel::Mail => MessageChannel::Mailbox,
    }
}

impl OrganizerRequest<'_> {
    /// Drops a held release.
    pub(in crate::http) async fn discard_held(self, form: PostedForm) -> Answer {
        match self.organizer.publisher.discard(form.one("digest")).await? {
            true => done(DeskDone::Discarded),
            false => done(DeskDone::Gone),
        }
    }

    /// Empties the schedule, if it still holds the release that the page showed.
    pub(in crate::http) async fn cancel_schedule(self, form: PostedForm) -> Answer {
        let made = DateTime::parse_from_rfc3339(form.one("made")).map(|made| made.to_utc());
        let made = made.map_err(|_| Problem::BadBody("the form lacks the scheduled release".to_owned()))?;
        match self.organizer.publisher.unschedule(Some(made)).await? {
            true => done(DeskDone::Unscheduled),
            false => done(DeskDone::Gone),
        }
    }
}

/// The redirect to the desk, which confirms the form.
pub(super) fn done(what: DeskDone) -> Answer {
    let location = HeaderValue::try_from(format!("/organizer?done={}", what.name()));
    let location = location.map_err(|_| Problem::BadBody("the page's address is malformed".to_owned()))?;
    Ok(see_other_at(location))
}

pub(super) fn source(origin: Origin) -> ProgramSource {
    match origin {
        Origin::First => ProgramSource::First,
        Origin::File => ProgramSource::File,
        Origin::Upload => ProgramSource::Upload,
        Origin::Rollback { of } => ProgramSource::Restored(of),
        Origin::Config => ProgramSource::Config,
        Origin::Upgrade => ProgramSource::Upgrade,
        Origin::Restored => ProgramSource::Backup,
        Origin::Scheduled => ProgramSource::Schedule,
        Origin::Source => ProgramSource::Followed,
    }
}

pub(super) fn faults(report: &Report) -> Vec<FaultLine> {
    let displayed = report.displayed();
    let errors = displayed.iter().filter(|fault| fault.severity == Severity::Error).count();
    let mut lines: Vec<FaultLine> = displayed.into_iter().map(fault).collect();
    for kind in report.alike() {
        let message = format!("warnings of the kind {}: {kind}", kind.rule);
        lines.push(line(false, 0, ["", &message, "see the first ones above"]));
    }
    let left = report.error_count().saturating_sub(errors);
    if left > 0 {
        let message = format!("{left} more are not listed here");
        lines.push(line(true, 0, ["", &message, "correct the listed ones and look at the file again"]));
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

/// Why a release is held, in the conference's language.
pub(super) fn reason_texts(reasons: &[HoldReason], texts: &Texts) -> Vec<String> {
    reasons.iter().map(|reason| reason.text(texts)).collect()
}

fn outcome(verdict: &AttemptResult, texts: &Texts) -> AttemptOutcome {
    match verdict {
        AttemptResult::Published { release } => AttemptOutcome::Published(*release),
        AttemptResult::Unchanged { release } => AttemptOutcome::Unchanged(*release),
        AttemptResult::Refused { errors } => AttemptOutcome::Refused(*errors),
        AttemptResult::Held { reasons, .. } => AttemptOutcome::Held(reason_texts(reasons, texts)),
        AttemptResult::Failed { reason } => AttemptOutcome::Failed(reason.clone()),
    }
}
