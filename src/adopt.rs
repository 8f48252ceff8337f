//! Converts foreign programs to `program.csv`: iCalendar as pretalx, Indico and Sched write it, xCal, frab schedules in XML and
//! in both versions of JSON, and the JSON of Sessionize, pretalx and Indico.
//!
//! Merges a converted program into a program file that organizers edit (`merge`).
//!
//! Owns the mapping of foreign fields to columns, and of foreign identities to session ids. Every field that is left out
//! or guessed gets a note. Reads no file and fetches nothing. A reader per format fills a `foreign::ForeignProgram`, and
//! `row` writes it as CSV. Invariants: the CSV imports without an error in its zone; a session's id depends on its
//! identity in the file alone.

mod cancelled;
mod encoding;
mod foreign;
mod format;
mod frab;
mod ical;
mod identity;
mod indico;
mod json;
mod length;
mod merge;
mod notes;
mod own;
mod pretalx;
mod prose;
mod refusal;
mod row;
mod schedule2;
mod sessionize;
mod sheet;
mod tail;
mod value;
mod xcal;

pub use format::SourceFormat;
pub use merge::{Conflict, MergeError, Merged, Version, merge};
pub use notes::ImportNote;
pub use tail::{SheetDoubt, SheetTail};

use crate::ics;
use crate::import::{MAX_SESSIONS, counted};
use crate::program::{Field, Zone, ZoneError};
use crate::xml::{self, XmlError};
use chrono::NaiveDate;
use foreign::{ForeignProgram, ForeignTime};
use refusal::EXPORTS;
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
    /// The language tag of every session, if the file gives one. It belongs into the config.
    pub language: Option<String>,
    /// The values that were left out, changed or guessed.
    pub notes: Vec<ImportNote>,
    /// The tracks in the order of the file, each with its colour or an empty text.
    pub tracks: Vec<(String, String)>,
    /// The rooms in the order of the file, each with the number of people that it holds, if the file says it.
    pub rooms: Vec<(String, Option<u32>)>,
    /// The first and the last day on which a session starts.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// The format of the file.
    pub format: SourceFormat,
    /// Why the file is only a part of the program, if it shows that. Sessions that such a file lacks were not cancelled.
    pub cut: Option<String>,
}

/// Why a file cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// The file is larger than any program.
    #[error("the file has {0} bytes, more than 20 MiB")]
    TooLarge(usize),
    /// The file has none of the supported formats: what it is, and what to fetch instead.
    #[error("{0}")]
    Unknown(String),
    /// The XML is malformed.
    #[error("the XML cannot be read: {0}")]
    Xml(XmlError),
    /// The JSON is malformed.
    #[error("the JSON cannot be read: {0}")]
    Json(String),
    /// The JSON is of no known tool.
    #[error("the JSON is no schedule of frab, pretalx, Sessionize or Indico. {EXPORTS}")]
    UnknownJson,
    /// The JSON of pretalx's API has numbers in place of rooms, slots or speakers.
    #[error(
        "the file has numbers and codes in place of slots, rooms or speakers; fetch \
         /api/events/EVENT/submissions/?state=confirmed&page_size=1000&expand=slots,slots.room,speakers,track,submission_type, \
         or the schedule's export schedule.json"
    )]
    Unexpanded,
    /// The file is a program.csv.
    #[error("the file is a program.csv already; look at it with callboard check")]
    OwnFormat,
    /// The spreadsheet has no column with titles or times.
    #[error(
        "no column holds the {missing} of the sessions; name it with --map, as in --map COLUMN={missing}; the columns of unknown meaning are {others}"
    )]
    Columns {
        /// The field without a column.
        missing: Field,
        /// The columns of which the meaning is not known.
        others: String,
    },
    /// The dates of a spreadsheet can be read in two ways.
    #[error(
        "a date such as {0} may have the month or the day first, and no date of the file shows which; write dates as 2026-05-01"
    )]
    AmbiguousDates(String),
    /// The JSON of Indico has no contributions.
    #[error("the event has no contributions; fetch /export/event/ID.json?detail=contributions")]
    WithoutContributions,
    /// The file has more sessions than a program may have.
    #[error("the file has {0} sessions, more than {MAX_SESSIONS}")]
    TooMany(usize),
    /// The file has no session that can be imported. The notes say why.
    #[error("the file has no session with a readable time{0}")]
    NoSessions(String),
    /// The file lists no session at all.
    #[error(
        "the file has the form of a program without a single session; publish the program in that tool, and export it again"
    )]
    Empty,
    /// The file has local times, and nothing says in which zone: the evidence.
    #[error("{0}, so its local times cannot be placed; name the venue's zone, such as --zone Europe/Berlin")]
    NoZone(String),
}

/// Converts a file. Without a given zone, the file's own zone is used. A file without one is written in UTC if its times
/// are instants, and refused if they are local times.
///
/// # Errors
/// [`AdoptError`].
pub fn adopt(bytes: &[u8], zone: Option<Zone>) -> Result<Adopted, AdoptError> {
    adopt_with_columns(bytes, zone, &[])
}

/// Like [`adopt`]. `columns` names the fields of columns of a spreadsheet whose names do not say it.
///
/// # Errors
/// [`AdoptError`].
pub fn adopt_with_columns(
    bytes: &[u8],
    zone: Option<Zone>,
    columns: &[(String, Field)],
) -> Result<Adopted, AdoptError> {
    if bytes.len() > xml::MAX_BYTES {
        return Err(AdoptError::TooLarge(bytes.len()));
    }
    let (decoded, doubt) = encoding::decode(bytes);
    let text = decoded.trim_start();
    let (format, mut foreign) = if text.starts_with('<') {
        read_xml(text)?
    } else if text.starts_with(['{', '[']) {
        json::read(text.as_bytes())?
    } else if text.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("BEGIN:")) {
        (SourceFormat::Ics, ical::read(&ics::read(text.as_bytes())))
    } else {
        (SourceFormat::Csv, sheet::read(text, columns).unwrap_or_else(|| Err(refusal::of(text)))?)
    };
    if let Some(doubt) = doubt {
        foreign.notes.add(doubt);
    }
    if foreign.sessions.is_empty() {
        return Err(no_sessions(foreign.notes.into_list()));
    }
    let zone = zone.map_or_else(|| own_zone(&mut foreign), Ok)?;
    if foreign.sessions.len() > MAX_SESSIONS {
        return Err(AdoptError::TooMany(foreign.sessions.len()));
    }
    let adopted = row::write_rows(foreign, zone, format);
    if adopted.sessions == 0 { Err(no_sessions(adopted.notes)) } else { Ok(adopted) }
}

/// Reads a document in XML: a frab schedule or a calendar.
fn read_xml(text: &str) -> Result<(SourceFormat, ForeignProgram), AdoptError> {
    let head = text.get(..15).unwrap_or_default().to_ascii_lowercase();
    if head.starts_with("<!doctype html") || head.starts_with("<html") {
        return Err(refusal::of(text));
    }
    let root = xml::read(text.as_bytes(), xml::MAX_BYTES).map_err(AdoptError::Xml)?;
    match root.name.as_str() {
        "schedule" => Ok((SourceFormat::FrabXml, frab::read_xml(&root))),
        _ if xcal::is_calendar(&root) => Ok((SourceFormat::Xcal, xcal::read(&root))),
        other => Err(refusal::of(&format!("<{other}"))),
    }
}

/// The error of a file of which nothing is left, with up to three of the reasons.
fn no_sessions(notes: Vec<ImportNote>) -> AdoptError {
    if notes.is_empty() {
        return AdoptError::Empty;
    }
    let reasons: Vec<String> = notes.iter().take(3).map(ToString::to_string).collect();
    AdoptError::NoSessions(format!(": {}", reasons.join("; ")))
}

/// The zone that the file names. Without one, UTC for times that are instants.
fn own_zone(foreign: &mut ForeignProgram) -> Result<Zone, AdoptError> {
    let times = || foreign.sessions.iter().flat_map(|session| [session.start, session.end]).flatten();
    let are_instants = times().all(|time| matches!(time, ForeignTime::Instant(_)));
    let evidence = match foreign.zone.take() {
        Some(name) => match (Zone::meant(&name), Zone::parse(&name)) {
            (Some(zone), _) => return Ok(zone),
            (None, Err(ZoneError::Abbreviation(written, zone))) if are_instants => {
                let message = format!("the zone {written:?} is an abbreviation; times are written in {zone}");
                foreign.notes.add(message);
                return Ok(Zone::parse(zone).unwrap_or(Zone::UTC));
            }
            (None, Err(error)) => error.to_string(),
            (None, Ok(zone)) => return Ok(zone),
        },
        None if foreign.zone_evidence.is_empty() => "the file names no zone".to_owned(),
        None => std::mem::take(&mut foreign.zone_evidence),
    };
    if !are_instants {
        return Err(AdoptError::NoZone(evidence));
    }
    let message = format!(
        "{evidence}; so the CSV is in UTC; name the venue's zone to have its days and hours, such as --zone Europe/Berlin"
    );
    foreign.notes.add(message);
    Ok(Zone::UTC)
}

impl Adopted {
    /// The notes as text, without characters that control a terminal.
    pub fn render(&self) -> String {
        let mut out = String::new();
        for note in &self.notes {
            // Writing to a String cannot fail, here and below.
            let _ = writeln!(out, "{note}");
        }
        let sessions = counted(self.sessions, "session");
        let _ = writeln!(out, "{sessions}; write zone = \"{}\" into the config", self.zone);
        out
    }
}
