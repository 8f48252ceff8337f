//! Settling: what the result of an attempt means for its delivery, and the writes that follow.

use super::{OutboxError, retry};
use crate::store::{Channel, DeliveryRecord, ReachRecord, ReachTally, Store, Version, Write};
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
pub(super) struct Batch<'a> {
    pub(super) store: &'a Store,
    pub(super) writes: Vec<Write>,
    reach: BTreeMap<u64, (Option<u64>, ReachRecord)>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, writes: Vec::new(), reach: BTreeMap::new() }
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

    pub(super) fn put(&mut self, id: String, expect: Option<u64>, record: Option<DeliveryRecord>) {
        self.writes.push(Write::PutDelivery { id, expect, record });
    }

    pub(super) fn into_writes(self) -> Vec<Write> {
        let reach = self.reach.into_iter();
        let reach = reach.map(|(release, (expect, record))| Write::PutReach { release, expect, record });
        self.writes.into_iter().chain(reach).collect()
    }

    pub(super) fn settle(
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
            due: now + retry::first_wait(channel),
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
        let Some(key) = record.subscriptions_key() else { return Ok(()) };
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
            Self::Returned => f.write_str("the sender stopped"),
            Self::Moot => f.write_str("there is nothing to send any more"),
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
