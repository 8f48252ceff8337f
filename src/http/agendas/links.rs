//! Read links: numbered, labelled, shown to their owner again and again, revoked one by one.

use super::{AgendaError, Agendas, Outcome, Owned, names};
use crate::agenda::{EditKey, MOST_LINKS, ReadToken};
use crate::freshness::{Freshness, Seen};
use crate::release::Release;
use crate::store::{AgendaRecord, LinkRecord, LinkTarget, Write};
use chrono::{DateTime, Utc};

/// How many revoked links of an agenda are remembered, the last ones. Older ones are forgotten, their hashes too, and
/// answer 404 as if they had never been: an agenda makes no more records than this, however often links are made and
/// revoked. Nobody comes near it by hand.
const REVOKED_KEPT: usize = 50;

/// A link as its owner is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLink {
    /// Its number, never given to another.
    pub n: u32,
    /// What the owner calls it.
    pub label: String,
    /// Its token; none where it was made with an earlier edit key.
    pub token: Option<ReadToken>,
}

impl Owned {
    /// The links that work.
    pub fn links(&self) -> Vec<ReadLink> {
        live(&self.record).map(|link| self.shown(link)).collect()
    }

    fn shown(&self, link: &LinkRecord) -> ReadLink {
        let is_ours = link.generation == self.record.key_generation;
        let token = is_ours.then(|| self.key.read_token(link.n));
        ReadLink { n: link.n, label: link.label.clone(), token }
    }
}

impl Owned {
    /// A link's last fetch, and how many changes of picked sessions that calendar has not seen.
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
    /// Makes another link.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn add_link(
        &self,
        owned: Owned,
        expect: Option<u64>,
        label: &str,
    ) -> Result<(Owned, ReadLink), AgendaError> {
        let label = names::checked("label", label)?;
        let key = owned.key.clone();
        let (owned, link) = self
            .change(owned, expect, |record, now| {
                if live(record).count() >= MOST_LINKS {
                    return Err(AgendaError::TooManyLinks);
                }
                let link = issue(record, &key, label.clone(), now);
                let write = put_link(&link, LinkTarget::Agenda(key.hash()));
                Ok(Outcome::Unseen(link, vec![write]))
            })
            .await?;
        let link = owned.shown(&link);
        Ok((owned, link))
    }

    /// Revokes a link without touching a pick. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`AgendaError::NoSuchLink`] for a number that was never given, and the others.
    pub async fn revoke_link(&self, owned: Owned, expect: Option<u64>, n: u32) -> Result<Owned, AgendaError> {
        let (owned, ()) = self
            .change(owned, expect, |record, now| {
                if n == 0 || n >= record.next_link {
                    return Err(AgendaError::NoSuchLink);
                }
                let found = record.links.iter_mut().find(|link| link.n == n && link.revoked.is_none());
                let Some(link) = found else { return Ok(Outcome::Same(())) };
                link.revoked = Some(now);
                let mut writes = vec![put_link(link, LinkTarget::Closed { at: now })];
                self.freshness.forget(&link.hash.0);
                writes.extend(forget_revoked(record));
                Ok(Outcome::Unseen((), writes))
            })
            .await?;
        Ok(owned)
    }
}

/// The links that work.
pub(super) fn live(record: &AgendaRecord) -> impl Iterator<Item = &LinkRecord> {
    record.links.iter().filter(|link| link.revoked.is_none())
}

/// Adds the next link to a record.
pub(super) fn issue(
    record: &mut AgendaRecord,
    key: &EditKey,
    label: String,
    now: DateTime<Utc>,
) -> LinkRecord {
    let n = record.next_link;
    record.next_link += 1;
    let hash = key.read_token(n).hash();
    let link = LinkRecord { n, label, hash, generation: record.key_generation, created: now, revoked: None };
    record.links.push(link.clone());
    link
}

pub(super) fn put_link(link: &LinkRecord, target: LinkTarget) -> Write {
    Write::PutLink { hash: link.hash, target }
}

/// Takes the oldest revoked links out of a record; what takes their hashes out of the store too.
fn forget_revoked(record: &mut AgendaRecord) -> impl Iterator<Item = Write> {
    let revoked = record.links.iter().filter(|link| link.revoked.is_some()).count();
    let mut surplus = revoked.saturating_sub(REVOKED_KEPT);
    let mut forgotten = Vec::new();
    record.links.retain(|link| {
        let goes = link.revoked.is_some() && surplus > 0;
        if goes {
            surplus -= 1;
            forgotten.push(link.hash);
        }
        !goes
    });
    forgotten.into_iter().map(|hash| Write::DropLink { hash })
}
