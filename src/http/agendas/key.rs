//! A new edit key, for a lost phone: the old one opens nothing any more, the read links go on.

use super::links::{self, put_link};
use super::{AgendaError, Agendas, Owned};
use crate::agenda::EditKey;
use crate::store::{CommitError, LinkTarget, Write};

impl Agendas {
    /// Moves the agenda under a new key. The links that exist are listed by number and label only from now
    /// on: their tokens came from the old key, which nobody has any more.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn replace_key(&self, owned: Owned, expect: Option<u64>) -> Result<Owned, AgendaError> {
        let Owned { key, record: mut before } = owned;
        for _ in 0..super::ATTEMPTS {
            if expect.is_some_and(|version| version != before.version) {
                return Err(AgendaError::Changed);
            }
            let new = EditKey::generate()?;
            let mut record = before.clone();
            record.version += 1;
            record.key_generation += 1;
            let mut writes = vec![
                Write::DeleteAgenda { key: key.hash(), expect: Some(before.version) },
                Write::PutAgenda { key: new.hash(), expect: None, record: record.clone() },
            ];
            writes.extend(links::live(&record).map(|link| put_link(link, LinkTarget::Agenda(new.hash()))));
            match self.store.commit(writes).await {
                Ok(()) => return Ok(Owned { key: new, record }),
                Err(CommitError::Conflict) => before = self.open(&key)?.record,
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Conflict.into())
    }
}
