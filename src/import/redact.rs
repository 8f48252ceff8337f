//! A program file without one session's row, for an erasure. Every other byte stays as it is.

use super::column::Column;
use super::encoding::decode;
use super::fault::Faults;
use super::table::Table;
use crate::program::SessionId;
use std::ops::Range;

/// The file without the rows of a session, the blank lines after them included; none where it has no such row.
pub fn redact(csv: &[u8], id: &SessionId) -> Option<Vec<u8>> {
    let decoded = decode(csv);
    let mut faults = Faults::default();
    let table = Table::open(&decoded.text, &mut faults);
    let mut rows: Vec<Range<usize>> = Vec::new();
    table.rows(&mut faults, |row, _| {
        let is_it = row.cell(Column::Id).is_some_and(|cell| cell.text.trim() == id.as_str());
        rows.extend(is_it.then(|| row.extent()));
    });
    if rows.is_empty() {
        return None;
    }
    let mut kept = String::with_capacity(decoded.text.len());
    let mut from = 0;
    for row in rows {
        kept.push_str(decoded.text.get(from..row.start).unwrap_or_default());
        from = row.end;
    }
    kept.push_str(decoded.text.get(from..).unwrap_or_default());
    let mark: &[u8] = if csv.starts_with(b"\xef\xbb\xbf") { b"\xef\xbb\xbf" } else { b"" };
    Some([mark, kept.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(csv: &str, id: &str) -> Option<String> {
        let bytes = redact(csv.as_bytes(), &SessionId::parse(id).unwrap())?;
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn only_the_row_goes_and_every_other_byte_stays() {
        let csv = "\u{feff}id;title;x\r\naa;\"A; \"\"quoted\"\"\r\nline\";\r\n\r\nbb;B;1\r\ncc;C;2";
        assert_eq!(without(csv, "aa").unwrap(), "\u{feff}id;title;x\r\nbb;B;1\r\ncc;C;2");
        assert_eq!(
            without(csv, "bb").unwrap(),
            "\u{feff}id;title;x\r\naa;\"A; \"\"quoted\"\"\r\nline\";\r\n\r\ncc;C;2"
        );
        assert!(without(csv, "cc").unwrap().ends_with("bb;B;1\r\n"));
        assert_eq!(without(csv, "dd"), None);
    }

    #[test]
    fn an_id_in_another_column_or_a_longer_one_is_no_row_of_it() {
        let csv = "id,title\naa-2,aa\nbb,aa\n";
        assert_eq!(without(csv, "aa"), None);
    }
}
