//! Reads iCalendar (RFC 5545): content lines, components and typed values. Reports errors in the grammar.
//!
//! Owns the grammar; this file nests content lines into components (3.6). `doctor`, `export` (jCal) and `adopt` know which
//! properties are required and how clients use them; `feed` writes iCalendar. Never panics, and continues after an error: a
//! strict reader must refuse a [`Reading`] that has any.

mod line;
mod recurrence;
mod rules;
mod value;

pub use line::{Line, Parameter, date_time};
pub use recurrence::Recurrence;
pub use rules::ZoneRules;
pub use value::{Moment, duration, list, offset, unescape};

/// The components of a file, and the errors in its grammar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// The outermost components. A valid file has one VCALENDAR.
    pub components: Vec<Component>,
    /// The errors in the grammar, by line.
    pub errors: Vec<GrammarError>,
}

/// The most bytes that are read. A larger file has an error.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Reads a file.
pub fn read(bytes: &[u8]) -> Reading {
    let mut errors = Vec::new();
    let bytes = match bytes.get(..MAX_BYTES) {
        Some(head) if bytes.len() > MAX_BYTES => {
            errors.push(GrammarError { line: 0, kind: GrammarErrorKind::TooLarge });
            head
        }
        _ => bytes,
    };
    let lines = line::lines(bytes, &mut errors);
    let components = nest(lines, &mut errors);
    errors.sort_by_key(|error| error.line);
    Reading { components, errors }
}

impl Reading {
    /// The components that are calendars.
    pub fn calendars(&self) -> impl Iterator<Item = &Component> {
        self.components.iter().filter(|component| component.name == "VCALENDAR")
    }
}

/// An error in the grammar, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrammarError {
    /// The physical line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub kind: GrammarErrorKind,
}

/// The kinds of grammar errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrammarErrorKind {
    /// The file is too large.
    #[error("the file is larger than 32 MiB, and the rest was not read")]
    TooLarge,
    /// A line is not UTF-8 (RFC 5545, 3.1.4).
    #[error("this line is not UTF-8")]
    NotUtf8,
    /// The file starts with a byte order mark.
    #[error("the file starts with a byte order mark")]
    ByteOrderMark,
    /// Lines end with LF instead of CRLF. Reported once.
    #[error("lines end with LF instead of CRLF")]
    BareLineFeed,
    /// The last line has no line end.
    #[error("the last line has no line end, so the file may be cut off")]
    NoFinalLineEnd,
    /// A line has more than 75 octets (3.1).
    #[error("this line has {0} octets, more than 75")]
    LongLine(usize),
    /// A fold splits the octets of a character.
    #[error("a fold splits a character")]
    SplitCharacter,
    /// A fold continues with a tab, which RFC 5545 allows and some clients do not know.
    #[error("a line is continued with a tab")]
    FoldedByTab,
    /// A line contains a control character.
    #[error("this line contains the control character U+{:04X}", u32::from(*.0))]
    Control(char),
    /// A line is empty.
    #[error("this line is empty")]
    BlankLine,
    /// The first line is a continuation.
    #[error("the first line is a continuation")]
    NothingToContinue,
    /// A line has no value.
    #[error("this line has no colon")]
    NoColon,
    /// The name of a property has invalid characters.
    #[error("the property's name has characters other than letters, digits and hyphens")]
    BadName,
    /// A parameter does not have the form NAME=value.
    #[error("a parameter does not have the form NAME=value")]
    BadParameter,
    /// The quote of a parameter is not closed.
    #[error("the quote of a parameter is not closed")]
    UnclosedQuote,
    /// An END has no BEGIN.
    #[error("END:{0} has no BEGIN:{0}")]
    Unopened(String),
    /// An END names another component than the open one.
    #[error("END:{0} is in the place of END:{1}")]
    Mismatched(String, String),
    /// A BEGIN has no END.
    #[error("{0} has no END, so the file may be cut off")]
    Unclosed(String),
    /// A property is outside of every component.
    #[error("{0} is outside of every component")]
    Outside(String),
    /// Components are nested too deeply.
    #[error("components are nested too deeply")]
    TooDeep,
}

impl GrammarErrorKind {
    /// Whether only the layout of the lines is wrong, so that nothing was lost.
    pub fn is_layout(&self) -> bool {
        matches!(
            self,
            Self::FoldedByTab
                | Self::BareLineFeed
                | Self::ByteOrderMark
                | Self::LongLine(_)
                | Self::BlankLine
                | Self::NoFinalLineEnd
        )
    }

    /// Whether a strict reader must refuse the file. A fold with a tab is valid grammar.
    pub fn breaks_grammar(&self) -> bool {
        *self != Self::FoldedByTab
    }
}

/// A component with its properties and inner components.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Component {
    /// The component's name, in capitals.
    pub name: String,
    /// The line number of the component's BEGIN.
    pub line: usize,
    /// The properties, in the order of the file.
    pub properties: Vec<Line>,
    /// The inner components, in the order of the file.
    pub components: Vec<Component>,
}

/// The most levels of components. iCalendar needs three.
const MAX_DEPTH: usize = 8;

impl Component {
    /// The first property with a name (in capitals).
    pub fn property(&self, name: &str) -> Option<&Line> {
        self.properties.iter().find(|line| line.name == name)
    }

    /// Every property with a name (in capitals).
    pub fn properties<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.properties.iter().filter(move |line| line.name == name)
    }

    /// The first property with a name as TEXT; empty if there is none.
    pub fn text(&self, name: &str) -> String {
        self.property(name).map(Line::text).unwrap_or_default()
    }

    /// Every direct inner component with a name (in capitals).
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.components.iter().filter(move |component| component.name == name)
    }
}

/// Nests the lines between BEGIN and END into components.
fn nest(lines: Vec<Line>, errors: &mut Vec<GrammarError>) -> Vec<Component> {
    let mut report = |line, kind| errors.push(GrammarError { line, kind });
    let mut roots = Vec::new();
    let mut open: Vec<Component> = Vec::new();
    for line in lines {
        match line.name.as_str() {
            "BEGIN" => {
                if open.len() >= MAX_DEPTH {
                    report(line.number, GrammarErrorKind::TooDeep);
                    return roots;
                }
                let name = line.value.trim().to_ascii_uppercase();
                open.push(Component { name, line: line.number, ..Component::default() });
            }
            "END" => {
                let name = line.value.trim().to_ascii_uppercase();
                match open.last().map(|component| component.name.clone()) {
                    None => report(line.number, GrammarErrorKind::Unopened(name)),
                    Some(expected) => {
                        let inside = open.iter().any(|component| component.name == name);
                        if expected != name {
                            report(line.number, GrammarErrorKind::Mismatched(name.clone(), expected));
                        }
                        // The END of an outer component also closes the inner components. A stray END closes the
                        // innermost component.
                        while let Some(component) = open.pop() {
                            let last = component.name == name || !inside;
                            close(component, &mut open, &mut roots);
                            if last {
                                break;
                            }
                        }
                    }
                }
            }
            _ => match open.last_mut() {
                Some(component) => component.properties.push(line),
                None => report(line.number, GrammarErrorKind::Outside(line.name)),
            },
        }
    }
    while let Some(component) = open.pop() {
        report(component.line, GrammarErrorKind::Unclosed(component.name.clone()));
        close(component, &mut open, &mut roots);
    }
    roots
}

fn close(component: Component, open: &mut [Component], roots: &mut Vec<Component>) {
    match open.last_mut() {
        Some(parent) => parent.components.push(component),
        None => roots.push(component),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALID: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:a@b\r\nSUMMARY;LANGUAGE=en;X-A=\"q;:\",b:One\\, tw\r\n o\\n\r\n  three\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn kinds(text: &str) -> Vec<(usize, GrammarErrorKind)> {
        read(text.as_bytes()).errors.into_iter().map(|error| (error.line, error.kind)).collect()
    }

    #[test]
    fn a_valid_file_has_no_errors() {
        let reading = read(VALID.as_bytes());
        assert_eq!(reading.errors, []);
        let calendar = reading.calendars().next().unwrap();
        let event = calendar.all("VEVENT").next().unwrap();
        let summary = event.property("SUMMARY").unwrap();
        assert_eq!((summary.number, summary.text().as_str()), (5, "One, two\n three"));
        assert_eq!(summary.parameter("X-A"), Some("q;:"));
        assert_eq!(summary.parameters[1].values, ["q;:", "b"]);
    }

    #[test]
    fn broken_lines_are_reported_with_their_number() {
        assert_eq!(kinds(&VALID.replace("\r\n", "\n")), [(1, GrammarErrorKind::BareLineFeed)]);
        assert_eq!(kinds(VALID.strip_suffix("\r\n").unwrap()), [(9, GrammarErrorKind::NoFinalLineEnd)]);
        assert_eq!(kinds(&format!("\u{feff}{VALID}")), [(1, GrammarErrorKind::ByteOrderMark)]);
        assert_eq!(kinds(&VALID.replace("UID:a@b", "UID a@b")), [(4, GrammarErrorKind::NoColon)]);
        assert_eq!(kinds(&VALID.replace("UID:", "U_ID:")), [(4, GrammarErrorKind::BadName)]);
        assert_eq!(kinds(&VALID.replace("a@b", "a\rb")), [(4, GrammarErrorKind::Control('\r'))]);
        assert_eq!(kinds(&VALID.replace("\"q;:\"", "\"q")), [(5, GrammarErrorKind::UnclosedQuote)]);
        assert_eq!(
            kinds(&VALID.replace("UID:a@b\r\n", "UID:a@b\r\n\r\n")),
            [(5, GrammarErrorKind::BlankLine)]
        );
        let long = format!("UID:{}", "x".repeat(72));
        assert_eq!(kinds(&VALID.replace("UID:a@b", &long)), [(4, GrammarErrorKind::LongLine(76))]);
        let ended = VALID.replace("END:VEVENT", "END:VJOURNAL");
        assert_eq!(
            kinds(&ended)[0].1,
            GrammarErrorKind::Mismatched("VJOURNAL".to_owned(), "VEVENT".to_owned())
        );
        let open = VALID.replace("END:VEVENT\r\nEND:VCALENDAR\r\n", "");
        assert_eq!(kinds(&open).len(), 2);
    }

    #[test]
    fn a_fold_inside_a_character_is_reported_and_read() {
        let mut bytes = b"BEGIN:VCALENDAR\r\nNAME:a\xc3".to_vec();
        bytes.extend(b"\r\n \xa9b\r\nEND:VCALENDAR\r\n");
        let reading = read(&bytes);
        assert_eq!(reading.errors, [GrammarError { line: 2, kind: GrammarErrorKind::SplitCharacter }]);
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
