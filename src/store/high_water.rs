//! The high-water mark: what was given out at most, kept beside everything that a backup can bring back.
//!
//! Owns `DIR/high-water`. It is on disk before what it allows: a release's number and its sessions' at once,
//! the versions of agendas in blocks. So whatever is restored can be lifted over it, and no number is ever
//! seen twice with different content.

use super::cell::Table;
use super::engine::EngineError;
use super::files::sync_directory;
use super::shared::Shared;
use super::view::{self, Records};
use super::{AgendaRecord, LedgerHead, ReadError, Write, ledger};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Versions of agendas that one write of the mark allows.
const BLOCK: u64 = 64;

/// What was given out at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HighWater {
    /// The number of a release.
    pub release: u64,
    /// When it was published.
    pub published: DateTime<Utc>,
    /// The number of a session.
    pub number: u32,
    /// The version of an agenda.
    pub agenda: u64,
}

impl HighWater {
    /// The higher of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            release: self.release.max(other.release),
            published: self.published.max(other.published),
            number: self.number.max(other.number),
            agenda: self.agenda.max(other.agenda),
        }
    }

    /// What a write gives out.
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

/// The mark of an open store.
pub(super) struct Mark {
    path: PathBuf,
    known: HighWater,
    is_written: bool,
}

impl Mark {
    /// The mark on disk; where there is none (an older version kept none, or it is damaged) what the store
    /// holds, which the next write puts on disk.
    pub(super) fn open(shared: &Shared) -> Result<Self, EngineError> {
        let path = shared.places.high_water.clone();
        let found = read(&path)?;
        let is_written = found.is_some();
        let known = match found {
            Some(found) => found,
            None => survey(shared).map_err(|error| EngineError::Failed(error.to_string()))?,
        };
        Ok(Self { path, known, is_written })
    }

    /// Makes sure that the mark covers `writes` before they are.
    pub(super) fn allow<'a>(&mut self, writes: impl Iterator<Item = &'a Write>) -> Result<(), EngineError> {
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

/// Lifts a mark on disk at least to `wanted`, for a store that is not open.
pub(super) fn raise(path: &Path, wanted: HighWater) -> Result<(), EngineError> {
    write(path, read(path)?.unwrap_or_default().max(wanted))
}

/// What a store has given out, by reading all of it. What is damaged is told by those who need it.
fn survey(shared: &Shared) -> Result<HighWater, ReadError> {
    let (view, space) = (&shared.view, &shared.space);
    let head = space.cell(Table::Head, b"");
    let head: Option<LedgerHead> = view::read(view, |view| view.record(&head))?;
    let base = head.as_ref().map(|head| head.base).unwrap_or_default();
    let number = ledger::highest_number(view, space, base);
    let agendas = Records::new(view, space, Table::Agenda).parsed::<AgendaRecord>();
    let agenda = agendas.flatten().map(|(_, agenda)| agenda.version).max().unwrap_or(0);
    let given = HighWater { number, agenda, ..HighWater::default() };
    Ok(head.map_or(given, |LedgerHead { release, published, floor, .. }| HighWater {
        release,
        published,
        number: number.max(floor.number),
        ..given
    }))
}

/// One line of JSON, and one with its CRC-32C.
fn write(path: &Path, mark: HighWater) -> Result<(), EngineError> {
    let line = serde_json::to_string(&mark).map_err(|error| EngineError::Failed(error.to_string()))?;
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    writeln!(file, "{line}\n{:08x}", crc32c::crc32c(line.as_bytes()))?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    Ok(path.parent().map_or(Ok(()), sync_directory)?)
}

/// None where there is none, or a damaged one.
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
    fn a_damaged_mark_is_no_mark() {
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
