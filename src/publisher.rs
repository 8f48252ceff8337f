//! The one write path of the program: import, diff, advance, render, lint, persist, swap.
//!
//! Owns the live release and the order of those steps. Persisting is the last step that can fail, and is a
//! compare-and-set on the previous release's number; a failure before it changes nothing. Knows neither HTTP nor the
//! command line. `publish` holds the path itself; the other files hold its sources (program file,
//! schedule, config, restored backup), the guard, and the deliveries that follow. `StoredRelease` is a release that is
//! read back from the store.

mod advance_counters;
mod deliveries;
mod describe;
mod erase_session;
mod error;
mod follow;
mod guard;
mod held;
mod hold_reason;
mod program_file;
mod publish;
mod reminders;
mod renderer;
mod replicas;
mod reverted;
mod schedule;
mod source_status;
mod start;
mod status;
mod watch;

pub use crate::adopt::Conflict;
pub use crate::program::{ChangeDescription, FromTo, describe_changes};
pub use advance_counters::{AdvancedCounters, advance_counters};
pub use deliveries::{ClaimedMessages, spool_directory};
pub use describe::{
    Impact, OriginDescription, SessionImpact, changes_as_text, count_picks, impact, impact_as_text,
};
pub use erase_session::ErasureResult;
pub use error::{PublishError, StartError};
pub use follow::{FollowResult, SourceReading};
pub use guard::{GuardVerdict, Hold};
pub use hold_reason::HoldReason;
pub(crate) use hold_reason::join as join_reasons;
pub use publish::{Inspect, PublishJob};
pub use reminders::run_reminders;
pub use replicas::follow_replicas;
pub use schedule::{ScheduleReceipt, run_schedule};
pub use source_status::{SourceProblem, SourceStatus};
pub use start::{PublisherSettings, Started};
pub use status::{
    Attempt, AttemptResult, ConfigStatus, HeldProposal, HeldProposals, PublisherTask, Status, UnstoredFile,
};
pub use watch::watch;

use crate::clock::Clock;
use crate::config::{Mail, Publishing, Push, Source, Webhook};
use crate::import::{Report, Truncation, import, truncation};
use crate::program::{Change, Conference, Identity, Program};
use crate::reach::Outbox;
use crate::release::{Prepared, Release};
use crate::revision::{Digest, EntryState, Ledger};
use crate::store::{Charge, Origin, ReadError, Store};
use crate::web::Pages;
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch as channel};

/// Publishes releases and serves the live release.
#[derive(Debug)]
pub struct Publisher {
    current: ArcSwap<LiveRelease>,
    /// The part of the config that a reload replaces.
    settings: ArcSwap<PublisherSettings>,
    /// The watched program file.
    file: PathBuf,
    /// The deliveries that wait.
    outbox: Outbox,
    inspect: Inspect,
    store: Store,
    /// Whether this process does the work that one of several replicas does for all.
    charge: Charge,
    clock: Clock,
    /// Held for one publication at a time.
    turn: tokio::sync::Mutex<()>,
    /// Notified when a release is scheduled or unscheduled.
    rescheduled: Notify,
    /// Notified when reminders may be due earlier: a release is live, or a device asked for reminders.
    reminders_changed: Notify,
    /// The last state that the file system reported of the program file.
    writer: channel::Sender<watch::WriterState>,
    state: Mutex<Status>,
    announce: channel::Sender<u64>,
    preparation: publish::Preparation,
}

/// The live release with everything that is served from it; swapped as one.
#[derive(Debug)]
pub struct LiveRelease {
    /// The release.
    pub release: Arc<Release>,
    /// The release's public pages.
    pub pages: Pages,
    /// Whether this process linted its feeds. If so, the next release's lint skips the feeds that did not change.
    inspected: bool,
}

impl LiveRelease {
    fn new(release: Release, inspected: bool) -> Self {
        let pages = Pages::render(&release);
        Self { release: Arc::new(release), pages, inspected }
    }
}

/// The publisher's settings at a start.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The watched program file.
    pub file: PathBuf,
    /// The guard, the file watch, and how many releases are kept.
    pub settings: Publishing,
    /// Receivers of a delivery after each release.
    pub webhooks: Vec<Webhook>,
    /// Messages to the browsers of attendees; none if they are off.
    pub push: Option<Push>,
    /// The program elsewhere that is followed, if any. A first start then needs no program file.
    pub source: Option<Source>,
    /// Calendar invitations by mail; none if they are off.
    pub mail: Option<Mail>,
    /// The directory in which earlier versions kept deliveries. The start moves them into the store.
    pub spool: PathBuf,
    /// Lints a release before it is persisted: [`crate::doctor::inspect`]; tests replace it.
    pub inspect: Inspect,
}

/// A program to publish.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The program's bytes.
    pub csv: Bytes,
    /// The program's source.
    pub origin: Origin,
    /// The label of the organizer secret that was used, if any.
    pub who: Option<String>,
    /// The digest of the confirmed preview, which lets a held release through.
    pub confirm: Option<String>,
    /// The release that must be live; none accepts any.
    pub expect: Option<u64>,
}

/// The result of an accepted proposal.
#[derive(Debug)]
pub struct Publication {
    /// The live release.
    pub release: Arc<Release>,
    /// The release's changes; empty if nothing changed.
    pub changes: Vec<Change>,
    /// The import's report, warnings included.
    pub report: Report,
    /// Whether a new release was published.
    pub is_new: bool,
}

/// The release that a proposal would become.
#[derive(Debug)]
pub struct Preview {
    /// The import's report.
    pub report: Report,
    /// The release and its changes; none if the import has errors.
    pub prepared: Option<Prepared>,
    /// The guard's verdict.
    pub verdict: Option<GuardVerdict>,
    /// The live release that the program was compared with.
    pub base: Arc<Release>,
}

impl Publisher {
    /// The live release.
    pub fn current(&self) -> Arc<Release> {
        Arc::clone(&self.current.load().release)
    }

    /// The live release with its pages.
    pub fn live(&self) -> Arc<LiveRelease> {
        self.current.load_full()
    }

    /// The config of new releases. It differs from the live release's while the guard holds a changed config.
    pub fn conference(&self) -> Arc<Conference> {
        Arc::clone(&self.settings.load().conference)
    }

    /// Receives the number of every new release.
    pub fn subscribe(&self) -> channel::Receiver<u64> {
        self.announce.subscribe()
    }

    /// Whether this process does the work that one of several replicas does for all.
    pub fn charge(&self) -> &Charge {
        &self.charge
    }

    /// The last attempt to publish, and what is held.
    pub fn status(&self) -> Status {
        self.state().clone()
    }

    /// Imports a program and compares it with the live program, without publishing it.
    pub fn preview(&self, csv: &[u8]) -> Preview {
        let (base, settings) = (self.current(), self.settings.load());
        let report = import(csv, &settings.conference);
        let prepared = report.program.clone().map(|program| base.follow(program, self.clock.now()));
        let verdict = prepared.as_ref().map(|prepared| {
            guard::judge(
                &base.program,
                prepared,
                &settings.publishing,
                prepared.is_new.then(|| self.truncation(csv, base.number())).flatten(),
                guard::digest(csv, &settings.conference, base.number()),
            )
        });
        Preview { report, prepared, verdict, base }
    }

    /// The digest that confirms a program as the successor of release `base`.
    pub fn digest(&self, csv: &[u8], base: u64) -> String {
        guard::digest(csv, &self.conference(), base)
    }

    /// The end of the live program that the file lacks. None if the same file was published before.
    fn truncation(&self, csv: &[u8], live: u64) -> Option<Truncation> {
        let truncation = truncation(csv, &self.store.program_csv(live).ok()??)?;
        let digest = Digest::of(csv);
        let releases = self.store.releases().unwrap_or_default();
        releases.iter().all(|release| release.csv_digest != digest).then_some(truncation)
    }

    /// The program file of a stored release. It may be 20 MiB, so call this method within [`Store::read`].
    ///
    /// # Errors
    /// [`PublishError::NotKept`] if the store has no such release, or only its record.
    pub fn release_csv(&self, number: u64) -> Result<Vec<u8>, PublishError> {
        self.store.program_csv(number)?.ok_or(PublishError::NotKept { number })
    }

    /// The effect of a preview's changes on agendas. It reads every agenda, so run it off the reactor's threads.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn impact(&self, base: &Release, prepared: &Prepared) -> Result<Impact, ReadError> {
        impact(&self.store, base, &prepared.release, &prepared.changes)
    }

    fn state(&self) -> MutexGuard<'_, Status> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stored release, rendered again.
struct StoredRelease {
    /// `is_new` only if the renderer now shows a session differently.
    prepared: Prepared,
    /// The config that it was published with.
    conference: Arc<Conference>,
    /// The release's program file.
    csv: Bytes,
    /// The warnings of today's import.
    warnings: Vec<String>,
}

impl StoredRelease {
    /// The newest release; none before the first.
    fn newest(store: &Store, identity: &Arc<Identity>) -> Result<Option<Self>, StartError> {
        store.ledger()?.map(|ledger| Self::load(store, &ledger, identity)).transpose()
    }

    /// The release of a ledger, prepared at the time of its publication: a restart alone expires no tombstone. Its pages
    /// show `identity`, which no release stores.
    fn load(store: &Store, ledger: &Ledger, identity: &Arc<Identity>) -> Result<Self, StartError> {
        let number = ledger.release;
        let (Some(mut conference), Some(csv)) =
            (store.release_conference(number)?, store.program_csv(number)?)
        else {
            return Err(StartError::Incomplete { number });
        };
        conference.identity = Arc::clone(identity);
        let (conference, csv) = (Arc::new(conference), Bytes::from(csv));
        let report = import(&csv, &conference);
        let warnings = warnings(&report);
        let program = match report.program {
            Some(program) => program,
            None => {
                // Today's import is stricter, or an erasure removed the file's last row.
                tracing::warn!(
                    number,
                    "the stored program file has import errors; its sessions are read from the ledger"
                );
                program_of(ledger, Arc::clone(&conference))
            }
        };
        let prepared = Release::prepare(program, ledger, ledger.published);
        Ok(Self { prepared, conference, csv, warnings })
    }
}

/// An import's warnings as release records hold them.
fn warnings(report: &Report) -> Vec<String> {
    report.warnings().map(ToString::to_string).collect()
}

/// The sessions as last published.
fn program_of(ledger: &Ledger, conference: Arc<Conference>) -> Program {
    let entries = ledger.entries.values();
    let rows = entries.filter(|entry| matches!(entry.state, EntryState::Listed | EntryState::Withdrawn));
    let sessions: Vec<_> = rows.map(|entry| entry.session.as_ref().clone()).collect();
    let mut tracks = conference.tracks.clone();
    for slug in sessions.iter().filter_map(|session| session.track.as_ref()) {
        if !tracks.iter().any(|track| track.slug == *slug) {
            tracks.extend(ledger.slugs.track(slug).cloned());
        }
    }
    Program::new(conference, tracks, sessions)
}
