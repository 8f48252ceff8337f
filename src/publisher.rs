//! The one write path of the program: import, diff, advance, render, lint, persist, swap.
//!
//! Owns the live release and the order of those steps. Persisting is the last step that can fail, and is a
//! compare-and-set on the previous release's number; a failure before it changes nothing. Knows neither HTTP nor the
//! command line. `publish` holds the path itself; the other files hold its sources (program file,
//! schedule, config, restored backup), the guard, and the deliveries that follow.

mod advance_counters;
mod deliveries;
mod describe;
mod erase_session;
mod error;
mod guard;
mod held;
mod impact;
mod program_file;
mod publish;
mod reconfigure;
mod schedule;
mod start;
mod status;
mod stored_release;
mod watch;

pub use crate::program::{ChangeDescription, FromTo, describe_changes};
pub use advance_counters::{AdvancedCounters, advance_counters};
pub use deliveries::{ClaimedMessages, spool_directory};
pub use describe::{OriginDescription, changes_as_text, impact_as_text};
pub use erase_session::Erased;
pub use error::{PublishError, StartError};
pub use guard::{GuardVerdict, Hold};
pub use held::{HeldProposal, HeldProposals};
pub use impact::{Impact, SessionImpact, count_picks, impact};
pub use publish::{Inspect, Job};
pub use reconfigure::Settings;
pub use schedule::{ScheduleReceipt, run_schedule};
pub use start::Started;
pub use status::{Attempt, AttemptResult, ConfigStatus, PublisherTask, Status, UnstoredFile};
pub use watch::watch;

use crate::clock::Clock;
use crate::config::{Publishing, Webhook};
use crate::import::{Report, Truncation, import, truncation};
use crate::program::{Change, Conference};
use crate::reach::Outbox;
use crate::release::{Prepared, Release};
use crate::revision::Digest;
use crate::store::{Origin, ReadError, Store};
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
    settings: ArcSwap<Settings>,
    /// The watched program file.
    file: PathBuf,
    /// The deliveries that wait.
    outbox: Outbox,
    inspect: Inspect,
    store: Store,
    clock: Clock,
    /// Held for one publication at a time.
    turn: tokio::sync::Mutex<()>,
    /// Notified when a release is scheduled or unscheduled.
    rescheduled: Notify,
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
