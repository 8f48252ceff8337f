//! The one write path of the program: import, diff, advance, render, persist, swap.
//!
//! Owns the running release and the order of those steps. Persisting is the last that can fail, and is a
//! compare-and-set on the previous release's number; a failure before it leaves everything as it was and
//! says why. It knows neither HTTP nor the command line.

mod error;
mod guard;
mod impact;
mod shown;
mod spool;
mod start;
mod status;
mod watch;

pub use error::{PublishError, StartError};
pub use guard::{Guarded, Held};
pub use impact::{Holders, Impact, impact, interest};
pub use shown::{FromTo, ShownChange, describe, describe_impact, shown};
pub use spool::{Call, spool, spool_directory, write_call};
pub use start::Started;
pub use status::{Attempt, Status, Verdict};
pub use watch::watch;

use crate::clock::Clock;
use crate::config::{Publishing, Webhook};
use crate::import::{Report, import};
use crate::program::{Change, Conference, Program};
use crate::release::{Prepared, Release};
use crate::revision::Digest;
use crate::store::{Origin, ReleaseRecord, ReleaseWrite, Store, Write};
use arc_swap::ArcSwap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch as channel;

/// The note in the store that holds the digest of the program file last taken in.
const TAKEN_IN: &str = "taken-in";

/// Publishes, and holds what is published.
#[derive(Debug)]
pub struct Publisher {
    current: Arc<ArcSwap<Release>>,
    conference: Arc<Conference>,
    setup: Setup,
    store: Store,
    clock: Clock,
    /// One publication at a time.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<Status>,
    announce: channel::Sender<u64>,
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
}

/// What is to be published.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The program's bytes.
    pub csv: Vec<u8>,
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
        self.current.load_full()
    }

    /// The running release, for readers that look it up with every request.
    pub fn board(&self) -> Arc<ArcSwap<Release>> {
        Arc::clone(&self.current)
    }

    /// The config that new releases are made with. After a start whose config was held back, it differs from
    /// the running release's.
    pub fn conference(&self) -> &Arc<Conference> {
        &self.conference
    }

    /// The program file that is watched.
    pub fn file(&self) -> &std::path::Path {
        &self.setup.file
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
        let base = self.current();
        let report = import(csv, &self.conference);
        let prepared =
            report.program.clone().map(|program| Release::prepare(program, &base.ledger, self.clock.now()));
        let guarded = prepared.as_ref().map(|prepared| {
            guard::weigh(
                &base.program,
                prepared,
                &self.setup.settings,
                guard::digest(csv, &self.conference, &base),
            )
        });
        Preview { report, prepared, guarded, base }
    }

    /// Publishes a proposal, unless it is refused, held or changes nothing.
    ///
    /// # Errors
    /// [`PublishError`]; the running release goes on in every case.
    pub async fn publish(self: &Arc<Self>, proposal: Proposal) -> Result<Publication, PublishError> {
        let _turn = self.turn.lock().await;
        let origin = proposal.origin;
        let result = self.take_turn(proposal).await;
        self.state().record(self.clock.now(), origin, &result);
        result
    }

    async fn take_turn(self: &Arc<Self>, proposal: Proposal) -> Result<Publication, PublishError> {
        let running = self.current().number();
        if proposal.expect.is_some_and(|expected| expected != running) {
            return Err(PublishError::Superseded { running });
        }
        let this = Arc::clone(self);
        let csv = proposal.csv.clone();
        // Import and rendering take processor time that the reactor needs.
        let preview = tokio::task::spawn_blocking(move || this.preview(&csv)).await?;
        let Preview { report, prepared, guarded, base } = preview;
        let (Some(prepared), Some(guarded)) = (prepared, guarded) else {
            return Err(PublishError::Refused(Box::new(report)));
        };
        let file_digest = Digest::of(&proposal.csv);
        let mut writes = self.file_note(&proposal, file_digest);
        if !prepared.is_new {
            if !writes.is_empty() {
                self.store.commit(writes).await?;
            }
            return Ok(Publication { release: base, changes: Vec::new(), report, is_new: false });
        }
        let confirmed = proposal.confirm.as_deref().is_some_and(|digest| digest == guarded.digest);
        if guarded.is_held() && !confirmed {
            return Err(PublishError::Held(Box::new(Held { guarded, report, changes: prepared.changes })));
        }
        let Prepared { release, changes, .. } = prepared;
        let record = ReleaseRecord {
            number: release.number(),
            published: release.published(),
            origin: proposal.origin,
            who: proposal.who,
            csv_digest: file_digest,
            changes: changes.clone(),
            conference: self.conference.as_ref().clone(),
            warnings: report.warnings().map(ToString::to_string).collect(),
            complete: true,
        };
        let number = release.number();
        let write = ReleaseWrite::between(Some(&base.ledger), &release.ledger, record, proposal.csv);
        writes.insert(0, Write::PutRelease(Box::new(write)));
        if let Some(n) = number.checked_sub(self.setup.settings.keep_releases).filter(|n| *n > 0) {
            writes.push(Write::DropReleaseText { n });
        }
        self.store.commit(writes).await?;
        let release = self.swap(release);
        self.tell(&release, &changes).await;
        Ok(Publication { release, changes, report, is_new: true })
    }

    /// The file counts as taken in once its bytes are published or change nothing, whichever way they came.
    fn file_note(&self, proposal: &Proposal, digest: Digest) -> Vec<Write> {
        let is_file = proposal.origin == Origin::File || self.state().file == Some(digest);
        let note = Write::PutNote { name: TAKEN_IN.to_owned(), value: digest.0.to_vec() };
        if is_file { vec![note] } else { Vec::new() }
    }

    fn swap(self: &Arc<Self>, release: Release) -> Arc<Release> {
        let release = Arc::new(release);
        self.current.store(Arc::clone(&release));
        self.announce.send_replace(release.number());
        self.compress_behind();
        release
    }

    /// Leaves the webhook calls of a release in the spool. A spool that cannot be written does not take back
    /// a release that is served; the next start tries again.
    async fn tell(&self, release: &Release, changes: &[Change]) {
        if self.setup.webhooks.is_empty() {
            return;
        }
        if let Err(error) = spool(&self.setup.spool, &self.setup.webhooks, release, changes) {
            tracing::error!(%error, spool = %self.setup.spool.display(), "webhook calls could not be left in the spool");
            return;
        }
        if let Err(error) = self.store.commit(vec![spool::spooled(release.number())]).await {
            tracing::error!(%error, "the spool's note could not be written; its calls may be sent twice");
        }
    }

    /// Tells of the running release, if a crash came between its publication and the spool.
    pub async fn tell_again(&self) {
        let release = self.current();
        let last = spool::last_spooled(&self.store);
        if last.is_some_and(|last| last < release.number())
            && let Ok(Some(record)) = self.store.release(release.number())
        {
            self.tell(&release, &record.changes).await;
        }
    }

    /// Makes the codings behind the readers' backs: quick levels first, better ones after.
    pub fn compress_behind(self: &Arc<Self>) {
        use crate::feed::Effort;
        let this = Arc::clone(self);
        let work = move || {
            for effort in [Effort::Quick, Effort::Best] {
                let release = this.current();
                release.feeds.compress(effort);
            }
        };
        // Without a thread readers get the plain bytes, which is no reason to fail a publication.
        if let Err(error) = std::thread::Builder::new().name("compress".into()).spawn(work) {
            tracing::warn!(%error, "no thread to compress feeds; they are served plain");
        }
    }

    /// Takes in the program file, if its bytes differ from those last taken in.
    pub async fn take_file(self: &Arc<Self>) -> Option<Result<Publication, PublishError>> {
        let path = self.setup.file.clone();
        let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
        let csv = match read {
            Ok(Ok(csv)) => csv,
            Ok(Err(error)) => {
                tracing::warn!(file = %self.setup.file.display(), %error, "the program file cannot be read; the running release goes on");
                return None;
            }
            Err(_) => return None,
        };
        let digest = Digest::of(&csv);
        self.state().file = Some(digest);
        if self.taken_in() == Some(digest) {
            return None;
        }
        let proposal = Proposal { csv, origin: Origin::File, who: None, confirm: None, expect: None };
        let result = self.publish(proposal).await;
        status::log(&self.setup.file, &result);
        Some(result)
    }

    fn taken_in(&self) -> Option<Digest> {
        let note = self.store.note(TAKEN_IN).ok().flatten()?;
        note.try_into().ok().map(Digest)
    }

    /// The running program as a file.
    ///
    /// # Errors
    /// When the store cannot be read, or the release is kept without its text.
    pub fn running_csv(&self) -> Result<Vec<u8>, PublishError> {
        self.kept_csv(self.current().number())
    }

    /// A kept release's program as a file.
    ///
    /// # Errors
    /// [`PublishError::NotKept`] for a release that never was or is kept without its text.
    pub fn kept_csv(&self, number: u64) -> Result<Vec<u8>, PublishError> {
        self.store.program_csv(number)?.ok_or(PublishError::NotKept { number })
    }

    fn state(&self) -> MutexGuard<'_, Status> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether two programs are of one conference in the things that move every session.
fn same_frame(a: &Program, b: &Program) -> bool {
    a.conference.zone == b.conference.zone && a.conference.dates == b.conference.dates
}
