//! Converts foreign programs to `program.csv`: iCalendar as pretalx, Indico and Sched write it, and frab in XML and
//! JSON.
//!
//! Owns the mapping of foreign fields to columns, and of foreign identities to session ids. Every field that is left out
//! or guessed gets a note. Reads no file and fetches nothing. A reader per format fills a `foreign::ForeignProgram`, and
//! `row` writes it as CSV. Invariants: the CSV imports without an error in its zone; a session's id depends on its
//! identity in the file alone.

mod cancelled;
mod foreign;
mod frab;
mod ical;
mod identity;
mod notes;
mod prose;
mod row;

pub use notes::ImportNote;

use crate::ics;
use crate::import::MAX_SESSIONS;
use crate::program::{Zone, ZoneError};
use crate::xml::{self, XmlError};
use foreign::ForeignProgram;
use std::fmt::Write as _;

/// A foreign program as CSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The CSV, which a person edits and publishes.
    pub csv: Vec<u8>,
    /// The number of sessions in the CSV.
    pub sessions: usize,
    /// The zone of the CSV's times. The config must have the same zone.
    pub zone: Zone,
    /// The conference's name, if the file gives it.
    pub title: Option<String>,
    /// The values that were left out, changed or guessed.
    pub notes: Vec<ImportNote>,
}

/// Why a file cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// The file is larger than any program.
    #[error("the file has {0} bytes, more than 20 MiB")]
    TooLarge(usize),
    /// The file has none of the supported formats.
    #[error("the file is neither iCalendar nor a frab schedule in XML or JSON")]
    Unknown,
    /// The XML is malformed.
    #[error("the XML cannot be read: {0}")]
    Xml(#[from] XmlError),
    /// The JSON is malformed.
    #[error("the JSON cannot be read: {0}")]
    Json(String),
    /// The JSON or XML is valid and is not a frab schedule.
    #[error("the file has no frab schedule")]
    NoSchedule,
    /// The file has more sessions than a program may have.
    #[error("the file has {0} sessions, more than {MAX_SESSIONS}")]
    TooMany(usize),
    /// The file has no session that can be imported.
    #[error("the file has no session with a readable time")]
    NoSessions,
}

/// Converts a file. Without a given zone, the file's own zone is used, or UTC if the file has none.
///
/// # Errors
/// [`AdoptError`].
pub fn adopt(bytes: &[u8], zone: Option<Zone>) -> Result<Adopted, AdoptError> {
    if bytes.len() > xml::MOST_BYTES {
        return Err(AdoptError::TooLarge(bytes.len()));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let mut foreign = if text.starts_with(b"<") {
        frab::read_xml(bytes)?
    } else if text.starts_with(b"{") {
        frab::read_json(text)?
    } else if text.get(..15).is_some_and(|head| head.eq_ignore_ascii_case(b"BEGIN:VCALENDAR")) {
        ical::read(&ics::read(bytes))
    } else {
        return Err(AdoptError::Unknown);
    };
    if foreign.sessions.is_empty() {
        return Err(AdoptError::NoSessions);
    }
    let zone = zone.unwrap_or_else(|| own_zone(&mut foreign));
    if foreign.sessions.len() > MAX_SESSIONS {
        return Err(AdoptError::TooMany(foreign.sessions.len()));
    }
    let adopted = row::write_rows(foreign, zone);
    if adopted.sessions == 0 { Err(AdoptError::NoSessions) } else { Ok(adopted) }
}

/// The zone that the file names. If it names none, UTC, with a note.
fn own_zone(foreign: &mut ForeignProgram) -> Zone {
    let named = foreign.zone.take();
    match named.as_deref().map(Zone::parse) {
        Some(Ok(zone)) => zone,
        Some(Err(ZoneError::Abbreviation(written, name))) => {
            foreign
                .notes
                .add(format!("the zone {written:?} is an abbreviation; times are written in {name}"));
            Zone::parse(name).unwrap_or(Zone::UTC)
        }
        Some(Err(error)) => {
            foreign.notes.add(format!("{error}; times are written in UTC"));
            Zone::UTC
        }
        None => {
            foreign.notes.add(
                "the file names no zone, so times are written in UTC; name the zone with --zone".to_owned(),
            );
            Zone::UTC
        }
    }
}

impl Adopted {
    /// The notes as text, without characters that control a terminal.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for note in &self.notes {
            // Writing to a String cannot fail, here and below.
            let _ = writeln!(out, "{note}");
        }
        let sessions =
            if self.sessions == 1 { "1 session".to_owned() } else { format!("{} sessions", self.sessions) };
        let _ = writeln!(out, "{sessions}; write zone = \"{}\" into the config", self.zone);
        out
    }
}
