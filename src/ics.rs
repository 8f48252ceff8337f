//! Reads iCalendar (RFC 5545): content lines, components and typed values. Reports errors in the grammar.
//!
//! Owns the grammar. `doctor`, `export` (jCal) and `adopt` know which properties are required and how clients use them;
//! `feed` writes iCalendar. Never panics, and continues after an error: a strict reader must refuse a [`Reading`] with
//! flaws.

mod component;
mod flaw;
mod line;
mod rules;
mod value;

pub use component::Component;
pub use flaw::{Flaw, FlawKind};
pub use line::{Line, Parameter, date_time};
pub use rules::ZoneRules;
pub use value::{Moment, duration, list, offset, unescape};

/// The components of a file, and the errors in its grammar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The outermost components. A valid file has one VCALENDAR.
    pub components: Vec<Component>,
    /// The errors in the grammar, by line.
    pub flaws: Vec<Flaw>,
}

/// The most bytes that are read. A larger file has a flaw.
pub const MOST_BYTES: usize = 32 * 1024 * 1024;

/// Reads a file.
pub fn read(bytes: &[u8]) -> Reading {
    let mut flaws = Vec::new();
    let bytes = match bytes.get(..MOST_BYTES) {
        Some(head) if bytes.len() > MOST_BYTES => {
            flaws.push(Flaw { line: 0, kind: FlawKind::TooLarge });
            head
        }
        _ => bytes,
    };
    let lines = line::lines(bytes, &mut flaws);
    let components = component::nest(lines, &mut flaws);
    flaws.sort_by_key(|flaw| flaw.line);
    Reading { components, flaws }
}

impl Reading {
    /// The components that are calendars.
    pub fn calendars(&self) -> impl Iterator<Item = &Component> {
        self.components.iter().filter(|component| component.name == "VCALENDAR")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALID: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a@b\r\nSUMMARY;LANGUAGE=en;X-A=\"q;:\",b:One\\, tw\r\n o\\n\r\n  three\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn kinds(text: &str) -> Vec<(usize, FlawKind)> {
        read(text.as_bytes()).flaws.into_iter().map(|flaw| (flaw.line, flaw.kind)).collect()
    }

    #[test]
    fn a_valid_file_has_no_flaws() {
        let reading = read(VALID.as_bytes());
        assert_eq!(reading.flaws, []);
        let calendar = reading.calendars().next().unwrap();
        let event = calendar.all("VEVENT").next().unwrap();
        let summary = event.property("SUMMARY").unwrap();
        assert_eq!((summary.number, summary.text().as_str()), (5, "One, two\n three"));
        assert_eq!(summary.parameter("X-A"), Some("q;:"));
        assert_eq!(summary.parameters[1].values, ["q;:", "b"]);
    }

    #[test]
    fn broken_lines_are_reported_with_their_number() {
        assert_eq!(kinds(&VALID.replace("\r\n", "\n")), [(1, FlawKind::BareLineFeed)]);
        assert_eq!(kinds(VALID.strip_suffix("\r\n").unwrap()), [(9, FlawKind::NoFinalLineEnd)]);
        assert_eq!(kinds(&format!("\u{feff}{VALID}")), [(1, FlawKind::ByteOrderMark)]);
        assert_eq!(kinds(&VALID.replace("UID:a@b", "UID a@b")), [(4, FlawKind::NoColon)]);
        assert_eq!(kinds(&VALID.replace("UID:", "U_ID:")), [(4, FlawKind::BadName)]);
        assert_eq!(kinds(&VALID.replace("a@b", "a\rb")), [(4, FlawKind::Control('\r'))]);
        assert_eq!(kinds(&VALID.replace("\"q;:\"", "\"q")), [(5, FlawKind::UnclosedQuote)]);
        assert_eq!(kinds(&VALID.replace("UID:a@b\r\n", "UID:a@b\r\n\r\n")), [(5, FlawKind::BlankLine)]);
        let long = format!("UID:{}", "x".repeat(72));
        assert_eq!(kinds(&VALID.replace("UID:a@b", &long)), [(4, FlawKind::LongLine(76))]);
        let ended = VALID.replace("END:VEVENT", "END:VJOURNAL");
        assert_eq!(kinds(&ended)[0].1, FlawKind::Mismatched("VJOURNAL".to_owned(), "VEVENT".to_owned()));
        let open = VALID.replace("END:VEVENT\r\nEND:VCALENDAR\r\n", "");
        assert_eq!(kinds(&open).len(), 2);
    }

    #[test]
    fn a_fold_inside_a_character_is_reported_and_read() {
        let mut bytes = b"BEGIN:VCALENDAR\r\nNAME:a\xc3".to_vec();
        bytes.extend(b"\r\n \xa9b\r\nEND:VCALENDAR\r\n");
        let reading = read(&bytes);
        assert_eq!(reading.flaws, [Flaw { line: 2, kind: FlawKind::SplitCharacter }]);
        assert_eq!(reading.components[0].property("NAME").unwrap().value, "aéb");
    }

    proptest! {
        #[test]
        fn reading_any_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            read(&bytes);
        }

        #[test]
        fn reading_any_calendar_text_never_panics(text in "(BEGIN|END|A|;|:|\"|=|,|VEVENT|\r\n|\n| |\\\\){0,60}") {
            read(text.as_bytes());
        }
    }
}
