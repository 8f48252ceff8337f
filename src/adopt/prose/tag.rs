//! The tags of HTML in a text. Only the known elements of HTML are tags, so `a < b` and `<kim@example.org>` stay text.

use super::entity::decoded;

/// Elements that start and end within a line.
const INLINE: [&str; 42] = [
    "a", "abbr", "acronym", "audio", "b", "bdi", "bdo", "big", "button", "center", "cite", "code", "data",
    "del", "dfn", "em", "embed", "font", "i", "ins", "kbd", "label", "mark", "object", "q", "s", "samp",
    "small", "source", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "video", "wbr",
    "iframe", "img",
];
/// Elements that start and end a line.
pub(super) const LINES: [&str; 31] = [
    "address",
    "article",
    "aside",
    "body",
    "br",
    "caption",
    "dd",
    "details",
    "div",
    "dt",
    "fieldset",
    "figcaption",
    "footer",
    "form",
    "head",
    "header",
    "html",
    "legend",
    "li",
    "main",
    "nav",
    "picture",
    "section",
    "summary",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
];
/// Elements that start and end a paragraph.
pub(super) const PARAGRAPHS: [&str; 15] =
    ["blockquote", "dl", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "table", "ul"];
/// Elements whose content nobody reads.
pub(super) const HIDDEN: [&str; 3] = ["script", "style", "template"];
/// The most bytes of a tag. Without a bound, many openings without an end would take quadratic time.
const MAX_TAG: usize = 4000;

/// A tag of an element of HTML.
pub(super) struct Tag<'t> {
    pub(super) name: String,
    pub(super) closes: bool,
    pub(super) length: usize,
    attributes: &'t str,
}

impl<'t> Tag<'t> {
    /// The tag at the start of a text; none if the `<` starts no element of HTML.
    pub(super) fn at(text: &'t str) -> Option<Self> {
        let mut quote = None;
        let end = text.bytes().take(MAX_TAG).position(|byte| match (quote, byte) {
            (None, b'>') => true,
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                false
            }
            (Some(open), _) if byte == open => {
                quote = None;
                false
            }
            _ => false,
        })?;
        let inside = text.get(1..end)?;
        let (closes, inside) = match inside.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, inside),
        };
        let split = inside.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inside.len());
        let (name, attributes) = inside.split_at(split);
        let is_whole = attributes.is_empty() || attributes.starts_with(['/', ' ', '\n', '\t', '\r']);
        let name = name.to_ascii_lowercase();
        let known = [&INLINE[..], &LINES[..], &PARAGRAPHS[..], &HIDDEN[..]];
        let is_known = known.iter().any(|names| names.contains(&name.as_str()));
        (is_whole && is_known).then_some(Self { name, closes, length: end + 1, attributes })
    }

    pub(super) fn is_block(&self) -> bool {
        LINES.contains(&self.name.as_str()) || PARAGRAPHS.contains(&self.name.as_str())
    }

    /// The value of an attribute, decoded; empty if there is none.
    pub(super) fn attribute(&self, name: &str) -> String {
        let mut rest = self.attributes;
        while let Some((before, after)) = rest.split_once('=') {
            let after = after.trim_start();
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (value, behind) = match quote {
                Some(quote) => after.get(1..).and_then(|text| text.split_once(quote)).unwrap_or((after, "")),
                None => after.split_once(char::is_whitespace).unwrap_or((after.trim_end_matches('/'), "")),
            };
            if before.split_whitespace().next_back().is_some_and(|found| found.eq_ignore_ascii_case(name)) {
                return decoded(value.trim());
            }
            rest = behind;
        }
        String::new()
    }
}

/// The tags of a text, with their places.
pub(super) fn tags(text: &str) -> impl Iterator<Item = (usize, Tag<'_>)> {
    text.match_indices('<').filter_map(|(at, _)| Some((at, Tag::at(text.get(at..)?)?)))
}
