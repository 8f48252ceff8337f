//! The one write path of the program: import, diff, advance, render, lint, persist, swap.
//!
//! Owns the running release and the order of those steps. Persisting is the last that can fail, and is a
//! compare-and-set on the previous release's number; a failure before it leaves everything as it was and
//! says why. It knows neither HTTP nor the command line. `turn` is the path itself; the other modules are
//! the ways into it, the guard beside it, and what is told afterwards.

mod erase;
mod error;
mod file;
mod gate;
mod guard;
mod held;
mod impact;
mod kept;
mod lift;
mod reload;
mod schedule;
mod shown;
mod spool;
mod start;
mod status;
mod tell;
mod turn;
mod watch;

pub use crate::store::Schedule;
pub use erase::Erased;
pub use error::{PublishError, StartError};
pub use gate::Inspect;
pub use guard::{Guarded, Held};
pub use held::{HeldReleases, Waiting};
pub use impact::{Holders, Impact, impact, interest};
pub use lift::{Lifted, lift};
pub use reload::Settings;
pub use schedule::{Scheduled, keep_schedule};
pub use shown::{FromTo, ShownChange, ShownOrigin, describe, describe_impact, shown};
pub use spool::{Call, Spooled, UNDELIVERED, spool, spool_directory, write_call};
pub use start::Started;
pub use status::{Attempt, ConfigStatus, Part, Status, Unstored, Verdict};
pub use watch::watch;

use crate::clock::Clock;
use crate::config::{Publishing, Webhook};
use crate::import::{Report, Truncation, import, truncation};
use crate::program::{Change, Conference};
use crate::release::{Prepared, Release};
use crate::revision::Digest;
use crate::store::{Origin, ReadError, Store};
use crate::web::Pages;
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch as channel};

/// Publishes, and holds what is published.
#[derive(Debug)]
pub struct Publisher {
    current: ArcSwap<Published>,
    /// What a reload of the config replaces.
    settings: ArcSwap<Settings>,
    /// The program file that is watched.
    file: PathBuf,
    /// Where webhook calls are left.
    spool: PathBuf,
    inspect: Inspect,
    store: Store,
    clock: Clock,
    /// One publication at a time.
    turn: tokio::sync::Mutex<()>,
    /// Told when a schedule was made or taken back.
    rescheduled: Notify,
    /// What the file system has reported about the program file.
    writer: channel::Sender<watch::Writer>,
    state: Mutex<Status>,
    announce: channel::Sender<u64>,
}

/// What is served of a release, swapped in as one.
#[derive(Debug)]
pub struct Published {
    /// The release.
    pub release: Arc<Release>,
    /// Its public pages.
    pub pages: Pages,
    /// Whether this process looked at its feeds, so that those of the next that are the same are sound.
    inspected: bool,
}

impl Published {
    fn new(release: Release, inspected: bool) -> Self {
        let pages = Pages::render(&release);
        Self { release: Arc::new(release), pages, inspected }
    }
}

/// Where the program file is, and how releases are made of it.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The program file that is watched.
    pub file: PathBuf,
    /// Guard, watch and keeping.
    pub settings: Publishing,
    /// Calls that go out after a release.
    pub webhooks: Vec<Webhook>,
    /// Where they are left for `callboard deliver`.
    pub spool: PathBuf,
    /// The look at a release before it is kept: [`crate::doctor::inspect`], but for a test.
    pub inspect: Inspect,
}

/// What is to be published.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The program's bytes.
    pub csv: Bytes,
    /// How they came in.
    pub origin: Origin,
    /// The label of the organizer's secret, where one was used.
    pub who: Option<String>,
    /// The digest of the preview that is confirmed, should the guard hold the release.
    pub confirm: Option<String>,
    /// The release that it is meant to follow; none: whichever runs.
    pub expect: Option<u64>,
}

/// What came of a proposal that was not refused.
#[derive(Debug)]
pub struct Publication {
    /// The release that runs now.
    pub release: Arc<Release>,
    /// What changed; empty where nothing did.
    pub changes: Vec<Change>,
    /// The import's report, warnings included.
    pub report: Report,
    /// Whether a new release was published.
    pub is_new: bool,
}

/// What would come of a proposal.
#[derive(Debug)]
pub struct Preview {
    /// The import's report.
    pub report: Report,
    /// The release that it would give, and its changes; none where the import has errors.
    pub prepared: Option<Prepared>,
    /// What the guard says to it.
    pub guarded: Option<Guarded>,
    /// The release that it was held against.
    pub base: Arc<Release>,
}

impl Publisher {
    /// The running release.
    pub fn current(&self) -> Arc<Release> {
        Arc::clone(&self.current.load().release)
    }

    /// The running release with its pages.
    pub fn published(&self) -> Arc<Published> {
        self.current.load_full()
    }

    /// The config that new releases are made with. After a start whose config was held back, it differs from
    /// the running release's.
    pub fn conference(&self) -> Arc<Conference> {
        Arc::clone(&self.settings.load().conference)
    }

    /// Hears of every new release's number.
    pub fn subscribe(&self) -> channel::Receiver<u64> {
        self.announce.subscribe()
    }

    /// What was tried last and what is held.
    pub fn status(&self) -> Status {
        self.state().clone()
    }

    /// What a proposal would change. Nothing is changed by it.
    pub fn preview(&self, csv: &[u8]) -> Preview {
        let (base, settings) = (self.current(), self.settings.load());
        let report = import(csv, &settings.conference);
        let prepared = report.program.clone().map(|program| base.follow(program, self.clock.now()));
        let guarded = prepared.as_ref().map(|prepared| {
            guard::weigh(
                &base.program,
                prepared,
                &settings.publishing,
                prepared.is_new.then(|| self.truncation(csv, base.number())).flatten(),
                guard::digest(csv, &settings.conference, base.number()),
            )
        });
        Preview { report, prepared, guarded, base }
    }

    /// What the file lacks at its end of the program that runs, unless it was published as it is before.
    fn truncation(&self, csv: &[u8], running: u64) -> Option<Truncation> {
        let cut = truncation(csv, &self.store.program_csv(running).ok()??)?;
        let digest = Digest::of(csv);
        let kept = self.store.releases().unwrap_or_default();
        kept.iter().all(|kept| kept.csv_digest != digest).then_some(cut)
    }

    /// The running program as a file.
    ///
    /// # Errors
    /// When the store cannot be read, or the release is kept without its text.
    pub fn running_csv(&self) -> Result<Vec<u8>, PublishError> {
        self.kept_csv(self.current().number())
    }

    /// A kept release's program as a file. Reads up to 20 MiB, so it belongs into [`Store::read`].
    ///
    /// # Errors
    /// [`PublishError::NotKept`] for a release that never was or is kept without its text.
    pub fn kept_csv(&self, number: u64) -> Result<Vec<u8>, PublishError> {
        self.store.program_csv(number)?.ok_or(PublishError::NotKept { number })
    }

    /// What the changes of a preview do to people's agendas. Scans all of them, so it is nothing for the
    /// reactor's threads.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn impact(&self, base: &Release, prepared: &Prepared) -> Result<Impact, ReadError> {
        impact(&self.store, base, &prepared.release, &prepared.changes)
    }

    fn state(&self) -> MutexGuard<'_, Status> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
