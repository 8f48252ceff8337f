//! Reads `program.csv` into a [`Program`], with every fault of the file in one [`Report`].
//!
//! Owns the format of the file: encoding, quotes, header row, dates, civil times, people and links, and the checks of
//! the program as a whole. Reads no clock; only [`ProgramFile`] opens a file. RFC 4180 for the CSV, with `;` and tab as
//! further delimiters; RFC 5545, 3.3.5 for times that a clock change skips or repeats.
//!
//! Invariant: a report holds a program if and only if it holds no error. No text of the file is dropped without a
//! fault.
//!
//! ```text
//! bytes --encoding--> text --scan--> rows of cells --header, table--> named cells --row--> sessions --booking--> Report
//! ```

mod address;
mod booking;
mod calendar_words;
mod cell;
mod date;
mod details;
mod edit;
mod encoding;
mod fault;
mod file;
mod header;
mod people;
mod report;
mod row;
mod scan;
mod slot;
mod table;
mod time;
mod tracks;
mod word;

pub use date::YEARS;
pub use edit::{NewCells, with_cells};
pub(crate) use fault::counted;
pub use fault::{Fault, capitalized, place};
pub use file::{FileRow, ProgramFile, Truncation, rows_of, truncation, without_formulas, without_session};
pub use header::field_meant;
pub use people::names_several;
pub use report::{AlikeWarnings, Report};

use crate::program::{Conference, Program};
use chrono::NaiveDate;
use fault::{Faults, Spot};
use std::sync::Arc;

/// The most bytes of a program file.
pub const MAX_FILE: usize = 20 * 1024 * 1024;

/// The most sessions of a program.
pub const MAX_SESSIONS: usize = 50_000;

/// Imports a file. Never panics, and reports all faults, not only the first.
///
/// Reading stops early only if the file is larger than [`MAX_FILE`], is not a CSV, or has no header row.
pub fn import(bytes: &[u8], conference: &Arc<Conference>) -> Report {
    if bytes.len() > MAX_FILE {
        return file::too_large(&format!("{} bytes", bytes.len()));
    }
    let mut faults = Faults::default();
    let program = read(bytes, conference, &mut faults);
    Report { program, faults: faults.into_list() }
}

/// A date without the weekday before it: `Fri 1/5/2026`, `Freitag, 1.5.2026`.
pub fn without_weekday(raw: &str) -> &str {
    date::without_weekday(raw.trim()).0
}

/// The date of a text in any form with one reading, such as `2026-05-01`, `1 May 2026` or `13/5/2026`.
pub fn read_date(raw: &str) -> Option<NaiveDate> {
    date::parse(raw.trim(), None).ok()
}

/// The minutes since midnight of a time such as `9:30`, `9:30 am` or `25:30`.
pub fn read_clock(raw: &str) -> Option<u32> {
    time::parse(raw.trim()).ok().map(|time| time.minutes)
}

fn read(bytes: &[u8], conference: &Arc<Conference>, faults: &mut Faults) -> Option<Program> {
    if let Some(defect) = encoding::foreign_format(bytes) {
        faults.error(Spot::FILE, defect);
        return None;
    }
    let decoded = encoding::decode(bytes);
    if let Some(defect) = decoded.defect() {
        faults.error(Spot::FILE, defect);
    }
    let table = table::Table::open(&decoded, faults);
    let mut program = row::ProgramBuilder::of(conference);
    table.rows(faults, |row, faults| program.read(row, faults));
    booking::report(program.rows(), conference, faults);
    program.finish(faults)
}
