//! Identifiers: session ids and slugs. Both can only be made by parsing.

use ring::digest::{SHA256, digest};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;

/// Why a string is not an identifier. The message says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use 2 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends")]
pub struct IdError;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, least $least:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses an identifier. An identifier that cannot exist is refused before any look-up.
            pub fn parse(raw: &str) -> Result<Self, IdError> {
                let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
                let well_formed = ($least..=63).contains(&raw.len())
                    && raw.bytes().all(inner)
                    && !raw.starts_with('-')
                    && !raw.ends_with('-');
                if well_formed { Ok(Self(raw.into())) } else { Err(IdError) }
            }

            /// The identifier as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Parses the text in place, without a copy: agendas and the ledger contain very many ids.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Parse;

                impl Visitor<'_> for Parse {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an identifier")
                    }

                    fn visit_str<E: de::Error>(self, raw: &str) -> Result<$name, E> {
                        $name::parse(raw).map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Parse)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

identifier!(
    /// The id of a session, `[a-z0-9][a-z0-9-]{0,61}[a-z0-9]`. It becomes the UID and is never reused.
    SessionId, least 2
);
identifier!(
    /// The name of a track, room, speaker or conference in a URL: `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`.
    Slug, least 1
);

/// The slug of a name: NFKD, ASCII, lower case, hyphens. If the name has no such characters, the slug is `x-` and the
/// first 8 hex digits of the name's SHA-256. The ledger resolves collisions.
pub fn slug_of(name: &str) -> Slug {
    let mut slug = String::new();
    for c in name.nfkd().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            // Combining marks and apostrophes are dropped, so "O'Brien" is one word and "é" becomes "e".
            '\'' | '’' => {}
            c if c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c) => {}
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.truncate(60); // leaves room for the suffix of a collision
    Slug::parse(slug.trim_end_matches('-')).unwrap_or_else(|_| {
        let digest = digest(&SHA256, name.as_bytes());
        let hex = data_encoding::HEXLOWER.encode(digest.as_ref().get(..4).unwrap_or_default());
        Slug(format!("x-{hex}").into())
    })
}

/// Twelve letters and digits made of 60 bits of a text's SHA-256. Of 50,000 texts, two share a code once in a billion
/// times.
pub fn code_of(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    let mut code = data_encoding::BASE32_NOPAD.encode(digest.as_ref()).to_ascii_lowercase();
    code.truncate(12);
    code
}

impl Slug {
    /// The slug with the suffix `-n`, for the n-th name with the same slug.
    pub fn numbered(&self, n: usize) -> Self {
        Self(format!("{}-{n}", self.0).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_ids_of_the_pattern_are_accepted() {
        for good in ["ab", "a-b", "keynote-1", &"a".repeat(63)] {
            assert!(SessionId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "-ab", "ab-", "aB", "a b", "ä-b", "a/b", "../x", &"a".repeat(64)] {
            assert!(SessionId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_become_slugs() {
        assert_eq!(slug_of("Leonardo Antônio dos Santos").as_str(), "leonardo-antonio-dos-santos");
        assert_eq!(slug_of("Yifan (Sabrina) Zhao").as_str(), "yifan-sabrina-zhao");
        assert_eq!(slug_of("Track 1").as_str(), "track-1");
        assert_eq!(slug_of("O’Brien").as_str(), "obrien");
        assert!(slug_of("大会議室").as_str().starts_with("x-"));
        assert_ne!(slug_of("大会議室"), slug_of("小会議室"));
    }

    proptest! {
        #[test]
        fn every_name_has_a_slug(name in any::<String>()) {
            let slug = slug_of(&name);
            prop_assert_eq!(Slug::parse(slug.as_str()), Ok(slug.clone()));
            prop_assert!(Slug::parse(slug.numbered(99).as_str()).is_ok());
        }
    }
}
