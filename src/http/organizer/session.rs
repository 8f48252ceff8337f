//! Who is signed in at the organizer's pages: a signed cookie that names the secret and expires.
//!
//! The secret itself is posted once and never kept by the browser. The cookie opens nothing once its secret is
//! removed: the caller looks the named secret up at every request. The signing key belongs to the process, so a
//! restart signs everybody out; it is not derived from the secrets file, which everybody may read.

use crate::agenda::one_time_code;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use http::HeaderMap;
use ring::hmac;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use url::Url;

/// The time after which a sign-in ends.
const LASTS: TimeDelta = TimeDelta::hours(12);

/// Signs and checks the cookies.
pub(in crate::http) struct Sessions {
    key: Result<hmac::Key, getrandom::Error>,
    /// Cookies that were signed out before they expired, by what they hold, with the second of their expiry. Only a
    /// holder of a secret can add one.
    signed_out: Mutex<HashMap<String, i64>>,
}

impl Default for Sessions {
    fn default() -> Self {
        let mut bytes = [0; 32];
        let key = getrandom::fill(&mut bytes).map(|()| hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        Self { key, signed_out: Mutex::default() }
    }
}

/// Never the key.
impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

/// A cookie whose signature is right.
struct Signed<'a> {
    /// The SHA-256 of the secret that signed in.
    secret: [u8; 32],
    expires: i64,
    /// All but the signature.
    content: &'a str,
}

impl Sessions {
    /// Signs a browser in with a secret: the cookie to set.
    pub(super) fn open(
        &self,
        secret: &[u8; 32],
        origin: &Url,
        now: DateTime<Utc>,
    ) -> Result<String, getrandom::Error> {
        let key = self.key.as_ref().map_err(|error| *error)?;
        let expires = (now + LASTS).timestamp();
        // The code makes every sign-in another, so that one can be signed out without the others.
        let content = format!("{}.{expires}.{}", BASE64URL_NOPAD.encode(secret), one_time_code()?);
        let signature = hmac::sign(key, content.as_bytes());
        let token = format!("{content}.{}", BASE64URL_NOPAD.encode(signature.as_ref()));
        Ok(cookie(origin, &token, LASTS.num_seconds()))
    }

    /// Signs the browser out: the cookie to set. A copy of the old one opens nothing either.
    pub(super) fn close(&self, headers: &HeaderMap, origin: &Url, now: DateTime<Utc>) -> String {
        if let Some(signed) = sent(headers, origin).and_then(|token| self.check(token, now)) {
            let mut signed_out = self.signed_out.lock().unwrap_or_else(PoisonError::into_inner);
            signed_out.retain(|_, expires| *expires > now.timestamp());
            signed_out.insert(signed.content.to_owned(), signed.expires);
        }
        cookie(origin, "", 0)
    }

    /// The SHA-256 of the secret that the browser signed in with. The caller checks that it is still valid.
    pub(super) fn secret(&self, headers: &HeaderMap, origin: &Url, now: DateTime<Utc>) -> Option<[u8; 32]> {
        let signed = self.check(sent(headers, origin)?, now)?;
        let signed_out = self.signed_out.lock().unwrap_or_else(PoisonError::into_inner);
        (!signed_out.contains_key(signed.content)).then_some(signed.secret)
    }

    fn check<'a>(&self, token: &'a str, now: DateTime<Utc>) -> Option<Signed<'a>> {
        let (content, signature) = token.rsplit_once('.')?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
        hmac::verify(self.key.as_ref().ok()?, content.as_bytes(), &signature).ok()?;
        let mut parts = content.split('.');
        let secret = BASE64URL_NOPAD.decode(parts.next()?.as_bytes()).ok()?.try_into().ok()?;
        let expires: i64 = parts.next()?.parse().ok()?;
        (now.timestamp() < expires).then_some(Signed { secret, expires, content })
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

    #[test]
    fn a_sign_in_lasts_twelve_hours_or_until_it_is_signed_out() {
        let sessions = Sessions::default();
        let [set, other] = [0, 1].map(|_| sessions.open(&SECRET, &origin(), NOW).unwrap());
        assert!(set.starts_with("__Host-organizer=") && set.contains("HttpOnly; SameSite=Strict"), "{set}");
        let secret = |set: &str, now| sessions.secret(&headers(set), &origin(), now);
        assert_eq!(secret(&set, NOW), Some(SECRET));
        assert_eq!(secret(&set, NOW + LASTS - TimeDelta::seconds(1)), Some(SECRET));
        assert_eq!(secret(&set, NOW + LASTS), None);
        assert_eq!(sessions.secret(&HeaderMap::new(), &origin(), NOW), None);
        assert!(sessions.close(&headers(&set), &origin(), NOW).contains("Max-Age=0"));
        assert_eq!((secret(&set, NOW), secret(&other, NOW)), (None, Some(SECRET)));
        sessions.close(&headers(&other), &origin(), NOW + LASTS - TimeDelta::seconds(1));
        assert_eq!(sessions.signed_out.lock().unwrap().len(), 2);
        let later = sessions.open(&SECRET, &origin(), NOW + LASTS).unwrap();
        sessions.close(&headers(&later), &origin(), NOW + LASTS);
        assert_eq!(sessions.signed_out.lock().unwrap().len(), 1, "expired ones are forgotten");
    }

    #[test]
    fn no_other_content_and_no_other_process_has_the_signature() {
        let sessions = Sessions::default();
        let set = sessions.open(&SECRET, &origin(), NOW).unwrap();
        assert_eq!(Sessions::default().secret(&headers(&set), &origin(), NOW), None, "after a restart");
        let token = set.split(';').next().unwrap().split_once('=').unwrap().1.to_owned();
        for place in 0..token.len() {
            let mut forged = token.clone();
            let other = if &token[place..=place] == "A" { "B" } else { "A" };
            forged.replace_range(place..=place, other);
            let found = sessions.secret(&headers(&format!("__Host-organizer={forged}")), &origin(), NOW);
            assert_eq!(found, None, "{place}");
        }
    }
}
