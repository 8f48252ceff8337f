//! Starts a publisher: from the release in the store, or else from a program file without errors.
//!
//! Also applies a changed config to a running server, through the same guard as every other publication.

use super::publish::{Preparation, warnings_of};
use super::{
    ConfigStatus, Hold, LiveRelease, Proposal, Publication, PublishError, Publisher, PublisherTask, Setup,
    StartError, Status, StoredRelease, deliveries, guard, status, warnings,
};
use crate::clock::Clock;
use crate::config::{Publishing, Push, Webhook};
use crate::import::{ProgramFile, import};
use crate::program::Conference;
use crate::reach::Outbox;
use crate::release::{Prepared, Release};
use crate::revision::{Digest, Ledger};
use crate::store::{ImportedFile, Origin, ReleaseRecord, Store, Write};
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::sync::{Arc, Mutex};

/// A started publisher.
#[derive(Debug)]
pub struct Started {
    /// The publisher.
    pub publisher: Arc<Publisher>,
    /// Whether release 1 was published by this start.
    pub is_first: bool,
}

impl Publisher {
    /// Starts from the store, or publishes release 1 from the program file.
    ///
    /// A changed config or a newer renderer publishes a release here. A changed program file does not; see
    /// [`Publisher::catch_up`]. Blocks on the store.
    ///
    /// # Errors
    /// [`StartError`] if there is nothing to serve.
    pub fn start(
        store: Store,
        conference: Conference,
        setup: Setup,
        clock: Clock,
    ) -> Result<Started, StartError> {
        let conference = Arc::new(conference);
        let ledger = store.ledger()?;
        let is_first = ledger.is_none();
        let (release, mut state) = match ledger {
            None => first(&store, &conference, &setup, &clock)?,
            Some(ledger) => resume(&store, ledger, &conference, &setup, &clock)?,
        };
        let number = if is_first { 0 } else { release.number() };
        // A full disk or a damaged record must not prevent a start.
        match deliveries::first_writes(&store, &setup.webhooks, setup.push.as_ref(), number) {
            Ok(notes) if notes.is_empty() => {}
            Ok(notes) => {
                if let Err(error) = store.commit_blocking(notes) {
                    tracing::warn!(%error, "the release after which announcements begin could not be stored");
                }
            }
            Err(error) => state.set_fault(PublisherTask::Deliveries, Some(&error)),
        }
        match store.schedule() {
            Ok(stored) => {
                state.schedule = stored.map(|(scheduled, _)| scheduled).filter(|scheduled| !scheduled.held);
            }
            Err(error) => state.set_fault(PublisherTask::Schedule, Some(&error)),
        }
        state.config.read = Some(clock.now());
        let announce = tokio::sync::watch::Sender::new(release.number());
        let Setup { file, settings: publishing, webhooks, push, spool, inspect } = setup;
        let outbox = Outbox::new(store.clone(), clock.clone());
        match outbox.take_over(&spool) {
            Ok(0) => {}
            Ok(deliveries) => {
                tracing::info!(deliveries, "the deliveries of the old spool are in the store now")
            }
            Err(error) => {
                tracing::error!(%error, spool = %spool.display(), "the deliveries of the old spool are not sent yet; the next start tries again");
            }
        }
        let publisher = Self {
            current: ArcSwap::from_pointee(LiveRelease::new(release, is_first)),
            settings: ArcSwap::from_pointee(PublisherSettings { conference, publishing, webhooks, push }),
            file,
            outbox,
            inspect,
            store,
            clock,
            turn: tokio::sync::Mutex::default(),
            rescheduled: tokio::sync::Notify::new(),
            writer: tokio::sync::watch::Sender::default(),
            state: Mutex::new(state),
            announce,
            preparation: Preparation::default(),
        };
        Ok(Started { publisher: Arc::new(publisher), is_first })
    }
}

/// Publishes release 1.
fn first(
    store: &Store,
    conference: &Arc<Conference>,
    setup: &Setup,
    clock: &Clock,
) -> Result<(Release, Status), StartError> {
    let file = &setup.file;
    let contents = ProgramFile::read(file)
        .map_err(|cause| StartError::NoProgram { path: file.display().to_string(), cause })?;
    let csv = match contents {
        ProgramFile::Whole(csv) => Bytes::from(csv),
        ProgramFile::TooLarge(report) => return Err(StartError::BadProgram(Box::new(report))),
    };
    let mut report = import(&csv, conference);
    let Some(program) = report.program.clone() else { return Err(StartError::BadProgram(Box::new(report))) };
    let empty = Ledger::empty(&conference.uid_domain);
    let prepared = Release::prepare(program, &empty, clock.now());
    report.faults.splice(0..0, warnings_of((setup.inspect)(&prepared.release, None)?));
    let release = UnattendedRelease { previous: None, origin: Origin::First, conference };
    let release = release.persist(store, prepared, csv, warnings(&report))?;
    status::log_warnings(file.display(), &report);
    let status = Status::first(release.published(), release.number(), &report);
    Ok((release, status))
}

/// Serves the stored release. Publishes another release first if the renderer or the config changed.
fn resume(
    store: &Store,
    ledger: Ledger,
    conference: &Arc<Conference>,
    setup: &Setup,
    clock: &Clock,
) -> Result<(Release, Status), StartError> {
    if ledger.uid_domain != conference.uid_domain {
        let (configured, stored) = (conference.uid_domain.clone(), ledger.uid_domain);
        return Err(StartError::UidDomain { configured, stored });
    }
    let StoredRelease { prepared, conference: published_with, csv, warnings } =
        StoredRelease::load(store, &ledger, &conference.identity)?;
    let mut live = prepared.release;
    if prepared.is_new {
        // This version renders sessions differently, so the result needs a release number of its own. The old feeds
        // are dropped first: memory may not have room for both.
        let upgrade = Release::prepare(live.into_program(), &ledger, clock.now());
        let found = (setup.inspect)(&upgrade.release, None)?;
        let warnings = warnings_of(found).map(|fault| fault.to_string()).chain(warnings).collect();
        let release = UnattendedRelease {
            previous: Some(&ledger),
            origin: Origin::Upgrade,
            conference: &published_with,
        };
        live = release.persist(store, upgrade, csv.clone(), warnings)?;
    }
    drop(ledger);
    if published_with == *conference {
        return Ok((live, Status::default()));
    }
    reconfigure(store, live, csv, conference, setup, clock)
}

/// Publishes the stored program under the changed config, unless the program then has errors or the guard holds it.
fn reconfigure(
    store: &Store,
    live: Release,
    csv: Bytes,
    conference: &Arc<Conference>,
    setup: &Setup,
    clock: &Clock,
) -> Result<(Release, Status), StartError> {
    let mut report = import(&csv, conference);
    let Some(program) = report.program.clone() else {
        return Ok((live, Status::config_refused(clock.now(), &report)));
    };
    // A changed config changes most feeds, and memory may not have room for the old and the new ones. The old feeds
    // are dropped, and rendered again only if they must be served.
    let (old, ledger) = live.into_program_and_ledger();
    let render = |program, ledger: &Ledger| Release::prepare(program, ledger, ledger.published).release;
    let prepared = Release::prepare(program, &ledger, clock.now());
    let digest = guard::digest(&csv, conference, ledger.release);
    let verdict = guard::judge(&old, &prepared, &setup.settings, None, digest);
    if verdict.is_held() {
        let (changes, base) = (prepared.changes.clone(), ledger.release);
        drop(prepared);
        let held = Hold { verdict, report, changes, zone: conference.zone, csv, base };
        return Ok((render(old, &ledger), Status::config_held(clock.now(), &held)));
    }
    if !prepared.is_new {
        return Ok((prepared.release, Status::default()));
    }
    match (setup.inspect)(&prepared.release, None) {
        Ok(found) => drop(report.faults.splice(0..0, warnings_of(found))),
        Err(error) => {
            drop(prepared);
            return Ok((render(old, &ledger), Status::config_unsound(clock.now(), &error)));
        }
    }
    drop(old);
    let release = UnattendedRelease { previous: Some(&ledger), origin: Origin::Config, conference };
    let release = release.persist(store, prepared, csv, warnings(&report))?;
    Ok((release, Status::default()))
}

/// A release that no organizer asked for: a start or a restored backup makes it.
pub(super) struct UnattendedRelease<'a> {
    pub(super) previous: Option<&'a Ledger>,
    pub(super) origin: Origin,
    pub(super) conference: &'a Conference,
}

impl UnattendedRelease<'_> {
    pub(super) fn persist(
        self,
        store: &Store,
        prepared: Prepared,
        csv: Bytes,
        warnings: Vec<String>,
    ) -> Result<Release, StartError> {
        let Prepared { release, changes, .. } = prepared;
        let (number, digest) = (release.number(), Digest::of(&csv));
        let record = ReleaseRecord {
            number,
            published: release.published(),
            origin: self.origin,
            who: None,
            csv_digest: digest,
            changes,
            conference: self.conference.clone(),
            warnings,
            complete: true,
        };
        let mut writes = vec![store.release_write(self.previous, &release.ledger, record, csv)];
        let before = self.previous.map_or(0, |ledger| ledger.release);
        // The program did not change, so a file that matched the previous release matches this one.
        let imported = match store.imported_file() {
            Ok(None) => Some(ImportedFile { digest, release: number }),
            Ok(Some(imported)) => {
                (imported.release == before).then_some(ImportedFile { release: number, ..imported })
            }
            // A damaged record stays: the next saved file is refused because of it.
            Err(_) => None,
        };
        writes.extend(imported.map(Write::from));
        store.commit_blocking(writes)?;
        Ok(release)
    }
}

/// The part of the config that a running publisher can replace, as one.
#[derive(Debug, Clone)]
pub struct PublisherSettings {
    /// The conference of new releases.
    pub conference: Arc<Conference>,
    /// The guard, and how many releases are kept.
    pub publishing: Publishing,
    /// Receivers of a delivery after each release.
    pub webhooks: Vec<Webhook>,
    /// Messages to the browsers of attendees; none if they are off.
    pub push: Option<Push>,
}

impl Publisher {
    /// Replaces the settings. Publishes the live program under them, with the origin `config`, if the conference changed;
    /// otherwise returns none.
    ///
    /// As at a start, the guard may hold that release; the new settings stay in force meanwhile. After any other error
    /// the previous settings are back.
    ///
    /// # Errors
    /// [`PublishError`]; the live release stays in every case.
    pub async fn reconfigure(
        self: &Arc<Self>,
        settings: PublisherSettings,
    ) -> Result<Option<Publication>, PublishError> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.turn.lock().await;
            // Releases so far are for the webhooks so far.
            this.announce_releases().await;
            let previous = this.settings.swap(Arc::new(settings));
            this.store_first_release_of_receivers().await;
            let published = this.publish_settings().await;
            if !matches!(published, Ok(_) | Err(PublishError::Held(_))) {
                this.settings.store(previous);
            }
            published
        });
        task.await?
    }

    /// As at a start: receivers that the config adds get only the releases after the live one.
    async fn store_first_release_of_receivers(&self) {
        let settings = self.settings.load_full();
        let PublisherSettings { webhooks, push, .. } = &*settings;
        let notes = deliveries::first_writes(&self.store, webhooks, push.as_ref(), self.current().number());
        self.state().set_fault(PublisherTask::Deliveries, notes.as_ref().err());
        let notes = notes.unwrap_or_default();
        if !notes.is_empty()
            && let Err(error) = self.store.commit(notes).await
        {
            tracing::warn!(%error, "the release after which announcements begin could not be stored");
        }
    }

    async fn publish_settings(self: &Arc<Self>) -> Result<Option<Publication>, PublishError> {
        let live = self.current();
        if *live.program.conference == *self.conference() {
            self.state().held.remove(Origin::Config);
            return Ok(None);
        }
        let (this, number) = (Arc::clone(self), live.number());
        let csv = self.store.read(move |_| this.release_csv(number)).await?;
        let proposal = Proposal {
            csv: csv.into(),
            origin: Origin::Config,
            who: None,
            confirm: None,
            expect: Some(number),
        };
        self.publish_and_record(proposal).await.map(Some)
    }

    /// Records in the status how the config was read.
    pub fn note_config(&self, status: ConfigStatus) {
        self.state().config = status;
    }

    /// Records in the status that the config file was refused. The config in force stays.
    pub fn note_refused_config(&self, reason: String) {
        self.state().config.refused = Some(reason);
    }
}
