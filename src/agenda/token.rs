//! The secrets of an agenda: edit keys, and the read tokens derived from them.
//!
//! A token consists of a prefix that names its kind, so that secret scanners recognise a leaked token; 160 bits in base
//! 32; and seven check characters, so that a typo is detected before any look-up. Only SHA-256 hashes of tokens are
//! stored.

use crate::revision::Digest;
use data_encoding::{Encoding, Specification};
use ring::hmac;
use std::fmt;
use std::sync::LazyLock;

/// Why a string is not a token of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid token")]
pub struct TokenError;

/// RFC 4648 base 32 in lower case, without padding.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut form = Specification::new();
    form.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    #[expect(clippy::expect_used, reason = "a constant alphabet")]
    form.encoding().expect("32 symbols")
});

macro_rules! token {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name([u8; 20]);

        impl $name {
            /// The prefix of the token's spelling.
            pub const PREFIX: &'static str = $prefix;

            /// Parses a token. A token has exactly one spelling.
            ///
            /// # Errors
            /// [`TokenError`] for a wrong length, prefix or character, or for wrong check characters.
            pub fn parse(text: &str) -> Result<Self, TokenError> {
                parse($prefix, text).map(Self)
            }

            /// The hash under which the store keeps the token's record.
            pub fn hash(&self) -> Digest {
                Digest::of_parts([$prefix.as_bytes(), self.0.as_slice()])
            }

            /// The random bits, which only the token's owner may see.
            pub fn bits(&self) -> &[u8; 20] {
                &self.0
            }

            /// The token's spelling, which only its owner may see.
            pub fn reveal(&self) -> String {
                print($prefix, &self.0)
            }
        }

        /// Prints the prefix only.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "…"))
            }
        }
    };
}

token!(
    /// The secret that changes an agenda.
    EditKey, "cbe_"
);
token!(
    /// The secret that shows an agenda: the `{read}` of its URLs.
    ReadToken, "cbr_"
);

/// The last segment of a path below one of `folders`, without extension. The path is that of a page, a feed or a
/// subscribe page. If it is valid, the segment is one token, or the tokens of a team.
pub fn in_path<'a>(path: &'a str, folders: &[&str]) -> Option<&'a str> {
    let path = path.strip_prefix("/subscribe").unwrap_or(path);
    let name = folders.iter().find_map(|folder| path.strip_prefix(folder))?.trim_end_matches('/');
    Some(name.strip_suffix(".ics").or_else(|| name.strip_suffix(".jcal")).unwrap_or(name))
}

impl EditKey {
    /// A new random key.
    ///
    /// # Errors
    /// If the system returns no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 20];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Read token n. The server stores only the token's hash. It derives the token again from the edit key that the owner
    /// sends.
    pub fn read_token(&self, n: u32) -> ReadToken {
        let mut bytes = [0; 20];
        let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        mac.update(b"callboard read link");
        mac.update(&n.to_le_bytes());
        bytes.iter_mut().zip(mac.sign().as_ref()).for_each(|(to, from)| *to = *from);
        ReadToken(bytes)
    }
}

/// A one-time code of 120 random bits for a hand-over, in the alphabet of the tokens.
///
/// # Errors
/// If the system returns no random bytes.
pub fn one_time_code() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 15];
    getrandom::fill(&mut bytes)?;
    Ok(BASE32.encode(&bytes))
}

/// The number of base-32 symbols of 160 bits.
const SYMBOLS: usize = 32;

fn print(prefix: &str, bytes: &[u8; 20]) -> String {
    let body = format!("{prefix}{}", BASE32.encode(bytes));
    let check = BASE32.encode(&crc32fast::hash(body.as_bytes()).to_be_bytes());
    format!("{body}{check}")
}

fn parse(prefix: &str, text: &str) -> Result<[u8; 20], TokenError> {
    let (body, check) = text.split_at_checked(prefix.len() + SYMBOLS).ok_or(TokenError)?;
    let symbols = body.strip_prefix(prefix).ok_or(TokenError)?;
    // 160 bits are exactly 32 symbols, so they have one spelling. The check characters are compared as printed.
    let mut printed = [0; 7];
    BASE32.encode_mut(&crc32fast::hash(body.as_bytes()).to_be_bytes(), &mut printed);
    let mut bytes = [0; 20];
    let decoded = BASE32.decode_mut(symbols.as_bytes(), &mut bytes);
    if check.as_bytes() == printed && decoded.is_ok() { Ok(bytes) } else { Err(TokenError) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn read_tokens_depend_on_key_and_number_alone() {
        let (a, b) = (EditKey([1; 20]), EditKey([2; 20]));
        assert_eq!(a.read_token(1), a.read_token(1));
        assert_ne!(a.read_token(1), a.read_token(2));
        assert_ne!(a.read_token(1), b.read_token(1));
        assert_ne!(a.hash(), ReadToken([1; 20]).hash());
    }

    #[test]
    fn tokens_of_earlier_versions_stay_the_same() {
        // Computed with Python's hmac, base64 and zlib.
        let token = EditKey([1; 20]).read_token(1).reveal();
        assert_eq!(token, "cbr_su4n7xlxzoor2743mmhpusmbndevllxzhy6rx7q");
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let key = EditKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), "cbe_…");
        assert_ne!(key, EditKey::generate().unwrap());
    }

    proptest! {
        #[test]
        fn tokens_parse_back_and_every_typo_is_detected(bytes in any::<[u8; 20]>(), place in 0..43usize, symbol in "[a-z2-7]") {
            let text = EditKey(bytes).reveal();
            prop_assert_eq!(text.len(), 43);
            prop_assert_eq!(EditKey::parse(&text).map(|key| key.0), Ok(bytes));
            prop_assert_eq!(ReadToken::parse(&text), Err(TokenError));
            let mut typo = text.clone();
            typo.replace_range(place..=place, &symbol);
            prop_assert_eq!(EditKey::parse(&typo).is_ok(), typo == text);
        }

        #[test]
        fn nothing_else_parses(text in any::<String>()) {
            prop_assert_eq!(EditKey::parse(&text), Err(TokenError));
            prop_assert_eq!(ReadToken::parse(&format!("cbr_{text}")), Err(TokenError));
        }
    }
}
