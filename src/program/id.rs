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

/// The slug of a name: NFKD, ASCII, lower case, hyphens. Letters that Unicode does not decompose are transliterated: `ß`
/// becomes `ss`, `ø` becomes `o`, and Greek, Cyrillic, Kana and other scripts get the letters of their sounds. The sound
/// of a Chinese character depends on the language, so a name that contains one is treated as [`former_slug_of`] treats
/// it. If no letter is left, the slug is `x-` and the first 8 hex digits of the name's SHA-256. The ledger resolves
/// collisions.
pub fn slug_of(name: &str) -> Slug {
    if name.chars().any(is_ideograph) {
        return former_slug_of(name);
    }
    let mut slug = Builder::default();
    // Composed first: Unicode decomposes Hangul and letters such as `й` into parts that have other sounds.
    for composed in name.nfkc() {
        let is_latin = std::iter::once(composed).nfkd().any(|c| c.is_ascii_alphanumeric());
        if is_latin || !composed.is_alphanumeric() {
            std::iter::once(composed).nfkd().for_each(|c| slug.push(c));
        } else {
            let sound = any_ascii::any_ascii_char(composed);
            sound.chars().filter(char::is_ascii_alphanumeric).for_each(|c| slug.push(c));
        }
    }
    slug.finish(name)
}

/// The slug that versions up to 0.1.0 gave to a name: letters that Unicode does not decompose to ASCII are dropped. Slugs
/// that were published by this rule stay, and so do identifiers that are made of a text and that no ledger keeps.
pub fn former_slug_of(name: &str) -> Slug {
    let mut slug = Builder::default();
    name.nfkd().for_each(|c| slug.push(c));
    slug.finish(name)
}

/// Whether a character is of the Chinese script, which Japanese and Korean use too.
fn is_ideograph(c: char) -> bool {
    matches!(c, '々' | '〆' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// A slug while it is made.
#[derive(Default)]
struct Builder(String);

impl Builder {
    /// Adds a character of a decomposed text.
    fn push(&mut self, c: char) {
        for c in c.to_lowercase() {
            match c {
                'a'..='z' | '0'..='9' => self.0.push(c),
                // Combining marks and apostrophes are dropped, so "O'Brien" is one word and "é" becomes "e".
                '\'' | '’' => {}
                c if c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c) => {}
                _ if !self.0.is_empty() && !self.0.ends_with('-') => self.0.push('-'),
                _ => {}
            }
        }
    }

    fn finish(self, name: &str) -> Slug {
        let mut slug = self.0;
        slug.truncate(60); // leaves room for the suffix of a collision
        Slug::parse(slug.trim_end_matches('-')).unwrap_or_else(|_| {
            let digest = digest(&SHA256, name.as_bytes());
            let hex = data_encoding::HEXLOWER.encode(digest.as_ref().get(..4).unwrap_or_default());
            Slug(format!("x-{hex}").into())
        })
    }
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

    #[test]
    fn letters_of_every_alphabet_stay_in_a_slug() {
        for (name, slug) in [
            ("Großer Saal", "grosser-saal"),
            ("GROẞER SAAL", "grosser-saal"),
            ("Straße 7", "strasse-7"),
            ("Łódź", "lodz"),
            ("Søren Ørsted", "soren-orsted"),
            ("Æsir & Œuvre", "aesir-oeuvre"),
            ("Þór Guðmundsson", "thor-gudmundsson"),
            ("Đà Nẵng", "da-nang"),
            ("Işık", "isik"),
            ("Привет, мир", "privet-mir"),
            ("Αθήνα", "athina"),
            ("ホール", "horu"),
            ("서울", "seoul"),
        ] {
            assert_eq!(slug_of(name).as_str(), slug, "{name}");
        }
        assert_eq!(former_slug_of("Großer Saal").as_str(), "groer-saal");
        // Halls that differ in a Chinese character only keep different slugs.
        assert_ne!(slug_of("大ホール"), slug_of("小ホール"));
    }

    proptest! {
        /// The law by which published addresses stay: only names that lost letters have another slug.
        #[test]
        fn the_slug_of_a_name_that_lost_no_letter_is_the_former_one(name in "[A-Za-z0-9 .,éüçñÅ'’&()/-]{0,40}") {
            prop_assert_eq!(slug_of(&name), former_slug_of(&name));
        }

        #[test]
        fn every_name_has_a_slug(name in any::<String>()) {
            let slug = slug_of(&name);
            prop_assert_eq!(Slug::parse(slug.as_str()), Ok(slug.clone()));
            prop_assert!(Slug::parse(slug.numbered(99).as_str()).is_ok());
        }
    }
}
