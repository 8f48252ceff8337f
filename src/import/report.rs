//! The report of an import: as text that marks each faulty cell, as compilers do, and as JSON.

use super::encoding::decode;
use super::fault::{Fault, MORE, counted, push_visible};
use crate::program::{Program, Severity};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use unicode_width::UnicodeWidthStr as _;

/// The result of an import: the faults, and the program unless there is an error.
#[derive(Debug, Clone)]
pub struct Report {
    /// None if and only if there is an error.
    pub program: Option<Program>,
    /// The faults by line, at most 200 of each rule. The entries that count further faults come last.
    pub faults: Vec<Fault>,
}

/// The most lines of which a warning of one rule is shown with its cell; of the others, only the number is.
const MAX_ALIKE: usize = 5;

/// The most lines that are named for further warnings of one rule.
const MAX_LINES: usize = 20;

/// The most errors that a person is shown.
const MAX_DISPLAYED: usize = 200;

/// Warnings of one rule on so many lines that only the first are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlikeWarnings {
    /// The rule.
    pub rule: &'static str,
    /// The number of warnings, shown or not.
    pub count: usize,
    /// The lines after the first five, as far as they are listed.
    pub lines: Vec<u64>,
}

/// Prints `1228 in all, also on lines 7, 8, 9 …`.
impl fmt::Display for AlikeWarnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<String> = self.lines.iter().take(MAX_LINES).map(ToString::to_string).collect();
        let noun = if named.len() == 1 { "line" } else { "lines" };
        let more = if self.lines.len() > named.len() { " …" } else { "" };
        write!(f, "{} in all, also on {noun} {}{more}", self.count, named.join(", "))
    }
}

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const GREEN: &str = "\x1b[1;32m";
const BOLD: &str = "\x1b[1m";

impl Report {
    /// The faults for which the file is refused.
    pub fn errors(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(|fault| fault.severity == Severity::Error)
    }

    /// The faults for which the file is not refused.
    pub fn warnings(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(|fault| fault.severity == Severity::Warning)
    }

    /// The number of errors, listed or not.
    pub fn error_count(&self) -> usize {
        self.errors().map(|fault| fault.count).sum()
    }

    /// The number of warnings, listed or not.
    pub fn warning_count(&self) -> usize {
        self.warnings().map(|fault| fault.count).sum()
    }

    /// The faults that a person is shown, by line: at most 200 errors, and of each kind of warning those of the first
    /// five lines. [`Report::alike`] tells of the other warnings.
    pub fn displayed(&self) -> Vec<&Fault> {
        let (mut errors, mut alike) = (0, BTreeMap::<&str, Vec<u64>>::new());
        let is_shown = |fault: &&Fault| {
            if fault.severity == Severity::Error {
                errors += 1;
                return errors <= MAX_DISPLAYED;
            }
            // Warnings about the header row are all on one line and are all shown.
            let lines = alike.entry(fault.rule).or_default();
            let is_first = lines.len() < MAX_ALIKE || lines.contains(&fault.line);
            if is_first && !lines.contains(&fault.line) {
                lines.push(fault.line);
            }
            is_first
        };
        self.faults.iter().filter(|fault| fault.rule != MORE).filter(is_shown).collect()
    }

    /// The kinds of warnings that are on more than five lines, each with their number and the further lines.
    pub fn alike(&self) -> Vec<AlikeWarnings> {
        let mut kinds: BTreeMap<&'static str, AlikeWarnings> = BTreeMap::new();
        for fault in self.warnings() {
            let rule = if fault.rule == MORE { fault.text.as_str() } else { fault.rule };
            if let Some(kind) = kinds.get_mut(rule) {
                kind.count += fault.count;
                if kind.lines.last() != Some(&fault.line) && fault.rule != MORE {
                    kind.lines.push(fault.line);
                }
            } else {
                let lines = vec![fault.line];
                kinds.insert(fault.rule, AlikeWarnings { rule: fault.rule, count: fault.count, lines });
            }
        }
        let mut kinds: Vec<_> = kinds.into_values().filter(|kind| kind.lines.len() > MAX_ALIKE).collect();
        kinds.iter_mut().for_each(|kind| drop(kind.lines.drain(..MAX_ALIKE)));
        kinds
    }

    /// The report as text: the faults of [`Report::displayed`], and a summary.
    ///
    /// `csv` is the imported file. Without `csv`, each fault shows its own text in place of the line.
    pub fn render_human(&self, source_name: &str, csv: &[u8], colour: bool) -> String {
        let decoded = decode(csv);
        let printer = Printer { source_name, text: &decoded.text, colour };
        let mut out = String::new();
        let (errors, warnings) = (self.error_count(), self.warning_count());
        let displayed = self.displayed();
        displayed.iter().for_each(|fault| printer.fault(fault, &mut out));
        for kind in self.alike() {
            let head = printer.paint(YELLOW, &format!("warning[{}]", kind.rule));
            // Writing to a String cannot fail, here and below.
            let _ = writeln!(out, "{head}: {kind}\n");
        }
        let left = errors - displayed.iter().filter(|fault| fault.severity == Severity::Error).count();
        if left > 0 {
            let left = counted(left, "more error");
            let _ = writeln!(out, "… and {left}; --format json lists up to 200 of each rule\n");
        }
        let _ = writeln!(out, "{}", self.summary(&printer, errors, warnings));
        out
    }

    fn summary(&self, printer: &Printer<'_>, errors: usize, warnings: usize) -> String {
        let verdict = match &self.program {
            Some(program) => {
                let sessions = counted(program.order().len(), "session");
                printer.paint(GREEN, &format!("{sessions}, no errors"))
            }
            None => printer.paint(RED, &counted(errors, "error")),
        };
        let warnings =
            if warnings == 0 { String::new() } else { format!(", {}", counted(warnings, "warning")) };
        format!("{}: {verdict}{warnings}", visible(printer.source_name))
    }

    /// The report as JSON: `{"valid", "sessions", "errors", "warnings", "faults": [{"severity", "rule", "line",
    /// "column", "text", "message", "remedy", "count"?}]}`. `errors` and `warnings` count all faults. At most 200
    /// faults of each rule are listed, and an entry `more-faults` holds the `count` of further faults.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "valid": self.program.is_some(),
            "sessions": self.program.as_ref().map(|program| program.order().len()),
            "errors": self.error_count(),
            "warnings": self.warning_count(),
            "faults": self.faults,
        })
    }
}

/// Prints faults beside the lines of the file.
struct Printer<'t> {
    source_name: &'t str,
    text: &'t str,
    colour: bool,
}

/// A part of a line of the file: the text before a cell, the cell, and the text after it.
struct Excerpt {
    before: String,
    cell: String,
    after: String,
}

impl Printer<'_> {
    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("{colour}{text}\x1b[0m") } else { text.to_owned() }
    }

    fn fault(&self, fault: &Fault, out: &mut String) {
        let colour = if fault.severity == Severity::Error { RED } else { YELLOW };
        let head = format!("{}[{}]", fault.severity.as_str(), fault.rule);
        let message = self.paint(BOLD, &visible(&fault.message));
        let source = visible(self.source_name);
        let place = match (fault.line, &fault.column) {
            (0, _) => source,
            (line, None) => format!("{source}:{line}"),
            (line, Some(column)) => format!("{source}:{line}, column {column}"),
        };
        let number = if fault.line == 0 { String::new() } else { fault.line.to_string() };
        let margin = " ".repeat(number.len());
        let bar = self.paint(BLUE, "|");
        let _ = writeln!(out, "{}: {message}", self.paint(colour, &head));
        let _ = writeln!(out, "{margin}{} {place}", self.paint(BLUE, "-->"));
        if fault.line > 0 {
            let Excerpt { before, cell, after } = self.excerpt(fault);
            let (indent, marks) = (" ".repeat(before.width()), "^".repeat(cell.width().max(1)));
            let marked = self.paint(colour, &cell);
            let _ = writeln!(out, "{margin} {bar}");
            let _ = writeln!(out, "{} {bar} {before}{marked}{after}", self.paint(BLUE, &number));
            let _ = writeln!(out, "{margin} {bar} {indent}{}", self.paint(colour, &marks));
        }
        let equals = self.paint(BLUE, "=");
        let _ =
            writeln!(out, "{margin} {equals} {}: {}\n", self.paint(GREEN, "help"), visible(&fault.remedy));
    }

    /// The cell in its physical line, or the fault's text if the line is not known.
    fn excerpt(&self, fault: &Fault) -> Excerpt {
        const BEFORE: usize = 40;
        const CELL: usize = 60;
        const AFTER: usize = 20;
        let ends = |c: char| matches!(c, '\n' | '\r');
        let pieces = fault.span.and_then(|(start, end)| {
            let before = self.text.get(..start)?;
            let before = before.get(before.rfind(ends).map_or(0, |at| at + 1)..)?;
            let cell = self.text.get(start..end)?;
            let rest = self.text.get(end..)?;
            Some((before, cell, rest.split(ends).next()?))
        });
        let Some((before, cell, after)) = pieces else {
            return Excerpt { before: String::new(), cell: fault.text.clone(), after: String::new() };
        };
        let skipped = before.chars().count().saturating_sub(BEFORE);
        let mut lead = if skipped > 0 { "…".to_owned() } else { String::new() };
        before.chars().skip(skipped).for_each(|c| push_visible(c, &mut lead));
        let first_line = cell.split(ends).next().unwrap_or_default();
        let is_cut = first_line.len() < cell.len() || first_line.chars().nth(CELL).is_some();
        let mut marked = String::new();
        first_line.chars().take(CELL).for_each(|c| push_visible(c, &mut marked));
        if is_cut {
            marked.push('…');
        }
        let mut tail = String::new();
        if !is_cut {
            after.chars().take(AFTER).for_each(|c| push_visible(c, &mut tail));
            if after.chars().nth(AFTER).is_some() {
                tail.push('…');
            }
        }
        Excerpt { before: lead, cell: marked, after: tail }
    }
}

/// A text without characters that control a terminal, since messages quote the file.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_visible(c, &mut out));
    out
}
