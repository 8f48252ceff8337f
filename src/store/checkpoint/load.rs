//! Reading a checkpoint: all of it, or what is wrong with it.

use super::line::{Head, Said, Tail, VERSION, parse};
use crate::store::cell::Cell;
use crate::store::engine::{Engine, EngineError};
use crate::store::plan::Changes;
use crate::store::tally::Tally;
use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// Rows in one batch.
const BATCH: usize = 2000;

/// Why a checkpoint is of no use.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum LoadError {
    /// It is not what was written.
    #[error("line {line} is damaged: {cause}")]
    Damaged {
        /// From 1.
        line: u64,
        cause: String,
    },
    /// A later version wrote it.
    #[error("it is in format {0}, and this callboard knows formats up to {VERSION}")]
    Newer(u32),
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// The index that it was loaded into failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What a whole checkpoint holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Summary {
    pub(in super::super) conference: String,
    pub(in super::super) records: u64,
    pub(in super::super) sequence: u64,
}

/// Reads it to the end, and tells whether it is what was written.
pub(in super::super) fn verify(path: &Path) -> Result<Summary, LoadError> {
    read(path, |_| Ok(()))
}

/// [`verify`] of what a reader gives.
pub(in super::super) fn verify_from(reader: &mut dyn BufRead) -> Result<Summary, LoadError> {
    read_from(reader, |_| Ok(()))
}

/// Loads it into an index that is empty. The tally that it leaves there is of no use.
pub(in super::super) fn load(path: &Path, engine: &Engine) -> Result<Summary, LoadError> {
    let mut loading = Loading { engine, batch: Changes::new(), newest: Vec::new() };
    let summary = read(path, |said| Ok(loading.take(said)?))?;
    loading.write()?;
    Ok(summary)
}

fn read(path: &Path, take: impl FnMut(Said) -> Result<(), LoadError>) -> Result<Summary, LoadError> {
    read_from(&mut BufReader::with_capacity(256 * 1024, File::open(path)?), take)
}

fn read_from(
    file: &mut dyn BufRead,
    mut take: impl FnMut(Said) -> Result<(), LoadError>,
) -> Result<Summary, LoadError> {
    let (mut hash, mut line) = (Context::new(&SHA256), Vec::new());
    let mut number = 0;
    let mut head: Option<Head> = None;
    loop {
        number += 1;
        let damaged = |cause: &str| LoadError::Damaged { line: number, cause: cause.to_owned() };
        line.clear();
        file.read_until(b'\n', &mut line)?;
        let Some((b'\n', text)) = line.split_last() else { return Err(damaged("it is cut off")) };
        let Some(Head { conference, .. }) = &head else {
            let first: Head = serde_json::from_slice(text).map_err(|error| damaged(&error.to_string()))?;
            if first.callboard != "checkpoint" {
                return Err(damaged("this is no checkpoint of a callboard"));
            }
            if first.version > VERSION {
                return Err(LoadError::Newer(first.version));
            }
            head = Some(first);
            hash.update(&line);
            continue;
        };
        if text.starts_with(br#"{"records":"#) {
            let tail: Tail = serde_json::from_slice(text).map_err(|error| damaged(&error.to_string()))?;
            if tail.records != number - 2 || tail.sha256 != HEXLOWER.encode(hash.finish().as_ref()) {
                return Err(damaged("count or SHA-256 are not those of the lines before"));
            }
            if !file.fill_buf()?.is_empty() {
                return Err(damaged("something follows"));
            }
            let conference = conference.clone();
            return Ok(Summary { conference, records: tail.records, sequence: tail.sequence });
        }
        hash.update(&line);
        take(parse(conference, text).map_err(|cause| damaged(&cause))?)?;
    }
}

struct Loading<'a> {
    engine: &'a Engine,
    batch: Changes,
    /// The last key in order: what comes after it has never been there.
    newest: Vec<u8>,
}

impl Loading<'_> {
    fn take(&mut self, said: Said) -> Result<(), EngineError> {
        match said {
            Said::Row(key, value) => {
                let base = key.split_last_chunk::<2>().map_or(&[][..], |(base, _)| base);
                if base > self.newest.as_slice() {
                    self.newest = base.to_vec();
                }
                self.batch.insert(key, value);
            }
            Said::Record(cell, record) => {
                let parts = match record {
                    Some((record, packed)) => cell.write_as(&record, packed),
                    None => Ok(Vec::new()),
                };
                let parts = parts.map_err(|error| EngineError::Failed(error.to_string()))?;
                if cell.base <= self.newest {
                    self.forget(&cell)?;
                } else {
                    self.newest.clone_from(&cell.base);
                }
                self.batch.extend(parts.into_iter().map(|(key, value)| (key, Some(value))));
            }
        }
        if self.batch.len() >= BATCH { self.write() } else { Ok(()) }
    }

    /// A record that comes again may be shorter than it was.
    fn forget(&mut self, cell: &Cell) -> Result<(), EngineError> {
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

    fn write(&mut self) -> Result<(), EngineError> {
        self.engine.apply(&std::mem::take(&mut self.batch), &Tally::default())
    }
}
