//! The reports calendar-query (RFC 4791, 7.8) and free-busy-query (7.10).

use super::calendar::{Calendar, Resource};
use super::filter::{Candidate, Filter, Range};
use super::multistatus::{Item, Multistatus};
use super::property::Wanted;
use super::{CALENDAR, Depth, Visit};
use crate::feed::{BusyPeriod, RenderedEvent, free_busy};
use crate::http::{Body, Problem};
use crate::program::{SessionId, Slot, Status};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

impl Visit<'_> {
    pub(super) async fn query(
        &self,
        calendar: Calendar,
        wanted: Wanted,
        filter: Filter,
        depth: Option<Depth>,
    ) -> Result<Response<Body>, Problem> {
        // Depth 0 means the collection itself, which is not a session. Clients that omit Depth mean its members.
        if depth == Some(Depth::Itself) {
            return Ok(Multistatus::new(Resource::Calendar(calendar), wanted, Vec::new()).answer());
        }
        let of = calendar.clone();
        let matches = |event: &RenderedEvent| {
            let slot = of.slot(&event.id)?;
            filter.admits(&Candidate::new(slot, || of.object(event).bytes())).then_some(())
        };
        // CalDAV requests hold a turn of the queue, so the filter may take long.
        let items =
            of.members().into_iter().filter(|event| matches(event).is_some()).map(Item::Object).collect();
        Ok(Multistatus::new(Resource::Calendar(calendar), wanted, items).answer())
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
