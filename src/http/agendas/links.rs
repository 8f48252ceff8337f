//! Read links: numbered, labelled, revoked one by one. Their owner can see them again at any time, and anybody who has a
//! link can follow it.

use super::owner::{Agendas, Effect, Owned};
use super::{AgendaError, checked_name, forget_revoked_links, issue_link, live_links, put_link};
use crate::agenda::{MAX_LINKS, ReadToken};
use crate::freshness::{Freshness, Seen};
use crate::http::Problem;
use crate::release::Release;
use crate::store::{AgendaRecord, LinkRecord, LinkTarget, LinkedAgenda, ReadError};
use chrono::{DateTime, TimeDelta, Utc};

/// A link as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLink {
    /// The link's number, never reused.
    pub n: u32,
    /// The owner's label.
    pub label: String,
    /// The link's token; none if the link was made with an earlier edit key.
    pub token: Option<ReadToken>,
}

impl Owned {
    /// The links that are not revoked.
    pub fn links(&self) -> Vec<ReadLink> {
        live_links(&self.record).map(|link| self.to_read_link(link)).collect()
    }

    fn to_read_link(&self, link: &LinkRecord) -> ReadLink {
        let is_ours = link.generation == self.record.key_generation;
        let token = is_ours.then(|| self.key.read_token(link.n));
        ReadLink { n: link.n, label: link.label.clone(), token }
    }

    /// A link's last fetch, and how many picks have changed in releases since then.
    pub fn fetched(
        &self,
        link: &ReadLink,
        release: &Release,
        freshness: &Freshness,
    ) -> Option<(Seen, usize)> {
        let record = self.record.links.iter().find(|record| record.n == link.n)?;
        let seen = freshness.of(&record.hash.0)?;
        let entries = self.record.picks.iter().filter_map(|id| release.ledger.entries.get(id));
        let unseen = entries.filter(|entry| entry.release > seen.release).count();
        Some((seen, unseen))
    }
}

impl Agendas {
    /// Adds a link.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn add_link(
        &self,
        owned: Owned,
        expect: Option<u64>,
        label: &str,
    ) -> Result<(Owned, ReadLink), AgendaError> {
        let label = checked_name("label", label)?;
        let key = owned.key.clone();
        let (owned, link) = self
            .change(owned, expect, |record, now| {
                if live_links(record).count() >= MAX_LINKS {
                    return Err(AgendaError::TooManyLinks);
                }
                let link = issue_link(record, &key, label.clone(), now);
                let write = put_link(&link, LinkTarget::Agenda(key.hash()));
                Ok(Effect::Private(link, vec![write]))
            })
            .await?;
        let link = owned.to_read_link(&link);
        Ok((owned, link))
    }

    /// Revokes a link; the picks stay. A repetition changes nothing.
    ///
    /// # Errors
    /// [`AgendaError::NoSuchLink`] for a number that was never issued, or another [`AgendaError`].
    pub async fn revoke_link(&self, owned: Owned, expect: Option<u64>, n: u32) -> Result<Owned, AgendaError> {
        let (owned, ()) = self
            .change(owned, expect, |record, now| {
                if n == 0 || n >= record.next_link {
                    return Err(AgendaError::NoSuchLink);
                }
                let found = record.links.iter_mut().find(|link| link.n == n && link.revoked.is_none());
                let Some(link) = found else { return Ok(Effect::None(())) };
                link.revoked = Some(now);
                let mut writes = vec![put_link(link, LinkTarget::Closed { at: now })];
                self.freshness.forget(&link.hash.0);
                writes.extend(forget_revoked_links(record));
                Ok(Effect::Private((), writes))
            })
            .await?;
        Ok(owned)
    }
}

/// How long a revoked link answers that it is revoked.
const REVOKED_NOTICE: TimeDelta = TimeDelta::days(30);

/// The result of following a read link.
#[derive(Debug, Clone)]
pub enum FollowedLink {
    /// An agenda.
    Open(AgendaRecord),
    /// The link was revoked or its agenda deleted, less than 30 days ago.
    Closed {
        /// When the link was revoked or the agenda deleted.
        since: DateTime<Utc>,
    },
    /// The link was closed earlier, or its agenda erased.
    Gone,
    /// The token was never issued.
    Never,
}

impl FollowedLink {
    /// The agenda; an error for any other link.
    pub(in crate::http) fn open(self) -> Result<AgendaRecord, Problem> {
        match self {
            Self::Open(record) => Ok(record),
            Self::Closed { .. } | Self::Gone => Err(Problem::Gone),
            Self::Never => Err(Problem::NotFound),
        }
    }
}

impl Agendas {
    /// Follows a read link.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn shared(&self, token: &ReadToken) -> Result<FollowedLink, ReadError> {
        self.result_of(&self.store.linked_agenda(&token.hash())?)
    }

    /// The result for a link whose records were read already.
    pub(in crate::http) fn result_of(&self, behind: &LinkedAgenda) -> Result<FollowedLink, ReadError> {
        Ok(match behind.target {
            None => FollowedLink::Never,
            Some(LinkTarget::Erased { .. }) => FollowedLink::Gone,
            Some(LinkTarget::Closed { at }) if self.clock.now() - at > REVOKED_NOTICE => FollowedLink::Gone,
            Some(LinkTarget::Closed { at }) => FollowedLink::Closed { since: at },
            Some(LinkTarget::Agenda(_)) => behind.agenda()?.map_or(FollowedLink::Gone, FollowedLink::Open),
        })
    }
}
