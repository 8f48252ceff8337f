//! Writes foreign sessions as rows of our CSV, each cell in a form that import accepts.

use super::Adopted;
use super::foreign::{
    ForeignPerson, ForeignProgram, ForeignSession, ForeignTime, ImportNote, kind_named, kind_of_title,
};
use crate::export::{Cells, clock_cell, write_table};
use crate::import::YEARS;
use crate::program::{SessionId, SessionKind, Text, Zone, slug_of};
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use std::collections::{BTreeMap, HashSet};
use url::Url;

/// The most bytes that import accepts in a cell with one line, with paragraphs, and with an address.
const MAX_LINE: usize = 1024;
const MAX_PARAGRAPHS: usize = 64 * 1024;
const MAX_ADDRESS: usize = 2048;

/// The assumed length of a session without an end.
const DEFAULT_LENGTH: TimeDelta = TimeDelta::minutes(30);

/// Writes all sessions as a CSV, sorted by their start.
pub(super) fn write_rows(foreign: ForeignProgram, zone: Zone) -> Adopted {
    let ForeignProgram { title, sessions, notes, unmapped, .. } = foreign;
    let mut writer = RowWriter { zone, ids: HashSet::new(), notes, unknown_kinds: BTreeMap::new() };
    let mut timed: Vec<(DateTime<Utc>, Cells)> = Vec::new();
    for session in sessions {
        timed.extend(writer.row(session));
    }
    timed.sort_by_key(|(start, _)| *start);
    let mut notes = writer.notes;
    let mut note = |message: String| notes.push(ImportNote { session: None, message });
    for (kind, count) in writer.unknown_kinds {
        note(format!("the unknown kind {kind:?} ({}) became talk", times(count)));
    }
    for (field, count) in unmapped {
        note(format!("not imported: {field} ({})", times(count)));
    }
    let count = timed.len();
    let csv = write_table(timed.into_iter().map(|(_, cells)| cells));
    let title = title.map(|title| Text::line(&title).0.to_string()).filter(|title| !title.is_empty());
    Adopted { csv, sessions: count, zone, title, notes }
}

fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

struct RowWriter {
    zone: Zone,
    ids: HashSet<String>,
    notes: Vec<ImportNote>,
    unknown_kinds: BTreeMap<String, usize>,
}

impl RowWriter {
    fn note(&mut self, session: &str, message: impl Into<String>) {
        self.notes.push(ImportNote { session: Some(session.to_owned()), message: message.into() });
    }

    fn row(&mut self, session: ForeignSession) -> Option<(DateTime<Utc>, Cells)> {
        let mut title = self.line("title", &session.title, &session.title);
        if title.is_empty() {
            title = "Untitled".to_owned();
            let named = if session.identity.is_empty() { &title } else { &session.identity };
            self.note(cut(named, 60), "it has no title");
        }
        let Some(start) = session.start.and_then(|time| self.minute(time)) else {
            self.note(&title, "left out, because its start cannot be read");
            return None;
        };
        let end = session.end.and_then(|time| self.minute(time)).filter(|end| *end > start);
        let end = end.or_else(|| {
            self.note(&title, "it has no end after its start and was given half an hour");
            self.minute(ForeignTime::Instant(start.checked_add_signed(DEFAULT_LENGTH)?))
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

    /// A time cut to the whole minute; none if it is in a year that import does not accept.
    fn minute(&self, time: ForeignTime) -> Option<DateTime<Utc>> {
        let at = time.instant(self.zone);
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
            return kind_of_title(title);
        }
        kind_named(stated).unwrap_or_else(|| {
            *self.unknown_kinds.entry(stated.trim().to_owned()).or_default() += 1;
            SessionKind::Talk
        })
    }

    fn line(&mut self, what: &str, raw: &str, session: &str) -> String {
        let (clean, _) = plain(raw);
        let text = Text::line(&clean).0;
        self.fitting(what, text.as_str(), MAX_LINE, session)
    }

    fn paragraphs(&mut self, what: &str, raw: &str, session: &str) -> String {
        let (clean, html) = plain(raw);
        if html {
            self.note(session, format!("HTML was removed from its {what}"));
        }
        self.fitting(what, Text::block(&clean).0.as_str(), MAX_PARAGRAPHS, session)
    }

    fn fitting(&mut self, what: &str, text: &str, most: usize, session: &str) -> String {
        if text.len() > most {
            self.note(cut(session, 60), format!("its {what} was cut to {most} bytes"));
        }
        unlike_an_error(cut(text, most).trim_end())
    }

    /// The cells of speakers and bios.
    fn people(&mut self, session: &str, people: &[ForeignPerson]) -> (String, String) {
        let mut lines = Vec::new();
        let mut bios = Vec::new();
        for person in people {
            let raw = Text::line(&plain(&person.name).0).0;
            // In a name, a comma would start the affiliation, a colon end the role, and a semicolon end the speaker.
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
        if lines.join("\n").len() > MAX_PARAGRAPHS || bios.len() > MAX_PARAGRAPHS {
            self.note(session, "its speakers or their bios are too long for a cell and were left out");
            return (String::new(), String::new());
        }
        (unlike_an_error(&lines.join("\n")), unlike_an_error(bios.trim_end()))
    }

    fn address(&mut self, raw: &str, session: &str) -> String {
        let raw = raw.trim();
        match usable(raw) {
            Some(address) => address,
            None if raw.is_empty() => String::new(),
            None => {
                let message =
                    format!("its address {:?} was left out: it is not a plain http address", cut(raw, 80));
                self.note(session, message);
                String::new()
            }
        }
    }

    fn links(&mut self, links: &[(String, String)], session: &str) -> String {
        let mut lines = Vec::new();
        for (label, raw) in links {
            let Some(address) = usable(raw.trim()) else {
                let message =
                    format!("the link {:?} was left out: it is not a plain http address", cut(raw, 80));
                self.note(session, message);
                continue;
            };
            let label = Text::line(&plain(label).0).0;
            let label =
                if label.is_empty() || label.as_str().contains("://") { "Link" } else { label.as_str() };
            lines.push(format!("{} {address}", cut(label, 200).trim_end()));
        }
        let mut text = lines.join("\n");
        if text.len() > MAX_PARAGRAPHS {
            self.note(session, "its links are too long for a cell and were left out");
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

/// A text without HTML, and whether the text had any HTML. Paragraphs, line breaks and list items become lines.
fn plain(raw: &str) -> (String, bool) {
    let mut out = String::with_capacity(raw.len());
    let mut found = false;
    let mut rest = raw;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let taken = if after.starts_with('<') { tag(after) } else { entity(after) };
        match taken {
            Some((text, length)) => {
                found = true;
                out.push_str(&text);
                rest = after.get(length..).unwrap_or_default();
            }
            None => {
                out.push_str(after.get(..1).unwrap_or_default());
                rest = after.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    (out, found)
}

/// The text that replaces a tag, and the length of the tag; none if the `<` does not start a tag.
fn tag(text: &str) -> Option<(String, usize)> {
    const KNOWN: [&str; 29] = [
        "p",
        "br",
        "div",
        "span",
        "a",
        "b",
        "i",
        "u",
        "em",
        "strong",
        "li",
        "ul",
        "ol",
        "h1",
        "h2",
        "h3",
        "h4",
        "code",
        "pre",
        "img",
        "hr",
        "blockquote",
        "table",
        "tr",
        "td",
        "font",
        "sup",
        "sub",
        "iframe",
    ];
    // Without a bound, many openings without an end would take quadratic time.
    let end = text.bytes().take(2000).position(|byte| byte == b'>')?;
    let inside = text.get(1..end)?;
    let closing = inside.starts_with('/');
    let name: String = inside
        .trim_start_matches('/')
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_lowercase();
    if !KNOWN.contains(&name.as_str()) {
        return None;
    }
    let replaced = match (name.as_str(), closing) {
        ("br", _) | ("tr" | "div", true) => "\n",
        ("p" | "h1" | "h2" | "h3" | "h4" | "ul" | "ol" | "pre" | "blockquote", true) => "\n\n",
        ("li", false) => "\n• ",
        _ => "",
    };
    Some((replaced.to_owned(), end + 1))
}

/// The character and the length of an entity; none if the `&` does not start an entity.
fn entity(text: &str) -> Option<(String, usize)> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let name = text.get(1..end)?;
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "rsquo" => '’',
        "lsquo" => '‘',
        "ldquo" => '“',
        "rdquo" => '”',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((c.to_string(), end + 1))
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

    #[test]
    fn html_becomes_lines_and_other_signs_stay() {
        let (text, found) = plain("<p>One &amp; two<br/>three</p><ul><li>x</li></ul>it&#39;s <b>bold</b>");
        assert_eq!((text.as_str(), found), ("One & two\nthree\n\n\n• x\n\nit's bold", true));
        for text in ["p < 0.05 and q > 1", "AT&T; R&D", "a <- b", "<3", "Vec<u8> & so on"] {
            assert_eq!(plain(text), (text.to_owned(), false));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[<>&;#a-z/é ]{0,60}", most in 0..20usize) {
            plain(&text);
            prop_assert!(cut(&text, most).len() <= most);
        }
    }
}
