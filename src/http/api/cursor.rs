//! Cursors: where a list goes on. Opaque to clients; each belongs to one list.

use super::query::AskError;
use data_encoding::BASE64URL_NOPAD;
use std::fmt;

/// A place in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    list: String,
    parts: Vec<String>,
}

impl Cursor {
    /// A place, told in parts without spaces.
    pub(super) fn new(list: &str, parts: impl IntoIterator<Item = impl ToString>) -> Self {
        Self { list: list.to_owned(), parts: parts.into_iter().map(|part| part.to_string()).collect() }
    }

    /// Reads one that was given out for a list.
    pub(super) fn parse(list: &str, raw: &str) -> Result<Self, AskError> {
        let bytes = BASE64URL_NOPAD.decode(raw.as_bytes()).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = text.as_deref().and_then(|text| text.strip_prefix(list)?.strip_prefix(' '));
        let parts = parts.ok_or_else(Self::foreign)?.split(' ').map(str::to_owned).collect();
        Ok(Self { list: list.to_owned(), parts })
    }

    /// A part, parsed.
    pub(super) fn part<T: std::str::FromStr>(&self, place: usize) -> Result<T, AskError> {
        self.parts.get(place).and_then(|part| part.parse().ok()).ok_or_else(Self::foreign)
    }

    pub(super) fn foreign() -> AskError {
        AskError::value("cursor", "take it from the last answer's next, with the same query")
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{} {}", self.list, self.parts.join(" "));
        f.write_str(&BASE64URL_NOPAD.encode(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(release in any::<u64>(), id in "[a-z0-9-]{2,63}") {
            let cursor = Cursor::new("changes", [release.to_string(), id]);
            let parsed = Cursor::parse("changes", &cursor.to_string());
            prop_assert_eq!(parsed.as_ref(), Ok(&cursor));
            prop_assert_eq!(parsed.unwrap().part::<u64>(0), Ok(release));
        }

        #[test]
        fn no_other_text_is_one(raw in "\\PC{0,40}") {
            prop_assert_eq!(Cursor::parse("changes", &raw), Err(Cursor::foreign()));
        }
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let cursor = Cursor::new("speakers", ["ada"]).to_string();
        assert_eq!(Cursor::parse("sessions", &cursor), Err(Cursor::foreign()));
        assert_eq!(Cursor::parse("speakers", &cursor).unwrap().part::<u64>(0), Err(Cursor::foreign()));
        assert_eq!(Cursor::parse("speakers", &cursor).unwrap().part::<String>(1), Err(Cursor::foreign()));
    }
}
