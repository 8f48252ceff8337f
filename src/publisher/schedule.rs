//! A release at a set time: kept in the store, published when its time comes, through the same guard.
//!
//! There is one at a time; a later one replaces it. A server that was down at that time publishes at its
//! start. What is refused when its time comes is taken off the schedule; what the guard holds then waits for a
//! confirmation and stays in the store meanwhile. So does a release that would overwrite what another release changed
//! since it was scheduled ([`overtaken`]).

use super::status::Part;
use super::turn::{Weighed, held};
use super::{Guarded, Held, Proposal, Publication, PublishError, Publisher, Waiting, guard, status};
use crate::import::Report;
use crate::program::{Change, Zone};
use crate::release::Release;
use crate::store::{Origin, ReadError, RecordName, ReleaseSummary, Schedule, Store, Write};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The longest time between two looks at the clock, which may be set meanwhile.
const LOOK: Duration = Duration::from_secs(30);

/// The shortest.
const PAUSE: Duration = Duration::from_secs(1);

/// Sessions that a reason names.
const MOST_NAMED: usize = 5;

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
            return Err(held(guarded, report, prepared, proposal.csv, base.number()));
        }
        let Proposal { csv, who, confirm, .. } = proposal;
        let schedule = Schedule { at, who, made, confirm, base: Some(base.number()), held: false };
        self.commit_schedule(Write::schedule(schedule.clone(), csv)).await?;
        self.set_schedule(Some(schedule.clone()));
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
        let was = match self.store.read(Store::schedule).await {
            Ok(scheduled) => scheduled.is_some(),
            // This is how a damaged one goes.
            Err(ReadError::Damaged { .. }) => true,
            Err(error) => return Err(error.into()),
        };
        self.off_the_schedule().await?;
        self.rescheduled.notify_one();
        Ok(was)
    }

    async fn off_the_schedule(&self) -> Result<(), PublishError> {
        self.commit_schedule(Write::DropNamed(RecordName::Schedule)).await?;
        self.set_schedule(None);
        Ok(())
    }

    /// After a commit that failed, the store may hold either schedule, so the next look reads it.
    async fn commit_schedule(&self, write: Write) -> Result<(), PublishError> {
        self.state().schedule_is_known = false;
        self.store.commit(vec![write]).await?;
        Ok(())
    }

    /// The store holds one schedule, so that a held release makes room for another one.
    fn set_schedule(&self, schedule: Option<Schedule>) {
        let mut state = self.state();
        state.schedule = schedule;
        state.schedule_is_known = true;
        state.held.let_go(Origin::Scheduled);
        state.fault(Part::Schedule, None);
    }

    /// Keeps a release that is held at its time in the store, off the schedule.
    async fn hold_scheduled(&self, schedule: Schedule, csv: Bytes) -> Result<(), PublishError> {
        self.store.commit(vec![Write::schedule(Schedule { held: true, ..schedule }, csv)]).await?;
        self.state().schedule = None;
        Ok(())
    }

    /// Weighs the scheduled release that the store holds back, so that it waits again after a start. It is not
    /// published, even where the guard has no reason to hold it any more: somebody has to look at it.
    pub(super) async fn hold_schedule_again(self: &Arc<Self>) {
        let _turn = self.turn.lock().await;
        if self.state().held.has(Origin::Scheduled) {
            return;
        }
        let kept = match self.store.read(Store::schedule).await {
            Ok(kept) => kept.filter(|(schedule, _)| schedule.held),
            Err(error) => {
                let mut state = self.state();
                state.schedule_is_known = false;
                state.fault(Part::Schedule, Some(&error));
                return;
            }
        };
        let Some((schedule, csv)) = kept else { return };
        let now = self.clock.now();
        match self.weigh(&csv, None).await {
            Ok(Weighed { prepared, .. }) if !prepared.is_new => {
                if let Err(error) = self.off_the_schedule().await {
                    tracing::warn!(%error, "a scheduled release that changes nothing stays in the store");
                }
            }
            Ok(Weighed { base, prepared, report, confirmed }) => {
                let mut guarded = confirmed.err().unwrap_or_else(|| {
                    let reason = format!("it was held when its time came ({})", schedule.at);
                    self.held_for(reason, &csv, &base)
                });
                match self.overtaken_by(&schedule, base.number(), prepared.changes.clone()).await {
                    Ok(reason) => guarded.reasons.extend(reason),
                    Err(error) => tracing::error!(%error, "the releases since the schedule cannot be read"),
                }
                let zone = self.conference().zone;
                let (changes, base) = (prepared.changes, base.number());
                let held = Held { guarded, report, changes, zone, csv, base };
                self.state().held.add(Waiting::of(now, Origin::Scheduled, &held));
            }
            Err(error) => {
                tracing::error!(%error, "the held scheduled release cannot be published any more");
            }
        }
    }

    /// Publishes the scheduled release, unless it is held. The caller has the turn.
    async fn publish_scheduled(
        self: &Arc<Self>,
        schedule: &Schedule,
        csv: Bytes,
    ) -> Result<Publication, PublishError> {
        let held = self.hold_if_overtaken(schedule, &csv).await;
        if let Err(error) = held {
            let result = Err(error);
            self.state().record(self.clock.now(), Origin::Scheduled, &result);
            return result;
        }
        let Schedule { who, confirm, .. } = schedule.clone();
        self.take_turn(Proposal { csv, origin: Origin::Scheduled, who, confirm, expect: None }).await
    }

    /// Fails with [`PublishError::Held`] where the scheduled file, which is older than the releases since, would
    /// overwrite what those changed. A confirmation at the time of scheduling knew nothing of them.
    async fn hold_if_overtaken(
        self: &Arc<Self>,
        schedule: &Schedule,
        csv: &Bytes,
    ) -> Result<(), PublishError> {
        self.keep_up_with_the_store().await?;
        if schedule.base == Some(self.current().number()) {
            return Ok(());
        }
        let Weighed { base, prepared, report, confirmed } = self.weigh(csv, None).await?;
        let changes = prepared.changes.clone();
        let Some(reason) = self.overtaken_by(schedule, base.number(), changes).await? else { return Ok(()) };
        let guarded = match confirmed {
            Ok(()) => self.held_for(reason, csv, &base),
            Err(mut guarded) => {
                guarded.reasons.push(reason);
                guarded
            }
        };
        Err(held(guarded, report, prepared, csv.clone(), base.number()))
    }

    /// The verdict on a release that is held for a reason that the guard does not know.
    fn held_for(&self, reason: String, csv: &[u8], base: &Release) -> Guarded {
        Guarded {
            digest: guard::digest(csv, &self.conference(), base.number()),
            touched: 0,
            of: base.program.order().len(),
            reasons: vec![reason],
        }
    }

    /// [`overtaken`], read on a thread that answers no requests.
    async fn overtaken_by(
        &self,
        schedule: &Schedule,
        running: u64,
        changes: Vec<Change>,
    ) -> Result<Option<String>, PublishError> {
        let schedule = schedule.clone();
        Ok(self.store.read(move |store| overtaken(store, &schedule, running, &changes)).await?)
    }

    /// Whether the store has to be read: the time of what is on the schedule has come, or what is on it is not known.
    fn may_be_due(&self) -> bool {
        let (state, now) = (self.state(), self.clock.now());
        !state.schedule_is_known || state.schedule.as_ref().is_some_and(|schedule| schedule.at <= now)
    }

    /// What the store has on the schedule. The state follows it: after a commit whose outcome was unknown it may
    /// say something else.
    async fn look_at_schedule(&self) -> Result<Option<(Schedule, Bytes)>, PublishError> {
        let scheduled = self.store.read(Store::schedule).await;
        let mut state = self.state();
        state.schedule_is_known = scheduled.is_ok();
        let waiting = scheduled.as_ref().ok().and_then(Option::as_ref).map(|(schedule, _)| schedule.clone());
        state.schedule = waiting.filter(|schedule| !schedule.held);
        state.fault(Part::Schedule, scheduled.as_ref().err());
        drop(state);
        Ok(scheduled?)
    }

    /// Publishes what is on the schedule, if its time has come. Before that, the scheduled program is not read.
    pub async fn publish_due(self: &Arc<Self>) -> Option<Result<Publication, PublishError>> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _turn = this.turn.lock().await;
            if let Err(error) = this.keep_up_with_the_store().await {
                return Some(Err(error));
            }
            if !this.may_be_due() {
                return None;
            }
            let (schedule, csv) = match this.look_at_schedule().await {
                Ok(due) => due.filter(|(schedule, _)| !schedule.held && schedule.at <= this.clock.now())?,
                Err(error) => return Some(Err(error)),
            };
            let result = this.publish_scheduled(&schedule, csv).await;
            match &result {
                Ok(_) => this.state().schedule = None, // the release's commit took the note out
                // The disk may have room later; the time has come all the same.
                Err(PublishError::Commit(_) | PublishError::Read(_)) => {}
                Err(error) => {
                    let taken_off = match error {
                        PublishError::Held(held) => this.hold_scheduled(schedule, held.csv.clone()).await,
                        _ => this.off_the_schedule().await,
                    };
                    if let Err(error) = taken_off {
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

/// Why a scheduled release with these changes must wait: it changes sessions that a release changed since it was put
/// on the schedule. A session that it has as that release has it is not among its changes.
fn overtaken(
    store: &Store,
    schedule: &Schedule,
    running: u64,
    changes: &[Change],
) -> Result<Option<String>, ReadError> {
    let is_later = |release: &ReleaseSummary| match schedule.base {
        Some(base) => release.number > base,
        None => release.published > schedule.made,
    };
    let mut others = BTreeSet::new();
    let mut later = Vec::new();
    for summary in
        store.releases()?.into_iter().filter(|release| release.number <= running && is_later(release))
    {
        let Some(release) = store.release(summary.number)? else { continue };
        later.push(release.number);
        others.extend(release.changes.into_iter().map(|change| change.session));
    }
    let overwritten: Vec<&str> = changes
        .iter()
        .filter(|change| others.contains(&change.session))
        .map(|change| change.session.as_str())
        .collect();
    let (Some(first), Some(last)) = (later.first(), later.last()) else { return Ok(None) };
    if overwritten.is_empty() {
        return Ok(None);
    }
    let releases = if first == last {
        format!("release {first} was")
    } else {
        format!("releases {first} to {last} were")
    };
    let sessions = match overwritten.as_slice() {
        [session] => format!("session {session}"),
        [named @ .., last] if named.len() < MOST_NAMED => format!("sessions {} and {last}", named.join(", ")),
        all => {
            let named = all.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ");
            format!("{} sessions ({named}, …)", all.len())
        }
    };
    Ok(Some(format!(
        "{releases} published after it was scheduled, and it would overwrite what changed in {sessions}"
    )))
}

/// Publishes what is on the schedule when its time comes; never returns.
pub async fn keep_schedule(publisher: Arc<Publisher>) {
    loop {
        let due = publisher.status().schedule.map(|schedule| schedule.at);
        let left = due.map(|at| (at - publisher.clock.now()).to_std().unwrap_or_default());
        // Never at once again, whatever the last look found.
        let wait = left.unwrap_or(LOOK).clamp(PAUSE, LOOK);
        let _ = tokio::time::timeout(wait, publisher.rescheduled.notified()).await;
        match publisher.publish_due().await {
            // The status says it, and the log said it once.
            Some(Err(PublishError::Read(ReadError::Damaged { .. }))) => tokio::time::sleep(LOOK).await,
            Some(Err(error)) => {
                tracing::warn!(%error, "the schedule is looked at again later");
                tokio::time::sleep(LOOK).await;
            }
            Some(Ok(_)) | None => {}
        }
    }
}
