//! What every cell goes through: its cap, its controls, its residue; then text of one line or of many.

use super::column::Column;
use super::fault::{Faults, Flaw, Spot, is_invisible};
use super::residue;
use super::table::Row;
use crate::program::Text;

/// The cell in a column: a none within where it is blank, none where nothing can be read from it.
pub(super) fn given<'r>(row: &Row<'r>, column: Column, faults: &mut Faults) -> Option<Option<Spot<'r>>> {
    match row.cell(column).filter(|spot| !is_blank(spot.text)) {
        Some(spot) => is_readable(spot, column, faults).then_some(Some(spot)),
        None => Some(None),
    }
}

/// The cell in a required column; a blank one is an error.
pub(super) fn filled<'r>(row: &Row<'r>, column: Column, faults: &mut Faults) -> Option<Spot<'r>> {
    let spot = row.cell(column)?;
    if is_blank(spot.text) && column.is_required() {
        let message = format!("the cell \"{}\" is empty", column.name());
        let remedy = match column {
            Column::Id => "write a short name that never changes, as in opening-keynote",
            Column::Date => "write the day, as in 2025-03-25",
            Column::Start | Column::End => "write the time, as in 09:30",
            Column::Kind => "write talk, plenary, break or another kind",
            _ => "fill it in; for a talk that is not known yet write Talk TBA and the status tentative",
        };
        faults.error(spot, Flaw::new("empty", message, remedy));
        return None;
    }
    given(row, column, faults).flatten()
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Reports what no cell may hold; false where its text cannot be used.
fn is_readable(spot: Spot<'_>, column: Column, faults: &mut Faults) -> bool {
    let length = spot.text.trim().len();
    if length > column.cap() {
        let message =
            format!("this cell holds {length} bytes; {} takes at most {}", column.name(), column.cap());
        let remedy = match column {
            Column::Abstract | Column::Bios | Column::Speakers | Column::Links => {
                "shorten it; a quote that is not closed can make one cell of many rows"
            }
            _ => "shorten it to one line",
        };
        faults.error(spot, Flaw::new("too-long", message, remedy));
        return false;
    }
    if let Some(control) = spot.text.chars().find(|c| is_forbidden(*c)) {
        let place = spot.text.chars().take_while(|c| *c != control).count() + 1;
        let name = if control == '\0' { "NUL".to_owned() } else { format!("U+{:04X}", u32::from(control)) };
        let message = format!("the control character {name} is in this cell, at character {place}");
        faults.error(spot, Flaw::new("control", message, "delete it, or type the cell anew"));
        return false;
    }
    if let Some(flaw) = residue::spreadsheet_error(spot.text) {
        faults.error(spot, flaw);
        return false;
    }
    residue::report(spot, column, faults);
    true
}

/// Controls other than line ends and tabs. NEL ends a line for Unicode, and `Text` takes it so.
fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}')
}

/// A cell that a parser reads: date, time, id, word, address. Marks that nobody sees are taken out.
pub(super) fn plain(spot: Spot<'_>, faults: &mut Faults) -> Option<Text> {
    let (text, removed) = Text::line(spot.text);
    if !text.as_str().contains(is_invisible) {
        told(spot, removed.bidi, faults);
        return Some(text);
    }
    let bare: String = text.as_str().chars().filter(|c| !is_invisible(*c)).collect();
    told(spot, removed.bidi + text.as_str().chars().count() - bare.chars().count(), faults);
    Some(Text::line(&bare).0)
}

/// A cell of one line.
pub(super) fn line(spot: Spot<'_>, faults: &mut Faults) -> Option<Text> {
    let (text, removed) = Text::line(spot.text);
    told(spot, removed.bidi, faults);
    if spot.text.trim().contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        let name = spot.column.unwrap_or_default();
        let message = format!("a line ends inside this cell, and {name} is one line");
        let joined = super::fault::shorten(text.as_str());
        faults.error(spot, Flaw::new("one-line", message, format!("write it as one line: {joined}")));
        return None;
    }
    Some(text)
}

/// A cell of paragraphs.
pub(super) fn block(spot: Spot<'_>, faults: &mut Faults) -> Text {
    let (text, removed) = Text::block(spot.text);
    told(spot, removed.bidi, faults);
    text
}

fn told(spot: Spot<'_>, removed: usize, faults: &mut Faults) {
    if removed > 0 {
        let message = match removed {
            1 => "1 invisible character that reorders or hides text was removed from this cell".to_owned(),
            _ => format!(
                "{removed} invisible characters that reorder or hide text were removed from this cell"
            ),
        };
        faults.warn(spot, Flaw::new("invisible", message, "type the cell again, without pasting it"));
    }
}
