//! Foreign text made plain: HTML gone, characters that a column has a meaning for replaced.

/// Text without HTML, and whether there was any. Paragraphs, line breaks and list items become lines.
pub(super) fn plain(raw: &str) -> (String, bool) {
    let mut out = String::with_capacity(raw.len());
    let mut found = false;
    let mut rest = raw;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let taken = if after.starts_with('<') { tag(after) } else { entity(after) };
        match taken {
            Some((text, length)) => {
                found = true;
                out.push_str(&text);
                rest = after.get(length..).unwrap_or_default();
            }
            None => {
                out.push_str(after.get(..1).unwrap_or_default());
                rest = after.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    (out, found)
}

/// A tag's text and length; none where a `<` starts no tag.
fn tag(text: &str) -> Option<(String, usize)> {
    const KNOWN: [&str; 29] = [
        "p",
        "br",
        "div",
        "span",
        "a",
        "b",
        "i",
        "u",
        "em",
        "strong",
        "li",
        "ul",
        "ol",
        "h1",
        "h2",
        "h3",
        "h4",
        "code",
        "pre",
        "img",
        "hr",
        "blockquote",
        "table",
        "tr",
        "td",
        "font",
        "sup",
        "sub",
        "iframe",
    ];
    // A tag is short; without a bound, many openings without an end would cost a square.
    let end = text.bytes().take(2000).position(|byte| byte == b'>')?;
    let inside = text.get(1..end)?;
    let closing = inside.starts_with('/');
    let name: String = inside
        .trim_start_matches('/')
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_lowercase();
    if !KNOWN.contains(&name.as_str()) {
        return None;
    }
    let said = match (name.as_str(), closing) {
        ("br", _) | ("tr" | "div", true) => "\n",
        ("p" | "h1" | "h2" | "h3" | "h4" | "ul" | "ol" | "pre" | "blockquote", true) => "\n\n",
        ("li", false) => "\n• ",
        _ => "",
    };
    Some((said.to_owned(), end + 1))
}

fn entity(text: &str) -> Option<(String, usize)> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let name = text.get(1..end)?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "rsquo" => '’',
        "lsquo" => '‘',
        "ldquo" => '“',
        "rdquo" => '”',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((c.to_string(), end + 1))
}

/// The longest start of a text within a number of bytes.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn html_becomes_lines_and_comparisons_stay() {
        let (text, found) = plain("<p>One &amp; two<br/>three</p><ul><li>x</li></ul>it&#39;s <b>bold</b>");
        assert_eq!((text.as_str(), found), ("One & two\nthree\n\n\n• x\n\nit's bold", true));
        for text in ["p < 0.05 and q > 1", "AT&T; R&D", "a <- b", "<3", "Vec<u8> & so on"] {
            assert_eq!(plain(text), (text.to_owned(), false));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[<>&;#a-z/é ]{0,60}", most in 0..20usize) {
            plain(&text);
            prop_assert!(cut(&text, most).len() <= most);
        }
    }
}
