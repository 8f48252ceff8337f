//! A foreign program, between its format and ours: what every reader fills and the row writer reads.

use crate::program::{Civil, SessionKind, Zone};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Something that a person should check.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImportNote {
    /// The session that it is about, or none for the whole file.
    pub session: Option<String>,
    /// What was changed, guessed or left out.
    pub message: String,
}

/// The contents of a file.
#[derive(Debug, Default)]
pub(super) struct ForeignProgram {
    pub title: Option<String>,
    pub zone: Option<String>,
    pub sessions: Vec<ForeignSession>,
    pub notes: Vec<ImportNote>,
    /// Fields without a column, and how often each was filled.
    pub unmapped: BTreeMap<String, usize>,
}

/// A session with the texts of the file.
#[derive(Debug, Default)]
pub(super) struct ForeignSession {
    /// Its identity in the file: an iCalendar UID, a frab guid, code or id. Empty if the file gives none.
    pub identity: String,
    pub title: String,
    pub start: Option<ForeignTime>,
    pub end: Option<ForeignTime>,
    /// A type or category that names its kind.
    pub kind: String,
    pub track: String,
    pub block: String,
    pub room: String,
    pub people: Vec<ForeignPerson>,
    /// Paragraphs.
    pub text: Vec<String>,
    pub url: String,
    /// Labels and addresses.
    pub links: Vec<(String, String)>,
    /// STATUS of iCalendar.
    pub status: String,
}

/// A speaker with the texts of the file.
#[derive(Debug, Default, Clone)]
pub(super) struct ForeignPerson {
    pub name: String,
    pub affiliation: String,
    pub bio: String,
}

/// A time of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ForeignTime {
    Instant(DateTime<Utc>),
    /// A civil time in the conference's zone.
    Civil(NaiveDateTime),
}

impl ForeignTime {
    pub(super) fn plus(self, length: TimeDelta) -> Option<Self> {
        match self {
            Self::Instant(at) => at.checked_add_signed(length).map(Self::Instant),
            Self::Civil(civil) => civil.checked_add_signed(length).map(Self::Civil),
        }
    }

    /// The instant, with the conference's zone.
    pub(super) fn instant(self, zone: Zone) -> DateTime<Utc> {
        match self {
            Self::Instant(at) => at,
            Self::Civil(civil) => instant(zone, civil),
        }
    }
}

/// The instant of a civil time; the first of two, and the end of the gap if the clock skips it.
pub(super) fn instant(zone: Zone, civil: NaiveDateTime) -> DateTime<Utc> {
    match zone.instant(civil) {
        Civil::Once(at) | Civil::Twice(at, _) | Civil::Skipped(at, _) => at,
    }
}

impl ForeignProgram {
    /// Notes something about the whole file.
    pub(super) fn note(&mut self, message: String) {
        self.notes.push(ImportNote { session: None, message });
    }

    /// Counts a field without a column.
    pub(super) fn count_unmapped(&mut self, field: &str) {
        *self.unmapped.entry(field.to_owned()).or_default() += 1;
    }
}

/// Words and their kinds, the most specific first: a "Coffee break" is a break, a "Keynote talk" a plenary.
const KINDS: [(&str, SessionKind); 41] = [
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

/// The kind that the name of a type or category means.
pub(super) fn kind_named(name: &str) -> Option<SessionKind> {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    KINDS.iter().find(|(word, _)| words.contains(word)).map(|(_, kind)| *kind)
}

/// The kind of a session whose file gives none. Breaks, meals and the like have it in their short title.
pub(super) fn kind_of_title(title: &str) -> SessionKind {
    let short = title.split_whitespace().count() <= 4;
    let is_marked = |kind: &SessionKind| {
        matches!(kind, SessionKind::Meal | SessionKind::Break | SessionKind::Remarks | SessionKind::Social)
    };
    kind_named(title).filter(|kind| short && is_marked(kind)).unwrap_or(SessionKind::Talk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_word_decides() {
        assert_eq!(kind_named("Coffee break"), Some(SessionKind::Break));
        assert_eq!(kind_named("Keynote Talk"), Some(SessionKind::Plenary));
        assert_eq!(kind_named("Long talk (45 min)"), Some(SessionKind::Talk));
        assert_eq!(kind_named("Dramatic reading"), None);
        assert_eq!(kind_of_title("Lunch"), SessionKind::Meal);
        assert_eq!(kind_of_title("How we break things on purpose"), SessionKind::Talk);
    }
}
