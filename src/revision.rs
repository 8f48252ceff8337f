//! Revisions: the last published state of every session, and how often the session changed.
//!
//! Owns the ledger's rules. Gets digests of VEVENTs and knows neither their format nor where the ledger is stored.
//! Invariants: a sequence never falls, and rises exactly when the session's digest changes (RFC 5545, 3.8.7.4); numbers
//! and slugs are never reused; an entry is never removed.

mod advance;
mod ledger;
mod slugs;

pub use advance::{Advanced, EventDraft, advance};
pub use ledger::{
    Departure, Entry, EntryState, FeedMark, FilterValues, Floor, FormerPlace, Issued, Ledger, Revision,
};
pub use slugs::Slugs;

use ring::digest::{Context, SHA256, digest};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The 32 bytes of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_ring(digest(&SHA256, bytes))
    }

    /// The digest of parts in order. Each part is preceded by its length, so that moving a boundary changes the digest.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = Context::new(&SHA256);
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self::from_ring(hasher.finish())
    }

    fn from_ring(digest: ring::digest::Digest) -> Self {
        #[expect(clippy::expect_used, reason = "SHA-256 has 32 bytes")]
        Self(digest.as_ref().try_into().expect("32 bytes"))
    }

    /// The first 16 bytes in hexadecimal, for entity tags.
    pub fn short(&self) -> String {
        data_encoding::HEXLOWER.encode(self.0.get(..16).unwrap_or_default())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;
    fn try_from(hex: String) -> Result<Self, Self::Error> {
        let bytes =
            data_encoding::HEXLOWER.decode(hex.as_bytes()).map_err(|_| "a digest is 64 hex digits")?;
        bytes.try_into().map(Self).map_err(|_| "a digest is 64 hex digits")
    }
}
