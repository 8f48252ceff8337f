//! A foreign program taken in: iCalendar as pretalx, Indico and Sched write it, frab XML and JSON, to `program.csv`.
//!
//! Owns what a foreign field becomes here, and the list of what has no place: nothing is dropped without a note.
//! It reads no file and fetches nothing. The CSV goes through `import` like any other, whose report says what is
//! still to be mended. Invariant: the CSV of a file that is not refused imports without an error in its zone.

mod foreign;
mod frab;
mod frab_json;
mod frab_xml;
mod ical;
mod kinds;
mod plain;
mod row;

use crate::ics;
use crate::program::{Zone, ZoneError, printable};
use crate::xml::{self, XmlError};
use foreign::Foreign;
use std::fmt::Write as _;

/// Sessions that import takes.
const MOST_SESSIONS: usize = 50_000;

/// A foreign program as a CSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The file to edit and publish.
    pub csv: Vec<u8>,
    /// How many sessions it holds.
    pub sessions: usize,
    /// The zone of its times, for the config.
    pub zone: Zone,
    /// The conference's name, where the file has one.
    pub title: Option<String>,
    /// What did not map, and what was guessed.
    pub notes: Vec<Note>,
}

/// Something that a human should look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The session, or nothing for the file as a whole.
    pub session: Option<String>,
    /// What was done, in a sentence.
    pub message: String,
}

/// Why a file cannot be taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// Larger than any program.
    #[error("the file has {0} bytes; at most 20 MiB are read")]
    TooLarge(usize),
    /// None of the formats.
    #[error("this is neither iCalendar nor a frab schedule in XML or JSON")]
    Unknown,
    /// Broken XML.
    #[error("the XML cannot be read: {0}")]
    Xml(#[from] XmlError),
    /// Broken JSON.
    #[error("the JSON cannot be read: {0}")]
    Json(String),
    /// JSON or XML of another kind.
    #[error("there is no frab schedule in the file")]
    NoSchedule,
    /// More than a program may have.
    #[error("the file holds {0} sessions; a program has at most {MOST_SESSIONS}")]
    TooMany(usize),
    /// Nothing to take in.
    #[error("there is no session with a readable time in the file")]
    NoSessions,
}

/// Takes a file in. Without a zone its own is used, and UTC where it has none.
///
/// # Errors
/// [`AdoptError`].
pub fn adopt(bytes: &[u8], zone: Option<Zone>) -> Result<Adopted, AdoptError> {
    if bytes.len() > xml::MOST_BYTES {
        return Err(AdoptError::TooLarge(bytes.len()));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let mut foreign = if text.starts_with(b"<") {
        frab_xml::read(bytes)?
    } else if text.starts_with(b"{") {
        frab_json::read(text)?
    } else if text.get(..15).is_some_and(|head| head.eq_ignore_ascii_case(b"BEGIN:VCALENDAR")) {
        ical::read(&ics::read(bytes))
    } else {
        return Err(AdoptError::Unknown);
    };
    if foreign.sessions.is_empty() {
        return Err(AdoptError::NoSessions);
    }
    let zone = zone.unwrap_or_else(|| own_zone(&mut foreign));
    if foreign.sessions.len() > MOST_SESSIONS {
        return Err(AdoptError::TooMany(foreign.sessions.len()));
    }
    let adopted = row::table(foreign, zone);
    if adopted.sessions == 0 { Err(AdoptError::NoSessions) } else { Ok(adopted) }
}

fn own_zone(foreign: &mut Foreign) -> Zone {
    let named = foreign.zone.take();
    match named.as_deref().map(Zone::parse) {
        Some(Ok(zone)) => zone,
        Some(Err(ZoneError::Abbreviation(written, name))) => {
            foreign.note(format!("{written:?} is an abbreviation; times are written in {name}"));
            Zone::parse(name).unwrap_or(Zone::UTC)
        }
        Some(Err(error)) => {
            foreign.note(format!("{error}; times are written in UTC"));
            Zone::UTC
        }
        None => {
            foreign.note(
                "the file names no zone, and times are written in UTC; give the zone with --zone".to_owned(),
            );
            Zone::UTC
        }
    }
}

/// A stranger's text in one line of a terminal.
fn line(text: &str) -> String {
    printable(text).replace('\n', " ")
}

impl Adopted {
    /// The notes for people, with nothing of the file in them that drives a terminal.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for note in &self.notes {
            // Writing to a String cannot fail, here and below.
            let _ = match &note.session {
                Some(session) => writeln!(out, "{}: {}", line(session), line(&note.message)),
                None => writeln!(out, "{}", line(&note.message)),
            };
        }
        let _ = writeln!(out, "{} sessions; write zone = \"{}\" into the config", self.sessions, self.zone);
        out
    }
}
