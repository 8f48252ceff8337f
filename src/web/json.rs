//! JSON inside HTML, where text must not be able to end the element that holds it.

use serde::Serialize;

/// JSON for a `<script type="application/…">` data block: no `<`, `>` or `&` in it, so neither `</script>`
/// nor `<!--` can occur, whatever a title holds (HTML, 4.12.1.3).
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_reads_back_and_cannot_close_its_element(text in "(</script>|<!--|&|\"|\\PC){0,20}") {
            let block = data_block(&text);
            prop_assert!(!block.contains(['<', '>', '&']));
            prop_assert_eq!(serde_json::from_str::<String>(&block).unwrap(), text);
        }
    }
}
