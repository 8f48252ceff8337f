//! Checks every cell, and then returns its text: its length, its characters, and traces that other programs left.
//!
//! Traces are spreadsheet errors, unfilled templates, markup and wrong decoding.

use super::encoding::windows_1252_byte;
use super::fault::{Defect, Faults, Spot, is_invisible, shorten};
use super::header::is_required;
use super::table::Row;
use crate::program::{Field, Text};

/// The most bytes of a field's cell.
pub(super) fn max_bytes(field: Field) -> usize {
    match field {
        Field::Abstract | Field::Bios | Field::Speakers | Field::Links => 64 * 1024,
        Field::Url | Field::Image | Field::FeedbackUrl => 2048,
        Field::Tags => 8 * 1024,
        _ => 1024,
    }
}

/// The cell of a field: `Some(None)` if it is blank, none if it has an error.
pub(super) fn given<'r>(row: &Row<'r>, field: Field, faults: &mut Faults) -> Option<Option<Spot<'r>>> {
    match row.cell(field).filter(|spot| !is_blank(spot.text)) {
        Some(spot) => is_readable(spot, field, faults).then_some(Some(spot)),
        None => Some(None),
    }
}

/// The cell of a required field. A blank cell is an error.
pub(super) fn filled<'r>(row: &Row<'r>, field: Field, faults: &mut Faults) -> Option<Spot<'r>> {
    let spot = row.cell(field)?;
    if is_blank(spot.text) && is_required(field) {
        let remedy = match field {
            Field::Id => "write a short name that never changes, such as opening-keynote",
            Field::Date => "write the day, such as 2025-03-25",
            Field::Start | Field::End => "write the time, such as 09:30",
            Field::Kind => "write talk, plenary, break or another kind",
            _ => "fill it in; write Talk TBA and the status tentative for a talk that is not known yet",
        };
        faults.error(spot, Defect::new("empty", format!("the {field} is missing"), remedy));
        return None;
    }
    given(row, field, faults).flatten()
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Whether a cell's text can be used. Reports text that no cell may contain.
fn is_readable(spot: Spot<'_>, field: Field, faults: &mut Faults) -> bool {
    let (length, most) = (spot.text.trim().len(), max_bytes(field));
    if length > most {
        let message = format!("the cell has {length} bytes, more than the {most} of this column");
        let remedy = match field {
            Field::Abstract | Field::Bios | Field::Speakers | Field::Links => {
                "shorten it; an unclosed quote can make one cell of many rows"
            }
            _ => "shorten it to one line",
        };
        faults.error(spot, Defect::new("too-long", message, remedy));
        return false;
    }
    if let Some(control) = spot.text.chars().find(|c| is_forbidden(*c)) {
        let at = spot.text.chars().take_while(|c| *c != control).count() + 1;
        let name = if control == '\0' { "NUL".to_owned() } else { format!("U+{:04X}", u32::from(control)) };
        let message = format!("character {at} of the cell is the control character {name}");
        faults.error(spot, Defect::new("control", message, "delete it, or type the cell again"));
        return false;
    }
    if let Some(defect) = spreadsheet_error(spot.text) {
        faults.error(spot, defect);
        return false;
    }
    report_residue(spot, field, faults);
    true
}

/// Whether a character is a control other than a line end or a tab. NEL ends a line in Unicode and in [`Text`].
fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}')
}

/// The text of a cell that a parser reads, such as a date or an id, without invisible characters.
pub(super) fn plain(spot: Spot<'_>, faults: &mut Faults) -> Option<Text> {
    let (text, removed) = Text::line(spot.text);
    if !text.as_str().contains(is_invisible) {
        report_removed(spot, removed.bidi, faults);
        return Some(text);
    }
    let bare: String = text.as_str().chars().filter(|c| !is_invisible(*c)).collect();
    report_removed(spot, removed.bidi + text.as_str().chars().count() - bare.chars().count(), faults);
    Some(Text::line(&bare).0)
}

/// The text of a cell of one line.
pub(super) fn line(spot: Spot<'_>, faults: &mut Faults) -> Option<Text> {
    let (text, removed) = Text::line(spot.text);
    report_removed(spot, removed.bidi, faults);
    if spot.text.trim().contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        let message = format!("the {} has more than one line", spot.column.unwrap_or_default());
        let remedy = format!("write it as one line: {}", shorten(text.as_str()));
        faults.error(spot, Defect::new("one-line", message, remedy));
        return None;
    }
    Some(text)
}

/// The text of a cell of paragraphs.
pub(super) fn block(spot: Spot<'_>, faults: &mut Faults) -> Text {
    let (text, removed) = Text::block(spot.text);
    report_removed(spot, removed.bidi, faults);
    text
}

fn report_removed(spot: Spot<'_>, removed: usize, faults: &mut Faults) {
    let message = match removed {
        0 => return,
        1 => "1 invisible character that reorders or hides text was removed".to_owned(),
        _ => format!("{removed} invisible characters that reorder or hide text were removed"),
    };
    faults.warn(spot, Defect::new("invisible", message, "type the cell again instead of pasting it"));
}

/// The texts that spreadsheets write in place of a value that they cannot compute.
const ERRORS: [&str; 11] = [
    "#NAME?",
    "#REF!",
    "#VALUE!",
    "#N/A",
    "#DIV/0!",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#ERROR!",
    "#BLOCKED!",
];

/// The defect of a cell that is only a spreadsheet's error, such as `#REF!`, `#####` or `Err:502`.
fn spreadsheet_error(raw: &str) -> Option<Defect> {
    let text = raw.trim();
    let is_hashes = text.len() >= 3 && text.bytes().all(|byte| byte == b'#');
    let is_code = text
        .strip_prefix("Err:")
        .is_some_and(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()));
    let is_error = ERRORS.iter().any(|error| error.eq_ignore_ascii_case(text));
    if is_hashes {
        let remedy = "widen the column or format it as a date, then export again";
        return Some(Defect::new("spreadsheet-error", "the column was too narrow to show this cell", remedy));
    }
    (is_error || is_code).then(|| {
        let message = format!("the spreadsheet could not compute this cell: {}", shorten(text));
        Defect::new(
            "spreadsheet-error",
            message,
            "correct the formula or write the text itself, then export again",
        )
    })
}

/// Warns of traces that other programs left in a text.
fn report_residue(spot: Spot<'_>, field: Field, faults: &mut Faults) {
    let text = spot.text;
    // Most cells have none of these bytes, and so need only this one pass.
    if !text.bytes().any(|byte| matches!(byte, b'#' | b'[' | b'{' | b'<' | b'$' | b'&' | 0x80..)) {
        return;
    }
    if text.contains('#')
        && let Some(error) = ERRORS.iter().find(|error| text.contains(*error))
    {
        let message = format!("{error} is a spreadsheet's error message");
        faults.warn(
            spot.part(error),
            Defect::new("formula-residue", message, "write the text that belongs there"),
        );
    }
    if let Some(token) = template_token(text) {
        let message = format!("{} looks like a template that was not filled in", shorten(token));
        let remedy = "delete it, or write the text that belongs there";
        faults.warn(spot.part(token), Defect::new("template-residue", message, remedy));
    }
    if let Some(markup) = markup(text) {
        let message = format!("{} is HTML, but cells are plain text", shorten(markup));
        let defect = Defect::new("markup", message, "write the character itself, or delete the tag");
        // The semicolon of an entity would end a speaker.
        if field == Field::Speakers {
            faults.error(spot.part(markup), defect);
        } else {
            faults.warn(spot.part(markup), defect);
        }
    }
    if text.contains('\u{fffd}') {
        let message = "a character was lost in an earlier conversion and replaced by U+FFFD";
        faults.warn(spot, Defect::new("lost-character", message, "write the lost character again"));
    }
    if let Some((wrong, right)) = mojibake(text) {
        let message = format!("{wrong:?} looks like UTF-8 that was opened as Windows-1252");
        let remedy = format!(
            "write {right:?}, and open the file as UTF-8 (Excel: Data, From Text/CSV) before you edit it"
        );
        faults.warn(spot.part(&wrong), Defect::new("mojibake", message, remedy));
    }
}

/// The first template token, such as `[node:title]`, `{{ name }}`, `{% if %}`, `<% x %>`, `${name}`.
fn template_token(text: &str) -> Option<&str> {
    let between = |open: &str, close: &str, fits: fn(&str) -> bool| {
        text.match_indices(open).find_map(|(start, _)| {
            let rest = text.get(start + open.len()..)?;
            // Without a bound, many openings without an end would take quadratic time.
            let mut limit = rest.len().min(120);
            while !rest.is_char_boundary(limit) {
                limit -= 1;
            }
            let inner = rest.get(..limit)?.split_once(close)?.0;
            fits(inner).then(|| text.get(start..start + open.len() + inner.len() + close.len()))?
        })
    };
    let is_path = |inner: &str| {
        inner.starts_with(|c: char| c.is_ascii_lowercase())
            && inner.split_once(':').is_some_and(|(_, rest)| !rest.is_empty() && !rest.starts_with('/'))
            && inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_?".contains(&byte))
    };
    let any = |inner: &str| !inner.contains(['\n', '\r']);
    between("[", "]", is_path)
        .or_else(|| between("{{", "}}", any))
        .or_else(|| between("{%", "%}", any))
        .or_else(|| between("<%", "%>", any))
        .or_else(|| between("${", "}", any))
}

/// The first HTML entity, or the first of the tags that editors leave.
fn markup(text: &str) -> Option<&str> {
    const TAGS: [&str; 14] = [
        "<p>", "</p>", "<br>", "<br/>", "<br />", "</a>", "<b>", "<i>", "<em>", "<strong>", "<li>", "<ul>",
        "</span>", "</div>",
    ];
    let entity = text.match_indices('&').find_map(|(start, _)| {
        let rest = text.as_bytes().get(start + 1..)?;
        let length = rest.iter().take(10).position(|byte| *byte == b';')?;
        let name = rest.get(..length)?;
        let name = name.strip_prefix(b"#").unwrap_or(name);
        let fits = name.len() >= 2 && name.iter().all(u8::is_ascii_alphanumeric);
        fits.then(|| text.get(start..start + length + 2))?
    });
    entity.or_else(|| {
        let start = text.find('<')?;
        let lower = text.get(start..)?.to_ascii_lowercase();
        TAGS.iter().copied().find(|tag| lower.contains(tag))
    })
}

/// The first run of characters whose bytes in Windows-1252 are valid UTF-8, and the text that the bytes encode.
fn mojibake(text: &str) -> Option<(String, String)> {
    for (start, c) in text.char_indices() {
        let length = match c {
            'Â' | 'Ã' | 'Ä' | 'Å' => 2,
            'â' => 3,
            'ð' => 4,
            _ => continue,
        };
        let run = || text.get(start..).unwrap_or_default().chars().take(length);
        let mut bytes = [0; 4];
        let known = bytes.iter_mut().zip(run()).map_while(|(byte, c)| {
            *byte = windows_1252_byte(c)?;
            Some(())
        });
        if known.count() == length
            && let Ok(right) = std::str::from_utf8(bytes.get(..length).unwrap_or_default())
        {
            return Some((run().collect(), right.to_owned()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_cell_is_a_spreadsheet_error() {
        for raw in ["#NAME?", " #REF! ", "####", "#n/a", "Err:502"] {
            assert!(spreadsheet_error(raw).is_some(), "{raw}");
        }
        for raw in ["#1: the first", "C#", "##", "Err:50", "Surviving #REF!"] {
            assert!(spreadsheet_error(raw).is_none(), "{raw}");
        }
    }

    #[test]
    fn template_tokens_are_found_and_brackets_are_not() {
        assert_eq!(
            template_token("Scott [node:field-speakers-institution]"),
            Some("[node:field-speakers-institution]")
        );
        assert_eq!(template_token("Hello {{ name }}!"), Some("{{ name }}"));
        assert_eq!(template_token("a ${TITLE} b"), Some("${TITLE}"));
        for text in ["[1] and [sic]", "f(x) = {x}", "Cost: $5 {net}", "[https://example.org]", "[ü:", "{{"] {
            assert_eq!(template_token(text), None, "{text}");
        }
    }

    #[test]
    fn entities_and_tags_are_markup_and_comparisons_are_not() {
        assert_eq!(markup("R&amp;D"), Some("&amp;"));
        assert_eq!(markup("it&#39;s"), Some("&#39;"));
        assert_eq!(markup("one<BR>two"), Some("<br>"));
        for text in ["R&D; more", "AT&T", "p < 0.05 and q > 1", "a & b;"] {
            assert_eq!(markup(text), None, "{text}");
        }
    }

    #[test]
    fn twice_encoded_text_is_found_and_accents_are_not() {
        assert_eq!(mojibake("AntÃ´nio"), Some(("Ã´".to_owned(), "ô".to_owned())));
        assert_eq!(mojibake("Letâ€™s"), Some(("â€™".to_owned(), "’".to_owned())));
        for text in ["Antônio", "Ângela", "Châtelet", "Åsa", "São Paulo"] {
            assert_eq!(mojibake(text), None, "{text}");
        }
    }
}
