//! What can be written.

use super::record::named::{ImportedFile, NamedRecord, RecordName, Schedule};
use super::{AgendaRecord, LinkTarget, ReleaseRecord, ReleaseWrite};
use crate::revision::{Digest, Entry};
use bytes::Bytes;

/// One change of the store, as the state that is to be. Doing it twice is doing it once.
///
/// A compare-and-set holds too where the record already is what it is to become.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Makes or changes an agenda.
    PutAgenda {
        /// SHA-256 of the edit key.
        key: Digest,
        /// The version that was read; none where the agenda must not exist yet.
        expect: Option<u64>,
        /// The agenda after it, of a later version than the expected one.
        record: AgendaRecord,
    },
    /// Takes an agenda away. Its links are changed by writes of their own in the same commit.
    DeleteAgenda {
        /// SHA-256 of the edit key.
        key: Digest,
        /// The version that was read; none deletes whichever is there.
        expect: Option<u64>,
    },
    /// Says where a read link leads.
    PutLink {
        /// SHA-256 of its token.
        hash: Digest,
        /// Where it leads from now on.
        target: LinkTarget,
    },
    /// Forgets a read link: its token was never issued.
    DropLink {
        /// SHA-256 of its token.
        hash: Digest,
    },
    /// Stores a record with a fixed name.
    PutNamed(NamedRecord),
    /// Removes a record with a fixed name.
    DropNamed(RecordName),
    /// Stores or removes any bytes under any name, for tests of damaged records.
    #[doc(hidden)]
    PutRaw {
        /// The name.
        name: String,
        /// The bytes; `None` removes them.
        value: Option<Vec<u8>>,
    },
    /// Publishes.
    PutRelease(Box<ReleaseWrite>),
    /// Rewrites a kept release, for an erasure. Conflicts where there is no release of that number.
    RewriteRelease {
        /// The release as it is to be kept.
        record: Box<ReleaseRecord>,
        /// Its program as it is to be kept; none leaves it as it is.
        csv: Option<Vec<u8>>,
    },
    /// Rewrites a session's entry in the ledger, for an erasure: its text may go, but number, sequence and
    /// time stay. Conflicts where the entry does not exist or was revised since it was read.
    RewriteEntry {
        /// The entry as it is to be kept.
        entry: Box<Entry>,
    },
    /// Forgets a release's program; the release stays in the list, no longer complete.
    DropReleaseText {
        /// Its number.
        n: u64,
    },
}

impl From<NamedRecord> for Write {
    fn from(record: NamedRecord) -> Self {
        Self::PutNamed(record)
    }
}

impl From<ImportedFile> for Write {
    fn from(file: ImportedFile) -> Self {
        Self::PutNamed(NamedRecord::ImportedFile(file))
    }
}

impl Write {
    /// Schedules a release, in place of what is scheduled.
    pub fn schedule(schedule: Schedule, csv: impl Into<Bytes>) -> Self {
        Self::PutNamed(NamedRecord::Schedule(schedule, csv.into()))
    }

    /// Stores bytes under a name that the product does not use, or damaged ones under one that it uses. For tests.
    #[doc(hidden)]
    pub fn raw(name: &str, value: impl Into<Vec<u8>>) -> Self {
        Self::PutRaw { name: name.to_owned(), value: Some(value.into()) }
    }
}
