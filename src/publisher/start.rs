//! Starts a publisher: from the release in the store, or else from a program file without errors.
//!
//! Also applies a changed config to a running server, through the same guard as every other publication.

use super::follow::{EMPTY, FollowedParts};
use super::publish::{Inspect, Preparation, renderer_write, warnings_of};
use super::renderer::RENDERER;
use super::{
    ConfigStatus, Hold, LiveRelease, Proposal, Publication, PublishError, Publisher, PublisherTask, Setup,
    SourceStatus, StartError, Status, StoredRelease, deliveries, guard, status, warnings,
};
use crate::clock::Clock;
use crate::config::{Mail, Publishing, Push, Source, Webhook};
use crate::import::{ProgramFile, Report, import};
use crate::program::{Conference, Program};
use crate::reach::Outbox;
use crate::release::{Prepared, Release};
use crate::revision::{Digest, Ledger};
use crate::store::{Charge, CommitError, ImportedFile, Origin, ReleaseRecord, Store, Write};
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::io::ErrorKind;
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
        let mut tries = 0;
        let (release, mut state, is_first) = loop {
            let ledger = store.ledger()?;
            let is_first = ledger.is_none();
            let started = match ledger {
                None => first(&store, &conference, &setup, &clock),
                Some(ledger) => resume(&store, ledger, &conference, &setup, &clock),
            };
            match started {
                // Another replica published at the same moment.
                Err(StartError::Commit(CommitError::Conflict)) if store.is_shared() && tries < 10 => {
                    tries += 1
                }
                started => {
                    let (release, state) = started?;
                    break (release, state, is_first);
                }
            }
        };
        let charge = Charge::of(&store);
        let number = if is_first { 0 } else { release.number() };
        // A full disk or a damaged record must not prevent a start.
        match deliveries::first_writes(
            &store,
            &setup.webhooks,
            setup.push.as_ref(),
            setup.mail.as_ref(),
            number,
        ) {
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
        let Setup { file, settings: publishing, webhooks, push, source, mail, spool, inspect } = setup;
        state.source = source.as_ref().map(|source| SourceStatus::at_start(source, &store));
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
        if mail.is_some()
            && let Err(error) = outbox.check_all_mailboxes()
        {
            tracing::warn!(%error, "mailboxes are not checked before their next change");
        }
        let publisher = Self {
            current: ArcSwap::from_pointee(LiveRelease::new(release, is_first)),
            settings: ArcSwap::from_pointee(PublisherSettings {
                conference,
                publishing,
                webhooks,
                push,
                source,
                mail,
            }),
            file,
            outbox,
            inspect,
            store,
            charge,
            clock,
            turn: tokio::sync::Mutex::default(),
            rescheduled: tokio::sync::Notify::new(),
            reminders_changed: tokio::sync::Notify::new(),
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
    let (csv, mut report, program) = match ProgramFile::read(file) {
        Ok(ProgramFile::Whole(csv)) => {
            let report = import(&csv, conference);
            let Some(program) = report.program.clone() else {
                return Err(StartError::BadProgram(Box::new(report)));
            };
            (Bytes::from(csv), report, program)
        }
        Ok(ProgramFile::TooLarge(report)) => return Err(StartError::BadProgram(Box::new(report))),
        // The source's first program follows within seconds.
        Err(cause) if cause.kind() == ErrorKind::NotFound && setup.source.is_some() => {
            let program = Program::new(Arc::clone(conference), conference.tracks.clone(), Vec::new());
            (Bytes::from_static(EMPTY), Report { program: None, faults: Vec::new() }, program)
        }
        Err(cause) => return Err(StartError::NoProgram { path: file.display().to_string(), cause }),
    };
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
    let stored = StoredRelease::load(store, &ledger, &conference.identity)?;
    let (published_with, csv) = (Arc::clone(&stored.conference), stored.csv.clone());
    let live = match stored.prepared.is_new {
        true => stored.upgrade_from(store, &ledger, clock, setup.inspect)?,
        false => stored.prepared.release,
    };
    drop(ledger);
    if published_with == *conference {
        return Ok((live, Status::default()));
    }
    if store.is_shared() && !store.status().writable {
        tracing::warn!(
            "the changed config is published by the first SIGHUP or restart after the database is back"
        );
        return Ok((live, Status::default()));
    }
    reconfigure(store, live, csv, conference, setup, clock)
}

impl StoredRelease {
    /// [`Self::upgrade_from`] the ledger in the store.
    pub(super) fn upgrade(
        self,
        store: &Store,
        clock: &Clock,
        inspect: Inspect,
    ) -> Result<Release, StartError> {
        match store.ledger()? {
            Some(ledger) => self.upgrade_from(store, &ledger, clock, inspect),
            None => Ok(self.prepared.release),
        }
    }

    /// Publishes a stored release as this version renders it, which is different: so it needs a release number of its own.
    /// Several replicas may run different versions, and only a newer one than the release's does this.
    fn upgrade_from(
        self,
        store: &Store,
        ledger: &Ledger,
        clock: &Clock,
        inspect: Inspect,
    ) -> Result<Release, StartError> {
        if store.is_shared()
            && let Some(renderer) = store.renderer()?.filter(|renderer| *renderer >= RENDERER)
        {
            let (major, minor) = (renderer / 1_000_000, renderer / 1000 % 1000);
            let version = format!("{major}.{minor}.{}", renderer % 1000);
            return Err(StartError::NewerRenderer { version, number: ledger.release });
        }
        let Self { prepared, conference, csv, warnings } = self;
        // The old feeds are dropped first: memory may not have room for both.
        let upgrade = Release::prepare(prepared.release.into_program(), ledger, clock.now());
        let found = inspect(&upgrade.release, None)?;
        let warnings = warnings_of(found).map(|fault| fault.to_string()).chain(warnings).collect();
        let release =
            UnattendedRelease { previous: Some(ledger), origin: Origin::Upgrade, conference: &conference };
        release.persist(store, upgrade, csv, warnings)
    }
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
        writes.extend(renderer_write(store));
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
    /// The program elsewhere that is followed, if any.
    pub source: Option<Source>,
    /// Calendar invitations by mail; none if they are off.
    pub mail: Option<Mail>,
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
            this.follow_another_source(settings.source.as_ref());
            // Releases so far are for the webhooks so far.
            this.announce_releases().await;
            let previous = this.settings.swap(Arc::new(settings));
            this.store_first_release_of_receivers().await;
            this.check_reminders();
            let published = this.publish_settings().await;
            if !matches!(published, Ok(_) | Err(PublishError::Held(_))) {
                this.settings.store(previous);
            }
            published
        });
        task.await?
    }

    /// Empties the status of the source if it was replaced.
    fn follow_another_source(&self, source: Option<&Source>) {
        if self.settings.load().source.as_ref() != source {
            let status = source.map(|source| SourceStatus::at_start(source, &self.store));
            self.state().source = status;
        }
    }

    /// As at a start: receivers that the config adds get only the releases after the live one.
    async fn store_first_release_of_receivers(&self) {
        let settings = self.settings.load_full();
        let PublisherSettings { webhooks, push, mail, .. } = &*settings;
        let notes = deliveries::first_writes(
            &self.store,
            webhooks,
            push.as_ref(),
            mail.as_ref(),
            self.current().number(),
        );
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
            let mut state = self.state();
            state.held.remove(Origin::Config);
            state.record_recovery(self.clock.now(), Origin::Config, live.number());
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
        self.publish_and_record(proposal, FollowedParts::default()).await.map(Some)
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
