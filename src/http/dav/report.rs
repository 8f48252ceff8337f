//! The requests of clients: PROPFIND (RFC 4918, 9.1) and REPORT (RFC 3253, 3.6).
//!
//! Parses the body and answers calendar-multiget (RFC 4791, 7.9), calendar-query (7.8) and free-busy-query (7.10). `sync`
//! answers sync-collection.

use super::calendar::{Calendar, DavResource};
use super::filter::{Filter, FilteredSession, Range};
use super::multistatus::{Multistatus, ResponseItem};
use super::property::Wanted;
use super::refusal::{CALDAV, DAV};
use super::{CALENDAR, DavRequest, Depth, Refusal};
use crate::feed::{BusyPeriod, RenderedEvent, free_busy};
use crate::http::{Body, Problem};
use crate::program::{SessionId, Slot, Status};
use crate::xml::{self, Element, XmlError};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use percent_encoding::percent_decode_str;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The most tags in a body: parsed elements take far more memory than their text.
const MAX_TAGS: usize = 60_000;

/// A body as XML.
pub(super) fn parse(body: &[u8]) -> Result<Element, Problem> {
    if body.iter().filter(|byte| **byte == b'<').count() > MAX_TAGS {
        return Err(Problem::TooLarge(super::MAX_BODY));
    }
    xml::read(body, super::MAX_BODY).map_err(|error| match error {
        XmlError::TooLarge(_, most) => Problem::TooLarge(most),
        other => Problem::BadBody(other.to_string()),
    })
}

fn bad(text: &str) -> Problem {
    Problem::BadBody(text.to_owned())
}

impl DavRequest<'_> {
    pub(super) async fn report(&mut self, resource: DavResource) -> Result<Response<Body>, Problem> {
        let body = std::mem::take(&mut self.body);
        let root = parse(&body)?;
        let depth = self.depth()?;
        let DavResource::Calendar(calendar) = resource else {
            return Err(Refusal::Unmet("D:supported-report").into());
        };
        let caldav = |name: &str| root.is(CALDAV, name);
        if root.is(DAV, "sync-collection") {
            // Some clients send depth 1, which a draft required. A calendar has no deeper levels.
            if depth == Some(Depth::Infinity) {
                return Err(bad("sync-collection is of depth 0; how far it goes says sync-level"));
            }
            match child(&root, DAV, "sync-level").map(|level| level.text.trim()) {
                None | Some("1") => {}
                Some("infinite") => return Err(Refusal::Unmet("D:sync-traversal-supported").into()),
                Some(_) => return Err(bad("sync-level is 1 or infinite")),
            }
            let token = child(&root, DAV, "sync-token").map(|token| token.text.trim().to_owned());
            self.sync(calendar, wanted(&root)?, &token.unwrap_or_default(), limit(&root)?)
        } else if caldav("calendar-multiget") {
            self.multiget(calendar, &root)
        } else if caldav("calendar-query") {
            let wanted = wanted(&root)?;
            let filter = Filter::parse(child(&root, CALDAV, "filter").ok_or(bad("the filter is missing"))?)?;
            self.query(calendar, wanted, filter, depth).await
        } else if caldav("free-busy-query") {
            let range = child(&root, CALDAV, "time-range").ok_or(bad("the time-range is missing"))?;
            Ok(self.free_busy(&calendar, Range::parse(range)?))
        } else {
            Err(Refusal::Unmet("D:supported-report").into())
        }
    }

    /// Answers a calendar-multiget: the members that the client names (RFC 4791, 7.9).
    fn multiget(&self, calendar: Calendar, root: &Element) -> Result<Response<Body>, Problem> {
        let wanted = wanted(root)?;
        let base = calendar.href();
        let mut seen = HashSet::new();
        let mut items = Vec::new();
        let members = calendar.members();
        let members: HashMap<&SessionId, &Arc<RenderedEvent>> =
            members.iter().map(|event| (&event.id, event)).collect();
        for href in root.children.iter().filter(|child| child.is(DAV, "href")) {
            let href = href.text.trim();
            if !seen.insert(href) {
                continue;
            }
            let event = member_id(href, &base).and_then(|id| members.get(&id).copied());
            items.push(event.map_or_else(
                || ResponseItem::Gone(href.to_owned()),
                |event| ResponseItem::Object(event.clone()),
            ));
        }
        if items.is_empty() {
            return Err(bad("a calendar-multiget names at least one address"));
        }
        Ok(Multistatus::new(DavResource::Calendar(calendar), wanted, items).answer())
    }
}

/// The session of an address below a collection: a path or a URL.
fn member_id(href: &str, base: &str) -> Option<SessionId> {
    let path = match href.split_once("://") {
        Some((_, rest)) => rest.get(rest.find('/')?..)?,
        None => href,
    };
    let path = percent_decode_str(path).decode_utf8().ok()?;
    SessionId::parse(path.strip_prefix(base)?.strip_suffix(".ics")?).ok()
}

pub(super) fn child<'a>(root: &'a Element, namespace: &str, name: &str) -> Option<&'a Element> {
    root.children.iter().find(|child| child.is(namespace, name))
}

/// The properties that a report names. Calendar data is always whole: requests for parts of it (RFC 4791, 9.6) may be
/// ignored, and no session recurs, so there is nothing to expand.
fn wanted(root: &Element) -> Result<Wanted, Problem> {
    if let Some(prop) = child(root, DAV, "prop") {
        for data in prop.children.iter().filter(|child| child.is(CALDAV, "calendar-data")) {
            let is = |name: &str, known: &str| {
                data.attribute(name).is_none_or(|value| value.eq_ignore_ascii_case(known))
            };
            if !is("content-type", "text/calendar") || !is("version", "2.0") {
                return Err(Refusal::Unmet("C:supported-calendar-data").into());
            }
        }
        return Wanted::listed(prop, true);
    }
    if child(root, DAV, "propname").is_some() {
        return Ok(Wanted::names());
    }
    Ok(Wanted::all())
}

/// The client's limit of responses (RFC 5323, 5.17).
fn limit(root: &Element) -> Result<Option<usize>, Problem> {
    let Some(limit) = child(root, DAV, "limit") else { return Ok(None) };
    let most = child(limit, DAV, "nresults").and_then(|most| most.text.trim().parse().ok());
    most.filter(|most| *most > 0).map(Some).ok_or(bad("nresults is a number from 1"))
}

impl DavRequest<'_> {
    pub(super) async fn query(
        &self,
        calendar: Calendar,
        wanted: Wanted,
        filter: Filter,
        depth: Option<Depth>,
    ) -> Result<Response<Body>, Problem> {
        // Depth 0 means the collection itself, which is not a session. Clients that omit Depth mean its members.
        if depth == Some(Depth::Itself) {
            return Ok(Multistatus::new(DavResource::Calendar(calendar), wanted, Vec::new()).answer());
        }
        let of = calendar.clone();
        let matches = |event: &RenderedEvent| {
            let slot = of.slot(&event.id)?;
            filter.admits(&FilteredSession::new(slot, || of.object(event).bytes())).then_some(())
        };
        // CalDAV requests hold a turn of the queue, so the filter may take long.
        let items = of
            .members()
            .into_iter()
            .filter(|event| matches(event).is_some())
            .map(ResponseItem::Object)
            .collect();
        Ok(Multistatus::new(DavResource::Calendar(calendar), wanted, items).answer())
    }

    pub(super) fn free_busy(&self, calendar: &Calendar, range: Range) -> Response<Body> {
        let ledger = &calendar.release.ledger;
        let taken: Vec<BusyPeriod> = calendar
            .members()
            .iter()
            .filter(|event| calendar.object(event).is_busy())
            .filter_map(|event| ledger.entries.get(&event.id))
            .map(|entry| {
                let session = &entry.session;
                let tentative = session.status == Status::Tentative;
                BusyPeriod { start: session.slot.start, end: session.slot.end, tentative }
            })
            .collect();
        let uid = format!("busy-{}@{}", self.now.timestamp(), ledger.uid_domain);
        let mut response =
            Response::new(Body::from(free_busy(&taken, (range.start, range.end), &uid, self.now)));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(CALENDAR));
        response
    }
}

impl Calendar {
    fn slot(&self, id: &SessionId) -> Option<&Slot> {
        self.release.ledger.entries.get(id).map(|entry| &entry.session.slot)
    }
}

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

impl DavRequest<'_> {
    pub(super) fn propfind(&self, resource: DavResource) -> Result<Response<Body>, Problem> {
        let is_object = matches!(resource, DavResource::Object(..));
        // A missing Depth means infinity (9.1). An object has nothing below it.
        let depth = self.depth()?.unwrap_or(Depth::Infinity);
        if depth == Depth::Infinity && !is_object {
            return Err(Refusal::Unmet("D:propfind-finite-depth").into());
        }
        let mut wanted = self.wanted()?.with_push_key(|| self.push_key());
        let is_minimal = prefers_minimal(&self.request.headers);
        if is_minimal {
            wanted.minimal();
        }
        let below = depth == Depth::Members;
        let items = match &resource {
            DavResource::Root(href, tree, release) => {
                vec![ResponseItem::Root(href, *tree, Arc::clone(release))]
            }
            DavResource::Home(home) => {
                let listed = if below { home.calendars() } else { Vec::new() };
                [ResponseItem::Home(home.clone())]
                    .into_iter()
                    .chain(listed.into_iter().map(ResponseItem::Calendar))
                    .collect()
            }
            DavResource::Calendar(calendar) => {
                let members = if below { calendar.members() } else { Vec::new() };
                let itself = [ResponseItem::Calendar(calendar.clone())].into_iter();
                itself.chain(members.into_iter().map(ResponseItem::Object)).collect()
            }
            DavResource::Object(_, event) => vec![ResponseItem::Object(event.clone())],
        };
        let mut response = Multistatus::new(resource, wanted, items).answer();
        if is_minimal {
            let applied = HeaderValue::from_static("return=minimal");
            response.headers_mut().insert(PREFERENCE_APPLIED, applied);
        }
        Ok(response)
    }

    fn wanted(&self) -> Result<Wanted, Problem> {
        if self.body.is_empty() {
            return Ok(Wanted::all());
        }
        let root = parse(&self.body)?;
        let child = |name: &str| root.children.iter().find(|child| child.is(DAV, name));
        if !root.is(DAV, "propfind") {
            return Err(Problem::BadBody("the body is not a DAV:propfind".to_owned()));
        }
        match (child("prop"), child("propname"), child("allprop")) {
            (Some(prop), None, None) => Wanted::listed(prop, false),
            (None, Some(_), None) => Ok(Wanted::names()),
            (None, None, Some(_)) => {
                let mut wanted = Wanted::all();
                if let Some(include) = child("include") {
                    wanted.include(include, false)?;
                }
                Ok(wanted)
            }
            _ => Err(Problem::BadBody("a DAV:propfind holds one of prop, propname and allprop".to_owned())),
        }
    }
}

fn prefers_minimal(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(PREFER).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| one.trim().eq_ignore_ascii_case("return=minimal"))
}
