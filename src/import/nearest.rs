//! The word that somebody probably meant.

/// The candidate most like a word, if any is like it at all.
pub(super) fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let word = word.to_lowercase();
    candidates
        .iter()
        .map(|candidate| {
            let other = candidate.to_lowercase();
            let likeness = strsim::normalized_damerau_levenshtein(&word, &other);
            // "speaker" and "speakers", "session_title" and "title" are further apart than they look.
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
    fn slips_of_the_pen_are_recognised_and_strangers_are_not() {
        let known = ["title", "speakers", "kind", "room"];
        assert_eq!(nearest("Titel", &known), Some("title"));
        assert_eq!(nearest("speaker", &known), Some("speakers"));
        assert_eq!(nearest("session_title", &known), Some("title"));
        assert_eq!(nearest("catering", &known), None);
    }
}
