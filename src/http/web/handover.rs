//! Moves an agenda to another device by a one-time code, which works for ten minutes and is held in memory only.
//!
//! The link leads to a page with a button. Only the button's POST redeems the code, so a messenger's link preview
//! does not. An agenda has one code at a time; a new code or a new key invalidates the earlier code.

use super::PageRequest;
use super::visitor::done;
use crate::agenda::{EditKey, one_time_code};
use crate::http::agendas::AgendaError;
use crate::http::reply::{html, set_cookies};
use crate::http::{Body, Problem};
use crate::revision::Digest;
use crate::web::{self, AgendaDone};
use chrono::TimeDelta;
use http::{Method, Response};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a code works.
const LASTS: Duration = Duration::from_secs(600);

/// The most codes at a time. A full table refuses new codes, so that issued codes keep working for their ten minutes.
const MAX_CODES: usize = 10_000;

/// The codes that were issued and not redeemed.
#[derive(Debug, Default)]
pub(in crate::http) struct Codes(Mutex<CodeTable>);

#[derive(Debug, Default)]
struct CodeTable {
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

/// The reason why no code was issued.
#[derive(Debug)]
enum CodeError {
    /// The table is full.
    Full,
    Random(getrandom::Error),
}

impl Codes {
    /// Issues a code for an agenda and invalidates its earlier one. `now` is [`crate::clock::Clock::elapsed`].
    fn issue(&self, key: &EditKey, now: Duration) -> Result<String, CodeError> {
        let code = one_time_code().map_err(CodeError::Random)?;
        let mut table = self.lock();
        table.forget_agenda(&key.hash());
        if table.codes.len() >= MAX_CODES {
            table.forget_expired(now);
        }
        if table.codes.len() >= MAX_CODES {
            return Err(CodeError::Full);
        }
        let hash = hash(&code);
        table.agendas.insert(key.hash(), hash);
        table.codes.insert(hash, IssuedCode { key: key.clone(), until: now + LASTS });
        Ok(code)
    }

    /// The key of a code.
    fn find(&self, code: &str, now: Duration) -> Option<EditKey> {
        self.lock().codes.get(&hash(code)).filter(|held| held.until > now).map(|held| held.key.clone())
    }

    /// Returns the key of a code and invalidates the code.
    fn redeem(&self, code: &str, now: Duration) -> Option<EditKey> {
        let mut table = self.lock();
        let held = table.codes.remove(&hash(code))?;
        table.agendas.remove(&held.key.hash());
        (held.until > now).then_some(held.key)
    }

    fn lock(&self) -> MutexGuard<'_, CodeTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CodeTable {
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
        let code = self.codes.issue(&owned.key, self.clock.elapsed()).map_err(|error| match error {
            CodeError::Full => Problem::Overloaded,
            CodeError::Random(error) => AgendaError::from(error).into(),
        })?;
        let link = self.published.release.program.conference.link(&format!("/handover/{code}"));
        let lasts = TimeDelta::from_std(LASTS).unwrap_or_default();
        self.queue.make(|| self.page(&owned, Some((&link, lasts)))).await
    }

    /// The page behind the link; a POST redeems the code.
    pub(in crate::http) fn hand_over(&self, code: &str) -> Result<Response<Body>, Problem> {
        let now = self.clock.elapsed();
        let is_redeemed = self.request.method == Method::POST;
        if is_redeemed {
            self.form()?;
        }
        let found = if is_redeemed { self.codes.redeem(code, now) } else { self.codes.find(code, now) };
        let key = found.ok_or(Problem::UsedUp)?;
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
        let (codes, key) = (Codes::default(), key());
        let code = codes.issue(&key, NOW).unwrap();
        assert_eq!(codes.find(&code, NOW), Some(key.clone()));
        assert_eq!(codes.redeem(&code, NOW + LASTS - Duration::from_secs(1)), Some(key.clone()));
        assert_eq!(codes.redeem(&code, NOW), None);
        let late = codes.issue(&key, NOW).unwrap();
        assert_eq!((codes.find(&late, NOW + LASTS), codes.redeem(&late, NOW + LASTS)), (None, None));
        assert_eq!(codes.find("guess", NOW), None);
        assert!(codes.lock().agendas.is_empty());
    }

    #[test]
    fn a_new_code_invalidates_only_the_earlier_code_of_its_agenda() {
        let (codes, mine, other) = (Codes::default(), key(), key());
        let bystander = codes.issue(&other, NOW).unwrap();
        let first = codes.issue(&mine, NOW).unwrap();
        for _ in 0..3 * MAX_CODES {
            codes.issue(&mine, NOW).unwrap();
        }
        assert_eq!((codes.find(&first, NOW), codes.lock().codes.len()), (None, 2));
        assert_eq!(codes.find(&bystander, NOW), Some(other));
    }

    #[test]
    fn a_full_table_refuses_new_codes_until_old_ones_expire() {
        let (codes, first) = (Codes::default(), key());
        let code = codes.issue(&first, NOW).unwrap();
        for _ in 1..MAX_CODES {
            codes.issue(&key(), NOW).unwrap();
        }
        assert!(matches!(codes.issue(&key(), NOW), Err(CodeError::Full)));
        assert_eq!(codes.find(&code, NOW), Some(first.clone()));
        codes.issue(&first, NOW).unwrap();
        assert!(codes.issue(&key(), NOW + LASTS).is_ok());
        let table = codes.lock();
        assert_eq!((table.codes.len(), table.agendas.len()), (1, 1));
    }
}
