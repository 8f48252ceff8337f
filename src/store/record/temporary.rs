//! Temporary records: state that several replicas share for minutes or hours, such as a one-time code.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::fmt;

/// The kinds of temporary records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporaryKind {
    /// A one-time code that moves an agenda to another device. The key of the agenda is sealed under the code.
    HandOver,
    /// The present one-time code of an agenda.
    HandOverOf,
    /// A program that an organizer previews.
    Preview,
    /// A sign-in that ended before its time.
    SignedOut,
}

impl TemporaryKind {
    pub(in super::super) const ALL: [Self; 4] =
        [Self::HandOver, Self::HandOverOf, Self::Preview, Self::SignedOut];

    pub(in super::super) fn prefix(self) -> &'static str {
        match self {
            Self::HandOver => "temporary/handover/",
            Self::HandOverOf => "temporary/handover-of/",
            Self::Preview => "temporary/preview/",
            Self::SignedOut => "temporary/signed-out/",
        }
    }

    /// The name of a record under `RecordTable::Note`.
    pub(in super::super) fn name(self, id: &str) -> String {
        format!("{}{id}", self.prefix())
    }
}

/// A temporary record. Its bytes may be secret and are never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct TemporaryRecord {
    /// When it expires.
    pub until: DateTime<Utc>,
    /// Its content.
    pub bytes: Bytes,
}

impl fmt::Debug for TemporaryRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TemporaryRecord(until {}, {} bytes)", self.until, self.bytes.len())
    }
}

impl TemporaryRecord {
    /// Seconds of the Unix epoch, little-endian, and the content.
    pub(in super::super) fn encode(&self) -> Vec<u8> {
        [self.until.timestamp().to_le_bytes().as_slice(), &self.bytes].concat()
    }

    pub(in super::super) fn decode(bytes: Vec<u8>) -> Option<Self> {
        let bytes = Bytes::from(bytes);
        let (seconds, _) = bytes.split_first_chunk::<8>()?;
        let until = DateTime::from_timestamp(i64::from_le_bytes(*seconds), 0)?;
        Some(Self { until, bytes: bytes.slice(8..) })
    }
}
