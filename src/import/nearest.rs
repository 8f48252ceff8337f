//! The word that somebody probably meant.

/// Bytes of a word that is compared: as many as the name of a track has. Comparing costs the product of two lengths.
const LONGEST: usize = 256;

/// The candidate most like a word, if any is like it at all.
pub(super) fn nearest<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let letters = word.chars().count();
    candidates
        .iter()
        .map(|candidate| {
            let other = candidate.to_lowercase();
            let count = other.chars().count();
            // Words of which one is more than twice as long as the other are never alike by half.
            let is_close = letters <= 2 * count && count <= 2 * letters;
            let likeness = if is_close { strsim::normalized_damerau_levenshtein(&word, &other) } else { 0.0 };
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
