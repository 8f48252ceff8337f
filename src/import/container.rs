//! Files that are no CSV at all, recognised by their first bytes.

use super::fault::Flaw;

/// First bytes and what they mean. Text forms are compared after white space, without regard to case.
const BINARY: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "an Excel (.xlsx), OpenDocument or other zip file"),
    (b"PK\x05\x06", "an empty zip file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls)"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"{\\rtf", "an RTF document"),
];

const TEXTUAL: &[(&str, &str)] = &[
    ("<!doctype", "a web page (HTML)"),
    ("<html", "a web page (HTML)"),
    ("<?xml", "an XML file"),
    ("<table", "a web page (HTML)"),
    ("begin:vcalendar", "a calendar (.ics)"),
    ("{", "a JSON file"),
    ("[", "a JSON or TOML file"),
];

/// What the file is, where it is certainly no CSV.
pub(super) fn recognise(bytes: &[u8]) -> Option<Flaw> {
    let head = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = head.trim_ascii_start();
    let textual =
        |start: &str| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()));
    let binary = BINARY.iter().find(|(start, _)| head.starts_with(start)).map(|(_, what)| *what);
    let what = binary.or_else(|| TEXTUAL.iter().find(|(start, _)| textual(start)).map(|(_, what)| *what))?;
    let remedy = if what.contains("HTML") {
        "download the sheet itself (a sign-in page is often saved instead) and export it as CSV UTF-8"
    } else {
        "open it in the program that made it and export the sheet as CSV UTF-8"
    };
    Some(Flaw::new("not-csv", format!("the file is {what}, not a CSV"), remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_formats_are_named() {
        for (bytes, word) in [
            (&b"PK\x03\x04rest"[..], "xlsx"),
            (b"%PDF-1.7", "PDF"),
            (b"\n <!DOCTYPE html><html>", "web page"),
            (b"BEGIN:VCALENDAR\r\n", "calendar"),
        ] {
            assert!(recognise(bytes).unwrap().message.contains(word));
        }
        assert_eq!(recognise(b"id,date"), None);
        assert_eq!(recognise(b""), None);
    }
}
