//! The faults of a file: each fault's place, what is wrong, and what to write instead.
//!
//! Owns the quoting of offending text: shortened, and without characters that control a terminal.

use crate::program::Severity;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};

/// One fault of a file. Its severity decides whether the file is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// An error refuses the file; a warning is only shown.
    pub severity: Severity,
    /// A short name that never changes, such as `time-skipped`.
    pub rule: &'static str,
    /// The physical line on which the cell starts, from 1; 0 for the file as a whole.
    pub line: u64,
    /// The column's name. A column that import does not know keeps its spelling in the header row.
    pub column: Option<String>,
    /// The offending text, shortened, with control and reordering characters made visible.
    pub text: String,
    /// What is wrong: a clause such as `the year is missing`.
    pub message: String,
    /// What to do: an imperative such as `write 2025-03-25`.
    pub remedy: String,
    /// The number of faults that this entry stands for: 1, except in a `more-faults` entry.
    #[serde(skip_serializing_if = "is_one")]
    pub count: usize,
    /// The bytes of the cell in the decoded file.
    #[serde(skip)]
    pub(super) span: Option<Span>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(count: &usize) -> bool {
    *count == 1
}

/// The rule of an entry that counts further faults of one rule.
pub(super) const MORE: &str = "more-faults";

impl Fault {
    /// A warning about the release made from the file, found after the import.
    pub fn of_release(rule: &'static str, message: String, remedy: String) -> Self {
        Self::of_file(Severity::Warning, rule, message, remedy)
    }

    fn of_file(severity: Severity, rule: &'static str, message: String, remedy: String) -> Self {
        let (column, text) = (None, String::new());
        Self { severity, rule, line: 0, column, text, message, remedy, count: 1, span: None }
    }

    fn unlisted(severity: Severity, rule: &'static str, count: usize) -> Self {
        let verb = if count == 1 { "is" } else { "are" };
        let message = format!("{} {verb} not listed", counted(count, &format!("more {rule} {severity}")));
        let remedy = "correct the listed ones, then check the file again".to_owned();
        Self { count, text: rule.to_owned(), ..Self::of_file(severity, MORE, message, remedy) }
    }
}

/// Prints one line: `Line 6, column date: the year is missing. Write 2025-03-25.`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}.", capitalized(&self.message))?;
        } else {
            write!(f, "{}: {}.", place(self.line, self.column.as_deref()), self.message)?;
        }
        write!(f, " {}.", capitalized(&self.remedy))
    }
}

/// `Line 6, column date`; empty for line 0, the file as a whole.
pub fn place(line: u64, column: Option<&str>) -> String {
    match column {
        _ if line == 0 => String::new(),
        None => format!("Line {line}"),
        Some(column) => format!("Line {line}, column {column}"),
    }
}

/// A clause with a capital first letter. A first word that may be an id is not changed.
pub fn capitalized(clause: &str) -> String {
    let first = clause.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(clause.len());
    let is_word = clause.get(first..).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let mut out = clause.to_owned();
    if let Some(letter) = out.get_mut(..1).filter(|_| is_word) {
        letter.make_ascii_uppercase();
    }
    out
}

/// `1 session`, `2 sessions`.
pub(crate) fn counted<N: Display + PartialEq + From<u8>>(count: N, noun: &str) -> String {
    if count == N::from(1) { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The first byte of a text and the byte after its last, in the decoded file.
pub(super) type Span = (usize, usize);

/// The place where a cell starts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Location {
    pub(super) line: u64,
    pub(super) span: Option<Span>,
}

/// A text of the file with its location: a cell, or a part of a cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'a> {
    pub(super) location: Location,
    pub(super) column: Option<&'a str>,
    pub(super) text: &'a str,
}

impl<'a> Spot<'a> {
    /// The location of a fault of the file as a whole.
    pub(super) const FILE: Spot<'static> =
        Spot { location: Location { line: 0, span: None }, column: None, text: "" };

    /// The same location with only a part of the text.
    pub(super) fn part<'b>(self, text: &'b str) -> Spot<'b>
    where
        'a: 'b,
    {
        Spot { text, ..self }
    }
}

/// A fault without a location, from a parser that does not know the location of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Defect {
    pub(super) rule: &'static str,
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Defect {
    pub(super) fn new(rule: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { rule, message: message.into(), remedy: remedy.into() }
    }
}

/// The faults found so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Vec<Fault>,
    found: BTreeMap<(Severity, &'static str), usize>,
}

/// The most faults of one rule that are listed; further ones are only counted. People read fewer, and a report takes
/// only some megabytes of memory.
const MAX_LISTED: usize = 200;

/// The most characters of a message or a remedy, since both may quote the file.
const MAX_MESSAGE: usize = 1000;

impl Faults {
    pub(super) fn error(&mut self, spot: Spot<'_>, defect: Defect) {
        self.push(Severity::Error, spot, defect);
    }

    pub(super) fn warn(&mut self, spot: Spot<'_>, defect: Defect) {
        self.push(Severity::Warning, spot, defect);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.found.keys().any(|(severity, _)| *severity == Severity::Error)
    }

    fn push(&mut self, severity: Severity, spot: Spot<'_>, defect: Defect) {
        let found = self.found.entry((severity, defect.rule)).or_default();
        *found += 1;
        if *found <= MAX_LISTED {
            self.list.push(Fault {
                severity,
                rule: defect.rule,
                line: spot.location.line,
                column: spot.column.map(shorten),
                text: shorten(spot.text),
                message: clip(defect.message),
                remedy: clip(defect.remedy),
                count: 1,
                span: spot.location.span,
            });
        }
    }

    /// The faults by line and cell, and within a cell in the order in which they were found. The entries that count
    /// further faults of a rule come last.
    pub(super) fn into_list(mut self) -> Vec<Fault> {
        self.list.sort_by_key(|fault| (fault.line, fault.span.map(|(start, _)| start)));
        let unlisted = self.found.into_iter().filter(|(_, found)| *found > MAX_LISTED);
        self.list.extend(
            unlisted.map(|((severity, rule), found)| Fault::unlisted(severity, rule, found - MAX_LISTED)),
        );
        self.list
    }
}

fn clip(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_MESSAGE) {
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// The most characters of an offending text that a fault quotes.
const MAX_QUOTED: usize = 80;

/// A text as one line of at most 80 characters, safe to print on a terminal.
pub(super) fn shorten(raw: &str) -> String {
    let raw = raw.trim_matches([' ', '\n', '\r', '\t']);
    let mut out = String::new();
    for (n, c) in raw.chars().enumerate() {
        if n == MAX_QUOTED {
            out.push('…');
            break;
        }
        push_visible(c, &mut out);
    }
    out
}

/// Appends a character. A character that moves the cursor or reorders its neighbours becomes a symbol or its code
/// point.
pub(super) fn push_visible(c: char, out: &mut String) {
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

/// Whether a character has no width. Such characters reorder, join or hide others, and a spreadsheet shows none of them.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_cannot_control_a_terminal() {
        assert_eq!(shorten(" a\u{1b}[31m\nb\u{202e}c\u{9b} "), "a␛[31m⏎b<U+202E>c<U+009B>");
        assert_eq!(shorten(&"é".repeat(200)).chars().count(), MAX_QUOTED + 1);
    }

    #[test]
    fn a_fault_prints_as_place_problem_and_remedy() {
        let mut faults = Faults::default();
        let spot =
            Spot { location: Location { line: 6, span: None }, column: Some("date"), text: "25 March" };
        faults.error(spot, Defect::new("date", "the year is missing", "write 2025-03-25"));
        faults.error(Spot::FILE, Defect::new("no-sessions", "the file is empty", "add a header row"));
        let printed: Vec<String> = faults.into_list().iter().map(ToString::to_string).collect();
        assert_eq!(
            printed,
            [
                "The file is empty. Add a header row.",
                "Line 6, column date: the year is missing. Write 2025-03-25."
            ]
        );
        assert_eq!(capitalized("slow-queries, Outlook: it is long"), "slow-queries, Outlook: it is long");
    }

    #[test]
    fn faults_are_sorted_by_line_and_each_rule_is_capped_and_counted() {
        let mut faults = Faults::default();
        for line in (1..=MAX_LISTED as u64 + 5).rev() {
            let location = Location { line, span: None };
            faults.warn(Spot { location, ..Spot::FILE }, Defect::new("x", "m", "r"));
        }
        faults.warn(Spot::FILE, Defect::new("y", "é".repeat(MAX_MESSAGE * 2), "r"));
        assert!(!faults.has_errors());
        faults.error(Spot::FILE, Defect::new("x", "m", "r"));
        assert!(faults.has_errors());
        let list = faults.into_list();
        assert_eq!(list.len(), MAX_LISTED + 3, "errors and warnings of one rule are counted apart");
        let last = list.last().unwrap();
        assert_eq!((last.rule, last.count, last.severity), (MORE, 5, Severity::Warning));
        assert_eq!(last.message, "5 more x warnings are not listed");
        assert_eq!(list.iter().map(|fault| fault.count).sum::<usize>(), MAX_LISTED + 7);
        assert!(list[..MAX_LISTED + 2].is_sorted_by_key(|fault| fault.line));
        assert_eq!(list[0].message.chars().count(), MAX_MESSAGE + 1);
    }
}
