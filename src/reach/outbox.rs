//! The outbox: announcing a release and claiming the deliveries that wait. `settle` applies the results.
//!
//! A delivery to a webhook tells of one release. A subscription has at most one delivery: a later release joins the
//! one that waits, so that a burst of releases becomes one message. Messages to calendar programs wait a few seconds for
//! such releases.
//!
//! A claim is a lease. A sender that is killed reports nothing, and after the lease the delivery is claimed again: its
//! receiver may get it twice, but never misses it. All changes are compare-and-set, so several servers may share a
//! store.

use super::settle::{Batch, Outcome, Settled, next};
use super::web_push::is_loud;
use super::webhook::webhook_key;
use super::{OutboxError, retry, spool};
use crate::clock::Clock;
use crate::config::Webhook;
use crate::feed::{FeedKey, feeds_of};
use crate::program::{SessionId, Status};
use crate::release::Release;
use crate::revision::Digest;
use crate::store::{
    AgendaRecord, AnnouncedReleases, CalendarSource, Channel, CommitError, DeliveryRecord, FollowedCalendar,
    NamedRecord, ReadError, ReleaseRecord, Skipped, Store, SubscriptionRecord, SubscriptionsRecord, Version,
    Write,
};
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use url::Url;

/// How long a claim lasts. It is longer than the longest attempt of a sender.
const LEASE: TimeDelta = TimeDelta::seconds(120);

/// The most deliveries of one commit. Long commits would delay picks.
const BATCH: usize = 256;

/// The most waiting deliveries that one claim looks at.
const WINDOW: usize = 4096;

/// How often a commit that met another's is tried again.
const TRIES: u32 = 16;

/// How long a delivery that was given up stays listed.
const KEEP_GIVEN_UP: TimeDelta = TimeDelta::days(30);

/// The deliveries of a store.
#[derive(Debug)]
pub struct Outbox {
    store: Store,
    clock: Clock,
    /// Held while deliveries are changed, so that the changes of one process never meet.
    turn: Mutex<()>,
    /// Rises whenever deliveries may have become due.
    news: Mutex<u64>,
    woken: Condvar,
}

/// A claimed delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The delivery's id.
    pub id: String,
    /// The delivery as it was claimed.
    pub record: DeliveryRecord,
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// The claimed deliveries, with hosts taking turns.
    pub claimed: Vec<Claimed>,
    /// When the next delivery becomes due, if one waits that was not claimed.
    pub next: Option<DateTime<Utc>>,
}

/// The number of deliveries of one channel in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeliveryCounts {
    /// Deliveries that wait or are being sent.
    pub waiting: usize,
    /// Deliveries that were given up and are still listed.
    pub given_up: usize,
    /// When the oldest waiting delivery was queued.
    pub oldest: Option<DateTime<Utc>>,
}

impl Outbox {
    /// The outbox in a store.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, turn: Mutex::default(), news: Mutex::default(), woken: Condvar::new() }
    }

    /// Moves the deliveries of an earlier version's spool into the outbox and returns their number.
    ///
    /// # Errors
    /// [`OutboxError`]; a later call continues.
    pub fn take_over(&self, spool: &Path) -> Result<usize, OutboxError> {
        let taken = spool::take_over(spool, &self.store, self.clock.now())?;
        if taken > 0 {
            self.wake();
        }
        Ok(taken)
    }

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
        if changed.sessions.is_empty() && changed.loud.is_empty() {
            return Ok(());
        }
        let mut skipped = Skipped::default();
        let mut batch: Vec<(Digest, SubscriptionRecord)> = Vec::new();
        for row in skipped.over(self.store.all_subscriptions()) {
            let (key, SubscriptionsRecord { list, .. }) = row?;
            if after.is_some_and(|after| key <= after) {
                continue;
            }
            // A damaged agenda must not keep the others from being told.
            let agenda = self.store.agenda(&key).ok().flatten();
            let told = list.into_iter().filter(|one| changed.concerns(one, agenda.as_ref()));
            batch.extend(told.map(|subscription| (key, subscription)));
            if batch.len() >= BATCH {
                self.queue(release, &std::mem::take(&mut batch))?;
            }
        }
        skipped.log("announcing a release");
        self.queue(release, &batch)
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
                let record = delivery(release, Channel::Webhook, webhook_key(webhook), host);
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
                let host = host_of(&subscription.endpoint);
                let mut record = delivery(release, channel, subscription.id.clone(), host);
                record.due = self.clock.now() + retry::first_wait(channel);
                record.agenda = Some(HEXLOWER.encode(&key.0));
                if let Some(stored) = stored {
                    if stored.release >= number {
                        continue; // an interrupted announcement queued it
                    }
                    change.tally(stored.release, channel)?.dropped += 1;
                    record = DeliveryRecord { release: number, version: next(stored.version), ..stored };
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

    /// Claims up to `limit` deliveries that are due, without those to the hosts in `busy`.
    ///
    /// # Errors
    /// [`OutboxError`]; then nothing is claimed.
    pub fn claim(&self, limit: usize, busy: &[String]) -> Result<Claims, OutboxError> {
        let now = self.clock.now();
        self.change(|batch| {
            let mut hosts: BTreeMap<String, VecDeque<Claimed>> = BTreeMap::new();
            let (mut next_due, mut found) = (None::<DateTime<Utc>>, 0);
            let mut skipped = Skipped::default();
            for row in skipped.over(self.store.deliveries()) {
                let (id, record) = row?;
                if record.given_up.is_some() {
                    continue;
                }
                // Most first attempts do not wait: a release's time may be just ahead of the clock.
                let is_at_once = record.attempts == 0 && retry::first_wait(record.channel).is_zero();
                let due = if is_at_once { now } else { record.due };
                let due = record.lease.map_or(due, |lease| lease.max(due));
                if due > now || busy.contains(&record.host) {
                    next_due = Some(next_due.map_or(due, |next| next.min(due)));
                    continue;
                }
                hosts.entry(record.host.clone()).or_default().push_back(Claimed { id, record });
                found += 1;
                if found >= WINDOW {
                    next_due = Some(now);
                    break;
                }
            }
            skipped.log("claiming deliveries");
            let mut claimed = Vec::new();
            // Hosts take turns, so that a slow one with many deliveries does not keep the others waiting.
            while claimed.len() < limit && !hosts.is_empty() {
                hosts.retain(|_, waiting| {
                    if claimed.len() < limit {
                        claimed.extend(waiting.pop_front());
                    }
                    !waiting.is_empty()
                });
            }
            if !hosts.is_empty() {
                next_due = Some(now);
            }
            for Claimed { id, record } in &mut claimed {
                let expect = record.version.version;
                record.version = next(record.version);
                record.claims = record.claims.wrapping_add(1);
                record.lease = Some(now + LEASE);
                batch.put(id.clone(), Some(expect), Some(record.clone()));
            }
            Ok(Claims { claimed, next: next_due })
        })
    }

    /// Applies the results of attempts. A result of an earlier claim is ignored. Returns the outcome of each attempt
    /// that counts.
    ///
    /// # Errors
    /// [`OutboxError`]; then no result is applied, and the leases end by themselves.
    pub fn settle(&self, outcomes: &[Outcome]) -> Result<Settled, OutboxError> {
        let now = self.clock.now();
        let settled = self.change(|batch| {
            let mut settled = Settled::default();
            for outcome in outcomes {
                let Some(record) = self.store.delivery(&outcome.id)? else { continue };
                if record.claims == outcome.claim && record.lease.is_some() {
                    batch.settle(outcome, record, now, &mut settled)?;
                }
            }
            Ok(settled)
        })?;
        if settled.waiting > 0 {
            self.wake();
        }
        Ok(settled)
    }

    /// Makes the deliveries that were given up due again, and returns their number.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn retry_given_up(&self) -> Result<usize, OutboxError> {
        let now = self.clock.now();
        let retried = self.change(|batch| {
            let mut retried = 0;
            for row in Skipped::default().over(self.store.deliveries()) {
                let (id, record) = row?;
                if record.given_up.is_none() {
                    continue;
                }
                let expect = record.version.version;
                let tally = batch.tally(record.release, record.channel)?;
                tally.failed = tally.failed.saturating_sub(1);
                let record = DeliveryRecord {
                    version: next(record.version),
                    attempts: 0,
                    due: now,
                    queued: now,
                    given_up: None,
                    ..record
                };
                batch.put(id, Some(expect), Some(record));
                retried += 1;
            }
            Ok(retried)
        })?;
        if retried > 0 {
            self.wake();
        }
        Ok(retried)
    }

    /// The deliveries in the outbox, by channel.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn count(&self) -> Result<BTreeMap<Channel, DeliveryCounts>, ReadError> {
        let mut counts: BTreeMap<Channel, DeliveryCounts> =
            Channel::ALL.into_iter().map(|channel| (channel, DeliveryCounts::default())).collect();
        for row in Skipped::default().over(self.store.deliveries()) {
            let (_, record) = row?;
            let count = counts.entry(record.channel).or_default();
            if record.given_up.is_some() {
                count.given_up += 1;
            } else {
                count.waiting += 1;
                count.oldest = Some(count.oldest.map_or(record.queued, |at| at.min(record.queued)));
            }
        }
        Ok(counts)
    }

    /// Removes the subscriptions that calendar programs did not renew, and returns their number.
    ///
    /// # Errors
    /// [`OutboxError`]; a later call continues.
    pub fn drop_expired(&self) -> Result<usize, OutboxError> {
        let now = self.clock.now();
        let mut dropped = 0;
        for row in Skipped::default().over(self.store.all_subscriptions()) {
            let (key, found) = row?;
            if !found.list.iter().any(|one| one.is_expired(now)) {
                continue;
            }
            dropped += self.change(|batch| {
                let Some(mut record) = batch.store.subscriptions(&key)? else { return Ok(0) };
                let (expect, before) = (record.version.version, record.list.len());
                record.list.retain(|one| !one.is_expired(now));
                record.version = next(record.version);
                let dropped = before - record.list.len();
                batch.writes.push(Write::PutSubscriptions { key, expect: Some(expect), record });
                Ok(dropped)
            })?;
        }
        Ok(dropped)
    }

    /// Waits until deliveries may have become due since `seen` was returned, or until `patience` is over. Returns the
    /// present value.
    pub fn wait(&self, seen: u64, patience: Duration) -> u64 {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.woken.wait_timeout_while(news, patience, |news| *news == seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// The time by which deliveries are due.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Wakes the senders that wait.
    pub fn wake(&self) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        *news = news.wrapping_add(1);
        self.woken.notify_all();
    }

    fn drop_old_failures(&self) -> Result<(), OutboxError> {
        let until = self.clock.now() - KEEP_GIVEN_UP;
        self.change(|batch| {
            for row in Skipped::default().over(self.store.deliveries()) {
                let (id, record) = row?;
                if record.given_up.is_some_and(|at| at < until) {
                    batch.put(id, Some(record.version.version), None);
                }
            }
            Ok(())
        })
    }

    /// Plans a change, and commits it. If another process changed a record meanwhile, plans it again.
    fn change<T>(
        &self,
        mut plan: impl FnMut(&mut Batch<'_>) -> Result<T, OutboxError>,
    ) -> Result<T, OutboxError> {
        let _turn: MutexGuard<'_, ()> = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tries = 0;
        loop {
            let mut batch = Batch::new(&self.store);
            let planned = plan(&mut batch)?;
            let writes = batch.into_writes();
            if writes.is_empty() {
                return Ok(planned);
            }
            tries += 1;
            match self.store.commit_blocking(writes) {
                Ok(()) => return Ok(planned),
                Err(CommitError::Conflict) if tries < TRIES => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What a release changed, for those who follow a part of the program.
struct Changed<'a> {
    /// All changed sessions. Calendars show every change.
    sessions: BTreeSet<&'a SessionId>,
    /// The sessions with changes that people are told of.
    loud: BTreeSet<&'a SessionId>,
    feeds: BTreeSet<FeedKey>,
    live: &'a Release,
    now: DateTime<Utc>,
}

impl<'a> Changed<'a> {
    fn of(release: &'a ReleaseRecord, live: &'a Release, now: DateTime<Utc>) -> Self {
        let changes = || release.changes.iter();
        let loud = changes().filter(|change| is_loud(change.kind)).map(|change| &change.session).collect();
        let sides = changes().flat_map(|change| [&change.before, &change.after]).flatten();
        // No calendar shows what is withdrawn.
        let shown = sides.filter(|session| session.status != Status::Withdrawn);
        let zone = live.program.conference.zone;
        let feeds = shown.clone().flat_map(|session| feeds_of(session, zone, &live.ledger.slugs)).collect();
        Self { sessions: shown.map(|session| &session.id).collect(), loud, feeds, live, now }
    }

    /// Whether a subscriber must be told. `agenda` is the agenda of the subscription.
    fn concerns(&self, subscription: &SubscriptionRecord, agenda: Option<&AgendaRecord>) -> bool {
        let holds = |sessions: &BTreeSet<&SessionId>| {
            agenda.is_some_and(|agenda| agenda.picks.iter().any(|pick| sessions.contains(pick)))
        };
        match &subscription.calendar {
            None => holds(&self.loud),
            Some(_) if subscription.is_expired(self.now) => false,
            Some(FollowedCalendar { source: CalendarSource::Link(_), .. }) => holds(&self.sessions),
            Some(FollowedCalendar { source: CalendarSource::Feed(path), .. }) => {
                let key = FeedKey::parse(path).and_then(|key| key.resolve(&self.live.ledger.slugs));
                key.is_some_and(|key| self.feeds.contains(&key))
            }
        }
    }
}

fn delivery(release: &ReleaseRecord, channel: Channel, subscription: String, host: String) -> DeliveryRecord {
    DeliveryRecord {
        version: Version { version: 1 },
        channel,
        subscription,
        agenda: None,
        host,
        since: release.number - 1,
        release: release.number,
        queued: release.published,
        attempts: 0,
        due: release.published,
        claims: 0,
        lease: None,
        given_up: None,
        error: None,
    }
}

/// The id of the only delivery of a subscription. It sorts behind those of webhooks, which are few. One device may
/// follow several agendas.
fn subscription_delivery(subscription: &str, Digest(agenda): &Digest) -> String {
    format!("push-{subscription}-{}", HEXLOWER.encode(agenda.get(..8).unwrap_or_default()))
}

fn host_of(endpoint: &str) -> String {
    Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}
