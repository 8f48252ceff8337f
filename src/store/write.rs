//! What can be written.

use super::{AgendaRecord, LinkTarget, ReleaseRecord, ReleaseWrite};
use crate::revision::{Digest, Entry};

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
    /// Keeps a small named value.
    PutNote {
        /// Which.
        name: String,
        /// The value.
        value: Vec<u8>,
    },
    /// Forgets a named value.
    DropNote {
        /// Which.
        name: String,
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

impl Write {
    /// Keeps a small named value, or forgets it where there is none.
    pub fn note(name: String, value: Option<Vec<u8>>) -> Self {
        match value {
            Some(value) => Self::PutNote { name, value },
            None => Self::DropNote { name },
        }
    }
}
