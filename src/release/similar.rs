//! The words of a program that are spelt like a word which the program does not contain.
//!
//! A word of four letters or more may differ by one typing error, a word of eight or more by two. A typing error is a
//! wrong, missing or additional letter, or two swapped neighbours. The word may also be the misspelt beginning of a
//! longer word, since scripts search while the visitor types. `search.js` finds the same words.

use std::collections::HashSet;

/// The fewest letters of a word that may have one typing error, and two. Shorter words resemble too many others.
const ONE_ERROR: usize = 4;
const TWO_ERRORS: usize = 8;

/// The most similar words. Each is searched in the whole program.
const MAX_SIMILAR: usize = 8;

/// The most letters of a word. The time of a comparison grows with the square of the length.
const MAX_WORD_LETTERS: usize = 40;

/// The distinct words of a program, sorted.
#[derive(Debug)]
pub(super) struct Vocabulary(Vec<Box<str>>);

impl Vocabulary {
    /// Splits folded texts. Words that are too short to be similar to any other are left out.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let words = texts.flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
        let distinct: HashSet<&str> =
            words.filter(|word| word.len() >= ONE_ERROR - 1 && word.len() <= 4 * MAX_WORD_LETTERS).collect();
        let mut words: Vec<Box<str>> = distinct.into_iter().map(Box::from).collect();
        words.sort_unstable();
        Self(words)
    }

    /// The most similar words, in alphabetical order; empty if none is similar enough.
    pub(super) fn similar(&self, word: &str) -> Vec<String> {
        let letters: Vec<char> = word.chars().collect();
        let errors = match letters.len() {
            ONE_ERROR..TWO_ERRORS => 1,
            TWO_ERRORS..=MAX_WORD_LETTERS => 2,
            _ => return Vec::new(),
        };
        if !letters.iter().all(|c| c.is_alphabetic()) {
            return Vec::new();
        }
        let mut comparison = Comparison::new(letters, errors);
        let (mut least, mut found) = (usize::MAX, Vec::new());
        for known in &self.0 {
            match comparison.difference(known) {
                Some(difference) if difference < least => (least, found) = (difference, vec![known]),
                Some(difference) if difference == least => found.push(known),
                _ => {}
            }
        }
        found.truncate(MAX_SIMILAR);
        found.into_iter().map(|word| word.to_string()).collect()
    }
}

/// Compares one word with many others.
struct Comparison {
    word: Vec<char>,
    errors: usize,
    other: Vec<char>,
    /// The last three rows of the table of distances.
    rows: [Vec<usize>; 3],
}

impl Comparison {
    fn new(word: Vec<char>, errors: usize) -> Self {
        let width = word.len() + errors + 1;
        Self { word, errors, other: Vec::new(), rows: std::array::from_fn(|_| vec![0; width + 1]) }
    }

    /// Twice the number of typing errors, plus one if the word is only the beginning of the other; none if there are
    /// more errors than allowed. The number is the restricted Damerau-Levenshtein distance.
    fn difference(&mut self, other: &str) -> Option<usize> {
        // A beginning with more letters than this has too many errors.
        let most = self.word.len() + self.errors;
        self.other.clear();
        self.other.extend(other.chars().take(most + 1));
        if self.other.len() + self.errors < self.word.len() {
            return None;
        }
        let [before, last, row] = &mut self.rows;
        last.iter_mut().enumerate().for_each(|(at, distance)| *distance = at);
        let mut previous = None;
        for (at, letter) in self.word.iter().enumerate() {
            let mut left = at + 1;
            let mut least = left;
            if let Some(first) = row.first_mut() {
                *first = left;
            }
            let mut diagonal = last.first().copied().unwrap_or_default();
            let mut other_before = None;
            for (place, other) in self.other.iter().enumerate() {
                let above = last.get(place + 1).copied().unwrap_or(usize::MAX - 1);
                let mut distance = (diagonal + usize::from(letter != other)).min(above + 1).min(left + 1);
                if previous == Some(other) && other_before == Some(letter) {
                    let swapped = place.checked_sub(1).and_then(|place| before.get(place));
                    distance = swapped.map_or(distance, |swapped| distance.min(swapped + 1));
                }
                if let Some(cell) = row.get_mut(place + 1) {
                    *cell = distance;
                }
                (diagonal, left, other_before) = (above, distance, Some(other));
                least = least.min(distance);
            }
            if least > self.errors {
                return None;
            }
            previous = Some(letter);
            std::mem::swap(before, last);
            std::mem::swap(last, row);
        }
        let distances = last.get(..=self.other.len())?;
        let whole = distances.last().filter(|_| self.other.len() <= most).map(|distance| 2 * distance);
        let beginning = distances.iter().min().map(|distance| 2 * distance + 1);
        [whole, beginning].into_iter().flatten().min().filter(|difference| *difference <= 2 * self.errors + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn similar(words: &str, word: &str) -> Vec<String> {
        Vocabulary::of([words].into_iter()).similar(word)
    }

    #[test]
    fn one_error_is_forgiven_in_short_words_and_two_in_long_words() {
        let words = "observability latency kubernetes talks cat";
        for (typed, found) in [
            ("observabilty", vec!["observability"]),
            ("observabiliyt", vec!["observability"]),
            ("obsrvabilty", vec!["observability"]),
            ("obzervab", vec!["observability"]),
            ("latancy", vec!["latency"]),
            ("latnecy", vec!["latency"]),
            ("xatancy", vec![]),
            ("cubernetes", vec!["kubernetes"]),
            ("talsk", vec!["talks"]),
            ("cet", vec![]),
            ("2025", vec![]),
            ("zzzzzzzz", vec![]),
        ] {
            assert_eq!(similar(words, typed), found, "{typed}");
        }
    }

    #[test]
    fn fewer_errors_and_whole_words_come_first() {
        assert_eq!(similar("latent latently latest later", "latemt"), ["latent", "latest"]);
        assert_eq!(similar("latently latest", "latemt"), ["latest"]);
        assert_eq!(similar("latently", "latemt"), ["latently"]);
        let many: String = ('a'..='z').map(|c| format!("tal{c}s ")).collect();
        assert_eq!(similar(&many, "tal-s"), Vec::<String>::new());
        assert_eq!(similar(&many, "talés").len(), MAX_SIMILAR);
    }

    /// The whole table, without limits.
    fn table(word: &[char], other: &[char]) -> Vec<Vec<usize>> {
        let mut table = vec![vec![0; other.len() + 1]; word.len() + 1];
        for i in 0..=word.len() {
            for j in 0..=other.len() {
                table[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let change = table[i - 1][j - 1] + usize::from(word[i - 1] != other[j - 1]);
                    let mut least = change.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    if i > 1 && j > 1 && word[i - 1] == other[j - 2] && word[i - 2] == other[j - 1] {
                        least = least.min(table[i - 2][j - 2] + 1);
                    }
                    least
                };
            }
        }
        table
    }

    proptest! {
        #[test]
        fn the_difference_is_that_of_the_whole_table(word in "[abcé]{4,10}", others in prop::collection::vec("[abcé]{0,14}", 1..5)) {
            let letters: Vec<char> = word.chars().collect();
            let errors = if letters.len() < TWO_ERRORS { 1 } else { 2 };
            let mut comparison = Comparison::new(letters.clone(), errors);
            for other in others {
                let table = table(&letters, &other.chars().collect::<Vec<_>>());
                let last = table.last().unwrap();
                let expected = (2 * last.last().unwrap()).min(2 * last.iter().min().unwrap() + 1);
                let expected = Some(expected).filter(|it| *it <= 2 * errors + 1);
                prop_assert_eq!(comparison.difference(&other), expected, "{}", other);
            }
        }
    }
}
