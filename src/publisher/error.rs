//! Why nothing was published.

use super::Held;
use crate::doctor::BackError;
use crate::import::Report;
use crate::program::SessionId;
use crate::store::{CommitError, OpenError, ReadError};
use chrono::{DateTime, Utc};

/// Why a proposal was not published. The running release goes on.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The program has errors.
    #[error("the program has errors")]
    Refused(Box<Report>),
    /// The guard holds it.
    #[error("the release waits for a confirmation: {}", .0.guarded.reasons.join("; "))]
    Held(Box<Held>),
    /// Another release was published meanwhile.
    #[error("release {running} runs by now; look at it before publishing over it")]
    Superseded {
        /// The running release.
        running: u64,
    },
    /// A release that is not kept with its text.
    #[error("release {number} is not kept with its program")]
    NotKept {
        /// Its number.
        number: u64,
    },
    /// An erasure of a session that is published.
    #[error("{session} is not withdrawn; publish it with the status `withdrawn` first")]
    NotWithdrawn {
        /// Its id.
        session: SessionId,
    },
    /// An erasure of a session that never was published.
    #[error("no release ever had a session {session}")]
    NoSession {
        /// Its id.
        session: SessionId,
    },
    /// A schedule for a time that is over.
    #[error("{at} is over; publish without a time")]
    Past {
        /// The time.
        at: DateTime<Utc>,
    },
    /// A feed of it would not say what the program says: a fault of Callboard, not of the file.
    #[error("nothing was published, since a feed would not say what the program says: {0}")]
    Unsound(#[from] BackError),
    /// It could not be persisted.
    #[error("the release could not be written")]
    Commit(#[from] CommitError),
    /// A call that waits in the spool could not be rewritten for an erasure.
    #[error("a waiting webhook call could not be rewritten; erase again when there is room")]
    Spool(#[source] std::io::Error),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// What is in the store cannot be served.
    #[error("the store's release could not be taken up")]
    Kept(#[source] Box<StartError>),
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping(#[from] tokio::task::JoinError),
}

impl PublishError {
    /// Whether the same proposal may be published later: the store failed, not the program.
    pub fn is_of_the_store(&self) -> bool {
        matches!(
            self,
            Self::Commit(CommitError::Full | CommitError::Unavailable(_))
                | Self::Read(ReadError::Unavailable(_))
        )
    }
}

/// Why there is nothing to serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A first start whose program has errors (exit 65).
    #[error("the program has errors, and there is no earlier release to serve")]
    BadProgram(Box<Report>),
    /// A first start without a program file (exit 65).
    #[error("there is no program: {path} cannot be read ({cause})")]
    NoProgram {
        /// Where it was looked for.
        path: String,
        /// Why not.
        cause: std::io::Error,
    },
    /// Another UID domain than that of release 1 (exit 78).
    #[error(
        "the config's uid_domain is {configured:?}, but release 1 was published with {stored:?}; write \
         uid_domain = {stored:?}, or every calendar would hold every session twice"
    )]
    UidDomain {
        /// What the config says.
        configured: String,
        /// What release 1 was published with.
        stored: String,
    },
    /// The program of the running release is not in the store.
    #[error("the store holds release {number} without its program")]
    Incomplete {
        /// The release.
        number: u64,
    },
    /// A feed would not say what the program says: a fault of this version of Callboard.
    #[error("nothing was published, since a feed would not say what the program says: {0}")]
    Unsound(#[from] BackError),
    /// The store cannot be opened (78 for a newer format).
    #[error("the data directory cannot be opened")]
    Open(#[from] OpenError),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// The first release could not be persisted.
    #[error("the release could not be written")]
    Commit(#[from] CommitError),
}

impl From<StartError> for PublishError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Read(error) => Self::Read(error),
            error => Self::Kept(Box::new(error)),
        }
    }
}
