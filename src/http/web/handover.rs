//! Moves an agenda to another device by a one-time code, which works for ten minutes. The code is only in memory.
//! Several replicas share a record in the store instead, in which the edit key is encrypted with the code.
//!
//! The link leads to a page with a button. Only the button's POST redeems the code, so a messenger's link preview
//! does not. An agenda has one code at a time; a new code or a new key invalidates the earlier code.

use super::PageRequest;
use super::visitor::done;
use crate::agenda::{EditKey, one_time_code};
use crate::clock::Clock;
use crate::http::agendas::AgendaError;
use crate::http::reply::{html, set_cookies};
use crate::http::{Body, Problem};
use crate::revision::Digest;
use crate::store::{CommitError, Store, TemporaryKind, TemporaryRecord, Write};
use crate::web::{self, AgendaDone};
use chrono::TimeDelta;
use http::{Method, Response};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a code works.
const LASTS: Duration = Duration::from_secs(600);

/// The most codes at a time. A full table refuses new codes, so that issued codes keep working for their ten minutes.
const MAX_CODES: usize = 10_000;

/// The codes that were issued and not redeemed.
#[derive(Debug)]
pub(in crate::http) enum Codes {
    Memory(Mutex<CodeTable>),
    Shared(SharedCodes),
}

/// Codes in memory.
#[derive(Debug, Default)]
pub(in crate::http) struct CodeTable {
    /// Issued codes, by the hash of the code.
    codes: HashMap<Digest, IssuedCode>,
    /// The code of an agenda, by the hash of its key.
    agendas: HashMap<Digest, Digest>,
}

/// The key that a code stands for, and the end of its validity.
#[derive(Debug)]
struct IssuedCode {
    key: EditKey,
    until: Duration,
}

impl Codes {
    /// The codes of this process; with a shared store, those of all replicas.
    pub(in crate::http) fn of(store: &Store, clock: &Clock) -> Self {
        match store.is_shared() {
            false => Self::Memory(Mutex::default()),
            true => Self::Shared(SharedCodes { store: store.clone(), clock: clock.clone() }),
        }
    }

    /// Issues a code for an agenda and invalidates its earlier one. `now` is [`crate::clock::Clock::elapsed`].
    async fn issue(&self, key: &EditKey, now: Duration) -> Result<String, Problem> {
        match self {
            Self::Shared(codes) => codes.issue(key).await,
            Self::Memory(table) => lock(table).issue(key, now),
        }
    }

    /// The key of a code.
    fn find(&self, code: &str, now: Duration) -> Result<Option<EditKey>, Problem> {
        match self {
            Self::Shared(codes) => codes.find(code),
            Self::Memory(table) => Ok(lock(table).find(code, now)),
        }
    }

    /// Returns the key of a code and invalidates the code.
    async fn redeem(&self, code: &str, now: Duration) -> Result<Option<EditKey>, Problem> {
        match self {
            Self::Shared(codes) => codes.redeem(code).await,
            Self::Memory(table) => Ok(lock(table).redeem(code, now)),
        }
    }
}

fn lock(table: &Mutex<CodeTable>) -> MutexGuard<'_, CodeTable> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Codes in the store, for all replicas.
#[derive(Debug)]
pub(in crate::http) struct SharedCodes {
    store: Store,
    clock: Clock,
}

impl SharedCodes {
    async fn issue(&self, key: &EditKey) -> Result<String, Problem> {
        let code = one_time_code().map_err(AgendaError::from)?;
        if self.store.count_temporary(TemporaryKind::HandOver)? >= MAX_CODES {
            return Err(Problem::Overloaded);
        }
        let now = self.clock.now();
        let until = now + TimeDelta::from_std(LASTS).unwrap_or_default();
        let (id, agenda) = (hash(&code).to_string(), key.hash().to_string());
        let sealed = seal(&code, key).ok_or(Problem::Overloaded)?;
        let mut writes = Vec::new();
        if let Some(earlier) = self.store.temporary(TemporaryKind::HandOverOf, &agenda, now)? {
            let id = String::from_utf8_lossy(&earlier).into_owned();
            writes.push(Write::DropTemporary { kind: TemporaryKind::HandOver, id });
        }
        let put = |kind, id, bytes: Vec<u8>| {
            let record = TemporaryRecord { until, bytes: bytes.into() };
            Write::PutTemporary { kind, id, record }
        };
        writes.push(put(TemporaryKind::HandOver, id.clone(), sealed));
        writes.push(put(TemporaryKind::HandOverOf, agenda, id.into_bytes()));
        self.store.commit(writes).await.map_err(AgendaError::from)?;
        Ok(code)
    }

    fn find(&self, code: &str) -> Result<Option<EditKey>, Problem> {
        let id = hash(code).to_string();
        let sealed = self.store.temporary(TemporaryKind::HandOver, &id, self.clock.now())?;
        Ok(sealed.and_then(|sealed| open(code, &sealed)))
    }

    async fn redeem(&self, code: &str) -> Result<Option<EditKey>, Problem> {
        let Some(key) = self.find(code)? else { return Ok(None) };
        let write = Write::TakeTemporary { kind: TemporaryKind::HandOver, id: hash(code).to_string() };
        match self.store.commit(vec![write]).await {
            Ok(()) => Ok(Some(key)),
            // Another replica redeemed it at the same moment.
            Err(CommitError::Conflict) => Ok(None),
            Err(error) => Err(AgendaError::from(error).into()),
        }
    }
}

/// The cipher of one code. Each code seals one key, so its nonce may be fixed.
fn cipher(code: &str) -> Option<(LessSafeKey, Nonce)> {
    let key = Digest::of(format!("callboard hand-over {code}").as_bytes());
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key.0).ok()?);
    Some((key, Nonce::assume_unique_for_key([0; NONCE_LEN])))
}

fn seal(code: &str, key: &EditKey) -> Option<Vec<u8>> {
    let (cipher, nonce) = cipher(code)?;
    let mut bytes = key.reveal().into_bytes();
    cipher.seal_in_place_append_tag(nonce, Aad::empty(), &mut bytes).ok()?;
    Some(bytes)
}

fn open(code: &str, sealed: &[u8]) -> Option<EditKey> {
    let (cipher, nonce) = cipher(code)?;
    let mut bytes = sealed.to_vec();
    let opened = cipher.open_in_place(nonce, Aad::empty(), &mut bytes).ok()?;
    EditKey::parse(std::str::from_utf8(opened).ok()?).ok()
}

impl CodeTable {
    fn issue(&mut self, key: &EditKey, now: Duration) -> Result<String, Problem> {
        let code = one_time_code().map_err(AgendaError::from)?;
        self.forget_agenda(&key.hash());
        if self.codes.len() >= MAX_CODES {
            self.forget_expired(now);
        }
        if self.codes.len() >= MAX_CODES {
            return Err(Problem::Overloaded);
        }
        let hash = hash(&code);
        self.agendas.insert(key.hash(), hash);
        self.codes.insert(hash, IssuedCode { key: key.clone(), until: now + LASTS });
        Ok(code)
    }

    fn find(&self, code: &str, now: Duration) -> Option<EditKey> {
        self.codes.get(&hash(code)).filter(|held| held.until > now).map(|held| held.key.clone())
    }

    fn redeem(&mut self, code: &str, now: Duration) -> Option<EditKey> {
        let held = self.codes.remove(&hash(code))?;
        self.agendas.remove(&held.key.hash());
        (held.until > now).then_some(held.key)
    }

    fn forget_agenda(&mut self, agenda: &Digest) {
        if let Some(code) = self.agendas.remove(agenda) {
            self.codes.remove(&code);
        }
    }

    fn forget_expired(&mut self, now: Duration) {
        let Self { codes, agendas } = self;
        codes.retain(|_, held| held.until > now);
        agendas.retain(|_, code| codes.contains_key(code));
    }
}

fn hash(code: &str) -> Digest {
    Digest::of(code.as_bytes())
}

impl PageRequest<'_> {
    /// Issues a code and shows its link to the owner.
    pub(in crate::http) async fn make_hand_over(&self) -> Result<Response<Body>, Problem> {
        self.form()?;
        let owned = self.own()?.ok_or(AgendaError::UnknownKey)?;
        self.allowed.hand_over(&owned.key)?;
        let code = self.codes.issue(&owned.key, self.clock.elapsed()).await?;
        let link = self.published.release.program.conference.link(&format!("/handover/{code}"));
        let lasts = TimeDelta::from_std(LASTS).unwrap_or_default();
        self.queue.make(|| self.page(&owned, Some((&link, lasts)))).await
    }

    /// The page behind the link; a POST redeems the code.
    pub(in crate::http) async fn hand_over(&self, code: &str) -> Result<Response<Body>, Problem> {
        let now = self.clock.elapsed();
        let is_redeemed = self.request.method == Method::POST;
        if is_redeemed {
            self.form()?;
        }
        let found = if is_redeemed { self.codes.redeem(code, now).await } else { self.codes.find(code, now) };
        let key = found?.ok_or(Problem::UsedUp)?;
        // The agenda may have been deleted or got a new key since.
        self.agendas.open(&key).map_err(|error| match error {
            AgendaError::UnknownKey => Problem::UsedUp,
            error => error.into(),
        })?;
        if !is_redeemed {
            return Ok(html(web::hand_over(&self.published.release, code)));
        }
        let mut response = done(AgendaDone::Arrived)?;
        set_cookies(&mut response, self.jar().keep(&key));
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(5);

    fn key() -> EditKey {
        EditKey::generate().unwrap()
    }

    #[test]
    fn a_code_works_once_and_for_ten_minutes() {
        let (mut codes, key) = (CodeTable::default(), key());
        let code = codes.issue(&key, NOW).unwrap();
        assert_eq!(codes.find(&code, NOW), Some(key.clone()));
        assert_eq!(codes.redeem(&code, NOW + LASTS - Duration::from_secs(1)), Some(key.clone()));
        assert_eq!(codes.redeem(&code, NOW), None);
        let late = codes.issue(&key, NOW).unwrap();
        assert_eq!(codes.find(&late, NOW + LASTS), None);
        assert_eq!(codes.redeem(&late, NOW + LASTS), None);
        assert_eq!(codes.find("guess", NOW), None);
        assert!(codes.agendas.is_empty());
    }

    #[test]
    fn a_new_code_invalidates_only_the_earlier_code_of_its_agenda() {
        let (mut codes, mine, other) = (CodeTable::default(), key(), key());
        let bystander = codes.issue(&other, NOW).unwrap();
        let first = codes.issue(&mine, NOW).unwrap();
        for _ in 0..3 * MAX_CODES {
            codes.issue(&mine, NOW).unwrap();
        }
        assert_eq!((codes.find(&first, NOW), codes.codes.len()), (None, 2));
        assert_eq!(codes.find(&bystander, NOW), Some(other));
    }

    #[test]
    fn a_full_table_refuses_new_codes_until_old_ones_expire() {
        let (mut codes, first) = (CodeTable::default(), key());
        let code = codes.issue(&first, NOW).unwrap();
        for _ in 1..MAX_CODES {
            codes.issue(&key(), NOW).unwrap();
        }
        assert!(matches!(codes.issue(&key(), NOW), Err(Problem::Overloaded)));
        assert_eq!(codes.find(&code, NOW), Some(first.clone()));
        codes.issue(&first, NOW).unwrap();
        assert!(codes.issue(&key(), NOW + LASTS).is_ok());
        assert_eq!((codes.codes.len(), codes.agendas.len()), (1, 1));
    }

    #[test]
    fn a_sealed_key_opens_only_with_its_code() {
        let key = key();
        let sealed = seal("code", &key).unwrap();
        assert!(!sealed.windows(8).any(|part| key.reveal().as_bytes().starts_with(part)));
        assert_eq!((open("code", &sealed), open("other", &sealed)), (Some(key), None));
        assert_eq!(open("code", &sealed[1..]), None);
    }
}
