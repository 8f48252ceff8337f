//! `/api/v1`: the program as JSON for everybody, and agendas for those who have a key or a link.
//!
//! This file has what all lists share: pages (`limit`, `cursor` and the address of the next page), and `fields`, which
//! selects members. A cursor is opaque to clients and belongs to one list.

mod agenda;
mod json;
mod openapi;
mod plan;
mod program;
mod subscriptions;

pub(super) use agenda::AgendaRequest;
pub(super) use openapi::reference;
pub(super) use program::{Documents, ProgramRequest};
pub(super) use subscriptions::{DeviceFields, ask_mailbox, mail_and_keys, push_key};

use super::query::{ParameterError, Query};
use crate::export::SESSION_FIELDS;
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use std::fmt;

/// The longest body in bytes: 500 session ids of 63 characters take half of it.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// The most sessions, speakers or changes in one page.
const MAX_PAGE: usize = 500;
/// The most releases in one page.
const MAX_RELEASES: usize = 50;

/// A place in a list where the next page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PageCursor {
    list: String,
    parts: Vec<String>,
}

impl PageCursor {
    /// A cursor of some parts, which hold no spaces.
    fn new(list: &str, parts: impl IntoIterator<Item = impl ToString>) -> Self {
        Self { list: list.to_owned(), parts: parts.into_iter().map(|part| part.to_string()).collect() }
    }

    /// The cursor in a query, which must belong to the list.
    fn of(query: &Query, list: &str) -> Result<Option<Self>, ParameterError> {
        query.once("cursor")?.map(|raw| Self::parse(list, raw)).transpose()
    }

    fn parse(list: &str, raw: &str) -> Result<Self, ParameterError> {
        let bytes = BASE64URL_NOPAD.decode(raw.as_bytes()).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = text.as_deref().and_then(|text| text.strip_prefix(list)?.strip_prefix(' '));
        let parts = parts.ok_or_else(Self::foreign)?.split(' ').map(str::to_owned).collect();
        Ok(Self { list: list.to_owned(), parts })
    }

    /// A part, parsed.
    fn part<T: std::str::FromStr>(&self, place: usize) -> Result<T, ParameterError> {
        self.parts.get(place).and_then(|part| part.parse().ok()).ok_or_else(Self::foreign)
    }

    fn foreign() -> ParameterError {
        ParameterError::invalid("cursor", "take it from next in the previous answer, with the same query")
    }
}

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{} {}", self.list, self.parts.join(" "));
        f.write_str(&BASE64URL_NOPAD.encode(text.as_bytes()))
    }
}

/// The members of a session to show: `id` always, all of them if none is named.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fields(Vec<&'static str>);

impl Fields {
    /// `fields`: comma-separated and repeatable.
    fn of(query: &Query) -> Result<Self, ParameterError> {
        let mut wanted = Vec::new();
        let values = query.pairs().filter(|(name, _)| *name == "fields");
        for name in values.flat_map(|(_, value)| value.split(',')) {
            let known = SESSION_FIELDS.iter().find(|field| **field == name);
            let expected = || format!("write some of {}, with commas between", SESSION_FIELDS.join(", "));
            wanted.push(*known.ok_or_else(|| ParameterError::invalid("fields", expected()))?);
        }
        wanted.sort_unstable();
        wanted.dedup();
        Ok(Self(wanted))
    }

    /// Removes the other members.
    fn select(&self, mut document: Value) -> Value {
        if let (false, Value::Object(members)) = (self.0.is_empty(), &mut document) {
            members.retain(|name, _| name == "id" || self.0.contains(&name.as_str()));
        }
        document
    }

    /// The value in canonical form.
    fn text(&self) -> String {
        self.0.join(",")
    }
}

/// Joins the parts that are not empty to a query.
fn join_query<const N: usize>(parts: [String; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&")
}

/// The path of the next page: the canonical query without its cursor, then the cursor.
fn next_path(path: &str, canonical: &str, cursor: &PageCursor) -> String {
    format!("{path}?{}", join_query([canonical.to_owned(), format!("cursor={cursor}")]))
}

/// `limit=…`, unless it is the default.
fn limit_pair(limit: usize, default: usize) -> String {
    if limit == default { String::new() } else { format!("limit={limit}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(release in any::<u64>(), id in "[a-z0-9-]{2,63}") {
            let cursor = PageCursor::new("changes", [release.to_string(), id]);
            let parsed = PageCursor::parse("changes", &cursor.to_string());
            prop_assert_eq!(parsed.as_ref(), Ok(&cursor));
            prop_assert_eq!(parsed.unwrap().part::<u64>(0), Ok(release));
        }

        #[test]
        fn other_texts_are_rejected(raw in "\\PC{0,40}") {
            prop_assert_eq!(PageCursor::parse("changes", &raw), Err(PageCursor::foreign()));
        }
    }

    #[test]
    fn a_cursor_of_another_list_is_rejected() {
        let cursor = PageCursor::new("speakers", ["ada"]).to_string();
        assert_eq!(PageCursor::parse("sessions", &cursor), Err(PageCursor::foreign()));
        assert_eq!(
            PageCursor::parse("speakers", &cursor).unwrap().part::<u64>(0),
            Err(PageCursor::foreign())
        );
        assert_eq!(
            PageCursor::parse("speakers", &cursor).unwrap().part::<String>(1),
            Err(PageCursor::foreign())
        );
    }

    #[test]
    fn fields_are_known_ones_and_the_id_stays() {
        let query = |text: &str| Fields::of(&Query::of(&format!("/x?{text}").parse().unwrap()));
        let document = || json!({ "id": "a", "title": "A", "start": "now" });
        let select = |text: &str| query(text).map(|fields| fields.select(document()));
        assert_eq!(select(""), Ok(document()));
        assert_eq!(select("fields=title"), Ok(json!({ "id": "a", "title": "A" })));
        assert_eq!(select("fields=start,title&fields=title"), Ok(document()));
        assert_eq!(query("fields=start,title,start").unwrap().text(), "start,title");
        for bad in ["fields=", "fields=titel", "fields=title,", "fields=Title"] {
            assert!(matches!(select(bad), Err(ParameterError::Invalid { key: "fields", .. })), "{bad}");
        }
    }
}
