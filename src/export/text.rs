//! The program as a table of 80 columns, for terminals.
//!
//! Times use the 24-hour clock, which people of every language can read and which needs the fewest columns.

use super::Exported;
use crate::agenda::Agenda;
use crate::program::{Conference, SessionId, Speaker, Text};
use crate::release::Release;
use crate::revision::Entry;
use crate::texts::Texts;
use chrono::{NaiveDate, NaiveDateTime};
use unicode_width::UnicodeWidthChar as _;

/// The most sessions in a table that is made on request.
const MAX_LISTED: usize = 1000;
/// The number of columns in a line.
const LINE_COLUMNS: usize = 80;
/// The columns for the times and for the place, including the spaces after them.
const TIME_COLUMNS: usize = 13;
const PLACE_COLUMNS: usize = 18;

/// The whole program, with cancelled sessions marked.
pub fn program_text(release: &Release) -> Exported {
    let conference = &release.program.conference;
    let table = table(conference.title.as_str(), &release.visible_entries(), release);
    Exported::new("text/plain; charset=utf-8", table.into_bytes(), release.published())
}

/// A table of the first `MAX_LISTED` entries.
pub fn entries_text(release: &Release, entries: &[&Entry]) -> String {
    let listed = entries.get(..MAX_LISTED).unwrap_or(entries);
    let mut out = table(release.program.conference.title.as_str(), listed, release);
    if listed.len() < entries.len() {
        out.push_str(&format!("\n{}\n", texts_of(release).text_more(entries.len() - listed.len())));
    }
    out
}

/// An agenda, followed by its overlaps and the number of picks that are no longer in the program.
pub fn agenda_text(release: &Release, name: &Text, picks: &[SessionId]) -> String {
    let agenda = Agenda::of(picks, release);
    let entries: Vec<&Entry> = agenda.items.iter().map(|item| item.entry).collect();
    let texts = texts_of(release);
    let mut out = table(name.as_str(), &entries, release);
    for item in agenda.items.iter().filter(|item| item.has_overlap()) {
        let titles: Vec<&str> = item.overlaps.iter().map(|other| other.session.title.as_str()).collect();
        let mut others = titles.join("; ");
        if item.more_overlaps > 0 {
            others = texts.list_more(&others, item.more_overlaps);
        }
        let line = format!("! {}", texts.text_overlap(item.session().title.as_str(), &others));
        out.push('\n');
        wrap(&line, 0, "  ", &mut out);
    }
    if !agenda.gone.is_empty() {
        out.push_str(&format!("\n{}\n", texts.text_gone(agenda.gone.len())));
    }
    out
}

fn texts_of(release: &Release) -> &'static Texts {
    Texts::of(&release.program.conference.language)
}

fn table(title: &str, entries: &[&Entry], release: &Release) -> String {
    let conference: &Conference = &release.program.conference;
    let mut out = String::new();
    wrap(title, 0, "", &mut out);
    let zone = conference.zone;
    let texts = texts_of(release);
    wrap(&texts.text_release(release.number(), zone.name()), 0, "", &mut out);
    let mut day: Option<NaiveDate> = None;
    for entry in entries {
        let (start, end) = (zone.civil(entry.session.slot.start), zone.civil(entry.session.slot.end));
        if day != Some(start.date()) {
            day = Some(start.date());
            let heading = texts.day_of_year(start.date());
            out.push_str(&format!("\n{heading}\n{}\n", "-".repeat(width(&heading))));
        }
        row(entry, start, end, release, &mut out);
    }
    if entries.is_empty() {
        out.push_str(&format!("\n{}\n", texts.text_empty));
    }
    out
}

fn row(entry: &Entry, start: NaiveDateTime, end: NaiveDateTime, release: &Release, out: &mut String) {
    let session = &entry.session;
    let times = format!("{}-{}", start.format("%H:%M"), end.format("%H:%M"));
    let track = session.track.as_ref().and_then(|slug| release.ledger.slugs.track(slug));
    let place = session.slot.room.as_ref().or(track.map(|track| &track.name)).map_or("", Text::as_str);
    pad(&times, TIME_COLUMNS, out);
    pad(&cut(place, PLACE_COLUMNS - 2), PLACE_COLUMNS, out);
    let prefix = if entry.is_cancelled() { texts_of(release).cancelled_prefix } else { "" };
    let indent = " ".repeat(TIME_COLUMNS + PLACE_COLUMNS);
    wrap(&format!("{prefix}{}", session.title), TIME_COLUMNS + PLACE_COLUMNS, &indent, out);
    for speaker in &session.speakers {
        out.push_str(&indent);
        wrap(&Speaker::line(speaker), TIME_COLUMNS + PLACE_COLUMNS, &format!("{indent}  "), out);
    }
}

/// Appends a text that starts at a column, broken at spaces before column 80. A word longer than a line is broken
/// anywhere.
fn wrap(text: &str, column: usize, indent: &str, out: &mut String) {
    let mut at = column;
    let mut at_start = true;
    for word in text.split_whitespace() {
        if !at_start && at + 1 + width(word) > LINE_COLUMNS {
            out.push('\n');
            out.push_str(indent);
            (at, at_start) = (indent.len(), true);
        }
        if !at_start {
            out.push(' ');
            at += 1;
        }
        for c in word.chars() {
            if at + columns(c) > LINE_COLUMNS {
                out.push('\n');
                out.push_str(indent);
                at = indent.len();
            }
            out.push(c);
            at += columns(c);
        }
        at_start = false;
    }
    out.push('\n');
}

fn pad(text: &str, to: usize, out: &mut String) {
    out.push_str(text);
    out.push_str(&" ".repeat(to.saturating_sub(width(text))));
}

fn cut(text: &str, to: usize) -> String {
    if width(text) <= to {
        return text.to_owned();
    }
    let mut used = 1;
    let start = text.chars().take_while(|c| {
        used += columns(*c);
        used <= to
    });
    format!("{}…", start.collect::<String>().trim_end())
}

fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// The number of columns of a character on a terminal: two for East Asian wide characters and emoji, none for marks.
fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use proptest::prelude::*;

    #[test]
    fn a_table_has_headings_of_days_and_times_places_and_speakers() {
        let release = fixtures::tricky().release();
        let text = String::from_utf8(program_text(&release).bytes.to_vec()).unwrap();
        assert!(
            text.starts_with("SREcon25 Americas\nRelease 1; all times are America/Los_Angeles.\n"),
            "{text}"
        );
        assert!(text.contains("\nTuesday, March 25, 2025\n-----------------------\n"), "{text}");
        let row = "09:00-09:45  Plenary           Safe & <Sound>, =\"quoted\"";
        assert!(text.contains(row), "{text}");
        assert!(text.contains("CANCELLED: A talk that fell through"), "{text}");
        assert!(text.contains("Leonardo Antônio dos Santos, Workday, Inc."), "{text}");
        assert!(text.lines().all(|line| width(line) <= LINE_COLUMNS), "{text}");
    }

    #[test]
    fn an_agenda_lists_overlaps_and_missing_picks() {
        let release = fixtures::tricky().release();
        let ids = ["slow-queries", "ml-monitoring", "never-was"].map(|id| SessionId::parse(id).unwrap());
        let text = agenda_text(&release, &Text::from("Mine"), &ids);
        assert!(text.contains("at the same time as"), "{text}");
        assert!(text.contains("1 picked session is no longer"), "{text}");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_a_terminal(text in any::<String>(), column in 0..40usize) {
            let text = Text::block(&text).0;
            let mut out = " ".repeat(column);
            wrap(text.as_str(), column, "    ", &mut out);
            for line in out.lines() {
                prop_assert!(width(line) <= LINE_COLUMNS, "{:?}", line);
            }
        }
    }
}
