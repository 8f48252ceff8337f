//! The outbox: announcing a release, claiming what waits, and settling the results.
//!
//! A delivery to a webhook tells of one release. A subscription has at most one delivery: a later release joins the
//! one that waits, so that a burst of releases becomes one message.
//!
//! A claim is a lease. A sender that is killed reports nothing, and after the lease the delivery is claimed again: its
//! receiver may get it twice, but never misses it. All changes are compare-and-set, so several servers may share a
//! store.

use super::webhook::webhook_key;
use super::{OutboxError, retry, spool};
use crate::clock::Clock;
use crate::config::Webhook;
use crate::program::{ChangeKind, SessionId};
use crate::revision::Digest;
use crate::store::{
    AnnouncedReleases, Channel, CommitError, DeliveryRecord, NamedRecord, ReachRecord, ReachTally, ReadError,
    ReleaseRecord, Skipped, Store, SubscriptionRecord, SubscriptionsRecord, Version, Write,
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

/// The result of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The delivery's id.
    pub id: String,
    /// The number of the claim.
    pub claim: u32,
    /// The release that the sent message told of.
    pub release: u64,
    /// The result.
    pub result: SendResult,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SendResult {
    /// The receiver answered.
    Answered {
        /// The status code.
        status: u16,
        /// The seconds of its Retry-After header, if it sent one.
        retry_after: Option<u64>,
    },
    /// There was no answer.
    Failed {
        /// Why. Names no address.
        error: String,
    },
    /// The sender stops and has not tried.
    Returned,
    /// There is nothing to tell any more.
    Moot,
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
    pub fn announce(&self, webhooks: &[Webhook], live: u64) -> Result<(), OutboxError> {
        let mut announced = match self.store.announced()? {
            Some(announced) => announced,
            None => AnnouncedReleases { release: live, after: None },
        };
        while announced.release < live {
            let number = announced.release + 1;
            if let Some(release) = self.store.release(number)? {
                self.announce_release(webhooks, &release, announced.after)?;
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
    ) -> Result<(), OutboxError> {
        if after.is_none() {
            self.announce_to_webhooks(webhooks, release)?;
        }
        let loud: BTreeSet<&SessionId> = release
            .changes
            .iter()
            .filter(|change| is_loud(change.kind))
            .map(|change| &change.session)
            .collect();
        if loud.is_empty() {
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
            let Ok(Some(agenda)) = self.store.agenda(&key) else { continue };
            if agenda.picks.iter().any(|pick| loud.contains(pick)) {
                batch.extend(list.into_iter().map(|subscription| (key, subscription)));
            }
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
                // The first attempt does not wait: a release's time may be just ahead of the clock.
                let due = if record.attempts == 0 { now } else { record.due };
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
            let mut batch = Batch { store: &self.store, writes: Vec::new(), reach: BTreeMap::new() };
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

/// What became of settled attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Settled {
    /// Accepted deliveries.
    pub delivered: usize,
    /// Deliveries that are tried again.
    pub waiting: usize,
    /// Deliveries that were given up.
    pub given_up: usize,
    /// Deliveries that are not needed any more, and ended subscriptions.
    pub dropped: usize,
}

impl Settled {
    /// Adds the counts of other attempts.
    pub fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.waiting += other.waiting;
        self.given_up += other.given_up;
        self.dropped += other.dropped;
    }
}

/// The writes of one change.
struct Batch<'a> {
    store: &'a Store,
    writes: Vec<Write>,
    reach: BTreeMap<u64, (Option<u64>, ReachRecord)>,
}

impl Batch<'_> {
    fn tally(&mut self, release: u64, channel: Channel) -> Result<&mut ReachTally, OutboxError> {
        let (_, record) = match self.reach.entry(release) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let stored = self.store.reach(release)?;
                let expect = stored.as_ref().map(|stored| stored.version.version);
                let mut record = stored.unwrap_or_default();
                record.version = next(record.version);
                entry.insert((expect, record))
            }
        };
        Ok(record.channels.entry(channel).or_default())
    }

    fn put(&mut self, id: String, expect: Option<u64>, record: Option<DeliveryRecord>) {
        self.writes.push(Write::PutDelivery { id, expect, record });
    }

    fn into_writes(self) -> Vec<Write> {
        let reach = self.reach.into_iter();
        let reach = reach.map(|(release, (expect, record))| Write::PutReach { release, expect, record });
        self.writes.into_iter().chain(reach).collect()
    }

    fn settle(
        &mut self,
        outcome: &Outcome,
        record: DeliveryRecord,
        now: DateTime<Utc>,
        settled: &mut Settled,
    ) -> Result<(), OutboxError> {
        let (id, expect, channel) = (outcome.id.clone(), record.version.version, record.channel);
        // A later release joined the delivery while it was being sent.
        let has_more = record.release > outcome.release;
        let rest = |since: u64, queued: DateTime<Utc>| DeliveryRecord {
            version: next(record.version),
            since,
            queued,
            attempts: 0,
            due: now,
            lease: None,
            error: None,
            ..record.clone()
        };
        match verdict(channel, &outcome.result) {
            Verdict::Delivered => {
                settled.delivered += 1;
                let seconds = (now - record.queued).num_seconds().clamp(0, i64::from(u32::MAX));
                // The counts of a delivery that was joined belong to the later release.
                let tally = self.tally(record.release, channel)?;
                if !has_more {
                    tally.delivered += 1;
                    *tally.seconds.entry(u32::try_from(seconds).unwrap_or(u32::MAX)).or_default() += 1;
                }
                let rest = has_more.then(|| rest(outcome.release, now));
                settled.waiting += usize::from(rest.is_some());
                self.put(id, Some(expect), rest);
            }
            Verdict::Ended => {
                settled.dropped += 1;
                self.tally(record.release, channel)?.dropped += 1;
                self.end_subscription(&record)?;
                self.put(id, Some(expect), None);
            }
            Verdict::Moot | Verdict::Refused if has_more => {
                settled.waiting += 1;
                self.put(id, Some(expect), Some(rest(record.since, record.queued)));
            }
            Verdict::Moot => {
                settled.dropped += 1;
                self.tally(record.release, channel)?.dropped += 1;
                self.put(id, Some(expect), None);
            }
            Verdict::Refused => self.give_up(outcome, record, now, settled)?,
            Verdict::Returned => {
                settled.waiting += 1;
                let returned = DeliveryRecord { version: next(record.version), lease: None, ..record };
                self.put(id, Some(expect), Some(returned));
            }
            Verdict::Retry { after } => {
                if now - record.queued >= retry::patience(channel) {
                    return self.give_up(outcome, record, now, settled);
                }
                settled.waiting += 1;
                let attempts = record.attempts.saturating_add(1);
                let retry = DeliveryRecord {
                    version: next(record.version),
                    attempts,
                    due: retry::next_attempt(now, attempts, after, jitter()),
                    lease: None,
                    error: Some(outcome.result.to_string()),
                    ..record
                };
                self.put(id, Some(expect), Some(retry));
            }
        }
        Ok(())
    }

    /// Webhooks that were given up stay listed, so that somebody can repair the receiver and retry them.
    fn give_up(
        &mut self,
        outcome: &Outcome,
        record: DeliveryRecord,
        now: DateTime<Utc>,
        settled: &mut Settled,
    ) -> Result<(), OutboxError> {
        settled.given_up += 1;
        self.tally(record.release, record.channel)?.failed += 1;
        let expect = record.version.version;
        let kept = (record.channel == Channel::Webhook).then(|| DeliveryRecord {
            version: next(record.version),
            lease: None,
            given_up: Some(now),
            error: Some(outcome.result.to_string()),
            ..record
        });
        self.put(outcome.id.clone(), Some(expect), kept);
        Ok(())
    }

    /// Removes the subscription of a delivery.
    fn end_subscription(&mut self, record: &DeliveryRecord) -> Result<(), OutboxError> {
        let Some(key) = record.agenda.as_deref().and_then(agenda_key) else { return Ok(()) };
        let Some(mut stored) = self.store.subscriptions(&key)? else { return Ok(()) };
        // Another result of this batch may have ended another device of the agenda.
        let earlier = self.writes.iter().position(
            |write| matches!(write, Write::PutSubscriptions { key: written, .. } if *written == key),
        );
        let read = stored.version.version;
        if let Some(Write::PutSubscriptions { record, .. }) = earlier.map(|at| self.writes.swap_remove(at)) {
            stored = record;
        }
        stored.list.retain(|one| one.id != record.subscription);
        stored.version = Version { version: read + 1 };
        self.writes.push(Write::PutSubscriptions { key, expect: Some(read), record: stored });
        Ok(())
    }
}

/// What a result means for its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Delivered,
    /// The subscription is over.
    Ended,
    /// The receiver will never take this message.
    Refused,
    Retry {
        after: Option<u64>,
    },
    Returned,
    Moot,
}

/// The meaning of an answer: RFC 8030, sections 5 to 8, for push services. A webhook's receiver may be repaired, so
/// everything but success is tried again.
fn verdict(channel: Channel, result: &SendResult) -> Verdict {
    match *result {
        SendResult::Returned => Verdict::Returned,
        SendResult::Moot => Verdict::Moot,
        SendResult::Failed { .. } => Verdict::Retry { after: None },
        SendResult::Answered { status, retry_after } => match (channel, status) {
            (_, 200..=299) => Verdict::Delivered,
            (Channel::Webhook, _) => Verdict::Retry { after: retry_after },
            (Channel::WebPush, 404 | 410) => Verdict::Ended,
            // 401 and 403 mean that the key or the contact is wrong, which the operator can repair.
            (Channel::WebPush, 401 | 403 | 408 | 429 | 500..) => Verdict::Retry { after: retry_after },
            (Channel::WebPush, _) => Verdict::Refused,
        },
    }
}

impl std::fmt::Display for SendResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered { status, .. } => write!(f, "the receiver answered {status}"),
            Self::Failed { error } => f.write_str(error),
            Self::Returned => f.write_str("the sender stopped"),
            Self::Moot => f.write_str("there is nothing to send any more"),
        }
    }
}

/// Whether people with the session on their agenda are told of a change. A corrected abstract is no reason to disturb
/// anybody.
fn is_loud(kind: ChangeKind) -> bool {
    matches!(kind, ChangeKind::Moved | ChangeKind::Cancelled | ChangeKind::Restored)
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

fn agenda_key(hex: &str) -> Option<Digest> {
    HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok().map(Digest)
}

fn host_of(endpoint: &str) -> String {
    Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn next(version: Version) -> Version {
    Version { version: version.version + 1 }
}

/// A random byte; without randomness, retries are not spread.
fn jitter() -> u8 {
    let mut byte = [128];
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    byte
}
