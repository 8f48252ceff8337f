//! The rules of writing: they turn a stored record and a write into the new record, or into a conflict.
//!
//! The rules are pure and know neither keys, rows, files nor databases, so every journal can use the same rules. An
//! `Err` is always [`CommitError::Conflict`]. A write succeeds if the record is already as the write wants it, so a
//! write can be repeated.

use super::error::CommitError;
use super::record::agenda::{LinkBucket, LinkTarget};
use super::record::release::{LedgerBase, LedgerHead, ReleaseSummary};
use super::write::ReleaseWrite;
use crate::revision::{Digest, Entry};

fn require(holds: bool) -> Result<(), CommitError> {
    if holds { Ok(()) } else { Err(CommitError::Conflict) }
}

/// An agenda may be written over the expected version, with a higher version. `is_same` means that the stored record is
/// equal.
pub(super) fn put_agenda(
    stored: Option<u64>,
    expect: Option<u64>,
    version: u64,
    is_same: bool,
) -> Result<(), CommitError> {
    require(is_same || (stored == expect && expect.is_none_or(|read| version > read)))
}

/// A record is as it was read.
pub(super) fn expect_version(stored: Option<u64>, version: Option<u64>) -> Result<(), CommitError> {
    require(stored == version)
}

/// A record with a version may be written over the expected version, with a higher version. `is_same` means that the
/// stored record is equal.
pub(super) fn put_versioned(
    stored: Option<u64>,
    expect: Option<u64>,
    version: Option<u64>,
    is_same: bool,
) -> Result<(), CommitError> {
    let rises = version.is_none_or(|version| expect.is_none_or(|read| version > read));
    require(is_same || (stored == expect && rises))
}

/// Only an agenda that exists may get subscriptions: nothing would erase them otherwise. Subscriptions to public calendars
/// expire.
pub(super) fn put_subscriptions(has_agenda: bool, is_public: bool) -> Result<(), CommitError> {
    require(has_agenda || is_public)
}

/// A temporary record may be taken once.
pub(super) fn take_temporary(exists: bool) -> Result<(), CommitError> {
    require(exists)
}

/// An agenda may be deleted if it has the expected version. Without an expected version, any version may be deleted.
pub(super) fn delete_agenda(stored: Option<u64>, expect: Option<u64>) -> Result<(), CommitError> {
    require(expect.is_none() || stored == expect)
}

/// The bucket of links after one link was set or removed; none if the bucket is empty.
pub(super) fn set_link(
    stored: Option<LinkBucket>,
    hash: &Digest,
    target: Option<LinkTarget>,
) -> Option<LinkBucket> {
    let mut links = stored.unwrap_or_default();
    links.set(*hash, target);
    (!links.is_empty()).then_some(links)
}

/// A piece may be written only for a release after the live one.
pub(super) fn put_piece(live: Option<&LedgerHead>, release: u64) -> Result<(), CommitError> {
    require(live.map_or(0, |head| head.release) < release)
}

/// The ledger's head after a publication. The live release must be the one that the new release was made from.
pub(super) fn publish(live: Option<&LedgerHead>, write: &ReleaseWrite) -> Result<LedgerHead, CommitError> {
    let number = write.record.number;
    let follows = write.head.release > write.expect && write.head.release == number;
    let is_next = live.map_or(0, |head| head.release) == write.expect && follows;
    require(is_next || live.is_some_and(|live| live.is_same(&write.head)))?;
    let base = match write.staged.ledger {
        0 => live.map(|head| head.base).unwrap_or_default(),
        pieces => LedgerBase { release: number, pieces },
    };
    Ok(LedgerHead { base, ..write.head.clone() })
}

/// The summary of a published release. It counts the changes that were written in pieces.
pub(super) fn published_summary(write: &ReleaseWrite) -> ReleaseSummary {
    let summary = write.record.summary();
    ReleaseSummary { changes: summary.changes + write.staged.changed, ..summary }
}

/// A release may be rewritten if it is stored.
pub(super) fn rewrite_release(stored: Option<&ReleaseSummary>) -> Result<(), CommitError> {
    require(stored.is_some())
}

/// The summary of a release whose program was removed.
pub(super) fn drop_program(stored: ReleaseSummary) -> ReleaseSummary {
    ReleaseSummary { complete: false, ..stored }
}

/// An entry may be rewritten if it was not revised since it was read.
pub(super) fn rewrite_entry(stored: &Entry, entry: &Entry) -> Result<(), CommitError> {
    require(stored.number == entry.number && stored.revision == entry.revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFLICT: Result<(), CommitError> = Err(CommitError::Conflict);

    #[test]
    fn an_agenda_is_written_over_the_version_that_was_read() {
        assert_eq!(put_agenda(None, None, 1, false), Ok(()));
        assert_eq!(put_agenda(Some(1), Some(1), 2, false), Ok(()));
        assert_eq!(put_agenda(Some(2), Some(1), 2, true), Ok(()), "the same write again");
        assert_eq!(put_agenda(Some(1), None, 1, false), CONFLICT, "it exists");
        assert_eq!(put_agenda(Some(2), Some(1), 2, false), CONFLICT, "it was changed since");
        assert_eq!(put_agenda(None, Some(1), 2, false), CONFLICT, "it was deleted");
        assert_eq!(put_agenda(Some(2), Some(2), 2, false), CONFLICT, "its version does not rise");
    }

    #[test]
    fn a_record_is_as_it_was_read_only_in_its_version() {
        assert_eq!((expect_version(Some(2), Some(2)), expect_version(None, None)), (Ok(()), Ok(())));
        let others = [(Some(3), Some(2)), (None, Some(2)), (Some(2), None)];
        assert!(others.iter().all(|(stored, read)| expect_version(*stored, *read) == CONFLICT));
    }

    #[test]
    fn an_agenda_is_deleted_in_the_version_that_was_read() {
        assert_eq!(delete_agenda(Some(2), Some(2)), Ok(()));
        assert_eq!(delete_agenda(Some(2), Some(1)), CONFLICT);
        assert_eq!(delete_agenda(None, Some(1)), CONFLICT);
        assert_eq!((delete_agenda(Some(2), None), delete_agenda(None, None)), (Ok(()), Ok(())));
    }

    #[test]
    fn the_last_removed_link_removes_the_record() {
        let (hash, target) = (Digest([1; 32]), LinkTarget::Agenda(Digest([2; 32])));
        let links = set_link(None, &hash, Some(target)).unwrap();
        assert_eq!(links.target(&hash), Some(target));
        assert_eq!(set_link(Some(links), &hash, None), None);
    }
}
