//! The end of a spreadsheet, and whether a later version of the sheet ends too early.
//!
//! Every other format says itself where it ends. A CSV file that was cut off is a valid CSV file, so only its
//! predecessor shows that something is missing. Rows are compared by their guid, their id or their title, so other
//! edits of the same sheet do not hide a cut.

use super::encoding::decode;
use super::sheet::{Columns, header, reader};
use crate::program::{Field, code_of};
use csv::StringRecord;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The end of a spreadsheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetTail {
    /// A code of each row, in the order of the sheet.
    rows: Vec<String>,
    /// The cells of the last row.
    last: Vec<String>,
    /// Whether the last line ends with a line break.
    has_line_break: bool,
}

/// A sign that a spreadsheet was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SheetDoubt {
    /// The sheet lacks exactly its last rows, so many.
    LacksLastRows(usize),
    /// The sheet does not end with a line break, and did before.
    LacksLineBreak,
    /// The sheet ends in the middle of its last row.
    EndsWithinRow,
}

impl SheetTail {
    /// The end of a file; none if the file is no spreadsheet. `columns` is as for
    /// [`adopt_with_columns`](super::adopt_with_columns).
    pub fn of(bytes: &[u8], columns: &[(String, Field)]) -> Option<Self> {
        let (text, _) = decode(bytes);
        let head = text.trim_start();
        if head.starts_with(['<', '{', '[']) || head.get(..6)?.eq_ignore_ascii_case("BEGIN:") {
            return None;
        }
        let (_, found, delimiter) = header(&text, columns)?;
        let rows: Vec<StringRecord> = reader(&text, delimiter).records().flatten().collect();
        let is_filled = |row: &&StringRecord| row.iter().any(|cell| !cell.is_empty());
        let last = rows.iter().rfind(is_filled)?;
        Some(Self {
            last: last.iter().map(str::to_owned).collect(),
            rows: rows.iter().filter(is_filled).map(|row| key(row, &found)).collect(),
            has_line_break: text.ends_with(['\n', '\r']),
        })
    }

    /// The signs that the sheet was cut off, compared with the version before it.
    pub fn doubts(&self, before: &Self) -> Vec<SheetDoubt> {
        let mut doubts = Vec::new();
        let (now, earlier): (HashSet<&String>, HashSet<&String>) =
            (self.rows.iter().collect(), before.rows.iter().collect());
        let is_missing = |row: &&String| !now.contains(row);
        let missing = before.rows.iter().filter(is_missing).count();
        let at_end = before.rows.iter().rev().take_while(is_missing).count();
        // The last row of a cut sheet may have lost the end of its name.
        let is_open = !self.has_line_break && self.rows.len() < before.rows.len();
        let is_known = self.rows.last().is_some_and(|row| earlier.contains(row));
        let is_known_or_cut = is_known || is_open || self.is_shorter(before);
        match at_end {
            0 => {}
            _ if at_end < missing || !is_known_or_cut => {}
            rows => doubts.push(SheetDoubt::LacksLastRows(rows)),
        }
        if before.has_line_break && !self.has_line_break {
            doubts.push(SheetDoubt::LacksLineBreak);
        } else if self.rows.len() == before.rows.len() && !self.has_line_break && self.is_shorter(before) {
            doubts.push(SheetDoubt::EndsWithinRow);
        }
        doubts
    }

    /// Whether the last row is the beginning of the earlier last row.
    fn is_shorter(&self, before: &Self) -> bool {
        let Some((end, cells)) = self.last.split_last() else { return false };
        let place = cells.len();
        let is_same = before.last.get(..place) == Some(cells);
        let cut = before.last.get(place).is_some_and(|cell| {
            cell.starts_with(end.as_str()) && (cell != end || self.last.len() < before.last.len())
        });
        is_same && cut
    }
}

/// A code of what names a row.
fn key(row: &StringRecord, columns: &Columns) -> String {
    let cell = |field| columns.fields.get(&field).and_then(|index| row.get(*index)).unwrap_or_default();
    let names = [Field::Guid, Field::Id, Field::Title].into_iter().map(cell);
    let name = names.into_iter().find(|name| !name.is_empty());
    code_of(&name.map_or_else(|| row.iter().collect::<Vec<_>>().join("\u{1f}"), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "guid,title,room\n1,One,A\n2,Two,B\n3,Three,Hall\n";

    fn doubts(before: &str, now: &str) -> Vec<SheetDoubt> {
        let tail = |text: &str| SheetTail::of(text.as_bytes(), &[]).unwrap();
        tail(now).doubts(&tail(before))
    }

    #[test]
    fn a_sheet_without_its_last_rows_is_doubtful_and_other_edits_are_not() {
        assert!(doubts(WHOLE, WHOLE).is_empty());
        assert_eq!(doubts(WHOLE, "guid,title,room\n1,One,A\n").len(), 1);
        let edited = doubts(WHOLE, "guid,title,room\n1,Uno,C\n2,Due,B\n");
        assert_eq!(edited, [SheetDoubt::LacksLastRows(1)]);
        for fine in [
            "guid,title,room\n1,One,A\n3,Three,Hall\n",
            "guid,title,room\n1,One,A\n2,Two,B\n3,Drei,X\n",
            "guid,title,room\n1,One,A\n2,Two,B\n4,Four,Hall\n",
            "guid,title,room\n1,One,A\n2,Two,B\n3,Three,Hall\n4,Four,A\n",
            "guid,title,room\n3,Three,Hall\n1,One,A\n2,Two,B\n",
        ] {
            assert!(doubts(WHOLE, fine).is_empty(), "{fine}");
        }
    }

    #[test]
    fn every_cut_of_a_sheet_is_doubtful() {
        // With a line break at the end, as most tools write, and without, as Google Sheets does.
        for whole in [WHOLE, WHOLE.trim_end()] {
            for end in "guid,title,room\n1,".len()..whole.len() {
                let cut = &whole[..end];
                assert!(!doubts(whole, cut).is_empty(), "{cut:?}");
            }
        }
    }

    #[test]
    fn only_a_spreadsheet_has_a_tail() {
        for other in ["<a/>", "[1]", "{}", "BEGIN:VCALENDAR\n", ""] {
            assert_eq!(SheetTail::of(other.as_bytes(), &[]), None, "{other}");
        }
    }
}
