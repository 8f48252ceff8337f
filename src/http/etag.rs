//! Entity tags (RFC 9110, 8.8.3): their form, their lists, and both comparisons.
//!
//! The server's tags are strong. A tag holds the hash that determines the plain bytes and, for a coded body, a letter
//! for the coding and its level. Bodies of one hash and coding hold the same text, so a tag with another level still
//! matches, and the response repeats it. The level `d` is that of a body that was compressed for one request; its tag
//! matches that of the plain body too.
//!
//! Some documents show more than their changeable state, such as the last fetch of a calendar. Their tag has two
//! parts, `STATE.SHOWN`. Both parts decide whether the document was modified; a change is conditional on `STATE`
//! alone.

use crate::feed::Coding;
use crate::revision::Digest;
use http::HeaderMap;
use http::header::HeaderName;
use std::fmt::{self, Write};

/// A tag of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag {
    /// The tag with its quotes: the hash, and for a coded body the coding's letter and the level.
    quoted: String,
    hash: usize,
    coding: Coding,
}

impl EntityTag {
    /// The tag of a plain body.
    pub fn plain(hash: impl AsRef<str>) -> Self {
        let hash = hash.as_ref();
        let mut quoted = String::with_capacity(hash.len() + 2);
        quoted.extend(["\"", hash, "\""]);
        Self { quoted, hash: hash.len(), coding: Coding::Identity }
    }

    /// The tag of a plain body that shows a changeable state.
    pub fn of_state(state: impl fmt::Display, shown: &[u8]) -> Self {
        Self::plain(format!("{state}.{}", Digest::of(shown).short()))
    }

    /// The tag of a coded body.
    pub fn coded(hash: impl AsRef<str>, coding: Coding, level: impl fmt::Display) -> Self {
        let Some(letter) = letter(coding) else { return Self::plain(hash) };
        let hash = hash.as_ref();
        let mut quoted = String::with_capacity(hash.len() + 6);
        quoted.extend(["\"", hash, "-", letter]);
        // Writing to a String cannot fail.
        let _ = write!(quoted, "{level}\"");
        Self { quoted, hash: hash.len(), coding }
    }

    /// The tag with its quotes, as it goes into an ETag field.
    pub fn quoted(&self) -> &str {
        &self.quoted
    }

    /// The tag with its quotes.
    pub fn into_quoted(self) -> String {
        self.quoted
    }

    fn hash(&self) -> &str {
        self.quoted.get(1..=self.hash).unwrap_or_default()
    }

    /// Whether an opaque tag names the same text in the same coding.
    fn names(&self, opaque: &str) -> bool {
        let Some(rest) = opaque.strip_prefix(self.hash()) else { return false };
        match letter(self.coding) {
            // Any plain body may be compressed for one request.
            None => rest.is_empty() || rest == "-gd",
            Some(letter) => rest
                .strip_prefix('-')
                .and_then(|rest| rest.strip_prefix(letter))
                .is_some_and(|level| level == "j" || (level == "d" && letter == "g") || is_level(level)),
        }
    }
}

fn is_level(level: &str) -> bool {
    (1..=2).contains(&level.len()) && level.bytes().all(|b| b.is_ascii_digit())
}

fn letter(coding: Coding) -> Option<&'static str> {
    match coding {
        Coding::Identity => None,
        Coding::Gzip => Some("g"),
        Coding::Brotli => Some("b"),
        Coding::Zstd => Some("z"),
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.quoted)
    }
}

/// A tag that a client sent, with its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentTag<'a> {
    is_weak: bool,
    quoted: &'a str,
}

impl SentTag<'_> {
    /// The strong comparison, for If-Match.
    pub fn is(&self, tag: &EntityTag) -> bool {
        !self.is_weak && self.resembles(tag)
    }

    /// The weak comparison, for If-None-Match: proxies that recode a body weaken its tag.
    pub fn resembles(&self, tag: &EntityTag) -> bool {
        tag.names(self.quoted.trim_matches('"'))
    }

    /// Whether this is a strong tag of a document that shows this state, or of the state itself.
    pub fn is_of_state(&self, state: &str) -> bool {
        !self.is_weak && self.resembles_state(state)
    }

    /// Like [`Self::is_of_state`], but a weak tag matches too.
    pub fn resembles_state(&self, state: &str) -> bool {
        let shown = self.quoted.trim_matches('"').strip_prefix(state);
        shown.is_some_and(|shown| shown.is_empty() || shown.starts_with('.'))
    }

    /// The tag, quotes included, as it goes into an ETag field.
    pub fn quoted(&self) -> &str {
        self.quoted
    }
}

/// The value of If-Match or If-None-Match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags<'a> {
    /// `*`: any current representation.
    Any,
    /// The tags of a list; malformed members are ignored.
    List(Vec<SentTag<'a>>),
}

impl<'a> Tags<'a> {
    /// Parses all lines of a field; none without the field.
    pub fn of(headers: &'a HeaderMap, name: HeaderName) -> Option<Self> {
        let mut tags = Vec::new();
        let mut lines = headers.get_all(name).iter().peekable();
        lines.peek()?;
        for line in lines {
            let line = line.to_str().unwrap_or_default();
            if line.trim() == "*" {
                return Some(Self::Any);
            }
            list(line, &mut tags);
        }
        Some(Self::List(tags))
    }
}

/// Splits a list; a comma inside quotes belongs to the tag.
fn list<'a>(mut rest: &'a str, tags: &mut Vec<SentTag<'a>>) {
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (is_weak, opening) = match rest.strip_prefix("W/") {
            Some(opening) => (true, opening),
            None => (false, rest),
        };
        let quoted = opening.strip_prefix('"').and_then(|inner| opening.get(..inner.find('"')? + 2));
        match quoted {
            Some(quoted) => {
                tags.push(SentTag { is_weak, quoted });
                rest = opening.get(quoted.len()..).unwrap_or_default();
            }
            // Malformed: continue after the next comma.
            None => match rest.split_once(',') {
                Some((_, behind)) => rest = behind,
                None => return,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::IF_NONE_MATCH;
    use proptest::prelude::*;

    fn sent(value: &str) -> Vec<(bool, String)> {
        let mut tags = Vec::new();
        list(value, &mut tags);
        tags.iter().map(|tag| (tag.is_weak, tag.quoted.to_owned())).collect()
    }

    #[test]
    fn a_list_is_split_at_the_commas_outside_of_quotes() {
        let strong = |tag: &str| (false, tag.to_owned());
        assert_eq!(sent(r#""a""#), [strong(r#""a""#)]);
        assert_eq!(sent(r#" "a,b" ,, W/"c" ,"#), [strong(r#""a,b""#), (true, r#""c""#.to_owned())]);
        assert_eq!(sent(r#"a, "b""#), [strong(r#""b""#)]);
        assert_eq!(sent(r#""open"#), []);
        assert_eq!(sent(r#"w/"a", "b""#), [strong(r#""b""#)]);
        assert_eq!(sent(""), []);
    }

    #[test]
    fn the_tag_of_a_document_names_its_state() {
        let tag = EntityTag::of_state("s-1", b"shown");
        let of = |value: &str, state: &str| {
            let mut tags = Vec::new();
            list(value, &mut tags);
            tags[0].is_of_state(state)
        };
        assert!(of(tag.quoted(), "s-1") && of("\"s-1\"", "s-1"));
        assert!(!of(tag.quoted(), "s-") && !of(tag.quoted(), "s-11") && !of("\"s-11\"", "s-1"));
        assert!(!of(&format!("W/{tag}"), "s-1"));
        assert_ne!(tag, EntityTag::of_state("s-1", b"shown otherwise"));
    }

    #[test]
    fn several_lines_are_one_list_and_a_star_is_any() {
        let mut headers = HeaderMap::new();
        assert_eq!(Tags::of(&headers, IF_NONE_MATCH), None);
        headers.append(IF_NONE_MATCH, "\"a\"".parse().unwrap());
        headers.append(IF_NONE_MATCH, "\"b\"".parse().unwrap());
        assert!(matches!(Tags::of(&headers, IF_NONE_MATCH), Some(Tags::List(list)) if list.len() == 2));
        headers.append(IF_NONE_MATCH, " * ".parse().unwrap());
        assert_eq!(Tags::of(&headers, IF_NONE_MATCH), Some(Tags::Any));
    }

    #[test]
    fn any_level_of_the_same_coding_matches() {
        let tag = EntityTag::coded("c0ffee", Coding::Gzip, 9);
        assert_eq!(tag.to_string(), "\"c0ffee-g9\"");
        let matches = |quoted| SentTag { is_weak: false, quoted }.is(&tag);
        for good in ["\"c0ffee-g9\"", "\"c0ffee-g1\"", "\"c0ffee-gj\"", "\"c0ffee-gd\"", "\"c0ffee-g11\""] {
            assert!(matches(good), "{good}");
        }
        for bad in ["\"c0ffee\"", "\"c0ffee-b9\"", "\"c0ffee-g\"", "\"c0ffee-gx\"", "\"c0ffe-g9\"", "\"\""] {
            assert!(!matches(bad), "{bad}");
        }
        let is_plain = |quoted| SentTag { is_weak: false, quoted }.is(&EntityTag::plain("c0ffee"));
        assert!(!is_plain("\"c0ffee-g1\"") && is_plain("\"c0ffee-gd\"") && is_plain("\"c0ffee\""));
    }

    #[test]
    fn a_weak_tag_matches_only_weakly() {
        let weak = SentTag { is_weak: true, quoted: "\"a\"" };
        assert!(weak.resembles(&EntityTag::plain("a")) && !weak.is(&EntityTag::plain("a")));
    }

    proptest! {
        #[test]
        fn no_list_hangs_or_panics_and_every_tag_is_quoted(value in "[ ,\"W/a*é]{0,30}") {
            for (_, tag) in sent(&value) {
                prop_assert!(tag.len() >= 2 && tag.starts_with('"') && tag.ends_with('"'));
            }
        }
    }
}
