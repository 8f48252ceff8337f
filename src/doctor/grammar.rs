//! The grammar of the file (RFC 5545, 3.1): what every client needs, and some forgive.

use super::finding::{Client, Findings};
use crate::ics::{FlawKind, Reading};

pub(super) fn examine(bytes: &[u8], reading: &Reading, findings: &mut Findings) {
    for flaw in &reading.flaws {
        let (rule, remedy) = rule(&flaw.kind);
        let line = flaw.line;
        let message = flaw.kind.to_string();
        match flaw.kind {
            FlawKind::FoldedByTab => {
                let message = "a line is continued with a tab; Giggity unfolds only on a space";
                findings.error(Client::Giggity, rule, line, message, remedy);
            }
            FlawKind::ByteOrderMark
            | FlawKind::BlankLine
            | FlawKind::BareLineFeed
            | FlawKind::LongLine(_) => {
                findings.warn(Client::Every, rule, line, message, remedy);
            }
            _ => findings.error(Client::Every, rule, line, message, remedy),
        }
    }
    let calendars = reading.calendars().count();
    let every = Client::Every;
    match reading.components.len() {
        0 if bytes.trim_ascii().is_empty() => {}
        _ if calendars == 0 => {
            let message = "there is no VCALENDAR in the file";
            findings.error(every, "no-calendar", 0, message, "start with BEGIN:VCALENDAR");
        }
        1 => {}
        _ => {
            let second = reading.components.get(1).map_or(0, |component| component.line);
            let message = "a second component stands beside the calendar; most clients read the first only";
            findings.error(every, "several-calendars", second, message, "put everything into one VCALENDAR");
        }
    }
}

fn rule(kind: &FlawKind) -> (&'static str, &'static str) {
    match kind {
        FlawKind::TooLarge => ("too-large", "split the feed"),
        FlawKind::NotUtf8 => ("not-utf8", "write the file as UTF-8"),
        FlawKind::ByteOrderMark => ("byte-order-mark", "write the file without a byte order mark"),
        FlawKind::BareLineFeed => ("line-feed", "end every line with CRLF"),
        FlawKind::NoFinalLineEnd => ("no-final-line-end", "end the last line with CRLF"),
        FlawKind::LongLine(_) => ("long-line", "fold lines at 75 octets with CRLF and a space"),
        FlawKind::SplitCharacter => ("split-character", "fold between characters, not inside one"),
        FlawKind::FoldedByTab => ("tab-fold", "continue lines with a space"),
        FlawKind::Control(_) => ("control", "take the character out; a line end in a text is \\n"),
        FlawKind::BlankLine => ("blank-line", "delete the empty line"),
        FlawKind::NothingToContinue => ("continuation", "start the file with BEGIN:VCALENDAR"),
        FlawKind::NoColon | FlawKind::BadName => {
            ("content-line", "write NAME:value; a line end in a text is \\n")
        }
        FlawKind::BadParameter | FlawKind::UnclosedQuote => {
            ("parameter", "write ;NAME=value, in double quotes where it holds , ; or :")
        }
        FlawKind::Unopened(_) | FlawKind::Mismatched(..) | FlawKind::Outside(_) | FlawKind::TooDeep => {
            ("nesting", "close every component that is opened, the inner ones first")
        }
        FlawKind::Unclosed(_) => ("unclosed", "write the whole file, down to END:VCALENDAR"),
    }
}
