//! `program.csv` to a [`Program`]: every fault of the file in one [`Report`].
//!
//! Owns the form of the file, from bytes to sessions: encoding, quotes, header, dates, civil times, people,
//! links, and what only the whole program shows. Knows no clock; [`Contents`] alone opens a file. RFC 4180 for the CSV, with `;`
//! and tab as further delimiters; RFC 5545, 3.3.5 for times that a clock change skips or repeats.
//!
//! Invariant: a report holds a program if and only if it holds no error, and nothing of the file is
//! dropped without a fault that says so.
//!
//! ```text
//! bytes --encoding--> text --scan, table--> rows --row--> sessions --booking--> Report
//! ```

mod address;
mod booking;
mod cell;
mod column;
mod container;
mod contents;
mod cut;
mod date;
mod defuse;
mod encoding;
mod fault;
#[cfg(test)]
mod laws;
mod nearest;
mod people;
mod redact;
mod report;
mod residue;
mod row;
mod scan;
mod slot;
mod table;
mod time;
mod tracks;
mod word;

pub use contents::Contents;
pub use cut::{Cut, cut_off};
pub use date::YEARS;
pub use defuse::defused;
pub use fault::{Fault, Severity};
pub use redact::redact;
pub use report::Report;

use crate::program::{Conference, Program};
use fault::{Faults, Spot};
use std::sync::Arc;

/// Bytes that a file may have.
pub const MAX_FILE: usize = 20 * 1024 * 1024;

/// Imports a file. Never panics, and never stops at the first fault: all of them are in the report.
///
/// Only a file over [`MAX_FILE`], one that is no CSV at all and one without a header row end the reading
/// early, since there is nothing in them to read.
pub fn import(bytes: &[u8], conference: &Arc<Conference>) -> Report {
    if bytes.len() > MAX_FILE {
        return contents::too_large(&format!("{} bytes", bytes.len()));
    }
    let mut faults = Faults::default();
    let program = read(bytes, conference, &mut faults);
    Report { program, faults: faults.into_list() }
}

fn read(bytes: &[u8], conference: &Arc<Conference>, faults: &mut Faults) -> Option<Program> {
    if let Some(flaw) = container::recognise(bytes) {
        faults.error(Spot::FILE, flaw);
        return None;
    }
    let decoded = encoding::decode(bytes);
    let table = table::Table::open(&decoded.text, faults);
    decoded.report(|offsets| table.locate(offsets), faults);
    let mut rows = row::Rows::of(conference);
    table.rows(faults, |row, faults| rows.read(row, faults));
    rows.finish(faults)
}
