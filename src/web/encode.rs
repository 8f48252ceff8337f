//! Encodes text for its place in a page: a query, a data block, a QR code.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use qrcodegen::{QrCode, QrCodeEcc};
use serde::Serialize;
use std::fmt::Write;

const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value for a query, percent-encoded.
pub(super) fn encode(value: &str) -> String {
    utf8_percent_encode(value, QUERY).to_string()
}

/// JSON for a `<script type="application/…">` data block. It contains no `<`, `>` or `&`, so no text can end the
/// element with `</script>` or `<!--` (HTML, 4.12.1.3).
pub(super) fn data_block(value: &impl Serialize) -> String {
    let plain = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    let mut out = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

/// A QR code (ISO/IEC 18004) as an `<svg>` element, which needs no image and no script. None if the text is longer than
/// a code can hold (2,953 bytes).
pub(super) fn qr_code(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let (size, quiet) = (code.size(), 4);
    let mut path = String::new();
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let run = (x..size).take_while(|at| code.get_module(*at, y)).count();
            let run = i32::try_from(run).unwrap_or(0);
            if run > 0 {
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + quiet, y + quiet);
            }
            x += run.max(1);
        }
    }
    let edge = size + 2 * quiet;
    Some(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {edge} {edge}\" aria-hidden=\"true\" focusable=\"false\">\
         <path fill=\"#fff\" d=\"M0 0h{edge}v{edge}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_data_block_parses_back_and_cannot_close_its_element(text in "(</script>|<!--|&|\"|\\PC){0,20}") {
            let block = data_block(&text);
            prop_assert!(!block.contains(['<', '>', '&']));
            prop_assert_eq!(serde_json::from_str::<String>(&block).unwrap(), text);
        }
    }

    #[test]
    fn hostile_text_adds_no_markup_and_too_long_text_gives_no_code() {
        let drawn = qr_code("https://a.example/?q=</svg><script>\"'\u{202e}🎉").unwrap();
        assert!(!drawn.contains("script") && drawn.matches('<').count() == 4, "{drawn}");
        assert_eq!(qr_code(&"x".repeat(10_000)), None);
    }
}
