//! The organizer's desk: the sign-in, the live release, the releases that wait, and the stored ones. Calendars, deliveries
//! and the followed source have files of their own.
//!
//! The pages take plain values, because the publisher is in a layer above.

mod calendars;
mod deliveries;
mod followed;

pub use calendars::{CalendarCount, CalendarKind};
pub use deliveries::{MessageChannel, OutboxStatus, ReachRow};
pub use followed::{FollowedSource, SourceConflict};

use super::changes::{ChangeLine, line};
use super::preview::{ConfirmForm, FaultLine, ProgramSource, in_program_order, kinds};
use super::site::{Head, Site};
use super::write;
use crate::program::Change;
use crate::release::Release;
use crate::texts::Texts;
use askama::Template;
use calendars::{CalendarRow, share};
use chrono::{DateTime, Utc};
use deliveries::{ReachLine, outbox_line};
use followed::FollowedView;

/// The content of the organizer's first page.
#[derive(Debug, Clone, Default)]
pub struct DeskStatus {
    /// The label of the secret that signed in.
    pub who: String,
    /// The form that redirected to the page. The page confirms it.
    pub done: Option<DeskDone>,
    /// The last attempt to publish since the start.
    pub last: Option<LastAttempt>,
    /// The releases that wait for a confirmation, newest first.
    pub held: Vec<HeldRelease>,
    /// The program file, if it is ignored because it is older than the live release.
    pub stale: Option<String>,
    /// Since when a saved program file could not be stored, and why.
    pub unstored: Option<(DateTime<Utc>, String)>,
    /// The followed source, if any.
    pub source: Option<FollowedSource>,
    /// The causes that stop tasks of the server.
    pub stopped: Vec<String>,
    /// The release on the schedule.
    pub planned: Option<ScheduledRelease>,
    /// The calendars that were fetched in the last two days.
    pub calendars: Vec<CalendarCount>,
    /// Since when calendars that anybody may fetch are counted.
    pub counted_since: Option<DateTime<Utc>>,
    /// The deliveries that wait or were given up, by channel.
    pub outbox: Vec<OutboxStatus>,
    /// How the messages about each listed release fared, newest first.
    pub reach: Vec<ReachRow>,
    /// The stored releases, newest first.
    pub releases: Vec<ReleaseRow>,
}

/// A form of the desk, after it was submitted with success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeskDone {
    /// A release was published.
    Published,
    /// The program equals the live one, so nothing was published.
    Unchanged,
    /// A held release was discarded.
    Discarded,
    /// The held or scheduled release was no longer there.
    Gone,
    /// A release was put on the schedule.
    Scheduled,
    /// The schedule was emptied.
    Unscheduled,
}

impl DeskDone {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Published, "published"),
        (Self::Unchanged, "unchanged"),
        (Self::Discarded, "discarded"),
        (Self::Gone, "gone"),
        (Self::Scheduled, "scheduled"),
        (Self::Unscheduled, "unscheduled"),
    ];

    /// Reads the value of `?done=`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(done, _)| *done)
    }

    /// The value of `?done=`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(done, _)| *done == self).map(|(_, name)| *name).unwrap_or_default()
    }

    fn text(self, words: &Texts, release: u64) -> String {
        match self {
            Self::Published => words.done_published(release),
            Self::Unchanged => words.done_unchanged(release),
            Self::Discarded => words.done_discarded.to_owned(),
            Self::Gone => words.done_gone.to_owned(),
            Self::Scheduled => words.done_scheduled.to_owned(),
            Self::Unscheduled => words.done_unscheduled.to_owned(),
        }
    }
}

/// An attempt to publish.
#[derive(Debug, Clone)]
pub struct LastAttempt {
    /// When it was made.
    pub at: DateTime<Utc>,
    /// The program's source.
    pub source: ProgramSource,
    /// The result.
    pub outcome: AttemptOutcome,
    /// The faults of its file.
    pub faults: Vec<FaultLine>,
}

/// The result of an attempt to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// A release was published.
    Published(u64),
    /// The program equals the release.
    Unchanged(u64),
    /// The program has errors.
    Refused(usize),
    /// The guard holds the release, for these reasons.
    Held(Vec<String>),
    /// The attempt failed, for this reason.
    Failed(String),
}

impl AttemptOutcome {
    fn in_words(&self, words: &Texts) -> String {
        match self {
            Self::Published(release) => words.attempt_published(*release),
            Self::Unchanged(release) => words.attempt_unchanged(*release),
            Self::Refused(errors) => words.attempt_refused(*errors),
            Self::Held(reasons) => words.attempt_held(&reasons.join("; ")),
            Self::Failed(reason) => words.attempt_failed(reason),
        }
    }
}

/// A release that waits for a confirmation.
#[derive(Debug, Clone)]
pub struct HeldRelease {
    /// When the release was held.
    pub since: DateTime<Utc>,
    /// The source of the release.
    pub source: ProgramSource,
    /// Why the release is held.
    pub reasons: Vec<String>,
    /// The digest that a confirmation must name.
    pub digest: String,
    /// The changes that the release would publish.
    pub changes: Vec<Change>,
    /// Whether the page offers to discard the release.
    pub is_discardable: bool,
}

/// A release on the schedule.
#[derive(Debug, Clone)]
pub struct ScheduledRelease {
    /// When the release will be published.
    pub at: DateTime<Utc>,
    /// When the release was scheduled, which distinguishes it from a later one.
    pub made: DateTime<Utc>,
    /// The label of the secret that scheduled the release.
    pub who: String,
}

/// A stored release.
#[derive(Debug, Clone)]
pub struct ReleaseRow {
    /// The release's number.
    pub number: u64,
    /// When the release was published.
    pub published: DateTime<Utc>,
    /// The source of the release.
    pub source: ProgramSource,
    /// The label of the secret that published the release.
    pub who: String,
    /// The number of sessions that the release changed.
    pub changes: usize,
    /// Whether the release's CSV is stored, so that the release can be published again.
    pub has_text: bool,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    site: Site<'a>,
    head: Head,
    /// A fault of the last request, which is announced.
    fault: &'static str,
    /// The confirmation of the last request.
    done: &'static str,
}

/// Why the sign-in form is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInReason {
    /// The browser is not signed in.
    New,
    /// The secret was wrong.
    Wrong,
    /// The sign-in that the request needs has ended.
    Expired,
    /// The browser was signed out.
    SignedOut,
}

#[derive(Template)]
#[template(path = "desk.html")]
struct DeskPage<'a> {
    site: Site<'a>,
    head: Head,
    desk: &'a DeskStatus,
    done: String,
    live: Vec<Fact>,
    held: Vec<HeldView<'a>>,
    stale: Option<String>,
    unstored: Option<String>,
    source: Option<FollowedView<'a>>,
    planned: Option<PlannedView>,
    calendars: Vec<CalendarRow>,
    /// The heads of the columns of releases.
    calendars_live: String,
    calendars_note: String,
    outbox: Vec<(&'static str, String)>,
    reach: Vec<ReachLine<'a>>,
    last: Option<String>,
    faults: &'a [FaultLine],
    releases: Vec<ReleaseCard<'a>>,
}

/// A label with its value.
struct Fact {
    label: &'static str,
    value: String,
}

/// The most changes of a held release that the desk lists. The preview lists all of them.
const MAX_LISTED_CHANGES: usize = 100;

struct HeldView<'a> {
    held: &'a HeldRelease,
    heading: String,
    summary: String,
    confirm: ConfirmForm<'a>,
    lines: Vec<ChangeLine>,
    more: Option<String>,
}

impl<'a> HeldView<'a> {
    fn of(site: &Site<'_>, held: &'a HeldRelease) -> Self {
        let words = site.words;
        let (changes, more) = (held.changes.len(), held.changes.len().saturating_sub(MAX_LISTED_CHANGES));
        let listed = in_program_order(site, &held.changes).into_iter().take(MAX_LISTED_CHANGES);
        Self {
            held,
            heading: words.held_since(&held.source.in_words(words), &site.when.full(held.since)),
            summary: words.preview_summary(&words.preview_changes(changes), &kinds(site, &held.changes)),
            confirm: ConfirmForm::of(site, &held.digest, &held.reasons, &held.changes),
            lines: listed.map(|change| line(site, change)).collect(),
            more: (more > 0).then(|| words.held_more(more)),
        }
    }
}

struct PlannedView {
    text: String,
    /// Identifies the schedule in the form that cancels it.
    made: String,
}

struct ReleaseCard<'a> {
    stored: &'a ReleaseRow,
    is_live: bool,
    at: String,
    source: String,
    changes: String,
    restore: String,
    /// The share of calendars that have the release, in all and by app; none if no calendar was fetched.
    share: Option<(String, String)>,
}

/// How many releases show their share of calendars. Calendars with older ones count together.
const SHARED_RELEASES: u64 = 8;

impl<'a> ReleaseCard<'a> {
    fn of(site: &Site<'_>, stored: &'a ReleaseRow, calendars: &[CalendarCount]) -> Self {
        let words = site.words;
        Self {
            stored,
            is_live: stored.number == site.release.number(),
            at: site.when.full(stored.published),
            source: stored.source.in_words(words),
            changes: words.preview_changes(stored.changes),
            restore: words.restore_release(stored.number),
            share: if stored.number + SHARED_RELEASES > site.release.number() {
                share(site, stored.number, calendars)
            } else {
                None
            },
        }
    }
}

/// The sign-in form.
pub fn sign_in(release: &Release, reason: SignInReason) -> String {
    let site = Site::of(release);
    let (fault, done) = match reason {
        SignInReason::New => ("", ""),
        SignInReason::Wrong => (site.words.sign_in_wrong, ""),
        SignInReason::Expired => (site.words.sign_in_expired, ""),
        SignInReason::SignedOut => ("", site.words.signed_out),
    };
    write(&SignInPage { head: Head::secret(&site, site.words.sign_in), fault, done, site })
}

/// The organizer's first page.
pub fn desk(release: &Release, desk: &DeskStatus) -> String {
    let site = Site::of(release);
    let words = site.words;
    write(&DeskPage {
        head: Head::desk(&site, words.organizer),
        desk,
        done: desk.done.map(|done| done.text(words, release.number())).unwrap_or_default(),
        live: live_facts(&site, desk),
        held: desk.held.iter().map(|held| HeldView::of(&site, held)).collect(),
        stale: desk.stale.as_ref().map(|file| words.stale_file(file)),
        unstored: desk
            .unstored
            .as_ref()
            .map(|(since, reason)| words.unstored_file(&site.when.full(*since), reason)),
        source: desk.source.as_ref().map(|source| FollowedView::of(&site, source)),
        planned: desk.planned.as_ref().map(|planned| planned_view(&site, planned)),
        calendars: desk.calendars.iter().map(|count| CalendarRow::of(&site, count)).collect(),
        calendars_live: words.has_release(release.number()),
        calendars_note: desk
            .counted_since
            .map(|since| words.calendars_text(&site.when.full(since)))
            .unwrap_or_default(),
        outbox: desk.outbox.iter().map(|outbox| outbox_line(&site, outbox)).collect(),
        reach: desk.reach.iter().map(|row| ReachLine::of(&site, row)).collect(),
        last: desk.last.as_ref().map(|last| {
            let (source, outcome) = (last.source.in_words(words), last.outcome.in_words(words));
            words.attempt(&site.when.full(last.at), &source, &outcome)
        }),
        faults: desk.last.as_ref().map(|last| last.faults.as_slice()).unwrap_or_default(),
        releases: desk
            .releases
            .iter()
            .map(|stored| ReleaseCard::of(&site, stored, &desk.calendars))
            .collect(),
        site: site.clone(),
    })
}

/// The facts about the live release: its number with its time, source and sessions.
fn live_facts(site: &Site<'_>, desk: &DeskStatus) -> Vec<Fact> {
    let (words, release) = (site.words, site.release);
    let sessions = release.program.order().len();
    let stored = desk.releases.iter().find(|stored| stored.number == release.number());
    let mut facts = vec![
        Fact { label: words.release_column, value: release.number().to_string() },
        Fact { label: words.published_column, value: site.when.full(release.published()) },
    ];
    if let Some(stored) = stored {
        facts.push(Fact { label: words.origin_column, value: stored.source.in_words(words) });
        if !stored.who.is_empty() {
            facts.push(Fact { label: words.who_column, value: stored.who.clone() });
        }
    }
    facts.push(Fact { label: words.sessions_column, value: sessions.to_string() });
    facts
}

fn planned_view(site: &Site<'_>, planned: &ScheduledRelease) -> PlannedView {
    let words = site.words;
    let [at, made] = [planned.at, planned.made].map(|at| site.when.full(at));
    let text = match planned.who.as_str() {
        "" => words.planned(&at, &made),
        who => words.planned_by(&at, &made, who),
    };
    PlannedView { text, made: planned.made.to_rfc3339() }
}
