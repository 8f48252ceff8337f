//! The preview of a release: what it would change, day by day, with the old text beside the new one.
//!
//! The page takes plain values, because the publisher is in a layer above. The number that confirms a held release is
//! defined here, since the page asks for it and the `http` layer checks it.

use super::changes::{ChangeLine, line};
use super::site::{Head, Site};
use super::when::When;
use super::write;
use crate::program::{
    Change, ChangeKind, Field, FieldChange, Session, SessionId, SessionKind, Slug, Status, Text,
};
use crate::release::Release;
use crate::texts::Texts;
use askama::Template;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The effect of a release that is not published yet.
#[derive(Debug, Clone, Default)]
pub struct PreviewContent {
    /// The key of the kept program, which is in the page's address.
    pub key: String,
    /// Where the program comes from.
    pub source: ProgramSource,
    /// Errors and warnings of the file.
    pub faults: Vec<FaultLine>,
    /// The changes that the release would publish.
    pub changes: Vec<Change>,
    /// The sessions that go back to a state before later releases, each with the last release that changed it.
    pub reverted: BTreeMap<SessionId, u64>,
    /// The rows of the changed sessions in the file.
    pub rows: BTreeMap<SessionId, WrittenRow>,
    /// The rows of the sessions that the file lacks, in the live program.
    pub former_rows: BTreeMap<SessionId, WrittenRow>,
    /// The number of agendas that contain a changed session, and the number that would get a new overlap.
    pub impact: Option<(usize, usize)>,
    /// The changed sessions that are in the most agendas: title and number of agendas.
    pub most_held: Vec<(Text, usize)>,
    /// The reasons why the guard would hold the release; empty if it would not.
    pub reasons: Vec<String>,
    /// The digest that a confirmation must name; none if the release cannot be published.
    pub digest: Option<String>,
    /// Why the last attempt to publish the release failed.
    pub fault: Option<PreviewFault>,
}

/// Where a program comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProgramSource {
    /// The first start.
    First,
    /// The watched program file.
    File,
    /// An upload.
    #[default]
    Upload,
    /// An earlier release.
    Restored(u64),
    /// A changed config.
    Config,
    /// A newer version of Callboard.
    Upgrade,
    /// A restored backup.
    Backup,
    /// The schedule.
    Schedule,
    /// The program elsewhere that is followed.
    Followed,
}

impl ProgramSource {
    pub(super) fn in_words(self, words: &Texts) -> String {
        match self {
            Self::First => words.origin_first.to_owned(),
            Self::File => words.origin_file.to_owned(),
            Self::Upload => words.origin_upload.to_owned(),
            Self::Restored(of) => words.origin_rollback(of),
            Self::Config => words.origin_config.to_owned(),
            Self::Upgrade => words.origin_upgrade.to_owned(),
            Self::Backup => words.origin_restored.to_owned(),
            Self::Schedule => words.origin_scheduled.to_owned(),
            Self::Followed => words.origin_source.to_owned(),
        }
    }
}

/// A fault of a file, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultLine {
    /// Whether the fault is an error, so that the file cannot be published.
    pub is_error: bool,
    /// The place of the fault, e.g. `line 12, end`; empty for the whole file.
    pub place: String,
    /// The fault, as a sentence.
    pub message: String,
    /// The text to write instead.
    pub remedy: String,
}

/// Why a release was not published as its preview asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreviewFault {
    /// Another release was published since the preview.
    Superseded,
    /// The typed number is not the one that confirms the release.
    WrongNumber(String),
    /// The time is missing, past, or does not exist in the venue's zone.
    BadTime,
}

/// A row of a program file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRow {
    /// The physical line on which the row starts.
    pub line: u64,
    /// The row as written.
    pub text: String,
}

/// The number that an organizer types to publish a held release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TypedNumber {
    /// How many sessions the release removes.
    Removed(usize),
    /// How many sessions the release changes, if it removes none.
    Changed(usize),
}

impl TypedNumber {
    /// The number that confirms a release with these changes.
    pub fn of(changes: &[Change]) -> Self {
        let is_removed =
            |change: &&Change| matches!(change.kind, ChangeKind::Cancelled | ChangeKind::Withdrawn);
        match changes.iter().filter(is_removed).count() {
            0 => Self::Changed(changes.len()),
            removed => Self::Removed(removed),
        }
    }

    /// Whether a typed text is the number, with or without separators of thousands.
    pub fn is(self, typed: &str) -> bool {
        let (Self::Removed(number) | Self::Changed(number)) = self;
        let is_separator = |c: char| [',', '.', '’', '\'', ' ', '\u{a0}', '\u{202f}'].contains(&c);
        typed.trim().replace(is_separator, "").parse() == Ok(number)
    }
}

#[derive(Template)]
#[template(path = "preview.html")]
struct PreviewPage<'a> {
    site: Site<'a>,
    head: Head,
    source: String,
    summary: String,
    impact: Option<String>,
    superseded: Option<String>,
    confirm: Option<ConfirmForm<'a>>,
    /// The zone in which a time of publication is entered, and the text that announces a wrong time.
    zone: String,
    time_fault: &'static str,
    faults: &'a [FaultLine],
    /// Whether a fault is an error, so that the page asks for another file.
    is_faulty: bool,
    /// The changes that take back those of later releases, by release.
    reverted: Vec<RevertedRelease<'a>>,
    days: Vec<PreviewDay<'a>>,
    /// Whether there are no changes but those of breaks and meals, which are then not folded.
    has_only_breaks: bool,
    most_held: Vec<(&'a Text, String)>,
}

/// The form that publishes a release. A held release needs the typed number.
pub(super) struct ConfirmForm<'a> {
    pub digest: &'a str,
    /// The key of the kept program; empty on the desk.
    pub key: &'a str,
    pub reasons: &'a [String],
    /// The label of the field for the number, with the number.
    pub label: String,
    /// The text that announces a wrong number.
    pub fault: Option<String>,
}

impl<'a> ConfirmForm<'a> {
    pub(super) fn of(site: &Site<'_>, digest: &'a str, reasons: &'a [String], changes: &[Change]) -> Self {
        let words = site.words;
        let label = match TypedNumber::of(changes) {
            TypedNumber::Removed(n) => words.type_removed(n),
            TypedNumber::Changed(n) => words.type_changed(n),
        };
        Self { digest, key: "", reasons, label, fault: None }
    }

    pub(super) fn is_held(&self) -> bool {
        !self.reasons.is_empty()
    }
}

/// Changes that take back what a release changed.
struct RevertedRelease<'a> {
    release: u64,
    heading: String,
    lines: Vec<PreviewLine<'a>>,
}

/// The changes of one day.
struct PreviewDay<'a> {
    id: String,
    heading: String,
    count: String,
    lines: Vec<PreviewLine<'a>>,
    /// Changed breaks and meals, folded below their number.
    breaks: Vec<PreviewLine<'a>>,
    breaks_label: String,
}

/// A change with its fields and its row.
struct PreviewLine<'a> {
    change: ChangeLine,
    range: String,
    fields: Vec<FieldLine>,
    row: Option<&'a WrittenRow>,
    row_label: String,
}

struct FieldLine {
    name: &'static str,
    from: String,
    to: String,
}

/// The most changes that are listed with their fields and rows. Further ones are listed with a line each.
const MAX_DETAILED: usize = 500;

/// Renders the preview.
pub fn preview(release: &Release, preview: &PreviewContent) -> String {
    let site = Site::of(release);
    let words = site.words;
    let superseded = (preview.fault == Some(PreviewFault::Superseded))
        .then(|| words.superseded(release.number(), &site.when.full(release.published())));
    let confirm = preview.digest.as_ref().map(|digest| {
        let mut form = ConfirmForm::of(&site, digest, &preview.reasons, &preview.changes);
        form.key = &preview.key;
        if let Some(PreviewFault::WrongNumber(typed)) = &preview.fault {
            form.fault = Some(words.wrong_number(typed));
        }
        form
    });
    let (reverted, days) = (reverted(&site, preview), days(&site, preview));
    write(&PreviewPage {
        head: Head::desk(&site, words.preview),
        source: words.preview_source(&preview.source.in_words(words)),
        summary: summary(&site, preview),
        impact: preview
            .impact
            .map(|(agendas, overlaps)| words.impact(agendas, &words.impact_overlaps(overlaps))),
        superseded,
        confirm,
        zone: site.when.zone.name().replace('_', " "),
        time_fault: if preview.fault == Some(PreviewFault::BadTime) { words.wrong_time } else { "" },
        faults: &preview.faults,
        is_faulty: preview.faults.iter().any(|fault| fault.is_error),
        has_only_breaks: reverted.is_empty() && days.iter().all(|day| day.lines.is_empty()),
        reverted,
        days,
        most_held: preview.most_held.iter().map(|(title, count)| (title, words.in_agendas(*count))).collect(),
        site: site.clone(),
    })
}

/// `12 changes: 3 moved, 9 edited.`
fn summary(site: &Site<'_>, preview: &PreviewContent) -> String {
    let words = site.words;
    let errors = preview.faults.iter().filter(|fault| fault.is_error).count();
    match (errors, preview.changes.len()) {
        (0, 0) => words.preview_nothing.to_owned(),
        (0, n) => words.preview_summary(&words.preview_changes(n), &kinds(site, &preview.changes)),
        (n, _) => words.preview_errors(n),
    }
}

/// `3 moved, 1 cancelled`: the number of changes of each kind.
pub(super) fn kinds(site: &Site<'_>, changes: &[Change]) -> String {
    let words = site.words;
    let count = |kind| changes.iter().filter(|change| change.kind == kind).count();
    let text = |kind| match (kind, count(kind)) {
        (_, 0) => None,
        (ChangeKind::Added, n) => Some(words.n_added(n)),
        (ChangeKind::Moved, n) => Some(words.n_moved(n)),
        (ChangeKind::Edited, n) => Some(words.n_edited(n)),
        (ChangeKind::Cancelled, n) => Some(words.n_cancelled(n)),
        (ChangeKind::Restored, n) => Some(words.n_restored(n)),
        (ChangeKind::Withdrawn, n) => Some(words.n_withdrawn(n)),
    };
    let kinds = [
        ChangeKind::Added,
        ChangeKind::Moved,
        ChangeKind::Edited,
        ChangeKind::Cancelled,
        ChangeKind::Restored,
        ChangeKind::Withdrawn,
    ];
    kinds.into_iter().filter_map(text).collect::<Vec<_>>().join(", ")
}

/// Changes in the order of the program after the changes.
pub(super) fn in_program_order<'a>(site: &Site<'_>, changes: &'a [Change]) -> Vec<&'a Change> {
    let mut changes: Vec<&Change> = changes.iter().collect();
    changes.sort_by_key(|change| {
        change.subject().map(|session| {
            let track = session.track.as_ref().and_then(|slug| site.track_place(slug));
            (session.slot.start, track.unwrap_or(usize::MAX))
        })
    });
    changes
}

/// The changes that take back those of later releases. They are listed apart, because nobody meant them.
fn reverted<'a>(site: &Site<'_>, preview: &'a PreviewContent) -> Vec<RevertedRelease<'a>> {
    let mut releases: BTreeMap<u64, Vec<PreviewLine<'_>>> = BTreeMap::new();
    for (place, change) in in_program_order(site, &preview.changes).into_iter().enumerate() {
        if let Some(release) = preview.reverted.get(&change.session) {
            let line = preview_line(site, preview, change, place < MAX_DETAILED);
            releases.entry(*release).or_default().push(line);
        }
    }
    let section =
        |(release, lines)| RevertedRelease { release, heading: site.words.takes_back(release), lines };
    releases.into_iter().map(section).collect()
}

fn days<'a>(site: &Site<'_>, preview: &'a PreviewContent) -> Vec<PreviewDay<'a>> {
    let words = site.words;
    let changes = in_program_order(site, &preview.changes).into_iter().enumerate();
    let is_listed = |(_, change): &(usize, &Change)| !preview.reverted.contains_key(&change.session);
    let detailed: Vec<(usize, &Change)> = changes.filter(is_listed).collect();
    let date = |change: &Change| change.subject().map(|session| site.when.date(session.slot.start));
    let day = |chunk: &[(usize, &'a Change)]| {
        let date = date(chunk.first()?.1)?;
        let lines = |is_break: bool| -> Vec<PreviewLine<'a>> {
            let chosen = chunk.iter().filter(|(_, change)| is_pause(change) == is_break);
            chosen.map(|(place, change)| preview_line(site, preview, change, *place < MAX_DETAILED)).collect()
        };
        let breaks = lines(true);
        Some(PreviewDay {
            id: format!("day-{date}"),
            heading: site.when.day(date),
            count: words.preview_changes(chunk.len()),
            breaks_label: words.preview_breaks(breaks.len()),
            lines: lines(false),
            breaks,
        })
    };
    detailed.chunk_by(|(_, a), (_, b)| date(a) == date(b)).filter_map(day).collect()
}

fn is_pause(change: &Change) -> bool {
    change.subject().is_some_and(|session| session.kind.is_pause())
}

fn preview_line<'a>(
    site: &Site<'_>,
    preview: &'a PreviewContent,
    change: &Change,
    is_detailed: bool,
) -> PreviewLine<'a> {
    let words = site.words;
    let fields = if is_detailed { field_lines(site, change) } else { Vec::new() };
    let mut shown = line(site, change);
    if !fields.is_empty() {
        shown.detail.clear();
    }
    let (row, former) = (preview.rows.get(&change.session), preview.former_rows.get(&change.session));
    let row_label = match (row, former) {
        (Some(row), _) => words.row_line(row.line),
        (None, Some(row)) => words.row_gone(row.line),
        (None, None) => String::new(),
    };
    let range = change.subject().map(|session| site.when.range(session.slot.start, session.slot.end));
    PreviewLine {
        change: shown,
        range: range.unwrap_or_default(),
        fields,
        row: row.or(former).filter(|_| is_detailed),
        row_label,
    }
}

/// The fields that differ, as pages print them. Start and end are one field.
fn field_lines(site: &Site<'_>, change: &Change) -> Vec<FieldLine> {
    let (Some(before), Some(after)) = (&change.before, &change.after) else { return Vec::new() };
    let mut lines = Vec::new();
    if (before.slot.start, before.slot.end) != (after.slot.start, after.slot.end) {
        let [from, to] = [before, after].map(|session| when(site.when, session));
        lines.push(FieldLine { name: site.words.field_time, from, to });
    }
    let is_time = |field: &FieldChange| matches!(field.field, Field::Start | Field::End);
    lines.extend(change.fields().into_iter().filter(|field| !is_time(field)).map(|field| {
        let [from, to] = around_difference([&field.from, &field.to]);
        let [from, to] = [from, to].map(|text| value(site, field.field, text));
        FieldLine { name: site.words.field(field.field), from, to }
    }));
    lines
}

/// `Tuesday, March 25, 9:00–9:45 am`
fn when(when: When, session: &Session) -> String {
    let (start, end) = (session.slot.start, session.slot.end);
    format!("{}, {}", when.day(when.civil_date(start)), when.range(start, end))
}

/// A field's text as pages print it.
pub(super) fn value(site: &Site<'_>, field: Field, text: String) -> String {
    match field {
        Field::Track => {
            let track = Slug::parse(&text).ok().and_then(|slug| site.track(&slug));
            track.map_or(text, |track| track.name.to_string())
        }
        Field::Kind => text.parse::<SessionKind>().map_or(text, |kind| site.words.kind(kind).to_owned()),
        Field::Status => text.parse::<Status>().map_or(text, |status| site.words.status(status).to_owned()),
        _ => text,
    }
}

/// Longer texts are cut to the part that differs.
const LONG: usize = 240;

/// The characters that are shown before and after the part that differs.
const CONTEXT: usize = 60;

/// Two texts, cut to the part in which they differ if one of them is long.
fn around_difference(texts: [&str; 2]) -> [String; 2] {
    let chars = texts.map(|text| text.chars().collect::<Vec<char>>());
    let [a, b] = &chars;
    if a.len().max(b.len()) <= LONG {
        return texts.map(ToOwned::to_owned);
    }
    let same = |(a, b): &(&char, &char)| a == b;
    let start = a.iter().zip(b).take_while(same).count();
    let left = a.len().min(b.len()) - start;
    let end = a.iter().rev().zip(b.iter().rev()).take(left).take_while(same).count();
    let (from, after) = (start.saturating_sub(CONTEXT), end.saturating_sub(CONTEXT));
    chars.map(|chars| {
        let to = chars.len().saturating_sub(after);
        let shown: String = chars.get(from..to).unwrap_or_default().iter().collect();
        let [before, behind] = [from > 0, after > 0].map(|is_cut| if is_cut { "…" } else { "" });
        format!("{before}{shown}{behind}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn only_the_part_of_a_long_text_that_differs_is_shown() {
        assert_eq!(around_difference(["ab", "aXb"]), ["ab", "aXb"]);
        let long = |middle: &str| format!("{}{middle}{}", "a".repeat(300), "é".repeat(300));
        let [from, to] = around_difference([&long("old"), &long("new!")]);
        let [before, after] = ["a".repeat(60), "é".repeat(60)];
        assert_eq!(from, format!("…{before}old{after}…"));
        assert_eq!(to, format!("…{before}new!{after}…"));
        let [from, to] = around_difference(["", &long("x")]);
        assert_eq!((from.as_str(), to.len()), ("", long("x").len()));
        let doubled = "ab".repeat(200);
        let [from, to] = around_difference([&doubled, &"ab".repeat(201)]);
        assert_eq!(to.len(), from.len() + 2, "a repeated part is not counted twice");
    }

    #[test]
    fn the_number_is_that_of_the_removed_sessions_or_else_of_all_changes() {
        let release = fixtures::tricky().release();
        let sessions = release.program.order();
        let removed = sessions.iter().take(3).filter_map(|session| Change::between(Some(session), None));
        let added =
            sessions.iter().skip(3).take(2).filter_map(|session| Change::between(None, Some(session)));
        let (removed, added): (Vec<Change>, Vec<Change>) = (removed.collect(), added.collect());
        let all = [removed.clone(), added.clone()].concat();
        let expected = removed.iter().filter(|change| change.kind == ChangeKind::Cancelled).count();
        assert!(expected > 0);
        assert_eq!(TypedNumber::of(&all), TypedNumber::Removed(expected));
        assert_eq!(TypedNumber::of(&added), TypedNumber::Changed(added.len()));
        let number = TypedNumber::Removed(12);
        assert!(number.is("12") && number.is(" 12 ") && number.is("012"));
        assert!(["", "11", "twelve", "12.0", "-12"].iter().all(|typed| !number.is(typed)));
    }
}
