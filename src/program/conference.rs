//! The conference as the config describes it, and the tag of its language.

use super::{Colour, DayChange, Identity, ProgramDays, Slug, Text, Walking, Zone};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use url::Url;

/// The whole gathering. The conference is part of every release, so a change of the conference changes feeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conference {
    /// The calendar's name.
    pub title: Text,
    /// The conference's name in store keys and in the default UID domain.
    pub slug: Slug,
    /// The first and the last day in the conference's zone, if the config gives them.
    pub dates: Option<(NaiveDate, NaiveDate)>,
    /// The zone of the conference's civil times.
    pub zone: Zone,
    /// When a day of the program starts.
    #[serde(default, skip_serializing_if = "DayChange::is_midnight")]
    pub day_change: DayChange,
    /// The location of sessions without a room or track.
    pub venue: Option<Text>,
    /// The language tag of the program (BCP 47), e.g. `en-US`.
    pub language: String,
    /// The clock by which pages print times.
    pub clock: ClockStyle,
    /// The part of every UID after the `@`. It must not change after release 1.
    pub uid_domain: String,
    /// The scheme and host of all links, without a path.
    pub public_url: Url,
    /// The config's tracks in its order, empty ones included.
    pub tracks: Vec<Track>,
    /// The config's rooms, in the order of grids and exports.
    pub rooms: Vec<Room>,
    /// The number of days after the conference during which feeds keep sessions that left the CSV, as cancelled.
    pub tombstone_days: u32,
    /// Walking times between rooms.
    #[serde(default, skip_serializing_if = "Walking::is_empty")]
    pub walking: Walking,
    /// How pages present the conference. It comes from the config in force and is not stored with releases.
    #[serde(skip)]
    pub identity: Arc<Identity>,
}

impl Conference {
    /// The days of the program.
    pub fn days(&self) -> ProgramDays {
        ProgramDays { zone: self.zone, change: self.day_change }
    }

    /// How many people a room holds, if the config says it.
    pub fn capacity(&self, room: Option<&Text>) -> Option<u32> {
        let room = room?;
        self.rooms.iter().find(|known| known.name == *room)?.capacity
    }

    /// An absolute link to `path` on this server. `path` starts with a slash.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}

/// A 12- or a 24-hour clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClockStyle {
    /// `1:50 pm`
    #[serde(rename = "12h")]
    Twelve,
    /// `13:50`
    #[serde(rename = "24h")]
    TwentyFour,
}

/// A track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// The track's name.
    pub name: Text,
    /// The track's name in URLs.
    pub slug: Slug,
    /// The colour on pages and in calendars.
    pub colour: Option<Colour>,
    /// A description of one or two sentences.
    #[serde(default)]
    pub about: Text,
    /// Former slugs, which keep working.
    #[serde(default)]
    pub was: Vec<Slug>,
}

/// A room that the config lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// The room's name, as in the CSV.
    pub name: Text,
    /// Former slugs, which keep working.
    #[serde(default)]
    pub was: Vec<Slug>,
    /// How many people the room holds. Organizers compare it with picks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
}

/// Why a text is not a BCP 47 language tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{raw:?} is not a language tag; write {}", .suggestion.as_deref().map_or_else(
    || "one such as \"en\", \"de-CH\" or \"pt-BR\"".to_owned(), |tag| format!("{tag:?}")))]
pub struct LanguageError {
    raw: String,
    suggestion: Option<String>,
}

impl LanguageError {
    /// The tag that was probably meant.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }
}

/// Names of languages, in English and in the language itself, with their tags.
const NAMES: &[(&str, &str)] = &[
    ("arabic", "ar"),
    ("catalan", "ca"),
    ("català", "ca"),
    ("chinese", "zh"),
    ("中文", "zh"),
    ("czech", "cs"),
    ("čeština", "cs"),
    ("danish", "da"),
    ("dansk", "da"),
    ("dutch", "nl"),
    ("nederlands", "nl"),
    ("english", "en"),
    ("finnish", "fi"),
    ("suomi", "fi"),
    ("french", "fr"),
    ("français", "fr"),
    ("francais", "fr"),
    ("german", "de"),
    ("deutsch", "de"),
    ("greek", "el"),
    ("hebrew", "he"),
    ("hindi", "hi"),
    ("hungarian", "hu"),
    ("magyar", "hu"),
    ("italian", "it"),
    ("italiano", "it"),
    ("japanese", "ja"),
    ("日本語", "ja"),
    ("korean", "ko"),
    ("norwegian", "no"),
    ("norsk", "no"),
    ("polish", "pl"),
    ("polski", "pl"),
    ("portuguese", "pt"),
    ("português", "pt"),
    ("romanian", "ro"),
    ("russian", "ru"),
    ("русский", "ru"),
    ("slovak", "sk"),
    ("spanish", "es"),
    ("español", "es"),
    ("espanol", "es"),
    ("swedish", "sv"),
    ("svenska", "sv"),
    ("turkish", "tr"),
    ("türkçe", "tr"),
    ("ukrainian", "uk"),
    ("українська", "uk"),
    ("vietnamese", "vi"),
];

/// Checks the form of a language tag (RFC 5646, 2.1). The tag's case is not changed, since tags are compared without
/// case.
///
/// Primary subtags of four letters and more are refused. RFC 5646 allows them, but none is registered, and such a word
/// is usually the name of a language.
///
/// # Errors
/// [`LanguageError`], with the tag to write instead if it is known.
pub fn language_tag(raw: &str) -> Result<&str, LanguageError> {
    let raw = raw.trim();
    if is_tag(raw) {
        Ok(raw)
    } else {
        Err(LanguageError { raw: raw.to_owned(), suggestion: suggestion(raw) })
    }
}

fn suggestion(raw: &str) -> Option<String> {
    let lower = raw.to_lowercase();
    let named = NAMES.iter().find(|(name, _)| *name == lower).map(|(_, tag)| (*tag).to_owned());
    // The name of a locale, such as `en_US.UTF-8`.
    let locale = || raw.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    named.or_else(|| Some(locale()).filter(|tag| is_tag(tag)))
}

fn is_tag(raw: &str) -> bool {
    let mut parts = raw.split('-').peekable();
    let letters = |part: &str, n: std::ops::RangeInclusive<usize>| {
        n.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic())
    };
    let mixed = |part: &str, n: std::ops::RangeInclusive<usize>| {
        n.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let digit_first = |part: &str| part.bytes().next().is_some_and(|b| b.is_ascii_digit());
    if !parts.next().is_some_and(|primary| letters(primary, 2..=3)) {
        return false;
    }
    for _ in 0..3 {
        parts.next_if(|part| letters(part, 3..=3)); // extlang
    }
    parts.next_if(|part| letters(part, 4..=4)); // script
    parts.next_if(|part| letters(part, 2..=2) || part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit()));
    while parts
        .next_if(|part| mixed(part, 5..=8) || part.len() == 4 && digit_first(part) && mixed(part, 4..=4))
        .is_some()
    {}
    while let Some(singleton) = parts.next() {
        // An extension or, after `x`, private use.
        let least = if singleton.eq_ignore_ascii_case("x") { 1 } else { 2 };
        let mut found = false;
        while parts.next_if(|part| mixed(part, least..=8)).is_some() {
            found = true;
        }
        if !mixed(singleton, 1..=1) || !found {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tags_are_accepted_unchanged() {
        for tag in [
            "en",
            "en-US",
            "de-ch",
            "pt-BR",
            "zh-Hant-TW",
            "es-419",
            "sl-rozaj-biske",
            "de-CH-1996",
            "zh-cmn-Hans-CN",
            "de-u-co-phonebk",
            "en-x-board",
            "gsw",
        ] {
            assert_eq!(language_tag(tag), Ok(tag));
        }
    }

    #[test]
    fn other_texts_are_refused_with_the_tag_to_write() {
        for (raw, remedy) in [
            ("english", "write \"en\""),
            ("Deutsch", "write \"de\""),
            ("en_US", "write \"en-US\""),
            ("de_CH.UTF-8", "write \"de-CH\""),
            ("klingon", "such as \"en\""),
            ("?", "such as"),
            ("", "such as"),
            ("en-", "such as"),
            ("en-US-x", "such as"),
            ("e", "such as"),
        ] {
            let text = language_tag(raw).unwrap_err().to_string();
            assert!(text.contains(remedy), "{raw}: {text}");
        }
    }
}
