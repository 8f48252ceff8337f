//! The hash chain of a shared log: each entry carries the hash of the log before it.
//!
//! Two logs with the same hash at the same sequence are the same log. So a replica notices when a database has lost
//! entries that it acknowledged, as after a failover to a standby that was behind, even if other entries took their
//! places.

use super::record::{body_of, encode};
use crate::store::rows::RowChanges;
use data_encoding::HEXLOWER;
use ring::digest::{Context, SHA256};
use std::fmt;

/// The hash of a log up to one entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Chain(pub(in crate::store) [u8; 32]);

impl Chain {
    /// The hash of a log without entries.
    pub(in crate::store) const EMPTY: Self = Self([0; 32]);

    /// The hash with which a log begins that was a data directory before: no other log has it.
    pub(in crate::store) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The hash after another entry, with its sequence and the uncompressed body of its record.
    pub(in crate::store) fn after(self, sequence: u64, body: &[u8]) -> Self {
        let mut hash = Context::new(&SHA256);
        hash.update(&self.0);
        hash.update(&sequence.to_be_bytes());
        hash.update(body);
        Self::of(hash.finish().as_ref())
    }

    /// The hash after another entry, with its sequence and the rows of its record.
    pub(in crate::store) fn after_rows(self, sequence: u64, rows: &RowChanges) -> Option<Self> {
        Some(self.after(sequence, body_of(&encode(sequence, rows)?)))
    }

    /// The hash in some bytes; another hash, of no log, if their number is wrong.
    pub(in crate::store) fn of(bytes: &[u8]) -> Self {
        Self(bytes.try_into().unwrap_or([0xff; 32]))
    }

    /// In hexadecimal, as checkpoints hold it.
    pub(in crate::store) fn to_hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// Parses [`Self::to_hex`].
    pub(in crate::store) fn from_hex(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }
}

/// A place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::store) struct Position {
    /// The sequence of the last record.
    pub(in crate::store) sequence: u64,
    /// The hash of the shared log up to that record; none in a local journal.
    pub(in crate::store) chain: Option<Chain>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Chain({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_that_differ_anywhere_have_different_hashes() {
        let log = |bodies: &[&[u8]]| {
            let entries = bodies.iter().zip(1..);
            entries.fold(Chain::EMPTY, |chain, (body, sequence)| chain.after(sequence, body))
        };
        let whole = log(&[b"a", b"b", b"c"]);
        assert_eq!(whole, log(&[b"a", b"b", b"c"]));
        for other in
            [&[b"a" as &[u8], b"b"][..], &[b"a", b"x", b"c"], &[b"b", b"a", b"c"], &[b"ab", b"", b"c"]]
        {
            assert_ne!(whole, log(other));
        }
        assert_eq!(Chain::from_hex(&whole.to_hex()), Some(whole));
        assert_eq!(Chain::from_hex("00"), None);
    }
}
