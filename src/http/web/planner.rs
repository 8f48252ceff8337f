//! The page that suggests a day, and the forms for ranks and busy times.

use super::PageRequest;
use super::visitor::see_path;
use crate::agenda::Busy;
use crate::exchange::busy_from_file;
use crate::http::agendas::Owned;
use crate::http::browser::{PostedForm, uploaded_file};
use crate::http::query::Query;
use crate::http::reply::html;
use crate::http::{Body, Problem, browser};
use crate::program::{Civil, Rank, SessionId, Zone};
use crate::web::{self, AgendaDone, BusyForm, PlanForm, UploadedBusy};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use http::{Response, StatusCode};

impl PageRequest<'_> {
    pub(in crate::http) async fn plan(&self) -> Result<Response<Body>, Problem> {
        match self.own()? {
            None => Ok(self.no_agenda()),
            Some(owned) => self.queue.make(|| html(self.plan_page(&owned, None))).await,
        }
    }

    /// The suggestion for all days, or for the day of `?day=`.
    fn plan_page(&self, owned: &Owned, refused_busy: Option<BusyForm<'_>>) -> String {
        let query = Query::of(&self.request.uri);
        let number = |name: &str| query.first(name).and_then(|value| value.parse::<u32>().ok()).unwrap_or(0);
        let done = self.done();
        let uploaded = (done == Some(AgendaDone::BusyRead))
            .then(|| UploadedBusy { times: number("times"), skipped: number("skipped") });
        let (ranks, busy) = (owned.ranks(), owned.busy());
        let plan = PlanForm {
            picks: &owned.record.picks,
            ranks: &ranks,
            busy: &busy,
            day: query.first("day").and_then(|day| day.parse().ok()),
            done,
            uploaded,
            refused_busy,
        };
        web::plan(&self.published.release, &plan)
    }

    /// Removes the sessions that were left out or skipped, or picks one that was offered. Only the sessions that the form
    /// lists change.
    pub(in crate::http) async fn apply_plan(&self) -> Result<Response<Body>, Problem> {
        let form = self.form()?;
        let owned = self.own_for_change()?;
        let sessions = form.all("session");
        match form.one("action") {
            "pick" => self.agendas.pick_all(owned, None, &sessions, &self.published.release).await?,
            _ => self.agendas.unpick_all(owned, &sessions).await?,
        };
        plan_path(&form, AgendaDone::parse(form.one("done")).unwrap_or(AgendaDone::Removed), "")
    }

    /// Ranks a session. The name of the pressed button is the rank, and its value the session.
    pub(in crate::http) async fn rank(&self) -> Result<Response<Body>, Problem> {
        let form = self.form()?;
        let pressed = Rank::ALL.iter().find(|rank| !form.one(rank.as_str()).is_empty());
        let rank = *pressed.ok_or(Problem::NotFound)?;
        let session = SessionId::parse(form.one(rank.as_str())).map_err(|_| Problem::NotFound)?;
        let owned = self.own_for_change()?;
        self.agendas.rank(owned, None, &session, rank, &self.published.release).await?;
        if form.one("back") == "plan" {
            return plan_path(&form, AgendaDone::Ranked, session.as_str());
        }
        see_path(&format!("/agenda?done={}#{session}", AgendaDone::Ranked.name()))
    }

    pub(in crate::http) async fn add_busy(&self) -> Result<Response<Body>, Problem> {
        let form = self.form()?;
        let owned = self.own_for_change()?;
        let Some(busy) = busy_of(&form, self.published.release.program.conference.zone) else {
            let typed = BusyForm {
                date: form.one("date").parse().ok(),
                from: form.one("from"),
                to: form.one("to"),
                label: form.one("label"),
            };
            let mut response = self.queue.make(|| html(self.plan_page(&owned, Some(typed)))).await?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(response);
        };
        self.agendas.add_busy(owned, &[busy]).await?;
        plan_path(&form, AgendaDone::BusyAdded, AgendaDone::BusyAdded.section())
    }

    /// Removes a busy time. The value of the button is its start and its end, in Unix time.
    pub(in crate::http) async fn remove_busy(&self) -> Result<Response<Body>, Problem> {
        let form = self.form()?;
        let owned = self.own_for_change()?;
        let seconds = form.one("busy").split_once('/');
        let seconds = seconds.and_then(|(start, end)| Some((start.parse().ok()?, end.parse().ok()?)));
        let (start, end) = seconds.ok_or(Problem::NotFound)?;
        self.agendas.remove_busy(owned, start, end).await?;
        plan_path(&form, AgendaDone::BusyRemoved, AgendaDone::BusyRemoved.section())
    }

    /// Adds the busy times of an uploaded calendar. An address is never fetched.
    pub(in crate::http) async fn import_busy(&self) -> Result<Response<Body>, Problem> {
        let release = &self.published.release;
        let conference = &release.program.conference;
        browser::check_origin(&self.request.headers, &conference.public_url)?;
        let owned = self.own_for_change()?;
        let file = uploaded_file(self.request, self.body.clone(), "file").await?;
        let days = &release.ledger.slugs.days;
        let span = days.first().zip(days.last()).map(|(first, last)| {
            let midnight = |day: NaiveDate| instant(conference.zone, day, NaiveTime::MIN);
            (midnight(*first), midnight(*last + TimeDelta::days(1)))
        });
        let span = span.ok_or(Problem::NotFound)?;
        let found = self.queue.make(|| busy_from_file(&file, conference, span)).await??;
        self.agendas.add_busy(owned, &found.times).await?;
        let (done, times, skipped) = (AgendaDone::BusyRead, found.times.len(), found.skipped);
        see_path(&format!(
            "/agenda/plan?done={}&times={times}&skipped={skipped}#{}",
            done.name(),
            done.section()
        ))
    }
}

/// The redirect to the plan, with the day that the form belongs to.
fn plan_path(form: &PostedForm, done: AgendaDone, place: &str) -> Result<Response<Body>, Problem> {
    let day = form.one("day").parse::<NaiveDate>().map(|day| format!("&day={day}")).unwrap_or_default();
    let place = if place.is_empty() || place == "top" { String::new() } else { format!("#{place}") };
    see_path(&format!("/agenda/plan?done={}{day}{place}", done.name()))
}

/// The busy time of a form; none if a value is missing or the time does not end after its start.
fn busy_of(form: &PostedForm, zone: Zone) -> Option<Busy> {
    let date: NaiveDate = form.one("date").parse().ok()?;
    let time = |name| {
        let raw = form.one(name).trim();
        NaiveTime::parse_from_str(raw, "%H:%M").or_else(|_| NaiveTime::parse_from_str(raw, "%H:%M:%S")).ok()
    };
    let (start, end) = (instant(zone, date, time("from")?), instant(zone, date, time("to")?));
    (start < end).then(|| Busy { start, end, label: form.one("label").to_owned() })
}

fn instant(zone: Zone, date: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    match zone.instant(date.and_time(time)) {
        Civil::Once(at) | Civil::Twice(at, _) | Civil::Skipped(at, _) => at,
    }
}
