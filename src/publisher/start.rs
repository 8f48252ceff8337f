//! The start: with a release in the store it is always served; without one the program file must be good.

use super::{Proposal, Publisher, Setup, StartError, Status, TAKEN_IN, guard, status};
use crate::clock::Clock;
use crate::config::Publishing;
use crate::import::import;
use crate::program::Conference;
use crate::release::{Prepared, Release};
use crate::revision::{Digest, Ledger};
use crate::store::{Origin, ReleaseRecord, ReleaseWrite, Store, Write};
use arc_swap::ArcSwap;
use std::path::Path;
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
        let (release, state) = match ledger {
            None => (first(&store, &conference, &setup.file, &clock)?, Status::default()),
            Some(ledger) => resume(&store, ledger, &conference, &setup.settings, &clock)?,
        };
        let announce = tokio::sync::watch::Sender::new(release.number());
        let publisher = Self {
            current: Arc::new(ArcSwap::from_pointee(release)),
            conference,
            setup,
            store,
            clock,
            turn: tokio::sync::Mutex::default(),
            state: Mutex::new(state),
            announce,
        };
        Ok(Started { publisher: Arc::new(publisher), is_first })
    }
}

fn first(
    store: &Store,
    conference: &Arc<Conference>,
    file: &Path,
    clock: &Clock,
) -> Result<Release, StartError> {
    let csv = std::fs::read(file)
        .map_err(|cause| StartError::NoProgram { path: file.display().to_string(), cause })?;
    let report = import(&csv, conference);
    let warnings = report.warnings().map(ToString::to_string).collect();
    let Some(program) = report.program.clone() else { return Err(StartError::BadProgram(Box::new(report))) };
    let empty = Ledger::empty(&conference.uid_domain);
    let prepared = Release::prepare(program, &empty, clock.now());
    persist(store, None, prepared, csv, Origin::First, warnings, conference)
}

/// The stored release, advanced by what the config or the renderer changed since.
fn resume(
    store: &Store,
    ledger: Ledger,
    conference: &Arc<Conference>,
    settings: &Publishing,
    clock: &Clock,
) -> Result<(Release, Status), StartError> {
    if ledger.uid_domain != conference.uid_domain {
        let (configured, stored) = (conference.uid_domain.clone(), ledger.uid_domain);
        return Err(StartError::UidDomain { configured, stored });
    }
    let number = ledger.release;
    let (Some(record), Some(csv)) = (store.release(number)?, store.program_csv(number)?) else {
        return Err(StartError::Incomplete { number });
    };
    let published_with = Arc::new(record.conference);
    let stored = import(&csv, &published_with);
    let Some(program) = stored.program.clone() else {
        return Err(StartError::Kept { number, report: Box::new(stored) });
    };
    let was = Release::prepare(program, &ledger, clock.now());
    let same_config = *published_with == **conference;
    if same_config {
        let warnings = stored.warnings().map(ToString::to_string).collect();
        let release = if was.is_new {
            persist(store, Some(&ledger), was, csv, Origin::Upgrade, warnings, conference)?
        } else {
            was.release
        };
        return Ok((release, Status::default()));
    }
    // The old program under the new config: it may have become wrong, or move every session.
    let report = import(&csv, conference);
    let Some(program) = report.program.clone() else {
        return Ok((was.release, Status::config_refused(clock.now(), report)));
    };
    let prepared = Release::prepare(program, &ledger, clock.now());
    let digest = guard::digest(&csv, conference, &was.release);
    let guarded = guard::weigh(&was.release.program, &prepared, settings, digest);
    if guarded.is_held() {
        let state = Status::config_held(clock.now(), &guarded);
        return Ok((was.release, state));
    }
    let warnings = report.warnings().map(ToString::to_string).collect();
    let release = persist(store, Some(&ledger), prepared, csv, Origin::Config, warnings, conference)?;
    Ok((release, Status::default()))
}

fn persist(
    store: &Store,
    previous: Option<&Ledger>,
    prepared: Prepared,
    csv: Vec<u8>,
    origin: Origin,
    warnings: Vec<String>,
    conference: &Conference,
) -> Result<Release, StartError> {
    let Prepared { release, changes, .. } = prepared;
    let digest = Digest::of(&csv);
    let record = ReleaseRecord {
        number: release.number(),
        published: release.published(),
        origin,
        who: None,
        csv_digest: digest,
        changes,
        conference: conference.clone(),
        warnings,
        complete: true,
    };
    let write = ReleaseWrite::between(previous, &release.ledger, record, csv);
    let mut writes = vec![Write::PutRelease(Box::new(write))];
    if origin == Origin::First {
        writes.push(Write::PutNote { name: TAKEN_IN.to_owned(), value: digest.0.to_vec() });
    }
    store.commit_blocking(writes)?;
    Ok(release)
}

impl Publisher {
    /// What a start does after listening: takes in the file if it was saved since, and says so if not.
    pub async fn catch_up(self: &Arc<Self>) {
        if self.take_file().await.is_none() && self.file_is_stale() {
            status::log_stale(self.file());
        }
    }

    /// Whether the program file is older than what runs: an upload or a roll-back came after it.
    pub fn file_is_stale(&self) -> bool {
        let running =
            self.store.release(self.current().number()).ok().flatten().map(|record| record.csv_digest);
        running.is_some() && self.taken_in().is_some() && running != self.taken_in()
    }

    /// Publishes a kept release again, through the same guard.
    ///
    /// # Errors
    /// [`super::PublishError`].
    pub async fn roll_back(
        self: &Arc<Self>,
        of: u64,
        who: Option<String>,
        confirm: Option<String>,
        expect: Option<u64>,
    ) -> Result<super::Publication, super::PublishError> {
        let csv = self.kept_csv(of)?;
        self.publish(Proposal { csv, origin: Origin::Rollback { of }, who, confirm, expect }).await
    }
}
