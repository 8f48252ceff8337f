//! The shape of a CSV: where records and cells start, on which line, and where quoting goes wrong.
//!
//! RFC 4180, 2. Records are read one after the other into the same [`Record`], of which only the first [`CELLS`] cells
//! are kept, so that a file costs its own size in memory whatever its shape. A reader that goes on after an unclosed
//! quote would swallow the file, so the scan resumes at the next whole row and says so. Knows no columns and no
//! meaning. Invariant: the csv crate reads the same cells in a record that is `sound`.

use std::borrow::Cow;

/// Cells of a record that are kept one by one: as many columns as a file may have.
pub(super) const CELLS: usize = 256;

/// Where a cell stands, in bytes of the text, quotes included, and the line on which it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: u64,
}

/// What is wrong with a cell's quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    /// A quote opens the cell and nothing closes it.
    Unclosed,
    /// Text stands between the closing quote and the delimiter.
    TextAfter,
    /// A quote inside a cell that does not start with one; true where only spaces come before it.
    Stray(bool),
}

/// One record: a row of the file, which may span lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: u64,
    /// The first [`CELLS`] of its cells.
    pub(super) cells: Vec<Place>,
    /// How many cells it has.
    pub(super) width: usize,
    /// The first cell after the kept ones that holds text.
    pub(super) surplus: Option<Place>,
    /// Cells with bad quotes, at most [`CELLS`] of them.
    pub(super) flaws: Vec<(usize, Quote)>,
    /// The first cell whose quote is not closed, or not at its end.
    broken: Option<(usize, Quote, Place)>,
    /// Whether its cells can be told apart.
    pub(super) sound: bool,
}

impl Record {
    fn begin(&mut self, start: usize, line: u64) {
        (self.start, self.end, self.line) = (start, start, line);
        self.cells.clear();
        self.flaws.clear();
        (self.width, self.surplus, self.broken, self.sound) = (0, None, None, true);
    }

    fn push(&mut self, place: Place, flaw: Option<Quote>, text: &str) {
        if let Some(flaw) = flaw {
            if self.flaws.len() < CELLS {
                self.flaws.push((self.width, flaw));
            }
            if self.broken.is_none() && !matches!(flaw, Quote::Stray(_)) {
                self.broken = Some((self.width, flaw, place));
            }
        }
        if self.width < CELLS {
            self.cells.push(place);
        } else if self.surplus.is_none() && !is_blank(text, &place) {
            self.surplus = Some(place);
        }
        self.width += 1;
        self.end = place.end;
    }

    /// Whether no cell holds text.
    pub(super) fn is_blank(&self, text: &str) -> bool {
        self.flaws.is_empty()
            && self.surplus.is_none()
            && self.cells.iter().all(|place| is_blank(text, place))
    }
}

/// Whether a cell holds nothing but white space and quotes.
pub(super) fn is_blank(text: &str, place: &Place) -> bool {
    raw(text, place).trim_matches('"').trim().is_empty()
}

/// A cell as it stands in the file, quotes included.
pub(super) fn raw<'t>(text: &'t str, place: &Place) -> &'t str {
    text.get(place.start..place.end).unwrap_or_default()
}

/// What a cell says: without the quotes around it, and each doubled quote within them as one.
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
    // Behind the closing quote, where nothing should stand.
    out.push_str(rest);
    Cow::Owned(out)
}

/// The records of a text that are not empty lines, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Records<'t> {
    scanner: Scanner<'t>,
    /// Cells of the first record, the header.
    width: Option<usize>,
    /// Bytes that may still be looked at to find the next whole row after a quote that is not closed.
    effort: usize,
    probe: Record,
}

impl<'t> Records<'t> {
    pub(super) fn of(text: &'t str, delimiter: u8) -> Self {
        let scanner = Scanner { text, delimiter, at: 0, line: 1 };
        Self { scanner, width: None, effort: text.len().saturating_mul(4), probe: Record::default() }
    }

    /// Reads the next record; false at the end of the text.
    pub(super) fn read(&mut self, record: &mut Record) -> bool {
        if !self.scanner.record(record) {
            return false;
        }
        if let Some(resumed) = self.resume(record) {
            self.scanner = resumed;
        }
        self.width.get_or_insert(record.width);
        true
    }

    /// Takes the next record as the first one, after one that was no header.
    pub(super) fn forget_width(&mut self) {
        self.width = None;
    }

    /// Where the record after the last one read starts, or the text's end.
    pub(super) fn next_start(&self) -> usize {
        let mut next = self.scanner;
        while next.line_end() {}
        next.at
    }

    /// Where to go on after a record whose quote is not closed on its line: at the first line inside the
    /// swallowed cell that is itself a whole record. Without such a line the swallowed text is lost, or,
    /// after a closing quote, it is the cell's own.
    fn resume(&mut self, record: &mut Record) -> Option<Scanner<'t>> {
        let (index, flaw, cell) = record.broken?;
        let width = self.width.unwrap_or(0);
        record.sound = flaw != Quote::Unclosed;
        let mut candidate = Scanner { at: cell.start, line: cell.line, ..self.scanner };
        loop {
            while candidate.at < cell.end && !matches!(candidate.peek(), Some(b'\r' | b'\n')) {
                candidate.at += 1;
            }
            if candidate.at >= cell.end || !candidate.line_end() {
                return None;
            }
            let mut probe = candidate;
            let found = probe.record(&mut self.probe);
            if found && self.probe.flaws.is_empty() && self.probe.width == width && width > 1 {
                record.sound = false;
                record.flaws = vec![(index, Quote::Unclosed)];
                return Some(candidate);
            }
            self.effort = self.effort.checked_sub(probe.at.saturating_sub(candidate.at))?;
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Scanner<'t> {
    text: &'t str,
    delimiter: u8,
    at: usize,
    line: u64,
}

impl Scanner<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    /// Steps over a line end, CRLF as one; false where there is none.
    fn line_end(&mut self) -> bool {
        match self.peek() {
            Some(b'\r') if self.byte(self.at + 1) == Some(b'\n') => self.at += 2,
            Some(b'\r' | b'\n') => self.at += 1,
            _ => return false,
        }
        self.line += 1;
        true
    }

    /// Reads the next record; false at the end of the text.
    fn record(&mut self, record: &mut Record) -> bool {
        while self.line_end() {}
        if self.peek().is_none() {
            return false;
        }
        record.begin(self.at, self.line);
        loop {
            let (start, line) = (self.at, self.line);
            let flaw = if self.peek() == Some(b'"') { self.quoted() } else { self.unquoted(start) };
            record.push(Place { start, end: self.at, line }, flaw, self.text);
            if self.peek() != Some(self.delimiter) {
                self.line_end();
                return true;
            }
            self.at += 1;
        }
    }

    /// A cell that starts with a quote.
    fn quoted(&mut self) -> Option<Quote> {
        self.at += 1;
        loop {
            match self.peek() {
                None => return Some(Quote::Unclosed),
                Some(b'"') if self.byte(self.at + 1) == Some(b'"') => self.at += 2,
                Some(b'"') => break,
                Some(_) if self.line_end() => {}
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let closed = self.at;
        self.rest();
        (self.at > closed).then_some(Quote::TextAfter)
    }

    fn unquoted(&mut self, start: usize) -> Option<Quote> {
        self.rest();
        let cell = self.text.as_bytes().get(start..self.at).unwrap_or_default();
        let quote = cell.iter().position(|byte| *byte == b'"')?;
        let before = cell.get(..quote).unwrap_or_default();
        Some(Quote::Stray(before.iter().all(|byte| *byte == b' ')))
    }

    /// On to the delimiter or the line end.
    fn rest(&mut self) {
        while self.peek().is_some_and(|byte| byte != self.delimiter && !matches!(byte, b'\r' | b'\n')) {
            self.at += 1;
        }
    }
}

/// All records of a text, for tests.
#[cfg(test)]
pub(super) fn scan(text: &str, delimiter: u8) -> Vec<Record> {
    let (mut records, mut record) = (Records::of(text, delimiter), Record::default());
    std::iter::from_fn(|| records.read(&mut record).then(|| record.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<u64> {
        scan(text, b',').iter().map(|record| record.line).collect()
    }

    #[test]
    fn every_line_end_counts_once() {
        assert_eq!(lines("a,b\nc,d\n"), [1, 2]);
        assert_eq!(lines("a,b\r\n\r\nc,d\r\n"), [1, 3]);
        assert_eq!(lines("a,b\rc,d\re,f"), [1, 2, 3]);
        assert_eq!(lines("a,\"x\r\ny\rz\"\nc,d"), [1, 4]);
    }

    #[test]
    fn cells_know_their_own_line() {
        let records = scan("a,\"x\ny\",\"z\n\",e\n", b',');
        let cells: Vec<u64> = records[0].cells.iter().map(|cell| cell.line).collect();
        assert_eq!(cells, [1, 1, 2, 3]);
    }

    #[test]
    fn bad_quotes_are_named() {
        let flaws = |text: &str| scan(text, b',').iter().flat_map(|r| r.flaws.clone()).collect::<Vec<_>>();
        assert_eq!(flaws("a,\"b\"\"c\",d"), []);
        assert_eq!(flaws("a,\"b\"c,d"), [(1, Quote::TextAfter)]);
        assert_eq!(flaws("a,b\"c\",d"), [(1, Quote::Stray(false))]);
        assert_eq!(flaws("a, \"c\",d"), [(1, Quote::Stray(true))]);
        assert_eq!(flaws("a,\"c"), [(1, Quote::Unclosed)]);
    }

    #[test]
    fn an_unclosed_quote_costs_its_own_row_only() {
        let records = scan("h,i,j\na,\"b,c\nd,\"e\",f\ng,h,i\n", b',');
        assert_eq!(
            records.iter().map(|r| (r.line, r.sound)).collect::<Vec<_>>(),
            [(1, true), (2, false), (3, true), (4, true)]
        );
        assert_eq!(records[1].flaws, [(1, Quote::Unclosed)]);
        let records = scan("h,i\na,\"b\nd,e\n", b',');
        assert_eq!(
            records.iter().map(|r| (r.line, r.sound)).collect::<Vec<_>>(),
            [(1, true), (2, false), (3, true)]
        );
    }

    #[test]
    fn a_record_of_any_width_keeps_few_cells_and_its_first_text_beyond_them() {
        let wide = format!("a{}b,c", ",".repeat(1_000_000));
        let records = scan(&wide, b',');
        assert_eq!((records[0].width, records[0].cells.len()), (1_000_002, CELLS));
        assert_eq!(raw(&wide, &records[0].surplus.unwrap()), "b");
        let quoted = scan(&"\"x,".repeat(100_000), b',');
        assert!(quoted.iter().all(|record| record.flaws.len() <= CELLS));
    }
}
