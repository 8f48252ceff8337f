//! Reads a checkpoint: all of it, or an error.

use super::line::{CheckpointEnd, CheckpointHead, ParsedLine, VERSION, parse};
use crate::store::cell::{Cell, Changes};
use crate::store::error::StorageError;
use crate::store::index::engine::Engine;
use crate::store::index::tally::Tally;
use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// The rows of one batch.
const BATCH: usize = 2000;

/// Why a checkpoint cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum LoadError {
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
pub(in super::super) struct CheckpointSummary {
    pub(in super::super) conference: String,
    pub(in super::super) records: u64,
    pub(in super::super) sequence: u64,
}

/// Reads a checkpoint to its end and verifies it.
pub(in super::super) fn verify(path: &Path) -> Result<CheckpointSummary, LoadError> {
    read(path, |_| Ok(()))
}

/// Like [`verify`], from a reader.
pub(in super::super) fn verify_from(reader: &mut dyn BufRead) -> Result<CheckpointSummary, LoadError> {
    read_from(reader, |_| Ok(()))
}

/// Loads a checkpoint into an empty index, without a valid tally.
pub(in super::super) fn load(path: &Path, engine: &Engine) -> Result<CheckpointSummary, LoadError> {
    let mut loading = Loading { engine, batch: Changes::new(), newest: Vec::new() };
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
            return Ok(CheckpointSummary { conference, records: tail.records, sequence: tail.sequence });
        }
        hash.update(&line);
        take(parse(conference, text).map_err(|cause| damaged(&cause))?)?;
    }
}

struct Loading<'a> {
    engine: &'a Engine,
    batch: Changes,
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
            ParsedLine::Record(cell, record) => {
                let parts = match record {
                    Some((record, packed)) => cell.write_as(&record, packed),
                    None => Ok(Vec::new()),
                };
                let parts = parts.map_err(|error| StorageError::Failed(error.to_string()))?;
                if cell.base <= self.newest {
                    self.remove(&cell)?;
                } else {
                    self.newest.clone_from(&cell.base);
                }
                self.batch.extend(parts.into_iter().map(|(key, value)| (key, Some(value))));
            }
        }
        if self.batch.len() >= BATCH { self.write() } else { Ok(()) }
    }

    /// Removes the record of an earlier line, which may have more parts than the new record.
    fn remove(&mut self, cell: &Cell) -> Result<(), StorageError> {
        for part in 0..=u16::MAX {
            let key = cell.key(part);
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
