//! The page of changes, release by release. Like every public page, it never shows a withdrawn session.

use super::site::{Head, Site};
use super::text::fill;
use super::write;
use crate::program::{Change, ChangeKind, Field, Session};
use crate::release::Release;
use crate::revision::Standing;
use askama::Template;
use chrono::{DateTime, Utc};

/// A release and what it changed.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseNotes<'a> {
    /// Its number.
    pub number: u64,
    /// When it was published.
    pub published: DateTime<Utc>,
    /// What it changed.
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
}

/// One change in words.
pub(super) struct ChangeLine {
    pub kind: &'static str,
    pub word: &'static str,
    pub title: String,
    /// The session's page; empty where it has none.
    pub href: String,
    pub detail: String,
}

/// Renders the page; `notes` come newest first.
pub fn changes(release: &Release, notes: &[ReleaseNotes<'_>]) -> String {
    let site = Site::of(release);
    let published = |change: &&Change| {
        let entry = release.ledger.entries.get(&change.session);
        change.kind != ChangeKind::Withdrawn
            && entry.is_some_and(|entry| entry.standing != Standing::Withdrawn)
    };
    let releases = notes.iter().map(|notes| ReleaseSection {
        heading: fill(site.words.release_heading, &[("n", &notes.number.to_string())]),
        published: site.when.full(notes.published),
        iso: super::when::When::iso(notes.published),
        is_first: notes.number == 1,
        lines: notes.changes.iter().filter(published).map(|change| line(&site, change)).collect(),
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

fn detail(site: &Site<'_>, change: &Change) -> String {
    let before = change.before.as_deref();
    match change.kind {
        ChangeKind::Moved => {
            let now = change.after.as_deref().map(|session| place(site, session)).unwrap_or_default();
            let was = before.map(|session| place(site, session)).unwrap_or_default();
            format!("{now} ({})", fill(site.words.was, &[("before", &was)]))
        }
        ChangeKind::Edited => {
            let fields = change.fields();
            let said = fields.iter().map(|field| {
                let name = field.field;
                // An old title fits on a line; an old abstract does not.
                let is_short = name == Field::Title && !field.from.is_empty();
                let was = fill(site.words.was, &[("before", &format!("“{}”", field.from))]);
                if is_short { format!("{name} ({was})") } else { name.to_string() }
            });
            said.collect::<Vec<_>>().join(", ")
        }
        _ => change.subject().map(|session| place(site, session)).unwrap_or_default(),
    }
}

fn place(site: &Site<'_>, session: &Session) -> String {
    let track = session.track.as_ref().and_then(|slug| site.track(slug)).map(|track| &track.name);
    let wheres = track.into_iter().chain(&session.slot.room).map(|name| format!(", {name}"));
    format!("{}{}", site.when.stamp(session.slot.start), wheres.collect::<String>())
}
