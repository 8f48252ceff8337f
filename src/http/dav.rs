//! Read-only CalDAV (RFC 4791, RFC 4918 class 1 and 3, RFC 6578, RFC 6764), for calendars that sync changes.
//!
//! Owns methods, depths and access. Responses consist of a release's stored bytes. Every writing method is refused,
//! except the subscriptions of WebDAV-Push. Public collections are open to everybody and ignore credentials. An agenda
//! needs its read link's token as the password of Basic credentials (RFC 7617), with any user name or none.
//!
//! ```text
//! /  /dav/  /.well-known/caldav    lead to one of the trees: to an agenda's if the request has a token
//! /dav/public/                     principal and home; lists the program and its tracks
//! /dav/public/track-NAME/          a calendar; also program, day-DATE, room-NAME, speaker-NAME
//! /dav/agendas/                    principal and home of the token's agenda
//! /dav/agendas/agenda/             its calendar
//! /dav/cancelled-title/…           the same trees, with "cancelled" in the titles of cancelled sessions
//! …/ID.ics                         a session
//! /dav/public/subscriptions/ID     a calendar program's subscription to push messages; also below /dav/agendas/
//! ```

mod calendar;
mod filter;
mod multistatus;
mod place;
mod property;
mod push;
mod refusal;
mod report;
mod sync;

pub(super) use place::{DavPath, Name, Tree};
pub(super) use refusal::Refusal;

use super::agendas::{Agendas, FollowedLink};
use super::allowance::Allowed;
use super::conditional::Validators;
use super::reply::{Content, Representation, stable_last_modified};
use super::{Body, EntityTag, Problem, feeds, request_head};
use crate::agenda::ReadToken;
use crate::feed::Coding;
use crate::freshness::Freshness;
use crate::publisher::Publisher;
use crate::release::Release;
use bytes::Bytes;
use calendar::{Calendar, DavResource, Home};
use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, LOCATION, VARY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use std::sync::Arc;
use url::{Host, Url};

/// The longest body, in bytes: twice the length of ten thousand addresses.
pub(super) const MAX_BODY: usize = 1024 * 1024;

const CALENDAR: &str = "text/calendar; charset=utf-8";

/// The methods of every CalDAV resource; HEAD and OPTIONS come with them.
pub(super) const METHODS: &[&str] = &["GET", "PROPFIND", "REPORT"];

/// The supported features of WebDAV where calendar programs can subscribe to push messages.
const PUSHING: &str = "1, 3, calendar-access, webdav-push";

/// Writing methods (RFC 4918, 9; RFC 4791, 5.3; RFC 3744, 8; RFC 5995).
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
pub(super) struct DavRequest<'a> {
    pub(super) agendas: &'a Agendas,
    pub(super) publisher: &'a Publisher,
    pub(super) allowed: Allowed<'a>,
    pub(super) release: &'a Arc<Release>,
    pub(super) freshness: &'a Freshness,
    pub(super) now: DateTime<Utc>,
    pub(super) request: &'a Parts,
    pub(super) body: Bytes,
}

/// The Depth of a request (RFC 4918, 10.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    Itself,
    Members,
    Infinity,
}

impl DavRequest<'_> {
    pub(super) async fn answer(mut self, place: DavPath) -> Result<Response<Body>, Problem> {
        let method = self.request.method.as_str();
        if method == "OPTIONS" {
            return Ok(self.options(&place));
        }
        if let DavPath::Subscription(tree, id) = &place {
            return self.unsubscribe(*tree, id).await;
        }
        let is_write = WRITES.contains(&method);
        if !is_write && method != "HEAD" && !METHODS.contains(&method) {
            return Err(Problem::Method(METHODS));
        }
        if let DavPath::Root(href) = place {
            return self.root(href, method);
        }
        let (resource, token) = match self.find(&place) {
            Ok((resource, _)) if method == "POST" => return self.post(resource).await,
            Ok((resource, _)) if is_write => return Err(Refusal::NeedPrivileges(resource.href()).into()),
            // Writes to missing resources are refused alike, since clients create resources by writing to a new
            // address.
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
                    feeds::note_fetch(freshness, token.hash().0, release, now, self.request);
                }
                Ok(answer)
            }
            _ => self.get(&resource),
        }
    }

    /// Answers at the root, where a client that knows only the host starts. It never asks for credentials.
    fn root(&self, href: &'static str, method: &str) -> Result<Response<Body>, Problem> {
        let tree = tree_of(&self.request.headers);
        let mut response = match method {
            "PROPFIND" => self.propfind(DavResource::Root(href, tree, Arc::clone(self.release)))?,
            "REPORT" => return Err(Refusal::Unmet("D:supported-report").into()),
            method if WRITES.contains(&method) => return Err(Refusal::NeedPrivileges(href.to_owned()).into()),
            _ => self.about(),
        };
        response.headers_mut().insert(VARY, HeaderValue::from_static("Authorization"));
        Ok(response)
    }

    /// The resource at a place, and the token that opened it.
    fn find(&self, place: &DavPath) -> Result<(DavResource, Option<ReadToken>), Problem> {
        let release = Arc::clone(self.release);
        let tree = match place {
            DavPath::Root(_) => Tree::PUBLIC,
            DavPath::Nowhere(tree) | DavPath::Home(tree) | DavPath::Subscription(tree, _) => *tree,
            DavPath::Calendar(tree, _) | DavPath::Object(tree, ..) => *tree,
        };
        let (mine, token) = match tree.is_agenda {
            false => (None, None),
            true => {
                let (calendar, token) = self.open(tree)?;
                (Some(calendar), Some(token))
            }
        };
        let calendar = |name: &Name| match name {
            Name::Agenda => mine.clone(),
            Name::Public(key) => Calendar::of_feed(Arc::clone(&release), tree, key),
        };
        let resource = match place {
            DavPath::Root(_) | DavPath::Nowhere(_) | DavPath::Subscription(..) => None,
            DavPath::Home(_) => Some(DavResource::Home(Home { release: Arc::clone(&release), tree, mine })),
            DavPath::Calendar(_, name) => calendar(name).map(DavResource::Calendar),
            DavPath::Object(_, name, id) => calendar(name).and_then(|calendar| {
                let event = calendar.member(id)?;
                Some(DavResource::Object(calendar, event))
            }),
        };
        Ok((resource.ok_or(Problem::NotFound)?, token))
    }

    /// The calendar of the agenda that the request's token opens. If the agenda is no longer shared, its calendar is
    /// empty, like its feed, so that clients remove the sessions.
    fn open(&self, tree: Tree) -> Result<(Calendar, ReadToken), Problem> {
        let token = token(&self.request.headers, &self.release.program.conference.public_url)?;
        let shared = self.agendas.shared(&token)?;
        let (name, picks) = match shared {
            FollowedLink::Never => return Err(Refusal::SignIn.into()),
            FollowedLink::Closed { .. } => (feeds::closed_name(self.release), Vec::new()),
            shared => {
                let record = shared.open()?;
                (feeds::agenda_name(&record, self.release), record.picks)
            }
        };
        Ok((Calendar::of_agenda(Arc::clone(self.release), tree, name, picks, &token), token))
    }

    /// The allowed methods and supported features.
    fn options(&self, place: &DavPath) -> Response<Body> {
        let mut response = Response::new(Body::Empty);
        let mut methods = METHODS.to_vec();
        if self.publisher.push().is_some() {
            response.headers_mut().insert("dav", const { HeaderValue::from_static(PUSHING) });
            if matches!(place, DavPath::Calendar(..)) {
                methods.push("POST");
            }
        }
        response.headers_mut().insert(ALLOW, request_head::allow(&methods));
        response
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

    /// A session as a file; any other resource as a hint for a person with a browser.
    fn get(&self, resource: &DavResource) -> Result<Response<Body>, Problem> {
        let DavResource::Object(calendar, event) = resource else { return Ok(self.about()) };
        let object = calendar.object(event);
        let representation = Representation {
            media_type: CALENDAR,
            validators: Validators {
                tag: EntityTag::plain(object.hash()),
                modified: stable_last_modified(object.modified(), self.now),
            },
            coding: Coding::Identity,
            body: Content::Made(Box::new(|| Ok(object.bytes()))),
            fields: Vec::new(),
        };
        representation.answer(self.request)
    }

    /// A hint for a person with a browser.
    fn about(&self) -> Response<Body> {
        let text = format!(
            "This address is for calendar programs that speak CalDAV.\nTo subscribe, open {}\n",
            self.release.program.conference.link("/")
        );
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }
}

/// The tree for a request's credentials. A token selects the agenda tree even if it opens no agenda any more, so that
/// the client learns of it. Anything else selects the public tree, which needs no credentials.
fn tree_of(headers: &HeaderMap) -> Tree {
    if sent_token(headers).is_some() { Tree::AGENDAS } else { Tree::PUBLIC }
}

/// Redirects from the well-known address (RFC 6764, 5).
pub(super) fn well_known(headers: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    let home = HeaderValue::from_static(tree_of(headers).home());
    response.headers_mut().insert(LOCATION, home);
    response.headers_mut().insert(VARY, HeaderValue::from_static("Authorization"));
    response
}

/// The token of a request. Over plain http it is only accepted on this machine.
fn token(headers: &HeaderMap, public_url: &Url) -> Result<ReadToken, Refusal> {
    if !is_private(public_url) {
        return Err(Refusal::Insecure);
    }
    sent_token(headers).ok_or(Refusal::SignIn)
}

/// The token in a request's credentials, if any.
fn sent_token(headers: &HeaderMap) -> Option<ReadToken> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return None };
    let (scheme, encoded) = field.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(encoded.trim().as_bytes()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    // Programs with a single field send the token as the user name.
    [password, user].into_iter().find_map(|secret| {
        // People may paste the whole link.
        let token = secret.trim().rsplit('/').next()?;
        ReadToken::parse(token.strip_suffix(".ics").unwrap_or(token)).ok()
    })
}

fn is_private(public_url: &Url) -> bool {
    public_url.scheme() == "https"
        || match public_url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agenda::EditKey;

    fn sent(lines: &[String]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(AUTHORIZATION, line.parse().unwrap());
        }
        headers
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", BASE64.encode(pair.as_bytes()))
    }

    #[test]
    fn the_token_or_its_link_is_accepted_with_any_user_name() {
        let public: Url = "https://conf.example".parse().unwrap();
        let expected = EditKey::generate().unwrap().read_token(1);
        let secret = expected.reveal();
        for pair in [
            format!("me:{secret}"),
            format!(":{secret}"),
            format!("zoë: {secret} "),
            format!("{secret}:"),
            format!("me:https://conf.example/agendas/{secret}.ics"),
            format!("me:https://conf.example/agendas/{secret}"),
        ] {
            assert_eq!(token(&sent(&[basic(&pair)]), &public), Ok(expected.clone()), "{pair}");
        }
        for lines in [
            vec![],
            vec![basic("me:")],
            vec![basic(&secret)],
            vec![basic(&format!("me:{secret}x"))],
            vec![format!("Bearer {secret}")],
            vec!["Basic ????".to_owned()],
            vec!["Basic".to_owned()],
            vec![basic(&format!("me:{secret}")), basic(&format!("me:{secret}"))],
        ] {
            assert_eq!(token(&sent(&lines), &public), Err(Refusal::SignIn), "{lines:?}");
        }
    }

    #[test]
    fn plain_http_is_accepted_only_on_this_machine() {
        for (public, refusal) in [
            ("http://conf.example", Refusal::Insecure),
            ("http://192.0.2.1:8080", Refusal::Insecure),
            ("http://127.0.0.1:8080", Refusal::SignIn),
            ("http://[::1]:8080", Refusal::SignIn),
            ("http://localhost", Refusal::SignIn),
            ("https://conf.example", Refusal::SignIn),
        ] {
            assert_eq!(token(&sent(&[]), &public.parse().unwrap()), Err(refusal), "{public}");
        }
    }
}
