//! CalDAV, read-only (RFC 4791, RFC 4918 class 1 and 3, RFC 6578, RFC 6764), for calendars that ask for what changed.
//!
//! Owns methods, depths and what a request may see. All answers are made of a release's stored bytes; nothing
//! is ever written, so every method that would is refused alike. Public collections are open to everybody,
//! whatever credentials come along; an agenda is opened by any user name and its read link's token.
//!
//! ```text
//! /dav/public/               principal and home; lists the program and its tracks
//! /dav/public/track-NAME/    a calendar; also program, day-DATE, room-NAME, speaker-NAME
//! /dav/agendas/              principal and home of whoever's token it is
//! /dav/agendas/agenda/       their calendar
//! …/ID.ics                   a session
//! ```

mod calendar;
mod change;
mod filter;
mod login;
mod matching;
mod multistatus;
mod place;
mod property;
mod propfind;
mod query;
mod refusal;
mod report;
mod token;

pub(super) use place::{Name, Place, Tree};
pub(super) use refusal::Refusal;

use super::agendas::{Agendas, Shared};
use super::conditional::Validators;
use super::representation::{Content, Representation, settled};
use super::{Body, EntityTag, Problem, feeds, method};
use crate::agenda::ReadToken;
use crate::feed::Coding;
use crate::freshness::Freshness;
use crate::release::Release;
use bytes::Bytes;
use calendar::{Calendar, Home, Resource};
use chrono::{DateTime, Utc};
use http::header::{ALLOW, CONTENT_TYPE, LOCATION};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use std::sync::{Arc, LazyLock};

/// The longest body in bytes: ten thousand addresses take half of it.
pub(super) const CAP: usize = 1024 * 1024;

const CALENDAR: &str = "text/calendar; charset=utf-8";

/// What is taken everywhere; HEAD and OPTIONS come with it.
static METHODS: LazyLock<Vec<Method>> = LazyLock::new(|| {
    let named = ["PROPFIND", "REPORT"].iter().filter_map(|name| name.parse().ok());
    [Method::GET].into_iter().chain(named).collect()
});

/// Methods that would change something (RFC 4918, 9; RFC 4791, 5.3; RFC 3744, 8; RFC 5995).
const WRITES: &[&str] = &[
    "PUT",
    "DELETE",
    "POST",
    "PATCH",
    "PROPPATCH",
    "MKCOL",
    "MKCALENDAR",
    "MOVE",
    "COPY",
    "LOCK",
    "UNLOCK",
    "ACL",
];

/// A request to a place.
pub(super) struct Visit<'a> {
    pub(super) agendas: &'a Agendas,
    pub(super) release: &'a Arc<Release>,
    pub(super) freshness: &'a Freshness,
    pub(super) now: DateTime<Utc>,
    pub(super) request: &'a Parts,
    pub(super) body: Bytes,
}

/// How far down a request asks (RFC 4918, 10.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    Itself,
    Members,
    Infinity,
}

impl Visit<'_> {
    pub(super) async fn answer(mut self, place: Place) -> Result<Response<Body>, Problem> {
        let method = self.request.method.as_str();
        if method == "OPTIONS" {
            return Ok(options());
        }
        let is_write = WRITES.contains(&method);
        if !is_write && method != "HEAD" && !METHODS.iter().any(|taken| taken.as_str() == method) {
            return Err(Problem::Method(&METHODS));
        }
        let (resource, token) = match self.find(&place) {
            Ok((resource, _)) if is_write => return Err(Refusal::NeedPrivileges(resource.href()).into()),
            // Whoever would make something is told the same of what is not there.
            Err(Problem::NotFound) if is_write => {
                return Err(Refusal::NeedPrivileges(self.request.uri.path().to_owned()).into());
            }
            found => found?,
        };
        match method {
            "PROPFIND" => self.propfind(resource),
            "REPORT" => {
                let answer = self.report(resource).await?;
                if let Some(token) = token {
                    let Self { release, freshness, now, .. } = self;
                    feeds::note(freshness, token.hash().0, release, now, self.request);
                }
                Ok(answer)
            }
            _ => self.get(&resource),
        }
    }

    /// What is at a place for whoever asks, and the token that opened it.
    fn find(&self, place: &Place) -> Result<(Resource, Option<ReadToken>), Problem> {
        let release = Arc::clone(self.release);
        let tree = match place {
            Place::WellKnown => Tree::Public,
            Place::Nowhere(tree) | Place::Home(tree) => *tree,
            Place::Calendar(name) | Place::Object(name, _) => name.tree(),
        };
        let (mine, token) = match tree {
            Tree::Public => (None, None),
            Tree::Agendas => {
                let (calendar, token) = self.open()?;
                (Some(calendar), Some(token))
            }
        };
        let calendar = |name: &Name| match name {
            Name::Agenda => mine.clone(),
            Name::Public(key) => Calendar::of_feed(Arc::clone(&release), key),
        };
        let resource = match place {
            Place::WellKnown | Place::Nowhere(_) => None,
            Place::Home(_) => Some(Resource::Home(Home { release: Arc::clone(&release), mine })),
            Place::Calendar(name) => calendar(name).map(Resource::Calendar),
            Place::Object(name, id) => calendar(name).and_then(|calendar| {
                let event = calendar.member(id)?;
                Some(Resource::Object(calendar, event))
            }),
        };
        Ok((resource.ok_or(Problem::NotFound)?, token))
    }

    /// The calendar of the agenda that the request's password opens. One that is no longer shared is emptied,
    /// as its feed is, so that no client keeps the sessions.
    fn open(&self) -> Result<(Calendar, ReadToken), Problem> {
        let token = login::token(&self.request.headers, &self.release.program.conference.public_url)?;
        let shared = self.agendas.shared(&token)?;
        let (name, picks) = match shared {
            Shared::Never => return Err(Refusal::SignIn.into()),
            Shared::Closed { .. } => (feeds::closed_name(self.release), Vec::new()),
            shared => {
                let record = shared.open()?;
                (feeds::name(&record, self.release), record.picks)
            }
        };
        Ok((Calendar::of_agenda(Arc::clone(self.release), name, picks, &token), token))
    }

    fn depth(&self) -> Result<Option<Depth>, Problem> {
        let Some(sent) = self.request.headers.get("depth") else { return Ok(None) };
        match sent.to_str().unwrap_or_default().trim() {
            "0" => Ok(Some(Depth::Itself)),
            "1" => Ok(Some(Depth::Members)),
            infinity if infinity.eq_ignore_ascii_case("infinity") => Ok(Some(Depth::Infinity)),
            _ => Err(Problem::BadBody("Depth is 0, 1 or infinity".to_owned())),
        }
    }

    /// A session as the file that it is; for a person with a browser, what this address is for.
    fn get(&self, resource: &Resource) -> Result<Response<Body>, Problem> {
        let Resource::Object(calendar, event) = resource else {
            let text = format!(
                "This address is for calendar programs that speak CalDAV.\nTo subscribe, open {}\n",
                self.release.program.conference.link("/")
            );
            let mut response = Response::new(Body::from(text));
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            return Ok(response);
        };
        let object = calendar.object(event);
        let representation = Representation {
            media_type: CALENDAR,
            validators: Validators {
                tag: EntityTag::plain(object.hash()),
                modified: settled(object.modified(), self.now),
            },
            coding: Coding::Identity,
            body: Content::Made(Box::new(|| Ok(object.bytes()))),
            fields: Vec::new(),
        };
        representation.answer(self.request)
    }
}

fn options() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    response.headers_mut().insert(ALLOW, method::allow(&METHODS));
    response
}

/// Where CalDAV is found (RFC 6764, 5): the one redirect, since the standard asks for it.
pub(super) fn well_known() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("/dav/public/"));
    response
}
