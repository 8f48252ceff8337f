//! A program file as a spreadsheet may open it: no cell of it is a formula.
//!
//! The other half of the rule that import undoes, see [`super::table`]. It works on files that were published, byte for
//! byte: every cell keeps its quotes and what it says to import.

use super::scan::{Record, is_blank};
use super::table::{STARTS_FORMULA, records};

/// The file with an apostrophe in front of each cell that a spreadsheet would run. Import reads the same program from
/// it.
pub fn defused(csv: Vec<u8>) -> Vec<u8> {
    let Ok(file) = std::str::from_utf8(&csv) else { return csv };
    let text = file.strip_prefix('\u{feff}').unwrap_or(file);
    let (mut records, mut record) = (records(text), Record::default());
    let mut out = String::new();
    let mut copied = 0;
    while records.read(&mut record) {
        for place in &record.cells {
            let cell = text.get(place.start..place.end).unwrap_or_default();
            let said = cell.strip_prefix('"').unwrap_or(cell);
            // Cells of nothing but white space and quotes stay as they are: a row of them is no row.
            if said.starts_with(STARTS_FORMULA) && !is_blank(text, place) {
                let at = place.end - said.len();
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
    use crate::import::import;
    use crate::import::laws::los_angeles;
    use proptest::prelude::*;

    fn of(csv: &str) -> String {
        String::from_utf8(defused(csv.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn only_cells_that_a_spreadsheet_would_run_get_an_apostrophe() {
        assert_eq!(of("id,title\naa,=1+1\n"), "id,title\naa,'=1+1\n");
        assert_eq!(
            of("\u{feff}id;title\r\naa;\"@x; \"\"y\"\"\""),
            "\u{feff}id;title\r\naa;\"'@x; \"\"y\"\"\""
        );
        assert_eq!(of("sep=;\nid;title\naa;-1\n"), "sep=;\nid;title\naa;'-1\n");
        for same in ["id,title\naa,1-1\n", "id,title\naa,'=1\n", "id,title\naa,\"a\n=b\"\n", "", "\u{feff}"] {
            assert_eq!(of(same), same);
        }
        assert_eq!(defused(b"id\n\xff".to_vec()), b"id\n\xff");
        // Neither a column nor a row comes or goes by it.
        assert_eq!(of("id,\ttitle\naa,x\n\t,\t\n"), "id,'\ttitle\naa,x\n\t,\t\n");
    }

    proptest! {
        /// No cell of it starts a formula, it says the same to import, and doing it again changes nothing.
        #[test]
        fn a_defused_file_holds_no_formula_and_the_same_program(
            titles in proptest::collection::vec("['=+@\t-]{0,3}[a-z=+,;\"\n]{1,8}", 1..5),
            rooms in proptest::collection::vec("['=+@-]{0,2}[a-z]{1,4}", 5),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["id", "date", "\tstart", "end", "kind", "title", "room", "\rabstract"]).unwrap();
            for (n, (text, room)) in titles.iter().zip(&rooms).enumerate() {
                let (id, title) = (format!("s-{n}"), text.replace('\n', ""));
                writer.write_record([&id, "2025-03-25", "09:00", "10:00", "talk", &title, room, text]).unwrap();
            }
            let file = writer.into_inner().unwrap();
            let safe = defused(file.clone());
            for record in csv::Reader::from_reader(safe.as_slice()).records() {
                let runs = |cell: &str| cell.starts_with(STARTS_FORMULA) && !cell.trim_matches('"').trim().is_empty();
                prop_assert!(!record.unwrap().iter().any(runs));
            }
            let conference = los_angeles();
            prop_assert_eq!(import(&safe, &conference).program, import(&file, &conference).program);
            prop_assert_eq!(defused(safe.clone()), safe);
        }
    }
}
