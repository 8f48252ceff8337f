//! The start: with a release in the store it is always served; without one the program file must be good.

use super::kept::{self, Kept};
use super::status::Part;
use super::{Held, Published, Publisher, Settings, Setup, StartError, Status, gate, guard, spool, status};
use crate::clock::Clock;
use crate::import::{ProgramFile, import};
use crate::program::Conference;
use crate::release::{Prepared, Release};
use crate::revision::{Digest, Ledger};
use crate::store::{ImportedFile, Origin, ReleaseRecord, Store, Write};
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::sync::{Arc, Mutex};

/// A publisher that has something to serve.
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
    /// A changed config or a newer renderer makes a release here; the program file does not, see
    /// [`Publisher::take_file`]. Blocks on the store.
    ///
    /// # Errors
    /// [`StartError`], where there is nothing to serve.
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
        let baseline =
            spool::baseline(&store, setup.webhooks.is_empty(), if is_first { 0 } else { release.number() });
        // Feeds are served from a full disk too, and beside damaged notes.
        match baseline {
            Ok(Some(note)) => {
                if let Err(error) = store.commit_blocking(vec![note]) {
                    tracing::warn!(%error, "the release that webhooks start after could not be noted");
                }
            }
            Ok(None) => {}
            Err(error) => state.fault(Part::Webhooks, Some(&error)),
        }
        match store.schedule() {
            Ok(scheduled) => {
                state.schedule = scheduled.map(|(schedule, _)| schedule).filter(|schedule| !schedule.held);
            }
            Err(error) => state.fault(Part::Schedule, Some(&error)),
        }
        state.config.read = Some(clock.now());
        let announce = tokio::sync::watch::Sender::new(release.number());
        let Setup { file, settings: publishing, webhooks, spool, inspect } = setup;
        let publisher = Self {
            current: ArcSwap::from_pointee(Published::new(release, is_first)),
            settings: ArcSwap::from_pointee(Settings { conference, publishing, webhooks }),
            file,
            spool,
            inspect,
            store,
            clock,
            turn: tokio::sync::Mutex::default(),
            rescheduled: tokio::sync::Notify::new(),
            writer: tokio::sync::watch::Sender::default(),
            state: Mutex::new(state),
            announce,
        };
        Ok(Started { publisher: Arc::new(publisher), is_first })
    }
}

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
    gate::tell((setup.inspect)(&prepared.release, None)?, &mut report);
    let warnings = kept::warnings(&report);
    let step = Step { previous: None, origin: Origin::First, conference };
    let release = step.persist(store, prepared, csv, warnings)?;
    status::log_warnings(file.display(), &report);
    let status = Status::first(release.published(), release.number(), &report);
    Ok((release, status))
}

/// The stored release, advanced by what the renderer or the config changed since.
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
    let Kept { prepared, conference: published_with, csv, warnings } = kept::of(store, &ledger)?;
    let mut was = prepared.release;
    if prepared.is_new {
        // What is shown differently is a release of its own before anything else, since it is served. The feeds
        // that it takes the place of are dropped first: both together may be more than the memory there is.
        let upgrade = Release::prepare(was.into_program(), &ledger, clock.now());
        let found = (setup.inspect)(&upgrade.release, None)?;
        let warnings = gate::told(found).map(|fault| fault.to_string()).chain(warnings).collect();
        let step = Step { previous: Some(&ledger), origin: Origin::Upgrade, conference: &published_with };
        was = step.persist(store, upgrade, csv.clone(), warnings)?;
    }
    drop(ledger);
    if published_with == *conference {
        return Ok((was, Status::default()));
    }
    reconfigure(store, was, csv, conference, setup, clock)
}

/// The old program under the new config: it may have become wrong, or move every session.
fn reconfigure(
    store: &Store,
    was: Release,
    csv: Bytes,
    conference: &Arc<Conference>,
    setup: &Setup,
    clock: &Clock,
) -> Result<(Release, Status), StartError> {
    let mut report = import(&csv, conference);
    let Some(program) = report.program.clone() else {
        return Ok((was, Status::config_refused(clock.now(), &report)));
    };
    // Another config changes most feeds, and two generations of them may be more than the memory there is. The old
    // ones are rendered again where they have to be served.
    let (old, ledger) = was.into_program_and_ledger();
    let again = |program, ledger: &Ledger| Release::prepare(program, ledger, ledger.published).release;
    let prepared = Release::prepare(program, &ledger, clock.now());
    let digest = guard::digest(&csv, conference, ledger.release);
    let guarded = guard::weigh(&old, &prepared, &setup.settings, None, digest);
    if guarded.is_held() {
        let (changes, base) = (prepared.changes.clone(), ledger.release);
        drop(prepared);
        let held = Held { guarded, report, changes, zone: conference.zone, csv, base };
        return Ok((again(old, &ledger), Status::config_held(clock.now(), &held)));
    }
    if !prepared.is_new {
        return Ok((prepared.release, Status::default()));
    }
    match (setup.inspect)(&prepared.release, None) {
        Ok(found) => gate::tell(found, &mut report),
        Err(error) => {
            drop(prepared);
            return Ok((again(old, &ledger), Status::config_unsound(clock.now(), &error)));
        }
    }
    drop(old);
    let step = Step { previous: Some(&ledger), origin: Origin::Config, conference };
    let release = step.persist(store, prepared, csv, kept::warnings(&report))?;
    Ok((release, Status::default()))
}

/// A release that a start or a restored backup makes.
pub(super) struct Step<'a> {
    pub(super) previous: Option<&'a Ledger>,
    pub(super) origin: Origin,
    pub(super) conference: &'a Conference,
}

impl Step<'_> {
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
        // A file that was in step still is: its content did not change.
        let taken = match store.imported_file() {
            Ok(None) => Some(ImportedFile { digest, release: number }),
            Ok(Some(taken)) => (taken.release == before).then_some(ImportedFile { release: number, ..taken }),
            // It stays as it is: a file that is saved is refused with it, and says so.
            Err(_) => None,
        };
        writes.extend(taken.map(Write::from));
        store.commit_blocking(writes)?;
        Ok(release)
    }
}
