//! The texts of a release's sessions, for searches that ignore case, accents and apostrophes.
//!
//! Texts are folded when a release is first searched, not at each search, so a search scans a single string. Each field
//! of a session ends with a line feed and each group of fields with a group separator. No word contains either
//! character, so no match spans two fields.

use super::similar::Vocabulary;
use crate::program::{Session, Text};
use crate::revision::Entry;
use memchr::memmem::Finder;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::OnceLock;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Ends a group of fields: title, speakers, labels or abstract.
const GROUP: char = '\u{1d}';

/// The score of a match in each group: at the start of a word, and within a word.
const WORTH: [(u32, u32); 4] = [(8, 6), (6, 4), (4, 3), (2, 1)];

/// The most words of a query that the program does not contain and that stand for similar words.
const MAX_MISSPELT: usize = 3;

/// The longest text, in bytes, whose words are all compared with a misspelt word. Programs that scripts search are
/// usually far shorter.
const MAX_VOCABULARY_TEXT: usize = 8 << 20;

/// The result of a search.
#[derive(Debug)]
pub struct Found<'a> {
    /// The entries, the best match first.
    pub entries: Vec<&'a Entry>,
    /// The words that were searched, folded: those of the query, or similar ones.
    pub words: Vec<String>,
    /// Whether all words of the query were found as they are.
    pub is_exact: bool,
}

/// A word of a query.
#[derive(Debug)]
pub(super) struct Word {
    /// The word itself, or the similar words that it stands for.
    pub forms: Vec<String>,
    pub is_exact: bool,
}

/// A character without case, accents and apostrophes. The script `search.js` folds characters in the same way.
pub fn fold_char(c: char) -> impl Iterator<Item = char> {
    let folded = std::iter::once(c).nfkd().flat_map(char::to_lowercase);
    folded.filter(|c| !is_combining_mark(*c) && !"'’‘ʼ`´".contains(*c)).flat_map(|c| {
        let replacement: &'static str = match c {
            'ß' => "ss",
            'æ' => "ae",
            'œ' => "oe",
            'ø' => "o",
            'ł' => "l",
            'đ' => "d",
            _ => "",
        };
        replacement.chars().chain(replacement.is_empty().then_some(c))
    })
}

/// A text without case, accents and apostrophes.
fn fold(text: &str) -> String {
    text.chars().flat_map(fold_char).collect()
}

/// The distinct words of a query, folded.
fn words(query: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in fold(query).split_whitespace() {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}

/// The folded texts of sessions, one after the other.
#[derive(Debug)]
pub(super) struct SearchTexts {
    text: String,
    /// The offset at which the text of each session ends.
    ends: Vec<usize>,
    /// Built at the first search for a word that no session contains.
    vocabulary: OnceLock<Vocabulary>,
}

impl SearchTexts {
    /// Folds the texts of sessions, each with the name of its track.
    pub(super) fn of<'a>(sessions: impl Iterator<Item = (&'a Session, Option<&'a Text>)>) -> Self {
        let (mut text, mut ends) = (String::new(), Vec::new());
        let add = |text: &mut String, field: &str| {
            text.extend(field.chars().flat_map(fold_char));
            text.push('\n');
        };
        for (session, track) in sessions {
            add(&mut text, session.title.as_str());
            text.push(GROUP);
            session.speakers.iter().for_each(|speaker| add(&mut text, &speaker.line()));
            text.push(GROUP);
            let labels =
                track.into_iter().chain(&session.block).chain(&session.slot.room).chain(&session.tags);
            labels.for_each(|label| add(&mut text, label.as_str()));
            add(&mut text, session.kind.as_str());
            text.push(GROUP);
            add(&mut text, session.abstract_text.as_str());
            ends.push(text.len());
        }
        text.shrink_to_fit();
        Self { text, ends, vocabulary: OnceLock::new() }
    }

    /// The indexes of the sessions that contain every word of a query, in order.
    pub(super) fn places(&self, query: &str) -> Vec<usize> {
        self.words(query).map(|words| self.places_of(&words)).unwrap_or_default()
    }

    /// The indexes of the sessions that contain every word of a query, the best match first, and the words.
    pub(super) fn ranked(&self, query: &str) -> (Vec<usize>, Vec<Word>) {
        let Some(words) = self.words(query) else { return (Vec::new(), Vec::new()) };
        let mut places = self.places_of(&words);
        places.sort_by_cached_key(|place| Reverse(self.score(*place, &words)));
        (places, words)
    }

    /// The words of a query, misspelt ones with the similar words of the program; none if a word has none.
    fn words(&self, query: &str) -> Option<Vec<Word>> {
        let (mut words, mut misspelt) = (Vec::new(), 0);
        for word in self::words(query) {
            let is_exact = Finder::new(&word).find(self.text.as_bytes()).is_some();
            if is_exact {
                words.push(Word { forms: vec![word], is_exact });
                continue;
            }
            misspelt += 1;
            let forms = if misspelt > MAX_MISSPELT { Vec::new() } else { self.vocabulary().similar(&word) };
            if forms.is_empty() {
                return None;
            }
            words.push(Word { forms, is_exact });
        }
        Some(words)
    }

    /// The words of all sessions; of a very long program, only those outside of abstracts, because a request waits for
    /// them.
    fn vocabulary(&self) -> &Vocabulary {
        self.vocabulary.get_or_init(|| {
            if self.text.len() <= MAX_VOCABULARY_TEXT {
                return Vocabulary::of(self.text.split(GROUP));
            }
            let sessions = (0..self.ends.len()).filter_map(|place| self.session(place));
            Vocabulary::of(sessions.flat_map(|session| session.split(GROUP).take(WORTH.len() - 1)))
        })
    }

    fn places_of(&self, words: &[Word]) -> Vec<usize> {
        // Long words are rare. So the longest is searched in all texts, the others only in the sessions that contain
        // it.
        let rarest =
            words.iter().max_by_key(|word| (word.is_exact, word.forms.iter().map(String::len).min()));
        let Some(rarest) = rarest else { return (0..self.ends.len()).collect() };
        let others: Vec<Vec<Finder<'_>>> = words
            .iter()
            .filter(|word| !std::ptr::eq(*word, rarest))
            .map(|word| word.forms.iter().map(Finder::new).collect())
            .collect();
        let mut places = BTreeSet::new();
        for form in rarest.forms.iter().map(Finder::new) {
            let mut from = 0;
            while let Some(hit) = self.text.as_bytes().get(from..).and_then(|rest| form.find(rest)) {
                let place = self.ends.partition_point(|end| *end <= from + hit);
                let Some(session) = self.session(place) else { break };
                let is_in = |form: &Finder<'_>| form.find(session.as_bytes()).is_some();
                if others.iter().all(|forms| forms.iter().any(is_in)) {
                    places.insert(place);
                }
                from = self.ends.get(place).copied().unwrap_or(self.text.len());
            }
        }
        places.into_iter().collect()
    }

    fn score(&self, place: usize, words: &[Word]) -> u32 {
        let groups: Vec<&str> = self.session(place).unwrap_or_default().split(GROUP).collect();
        let worth = |form: &String, is_exact: bool| {
            let worth =
                groups.iter().zip(WORTH).map(|(group, (start, within))| match at_start(group, form) {
                    // A similar word is worth less than the word itself.
                    Some(true) if is_exact => start,
                    Some(_) => within,
                    None => 0,
                });
            worth.max().unwrap_or(0)
        };
        let best = |word: &Word| word.forms.iter().map(|form| worth(form, word.is_exact)).max().unwrap_or(0);
        words.iter().map(best).sum()
    }

    fn session(&self, place: usize) -> Option<&str> {
        let start = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.get(start..*self.ends.get(place)?)
    }
}

/// Whether a text contains a word: true if at the start of a word, false if only within words, none if nowhere.
fn at_start(text: &str, word: &str) -> Option<bool> {
    let mut found = None;
    for (at, _) in text.match_indices(word) {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        if before.is_none_or(|c| !c.is_alphanumeric()) {
            return Some(true);
        }
        found = Some(false);
    }
    found
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
            language: None,
            tags: Vec::new(),
            image: None,
            feedback_url: None,
            no_recording: false,
            guid: None,
            status: Status::Confirmed,
        }
    }

    fn texts(sessions: &[Session]) -> SearchTexts {
        SearchTexts::of(sessions.iter().map(|session| (session, None)))
    }

    /// Folds one session field by field, and searches all fields for each word.
    fn holds(session: &Session, query: &str) -> bool {
        let mut fields =
            vec![session.title.to_string(), session.abstract_text.to_string(), "talk".to_owned()];
        fields.extend(session.speakers.iter().map(Speaker::line));
        fields.extend(session.block.iter().map(ToString::to_string));
        words(query).iter().all(|word| fields.iter().any(|field| fold(field).contains(word)))
    }

    #[test]
    fn words_are_found_in_every_field_in_any_order_case_and_spelling_and_not_across_fields() {
        let sessions = [
            session("Erste Straße", "Antônio", "Block", "Über\n\nalles, let’s encrypt"),
            session("Other", "", "", ""),
        ];
        let texts = texts(&sessions);
        for (query, places) in [
            ("STRASSE", vec![0]),
            ("straße uber antonio bloCk", vec![0]),
            ("let's encrypt", vec![0]),
            ("lets encrypt", vec![0]),
            ("e", vec![0, 1]),
            ("talk", vec![0, 1]),
            ("other antonio", vec![]),
            ("antonioblock", vec![]),
            ("", vec![0, 1]),
            ("  ", vec![0, 1]),
        ] {
            assert_eq!(texts.places(query), places, "{query:?}");
        }
        assert!(SearchTexts::of([].iter().map(|session| (session, None))).places("word").is_empty());
    }

    #[test]
    fn a_match_in_the_title_ranks_before_speaker_label_and_abstract_and_the_start_of_a_word_before_its_middle()
     {
        let sessions = [
            session("One", "", "", "data"),
            session("Two", "", "Data", ""),
            session("Three", "Data", "", ""),
            session("Metadata", "", "", ""),
            session("Four data", "", "", ""),
        ];
        assert_eq!(texts(&sessions).ranked("data").0, [4, 2, 3, 1, 0]);
        assert_eq!(texts(&sessions).places("data"), [0, 1, 2, 3, 4], "without ranking, in program order");
    }

    #[test]
    fn a_word_that_no_session_contains_stands_for_similar_words_and_ranks_lower() {
        let sessions = [
            session("Observability", "", "", "slow queries"),
            session("Other", "", "", "on observability and slower queries"),
            session("Third", "", "", "slow"),
        ];
        let texts = texts(&sessions);
        assert_eq!(texts.places("observabilty"), [0, 1]);
        assert_eq!(texts.places("slow qeuries observabilty"), [0, 1]);
        assert_eq!(texts.places("third observabilty"), [] as [usize; 0]);
        assert_eq!(texts.places("observabilty xyzzyxyzzy"), [] as [usize; 0]);
        assert_eq!(texts.places("thrid obzervability qeuries soow"), [] as [usize; 0]);
        let (places, words) = texts.ranked("slow qeuries");
        assert_eq!(places, [0, 1]);
        let forms: Vec<(&[String], bool)> =
            words.iter().map(|word| (word.forms.as_slice(), word.is_exact)).collect();
        assert_eq!(forms, [(&["slow".to_owned()][..], true), (&["queries".to_owned()][..], false)]);
        let score = |query: &str| texts.score(0, &texts.words(query).unwrap());
        assert!(score("observabilty") < score("observability"));
        assert!(texts.vocabulary.get().is_some());
    }

    #[test]
    fn words_that_are_found_need_no_vocabulary() {
        let texts = texts(&[session("Observability", "", "", "")]);
        assert_eq!(texts.places("observ"), [0]);
        assert!(texts.vocabulary.get().is_none());
    }

    #[test]
    fn a_release_folds_its_texts_at_the_first_search_and_never_again() {
        let release = crate::fixtures::tricky().release();
        assert!(release.texts.get().is_none());
        let title = release.visible_entries()[0].session.title.to_string().to_uppercase();
        assert!(!release.search(&title).is_empty());
        let texts: *const SearchTexts = release.texts.get().unwrap();
        assert!(!release.search(&title).is_empty());
        assert!(std::ptr::eq(texts, release.texts.get().unwrap()));
    }

    proptest! {
        #[test]
        fn a_search_finds_what_a_look_at_each_field_finds(
            fields in prop::collection::vec(("[aAbBÉéΣσς ]{0,6}", "[abA]{0,3}", "[abB]{0,3}", "[abÉσ\n ]{0,9}"), 0..6),
            query in "[aAbBéÉσΣ]{1,2}( [abÉς]{1,2}){0,2}",
        ) {
            let sessions: Vec<Session> =
                fields.iter().map(|(title, speaker, block, about)| session(title, speaker, block, about)).collect();
            let expected: Vec<usize> = (0..sessions.len()).filter(|at| holds(&sessions[*at], &query)).collect();
            prop_assert_eq!(texts(&sessions).places(&query), expected);
        }
    }
}
