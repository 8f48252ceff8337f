//! Text that is safe to print in every format.
//!
//! Only this module decides which characters a text may have. A bare CR in a title, for example, would end a content
//! line of an iCalendar feed early (RFC 5545, 3.1).

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Normalised text, in NFC. `\n` is its only control character, and no character reorders its neighbours.
///
/// A text has no white space at its ends; tabs and no-break spaces become spaces. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Text(Arc<str>);

/// The characters that [`Text::block`] and [`Text::line`] removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// The number of control characters. Tabs and line ends do not count.
    pub controls: usize,
    /// Bidirectional overrides, embeddings and isolates (U+202A-202E, U+2066-2069), and U+FEFF.
    pub bidi: usize,
}

impl Text {
    /// A text of one line. Line ends, tabs and runs of spaces become one space.
    pub fn line(raw: &str) -> (Self, Removed) {
        if is_plain(raw) {
            return (Self(raw.into()), Removed::default());
        }
        let (clean, removed) = scrub(raw);
        let words: Vec<&str> = clean.split([' ', '\n']).filter(|word| !word.is_empty()).collect();
        (Self(words.join(" ").into()), removed)
    }

    /// A text of several lines. CRLF and CR become LF, spaces at line ends are removed, and consecutive empty lines
    /// become one.
    pub fn block(raw: &str) -> (Self, Removed) {
        if is_plain(raw) {
            return (Self(raw.into()), Removed::default());
        }
        let (clean, removed) = scrub(raw);
        let mut lines: Vec<&str> = Vec::new();
        for line in clean.split('\n').map(|line| line.trim_end_matches(' ')) {
            if !(line.is_empty() && lines.last().is_none_or(|last| last.is_empty())) {
                lines.push(line);
            }
        }
        (Self(lines.join("\n").trim_end().into()), removed)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text has no characters.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// For trusted input, such as the store. The input is normalised like [`Text::block`], so that the invariant always
/// holds.
impl From<String> for Text {
    fn from(raw: String) -> Self {
        Self::block(&raw).0
    }
}

impl From<&str> for Text {
    fn from(raw: &str) -> Self {
        Self::block(raw).0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text consists of words of visible ASCII with one space between them. Most texts do, and are already
/// normalised.
fn is_plain(raw: &str) -> bool {
    let mut last = b' ';
    let fits = raw.bytes().all(|b| {
        let before = std::mem::replace(&mut last, b);
        b.is_ascii_graphic() || (b == b' ' && before != b' ')
    });
    fits && (raw.is_empty() || last != b' ')
}

/// An untrusted text, made safe for a terminal. Characters that move the cursor or reorder others become U+FFFD; line
/// ends are kept.
pub fn printable(text: &str) -> String {
    let is_unsafe = |c: char| (c.is_control() && c != '\n') || is_bidi(c);
    text.chars().map(|c| if is_unsafe(c) { '\u{fffd}' } else { c }).collect()
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn scrub(raw: &str) -> (String, Removed) {
    let mut removed = Removed::default();
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            // Some programs end a line at NEL and at Unicode's line and paragraph separators, others do not.
            '\u{2028}' | '\u{2029}' | '\u{85}' => out.push('\n'),
            '\u{a0}' | '\u{202f}' | '\u{2007}' => out.push(' '),
            '\t' => out.push(' '),
            '\n' => out.push(c),
            '\u{feff}' => removed.bidi += 1,
            c if is_bidi(c) => removed.bidi += 1,
            c if c.is_control() => removed.controls += 1,
            c => out.push(c),
        }
    }
    // One spelling of `é`, so that a name is found and compared whatever keyboard typed it.
    if is_nfc_quick(out.chars()) != IsNormalized::Yes {
        out = out.nfc().collect();
    }
    (out, removed)
}

/// A name in the order in which people count: `Room 2` comes before `Room 10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted<'a>(pub &'a str);

impl Ord for Counted<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut one, mut two) = (runs(self.0), runs(other.0));
        loop {
            let order = match (one.next(), two.next()) {
                (Some(NameRun::Number(one)), Some(NameRun::Number(two))) => {
                    let digits = |text: &str| text.trim_start_matches('0').len();
                    digits(one)
                        .cmp(&digits(two))
                        .then_with(|| one.trim_start_matches('0').cmp(two.trim_start_matches('0')))
                }
                (
                    Some(NameRun::Number(one) | NameRun::Text(one)),
                    Some(NameRun::Number(two) | NameRun::Text(two)),
                ) => one.cmp(two),
                (None, None) => return self.0.cmp(other.0),
                (one, two) => return one.is_some().cmp(&two.is_some()),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

impl PartialOrd for Counted<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

enum NameRun<'a> {
    Number(&'a str),
    Text(&'a str),
}

/// The numbers of a name, and the texts between them.
fn runs(mut name: &str) -> impl Iterator<Item = NameRun<'_>> {
    std::iter::from_fn(move || {
        let is_number = name.starts_with(|c: char| c.is_ascii_digit());
        let end = name.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(name.len());
        let (run, rest) = name.split_at(end);
        name = rest;
        (!run.is_empty()).then_some(if is_number { NameRun::Number(run) } else { NameRun::Text(run) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_has_no_line_ends_and_no_controls() {
        let (text, removed) = Text::line("a\r\nb\rc\u{2028}d\u{0}e\u{1b}[0m\u{a0}f");
        assert_eq!(text.as_str(), "a b c de[0m f");
        assert_eq!(removed, Removed { controls: 2, bidi: 0 });
    }

    #[test]
    fn letters_with_accents_have_one_spelling() {
        assert_eq!(Text::line("Cafe\u{301}"), Text::line("Café"));
        assert_eq!(Text::block("Cafe\u{301}\n").0.as_str(), "Café");
    }

    #[test]
    fn bidi_overrides_are_removed_and_counted() {
        let (text, removed) = Text::line("abc\u{202e}fed\u{202c}");
        assert_eq!(text.as_str(), "abcfed");
        assert_eq!(removed.bidi, 2);
    }

    #[test]
    fn printable_text_cannot_control_a_terminal() {
        assert_eq!(printable("a\u{1b}[2J\r\nb\u{202e}c\u{9b}é"), "a\u{fffd}[2J\u{fffd}\nb\u{fffd}c\u{fffd}é");
    }

    #[test]
    fn a_block_keeps_its_paragraphs() {
        assert_eq!(Text::block(" a \r\n\r\n\r\n• b\r\n").0.as_str(), " a\n\n• b");
        assert_eq!(Text::block("\n\n").0.as_str(), "");
    }

    #[test]
    fn only_normalised_text_is_plain() {
        for plain in ["", "a", "a b", "{a} ~b!"] {
            assert!(is_plain(plain), "{plain:?}");
        }
        for other in [" ", " a", "a ", "a  b", "a\tb", "a\nb", "a\u{7f}", "é", "a\u{0}"] {
            assert!(!is_plain(other), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn normalising_plain_text_changes_nothing(raw in "[ -~\n\t]{0,12}") {
            if is_plain(&raw) {
                let words: Vec<&str> = raw.split_whitespace().collect();
                prop_assert_eq!(words.join(" "), raw.as_str());
                prop_assert_eq!(scrub(&raw), (raw, Removed::default()));
            }
        }

        #[test]
        fn normalising_twice_changes_nothing(raw in any::<String>()) {
            let (block, _) = Text::block(&raw);
            prop_assert_eq!(&Text::block(block.as_str()), &(block.clone(), Removed::default()));
            let (line, _) = Text::line(&raw);
            prop_assert_eq!(&Text::line(line.as_str()), &(line.clone(), Removed::default()));
            prop_assert!(!line.as_str().contains('\n'));
            prop_assert!(block.as_str().chars().all(|c| c == '\n' || !c.is_control()));
        }
    }

    #[test]
    fn names_are_in_the_order_in_which_people_count() {
        let mut names = ["Room 10", "Room 2", "Hall", "Room 2b", "Room 02", "Room", "2", "10 a", ""];
        names.sort_by_key(|name| Counted(name));
        assert_eq!(names, ["", "2", "10 a", "Hall", "Room", "Room 02", "Room 2", "Room 2b", "Room 10"]);
    }
}
