//! Bytes to text: UTF-8 as it must be, and what else spreadsheets save, recognised by name.
//!
//! A file in another encoding is always refused, but it is still decoded, so that every other fault in it
//! is found in the same go. Knows no cells.

use super::fault::{Faults, Flaw, Span, Spot};
use std::borrow::Cow;

/// A file as text.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    /// Without its byte order mark.
    pub(super) text: Cow<'a, str>,
    flaw: Encoding,
}

#[derive(Debug)]
enum Encoding {
    Utf8,
    Utf16(&'static str),
    /// No byte above 127 is UTF-8, or too many are not.
    Foreign {
        first: Span,
        byte: u8,
        lines: usize,
    },
    /// UTF-8 but for these spots.
    Mixed(Vec<(Span, Vec<u8>)>),
}

/// Foreign spots that are still reported one by one; with more of them the file is of another encoding.
const SPOTS: usize = 1000;

/// Bytes of a foreign spot that its fault shows.
const SHOWN: usize = 8;

/// Decodes a file; whatever cannot be UTF-8 is read as Windows-1252, and remembered.
pub(super) fn decode(bytes: &[u8]) -> Decoded<'_> {
    if let Some((name, little, body)) = utf16(bytes) {
        let units = body.chunks(2).map(|pair| {
            let (a, b) = (pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0));
            if little { u16::from_le_bytes([a, b]) } else { u16::from_be_bytes([a, b]) }
        });
        let text: String =
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        return Decoded { text: text.into(), flaw: Encoding::Utf16(name) };
    }
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(body) {
        Ok(text) => Decoded { text: text.into(), flaw: Encoding::Utf8 },
        Err(_) => foreign(body),
    }
}

fn foreign(body: &[u8]) -> Decoded<'_> {
    let mut text = String::with_capacity(body.len() + body.len() / 8);
    let (mut spots, mut count, mut lines, mut wholly) = (Vec::<(Span, Vec<u8>)>::new(), 0_usize, 0, true);
    let mut same_line = false;
    for chunk in body.utf8_chunks() {
        wholly &= chunk.valid().is_ascii();
        same_line &= !chunk.valid().contains(['\n', '\r']);
        text.push_str(chunk.valid());
        let start = text.len();
        text.extend(chunk.invalid().iter().map(|byte| windows_1252(*byte)));
        if chunk.invalid().is_empty() {
            continue;
        }
        lines += usize::from(!same_line);
        same_line = true;
        match spots.last_mut() {
            Some((span, run)) if span.1 == start => {
                span.1 = text.len();
                run.extend(chunk.invalid().iter().take(SHOWN.saturating_sub(run.len())));
            }
            _ => {
                count += 1;
                if spots.len() < SPOTS {
                    spots.push(((start, text.len()), chunk.invalid().to_vec()));
                }
            }
        }
    }
    let first = spots.first().map(|(span, run)| (*span, run.first().copied().unwrap_or(0)));
    let flaw = match first {
        Some((first, byte)) if wholly || count > SPOTS => Encoding::Foreign { first, byte, lines },
        _ => Encoding::Mixed(spots),
    };
    Decoded { text: text.into(), flaw }
}

/// UTF-16 by its byte order mark, or by the zero in every other byte of plain letters.
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

const SAVE_AS: &str = "save it again as \"CSV UTF-8\" (Excel: Save As, CSV UTF-8; LibreOffice: Save As, Edit filter settings, \
                       Unicode (UTF-8); Google Sheets: Download, Comma-separated values)";

impl Decoded<'_> {
    /// Reports the encoding. `locate` finds the cells that hold these bytes of the text.
    pub(super) fn report<'t>(&self, locate: impl Fn(&[usize]) -> Vec<Spot<'t>>, faults: &mut Faults) {
        let shown = |span: Span| self.text.get(span.0..span.1).unwrap_or_default();
        match &self.flaw {
            Encoding::Utf8 => {}
            Encoding::Utf16(name) => {
                faults.error(
                    Spot::FILE,
                    Flaw::new("utf-16", format!("the file is {name}, not UTF-8"), SAVE_AS),
                );
            }
            Encoding::Foreign { first, byte, lines } => {
                let message = format!(
                    "the file is not UTF-8: the byte {byte:02X} here is {:?} in Windows-1252, which Excel writes as \
                     plain CSV; lines with such bytes: {lines}",
                    shown(*first).chars().next().unwrap_or(char::REPLACEMENT_CHARACTER),
                );
                let spot = locate(&[first.0]).first().copied().unwrap_or(Spot::FILE);
                faults.error(spot, Flaw::new("encoding", message, SAVE_AS));
            }
            Encoding::Mixed(spots) => {
                let starts: Vec<usize> = spots.iter().map(|(span, _)| span.0).collect();
                for ((span, run), spot) in spots.iter().zip(locate(&starts)) {
                    let hex: Vec<String> = run.iter().take(SHOWN).map(|byte| format!("{byte:02X}")).collect();
                    let message = format!(
                        "the bytes {} are not UTF-8, while the rest of the file is; in Windows-1252 they are {:?}",
                        hex.join(" "),
                        super::fault::shorten(shown(*span)),
                    );
                    let remedy = format!("type these characters anew, then {SAVE_AS}");
                    faults.error(spot, Flaw::new("not-utf8", message, remedy));
                }
            }
        }
    }
}

/// The characters of the bytes 80 to 9F in Windows-1252.
const HIGH: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}',
    '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
];

/// Windows-1252 by WHATWG's table, its five holes as U+FFFD.
pub(super) fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte) - 0x80).copied().unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    }
}

/// The byte over 127 of a character in Windows-1252.
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
    fn utf8_is_borrowed_with_its_mark_taken_off() {
        let decoded = decode("\u{feff}Antônio".as_bytes());
        assert!(matches!((&decoded.text, &decoded.flaw), (Cow::Borrowed("Antônio"), Encoding::Utf8)));
    }

    #[test]
    fn a_windows_export_is_told_from_a_damaged_file() {
        let decoded = decode(b"id\nAnt\xf4nio\nLet\x92s \x93x\x94\n");
        assert_eq!(decoded.text, "id\nAntônio\nLet’s “x”\n");
        assert!(matches!(decoded.flaw, Encoding::Foreign { byte: 0xf4, lines: 2, .. }));
        let mixed = decode(b"\xc3\xa9 and \xe9");
        assert!(matches!(&mixed.flaw, Encoding::Mixed(spots) if spots.len() == 1));
    }

    #[test]
    fn utf16_is_known_with_and_without_its_mark() {
        let units: Vec<u8> = "id,title".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&units).text, "id,title");
        let marked: Vec<u8> = "\u{feff}id,é".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&marked).text, "id,é");
        assert!(matches!(decode(b"a\0b").flaw, Encoding::Utf8));
    }
}
