//! REPORT (RFC 3253, 3.6): parses the body and calls the function of its kind.

use super::calendar::{Calendar, Resource};
use super::filter::{Filter, Range};
use super::multistatus::{Item, Multistatus};
use super::property::Wanted;
use super::refusal::{CALDAV, DAV};
use super::{Depth, Refusal, Visit};
use crate::feed::RenderedEvent;
use crate::http::{Body, Problem};
use crate::program::SessionId;
use crate::xml::{self, Element, XmlError};
use http::Response;
use percent_encoding::percent_decode_str;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The most tags in a body: parsed elements take far more memory than their text.
const MOST_TAGS: usize = 60_000;

/// A body as XML.
pub(super) fn parse(body: &[u8]) -> Result<Element, Problem> {
    if body.iter().filter(|byte| **byte == b'<').count() > MOST_TAGS {
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

impl Visit<'_> {
    pub(super) async fn report(&mut self, resource: Resource) -> Result<Response<Body>, Problem> {
        let body = std::mem::take(&mut self.body);
        let root = parse(&body)?;
        let depth = self.depth()?;
        let Resource::Calendar(calendar) = resource else {
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
            items
                .push(event.map_or_else(|| Item::Gone(href.to_owned()), |event| Item::Object(event.clone())));
        }
        if items.is_empty() {
            return Err(bad("a calendar-multiget names at least one address"));
        }
        Ok(Multistatus::new(Resource::Calendar(calendar), wanted, items).answer())
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

fn child<'a>(root: &'a Element, namespace: &str, name: &str) -> Option<&'a Element> {
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
