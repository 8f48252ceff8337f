//! Retention: agendas, and what calendars were seen to hold, go a configured time after the conference ended.
//!
//! An agenda that is changed after the conference stays as long after that, or whoever looks at an old program
//! would lose a pick that was acknowledged. A link goes with the agenda that it leads to.
//!
//! Owns when that is and what goes. Program, ledger and releases stay: they are published. Of an agenda only
//! the hashes of its read links stay, so that they answer 410, which tells calendars to keep their copy.
//! Invariant: a turn that a crash ends is repeated by the next one, and does no harm twice.

use crate::clock::Clock;
use crate::freshness::Freshness;
use crate::program::Program;
use crate::publisher::Publisher;
use crate::store::{CommitError, LinkTarget, ReadError, Store, Write};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Time between two looks at the clock, which may be set meanwhile.
const LOOK: Duration = Duration::from_secs(600);

/// Time between two turns, once it is time: what was made since goes too.
const TURN: TimeDelta = TimeDelta::days(1);

/// Writes in one commit, so that people's picks need not wait behind a long one.
const BATCH: usize = 128;

/// What is erased, and when.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Days after the conference's end, and after an agenda's last change.
    pub days: u32,
    /// Knows when the conference ends.
    pub publisher: Arc<Publisher>,
    /// Where agendas are kept.
    pub store: Store,
    /// What read links have seen.
    pub freshness: Arc<Freshness>,
    /// The time.
    pub clock: Clock,
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
    /// Takes a turn at once and one each day; never returns.
    pub async fn keep(&self) {
        let mut next: Option<DateTime<Utc>> = None;
        loop {
            let now = self.clock.now();
            if next.is_none_or(|next| next <= now) && self.is_due(now) {
                match self.turn().await {
                    Ok(erased) => {
                        next = Some(now + TURN);
                        if erased != Erased::default() {
                            let Erased { agendas, links } = erased;
                            tracing::info!(
                                agendas,
                                links,
                                "the conference is long over: agendas were erased"
                            );
                        }
                    }
                    Err(error) => {
                        tracing::error!(%error, "agendas whose time is over could not be erased yet")
                    }
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Erases what is to go by now; nothing before its time.
    ///
    /// # Errors
    /// [`RetentionError`]; what was erased until then is gone.
    pub async fn turn(&self) -> Result<Erased, RetentionError> {
        let now = self.clock.now();
        if !self.is_due(now) {
            return Ok(Erased::default());
        }
        let (store, freshness) = (self.store.clone(), Arc::clone(&self.freshness));
        let until = now - TimeDelta::days(self.days.into());
        // A scan of the store is nothing for the reactor's threads.
        tokio::task::spawn_blocking(move || erase(&store, &freshness, until, now)).await?
    }

    fn is_due(&self, now: DateTime<Utc>) -> bool {
        let release = self.publisher.current();
        let zone = release.program.conference.zone;
        let until =
            last_day(&release.program).and_then(|day| day.checked_add_days(Days::new(self.days.into())));
        until.is_some_and(|until| zone.civil(now).date() > until)
    }
}

/// The conference's last day: as configured, or of the last session where that is later. None while there is
/// neither.
fn last_day(program: &Program) -> Option<NaiveDate> {
    let zone = program.conference.zone;
    let ends = program.order().iter().map(|session| zone.civil(session.slot.end).date()).max();
    ends.max(program.conference.dates.map(|(_, last)| last))
}

/// Erases the agendas that were not changed after `until`.
fn erase(
    store: &Store,
    freshness: &Freshness,
    until: DateTime<Utc>,
    at: DateTime<Utc>,
) -> Result<Erased, RetentionError> {
    let mut erased = Erased::default();
    // Named before anything goes, so that what is made meanwhile is none of them.
    let (mut due, mut stays) = (HashSet::new(), false);
    for row in store.agendas() {
        let (key, agenda) = row?;
        if agenda.modified <= until {
            due.insert(key);
        } else {
            stays = true;
        }
    }
    if !stays {
        freshness.forget_all();
        store.commit_blocking(vec![Write::DropNote { name: Freshness::NOTE.to_owned() }])?;
    }
    let mut batch = Vec::new();
    // The links first: whoever polls meanwhile is told to keep what it has, not that nothing is there.
    for row in store.links() {
        let (hash, target) = row?;
        let goes = match target {
            LinkTarget::Agenda(key) => due.contains(&key),
            LinkTarget::Closed { at } => at <= until,
            LinkTarget::Erased { .. } => false,
        };
        if goes {
            erased.links += 1;
            put(store, &mut batch, Write::PutLink { hash, target: LinkTarget::Erased { at } })?;
        }
    }
    for key in due {
        erased.agendas += 1;
        put(store, &mut batch, Write::DeleteAgenda { key, expect: None })?;
    }
    store.commit_blocking(batch)?;
    Ok(erased)
}

fn put(store: &Store, batch: &mut Vec<Write>, write: Write) -> Result<(), CommitError> {
    batch.push(write);
    if batch.len() < BATCH { Ok(()) } else { store.commit_blocking(std::mem::take(batch)) }
}
