//! Errors of publications and starts.

use super::Hold;
use crate::doctor::ParseBackError;
use crate::import::Report;
use crate::program::SessionId;
use crate::store::{CommitError, OpenError, ReadError};
use chrono::{DateTime, Utc};

/// Why a proposal was not published. The live release stays.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The program has errors.
    #[error("the program has errors")]
    Refused(Box<Report>),
    /// The guard holds the release.
    #[error("the release waits for a confirmation: {}", super::join_reasons(&.0.verdict.reasons))]
    Held(Box<Hold>),
    /// Another release was published meanwhile.
    #[error("release {live} was published meanwhile; look at it before you publish")]
    Superseded {
        /// The live release.
        live: u64,
    },
    /// The store has no program file of this release.
    #[error("the program of release {number} is not stored")]
    NotKept {
        /// The release's number.
        number: u64,
    },
    /// An erasure of a session that is published.
    #[error("{session} is not withdrawn; publish it with the status `withdrawn` first")]
    NotWithdrawn {
        /// The session's id.
        session: SessionId,
    },
    /// An erasure of a session that was never published.
    #[error("no release ever had a session {session}")]
    NoSession {
        /// The session's id.
        session: SessionId,
    },
    /// A schedule for a time in the past.
    #[error("{at} is in the past; publish without a time")]
    Past {
        /// The time.
        at: DateTime<Utc>,
    },
    /// A rendered feed does not parse back to the program: a bug of Callboard, not a fault of the file.
    #[error("nothing was published, because a feed differs from the program: {0}")]
    Unsound(#[from] ParseBackError),
    /// The release could not be persisted.
    #[error("the release could not be written")]
    Commit(#[from] CommitError),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// The newest release of the store could not be served.
    #[error("the newest release of the store could not be served")]
    Stored(#[source] Box<StartError>),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping(#[from] tokio::task::JoinError),
}

impl PublishError {
    /// The error with its cause.
    pub(super) fn with_cause(&self) -> String {
        match std::error::Error::source(self) {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }

    /// Whether a retry may succeed: the store failed, not the program.
    pub fn is_of_the_store(&self) -> bool {
        matches!(
            self,
            Self::Commit(CommitError::Full | CommitError::Unavailable(_))
                | Self::Read(ReadError::Unavailable(_))
        )
    }
}

/// Why a start has nothing to serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A first start whose program has errors (exit 65).
    #[error("the program has errors, and there is no earlier release to serve")]
    BadProgram(Box<Report>),
    /// A first start without a program file (exit 65).
    #[error("there is no program: {path} cannot be read ({cause})")]
    NoProgram {
        /// The program file's path.
        path: String,
        /// Why it cannot be read.
        cause: std::io::Error,
    },
    /// The config's UID domain differs from that of release 1 (exit 78).
    #[error(
        "the config's uid_domain is {configured:?}, but release 1 was published with {stored:?}; write \
         uid_domain = {stored:?}, or every calendar would hold every session twice"
    )]
    UidDomain {
        /// The config's UID domain.
        configured: String,
        /// The UID domain of release 1.
        stored: String,
    },
    /// The store has the newest release but not its program.
    #[error("the store holds release {number} without its program; restore a backup")]
    Incomplete {
        /// The release's number.
        number: u64,
    },
    /// A rendered feed does not parse back to the program: a bug of Callboard.
    #[error("nothing was published, because a feed differs from the program: {0}")]
    Unsound(#[from] ParseBackError),
    /// The store cannot be opened (78 for a newer format).
    #[error("the data directory cannot be opened")]
    Open(#[from] OpenError),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// A newer version rendered the live release.
    #[error(
        "callboard {version} published release {number}, and this version renders it differently; upgrade this replica"
    )]
    NewerRenderer {
        /// The newer version.
        version: String,
        /// The release's number.
        number: u64,
    },
    /// The first release could not be persisted.
    #[error("the release could not be written")]
    Commit(#[from] CommitError),
}

impl From<StartError> for PublishError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Read(error) => Self::Read(error),
            error => Self::Stored(Box::new(error)),
        }
    }
}
