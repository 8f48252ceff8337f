//! Writes mails as MIME (RFC 5322, 2045 to 2047), in the one form that Google, Outlook and Apple take for an invitation
//! (RFC 6047): `multipart/alternative`, the text first, the calendar last, both quoted-printable.
//!
//! Every line is ASCII and has at most 76 characters, so no relay needs to change a mail, which would break its signature.

use data_encoding::BASE64;

/// A mail before it is written. Values of fields are free of line ends: [`encoded_words`] makes texts so.
#[derive(Debug)]
pub(super) struct Mime<'a> {
    /// Header fields in their order, without those that describe the content.
    pub(super) fields: Vec<(&'static str, String)>,
    /// The language of the text.
    pub(super) language: &'a str,
    /// The text, with LF.
    pub(super) text: &'a str,
    /// The calendar and its method, with CRLF.
    pub(super) calendar: Option<(&'static str, &'a str)>,
}

/// No line of a quoted-printable text contains it.
const BOUNDARY: &str = "=_callboard";

impl Mime<'_> {
    pub(super) fn write(&self) -> String {
        let mut out = String::new();
        let mut line = |text: &str| {
            out.push_str(text);
            out.push_str("\r\n");
        };
        for (name, value) in &self.fields {
            line(&format!("{name}: {value}"));
        }
        line("MIME-Version: 1.0");
        line(&format!("Content-Language: {}", self.language));
        let text = quoted_printable(&self.text.replace('\n', "\r\n"));
        let encoding = "Content-Transfer-Encoding: quoted-printable";
        let plain = "Content-Type: text/plain; charset=UTF-8";
        let Some((method, calendar)) = self.calendar else {
            [plain, encoding, "", &text].into_iter().for_each(line);
            return out;
        };
        line(&format!("Content-Type: multipart/alternative; boundary=\"{BOUNDARY}\""));
        line("");
        [&format!("--{BOUNDARY}"), plain, encoding, "", &text].into_iter().for_each(&mut line);
        let kind = format!("Content-Type: text/calendar; charset=UTF-8; method={method}");
        let calendar = quoted_printable(calendar);
        let parts = [&format!("--{BOUNDARY}"), &kind, encoding, "", &calendar, &format!("--{BOUNDARY}--")];
        parts.into_iter().for_each(line);
        out
    }
}

/// A text for a header field. A text that is not short ASCII becomes encoded words, whose lines have at most 76 characters
/// with the name of the field (RFC 2047, 2).
pub(super) fn encoded_words(text: &str) -> String {
    const MAX: usize = 39; // bytes of a word's content, 52 characters in base64
    let is_plain =
        text.len() <= 60 && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) && !text.contains("=?");
    if is_plain {
        return text.to_owned();
    }
    let mut words: Vec<String> = vec![String::new()];
    for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= MAX => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let words = words.iter().map(|word| format!("=?UTF-8?B?{}?=", BASE64.encode(word.as_bytes())));
    words.collect::<Vec<_>>().join("\r\n ")
}

/// A text with CRLF as quoted-printable (RFC 2045, 6.7).
fn quoted_printable(text: &str) -> String {
    const MAX: usize = 75; // and the `=` that continues a line
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for (n, line) in text.split("\r\n").enumerate() {
        if n > 0 {
            out.push_str("\r\n");
        }
        let mut column = 0;
        let last = line.len().saturating_sub(1);
        for (place, byte) in line.bytes().enumerate() {
            let is_literal = match byte {
                b'=' => false,
                // A relay may remove white space at the end of a line, and doubles a dot at the beginning.
                b' ' | b'\t' => place != last,
                b'.' => column > 0,
                byte => byte.is_ascii_graphic(),
            };
            let mut room = [0; 4];
            let token = if is_literal {
                (byte as char).encode_utf8(&mut room).to_owned()
            } else {
                format!("={byte:02X}")
            };
            if column + token.len() > MAX {
                out.push_str("=\r\n");
                column = 0;
            }
            // A continued line may begin with a dot again.
            let token = if column == 0 && token == "." { "=2E".to_owned() } else { token };
            out.push_str(&token);
            column += token.len();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(text: &str) -> Vec<u8> {
        let (mut out, joined) = (Vec::new(), text.replace("=\r\n", ""));
        let mut bytes = joined.bytes();
        while let Some(byte) = bytes.next() {
            if byte != b'=' {
                out.push(byte);
                continue;
            }
            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
            out.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        }
        out
    }

    proptest! {
        #[test]
        fn quoted_printable_is_short_ascii_and_reversible(lines in proptest::collection::vec("[ -~\\té日💡.=]{0,90}", 0..4)) {
            let text = lines.join("\r\n");
            let encoded = quoted_printable(&text);
            prop_assert_eq!(decode(&encoded), text.as_bytes());
            for line in encoded.split("\r\n") {
                prop_assert!(line.len() <= 76 && line.is_ascii(), "{}", line);
                prop_assert!(!line.starts_with('.') && !line.ends_with(' ') && !line.contains("=_"), "{}", line);
            }
        }

        #[test]
        fn encoded_words_are_short_ascii_and_end_no_field(text in any::<String>()) {
            for line in encoded_words(&text).split("\r\n ") {
                prop_assert!(line.len() <= 76 && line.bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "{}", line);
            }
        }
    }

    #[test]
    fn short_ascii_stays_readable_in_a_field() {
        assert_eq!(encoded_words("Invitation: Slow queries"), "Invitation: Slow queries");
        assert_eq!(encoded_words("Zoë"), "=?UTF-8?B?Wm/Dqw==?=");
        assert_eq!(encoded_words("a\r\nBcc: eve"), "=?UTF-8?B?YSAgQmNjOiBldmU=?=");
    }
}
