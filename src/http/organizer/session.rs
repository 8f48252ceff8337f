//! Who is signed in at the organizer's pages: a random name in a cookie, known only to this process.
//!
//! The secret itself is posted once and never kept by the browser. A restart signs everybody out.

use crate::agenda::one_time_code;
use crate::revision::Digest;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use http::header::COOKIE;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use url::Url;

/// How long a sign-in lasts.
const LASTS: TimeDelta = TimeDelta::hours(12);

/// Sign-ins at once; beyond, the oldest goes.
const MOST: usize = 1000;

/// The sign-ins, by the hash of their cookie: the label of the secret, and until when.
#[derive(Debug, Default)]
pub(in crate::http) struct Sessions(Mutex<HashMap<Digest, (String, DateTime<Utc>)>>);

impl Sessions {
    /// Signs somebody in: the cookie to set.
    pub(super) fn open(
        &self,
        who: String,
        origin: &Url,
        now: DateTime<Utc>,
    ) -> Result<String, getrandom::Error> {
        let token = one_time_code()?;
        let mut sessions = self.lock();
        sessions.retain(|_, (_, until)| *until > now);
        if sessions.len() >= MOST {
            let oldest = sessions.iter().min_by_key(|(_, (_, until))| *until).map(|(hash, _)| *hash);
            oldest.and_then(|hash| sessions.remove(&hash));
        }
        sessions.insert(Digest::of(token.as_bytes()), (who, now + LASTS));
        Ok(cookie(origin, &token, LASTS.num_seconds()))
    }

    /// Signs the browser out: the cookie to set.
    pub(super) fn close(&self, headers: &HeaderMap, origin: &Url) -> String {
        if let Some(token) = sent(headers, origin) {
            self.lock().remove(&Digest::of(token.as_bytes()));
        }
        cookie(origin, "", 0)
    }

    /// Who the browser is signed in as.
    pub(super) fn who(&self, headers: &HeaderMap, origin: &Url, now: DateTime<Utc>) -> Option<String> {
        let token = sent(headers, origin)?;
        let sessions = self.lock();
        let (who, until) = sessions.get(&Digest::of(token.as_bytes()))?;
        (*until > now).then(|| who.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, (String, DateTime<Utc>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `__Host-` binds a cookie to this host and to https; without https the prefix is not allowed.
fn name(origin: &Url) -> &'static str {
    if origin.scheme() == "https" { "__Host-organizer" } else { "organizer" }
}

fn cookie(origin: &Url, token: &str, age: i64) -> String {
    let secure = if origin.scheme() == "https" { "; Secure" } else { "" };
    format!("{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}", name(origin))
}

fn sent<'a>(headers: &'a HeaderMap, origin: &Url) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name(origin)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_lasts_twelve_hours_or_until_the_end() {
        let (sessions, now) = (Sessions::default(), DateTime::UNIX_EPOCH);
        let origin: Url = "https://conf.example".parse().unwrap();
        let set = sessions.open("chair".into(), &origin, now).unwrap();
        assert!(set.starts_with("__Host-organizer=") && set.contains("HttpOnly; SameSite=Strict"), "{set}");
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, set.split(';').next().unwrap().parse().unwrap());
        assert_eq!(sessions.who(&headers, &origin, now).as_deref(), Some("chair"));
        assert_eq!(sessions.who(&headers, &origin, now + LASTS), None);
        assert_eq!(sessions.who(&HeaderMap::new(), &origin, now), None);
        assert!(sessions.close(&headers, &origin).contains("Max-Age=0"));
        assert_eq!(sessions.who(&headers, &origin, now), None);
    }
}
