//! The mails that ask mailboxes to confirm invitations. Until a mailbox is confirmed, its address is only in the memory
//! of the server and in the link of the mail: a restart forgets the mails that wait, and their attendees ask again.
//!
//! Anybody can enter any address, so these mails are limited: a mailbox gets one in a day and three in all, and the
//! conference sends a hundred in an hour. Whether a mailbox was asked is stored as a keyed hash, when the relay has accepted
//! its mail. Nobody learns from an answer whether somebody else entered an address.

use super::link::MailKeys;
use crate::config::MailAddress;
use crate::reach::settle::{Outcome, Settled, Verdict, verdict};
use crate::reach::{OutboxError, retry};
use crate::revision::Digest;
use crate::store::{Channel, MailAsk, NamedRecord, Store};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The shortest time between two of these mails to a mailbox.
const MIN_INTERVAL: TimeDelta = TimeDelta::hours(24);

/// The most of these mails to a mailbox, and the time after which they are forgotten.
const MAX_PER_MAILBOX: u8 = 3;
const REMEMBERED: TimeDelta = TimeDelta::days(180);

/// The most of these mails of a conference in an hour.
const MAX_PER_HOUR: usize = 100;

/// How long a mail is tried. After that its attendee has stopped waiting for it.
const TRY_FOR: TimeDelta = TimeDelta::hours(1);

/// The prefix of the ids of these mails. Deliveries in the store have other ids.
const PREFIX: &str = "confirm-";

/// Why a mailbox was not asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The conference has sent too many of these mails in the last hour.
    #[error("too many confirmations were requested")]
    TooMany {
        /// Seconds until the next one may be sent.
        wait: u64,
    },
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] crate::store::ReadError),
}

/// How many mails were asked for since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConfirmationCounts {
    /// Mails that the relay accepted.
    pub sent: u64,
    /// Requests that the limit of the conference refused.
    pub limited: u64,
    /// Mails that wait or are being sent.
    pub waiting: usize,
}

/// The mails that wait.
#[derive(Debug, Default)]
pub(in crate::reach) struct Confirmations(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    waiting: Vec<Waiting>,
    /// When mails were asked for within the last hour.
    recent: VecDeque<DateTime<Utc>>,
    made: u64,
    counts: ConfirmationCounts,
}

/// A mail that waits, or is being sent.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    id: String,
    mailbox: Digest,
    pub(crate) agenda: Digest,
    pub(crate) address: MailAddress,
    asked: DateTime<Utc>,
    due: DateTime<Utc>,
    attempts: u32,
    claims: u32,
    lease: Option<DateTime<Utc>>,
    /// Whether the relay accepted the mail, but the store could not record it. Such a mail stays, so that the mailbox gets
    /// no other.
    is_sent: bool,
}

impl Waiting {
    /// The id and the claim of the mail.
    pub(crate) fn claim(&self) -> (String, u32) {
        (self.id.clone(), self.claims)
    }
}

/// Whether an id is that of a mail of this table.
pub(in crate::reach) fn is_confirmation(id: &str) -> bool {
    id.starts_with(PREFIX)
}

impl Confirmations {
    /// Asks a mailbox, unless it was asked before: then nothing happens.
    pub(in crate::reach) fn ask(
        &self,
        store: &Store,
        keys: &MailKeys,
        (agenda, address): (Digest, MailAddress),
        now: DateTime<Utc>,
    ) -> Result<(), AskError> {
        let mailbox = keys.mailbox_hash(&address);
        let mut table = self.lock();
        table.forget(now);
        let stored = store.mail_asks(first_byte(mailbox))?;
        let may_get = |known: &MailAsk| {
            let is_forgotten = now - known.at >= REMEMBERED;
            known.mailbox != mailbox
                || is_forgotten
                || (known.count < MAX_PER_MAILBOX && now - known.at >= MIN_INTERVAL)
        };
        if table.waiting.iter().any(|one| one.mailbox == mailbox) || !stored.iter().all(may_get) {
            return Ok(());
        }
        if table.recent.len() >= MAX_PER_HOUR {
            table.counts.limited += 1;
            let oldest = table.recent.front().copied().unwrap_or(now);
            let wait = (oldest + TimeDelta::hours(1) - now).num_seconds();
            return Err(AskError::TooMany { wait: u64::try_from(wait).unwrap_or(0).max(1) });
        }
        table.recent.push_back(now);
        table.made += 1;
        let id = format!("{PREFIX}{}", table.made);
        table.waiting.push(Waiting {
            id,
            mailbox,
            agenda,
            address,
            asked: now,
            due: now,
            attempts: 0,
            claims: 0,
            lease: None,
            is_sent: false,
        });
        Ok(())
    }

    /// Claims up to `limit` mails until a time. Also returns when the next one becomes due.
    pub(in crate::reach) fn claim(
        &self,
        limit: usize,
        now: DateTime<Utc>,
        lease: DateTime<Utc>,
    ) -> (Vec<Waiting>, Option<DateTime<Utc>>) {
        let mut table = self.lock();
        table.forget(now);
        let (mut claimed, mut next) = (Vec::new(), None::<DateTime<Utc>>);
        for one in table.waiting.iter_mut().filter(|one| !one.is_sent) {
            let due = one.lease.map_or(one.due, |lease| lease.max(one.due));
            if due > now || claimed.len() >= limit {
                next = Some(next.map_or(due, |next| next.min(due)));
                continue;
            }
            one.claims += 1;
            one.lease = Some(lease);
            claimed.push(one.clone());
        }
        (claimed, next)
    }

    /// Applies the result of an attempt. A result of an earlier claim is ignored.
    pub(in crate::reach) fn settle(
        &self,
        store: &Store,
        outcome: &Outcome,
        now: DateTime<Utc>,
        settled: &mut Settled,
    ) -> Result<(), OutboxError> {
        let mut table = self.lock();
        let is_it = |one: &Waiting| one.id == outcome.id && one.claims == outcome.claim && !one.is_sent;
        let Some(place) = table.waiting.iter().position(is_it) else { return Ok(()) };
        let Some(one) = table.waiting.get_mut(place) else { return Ok(()) };
        one.lease = None;
        match verdict(Channel::Mail, &outcome.result) {
            Verdict::Delivered | Verdict::Ended => {
                // From here on the mailbox gets no second mail, whatever the store does.
                one.is_sent = true;
                let mailbox = one.mailbox;
                settled.delivered += 1;
                table.counts.sent += 1;
                // Requests must not wait for the disk.
                drop(table);
                record(store, mailbox, now)?;
                self.lock().waiting.retain(|one| one.id != outcome.id);
            }
            Verdict::NotNeeded | Verdict::Refused => {
                settled.dropped += 1;
                table.waiting.remove(place);
            }
            Verdict::Returned => settled.waiting += 1,
            Verdict::Later { seconds } => {
                one.due = now + TimeDelta::seconds(seconds);
                settled.waiting += 1;
            }
            Verdict::Retry { after } => {
                one.attempts += 1;
                one.due = retry::next_attempt(now, one.attempts, after, 128);
                settled.waiting += 1;
            }
        }
        Ok(())
    }

    /// How many mails were asked for.
    pub(in crate::reach) fn counts(&self) -> ConfirmationCounts {
        let table = self.lock();
        let waiting = table.waiting.iter().filter(|one| !one.is_sent).count();
        ConfirmationCounts { waiting, ..table.counts }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn forget(&mut self, now: DateTime<Utc>) {
        // A mail that is being sent right now is not forgotten: its result must be recorded.
        self.waiting.retain(|one| match one.is_sent {
            true => now - one.asked < MIN_INTERVAL,
            false => now - one.asked < TRY_FOR || one.lease.is_some_and(|lease| lease > now),
        });
        while self.recent.front().is_some_and(|at| now - *at >= TimeDelta::hours(1)) {
            self.recent.pop_front();
        }
    }
}

/// Records that a mailbox was asked, and forgets those that were asked long ago.
fn record(store: &Store, mailbox: Digest, now: DateTime<Utc>) -> Result<(), OutboxError> {
    let first = first_byte(mailbox);
    let mut asks = store.mail_asks(first)?;
    asks.retain(|known| now - known.at < REMEMBERED);
    match asks.iter_mut().find(|known| known.mailbox == mailbox) {
        Some(known) => (known.at, known.count) = (now, known.count.saturating_add(1)),
        None => asks.push(MailAsk { mailbox, at: now, count: 1 }),
    }
    store.commit_blocking(vec![NamedRecord::MailAsks(first, asks).into()])?;
    Ok(())
}

fn first_byte(Digest([first, ..]): Digest) -> u8 {
    first
}
