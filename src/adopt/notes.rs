//! The notes about an import: what was left out, changed or guessed, grouped by kind with examples.

use crate::program::{Text, printable};
use std::collections::HashMap;

/// The most examples that a note keeps, and the most characters of an example.
const MAX_EXAMPLES: usize = 3;
const MAX_EXAMPLE: usize = 60;

/// What was left out, changed or guessed, for all sessions that it is true of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportNote {
    /// What happened to the value, without the session.
    pub message: String,
    /// How often it happened.
    pub count: usize,
    /// The titles of the first sessions that it is true of, or the first values.
    pub examples: Vec<String>,
}

/// Prints `message (12 times: example, example, example …)` in one line, safe for a terminal.
impl std::fmt::Display for ImportNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&safe_line(&self.message))?;
        let examples: Vec<String> = self.examples.iter().map(|example| safe_line(example)).collect();
        let more = if self.count > examples.len() { " …" } else { "" };
        match (self.count, examples.is_empty()) {
            (0 | 1, true) => Ok(()),
            (count, true) => write!(f, " ({count} times)"),
            (0 | 1, false) => write!(f, " ({})", examples.join("; ")),
            (count, false) => write!(f, " ({count} times: {}{more})", examples.join("; ")),
        }
    }
}

/// An untrusted text as one line for a terminal.
pub(super) fn safe_line(text: &str) -> String {
    printable(text).replace('\n', " ")
}

/// The notes of one import, in the order in which their kinds were met.
#[derive(Debug, Default)]
pub(super) struct Notes {
    kinds: HashMap<String, (usize, ImportNote)>,
}

impl Notes {
    /// Adds a note about the whole file.
    pub(super) fn add(&mut self, message: impl Into<String>) {
        self.add_for("", message);
    }

    /// Adds a note about a session or a value, which becomes an example.
    pub(super) fn add_for(&mut self, example: &str, message: impl Into<String>) {
        let (message, place) = (message.into(), self.kinds.len());
        let (_, note) = self
            .kinds
            .entry(message.clone())
            .or_insert((place, ImportNote { message, count: 0, examples: Vec::new() }));
        note.count += 1;
        if note.examples.len() < MAX_EXAMPLES {
            let short: String = Text::line(example).0.as_str().chars().take(MAX_EXAMPLE).collect();
            if !short.is_empty() && !note.examples.contains(&short) {
                note.examples.push(short);
            }
        }
    }

    /// Counts a field that no column can hold, with its value as an example.
    pub(super) fn unmapped(&mut self, field: &str, value: &str) {
        self.add_for(value, format!("not imported: {field}"));
    }

    pub(super) fn into_list(self) -> Vec<ImportNote> {
        let mut list: Vec<(usize, ImportNote)> = self.kinds.into_values().collect();
        list.sort_by_key(|(place, _)| *place);
        list.into_iter().map(|(_, note)| note).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_one_kind_are_one_line_with_a_count_and_examples() {
        let mut notes = Notes::default();
        for title in ["One", "Two", "Two", "Three", "Four"] {
            notes.add_for(title, "HTML became plain text");
        }
        notes.add("the file names no zone");
        notes.unmapped("GEO", "40.7;-74.0");
        let lines: Vec<String> = notes.into_list().iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "HTML became plain text (5 times: One; Two; Three …)",
                "the file names no zone",
                "not imported: GEO (40.7;-74.0)"
            ]
        );
    }
}
