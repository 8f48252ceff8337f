//! Errors in the grammar of a file.

/// An error in the grammar, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The physical line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub kind: FlawKind,
}

/// The kinds of grammar errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlawKind {
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

impl FlawKind {
    /// Whether a strict reader must refuse the file. A fold with a tab is valid grammar.
    pub fn breaks_grammar(&self) -> bool {
        *self != Self::FoldedByTab
    }
}
