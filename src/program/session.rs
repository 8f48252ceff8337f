//! A session with its slot, speakers and links.

use super::{SessionId, SessionKind, Slug, Status, Text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

/// One row of the program: a talk, a break, a meal and so on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Never changes, since it becomes the UID.
    pub id: SessionId,
    /// Its time and room.
    pub slot: Slot,
    /// Its kind.
    pub kind: SessionKind,
    /// Its title, one line.
    pub title: Text,
    /// The slug of its track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<Slug>,
    /// The named block that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<Text>,
    /// Its speakers, in the order of the row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub speakers: Vec<Speaker>,
    /// Its abstract: paragraphs, or empty.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub abstract_text: Text,
    /// Its page on the organizer's site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// Slides, videos and documents.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Whether it takes place.
    pub status: Status,
}

/// A half-open interval of time, `[start, end)`, and the room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it, later than `start`.
    pub end: DateTime<Utc>,
    /// The room's name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Text>,
}

impl Slot {
    /// Whether the two share an instant. Slots that only touch do not.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// A speaker of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaker {
    /// As printed.
    pub name: Text,
    /// As printed. May contain commas.
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
    /// One line.
    pub label: Text,
    /// An absolute http or https address.
    pub url: Url,
}
