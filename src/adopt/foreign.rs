//! A foreign program between its format and ours: each reader fills it, and the row writer reads it.

use super::notes::Notes;
use crate::program::{Civil, SessionKind, Status, Zone};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// The contents of a file.
#[derive(Debug, Default)]
pub(super) struct ForeignProgram {
    pub title: Option<String>,
    pub zone: Option<String>,
    pub sessions: Vec<ForeignSession>,
    pub notes: Notes,
    /// Whether the descriptions are plain text, in which `<b>` is no HTML.
    pub is_plain: bool,
}

/// A session with the texts of the file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct ForeignSession {
    /// The session's identity in the file: an iCalendar UID with the RECURRENCE-ID, a frab guid or id, or a code. Empty if
    /// the file gives none.
    pub identity: String,
    /// The session's id here, in a file that Callboard wrote.
    pub own_id: String,
    pub title: String,
    pub start: Option<ForeignTime>,
    pub end: Option<ForeignTime>,
    /// The name of a type or category, from which the kind is derived.
    pub kind: String,
    pub track: String,
    pub block: String,
    pub room: String,
    pub people: Vec<ForeignPerson>,
    /// The paragraphs of the description.
    pub text: Vec<String>,
    pub url: String,
    /// The links: labels and addresses.
    pub links: Vec<(String, String)>,
    pub status: Option<Status>,
}

/// A speaker with the texts of the file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
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

    /// The instant. A civil time is in `zone`.
    pub(super) fn instant(self, zone: Zone) -> DateTime<Utc> {
        match self {
            Self::Instant(at) => at,
            Self::Civil(civil) => instant(zone, civil),
        }
    }
}

/// The instant of a civil time. If it occurs twice, the first; if the clock skips it, the end of the gap.
pub(super) fn instant(zone: Zone, civil: NaiveDateTime) -> DateTime<Utc> {
    match zone.instant(civil) {
        Civil::Once(at) | Civil::Twice(at, _) | Civil::Skipped(at, _) => at,
    }
}

/// Words and the kinds that they mean, the most specific first: a "Coffee break" is a break, a "Keynote talk" a
/// plenary.
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

/// The kind that the name of a type or category means; none if it means no kind.
pub(super) fn kind_named(name: &str) -> Option<SessionKind> {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
    KINDS.iter().find(|(word, _)| words.contains(word)).map(|(_, kind)| *kind)
}

/// The kind of a session whose file gives no kind. The short titles of breaks, meals and the like name it.
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
