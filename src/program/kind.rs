//! The closed vocabularies of a session: its kind and its status.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A word that is not in a vocabulary; holds the words that are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write one of {}", .0.join(", "))]
pub struct UnknownWord(pub &'static [&'static str]);

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const WORDS: &'static [&'static str] = &[$($word),+];
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in the CSV and in URLs.
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
    /// What a session is; a category in the feeds.
    SessionKind {
        /// A talk in a track.
        Talk = "talk",
        /// A talk to everybody.
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
    /// Whether a session takes place.
    Status {
        /// It takes place.
        Confirmed = "confirmed",
        /// Not all of it is known yet.
        Tentative = "tentative",
        /// It does not take place and stays visible as such.
        Cancelled = "cancelled",
        /// It should never have been published: it leaves every feed and page without a trace.
        Withdrawn = "withdrawn",
    }
}

impl SessionKind {
    /// Whether nobody is kept from anything else by it: breaks and meals stay free time in an agenda.
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
        assert!("keynote".parse::<SessionKind>().unwrap_err().to_string().contains("plenary"));
    }
}
