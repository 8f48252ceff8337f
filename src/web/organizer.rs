//! The organizer's pages: sign-in, status, upload, preview, releases.
//!
//! The pages take plain values, because the publisher is in a layer above.

use super::changes::{ChangeLine, line};
use super::site::{Head, Site};
use super::write;
use crate::program::{Change, Text};
use crate::release::Release;
use askama::Template;
use chrono::{DateTime, Utc};

/// The content of the organizer's first page.
#[derive(Debug, Clone, Default)]
pub struct DeskStatus {
    /// The label of the secret that signed in.
    pub who: String,
    /// The last attempt to publish: its time, its outcome in words, and the faults of its file.
    pub last: Option<(DateTime<Utc>, String, Vec<FaultLine>)>,
    /// The releases that wait for a confirmation, newest first.
    pub held: Vec<HeldRelease>,
    /// The program file, if it is ignored because it is older than the live release.
    pub stale: Option<String>,
    /// The percentage of the read links polled in the last two days whose clients have the live release.
    pub current: Option<u8>,
    /// The stored releases, newest first.
    pub releases: Vec<KeptRelease>,
}

/// A release that waits for a confirmation.
#[derive(Debug, Clone)]
pub struct HeldRelease {
    /// When the release was held.
    pub since: DateTime<Utc>,
    /// The source of the release, in words.
    pub origin: String,
    /// Why the release is held.
    pub reasons: Vec<String>,
    /// The digest that a confirmation must name.
    pub digest: String,
    /// The changes that the release would publish.
    pub changes: Vec<Change>,
    /// Whether the page offers to discard the release.
    pub is_discardable: bool,
}

/// A fault of a file, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultLine {
    /// Whether the fault is an error, so that the file cannot be published.
    pub is_error: bool,
    /// The place of the fault, e.g. `line 12, end`; empty for the whole file.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

/// A stored release.
#[derive(Debug, Clone)]
pub struct KeptRelease {
    /// The release's number.
    pub number: u64,
    /// When the release was published.
    pub published: DateTime<Utc>,
    /// The source of the release, in words.
    pub origin: String,
    /// The label of the secret that published the release.
    pub who: String,
    /// The number of sessions that the release changed.
    pub changes: usize,
    /// Whether the release's CSV is stored, so that the release can be published again.
    pub has_text: bool,
}

/// The effect of a release that is not published yet.
#[derive(Debug, Clone, Default)]
pub struct PreviewContent {
    /// Errors and warnings of the file.
    pub faults: Vec<FaultLine>,
    /// The changes that the release would publish.
    pub changes: Vec<Change>,
    /// The number of agendas that contain a changed session, and the number that would get a new overlap.
    pub blast: Option<(usize, usize)>,
    /// The changed sessions that are in the most agendas: title and number of agendas.
    pub most_held: Vec<(Text, usize)>,
    /// The reasons why the guard would hold the release; empty if it would not.
    pub reasons: Vec<String>,
    /// The digest that a confirmation must name; none if the release cannot be published.
    pub digest: Option<String>,
    /// Whether another release was published since an earlier preview of this release.
    pub superseded: bool,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    site: Site<'a>,
    head: Head,
    is_wrong: bool,
}

#[derive(Template)]
#[template(path = "desk.html")]
struct DeskPage<'a> {
    site: Site<'a>,
    head: Head,
    desk: &'a DeskStatus,
    held: Vec<HeldView<'a>>,
    stale: Option<String>,
    running: String,
    share: Option<String>,
    last: Option<(String, &'a str)>,
    faults: &'a [FaultLine],
    releases: Vec<(&'a KeptRelease, String)>,
}

/// The most changes of a held release that the desk lists. The preview lists all of them.
const LISTED: usize = 100;

struct HeldView<'a> {
    held: &'a HeldRelease,
    heading: String,
    lines: Vec<ChangeLine>,
    more: Option<String>,
}

impl<'a> HeldView<'a> {
    fn of(site: &Site<'_>, held: &'a HeldRelease) -> Self {
        let more = held.changes.len().saturating_sub(LISTED);
        Self {
            held,
            heading: site.words.held_since(&held.origin, &site.when.full(held.since)),
            lines: lines(site, &held.changes, LISTED),
            more: (more > 0).then(|| site.words.held_more(more)),
        }
    }
}

/// Changes in the order of the program after the changes.
fn lines(site: &Site<'_>, changes: &[Change], most: usize) -> Vec<ChangeLine> {
    let mut changes: Vec<&Change> = changes.iter().collect();
    changes.sort_by_key(|change| change.subject().map(|session| session.slot.start));
    changes.into_iter().take(most).map(|change| line(site, change)).collect()
}

#[derive(Template)]
#[template(path = "preview.html")]
struct PreviewPage<'a> {
    site: Site<'a>,
    head: Head,
    preview: &'a PreviewContent,
    summary: String,
    faults: &'a [FaultLine],
    lines: Vec<ChangeLine>,
    blast: Option<String>,
    most_held: Vec<(&'a Text, String)>,
    guard: Option<String>,
    superseded: Option<String>,
}

/// The sign-in form.
pub fn sign_in(release: &Release, is_wrong: bool) -> String {
    let site = Site::of(release);
    write(&SignInPage { head: Head::secret(&site, site.words.sign_in), is_wrong, site })
}

/// The organizer's first page.
pub fn desk(release: &Release, desk: &DeskStatus) -> String {
    let site = Site::of(release);
    let words = site.words;
    let sessions = words.sessions(release.program.order().len());
    let running = words.running(release.number(), &site.when.full(release.published()), &sessions);
    write(&DeskPage {
        head: Head::secret(&site, site.words.organizer),
        desk,
        held: desk.held.iter().map(|held| HeldView::of(&site, held)).collect(),
        stale: desk.stale.as_ref().map(|file| words.stale_file(file)),
        running,
        share: desk.current.map(|share| words.current_share(share)),
        last: desk.last.as_ref().map(|(at, what, _)| (site.when.full(*at), what.as_str())),
        faults: desk.last.as_ref().map(|(_, _, faults)| faults.as_slice()).unwrap_or_default(),
        releases: desk.releases.iter().map(|kept| (kept, site.when.full(kept.published))).collect(),
        site: site.clone(),
    })
}

/// A preview: the changes of a release, and the button that publishes it.
pub fn preview(release: &Release, preview: &PreviewContent) -> String {
    let site = Site::of(release);
    let words = site.words;
    let errors = preview.faults.iter().filter(|fault| fault.is_error).count();
    let summary = match (errors, preview.changes.len()) {
        (0, 0) => words.preview_nothing.to_owned(),
        (0, n) => words.preview_changes(n),
        (n, _) => words.preview_errors(n),
    };
    let blast =
        preview.blast.map(|(agendas, overlaps)| words.blast(agendas, &words.blast_overlaps(overlaps)));
    let agendas = |count: usize| words.in_agendas(count);
    let guard = (!preview.reasons.is_empty()).then(|| words.guard(&preview.reasons.join("; ")));
    let superseded =
        preview.superseded.then(|| words.superseded(release.number(), &site.when.full(release.published())));
    write(&PreviewPage {
        head: Head::secret(&site, words.preview),
        preview,
        summary,
        faults: &preview.faults,
        lines: lines(&site, &preview.changes, usize::MAX),
        blast,
        most_held: preview.most_held.iter().map(|(title, count)| (title, agendas(*count))).collect(),
        guard,
        superseded,
        site: site.clone(),
    })
}
