//! The journal: the log of commits, behind one door. A commit is acknowledged once the journal has its record.
//!
//! There are two journals. A [`local`] one owns `DIR/journal/`: segments that only grow. A [`shared`] one is a log in a
//! PostgreSQL database, to which several replicas append; each replica keeps a local journal as its copy. Sequences have
//! no gaps. The journal stores rows and does not interpret them.

pub(super) mod chain;
pub(super) mod local;
pub(super) mod record;
pub(super) mod replay;
pub(super) mod segment;
pub(super) mod shared;

use super::error::StorageError;
use super::rows::RowChanges;
use chain::Chain;
use local::LocalJournal;
use record::JournalRecord;
use shared::SharedJournal;

/// The journal of an open store.
pub(super) enum Journal {
    Local(LocalJournal),
    Shared(Box<SharedJournal>),
}

/// The result of an append that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appended {
    /// The journal has the record.
    Ours {
        sequence: u64,
        /// The bytes that the local files have grown by.
        bytes: u64,
        /// The hash of the shared log up to the record; none for a local journal.
        chain: Option<Chain>,
    },
    /// Another replica appended first. [`Journal::follow`] returns its record, and then the group is planned again.
    Overtaken,
}

/// Records that other replicas appended.
pub(super) struct Followed {
    pub(super) records: Vec<JournalRecord>,
    /// The id of the replica that wrote each record.
    pub(super) writers: Vec<String>,
    /// The bytes that the local files have grown by.
    pub(super) bytes: u64,
    /// The hash of the shared log up to the last record.
    pub(super) chain: Chain,
    /// Whether the log may have more records.
    pub(super) has_more: bool,
}

impl Journal {
    /// The sequence of the last record.
    pub(super) fn sequence(&self) -> u64 {
        match self {
            Self::Local(journal) => journal.sequence(),
            Self::Shared(journal) => journal.sequence(),
        }
    }

    /// Appends a record. It is durable if the result is [`Appended::Ours`].
    ///
    /// After an error, no record is accepted until [`Self::repair`] has succeeded.
    pub(super) fn append(&mut self, changes: &RowChanges) -> Result<Appended, StorageError> {
        match self {
            Self::Local(journal) => {
                let (sequence, bytes) = journal.append(changes)?;
                Ok(Appended::Ours { sequence, bytes, chain: None })
            }
            Self::Shared(journal) => journal.append(changes),
        }
    }

    /// Reads the next records of other replicas. A local journal has none.
    pub(super) fn follow(&mut self) -> Result<Option<Followed>, StorageError> {
        match self {
            Self::Local(_) => Ok(None),
            Self::Shared(journal) => journal.follow(),
        }
    }

    /// Makes the journal usable after a failed append. Afterwards a local journal certainly lacks the failed record; a
    /// shared one may have it, and [`Self::follow`] then returns it.
    pub(super) fn repair(&mut self) -> Result<(), StorageError> {
        match self {
            Self::Local(journal) => journal.repair(),
            Self::Shared(journal) => journal.repair(),
        }
    }

    /// Refuses all further use of a shared log.
    pub(super) fn stop(&mut self, cause: &str) {
        if let Self::Shared(journal) = self {
            _ = journal.stop(StorageError::Failed(cause.to_owned()));
        }
    }

    /// Whether other replicas append too.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }
}
