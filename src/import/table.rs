//! A decoded file as header and rows.
//!
//! The only reader of the csv crate. What a row means is not known here, only whether its cells can be
//! told apart. Rows without any text, such as the tail of a spreadsheet, are no rows; surplus cells count only
//! where they hold text.

use super::column::{Column, Header, delimiter};
use super::fault::{At, Faults, Flaw, Spot};
use super::scan::{Place, Quote, Record, scan};
use crate::program::SessionId;

/// Rows that are read; more is no conference.
pub(super) const MOST_SESSIONS: usize = 50_000;

/// A file's header and the shape of its rows.
#[derive(Debug)]
pub(super) struct Table<'t> {
    text: &'t str,
    delimiter: u8,
    records: Vec<Record>,
    header: Option<Header>,
}

/// One row whose cells can be told apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'r> {
    header: &'r Header,
    cells: &'r csv::StringRecord,
    places: &'r [Place],
}

impl<'r> Row<'r> {
    /// The cell in a column; none where the file has no such column or the row ends before it.
    pub(super) fn cell(&self, column: Column) -> Option<Spot<'r>> {
        let index = self.header.position(column)?;
        let place = self.places.get(index)?;
        Some(Spot { at: at(place), column: Some(column.name()), text: armed(self.cells.get(index)?) })
    }

    /// The bytes of the text from its first cell to its last.
    pub(super) fn extent(&self) -> Option<std::ops::Range<usize>> {
        Some(self.places.first()?.start..self.places.last()?.end)
    }
}

/// A cell as it was before an export put an apostrophe in front of it, since a spreadsheet would run it as a
/// formula. Other cells keep theirs.
fn armed(cell: &str) -> &str {
    let formula = |cell: &str| cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r']);
    cell.strip_prefix('\'').filter(|rest| formula(rest)).unwrap_or(cell)
}

fn at(place: &Place) -> At {
    At { line: place.line, span: Some((place.start, place.end)) }
}

impl<'t> Table<'t> {
    /// Finds the rows, and reports every fault of the header.
    pub(super) fn open(text: &'t str, faults: &mut Faults) -> Self {
        let delimiter = delimiter(after_sep_line(text).unwrap_or(text));
        let mut records = scan(text, delimiter);
        if after_sep_line(text).is_some() && !records.is_empty() {
            let first = records.remove(0);
            let spot =
                Spot { at: At { line: first.line, span: Some((first.start, first.end)) }, ..Spot::FILE };
            let message = "the line \"sep=\" is ignored: the header row tells the delimiter";
            faults.warn(spot, Flaw::new("sep-line", message, "delete this line"));
        }
        let mut table = Self { text, delimiter, records, header: None };
        let blank = |record: &Record| record.cells.iter().all(|cell| table.is_blank(cell));
        let blanks = table.records.iter().take_while(|record| blank(record)).count();
        table.records.drain(..blanks);
        table.header = table.read_header(faults);
        table
    }

    fn read_header(&self, faults: &mut Faults) -> Option<Header> {
        let Some(record) = self.records.first() else {
            let message = "the file is empty";
            faults.error(Spot::FILE, Flaw::new("no-sessions", message, NO_SESSIONS));
            return None;
        };
        let mut reader = self.reader(std::slice::from_ref(record));
        let mut cells = csv::StringRecord::new();
        // A reader of valid text in memory has no other failure than its end.
        let _ = reader.read_record(&mut cells);
        let spots: Vec<Spot<'_>> = cells
            .iter()
            .zip(&record.cells)
            .map(|(text, place)| Spot { at: at(place), column: None, text })
            .collect();
        for (index, quote) in &record.flaws {
            if let Some(place) = record.cells.get(*index) {
                let spot = Spot { at: at(place), column: None, text: self.raw(place) };
                faults.error(spot, quote_flaw(*quote, place, record));
            }
        }
        // Without its end the header row says nothing more.
        record.sound.then(|| Header::read(&spots, faults))?
    }

    /// Calls `each` for every row whose cells can be told apart, in order, and reports the others.
    pub(super) fn rows(&self, faults: &mut Faults, mut each: impl FnMut(&Row<'_>, &mut Faults)) {
        let (Some(header), Some((_, records))) = (&self.header, self.records.split_first()) else { return };
        let mut reader = self.reader(records);
        let mut cells = csv::StringRecord::new();
        let mut unnamed = vec![false; header.width()];
        let mut count = 0_usize;
        for record in records {
            if record.sound && !matches!(reader.read_record(&mut cells), Ok(true)) {
                cells.clear();
            }
            if record.flaws.is_empty() && record.cells.iter().all(|cell| self.is_blank(cell)) {
                continue;
            }
            count += 1;
            if count > MOST_SESSIONS {
                let at = At { line: record.line, span: Some((record.start, record.end)) };
                let message =
                    format!("a program has at most {MOST_SESSIONS} sessions; from here on no row was read");
                faults.error(
                    Spot { at, ..Spot::FILE },
                    Flaw::new(
                        "too-many-sessions",
                        message,
                        "split the program, or delete rows that are none",
                    ),
                );
                return;
            }
            if self.report_shape(header, record, &cells, faults) {
                self.report_unnamed(header, record, &mut unnamed, faults);
                each(&Row { header, cells: &cells, places: &record.cells }, faults);
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
        cells: &csv::StringRecord,
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
        let (width, expected) = (record.cells.len(), header.width());
        if !record.sound || (width != expected && !record.flaws.is_empty()) {
            return false;
        }
        let whole = At { line: record.line, span: Some((record.start, record.end)) };
        let spot = Spot {
            at: whole,
            column: None,
            text: self.text.get(record.start..record.end).unwrap_or_default(),
        };
        if cells.len() != width {
            let message = "this row's cells could not be told apart";
            faults.error(spot, Flaw::new("row-shape", message, "put every cell of it in quotes"));
            return false;
        }
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
        if let Some(extra) = record.cells.iter().skip(expected).find(|place| !self.is_blank(place)) {
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
    fn is_cut_short(header: &Header, cells: &csv::StringRecord) -> bool {
        let cell = |column| header.position(column).and_then(|index| cells.get(index)).unwrap_or_default();
        SessionId::parse(cell(Column::Id).trim()).is_ok()
            && cell(Column::Date).contains(|c: char| c.is_ascii_digit())
    }

    /// Text under a header cell without a name would be lost silently.
    fn report_unnamed(&self, header: &Header, record: &Record, unnamed: &mut [bool], faults: &mut Faults) {
        for ((place, name), told) in record.cells.iter().zip(&header.names).zip(unnamed) {
            if name.is_empty() && !*told && !self.is_blank(place) {
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

    /// The cell that holds a byte of the text.
    pub(super) fn locate(&self, offset: usize) -> Spot<'_> {
        let index = self.records.partition_point(|record| record.start <= offset);
        let Some(record) = index.checked_sub(1).and_then(|index| self.records.get(index)) else {
            return Spot { at: At { line: 1, span: None }, ..Spot::FILE };
        };
        let cell = record.cells.partition_point(|cell| cell.start <= offset).saturating_sub(1);
        let column = self.header.as_ref().and_then(|header| header.names.get(cell)).map(String::as_str);
        record.cells.get(cell).map_or(Spot::FILE, |place| Spot {
            at: at(place),
            column: column.filter(|_| index > 1),
            text: self.raw(place),
        })
    }

    /// Where the record after the one that starts there starts; the end of the text after the last.
    pub(super) fn next_after(&self, start: usize) -> usize {
        let next = self.records.partition_point(|record| record.start <= start);
        self.records.get(next).map_or(self.text.len(), |record| record.start)
    }

    /// A reader of the sound records among these, in the form that the scan found.
    fn reader(&self, records: &[Record]) -> csv::Reader<std::io::Cursor<Vec<u8>>> {
        let mut sound = Vec::with_capacity(records.iter().map(|record| record.end - record.start + 1).sum());
        for record in records.iter().filter(|record| record.sound) {
            sound.extend_from_slice(self.text.get(record.start..record.end).unwrap_or_default().as_bytes());
            sound.push(b'\n');
        }
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .from_reader(std::io::Cursor::new(sound))
    }

    fn raw(&self, place: &Place) -> &'t str {
        self.text.get(place.start..place.end).unwrap_or_default()
    }

    fn is_blank(&self, place: &Place) -> bool {
        self.raw(place).trim_matches('"').trim().is_empty()
    }
}

const NO_SESSIONS: &str =
    "write one row for each session below the header row; an empty program would empty every calendar";

/// What follows Excel's own first line `sep=;`, if it is there.
fn after_sep_line(text: &str) -> Option<&str> {
    let (first, rest) = text.split_once(['\r', '\n'])?;
    let mark = first.trim().trim_matches('"').to_ascii_lowercase();
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
