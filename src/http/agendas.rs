//! What can be done with an agenda, whoever asks: the API today, forms and CalDAV beside it.
//!
//! Owns keys, caps, names, link numbers and compare-and-set. It knows neither requests nor status codes.
//! A change begins with the record that its caller has read, and commits it on the condition that the stored
//! record is still of that version. On a conflict it reads the record and starts again, so two devices that edit
//! at once lose nothing. Invariant: a change that returns `Ok` is on disk.

mod create;
mod error;
mod key;
mod links;
mod names;
mod picks;
mod shared;

pub use create::Created;
pub use error::AgendaError;
pub use links::ReadLink;
pub use shared::Shared;

use crate::agenda::EditKey;
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::store::{AgendaRecord, CommitError, Store, Write};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// How often a change starts again before it gives up. Each time some other change of the same agenda got
/// through, so this many devices would have to edit one agenda at one moment.
const ATTEMPTS: usize = 64;

/// The door to all agendas.
#[derive(Debug, Clone)]
pub struct Agendas {
    store: Store,
    clock: Clock,
    freshness: Arc<Freshness>,
}

/// An agenda as it stands, in the hands of its owner.
#[derive(Debug, Clone)]
pub struct Owned {
    /// Its key.
    pub key: EditKey,
    /// What is stored.
    pub record: AgendaRecord,
}

/// What a change has done to a copy of the record.
enum Outcome<T> {
    /// Nothing: the record already is as it should be.
    Same(T),
    /// Something that its feed shows; `T` is for whoever asked.
    Seen(T, Vec<Write>),
    /// Something that only its owner sees, such as a link.
    Unseen(T, Vec<Write>),
}

impl Agendas {
    /// Over a store, and over what read links have seen, of which a dead link leaves nothing.
    pub fn new(store: Store, clock: Clock, freshness: Arc<Freshness>) -> Self {
        Self { store, clock, freshness }
    }

    /// Where agendas are kept.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The agenda of a key.
    ///
    /// # Errors
    /// [`AgendaError::UnknownKey`] where it is unknown, replaced or deleted.
    pub fn open(&self, key: &EditKey) -> Result<Owned, AgendaError> {
        let record = self.store.agenda(&key.hash())?.ok_or(AgendaError::UnknownKey)?;
        Ok(Owned { key: key.clone(), record })
    }

    /// Gives it another name; an empty one takes the name away.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn rename(&self, owned: Owned, expect: Option<u64>, name: &str) -> Result<Owned, AgendaError> {
        let name = names::checked("name", name)?;
        let (owned, ()) = self
            .change(owned, expect, |record, _| {
                if record.name == name {
                    return Ok(Outcome::Same(()));
                }
                record.name.clone_from(&name);
                Ok(Outcome::Seen((), Vec::new()))
            })
            .await?;
        Ok(owned)
    }

    /// Changes a record and commits it. On a conflict it reads the record and starts again.
    ///
    /// With `expect` only that version of the agenda is changed.
    async fn change<T>(
        &self,
        owned: Owned,
        expect: Option<u64>,
        change: impl Fn(&mut AgendaRecord, DateTime<Utc>) -> Result<Outcome<T>, AgendaError>,
    ) -> Result<(Owned, T), AgendaError> {
        let Owned { key, mut record } = owned;
        for _ in 0..ATTEMPTS {
            let (version, modified) = (record.version, record.modified);
            if expect.is_some_and(|expected| expected != version) {
                return Err(AgendaError::Changed);
            }
            let now = self.clock.now();
            let (result, mut writes) = match change(&mut record, now)? {
                Outcome::Same(result) => return Ok((Owned { key, record }, result)),
                Outcome::Seen(result, writes) => {
                    // Clients compare whole seconds, so two states never share one.
                    record.modified = now.max(modified + TimeDelta::seconds(1));
                    (result, writes)
                }
                Outcome::Unseen(result, writes) => (result, writes),
            };
            record.version = version + 1;
            let put = Write::PutAgenda { key: key.hash(), expect: Some(version), record: record.clone() };
            writes.insert(0, put);
            match self.store.commit(writes).await {
                Ok(()) => return Ok((Owned { key, record }, result)),
                Err(CommitError::Conflict) => record = self.open(&key)?.record,
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Conflict.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::house::{House, house, request};
    use crate::store::take_parses;
    use bytes::Bytes;
    use http::{Method, StatusCode};
    use http_body_util::Full;

    #[tokio::test]
    async fn a_pick_parses_its_agenda_once() {
        const NAME: &str = "Parsed once";
        let House { app, store, _dir } = house();
        let key = EditKey::generate().unwrap();
        let record = AgendaRecord {
            version: 1,
            name: NAME.to_owned(),
            picks: Vec::new(),
            links: Vec::new(),
            created: DateTime::UNIX_EPOCH,
            modified: DateTime::UNIX_EPOCH,
            key_generation: 0,
            next_link: 1,
            seen_release: 1,
        };
        let put = Write::PutAgenda { key: key.hash(), expect: None, record };
        store.commit(vec![put]).await.unwrap();
        take_parses(NAME);
        let body = "session=opening&action=pick";
        let pick = request(&Method::POST, "/agenda/picks", body);
        let pick = pick.header("cookie", format!("__Host-agenda={}", key.reveal()));
        let answer = app.respond(pick.body(Full::new(Bytes::from(body))).unwrap()).await;
        assert_eq!((answer.status(), take_parses(NAME)), (StatusCode::SEE_OTHER, 1));
        let picks = store.agenda(&key.hash()).unwrap().unwrap().picks;
        assert_eq!(picks.iter().map(crate::program::SessionId::as_str).collect::<Vec<_>>(), ["opening"]);
    }
}
