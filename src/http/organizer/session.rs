//! Who is signed in at the organizer's pages: a random name in a cookie, known only to this process.
//!
//! The secret itself is posted once and never kept by the browser. A restart signs everybody out.

use crate::http::pass::Passes;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use http::header::COOKIE;
use url::Url;

/// How long a sign-in lasts.
const LASTS: TimeDelta = TimeDelta::hours(12);

/// The sign-ins: the label of the secret of each.
#[derive(Debug)]
pub(in crate::http) struct Sessions(Passes<String>);

impl Default for Sessions {
    fn default() -> Self {
        Self(Passes::new(LASTS))
    }
}

impl Sessions {
    /// Signs somebody in: the cookie to set.
    pub(super) fn open(
        &self,
        who: String,
        origin: &Url,
        now: DateTime<Utc>,
    ) -> Result<String, getrandom::Error> {
        Ok(cookie(origin, &self.0.issue(who, now)?, LASTS.num_seconds()))
    }

    /// Signs the browser out: the cookie to set.
    pub(super) fn close(&self, headers: &HeaderMap, origin: &Url, now: DateTime<Utc>) -> String {
        sent(headers, origin).and_then(|token| self.0.redeem(token, now));
        cookie(origin, "", 0)
    }

    /// Who the browser is signed in as.
    pub(super) fn who(&self, headers: &HeaderMap, origin: &Url, now: DateTime<Utc>) -> Option<String> {
        self.0.find(sent(headers, origin)?, now)
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
        assert!(sessions.close(&headers, &origin, now).contains("Max-Age=0"));
        assert_eq!(sessions.who(&headers, &origin, now), None);
    }
}
