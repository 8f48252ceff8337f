//! The report of an import, for people and for programs.
//!
//! For people each fault shows its line of the file with the cell marked, the way compilers do; for
//! programs it is JSON.

use super::encoding::decode;
use super::fault::{Fault, MORE, Severity, is_invisible, show};
use crate::program::Program;
use std::fmt::Write as _;

/// What an import found, and the program where nothing keeps it back.
#[derive(Debug, Clone)]
pub struct Report {
    /// None if and only if there is an error.
    pub program: Option<Program>,
    /// Errors and warnings, by line; at most 200 of each kind, then one entry that counts the others of the kind.
    pub faults: Vec<Fault>,
}

/// Faults that are printed for people; after so many nobody reads on.
const PRINTED: usize = 200;

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const GREEN: &str = "\x1b[1;32m";
const BOLD: &str = "\x1b[1m";

impl Report {
    /// The faults that refuse the file.
    pub fn errors(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(|fault| fault.severity == Severity::Error)
    }

    /// The faults that are only shown.
    pub fn warnings(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(|fault| fault.severity == Severity::Warning)
    }

    /// How many errors there are, those that are not listed included.
    pub fn error_count(&self) -> usize {
        self.errors().map(|fault| fault.count).sum()
    }

    /// How many warnings there are, those that are not listed included.
    pub fn warning_count(&self) -> usize {
        self.warnings().map(|fault| fault.count).sum()
    }

    /// The faults that people are shown: at most 200; where there are more, errors come before warnings.
    pub fn shown(&self) -> Vec<&Fault> {
        let is_listed = |fault: &&Fault| fault.rule != MORE;
        if self.faults.len() > PRINTED {
            self.errors().chain(self.warnings()).filter(is_listed).take(PRINTED).collect()
        } else {
            self.faults.iter().filter(is_listed).collect()
        }
    }

    /// The report for people: at most 200 faults, errors before warnings where there are more, and a summary.
    ///
    /// `csv` is the file that was imported; with other bytes each fault shows its text alone.
    pub fn render_human(&self, source_name: &str, csv: &[u8], colour: bool) -> String {
        let decoded = decode(csv);
        let page = Page { source_name, text: &decoded.text, colour };
        let mut out = String::new();
        let (errors, warnings) = (self.error_count(), self.warning_count());
        let shown = self.shown();
        for fault in &shown {
            page.fault(fault, &mut out);
        }
        let left = errors + warnings - shown.len();
        if left > 0 {
            // Writing to a String cannot fail, here and below.
            let _ = writeln!(out, "… and {left} more; --format json lists up to 200 of each kind\n");
        }
        let _ = writeln!(out, "{}", self.summary(&page, errors, warnings));
        out
    }

    fn summary(&self, page: &Page<'_>, errors: usize, warnings: usize) -> String {
        let counted =
            |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let told = match warnings {
            0 => String::new(),
            _ => format!(", {}", counted(warnings, "warning")),
        };
        match &self.program {
            Some(program) => {
                let sessions = counted(program.order().len(), "session");
                format!("{}: {}{told}", page.source(), page.paint(GREEN, &format!("{sessions}, no errors")))
            }
            None => format!("{}: {}{told}", page.source(), page.paint(RED, &counted(errors, "error"))),
        }
    }

    /// The report for programs: `{"valid", "sessions", "errors", "warnings", "faults": [{"severity", "rule",
    /// "line", "column", "text", "message", "remedy", "count"?}]}`. `errors` and `warnings` count all faults, of which at
    /// most 200 of each kind are listed; an entry `more-faults` holds the `count` of the others.
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

struct Page<'t> {
    source_name: &'t str,
    text: &'t str,
    colour: bool,
}

/// A piece of a line of the file: what stands before the cell, the cell, what follows.
struct Excerpt {
    before: String,
    cell: String,
    after: String,
}

impl Page<'_> {
    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("{colour}{text}\x1b[0m") } else { text.to_owned() }
    }

    fn source(&self) -> String {
        let mut name = String::new();
        self.source_name.chars().for_each(|c| show(c, &mut name));
        name
    }

    fn fault(&self, fault: &Fault, out: &mut String) {
        let colour = if fault.severity == Severity::Error { RED } else { YELLOW };
        let head = format!("{}[{}]", fault.severity.as_str(), fault.rule);
        let message = self.paint(BOLD, &printable(&fault.message));
        let place = match (fault.line, &fault.column) {
            (0, _) => self.source(),
            (line, None) => format!("{}:{line}", self.source()),
            (line, Some(column)) => format!("{}:{line}, column {column}", self.source()),
        };
        let number = if fault.line == 0 { String::new() } else { fault.line.to_string() };
        let margin = " ".repeat(number.len());
        let bar = self.paint(BLUE, "|");
        let _ = writeln!(out, "{}: {message}", self.paint(colour, &head));
        let _ = writeln!(out, "{margin}{} {place}", self.paint(BLUE, "-->"));
        if fault.line > 0 {
            let Excerpt { before, cell, after } = self.excerpt(fault);
            let (indent, marks) = (" ".repeat(columns(&before)), "^".repeat(columns(&cell).max(1)));
            let marked = self.paint(colour, &cell);
            let _ = writeln!(out, "{margin} {bar}");
            let _ = writeln!(out, "{} {bar} {before}{marked}{after}", self.paint(BLUE, &number));
            let _ = writeln!(out, "{margin} {bar} {indent}{}", self.paint(colour, &marks));
        }
        let equals = self.paint(BLUE, "=");
        let _ = writeln!(
            out,
            "{margin} {equals} {}: {}\n",
            self.paint(GREEN, "instead"),
            printable(&fault.remedy)
        );
    }

    /// The cell within its physical line, or the fault's text where the file does not show it.
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
        before.chars().skip(skipped).for_each(|c| show(c, &mut lead));
        let first_line = cell.split(ends).next().unwrap_or_default();
        let is_cut = first_line.len() < cell.len() || first_line.chars().nth(CELL).is_some();
        let mut marked = String::new();
        first_line.chars().take(CELL).for_each(|c| show(c, &mut marked));
        if is_cut {
            marked.push('…');
        }
        let mut tail = String::new();
        if !is_cut {
            after.chars().take(AFTER).for_each(|c| show(c, &mut tail));
            if after.chars().nth(AFTER).is_some() {
                tail.push('…');
            }
        }
        Excerpt { before: lead, cell: marked, after: tail }
    }
}

/// Text without anything that steers a terminal; messages quote the file.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| show(c, &mut out));
    out
}

/// Columns of a terminal that a text takes: none for combining marks, two for East Asian wide characters.
fn columns(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            c if is_invisible(c) || unicode_normalization::char::is_combining_mark(c) => 0,
            '\u{1100}'..='\u{115f}'
            | '\u{2e80}'..='\u{a4cf}'
            | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}'
            | '\u{fe30}'..='\u{fe6f}'
            | '\u{ff00}'..='\u{ff60}'
            | '\u{1f300}'..='\u{1faff}' => 2,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_under_the_cell_whatever_the_script() {
        assert_eq!(columns("abc"), 3);
        assert_eq!(columns("会議"), 4);
        assert_eq!(columns("e\u{301}"), 1);
    }
}
