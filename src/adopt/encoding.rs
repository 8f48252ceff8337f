//! Decodes foreign files: UTF-8, UTF-16, and the encodings that XML and iCalendar declare.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// The text of a file, without its byte order mark, and what is doubtful about it.
///
/// Valid UTF-8 is UTF-8, whatever the file declares: tools that declare Latin-1 and write UTF-8 are common.
pub(super) fn decode(bytes: &[u8]) -> (Cow<'_, str>, Option<String>) {
    let (encoding, length) = match (Encoding::for_bom(bytes), bytes) {
        (Some(found), _) => found,
        // An ASCII character in UTF-16 without a mark.
        (None, [0, first, ..]) if first.is_ascii_graphic() => (UTF_16BE, 0),
        (None, [first, 0, ..]) if first.is_ascii_graphic() => (UTF_16LE, 0),
        _ => (UTF_8, 0),
    };
    let body = bytes.get(length..).unwrap_or_default();
    if encoding == UTF_8 {
        if let Ok(text) = std::str::from_utf8(body) {
            return (text.into(), None);
        }
        let (encoding, doubt) = match declared(body) {
            Some(Ok(encoding)) if encoding == UTF_8 => {
                (WINDOWS_1252, Some("the file is not UTF-8, as it declares".to_owned()))
            }
            Some(Ok(encoding)) => (encoding, None),
            Some(Err(label)) => (WINDOWS_1252, Some(format!("the encoding {label:?} is unknown"))),
            None => (WINDOWS_1252, Some("the file is not UTF-8 and declares no encoding".to_owned())),
        };
        if doubt.is_some() && is_mostly_utf_8(body) {
            let doubt =
                "some characters are not UTF-8; each became the sign \u{fffd}, so look for it".to_owned();
            return (String::from_utf8_lossy(body), Some(doubt));
        }
        let doubt = doubt.map(|doubt| format!("{doubt}; it was read as Windows-1252, so check the accents"));
        return (encoding.decode_without_bom_handling(body).0, doubt);
    }
    let (text, had_errors) = encoding.decode_without_bom_handling(body);
    (text, had_errors.then(|| format!("some characters are not {}", encoding.name())))
}

/// Whether most characters outside of ASCII are UTF-8, as in a file into which a line of another encoding was pasted.
fn is_mostly_utf_8(body: &[u8]) -> bool {
    let (mut valid, mut invalid) = (0_usize, 0_usize);
    for chunk in body.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    valid > invalid
}

/// The encoding of an XML declaration, or of the first CHARSET parameter of a vCalendar; an unknown one as its label.
fn declared(body: &[u8]) -> Option<Result<&'static Encoding, String>> {
    let (name, head) = match body.trim_ascii_start().starts_with(b"<") {
        true => ("encoding=", body.get(..body.len().min(200))?),
        false => ("CHARSET=", body),
    };
    let head = String::from_utf8_lossy(head);
    let start = head.find(name)? + name.len();
    let rest = head.get(start..)?.trim_start_matches(['"', '\'']);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'))?;
    let label = rest.get(..end)?;
    Some(Encoding::for_label(label.as_bytes()).ok_or_else(|| label.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_encodings_and_utf_16_are_read() {
        let xml = b"<?xml version='1.0' encoding='ISO-8859-2'?><a>\xb1</a>";
        assert!(decode(xml).0.contains('ą'));
        assert!(decode(b"SUMMARY;CHARSET=KOI8-R:\xc1\r\n").0.contains('а'));
        assert!(decode("<?xml encoding='latin1'?>é".as_bytes()).0.contains('é'));
        let units: Vec<u8> = "BEGIN:é".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&units).0, "BEGIN:é");
        let marked: Vec<u8> = "\u{feff}<é/>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&marked).0, "<é/>");
        let (text, doubt) = decode(b"SUMMARY:Gr\xfc\xdfe\r\n");
        assert!(text.contains("Grüße") && doubt.is_some());
        assert_eq!(decode(b""), ("".into(), None));
        // A declaration that is wrong, and a file of two encodings.
        let (text, doubt) = decode(b"<?xml version='1.0' encoding='UTF-8'?><a>Gr\xfc\xdfe</a>");
        assert!(text.contains("Grüße") && doubt.unwrap().contains("as it declares"));
        let (text, doubt) = decode(b"Title\nGr\xc3\xbc\xc3\x9fe\n\xc3\x84\nM\xfcller\n");
        assert!(text.contains("Grüße") && text.contains("M\u{fffd}ller") && doubt.is_some());
    }
}
