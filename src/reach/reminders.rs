//! Queues reminders: 10 minutes before sessions start, one delivery to each device that asked for reminders and whose
//! agenda has some of them.
//!
//! No reminder is scheduled for a session. When sessions are about to start, the live release and the picks of that moment
//! decide who is reminded, so a session that was moved, cancelled or unpicked needs no bookkeeping. The store remembers
//! how far reminders were queued. A server that was down at the time queues them when it starts, unless the sessions
//! have begun.

use super::outbox::{BATCH, Outbox, delivery_id, to_device};
use super::{OutboxError, is_reminded_of};
use crate::program::SessionId;
use crate::release::Release;
use crate::revision::Digest;
use crate::store::{Cause, NamedRecord, RemindedSessions, Skipped, SubscriptionRecord};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// How long before a session the reminder is sent.
const LEAD: TimeDelta = TimeDelta::minutes(10);

impl Outbox {
    /// Queues the reminders that are due, and returns when the next one may be due: before the next sessions, whether
    /// they are picked or not. None if no device asked for reminders, or no session follows.
    ///
    /// # Errors
    /// [`OutboxError`]; a later call continues where this one stopped.
    pub fn remind(&self, live: &Release) -> Result<Option<DateTime<Utc>>, OutboxError> {
        if !self.has_reminders()? {
            return Ok(None);
        }
        let now = self.clock.now();
        let mut reminded = self.store.reminded()?.unwrap_or(RemindedSessions { start: now, after: None });
        let mut starts: BTreeMap<DateTime<Utc>, BTreeSet<&SessionId>> = BTreeMap::new();
        for entry in live.visible_entries().into_iter().filter(|entry| is_reminded_of(&entry.session)) {
            starts.entry(entry.session.slot.start).or_default().insert(&entry.session.id);
        }
        for (start, sessions) in starts {
            let is_queued = start < reminded.start || (start == reminded.start && reminded.after.is_none());
            if start <= now || is_queued {
                continue;
            }
            if start - LEAD > now {
                return Ok(Some(start - LEAD));
            }
            let after = reminded.after.filter(|_| start == reminded.start);
            self.queue_reminders(start, &sessions, after, live.number())?;
            reminded = RemindedSessions { start, after: None };
            self.store.commit_blocking(vec![NamedRecord::Reminded(reminded).into()])?;
        }
        Ok(None)
    }

    /// Whether any device asked for reminders.
    fn has_reminders(&self) -> Result<bool, OutboxError> {
        for row in Skipped::default().over(self.store.all_subscriptions()) {
            let (_, subscriptions) = row?;
            if subscriptions.list.iter().any(|device| device.reminders) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Queues the reminders of the sessions that start at one time, for the agendas after `after`.
    fn queue_reminders(
        &self,
        start: DateTime<Utc>,
        sessions: &BTreeSet<&SessionId>,
        after: Option<Digest>,
        release: u64,
    ) -> Result<(), OutboxError> {
        let mut skipped = Skipped::default();
        let mut batch: Vec<(Digest, SubscriptionRecord)> = Vec::new();
        for row in skipped.over(self.store.all_subscriptions()) {
            let (key, mut subscriptions) = row?;
            subscriptions.list.retain(|device| device.reminders);
            if subscriptions.list.is_empty() || after.is_some_and(|after| key <= after) {
                continue;
            }
            // A damaged agenda must not keep the others from being reminded.
            let agenda = self.store.agenda(&key).ok().flatten();
            if agenda.is_some_and(|agenda| agenda.picks.iter().any(|pick| sessions.contains(pick))) {
                batch.extend(subscriptions.list.into_iter().map(|device| (key, device)));
            }
            if batch.len() >= BATCH {
                self.queue_reminders_of(start, &std::mem::take(&mut batch), release)?;
            }
        }
        skipped.log("queuing reminders");
        self.queue_reminders_of(start, &batch, release)
    }

    fn queue_reminders_of(
        &self,
        start: DateTime<Utc>,
        batch: &[(Digest, SubscriptionRecord)],
        release: u64,
    ) -> Result<(), OutboxError> {
        let Some((last, _)) = batch.last() else { return Ok(()) };
        let now = self.clock.now();
        self.change(|change| {
            for (key, device) in batch {
                let id = format!("{}-{}", delivery_id("remind", &device.id, key), start.timestamp());
                // Another server of the same store, or an interrupted call, may have queued it.
                if change.store.delivery(&id)?.is_none() {
                    let record = to_device(device, key, Cause::Reminder { start }, release, now);
                    change.put(id, None, Some(record));
                }
            }
            let reminded = RemindedSessions { start, after: Some(*last) };
            change.writes.push(NamedRecord::Reminded(reminded).into());
            Ok(())
        })?;
        self.wake();
        Ok(())
    }
}
