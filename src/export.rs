//! Writes a release in the formats that other tools read: frab, CSV, plain text, change feeds, jCal.
//!
//! Owns these formats. Every writer prints the same [`FrabSchedule`] (rooms, days, ids, persons), so the exports cannot
//! disagree. Pure: turns a release into bytes, reads no clock and knows no HTTP. Invariants: guid, id and code of a
//! session never change; a withdrawn session is in no export, a cancelled session only in formats that can mark it.

mod api;
mod changes;
mod csv;
mod frab;
mod giggity;
mod jcal;
mod schedule;
mod text;

pub use self::csv::{
    Cells, cells_of, clock_cell, columns, picks_csv, schedule_csv, write_columns, write_table,
};
pub use api::{
    ProgramDocument, SESSION_FIELDS, SessionDocument, SpeakerDocument, TrackDocument, speaker_documents,
    track_documents,
};
pub use changes::{
    ChangeFeed, ChangeText, MAX_ENTRIES, ReleaseChanges, Scope, describe_change, is_public_change,
};
pub use frab::{schedule_json, schedule_xml};
pub use giggity::{GiggityMenu, deep_link, giggity_menu};
pub use jcal::{JcalError, jcal};
pub use schedule::{
    FrabSchedule, ScheduleDay, ScheduleItem, SchedulePerson, ScheduleRoom, code, guid, person_guid,
    room_guid, session_guid,
};
pub use text::{agenda_text, entries_text, program_text};

use crate::revision::Digest;
use bytes::Bytes;
use chrono::{DateTime, Utc};

/// An export with its validators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The value of `Content-Type`.
    pub media_type: &'static str,
    /// The body.
    pub bytes: Bytes,
    /// The hash of the body, for its entity tag.
    pub hash: String,
    /// When the export last changed.
    pub modified: DateTime<Utc>,
}

impl Exported {
    /// An export with the given body.
    pub fn new(media_type: &'static str, bytes: Vec<u8>, modified: DateTime<Utc>) -> Self {
        let hash = Digest::of(&bytes).short();
        Self { media_type, bytes: bytes.into(), hash, modified }
    }
}
