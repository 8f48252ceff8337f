//! The feed of a shared agenda, and what is left of it when it is no longer shared.

use super::{Source, options, pairs};
use crate::agenda::{Members, ReadToken};
use crate::freshness::{Family, Freshness, Seen};
use crate::http::agendas::{Agendas, Shared};
use crate::http::representation::Representation;
use crate::http::teams::{self, Opened};
use crate::http::{Body, Problem};
use crate::program::Text;
use crate::release::Release;
use crate::store::AgendaRecord;
use chrono::{DateTime, Utc};
use http::header::{CONTENT_DISPOSITION, USER_AGENT};
use http::request::Parts;
use http::{Method, Response};

/// A look at shared agendas.
pub(in crate::http) struct Poll<'a> {
    pub(in crate::http) agendas: &'a Agendas,
    pub(in crate::http) release: &'a Release,
    pub(in crate::http) freshness: &'a Freshness,
    pub(in crate::http) now: DateTime<Utc>,
}

impl Poll<'_> {
    /// Answers a read link. A client that gets the feed, or is told that it has it, has seen the release.
    pub(in crate::http) fn answer(
        &self,
        token: &ReadToken,
        request: &Parts,
    ) -> Result<Response<Body>, Problem> {
        let Self { agendas, release, now, .. } = *self;
        let agenda = match agendas.shared(token)? {
            // Some clients would keep the sessions for ever if the feed just went away, so it is emptied first.
            Shared::Closed { since } => return self.closed(since, request),
            shared => shared.open()?,
        };
        let answer = representation(&agenda, release, request, now)?.answer(request)?;
        if request.method == Method::GET {
            self.note(token, request);
        }
        Ok(answer)
    }

    /// Answers a combined link. Those who poll it are not the members, so no link has seen anything.
    pub(in crate::http) fn team(
        &self,
        members: &Members,
        request: &Parts,
    ) -> Result<Response<Body>, Problem> {
        let Self { agendas, release, now, .. } = *self;
        let team = match teams::open(agendas, members)? {
            Opened::Closed { since } => return self.closed(since, request),
            Opened::Open(team) => team,
        };
        let joined = release.feeds.team(&team.sharing(), options(&pairs(request))?, team.changed);
        let floor = team.changed.max(release.published());
        Source::Joined(joined).representation(request, Some(floor), now).answer(request)
    }

    /// The empty calendar that says why it is empty.
    fn closed(&self, since: DateTime<Utc>, request: &Parts) -> Result<Response<Body>, Problem> {
        let about = Text::from("Whoever shared this agenda no longer does. You can remove the calendar.");
        let joined = self.release.feeds.closed(&closed_name(self.release), &about, since);
        Source::Joined(joined).representation(request, None, self.now).answer(request)
    }

    /// Notes that a calendar has seen the release.
    pub(in crate::http) fn note(&self, token: &ReadToken, request: &Parts) {
        let agent = request.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let by = Family::of(agent.unwrap_or_default());
        let seen = Seen { at: self.now, by, release: self.release.number() };
        self.freshness.note(token.hash().0, seen);
    }
}

/// An agenda's feed as a download for its owner.
pub(in crate::http) fn own(
    agenda: &AgendaRecord,
    release: &Release,
    request: &Parts,
    now: DateTime<Utc>,
) -> Result<Response<Body>, Problem> {
    let mut representation = representation(agenda, release, request, now)?;
    representation.fields.push((CONTENT_DISPOSITION, "attachment; filename=\"agenda.ics\"".to_owned()));
    representation.answer(request)
}

fn representation<'a>(
    agenda: &AgendaRecord,
    release: &'a Release,
    request: &Parts,
    now: DateTime<Utc>,
) -> Result<Representation<'a>, Problem> {
    let options = options(&pairs(request))?;
    let joined = release.feeds.agenda(&name(agenda, release), &agenda.picks, options, agenda.modified);
    let floor = agenda.modified.max(release.published());
    Ok(Source::Joined(joined).representation(request, Some(floor), now))
}

/// What a calendar of an agenda is called.
pub(in crate::http) fn name(agenda: &AgendaRecord, release: &Release) -> Text {
    match agenda.name.is_empty() {
        true => Text::line(&format!("{}: my agenda", release.program.conference.title)).0,
        false => Text::line(&agenda.name).0,
    }
}

/// What it is called once its link is closed.
pub(in crate::http) fn closed_name(release: &Release) -> Text {
    Text::line(&format!("{} (no longer shared)", release.program.conference.title)).0
}
