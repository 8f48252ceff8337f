//! Names of agendas and labels of links: one line, not too long.

use super::AgendaError;
use crate::agenda::LONGEST_NAME;
use crate::program::Text;

/// Normalises, then counts characters.
pub(super) fn checked(field: &'static str, raw: &str) -> Result<String, AgendaError> {
    let (text, _) = Text::line(raw);
    if text.as_str().chars().count() > LONGEST_NAME {
        return Err(AgendaError::NameTooLong(field));
    }
    Ok(text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_after_normalising() {
        assert_eq!(checked("name", "  Zoë’s\r\nplan\u{0}\u{202e} ").unwrap(), "Zoë’s plan");
        assert_eq!(checked("name", &"é".repeat(LONGEST_NAME)).unwrap().chars().count(), LONGEST_NAME);
        assert!(checked("name", &format!(" {}", "\u{0}".repeat(500))).unwrap().is_empty());
        let long = "x".repeat(LONGEST_NAME + 1);
        assert_eq!(checked("label", &long), Err(AgendaError::NameTooLong("label")));
    }
}
