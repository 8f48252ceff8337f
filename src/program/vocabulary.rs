//! Closed vocabularies: the kinds, states, ranks and fields of a session, and the severity of a fault.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A word outside a vocabulary, with the valid words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write one of {}", .0.join(", "))]
pub struct UnknownWord(pub &'static [&'static str]);

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const WORDS: &'static [&'static str] = &[$($word),+];
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in the CSV and in URLs.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(raw: &str) -> Result<Self, UnknownWord> {
                match raw.trim().to_ascii_lowercase().as_str() {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord(Self::WORDS)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

vocabulary! {
    /// The kind of a session. Feeds print it as a category.
    SessionKind {
        /// A talk in a track.
        Talk = "talk",
        /// A talk for everybody.
        Plenary = "plenary",
        /// Lightning talks.
        Lightning = "lightning",
        /// A panel.
        Panel = "panel",
        /// A workshop or tutorial.
        Workshop = "workshop",
        /// A discussion, AMA or unconference session.
        Discussion = "discussion",
        /// Opening or closing remarks.
        Remarks = "remarks",
        /// A break.
        Break = "break",
        /// A meal.
        Meal = "meal",
        /// A reception or other social event.
        Social = "social",
    }
}

vocabulary! {
    /// How much an attendee wants to see a picked session. The most important rank comes first.
    Rank {
        /// The session outweighs any number of sessions with a lower rank.
        Must = "must",
        /// The rank of a pick that was not ranked.
        Want = "want",
        /// The session fills a gap.
        Maybe = "maybe",
    }
}

vocabulary! {
    /// Whether a session takes place.
    Status {
        /// The session takes place.
        Confirmed = "confirmed",
        /// The session's details may still change.
        Tentative = "tentative",
        /// The session does not take place. It stays visible, marked as cancelled.
        Cancelled = "cancelled",
        /// The session should never have been published. It leaves every feed and page without a tombstone.
        Withdrawn = "withdrawn",
    }
}

vocabulary! {
    /// A field of a session: a column of the CSV, in the order of the documentation.
    Field {
        /// The session's id.
        Id = "id",
        /// The day on which the session starts.
        Date = "date",
        /// When the session starts.
        Start = "start",
        /// When the session ends.
        End = "end",
        /// The day on which the session ends, if later than the day of its start.
        EndDate = "end_date",
        /// The session's kind.
        Kind = "kind",
        /// The session's title.
        Title = "title",
        /// The session's track.
        Track = "track",
        /// The block that the session belongs to.
        Block = "block",
        /// The session's room.
        Room = "room",
        /// The session's speakers.
        Speakers = "speakers",
        /// The session's abstract.
        Abstract = "abstract",
        /// The speakers' bios.
        Bios = "bios",
        /// The session's page on the organizer's site.
        Url = "url",
        /// Links to slides, videos and documents.
        Links = "links",
        /// The language in which the session is held.
        Language = "language",
        /// The session's topics.
        Tags = "tags",
        /// A picture of the session.
        Image = "image",
        /// The page on which attendees comment on the session.
        FeedbackUrl = "feedback_url",
        /// Whether the session may be recorded.
        Recording = "recording",
        /// The session's identity in the source of the row.
        Guid = "guid",
        /// The session's status.
        Status = "status",
    }
}

vocabulary! {
    /// How serious a fault or a finding is.
    Severity {
        /// The file is refused, or a client loses or misreads a session.
        Error = "error",
        /// The file is accepted, and the warning is shown.
        Warning = "warning",
    }
}

impl Field {
    /// Whether a change of this field moves the session.
    pub fn moves(self) -> bool {
        matches!(self, Self::Start | Self::End | Self::Track | Self::Room)
    }
}

impl SessionKind {
    /// Whether the session is a break or a meal, which counts as free time in an agenda.
    pub fn is_pause(self) -> bool {
        matches!(self, Self::Break | Self::Meal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_parse_back() {
        for kind in SessionKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        for status in Status::ALL {
            assert_eq!(status.as_str().to_uppercase().parse(), Ok(*status));
        }
        for field in Field::ALL {
            assert_eq!(serde_json::to_value(field).unwrap(), field.as_str());
        }
        assert!("keynote".parse::<SessionKind>().unwrap_err().to_string().contains("plenary"));
    }
}
