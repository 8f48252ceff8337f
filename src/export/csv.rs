//! `/schedule.csv`: the published program as an importable file.
//!
//! Spreadsheets run a cell that starts with `=`, `+`, `-`, `@`, a tab or a CR as a formula. Such a cell gets a leading
//! apostrophe. A cell that already has apostrophes before such a start gets one more. Import removes one apostrophe
//! from exactly these cells, so no text changes.

use super::Exported;
use crate::program::{Conference, Field, Program, Session, Speaker, Status, Text, Zone};
use crate::release::Release;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The cells of one row, in the order of the columns.
pub type Cells = [String; Field::ALL.len()];

/// The published program without withdrawn sessions.
pub fn schedule_csv(release: &Release) -> Exported {
    let program = &release.program;
    let listed = || program.order().iter().filter(|session| session.status != Status::Withdrawn);
    let columns = columns(|field| listed().any(|session| has(session, field)));
    let bytes = write_columns(&columns, listed().map(|session| cells_of(session, program)));
    Exported::new("text/csv; charset=utf-8; header=present", bytes, release.published())
}

/// The columns that a table has only if a row needs them, so that other tables stay as they were.
const DETAILS: [Field; 5] =
    [Field::Language, Field::Tags, Field::Image, Field::FeedbackUrl, Field::Recording];

/// The columns of a table in which `is_used` tells whether a row has a text for a field.
pub fn columns(is_used: impl Fn(Field) -> bool) -> Vec<Field> {
    Field::ALL.iter().copied().filter(|field| !DETAILS.contains(field) || is_used(*field)).collect()
}

/// Whether a session has a text in one of the columns [`DETAILS`].
fn has(session: &Session, field: Field) -> bool {
    match field {
        Field::Language => session.language.is_some(),
        Field::Tags => !session.tags.is_empty(),
        Field::Image => session.image.is_some(),
        Field::FeedbackUrl => session.feedback_url.is_some(),
        Field::Recording => session.no_recording,
        _ => true,
    }
}

/// A table with the columns that its rows need.
pub fn write_table(rows: Vec<Cells>) -> Vec<u8> {
    let is_used = |field: Field| {
        rows.iter().any(|cells| cells.get(field as usize).is_some_and(|cell| !cell.is_empty()))
    };
    write_columns(&columns(is_used), rows)
}

/// A header and rows as CSV (RFC 4180). Cells that would be formulas get an apostrophe.
pub fn write_columns(columns: &[Field], rows: impl IntoIterator<Item = Cells>) -> Vec<u8> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing into memory cannot fail, and every row has the header's length.
    let _ = writer.write_record(columns.iter().map(|field| field.as_str()));
    for row in rows {
        let cells = Field::ALL.iter().zip(&row).filter(|(field, _)| columns.contains(field));
        let _ = writer.write_record(cells.map(|(_, cell)| defuse(cell)));
    }
    writer.into_inner().unwrap_or_default()
}

/// The number of picks of sessions as CSV, for organizers who choose rooms.
pub fn picks_csv(conference: &Conference, counted: &[(Arc<Session>, usize)]) -> Vec<u8> {
    let zone = conference.zone;
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    // As in `write_table`, nothing can fail.
    let _ = writer.write_record(["id", "date", "start", "title", "room", "picks", "capacity"]);
    for (session, picks) in counted {
        let start = session.slot.start;
        let cells = [
            session.id.to_string(),
            zone.civil(start).date().to_string(),
            clock_cell(zone, start),
            session.title.to_string(),
            session.slot.room.as_ref().map(ToString::to_string).unwrap_or_default(),
            picks.to_string(),
            conference
                .capacity(session.slot.room.as_ref())
                .map(|seats| seats.to_string())
                .unwrap_or_default(),
        ];
        let _ = writer.write_record(cells.iter().map(|cell| defuse(cell)));
    }
    writer.into_inner().unwrap_or_default()
}

fn defuse(cell: &str) -> String {
    let formula = cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r']);
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

/// A session of the program as the cells of its row.
pub fn cells_of(session: &Session, program: &Program) -> Cells {
    let zone = program.conference.zone;
    let (start, end) = (zone.civil(session.slot.start), zone.civil(session.slot.end));
    let text = |value: Option<&dyn ToString>| value.map(|value| value.to_string()).unwrap_or_default();
    let end_date = if start.date() == end.date() { String::new() } else { end.date().to_string() };
    let track = session.track.as_ref().map(|slug| match program.track(slug) {
        Some(track) => track.name.to_string(),
        None => slug.to_string(),
    });
    let status = if session.status == Status::Confirmed { "" } else { session.status.as_str() };
    let links: Vec<String> =
        session.links.iter().map(|link| format!("{} {}", link.label, link.url)).collect();
    [
        session.id.to_string(),
        start.date().to_string(),
        clock_cell(zone, session.slot.start),
        clock_cell(zone, session.slot.end),
        end_date,
        session.kind.to_string(),
        session.title.to_string(),
        track.unwrap_or_default(),
        text(session.block.as_ref().map(|block| block as &dyn ToString)),
        text(session.slot.room.as_ref().map(|room| room as &dyn ToString)),
        session.speakers.iter().map(Speaker::line).collect::<Vec<_>>().join("\n"),
        session.abstract_text.to_string(),
        bios(&session.speakers),
        text(session.url.as_ref().map(|url| url as &dyn ToString)),
        links.join("\n"),
        text(session.language.as_ref().map(|tag| tag as &dyn ToString)),
        session.tags.iter().map(Text::as_str).collect::<Vec<_>>().join("; "),
        text(session.image.as_ref().map(|url| url as &dyn ToString)),
        text(session.feedback_url.as_ref().map(|url| url as &dyn ToString)),
        if session.no_recording { "no" } else { "" }.to_owned(),
        text(session.guid.as_ref().map(|guid| guid as &dyn ToString)),
        status.to_owned(),
    ]
}

/// `09:00`; within a repeated hour followed by the zone abbreviation, which distinguishes the two occurrences.
pub fn clock_cell(zone: Zone, at: DateTime<Utc>) -> String {
    let civil = zone.civil(at).format("%H:%M").to_string();
    if !zone.is_repeated(at) {
        return civil;
    }
    let abbreviation = zone.abbreviation(at);
    if abbreviation.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return format!("{civil} {abbreviation}");
    }
    let seconds = zone.offset(at);
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{civil} {sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
}

/// The bios in the order of the speakers, separated by lines `--`. Trailing empty bios are omitted.
fn bios(speakers: &[Speaker]) -> String {
    if speakers.iter().all(|speaker| speaker.bio.is_empty()) {
        return String::new();
    }
    let bios: Vec<&str> = speakers.iter().map(|speaker| speaker.bio.as_str()).collect();
    bios.join("\n--\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The cell as import reads it, without the apostrophe.
    fn undo(cell: &str) -> &str {
        let bare = cell.trim_start_matches('\'');
        let defused = bare.len() < cell.len() && bare.starts_with(['=', '+', '-', '@', '\t', '\r']);
        if defused { &cell[1..] } else { cell }
    }

    proptest! {
        #[test]
        fn a_defused_cell_is_not_a_formula_and_imports_unchanged(cell in "'{0,2}[=+@\t\r'a-]{0,3}.*") {
            let safe = defuse(&cell);
            prop_assert!(!safe.starts_with(['=', '+', '-', '@', '\t', '\r']), "{}", safe);
            prop_assert_eq!(undo(&safe), cell);
        }
    }
}
