//! Serves the pages: public ones as rendered at publication, personal ones rendered on request.
//!
//! Public pages do not depend on the visitor, so everybody gets the same bytes from memory. Answers that depend on a
//! cookie are `private`, so shared caches do not store them.

pub(super) mod browser;
mod events;
mod handover;
mod public;
mod shared;
mod visitor;

pub(super) use events::Events;
pub(super) use handover::Codes;

use super::agendas::Agendas;
use super::allowance::Allowed;
use super::exports::Exports;
use super::queue::Queues;
use super::{Body, Problem, plain, policy};
use crate::agenda::{Members, ReadToken};
use crate::clock::Clock;
use crate::exchange::MOST_BYTES;
use crate::freshness::Freshness;
use crate::program::{SessionId, Slug};
use crate::publisher::{Published, Publisher};
use crate::store::Store;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};

/// The longest form, in bytes: enough for 500 session ids.
pub(super) const CAP: usize = 64 * 1024;

/// The page, file or action behind a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Web {
    /// `/`, filtered or not.
    Program,
    Session(SessionId),
    Track(Slug),
    Speaker(Slug),
    /// A file such as `/robots.txt`, by its path.
    File(&'static str),
    /// `/assets/…`, by file name.
    Asset(String),
    Changes,
    /// `/api`.
    Reference,
    /// `/subscribe/…`: the path of the feed without its suffix.
    Subscribe(String),
    SharedAgenda(ReadToken),
    /// Several shared agendas on one page.
    Team(Members),
    MakeTeam,
    Mine,
    State,
    Picks,
    Name,
    Import,
    /// The picks as a calendar or a JSON list.
    Export {
        is_calendar: bool,
    },
    NewLink,
    RevokeLink(u32),
    NewKey,
    Delete,
    MakeHandOver,
    HandOver(String),
    Events,
}

impl Web {
    /// The longest body that it accepts, in bytes.
    pub(super) fn cap(&self) -> usize {
        match self {
            // The file and the multipart framing.
            Self::Import => MOST_BYTES + 4096,
            _ => CAP,
        }
    }
}

/// A request for a page, with everything that answering it needs.
pub(super) struct PageRequest<'a> {
    pub(super) agendas: &'a Agendas,
    pub(super) publisher: &'a Publisher,
    pub(super) published: &'a Published,
    pub(super) exports: &'a Exports,
    pub(super) store: &'a Store,
    pub(super) freshness: &'a Freshness,
    pub(super) codes: &'a Codes,
    pub(super) events: &'a Events,
    pub(super) clock: &'a Clock,
    pub(super) queues: &'a Queues,
    pub(super) frame_ancestors: &'a str,
    pub(super) allowed: Allowed<'a>,
    pub(super) request: &'a Parts,
    pub(super) body: Bytes,
}

impl PageRequest<'_> {
    pub(super) async fn answer(self, web: Web) -> Result<Response<Body>, Problem> {
        match web {
            Web::Program => self.program().await,
            Web::Session(id) => self.session(&id),
            Web::Track(slug) => self.track(&slug),
            Web::Speaker(slug) => self.speaker(&slug),
            Web::File(path) => self.file(path),
            Web::Asset(name) => self.asset(&name),
            Web::Changes => self.changes(),
            Web::Reference => self.reference(),
            Web::Subscribe(path) => self.subscribe(&path),
            Web::SharedAgenda(token) => self.shared_agenda(&token),
            Web::Team(members) => self.team(&members),
            Web::MakeTeam => self.make_team(),
            Web::Mine => self.mine().await,
            Web::State => self.state(),
            Web::Picks => self.pick().await,
            Web::Name => self.rename().await,
            Web::Import => self.import().await,
            Web::Export { is_calendar } => self.export(is_calendar),
            Web::NewLink => self.add_link().await,
            Web::RevokeLink(n) => self.revoke_link(n).await,
            Web::NewKey => self.replace_key().await,
            Web::Delete => self.delete().await,
            Web::MakeHandOver => self.make_hand_over().await,
            Web::HandOver(code) => self.hand_over(&code),
            Web::Events => self.events.answer(self.publisher),
        }
    }
}

/// Adds the `Vary` of answers that are either a page or plain text.
pub(super) fn chosen(mut response: Response<Body>) -> Response<Body> {
    policy::vary(response.headers_mut(), HeaderValue::from_static(plain::VARY));
    response
}

/// A page that was rendered for one visitor.
pub(super) fn html(body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// A redirect after a POST: 303 (RFC 9110, 15.4.4).
pub(super) fn see(path: &'static str) -> Response<Body> {
    see_at(HeaderValue::from_static(path))
}

/// [`see`] for a computed path.
fn see_at(path: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, path);
    response
}

pub(super) fn set_cookies(response: &mut Response<Body>, cookies: impl IntoIterator<Item = String>) {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
}
