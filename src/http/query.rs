//! The query of a request's target, percent-decoded (the URL standard, 5.1).
//!
//! This module knows no keys. Unknown keys are ignored everywhere, so nothing here rejects them.

use crate::feed::{FeedOptions, QueryError};
use http::Uri;

/// A query parameter that cannot be used, or a page of a list that no longer exists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// The value is invalid (400).
    #[error("{key}: {expected}")]
    Invalid {
        /// The parameter.
        key: &'static str,
        /// What to write instead.
        expected: String,
    },
    /// A release that does not exist yet (404).
    #[error("there is no release {since} yet; the newest is {newest}")]
    Future {
        /// The release in the query.
        since: u64,
        /// The live release.
        newest: u64,
    },
    /// A release that is too old to list changes since (410).
    #[error("changes are listed from release {oldest} on; read the sessions again")]
    TooOld {
        /// The oldest `since` that is accepted.
        oldest: u64,
    },
    /// The cursor belongs to an earlier release (410).
    #[error("the program was published again since this cursor was made; start again without it")]
    Stale,
}

impl ParameterError {
    pub(super) fn invalid(key: &'static str, expected: impl Into<String>) -> Self {
        Self::Invalid { key, expected: expected.into() }
    }
}

/// Keys and values in the order of the query.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The query without empty values: a form that no script handles sends every field.
    pub(super) fn without_empty(mut self) -> Self {
        self.0.retain(|(_, value)| !value.is_empty());
        self
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether the query is written in its canonical form, apart from percent-encoding.
    pub(super) fn is_canonical(&self, canonical: &[(&'static str, String)]) -> bool {
        self.pairs().eq(canonical.iter().map(|(key, value)| (*key, value.as_str())))
    }

    /// The first value of a key.
    pub(super) fn first(&self, key: &str) -> Option<&str> {
        self.pairs().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The value of a key that may occur once.
    pub(super) fn once(&self, key: &'static str) -> Result<Option<&str>, ParameterError> {
        let mut values = self.pairs().filter(|(name, _)| *name == key).map(|(_, value)| value);
        let first = values.next();
        match values.next() {
            Some(_) => Err(ParameterError::invalid(key, "write it once")),
            None => Ok(first),
        }
    }

    /// Whether a key is present; `value` is the only value that it takes.
    pub(super) fn flag(&self, key: &'static str, value: &str) -> Result<bool, ParameterError> {
        match self.once(key)? {
            None => Ok(false),
            Some(sent) if sent == value => Ok(true),
            Some(_) => Err(ParameterError::invalid(key, format!("write {value}, or leave it out"))),
        }
    }

    /// A whole number without sign or leading zeros.
    pub(super) fn number(&self, key: &'static str) -> Result<Option<u64>, ParameterError> {
        let Some(text) = self.once(key)? else { return Ok(None) };
        let number = text.parse().ok().filter(|number: &u64| number.to_string() == text);
        number.map(Some).ok_or_else(|| ParameterError::invalid(key, "write a whole number, such as 12"))
    }

    /// `limit`, from 1 to `most`; `most` without it.
    pub(super) fn limit(&self, most: usize) -> Result<usize, ParameterError> {
        let Some(limit) = self.number("limit")? else { return Ok(most) };
        let limit = usize::try_from(limit).ok().filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| ParameterError::invalid("limit", format!("write a number from 1 to {most}")))
    }

    /// The options of a feed that takes no filters.
    pub(super) fn feed_options(&self) -> Result<FeedOptions, QueryError> {
        let mut options = FeedOptions::default();
        for (key, value) in self.pairs() {
            options.parse_pair(key, value)?;
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::of(&format!("/x?{text}").parse().unwrap())
    }

    #[test]
    fn limits_are_whole_numbers_without_sign_or_leading_zeros() {
        assert_eq!(query("a=b").limit(50), Ok(50));
        assert_eq!(query("limit=50").limit(50), Ok(50));
        assert_eq!(query("limit=1").limit(50), Ok(1));
        for bad in ["limit=0", "limit=51", "limit=", "limit=01", "limit=%2B1", "limit=-1", "limit=1&limit=1"]
        {
            let limit = query(bad).limit(50);
            assert!(matches!(limit, Err(ParameterError::Invalid { key: "limit", .. })), "{bad}");
        }
    }

    #[test]
    fn a_misspelt_flag_is_rejected() {
        assert_eq!(query("preview=yes").flag("preview", "yes"), Ok(true));
        assert_eq!(query("").flag("preview", "yes"), Ok(false));
        for bad in ["preview=", "preview=true", "preview=YES", "preview=yes&preview=yes"] {
            assert!(query(bad).flag("preview", "yes").is_err(), "{bad}");
        }
    }
}
