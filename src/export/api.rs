//! The program as the API's documents: plain values that are serialised, of the same [`Item`] that every
//! other export prints.
//!
//! A cancelled session is in them with its status, a withdrawn one is not. Members are always there: what a
//! session does not have is null or an empty list.

mod parts;
mod program;
mod session;

pub use parts::{SpeakerDocument, TrackDocument, speaker_documents, track_documents};
pub use program::ProgramDocument;
pub use session::{SESSION_FIELDS, SessionDocument};

use chrono::{DateTime, SecondsFormat, Utc};

/// An instant in UTC, `2025-03-25T16:00:00Z`.
fn utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
