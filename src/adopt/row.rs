//! Writes foreign sessions as rows of our CSV, each cell in a form that import accepts.

use super::Adopted;
use super::cancelled::without_cancelled;
use super::foreign::{ForeignPerson, ForeignProgram, ForeignSession, ForeignTime, kind_named, kind_of_title};
use super::format::SourceFormat;
use super::identity::{RowIdentity, name_sessions};
use super::notes::Notes;
use super::prose::{self, one_line, paragraphs};
use crate::export::{Cells, clock_cell, write_table};
use crate::import::{YEARS, names_several};
use crate::program::{Field, SessionKind, Status, Text, Zone, language_tag, slug_of};
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use std::collections::{HashMap, HashSet};
use url::Url;

/// The most bytes that import accepts in a cell with one line, with paragraphs, and with an address.
const MAX_LINE: usize = 1024;
const MAX_PARAGRAPHS: usize = 64 * 1024;
const MAX_ADDRESS: usize = 2048;

/// The most tags of a session and characters of a tag that import accepts.
const MAX_TAGS: usize = 50;
const MAX_TAG: usize = 100;

/// The assumed length of a session without an end.
const DEFAULT_LENGTH: TimeDelta = TimeDelta::minutes(30);

/// Writes all sessions as a CSV, sorted by their start.
pub(super) fn write_rows(mut foreign: ForeignProgram, zone: Zone, format: SourceFormat) -> Adopted {
    drop_copies(&mut foreign);
    let common = take_common_language(&mut foreign);
    let names = name_sessions(&foreign.sessions, zone, &mut foreign.notes);
    let ForeignProgram { title, sessions, notes, is_plain, cut, tracks, rooms, .. } = foreign;
    let mut writer = RowWriter { zone, notes, is_plain };
    let language = common.map(|raw| writer.language(&raw)).filter(|tag| !tag.is_empty());
    if let Some(tag) = &language {
        writer.note(tag, "every session is in this language; the config needs it as language");
    }
    let mut timed: Vec<(DateTime<Utc>, Cells)> = Vec::new();
    for (session, name) in sessions.into_iter().zip(names) {
        timed.extend(writer.row(session, name));
    }
    let named = |field: Field| {
        let cells = timed.iter().filter_map(move |(_, cells)| cells.get(field as usize).cloned());
        cells.filter(|cell| !cell.is_empty())
    };
    let tracks = in_order(tracks, named(Field::Track).map(|name| (name, String::new())), |(name, _)| name);
    let rooms = in_order(rooms, named(Field::Room).map(|name| (name, None)), |(name, _)| name);
    timed.sort_by_key(|(start, _)| *start);
    let day = |timed: Option<&(DateTime<Utc>, Cells)>| timed.map(|(start, _)| zone.civil(*start).date());
    let days = day(timed.first()).zip(day(timed.last()));
    let count = timed.len();
    let csv = write_table(timed.into_iter().map(|(_, cells)| cells).collect());
    let title = title.map(|title| Text::line(&title).0.to_string()).filter(|title| !title.is_empty());
    Adopted {
        csv,
        sessions: count,
        zone,
        title,
        language,
        notes: writer.notes.into_list(),
        tracks,
        rooms,
        days,
        format,
        cut,
    }
}

/// The entries that the file lists, followed by those that only sessions name. Each entry appears once, as one line.
fn in_order<T>(
    listed: Vec<T>,
    named: impl Iterator<Item = T>,
    name: impl Fn(&mut T) -> &mut String,
) -> Vec<T> {
    let mut seen = HashSet::new();
    let mut all: Vec<T> = listed.into_iter().chain(named).collect();
    all.retain_mut(|item| {
        let name = name(item);
        *name = Text::line(name).0.to_string();
        !name.is_empty() && seen.insert(slug_of(name))
    });
    all
}

/// Drops sessions that the file lists twice without any difference.
fn drop_copies(foreign: &mut ForeignProgram) {
    let mut seen: HashMap<String, Vec<usize>> = HashMap::new();
    let mut kept: Vec<ForeignSession> = Vec::with_capacity(foreign.sessions.len());
    for session in std::mem::take(&mut foreign.sessions) {
        let same = seen.entry(session.identity.clone()).or_default();
        if !session.identity.is_empty() && same.iter().any(|index| kept.get(*index) == Some(&session)) {
            foreign.notes.add_for(
                &session.title,
                "the file lists the session twice without a difference; imported once",
            );
            continue;
        }
        same.push(kept.len());
        kept.push(session);
    }
    foreign.sessions = kept;
}

/// Takes the language that all sessions share from them, since that is the language of the conference.
fn take_common_language(foreign: &mut ForeignProgram) -> Option<String> {
    let first = foreign.sessions.first()?.language.clone();
    if first.is_empty() || foreign.sessions.iter().any(|session| session.language != first) {
        return None;
    }
    foreign.sessions.iter_mut().for_each(|session| session.language.clear());
    Some(first)
}

struct RowWriter {
    zone: Zone,
    notes: Notes,
    /// Whether descriptions are plain text.
    is_plain: bool,
}

impl RowWriter {
    fn note(&mut self, session: &str, message: impl Into<String>) {
        self.notes.add_for(session, message);
    }

    fn row(&mut self, session: ForeignSession, name: RowIdentity) -> Option<(DateTime<Utc>, Cells)> {
        let stated = self.line("title", &session.title, &session.title);
        let (mut title, mut status) = (stated.clone(), session.status);
        if let Some(bare) = without_cancelled(&stated) {
            self.note(&stated, "the title says that the session is cancelled, so its status is cancelled");
            (title, status) = (unlike_an_error(&bare), Some(Status::Cancelled));
        }
        if title.is_empty() {
            title = "Untitled".to_owned();
            let named = if session.identity.is_empty() { &title } else { &session.identity };
            self.note(named, "a session has no title");
        }
        let Some(start) = session.start.and_then(|time| self.minute(time)) else {
            let stated = Text::line(&session.stated_start).0;
            let example = if stated.is_empty() { title.clone() } else { format!("{title}: {stated}") };
            self.note(&example, "a session was left out, because its start cannot be read");
            return None;
        };
        let end = session.end.and_then(|time| self.minute(time)).filter(|end| *end > start);
        let end = end.or_else(|| {
            self.note(&title, "a session without an end after its start was given half an hour");
            self.minute(ForeignTime::Instant(start.checked_add_signed(DEFAULT_LENGTH)?))
        })?;
        let kind = self.kind(&session.kind, &title);
        let (from, to) = (self.zone.civil(start), self.zone.civil(end));
        let end_date = if from.date() == to.date() { String::new() } else { to.date().to_string() };
        let status = status.filter(|status| *status != Status::Confirmed);
        let text = session.text.iter().filter(|part| !part.trim().is_empty()).cloned().collect::<Vec<_>>();
        let (speakers, bios) = self.people(&title, &session.people);
        let cells = [
            name.id,
            from.date().to_string(),
            clock_cell(self.zone, start),
            clock_cell(self.zone, end),
            end_date,
            kind.to_string(),
            title.clone(),
            self.line("track", &session.track, &title),
            self.line("block", &session.block, &title),
            self.line("room", session.room.trim().trim_end_matches([',', ';', ' ']), &title),
            speakers,
            self.paragraphs("abstract", &text.join("\n\n"), &title),
            bios,
            self.address(&session.url),
            self.links(&session.links, &title),
            self.language(&session.language),
            self.tags(&session.tags, &title),
            self.secure(&session.image),
            self.secure(&session.feedback_url),
            if session.no_recording { "no" } else { "" }.to_owned(),
            unlike_an_error(&name.guid),
            status.map(|status| status.to_string()).unwrap_or_default(),
        ];
        Some((start, cells))
    }

    /// A time cut to the whole minute; none if it is in a year that import does not accept.
    fn minute(&self, time: ForeignTime) -> Option<DateTime<Utc>> {
        let at = time.instant(self.zone);
        let year = self.zone.civil(at).date().year();
        at.with_second(0)?.with_nanosecond(0).filter(|_| YEARS.contains(&year))
    }

    fn kind(&mut self, stated: &str, title: &str) -> SessionKind {
        if stated.trim().is_empty() {
            return kind_of_title(title);
        }
        kind_named(stated).unwrap_or_else(|| {
            self.note(title, format!("the unknown kind {:?} became talk", cut(stated.trim(), 60)));
            SessionKind::Talk
        })
    }

    fn line(&mut self, what: &str, raw: &str, session: &str) -> String {
        let text = Text::line(&one_line(raw)).0;
        self.fitting(what, text.as_str(), MAX_LINE, session)
    }

    fn paragraphs(&mut self, what: &str, raw: &str, session: &str) -> String {
        let text = self.prose(what, raw, session);
        self.fitting(what, text.as_str(), MAX_PARAGRAPHS, session)
    }

    /// A text of paragraphs without HTML.
    fn prose(&mut self, what: &str, raw: &str, session: &str) -> Text {
        if self.is_plain {
            return Text::block(raw).0;
        }
        let plain = paragraphs(raw);
        if plain.was_html {
            self.note(session, format!("HTML became plain text in the {what}"));
        }
        for part in plain.dropped {
            self.note(session, format!("{part} was left out of the {what}"));
        }
        Text::block(&plain.text).0
    }

    fn fitting(&mut self, what: &str, text: &str, most: usize, session: &str) -> String {
        if text.len() > most {
            self.note(session, format!("the {what} was cut to {most} bytes"));
        }
        unlike_an_error(cut(text, most).trim_end())
    }

    /// The cells of speakers and bios.
    fn people(&mut self, session: &str, people: &[ForeignPerson]) -> (String, String) {
        let mut lines = Vec::new();
        let mut bios = Vec::new();
        for (n, person) in people.iter().enumerate() {
            let raw = Text::line(&prose::name(&person.name)).0;
            // In a name, a comma would start the affiliation, a colon end the role, and a semicolon end the speaker.
            let name = Text::line(&raw.as_str().replace([',', ';', ':'], " ")).0;
            let name = cut(name.as_str(), 200).trim_start_matches('/').trim();
            if name.is_empty() {
                self.note(session, "a speaker without a readable name was left out");
                continue;
            }
            if name != raw.as_str() {
                self.note(raw.as_str(), "commas, colons and semicolons in a speaker's name became spaces");
            }
            let affiliation = Text::line(&prose::name(&person.affiliation).replace(';', ",")).0;
            let mut line =
                if affiliation.is_empty() { name.to_owned() } else { format!("{name}, {affiliation}") };
            let role = Text::line(&person.role.replace([',', ';', ':'], " ")).0;
            let role = cut(role.as_str(), 200).trim();
            let is_shared = people.iter().skip(n + 1).any(|next| next.role.is_empty());
            if names_several(role) && is_shared {
                self.note(session, "a role of several people was left out, since it would be that of one");
            } else if !role.is_empty() {
                line = format!("{role}: {line}");
            }
            lines.push(cut(&line, 600).trim_end().to_owned());
            let bio = self.prose("bios", &person.bio, session);
            let bio: Vec<&str> =
                bio.as_str().lines().map(|line| if line.trim() == "--" { "—" } else { line }).collect();
            bios.push(bio.join("\n"));
        }
        let bios = if bios.iter().all(String::is_empty) { String::new() } else { bios.join("\n--\n") };
        if lines.join("\n").len() > MAX_PARAGRAPHS || bios.len() > MAX_PARAGRAPHS {
            self.note(session, "speakers or bios too long for a cell were left out");
            return (String::new(), String::new());
        }
        (unlike_an_error(&lines.join("\n")), unlike_an_error(bios.trim_end()))
    }

    fn address(&mut self, raw: &str) -> String {
        let raw = raw.trim();
        match usable(raw) {
            Some(address) => address,
            None if raw.is_empty() => String::new(),
            None => {
                self.note(raw, "an address that is not plain http was left out");
                String::new()
            }
        }
    }

    /// The tag of a language, such as `de` for `de_DE.UTF-8` or `German`.
    fn language(&mut self, raw: &str) -> String {
        let raw = raw.trim();
        match language_tag(raw) {
            Ok(tag) => tag.to_owned(),
            Err(_) if raw.is_empty() => String::new(),
            Err(error) => match error.suggestion() {
                Some(tag) => tag.to_owned(),
                None => {
                    self.note(raw, "a language that is no language tag was left out");
                    String::new()
                }
            },
        }
    }

    fn tags(&mut self, tags: &[String], session: &str) -> String {
        let tags: Vec<String> = tags
            .iter()
            .map(|tag| Text::line(&one_line(&tag.replace(';', ","))).0.to_string())
            .filter(|tag| !tag.is_empty())
            .collect();
        let fits = tags.len() <= MAX_TAGS && tags.iter().all(|tag| tag.chars().count() <= MAX_TAG);
        if !fits {
            self.note(session, "tags after the fiftieth or of more than 100 characters were left out");
        }
        let kept = tags.into_iter().filter(|tag| tag.chars().count() <= MAX_TAG).take(MAX_TAGS);
        unlike_an_error(&kept.collect::<Vec<_>>().join("; "))
    }

    /// An https address.
    fn secure(&mut self, raw: &str) -> String {
        let address = self.address(raw);
        match address.strip_prefix("http:") {
            None => address,
            Some(rest) => format!("https:{rest}"),
        }
    }

    fn links(&mut self, links: &[(String, String)], session: &str) -> String {
        let mut lines = Vec::new();
        for (label, raw) in links {
            let Some(address) = usable(raw.trim()) else {
                self.note(raw, "a link that is not plain http was left out");
                continue;
            };
            let label = Text::line(&one_line(label)).0;
            let label =
                if label.is_empty() || label.as_str().contains("://") { "Link" } else { label.as_str() };
            lines.push(format!("{} {address}", cut(label, 200).trim_end()));
        }
        let mut text = lines.join("\n");
        if text.len() > MAX_PARAGRAPHS {
            self.note(session, "links too long for a cell were left out");
            text.clear();
        }
        text
    }
}

/// The text of a cell, put in quotation marks if import would take it for a spreadsheet's error, such as `#REF!` or
/// `####`.
fn unlike_an_error(cell: &str) -> String {
    let is_error =
        cell.starts_with('#') && (cell.ends_with(['!', '?', '#']) || cell.eq_ignore_ascii_case("#n/a"));
    if is_error || cell.starts_with("Err:") { format!("“{cell}”") } else { cell.to_owned() }
}

/// The address; none if import does not accept it.
fn usable(raw: &str) -> Option<String> {
    let url = Url::parse(raw).ok()?;
    let is_plain =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    Some(url.to_string()).filter(|text| is_plain && text.len() <= MAX_ADDRESS)
}

/// The start of a text, of at most a number of bytes.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cut_text_is_short_enough(text in "[a-z/é ]{0,60}", most in 0..20usize) {
            prop_assert!(cut(&text, most).len() <= most);
        }
    }
}
