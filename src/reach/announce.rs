//! Announcing releases: queues a delivery to every webhook, and to every subscription that a release concerns.
//!
//! The store remembers how far the announcement came, so a later call continues an interrupted one and queues nothing
//! twice.

use super::outbox::{BATCH, Outbox, subscription_delivery, to_device};
use super::settle::next;
use super::web_push::notifies_people;
use super::webhook::webhook_key;
use super::{OutboxError, retry};
use crate::config::Webhook;
use crate::feed::{FeedKey, feeds_of};
use crate::program::{SessionId, Status};
use crate::release::Release;
use crate::revision::Digest;
use crate::store::{
    AgendaRecord, AnnouncedReleases, CalendarSource, Cause, Channel, DeliveryRecord, FollowedCalendar,
    NamedRecord, ReleaseRecord, Skipped, SubscriptionRecord, SubscriptionsRecord,
};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// Releases that are less than this apart belong to one burst.
const QUIET: TimeDelta = TimeDelta::seconds(60);

impl Outbox {
    /// Queues the deliveries of every release up to `live` that was not announced yet: the one just published, and
    /// earlier ones whose announcement a crash or a full disk prevented.
    ///
    /// # Errors
    /// [`OutboxError`]; a later call continues where this one stopped.
    pub fn announce(&self, webhooks: &[Webhook], live: &Release) -> Result<(), OutboxError> {
        let mut announced = match self.store.announced()? {
            Some(announced) => announced,
            None => AnnouncedReleases { release: live.number(), after: None },
        };
        while announced.release < live.number() {
            let number = announced.release + 1;
            if let Some(release) = self.store.release(number)? {
                self.announce_release(webhooks, &release, announced.after, live)?;
            }
            announced = AnnouncedReleases { release: number, after: None };
            self.store.commit_blocking(vec![NamedRecord::Announced(announced).into()])?;
        }
        self.drop_old_failures()
    }

    fn announce_release(
        &self,
        webhooks: &[Webhook],
        release: &ReleaseRecord,
        after: Option<Digest>,
        live: &Release,
    ) -> Result<(), OutboxError> {
        if after.is_none() {
            self.announce_to_webhooks(webhooks, release)?;
        }
        let changed = Changed::of(release, live, self.clock.now());
        if changed.sessions.is_empty() && changed.notified.is_empty() {
            return Ok(());
        }
        let pause = self.pause(release)?;
        let mut skipped = Skipped::default();
        let mut batch: Vec<(Digest, SubscriptionRecord)> = Vec::new();
        for row in skipped.over(self.store.all_subscriptions()) {
            let (key, SubscriptionsRecord { list, .. }) = row?;
            if after.is_some_and(|after| key <= after) {
                continue;
            }
            // A damaged agenda must not keep the others from being notified.
            let agenda = self.store.agenda(&key).ok().flatten();
            let concerned = list.into_iter().filter(|one| changed.concerns(one, agenda.as_ref()));
            batch.extend(concerned.map(|subscription| (key, subscription)));
            if batch.len() >= BATCH {
                self.queue(release, pause, &std::mem::take(&mut batch))?;
            }
        }
        skipped.log("announcing a release");
        self.queue(release, pause, &batch)
    }

    /// How long messages to browsers wait. The first release that notifies anybody is announced at once. Those that follow it
    /// closely wait a little, so that a burst of corrections is one more message, and not one for each.
    fn pause(&self, release: &ReleaseRecord) -> Result<TimeDelta, OutboxError> {
        let Some(before) = self.store.release(release.number.saturating_sub(1))? else {
            return Ok(TimeDelta::zero());
        };
        let is_burst = release.published - before.published < QUIET
            && before.changes.iter().any(|change| notifies_people(change.kind));
        Ok(if is_burst { retry::PAUSE } else { TimeDelta::zero() })
    }

    fn announce_to_webhooks(&self, webhooks: &[Webhook], release: &ReleaseRecord) -> Result<(), OutboxError> {
        if webhooks.is_empty() {
            return Ok(());
        }
        self.change(|batch| {
            for (place, webhook) in webhooks.iter().enumerate() {
                let id = format!("{:010}-{place}", release.number);
                if batch.store.delivery(&id)?.is_some() {
                    continue; // an interrupted announcement queued it
                }
                let host = webhook.url.host_str().unwrap_or_default().to_owned();
                let record = to_webhook(release, webhook_key(webhook), host);
                batch.tally(release.number, Channel::Webhook)?.queued += 1;
                batch.put(id, None, Some(record));
            }
            Ok(())
        })?;
        self.wake();
        Ok(())
    }

    /// Queues one batch of deliveries to subscriptions, and remembers how far the announcement came.
    fn queue(
        &self,
        release: &ReleaseRecord,
        pause: TimeDelta,
        batch: &[(Digest, SubscriptionRecord)],
    ) -> Result<(), OutboxError> {
        let Some((last, _)) = batch.last() else { return Ok(()) };
        let number = release.number;
        self.change(|change| {
            for (key, subscription) in batch {
                let channel = subscription.channel;
                let id = subscription_delivery(&subscription.id, key);
                let stored = change.store.delivery(&id)?;
                let expect = stored.as_ref().map(|stored| stored.version.version);
                let now = self.clock.now();
                let mut record = to_device(subscription, key, Cause::Release, number, now);
                (record.since, record.queued) = (number - 1, release.published);
                record.due = record.due.max(now + pause);
                if let Some(stored) = stored {
                    if stored.release >= number {
                        continue; // an interrupted announcement queued it
                    }
                    change.count(&stored, |tally| tally.dropped += 1)?;
                    let (version, cause) = (next(stored.version), Cause::Release);
                    let (since, queued) = match stored.cause {
                        Cause::Release => (stored.since, stored.queued),
                        // A check of a mailbox that the release joins.
                        _ => (record.since, record.queued),
                    };
                    let interrupted = 0;
                    record = DeliveryRecord {
                        release: number,
                        version,
                        cause,
                        since,
                        queued,
                        interrupted,
                        ..stored
                    };
                }
                change.tally(number, channel)?.queued += 1;
                change.put(id, expect, Some(record));
            }
            let after = AnnouncedReleases { release: number - 1, after: Some(*last) };
            change.writes.push(NamedRecord::Announced(after).into());
            Ok(())
        })?;
        self.wake();
        Ok(())
    }
}

/// What a release changed, for those who follow a part of the program.
struct Changed<'a> {
    /// All changed sessions. Calendars show every change.
    sessions: BTreeSet<&'a SessionId>,
    /// The sessions with changes that people are notified of.
    notified: BTreeSet<&'a SessionId>,
    feeds: BTreeSet<FeedKey>,
    live: &'a Release,
    now: DateTime<Utc>,
}

impl<'a> Changed<'a> {
    fn of(release: &'a ReleaseRecord, live: &'a Release, now: DateTime<Utc>) -> Self {
        let changes = || release.changes.iter();
        let notified =
            changes().filter(|change| notifies_people(change.kind)).map(|change| &change.session).collect();
        let sides = changes().flat_map(|change| [&change.before, &change.after]).flatten();
        // No calendar shows what is withdrawn.
        let shown = sides.filter(|session| session.status != Status::Withdrawn);
        let days = live.program.conference.days();
        let feeds = shown.clone().flat_map(|session| feeds_of(session, days, &live.ledger.slugs)).collect();
        Self { sessions: shown.map(|session| &session.id).collect(), notified, feeds, live, now }
    }

    /// Whether a subscriber must be notified. `agenda` is the agenda of the subscription.
    fn concerns(&self, subscription: &SubscriptionRecord, agenda: Option<&AgendaRecord>) -> bool {
        let holds = |sessions: &BTreeSet<&SessionId>| {
            agenda.is_some_and(|agenda| agenda.picks.iter().any(|pick| sessions.contains(pick)))
        };
        match &subscription.calendar {
            // The next mail is planned when it is sent, so here every change counts.
            None if subscription.channel == Channel::Mail => holds(&self.sessions),
            None => holds(&self.notified),
            Some(_) if subscription.is_expired(self.now) => false,
            Some(FollowedCalendar { source: CalendarSource::Link(_), .. }) => holds(&self.sessions),
            Some(FollowedCalendar { source: CalendarSource::Feed(path), .. }) => {
                let key = FeedKey::parse(path).and_then(|key| key.resolve(&self.live.ledger.slugs));
                key.is_some_and(|key| self.feeds.contains(&key))
            }
        }
    }
}

fn to_webhook(release: &ReleaseRecord, subscription: String, host: String) -> DeliveryRecord {
    DeliveryRecord {
        since: release.number - 1,
        ..DeliveryRecord::new(Channel::Webhook, subscription, host, release.number, release.published)
    }
}
