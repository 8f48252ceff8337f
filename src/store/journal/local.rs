//! The local journal: the end of the segments on disk, where records are appended.
//!
//! One thread writes, and a record is durable once [`LocalJournal::append`] has returned.
//!
//! After a failed write or sync the end of the file cannot be trusted, since the kernel drops pages that it could not
//! write (fsync(2)). [`LocalJournal::repair`] cuts the untrusted end off and continues in a new file.

use super::record::encode;
use super::replay::JournalFindings;
use super::segment::{SEGMENT_HEAD, create};
use crate::store::directory::{FileIdentity, sync_directory};
use crate::store::error::StorageError;
use crate::store::rows::RowChanges;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The size after which a new segment is begun.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// Whether a write waits until its record is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IsDurable {
    Yes,
    NotYet,
}

/// The error for a group of commits that does not fit into a record.
pub(super) fn too_large() -> StorageError {
    StorageError::Failed("a group of commits is over 4 GiB".to_owned())
}

/// The end of the journal, open for writing.
pub(in crate::store) struct LocalJournal {
    dir: PathBuf,
    file: File,
    identity: FileIdentity,
    /// The end of the last acknowledged record.
    length: u64,
    /// The sequence of the last record.
    sequence: u64,
    /// Whether a write or sync failed.
    is_broken: bool,
}

impl LocalJournal {
    /// Continues after `sequence`: in the newest segment, or in a new one if `findings` have no tail.
    pub(in crate::store) fn open(
        dir: &Path,
        sequence: u64,
        findings: &JournalFindings,
    ) -> Result<Self, StorageError> {
        if let Some((segment, length)) = &findings.tail
            && *length < SEGMENT_BYTES
        {
            let file = OpenOptions::new().write(true).open(&segment.path)?;
            // Cuts off a torn end, and syncs the records that a killed process left in the page cache.
            file.set_len(*length)?;
            file.sync_all()?;
            sync_directory(dir)?;
            let identity = FileIdentity::of(&segment.path, &file)?;
            return Ok(Self {
                dir: dir.to_owned(),
                file,
                identity,
                length: *length,
                sequence,
                is_broken: false,
            });
        }
        let (file, identity) = create(dir, sequence.saturating_add(1))?;
        let (dir, length) = (dir.to_owned(), SEGMENT_HEAD as u64);
        Ok(Self { dir, file, identity, length, sequence, is_broken: false })
    }

    /// The sequence of the last record.
    pub(in crate::store) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Appends a record. Returns its sequence and size once it is on disk.
    ///
    /// After an error, no record is accepted until [`Self::repair`] has succeeded.
    pub(in crate::store) fn append(&mut self, changes: &RowChanges) -> Result<(u64, u64), StorageError> {
        let sequence = self.sequence + 1;
        let bytes = encode(sequence, changes).ok_or_else(too_large)?;
        self.write(&bytes, IsDurable::Yes)?;
        Ok((sequence, bytes.len() as u64))
    }

    /// Appends the next record of another journal, of which this one is a copy. The copy is not durable before
    /// [`super::segment::sync_newest`].
    pub(in crate::store) fn append_copy(&mut self, record: &[u8]) -> Result<(), StorageError> {
        self.write(record, IsDurable::NotYet)
    }

    fn write(&mut self, record: &[u8], is_durable: IsDurable) -> Result<(), StorageError> {
        if self.is_broken {
            return Err(StorageError::Failed("the journal waits for its repair".to_owned()));
        }
        if self.length >= SEGMENT_BYTES {
            if is_durable == IsDurable::NotYet {
                self.file.sync_data()?;
            }
            self.rotate()?;
        }
        self.is_broken = true;
        self.identity.check()?;
        self.file.write_all_at(record, self.length)?;
        if is_durable == IsDurable::Yes {
            self.file.sync_data()?;
        }
        self.is_broken = false;
        self.sequence += 1;
        self.length += record.len() as u64;
        Ok(())
    }

    /// Cuts off the rest of a failed write and begins a new segment. Afterwards the failed commit is certainly not in
    /// the journal.
    pub(in crate::store) fn repair(&mut self) -> Result<(), StorageError> {
        if !self.is_broken {
            return Ok(());
        }
        self.file.set_len(self.length)?;
        self.file.sync_all()?;
        self.rotate()?;
        self.is_broken = false;
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), StorageError> {
        (self.file, self.identity) = create(&self.dir, self.sequence + 1)?;
        self.length = SEGMENT_HEAD as u64;
        Ok(())
    }
}
