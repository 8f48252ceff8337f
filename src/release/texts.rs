//! Case-insensitive search over the texts of a release.
//!
//! All texts are lower-cased into one string at the first search; later searches scan it. Each field ends with a line
//! feed, so no word is found across two fields.

use crate::program::Session;
use memchr::memmem::Finder;
use std::cmp::Reverse;

/// The lower-cased texts of all sessions.
#[derive(Debug)]
pub(super) struct SearchTexts {
    text: String,
    /// The end of each session's text.
    ends: Vec<usize>,
}

impl SearchTexts {
    pub(super) fn of<'a>(sessions: impl Iterator<Item = &'a Session>) -> Self {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for session in sessions {
            let mut add = |field: &str| {
                text.push_str(&field.to_lowercase());
                text.push('\n');
            };
            add(session.title.as_str());
            session.speakers.iter().for_each(|speaker| add(&speaker.line()));
            session.block.iter().for_each(|block| add(block.as_str()));
            add(session.abstract_text.as_str());
            ends.push(text.len());
        }
        text.shrink_to_fit();
        Self { text, ends }
    }

    /// The indices of the sessions that contain every word in some field.
    pub(super) fn search(&self, words: &str) -> Vec<usize> {
        let words = words.to_lowercase();
        let mut words: Vec<&str> = words.split([' ', '\n']).filter(|word| !word.is_empty()).collect();
        // Long words are rare: the longest is searched everywhere, the others only in its sessions.
        words.sort_by_key(|word| Reverse(word.len()));
        let mut finders = words.iter().map(Finder::new);
        let Some(longest) = finders.next() else { return (0..self.ends.len()).collect() };
        let others: Vec<Finder<'_>> = finders.collect();
        let (mut found, mut from) = (Vec::new(), 0);
        while let Some(hit) = self.text.as_bytes().get(from..).and_then(|rest| longest.find(rest)) {
            let index = self.ends.partition_point(|end| *end <= from + hit);
            let Some(session) = self.session(index) else { break };
            if others.iter().all(|word| word.find(session).is_some()) {
                found.push(index);
            }
            from = self.ends.get(index).copied().unwrap_or(self.text.len());
        }
        found
    }

    fn session(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.as_bytes().get(start..*self.ends.get(index)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::program::{Speaker, Text};
    use proptest::prelude::*;

    fn session(title: &str, speaker: &str, block: &str, about: &str) -> Session {
        let start = fixtures::at("2025-03-25T09:00:00Z");
        let speaker = Some(fixtures::speaker(speaker, "")).filter(|speaker| !speaker.name.is_empty());
        Session {
            block: Some(Text::from(block)).filter(|block| !block.is_empty()),
            speakers: Vec::from_iter(speaker),
            abstract_text: about.into(),
            ..fixtures::talk("talk", start, start + chrono::TimeDelta::hours(1), title)
        }
    }

    /// The plain search: every field, lower-cased for each word.
    fn contains_all(session: &Session, words: &str) -> bool {
        let mut fields = vec![session.title.to_string(), session.abstract_text.to_string()];
        fields.extend(session.speakers.iter().map(Speaker::line));
        fields.extend(session.block.iter().map(ToString::to_string));
        let found =
            |word: &str| fields.iter().any(|field| field.to_lowercase().contains(&word.to_lowercase()));
        words.split(' ').all(found)
    }

    #[test]
    fn words_are_found_in_every_field_in_any_order_and_case_and_not_across_fields() {
        let sessions =
            [session("Erste Straße", "Ada", "Block", "Über\n\nalles"), session("Other", "", "", "")];
        let texts = SearchTexts::of(sessions.iter());
        for (words, expected) in [
            ("STRASSE", vec![]),
            ("straße ÜBER ada bloCk", vec![0]),
            ("e", vec![0, 1]),
            ("other ada", vec![]),
            ("adablock", vec![]),
            ("", vec![0, 1]),
            ("  ", vec![0, 1]),
        ] {
            assert_eq!(texts.search(words), expected, "{words:?}");
        }
        assert!(SearchTexts::of([].iter()).search("word").is_empty());
    }

    #[test]
    fn a_release_lower_cases_its_texts_once() {
        let release = fixtures::tricky().release();
        assert!(release.texts.get().is_none());
        let title = release.visible_entries()[0].session.title.to_string().to_uppercase();
        assert!(!release.search(&title).is_empty());
        let texts: *const SearchTexts = release.texts.get().unwrap();
        assert!(!release.search(&title).is_empty());
        assert!(std::ptr::eq(texts, release.texts.get().unwrap()));
    }

    proptest! {
        #[test]
        fn a_search_finds_the_same_as_a_plain_search_of_each_field(
            fields in prop::collection::vec(("[aAbBÉéΣσς ]{0,6}", "[abA]{0,3}", "[abB]{0,3}", "[abÉσ\n ]{0,9}"), 0..6),
            words in "[aAbBéÉσΣ]{1,2}( [abÉς]{1,2}){0,2}",
        ) {
            let sessions: Vec<Session> =
                fields.iter().map(|(title, speaker, block, about)| session(title, speaker, block, about)).collect();
            // A final sigma lower-cases differently from one inside a word, so the whole query is lower-cased first.
            let words = words.to_lowercase();
            let expected: Vec<usize> = (0..sessions.len()).filter(|at| contains_all(&sessions[*at], &words)).collect();
            prop_assert_eq!(SearchTexts::of(sessions.iter()).search(&words), expected);
        }
    }
}
