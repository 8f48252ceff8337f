//! Faults, the place each one marks, and the list that collects them.
//!
//! Owns how an offending text is quoted: shortened, and with nothing in it that could steer a terminal.

use serde::Serialize;
use std::collections::BTreeMap;
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
    /// How many faults this one stands for: 1, but for the entry `MORE` that counts those of one kind which are not
    /// listed.
    #[serde(skip_serializing_if = "is_one")]
    pub count: usize,
    /// Where the cell stands in the decoded file, in bytes.
    #[serde(skip)]
    pub(super) span: Option<Span>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(count: &usize) -> bool {
    *count == 1
}

/// The rule of an entry that counts the faults of one kind which are not listed one by one.
pub(super) const MORE: &str = "more-faults";

impl Fault {
    /// A warning about what was made of the file, found after its import.
    pub fn of_result(rule: &'static str, message: String, remedy: String) -> Self {
        let severity = Severity::Warning;
        Self {
            severity,
            rule,
            line: 0,
            column: None,
            text: String::new(),
            message,
            remedy,
            count: 1,
            span: None,
        }
    }

    /// Faults of one kind that are not listed.
    fn unlisted(severity: Severity, rule: &'static str, count: usize) -> Self {
        let noun = if count == 1 { severity.as_str().to_owned() } else { format!("{}s", severity.as_str()) };
        let message = format!("{count} more {noun} of the kind {rule} are not listed");
        let remedy = "correct the listed ones and check again".to_owned();
        Self { count, text: rule.to_owned(), ..Self::of_result(MORE, message, remedy) }.with(severity)
    }

    fn with(self, severity: Severity) -> Self {
        Self { severity, ..self }
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
    found: BTreeMap<(Severity, &'static str), usize>,
}

/// Faults of one kind that are listed; the others are counted. More than a person reads, few enough that no file costs
/// more than some megabytes.
const LISTED: usize = 200;

/// Characters of a message or a remedy; both may quote the file.
const LONGEST: usize = 1000;

impl Faults {
    pub(super) fn error(&mut self, spot: Spot<'_>, flaw: Flaw) {
        self.push(Severity::Error, spot, flaw);
    }

    pub(super) fn warn(&mut self, spot: Spot<'_>, flaw: Flaw) {
        self.push(Severity::Warning, spot, flaw);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.found.keys().any(|(severity, _)| *severity == Severity::Error)
    }

    fn push(&mut self, severity: Severity, spot: Spot<'_>, flaw: Flaw) {
        let found = self.found.entry((severity, flaw.rule)).or_default();
        *found += 1;
        if *found <= LISTED {
            self.list.push(Fault {
                severity,
                rule: flaw.rule,
                line: spot.at.line,
                column: spot.column.map(shorten),
                text: shorten(spot.text),
                message: clip(flaw.message),
                remedy: clip(flaw.remedy),
                count: 1,
                span: spot.at.span,
            });
        }
    }

    /// The faults by line and cell; of one cell, in the order in which they were found. After them one entry for each
    /// kind of which there are more than are listed.
    pub(super) fn into_list(mut self) -> Vec<Fault> {
        self.list.sort_by_key(|fault| (fault.line, fault.span.map(|(start, _)| start)));
        let unlisted = self.found.into_iter().filter(|(_, found)| *found > LISTED);
        self.list.extend(
            unlisted.map(|((severity, rule), found)| Fault::unlisted(severity, rule, found - LISTED)),
        );
        self.list
    }
}

fn clip(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
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
    fn faults_come_by_line_and_each_kind_is_capped_and_counted() {
        let mut faults = Faults::default();
        for line in (1..=LISTED as u64 + 5).rev() {
            let at = At { line, span: None };
            faults.warn(Spot { at, ..Spot::FILE }, Flaw::new("x", "m", "r"));
        }
        faults.warn(Spot::FILE, Flaw::new("y", "é".repeat(LONGEST * 2), "r"));
        assert!(!faults.has_errors());
        faults.error(Spot::FILE, Flaw::new("x", "m", "r"));
        assert!(faults.has_errors());
        let list = faults.into_list();
        assert_eq!(list.len(), LISTED + 3, "an error of the same kind is counted apart");
        let last = list.last().unwrap();
        assert_eq!((last.rule, last.count, last.severity), (MORE, 5, Severity::Warning));
        assert_eq!(last.message, "5 more warnings of the kind x are not listed");
        assert_eq!(list.iter().map(|fault| fault.count).sum::<usize>(), LISTED + 7);
        assert!(list[..LISTED + 2].is_sorted_by_key(|fault| fault.line));
        assert_eq!(list[0].message.chars().count(), LONGEST + 1);
    }
}
