//! Decodes a file. UTF-8 is required; the other encodings and formats that spreadsheets save are recognised and named.
//!
//! A file in another encoding is always refused. The file is decoded all the same, so that one report holds all its
//! faults.

use super::fault::{Defect, Span, counted, shorten};
use std::borrow::Cow;

/// The first bytes of other formats, and the names of the formats.
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

/// The beginnings of other text formats, compared without leading white space and case.
const TEXTUAL: &[(&str, &str)] = &[
    ("<!doctype", "a web page (HTML)"),
    ("<html", "a web page (HTML)"),
    ("<?xml", "an XML file"),
    ("<table", "a web page (HTML)"),
    ("begin:vcalendar", "a calendar (.ics)"),
    ("{", "a JSON file"),
    ("[", "a JSON or TOML file"),
];

/// The defect of a file that is certainly not a CSV.
pub(super) fn foreign_format(bytes: &[u8]) -> Option<Defect> {
    let head = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = head.trim_ascii_start();
    let starts_with =
        |start: &str| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()));
    let binary = BINARY.iter().find(|(start, _)| head.starts_with(start)).map(|(_, name)| *name);
    let textual = || TEXTUAL.iter().find(|(start, _)| starts_with(start)).map(|(_, name)| *name);
    let name = binary.or_else(textual)?;
    let remedy = if name.contains("HTML") {
        "export the sheet as CSV UTF-8; what was saved may be its sign-in page"
    } else {
        "open it in the program that made it and export the sheet as CSV UTF-8"
    };
    Some(Defect::new("not-csv", format!("the file is {name}, not a CSV"), remedy))
}

/// A file as text.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    /// The decoded text, without the byte order mark.
    pub(super) text: Cow<'a, str>,
    encoding: Encoding,
}

#[derive(Debug)]
enum Encoding {
    Utf8,
    Utf16(&'static str),
    /// No byte above 127 is UTF-8, or too many are not: Windows-1252.
    Foreign {
        first: Span,
        byte: u8,
        lines: usize,
    },
    /// UTF-8 except for these bytes.
    Mixed(Vec<(Span, Vec<u8>)>),
}

/// The most runs of foreign bytes in a file that counts as UTF-8. A file with more runs has another encoding.
const MAX_RUNS: usize = 1000;

/// The most bytes of a run that its fault shows.
const MAX_SHOWN: usize = 8;

/// Decodes a file. Bytes that are not UTF-8 are read as Windows-1252.
pub(super) fn decode(bytes: &[u8]) -> Decoded<'_> {
    if let Some((name, little, body)) = utf16(bytes) {
        let units = body.chunks(2).map(|pair| {
            let (a, b) = (pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0));
            if little { u16::from_le_bytes([a, b]) } else { u16::from_be_bytes([a, b]) }
        });
        let text: String =
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        return Decoded { text: text.into(), encoding: Encoding::Utf16(name) };
    }
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(body) {
        Ok(text) => Decoded { text: text.into(), encoding: Encoding::Utf8 },
        Err(_) => foreign(body),
    }
}

fn foreign(body: &[u8]) -> Decoded<'_> {
    let mut text = String::with_capacity(body.len() + body.len() / 8);
    let (mut runs, mut count, mut lines, mut is_foreign) = (Vec::<(Span, Vec<u8>)>::new(), 0_usize, 0, true);
    let mut same_line = false;
    for chunk in body.utf8_chunks() {
        is_foreign &= chunk.valid().is_ascii();
        same_line &= !chunk.valid().contains(['\n', '\r']);
        text.push_str(chunk.valid());
        let start = text.len();
        text.extend(chunk.invalid().iter().map(|byte| windows_1252(*byte)));
        if chunk.invalid().is_empty() {
            continue;
        }
        lines += usize::from(!same_line);
        same_line = true;
        match runs.last_mut() {
            Some((span, run)) if span.1 == start => {
                span.1 = text.len();
                run.extend(chunk.invalid().iter().take(MAX_SHOWN.saturating_sub(run.len())));
            }
            _ => {
                count += 1;
                if runs.len() < MAX_RUNS {
                    runs.push(((start, text.len()), chunk.invalid().to_vec()));
                }
            }
        }
    }
    let first = runs.first().map(|(span, run)| (*span, run.first().copied().unwrap_or(0)));
    let encoding = match first {
        Some((first, byte)) if is_foreign || count > MAX_RUNS => Encoding::Foreign { first, byte, lines },
        _ => Encoding::Mixed(runs),
    };
    Decoded { text: text.into(), encoding }
}

/// UTF-16, recognised by its byte order mark, or by a zero in every other byte, as with plain letters.
fn utf16(bytes: &[u8]) -> Option<(&'static str, bool, &[u8])> {
    if let Some(body) = bytes.strip_prefix(b"\xff\xfe") {
        return Some(("UTF-16 (little-endian)", true, body));
    }
    if let Some(body) = bytes.strip_prefix(b"\xfe\xff") {
        return Some(("UTF-16 (big-endian)", false, body));
    }
    let head = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let many = (head.len() / 2) * 4 / 5;
    match (zeros(0), zeros(1)) {
        _ if many == 0 => None,
        (0, odd) if odd >= many => Some(("UTF-16 (little-endian) without a byte order mark", true, bytes)),
        (even, 0) if even >= many => Some(("UTF-16 (big-endian) without a byte order mark", false, bytes)),
        _ => None,
    }
}

const SAVE_AS: &str = "save the file as \"CSV UTF-8\" (Excel: Save As, CSV UTF-8; LibreOffice: Save As, Edit filter settings, \
                       Unicode (UTF-8); Google Sheets: Download, Comma-separated values)";

impl Decoded<'_> {
    /// The defect of the file as a whole, if there is one.
    pub(super) fn defect(&self) -> Option<Defect> {
        let Encoding::Utf16(name) = self.encoding else { return None };
        Some(Defect::new("utf-16", format!("the file is {name}, not UTF-8"), SAVE_AS))
    }

    /// The defects of single characters, with the byte of the text at which each starts, in order.
    pub(super) fn defects(&self) -> Vec<(usize, Defect)> {
        match &self.encoding {
            Encoding::Utf8 | Encoding::Utf16(_) => Vec::new(),
            Encoding::Foreign { first, byte, lines } => {
                let c = self.read_as(*first).chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
                let message = format!(
                    "the file is not UTF-8: byte {byte:02X} is {c:?} in Windows-1252, which Excel uses for plain CSV; \
                     {} with such bytes",
                    counted(*lines, "line"),
                );
                vec![(first.0, Defect::new("encoding", message, SAVE_AS))]
            }
            Encoding::Mixed(runs) => {
                runs.iter().map(|(span, run)| (span.0, self.mixed(*span, run))).collect()
            }
        }
    }

    fn mixed(&self, span: Span, run: &[u8]) -> Defect {
        let hex: Vec<String> = run.iter().take(MAX_SHOWN).map(|byte| format!("{byte:02X}")).collect();
        let (noun, verb) = if run.len() == 1 { ("byte", "is") } else { ("bytes", "are") };
        let message = format!(
            "the {noun} {} {verb} not UTF-8, unlike the rest of the file; Windows-1252 has {:?} there",
            hex.join(" "),
            shorten(self.read_as(span)),
        );
        Defect::new("not-utf8", message, format!("type these characters again, then {SAVE_AS}"))
    }

    fn read_as(&self, span: Span) -> &str {
        self.text.get(span.0..span.1).unwrap_or_default()
    }
}

/// The characters of the bytes 0x80 to 0x9F in Windows-1252.
const HIGH: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}',
    '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
];

/// The character of a byte in Windows-1252 by the WHATWG's table. The five unassigned bytes become U+FFFD.
pub(super) fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte) - 0x80).copied().unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    }
}

/// The byte above 127 of a character in Windows-1252.
pub(super) fn windows_1252_byte(c: char) -> Option<u8> {
    match c {
        '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(c)).ok(),
        _ => (0x80..=0x9f).zip(HIGH).find(|(_, high)| *high == c).map(|(byte, _)| byte),
    }
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
            assert!(foreign_format(bytes).unwrap().message.contains(word));
        }
        assert_eq!(foreign_format(b"id,date"), None);
        assert_eq!(foreign_format(b""), None);
    }

    #[test]
    fn utf8_is_borrowed_without_its_byte_order_mark() {
        let decoded = decode("\u{feff}Antônio".as_bytes());
        assert!(matches!((&decoded.text, &decoded.encoding), (Cow::Borrowed("Antônio"), Encoding::Utf8)));
    }

    #[test]
    fn windows_1252_differs_from_damaged_utf8() {
        let decoded = decode(b"id\nAnt\xf4nio\nLet\x92s \x93x\x94\n");
        assert_eq!(decoded.text, "id\nAntônio\nLet’s “x”\n");
        assert!(matches!(decoded.encoding, Encoding::Foreign { byte: 0xf4, lines: 2, .. }));
        let mixed = decode(b"\xc3\xa9 and \xe9");
        assert!(matches!(&mixed.encoding, Encoding::Mixed(runs) if runs.len() == 1));
    }

    #[test]
    fn utf16_is_recognised_with_and_without_its_mark() {
        let units: Vec<u8> = "id,title".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&units).text, "id,title");
        let marked: Vec<u8> = "\u{feff}id,é".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&marked).text, "id,é");
        assert!(matches!(decode(b"a\0b").encoding, Encoding::Utf8));
    }
}
