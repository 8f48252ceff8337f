//! A decoded file as header and rows.
//!
//! Rows are read one after the other and none is kept, so a file is never in memory twice. What a row means is not
//! known here, only whether its cells can be told apart. Rows without any text, such as the tail of a spreadsheet,
//! are no rows; surplus cells count only where they hold text.

use super::column::{Column, Header, delimiter};
use super::fault::{At, Faults, Flaw, Spot};
use super::scan::{Place, Quote, Record, Records, is_blank, raw, unquoted};
use crate::program::SessionId;
use std::borrow::Cow;

/// Rows that are read; more is no conference.
pub(super) const MOST_SESSIONS: usize = 50_000;

/// A file's header, and where its rows start.
#[derive(Debug)]
pub(super) struct Table<'t> {
    text: &'t str,
    /// From the header row on.
    records: Records<'t>,
    header: Option<Header>,
}

/// One row whose cells can be told apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'r> {
    header: &'r Header,
    cells: &'r [Cow<'r, str>],
    record: &'r Record,
    next: usize,
}

impl<'r> Row<'r> {
    /// The cell in a column; none where the file has no such column or the row ends before it.
    pub(super) fn cell(&self, column: Column) -> Option<Spot<'r>> {
        let index = self.header.position(column)?;
        let place = self.record.cells.get(index)?;
        Some(Spot { at: at(place), column: Some(column.name()), text: armed(self.cells.get(index)?) })
    }

    /// Its text as it stands in the file.
    pub(super) fn text<'t>(&self, file: &'t str) -> &'t str {
        file.get(self.record.start..self.record.end).unwrap_or_default()
    }

    /// The bytes of the text from its first cell to the row after it, blank lines included.
    pub(super) fn extent(&self) -> std::ops::Range<usize> {
        self.record.start..self.next
    }
}

/// What a cell starts with that a spreadsheet runs as a formula.
pub(super) const STARTS_FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell as it was before an export put an apostrophe in front of it, since a spreadsheet would run it as a
/// formula. Other cells keep theirs.
fn armed(cell: &str) -> &str {
    let formula = |cell: &str| cell.trim_start_matches('\'').starts_with(STARTS_FORMULA);
    cell.strip_prefix('\'').filter(|rest| formula(rest)).unwrap_or(cell)
}

fn at(place: &Place) -> At {
    At { line: place.line, span: Some((place.start, place.end)) }
}

impl<'t> Table<'t> {
    /// Finds the header row, and reports every fault of it.
    pub(super) fn open(text: &'t str, faults: &mut Faults) -> Self {
        let (mut records, mut record) = (records(text), Record::default());
        if after_sep_line(text).is_some() && records.read(&mut record) {
            let spot = Spot { at: whole(&record), ..Spot::FILE };
            let message = "the line \"sep=\" is ignored: the header row tells the delimiter";
            faults.warn(spot, Flaw::new("sep-line", message, "delete this line"));
            records.forget_width();
        }
        loop {
            let before = records.clone();
            if !records.read(&mut record) {
                let message = "the file is empty";
                faults.error(Spot::FILE, Flaw::new("no-sessions", message, NO_SESSIONS));
                return Self { text, records: before, header: None };
            }
            if !record.is_blank(text) {
                let header = read_header(text, &record, faults);
                return Self { text, records: before, header };
            }
            records.forget_width();
        }
    }

    /// Calls `each` for every row whose cells can be told apart, in order, and reports the others.
    pub(super) fn rows(&self, faults: &mut Faults, mut each: impl FnMut(&Row<'_>, &mut Faults)) {
        let Some(header) = &self.header else { return };
        let (mut records, mut record) = (self.records.clone(), Record::default());
        records.read(&mut record);
        let mut unnamed = vec![false; header.width()];
        let mut count = 0_usize;
        while records.read(&mut record) {
            if record.is_blank(self.text) {
                continue;
            }
            count += 1;
            if count > MOST_SESSIONS {
                let message =
                    format!("a program has at most {MOST_SESSIONS} sessions; from here on no row was read");
                faults.error(
                    Spot { at: whole(&record), ..Spot::FILE },
                    Flaw::new(
                        "too-many-sessions",
                        message,
                        "split the program, or delete rows that are none",
                    ),
                );
                return;
            }
            let cells: Vec<Cow<'_, str>> = if record.sound {
                record.cells.iter().map(|place| unquoted(self.raw(place))).collect()
            } else {
                Vec::new()
            };
            if self.report_shape(header, &record, &cells, faults) {
                self.report_unnamed(header, &record, &mut unnamed, faults);
                let row = Row { header, cells: &cells, record: &record, next: records.next_start() };
                each(&row, faults);
            }
        }
        if count == 0 {
            let message = "the file names its columns but holds no session";
            faults.error(Spot::FILE, Flaw::new("no-sessions", message, NO_SESSIONS));
        }
    }

    /// Reports quotes and the number of cells; whether the row can be read.
    fn report_shape(
        &self,
        header: &Header,
        record: &Record,
        cells: &[Cow<'_, str>],
        faults: &mut Faults,
    ) -> bool {
        // Beyond the columns a quote is only the end of one that was reported before.
        let inside = |index: usize| index < header.width() || record.flaws.len() == 1;
        for (index, quote) in record.flaws.iter().filter(|(index, _)| inside(*index)) {
            if let Some(place) = record.cells.get(*index) {
                let name = header.names.get(*index).map(String::as_str);
                let spot = Spot { at: at(place), column: name, text: self.raw(place) };
                faults.error(spot, quote_flaw(*quote, place, record));
            }
        }
        let (width, expected) = (record.width, header.width());
        if !record.sound || (width != expected && !record.flaws.is_empty()) {
            return false;
        }
        let spot = Spot {
            at: whole(record),
            column: None,
            text: self.text.get(record.start..record.end).unwrap_or_default(),
        };
        if width < expected {
            let message = format!("this row has {width} of {expected} cells");
            let cut_short = Self::is_cut_short(header, cells);
            let missing = header.names.get(width..).unwrap_or_default().join(", ");
            let remedy = if cut_short {
                format!("add the missing cells, empty where there is nothing to say: {missing}")
            } else {
                format!(
                    "put the cell of the row above in quotes if it broke the line, else add the missing cells: {missing}"
                )
            };
            faults.error(spot, Flaw::new("too-few-cells", message, remedy));
            return cut_short;
        }
        let surplus = record.cells.iter().skip(expected).find(|place| !is_blank(self.text, place));
        if let Some(extra) = surplus.or(record.surplus.as_ref()) {
            let message =
                format!("this row has {width} cells under {expected} columns, so its cells were not checked");
            let remedy = "put the cell that holds a delimiter in quotes, or delete the surplus cells";
            let spot = Spot { at: at(extra), column: None, text: self.raw(extra) };
            faults.error(spot, Flaw::new("too-many-cells", message, remedy));
            return false;
        }
        true
    }

    /// Whether a row with too few cells lacks its last ones, and can still be checked; else it is the tail of
    /// a row that a line end broke.
    fn is_cut_short(header: &Header, cells: &[Cow<'_, str>]) -> bool {
        let cell =
            |column| header.position(column).and_then(|index| cells.get(index)).map_or("", AsRef::as_ref);
        SessionId::parse(cell(Column::Id).trim()).is_ok()
            && cell(Column::Date).contains(|c: char| c.is_ascii_digit())
    }

    /// Text under a header cell without a name would be lost silently.
    fn report_unnamed(&self, header: &Header, record: &Record, unnamed: &mut [bool], faults: &mut Faults) {
        for ((place, name), told) in record.cells.iter().zip(&header.names).zip(unnamed) {
            if name.is_empty() && !*told && !is_blank(self.text, place) {
                *told = true;
                let spot = Spot { at: at(place), column: None, text: self.raw(place) };
                let message = "this column has no name, so its cells are ignored";
                faults.warn(
                    spot,
                    Flaw::new("unnamed-column", message, "name it in the header row, or delete it"),
                );
            }
        }
    }

    /// The cells that hold these bytes of the text, which stand in order.
    pub(super) fn locate(&self, offsets: &[usize]) -> Vec<Spot<'_>> {
        let (mut records, mut record) = (self.records.clone(), Record::default());
        let mut next = Record::default();
        let mut ahead = records.read(&mut record);
        let mut is_header = true;
        let mut found = Vec::with_capacity(offsets.len());
        for offset in offsets {
            if *offset < record.start || record.cells.is_empty() {
                found.push(Spot { at: At { line: 1, span: None }, ..Spot::FILE });
                continue;
            }
            while ahead && records.next_start() <= *offset {
                ahead = records.read(&mut next);
                if ahead {
                    std::mem::swap(&mut record, &mut next);
                    is_header = false;
                }
            }
            let cell = record.cells.partition_point(|cell| cell.start <= *offset).saturating_sub(1);
            let column = self.header.as_ref().and_then(|header| header.names.get(cell)).map(String::as_str);
            found.push(record.cells.get(cell).map_or(Spot::FILE, |place| Spot {
                at: at(place),
                column: column.filter(|_| !is_header),
                text: self.raw(place),
            }));
        }
        found
    }

    fn raw(&self, place: &Place) -> &'t str {
        raw(self.text, place)
    }
}

/// The records of a text under its own delimiter, from the first on.
pub(super) fn records(text: &str) -> Records<'_> {
    Records::of(text, delimiter(after_sep_line(text).unwrap_or(text)))
}

fn whole(record: &Record) -> At {
    At { line: record.line, span: Some((record.start, record.end)) }
}

fn read_header(text: &str, record: &Record, faults: &mut Faults) -> Option<Header> {
    let cells: Vec<Cow<'_, str>> = record.cells.iter().map(|place| unquoted(raw(text, place))).collect();
    let spots: Vec<Spot<'_>> = cells
        .iter()
        .zip(&record.cells)
        .map(|(text, place)| Spot { at: at(place), column: None, text: armed(text) })
        .collect();
    for (index, quote) in &record.flaws {
        if let Some(place) = record.cells.get(*index) {
            let spot = Spot { at: at(place), column: None, text: raw(text, place) };
            faults.error(spot, quote_flaw(*quote, place, record));
        }
    }
    // Without its end the header row says nothing more.
    record.sound.then(|| Header::read(&spots, record.width, faults))?
}

const NO_SESSIONS: &str =
    "write one row for each session below the header row; an empty program would empty every calendar";

/// What follows Excel's own first line `sep=;`, if it is there.
fn after_sep_line(text: &str) -> Option<&str> {
    let (first, rest) = text.split_once(['\r', '\n'])?;
    let first = Some(first.trim()).filter(|first| first.len() <= 7)?;
    let mark = first.trim_matches('"').to_ascii_lowercase();
    (mark.len() <= 5 && mark.starts_with("sep=")).then_some(rest)
}

fn quote_flaw(quote: Quote, place: &Place, record: &Record) -> Flaw {
    match quote {
        Quote::Unclosed => Flaw::new(
            "unclosed-quote",
            format!(
                "the quote that opens this cell is not closed{}",
                if record.sound {
                    ""
                } else {
                    ", so neither this row nor the text up to the next whole row was checked"
                }
            ),
            format!("close the cell that starts on line {} with a \" before the delimiter", place.line),
        ),
        Quote::TextAfter => Flaw::new(
            "text-after-quote",
            "text follows the quote that closes this cell",
            "write a quote inside a cell twice (\"\"), or delete the text behind the closing quote",
        ),
        Quote::Stray(true) => Flaw::new(
            "stray-quote",
            "spaces stand before the quote that should open this cell",
            "delete the spaces between the delimiter and the quote",
        ),
        Quote::Stray(false) => Flaw::new(
            "stray-quote",
            "a quote stands inside a cell that is not in quotes",
            "put the cell in quotes and write the quote inside it twice (\"\")",
        ),
    }
}
