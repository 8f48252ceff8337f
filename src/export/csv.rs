//! `/schedule.csv`: the published program as an importable file.
//!
//! Spreadsheets run a cell that starts with `=`, `+`, `-`, `@`, a tab or a CR as a formula. Such a cell gets a leading
//! apostrophe. A cell that already has apostrophes before such a start gets one more. Import removes one apostrophe
//! from exactly these cells, so no text changes.

use super::Exported;
use crate::program::{Field, Program, Session, Speaker, Status, Zone};
use crate::release::Release;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The cells of one row, in the order of the columns.
pub type Cells = [String; Field::ALL.len()];

/// The published program without withdrawn sessions.
pub fn schedule_csv(release: &Release) -> Exported {
    let program = &release.program;
    let listed = program.order().iter().filter(|session| session.status != Status::Withdrawn);
    let bytes = write_table(listed.map(|session| cells_of(session, program)));
    Exported::new("text/csv; charset=utf-8; header=present", bytes, release.published())
}

/// A header and rows as CSV (RFC 4180). Cells that would be formulas get an apostrophe.
pub fn write_table(rows: impl IntoIterator<Item = Cells>) -> Vec<u8> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing into memory cannot fail, and every row has the header's length.
    let _ = writer.write_record(Field::WORDS);
    for row in rows {
        let _ = writer.write_record(row.iter().map(|cell| defuse(cell)));
    }
    writer.into_inner().unwrap_or_default()
}

/// The number of picks of sessions as CSV, for organizers who choose rooms.
pub fn picks_csv(release: &Release, counted: &[(Arc<Session>, usize)]) -> Vec<u8> {
    let zone = release.program.conference.zone;
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    // As in `write_table`, nothing can fail.
    let _ = writer.write_record(["id", "date", "start", "title", "room", "picks"]);
    for (session, picks) in counted {
        let start = session.slot.start;
        let cells = [
            session.id.to_string(),
            zone.civil(start).date().to_string(),
            clock_cell(zone, start),
            session.title.to_string(),
            session.slot.room.as_ref().map(ToString::to_string).unwrap_or_default(),
            picks.to_string(),
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
