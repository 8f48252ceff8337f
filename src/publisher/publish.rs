//! Publishes a proposal: import, diff, guard, lint, persist, swap; then compresses in the background.

use super::StoredRelease;
use super::deliveries::Announce;
use super::follow::FollowedParts;
use super::renderer::RENDERER;
use super::{
    GuardVerdict, HeldProposals, Hold, HoldReason, LiveRelease, Preview, Proposal, Publication, PublishError,
    Publisher, StartError,
};
use crate::adopt::SheetDoubt;
use crate::doctor::{FeedFinding, ParseBackError};
use crate::feed::Effort;
use crate::import::{Fault, Report};
use crate::release::{Prepared, Release};
use crate::revision::Digest;
use crate::store::{
    ImportedFile, NamedRecord, Origin, ReadError, RecordName, ReleaseRecord, Skipped, Store, Write,
};
use bytes::Bytes;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Lints a release. Parts that it shares with an earlier linted release may be skipped. See [`crate::doctor::inspect`].
///
/// Findings become warnings of the publication. Only an error stops the publication: a feed that does not parse back.
pub type Inspect = fn(&Release, Option<&Release>) -> Result<Vec<FeedFinding>, ParseBackError>;

/// Work for the live release that no request should wait for, such as rendering exports. A job runs on the background
/// thread. It stops early once its argument returns false, because another release is then live.
pub type PublishJob = Box<dyn FnOnce(&dyn Fn() -> bool) + Send>;

/// Returns the [`PublishJob`] for a release. It is called right after the release went live.
type Prepare = Box<dyn Fn(&Arc<Release>) -> PublishJob + Send + Sync>;

/// The registered [`Prepare`], if any.
#[derive(Default)]
pub(super) struct Preparation(OnceLock<Prepare>);

impl fmt::Debug for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preparation").field("is_set", &self.0.get().is_some()).finish()
    }
}

impl Publisher {
    /// Publishes a proposal, unless it is refused, held or changes nothing.
    ///
    /// The publication goes on if the caller stops waiting: nothing can be undone between commit and swap.
    ///
    /// # Errors
    /// [`PublishError`]; the live release stays in every case.
    pub async fn publish(self: &Arc<Self>, proposal: Proposal) -> Result<Publication, PublishError> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.turn.lock().await;
            this.publish_and_record(proposal, FollowedParts::default()).await
        });
        task.await?
    }

    /// Publishes a stored release again, through the same guard.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn roll_back(
        self: &Arc<Self>,
        of: u64,
        who: Option<String>,
        confirm: Option<String>,
        expect: Option<u64>,
    ) -> Result<Publication, PublishError> {
        let this = Arc::clone(self);
        let csv = self.store.read(move |_| this.release_csv(of)).await?.into();
        self.publish(Proposal { csv, origin: Origin::Rollback { of }, who, confirm, expect }).await
    }

    /// Publishes a proposal and records the attempt in the status. The caller holds the turn.
    pub(super) async fn publish_and_record(
        self: &Arc<Self>,
        proposal: Proposal,
        parts: FollowedParts,
    ) -> Result<Publication, PublishError> {
        let origin = proposal.origin;
        let result = self.publish_now(proposal, parts).await;
        let before = self.held_digest(origin);
        self.state().record(self.clock.now(), origin, &result);
        match &result {
            // The commit of the release has dropped them.
            Ok(publication) if publication.is_new => self.state().stored_holds.clear(),
            _ => self.share_held(origin, before).await,
        }
        result
    }

    async fn publish_now(
        self: &Arc<Self>,
        proposal: Proposal,
        parts: FollowedParts,
    ) -> Result<Publication, PublishError> {
        self.adopt_newer_release(Announce::Yes).await?;
        self.check_expected(proposal.expect)?;
        let CheckedProposal { base, prepared, mut report, confirmed } =
            self.check(&proposal.csv, proposal.confirm.as_deref(), parts.doubts).await?;
        let digest = Digest::of(&proposal.csv);
        let mut writes: Vec<Write> = parts.record.into_iter().collect();
        if proposal.origin == Origin::Scheduled {
            writes.push(Write::DropNamed(RecordName::Schedule));
        }
        if !prepared.is_new {
            writes.extend(self.imported_file_write(&proposal, digest, base.number(), false));
            if !writes.is_empty() {
                self.store.commit(writes).await?;
            }
            // No feed shows the new config, but pages do.
            let release = match proposal.origin {
                Origin::Config => self.serve_unchanged(prepared.release).await?,
                _ => base,
            };
            return Ok(Publication { release, changes: Vec::new(), report, is_new: false });
        }
        if let Err(verdict) = confirmed {
            return Err(hold(verdict, report, prepared, proposal.csv, base.number()));
        }
        let Prepared { release, changes, .. } = prepared;
        let (release, found) = self.inspect(release).await?;
        report.faults.splice(0..0, warnings_of(found));
        let record = ReleaseRecord {
            number: release.number(),
            published: release.published(),
            origin: proposal.origin,
            who: proposal.who.clone(),
            csv_digest: digest,
            changes: changes.clone(),
            conference: self.conference().as_ref().clone(),
            warnings: report.warnings().map(ToString::to_string).collect(),
            complete: true,
        };
        writes.extend(self.imported_file_write(&proposal, digest, release.number(), true));
        if proposal.origin != Origin::Scheduled && self.state().held.has(Origin::Scheduled) {
            writes.push(Write::DropNamed(RecordName::Schedule)); // it was compared with the previous release
        }
        writes.extend(self.drop_all_held_writes());
        writes.extend(renderer_write(&self.store));
        let (this, number) = (Arc::clone(self), release.number());
        writes.extend(self.store.read(move |_| this.drop_old_programs(number)).await?);
        // Pages are rendered before the commit, since nothing may fail after it.
        let store = self.store.clone();
        let (live, write) = tokio::task::spawn_blocking(move || {
            let write = store.release_write(Some(&base.ledger), &release.ledger, record, proposal.csv);
            (LiveRelease::new(release, true), write)
        })
        .await?;
        writes.insert(0, write);
        self.store.commit(writes).await?;
        let release = self.swap(live);
        self.announce_releases().await;
        Ok(Publication { release, changes, report, is_new: true })
    }

    /// Fails unless the release that the organizer looked at is still live.
    pub(super) fn check_expected(&self, expect: Option<u64>) -> Result<(), PublishError> {
        let live = self.current().number();
        if expect.is_some_and(|expected| expected != live) {
            return Err(PublishError::Superseded { live });
        }
        Ok(())
    }

    /// Imports a program, compares it with the live program and asks the guard.
    pub(super) async fn check(
        self: &Arc<Self>,
        csv: &Bytes,
        confirm: Option<&str>,
        doubts: Vec<SheetDoubt>,
    ) -> Result<CheckedProposal, PublishError> {
        let this = Arc::clone(self);
        let bytes = csv.clone();
        let preview = tokio::task::spawn_blocking(move || this.preview(&bytes)).await?;
        let Preview { report, prepared, verdict, base } = preview;
        let (Some(prepared), Some(mut verdict)) = (prepared, verdict) else {
            return Err(PublishError::Refused(Box::new(report)));
        };
        verdict.reasons.extend(doubts.into_iter().map(HoldReason::Source));
        let is_free = !verdict.is_held() || confirm == Some(verdict.digest.as_str());
        let confirmed = if is_free { Ok(()) } else { Err(verdict) };
        Ok(CheckedProposal { base, prepared, report, confirmed })
    }

    /// Lints a release's feeds, except those that it shares with a linted live release.
    async fn inspect(&self, release: Release) -> Result<(Release, Vec<FeedFinding>), PublishError> {
        let (live, inspect) = (self.live(), self.inspect);
        let lint = move || {
            let earlier = live.inspected.then_some(live.release.as_ref());
            let found = inspect(&release, earlier)?;
            Ok((release, found))
        };
        tokio::task::spawn_blocking(lint).await?
    }

    /// Serves the newest release of the store, if it is newer than the live release. A commit that failed with an
    /// unknown outcome (a full disk, a failed sync) may have stored its release all the same.
    pub(super) async fn adopt_newer_release(
        self: &Arc<Self>,
        announce: Announce,
    ) -> Result<(), PublishError> {
        let current = self.current().number();
        let identity = Arc::clone(&self.conference().identity);
        let (clock, inspect) = (self.clock.clone(), self.inspect);
        let newer = move |store: &Store| {
            if store.release_number()? <= current {
                return Ok(None);
            }
            let Some(stored) = StoredRelease::newest(store, &identity)? else { return Ok(None) };
            let release = match stored.prepared.is_new && store.is_shared() {
                true => stored.upgrade(store, &clock, inspect)?,
                false => stored.prepared.release,
            };
            Ok::<_, PublishError>(Some(LiveRelease::new(release, false)))
        };
        let adopted = self.store.read(newer).await;
        self.state().outdated = match &adopted {
            Err(error @ PublishError::Stored(cause))
                if matches!(**cause, StartError::NewerRenderer { .. }) =>
            {
                Some(error.with_cause())
            }
            _ => None,
        };
        let Some(live) = adopted? else { return Ok(()) };
        let release = live.release.number();
        if self.store.is_shared() {
            tracing::info!(release, "a release of another replica is live now");
        } else {
            tracing::warn!(
                release,
                "the store holds a release whose publication seemed to fail; it is live now"
            );
        }
        if self.store.is_shared() {
            // A file that waits for its confirmation was compared with the previous release.
            let mut state = self.state();
            state.held = HeldProposals::default();
            state.stored_holds.clear();
        }
        self.swap(live);
        if announce == Announce::Yes {
            self.announce_releases().await;
        }
        Ok(())
    }

    /// The writes that drop program files beyond `publishing.keep_releases` once release `number` is published. The live
    /// release's file always stays.
    fn drop_old_programs(&self, number: u64) -> Result<Vec<Write>, ReadError> {
        let keep = self.settings.load().publishing.keep_releases.max(1);
        let Some(last) = number.checked_sub(keep).filter(|last| *last > 0) else { return Ok(Vec::new()) };
        // A damaged record must not prevent a publication, so its program stays.
        let mut skipped = Skipped::default();
        let mut writes = Vec::new();
        for release in skipped.over(self.store.each_release()) {
            let release = release?;
            if release.complete && release.number <= last {
                writes.push(Write::DropReleaseText { n: release.number });
            }
        }
        skipped.log("looking for programs to drop");
        Ok(writes)
    }

    /// Serves a release that equals the live release in everything that the store holds.
    async fn serve_unchanged(self: &Arc<Self>, release: Release) -> Result<Arc<Release>, PublishError> {
        let inspected = self.live().inspected;
        let live = tokio::task::spawn_blocking(move || LiveRelease::new(release, inspected)).await?;
        Ok(self.swap(live))
    }

    fn swap(self: &Arc<Self>, live: LiveRelease) -> Arc<Release> {
        let release = Arc::clone(&live.release);
        let replaced = self.current.swap(Arc::new(live));
        self.announce.send_replace(release.number());
        self.prepare_in_background(Some(replaced));
        release
    }

    /// Registers the [`PublishJob`] that follows every publication. Later calls have no effect.
    pub fn prepare_with(&self, prepare: impl Fn(&Arc<Release>) -> PublishJob + Send + Sync + 'static) {
        let _ = self.preparation.0.set(Box::new(prepare));
    }

    /// Compresses feeds and pages on a background thread, quick levels first, and runs the registered [`PublishJob`]. The work
    /// ends early when another release goes live.
    pub fn compress_in_background(self: &Arc<Self>) {
        self.prepare_in_background(None);
    }

    /// Like [`Self::compress_in_background`], and drops the replaced release on that thread: dropping a large release
    /// takes long.
    pub(super) fn prepare_in_background(self: &Arc<Self>, replaced: Option<Arc<LiveRelease>>) {
        let this = Arc::clone(self);
        let live = self.live();
        let job = self.preparation.0.get().map(|prepare| prepare(&live.release));
        let work = move || {
            drop(replaced);
            let is_live = || Arc::ptr_eq(&live, &this.live());
            let compress = |effort| {
                live.release.feeds.compress(effort, is_live);
                live.pages.compress(effort, is_live);
            };
            compress(Effort::Quick);
            // On Linux, each thread has its own niceness. From here on, threads that answer requests take precedence.
            let _ = rustix::process::nice(NICENESS);
            if let Some(job) = job {
                job(&is_live);
            }
            compress(Effort::Best);
        };
        // Without this thread, feeds are served uncompressed, which must not fail a publication.
        if let Err(error) = std::thread::Builder::new().name("compress".into()).spawn(work) {
            tracing::warn!(%error, "no thread to compress feeds; they are served uncompressed");
        }
    }

    /// The record of the imported file that a publication stores, if it changes that record.
    fn imported_file_write(
        &self,
        proposal: &Proposal,
        digest: Digest,
        release: u64,
        is_new: bool,
    ) -> Option<Write> {
        if proposal.origin == Origin::Config {
            // The program did not change, so a file that matched the live release still does. A damaged record stays: the
            // next saved file is refused because of it.
            let imported = self.store.imported_file().ok().flatten()?;
            let is_in_step = is_new && imported.release == self.current().number();
            return is_in_step.then(|| ImportedFile { release, ..imported }.into());
        }
        let seen = self.state().file;
        if proposal.origin == Origin::File || seen == Some(digest) {
            return Some(ImportedFile { digest, release }.into());
        }
        // The file on disk is older than this publication, even if it was held or refused. The next start must not
        // publish it.
        let seen = seen.filter(|_| is_new)?;
        Some(ImportedFile { digest: seen, release: 0 }.into())
    }
}

/// The write that records which version renders the releases of several replicas.
pub(super) fn renderer_write(store: &Store) -> Option<Write> {
    store.is_shared().then(|| NamedRecord::Renderer(RENDERER).into())
}

/// How much the background thread yields to threads that answer requests (nice(2)).
const NICENESS: i32 = 10;

/// Lint findings as warnings of a publication.
pub(super) fn warnings_of(found: Vec<FeedFinding>) -> impl Iterator<Item = Fault> {
    found
        .into_iter()
        .map(|one| Fault::of_release(one.finding.rule, one.to_string(), one.finding.remedy.to_owned()))
}

/// The error for a release that the guard holds.
pub(super) fn hold(
    verdict: GuardVerdict,
    report: Report,
    prepared: Prepared,
    csv: Bytes,
    base: u64,
) -> PublishError {
    let zone = prepared.release.program.conference.zone;
    PublishError::Held(Box::new(Hold { verdict, report, changes: prepared.changes, zone, csv, base }))
}

/// A proposal without import errors, compared with the live release.
pub(super) struct CheckedProposal {
    pub(super) base: Arc<Release>,
    pub(super) prepared: Prepared,
    pub(super) report: Report,
    /// The error holds the guard's verdict, if the guard holds the release and the proposal does not confirm it.
    pub(super) confirmed: Result<(), GuardVerdict>,
}
