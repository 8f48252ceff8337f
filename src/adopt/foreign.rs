//! A foreign program, whatever its format: each reader fills one, and `row` writes it as CSV.

use super::notes::Notes;
use crate::program::{Civil, SessionKind, Status, Zone};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// The contents of a file.
#[derive(Debug, Default)]
pub(super) struct ForeignProgram {
    pub title: Option<String>,
    pub zone: Option<String>,
    /// Why the zone is unknown although the file has times, for a message.
    pub zone_evidence: String,
    pub sessions: Vec<ForeignSession>,
    pub notes: Notes,
    /// Whether the descriptions are plain text, in which `<b>` is no HTML.
    pub is_plain: bool,
    /// The tracks that the file lists, each with its colour or an empty text.
    pub tracks: Vec<(String, String)>,
    /// The rooms that the file lists, in its order, each with the number of people that it holds.
    pub rooms: Vec<(String, Option<u32>)>,
    /// Why the file is only a part of the program, if it shows that.
    pub cut: Option<String>,
}

/// A session with the texts of the file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct ForeignSession {
    /// The session's identity in the file: an iCalendar UID with the RECURRENCE-ID, a frab guid or id, or a code. Empty
    /// if the file gives none.
    pub identity: String,
    /// The session's id here, in a file that Callboard wrote.
    pub own_id: String,
    pub title: String,
    /// The text of the start, for the note about a start that cannot be read.
    pub stated_start: String,
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
    /// A language tag, a locale or the name of a language.
    pub language: String,
    pub tags: Vec<String>,
    pub image: String,
    pub feedback_url: String,
    /// Whether the speakers opted out of recordings.
    pub no_recording: bool,
    pub status: Option<Status>,
}

/// A speaker with the texts of the file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct ForeignPerson {
    pub name: String,
    pub role: String,
    pub affiliation: String,
    pub bio: String,
}

/// A time of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// The time from an earlier to this time; none if they have different forms.
    pub(super) fn since(self, earlier: Self) -> Option<TimeDelta> {
        match (self, earlier) {
            (Self::Instant(at), Self::Instant(earlier)) => Some(at - earlier),
            (Self::Civil(civil), Self::Civil(earlier)) => Some(civil - earlier),
            _ => None,
        }
    }

    /// The instant, or the civil time as if the zone were UTC.
    pub(super) fn in_utc(self) -> DateTime<Utc> {
        match self {
            Self::Instant(at) => at,
            Self::Civil(civil) => civil.and_utc(),
        }
    }

    /// The identity of the one session of a repeated event that was planned at this time.
    pub(super) fn name_of(self, uid: &str) -> String {
        match self {
            _ if uid.is_empty() => String::new(),
            Self::Instant(at) => format!("{uid} {}", at.format("%Y%m%dT%H%M%SZ")),
            Self::Civil(civil) => format!("{uid} {}", civil.format("%Y%m%dT%H%M%S")),
        }
    }

    /// The instant. A civil time is in `zone`.
    pub(super) fn instant(self, zone: Zone) -> DateTime<Utc> {
        match self {
            Self::Instant(at) => at,
            Self::Civil(civil) => utc_of(zone.instant(civil), civil, zone),
        }
    }
}

/// The instant of a civil time (RFC 5545, 3.3.5): if it occurs twice, the first; if the clock skips it, with the offset
/// before the gap.
pub(super) fn utc_of(found: Civil, civil: NaiveDateTime, zone: Zone) -> DateTime<Utc> {
    match found {
        Civil::Once(at) | Civil::Twice(at, _) => at,
        Civil::Skipped(jump, _) => {
            let before = zone.offset(jump - TimeDelta::seconds(1));
            civil.and_utc() - TimeDelta::seconds(i64::from(before))
        }
    }
}

/// Words and the kinds that they mean, the most specific first: a "Coffee break" is a break, a "Keynote talk" a
/// plenary.
const KINDS: &[(&str, SessionKind)] = &[
    ("lunch", SessionKind::Meal),
    ("luncheon", SessionKind::Meal),
    ("mittagessen", SessionKind::Meal),
    ("mittagspause", SessionKind::Meal),
    ("frühstück", SessionKind::Meal),
    ("abendessen", SessionKind::Meal),
    ("déjeuner", SessionKind::Meal),
    ("dîner", SessionKind::Meal),
    ("almuerzo", SessionKind::Meal),
    ("cena", SessionKind::Meal),
    ("almoço", SessionKind::Meal),
    ("jantar", SessionKind::Meal),
    ("pranzo", SessionKind::Meal),
    ("昼食", SessionKind::Meal),
    ("breakfast", SessionKind::Meal),
    ("dinner", SessionKind::Meal),
    ("meal", SessionKind::Meal),
    ("break", SessionKind::Break),
    ("coffee", SessionKind::Break),
    ("pause", SessionKind::Break),
    ("kaffeepause", SessionKind::Break),
    ("pausa", SessionKind::Break),
    ("intervalo", SessionKind::Break),
    ("descanso", SessionKind::Break),
    ("休憩", SessionKind::Break),
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
    ("ceremony", SessionKind::Remarks),
    ("eröffnung", SessionKind::Remarks),
    ("begrüßung", SessionKind::Remarks),
    ("abschluss", SessionKind::Remarks),
    ("ouverture", SessionKind::Remarks),
    ("clôture", SessionKind::Remarks),
    ("apertura", SessionKind::Remarks),
    ("clausura", SessionKind::Remarks),
    ("abertura", SessionKind::Remarks),
    ("encerramento", SessionKind::Remarks),
    ("開会", SessionKind::Remarks),
    ("閉会", SessionKind::Remarks),
    ("remarks", SessionKind::Remarks),
    ("reception", SessionKind::Social),
    ("party", SessionKind::Social),
    ("social", SessionKind::Social),
    ("get-together", SessionKind::Social),
    ("registration", SessionKind::Social),
    ("concert", SessionKind::Social),
    ("performance", SessionKind::Social),
    ("registrierung", SessionKind::Social),
    ("konzert", SessionKind::Social),
    ("懇親会", SessionKind::Social),
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

/// Words that say nothing about a session besides its kind.
const FILLERS: &[&str] = &[
    "and",
    "the",
    "a",
    "of",
    "in",
    "at",
    "to",
    "for",
    "with",
    "on",
    "day",
    "morning",
    "afternoon",
    "evening",
    "night",
    "conference",
    "session",
    "sessions",
    "event",
    "events",
    "remarks",
    "address",
    "desk",
    "open",
    "opens",
    "doors",
    "time",
    "hour",
    "networking",
    "drinks",
    "snacks",
    "tea",
    "short",
    "long",
    "official",
    "und",
    "et",
    "y",
    "de",
    "e",
    "la",
    "der",
];

/// Whether a text names a kind of session and nothing else: `Coffee break`, `Opening Ceremony (day 1)`, `Talks`.
pub(super) fn is_kind_alone(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut names_kind = false;
    let all =
        lower.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty()).all(|word| {
            let singular = word.strip_suffix('s').unwrap_or(word);
            let is_kind = KINDS.iter().any(|(known, _)| *known == word || *known == singular);
            names_kind |= is_kind;
            is_kind || FILLERS.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit())
        });
    all && names_kind
}

/// The kind of a session whose file gives no kind. Titles of breaks, meals and the like are nothing but the kind;
/// `Closing the gap` is a talk.
pub(super) fn kind_of_title(title: &str) -> SessionKind {
    let is_marked = |kind: &SessionKind| {
        matches!(kind, SessionKind::Meal | SessionKind::Break | SessionKind::Remarks | SessionKind::Social)
    };
    kind_named(title).filter(|kind| is_kind_alone(title) && is_marked(kind)).unwrap_or(SessionKind::Talk)
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
        for (title, kind) in [
            ("Opening Ceremony", SessionKind::Remarks),
            ("Coffee break (day 2)", SessionKind::Break),
            ("Mittagessen", SessionKind::Meal),
            ("Closing the gap", SessionKind::Talk),
            ("Social coding", SessionKind::Talk),
            ("Welcome to WebAssembly", SessionKind::Talk),
            ("Party of one", SessionKind::Talk),
            ("Breaking changes: an AMA", SessionKind::Talk),
        ] {
            assert_eq!(kind_of_title(title), kind, "{title}");
        }
        assert_eq!(kind_of_title("How we break things on purpose"), SessionKind::Talk);
    }
}
