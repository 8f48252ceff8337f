//! Abstracts and bios as paragraphs and lists.

/// A piece of a longer text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A paragraph; its lines flow.
    Paragraph(String),
    /// Lines that opened with a bullet.
    List(Vec<String>),
}

/// Splits at empty lines and at bullets (`•`, `*`).
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        let bullet = line.strip_prefix('•').or_else(|| line.strip_prefix("* ")).map(str::trim);
        match (line, bullet) {
            ("", _) => is_open = false,
            (_, Some(item)) => {
                match pieces.last_mut() {
                    Some(Piece::List(items)) => items.push(item.to_owned()),
                    _ => pieces.push(Piece::List(vec![item.to_owned()])),
                }
                is_open = true;
            }
            (line, None) => {
                match pieces.last_mut().filter(|_| is_open) {
                    Some(Piece::Paragraph(text)) => *text = format!("{text} {line}"),
                    Some(Piece::List(items)) => {
                        if let Some(item) = items.last_mut() {
                            *item = format!("{item} {line}");
                        }
                    }
                    None => pieces.push(Piece::Paragraph(line.to_owned())),
                }
                is_open = true;
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_bullets() {
        let text = "One\nline.\n\nTwo:\n• a\n  b\n• c\n\nEnd.";
        assert_eq!(
            pieces(text),
            [
                Piece::Paragraph("One line.".to_owned()),
                Piece::Paragraph("Two:".to_owned()),
                Piece::List(vec!["a b".to_owned(), "c".to_owned()]),
                Piece::Paragraph("End.".to_owned()),
            ]
        );
        assert_eq!(pieces(""), []);
    }
}
