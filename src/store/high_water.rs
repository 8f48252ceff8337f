//! The high-water mark: the highest numbers ever issued. No backup contains it.
//!
//! Owns `DIR/high-water`. After a restore, counters continue above the mark, so that no number is issued twice with
//! different content. The mark is written to disk before a number is used: releases and sessions one by one, versions
//! of agendas in blocks.

use super::directory::sync_directory;
use super::error::{ReadError, StorageError};
use super::index::ledger;
use super::index::scan::RecordScan;
use super::index::view::Index;
use super::record::RecordTable;
use super::record::agenda::AgendaRecord;
use super::record::release::LedgerHead;
use super::rows::KeySpace;
use super::write::Write;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How many versions of agendas one write of the mark allows.
const BLOCK: u64 = 64;

/// The highest numbers ever issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HighWater {
    /// The highest number of a release.
    pub release: u64,
    /// When that release was published.
    pub published: DateTime<Utc>,
    /// The highest number of a session.
    pub number: u32,
    /// The highest version of an agenda.
    pub agenda: u64,
}

impl HighWater {
    /// The mark with the higher value of each number.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            release: self.release.max(other.release),
            published: self.published.max(other.published),
            number: self.number.max(other.number),
            agenda: self.agenda.max(other.agenda),
        }
    }

    /// The numbers in a write.
    fn of(write: &Write) -> Self {
        match write {
            Write::PutAgenda { record, .. } => Self { agenda: record.version, ..Self::default() },
            Write::PutRelease(write) => {
                let number = write.entries.iter().map(|entry| entry.number).max().unwrap_or(0);
                Self {
                    release: write.record.number,
                    published: write.record.published,
                    number: number.max(write.staged.highest).max(write.head.floor.number),
                    agenda: 0,
                }
            }
            _ => Self::default(),
        }
    }
}

/// The file of an open store's mark.
pub(super) struct HighWaterFile {
    path: PathBuf,
    known: HighWater,
    is_written: bool,
}

impl HighWaterFile {
    /// Reads the mark. If the file is damaged or missing, as with an older version, the mark is the highest numbers in
    /// the store, and the next write stores it.
    pub(super) fn open(path: PathBuf, index: &Index, space: &KeySpace) -> Result<Self, StorageError> {
        let found = read(&path)?;
        let is_written = found.is_some();
        let known = match found {
            Some(found) => found,
            None => highest_stored(index, space).map_err(|error| StorageError::Failed(error.to_string()))?,
        };
        Ok(Self { path, known, is_written })
    }

    /// Raises the mark to cover `writes`, before the writes are made.
    pub(super) fn allow<'a>(&mut self, writes: impl Iterator<Item = &'a Write>) -> Result<(), StorageError> {
        let wanted = writes.map(HighWater::of).fold(HighWater::default(), HighWater::max);
        if self.is_written && self.known.max(wanted) == self.known {
            return Ok(());
        }
        let wanted = HighWater { agenda: wanted.agenda.next_multiple_of(BLOCK), ..wanted };
        let raised = self.known.max(wanted);
        write(&self.path, raised)?;
        (self.known, self.is_written) = (raised, true);
        Ok(())
    }
}

/// Raises the mark in a data directory whose store is not open to at least `wanted`.
pub(super) fn raise(path: &Path, wanted: HighWater) -> Result<(), StorageError> {
    write(path, read(path)?.unwrap_or_default().max(wanted))
}

/// The highest numbers in a store, without damaged records.
pub(super) fn highest_stored(index: &Index, space: &KeySpace) -> Result<HighWater, ReadError> {
    let head = space.address(RecordTable::Head, b"");
    let head: Option<LedgerHead> = index.read(|view| view.record(&head))?;
    let base = head.as_ref().map(|head| head.base).unwrap_or_default();
    let number = ledger::highest_number(index, space, base);
    let agendas = RecordScan::new(index, space, RecordTable::Agenda).parsed::<AgendaRecord>();
    let agenda = agendas.flatten().map(|(_, agenda)| agenda.version).max().unwrap_or(0);
    let highest = HighWater { number, agenda, ..HighWater::default() };
    Ok(head.map_or(highest, |LedgerHead { release, published, floor, .. }| HighWater {
        release,
        published,
        number: number.max(floor.number),
        ..highest
    }))
}

/// Writes the mark as a line of JSON and a line with its CRC-32C.
fn write(path: &Path, mark: HighWater) -> Result<(), StorageError> {
    let line = serde_json::to_string(&mark).map_err(|error| StorageError::Failed(error.to_string()))?;
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    writeln!(file, "{line}\n{:08x}", crc32c::crc32c(line.as_bytes()))?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    Ok(path.parent().map_or(Ok(()), sync_directory)?)
}

/// Reads a mark; none if it is missing or damaged.
pub(super) fn read(path: &Path) -> Result<Option<HighWater>, io::Error> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mark = std::str::from_utf8(&text).ok().and_then(parse);
    if mark.is_none() {
        tracing::error!(file = %path.display(), "the high-water mark is damaged");
    }
    Ok(mark)
}

fn parse(text: &str) -> Option<HighWater> {
    let (line, crc) = text.strip_suffix('\n')?.split_once('\n')?;
    (crc == format!("{:08x}", crc32c::crc32c(line.as_bytes()))).then(|| serde_json::from_str(line).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_falls() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("high-water");
        assert_eq!(read(&path).unwrap(), None);
        raise(&path, HighWater { release: 3, number: 9, agenda: 65, ..HighWater::default() }).unwrap();
        raise(&path, HighWater { release: 2, number: 10, agenda: 1, ..HighWater::default() }).unwrap();
        assert_eq!(
            read(&path).unwrap(),
            Some(HighWater { release: 3, number: 10, agenda: 65, ..HighWater::default() })
        );
    }

    #[test]
    fn a_damaged_mark_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("high-water");
        write(&path, HighWater { release: 12, number: 3, agenda: 64, ..HighWater::default() }).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            std::fs::write(&path, &flipped).unwrap();
            assert_eq!(read(&path).unwrap(), None, "byte {at}");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(read(&path).unwrap(), None, "cut at {at}");
        }
    }
}
