//! What other tools call a session's kind.

use crate::program::SessionKind;

/// Words and the kind that they mean, the telling ones first: a "Coffee break" is a break, a "Keynote talk" a plenary.
const WORDS: [(&str, SessionKind); 41] = [
    ("lunch", SessionKind::Meal),
    ("breakfast", SessionKind::Meal),
    ("dinner", SessionKind::Meal),
    ("meal", SessionKind::Meal),
    ("break", SessionKind::Break),
    ("coffee", SessionKind::Break),
    ("pause", SessionKind::Break),
    ("keynote", SessionKind::Plenary),
    ("plenary", SessionKind::Plenary),
    ("lightning", SessionKind::Lightning),
    ("panel", SessionKind::Panel),
    ("workshop", SessionKind::Workshop),
    ("tutorial", SessionKind::Workshop),
    ("training", SessionKind::Workshop),
    ("hands-on", SessionKind::Workshop),
    ("discussion", SessionKind::Discussion),
    ("bof", SessionKind::Discussion),
    ("birds", SessionKind::Discussion),
    ("ama", SessionKind::Discussion),
    ("unconference", SessionKind::Discussion),
    ("meeting", SessionKind::Discussion),
    ("meetup", SessionKind::Discussion),
    ("opening", SessionKind::Remarks),
    ("closing", SessionKind::Remarks),
    ("welcome", SessionKind::Remarks),
    ("remarks", SessionKind::Remarks),
    ("reception", SessionKind::Social),
    ("party", SessionKind::Social),
    ("social", SessionKind::Social),
    ("get-together", SessionKind::Social),
    ("registration", SessionKind::Social),
    ("concert", SessionKind::Social),
    ("performance", SessionKind::Social),
    ("talk", SessionKind::Talk),
    ("talks", SessionKind::Talk),
    ("lecture", SessionKind::Talk),
    ("presentation", SessionKind::Talk),
    ("paper", SessionKind::Talk),
    ("contribution", SessionKind::Talk),
    ("vortrag", SessionKind::Talk),
    ("session", SessionKind::Talk),
];

/// The kind that a type's or category's name means.
pub(super) fn named(name: &str) -> Option<SessionKind> {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    WORDS.iter().find(|(word, _)| words.contains(word)).map(|(_, kind)| *kind)
}

/// The kind that a title gives away where the file says none: what is no talk is mostly called by its name.
pub(super) fn by_title(title: &str) -> SessionKind {
    let short = title.split_whitespace().count() <= 4;
    let pause = |kind: &SessionKind| {
        matches!(kind, SessionKind::Meal | SessionKind::Break | SessionKind::Remarks | SessionKind::Social)
    };
    named(title).filter(|kind| short && pause(kind)).unwrap_or(SessionKind::Talk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_telling_word_wins() {
        assert_eq!(named("Coffee break"), Some(SessionKind::Break));
        assert_eq!(named("Keynote Talk"), Some(SessionKind::Plenary));
        assert_eq!(named("Long talk (45 min)"), Some(SessionKind::Talk));
        assert_eq!(named("Dramatic reading"), None);
        assert_eq!(by_title("Lunch"), SessionKind::Meal);
        assert_eq!(by_title("How we break things on purpose"), SessionKind::Talk);
    }
}
