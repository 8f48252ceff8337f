//! A release in the formats that other tools read: frab, CSV, plain text, change feeds, jCal.
//!
//! Owns those formats and nothing of what is in them: every writer prints the same [`Schedule`] (rooms, days,
//! ids, persons), so they cannot disagree. Pure: a release in, bytes out; it reads no clock and knows no HTTP.
//! Invariants: guid, id and code of a session never change; a withdrawn session is in no export, and a
//! cancelled one in none that cannot say so.

mod api;
mod changes;
mod csv;
mod frab_json;
mod frab_xml;
mod giggity;
mod ident;
mod item;
mod jcal;
mod schedule;
mod text;

pub use self::csv::{Cells, clock_cell, schedule_csv, write_table};
pub use api::{
    ProgramDocument, SESSION_FIELDS, SessionDocument, SpeakerDocument, TrackDocument, speaker_documents,
    track_documents,
};
pub use changes::{ChangeFeed, MOST_ENTRIES, Published, Scope, is_told};
pub use frab_json::schedule_json;
pub use frab_xml::schedule_xml;
pub use giggity::{Menu, deep_link, giggity_menu};
pub use ident::{code, guid, person_guid, room_guid};
pub use item::{Item, Person};
pub use jcal::{JcalError, jcal};
pub use schedule::{Day, Room, Schedule};
pub use text::{agenda_text, program_text, shown_text};

use crate::revision::Digest;
use bytes::Bytes;
use chrono::{DateTime, Utc};

/// A finished export with its validators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// `Content-Type`.
    pub media_type: &'static str,
    /// The body.
    pub bytes: Bytes,
    /// Of the body, for an entity tag.
    pub hash: String,
    /// When it last changed.
    pub modified: DateTime<Utc>,
}

impl Exported {
    /// Of a body.
    pub fn new(media_type: &'static str, bytes: Vec<u8>, modified: DateTime<Utc>) -> Self {
        let hash = Digest::of(&bytes).short();
        Self { media_type, bytes: bytes.into(), hash, modified }
    }
}
