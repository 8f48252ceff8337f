//! Changes single cells of a program file and adds rows. Every other byte stays: the order of columns and rows, columns
//! that import ignores, quotes, blank lines and line ends.

use super::encoding::decode;
use super::fault::Faults;
use super::file::BYTE_ORDER_MARK;
use super::table::{FORMULA_STARTS, Table};
use crate::program::Field;
use std::collections::BTreeMap;
use std::ops::Range;

/// The new texts of some cells of one row.
pub type NewCells = BTreeMap<Field, String>;

/// Replaces cells of sessions, which are named by their ids, and adds rows after the last row.
///
/// A column that the file does not have is added as its last column if a new cell has text for it. The file must import
/// without an error; otherwise its faulty rows stay as they are.
pub fn with_cells(csv: &[u8], changed: &BTreeMap<String, NewCells>, added: &[NewCells]) -> Vec<u8> {
    let file = decode(csv);
    let text = file.text.as_ref();
    let mut faults = Faults::default();
    let table = Table::open(&file, &mut faults);
    let (mut columns, delimiter, (name_end, header_end)) =
        (table.columns(), table.delimiter(), table.header_ends());
    let is_filled = |field: Field| {
        let mut rows = changed.values().chain(added);
        rows.any(|cells| cells.get(&field).is_some_and(|cell| !cell.is_empty()))
    };
    let is_new = |field: &Field| !columns.contains(&Some(*field)) && is_filled(*field);
    let new_columns: Vec<Field> = Field::ALL.iter().copied().filter(is_new).collect();
    let appended = |cell: &dyn Fn(Field) -> String| -> String {
        new_columns.iter().flat_map(|field| [delimiter.to_string(), cell(*field)]).collect()
    };
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut last_row = header_end;
    edits.push((name_end..name_end, appended(&|field| field.to_string())));
    let none = NewCells::new();
    table.rows(&mut faults, |row, _| {
        last_row = row.bytes().end;
        let id = row.cell(Field::Id).map_or("", |cell| cell.text.trim());
        let cells = changed.get(id).unwrap_or(&none);
        for (field, cell) in cells {
            if let Some(span) = row.cell(*field).and_then(|spot| spot.location.span) {
                edits.push((span.0..span.1, written(cell, delimiter)));
            }
        }
        let end = row.end_of_columns();
        edits.push((
            end..end,
            appended(&|field| cells.get(&field).map_or_else(String::new, |cell| written(cell, delimiter))),
        ));
    });
    columns.extend(new_columns.iter().copied().map(Some));
    let line_end = ["\r\n", "\r"]
        .into_iter()
        .find(|end| text.get(header_end..).is_some_and(|rest| rest.starts_with(end)));
    for cells in added {
        let cell = |field: &Option<Field>| {
            field
                .and_then(|field| cells.get(&field))
                .map_or_else(String::new, |cell| written(cell, delimiter))
        };
        let row = columns.iter().map(cell).collect::<Vec<_>>().join(&delimiter.to_string());
        edits.push((last_row..last_row, format!("{}{row}", line_end.unwrap_or("\n"))));
    }
    // The sort is stable: at one place, a replaced empty cell comes before added cells, and these before added rows.
    edits.sort_by_key(|(range, _)| range.start);
    let mut out =
        if csv.starts_with(BYTE_ORDER_MARK.as_bytes()) { BYTE_ORDER_MARK.to_owned() } else { String::new() };
    let mut copied = 0;
    for (range, new) in edits {
        out.push_str(text.get(copied..range.start).unwrap_or_default());
        out.push_str(&new);
        copied = range.end;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out.into_bytes()
}

/// A text as a cell: in quotes if it needs them, and with an apostrophe if a spreadsheet would run it as a formula.
fn written(text: &str, delimiter: char) -> String {
    let guard = if text.trim_start_matches('\'').starts_with(FORMULA_STARTS) { "'" } else { "" };
    let needs_quotes = text.contains([delimiter, '"', '\r', '\n']) || text.trim() != text;
    if needs_quotes { format!("\"{guard}{}\"", text.replace('"', "\"\"")) } else { format!("{guard}{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(list: &[(Field, &str)]) -> NewCells {
        list.iter().map(|(field, text)| (*field, (*text).to_owned())).collect()
    }

    fn edited(csv: &str, id: &str, change: &[(Field, &str)], added: &[(Field, &str)]) -> String {
        let changed = BTreeMap::from([(id.to_owned(), cells(change))]);
        let added = if added.is_empty() { Vec::new() } else { vec![cells(added)] };
        String::from_utf8(with_cells(csv.as_bytes(), &changed, &added)).unwrap()
    }

    #[test]
    fn only_the_named_cells_change() {
        let csv = "\u{feff}Room;id;\"x\";title\r\nA;aa;\"k;\";\"One\r\nline\"\r\n\r\n;bb;;Two\r\n";
        assert_eq!(edited(csv, "aa", &[], &[]), csv);
        assert_eq!(
            edited(csv, "aa", &[(Field::Title, "=1; \"2\""), (Field::Room, "B")], &[]),
            "\u{feff}Room;id;\"x\";title\r\nB;aa;\"k;\";\"'=1; \"\"2\"\"\"\r\n\r\n;bb;;Two\r\n"
        );
        assert_eq!(edited(csv, "bb", &[(Field::Room, "C")], &[]), csv.replace(";bb", "C;bb"));
        assert_eq!(edited(csv, "cc", &[(Field::Room, "C")], &[]), csv, "no such session");
    }

    #[test]
    fn rows_follow_the_last_row_and_new_columns_the_last_column() {
        let csv = "id,title\naa,\nbb,Two";
        assert_eq!(
            edited(
                csv,
                "aa",
                &[(Field::Title, "One"), (Field::Status, "cancelled"), (Field::Room, "")],
                &[(Field::Id, "cc"), (Field::Guid, "7")]
            ),
            "id,title,guid,status\naa,One,,cancelled\nbb,Two,,\ncc,,7,"
        );
        let tail = "id,title,,\r\naa,One,,\r\n,,,\r\n";
        assert_eq!(
            edited(tail, "aa", &[(Field::Room, "R")], &[(Field::Id, "bb")]),
            "id,title,,,room\r\naa,One,,,R\r\nbb,,,,\r\n,,,\r\n"
        );
    }
}
