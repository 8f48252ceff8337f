//! Agendas in the hands of their owners: created, opened, changed, moved to a new key, deleted.

use super::{AgendaError, checked_name, issue_link, live_links, put_link, resolve_picks};
use crate::agenda::EditKey;
use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::reach::announce_agenda;
use crate::release::Release;
use crate::store::{AgendaRecord, CommitError, LinkTarget, Store, Write};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// How often a change is tried. Each conflict means that another change succeeded, so this many devices would have to
/// edit one agenda at the same moment.
const MAX_ATTEMPTS: usize = 64;

/// All agendas.
#[derive(Debug, Clone)]
pub struct Agendas {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) freshness: Arc<Freshness>,
}

/// An agenda that was opened with its edit key.
#[derive(Debug, Clone)]
pub struct Owned {
    /// The edit key.
    pub key: EditKey,
    /// The stored record.
    pub record: AgendaRecord,
}

/// A new agenda.
#[derive(Debug, Clone)]
pub struct Created(pub Owned);

/// The effect of a change on a copy of the record, a result for the caller, and further writes of the same commit.
pub(super) enum Effect<T> {
    /// The record is unchanged.
    None(T),
    /// The feed changes.
    Public(T, Vec<Write>),
    /// Only the owner sees the change, such as a new link.
    Private(T, Vec<Write>),
}

impl Agendas {
    /// The agendas of a store. Revoking a link removes its last fetch from `freshness`.
    pub fn new(store: Store, clock: Clock, freshness: Arc<Freshness>) -> Self {
        Self { store, clock, freshness }
    }

    /// The store of the agendas.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The agenda of a key.
    ///
    /// # Errors
    /// [`AgendaError::UnknownKey`] if it is unknown, replaced or deleted.
    pub fn open(&self, key: &EditKey) -> Result<Owned, AgendaError> {
        let record = self.store.agenda(&key.hash())?.ok_or(AgendaError::UnknownKey)?;
        Ok(Owned { key: key.clone(), record })
    }

    /// Renames an agenda; an empty name removes the name.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn rename(&self, owned: Owned, expect: Option<u64>, name: &str) -> Result<Owned, AgendaError> {
        let name = checked_name("name", name)?;
        let (owned, ()) = self
            .change(owned, expect, |record, _| {
                if record.name == name {
                    return Ok(Effect::None(()));
                }
                record.name.clone_from(&name);
                Ok(Effect::Public((), Vec::new()))
            })
            .await?;
        Ok(owned)
    }

    /// Changes a record and commits it. On a conflict it reads the record and starts again.
    ///
    /// With `expect` only that version of the agenda is changed.
    pub(super) async fn change<T>(
        &self,
        owned: Owned,
        expect: Option<u64>,
        change: impl Fn(&mut AgendaRecord, DateTime<Utc>) -> Result<Effect<T>, AgendaError>,
    ) -> Result<(Owned, T), AgendaError> {
        let Owned { key, mut record } = owned;
        for _ in 0..MAX_ATTEMPTS {
            let (version, modified) = (record.version, record.modified);
            if expect.is_some_and(|expected| expected != version) {
                return Err(AgendaError::Changed);
            }
            let now = self.clock.now();
            let (result, mut writes) = match change(&mut record, now)? {
                Effect::None(result) => {
                    // An earlier change without an answer may not take effect afterwards.
                    match self.confirm(&key, version).await {
                        Ok(()) => return Ok((Owned { key, record }, result)),
                        Err(CommitError::Conflict) => record = self.open(&key)?.record,
                        Err(error) => return Err(error.into()),
                    }
                    continue;
                }
                Effect::Public(result, mut writes) => {
                    // Clients compare whole seconds, so every state gets a second of its own.
                    record.modified = now.max(modified + TimeDelta::seconds(1));
                    writes.extend(announce_agenda(&self.store, &key.hash(), version + 1, now)?);
                    (result, writes)
                }
                Effect::Private(result, writes) => (result, writes),
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

    /// Confirms that an agenda has the version that was read. A store of its own has no other.
    async fn confirm(&self, key: &EditKey, version: u64) -> Result<(), CommitError> {
        match self.store.is_shared() {
            true => self.store.commit(vec![Write::ExpectAgenda { key: key.hash(), version }]).await,
            false => Ok(()),
        }
    }

    /// Creates an agenda with its first read link.
    ///
    /// # Errors
    /// [`AgendaError`]; it names all unknown picks.
    pub async fn create(
        &self,
        name: &str,
        picks: &[String],
        release: &Release,
    ) -> Result<Created, AgendaError> {
        let name = checked_name("name", name)?;
        let picks = resolve_picks(picks, &[], release)?;
        let key = EditKey::generate()?;
        let now = self.clock.now();
        let mut record = AgendaRecord { name, picks, ..AgendaRecord::empty(now, release.number()) };
        let first = issue_link(&mut record, &key, String::new(), now);
        let put = Write::PutAgenda { key: key.hash(), expect: None, record: record.clone() };
        self.store.commit(vec![put, put_link(&first, LinkTarget::Agenda(key.hash()))]).await?;
        Ok(Created(Owned { key, record }))
    }

    /// Deletes an agenda. For 30 days, its links answer that it is no longer shared.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn delete(&self, owned: Owned, expect: Option<u64>) -> Result<(), AgendaError> {
        let Owned { key, mut record } = owned;
        for _ in 0..MAX_ATTEMPTS {
            if expect.is_some_and(|version| version != record.version) {
                return Err(AgendaError::Changed);
            }
            let at = self.clock.now();
            let mut writes = vec![Write::DeleteAgenda { key: key.hash(), expect: Some(record.version) }];
            writes.extend(live_links(&record).map(|link| put_link(link, LinkTarget::Closed { at })));
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

    /// Replaces the edit key, as after the loss of a phone. The read links keep working, and so do the subscriptions of
    /// calendar programs that follow them; those of browsers and mailboxes end. The owner sees only the links' numbers and labels, since
    /// their tokens were derived from the old key.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn replace_key(&self, owned: Owned, expect: Option<u64>) -> Result<Owned, AgendaError> {
        let Owned { key, record: mut before } = owned;
        for _ in 0..MAX_ATTEMPTS {
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
            writes.extend(live_links(&record).map(|link| put_link(link, LinkTarget::Agenda(new.hash()))));
            let mut devices = self.store.subscriptions(&key.hash())?.unwrap_or_default();
            devices.list.retain(|device| device.calendar.is_some());
            if !devices.list.is_empty() {
                writes.push(Write::PutSubscriptions { key: new.hash(), expect: None, record: devices });
            }
            match self.store.commit(writes).await {
                Ok(()) => return Ok(Owned { key: new, record }),
                Err(CommitError::Conflict) => before = self.open(&key)?.record,
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Conflict.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::test_app::{TestApp, request};
    use crate::store::take_parses;
    use bytes::Bytes;
    use http::{Method, StatusCode};
    use http_body_util::Full;

    #[tokio::test]
    async fn a_pick_parses_its_agenda_once() {
        const NAME: &str = "Parsed once";
        let TestApp { app, store, _dir } = TestApp::new();
        let key = EditKey::generate().unwrap();
        let record = AgendaRecord { name: NAME.to_owned(), ..AgendaRecord::empty(DateTime::UNIX_EPOCH, 1) };
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
