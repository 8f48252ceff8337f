//! The program as a table of 80 columns, for terminals, on the conference's clock.

use super::Exported;
use crate::agenda::Agenda;
use crate::program::{ClockStyle, Conference, SessionId, Slot, Speaker, Text};
use crate::release::Release;
use crate::revision::Entry;
use crate::texts::Texts;
use chrono::{NaiveDate, NaiveDateTime};
use unicode_width::UnicodeWidthChar as _;

/// The most sessions in a table that is made on request.
const MAX_LISTED: usize = 1000;
/// The number of columns in a line.
const LINE_COLUMNS: usize = 80;
/// The columns for the place, including the spaces after it.
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
    let times: Vec<Times> = entries.iter().map(|entry| Times::of(&entry.session.slot, conference)).collect();
    let time_columns = times.iter().map(|times| width(&times.short) + 2).max().unwrap_or_default();
    let mut day: Option<NaiveDate> = None;
    for (entry, times) in entries.iter().zip(&times) {
        let date = conference.days().of(entry.session.slot.start);
        if day != Some(date) {
            day = Some(date);
            let heading = texts.day_of_year(date);
            out.push_str(&format!("\n{heading}\n{}\n", "-".repeat(width(&heading))));
        }
        row(entry, times, time_columns, release, &mut out);
    }
    if entries.is_empty() {
        out.push_str(&format!("\n{}\n", texts.text_empty));
    }
    out
}

/// The times of a row.
struct Times {
    /// The times of day; only the start if the session goes on for days.
    short: String,
    /// Start and end with their days, if the session goes on for days.
    dated: Option<String>,
}

impl Times {
    fn of(slot: &Slot, conference: &Conference) -> Self {
        let (zone, texts) = (conference.zone, Texts::of(&conference.language));
        let (start, end) = (zone.civil(slot.start), zone.civil(slot.end));
        let time = |at: NaiveDateTime| texts.time(conference.clock, at.time());
        if conference.days().all(slot).nth(1).is_some() {
            let moment = |at: NaiveDateTime| texts.moment(&texts.medium_day(at.date()), &time(at));
            let dated = Some(texts.range(&moment(start), &moment(end)));
            return Self { short: time(start), dated };
        }
        let short = match conference.clock {
            ClockStyle::Twelve => texts.time_range(conference.clock, start.time(), end.time()),
            // Some terminals have no en dash.
            ClockStyle::TwentyFour => format!("{}-{}", time(start), time(end)),
        };
        Self { short, dated: None }
    }
}

fn row(entry: &Entry, times: &Times, time_columns: usize, release: &Release, out: &mut String) {
    let session = &entry.session;
    let track = session.track.as_ref().and_then(|slug| release.ledger.slugs.track(slug));
    let place = session.slot.room.as_ref().or(track.map(|track| &track.name)).map_or("", Text::as_str);
    pad(&times.short, time_columns, out);
    pad(&cut(place, PLACE_COLUMNS - 2), PLACE_COLUMNS, out);
    let prefix = if entry.is_cancelled() { texts_of(release).cancelled_prefix } else { "" };
    let column = time_columns + PLACE_COLUMNS;
    let indent = " ".repeat(column);
    wrap(&format!("{prefix}{}", session.title), column, &indent, out);
    if let Some(dated) = &times.dated {
        out.push_str(&indent);
        wrap(dated, column, &indent, out);
    }
    for speaker in &session.speakers {
        out.push_str(&indent);
        wrap(&Speaker::line(speaker), column, &format!("{indent}  "), out);
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
        let row = "9:00–9:45 am      Plenary           Safe & <Sound>, =\"quoted\"";
        assert!(text.contains(row), "{text}");
        assert!(text.contains("CANCELLED: A talk that fell through"), "{text}");
        assert!(text.contains("Leonardo Antônio dos Santos, Workday, Inc."), "{text}");
        assert!(text.lines().all(|line| width(line) <= LINE_COLUMNS), "{text}");
    }

    #[test]
    fn a_session_over_days_has_both_dates_on_the_clock_of_the_conference() {
        let (start, end) = (fixtures::at("2025-03-25T17:00:00Z"), fixtures::at("2025-03-27T01:00:00Z"));
        let mut fixture = fixtures::conference().sessions([fixtures::talk("hack", start, end, "Hackathon")]);
        for (clock, row) in [
            (
                ClockStyle::TwentyFour,
                "10:00                    Hackathon\n                         Tue, Mar 25, 10:00–Wed, Mar 26, 18:00\n",
            ),
            (
                ClockStyle::Twelve,
                "10:00 am                    Hackathon\n                            Tue, Mar 25, 10:00 am–Wed, Mar 26, 6:00 pm\n",
            ),
        ] {
            fixture.conference.clock = clock;
            let release = fixture.clone().release();
            let text = String::from_utf8(program_text(&release).bytes.to_vec()).unwrap();
            assert!(text.contains(row), "{text}");
        }
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
