//! Settling: what the result of an attempt means for its delivery, and the writes that follow.

use super::mail::accept;
use super::{OutboxError, retry};
use crate::revision::Digest;
use crate::store::{
    Channel, DeliveryRecord, ReachRecord, ReachTally, ReadError, Store, SubscriptionsRecord, Version, Write,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The result of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The delivery's id.
    pub id: String,
    /// The number of the claim.
    pub claim: u32,
    /// The release that the message was about.
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
    /// The sender was killed while it sent. The message may have arrived.
    Interrupted,
    /// The relay refused the recipient for good.
    NoRecipient {
        /// The reply code.
        status: u16,
    },
    /// It is too early for the message.
    Later {
        /// How many seconds to wait.
        seconds: i64,
    },
    /// There is nothing to send any more.
    NotNeeded,
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

/// How many interrupted attempts of a push message are repeated. A device should not get a message a third time, and two
/// attempts whose bytes were on their way have hardly both failed. A webhook tells its receiver which delivery it is, and a
/// mail has a SEQUENCE, so theirs are always repeated.
const MAX_INTERRUPTED: u32 = 1;

fn is_push(channel: Channel) -> bool {
    matches!(channel, Channel::WebPush | Channel::DavPush)
}

/// The writes of one change.
pub(super) struct Batch<'a> {
    pub(super) store: &'a Store,
    pub(super) writes: Vec<Write>,
    reach: BTreeMap<u64, (Option<u64>, ReachRecord)>,
    /// The subscriptions that were read, and whether they changed.
    subscriptions: BTreeMap<Digest, (SubscriptionsRecord, bool)>,
    /// Whether a mailbox may be due for its next mail.
    pub(super) has_next_mail: bool,
}

impl<'a> Batch<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self {
            store,
            writes: Vec::new(),
            reach: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            has_next_mail: false,
        }
    }

    pub(super) fn tally(&mut self, release: u64, channel: Channel) -> Result<&mut ReachTally, OutboxError> {
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

    /// Changes the counts of a delivery's release. Deliveries of other causes are not counted.
    pub(super) fn count(
        &mut self,
        record: &DeliveryRecord,
        change: impl FnOnce(&mut ReachTally),
    ) -> Result<(), OutboxError> {
        if record.cause.is_release() {
            change(self.tally(record.release, record.channel)?);
        }
        Ok(())
    }

    /// The subscriptions of an agenda, to be changed by `change`, which says whether it changed them. None if there are
    /// none.
    pub(super) fn change_subscriptions<T>(
        &mut self,
        key: &Digest,
        change: impl FnOnce(&mut SubscriptionsRecord) -> (T, bool),
    ) -> Result<Option<T>, ReadError> {
        let entry = match self.subscriptions.entry(*key) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let Some(stored) = self.store.subscriptions(key)? else { return Ok(None) };
                entry.insert((stored, false))
            }
        };
        let (result, has_changed) = change(&mut entry.0);
        entry.1 |= has_changed;
        Ok(Some(result))
    }

    pub(super) fn put(&mut self, id: String, expect: Option<u64>, record: Option<DeliveryRecord>) {
        self.writes.push(Write::PutDelivery { id, expect, record });
    }

    pub(super) fn into_writes(self) -> Vec<Write> {
        let reach = self.reach.into_iter();
        let reach = reach.map(|(release, (expect, record))| Write::PutReach { release, expect, record });
        let subscriptions = self.subscriptions.into_iter().filter(|(_, (_, has_changed))| *has_changed);
        let subscriptions = subscriptions.map(|(key, (record, _))| {
            let expect = Some(record.version.version);
            let record = SubscriptionsRecord { version: next(record.version), ..record };
            Write::PutSubscriptions { key, expect, record }
        });
        self.writes.into_iter().chain(subscriptions).chain(reach).collect()
    }

    pub(super) fn settle(
        &mut self,
        outcome: &Outcome,
        mut record: DeliveryRecord,
        now: DateTime<Utc>,
        settled: &mut Settled,
    ) -> Result<(), OutboxError> {
        let (id, expect, channel) = (outcome.id.clone(), record.version.version, record.channel);
        // A later release, or a change of picks, joined the delivery while it was being sent.
        let has_more = record.release > outcome.release || std::mem::take(&mut record.has_more);
        let mut verdict = verdict(channel, &outcome.result);
        if outcome.result == SendResult::Interrupted {
            // What joined the message was sent once at most.
            record.interrupted = if has_more { 0 } else { record.interrupted + 1 };
            if is_push(channel) && record.interrupted > MAX_INTERRUPTED {
                verdict = Verdict::Delivered;
            }
        }
        let rest = |since: u64, queued: DateTime<Utc>| DeliveryRecord {
            version: next(record.version),
            since,
            queued,
            attempts: 0,
            interrupted: 0,
            due: now + retry::first_wait(channel),
            lease: None,
            error: None,
            ..record.clone()
        };
        match verdict {
            Verdict::Delivered if channel == Channel::Mail => {
                self.accept_mail(outcome, record, now, settled)?
            }
            Verdict::Delivered => {
                settled.delivered += 1;
                // The counts of a delivery that was joined belong to the later release.
                if !has_more {
                    self.count(&record, |tally| count_delivered(tally, &record, now))?;
                }
                let rest = has_more.then(|| rest(outcome.release, now));
                // A release that came while the message was being sent is part of a burst.
                let pause =
                    if channel == Channel::WebPush { retry::PAUSE } else { chrono::TimeDelta::zero() };
                let rest = rest.map(|rest| DeliveryRecord { due: rest.due + pause, ..rest });
                settled.waiting += usize::from(rest.is_some());
                self.put(id, Some(expect), rest);
            }
            Verdict::Ended => {
                settled.dropped += 1;
                self.count(&record, |tally| tally.dropped += 1)?;
                self.end_subscription(&record)?;
                self.put(id, Some(expect), None);
            }
            Verdict::NotNeeded | Verdict::Refused if has_more => {
                settled.waiting += 1;
                self.put(id, Some(expect), Some(rest(record.since, record.queued)));
            }
            Verdict::NotNeeded => {
                // A mailbox that has everything counts as reached by the release, if it got any mail.
                settled.dropped += usize::from(record.mails == 0);
                self.count(&record, |tally| match record.mails {
                    0 => tally.dropped += 1,
                    _ => count_delivered(tally, &record, now),
                })?;
                self.put(id, Some(expect), None);
            }
            Verdict::Refused => self.give_up(outcome, record, now, settled)?,
            Verdict::Later { seconds } => {
                settled.waiting += 1;
                let due = now + chrono::TimeDelta::seconds(seconds);
                let later = DeliveryRecord { version: next(record.version), lease: None, due, ..record };
                self.put(id, Some(expect), Some(later));
            }
            Verdict::Returned => {
                settled.waiting += 1;
                let returned = DeliveryRecord { version: next(record.version), lease: None, ..record };
                self.put(id, Some(expect), Some(returned));
            }
            Verdict::Retry { after } => {
                if now - record.queued >= retry::give_up_after(channel) {
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
        self.count(&record, |tally| tally.failed += 1)?;
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

    /// Records that the relay accepted a mail. The delivery stays until its mailbox has everything.
    fn accept_mail(
        &mut self,
        outcome: &Outcome,
        record: DeliveryRecord,
        now: DateTime<Utc>,
        settled: &mut Settled,
    ) -> Result<(), OutboxError> {
        settled.delivered += 1;
        self.has_next_mail = true;
        if let Some(key) = record.subscriptions_key() {
            self.change_subscriptions(&key, |stored| {
                let mailbox = stored.list.iter_mut().find(|one| one.id == record.subscription);
                let mail = mailbox.and_then(|one| one.mail.as_mut());
                ((), mail.map(|mail| accept(mail, outcome.claim)).is_some())
            })?;
        }
        let expect = record.version.version;
        let next = DeliveryRecord {
            version: next(record.version),
            attempts: 0,
            due: now,
            lease: None,
            error: None,
            mails: record.mails.saturating_add(1),
            ..record
        };
        self.put(outcome.id.clone(), Some(expect), Some(next));
        Ok(())
    }

    /// Removes the subscription of a delivery.
    fn end_subscription(&mut self, record: &DeliveryRecord) -> Result<(), OutboxError> {
        let Some(key) = record.subscriptions_key() else { return Ok(()) };
        self.change_subscriptions(&key, |stored| {
            let before = stored.list.len();
            stored.list.retain(|one| one.id != record.subscription);
            ((), stored.list.len() < before)
        })?;
        Ok(())
    }
}

fn count_delivered(tally: &mut ReachTally, record: &DeliveryRecord, now: DateTime<Utc>) {
    let seconds = (now - record.queued).num_seconds().clamp(0, i64::from(u32::MAX));
    tally.delivered += 1;
    *tally.seconds.entry(u32::try_from(seconds).unwrap_or(u32::MAX)).or_default() += 1;
}

/// What a result means for its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Delivered,
    /// The subscription is over.
    Ended,
    /// The receiver will never take this message.
    Refused,
    Retry {
        after: Option<u64>,
    },
    Later {
        seconds: i64,
    },
    Returned,
    NotNeeded,
}

/// The meaning of an answer: RFC 8030, sections 5 to 8, for push services. A webhook's receiver may be repaired, so
/// everything but success is tried again.
pub(super) fn verdict(channel: Channel, result: &SendResult) -> Verdict {
    match *result {
        SendResult::Returned => Verdict::Returned,
        SendResult::NotNeeded => Verdict::NotNeeded,
        SendResult::Failed { .. } | SendResult::Interrupted => Verdict::Retry { after: None },
        SendResult::NoRecipient { .. } => Verdict::Ended,
        SendResult::Later { seconds } => Verdict::Later { seconds },
        SendResult::Answered { status, retry_after } => match (channel, status) {
            (_, 200..=299) => Verdict::Delivered,
            // Everything else that a relay says may be repaired: its settings, a blocked sender, a full disk.
            (Channel::Webhook | Channel::Mail, _) => Verdict::Retry { after: retry_after },
            (Channel::WebPush | Channel::DavPush, 404 | 410) => Verdict::Ended,
            // 401 and 403 mean that the key or the contact is wrong, which the operator can repair.
            (Channel::WebPush | Channel::DavPush, 401 | 403 | 408 | 429 | 500..) => {
                Verdict::Retry { after: retry_after }
            }
            (Channel::WebPush | Channel::DavPush, _) => Verdict::Refused,
        },
    }
}

impl std::fmt::Display for SendResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answered { status, .. } => write!(f, "the receiver answered {status}"),
            Self::Failed { error } => f.write_str(error),
            Self::NoRecipient { status } => write!(f, "the relay refused the recipient with {status}"),
            Self::Later { .. } => f.write_str("it is too early for the message"),
            Self::Returned => f.write_str("the sender stopped"),
            Self::Interrupted => f.write_str("the sender was killed while it sent the message"),
            Self::NotNeeded => f.write_str("there is nothing to send any more"),
        }
    }
}

pub(super) fn next(version: Version) -> Version {
    Version { version: version.version + 1 }
}

/// A random byte; without randomness, retries are not spread.
fn jitter() -> u8 {
    let mut byte = [128];
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    byte
}
