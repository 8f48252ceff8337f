//! Where bytes break the grammar.

/// One broken place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// The physical line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is broken.
    pub kind: FlawKind,
}

/// How the grammar is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlawKind {
    /// Over the cap.
    #[error("the file is larger than 32 MiB, and the rest was not read")]
    TooLarge,
    /// Not UTF-8 (RFC 5545, 3.1.4).
    #[error("this line is not UTF-8")]
    NotUtf8,
    /// A byte order mark.
    #[error("the file starts with a byte order mark")]
    ByteOrderMark,
    /// LF alone; named once.
    #[error("lines end with LF alone, not CRLF")]
    BareLineFeed,
    /// The last line has no end.
    #[error("the last line has no line end: the file may have been cut off")]
    NoFinalLineEnd,
    /// More than 75 octets (3.1).
    #[error("this line has {0} octets, more than 75")]
    LongLine(usize),
    /// A fold between the octets of a character.
    #[error("a fold splits a character")]
    SplitCharacter,
    /// A fold by a tab, which RFC 5545 allows and some clients do not know.
    #[error("a line is continued with a tab")]
    FoldedByTab,
    /// A control character.
    #[error("the control character U+{:04X} stands in this line", u32::from(*.0))]
    Control(char),
    /// An empty line.
    #[error("an empty line")]
    BlankLine,
    /// A continuation of nothing.
    #[error("the first line continues another")]
    NothingToContinue,
    /// No value.
    #[error("this line has no colon")]
    NoColon,
    /// Not a name.
    #[error("the property's name holds other characters than letters, digits and hyphens")]
    BadName,
    /// Not a parameter.
    #[error("a parameter has no form NAME=value")]
    BadParameter,
    /// A quote that never closes.
    #[error("a quoted parameter is never closed")]
    UnclosedQuote,
    /// END without BEGIN.
    #[error("END:{0} closes nothing")]
    Unopened(String),
    /// END of another component than the open one.
    #[error("END:{0} stands where END:{1} is due")]
    Mismatched(String, String),
    /// BEGIN without END.
    #[error("{0} is never closed: the file may have been cut off")]
    Unclosed(String),
    /// A property outside of every component.
    #[error("{0} stands outside of every component")]
    Outside(String),
    /// Components within components without end.
    #[error("components are nested too deeply")]
    TooDeep,
}

impl FlawKind {
    /// Whether a strict reader must refuse the file: a fold by a tab is allowed by the grammar.
    pub fn breaks_grammar(&self) -> bool {
        *self != Self::FoldedByTab
    }
}
