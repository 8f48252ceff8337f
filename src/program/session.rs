//! One session: what, when, where, who.

use super::{SessionId, SessionKind, Slug, Status, Text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

/// One line of the program: a talk, a break, a meal …
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Stable for ever; it becomes the UID.
    pub id: SessionId,
    /// When and in which room.
    pub slot: Slot,
    /// Talk, break, meal …
    pub kind: SessionKind,
    /// One line.
    pub title: Text,
    /// The slug of its track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<Slug>,
    /// The named block that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<Text>,
    /// In the order of the program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub speakers: Vec<Speaker>,
    /// Paragraphs, empty where there is none.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub abstract_text: Text,
    /// The organizer's page on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// Slides, video …
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
    /// The first instant after it; later than `start`.
    pub end: DateTime<Utc>,
    /// The room's name, where the program names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Text>,
}

impl Slot {
    /// Whether the two share an instant. Touching slots do not.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// A person of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speaker {
    /// As printed.
    pub name: Text,
    /// As printed; may hold commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affiliation: Option<Text>,
    /// A role such as `Program Co-Chair`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Text>,
    /// About the person.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub bio: Text,
}

impl Speaker {
    /// `Role: Name, Affiliation`, the form of the CSV column; the parts that are not there are left out.
    pub fn line(&self) -> String {
        let role = self.role.as_ref().map(|role| format!("{role}: ")).unwrap_or_default();
        let affiliation = self.affiliation.as_ref().map(|a| format!(", {a}")).unwrap_or_default();
        format!("{role}{}{affiliation}", self.name)
    }
}

/// A labelled address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What is behind it; one line.
    pub label: Text,
    /// Absolute, http or https.
    pub url: Url,
}
