//! The shape of a CSV: where records and cells start, on which line, and where quoting goes wrong.
//!
//! RFC 4180, 2. The csv crate reads the cells afterwards; it swallows a file after an unclosed quote, joins
//! text after a closing quote and counts CRLF and lone CR wrongly, so none of that may reach it unseen.
//! Knows no columns and no meaning. Invariant: a record that is `sound` is read by the csv crate as the
//! same cells.

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
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) line: u64,
    pub(super) cells: Vec<Place>,
    /// Cells with bad quotes.
    pub(super) flaws: Vec<(usize, Quote)>,
    /// Whether its cells can be told apart.
    pub(super) sound: bool,
}

/// The records of a text that are not empty lines.
pub(super) fn scan(text: &str, delimiter: u8) -> Vec<Record> {
    let mut scanner = Scanner { bytes: text.as_bytes(), delimiter, at: 0, line: 1 };
    let mut records: Vec<Record> = Vec::new();
    let mut effort = text.len().saturating_mul(4);
    while let Some(mut record) = scanner.record() {
        let width = records.first().map_or(0, |header| header.cells.len());
        let next = scanner;
        if let Some(resumed) = scanner.resume(&mut record, width, &mut effort) {
            scanner = resumed;
        } else {
            scanner = next;
        }
        records.push(record);
    }
    records
}

#[derive(Clone, Copy)]
struct Scanner<'t> {
    bytes: &'t [u8],
    delimiter: u8,
    at: usize,
    line: u64,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Steps over a line end, CRLF as one; false where there is none.
    fn line_end(&mut self) -> bool {
        match self.peek() {
            Some(b'\r') if self.bytes.get(self.at + 1) == Some(&b'\n') => self.at += 2,
            Some(b'\r' | b'\n') => self.at += 1,
            _ => return false,
        }
        self.line += 1;
        true
    }

    /// The next record; none at the end of the text.
    fn record(&mut self) -> Option<Record> {
        while self.line_end() {}
        self.peek()?;
        let mut record = Record {
            start: self.at,
            end: self.at,
            line: self.line,
            cells: Vec::new(),
            flaws: Vec::new(),
            sound: true,
        };
        loop {
            let (start, line) = (self.at, self.line);
            let flaw = if self.peek() == Some(b'"') { self.quoted() } else { self.unquoted(start) };
            record.flaws.extend(flaw.map(|flaw| (record.cells.len(), flaw)));
            record.cells.push(Place { start, end: self.at, line });
            record.end = self.at;
            if self.peek() != Some(self.delimiter) {
                self.line_end();
                return Some(record);
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
                Some(b'"') if self.bytes.get(self.at + 1) == Some(&b'"') => self.at += 2,
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
        let cell = self.bytes.get(start..self.at).unwrap_or_default();
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

    /// Where to go on after a record whose quote is not closed on its line: at the first line inside the
    /// swallowed cell that is itself a whole record. Without such a line the swallowed text is lost, or,
    /// after a closing quote, it is the cell's own.
    fn resume(self, record: &mut Record, width: usize, effort: &mut usize) -> Option<Self> {
        let (index, flaw) = *record.flaws.iter().find(|(_, flaw)| !matches!(flaw, Quote::Stray(_)))?;
        let cell = *record.cells.get(index)?;
        record.sound = flaw != Quote::Unclosed;
        let mut candidate = Scanner { at: cell.start, line: cell.line, ..self };
        loop {
            while candidate.at < cell.end && !matches!(candidate.peek(), Some(b'\r' | b'\n')) {
                candidate.at += 1;
            }
            if candidate.at >= cell.end || !candidate.line_end() {
                return None;
            }
            let mut probe = candidate;
            let whole =
                probe.record().is_some_and(|found| found.flaws.is_empty() && found.cells.len() == width);
            if whole && width > 1 {
                record.sound = false;
                record.flaws = vec![(index, Quote::Unclosed)];
                return Some(candidate);
            }
            *effort = effort.checked_sub(probe.at.saturating_sub(candidate.at))?;
        }
    }
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
}
