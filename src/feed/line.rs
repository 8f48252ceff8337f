//! Content lines: escaping, folding and times (RFC 5545, 3.1, 3.3.5 and 3.3.11). Only this file writes content lines.

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike, Utc};

/// Appends `NAME:value` for a value that needs no escaping.
pub(super) fn raw(out: &mut String, name: &str, value: &str) {
    fold(out, &format!("{name}:{value}"));
}

/// Appends `NAME:value` for a TEXT value.
pub(super) fn text(out: &mut String, name: &str, value: &str) {
    fold(out, &format!("{name}:{}", escape(value)));
}

/// Appends one unfolded content line, folded to 75 octets at character boundaries, with CRLF.
pub(super) fn fold(out: &mut String, line: &str) {
    let mut rest = line;
    let mut room = 75;
    while rest.len() > room {
        // A character has at most four octets, so a character boundary is within three octets of the limit.
        let cut = (0..=room).rev().find(|cut| rest.is_char_boundary(*cut)).unwrap_or_default();
        let (piece, after) = rest.split_at(cut);
        out.push_str(piece);
        out.push_str("\r\n ");
        rest = after;
        room = 74; // the space that continues a line counts
    }
    out.push_str(rest);
    out.push_str("\r\n");
}

/// The content lines of a text, unfolded.
pub(super) fn unfold(content: &str) -> impl Iterator<Item = String> {
    let joined = content.replace("\r\n ", "");
    joined.split("\r\n").filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

/// A TEXT value with its special characters escaped.
pub(super) fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' | ',' | ';' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}

/// `20250325T090000`. Printed by hand because chrono's format strings are slow, and a release has many times.
pub(super) fn civil(at: NaiveDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}",
        date.year(),
        date.month(),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// `20250325T160000Z`.
pub(super) fn utc(at: DateTime<Utc>) -> String {
    civil(at.naive_utc()) + "Z"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Text;
    use proptest::prelude::*;

    fn unescape(value: &str) -> String {
        let mut out = String::new();
        let mut chars = value.chars();
        while let Some(c) = chars.next() {
            match (c, if c == '\\' { chars.next() } else { None }) {
                ('\\', Some('n')) => out.push('\n'),
                ('\\', Some(escaped)) => out.push(escaped),
                _ => out.push(c),
            }
        }
        out
    }

    #[test]
    fn a_line_of_exactly_75_octets_is_not_folded_and_76_are() {
        for (length, lines) in [(75, 1), (76, 2), (149, 2), (150, 3)] {
            let mut out = String::new();
            fold(&mut out, &"x".repeat(length));
            assert_eq!(out.matches("\r\n").count(), lines, "{length}");
        }
    }

    proptest! {
        #[test]
        fn folded_lines_are_short_without_controls_and_unfold_to_the_text(value in any::<String>()) {
            let value = Text::block(&value).0;
            let mut out = String::new();
            text(&mut out, "SUMMARY", value.as_str());
            prop_assert!(out.ends_with("\r\n"));
            for line in out.strip_suffix("\r\n").unwrap().split("\r\n") {
                prop_assert!(line.len() <= 75);
                prop_assert!(!line.contains(|c: char| c.is_control()));
            }
            let lines: Vec<String> = unfold(&out).collect();
            prop_assert_eq!(lines.len(), 1);
            prop_assert_eq!(unescape(lines[0].strip_prefix("SUMMARY:").unwrap()), value.as_str());
        }
    }
}
