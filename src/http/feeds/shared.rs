//! The feed of a shared agenda, and what is left of it when it is no longer shared.

use super::polled::{Known, Look, Polled};
use super::{Source, joined_body, joined_coding, joined_tag, made, options, pairs};
use crate::agenda::{Members, ReadToken};
use crate::feed::{Joined, Options};
use crate::freshness::{Family, Freshness, LinkHash, Seen};
use crate::http::agendas::{Agendas, Shared};
use crate::http::representation::{Representation, settled};
use crate::http::teams::{self, Opened};
use crate::http::{Body, Problem};
use crate::program::Text;
use crate::release::Release;
use crate::store::AgendaRecord;
use chrono::{DateTime, Utc};
use http::header::{CONTENT_DISPOSITION, USER_AGENT};
use http::request::Parts;
use http::{Method, Response};
use std::sync::Arc;

/// A look at shared agendas.
pub(in crate::http) struct Poll<'a> {
    pub(in crate::http) agendas: &'a Agendas,
    pub(in crate::http) polled: &'a Polled,
    pub(in crate::http) release: &'a Arc<Release>,
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
        let Self { agendas, polled, release, now, .. } = *self;
        let link = token.hash();
        let options = options(&pairs(request));
        let asked = options.as_ref().copied().unwrap_or_default();
        let look = Look { polled, link: link.0, options: asked, release };
        let (known, joined) = match look.at(agendas.store().generation()) {
            Some(known) => (known, None),
            None => {
                let behind = agendas.store().behind(&link)?;
                match look.of(&behind) {
                    Some(known) => (known, None),
                    None => match agendas.seen_in(&behind)? {
                        // Some clients would keep the sessions for ever if the feed just went away, so it is
                        // emptied first.
                        Shared::Closed { since } => return self.closed(since, request),
                        shared => {
                            let agenda = shared.open()?;
                            let joined = join(&agenda, release, look.options);
                            let modified = joined.modified.max(floor(&agenda, release));
                            let known = Known::new(behind, joined.hash.clone(), modified);
                            look.keep(&known);
                            (known, Some(joined))
                        }
                    },
                }
            }
        };
        // Not before: a link that works no longer says so whatever else is asked.
        options?;
        let answer = polled_feed(known, joined, look, request, now).answer(request)?;
        if request.method == Method::GET {
            note(self.freshness, link.0, release, now, request);
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
}

/// Notes that a calendar has seen the release.
pub(in crate::http) fn note(
    freshness: &Freshness,
    link: LinkHash,
    release: &Release,
    at: DateTime<Utc>,
    request: &Parts,
) {
    let agent = request.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let by = Family::of(agent.unwrap_or_default());
    freshness.note(link, Seen { at, by, release: release.number() });
}

/// An agenda's feed as a download for its owner.
pub(in crate::http) fn own(
    agenda: &AgendaRecord,
    release: &Release,
    request: &Parts,
    now: DateTime<Utc>,
) -> Result<Response<Body>, Problem> {
    let joined = join(agenda, release, options(&pairs(request))?);
    let mut representation =
        Source::Joined(joined).representation(request, Some(floor(agenda, release)), now);
    representation.fields.push((CONTENT_DISPOSITION, "attachment; filename=\"agenda.ics\"".to_owned()));
    representation.answer(request)
}

fn join<'a>(agenda: &AgendaRecord, release: &'a Release, options: Options) -> Joined<'a> {
    release.feeds.agenda(&name(agenda, release), &agenda.picks, options, agenda.modified)
}

fn floor(agenda: &AgendaRecord, release: &Release) -> DateTime<Utc> {
    agenda.modified.max(release.published())
}

/// What is known of a polled feed, and its body, which is joined only if it is sent and was not sent lately.
fn polled_feed<'a>(
    known: Arc<Known>,
    joined: Option<Joined<'a>>,
    look: Look<'a>,
    request: &Parts,
    now: DateTime<Utc>,
) -> Representation<'a> {
    let coding = joined_coding(request);
    let (tag, modified) = (joined_tag(&known.hash, coding), settled(known.modified, now));
    made(tag, modified, coding, move || {
        let tag = joined_tag(&known.hash, coding).into_quoted();
        if let Some(body) = look.body(&tag) {
            return Ok(body);
        }
        let joined = match joined {
            Some(joined) => joined,
            None => join(&known.behind().agenda()?.ok_or(Problem::Gone)?, look.release, look.options),
        };
        let (coding, body) = joined_body(&joined, coding);
        look.keep_body(tag, coding, &body);
        Ok((coding, body))
    })
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
