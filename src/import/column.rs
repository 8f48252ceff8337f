//! The columns of a program, and the header row that names them.

use super::fault::{At, Faults, Flaw, Spot, shorten};
use super::nearest::nearest;
use super::scan::{CELLS, Record, Records};
use crate::program::Text;

/// A column that import knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Date,
    Start,
    End,
    EndDate,
    Kind,
    Title,
    Track,
    Block,
    Room,
    Speakers,
    Abstract,
    Bios,
    Url,
    Links,
    Status,
}

impl Column {
    pub(super) const ALL: [Self; 16] = [
        Self::Id,
        Self::Date,
        Self::Start,
        Self::End,
        Self::EndDate,
        Self::Kind,
        Self::Title,
        Self::Track,
        Self::Block,
        Self::Room,
        Self::Speakers,
        Self::Abstract,
        Self::Bios,
        Self::Url,
        Self::Links,
        Self::Status,
    ];

    const REQUIRED: [Self; 6] = [Self::Id, Self::Date, Self::Start, Self::End, Self::Kind, Self::Title];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Date => "date",
            Self::Start => "start",
            Self::End => "end",
            Self::EndDate => "end_date",
            Self::Kind => "kind",
            Self::Title => "title",
            Self::Track => "track",
            Self::Block => "block",
            Self::Room => "room",
            Self::Speakers => "speakers",
            Self::Abstract => "abstract",
            Self::Bios => "bios",
            Self::Url => "url",
            Self::Links => "links",
            Self::Status => "status",
        }
    }

    /// Bytes that a cell of it may hold.
    pub(super) fn cap(self) -> usize {
        match self {
            Self::Abstract | Self::Bios | Self::Speakers | Self::Links => 64 * 1024,
            Self::Url => 2048,
            _ => 1024,
        }
    }

    pub(super) fn is_required(self) -> bool {
        Self::REQUIRED.contains(&self)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }
}

/// The header row: what each column of the file is.
#[derive(Debug)]
pub(super) struct Header {
    /// As the file spells them, trimmed.
    pub(super) names: Vec<String>,
    columns: Vec<Option<Column>>,
}

/// Bytes of a column's name; a longer text is quoted, and names no column.
const LONGEST_NAME: usize = 256;

impl Header {
    /// Reads the header's cells, and reports what is wrong with them.
    ///
    /// None where no column could be told, so that no row can be read either. `width` is the number of all cells, of
    /// which no more than [`CELLS`] are kept: a spreadsheet has more only by accident.
    pub(super) fn read(cells: &[Spot<'_>], width: usize, faults: &mut Faults) -> Option<Self> {
        let name = |cell: &Spot<'_>| match cell.text.len() {
            0..=LONGEST_NAME => Text::line(cell.text).0.to_string(),
            _ => shorten(cell.text),
        };
        let names: Vec<String> = cells.iter().map(name).collect();
        let file = cells.first().copied().unwrap_or(Spot::FILE);
        if width > CELLS {
            let message = format!("the header row has {width} columns; at most {CELLS} are read");
            faults.error(file, Flaw::new("too-many-columns", message, "delete the columns without a name"));
            return None;
        }
        let columns: Vec<_> = names.iter().map(|name| Column::named(&name.to_lowercase())).collect();
        if columns.iter().all(Option::is_none) {
            let expected = Column::REQUIRED.map(Column::name).join(",");
            let message = "the first row does not name any column of a program";
            let remedy = format!(
                "write a first row that names the columns, such as {expected}, separated by a comma, a semicolon or a tab"
            );
            faults.error(file, Flaw::new("no-header", message, remedy));
            return None;
        }
        let header = Self { names, columns };
        header.report(cells, faults);
        Some(header)
    }

    fn report(&self, cells: &[Spot<'_>], faults: &mut Faults) {
        let missing: Vec<Column> =
            Column::REQUIRED.into_iter().filter(|column| self.position(*column).is_none()).collect();
        for (index, (cell, column)) in cells.iter().zip(&self.columns).enumerate() {
            let name = self.names.get(index).map(String::as_str).unwrap_or_default();
            let spot = Spot { column: Some(name), ..*cell };
            match column {
                Some(column) if self.position(*column) != Some(index) => {
                    let message = format!("the column {name:?} is there twice");
                    faults
                        .error(spot, Flaw::new("duplicate-column", message, "delete or rename one of them"));
                }
                None if !name.is_empty() => {
                    let free: Vec<&str> = Column::ALL
                        .iter()
                        .filter(|c| self.position(**c).is_none())
                        .map(|c| c.name())
                        .collect();
                    let remedy = match nearest(name, &free)
                        .or_else(|| nearest(name, &Column::ALL.map(Column::name)))
                    {
                        Some(near) if free.contains(&near) => {
                            format!("rename it to \"{near}\" if it is meant so")
                        }
                        Some(near) => {
                            format!("delete it if \"{near}\" holds the same, else leave it: it is ignored")
                        }
                        None => format!(
                            "leave it, it is ignored; the known ones are {}",
                            Column::ALL.map(Column::name).join(", ")
                        ),
                    };
                    let message = format!("the column {name:?} is not known and its cells are ignored");
                    faults.warn(spot, Flaw::new("unknown-column", message, remedy));
                }
                _ => {}
            }
        }
        for column in missing {
            let end = cells.last().and_then(|cell| cell.at.span).map(|(_, end)| end);
            let span = cells.first().and_then(|cell| cell.at.span).map(|(start, _)| start).zip(end);
            let at = At { line: cells.first().map_or(1, |cell| cell.at.line), span };
            let spot = Spot { at, column: Some(column.name()), text: "" };
            let unknown: Vec<&str> = self
                .names
                .iter()
                .zip(&self.columns)
                .filter(|(name, column)| column.is_none() && !name.is_empty())
                .map(|(name, _)| name.as_str())
                .collect();
            let remedy = match nearest(column.name(), &unknown) {
                Some(near) => {
                    format!("rename the column {near:?} to \"{}\", or add one of that name", column.name())
                }
                None => format!("add a column \"{}\" and fill it in for every session", column.name()),
            };
            let message = format!("the required column \"{}\" is missing", column.name());
            faults.error(spot, Flaw::new("missing-column", message, remedy));
        }
    }

    /// Where a column stands; the first of two.
    pub(super) fn position(&self, column: Column) -> Option<usize> {
        self.columns.iter().position(|known| *known == Some(column))
    }

    pub(super) fn width(&self) -> usize {
        self.names.len()
    }
}

/// The delimiter under which the first row names the most known columns.
pub(super) fn delimiter(text: &str) -> u8 {
    let first_row = |delimiter| {
        let mut record = Record::default();
        Records::of(header_text(text), delimiter).read(&mut record);
        let known = record
            .cells
            .iter()
            .filter_map(|cell| text.get(cell.start..cell.end))
            .filter(|name| name.len() <= LONGEST_NAME)
            .filter(|name| Column::named(&name.trim_matches(['"', ' ', '\u{a0}']).to_lowercase()).is_some())
            .count();
        (known, record.width)
    };
    // The comma is last, so that it wins where nothing tells them apart.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| first_row(*delimiter)).unwrap_or(b',')
}

/// The text up to the end of the first line that holds anything.
fn header_text(text: &str) -> &str {
    let start = text.find(|c| c != '\r' && c != '\n').unwrap_or(0);
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.find(['\r', '\n']).map_or(text.len(), |end| start + end);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_row_alone_decides_the_delimiter() {
        assert_eq!(delimiter("id,title\na;b;c;d;e\n"), b',');
        assert_eq!(delimiter("\r\n\"id\";\"title, or so\"\r\n"), b';');
        assert_eq!(delimiter("id\ttitle;x\n"), b'\t');
        assert_eq!(delimiter(""), b',');
    }
}
