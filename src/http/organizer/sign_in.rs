//! Sign-ins of organizers: a signed cookie that names the secret and expires.
//!
//! The browser posts the secret once and does not store it. The caller looks the named secret up at every request, so a
//! removed secret ends its sign-ins. The signing key is random for each process, so a restart signs everybody out; several
//! replicas share one through the store. It is not derived from the secrets file, which may be world-readable.
//!
//! A second cookie, which scripts may read, tells public pages to link to the desk. Those pages are the same for
//! everybody, so the server cannot add the link.

use crate::agenda::one_time_code;
use crate::http::agendas::AgendaError;
use crate::revision::Digest;
use crate::store::{CommitError, PushKeyBytes, Store, TemporaryKind, TemporaryRecord, Write};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use http::HeaderMap;
use ring::hmac;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use url::Url;

/// The cookie that scripts may read. It holds no secret and opens nothing.
const MARK: &str = "organizer_here";

/// How long a sign-in is valid.
const LIFETIME: TimeDelta = TimeDelta::hours(12);

/// Signs and verifies the cookies.
pub(in crate::http) struct SignIns {
    key: Result<hmac::Key, getrandom::Error>,
    /// The contents of cookies that were signed out before they expired, with the Unix time of their expiry. Only the
    /// holder of a secret can add one.
    signed_out: Mutex<HashMap<String, i64>>,
    /// Holds the key and the cookies that were signed out, if several replicas share them.
    shared: Option<Store>,
}

impl Default for SignIns {
    fn default() -> Self {
        let mut bytes = [0; 32];
        let key = getrandom::fill(&mut bytes).map(|()| hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        Self { key, signed_out: Mutex::default(), shared: None }
    }
}

/// Does not print the key.
impl std::fmt::Debug for SignIns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIns").finish_non_exhaustive()
    }
}

/// A cookie with a valid signature.
struct Signed<'a> {
    /// The SHA-256 of the secret.
    secret: [u8; 32],
    expires: i64,
    /// The cookie without its signature.
    content: &'a str,
}

impl SignIns {
    /// The sign-ins of this process; with a shared store, those of all replicas.
    pub(in crate::http) fn of(store: &Store) -> Self {
        let shared = store.is_shared().then(|| store.clone());
        Self { shared, ..Self::default() }
    }

    fn key(&self) -> Result<hmac::Key, AgendaError> {
        let Some(store) = &self.shared else { return Ok(self.key.clone()?) };
        let missing = || CommitError::Unavailable("the key of sign-ins is not in the store yet".to_owned());
        let PushKeyBytes(bytes) = store.sign_in_key()?.ok_or_else(missing)?;
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
    }

    /// Signs a browser in and returns the cookies to set.
    pub(super) fn open(
        &self,
        secret: &[u8; 32],
        origin: &Url,
        now: DateTime<Utc>,
    ) -> Result<[String; 2], AgendaError> {
        let key = self.key()?;
        let expires = (now + LIFETIME).timestamp();
        // The code makes each sign-in unique, so that signing out ends only one.
        let content = format!("{}.{expires}.{}", BASE64URL_NOPAD.encode(secret), one_time_code()?);
        let signature = hmac::sign(&key, content.as_bytes());
        let token = format!("{content}.{}", BASE64URL_NOPAD.encode(signature.as_ref()));
        let age = LIFETIME.num_seconds();
        Ok([cookie(origin, &token, age), mark(origin, "1", age)])
    }

    /// Signs the browser out and returns the cookies to set. Copies of the old cookie become invalid too.
    ///
    /// # Errors
    /// If the store of several replicas cannot be written; the sign-in then stays valid.
    pub(super) async fn close(
        &self,
        headers: &HeaderMap,
        origin: &Url,
        now: DateTime<Utc>,
    ) -> Result<[String; 2], AgendaError> {
        if let Some(signed) = sent(headers, origin).and_then(|token| self.check(token, now)) {
            if let Some(store) = &self.shared {
                let (kind, id) = (TemporaryKind::SignedOut, id_of(signed.content));
                let until = DateTime::from_timestamp(signed.expires, 0).unwrap_or(now + LIFETIME);
                let record = TemporaryRecord { until, bytes: Bytes::new() };
                store.commit(vec![Write::PutTemporary { kind, id, record }]).await?;
            } else {
                let mut signed_out = self.signed_out.lock().unwrap_or_else(PoisonError::into_inner);
                signed_out.retain(|_, expires| *expires > now.timestamp());
                signed_out.insert(signed.content.to_owned(), signed.expires);
            }
        }
        Ok([cookie(origin, "", 0), mark(origin, "", 0)])
    }

    /// The SHA-256 of the secret that the browser signed in with. The caller checks that the secret is still valid.
    pub(super) fn secret(&self, headers: &HeaderMap, origin: &Url, now: DateTime<Utc>) -> Option<[u8; 32]> {
        let signed = self.check(sent(headers, origin)?, now)?;
        let is_signed_out = match &self.shared {
            Some(store) => {
                let ended = store.temporary(TemporaryKind::SignedOut, &id_of(signed.content), now);
                // A sign-in that may have ended is not accepted.
                ended.map_or(true, |ended| ended.is_some())
            }
            None => {
                let signed_out = self.signed_out.lock().unwrap_or_else(PoisonError::into_inner);
                signed_out.contains_key(signed.content)
            }
        };
        (!is_signed_out).then_some(signed.secret)
    }

    fn check<'a>(&self, token: &'a str, now: DateTime<Utc>) -> Option<Signed<'a>> {
        let (content, signature) = token.rsplit_once('.')?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
        hmac::verify(&self.key().ok()?, content.as_bytes(), &signature).ok()?;
        let mut parts = content.split('.');
        let secret = BASE64URL_NOPAD.decode(parts.next()?.as_bytes()).ok()?.try_into().ok()?;
        let expires: i64 = parts.next()?.parse().ok()?;
        (now.timestamp() < expires).then_some(Signed { secret, expires, content })
    }
}

/// The id of a sign-in that has ended.
fn id_of(content: &str) -> String {
    Digest::of(content.as_bytes()).to_string()
}

/// `__Host-` binds a cookie to this host and to https; without https the prefix is not allowed.
fn name(origin: &Url) -> &'static str {
    if origin.scheme() == "https" { "__Host-organizer" } else { "organizer" }
}

/// Whether the browser has the cookie that shows links to the desk. Anybody can send it, so it proves nothing.
pub(in crate::http) fn is_marked(headers: &HeaderMap) -> bool {
    crate::http::browser::cookie(headers, MARK) == Some("1")
}

fn secure(origin: &Url) -> &'static str {
    if origin.scheme() == "https" { "; Secure" } else { "" }
}

fn mark(origin: &Url, value: &str, age: i64) -> String {
    format!("{MARK}={value}; Path=/; SameSite=Lax; Max-Age={age}{}", secure(origin))
}

fn cookie(origin: &Url, token: &str, age: i64) -> String {
    let secure = secure(origin);
    format!("{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}", name(origin))
}

fn sent<'a>(headers: &'a HeaderMap, origin: &Url) -> Option<&'a str> {
    crate::http::browser::cookie(headers, name(origin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::COOKIE;

    const SECRET: [u8; 32] = [7; 32];
    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn origin() -> Url {
        "https://conf.example".parse().unwrap()
    }

    fn headers(set: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, set.split(';').next().unwrap().parse().unwrap());
        headers
    }

    #[tokio::test]
    async fn a_sign_in_is_valid_for_twelve_hours_or_until_it_is_signed_out() {
        let sign_ins = SignIns::default();
        let [set, other] = [0, 1].map(|_| {
            let [set, mark] = sign_ins.open(&SECRET, &origin(), NOW).unwrap();
            assert_eq!(mark, "organizer_here=1; Path=/; SameSite=Lax; Max-Age=43200; Secure");
            set
        });
        assert!(set.starts_with("__Host-organizer=") && set.contains("HttpOnly; SameSite=Strict"), "{set}");
        let secret = |set: &str, now| sign_ins.secret(&headers(set), &origin(), now);
        assert_eq!(secret(&set, NOW), Some(SECRET));
        assert_eq!(secret(&set, NOW + LIFETIME - TimeDelta::seconds(1)), Some(SECRET));
        assert_eq!(secret(&set, NOW + LIFETIME), None);
        assert_eq!(sign_ins.secret(&HeaderMap::new(), &origin(), NOW), None);
        let closed = sign_ins.close(&headers(&set), &origin(), NOW).await.unwrap();
        assert!(closed.iter().all(|set| set.contains("Max-Age=0")));
        assert_eq!((secret(&set, NOW), secret(&other, NOW)), (None, Some(SECRET)));
        let late = NOW + LIFETIME - TimeDelta::seconds(1);
        sign_ins.close(&headers(&other), &origin(), late).await.unwrap();
        assert_eq!(sign_ins.signed_out.lock().unwrap().len(), 2);
        let [later, _] = sign_ins.open(&SECRET, &origin(), NOW + LIFETIME).unwrap();
        sign_ins.close(&headers(&later), &origin(), NOW + LIFETIME).await.unwrap();
        assert_eq!(sign_ins.signed_out.lock().unwrap().len(), 1, "expired ones are forgotten");
    }

    #[test]
    fn changed_cookies_and_cookies_of_another_process_are_invalid() {
        let sign_ins = SignIns::default();
        let [set, _] = sign_ins.open(&SECRET, &origin(), NOW).unwrap();
        assert_eq!(SignIns::default().secret(&headers(&set), &origin(), NOW), None, "after a restart");
        let token = set.split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
        for place in 0..token.len() {
            let mut forged = token.clone();
            let other = if &token[place..=place] == "A" { "B" } else { "A" };
            forged.replace_range(place..=place, other);
            let found = sign_ins.secret(&headers(&format!("__Host-organizer={forged}")), &origin(), NOW);
            assert_eq!(found, None, "{place}");
        }
    }
}
