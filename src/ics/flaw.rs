//! Errors in the grammar of a file.

/// An error in the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The physical line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub kind: FlawKind,
}

/// What is wrong with the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlawKind {
    /// Too many bytes.
    #[error("the file is larger than 32 MiB, and the rest was not read")]
    TooLarge,
    /// Not UTF-8 (RFC 5545, 3.1.4).
    #[error("this line is not UTF-8")]
    NotUtf8,
    /// A byte order mark.
    #[error("the file starts with a byte order mark")]
    ByteOrderMark,
    /// LF without CR. Reported once.
    #[error("lines end with LF instead of CRLF")]
    BareLineFeed,
    /// No line end at the end of the file.
    #[error("the last line has no line end, so the file may be cut off")]
    NoFinalLineEnd,
    /// More than 75 octets (3.1).
    #[error("this line has {0} octets, more than 75")]
    LongLine(usize),
    /// A fold between the octets of a character.
    #[error("a fold splits a character")]
    SplitCharacter,
    /// A fold with a tab, which RFC 5545 allows and some clients do not know.
    #[error("a line is continued with a tab")]
    FoldedByTab,
    /// A control character.
    #[error("this line contains the control character U+{:04X}", u32::from(*.0))]
    Control(char),
    /// An empty line.
    #[error("this line is empty")]
    BlankLine,
    /// A continuation without a line before it.
    #[error("the first line is a continuation")]
    NothingToContinue,
    /// No value.
    #[error("this line has no colon")]
    NoColon,
    /// Not a name.
    #[error("the property's name has characters other than letters, digits and hyphens")]
    BadName,
    /// Not a parameter.
    #[error("a parameter does not have the form NAME=value")]
    BadParameter,
    /// A quote that is not closed.
    #[error("the quote of a parameter is not closed")]
    UnclosedQuote,
    /// END without BEGIN.
    #[error("END:{0} has no BEGIN:{0}")]
    Unopened(String),
    /// END of another component than the open one.
    #[error("END:{0} is in the place of END:{1}")]
    Mismatched(String, String),
    /// BEGIN without END.
    #[error("{0} has no END, so the file may be cut off")]
    Unclosed(String),
    /// A property outside of every component.
    #[error("{0} is outside of every component")]
    Outside(String),
    /// Too many levels of components.
    #[error("components are nested too deeply")]
    TooDeep,
}

impl FlawKind {
    /// Whether a strict reader must refuse the file. The grammar allows a fold with a tab.
    pub fn breaks_grammar(&self) -> bool {
        *self != Self::FoldedByTab
    }
}
