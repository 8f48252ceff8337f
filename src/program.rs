//! The program of a conference: sessions, slots, tracks, speakers, and the difference of two programs.
//!
//! Owns the terms of a conference and their rules. Reads no clock, no file and no network, and knows neither CSV,
//! iCalendar nor HTTP. The types are validated when they are constructed, so no layer above checks a title for control
//! characters or whether a zone exists.
//!
//! Invariant: the ids of a program's sessions are unique, and its sessions are in the order of [`Program::order`].

mod address;
mod change;
mod colour;
mod conference;
mod days;
mod id;
mod identity;
mod overlap;
mod text;
mod vocabulary;
mod walking;
mod zone;

pub use address::{foreign_character, rfc3986};
pub use change::{Change, ChangeDescription, ChangeKind, FieldChange, FromTo, apply, describe_changes, diff};
pub use colour::{Colour, ColourError};
pub use conference::{ClockStyle, Conference, LanguageError, Room, Track, language_tag};
pub use days::{DayChange, DayChangeError, MAX_DAYS, ProgramDays};
pub use id::{IdError, SessionId, Slug, code_of, former_slug_of, slug_of};
pub use identity::{Identity, Picture, PictureFormat};
pub use overlap::{Intervals, Lanes};
pub use text::{Counted, Removed, Text, printable};
pub use vocabulary::{Field, Rank, SessionKind, Severity, Status, UnknownWord};
pub use walking::{Building, MAX_PLACES, RoomPlace, Shortened, Walk, Walking, WalkingTimes};
pub use zone::{Civil, Zone, ZoneError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use url::Url;

/// The validated sessions of a conference.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// The conference, from the config.
    pub conference: Arc<Conference>,
    /// The config's tracks in its order, then the tracks that only the program names.
    pub tracks: Vec<Track>,
    /// Indexes into `tracks`.
    track_indexes: HashMap<Slug, usize>,
    sessions: Vec<Arc<Session>>,
    /// Indexes into `sessions`, sorted by id.
    by_id: Vec<usize>,
}

impl Program {
    /// Makes a program of sessions in any order. Of several sessions with one id, the last counts; import refuses such
    /// a file.
    pub fn new(
        conference: Arc<Conference>,
        tracks: Vec<Track>,
        sessions: impl IntoIterator<Item = Session>,
    ) -> Self {
        let unique: BTreeMap<SessionId, Arc<Session>> =
            sessions.into_iter().map(|session| (session.id.clone(), Arc::new(session))).collect();
        Self::from_shared(conference, tracks, unique.into_values().collect())
    }

    pub(crate) fn from_shared(
        conference: Arc<Conference>,
        tracks: Vec<Track>,
        mut sessions: Vec<Arc<Session>>,
    ) -> Self {
        let track_indexes: HashMap<Slug, usize> =
            tracks.iter().enumerate().map(|(index, track)| (track.slug.clone(), index)).collect();
        let track_index = |session: &Session| {
            session.track.as_ref().and_then(|slug| track_indexes.get(slug)).copied().unwrap_or(usize::MAX)
        };
        sessions.sort_by_cached_key(|session| {
            (session.slot.start, session.slot.end, track_index(session), session.id.clone())
        });
        let ids: Vec<&SessionId> = sessions.iter().map(|session| &session.id).collect();
        let mut by_id: Vec<usize> = (0..ids.len()).collect();
        by_id.sort_unstable_by_key(|index| ids.get(*index));
        Self { conference, tracks, track_indexes, sessions, by_id }
    }

    /// The sessions, sorted by start, end, track (in the config's order) and id.
    pub fn order(&self) -> &[Arc<Session>] {
        &self.sessions
    }

    /// The session with an id, even if it is withdrawn.
    pub fn session(&self, id: &SessionId) -> Option<&Arc<Session>> {
        let at = |index: &usize| self.sessions.get(*index);
        let found = self.by_id.binary_search_by(|index| at(index).map(|session| &session.id).cmp(&Some(id)));
        self.by_id.get(found.ok()?).and_then(at)
    }

    /// Replaces sessions that equal those of an earlier program by shared pointers, so that each is in memory once.
    pub(crate) fn share<'a>(&mut self, known: impl Fn(&SessionId) -> Option<&'a Arc<Session>>) {
        for session in &mut self.sessions {
            if let Some(known) = known(&session.id).filter(|known| ***known == **session) {
                *session = Arc::clone(known);
            }
        }
    }

    /// The track with a slug.
    pub fn track(&self, slug: &Slug) -> Option<&Track> {
        self.tracks.get(self.track_index(slug)?)
    }

    /// The index of a track in [`Program::tracks`].
    pub fn track_index(&self, slug: &Slug) -> Option<usize> {
        self.track_indexes.get(slug).copied()
    }
}

/// One row of the program: a talk, a break, a meal and so on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The session's id. It never changes, since it becomes the UID.
    pub id: SessionId,
    /// The session's time and room.
    pub slot: Slot,
    /// The session's kind.
    pub kind: SessionKind,
    /// The session's title, one line.
    pub title: Text,
    /// The slug of the session's track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<Slug>,
    /// The named block that the session belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<Text>,
    /// The session's speakers, in the order of the row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub speakers: Vec<Speaker>,
    /// The session's abstract: paragraphs, or empty.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub abstract_text: Text,
    /// The session's page on the organizer's site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// Links to slides, videos and documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The language in which the session is held (BCP 47); none for the language of the conference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Text>,
    /// The session's topics, in the order of the row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Text>,
    /// A picture of the session: an absolute https address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Url>,
    /// The page on which attendees comment on the session: an absolute https address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback_url: Option<Url>,
    /// Whether the speakers opted out of recordings.
    #[serde(default, skip_serializing_if = "is_false")]
    pub no_recording: bool,
    /// The session's identity in the tool that the row came from, such as a UUID or a code of pretalx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guid: Option<Text>,
    /// Whether the session takes place.
    pub status: Status,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A half-open interval of time, `[start, end)`, and the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The first instant.
    pub start: DateTime<Utc>,
    /// The first instant after the slot, later than `start`.
    pub end: DateTime<Utc>,
    /// The room's name; none for a slot without a room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Text>,
}

impl Slot {
    /// Whether two slots share an instant. Slots that only touch do not overlap.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// A speaker of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaker {
    /// The speaker's name.
    pub name: Text,
    /// The speaker's affiliation. May contain commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affiliation: Option<Text>,
    /// A role such as `Program Co-Chair`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Text>,
    /// A text about the person, or empty.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub bio: Text,
}

impl Speaker {
    /// `Role: Name, Affiliation`, the form of the CSV column, without missing parts.
    pub fn line(&self) -> String {
        let role = self.role.as_ref().map(|role| format!("{role}: ")).unwrap_or_default();
        let affiliation = self.affiliation.as_ref().map(|a| format!(", {a}")).unwrap_or_default();
        format!("{role}{}{affiliation}", self.name)
    }
}

/// An address with a label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The link's label, one line.
    pub label: Text,
    /// An absolute http or https address.
    pub url: Url,
}
