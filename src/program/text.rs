//! Text that is safe to print in every format.
//!
//! One place decides what a string may hold, so that no writer above needs to ask: a bare CR in a title
//! would otherwise end a content line early in an iCalendar feed (RFC 5545, 3.1).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Normalised text: `\n` is its only control character, and no character in it reorders its neighbours.
///
/// White space at the ends is trimmed, a tab or no-break space is a space. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Text(Arc<str>);

/// What [`Text::block`] and [`Text::line`] took out of a raw string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Control characters, the NUL included; tab and line ends do not count.
    pub controls: usize,
    /// Bidirectional overrides, embeddings and isolates (U+202A-202E, U+2066-2069), and marks that no
    /// text needs (U+FEFF inside a text).
    pub bidi: usize,
}

impl Text {
    /// Text of one line: line ends, tabs and runs of spaces become one space.
    pub fn line(raw: &str) -> (Self, Removed) {
        if is_plain(raw) {
            return (Self(raw.into()), Removed::default());
        }
        let (clean, removed) = scrub(raw);
        let words: Vec<&str> = clean.split([' ', '\n']).filter(|word| !word.is_empty()).collect();
        (Self(words.join(" ").into()), removed)
    }

    /// Text of several lines: CRLF and CR become LF, spaces at line ends go, at most one empty line in a row.
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

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Trusted input (the store, a test): normalised like [`Text::block`], so the invariant holds whatever it was.
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

/// Words of visible ASCII with one space between them, which most text is: normal already.
fn is_plain(raw: &str) -> bool {
    let mut last = b' ';
    let fits = raw.bytes().all(|b| {
        let before = std::mem::replace(&mut last, b);
        b.is_ascii_graphic() || (b == b' ' && before != b' ')
    });
    fits && (raw.is_empty() || last != b' ')
}

/// A stranger's text as a terminal may show it: what steers the cursor or reorders its neighbours becomes U+FFFD.
///
/// Line ends stay where the text is a page of its own.
pub fn printable(text: &str) -> String {
    let steers = |c: char| (c.is_control() && c != '\n') || is_bidi(c);
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
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
            // The line and paragraph separators of Unicode and NEL end a line for some readers only.
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
    (out, removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn line_ends_and_controls_cannot_leave_a_line() {
        let (text, removed) = Text::line("a\r\nb\rc\u{2028}d\u{0}e\u{1b}[0m\u{a0}f");
        assert_eq!(text.as_str(), "a b c de[0m f");
        assert_eq!(removed, Removed { controls: 2, bidi: 0 });
    }

    #[test]
    fn bidi_overrides_are_taken_out_and_counted() {
        let (text, removed) = Text::line("abc\u{202e}fed\u{202c}");
        assert_eq!(text.as_str(), "abcfed");
        assert_eq!(removed.bidi, 2);
    }

    #[test]
    fn what_is_printed_steers_no_terminal() {
        assert_eq!(printable("a\u{1b}[2J\r\nb\u{202e}c\u{9b}é"), "a\u{fffd}[2J\u{fffd}\nb\u{fffd}c\u{fffd}é");
    }

    #[test]
    fn paragraphs_stay() {
        assert_eq!(Text::block(" a \r\n\r\n\r\n• b\r\n").0.as_str(), " a\n\n• b");
        assert_eq!(Text::block("\n\n").0.as_str(), "");
    }

    #[test]
    fn only_text_that_is_normal_already_is_plain() {
        for plain in ["", "a", "a b", "{a} ~b!"] {
            assert!(is_plain(plain), "{plain:?}");
        }
        for other in [" ", " a", "a ", "a  b", "a\tb", "a\nb", "a\u{7f}", "é", "a\u{0}"] {
            assert!(!is_plain(other), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn plain_text_is_what_normalising_would_leave(raw in "[ -~\n\t]{0,12}") {
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
}
