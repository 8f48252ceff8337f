//! The program as a table of 80 columns, for terminals.
//!
//! Times are on the 24-hour clock, which no language misreads and no table needs to widen for.

use super::Exported;
use crate::agenda::Agenda;
use crate::program::{Conference, SessionId, Speaker, Text};
use crate::release::Release;
use crate::revision::Entry;
use chrono::{NaiveDate, NaiveDateTime};

/// The most sessions in a table that is made for one request.
const MOST_LISTED: usize = 1000;
/// Columns of a line.
const WIDTH: usize = 80;
/// Columns of the times and of the place, with the spaces behind them.
const TIMES: usize = 13;
const PLACE: usize = 18;

/// The whole program, cancelled sessions named as such.
pub fn program_text(release: &Release) -> Exported {
    let conference = &release.program.conference;
    let table = table(conference.title.as_str(), &release.shown(), release);
    Exported::new("text/plain; charset=utf-8", table.into_bytes(), release.published())
}

/// Some of the program's sessions, in its order, the first `MOST_LISTED` of them.
pub fn shown_text(release: &Release, entries: &[&Entry]) -> String {
    let listed = entries.get(..MOST_LISTED).unwrap_or(entries);
    let mut out = table(release.program.conference.title.as_str(), listed, release);
    if listed.len() < entries.len() {
        out.push_str(&format!("\nAnd {} more: narrow the search.\n", entries.len() - listed.len()));
    }
    out
}

/// Somebody's picks; what the program no longer shows is listed below.
pub fn agenda_text(release: &Release, name: &Text, picks: &[SessionId]) -> String {
    let agenda = Agenda::of(picks, release);
    let entries: Vec<&Entry> = agenda.items.iter().map(|item| item.entry).collect();
    let mut out = table(name.as_str(), &entries, release);
    for item in agenda.items.iter().filter(|item| item.clashes()) {
        let titles: Vec<&str> = item.clashes.iter().map(|other| other.session.title.as_str()).collect();
        let more = match item.more_clashes {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let line =
            format!("! {} takes place at the same time as {}{more}", item.session().title, titles.join("; "));
        out.push('\n');
        wrap(&line, 0, "  ", &mut out);
    }
    if !agenda.gone.is_empty() {
        out.push_str(&format!("\n{} picked session(s) are no longer in the program.\n", agenda.gone.len()));
    }
    out
}

fn table(title: &str, entries: &[&Entry], release: &Release) -> String {
    let conference: &Conference = &release.program.conference;
    let mut out = String::new();
    wrap(title, 0, "", &mut out);
    let zone = conference.zone;
    wrap(&format!("Release {}; all times are {zone}.", release.number()), 0, "", &mut out);
    let mut day: Option<NaiveDate> = None;
    for entry in entries {
        let (start, end) = (zone.civil(entry.session.slot.start), zone.civil(entry.session.slot.end));
        if day != Some(start.date()) {
            day = Some(start.date());
            let heading = start.format("%A, %-d %B %Y").to_string();
            out.push_str(&format!("\n{heading}\n{}\n", "-".repeat(heading.len())));
        }
        row(entry, start, end, release, &mut out);
    }
    if entries.is_empty() {
        out.push_str("\nNo sessions yet.\n");
    }
    out
}

fn row(entry: &Entry, start: NaiveDateTime, end: NaiveDateTime, release: &Release, out: &mut String) {
    let session = &entry.session;
    let times = format!("{}-{}", start.format("%H:%M"), end.format("%H:%M"));
    let track = session.track.as_ref().and_then(|slug| release.ledger.slugs.track(slug));
    let place = session.slot.room.as_ref().or(track.map(|track| &track.name)).map_or("", Text::as_str);
    pad(&times, TIMES, out);
    pad(&cut(place, PLACE - 2), PLACE, out);
    let prefix = if entry.is_cancelled() { crate::feed::CANCELLED_PREFIX } else { "" };
    let indent = " ".repeat(TIMES + PLACE);
    wrap(&format!("{prefix}{}", session.title), TIMES + PLACE, &indent, out);
    for speaker in &session.speakers {
        out.push_str(&indent);
        wrap(&Speaker::line(speaker), TIMES + PLACE, &format!("{indent}  "), out);
    }
}

/// Appends a text that starts at that column, broken at spaces before column 80; a word that is longer than
/// a line is broken anywhere.
fn wrap(text: &str, column: usize, indent: &str, out: &mut String) {
    let mut at = column;
    let mut fresh = true;
    for word in text.split_whitespace() {
        if !fresh && at + 1 + width(word) > WIDTH {
            out.push('\n');
            out.push_str(indent);
            (at, fresh) = (indent.len(), true);
        }
        if !fresh {
            out.push(' ');
            at += 1;
        }
        for c in word.chars() {
            if at + columns(c) > WIDTH {
                out.push('\n');
                out.push_str(indent);
                at = indent.len();
            }
            out.push(c);
            at += columns(c);
        }
        fresh = false;
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
    let kept = text.chars().take_while(|c| {
        used += columns(*c);
        used <= to
    });
    format!("{}…", kept.collect::<String>().trim_end())
}

fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// The columns that terminals give a character: two for East Asian wide ones and emoji, none for marks.
fn columns(c: char) -> usize {
    match c {
        c if unicode_normalization::char::is_combining_mark(c) => 0,
        '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f680}'..='\u{1f6ff}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use proptest::prelude::*;

    #[test]
    fn a_day_has_a_heading_and_each_session_its_times_place_and_people() {
        let release = fixtures::tricky().release();
        let text = String::from_utf8(program_text(&release).bytes.to_vec()).unwrap();
        assert!(
            text.starts_with("SREcon25 Americas\nRelease 1; all times are America/Los_Angeles.\n"),
            "{text}"
        );
        assert!(text.contains("\nTuesday, 25 March 2025\n----------------------\n"), "{text}");
        let row = "09:00-09:45  Plenary           Safe & <Sound>, =\"quoted\"";
        assert!(text.contains(row), "{text}");
        assert!(text.contains("CANCELLED: A talk that fell through"), "{text}");
        assert!(text.contains("Leonardo Antônio dos Santos, Workday, Inc."), "{text}");
        assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
    }

    #[test]
    fn an_agenda_names_clashes_and_what_is_gone() {
        let release = fixtures::tricky().release();
        let ids = ["slow-queries", "ml-monitoring", "never-was"].map(|id| SessionId::parse(id).unwrap());
        let text = agenda_text(&release, &Text::from("Mine"), &ids);
        assert!(text.contains("at the same time as"), "{text}");
        assert!(text.contains("1 picked session(s) are no longer"), "{text}");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_a_terminal(text in any::<String>(), column in 0..40usize) {
            let text = Text::block(&text).0;
            let mut out = " ".repeat(column);
            wrap(text.as_str(), column, "    ", &mut out);
            for line in out.lines() {
                prop_assert!(width(line) <= WIDTH, "{:?}", line);
            }
        }
    }
}
