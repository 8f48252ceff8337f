//! One publication, from a proposal to the release that readers see.

use super::{Guarded, Held, Preview, Proposal, Publication, PublishError, Published, Publisher, gate, kept};
use crate::doctor::Found;
use crate::import::Report;
use crate::release::{Prepared, Release};
use crate::revision::Digest;
use crate::store::{ImportedFile, Origin, ReadError, RecordName, ReleaseRecord, Skipped, Store, Write};
use bytes::Bytes;
use std::sync::Arc;

impl Publisher {
    /// Publishes a proposal, unless it is refused, held or changes nothing.
    ///
    /// A caller that stops waiting does not stop it: between the commit and the swap there is no way back.
    ///
    /// # Errors
    /// [`PublishError`]; the running release goes on in every case.
    pub async fn publish(self: &Arc<Self>, proposal: Proposal) -> Result<Publication, PublishError> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.turn.lock().await;
            this.take_turn(proposal).await
        });
        task.await?
    }

    /// Publishes a kept release again, through the same guard.
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
        let csv = self.store.read(move |_| this.kept_csv(of)).await?.into();
        self.publish(Proposal { csv, origin: Origin::Rollback { of }, who, confirm, expect }).await
    }

    /// Publishes and remembers what came of it. The caller has the turn.
    pub(super) async fn take_turn(self: &Arc<Self>, proposal: Proposal) -> Result<Publication, PublishError> {
        let origin = proposal.origin;
        let result = self.run(proposal).await;
        self.state().record(self.clock.now(), origin, &result);
        result
    }

    async fn run(self: &Arc<Self>, proposal: Proposal) -> Result<Publication, PublishError> {
        self.keep_up_with_the_store().await?;
        self.check_expected(proposal.expect)?;
        let Weighed { base, prepared, mut report, confirmed } =
            self.weigh(&proposal.csv, proposal.confirm.as_deref()).await?;
        let digest = Digest::of(&proposal.csv);
        let mut writes = Vec::new();
        if proposal.origin == Origin::Scheduled {
            writes.push(Write::DropNamed(RecordName::Schedule));
        }
        if !prepared.is_new {
            writes.extend(self.taken_in_by(&proposal, digest, base.number(), false));
            if !writes.is_empty() {
                self.store.commit(writes).await?;
            }
            // No feed shows the new config, but pages do.
            let release = match proposal.origin {
                Origin::Config => self.show(prepared.release).await?,
                _ => base,
            };
            return Ok(Publication { release, changes: Vec::new(), report, is_new: false });
        }
        if let Err(guarded) = confirmed {
            return Err(held(guarded, report, prepared, proposal.csv, base.number()));
        }
        let Prepared { release, changes, .. } = prepared;
        let (release, found) = self.inspect(release).await?;
        gate::tell(found, &mut report);
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
        writes.extend(self.taken_in_by(&proposal, digest, release.number(), true));
        if proposal.origin != Origin::Scheduled && self.state().held.has(Origin::Scheduled) {
            writes.push(Write::DropNamed(RecordName::Schedule)); // it was weighed against the release before
        }
        let (this, number) = (Arc::clone(self), release.number());
        writes.extend(self.store.read(move |_| this.outgrown(number)).await?);
        // Pages are rendered before the commit, since nothing may fail after it, and none of it on the reactor.
        let store = self.store.clone();
        let (published, write) = tokio::task::spawn_blocking(move || {
            let write = store.release_write(Some(&base.ledger), &release.ledger, record, proposal.csv);
            (Published::new(release, true), write)
        })
        .await?;
        writes.insert(0, write);
        self.store.commit(writes).await?;
        let release = self.swap(published);
        self.tell_what_was_not().await;
        Ok(Publication { release, changes, report, is_new: true })
    }

    /// Whether the release that the organizer looked at still runs.
    pub(super) fn check_expected(&self, expect: Option<u64>) -> Result<(), PublishError> {
        let running = self.current().number();
        if expect.is_some_and(|expected| expected != running) {
            return Err(PublishError::Superseded { running });
        }
        Ok(())
    }

    /// Imports, diffs and asks the guard, on a thread that the reactor does not need.
    pub(super) async fn weigh(
        self: &Arc<Self>,
        csv: &Bytes,
        confirm: Option<&str>,
    ) -> Result<Weighed, PublishError> {
        let this = Arc::clone(self);
        let bytes = csv.clone();
        let preview = tokio::task::spawn_blocking(move || this.preview(&bytes)).await?;
        let Preview { report, prepared, guarded, base } = preview;
        let (Some(prepared), Some(guarded)) = (prepared, guarded) else {
            return Err(PublishError::Refused(Box::new(report)));
        };
        let is_free = !guarded.is_held() || confirm == Some(guarded.digest.as_str());
        Ok(Weighed { base, prepared, report, confirmed: if is_free { Ok(()) } else { Err(guarded) } })
    }

    /// Looks at a release's feeds, on a thread of its own. What the running release shares was looked at with it.
    async fn inspect(&self, release: Release) -> Result<(Release, Vec<Found>), PublishError> {
        let (running, inspect) = (self.published(), self.inspect);
        let look = move || {
            let earlier = running.inspected.then_some(running.release.as_ref());
            let found = inspect(&release, earlier)?;
            Ok((release, found))
        };
        tokio::task::spawn_blocking(look).await?
    }

    /// A commit whose outcome was unknown (a full disk, a failed sync) may have reached the store after all:
    /// then that release is the running one, and everything goes on from there.
    pub(super) async fn keep_up_with_the_store(self: &Arc<Self>) -> Result<(), PublishError> {
        let current = self.current().number();
        let later = move |store: &Store| {
            if store.release_number()? <= current {
                return Ok(None);
            }
            let kept = kept::running(store)?;
            Ok::<_, PublishError>(kept.map(|kept| Published::new(kept.prepared.release, false)))
        };
        if let Some(published) = self.store.read(later).await? {
            tracing::warn!(
                release = published.release.number(),
                "a release that was thought to have failed is in the store, and runs now"
            );
            self.swap(published);
            self.tell_what_was_not().await;
        }
        Ok(())
    }

    /// The programs that are not kept any longer once `number` is published. The running one always is.
    fn outgrown(&self, number: u64) -> Result<Vec<Write>, ReadError> {
        let keep = self.settings.load().publishing.keep_releases.max(1);
        let Some(last) = number.checked_sub(keep).filter(|last| *last > 0) else { return Ok(Vec::new()) };
        // A release whose line is damaged stays: it is no reason to publish no more.
        let mut skipped = Skipped::default();
        let mut writes = Vec::new();
        for kept in skipped.over(self.store.each_release()) {
            let kept = kept?;
            if kept.complete && kept.number <= last {
                writes.push(Write::DropReleaseText { n: kept.number });
            }
        }
        skipped.log("looking for programs that are no longer kept");
        Ok(writes)
    }

    /// Serves a release that differs from the running one in nothing that the store keeps.
    async fn show(self: &Arc<Self>, release: Release) -> Result<Arc<Release>, PublishError> {
        let inspected = self.published().inspected;
        let published = tokio::task::spawn_blocking(move || Published::new(release, inspected)).await?;
        Ok(self.swap(published))
    }

    pub(super) fn swap(self: &Arc<Self>, published: Published) -> Arc<Release> {
        let release = Arc::clone(&published.release);
        let replaced = self.current.swap(Arc::new(published));
        self.announce.send_replace(release.number());
        self.behind(Some(replaced));
        release
    }

    /// Makes the codings behind the readers' backs: quick levels first, better ones after.
    ///
    /// The work ends when another release runs.
    pub fn compress_behind(self: &Arc<Self>) {
        self.behind(None);
    }

    /// [`Self::compress_behind`]. Taking a large release apart is nothing for the reactor either.
    pub(super) fn behind(self: &Arc<Self>, replaced: Option<Arc<Published>>) {
        use crate::feed::Effort;
        let this = Arc::clone(self);
        let work = move || {
            drop(replaced);
            let published = this.published();
            let runs = || Arc::ptr_eq(&published, &this.published());
            for effort in [Effort::Quick, Effort::Best] {
                published.release.feeds.compress(effort, runs);
                published.pages.compress(effort, runs);
            }
        };
        // Without a thread readers get the plain bytes, which is no reason to fail a publication.
        if let Err(error) = std::thread::Builder::new().name("compress".into()).spawn(work) {
            tracing::warn!(%error, "no thread to compress feeds; they are served plain");
        }
    }

    /// A note on which bytes of the file were taken in, where this publication says something about that.
    fn taken_in_by(&self, proposal: &Proposal, digest: Digest, release: u64, is_new: bool) -> Option<Write> {
        if proposal.origin == Origin::Config {
            // A file that was in step still is: its content did not change.
            // A damaged note stays as it is: a file that is saved is refused with it, and says so.
            let taken = self.store.imported_file().ok().flatten()?;
            let is_in_step = is_new && taken.release == self.current().number();
            return is_in_step.then(|| ImportedFile { release, ..taken }.into());
        }
        let seen = self.state().file;
        if proposal.origin == Origin::File || seen == Some(digest) {
            return Some(ImportedFile { digest, release }.into());
        }
        // Whatever the file holds is older than what was published past it, and must not undo that at the
        // next start; be it a file that was held or had errors.
        let seen = seen.filter(|_| is_new)?;
        Some(ImportedFile { digest: seen, release: 0 }.into())
    }
}

/// What the guard answers.
pub(super) fn held(
    guarded: Guarded,
    report: Report,
    prepared: Prepared,
    csv: Bytes,
    base: u64,
) -> PublishError {
    let zone = prepared.release.program.conference.zone;
    PublishError::Held(Box::new(Held { guarded, report, changes: prepared.changes, zone, csv, base }))
}

/// A proposal that imports, and what the guard says to it.
pub(super) struct Weighed {
    pub(super) base: Arc<Release>,
    pub(super) prepared: Prepared,
    pub(super) report: Report,
    /// The guard's verdict where it holds the release and nobody confirmed that.
    pub(super) confirmed: Result<(), Guarded>,
}
