//! Why the store could not be opened, read or written. Nothing here names a token: the store never sees one.

use super::engine::EngineError;
use std::io;
use std::path::{Path, PathBuf};

/// Why a data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process (or another [`super::Store`]) has it open.
    #[error("the data directory {} is in use by another callboard; stop that one, or choose another with --data", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// A later version of Callboard wrote it; this one would misread it.
    #[error(
        "the data directory {} is in format {found}, and this callboard knows formats up to {known}; \
         run the newer callboard, or restore a backup that this one made", dir.display()
    )]
    Newer {
        /// The directory.
        dir: PathBuf,
        /// The format that it is in.
        found: u8,
        /// The newest format that this version reads.
        known: u8,
    },
    /// It holds the releases of other conferences, and none of this one.
    #[error(
        "the data directory {} holds the conference {}, and the config is for {wanted}; write slug = {:?} under \
         [conference], name another directory with --data, or begin a conference of that name beside it with \
         --new-conference", dir.display(), found.join(", "), found.first().map_or("", String::as_str)
    )]
    OtherConference {
        /// The directory.
        dir: PathBuf,
        /// The slugs of the conferences that it holds.
        found: Vec<String>,
        /// The slug in the config.
        wanted: String,
    },
    /// The directory cannot be made, read or written.
    #[error("the data directory {} cannot be used: {cause}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The database in it does not open.
    #[error("the store in {} does not open: {cause}", dir.display())]
    Engine {
        /// The directory.
        dir: PathBuf,
        /// What the database said.
        cause: String,
    },
    /// The database panicked over what it found. The next opening, in a process of its own, makes it anew.
    #[error("the database in {} is damaged beyond reading ({cause}); the next start makes it anew", dir.display())]
    Panicked {
        /// The directory.
        dir: PathBuf,
        /// What the database said.
        cause: String,
    },
}

impl OpenError {
    /// Whether the directory can be read and not written to: a read-only mount, or another user's.
    pub fn is_read_only(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self, Self::Directory { cause, .. } if matches!(cause.kind(), ReadOnlyFilesystem | PermissionDenied))
    }

    /// The same of another directory: of the one that a snapshot was taken of.
    pub(super) fn of_directory(mut self, place: &Path) -> Self {
        match &mut self {
            Self::Locked { dir }
            | Self::Newer { dir, .. }
            | Self::OtherConference { dir, .. }
            | Self::Directory { dir, .. }
            | Self::Engine { dir, .. }
            | Self::Panicked { dir, .. } => place.clone_into(dir),
        }
        self
    }

    pub(super) fn of(dir: &Path, error: EngineError) -> Self {
        let dir = dir.to_owned();
        match error {
            EngineError::Panicked(cause) => Self::Panicked { dir, cause },
            error => Self::Engine { dir, cause: error.to_string() },
        }
    }
}

/// Why a record could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A later version of Callboard wrote this record.
    #[error("a stored {what} is in format {found}, and this callboard knows formats up to {known}")]
    Newer {
        /// Which kind of record.
        what: &'static str,
        /// The format that it is in.
        found: u8,
        /// The newest format that this version reads.
        known: u8,
    },
    /// The record is not what was written.
    #[error("a stored {what} is damaged: {cause}")]
    Damaged {
        /// Which kind of record.
        what: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// The store is closed, or is being reopened after a failure.
    #[error("the store cannot be read at the moment: {0}")]
    Unavailable(String),
}

/// Why a commit was not acknowledged.
///
/// After [`Self::Conflict`] and [`Self::TooLarge`] nothing of the commit was written. After [`Self::Full`]
/// and [`Self::Unavailable`] nothing is there once the store takes writes again, but for one case: the journal
/// had taken it and the index could not be opened any more; then it is there. While the store takes no writes,
/// a crash may bring either. Whoever needs to know reads the record again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Somebody else changed a record since it was read.
    #[error("the record was changed in the meantime")]
    Conflict,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// A write or sync failed and the store was not reopened yet, the queue is full, or the store is closed.
    #[error("the store takes no writes at the moment: {0}")]
    Unavailable(String),
    /// A record is larger than the store takes.
    #[error("the record is too large to be stored")]
    TooLarge,
}
