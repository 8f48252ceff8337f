//! The conference as the config describes it.

use super::{Slug, Text, Zone};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::fmt;
use url::Url;

/// The whole gathering. Part of every release: a change here changes feeds as a change of the CSV does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conference {
    /// The calendar's name.
    pub title: Text,
    /// Names the conference in store keys and the default UID domain.
    pub slug: Slug,
    /// First and last day, both included, in the conference's zone; none where no config says so.
    pub dates: Option<(NaiveDate, NaiveDate)>,
    /// Where its civil times hold.
    pub zone: Zone,
    /// The place, for sessions without a room or track.
    pub venue: Option<Text>,
    /// BCP 47, e.g. `en-US`.
    pub language: String,
    /// How pages print times.
    pub clock: Clock,
    /// The right side of every UID; can never change after release 1.
    pub uid_domain: String,
    /// Scheme and host that links are built from, without a path.
    pub public_url: Url,
    /// Declared tracks in order, announced but empty ones included.
    pub tracks: Vec<Track>,
    /// Declared rooms; only needed for a rename.
    pub rooms: Vec<Room>,
    /// Days after the last one for which cancelled sessions that left the CSV stay in the feeds.
    pub tombstone_days: u32,
}

impl Conference {
    /// An absolute link to one of our own paths; `path` starts with a slash.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }
}

/// 12- or 24-hour clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Clock {
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
    /// As printed.
    pub name: Text,
    /// Its name in URLs.
    pub slug: Slug,
    /// For pages and calendars.
    pub colour: Option<Colour>,
    /// What the track is, one or two sentences.
    #[serde(default)]
    pub about: Text,
    /// Slugs it had before; they keep answering.
    #[serde(default)]
    pub was: Vec<Slug>,
}

/// A room that was renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// As in the CSV.
    pub name: Text,
    /// Slugs it had before; they keep answering.
    #[serde(default)]
    pub was: Vec<Slug>,
}

/// A colour, `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour(pub [u8; 3]);

/// A colour that is not `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a colour as #rrggbb, for example #1f6feb")]
pub struct ColourError;

impl TryFrom<String> for Colour {
    type Error = ColourError;
    fn try_from(raw: String) -> Result<Self, ColourError> {
        let hex = raw.strip_prefix('#').ok_or(ColourError)?.to_ascii_lowercase();
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).map_err(|_| ColourError)?;
        bytes.try_into().map(Self).map_err(|_| ColourError)
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}
