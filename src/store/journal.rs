//! The journal: what an acknowledgement waits for.
//!
//! Owns `DIR/journal/`: segments that only grow, each a head and [`record`]s one after the other, numbered
//! without a gap. It knows rows, not what they mean. One thread writes; a record is there for good once
//! [`Journal::append`] returned. A segment is named by the sequence of its first record.
//!
//! ```text
//! segment  "callboard journal 1\n", first sequence (u64), CRC-32C of both (u32); then records
//! ```
//!
//! A write or sync that failed leaves a tail that nobody may trust, since a kernel forgets what it could not
//! write (fsync(2)): [`Journal::mend`] cuts it off and goes on in a new file.

mod reader;
mod record;
mod replay;

pub(super) use reader::{Reader, Step};
pub(super) use record::{Record, encode};
pub(super) use replay::{Findings, WITHOUT_JOURNAL, replay};

use super::engine::EngineError;
use super::files::{remove_file, sync_directory};
use super::lock::Held;
use super::plan::Changes;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 20] = b"callboard journal 1\n";
const SEGMENT_HEAD: usize = MAGIC.len() + 12;

/// A segment that reached this is followed by a new one.
const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

const SUFFIX: &str = "journal";

/// A segment on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment {
    /// The sequence that its first record has or would have.
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

impl Segment {
    fn of(dir: &Path, first: u64) -> Self {
        Self { first, path: dir.join(format!("{first:020}.{SUFFIX}")) }
    }

    pub(super) fn reader(&self) -> io::Result<Reader> {
        Reader::open(self)
    }

    /// Whether it is what was written, from the first byte to the last.
    pub(super) fn is_whole(&self) -> io::Result<bool> {
        let mut reader = self.reader()?;
        if !reader.head_is_whole() {
            return Ok(false);
        }
        let mut next = self.first;
        loop {
            match reader.step()? {
                Step::Record(record) if record.sequence == next => next += 1,
                Step::End => return Ok(true),
                _ => return Ok(false),
            }
        }
    }
}

/// The segments in a directory, the oldest first.
pub(super) fn segments(dir: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let first = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let (Some(first), true) = (first, path.extension().is_some_and(|found| found == SUFFIX)) {
            segments.push(Segment { first, path });
        }
    }
    segments.sort();
    Ok(segments)
}

/// Removes the segments whose records a checkpoint of `sequence` holds, but for the one that is written to.
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

/// Begins the journal of a new store: what has a first segment holds everything.
pub(super) fn begin(dir: &Path) -> Result<(), EngineError> {
    create(dir, 1).map(drop)
}

/// The end of the journal, open for writing.
pub(super) struct Journal {
    dir: PathBuf,
    file: File,
    held: Held,
    /// Where the last record that was acknowledged ends.
    length: u64,
    /// Of the last record.
    sequence: u64,
    is_broken: bool,
}

impl Journal {
    /// Goes on after `sequence`, in the newest segment where [`replay`] found that sound, else in a new one.
    pub(super) fn open(dir: &Path, sequence: u64, findings: &Findings) -> Result<Self, EngineError> {
        if let Some((segment, length)) = &findings.tail
            && *length < SEGMENT_BYTES
        {
            let file = OpenOptions::new().write(true).open(&segment.path)?;
            // Cuts the torn end off, and makes sure of what a killed process left in the page cache only.
            file.set_len(*length)?;
            file.sync_all()?;
            sync_directory(dir)?;
            let held = Held::of(&segment.path, &file)?;
            return Ok(Self { dir: dir.to_owned(), file, held, length: *length, sequence, is_broken: false });
        }
        let (file, held) = create(dir, sequence.saturating_add(1))?;
        let (dir, length) = (dir.to_owned(), SEGMENT_HEAD as u64);
        Ok(Self { dir, file, held, length, sequence, is_broken: false })
    }

    /// The sequence of the last record.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Writes a record and returns its sequence and size when it is on disk.
    ///
    /// After an error nothing more is taken until [`Self::mend`] went through.
    pub(super) fn append(&mut self, changes: &Changes) -> Result<(u64, u64), EngineError> {
        if self.is_broken {
            return Err(EngineError::Failed("the journal waits to be mended".to_owned()));
        }
        if self.length >= SEGMENT_BYTES {
            self.rotate()?;
        }
        let sequence = self.sequence + 1;
        let bytes = encode(sequence, changes)
            .ok_or_else(|| EngineError::Failed("a group of commits is over 4 GiB".to_owned()))?;
        self.is_broken = true;
        self.held.check()?;
        self.file.write_all_at(&bytes, self.length)?;
        self.file.sync_data()?;
        self.is_broken = false;
        self.sequence = sequence;
        self.length += bytes.len() as u64;
        Ok((sequence, bytes.len() as u64))
    }

    /// Cuts off what a failed write left, and goes on in a new segment. After it, a commit that failed is
    /// known to be not there.
    pub(super) fn mend(&mut self) -> Result<(), EngineError> {
        if !self.is_broken {
            return Ok(());
        }
        self.file.set_len(self.length)?;
        self.file.sync_all()?;
        self.rotate()?;
        self.is_broken = false;
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), EngineError> {
        (self.file, self.held) = create(&self.dir, self.sequence + 1)?;
        self.length = SEGMENT_HEAD as u64;
        Ok(())
    }
}

/// Makes a segment that is there after a crash too. One of that name holds no record that counts: it would
/// have a later name.
fn create(dir: &Path, first: u64) -> Result<(File, Held), EngineError> {
    let segment = Segment::of(dir, first);
    remove_file(&segment.path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&segment.path)?;
    file.write_all(&head_of(first))?;
    file.sync_all()?;
    // A later sync need not cover what a failed one was for: whoever tries again makes the file again.
    sync_directory(dir).inspect_err(|_| drop(remove_file(&segment.path)))?;
    let held = Held::of(&segment.path, &file)?;
    Ok((file, held))
}

fn head_of(first: u64) -> Vec<u8> {
    let mut head = [MAGIC.as_slice(), &first.to_le_bytes()].concat();
    head.extend_from_slice(&crc32c::crc32c(&head).to_le_bytes());
    head
}

fn is_head_of(head: &[u8; SEGMENT_HEAD], first: u64) -> bool {
    head.as_slice() == head_of(first)
}
