//! Why the store could not be opened, read or written. No error names a token, since the store never sees one.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Why a data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another store of this process, has the directory open.
    #[error("the data directory {} is in use by another callboard; stop that one, or choose another with --data", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// A newer version of Callboard wrote the directory.
    #[error(
        "the data directory {} is in format {found}, and this callboard knows formats up to {known}; \
         run the newer callboard, or restore a backup that this one made", dir.display()
    )]
    Newer {
        /// The directory.
        dir: PathBuf,
        /// The format of the directory.
        found: u8,
        /// The newest format that this version reads.
        known: u8,
    },
    /// The directory holds other conferences, and not this one.
    #[error(
        "the data directory {} holds the conference {}, and the config is for {wanted}; write slug = {:?} under \
         [conference], name another directory with --data, or begin a conference of that name beside it with \
         --new-conference", dir.display(), found.join(", "), found.first().map_or("", String::as_str)
    )]
    OtherConference {
        /// The directory.
        dir: PathBuf,
        /// The slugs of its conferences.
        found: Vec<String>,
        /// The slug in the config.
        wanted: String,
    },
    /// The directory is a replica's copy, and no database is configured.
    #[error(
        "the data directory {} is a copy of the log in a database; name the database with --database or `database`, or \
         make the copy a store of its own with `callboard move --from-database`", dir.display()
    )]
    Replica {
        /// The directory.
        dir: PathBuf,
    },
    /// A database is configured, and the directory holds a store of its own.
    #[error(
        "the data directory {} holds a store of its own, not a copy of the log in the database; move it into the \
         database with `callboard move --to-database`, or name an empty directory with --data", dir.display()
    )]
    NotAReplica {
        /// The directory.
        dir: PathBuf,
    },
    /// The database cannot be used, and there is no copy to start from.
    #[error("the data directory {} has no copy of the log yet, and {cause}", dir.display())]
    Database {
        /// The directory.
        dir: PathBuf,
        /// The database's error.
        cause: String,
    },
    /// A failover of the database may lose acknowledged writes.
    #[error(
        "the database {database} has {standbys} asynchronous standbys and no synchronous one, so a failover may lose \
         acknowledged picks; set synchronous_standby_names in the database, or accept the loss with \
         acknowledge_loss = true"
    )]
    MayLose {
        /// The database.
        database: String,
        /// How many standbys.
        standbys: usize,
    },
    /// The directory cannot be created, read or written.
    #[error("the data directory {} cannot be used: {cause}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// The database in the directory does not open.
    #[error("the store in {} does not open: {cause}", dir.display())]
    Engine {
        /// The directory.
        dir: PathBuf,
        /// The database's error.
        cause: String,
    },
    /// The database panicked while it was opened. The next process rebuilds it.
    #[error("the database in {} is damaged beyond reading ({cause}); the next start rebuilds it", dir.display())]
    Panicked {
        /// The directory.
        dir: PathBuf,
        /// The database's error.
        cause: String,
    },
}

impl StorageError {
    /// The result of a commit while the store refuses writes because of this error.
    pub(super) fn refusal(&self) -> CommitError {
        match self {
            Self::Full => CommitError::Full,
            cause => CommitError::Unavailable(format!("it refuses writes: {cause}")),
        }
    }
}

impl OpenError {
    /// Whether the directory can be read but not written: a read-only mount, or another user's directory.
    pub fn is_read_only(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        matches!(self, Self::Directory { cause, .. } if matches!(cause.kind(), ReadOnlyFilesystem | PermissionDenied))
    }

    /// The same error with the path `place`. Errors about the copy in a snapshot then name the original directory.
    pub(super) fn of_directory(mut self, place: &Path) -> Self {
        match &mut self {
            Self::Locked { dir }
            | Self::Newer { dir, .. }
            | Self::OtherConference { dir, .. }
            | Self::Directory { dir, .. }
            | Self::Engine { dir, .. }
            | Self::Replica { dir }
            | Self::NotAReplica { dir }
            | Self::Database { dir, .. }
            | Self::Panicked { dir, .. } => place.clone_into(dir),
            Self::MayLose { .. } => {}
        }
        self
    }
}

/// Why a record could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A newer version of Callboard wrote this record.
    #[error("a stored {what} is in format {found}, and this callboard knows formats up to {known}")]
    Newer {
        /// The kind of record.
        what: &'static str,
        /// The record's format.
        found: u8,
        /// The newest format that this version reads.
        known: u8,
    },
    /// The stored bytes differ from those that were written.
    #[error("a stored {what} is damaged: {cause}")]
    Damaged {
        /// The kind of record.
        what: &'static str,
        /// What is wrong with the record.
        cause: String,
    },
    /// The store is closed, or it is being reopened after a failure.
    #[error("the store cannot be read at the moment: {0}")]
    Unavailable(String),
}

/// Why a commit was not acknowledged.
///
/// After [`Self::Conflict`] and [`Self::TooLarge`], nothing of the commit was written. After [`Self::Full`] and
/// [`Self::Unavailable`] the outcome is unknown until the store accepts writes again. From then on nothing of the
/// commit is in the store, unless the journal had it before the index failed. A caller that needs the outcome reads the
/// record again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Another commit changed a record since it was read.
    #[error("the record was changed in the meantime")]
    Conflict,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// A write or sync failed and the store has not recovered yet, the queue is full, or the store is closed.
    #[error("the store refuses writes at the moment: {0}")]
    Unavailable(String),
    /// A record or commit is larger than the store's limit.
    #[error("the record is too large to be stored")]
    TooLarge,
}

/// Why sled or the file system under it failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StorageError {
    /// No space is left, or a quota or size limit is reached.
    #[error("the disk is full")]
    Full,
    /// sled panicked. Its process-wide state cannot be trusted afterwards.
    #[error("the database panicked: {0}")]
    Panicked(String),
    /// The database that holds the shared log cannot be reached.
    #[error("{0}")]
    Away(String),
    /// The database lacks an entry that this replica has read or acknowledged.
    #[error("{0}")]
    Diverged(String),
    /// Any other error.
    #[error("{0}")]
    Failed(String),
}

impl From<io::Error> for StorageError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::Full,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<StorageError> for ReadError {
    fn from(error: StorageError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
