//! The two closed vocabularies, `kind` and `status`, with the word that was probably meant.

use super::fault::Flaw;
use super::nearest::nearest;
use crate::program::{SessionKind, Status};

/// What other tools and people write for a kind.
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
pub(super) fn kind(raw: &str) -> Result<SessionKind, Flaw> {
    raw.parse().map_err(|_| unknown("kind", raw, KINDS, SessionKind::WORDS))
}

/// Parses a status.
pub(super) fn status(raw: &str) -> Result<Status, Flaw> {
    raw.parse().map_err(|_| unknown("status", raw, STATUSES, Status::WORDS))
}

fn unknown(
    rule: &'static str,
    raw: &str,
    synonyms: &[(&str, &'static str)],
    words: &'static [&'static str],
) -> Flaw {
    let lower = raw.to_lowercase();
    let said: Vec<&str> = synonyms.iter().map(|(word, _)| *word).collect();
    let meant = |word: &str| synonyms.iter().find(|(known, _)| *known == word).map(|(_, meant)| *meant);
    let near =
        meant(&lower).or_else(|| nearest(&lower, words)).or_else(|| nearest(&lower, &said).and_then(meant));
    let message = format!("{:?} is not a {rule}", super::fault::shorten(raw));
    let remedy = match near {
        Some(near) => format!("write {near}, if that is meant; the words are {}", words.join(", ")),
        None => format!("write one of {}", words.join(", ")),
    };
    Flaw::new(rule, message, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_was_meant_comes_first() {
        for (raw, meant) in [
            ("keynote", "plenary"),
            ("Lightning Talks", "lightning"),
            ("tlak", "talk"),
            ("Lunch", "meal"),
            ("coffee break", "break"),
        ] {
            let remedy = kind(raw).unwrap_err().remedy;
            assert!(remedy.starts_with(&format!("write {meant},")), "{raw}: {remedy}");
        }
        assert!(status("Canceled").unwrap_err().remedy.starts_with("write cancelled,"));
        assert!(status("xyzzy").unwrap_err().remedy.starts_with("write one of"));
        assert_eq!(status(" Tentative "), Ok(Status::Tentative));
    }
}
