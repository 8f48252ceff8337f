//! Retention: agendas and the fetches of their links are erased a configured time after the conference, and expired
//! subscriptions of calendar programs within a day.
//!
//! An agenda that is changed after the conference stays for the same time after the change. Program, ledger and
//! releases stay, because they are public. The hashes of an erased agenda's read links stay too, so that the links
//! answer 410 and calendars keep their copies.
//!
//! Invariants: an agenda is erased together with its links, and only in the version that was found due, so a change
//! that is acknowledged meanwhile is never erased. After a jump of the clock nothing is erased, see `trust`. The next
//! pass repeats a pass that a crash ended.

mod trust;

use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::program::Program;
use crate::publisher::Publisher;
use crate::revision::Digest;
use crate::store::{
    AgendaRecord, ClockProbation, CommitError, LinkTarget, NamedRecord, ReadError, RecordName, Skipped,
    Store, Write,
};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use trust::{ClockVerdict, Trust};

/// The time between two checks of the clock, which an administrator may set at any time.
const CHECK_EVERY: Duration = Duration::from_secs(600);

/// The time between two passes that erase.
const ERASE_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// The time between two writes of the trusted time. It must be below the tolerated jump.
const STORE_EVERY: Duration = Duration::from_secs(60 * 60);

/// The most agendas or closed links that one commit erases. Long commits would delay picks.
const MAX_ERASED_PER_COMMIT: usize = 32;

/// Erases agendas whose retention time is over.
#[derive(Debug)]
pub struct Retention {
    days: u32,
    publisher: Arc<Publisher>,
    store: Store,
    freshness: Arc<Freshness>,
    clock: Clock,
    watch: Mutex<Watch>,
}

/// What this process knows about the clock.
#[derive(Debug, Default)]
struct Watch {
    /// None before the first check.
    trust: Option<Trust>,
    /// When the trusted time was last stored.
    stored: Option<Duration>,
    /// Whether the store has a probation of the clock.
    has_probation: bool,
    /// Whether the present jump was logged.
    is_warned: bool,
}

/// The result of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RetentionResult {
    /// Erased agendas.
    pub agendas: usize,
    /// Erased read links. They answer 410 from now on.
    pub links: usize,
}

/// Why a pass ended early. The next pass continues.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store refused a write.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The thread of the pass ended early.
    #[error("the pass ended early: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

impl Retention {
    /// Erases `days` after the conference's end, and after an agenda's last change.
    pub fn new(
        days: u32,
        publisher: Arc<Publisher>,
        store: Store,
        freshness: Arc<Freshness>,
        clock: Clock,
    ) -> Self {
        Self { days, publisher, store, freshness, clock, watch: Mutex::default() }
    }

    /// Makes a pass at once and then every day. Never returns.
    pub async fn run(self: Arc<Self>) {
        let mut next = Duration::ZERO;
        loop {
            let now = self.clock.elapsed();
            if !self.publisher.charge().is_held() {
                tokio::time::sleep(CHECK_EVERY).await;
                continue;
            }
            match self.check(next <= now).await {
                Ok(None) => {}
                Ok(Some(RetentionResult { agendas, links })) => {
                    next = now + ERASE_EVERY;
                    if agendas + links > 0 {
                        tracing::info!(
                            agendas,
                            links,
                            "agendas were erased, since their retention time is over"
                        );
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "agendas whose retention time is over could not be erased yet");
                }
            }
            tokio::time::sleep(CHECK_EVERY).await;
        }
    }

    /// Erases the agendas whose retention time is over, unless the clock jumped ahead.
    ///
    /// # Errors
    /// [`RetentionError`]; some agendas may have been erased before it.
    pub async fn pass(self: &Arc<Self>) -> Result<RetentionResult, RetentionError> {
        Ok(self.check(true).await?.unwrap_or_default())
    }

    /// Checks the clock, and erases if `erases` is set and the retention time is over. None if it did not erase.
    async fn check(self: &Arc<Self>, erases: bool) -> Result<Option<RetentionResult>, RetentionError> {
        let this = Arc::clone(self);
        tokio::task::spawn_blocking(move || this.check_blocking(erases)).await?
    }

    fn check_blocking(&self, erases: bool) -> Result<Option<RetentionResult>, RetentionError> {
        let (now, elapsed) = (self.clock.now(), self.clock.elapsed());
        let is_due = self.is_due(now);
        let until = now - TimeDelta::days(self.days.into());
        match self.judge(now, elapsed)? {
            ClockVerdict::Trusted => {
                self.store_trusted(now, elapsed);
                if erases && let Err(error) = self.publisher.outbox().drop_expired() {
                    tracing::error!(%error, "expired subscriptions of calendar programs could not be removed yet");
                }
                if erases && is_due { Ok(Some(self.erase(until, now)?)) } else { Ok(None) }
            }
            ClockVerdict::Jumped { ahead } => {
                self.store_probation();
                if is_due && !std::mem::replace(&mut self.watch().is_warned, true) {
                    let agendas = due(&self.store, until)?.len();
                    tracing::warn!(
                        agendas,
                        days_ahead = ahead.num_days(),
                        "the clock is ahead of the last time that this server saw, so nothing is erased until it has run steadily for a day; set it right if it is wrong, or these agendas will be erased then"
                    );
                }
                Ok(None)
            }
        }
    }

    fn judge(&self, now: DateTime<Utc>, elapsed: Duration) -> Result<ClockVerdict, ReadError> {
        let mut watch = self.watch();
        let Watch { trust, has_probation, is_warned, .. } = &mut *watch;
        let trust = match trust {
            Some(trust) => trust,
            none => {
                let probation = self.stored_probation()?;
                *has_probation = probation.is_some();
                none.insert(Trust::new(self.last_trusted()?, probation, now, elapsed))
            }
        };
        let verdict = trust.judge(now, elapsed);
        if verdict == ClockVerdict::Trusted {
            *is_warned = false;
        }
        Ok(verdict)
    }

    /// The last trusted time or, if none is stored, the newest time of a stored record.
    fn last_trusted(&self) -> Result<DateTime<Utc>, ReadError> {
        match self.store.trusted_time() {
            Ok(Some(time)) => return Ok(time),
            Ok(None) | Err(ReadError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
        let mut newest = self.publisher.current().published();
        for row in Skipped::default().over(self.store.agendas()) {
            newest = newest.max(row?.1.modified);
        }
        Ok(newest)
    }

    /// The stored probation of the clock. If its record is damaged, the probation begins again.
    fn stored_probation(&self) -> Result<Option<ClockProbation>, ReadError> {
        match self.store.clock_probation() {
            Err(ReadError::Damaged { .. }) => Ok(None),
            found => found,
        }
    }

    /// Stores the trusted time for later processes. After a failure the next check tries again.
    fn store_trusted(&self, now: DateTime<Utc>, elapsed: Duration) {
        let (stored, has_probation) = {
            let watch = self.watch();
            (watch.stored, watch.has_probation)
        };
        if !has_probation && stored.is_some_and(|stored| elapsed.saturating_sub(stored) < STORE_EVERY) {
            return;
        }
        let writes = vec![NamedRecord::TrustedTime(now).into(), Write::DropNamed(RecordName::ClockProbation)];
        match self.store.commit_blocking(writes) {
            Ok(()) => {
                let mut watch = self.watch();
                (watch.stored, watch.has_probation) = (Some(elapsed), false);
            }
            Err(error) => {
                tracing::warn!(%error, "the present time could not be stored; the next start may wait a day before it erases agendas");
            }
        }
    }

    /// Stores the clock's probation, so that a restart continues it.
    fn store_probation(&self) {
        let Some(probation) = self.watch().trust.as_ref().and_then(Trust::probation) else { return };
        match self.store.commit_blocking(vec![NamedRecord::ClockProbation(probation).into()]) {
            Ok(()) => self.watch().has_probation = true,
            Err(error) => {
                tracing::warn!(%error, "the clock's probation could not be stored; a restart may begin it again");
            }
        }
    }

    fn is_due(&self, now: DateTime<Utc>) -> bool {
        let release = self.publisher.current();
        let zone = release.program.conference.zone;
        let until =
            last_day(&release.program).and_then(|day| day.checked_add_days(Days::new(self.days.into())));
        until.is_some_and(|until| zone.civil(now).date() > until)
    }

    /// Erases the agendas that were not changed after `until`.
    fn erase(&self, until: DateTime<Utc>, at: DateTime<Utc>) -> Result<RetentionResult, RetentionError> {
        let mut erased = self.erase_agendas(due(&self.store, until)?, at)?;
        erased.links += self.erase_closed_links(until, at)?;
        self.freshness.save_all(at, |writes| self.store.commit_blocking(writes))?;
        Ok(erased)
    }

    /// Erases each agenda in one commit with its links. An agenda that was changed since it was found due stays.
    fn erase_agendas(
        &self,
        due: Vec<DueAgenda>,
        at: DateTime<Utc>,
    ) -> Result<RetentionResult, RetentionError> {
        let mut erased = RetentionResult::default();
        for batch in due.chunks(MAX_ERASED_PER_COMMIT) {
            let all = batch.iter().flat_map(|due| due.writes(at)).collect();
            match self.store.commit_blocking(all) {
                Ok(()) => batch.iter().for_each(|due| self.erased(due, &mut erased)),
                // One agenda of the batch was changed. The others are erased one by one.
                Err(CommitError::Conflict) => {
                    for due in batch {
                        match self.store.commit_blocking(due.writes(at)) {
                            Ok(()) => self.erased(due, &mut erased),
                            Err(CommitError::Conflict) => {}
                            Err(error) => return Err(error.into()),
                        }
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(erased)
    }

    fn erased(&self, due: &DueAgenda, erased: &mut RetentionResult) {
        erased.agendas += 1;
        erased.links += due.links.len();
        due.links.iter().for_each(|link| self.freshness.forget(&link.0));
    }

    /// Erases links that were revoked, or deleted with their agenda, long ago.
    fn erase_closed_links(&self, until: DateTime<Utc>, at: DateTime<Utc>) -> Result<usize, RetentionError> {
        let mut skipped = Skipped::default();
        let (mut links, mut batch) = (0, Vec::new());
        for row in skipped.over(self.store.links()) {
            let (hash, target) = row?;
            if !matches!(target, LinkTarget::Closed { at } if at <= until) {
                continue;
            }
            links += 1;
            batch.push(Write::PutLink { hash, target: LinkTarget::Erased { at } });
            if batch.len() >= MAX_ERASED_PER_COMMIT {
                self.store.commit_blocking(std::mem::take(&mut batch))?;
            }
        }
        self.store.commit_blocking(batch)?;
        skipped.log("erasing old read links");
        Ok(links)
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The conference's last day: the configured day, or that of the last session if it is later.
fn last_day(program: &Program) -> Option<NaiveDate> {
    let zone = program.conference.zone;
    let ends = program.order().iter().map(|session| zone.civil(session.slot.end).date()).max();
    ends.max(program.conference.dates.map(|(_, last)| last))
}

/// An agenda whose retention time is over, in the version that was read.
#[derive(Debug)]
struct DueAgenda {
    key: Digest,
    version: u64,
    /// The hashes of its links.
    links: Vec<Digest>,
}

impl DueAgenda {
    fn of(key: Digest, record: &AgendaRecord) -> Self {
        let live = record.links.iter().filter(|link| link.revoked.is_none());
        Self { key, version: record.version, links: live.map(|link| link.hash).collect() }
    }

    fn writes(&self, at: DateTime<Utc>) -> Vec<Write> {
        let erased = |hash: &Digest| Write::PutLink { hash: *hash, target: LinkTarget::Erased { at } };
        let delete = Write::DeleteAgenda { key: self.key, expect: Some(self.version) };
        std::iter::once(delete).chain(self.links.iter().map(erased)).collect()
    }
}

/// The agendas that were not changed after `until`. A damaged agenda stays.
fn due(store: &Store, until: DateTime<Utc>) -> Result<Vec<DueAgenda>, ReadError> {
    let mut skipped = Skipped::default();
    let mut due = Vec::new();
    for row in skipped.over(store.agendas()) {
        let (key, agenda) = row?;
        if agenda.modified <= until {
            due.push(DueAgenda::of(key, &agenda));
        }
    }
    skipped.log("looking for agendas whose retention time is over");
    Ok(due)
}
