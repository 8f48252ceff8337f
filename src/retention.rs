//! Retention: agendas, and what calendars were seen to hold, go a configured time after the conference ended.
//!
//! An agenda that is changed after the conference stays as long after that, or whoever looks at an old program
//! would lose a pick that was acknowledged. A link goes with the agenda that it leads to.
//!
//! Owns when that is and what goes. Program, ledger and releases stay: they are published. Of an agenda only
//! the hashes of its read links stay, so that they answer 410, which tells calendars to keep their copy.
//! Invariants: an agenda goes together with its links, and only in the version that was found due, so a change
//! acknowledged meanwhile is never erased; nothing is erased by a clock that jumped (`trust`); a turn that a
//! crash ends is repeated by the next one, and does no harm twice.

mod trust;

use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::program::Program;
use crate::publisher::Publisher;
use crate::revision::Digest;
use crate::store::{AgendaRecord, CommitError, LinkTarget, NamedRecord, ReadError, Skipped, Store, Write};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use trust::{Trust, Verdict};

/// Time between two looks at the clock, which may be set meanwhile.
const LOOK: Duration = Duration::from_secs(600);

/// Time between two turns, once it is time: what was made since goes too.
const TURN: Duration = Duration::from_secs(24 * 60 * 60);

/// Time between two notes of the last trusted time: less than the jump that is tolerated.
const NOTE_EACH: Duration = Duration::from_secs(60 * 60);

/// Agendas, or closed links, in one commit, so that people's picks need not wait behind a long one.
const BATCH: usize = 32;

/// What is erased, and when.
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
    /// None before the first look.
    trust: Option<Trust>,
    /// When the trusted time was noted in the store.
    noted: Option<Duration>,
    /// Whether the present jump was logged.
    is_warned: bool,
}

/// What a turn erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Agendas.
    pub agendas: usize,
    /// Read links that answer 410 from now on.
    pub links: usize,
}

/// Why a turn was not finished; the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store took no writes.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The turn's thread ended early.
    #[error("the turn ended early: {0}")]
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

    /// Takes a turn at once and one each day; never returns.
    pub async fn keep(self: Arc<Self>) {
        let mut next = Duration::ZERO;
        loop {
            let now = self.clock.elapsed();
            match self.look(next <= now).await {
                Ok(None) => {}
                Ok(Some(Erased { agendas, links })) => {
                    next = now + TURN;
                    if agendas + links > 0 {
                        tracing::info!(agendas, links, "the conference is long over: agendas were erased");
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "agendas whose time is over could not be erased yet");
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Erases what is to go by now: nothing before its time, and nothing by a clock that jumped ahead.
    ///
    /// # Errors
    /// [`RetentionError`]; what was erased until then is gone.
    pub async fn turn(self: &Arc<Self>) -> Result<Erased, RetentionError> {
        Ok(self.look(true).await?.unwrap_or_default())
    }

    /// Looks at the clock, and erases if that is wanted and due. None where it was not.
    async fn look(self: &Arc<Self>, erases: bool) -> Result<Option<Erased>, RetentionError> {
        let this = Arc::clone(self);
        // A scan of the store is nothing for the reactor's threads.
        tokio::task::spawn_blocking(move || this.look_blocking(erases)).await?
    }

    fn look_blocking(&self, erases: bool) -> Result<Option<Erased>, RetentionError> {
        let (now, elapsed) = (self.clock.now(), self.clock.elapsed());
        let is_due = self.is_due(now);
        let until = now - TimeDelta::days(self.days.into());
        match self.judge(now, elapsed)? {
            Verdict::Trusted => {
                self.note_trusted(now, elapsed);
                if erases && is_due { Ok(Some(self.erase(until, now)?)) } else { Ok(None) }
            }
            Verdict::Jumped { ahead } => {
                if is_due && !std::mem::replace(&mut self.watch().is_warned, true) {
                    let agendas = due(&self.store, until)?.len();
                    tracing::warn!(
                        agendas,
                        days_ahead = ahead.num_days(),
                        "the clock is ahead of the last time that this server saw, so nothing is erased for a day; set the clock right if it is wrong, or these agendas go then"
                    );
                }
                Ok(None)
            }
        }
    }

    fn judge(&self, now: DateTime<Utc>, elapsed: Duration) -> Result<Verdict, ReadError> {
        let mut watch = self.watch();
        let trust = match &mut watch.trust {
            Some(trust) => trust,
            none => none.insert(Trust::since(self.last_trusted()?, elapsed)),
        };
        let verdict = trust.judge(now, elapsed);
        if verdict == Verdict::Trusted {
            watch.is_warned = false;
        }
        Ok(verdict)
    }

    /// The last time that was trusted; before the first note the newest that the store has a record of.
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

    /// Notes the time for later processes. A store that takes no writes now is asked again at the next look.
    fn note_trusted(&self, now: DateTime<Utc>, elapsed: Duration) {
        if self.watch().noted.is_some_and(|noted| elapsed.saturating_sub(noted) < NOTE_EACH) {
            return;
        }
        match self.store.commit_blocking(vec![NamedRecord::TrustedTime(now).into()]) {
            Ok(()) => self.watch().noted = Some(elapsed),
            Err(error) => {
                tracing::warn!(%error, "the present time could not be noted; the next start may wait a day before it erases agendas")
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
    fn erase(&self, until: DateTime<Utc>, at: DateTime<Utc>) -> Result<Erased, RetentionError> {
        let mut erased = self.erase_agendas(due(&self.store, until)?, at)?;
        erased.links += self.erase_closed_links(until, at)?;
        self.freshness.save_all(at, |writes| self.store.commit_blocking(writes))?;
        Ok(erased)
    }

    /// Each agenda goes in one commit with its links, and stays where it was changed since it was found due.
    fn erase_agendas(&self, due: Vec<Due>, at: DateTime<Utc>) -> Result<Erased, RetentionError> {
        let mut erased = Erased::default();
        for batch in due.chunks(BATCH) {
            let all = batch.iter().flat_map(|due| due.writes(at)).collect();
            match self.store.commit_blocking(all) {
                Ok(()) => batch.iter().for_each(|due| self.erased(due, &mut erased)),
                // One of them was changed: the others go one by one.
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

    fn erased(&self, due: &Due, erased: &mut Erased) {
        erased.agendas += 1;
        erased.links += due.links.len();
        due.links.iter().for_each(|link| self.freshness.forget(&link.0));
    }

    /// Links that were revoked long ago, or deleted with their agenda.
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
            if batch.len() >= BATCH {
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

/// The conference's last day: as configured, or of the last session where that is later. None while there is
/// neither.
fn last_day(program: &Program) -> Option<NaiveDate> {
    let zone = program.conference.zone;
    let ends = program.order().iter().map(|session| zone.civil(session.slot.end).date()).max();
    ends.max(program.conference.dates.map(|(_, last)| last))
}

/// An agenda whose time is over, in the version that was found so.
#[derive(Debug)]
struct Due {
    key: Digest,
    version: u64,
    /// The hashes of the links that lead to it.
    links: Vec<Digest>,
}

impl Due {
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

/// The agendas that were not changed after `until`. One that cannot be read stays.
fn due(store: &Store, until: DateTime<Utc>) -> Result<Vec<Due>, ReadError> {
    let mut skipped = Skipped::default();
    let mut due = Vec::new();
    for row in skipped.over(store.agendas()) {
        let (key, agenda) = row?;
        if agenda.modified <= until {
            due.push(Due::of(key, &agenda));
        }
    }
    skipped.log("looking for agendas whose time is over");
    Ok(due)
}
