//! Checkpoints: the whole state in one file, to rebuild the index, for backups, and for other programs.
//!
//! Owns `DIR/checkpoints/`. A checkpoint is NDJSON, see [`line`]. Its last line has the number of lines and their
//! SHA-256, and reading a checkpoint needs no journal: it gives all of the state, or an error. Commits go on while a
//! checkpoint is made: a scan reads each record at some moment after the sequence in the first line. Then the journal from
//! that sequence to the end of the scan is appended, so the result is exactly the state at the sequence in the last line.

pub(super) mod line;

use super::directory::{numbered_files, remove_file, sync_directory};
use super::error::StorageError;
use super::index::Engine;
use super::index::scan::RowsByRecord;
use super::index::tally::{TALLY, Tally};
use super::index::view::Index;
use super::journal::chain::{Chain, Position};
use super::journal::record::JournalRecord;
use super::journal::replay::replay;
use super::rows::{KeySpace, RecordAddress, RowChanges};
use data_encoding::HEXLOWER;
use line::{
    CheckpointEnd, CheckpointHead, ParsedLine, VERSION, parse, print_changes, print_envelope, print_record,
};
use ring::digest::{Context, SHA256};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The number of checkpoints that are kept, together with the journal since the older one.
pub(super) const MAX_CHECKPOINTS: usize = 2;

const SUFFIX: &str = "ndjson";
/// Bytes between two syncs of a new checkpoint. One large sync would delay commits.
const SYNC_BYTES: usize = 8 * 1024 * 1024;

/// A checkpoint on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Checkpoint {
    /// The sequence of its state.
    pub(super) sequence: u64,
    pub(super) path: PathBuf,
}

/// The checkpoints in a directory, the oldest first.
pub(super) fn list(dir: &Path) -> io::Result<Vec<Checkpoint>> {
    let files = numbered_files(dir, SUFFIX)?;
    let mut checkpoints: Vec<_> =
        files.into_iter().map(|(sequence, path)| Checkpoint { sequence, path }).collect();
    checkpoints.sort();
    Ok(checkpoints)
}

/// Removes all but the newest `keep` checkpoints, and an unfinished one. Returns the remaining ones.
pub(super) fn prune(dir: &Path, keep: usize) -> io::Result<Vec<Checkpoint>> {
    let mut checkpoints = list(dir)?;
    let surplus = checkpoints.len().saturating_sub(keep);
    for old in checkpoints.drain(..surplus) {
        std::fs::remove_file(old.path)?;
    }
    remove_file(&temporary(dir))?;
    sync_directory(dir)?;
    Ok(checkpoints)
}

/// Makes a checkpoint with `write`, which returns its sequence. The file gets its final name once it is on disk.
pub(super) fn make(
    dir: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<u64, StorageError>,
) -> Result<Checkpoint, StorageError> {
    let temporary = temporary(dir);
    let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    let mut out = io::BufWriter::with_capacity(256 * 1024, Synced { file, unsynced: 0 });
    let written = write(&mut out).and_then(|sequence| {
        out.flush()?;
        out.get_ref().file.sync_all()?;
        Ok(sequence)
    });
    let sequence = written.inspect_err(|_| drop(remove_file(&temporary)))?;
    let path = dir.join(format!("{sequence:020}.{SUFFIX}"));
    std::fs::rename(&temporary, &path)?;
    sync_directory(dir)?;
    Ok(Checkpoint { sequence, path })
}

fn temporary(dir: &Path) -> PathBuf {
    dir.join("unfinished")
}

struct Synced {
    file: std::fs::File,
    unsynced: usize,
}

impl Write for Synced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unsynced += written;
        if self.unsynced >= SYNC_BYTES {
            self.file.sync_data()?;
            self.unsynced = 0;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes the state to `out` and returns its sequence.
///
/// `applied` returns the position of the last group that readers see; it is called before and after the scan.
/// Writing ends with an error once `is_stopping` is set.
pub(super) fn write(
    out: &mut dyn Write,
    index: &Index,
    space: &KeySpace,
    journal: &Path,
    applied: impl Fn() -> Position,
    is_stopping: &AtomicBool,
) -> Result<u64, StorageError> {
    let conference = space.conference();
    let began = applied().sequence;
    let mut lines = Lines { out, hash: Context::new(&SHA256), count: 0 };
    let head = CheckpointHead {
        callboard: "checkpoint".to_owned(),
        version: VERSION,
        conference: conference.to_owned(),
        sequence: began,
    };
    lines.raw(&print_envelope(&head))?;
    for parts in RowsByRecord::new(index, Vec::new()) {
        let parts = parts.map_err(|error| StorageError::Failed(error.to_string()))?;
        if is_stopping.load(Ordering::Relaxed) {
            return Err(StorageError::Failed("the store is being closed".to_owned()));
        }
        if parts.first().is_some_and(|(key, _)| key != TALLY) {
            print_record(conference, &parts, |line| lines.line(line))?;
        }
    }
    let Position { sequence, chain } = applied();
    if sequence > began {
        let mut next = began;
        replay(journal, began, |JournalRecord { sequence: n, rows }| {
            if n > sequence {
                return Ok(());
            }
            next += 1;
            if n != next {
                return Err(StorageError::Failed(format!("the journal lacks record {next}")));
            }
            Ok::<_, StorageError>(print_changes(conference, &rows, |line| lines.line(line))?)
        })?;
        if next != sequence {
            return Err(StorageError::Failed(format!("the journal ends at {next} instead of {sequence}")));
        }
    }
    let Lines { out, hash, count } = lines;
    let sha256 = HEXLOWER.encode(hash.finish().as_ref());
    let end = CheckpointEnd { records: count, sequence, sha256, chain: chain.map(Chain::to_hex) };
    out.write_all(&print_envelope(&end))?;
    out.write_all(b"\n")?;
    Ok(sequence)
}

struct Lines<'a> {
    out: &'a mut dyn Write,
    hash: Context,
    count: u64,
}

impl Lines<'_> {
    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.count += 1;
        self.raw(line)
    }

    fn raw(&mut self, line: &[u8]) -> io::Result<()> {
        for bytes in [line, b"\n"] {
            self.hash.update(bytes);
            self.out.write_all(bytes)?;
        }
        Ok(())
    }
}

/// The rows of one batch.
const ROWS_PER_BATCH: usize = 2000;

/// Why a checkpoint cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// The checkpoint is damaged.
    #[error("line {line} is damaged: {cause}")]
    Damaged {
        /// The number of the line, from 1.
        line: u64,
        cause: String,
    },
    /// A newer version wrote the checkpoint.
    #[error("it is in format {0}, and this callboard knows formats up to {VERSION}")]
    Newer(u32),
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// The new index failed.
    #[error(transparent)]
    Engine(#[from] StorageError),
}

/// The content of a whole checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckpointSummary {
    pub(super) conference: String,
    pub(super) records: u64,
    pub(super) sequence: u64,
    /// The hash of the shared log up to that sequence; none for a local journal.
    pub(super) chain: Option<Chain>,
}

impl CheckpointSummary {
    /// The position of the state.
    pub(super) fn position(&self) -> Position {
        Position { sequence: self.sequence, chain: self.chain }
    }
}

/// Reads a checkpoint to its end and verifies it.
pub(super) fn verify(path: &Path) -> Result<CheckpointSummary, LoadError> {
    read(path, |_| Ok(()))
}

/// Like [`verify`], from a reader.
pub(super) fn verify_from(reader: &mut dyn BufRead) -> Result<CheckpointSummary, LoadError> {
    read_from(reader, |_| Ok(()))
}

/// Loads a checkpoint into an empty index, without a valid tally.
pub(super) fn load(path: &Path, engine: &Engine) -> Result<CheckpointSummary, LoadError> {
    let mut loading = Loading { engine, batch: RowChanges::new(), newest: Vec::new() };
    let summary = read(path, |line| Ok(loading.take(line)?))?;
    loading.write()?;
    Ok(summary)
}

fn read(
    path: &Path,
    take: impl FnMut(ParsedLine) -> Result<(), LoadError>,
) -> Result<CheckpointSummary, LoadError> {
    read_from(&mut BufReader::with_capacity(256 * 1024, File::open(path)?), take)
}

fn read_from(
    file: &mut dyn BufRead,
    mut take: impl FnMut(ParsedLine) -> Result<(), LoadError>,
) -> Result<CheckpointSummary, LoadError> {
    let (mut hash, mut line) = (Context::new(&SHA256), Vec::new());
    let mut number = 0;
    let mut head: Option<CheckpointHead> = None;
    loop {
        number += 1;
        let damaged = |cause: &str| LoadError::Damaged { line: number, cause: cause.to_owned() };
        line.clear();
        file.read_until(b'\n', &mut line)?;
        let Some((b'\n', text)) = line.split_last() else { return Err(damaged("it is cut off")) };
        let Some(CheckpointHead { conference, .. }) = &head else {
            let first: CheckpointHead =
                serde_json::from_slice(text).map_err(|error| damaged(&error.to_string()))?;
            if first.callboard != "checkpoint" {
                return Err(damaged("this is not a checkpoint of Callboard"));
            }
            if first.version > VERSION {
                return Err(LoadError::Newer(first.version));
            }
            head = Some(first);
            hash.update(&line);
            continue;
        };
        if text.starts_with(br#"{"records":"#) {
            let tail: CheckpointEnd =
                serde_json::from_slice(text).map_err(|error| damaged(&error.to_string()))?;
            if tail.records != number - 2 || tail.sha256 != HEXLOWER.encode(hash.finish().as_ref()) {
                return Err(damaged("the number of lines or their SHA-256 is wrong"));
            }
            if !file.fill_buf()?.is_empty() {
                return Err(damaged("there is text after it"));
            }
            let conference = conference.clone();
            let chain = tail.chain.as_deref().and_then(Chain::from_hex);
            return Ok(CheckpointSummary {
                conference,
                records: tail.records,
                sequence: tail.sequence,
                chain,
            });
        }
        hash.update(&line);
        take(parse(conference, text).map_err(|cause| damaged(&cause))?)?;
    }
}

struct Loading<'a> {
    engine: &'a Engine,
    batch: RowChanges,
    /// The highest key so far. A record with a higher key is new.
    newest: Vec<u8>,
}

impl Loading<'_> {
    fn take(&mut self, line: ParsedLine) -> Result<(), StorageError> {
        match line {
            ParsedLine::Row(key, value) => {
                let base = key.split_last_chunk::<2>().map_or(&[][..], |(base, _)| base);
                if base > self.newest.as_slice() {
                    self.newest = base.to_vec();
                }
                self.batch.insert(key, value);
            }
            ParsedLine::Record(address, record) => {
                let parts = match record {
                    Some((record, packed)) => address.write_as(&record, packed),
                    None => Ok(Vec::new()),
                };
                let parts = parts.map_err(|error| StorageError::Failed(error.to_string()))?;
                if address.base <= self.newest {
                    self.remove(&address)?;
                } else {
                    self.newest.clone_from(&address.base);
                }
                self.batch.extend(parts.into_iter().map(|(key, value)| (key, Some(value))));
            }
        }
        if self.batch.len() >= ROWS_PER_BATCH { self.write() } else { Ok(()) }
    }

    /// Removes the record of an earlier line, which may have more parts than the new record.
    fn remove(&mut self, address: &RecordAddress) -> Result<(), StorageError> {
        for part in 0..=u16::MAX {
            let key = address.key(part);
            let is_there = match self.batch.get(&key) {
                Some(value) => value.is_some(),
                None => self.engine.value(&key)?.is_some(),
            };
            if !is_there {
                break;
            }
            self.batch.insert(key, None);
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), StorageError> {
        self.engine.apply(&std::mem::take(&mut self.batch), &Tally::default())
    }
}
