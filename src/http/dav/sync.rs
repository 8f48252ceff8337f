//! The sync-collection report (RFC 6578, 3): what changed in a calendar since a client's last sync.

use super::calendar::{Calendar, Resource};
use super::multistatus::{Item, Multistatus};
use super::property::Wanted;
use super::sync_token::{Since, SyncToken};
use super::{Refusal, Visit};
use crate::http::{Body, Problem};
use crate::program::SessionId;
use http::Response;
use std::collections::{BTreeSet, HashMap};

const VALID_TOKEN: Refusal = Refusal::Unmet("D:valid-sync-token");

impl Calendar {
    /// The sync token of the current state.
    pub(super) fn token(&self) -> String {
        SyncToken { since: Some(self.present()), step: None }.print(&self.token_base())
    }

    fn present(&self) -> Since {
        let ledger = &self.release.ledger;
        let held = self.key().is_none().then(|| {
            let number = |id: &SessionId| ledger.entries.get(id).map(|entry| entry.number);
            let mut held: Vec<u32> = self.members().iter().filter_map(|event| number(&event.id)).collect();
            held.sort_unstable();
            held
        });
        Since { release: ledger.release, seconds: ledger.published.timestamp(), held }
    }

    /// Members that were added, changed or removed since a state; all members without a state. None if the history does not
    /// reach back that far.
    fn since(&self, since: Option<&Since>) -> Option<Vec<Item>> {
        let members = self.members();
        let object = |event: &std::sync::Arc<crate::feed::RenderedEvent>| Item::Object(event.clone());
        let Some(since) = since else { return Some(members.iter().map(object).collect()) };
        let ledger = &self.release.ledger;
        let gone = |id: &SessionId| Item::Gone(self.object_href(id));
        let present: BTreeSet<&SessionId> = members.iter().map(|event| &event.id).collect();
        let is_newer =
            |event: &crate::feed::RenderedEvent| self.object(event).modified().timestamp() > since.seconds;
        if let Some(held) = &since.held {
            // An agenda's token lists its sessions, so picks need no history.
            let numbers: HashMap<u32, &SessionId> =
                ledger.entries.iter().map(|(id, entry)| (entry.number, id)).collect();
            let held: BTreeSet<&SessionId> = held.iter().filter_map(|n| numbers.get(n).copied()).collect();
            let changed = members.iter().filter(|event| !held.contains(&event.id) || is_newer(event));
            let left = held.iter().filter(|id| !present.contains(*id)).map(|id| gone(id));
            return Some(changed.map(object).chain(left).collect());
        }
        let left: BTreeSet<&SessionId> =
            self.release.feeds.left_since(self.key()?, since.seconds)?.into_iter().collect();
        // A member that left and came back unchanged is included: the client may have removed it meanwhile.
        let changed = members.iter().filter(|event| is_newer(event) || left.contains(&event.id));
        let left = left.iter().filter(|id| !present.contains(*id)).map(|id| gone(id));
        Some(changed.map(object).chain(left).collect())
    }
}

impl Visit<'_> {
    pub(super) fn sync(
        &self,
        calendar: Calendar,
        wanted: Wanted,
        sent: &str,
        limit: Option<usize>,
    ) -> Result<Response<Body>, Problem> {
        let base = calendar.token_base();
        let token = match sent {
            "" => SyncToken { since: None, step: None },
            sent => SyncToken::parse(sent, &base).ok_or(VALID_TOKEN)?,
        };
        if let Some(since) = &token.since {
            self.check(&calendar, since)?;
        }
        let mut items = calendar.since(token.since.as_ref()).ok_or(VALID_TOKEN)?;
        // A client that received a part of this result gets the rest. After a change it starts again.
        let tag = token.step.is_some() || limit.is_some();
        let tag = if tag { calendar.tag() } else { String::new() };
        let had = token.step.filter(|(_, of)| *of == tag).map_or(0, |(count, _)| count.min(items.len()));
        items.drain(..had);
        let mut next = calendar.token();
        if let Some(most) = limit.filter(|most| *most < items.len()) {
            items.truncate(most);
            items.push(Item::More(calendar.href()));
            let step = Some((had + most, tag));
            next = SyncToken { since: token.since, step }.print(&base);
        }
        Ok(Multistatus::new(Resource::Calendar(calendar), wanted, items).with_token(next).answer())
    }

    /// Refuses states that never existed: of the future, or of releases that a restored backup removed.
    fn check(&self, calendar: &Calendar, since: &Since) -> Result<(), Problem> {
        let ledger = &calendar.release.ledger;
        let published = if since.release == ledger.release {
            Some(ledger.published)
        } else if since.release < ledger.release {
            self.agendas.store().release_summary(since.release)?.map(|summary| summary.published)
        } else {
            None
        };
        let is_ours = since.held.is_some() == calendar.key().is_none();
        match published.filter(|at| is_ours && at.timestamp() == since.seconds) {
            Some(_) => Ok(()),
            None => Err(VALID_TOKEN.into()),
        }
    }
}
