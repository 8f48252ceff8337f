//! Handing an agenda over to another device: a one-time code, ten minutes, in memory only.
//!
//! The link leads to a page with a button; only the button's POST redeems the code, so that a messenger's
//! link preview does not burn it.

use super::{Visit, html, see, set_cookies};
use crate::agenda::{EditKey, one_time_code};
use crate::http::agendas::AgendaError;
use crate::http::{Body, Problem};
use crate::revision::Digest;
use crate::web;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, Response};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long a code works.
const LASTS: TimeDelta = TimeDelta::minutes(10);

/// Codes at once; beyond, the oldest goes.
const MOST: usize = 10_000;

/// The codes that were made and not redeemed, by their hash.
#[derive(Debug, Default)]
pub(in crate::http) struct Codes(Mutex<HashMap<Digest, (EditKey, DateTime<Utc>)>>);

impl Codes {
    /// Makes a code for a key.
    fn issue(&self, key: EditKey, now: DateTime<Utc>) -> Result<String, getrandom::Error> {
        let code = one_time_code()?;
        let mut codes = self.lock();
        codes.retain(|_, (_, until)| *until > now);
        if codes.len() >= MOST {
            let oldest = codes.iter().min_by_key(|(_, (_, until))| *until).map(|(hash, _)| *hash);
            oldest.and_then(|hash| codes.remove(&hash));
        }
        codes.insert(Digest::of(code.as_bytes()), (key, now + LASTS));
        Ok(code)
    }

    /// Whether a code would work.
    fn is_good(&self, code: &str, now: DateTime<Utc>) -> bool {
        self.lock().get(&Digest::of(code.as_bytes())).is_some_and(|(_, until)| *until > now)
    }

    /// The key of a code, once.
    fn redeem(&self, code: &str, now: DateTime<Utc>) -> Option<EditKey> {
        let (key, until) = self.lock().remove(&Digest::of(code.as_bytes()))?;
        (until > now).then_some(key)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, (EditKey, DateTime<Utc>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit<'_> {
    /// Makes a code and shows the owner the link.
    pub(super) async fn make_hand_over(&self) -> Result<Response<Body>, Problem> {
        self.form()?;
        let owned = self.own()?.ok_or(AgendaError::UnknownKey)?;
        let code = self.codes.issue(owned.key.clone(), self.clock.now()).map_err(AgendaError::from)?;
        let link = self.published.release.program.conference.link(&format!("/handover/{code}"));
        Ok(self.page(&owned, Some((&link, LASTS))))
    }

    /// The page behind the link, and what its button does.
    pub(super) fn hand_over(&self, code: &str) -> Result<Response<Body>, Problem> {
        let now = self.clock.now();
        if self.request.method != Method::POST {
            if !self.codes.is_good(code, now) {
                return Err(Problem::UsedUp);
            }
            return Ok(html(web::hand_over(&self.published.release, code)));
        }
        self.form()?;
        let key = self.codes.redeem(code, now).ok_or(Problem::UsedUp)?;
        let mut response = see("/agenda");
        set_cookies(&mut response, self.jar().keep(&key));
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once_and_for_ten_minutes() {
        let (codes, now) = (Codes::default(), DateTime::UNIX_EPOCH);
        let key = EditKey::generate().unwrap();
        let code = codes.issue(key.clone(), now).unwrap();
        assert!(codes.is_good(&code, now) && codes.is_good(&code, now));
        assert_eq!(codes.redeem(&code, now + TimeDelta::minutes(9)), Some(key.clone()));
        assert_eq!(codes.redeem(&code, now), None);
        let late = codes.issue(key, now).unwrap();
        assert!(!codes.is_good(&late, now + LASTS));
        assert_eq!(codes.redeem(&late, now + LASTS), None);
        assert_eq!(codes.redeem("guess", now), None);
    }
}
