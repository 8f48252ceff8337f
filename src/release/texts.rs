//! The words of a release's sessions, for searches regardless of case.
//!
//! Texts are lower-cased when a release is first searched, not at each search: a search scans one string. Each field of a
//! session ends with a line feed, which no word has, so no word is found across two fields.

use crate::program::Session;
use memchr::memmem::Finder;
use std::cmp::Reverse;

/// The lower-cased texts of sessions, one after the other.
#[derive(Debug)]
pub(super) struct Texts {
    text: String,
    /// Where the text of each session ends.
    ends: Vec<usize>,
}

impl Texts {
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

    /// The places of the sessions that hold every word, each in the title, a speaker's line, the block or the abstract.
    pub(super) fn places(&self, words: &str) -> Vec<usize> {
        let words = words.to_lowercase();
        let mut words: Vec<&str> = words.split([' ', '\n']).filter(|word| !word.is_empty()).collect();
        // Long words are rare: the longest is looked for everywhere, the others only in the sessions that hold it.
        words.sort_by_key(|word| Reverse(word.len()));
        let mut finders = words.iter().map(Finder::new);
        let Some(longest) = finders.next() else { return (0..self.ends.len()).collect() };
        let others: Vec<Finder<'_>> = finders.collect();
        let (mut places, mut from) = (Vec::new(), 0);
        while let Some(hit) = self.text.as_bytes().get(from..).and_then(|rest| longest.find(rest)) {
            let place = self.ends.partition_point(|end| *end <= from + hit);
            let Some(session) = self.session(place) else { break };
            if others.iter().all(|word| word.find(session).is_some()) {
                places.push(place);
            }
            from = self.ends.get(place).copied().unwrap_or(self.text.len());
        }
        places
    }

    fn session(&self, place: usize) -> Option<&[u8]> {
        let start = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.as_bytes().get(start..*self.ends.get(place)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{SessionId, SessionKind, Slot, Speaker, Status, Text};
    use proptest::prelude::*;

    fn session(title: &str, speaker: &str, block: &str, about: &str) -> Session {
        let start = "2025-03-25T09:00:00Z".parse().unwrap();
        let speaker = Speaker { name: speaker.into(), affiliation: None, role: None, bio: Text::default() };
        Session {
            id: SessionId::parse("talk").unwrap(),
            slot: Slot { start, end: start + chrono::TimeDelta::hours(1), room: None },
            kind: SessionKind::Talk,
            title: title.into(),
            track: None,
            block: (!block.is_empty()).then(|| block.into()),
            speakers: if speaker.name.is_empty() { Vec::new() } else { vec![speaker] },
            abstract_text: about.into(),
            url: None,
            links: Vec::new(),
            status: Status::Confirmed,
        }
    }

    /// One field of one session after the other, lower-cased for each word.
    fn holds(session: &Session, words: &str) -> bool {
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
        let texts = Texts::of(sessions.iter());
        for (words, places) in [
            ("STRASSE", vec![]),
            ("straße ÜBER ada bloCk", vec![0]),
            ("e", vec![0, 1]),
            ("other ada", vec![]),
            ("adablock", vec![]),
            ("", vec![0, 1]),
            ("  ", vec![0, 1]),
        ] {
            assert_eq!(texts.places(words), places, "{words:?}");
        }
        assert!(Texts::of([].iter()).places("word").is_empty());
    }

    #[test]
    fn a_release_lower_cases_its_texts_at_the_first_search_and_never_again() {
        let release = crate::fixtures::tricky().release();
        assert!(release.texts.get().is_none());
        let title = release.shown()[0].session.title.to_string().to_uppercase();
        assert!(!release.search(&title).is_empty());
        let texts: *const Texts = release.texts.get().unwrap();
        assert!(!release.search(&title).is_empty());
        assert!(std::ptr::eq(texts, release.texts.get().unwrap()));
    }

    proptest! {
        #[test]
        fn a_search_finds_what_a_look_at_each_field_finds(
            fields in prop::collection::vec(("[aAbBÉéΣσς ]{0,6}", "[abA]{0,3}", "[abB]{0,3}", "[abÉσ\n ]{0,9}"), 0..6),
            words in "[aAbBéÉσΣ]{1,2}( [abÉς]{1,2}){0,2}",
        ) {
            let sessions: Vec<Session> =
                fields.iter().map(|(title, speaker, block, about)| session(title, speaker, block, about)).collect();
            // A word alone ends with another sigma than inside a text, so each is compared as the query is lower-cased.
            let words = words.to_lowercase();
            let expected: Vec<usize> = (0..sessions.len()).filter(|at| holds(&sessions[*at], &words)).collect();
            prop_assert_eq!(Texts::of(sessions.iter()).places(&words), expected);
        }
    }
}
