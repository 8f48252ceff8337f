//! What a query of the API asks for beside its filters: which members, how many, from where on.
//!
//! As on the feeds: an unknown key is ignored, a value that could be meant otherwise is refused with its name.

use super::cursor::Cursor;
use crate::export::SESSION_FIELDS;
use crate::http::feeds;
use http::request::Parts;
use serde_json::Value;
use std::fmt::Write;

/// A query that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// A value that cannot be taken (400).
    #[error("{key}: {expected}")]
    Value {
        /// The parameter.
        key: &'static str,
        /// What to write instead.
        expected: String,
    },
    /// A release that is not published (404).
    #[error("there is no release {since} yet; the newest is {newest}")]
    Future {
        /// What was asked for.
        since: u64,
        /// The running release.
        newest: u64,
    },
    /// A release that lies too far back (410).
    #[error("changes are told from release {oldest} on; read the sessions anew")]
    TooOld {
        /// The oldest `since` that is answered.
        oldest: u64,
    },
    /// A cursor into what is no longer there (410).
    #[error("the program was published anew since this cursor was made; start again without it")]
    Stale,
}

impl AskError {
    pub(super) fn value(key: &'static str, expected: impl Into<String>) -> Self {
        Self::Value { key, expected: expected.into() }
    }
}

/// The pairs of a query, decoded.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(request: &Parts) -> Self {
        Self(feeds::pairs(request))
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        feeds::borrowed(&self.0)
    }

    /// The one value of a key.
    fn one(&self, key: &'static str) -> Result<Option<&str>, AskError> {
        let mut values = self.pairs().filter(|(name, _)| *name == key).map(|(_, value)| value);
        let first = values.next();
        match values.next() {
            Some(_) => Err(AskError::value(key, "write it once")),
            None => Ok(first),
        }
    }

    /// Whether a key is there, with the one value that it can have.
    pub(super) fn says(&self, key: &'static str, value: &str) -> Result<bool, AskError> {
        match self.one(key)? {
            None => Ok(false),
            Some(said) if said == value => Ok(true),
            Some(_) => Err(AskError::value(key, format!("write {value}, or leave it out"))),
        }
    }

    /// A whole number in its one spelling.
    pub(super) fn number(&self, key: &'static str) -> Result<Option<u64>, AskError> {
        let Some(text) = self.one(key)? else { return Ok(None) };
        let number = text.parse().ok().filter(|number: &u64| number.to_string() == text);
        number.map(Some).ok_or_else(|| AskError::value(key, "write a whole number, such as 12"))
    }

    /// `limit`, up to `most`; without it that many.
    pub(super) fn limit(&self, most: usize) -> Result<usize, AskError> {
        let Some(limit) = self.number("limit")? else { return Ok(most) };
        let limit = usize::try_from(limit).ok().filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| AskError::value("limit", format!("write a number from 1 to {most}")))
    }

    /// `cursor`, of a list.
    pub(super) fn cursor(&self, list: &str) -> Result<Option<Cursor>, AskError> {
        self.one("cursor")?.map(|raw| Cursor::parse(list, raw)).transpose()
    }

    /// `fields`: comma-separated and repeatable.
    pub(super) fn fields(&self) -> Result<Fields, AskError> {
        let mut wanted = Vec::new();
        let values = self.pairs().filter(|(name, _)| *name == "fields");
        for name in values.flat_map(|(_, value)| value.split(',')) {
            let known = SESSION_FIELDS.iter().find(|field| **field == name);
            let expected = || format!("write some of {}, with commas between", SESSION_FIELDS.join(", "));
            wanted.push(*known.ok_or_else(|| AskError::value("fields", expected()))?);
        }
        wanted.sort_unstable();
        wanted.dedup();
        Ok(Fields(wanted))
    }
}

/// Which members of a session to show; `id` always, none named means all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields(Vec<&'static str>);

impl Fields {
    /// Takes the others out.
    pub(super) fn select(&self, mut document: Value) -> Value {
        if let (false, Value::Object(members)) = (self.0.is_empty(), &mut document) {
            members.retain(|name, _| name == "id" || self.0.contains(&name.as_str()));
        }
        document
    }

    /// In canonical form.
    pub(super) fn text(&self) -> String {
        self.0.join(",")
    }
}

/// A query of those parts that there are.
pub(super) fn together<const N: usize>(parts: [String; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&")
}

/// The address of the same list from a cursor on: the query without its cursor, then that.
pub(super) fn next_path(path: &str, canonical: &str, cursor: &Cursor) -> String {
    let mut next = format!("{path}?");
    if !canonical.is_empty() {
        // Writing to a String cannot fail.
        let _ = write!(next, "{canonical}&");
    }
    let _ = write!(next, "cursor={cursor}");
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn query(text: &str) -> Query {
        let uri = format!("/x?{text}");
        Query::of(&http::Request::get(uri).body(()).unwrap().into_parts().0)
    }

    #[test]
    fn limits_are_whole_numbers_in_one_spelling() {
        assert_eq!(query("a=b").limit(50), Ok(50));
        assert_eq!(query("limit=50").limit(50), Ok(50));
        assert_eq!(query("limit=1").limit(50), Ok(1));
        for bad in ["limit=0", "limit=51", "limit=", "limit=01", "limit=%2B1", "limit=-1", "limit=1&limit=1"]
        {
            assert!(matches!(query(bad).limit(50), Err(AskError::Value { key: "limit", .. })), "{bad}");
        }
    }

    #[test]
    fn a_misspelt_preview_is_refused_before_anything_is_picked() {
        assert_eq!(query("preview=yes").says("preview", "yes"), Ok(true));
        assert_eq!(query("").says("preview", "yes"), Ok(false));
        for bad in ["preview=", "preview=true", "preview=YES", "preview=yes&preview=yes"] {
            assert!(query(bad).says("preview", "yes").is_err(), "{bad}");
        }
    }

    #[test]
    fn fields_are_known_ones_and_the_id_stays() {
        let document = || json!({ "id": "a", "title": "A", "start": "now" });
        let select = |text: &str| query(text).fields().map(|fields| fields.select(document()));
        assert_eq!(select(""), Ok(document()));
        assert_eq!(select("fields=title"), Ok(json!({ "id": "a", "title": "A" })));
        assert_eq!(select("fields=start,title&fields=title"), Ok(document()));
        assert_eq!(query("fields=start,title,start").fields().unwrap().text(), "start,title");
        for bad in ["fields=", "fields=titel", "fields=title,", "fields=Title"] {
            assert!(matches!(select(bad), Err(AskError::Value { key: "fields", .. })), "{bad}");
        }
    }
}
