//! Writing a checkpoint from the index and the journal.

use super::line::{Head, Tail, VERSION, print_changes, print_end, print_record};
use crate::store::cell::Space;
use crate::store::engine::EngineError;
use crate::store::journal::{Record, replay};
use crate::store::tally::TALLY;
use crate::store::view::{Groups, View};
use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};
use std::io::{self, Write};
use std::path::Path;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Writes the state to `out`, and gives the sequence that it is of.
///
/// `applied` tells the sequence of the last group that readers see; it is asked before and after the scan.
/// Once `is_stopping` is set it ends with an error.
pub(in super::super) fn write(
    out: &mut dyn Write,
    view: &RwLock<View>,
    space: &Space,
    journal: &Path,
    applied: impl Fn() -> u64,
    is_stopping: &AtomicBool,
) -> Result<u64, EngineError> {
    let conference = space.conference();
    let began = applied();
    let mut lines = Lines { out, hash: Context::new(&SHA256), count: 0 };
    let head = Head {
        callboard: "checkpoint".to_owned(),
        version: VERSION,
        conference: conference.to_owned(),
        sequence: began,
    };
    lines.raw(&print_end(&head))?;
    for parts in Groups::new(view, Vec::new()) {
        let parts = parts.map_err(|error| EngineError::Failed(error.to_string()))?;
        if is_stopping.load(Ordering::Relaxed) {
            return Err(EngineError::Failed("the store is being closed".to_owned()));
        }
        if parts.first().is_some_and(|(key, _)| key != TALLY) {
            print_record(conference, &parts, |line| lines.line(line))?;
        }
    }
    let sequence = applied();
    if sequence > began {
        let mut next = began;
        replay(journal, began, |Record { sequence: n, rows }| {
            if n > sequence {
                return Ok(());
            }
            next += 1;
            if n != next {
                return Err(EngineError::Failed(format!("the journal lacks record {next}")));
            }
            Ok::<_, EngineError>(print_changes(conference, &rows, |line| lines.line(line))?)
        })?;
        if next != sequence {
            return Err(EngineError::Failed(format!("the journal ends at {next} instead of {sequence}")));
        }
    }
    let Lines { out, hash, count } = lines;
    let tail = Tail { records: count, sequence, sha256: HEXLOWER.encode(hash.finish().as_ref()) };
    out.write_all(&print_end(&tail))?;
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
