//! The sync-collection report (RFC 6578, 3): what changed in a calendar since a client's last sync.
//!
//! Sync tokens (3.2) are URIs that hold a client's state, so the server stores nothing about clients. Their form is
//! `BASE r RELEASE . SECONDS`; an agenda's token adds the numbers of its sessions. While a result is sent in parts,
//! `~ COUNT . TAG` follows. The seconds distinguish releases of the same number, which exist after a restored backup.

use super::calendar::{Calendar, DavResource};
use super::multistatus::{Multistatus, ResponseItem};
use super::property::Wanted;
use super::{DavRequest, Refusal};
use crate::exchange::{pack, unpack};
use crate::http::{Body, Problem};
use crate::program::SessionId;
use data_encoding::BASE64URL_NOPAD;
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
    fn since(&self, since: Option<&Since>) -> Option<Vec<ResponseItem>> {
        let members = self.members();
        let object = |event: &std::sync::Arc<crate::feed::RenderedEvent>| ResponseItem::Object(event.clone());
        let Some(since) = since else { return Some(members.iter().map(object).collect()) };
        let ledger = &self.release.ledger;
        let gone = |id: &SessionId| ResponseItem::Gone(self.object_href(id));
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

impl DavRequest<'_> {
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
            items.push(ResponseItem::More(calendar.href()));
            let step = Some((had + most, tag));
            next = SyncToken { since: token.since, step }.print(&base);
        }
        Ok(Multistatus::new(DavResource::Calendar(calendar), wanted, items).with_token(next).answer())
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

/// A parsed sync token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyncToken {
    /// The client's state; none before its first sync.
    pub(super) since: Option<Since>,
    /// How many results the client received already, and the calendar's tag at that time.
    pub(super) step: Option<(usize, String)>,
}

/// The state of a client's copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Since {
    pub(super) release: u64,
    /// When the release was published, in Unix seconds.
    pub(super) seconds: i64,
    /// An agenda's sessions, by their numbers in the ledger, ascending.
    pub(super) held: Option<Vec<u32>>,
}

impl SyncToken {
    pub(super) fn print(&self, base: &str) -> String {
        let since = self.since.as_ref().map_or_else(
            || "r0".to_owned(),
            |since| {
                let held =
                    since.held.as_deref().map(|held| format!(".{}", BASE64URL_NOPAD.encode(&pack(held))));
                format!("r{}.{}{}", since.release, since.seconds, held.unwrap_or_default())
            },
        );
        let step = self.step.as_ref().map(|(count, tag)| format!("~{count}.{tag}")).unwrap_or_default();
        format!("{base}{since}{step}")
    }

    /// None if this calendar cannot have issued the token.
    pub(super) fn parse(text: &str, base: &str) -> Option<Self> {
        let rest = text.strip_prefix(base)?.strip_prefix('r')?;
        let (state, step) = match rest.split_once('~') {
            Some((state, step)) => {
                let (count, tag) = step.split_once('.')?;
                (state, Some((count.parse().ok()?, tag.to_owned())))
            }
            None => (rest, None),
        };
        let since = match state {
            "0" => None,
            state => {
                let (release, rest) = state.split_once('.')?;
                let (seconds, held) = match rest.split_once('.') {
                    Some((seconds, held)) => {
                        let bytes = BASE64URL_NOPAD.decode(held.as_bytes()).ok()?;
                        (seconds, Some(unpack(&bytes)?))
                    }
                    None => (rest, None),
                };
                Some(Since { release: release.parse().ok()?, seconds: seconds.parse().ok()?, held })
            }
        };
        Some(Self { since, step })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: &str = "https://conf.example/dav/sync/agenda-0f/";

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(
            since in prop::option::of((1..u64::MAX, any::<i64>(), prop::option::of(prop::collection::btree_set(any::<u32>(), 0..500)))),
            step in prop::option::of((any::<usize>(), "[0-9a-f]{1,32}")),
        ) {
            let since = since.map(|(release, seconds, held)| Since {
                release, seconds, held: held.map(|held| held.into_iter().collect()),
            });
            let token = SyncToken { since, step };
            let text = token.print(BASE);
            prop_assert!(url::Url::parse(&text).is_ok());
            prop_assert_eq!(SyncToken::parse(&text, BASE), Some(token));
            prop_assert_eq!(SyncToken::parse(&text, "https://conf.example/dav/sync/agenda-1f/"), None);
        }

        #[test]
        fn no_text_panics(text in "\\PC*", bytes in any::<Vec<u8>>()) {
            let _ = SyncToken::parse(&format!("{BASE}{text}"), BASE);
            let _ = SyncToken::parse(&format!("{BASE}r1.2.{}", BASE64URL_NOPAD.encode(&bytes)), BASE);
        }
    }
}
