//! Traces that other programs leave in a text: spreadsheet errors, template tokens, markup, wrong decoding.

use super::column::Column;
use super::encoding::windows_1252_byte;
use super::fault::{Faults, Flaw, Spot, shorten};

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

/// A cell that is nothing but a spreadsheet's error: `#REF!`, `#####`, `Err:502`.
pub(super) fn spreadsheet_error(raw: &str) -> Option<Flaw> {
    let text = raw.trim();
    let is_hashes = text.len() >= 3 && text.bytes().all(|byte| byte == b'#');
    let is_code = text
        .strip_prefix("Err:")
        .is_some_and(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()));
    let is_error = ERRORS.iter().any(|error| error.eq_ignore_ascii_case(text));
    if is_hashes {
        let remedy = "widen the column, or format it as a date, and export again";
        return Some(Flaw::new("spreadsheet-error", "the spreadsheet had no room to show this cell", remedy));
    }
    (is_error || is_code).then(|| {
        let message = format!("the spreadsheet could not compute this cell: {}", shorten(text));
        Flaw::new(
            "spreadsheet-error",
            message,
            "mend its formula, or write the text itself, and export again",
        )
    })
}

/// Warns of what a text probably should not hold.
pub(super) fn report(spot: Spot<'_>, column: Column, faults: &mut Faults) {
    let text = spot.text;
    // Most cells hold nothing that any of these starts with; one look at each byte is what a big program costs.
    if !text.bytes().any(|byte| matches!(byte, b'#' | b'[' | b'{' | b'<' | b'$' | b'&' | 0x80..)) {
        return;
    }
    if text.contains('#')
        && let Some(error) = ERRORS.iter().find(|error| text.contains(*error))
    {
        let message = format!("{error} is what a spreadsheet writes where a formula fails");
        faults.warn(
            spot.part(error),
            Flaw::new("formula-residue", message, "write the text that belongs there"),
        );
    }
    if let Some(token) = template_token(text) {
        let message = format!("{} looks like a template that was not filled in", shorten(token));
        faults.warn(
            spot.part(token),
            Flaw::new("template-residue", message, "delete it, or write what belongs there"),
        );
    }
    if let Some(markup) = markup(text) {
        let message = format!("{} is HTML, and this is plain text", shorten(markup));
        let flaw = Flaw::new("markup", message, "write the character itself, or delete the tag");
        // An entity's semicolon would end a speaker.
        if column == Column::Speakers {
            faults.error(spot.part(markup), flaw);
        } else {
            faults.warn(spot.part(markup), flaw);
        }
    }
    if text.contains('\u{fffd}') {
        let message = "U+FFFD stands where a character was lost in an earlier conversion";
        faults.warn(spot, Flaw::new("lost-character", message, "write the lost character anew"));
    }
    if let Some((wrong, right)) = mojibake(text) {
        let message = format!("{wrong:?} looks like UTF-8 that was opened as Windows-1252");
        let remedy = format!(
            "write {right:?}; open the file as UTF-8 (Excel: Data, From Text/CSV) before you edit it"
        );
        faults.warn(spot.part(&wrong), Flaw::new("mojibake", message, remedy));
    }
}

/// `[node:title]`, `{{ name }}`, `{% if %}`, `<% x %>`, `${name}`.
fn template_token(text: &str) -> Option<&str> {
    let between = |open: &str, close: &str, fits: fn(&str) -> bool| {
        text.match_indices(open).find_map(|(start, _)| {
            let rest = text.get(start + open.len()..)?;
            // A token is short; without a bound, many openings without an end would cost a square.
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

/// An entity or one of the tags that editors leave.
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

/// The first run that is UTF-8 once its characters are written as Windows-1252, and what it then says.
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
    fn spreadsheet_errors_are_whole_cells() {
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
