//! Program files as bytes: reading a file, and operations on files that were published.
//!
//! A file is read only up to [`MAX_FILE`]. The operations on published files change single cells or rows and keep every
//! other byte.

use super::encoding::{Decoded, decode};
use super::fault::{Defect, Faults, Spot};
use super::scan::{ScannedRow, is_blank};
use super::table::{FORMULA_STARTS, Row, Table, scanner};
use super::{MAX_FILE, Report, import};
use crate::program::{Conference, Field, SessionId};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The contents of a program file.
#[derive(Debug)]
pub enum ProgramFile {
    /// All bytes of the file, at most [`MAX_FILE`].
    Whole(Vec<u8>),
    /// The file is too large. The report has this one error.
    TooLarge(Report),
}

impl ProgramFile {
    /// Reads a file. A regular file that is too large is not read at all. A pipe or a device, which has no size, is
    /// read up to the limit.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let length = metadata.len();
        if length > MAX_FILE as u64 {
            return Ok(Self::TooLarge(too_large(&format!("{length} bytes"))));
        }
        let expected =
            if metadata.is_file() { usize::try_from(length).unwrap_or(MAX_FILE) } else { MAX_FILE };
        Self::read_stream(file, expected)
    }

    /// Reads a stream with an expected length.
    ///
    /// # Errors
    /// If the stream cannot be read.
    pub fn read_stream(stream: impl Read, expected: usize) -> io::Result<Self> {
        // Reading one byte over the limit shows that the file is too large. The capacity for this byte keeps the buffer
        // from growing.
        let mut bytes = Vec::with_capacity(expected.saturating_add(1));
        let read = stream.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
        if read > MAX_FILE {
            return Ok(Self::TooLarge(too_large("more")));
        }
        Ok(Self::Whole(bytes))
    }

    /// Imports the file.
    pub fn import(&self, conference: &Arc<Conference>) -> Report {
        match self {
            Self::Whole(csv) => import(csv, conference),
            Self::TooLarge(report) => report.clone(),
        }
    }
}

/// The report on a file that is too large.
pub(super) fn too_large(size: &str) -> Report {
    let mut faults = Faults::default();
    let message = format!("a program file has at most {MAX_FILE} bytes (20 MiB), and this one has {size}");
    let remedy = "delete pictures, formulas and rows that are not sessions, then export it again";
    faults.error(Spot::FILE, Defect::new("file-too-large", message, remedy));
    Report { program: None, faults: faults.into_list() }
}

/// The missing end of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncation {
    /// The number of rows that the earlier file has after the last row of this file.
    pub missing: usize,
    /// The id of the session whose row is cut off.
    pub within: Option<String>,
}

/// Compares a file with the earlier one; none unless the file is the earlier one without its end.
///
/// An interrupted copy or a paused writer leaves such a file. Rows are compared by their ids, in order, so that a
/// truncated file is recognised even if it was also edited. The last row is cut off if it has no line end and the
/// earlier row was longer.
pub fn truncation(csv: &[u8], before: &[u8]) -> Option<Truncation> {
    let mut ids: Vec<String> = Vec::new();
    let mut last = String::new();
    let (file, earlier) = (decode(csv), decode(before));
    each_row(&file, |id, row| {
        ids.push(id.to_owned());
        row.text(&file.text).clone_into(&mut last);
    });
    let end = ids.len().checked_sub(1)?;
    let (mut count, mut is_prefix, mut within) = (0_usize, true, None);
    let has_end = csv.ends_with(b"\n") || csv.ends_with(b"\r");
    each_row(&earlier, |id, row| {
        is_prefix &= ids.get(count).is_none_or(|expected| expected == id);
        let text = row.text(&earlier.text);
        if count == end && !has_end && text.len() > last.len() && text.starts_with(&last) {
            within = Some(id.to_owned());
        }
        count += 1;
    });
    let missing = count.checked_sub(ids.len()).filter(|_| is_prefix)?;
    (missing > 0 || within.is_some()).then_some(Truncation { missing, within })
}

/// Calls `each` with every row that has an id.
fn each_row(file: &Decoded<'_>, mut each: impl FnMut(&str, &Row<'_>)) {
    let mut faults = Faults::default();
    let table = Table::open(file, &mut faults);
    table.rows(&mut faults, |row, _| {
        if let Some(cell) = row.cell(Field::Id) {
            each(cell.text.trim(), row);
        }
    });
}

/// A row of a program file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// The physical line on which the row starts.
    pub line: u64,
    /// The row as written, at most 4 KiB of it.
    pub text: String,
}

/// The most bytes of a row that are quoted.
const MAX_ROW_TEXT: usize = 4096;

/// The rows of the wanted sessions, by id, so that a person finds them in the file. Rows without an id are left out; of
/// several rows with the same id, only the last is returned.
pub fn rows_of(csv: &[u8], is_wanted: impl Fn(&str) -> bool) -> BTreeMap<String, FileRow> {
    let file = decode(csv);
    let mut rows = BTreeMap::new();
    each_row(&file, |id, row| {
        if is_wanted(id) {
            let text = row.text(&file.text);
            let end = (0..=text.len().min(MAX_ROW_TEXT)).rev().find(|at| text.is_char_boundary(*at));
            let end = end.unwrap_or_default();
            let cut = if end < text.len() { "…" } else { "" };
            let text = format!("{}{cut}", text.get(..end).unwrap_or_default());
            rows.insert(id.to_owned(), FileRow { line: row.line(), text });
        }
    });
    rows
}

/// Removes the rows of a session, with the blank lines after them; none if there is no such row.
pub fn without_session(csv: &[u8], id: &SessionId) -> Option<Vec<u8>> {
    let file = decode(csv);
    let mut rows: Vec<Range<usize>> = Vec::new();
    each_row(&file, |found, row| rows.extend((found == id.as_str()).then(|| row.extent())));
    if rows.is_empty() {
        return None;
    }
    let mut out =
        if csv.starts_with(BYTE_ORDER_MARK.as_bytes()) { BYTE_ORDER_MARK.to_owned() } else { String::new() };
    let mut from = 0;
    for row in rows {
        out.push_str(file.text.get(from..row.start).unwrap_or_default());
        from = row.end;
    }
    out.push_str(file.text.get(from..).unwrap_or_default());
    Some(out.into_bytes())
}

/// Puts an apostrophe before each cell that a spreadsheet would run as a formula. Importing the result gives the same
/// program, since import removes the apostrophe.
pub fn without_formulas(csv: Vec<u8>) -> Vec<u8> {
    let Ok(file) = std::str::from_utf8(&csv) else { return csv };
    let text = file.strip_prefix(BYTE_ORDER_MARK).unwrap_or(file);
    let (mut scanner, mut row) = (scanner(text), ScannedRow::default());
    let mut out = String::new();
    let mut copied = 0;
    while scanner.read(&mut row) {
        for span in &row.cells {
            let cell = text.get(span.start..span.end).unwrap_or_default();
            let content = cell.strip_prefix('"').unwrap_or(cell);
            // A cell of white space and quotes is not changed: an apostrophe would turn a blank line into a row.
            if content.starts_with(FORMULA_STARTS) && !is_blank(text, span) {
                let at = span.end - content.len();
                out.push_str(text.get(copied..at).unwrap_or_default());
                out.push('\'');
                copied = at;
            }
        }
    }
    if copied == 0 {
        return csv;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    let mark = file.get(..file.len() - text.len()).unwrap_or_default();
    [mark, out.as_str()].concat().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn length(file: ProgramFile) -> Result<usize, Vec<&'static str>> {
        match file {
            ProgramFile::Whole(bytes) => Ok(bytes.len()),
            ProgramFile::TooLarge(report) => Err(report.faults.iter().map(|fault| fault.rule).collect()),
        }
    }

    #[test]
    fn a_file_over_the_limit_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program.csv");
        let file = File::create(&path).unwrap();
        for (size, expected) in [
            (0, Ok(0)),
            (MAX_FILE as u64, Ok(MAX_FILE)),
            (MAX_FILE as u64 + 1, Err(vec!["file-too-large"])),
            // A sparse file: reading it would take as much memory as its size.
            (1 << 40, Err(vec!["file-too-large"])),
        ] {
            if file.set_len(size).is_ok() {
                assert_eq!(length(ProgramFile::read(&path).unwrap()), expected, "{size}");
            }
        }
        assert!(ProgramFile::read(dir.path()).is_err());
    }

    #[test]
    fn an_endless_stream_is_read_up_to_the_limit() {
        let read = |stream: &mut dyn Read| length(ProgramFile::read_stream(stream, 0).unwrap());
        assert_eq!(read(&mut io::repeat(b'-')), Err(vec!["file-too-large"]));
        assert_eq!(read(&mut io::repeat(b'-').take(7)), Ok(7));
    }

    const WHOLE: &str = "id,title\naa,One\nbb,Two\ncc,Three and more\n";

    fn found(csv: &str) -> Option<(usize, Option<String>)> {
        truncation(csv.as_bytes(), WHOLE.as_bytes()).map(|cut| (cut.missing, cut.within))
    }

    #[test]
    fn missing_last_rows_are_a_truncation_and_other_changes_are_not() {
        assert_eq!(found(WHOLE), None);
        assert_eq!(found(WHOLE.trim_end()), None, "only the line end is missing");
        assert_eq!(found("id,title\naa,One\n"), Some((2, None)));
        let resaved = "\u{feff}id;title\r\naa;Edited\r\nbb;Two";
        assert_eq!(found(resaved), Some((1, None)), "saved by another program");
        assert_eq!(found("id,title\nbb,Two\ncc,Three and more\n"), None, "the first row is missing");
        assert_eq!(found("id,title\naa,One\ncc,Three and more\n"), None, "a row in the middle is missing");
        assert_eq!(found("id,title\nbb,Two\naa,One\n"), None, "another order");
        assert_eq!(found("id,title\naa,One\ndd,Four\n"), None, "another row");
        assert_eq!(found("id,title\n"), None, "no rows, which import refuses");
    }

    #[test]
    fn a_last_row_without_its_end_is_a_truncation() {
        assert_eq!(found("id,title\naa,One\nbb,Two\ncc,Three"), Some((0, Some("cc".to_owned()))));
        assert_eq!(found("id,title\naa,One\nbb,Tw"), Some((1, Some("bb".to_owned()))));
        assert_eq!(found("id,title\naa,One\nbb,Two\ncc,Three\n"), None, "edited: the line has its end");
        assert_eq!(found("id,title\naa,One\nbb,Two\ncc,Three or more"), None, "edited");
    }

    fn removed(csv: &str, id: &str) -> Option<String> {
        let bytes = without_session(csv.as_bytes(), &SessionId::parse(id).unwrap())?;
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn only_the_row_of_the_session_is_removed() {
        let csv = "\u{feff}id;title;x\r\naa;\"A; \"\"quoted\"\"\r\nline\";\r\n\r\nbb;B;1\r\ncc;C;2";
        assert_eq!(removed(csv, "aa").unwrap(), "\u{feff}id;title;x\r\nbb;B;1\r\ncc;C;2");
        let others = "\u{feff}id;title;x\r\naa;\"A; \"\"quoted\"\"\r\nline\";\r\n\r\ncc;C;2";
        assert_eq!(removed(csv, "bb").unwrap(), others);
        assert!(removed(csv, "cc").unwrap().ends_with("bb;B;1\r\n"));
        assert_eq!(removed(csv, "dd"), None);
    }

    #[test]
    fn an_id_in_another_column_or_a_longer_id_is_not_the_session() {
        assert_eq!(removed("id,title\naa-2,aa\nbb,aa\n", "aa"), None);
    }

    #[test]
    fn rows_are_found_by_id_with_the_line_on_which_they_start() {
        let csv = "\u{feff}id;title\r\naa;\"One\r\nline\"\r\n\r\nbb;Two\r\ncc;Three";
        let rows = rows_of(csv.as_bytes(), |id| id != "bb");
        let found: Vec<(&str, u64, &str)> =
            rows.iter().map(|(id, row)| (id.as_str(), row.line, row.text.as_str())).collect();
        assert_eq!(found, [("aa", 2, "aa;\"One\r\nline\""), ("cc", 6, "cc;Three")]);
        let long = format!("id,title\naa,{}\n", "é".repeat(5000));
        let text = &rows_of(long.as_bytes(), |_| true)["aa"].text;
        assert!(text.len() <= MAX_ROW_TEXT + "…".len() && text.ends_with("é…"), "{}", text.len());
    }

    fn guarded(csv: &str) -> String {
        String::from_utf8(without_formulas(csv.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn only_cells_that_a_spreadsheet_would_run_get_an_apostrophe() {
        assert_eq!(guarded("id,title\naa,=1+1\n"), "id,title\naa,'=1+1\n");
        let quoted = "\u{feff}id;title\r\naa;\"'@x; \"\"y\"\"\"";
        assert_eq!(guarded(&quoted.replace('\'', "")), quoted);
        assert_eq!(guarded("sep=;\nid;title\naa;-1\n"), "sep=;\nid;title\naa;'-1\n");
        for same in ["id,title\naa,1-1\n", "id,title\naa,'=1\n", "id,title\naa,\"a\n=b\"\n", "", "\u{feff}"] {
            assert_eq!(guarded(same), same);
        }
        assert_eq!(without_formulas(b"id\n\xff".to_vec()), b"id\n\xff");
        assert_eq!(
            guarded("id,\ttitle\naa,x\n\t,\t\n"),
            "id,'\ttitle\naa,x\n\t,\t\n",
            "a blank row stays blank"
        );
    }

    proptest! {
        #[test]
        fn every_file_without_its_last_rows_is_recognised(rows in 2_usize..20, kept in 1_usize..19) {
            let row = |n: usize| format!("s-{n},\"Talk\n{n}\"\n");
            let text = |rows: usize| format!("id,title\n{}", (0..rows).map(row).collect::<String>());
            prop_assume!(kept < rows);
            let found = truncation(text(kept).as_bytes(), text(rows).as_bytes());
            prop_assert_eq!(found, Some(Truncation { missing: rows - kept, within: None }));
        }

        #[test]
        fn no_formula_is_left_and_a_second_pass_changes_nothing(
            titles in proptest::collection::vec("['=+@\t-]{0,3}[a-z=+,;\"\n]{1,8}", 1..5),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["id", "\tstart", "title"]).unwrap();
            for (n, title) in titles.iter().enumerate() {
                writer.write_record([&format!("s-{n}"), "09:00", title]).unwrap();
            }
            let safe = without_formulas(writer.into_inner().unwrap());
            for record in csv::Reader::from_reader(safe.as_slice()).records() {
                let runs = |cell: &str| cell.starts_with(FORMULA_STARTS) && !cell.trim_matches('"').trim().is_empty();
                prop_assert!(!record.unwrap().iter().any(runs));
            }
            prop_assert_eq!(without_formulas(safe.clone()), safe);
        }
    }
}
