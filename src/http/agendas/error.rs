//! Why a change of an agenda was not made. No text here holds a token.

use crate::agenda::{LONGEST_NAME, MOST_LINKS, MOST_PICKS};
use crate::store::{CommitError, ReadError};

/// Why not.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AgendaError {
    /// Malformed, unknown, replaced or deleted: nobody is told which.
    #[error("this edit key opens no agenda")]
    UnknownKey,
    /// A session that the program does not show.
    #[error("there is no such session")]
    NoSuchSession,
    /// Sessions of a list that the program does not show, as they were written.
    #[error("some sessions do not exist")]
    UnknownSessions(Vec<String>),
    /// A number that no link of the agenda ever had.
    #[error("there is no such link")]
    NoSuchLink,
    /// Too many picks.
    #[error("an agenda holds {MOST_PICKS} sessions at most")]
    TooManyPicks,
    /// Too many links.
    #[error("an agenda has {MOST_LINKS} links at most; revoke one first")]
    TooManyLinks,
    /// A name or label that is too long; holds its field.
    #[error("a name has {LONGEST_NAME} characters at most")]
    NameTooLong(&'static str),
    /// It is no longer of the version that the change was meant for.
    #[error("the agenda was changed in the meantime")]
    Changed,
    /// The store did not take it.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The system gave no random bytes for a key.
    #[error("no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}
