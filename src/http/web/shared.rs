//! Pages behind read links: a shared agenda, a team, and the form that makes a team's address from pasted links.
//!
//! The server stores no team. The page of a link that was turned off answers 410 at once.

use super::{PageRequest, vary_by_text};
use crate::agenda::{MAX_MEMBERS, Members, ReadToken, in_path};
use crate::export::agenda_text;
use crate::http::agendas::FollowedLink;
use crate::http::browser::CookieJar;
use crate::http::reply::{html, see_other_at};
use crate::http::teams::{self, OpenedTeam, Team};
use crate::http::{Body, Problem, negotiation};
use crate::program::{SessionId, Text};
use crate::release::Release;
use crate::store::AgendaRecord;
use crate::texts::Texts;
use crate::web::{self, MemberPicks, TeamFault};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use url::Url;

impl PageRequest<'_> {
    /// The agenda behind a link that is not turned off.
    pub(super) fn open_link(&self, token: &ReadToken) -> Result<AgendaRecord, Problem> {
        self.agendas.shared(token)?.open()
    }

    pub(in crate::http) fn shared_agenda(&self, token: &ReadToken) -> Result<Response<Body>, Problem> {
        let release = &self.published.release;
        let record = self.open_link(token)?;
        if negotiation::prefers_text(&self.request.headers) {
            return Ok(vary_by_text(text(release, &record)));
        }
        let jar = CookieJar::of(&release.program.conference.public_url);
        let own = jar.key(&self.request.headers).and_then(|key| self.agendas.open(&key).ok());
        let own: Option<Vec<SessionId>> = own.map(|owned| owned.record.picks);
        let name = Text::line(&record.name).0;
        Ok(vary_by_text(html(web::shared(release, &token.reveal(), &name, &record.picks, own.as_deref()))))
    }
}

/// The agenda as a table for a terminal.
fn text(release: &Release, record: &AgendaRecord) -> Response<Body> {
    let title = match record.name.is_empty() {
        true => Text::line(&format!("{}: a shared agenda", release.program.conference.title)).0,
        false => Text::line(&record.name).0,
    };
    let mut response = Response::new(Body::from(agenda_text(release, &title, &record.picks)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

impl PageRequest<'_> {
    /// The team behind a link; gone if all of its members turned off their links.
    pub(super) async fn open_team(&self, members: &Members) -> Result<Team, Problem> {
        let texts = Texts::of(&self.published.release.program.conference.language);
        match teams::open(self.agendas, members, texts).await? {
            OpenedTeam::Open(team) => Ok(team),
            OpenedTeam::Closed { .. } => Err(Problem::Gone),
        }
    }

    pub(in crate::http) async fn team(&self, members: &Members) -> Result<Response<Body>, Problem> {
        let team = self.open_team(members).await?;
        let picks = |agenda: &crate::store::AgendaRecord| agenda.picks.clone();
        let picked: Vec<MemberPicks> = team
            .members
            .iter()
            .map(|(name, agenda)| MemberPicks { name: name.clone(), picks: agenda.as_ref().map(picks) })
            .collect();
        let page = || html(web::team(&self.published.release, &members.reveal(), &picked));
        self.queue.make(page).await
    }

    /// The form; a POST redirects to the team's page.
    pub(in crate::http) fn make_team(&self) -> Result<Response<Body>, Problem> {
        let release = &self.published.release;
        if self.request.method != Method::POST {
            return Ok(html(web::team_form(release, "", None)));
        }
        let form = self.form()?;
        let pasted = form.one("links");
        match self.members(pasted)? {
            Ok(members) => {
                let path = HeaderValue::try_from(format!("/team/{}", members.reveal()));
                Ok(see_other_at(path.map_err(|_| Problem::NotFound)?))
            }
            Err(fault) => {
                let mut response = html(web::team_form(release, pasted, Some(fault)));
                *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
                Ok(response)
            }
        }
    }

    /// The members that the pasted links name, one link a line. A team's link stands for all of its members.
    fn members(&self, pasted: &str) -> Result<Result<Members, TeamFault>, Problem> {
        let origin = &self.published.release.program.conference.public_url;
        let mut tokens: Vec<ReadToken> = Vec::new();
        for (place, text) in pasted.lines().map(str::trim).enumerate().filter(|(_, text)| !text.is_empty()) {
            let fault = TeamFault::Line(place + 1);
            let Some(members) = linked(text, origin) else { return Ok(Err(fault)) };
            for token in members.tokens() {
                if tokens.contains(token) {
                    continue;
                }
                if tokens.len() == MAX_MEMBERS {
                    return Ok(Err(TeamFault::TooMany));
                }
                if matches!(self.agendas.shared(token)?, FollowedLink::Never) {
                    return Ok(Err(fault));
                }
                tokens.push(token.clone());
            }
        }
        Ok(Members::of(tokens).map_err(|_| TeamFault::Nobody))
    }
}

/// The members that a line names: a bare token, or the address of a page or feed of this conference.
fn linked(text: &str, origin: &Url) -> Option<Members> {
    let path = match Url::parse(text) {
        Ok(url) => {
            let is_ours = url.host_str() == origin.host_str() && url.port() == origin.port();
            let scheme = url.scheme().replacen("webcal", "http", 1);
            if !is_ours || !["http", "https"].contains(&scheme.as_str()) {
                return None;
            }
            url.path().to_owned()
        }
        Err(_) => text.to_owned(),
    };
    Members::parse(in_path(&path, &["/agendas/", "/team/"]).unwrap_or(&path)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agenda::EditKey;

    #[test]
    fn addresses_of_this_conference_and_bare_tokens_are_accepted() {
        let token = EditKey::generate().unwrap().read_token(1).reveal();
        let origin: Url = "https://conf.example".parse().unwrap();
        let linked = |text: String| linked(&text, &origin).map(|members| members.reveal());
        for start in [
            "",
            "/agendas/",
            "https://conf.example/agendas/",
            "webcal://conf.example/team/",
            "https://conf.example/subscribe/agendas/",
        ] {
            assert_eq!(linked(format!("{start}{token}")), Some(token.clone()), "{start}");
        }
        assert_eq!(linked(format!("https://conf.example/agendas/{token}.ics?alarm=5m")), Some(token.clone()));
        for start in ["https://other.example/agendas/", "ftp://conf.example/agendas/", "x", "/sessions/"] {
            assert_eq!(linked(format!("{start}{token}")), None, "{start}");
        }
        assert_eq!(linked(format!("https://conf.example:8443/agendas/{token}")), None);
    }
}
