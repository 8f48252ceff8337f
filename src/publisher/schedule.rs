//! The schedule: a program that waits in the store and is published at a set time, through the same guard.
//!
//! The schedule holds one program; a later one replaces it. A server that was down at the set time publishes at its
//! start. If the program is refused at its time, it leaves the schedule. If the guard holds it, the program stays in
//! the store until an organizer confirms or discards it. So does a program that would overwrite changes of later
//! releases ([`overwritten_changes`]).

use super::deliveries::Announce;
use super::follow::FollowedParts;
use super::publish::{CheckedProposal, hold};
use super::{
    GuardVerdict, HeldProposal, Hold, HoldReason, Proposal, Publication, PublishError, Publisher,
    PublisherTask, guard, status,
};
use crate::import::Report;
use crate::program::{Change, Zone};
use crate::release::Release;
use crate::store::{CommitError, Origin, ReadError, RecordName, ReleaseSummary, Schedule, Store, Write};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The longest time between two checks: somebody may set the clock.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// The shortest time between two checks.
const MIN_WAIT: Duration = Duration::from_secs(1);

/// The result of scheduling a program.
#[derive(Debug)]
pub struct ScheduleReceipt {
    /// The schedule, with the time of the publication.
    pub schedule: Schedule,
    /// The number of the live release.
    pub running: u64,
    /// The changes that the program would make now.
    pub changes: Vec<Change>,
    /// The venue's zone, in which the changes are shown.
    pub zone: Zone,
    /// The import's report, warnings included.
    pub report: Report,
}

impl Publisher {
    /// Schedules a proposal in place of an earlier one. The guard judges the proposal now, and again at its time.
    ///
    /// # Errors
    /// [`PublishError`]; an earlier schedule stays.
    pub async fn schedule(
        self: &Arc<Self>,
        proposal: Proposal,
        at: DateTime<Utc>,
    ) -> Result<ScheduleReceipt, PublishError> {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let _turn = this.turn.lock().await;
            this.store_schedule(proposal, at).await
        })
        .await?
    }

    async fn store_schedule(
        self: &Arc<Self>,
        proposal: Proposal,
        at: DateTime<Utc>,
    ) -> Result<ScheduleReceipt, PublishError> {
        let made = self.clock.now();
        if at <= made {
            return Err(PublishError::Past { at });
        }
        self.check_expected(proposal.expect)?;
        let CheckedProposal { base, prepared, report, confirmed } =
            self.check(&proposal.csv, proposal.confirm.as_deref(), Vec::new()).await?;
        if let Err(verdict) = confirmed {
            return Err(hold(verdict, report, prepared, proposal.csv, base.number()));
        }
        let Proposal { csv, who, confirm, .. } = proposal;
        let schedule = Schedule { at, who, made, confirm, base: Some(base.number()), held: false };
        self.commit_schedule(Write::schedule(schedule.clone(), csv)).await?;
        self.set_schedule(Some(schedule.clone()));
        self.rescheduled.notify_one();
        let zone = self.conference().zone;
        Ok(ScheduleReceipt { schedule, running: base.number(), changes: prepared.changes, zone, report })
    }

    /// Empties the schedule; false if it is empty. With `made`, empties it only if it holds the release that was
    /// scheduled at that time, so that nobody cancels a release that a colleague has scheduled since.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn unschedule(self: &Arc<Self>, made: Option<DateTime<Utc>>) -> Result<bool, PublishError> {
        let _turn = self.turn.lock().await;
        let was = match self.store.read(Store::schedule).await {
            Ok(scheduled) => {
                let is_other =
                    |(schedule, _): &(Schedule, Bytes)| made.is_some_and(|made| schedule.made != made);
                if made.is_some() && scheduled.as_ref().is_none_or(is_other) {
                    return Ok(false);
                }
                scheduled.is_some()
            }
            // A damaged schedule can be removed too.
            Err(ReadError::Damaged { .. }) => true,
            Err(error) => return Err(error.into()),
        };
        self.remove_schedule().await?;
        self.rescheduled.notify_one();
        Ok(was)
    }

    async fn remove_schedule(&self) -> Result<(), PublishError> {
        self.commit_schedule(Write::DropNamed(RecordName::Schedule)).await?;
        self.set_schedule(None);
        Ok(())
    }

    /// After a failed commit the store may hold either schedule, so the next check reads it.
    async fn commit_schedule(&self, write: Write) -> Result<(), PublishError> {
        self.state().schedule_is_known = false;
        self.store.commit(vec![write]).await?;
        Ok(())
    }

    /// Updates the status. The store has room for one schedule, so a held schedule was replaced.
    fn set_schedule(&self, schedule: Option<Schedule>) {
        let mut state = self.state();
        state.schedule = schedule;
        state.schedule_is_known = true;
        state.held.remove(Origin::Scheduled);
        state.set_fault(PublisherTask::Schedule, None);
    }

    /// Marks a scheduled program in the store as held.
    async fn hold_scheduled(&self, schedule: Schedule, csv: &Bytes) -> Result<(), PublishError> {
        self.store.commit(vec![Write::schedule(Schedule { held: true, ..schedule }, csv.clone())]).await?;
        self.state().schedule = None;
        Ok(())
    }

    /// Reads a held scheduled program from the store and holds it again, at a start. It is not published even if the guard
    /// would now let it through: an organizer must decide.
    pub(super) async fn restore_held_schedule(self: &Arc<Self>) {
        let _turn = self.turn.lock().await;
        if self.state().held.has(Origin::Scheduled) {
            return;
        }
        let stored = match self.store.read(Store::schedule).await {
            Ok(stored) => stored.filter(|(schedule, _)| schedule.held),
            Err(error) => {
                let mut state = self.state();
                state.schedule_is_known = false;
                state.set_fault(PublisherTask::Schedule, Some(&error));
                return;
            }
        };
        let Some((schedule, csv)) = stored else { return };
        let now = self.clock.now();
        match self.check(&csv, None, Vec::new()).await {
            Ok(CheckedProposal { prepared, .. }) if !prepared.is_new => {
                if let Err(error) = self.remove_schedule().await {
                    tracing::warn!(%error, "a scheduled program that changes nothing could not be removed");
                }
            }
            Ok(CheckedProposal { base, prepared, report, confirmed }) => {
                let mut verdict = confirmed
                    .err()
                    .unwrap_or_else(|| self.hold_verdict(HoldReason::HeldWhenDue, &csv, &base));
                match self.overwrite_reason(&schedule, base.number(), prepared.changes.clone()).await {
                    Ok(reason) => verdict.reasons.extend(reason),
                    Err(error) => tracing::error!(%error, "the releases since the schedule cannot be read"),
                }
                let zone = self.conference().zone;
                let (changes, base) = (prepared.changes, base.number());
                let held = Hold { verdict, report, changes, zone, csv, base };
                self.state().held.add(HeldProposal::of(now, Origin::Scheduled, &held));
            }
            Err(error) => {
                tracing::error!(%error, "the held scheduled program now has errors");
            }
        }
    }

    /// Publishes the scheduled program unless it is held. The caller holds the turn.
    async fn publish_scheduled(
        self: &Arc<Self>,
        schedule: &Schedule,
        csv: Bytes,
    ) -> Result<Publication, PublishError> {
        if let Err(error) = self.check_overwrites(schedule, &csv).await {
            let result = Err(error);
            self.state().record(self.clock.now(), Origin::Scheduled, &result);
            return result;
        }
        let Schedule { who, confirm, .. } = schedule.clone();
        let proposal = Proposal { csv, origin: Origin::Scheduled, who, confirm, expect: None };
        self.publish_and_record(proposal, FollowedParts::default()).await
    }

    /// Fails with [`PublishError::Held`] if the scheduled program would overwrite changes of later releases. A
    /// confirmation at the time of scheduling did not cover those changes.
    async fn check_overwrites(
        self: &Arc<Self>,
        schedule: &Schedule,
        csv: &Bytes,
    ) -> Result<(), PublishError> {
        self.adopt_newer_release(Announce::Yes).await?;
        if schedule.base == Some(self.current().number()) {
            return Ok(());
        }
        let CheckedProposal { base, prepared, report, confirmed } = self.check(csv, None, Vec::new()).await?;
        let changes = prepared.changes.clone();
        let Some(reason) = self.overwrite_reason(schedule, base.number(), changes).await? else {
            return Ok(());
        };
        let verdict = match confirmed {
            Ok(()) => self.hold_verdict(reason, csv, &base),
            Err(mut verdict) => {
                verdict.reasons.push(reason);
                verdict
            }
        };
        Err(hold(verdict, report, prepared, csv.clone(), base.number()))
    }

    /// A verdict that holds a program for a reason other than the guard's own.
    fn hold_verdict(&self, reason: HoldReason, csv: &[u8], base: &Release) -> GuardVerdict {
        GuardVerdict {
            digest: guard::digest(csv, &self.conference(), base.number()),
            touched: 0,
            of: base.program.order().len(),
            reasons: vec![reason],
        }
    }

    /// [`overwritten_changes`], on a thread that may block.
    async fn overwrite_reason(
        &self,
        schedule: &Schedule,
        live: u64,
        changes: Vec<Change>,
    ) -> Result<Option<HoldReason>, PublishError> {
        let schedule = schedule.clone();
        Ok(self.store.read(move |store| overwritten_changes(store, &schedule, live, &changes)).await?)
    }

    /// Whether the schedule must be read from the store: it is due, or the status may differ from the store.
    fn may_be_due(&self) -> bool {
        let (state, now) = (self.state(), self.clock.now());
        !state.schedule_is_known || state.schedule.as_ref().is_some_and(|schedule| schedule.at <= now)
    }

    /// Makes the next check read the schedule from the store: another replica may have changed it.
    pub(super) fn refresh_schedule(&self) {
        let stored = self.store.schedule();
        let mut state = self.state();
        let due = stored.as_ref().ok().and_then(Option::as_ref).map(|(schedule, _)| schedule);
        if state.schedule.as_ref() != due.filter(|schedule| !schedule.held) {
            state.schedule_is_known = false;
            self.rescheduled.notify_one();
        }
    }

    /// Reads the schedule from the store and updates the status.
    async fn read_schedule(&self) -> Result<Option<(Schedule, Bytes)>, PublishError> {
        let scheduled = self.store.read(Store::schedule).await;
        let mut state = self.state();
        state.schedule_is_known = scheduled.is_ok();
        let stored = scheduled.as_ref().ok().and_then(Option::as_ref).map(|(schedule, _)| schedule.clone());
        state.schedule = stored.filter(|schedule| !schedule.held);
        state.set_fault(PublisherTask::Schedule, scheduled.as_ref().err());
        drop(state);
        Ok(scheduled?)
    }

    /// Publishes the scheduled program if it is due. Until then, its file of up to 20 MiB is not read.
    pub async fn publish_due(self: &Arc<Self>) -> Option<Result<Publication, PublishError>> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.turn.lock().await;
            if let Err(error) = this.adopt_newer_release(Announce::Yes).await {
                return Some(Err(error));
            }
            if !this.may_be_due() {
                return None;
            }
            let (schedule, csv) = match this.read_schedule().await {
                Ok(due) => due.filter(|(schedule, _)| !schedule.held && schedule.at <= this.clock.now())?,
                Err(error) => return Some(Err(error)),
            };
            let result = this.publish_scheduled(&schedule, csv).await;
            match &result {
                Ok(_) => this.state().schedule = None, // the release's commit removed the note
                // Another replica was first, and the next check reads what is left to do.
                Err(PublishError::Commit(CommitError::Conflict)) => {
                    this.state().schedule_is_known = false;
                    return None;
                }
                // The store may work again at the next check.
                Err(PublishError::Commit(_) | PublishError::Read(_)) => {}
                Err(error) => {
                    let removed = match error {
                        PublishError::Held(held) => this.hold_scheduled(schedule, &held.csv).await,
                        _ => this.remove_schedule().await,
                    };
                    if let Err(error) = removed {
                        tracing::error!(%error, "a program that cannot be published stays on the schedule");
                    }
                }
            }
            status::log("the scheduled program", &result);
            Some(result)
        });
        task.await.ok().flatten()
    }
}

/// Why a scheduled program must be held: it would overwrite sessions that a release changed since it was scheduled.
/// `changes` are its changes against the live release, so sessions with equal content are not among them.
fn overwritten_changes(
    store: &Store,
    schedule: &Schedule,
    live: u64,
    changes: &[Change],
) -> Result<Option<HoldReason>, ReadError> {
    let is_later = |release: &ReleaseSummary| match schedule.base {
        Some(base) => release.number > base,
        None => release.published > schedule.made,
    };
    let mut others = BTreeSet::new();
    let mut later = Vec::new();
    for summary in store.releases()?.into_iter().filter(|release| release.number <= live && is_later(release))
    {
        let Some(release) = store.release(summary.number)? else { continue };
        later.push(release.number);
        others.extend(release.changes.into_iter().map(|change| change.session));
    }
    let sessions: Vec<String> = changes
        .iter()
        .filter(|change| others.contains(&change.session))
        .map(|change| change.session.to_string())
        .collect();
    let (Some(&first), Some(&last)) = (later.first(), later.last()) else { return Ok(None) };
    Ok((!sessions.is_empty()).then_some(HoldReason::Overwrites { first, last, sessions }))
}

/// Publishes the scheduled program at its time; never returns.
pub async fn run_schedule(publisher: Arc<Publisher>) {
    loop {
        let due = publisher.status().schedule.map(|schedule| schedule.at);
        let left = due.map(|at| (at - publisher.clock.now()).to_std().unwrap_or_default());
        // Without a minimum, a program that stays due would make this loop spin.
        let wait = left.unwrap_or(MAX_WAIT).clamp(MIN_WAIT, MAX_WAIT);
        let _ = tokio::time::timeout(wait, publisher.rescheduled.notified()).await;
        match publisher.publish_due().await {
            // The damage is in the status and was logged once.
            Some(Err(PublishError::Read(ReadError::Damaged { .. }))) => tokio::time::sleep(MAX_WAIT).await,
            Some(Err(error)) => {
                tracing::warn!(%error, "the schedule is checked again in 30 seconds");
                tokio::time::sleep(MAX_WAIT).await;
            }
            Some(Ok(_)) | None => {}
        }
    }
}
