//! A release at a set time: kept in the store, published when its time comes, through the same guard.
//!
//! There is one at a time; a later one replaces it. A server that was down at that time publishes at its
//! start. What is held or refused when its time comes is taken off the schedule and stays in the status.

use super::turn::{Weighed, held};
use super::{Proposal, Publication, PublishError, Publisher, status};
use crate::import::Report;
use crate::program::{Change, Zone};
use crate::store::{Origin, ReadError, Store, Write};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// The note in the store: one line of JSON, then the program's bytes.
const SCHEDULE: &str = "schedule";

/// The longest time between two looks at the clock, which may be set meanwhile.
const LOOK: Duration = Duration::from_secs(30);

/// What is to be published later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// When.
    pub at: DateTime<Utc>,
    /// The label of the organizer's secret.
    pub who: Option<String>,
    /// When it was put on the schedule.
    pub made: DateTime<Utc>,
    /// The digest that was confirmed; it holds as long as no other release comes between.
    pub confirm: Option<String>,
}

/// What was put on the schedule.
#[derive(Debug)]
pub struct Scheduled {
    /// When it will be published.
    pub schedule: Schedule,
    /// The release that runs.
    pub running: u64,
    /// What it would change now.
    pub changes: Vec<Change>,
    /// The venue's zone, to show the changes in.
    pub zone: Zone,
    /// The import's report, warnings included.
    pub report: Report,
}

impl Schedule {
    /// The schedule of a store and its program.
    pub(super) fn of(store: &Store) -> Result<Option<(Self, Vec<u8>)>, ReadError> {
        let Some(note) = store.note(SCHEDULE)? else { return Ok(None) };
        let damaged = |cause: String| ReadError::Damaged { what: SCHEDULE, cause };
        let end = note.iter().position(|byte| *byte == b'\n').unwrap_or(note.len());
        let (head, csv) = note.split_at(end);
        let schedule = serde_json::from_slice(head).map_err(|error| damaged(error.to_string()))?;
        Ok(Some((schedule, csv.get(1..).unwrap_or_default().to_vec())))
    }

    pub(super) fn note(&self, csv: &[u8]) -> Write {
        // A struct of times and strings always has a JSON form.
        let mut value = serde_json::to_vec(self).unwrap_or_default();
        value.push(b'\n');
        value.extend_from_slice(csv);
        Write::PutNote { name: SCHEDULE.to_owned(), value }
    }
}

/// Takes the schedule out of the store.
pub(super) fn forget() -> Write {
    Write::DropNote { name: SCHEDULE.to_owned() }
}

impl Publisher {
    /// Puts a proposal on the schedule, in place of what was there. It is weighed now and again at its time.
    ///
    /// # Errors
    /// [`PublishError`]; what was on the schedule stays there.
    pub async fn schedule(
        self: &Arc<Self>,
        proposal: Proposal,
        at: DateTime<Utc>,
    ) -> Result<Scheduled, PublishError> {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let _turn = this.turn.lock().await;
            this.put_on_schedule(proposal, at).await
        })
        .await?
    }

    async fn put_on_schedule(
        self: &Arc<Self>,
        proposal: Proposal,
        at: DateTime<Utc>,
    ) -> Result<Scheduled, PublishError> {
        let made = self.clock.now();
        if at <= made {
            return Err(PublishError::Past { at });
        }
        self.check_expected(proposal.expect)?;
        let Weighed { base, prepared, report, confirmed } =
            self.weigh(&proposal.csv, proposal.confirm.as_deref()).await?;
        if let Err(guarded) = confirmed {
            return Err(held(guarded, report, prepared));
        }
        let schedule = Schedule { at, who: proposal.who, made, confirm: proposal.confirm };
        self.store.commit(vec![schedule.note(&proposal.csv)]).await?;
        self.state().schedule = Some(schedule.clone());
        self.rescheduled.notify_one();
        let zone = self.conference().zone;
        Ok(Scheduled { schedule, running: base.number(), changes: prepared.changes, zone, report })
    }

    /// Takes back what is on the schedule; false where nothing is.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn unschedule(self: &Arc<Self>) -> Result<bool, PublishError> {
        let _turn = self.turn.lock().await;
        let was = Schedule::of(&self.store)?.is_some();
        self.off_the_schedule().await?;
        self.rescheduled.notify_one();
        Ok(was)
    }

    async fn off_the_schedule(&self) -> Result<(), PublishError> {
        self.store.commit(vec![forget()]).await?;
        self.state().schedule = None;
        Ok(())
    }

    /// Publishes what is on the schedule, if its time has come.
    pub async fn publish_due(self: &Arc<Self>) -> Option<Result<Publication, PublishError>> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.turn.lock().await;
            let (schedule, csv) = match Schedule::of(&this.store) {
                Ok(due) => due.filter(|(schedule, _)| schedule.at <= this.clock.now())?,
                Err(error) => return Some(Err(error.into())),
            };
            let Schedule { who, confirm, .. } = schedule;
            let result =
                this.take_turn(Proposal { csv, origin: Origin::Scheduled, who, confirm, expect: None }).await;
            match &result {
                Ok(_) => this.state().schedule = None, // the release's commit took the note out
                // The disk may have room later; the time has come all the same.
                Err(PublishError::Commit(_) | PublishError::Read(_)) => {}
                Err(_) => {
                    if let Err(error) = this.off_the_schedule().await {
                        tracing::error!(%error, "a release that cannot be published stays on the schedule");
                    }
                }
            }
            status::log("the scheduled program", &result);
            Some(result)
        });
        task.await.ok().flatten()
    }
}

/// Publishes what is on the schedule when its time comes; never returns.
pub async fn keep_schedule(publisher: Arc<Publisher>) {
    loop {
        let due = publisher.status().schedule.map(|schedule| schedule.at);
        let left = due.map(|at| (at - publisher.clock.now()).to_std().unwrap_or_default());
        let wait = left.unwrap_or(LOOK).min(LOOK);
        let _ = tokio::time::timeout(wait, publisher.rescheduled.notified()).await;
        if let Some(Err(error)) = publisher.publish_due().await {
            tracing::warn!(%error, "the schedule is looked at again later");
            tokio::time::sleep(LOOK).await;
        }
    }
}
