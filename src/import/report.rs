//! The report of an import: as text that marks each faulty cell, as compilers do, and as JSON.

use super::encoding::decode;
use super::fault::{Fault, MORE, counted, push_visible};
use crate::program::{Program, Severity};
use std::collections::BTreeMap;
use std::fmt::Write as _;
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

/// The most faults that a person is shown.
const MAX_DISPLAYED: usize = 200;

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

    /// The faults that a person is shown: at most 200. If there are more, errors come before warnings.
    pub fn displayed(&self) -> Vec<&Fault> {
        let is_listed = |fault: &&Fault| fault.rule != MORE;
        if self.faults.len() > MAX_DISPLAYED {
            self.errors().chain(self.warnings()).filter(is_listed).take(MAX_DISPLAYED).collect()
        } else {
            self.faults.iter().filter(is_listed).collect()
        }
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
        // Warnings of one rule on many lines; those of the header row are all on one line and are all shown.
        let mut alike: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for fault in &displayed {
            let lines = alike.entry(fault.rule).or_default();
            let is_new_line = lines.last() != Some(&fault.line);
            if fault.severity == Severity::Error || lines.len() < MAX_ALIKE || !is_new_line {
                printer.fault(fault, &mut out);
            }
            if fault.severity == Severity::Warning && is_new_line {
                lines.push(fault.line);
            }
        }
        for (rule, lines) in alike.iter().filter(|(_, lines)| lines.len() > MAX_ALIKE) {
            let rest = lines.get(MAX_ALIKE..).unwrap_or_default();
            let shown: Vec<String> = rest.iter().take(20).map(ToString::to_string).collect();
            let more = if rest.len() > shown.len() { " …" } else { "" };
            let head = printer.paint(YELLOW, &format!("warning[{rule}]"));
            let noun = if shown.len() == 1 { "line" } else { "lines" };
            // Writing to a String cannot fail, here and below.
            let _ = writeln!(out, "{head}: also on {noun} {}{more}\n", shown.join(", "));
        }
        let left = errors + warnings - displayed.len();
        if left > 0 {
            let _ = writeln!(out, "… and {left} more; --format json lists up to 200 of each rule\n");
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
