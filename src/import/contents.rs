//! A program file on a disk or behind a pipe, read only as far as a program may be long.

use super::fault::{Faults, Flaw, Spot};
use super::{MAX_FILE, Report, import};
use crate::program::Conference;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// What a file holds.
#[derive(Debug)]
pub enum Contents {
    /// All of its bytes, at most [`MAX_FILE`].
    Whole(Vec<u8>),
    /// The report of a file that is larger, of which no more was read than that takes to tell.
    TooLarge(Report),
}

impl Contents {
    /// Reads a file. A regular file that is too large is not read at all; a pipe or a device, which has no size, is read
    /// up to the limit.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let length = metadata.len();
        if length > MAX_FILE as u64 {
            return Ok(Self::TooLarge(too_large(&format!("{length} bytes"))));
        }
        let expected =
            if metadata.is_file() { usize::try_from(length).unwrap_or(MAX_FILE) } else { MAX_FILE };
        Self::of(file, expected)
    }

    /// Imports what was read.
    pub fn import(&self, conference: &Arc<Conference>) -> Report {
        match self {
            Self::Whole(csv) => import(csv, conference),
            Self::TooLarge(report) => report.clone(),
        }
    }

    /// Reads a stream, whose length is expected to be that.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub fn of(stream: impl Read, expected: usize) -> io::Result<Self> {
        // One byte more than the limit tells a file that is too large, and room for it keeps the buffer in its place.
        let mut bytes = Vec::with_capacity(expected.saturating_add(1));
        let read = stream.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
        if read > MAX_FILE {
            return Ok(Self::TooLarge(too_large("more bytes than that")));
        }
        Ok(Self::Whole(bytes))
    }
}

/// The report of a file that has too many bytes.
pub(super) fn too_large(size: &str) -> Report {
    let mut faults = Faults::default();
    let message = format!("a program file has at most {MAX_FILE} bytes (20 MiB), and this one has {size}");
    let remedy = "delete pictures, formulas and rows that are not sessions, and export it again";
    faults.error(Spot::FILE, Flaw::new("file-too-large", message, remedy));
    Report { program: None, faults: faults.into_list() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(contents: Contents) -> Result<usize, Vec<&'static str>> {
        match contents {
            Contents::Whole(bytes) => Ok(bytes.len()),
            Contents::TooLarge(report) => Err(report.faults.iter().map(|fault| fault.rule).collect()),
        }
    }

    #[test]
    fn a_file_over_the_limit_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program.csv");
        let file = File::create(&path).unwrap();
        for (length, expected) in [
            (0, Ok(0)),
            (MAX_FILE as u64, Ok(MAX_FILE)),
            (MAX_FILE as u64 + 1, Err(vec!["file-too-large"])),
            // Sparse: reading it would take as much memory.
            (1 << 40, Err(vec!["file-too-large"])),
        ] {
            if file.set_len(length).is_ok() {
                assert_eq!(rules(Contents::read(&path).unwrap()), expected, "{length}");
            }
        }
        assert!(Contents::read(dir.path()).is_err());
    }

    #[test]
    fn a_stream_without_an_end_is_left_at_the_limit() {
        assert_eq!(rules(Contents::of(io::repeat(b'-'), 0).unwrap()), Err(vec!["file-too-large"]));
        assert_eq!(rules(Contents::of(io::repeat(b'-').take(7), 0).unwrap()), Ok(7));
    }
}
