//! Splits a decoded file into a header row and rows of cells.
//!
//! Rows are read one after the other and none is kept, so the file is in memory only once. Knows whether the cells of a
//! row are certain, and does not interpret the cells. Rows without text, such as the tail of a spreadsheet, are
//! skipped. Surplus cells count only if they hold text.

use super::MAX_SESSIONS;
use super::encoding::Decoded;
use super::fault::{Defect, Faults, Location, Spot, shorten};
use super::header::{Header, names_field};
use super::scan::{CellSpan, QuoteFault, ScannedRow, Scanner, delimiter, is_blank, raw, unquoted};
use crate::program::{Field, SessionId};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::iter::Peekable;

/// A file whose header row has been read.
#[derive(Debug)]
pub(super) struct Table<'t> {
    text: &'t str,
    scanner: Scanner<'t>,
    /// The row that was read last.
    row: ScannedRow,
    header: Option<Header>,
    /// The first byte of the first row below the header.
    first: usize,
    /// Whether all rows below the header have the same number of cells, found out when a row has too many.
    has_even_rows: OnceCell<bool>,
    /// The wrongly encoded characters after the row that was read last.
    misencoded: Peekable<std::vec::IntoIter<(usize, Defect)>>,
}

/// One row whose cells are certain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'r> {
    header: &'r Header,
    cells: &'r [Cow<'r, str>],
    scanned: &'r ScannedRow,
    next: usize,
}

impl<'r> Row<'r> {
    /// The cell of a field; none if the file has no such column or the row ends before it.
    pub(super) fn cell(&self, field: Field) -> Option<Spot<'r>> {
        let index = self.header.position(field)?;
        let location = location(self.scanned.cells.get(index)?);
        Some(Spot { location, column: Some(field.as_str()), text: without_guard(self.cells.get(index)?) })
    }

    /// The physical line on which the row starts.
    pub(super) fn line(&self) -> u64 {
        self.scanned.line
    }

    /// The row as written in the file.
    pub(super) fn text<'t>(&self, file: &'t str) -> &'t str {
        file.get(self.scanned.start..self.scanned.end).unwrap_or_default()
    }

    /// The bytes of the row in the file, without its line end.
    pub(super) fn bytes(&self) -> std::ops::Range<usize> {
        self.scanned.start..self.scanned.end
    }

    /// The end of the cell in the last column. Cells after it are blank.
    pub(super) fn end_of_columns(&self) -> usize {
        end_of_column(self.scanned, self.header.names.len())
    }

    /// The bytes from the row's first cell to the next row, including blank lines between the rows.
    pub(super) fn extent(&self) -> std::ops::Range<usize> {
        self.scanned.start..self.next
    }
}

/// A cell that starts with one of these characters is a formula to a spreadsheet.
pub(super) const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell without the apostrophe that an export puts before a formula. Other cells keep their apostrophe.
fn without_guard(cell: &str) -> &str {
    let is_formula = |cell: &str| cell.trim_start_matches('\'').starts_with(FORMULA_STARTS);
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

impl<'t> Table<'t> {
    /// Reads up to the header row and reports its faults.
    pub(super) fn open(file: &'t Decoded<'_>, faults: &mut Faults) -> Self {
        let text = file.text.as_ref();
        let mut table = Self {
            text,
            scanner: scanner(text),
            row: ScannedRow::default(),
            header: None,
            first: 0,
            has_even_rows: OnceCell::new(),
            misencoded: file.defects().into_iter().peekable(),
        };
        if after_sep_line(text).is_some() && table.read_row(None, faults) {
            let spot = Spot { location: whole(&table.row), ..Spot::FILE };
            let message = "the line \"sep=\" is ignored, since the header row shows the delimiter";
            faults.warn(spot, Defect::new("sep-line", message, "delete this line"));
        }
        loop {
            if !table.read_row(None, faults) {
                faults.error(Spot::FILE, Defect::new("no-sessions", "the file is empty", NO_SESSIONS));
                return table;
            }
            if !table.row.is_blank(text) {
                table.scanner.expect_width(table.row.width);
                table.header = read_header(text, &table.row, faults);
                return table;
            }
        }
    }

    /// The field of each column; none for the columns that import ignores.
    pub(super) fn columns(&self) -> Vec<Option<Field>> {
        self.header.as_ref().map(|header| header.fields().to_vec()).unwrap_or_default()
    }

    /// The end of the last column's name, and the end of the header row. Valid before [`Table::rows`].
    pub(super) fn header_ends(&self) -> (usize, usize) {
        let columns = self.header.as_ref().map_or(0, |header| header.names.len());
        (end_of_column(&self.row, columns), self.row.end)
    }

    /// The character between two cells.
    pub(super) fn delimiter(&self) -> char {
        self.scanner.delimiter()
    }

    /// Calls `each` for every row whose cells are certain, in order, and reports the other rows.
    pub(super) fn rows(mut self, faults: &mut Faults, mut each: impl FnMut(&Row<'_>, &mut Faults)) {
        let header = self.header.take();
        if let Some(header) = &header {
            self.rows_below(header, faults, &mut each);
        }
        // Rows that cannot be read may also have wrongly encoded characters.
        while self.misencoded.peek().is_some() && self.read_row(header.as_ref(), faults) {}
    }

    fn rows_below(
        &mut self,
        header: &Header,
        faults: &mut Faults,
        each: &mut impl FnMut(&Row<'_>, &mut Faults),
    ) {
        let mut unnamed = vec![false; header.names.len()];
        let mut count = 0_usize;
        while self.read_row(Some(header), faults) {
            if count == 0 {
                self.first = self.row.start;
            }
            let scanned = &self.row;
            if scanned.is_blank(self.text) {
                continue;
            }
            count += 1;
            if count > MAX_SESSIONS {
                let message = format!(
                    "a program has at most {MAX_SESSIONS} sessions; the rows from here on are unread"
                );
                let remedy = "split the program, or delete rows that are not sessions";
                let spot = Spot { location: whole(scanned), ..Spot::FILE };
                faults.error(spot, Defect::new("too-many-sessions", message, remedy));
                return;
            }
            let cells: Vec<Cow<'_, str>> = if scanned.sound {
                scanned.cells.iter().map(|span| unquoted(raw(self.text, span))).collect()
            } else {
                Vec::new()
            };
            if self.report_shape(header, &cells, faults) {
                self.report_unnamed(header, &mut unnamed, faults);
                each(&Row { header, cells: &cells, scanned, next: self.scanner.next_start() }, faults);
            }
        }
        if count == 0 {
            let message = "the file has a header row and no sessions";
            faults.error(Spot::FILE, Defect::new("no-sessions", message, NO_SESSIONS));
        }
    }

    /// Reads the next row and reports its wrongly encoded characters; false at the end of the file.
    fn read_row(&mut self, header: Option<&Header>, faults: &mut Faults) -> bool {
        if !self.scanner.read(&mut self.row) {
            return false;
        }
        if self.misencoded.peek().is_some() {
            let end = self.scanner.next_start();
            while let Some((at, defect)) = self.misencoded.next_if(|(at, _)| *at < end) {
                faults.error(self.spot_at(at, header), defect);
            }
        }
        true
    }

    /// The cell of the last row that contains a byte of the text.
    fn spot_at<'a>(&'a self, at: usize, header: Option<&'a Header>) -> Spot<'a> {
        let index = self.row.cells.partition_point(|span| span.start <= at).saturating_sub(1);
        let column = header.and_then(|header| header.names.get(index)).map(String::as_str);
        self.row.cells.get(index).map_or(Spot::FILE, |span| self.spot(span, column))
    }

    fn spot<'a>(&'a self, span: &CellSpan, column: Option<&'a str>) -> Spot<'a> {
        Spot { location: location(span), column, text: raw(self.text, span) }
    }

    /// Reports bad quotes and a wrong number of cells. Returns whether the row can be read all the same.
    fn report_shape(&self, header: &Header, cells: &[Cow<'_, str>], faults: &mut Faults) -> bool {
        let scanned = &self.row;
        let (width, expected) = (scanned.width, header.names.len());
        // A quote beyond the columns is usually the end of a quote that was already reported.
        let is_reported = |index: usize| index < expected || scanned.quote_faults.len() == 1;
        for (index, quote) in scanned.quote_faults.iter().filter(|(index, _)| is_reported(*index)) {
            if let Some(span) = scanned.cells.get(*index) {
                let name = header.names.get(*index).map(String::as_str);
                faults.error(self.spot(span, name), quote_defect(*quote, span, scanned));
            }
        }
        if !scanned.sound || (width != expected && !scanned.quote_faults.is_empty()) {
            return false;
        }
        if width < expected {
            let message = format!("the row has {width} of {expected} cells");
            let is_cut_short = is_cut_short(header, cells);
            let missing = header.names.get(width..).unwrap_or_default().join(", ");
            let remedy = if is_cut_short {
                format!("add the missing cells, even if they are empty: {missing}")
            } else {
                format!(
                    "put the cell of the row above in quotes if it broke the line; otherwise add the missing cells: {missing}"
                )
            };
            let text = self.text.get(scanned.start..scanned.end).unwrap_or_default();
            let spot = Spot { location: whole(scanned), column: None, text };
            faults.error(spot, Defect::new("too-few-cells", message, remedy));
            return is_cut_short;
        }
        if width == expected {
            return true;
        }
        // A spreadsheet ends every row with the same empty cells. One longer row has an unquoted delimiter, even if its
        // last cell is empty: the cells behind the delimiter have moved to the right.
        let surplus = scanned.cells.iter().skip(expected).find(|span| !is_blank(self.text, span));
        let extra = surplus.or(scanned.surplus.as_ref());
        let split = split_text(cells);
        if extra.is_none() && split.is_none() && self.has_even_rows() {
            return true;
        }
        let message =
            format!("the row has {width} cells for {expected} columns, so its cells were not checked");
        let remedy = match split {
            Some(text) => format!("put the text with the delimiter in quotes: \"{}\"", shorten(&text)),
            None => {
                "put the cell that contains a delimiter in quotes, or delete the surplus cells".to_owned()
            }
        };
        let place = extra.or(scanned.cells.last());
        let spot = place.map_or(Spot::FILE, |span| self.spot(span, None));
        faults.error(spot, Defect::new("too-many-cells", message, remedy));
        false
    }

    /// Whether all rows below the header have the same number of cells.
    fn has_even_rows(&self) -> bool {
        *self.has_even_rows.get_or_init(|| {
            let (mut scanner, mut row, mut width) = (scanner(self.text), ScannedRow::default(), None);
            while scanner.read(&mut row) {
                let counts = row.start >= self.first && !row.is_blank(self.text);
                if counts && *width.get_or_insert(row.width) != row.width {
                    return false;
                }
            }
            true
        })
    }

    /// Reports text in a column without a name, which is ignored.
    fn report_unnamed(&self, header: &Header, reported: &mut [bool], faults: &mut Faults) {
        for ((span, name), reported) in self.row.cells.iter().zip(&header.names).zip(reported) {
            if name.is_empty() && !*reported && !is_blank(self.text, span) {
                *reported = true;
                let message = "the column has no name, so its cells are ignored";
                let remedy = "name it in the header row, or delete it";
                faults.warn(self.spot(span, None), Defect::new("unnamed-column", message, remedy));
            }
        }
    }
}

/// The text that an unquoted delimiter split: two cells of which the second starts with a space before a word.
fn split_text(cells: &[Cow<'_, str>]) -> Option<String> {
    cells.windows(2).find_map(|pair| {
        let [first, second] = pair else { return None };
        let is_split = !first.trim().is_empty() && second.starts_with(' ') && !second.trim().is_empty();
        is_split.then(|| format!("{},{second}", first.trim_start()))
    })
}

/// Whether a row with too few cells only lacks its last cells and can still be checked. Otherwise a line end broke the
/// row, and this is its end.
fn is_cut_short(header: &Header, cells: &[Cow<'_, str>]) -> bool {
    let cell = |field| header.position(field).and_then(|index| cells.get(index)).map_or("", AsRef::as_ref);
    SessionId::parse(cell(Field::Id).trim()).is_ok()
        && cell(Field::Date).contains(|c: char| c.is_ascii_digit())
}

/// A scanner of a text from the header row on, with the delimiter of the header row.
pub(super) fn scanner(text: &str) -> Scanner<'_> {
    Scanner::of(text, delimiter(after_sep_line(text).unwrap_or(text), names_field))
}

/// The end of the last of the first `columns` cells.
fn end_of_column(row: &ScannedRow, columns: usize) -> usize {
    columns.checked_sub(1).and_then(|last| row.cells.get(last)).map_or(row.end, |span| span.end)
}

fn location(span: &CellSpan) -> Location {
    Location { line: span.line, span: Some((span.start, span.end)) }
}

fn whole(row: &ScannedRow) -> Location {
    Location { line: row.line, span: Some((row.start, row.end)) }
}

fn read_header(text: &str, row: &ScannedRow, faults: &mut Faults) -> Option<Header> {
    let cells: Vec<Cow<'_, str>> = row.cells.iter().map(|span| unquoted(raw(text, span))).collect();
    let spots: Vec<Spot<'_>> = cells
        .iter()
        .zip(&row.cells)
        .map(|(text, span)| Spot { location: location(span), column: None, text: without_guard(text) })
        .collect();
    for (index, quote) in &row.quote_faults {
        if let Some(span) = row.cells.get(*index) {
            let spot = Spot { location: location(span), column: None, text: raw(text, span) };
            faults.error(spot, quote_defect(*quote, span, row));
        }
    }
    // After a broken quote, the end of the header row is unknown.
    row.sound.then(|| Header::read(&spots, row.width, faults))?
}

const NO_SESSIONS: &str = "write one row for each session below the header row";

/// The text after Excel's own first line `sep=;`, if there is one.
fn after_sep_line(text: &str) -> Option<&str> {
    let (first, rest) = text.split_once(['\r', '\n'])?;
    let first = Some(first.trim()).filter(|first| first.len() <= 7)?;
    let mark = first.trim_matches('"').to_ascii_lowercase();
    (mark.len() <= 5 && mark.starts_with("sep=")).then_some(rest)
}

fn quote_defect(fault: QuoteFault, span: &CellSpan, row: &ScannedRow) -> Defect {
    let (rule, message, remedy) = match fault {
        QuoteFault::Unclosed => {
            let mut message = "the quote that opens this cell is not closed".to_owned();
            if !row.sound {
                message.push_str("; the row, and the text up to the next whole row, were not checked");
            }
            let remedy =
                format!("close the cell that starts on line {} with a quote before the delimiter", span.line);
            return Defect::new("unclosed-quote", message, remedy);
        }
        QuoteFault::TextAfter => (
            "text-after-quote",
            "text follows the quote that closes this cell",
            "double a quote inside a cell (\"\"), or delete the text after the closing quote",
        ),
        QuoteFault::Stray(true) => (
            "stray-quote",
            "spaces precede the quote that should open this cell",
            "delete the spaces between the delimiter and the quote",
        ),
        QuoteFault::Stray(false) => (
            "stray-quote",
            "a cell without quotes around it contains a quote",
            "put the cell in quotes and double the quote inside it (\"\")",
        ),
    };
    Defect::new(rule, message, remedy)
}
