//! The outbox: the deliveries that wait, and their claims. `announce` and `reminders` queue deliveries, `mailboxes`
//! plans those to mailboxes, and `settle` applies the results.
//!
//! A delivery to a webhook is about one release. A subscription has at most one delivery: a later release joins the one
//! that waits, so that a burst of releases becomes one message. Messages to calendar programs wait a few seconds for
//! such releases.
//!
//! A claim is a lease. A sender that is killed reports nothing, and after the lease the delivery is claimed again: its
//! receiver may get it twice, but never misses it. All changes are compare-and-set, so several servers may share a
//! store.

use super::mail::{Confirmations, MAIL_HOST, is_confirmation};
use super::settle::{Batch, Outcome, Settled, next};
use super::{OutboxError, retry, spool};
use crate::clock::Clock;
use crate::revision::Digest;
use crate::store::{
    Cause, Channel, CommitError, DeliveryRecord, ReadError, Skipped, Store, SubscriptionRecord,
};
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use url::Url;

/// How long a claim of a request lasts. It is longer than the wait for a worker and the longest attempt of a sender.
const LEASE: TimeDelta = TimeDelta::seconds(120);

/// How long a claim of a mail lasts. A relay may take ten minutes to accept a mail.
pub(super) const MAIL_LEASE: TimeDelta = TimeDelta::minutes(15);

/// The most deliveries of one commit. Long commits would delay picks.
pub(super) const BATCH: usize = 256;

/// The most waiting deliveries that one claim looks at.
const WINDOW: usize = 4096;

/// How often a commit that met another's is tried again.
const TRIES: u32 = 16;

/// How long a delivery that was given up stays listed.
const KEEP_GIVEN_UP: TimeDelta = TimeDelta::days(30);

/// The deliveries of a store.
#[derive(Debug)]
pub struct Outbox {
    pub(super) store: Store,
    pub(super) clock: Clock,
    /// Held while deliveries are changed, so that the changes of one process never meet.
    turn: Mutex<()>,
    /// Rises whenever deliveries may have become due.
    news: Mutex<u64>,
    woken: Condvar,
    pub(super) confirmations: Confirmations,
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
        Self {
            store,
            clock,
            turn: Mutex::default(),
            news: Mutex::default(),
            woken: Condvar::new(),
            confirmations: Confirmations::default(),
        }
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
                // A first attempt that is due when it is queued never waits: a release's time may be just ahead of the
                // clock.
                let is_at_once = record.attempts == 0 && record.due <= record.queued;
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
                record.lease = Some(now + if record.channel == Channel::Mail { MAIL_LEASE } else { LEASE });
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
        let (confirmations, outcomes): (Vec<&Outcome>, Vec<&Outcome>) =
            outcomes.iter().partition(|outcome| is_confirmation(&outcome.id));
        let mut confirmed = Settled::default();
        for outcome in confirmations {
            self.confirmations.settle(&self.store, outcome, now, &mut confirmed)?;
        }
        let (mut settled, has_next_mail) = self.change(|batch| {
            let mut settled = Settled::default();
            for outcome in outcomes.iter().copied() {
                let Some(record) = self.store.delivery(&outcome.id)? else { continue };
                if record.claims == outcome.claim && record.lease.is_some() {
                    batch.settle(outcome, record, now, &mut settled)?;
                }
            }
            Ok((settled, batch.has_next_mail))
        })?;
        settled.add(confirmed);
        if settled.waiting > 0 || has_next_mail {
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
                batch.count(&record, |tally| tally.failed = tally.failed.saturating_sub(1))?;
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
        counts.entry(Channel::Mail).or_default().waiting += self.confirmations.counts().waiting;
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
                let dropped = batch.change_subscriptions(&key, |stored| {
                    let before = stored.list.len();
                    stored.list.retain(|one| !one.is_expired(now));
                    let dropped = before - stored.list.len();
                    (dropped, dropped > 0)
                })?;
                Ok(dropped.unwrap_or_default())
            })?;
        }
        Ok(dropped)
    }

    /// Waits until deliveries may have become due since `seen` was returned, or until `timeout` is over. Returns the
    /// present value.
    pub fn wait(&self, seen: u64, timeout: Duration) -> u64 {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.woken.wait_timeout_while(news, timeout, |news| *news == seen);
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

    pub(super) fn drop_old_failures(&self) -> Result<(), OutboxError> {
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
    pub(super) fn change<T>(
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

/// A delivery to a device, to be sent after the usual first wait. `key` is the key of the record with the subscription.
pub(super) fn to_device(
    subscription: &SubscriptionRecord,
    Digest(key): &Digest,
    cause: Cause,
    release: u64,
    now: DateTime<Utc>,
) -> DeliveryRecord {
    let channel = subscription.channel;
    let host = match channel {
        Channel::Mail => MAIL_HOST.to_owned(),
        _ => host_of(&subscription.endpoint),
    };
    DeliveryRecord {
        cause,
        agenda: Some(HEXLOWER.encode(key)),
        due: now + retry::first_wait(channel),
        ..DeliveryRecord::new(channel, subscription.id.clone(), host, release, now)
    }
}

/// The id of the only delivery of releases to a subscription.
pub(super) fn subscription_delivery(subscription: &str, agenda: &Digest) -> String {
    delivery_id("push", subscription, agenda)
}

/// The id of a delivery to a device. It sorts behind those of webhooks, which are few. One device may follow several
/// agendas.
pub(super) fn delivery_id(cause: &str, subscription: &str, Digest(agenda): &Digest) -> String {
    format!("{cause}-{subscription}-{}", HEXLOWER.encode(agenda.get(..8).unwrap_or_default()))
}

fn host_of(endpoint: &str) -> String {
    Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}
