//! The beginning and the end of an agenda.

use super::links::{self, put_link};
use super::picks::resolve;
use super::{AgendaError, Agendas, Owned, names};
use crate::agenda::EditKey;
use crate::release::Release;
use crate::store::{AgendaRecord, CommitError, LinkTarget, Write};

/// A new agenda.
#[derive(Debug, Clone)]
pub struct Created(pub Owned);

impl Agendas {
    /// Makes an agenda with its first read link.
    ///
    /// # Errors
    /// [`AgendaError`]; unknown picks are all named.
    pub async fn create(
        &self,
        name: &str,
        picks: &[String],
        release: &Release,
    ) -> Result<Created, AgendaError> {
        let name = names::checked("name", name)?;
        let picks = resolve(picks, &[], release)?;
        let key = EditKey::generate()?;
        let now = self.clock.now();
        let mut record = AgendaRecord {
            version: 1,
            name,
            picks,
            links: Vec::new(),
            created: now,
            modified: now,
            key_generation: 0,
            next_link: 1,
            seen_release: release.number(),
        };
        let first = links::issue(&mut record, &key, String::new(), now);
        let put = Write::PutAgenda { key: key.hash(), expect: None, record: record.clone() };
        self.store.commit(vec![put, put_link(&first, LinkTarget::Agenda(key.hash()))]).await?;
        Ok(Created(Owned { key, record }))
    }

    /// Takes an agenda away. Its links say for a while that it is no longer shared.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn delete(&self, owned: Owned, expect: Option<u64>) -> Result<(), AgendaError> {
        let Owned { key, mut record } = owned;
        for _ in 0..super::ATTEMPTS {
            if expect.is_some_and(|version| version != record.version) {
                return Err(AgendaError::Changed);
            }
            let at = self.clock.now();
            let mut writes = vec![Write::DeleteAgenda { key: key.hash(), expect: Some(record.version) }];
            writes.extend(links::live(&record).map(|link| put_link(link, LinkTarget::Closed { at })));
            match self.store.commit(writes).await {
                Err(CommitError::Conflict) => record = self.open(&key)?.record,
                done => {
                    record.links.iter().for_each(|link| self.freshness.forget(&link.hash.0));
                    return Ok(done?);
                }
            }
        }
        Err(CommitError::Conflict.into())
    }
}
