//! The segments of a local journal: their names, their heads, and which of them a checkpoint makes superfluous.
//!
//! ```text
//! segment  "callboard journal 1\n", first sequence (u64), CRC-32C of both (u32); then records
//! ```

use crate::store::directory::{FileIdentity, numbered_files, remove_file, sync_directory};
use crate::store::error::StorageError;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 20] = b"callboard journal 1\n";
/// The bytes of a segment's head.
pub(in crate::store) const SEGMENT_HEAD: usize = MAGIC.len() + 12;
const SUFFIX: &str = "journal";

/// A segment on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct JournalSegment {
    /// The sequence of its first record.
    pub(in crate::store) first: u64,
    pub(in crate::store) path: PathBuf,
}

impl JournalSegment {
    pub(super) fn new(dir: &Path, first: u64) -> Self {
        Self { first, path: dir.join(format!("{first:020}.{SUFFIX}")) }
    }
}

/// The segments in a directory, the oldest first.
pub(in crate::store) fn segments(dir: &Path) -> io::Result<Vec<JournalSegment>> {
    let files = numbered_files(dir, SUFFIX)?;
    let mut segments: Vec<_> =
        files.into_iter().map(|(first, path)| JournalSegment { first, path }).collect();
    segments.sort();
    Ok(segments)
}

/// Syncs the newest segment of a copy, whose records are not synced one by one.
pub(in crate::store) fn sync_newest(dir: &Path) -> io::Result<()> {
    match segments(dir)?.pop() {
        Some(newest) => File::open(newest.path)?.sync_data(),
        None => Ok(()),
    }
}

/// The head of a segment.
fn segment_head(first: u64) -> Vec<u8> {
    let mut head = [MAGIC.as_slice(), &first.to_le_bytes()].concat();
    head.extend_from_slice(&crc32c::crc32c(&head).to_le_bytes());
    head
}

/// Whether bytes are the head of a segment.
pub(super) fn is_segment_head(head: &[u8; SEGMENT_HEAD], first: u64) -> bool {
    head.as_slice() == segment_head(first)
}

/// Removes the segments whose records are all in the checkpoint of `sequence`. The newest segment stays.
pub(in crate::store) fn prune(dir: &Path, sequence: u64) -> io::Result<()> {
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
pub(in crate::store) fn begin(dir: &Path) -> Result<(), StorageError> {
    create(dir, 1).map(drop)
}

/// Creates a segment and makes it durable. An older file of that name has no acknowledged record: otherwise the next
/// segment would have a later name.
pub(super) fn create(dir: &Path, first: u64) -> Result<(File, FileIdentity), StorageError> {
    let segment = JournalSegment::new(dir, first);
    remove_file(&segment.path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&segment.path)?;
    file.write_all(&segment_head(first))?;
    file.sync_all()?;
    // A later sync may not cover a failed one (fsync(2)), so a retry must create the file again.
    sync_directory(dir).inspect_err(|_| drop(remove_file(&segment.path)))?;
    let identity = FileIdentity::of(&segment.path, &file)?;
    Ok((file, identity))
}
