//! A foreign session as a row of our CSV, every cell in the form that import takes.

use super::foreign::{Foreign, Person, Session, Time};
use super::ical::instant;
use super::plain::{cut, plain};
use super::{Adopted, Note, kinds};
use crate::export::{Cells, clock_cell, write_table};
use crate::import::YEARS;
use crate::program::{SessionId, SessionKind, Text, Zone, slug_of};
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use std::collections::{BTreeMap, HashSet};
use url::Url;

/// What a cell of one line, of paragraphs, and an address may hold; import's caps.
const LINE: usize = 1024;
const PARAGRAPHS: usize = 64 * 1024;
const ADDRESS: usize = 2048;
/// What a session without an end gets.
const USUAL: TimeDelta = TimeDelta::minutes(30);

pub(super) fn table(foreign: Foreign, zone: Zone) -> Adopted {
    let Foreign { title, sessions, notes, unmapped, .. } = foreign;
    let mut desk = Desk { zone, ids: HashSet::new(), notes, strange_kinds: BTreeMap::new() };
    let mut timed: Vec<(DateTime<Utc>, Cells)> = Vec::new();
    for session in sessions {
        timed.extend(desk.row(session));
    }
    timed.sort_by_key(|(start, _)| *start);
    let mut notes = desk.notes;
    for (kind, count) in desk.strange_kinds {
        notes.push(Note {
            session: None,
            message: format!("{kind:?} ({count} times) is no kind here and became talk"),
        });
    }
    for (field, count) in unmapped {
        notes.push(Note { session: None, message: format!("not taken over: {field} ({count} times)") });
    }
    let count = timed.len();
    let csv = write_table(timed.into_iter().map(|(_, cells)| cells));
    let title = title.map(|title| Text::line(&title).0.to_string()).filter(|title| !title.is_empty());
    Adopted { csv, sessions: count, zone, title, notes }
}

struct Desk {
    zone: Zone,
    ids: HashSet<String>,
    notes: Vec<Note>,
    strange_kinds: BTreeMap<String, usize>,
}

impl Desk {
    fn note(&mut self, session: &str, message: impl Into<String>) {
        self.notes.push(Note { session: Some(session.to_owned()), message: message.into() });
    }

    fn row(&mut self, session: Session) -> Option<(DateTime<Utc>, Cells)> {
        let mut title = self.line("title", &session.title, &session.title);
        if title.is_empty() {
            title = "Untitled".to_owned();
            self.note(&title, "it has no title");
        }
        let Some(start) = session.start.and_then(|time| self.minute(time)) else {
            self.note(&title, "left out, since its start cannot be read");
            return None;
        };
        let end = session.end.and_then(|time| self.minute(time)).filter(|end| *end > start);
        let end = end.or_else(|| {
            self.note(&title, "it has no end after its start; half an hour is written");
            self.minute(Time::Instant(start.checked_add_signed(USUAL)?))
        })?;
        let id = self.id(&title);
        let kind = self.kind(&session.kind, &title);
        let (from, to) = (self.zone.civil(start), self.zone.civil(end));
        let end_date = if from.date() == to.date() { String::new() } else { to.date().to_string() };
        let status = match session.status.as_str() {
            "CANCELLED" => "cancelled",
            "TENTATIVE" => "tentative",
            _ => "",
        };
        let text = session.text.iter().filter(|part| !part.trim().is_empty()).cloned().collect::<Vec<_>>();
        let (speakers, bios) = self.people(&title, &session.people);
        let cells = [
            id,
            from.date().to_string(),
            clock_cell(self.zone, start),
            clock_cell(self.zone, end),
            end_date,
            kind.to_string(),
            title.clone(),
            self.line("track", &session.track, &title),
            self.line("block", &session.block, &title),
            self.line("room", &session.room, &title),
            speakers,
            self.paragraphs("abstract", &text.join("\n\n"), &title),
            bios,
            self.address(&session.url, &title),
            self.links(&session.links, &title),
            status.to_owned(),
        ];
        Some((start, cells))
    }

    /// The whole minute, which is all that a cell holds, of a year that import takes.
    fn minute(&self, time: Time) -> Option<DateTime<Utc>> {
        let at = match time {
            Time::Instant(at) => at,
            Time::Civil(civil) => instant(self.zone, civil),
        };
        let year = self.zone.civil(at).date().year();
        at.with_second(0)?.with_nanosecond(0).filter(|_| YEARS.contains(&year))
    }

    fn id(&mut self, title: &str) -> String {
        let slug = slug_of(title);
        let stem = cut(slug.as_str(), 48).trim_end_matches('-');
        let stem = if stem.len() < 2 { format!("session-{stem}") } else { stem.to_owned() };
        let candidates = (1..).map(|n| if n == 1 { stem.clone() } else { format!("{stem}-{n}") });
        let free = candidates.into_iter().find(|id| SessionId::parse(id).is_ok() && !self.ids.contains(id));
        let id = free.unwrap_or_default();
        self.ids.insert(id.clone());
        id
    }

    fn kind(&mut self, stated: &str, title: &str) -> SessionKind {
        if stated.trim().is_empty() {
            return kinds::by_title(title);
        }
        kinds::named(stated).unwrap_or_else(|| {
            *self.strange_kinds.entry(stated.trim().to_owned()).or_default() += 1;
            SessionKind::Talk
        })
    }

    fn line(&mut self, what: &str, raw: &str, session: &str) -> String {
        let (clean, _) = plain(raw);
        let text = Text::line(&clean).0;
        self.fitting(what, text.as_str(), LINE, session)
    }

    fn paragraphs(&mut self, what: &str, raw: &str, session: &str) -> String {
        let (clean, html) = plain(raw);
        if html {
            self.note(session, format!("HTML was taken out of its {what}"));
        }
        self.fitting(what, Text::block(&clean).0.as_str(), PARAGRAPHS, session)
    }

    fn fitting(&mut self, what: &str, text: &str, most: usize, session: &str) -> String {
        if text.len() > most {
            self.note(cut(session, 60), format!("its {what} was cut to {most} bytes"));
        }
        spared(cut(text, most).trim_end())
    }

    /// The cells of speakers and bios.
    fn people(&mut self, session: &str, people: &[Person]) -> (String, String) {
        let mut lines = Vec::new();
        let mut bios = Vec::new();
        for person in people {
            let raw = Text::line(&plain(&person.name).0).0;
            // A comma would start the affiliation, a colon end a role, a semicolon the person.
            let name = Text::line(&raw.as_str().replace([',', ';', ':'], " ")).0;
            let name = cut(name.as_str(), 200).trim_start_matches('/').trim();
            if name.is_empty() {
                if !raw.is_empty() || !person.bio.trim().is_empty() {
                    self.note(session, "a speaker without a readable name was left out");
                }
                continue;
            }
            if name != raw.as_str() {
                self.note(session, format!("the speaker {:?} is written as {name:?}", cut(raw.as_str(), 60)));
            }
            let affiliation = Text::line(&plain(&person.affiliation).0.replace([';', '&'], ",")).0;
            let line =
                if affiliation.is_empty() { name.to_owned() } else { format!("{name}, {affiliation}") };
            lines.push(cut(&line, 400).trim_end().to_owned());
            let bio = Text::block(&plain(&person.bio).0).0;
            let bio: Vec<&str> =
                bio.as_str().lines().map(|line| if line.trim() == "--" { "—" } else { line }).collect();
            bios.push(bio.join("\n"));
        }
        let bios = if bios.iter().all(String::is_empty) { String::new() } else { bios.join("\n--\n") };
        if lines.join("\n").len() > PARAGRAPHS || bios.len() > PARAGRAPHS {
            self.note(session, "its speakers or their bios are too long for a cell and were left out");
            return (String::new(), String::new());
        }
        (spared(&lines.join("\n")), spared(bios.trim_end()))
    }

    fn address(&mut self, raw: &str, session: &str) -> String {
        let raw = raw.trim();
        match usable(raw) {
            Some(address) => address,
            None if raw.is_empty() => String::new(),
            None => {
                self.note(
                    session,
                    format!("its address {:?} was left out: no plain http address", cut(raw, 80)),
                );
                String::new()
            }
        }
    }

    fn links(&mut self, links: &[(String, String)], session: &str) -> String {
        let mut lines = Vec::new();
        for (label, raw) in links {
            let Some(address) = usable(raw.trim()) else {
                self.note(
                    session,
                    format!("the link {:?} was left out: no plain http address", cut(raw, 80)),
                );
                continue;
            };
            let label = Text::line(&plain(label).0).0;
            let label =
                if label.is_empty() || label.as_str().contains("://") { "Link" } else { label.as_str() };
            lines.push(format!("{} {address}", cut(label, 200).trim_end()));
        }
        let mut text = lines.join("\n");
        if text.len() > PARAGRAPHS {
            self.note(session, "its links are too long for a cell and were left out");
            text.clear();
        }
        text
    }
}

/// A cell that import does not take for a spreadsheet's error, `#REF!` or `####`: it gets quotation marks.
fn spared(cell: &str) -> String {
    let is_error =
        cell.starts_with('#') && (cell.ends_with(['!', '?', '#']) || cell.eq_ignore_ascii_case("#n/a"));
    if is_error || cell.starts_with("Err:") { format!("“{cell}”") } else { cell.to_owned() }
}

/// An address that import takes.
fn usable(raw: &str) -> Option<String> {
    let url = Url::parse(raw).ok()?;
    let plain =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    Some(url.to_string()).filter(|text| plain && text.len() <= ADDRESS)
}
