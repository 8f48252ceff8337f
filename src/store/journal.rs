//! The journal: the log of commits. A commit is acknowledged once its record is on disk here.
//!
//! Owns `DIR/journal/`: segments that only grow, each named by the sequence of its first record. Sequences have no
//! gaps. The journal stores rows and does not interpret them. One thread writes, and a record is durable once
//! [`Journal::append`] has returned.
//!
//! After a failed write or sync the end of the file cannot be trusted, since the kernel drops pages that it could not
//! write (fsync(2)). [`Journal::repair`] cuts the untrusted end off and continues in a new file.

pub(super) mod replay;
pub(super) mod segment;

use super::cell::Changes;
use super::directory::{FileIdentity, remove_file, sync_directory};
use super::error::StorageError;
use replay::Findings;
use segment::{SEGMENT_HEAD, Segment, encode, segment_head, segments};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The size after which a new segment is begun.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// Removes the segments whose records are all in the checkpoint of `sequence`. The newest segment stays.
pub(super) fn prune(dir: &Path, sequence: u64) -> io::Result<()> {
    let segments = segments(dir)?;
    for pair in segments.windows(2) {
        if let [old, next] = pair
            && next.first <= sequence.saturating_add(1)
        {
            std::fs::remove_file(&old.path)?;
        }
    }
    sync_directory(dir)
}

/// Creates the journal of a new store. A journal that has its first segment is complete.
pub(super) fn begin(dir: &Path) -> Result<(), StorageError> {
    create(dir, 1).map(drop)
}

/// The end of the journal, open for writing.
pub(super) struct Journal {
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

impl Journal {
    /// Continues after `sequence`: in the newest segment, or in a new one if `findings` have no tail.
    pub(super) fn open(dir: &Path, sequence: u64, findings: &Findings) -> Result<Self, StorageError> {
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
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Appends a record. Returns its sequence and size once it is on disk.
    ///
    /// After an error, no record is accepted until [`Self::repair`] has succeeded.
    pub(super) fn append(&mut self, changes: &Changes) -> Result<(u64, u64), StorageError> {
        if self.is_broken {
            return Err(StorageError::Failed("the journal waits for its repair".to_owned()));
        }
        if self.length >= SEGMENT_BYTES {
            self.rotate()?;
        }
        let sequence = self.sequence + 1;
        let bytes = encode(sequence, changes)
            .ok_or_else(|| StorageError::Failed("a group of commits is over 4 GiB".to_owned()))?;
        self.is_broken = true;
        self.identity.check()?;
        self.file.write_all_at(&bytes, self.length)?;
        self.file.sync_data()?;
        self.is_broken = false;
        self.sequence = sequence;
        self.length += bytes.len() as u64;
        Ok((sequence, bytes.len() as u64))
    }

    /// Cuts off the rest of a failed write and begins a new segment. Afterwards the failed commit is certainly not in
    /// the journal.
    pub(super) fn repair(&mut self) -> Result<(), StorageError> {
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

/// Creates a segment and makes it durable. An older file of that name has no acknowledged record: otherwise the next
/// segment would have a later name.
fn create(dir: &Path, first: u64) -> Result<(File, FileIdentity), StorageError> {
    let segment = Segment::new(dir, first);
    remove_file(&segment.path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&segment.path)?;
    file.write_all(&segment_head(first))?;
    file.sync_all()?;
    // A later sync may not cover a failed one (fsync(2)), so a retry must create the file again.
    sync_directory(dir).inspect_err(|_| drop(remove_file(&segment.path)))?;
    let identity = FileIdentity::of(&segment.path, &file)?;
    Ok((file, identity))
}
