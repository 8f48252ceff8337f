//! A program file that is another one without its end: what an interrupted copy or a paused writer leaves.

use super::column::Column;
use super::encoding::decode;
use super::fault::Faults;
use super::table::Table;

/// What a file lacks at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Rows of the other file that come after its last one.
    pub missing: usize,
    /// The session in whose row it ends.
    pub within: Option<String>,
}

/// Compares a file with the one before it: none where it is not cut off.
///
/// The rows are compared by their ids, in the order of the files, so that a file which was edited as well as cut off is
/// recognised. Its last row is cut off where the file ends without a line end and the row before went on.
pub fn cut_off(csv: &[u8], before: &[u8]) -> Option<Cut> {
    let mut ids: Vec<String> = Vec::new();
    let mut last = String::new();
    each_row(csv, |id, row| {
        ids.push(id.to_owned());
        row.clone_into(&mut last);
    });
    let end = ids.len().checked_sub(1)?;
    let (mut count, mut is_prefix, mut within) = (0_usize, true, None);
    let has_end = csv.ends_with(b"\n") || csv.ends_with(b"\r");
    each_row(before, |id, row| {
        is_prefix &= ids.get(count).is_none_or(|expected| expected == id);
        if count == end && !has_end && row.len() > last.len() && row.starts_with(&last) {
            within = Some(id.to_owned());
        }
        count += 1;
    });
    let missing = count.checked_sub(ids.len()).filter(|_| is_prefix)?;
    (missing > 0 || within.is_some()).then_some(Cut { missing, within })
}

/// Calls `each` with the id and the text of every row that can be read.
fn each_row(csv: &[u8], mut each: impl FnMut(&str, &str)) {
    let decoded = decode(csv);
    let mut faults = Faults::default();
    let table = Table::open(&decoded.text, &mut faults);
    table.rows(&mut faults, |row, _| {
        if let Some(id) = row.cell(Column::Id) {
            each(id.text.trim(), row.text(&decoded.text));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WHOLE: &str = "id,title\naa,One\nbb,Two\ncc,Three and more\n";

    fn cut(csv: &str) -> Option<(usize, Option<String>)> {
        cut_off(csv.as_bytes(), WHOLE.as_bytes()).map(|cut| (cut.missing, cut.within))
    }

    #[test]
    fn missing_last_rows_are_a_cut_and_other_changes_are_not() {
        assert_eq!(cut(WHOLE), None);
        assert_eq!(cut(WHOLE.trim_end()), None, "the line end alone");
        assert_eq!(cut("id,title\naa,One\n"), Some((2, None)));
        assert_eq!(
            cut("\u{feff}id;title\r\naa;Edited\r\nbb;Two"),
            Some((1, None)),
            "saved by another program"
        );
        assert_eq!(cut("id,title\nbb,Two\ncc,Three and more\n"), None, "the first row");
        assert_eq!(cut("id,title\naa,One\ncc,Three and more\n"), None, "one in the middle");
        assert_eq!(cut("id,title\nbb,Two\naa,One\n"), None, "another order");
        assert_eq!(cut("id,title\naa,One\ndd,Four\n"), None, "another row instead");
        assert_eq!(cut("id,title\n"), None, "nothing, which is refused anyway");
    }

    #[test]
    fn a_row_that_ends_early_is_a_cut_where_the_file_ends_with_it() {
        assert_eq!(cut("id,title\naa,One\nbb,Two\ncc,Three"), Some((0, Some("cc".to_owned()))));
        assert_eq!(cut("id,title\naa,One\nbb,Tw"), Some((1, Some("bb".to_owned()))));
        assert_eq!(cut("id,title\naa,One\nbb,Two\ncc,Three\n"), None, "edited: the line has its end");
        assert_eq!(cut("id,title\naa,One\nbb,Two\ncc,Three or more"), None, "edited");
    }

    proptest! {
        /// Wherever a file of whole rows is cut off behind its first row, it is recognised.
        #[test]
        fn every_cut_behind_a_row_is_recognised(rows in 2_usize..20, kept in 1_usize..19) {
            let row = |n: usize| format!("s-{n},\"Talk\n{n}\"\n");
            let text = |rows: usize| format!("id,title\n{}", (0..rows).map(row).collect::<String>());
            prop_assume!(kept < rows);
            let found = cut_off(text(kept).as_bytes(), text(rows).as_bytes());
            prop_assert_eq!(found, Some(Cut { missing: rows - kept, within: None }));
        }
    }
}
