//! The cookies of an agenda (RFC 6265bis): the edit key, which no script can read, and a mark beside it that
//! says there is one.

use crate::agenda::EditKey;
use http::HeaderMap;
use http::header::COOKIE;
use url::Url;

/// `__Host-` binds a cookie to this very host and to https; without https the prefix is not allowed.
const SECURE_NAME: &str = "__Host-agenda";
const PLAIN_NAME: &str = "agenda";

/// What pages' scripts may read.
const MARK: &str = "agenda_here";

/// As long as browsers keep a cookie at most.
const MAX_AGE: u32 = 400 * 24 * 3600;

/// How cookies are written for an origin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Jar {
    secure: bool,
}

impl Jar {
    pub(super) fn of(public_url: &Url) -> Self {
        Self { secure: public_url.scheme() == "https" }
    }

    fn name(self) -> &'static str {
        if self.secure { SECURE_NAME } else { PLAIN_NAME }
    }

    /// The edit key that the visitor's browser holds, if it is one.
    pub(super) fn key(self, headers: &HeaderMap) -> Option<EditKey> {
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.name()).and_then(|(_, value)| EditKey::parse(value).ok())
    }

    /// Hands the browser a key.
    pub(super) fn keep(self, key: &EditKey) -> [String; 2] {
        self.set(&key.reveal(), "1", MAX_AGE)
    }

    /// Takes it back.
    pub(super) fn forget(self) -> [String; 2] {
        self.set("", "", 0)
    }

    fn set(self, key: &str, mark: &str, age: u32) -> [String; 2] {
        let secure = if self.secure { "; Secure" } else { "" };
        [
            format!("{}={key}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}", self.name()),
            format!("{MARK}={mark}; Path=/; SameSite=Lax; Max-Age={age}{secure}"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar(origin: &str) -> Jar {
        Jar::of(&origin.parse().unwrap())
    }

    #[test]
    fn a_key_comes_back_and_no_script_can_read_it() {
        let key = EditKey::generate().unwrap();
        for (origin, start) in [("https://a.example", "__Host-agenda="), ("http://127.0.0.1:8080", "agenda=")]
        {
            let [cookie, mark] = jar(origin).keep(&key);
            assert!(cookie.starts_with(start) && cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            assert_eq!(cookie.contains("; Secure"), origin.starts_with("https"));
            assert!(!mark.contains(&key.reveal()));
            let mut headers = HeaderMap::new();
            let pair = cookie.split(';').next().unwrap();
            headers.insert(COOKIE, format!("x=1; {pair}; y").parse().unwrap());
            assert_eq!(jar(origin).key(&headers), Some(key.clone()));
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        let mut headers = HeaderMap::new();
        assert_eq!(jar("http://a.example").key(&headers), None);
        headers.insert(COOKIE, "agenda=cbe_typo".parse().unwrap());
        assert_eq!(jar("http://a.example").key(&headers), None);
    }
}
