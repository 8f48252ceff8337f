//! Splits a CSV text into rows and cells, in one pass (RFC 4180, 2).
//!
//! Owns the delimiter, the place and line of each cell, and the detection of wrong quotes. Knows no columns. All rows
//! are read into one [`ScannedRow`], which keeps at most [`MAX_COLUMNS`] cells, so memory does not depend on the file's
//! shape. An unclosed quote would swallow the rest of the file, so the scan resumes at the next whole row and reports
//! the loss. Invariant: the csv crate reads the same cells from a row that is `sound`.

use std::borrow::Cow;

/// The most cells of a row that are kept, and the most columns of a file.
pub(super) const MAX_COLUMNS: usize = 256;

/// The bytes of a cell in the text, quotes included, and the line on which it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CellSpan {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: u64,
}

/// What is wrong with a cell's quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuoteFault {
    /// A quote opens the cell, and no quote closes it.
    Unclosed,
    /// Text follows the closing quote.
    TextAfter,
    /// A quote inside a cell that does not start with a quote; true if only spaces precede it.
    Stray(bool),
}

/// A row of the file, which may span lines.
#[derive(Debug, Clone, Default)]
pub(super) struct ScannedRow {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: u64,
    /// The first [`MAX_COLUMNS`] cells.
    pub(super) cells: Vec<CellSpan>,
    /// The number of all cells.
    pub(super) width: usize,
    /// The first cell with text beyond `cells`.
    pub(super) surplus: Option<CellSpan>,
    /// The cells with wrong quotes, at most [`MAX_COLUMNS`].
    pub(super) quote_faults: Vec<(usize, QuoteFault)>,
    /// The first cell whose quote is not closed, or is closed before the end of the cell.
    broken: Option<(usize, QuoteFault, CellSpan)>,
    /// Whether the starts and ends of all cells are certain.
    pub(super) sound: bool,
}

impl ScannedRow {
    fn begin(&mut self, start: usize, line: u64) {
        (self.start, self.end, self.line) = (start, start, line);
        self.cells.clear();
        self.quote_faults.clear();
        (self.width, self.surplus, self.broken, self.sound) = (0, None, None, true);
    }

    fn push(&mut self, span: CellSpan, fault: Option<QuoteFault>, text: &str) {
        if let Some(fault) = fault {
            if self.quote_faults.len() < MAX_COLUMNS {
                self.quote_faults.push((self.width, fault));
            }
            if self.broken.is_none() && !matches!(fault, QuoteFault::Stray(_)) {
                self.broken = Some((self.width, fault, span));
            }
        }
        if self.width < MAX_COLUMNS {
            self.cells.push(span);
        } else if self.surplus.is_none() && !is_blank(text, &span) {
            self.surplus = Some(span);
        }
        self.width += 1;
        self.end = span.end;
    }

    /// Whether no cell holds text.
    pub(super) fn is_blank(&self, text: &str) -> bool {
        self.quote_faults.is_empty()
            && self.surplus.is_none()
            && self.cells.iter().all(|span| is_blank(text, span))
    }
}

/// Whether a cell holds only white space and quotes.
pub(super) fn is_blank(text: &str, span: &CellSpan) -> bool {
    raw(text, span).trim_matches('"').trim().is_empty()
}

/// A cell as written in the file, quotes included.
pub(super) fn raw<'t>(text: &'t str, span: &CellSpan) -> &'t str {
    text.get(span.start..span.end).unwrap_or_default()
}

/// The content of a cell: without the quotes around it, and with each doubled quote as one.
pub(super) fn unquoted(cell: &str) -> Cow<'_, str> {
    let Some(inner) = cell.strip_prefix('"') else { return Cow::Borrowed(cell) };
    if let Some(inner) = inner.strip_suffix('"').filter(|inner| !inner.contains('"')) {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('"') {
        out.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                out.push('"');
                rest = after;
            }
            None => {
                rest = after;
                break;
            }
        }
    }
    // Text after the closing quote; the csv crate keeps it as well.
    out.push_str(rest);
    Cow::Owned(out)
}

/// The delimiter that splits the first line with text into the most column names or, if these are equal, the most cells.
/// If all are equal, a comma.
///
/// All three delimiters are tried in one pass over the line. Each tracks quotes on its own.
pub(super) fn delimiter(text: &str, is_column: impl Fn(&str) -> bool) -> u8 {
    let text = text.trim_start_matches(['\r', '\n']);
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    let line = text.get(..end).unwrap_or_default();
    // Of delimiters with equal counts, the last wins.
    let mut candidates = [b'\t', b';', b','].map(Candidate::new);
    for (at, byte) in line.bytes().enumerate() {
        for candidate in &mut candidates {
            candidate.step(at, byte, line, &is_column);
        }
    }
    for candidate in &mut candidates {
        candidate.end_cell(end, line, &is_column);
    }
    let best = candidates.into_iter().max_by_key(|candidate| (candidate.named, candidate.width));
    best.map_or(b',', |candidate| candidate.delimiter)
}

/// A delimiter that is tried on the header row.
struct Candidate {
    delimiter: u8,
    cell_start: usize,
    is_quoted: bool,
    /// The number of cells that name a column.
    named: usize,
    width: usize,
}

impl Candidate {
    fn new(delimiter: u8) -> Self {
        Self { delimiter, cell_start: 0, is_quoted: false, named: 0, width: 0 }
    }

    fn step(&mut self, at: usize, byte: u8, line: &str, is_column: &impl Fn(&str) -> bool) {
        let is_quote = |at: usize| line.as_bytes().get(at) == Some(&b'"');
        if byte == b'"' && is_quote(self.cell_start) {
            // A doubled quote ends the quoted text and starts it again. A quote after other text does neither.
            if at == self.cell_start || self.is_quoted || at.checked_sub(1).is_some_and(is_quote) {
                self.is_quoted = !self.is_quoted;
            }
        } else if byte == self.delimiter && !self.is_quoted {
            self.end_cell(at, line, is_column);
            self.cell_start = at + 1;
        }
    }

    fn end_cell(&mut self, end: usize, line: &str, is_column: &impl Fn(&str) -> bool) {
        self.width += 1;
        self.named += usize::from(line.get(self.cell_start..end).is_some_and(is_column));
    }
}

/// Reads the rows of a text one after the other, and skips empty lines.
#[derive(Debug)]
pub(super) struct Scanner<'t> {
    cursor: Cursor<'t>,
    /// The number of cells of a whole row, once the header row is known.
    width: usize,
    /// The number of bytes that may still be read ahead to find the next whole row after an unclosed quote.
    effort: usize,
    probe: ScannedRow,
}

impl<'t> Scanner<'t> {
    pub(super) fn of(text: &'t str, delimiter: u8) -> Self {
        let cursor = Cursor { text, delimiter, at: 0, line: 1 };
        Self { cursor, width: 0, effort: text.len().saturating_mul(4), probe: ScannedRow::default() }
    }

    pub(super) fn delimiter(&self) -> char {
        char::from(self.cursor.delimiter)
    }

    /// Reads the next row into `row`; false at the end of the text.
    pub(super) fn read(&mut self, row: &mut ScannedRow) -> bool {
        if !self.cursor.row(row) {
            return false;
        }
        if let Some(resumed) = self.resume(row) {
            self.cursor = resumed;
        }
        true
    }

    /// Sets the number of cells that a row must have to be recognised after an unclosed quote.
    pub(super) fn expect_width(&mut self, width: usize) {
        self.width = width;
    }

    /// The start of the next row, or the end of the text.
    pub(super) fn next_start(&self) -> usize {
        let mut next = self.cursor;
        while next.line_end() {}
        next.at
    }

    /// The end of a row whose quote is not closed on its line: the first line in the swallowed cell that is itself a
    /// whole row. Without such a line the swallowed text is lost, or part of the cell if a later quote closes it.
    fn resume(&mut self, row: &mut ScannedRow) -> Option<Cursor<'t>> {
        let (index, fault, cell) = row.broken?;
        row.sound = fault != QuoteFault::Unclosed;
        let mut candidate = Cursor { at: cell.start, line: cell.line, ..self.cursor };
        loop {
            while candidate.at < cell.end && !matches!(candidate.peek(), Some(b'\r' | b'\n')) {
                candidate.at += 1;
            }
            if candidate.at >= cell.end || !candidate.line_end() {
                return None;
            }
            let mut probe = candidate;
            let is_whole = probe.row(&mut self.probe) && self.probe.quote_faults.is_empty();
            if is_whole && self.probe.width == self.width && self.width > 1 {
                row.sound = false;
                row.quote_faults = vec![(index, QuoteFault::Unclosed)];
                return Some(candidate);
            }
            self.effort = self.effort.checked_sub(probe.at.saturating_sub(candidate.at))?;
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Cursor<'t> {
    text: &'t str,
    delimiter: u8,
    at: usize,
    line: u64,
}

impl Cursor<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    /// Steps over a line end, CRLF as one; false if there is none.
    fn line_end(&mut self) -> bool {
        match self.peek() {
            Some(b'\r') if self.byte(self.at + 1) == Some(b'\n') => self.at += 2,
            Some(b'\r' | b'\n') => self.at += 1,
            _ => return false,
        }
        self.line += 1;
        true
    }

    /// Reads the next row; false at the end of the text.
    fn row(&mut self, row: &mut ScannedRow) -> bool {
        while self.line_end() {}
        if self.peek().is_none() {
            return false;
        }
        row.begin(self.at, self.line);
        loop {
            let (start, line) = (self.at, self.line);
            let fault = if self.peek() == Some(b'"') { self.quoted() } else { self.unquoted(start) };
            row.push(CellSpan { start, end: self.at, line }, fault, self.text);
            if self.peek() != Some(self.delimiter) {
                self.line_end();
                return true;
            }
            self.at += 1;
        }
    }

    /// Reads a cell that starts with a quote.
    fn quoted(&mut self) -> Option<QuoteFault> {
        self.at += 1;
        loop {
            match self.peek() {
                None => return Some(QuoteFault::Unclosed),
                Some(b'"') if self.byte(self.at + 1) == Some(b'"') => self.at += 2,
                Some(b'"') => break,
                Some(_) if self.line_end() => {}
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let closed = self.at;
        self.rest();
        (self.at > closed).then_some(QuoteFault::TextAfter)
    }

    fn unquoted(&mut self, start: usize) -> Option<QuoteFault> {
        self.rest();
        let cell = self.text.as_bytes().get(start..self.at).unwrap_or_default();
        let quote = cell.iter().position(|byte| *byte == b'"')?;
        let before = cell.get(..quote).unwrap_or_default();
        Some(QuoteFault::Stray(before.iter().all(|byte| *byte == b' ')))
    }

    /// Moves to the delimiter or the line end.
    fn rest(&mut self) {
        while self.peek().is_some_and(|byte| byte != self.delimiter && !matches!(byte, b'\r' | b'\n')) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The rows of a text whose first row is the header.
    fn scan(text: &str) -> Vec<ScannedRow> {
        let (mut scanner, mut row) = (Scanner::of(text, b','), ScannedRow::default());
        let mut rows: Vec<ScannedRow> = Vec::new();
        while scanner.read(&mut row) {
            rows.push(row.clone());
            scanner.expect_width(rows[0].width);
        }
        rows
    }

    fn lines(text: &str) -> Vec<u64> {
        scan(text).iter().map(|row| row.line).collect()
    }

    fn contents(text: &str, row: &ScannedRow) -> Vec<String> {
        row.cells.iter().map(|span| unquoted(raw(text, span)).into_owned()).collect()
    }

    fn csv_crate(text: &str) -> Vec<Vec<String>> {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn each_line_end_counts_once() {
        assert_eq!(lines("a,b\nc,d\n"), [1, 2]);
        assert_eq!(lines("a,b\r\n\r\nc,d\r\n"), [1, 3]);
        assert_eq!(lines("a,b\rc,d\re,f"), [1, 2, 3]);
        assert_eq!(lines("a,\"x\r\ny\rz\"\nc,d"), [1, 4]);
    }

    #[test]
    fn each_cell_has_its_own_line() {
        let rows = scan("a,\"x\ny\",\"z\n\",e\n");
        let cells: Vec<u64> = rows[0].cells.iter().map(|cell| cell.line).collect();
        assert_eq!(cells, [1, 1, 2, 3]);
    }

    #[test]
    fn bad_quotes_are_reported() {
        let faults = |text: &str| scan(text).iter().flat_map(|r| r.quote_faults.clone()).collect::<Vec<_>>();
        assert_eq!(faults("a,\"b\"\"c\",d"), []);
        assert_eq!(faults("a,\"b\"c,d"), [(1, QuoteFault::TextAfter)]);
        assert_eq!(faults("a,b\"c\",d"), [(1, QuoteFault::Stray(false))]);
        assert_eq!(faults("a, \"c\",d"), [(1, QuoteFault::Stray(true))]);
        assert_eq!(faults("a,\"c"), [(1, QuoteFault::Unclosed)]);
    }

    #[test]
    fn an_unclosed_quote_loses_only_its_own_row() {
        let rows = scan("h,i,j\na,\"b,c\nd,\"e\",f\ng,h,i\n");
        let sound: Vec<(u64, bool)> = rows.iter().map(|row| (row.line, row.sound)).collect();
        assert_eq!(sound, [(1, true), (2, false), (3, true), (4, true)]);
        assert_eq!(rows[1].quote_faults, [(1, QuoteFault::Unclosed)]);
        let rows = scan("h,i\na,\"b\nd,e\n");
        let sound: Vec<(u64, bool)> = rows.iter().map(|row| (row.line, row.sound)).collect();
        assert_eq!(sound, [(1, true), (2, false), (3, true)]);
    }

    #[test]
    fn a_row_of_any_width_keeps_few_cells_and_its_first_text_beyond_them() {
        let wide = format!("a{}b,c", ",".repeat(1_000_000));
        let rows = scan(&wide);
        assert_eq!((rows[0].width, rows[0].cells.len()), (1_000_002, MAX_COLUMNS));
        assert_eq!(raw(&wide, &rows[0].surplus.unwrap()), "b");
        let quoted = scan(&"\"x,".repeat(100_000));
        assert!(quoted.iter().all(|row| row.quote_faults.len() <= MAX_COLUMNS));
    }

    #[test]
    fn the_header_row_decides_the_delimiter() {
        let delimiter = |text| delimiter(text, |cell| ["id", "title"].contains(&cell.trim_matches('"')));
        assert_eq!(delimiter("id,title\na;b;c;d;e\n"), b',');
        assert_eq!(delimiter("\r\n\"id\";\"title, or so\"\r\n"), b';');
        assert_eq!(delimiter("id\ttitle;x\n"), b'\t');
        assert_eq!(delimiter("\"a \"\"b;\"\"; c\",\"id\",title"), b',');
        assert_eq!(delimiter("a\"\"b;id;title"), b';');
        assert_eq!(delimiter(""), b',');
    }

    proptest! {
        #[test]
        fn scanner_and_csv_crate_read_the_same_cells(
            text in "(([a ]{0,2}|\"([a,\r\n]|\"\"){0,4}\")(,|\r\n|\n|\r)){0,16}",
        ) {
            let rows = scan(&text);
            prop_assert!(rows.iter().all(|row| row.quote_faults.is_empty() && row.sound));
            let found: Vec<Vec<String>> = rows.iter().map(|row| contents(&text, row)).collect();
            prop_assert_eq!(found, csv_crate(&text));
        }

        #[test]
        fn scanner_and_csv_crate_agree_on_sound_rows_with_bad_quotes(text in "[a, \"]{1,16}") {
            for row in scan(&text).iter().filter(|row| row.sound) {
                prop_assert_eq!(&contents(&text, row), &csv_crate(&text)[0]);
            }
        }
    }
}
