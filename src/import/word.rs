//! Parses the words of the columns `kind` and `status`, and suggests the word that was probably meant.

use super::fault::{Defect, shorten};
use crate::program::{SessionKind, Status};

/// Words that other tools and people use, and the kind that each word means.
const KINDS: &[(&str, &str)] = &[
    ("keynote", "plenary"),
    ("ama", "discussion"),
    ("bof", "discussion"),
    ("unconference", "discussion"),
    ("birds of a feather", "discussion"),
    ("tutorial", "workshop"),
    ("training", "workshop"),
    ("hands-on", "workshop"),
    ("lunch", "meal"),
    ("luncheon", "meal"),
    ("breakfast", "meal"),
    ("dinner", "meal"),
    ("coffee", "break"),
    ("pause", "break"),
    ("reception", "social"),
    ("party", "social"),
    ("get-together", "social"),
    ("opening", "remarks"),
    ("closing", "remarks"),
    ("welcome", "remarks"),
    ("presentation", "talk"),
    ("paper", "talk"),
    ("session", "talk"),
    ("lecture", "talk"),
];

/// Words that other tools and people use, and the status that each word means.
const STATUSES: &[(&str, &str)] = &[
    ("canceled", "cancelled"),
    ("draft", "tentative"),
    ("tba", "tentative"),
    ("tbc", "tentative"),
    ("tbd", "tentative"),
    ("accepted", "confirmed"),
    ("scheduled", "confirmed"),
    ("final", "confirmed"),
    ("ok", "confirmed"),
    ("yes", "confirmed"),
    ("deleted", "withdrawn"),
    ("removed", "withdrawn"),
    ("hidden", "withdrawn"),
];

/// Parses a kind.
pub(super) fn kind(raw: &str) -> Result<SessionKind, Defect> {
    raw.parse().map_err(|_| unknown("kind", raw, KINDS, SessionKind::WORDS))
}

/// Parses a status.
pub(super) fn status(raw: &str) -> Result<Status, Defect> {
    raw.parse().map_err(|_| unknown("status", raw, STATUSES, Status::WORDS))
}

fn unknown(
    rule: &'static str,
    raw: &str,
    synonyms: &[(&str, &'static str)],
    words: &'static [&'static str],
) -> Defect {
    let lower = raw.to_lowercase();
    let known: Vec<&str> = synonyms.iter().map(|(synonym, _)| *synonym).collect();
    let word_for =
        |found: &str| synonyms.iter().find(|(synonym, _)| *synonym == found).map(|(_, word)| *word);
    let meant = word_for(&lower)
        .or_else(|| nearest(&lower, words))
        .or_else(|| nearest(&lower, &known).and_then(word_for));
    let message = format!("{:?} is not a {rule}", shorten(raw));
    let remedy = match meant {
        Some(word) => format!("write {word} if that is what you mean; allowed are {}", words.join(", ")),
        None => format!("write one of {}", words.join(", ")),
    };
    Defect::new(rule, message, remedy)
}

/// The most bytes of a word that is compared, since the cost is the product of two lengths.
const MAX_WORD: usize = 256;

/// The candidate most similar to a word, if any is similar enough.
pub(super) fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    if word.len() > MAX_WORD {
        return None;
    }
    let word = word.to_lowercase();
    let letters = word.chars().count();
    candidates
        .iter()
        .map(|candidate| {
            let other = candidate.to_lowercase();
            let count = other.chars().count();
            // Two words cannot reach 0.5 if one has more than twice the length of the other.
            let is_close = letters <= 2 * count && count <= 2 * letters;
            let likeness = if is_close { strsim::normalized_damerau_levenshtein(&word, &other) } else { 0.0 };
            // The distance of "session_title" and "title" does not show how similar they are.
            let contained =
                other.len() > 3 && word.len() > 3 && (word.contains(&other) || other.contains(&word));
            (if contained { likeness.max(0.7) } else { likeness }, *candidate)
        })
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_was_meant_is_suggested() {
        for (raw, meant) in [
            ("keynote", "plenary"),
            ("Lightning Talks", "lightning"),
            ("tlak", "talk"),
            ("Lunch", "meal"),
            ("coffee break", "break"),
        ] {
            let remedy = kind(raw).unwrap_err().remedy;
            assert!(remedy.starts_with(&format!("write {meant} if")), "{raw}: {remedy}");
        }
        assert!(status("Canceled").unwrap_err().remedy.starts_with("write cancelled if"));
        assert!(status("xyzzy").unwrap_err().remedy.starts_with("write one of"));
        assert_eq!(status(" Tentative "), Ok(Status::Tentative));
    }

    #[test]
    fn misspelled_words_are_recognised_and_other_words_are_not() {
        let known = ["title", "speakers", "kind", "room"];
        assert_eq!(nearest("Titel", &known), Some("title"));
        assert_eq!(nearest("speaker", &known), Some("speakers"));
        assert_eq!(nearest("session_title", &known), Some("title"));
        assert_eq!(nearest("catering", &known), None);
    }
}
