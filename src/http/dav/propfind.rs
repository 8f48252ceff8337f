//! PROPFIND (RFC 4918, 9.1).

use super::calendar::Resource;
use super::multistatus::{Item, Multistatus};
use super::property::Wanted;
use super::refusal::DAV;
use super::{Depth, Refusal, Visit, report};
use crate::http::{Body, Problem};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use std::sync::Arc;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

impl Visit<'_> {
    pub(super) fn propfind(&self, resource: Resource) -> Result<Response<Body>, Problem> {
        let is_object = matches!(resource, Resource::Object(..));
        // A missing Depth means infinity (9.1). An object has nothing below it.
        let depth = self.depth()?.unwrap_or(Depth::Infinity);
        if depth == Depth::Infinity && !is_object {
            return Err(Refusal::Unmet("D:propfind-finite-depth").into());
        }
        let mut wanted = self.wanted()?;
        let is_minimal = prefers_minimal(&self.request.headers);
        if is_minimal {
            wanted.minimal();
        }
        let below = depth == Depth::Members;
        let items = match &resource {
            Resource::Root(href, tree, release) => vec![Item::Root(href, *tree, Arc::clone(release))],
            Resource::Home(home) => {
                let listed = if below { home.calendars() } else { Vec::new() };
                [Item::Home(home.clone())].into_iter().chain(listed.into_iter().map(Item::Calendar)).collect()
            }
            Resource::Calendar(calendar) => {
                let members = if below { calendar.members() } else { Vec::new() };
                let itself = [Item::Calendar(calendar.clone())].into_iter();
                itself.chain(members.into_iter().map(Item::Object)).collect()
            }
            Resource::Object(_, event) => vec![Item::Object(event.clone())],
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
        let root = report::parse(&self.body)?;
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
