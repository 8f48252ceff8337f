//! What can be done with an agenda, whoever asks: the API today, forms and CalDAV beside it.
//!
//! Owns keys, caps, names, link numbers and compare-and-set. It knows neither requests nor status codes.
//! Every change reads the record, changes a copy and commits it on the condition that nobody else did;
//! if somebody did, it starts again, so two devices that edit at once lose nothing. Invariant: a change
//! that returns `Ok` is on disk.

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
    pub async fn rename(&self, key: &EditKey, expect: Option<u64>, name: &str) -> Result<Owned, AgendaError> {
        let name = names::checked("name", name)?;
        let (owned, ()) = self
            .change(key, expect, |record, _| {
                if record.name == name {
                    return Ok(Outcome::Same(()));
                }
                record.name.clone_from(&name);
                Ok(Outcome::Seen((), Vec::new()))
            })
            .await?;
        Ok(owned)
    }

    /// Reads, changes a copy, commits it if nobody else did; starts again if somebody did.
    ///
    /// With `expect` only the agenda of that version is changed.
    async fn change<T>(
        &self,
        key: &EditKey,
        expect: Option<u64>,
        change: impl Fn(&mut AgendaRecord, DateTime<Utc>) -> Result<Outcome<T>, AgendaError>,
    ) -> Result<(Owned, T), AgendaError> {
        for _ in 0..ATTEMPTS {
            let before = self.open(key)?.record;
            if expect.is_some_and(|version| version != before.version) {
                return Err(AgendaError::Changed);
            }
            let mut record = before.clone();
            let now = self.clock.now();
            let (result, mut writes) = match change(&mut record, now)? {
                Outcome::Same(result) => return Ok((Owned { key: key.clone(), record: before }, result)),
                Outcome::Seen(result, writes) => {
                    // Clients compare whole seconds, so two states never share one.
                    record.modified = now.max(before.modified + TimeDelta::seconds(1));
                    (result, writes)
                }
                Outcome::Unseen(result, writes) => (result, writes),
            };
            record.version = before.version + 1;
            let put =
                Write::PutAgenda { key: key.hash(), expect: Some(before.version), record: record.clone() };
            writes.insert(0, put);
            match self.store.commit(writes).await {
                Ok(()) => return Ok((Owned { key: key.clone(), record }, result)),
                Err(CommitError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Conflict.into())
    }
}
