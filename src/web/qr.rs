//! An address as a QR code (ISO/IEC 18004), drawn as SVG for the page itself: no image, no script.

use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write;

/// The `<svg>` element; none where the text is longer than a code can hold (2,953 bytes).
///
/// Its only foreign input is drawn as squares; the label is the caller's, outside of it.
pub(super) fn svg(text: &str) -> Option<String> {
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

    #[test]
    fn hostile_text_is_squares_and_too_much_is_no_code() {
        let drawn = svg("https://a.example/?q=</svg><script>\"'\u{202e}🎉").unwrap();
        assert!(!drawn.contains("script") && drawn.matches('<').count() == 4, "{drawn}");
        assert_eq!(svg(&"x".repeat(10_000)), None);
    }
}
