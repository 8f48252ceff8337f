//! A session with its slot, speakers and links.

use super::{SessionId, SessionKind, Slug, Status, Text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

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
    /// Whether the session takes place.
    pub status: Status,
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
