//! The page of changes, release by release. Like every public page, it never shows a withdrawn session.

use super::site::{Head, Site};
use super::when::TextSegment;
use super::write;
use crate::program::{Change, ChangeKind, Field, Session};
use crate::release::Release;
use crate::revision::EntryState;
use askama::Template;
use chrono::{DateTime, Utc};

/// A release and its changes.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseNotes<'a> {
    /// The release's number.
    pub number: u64,
    /// When the release was published.
    pub published: DateTime<Utc>,
    /// The changes of the release.
    pub changes: &'a [Change],
}

#[derive(Template)]
#[template(path = "changes.html")]
struct ChangesPage<'a> {
    site: Site<'a>,
    head: Head,
    releases: Vec<ReleaseSection>,
}

struct ReleaseSection {
    heading: String,
    published: String,
    iso: String,
    is_first: bool,
    lines: Vec<ChangeLine>,
    /// The number of further changes, in words.
    more: Option<String>,
}

/// The most changes of a release that the page lists.
const MAX_LISTED: usize = 300;

/// One change in words.
pub(super) struct ChangeLine {
    pub kind: &'static str,
    pub word: &'static str,
    pub title: String,
    /// The address of the session's page; empty if the session has no page.
    pub href: String,
    pub detail: Vec<TextSegment>,
}

/// Renders the page; `notes` are sorted newest first.
pub fn changes(release: &Release, notes: &[ReleaseNotes<'_>]) -> String {
    let site = Site::of(release);
    let published = |change: &&Change| {
        let entry = release.ledger.entries.get(&change.session);
        change.kind != ChangeKind::Withdrawn
            && entry.is_some_and(|entry| entry.state != EntryState::Withdrawn)
    };
    let more = |notes: &ReleaseNotes<'_>| {
        let more = notes.changes.iter().filter(published).count().saturating_sub(MAX_LISTED);
        (more > 0).then(|| site.words.and_more(more))
    };
    let releases = notes.iter().map(|notes| ReleaseSection {
        heading: site.words.release_heading(notes.number),
        published: site.when.full(notes.published),
        iso: super::when::When::iso(notes.published),
        is_first: notes.number == 1,
        lines: notes
            .changes
            .iter()
            .filter(published)
            .take(MAX_LISTED)
            .map(|change| line(&site, change))
            .collect(),
        more: more(notes),
    });
    let releases: Vec<ReleaseSection> =
        releases.filter(|notes| notes.is_first || !notes.lines.is_empty()).collect();
    let head = Head::public(&site, site.words.changes, site.words.changes_text, "/changes").at("changes");
    write(&ChangesPage { head, releases, site })
}

pub(super) fn line(site: &Site<'_>, change: &Change) -> ChangeLine {
    let words = site.words;
    let word = match change.kind {
        ChangeKind::Added => words.added,
        ChangeKind::Moved => words.moved,
        ChangeKind::Edited => words.edited,
        ChangeKind::Cancelled => words.cancelled,
        ChangeKind::Restored => words.restored,
        ChangeKind::Withdrawn => words.withdrawn,
    };
    let is_shown = site.release.ledger.entries.get(&change.session).is_some_and(|entry| entry.is_visible());
    let subject = change.subject();
    ChangeLine {
        kind: change.kind.as_str(),
        word,
        title: subject.map_or_else(|| change.session.to_string(), |session| session.title.to_string()),
        href: if is_shown { format!("/sessions/{}", change.session) } else { String::new() },
        detail: detail(site, change),
    }
}

fn detail(site: &Site<'_>, change: &Change) -> Vec<TextSegment> {
    match (change.kind, change.before.as_deref(), change.after.as_deref()) {
        (ChangeKind::Moved, Some(before), Some(after)) => moved(site, before, after),
        (ChangeKind::Edited, ..) => {
            let fields = change.fields();
            let texts = fields.iter().map(|field| {
                // An old title fits on a line; an old abstract does not.
                match field.field == Field::Title && !field.from.is_empty() {
                    true => site.words.title_changed(&field.from),
                    false => site.words.field(field.field).to_owned(),
                }
            });
            let text = texts.collect::<Vec<_>>().join(", ");
            if text.is_empty() { Vec::new() } else { vec![TextSegment::plain(text)] }
        }
        _ => change.subject().map(|session| place(site, session)).unwrap_or_default(),
    }
}

/// `Tue, Mar 25, 11:00 am → 11:15 am (Track 1)`
fn moved(site: &Site<'_>, before: &Session, after: &Session) -> Vec<TextSegment> {
    let (from, to) = (before.slot.start, after.slot.start);
    let mut segments = vec![site.when.moment_segment(from)];
    if from != to {
        let is_same_day = site.when.civil_date(from) == site.when.civil_date(to);
        segments.push(TextSegment::plain(" → "));
        segments.push(if is_same_day { site.when.time_segment(to) } else { site.when.moment_segment(to) });
    }
    let (was, is) = (track_and_room(site, before), track_and_room(site, after));
    match (was == is, is.is_empty()) {
        (true, true) => {}
        (true, false) => segments.push(TextSegment::plain(format!(" ({is})"))),
        _ => segments.push(TextSegment::plain(format!(" ({was} → {is})"))),
    }
    segments
}

fn place(site: &Site<'_>, session: &Session) -> Vec<TextSegment> {
    let names = track_and_room(site, session);
    let names = if names.is_empty() { names } else { format!(", {names}") };
    vec![site.when.stamp_segment(session.slot.start), TextSegment::plain(names)]
}

/// The track and the room of a session.
fn track_and_room(site: &Site<'_>, session: &Session) -> String {
    let track = session.track.as_ref().and_then(|slug| site.track(slug)).map(|track| &track.name);
    track.into_iter().chain(&session.slot.room).map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
