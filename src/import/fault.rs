//! Faults, the place each one marks, and the list that collects them.
//!
//! Owns how an offending text is quoted: shortened, and with nothing in it that could steer a terminal.

use serde::Serialize;
use std::fmt::{self, Write as _};

/// Whether a fault keeps the program from being published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is accepted, and the organizer is told.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong with a file, or looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Whether it refuses the file.
    pub severity: Severity,
    /// A short name that stays the same from release to release, e.g. `time-skipped`.
    pub rule: &'static str,
    /// The physical line on which the cell starts, from 1; 0 is the file as a whole.
    pub line: u64,
    /// The column's name, as the header spells it where it is not one of ours.
    pub column: Option<String>,
    /// The offending text, shortened, with control and reordering characters made visible.
    pub text: String,
    /// What is wrong.
    pub message: String,
    /// What to write or do instead.
    pub remedy: String,
    /// Where the cell stands in the decoded file, in bytes.
    #[serde(skip)]
    pub(super) span: Option<Span>,
}

impl Fault {
    /// A warning about what was made of the file, found after its import.
    pub fn of_result(rule: &'static str, message: String, remedy: String) -> Self {
        let severity = Severity::Warning;
        Self { severity, rule, line: 0, column: None, text: String::new(), message, remedy, span: None }
    }
}

/// One line: `line 3, title: what is wrong; what to write instead`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}", self.line)?;
            if let Some(column) = &self.column {
                write!(f, ", {column}")?;
            }
            f.write_str(": ")?;
        }
        write!(f, "{}; {}", self.message, self.remedy)
    }
}

/// First byte and the byte after the last, in the decoded file.
pub(super) type Span = (usize, usize);

/// Where a cell starts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct At {
    pub(super) line: u64,
    pub(super) span: Option<Span>,
}

/// A text of the file and where it stands: a cell, or a part of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'a> {
    pub(super) at: At,
    pub(super) column: Option<&'a str>,
    pub(super) text: &'a str,
}

impl<'a> Spot<'a> {
    /// The file as a whole.
    pub(super) const FILE: Spot<'static> = Spot { at: At { line: 0, span: None }, column: None, text: "" };

    /// The same place with a part of its text.
    pub(super) fn part<'b>(self, text: &'b str) -> Spot<'b>
    where
        'a: 'b,
    {
        Spot { text, ..self }
    }
}

/// What is wrong with a text, found by a parser that does not know where the text stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) rule: &'static str,
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Flaw {
    pub(super) fn new(rule: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { rule, message: message.into(), remedy: remedy.into() }
    }
}

/// All faults found so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Vec<Fault>,
    errors: usize,
    warnings: usize,
}

/// Faults that are kept one by one. More than a person can read, few enough that no upload fills the memory.
const KEPT: usize = 100_000;

impl Faults {
    pub(super) fn error(&mut self, spot: Spot<'_>, flaw: Flaw) {
        self.errors += 1;
        self.push(Severity::Error, spot, flaw);
    }

    pub(super) fn warn(&mut self, spot: Spot<'_>, flaw: Flaw) {
        self.warnings += 1;
        self.push(Severity::Warning, spot, flaw);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    fn push(&mut self, severity: Severity, spot: Spot<'_>, flaw: Flaw) {
        if self.list.len() < KEPT {
            self.list.push(Fault {
                severity,
                rule: flaw.rule,
                line: spot.at.line,
                column: spot.column.map(shorten),
                text: shorten(spot.text),
                message: flaw.message,
                remedy: flaw.remedy,
                span: spot.at.span,
            });
        }
    }

    /// The faults by line and cell; of one cell, in the order in which they were found.
    pub(super) fn into_list(mut self) -> Vec<Fault> {
        let left = (self.errors + self.warnings).saturating_sub(self.list.len());
        if left > 0 {
            let severity = if self.errors > 0 { Severity::Error } else { Severity::Warning };
            let flaw = Flaw::new(
                "more-faults",
                format!("{left} more faults are not listed one by one"),
                "mend the listed ones and check again",
            );
            self.list.pop();
            self.push(severity, Spot::FILE, flaw);
        }
        self.list.sort_by_key(|fault| (fault.line, fault.span.map(|(start, _)| start)));
        self.list
    }
}

/// Characters of an offending text that a fault quotes.
const QUOTED: usize = 80;

/// A text of one line, of at most 80 characters, safe on a terminal.
pub(super) fn shorten(raw: &str) -> String {
    let raw = raw.trim_matches([' ', '\n', '\r', '\t']);
    let mut out = String::new();
    for (n, c) in raw.chars().enumerate() {
        if n == QUOTED {
            out.push('…');
            break;
        }
        show(c, &mut out);
    }
    out
}

/// Writes a character; one that moves the cursor or reorders its neighbours as a picture or a code point.
pub(super) fn show(c: char, out: &mut String) {
    match c {
        '\n' | '\r' => out.push('⏎'),
        '\t' => out.push('⇥'),
        '\u{0}'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
        c if c.is_control() || is_invisible(c) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "<U+{:04X}>", u32::from(c));
        }
        c => out.push(c),
    }
}

/// Marks without a width: they reorder, join or hide, and nobody sees them in a spreadsheet.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_cannot_steer_a_terminal() {
        assert_eq!(shorten(" a\u{1b}[31m\nb\u{202e}c\u{9b} "), "a␛[31m⏎b<U+202E>c<U+009B>");
        assert_eq!(shorten(&"é".repeat(200)).chars().count(), QUOTED + 1);
    }

    #[test]
    fn faults_come_by_line_and_the_uncounted_are_counted() {
        let mut faults = Faults::default();
        for line in (1..=KEPT as u64 + 5).rev() {
            let at = At { line, span: None };
            faults.warn(Spot { at, ..Spot::FILE }, Flaw::new("x", "m", "r"));
        }
        let list = faults.into_list();
        assert_eq!(list.len(), KEPT);
        assert_eq!((list[0].rule, list[0].line), ("more-faults", 0));
        assert!(list.is_sorted_by_key(|fault| fault.line));
    }
}
