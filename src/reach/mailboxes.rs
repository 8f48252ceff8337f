//! The mailboxes of agendas: asking them to confirm, and planning their next mails.

use super::OutboxError;
use super::mail::{
    AskError, ConfirmationCounts, MailKeys, PlannedMail, Step, Waiting, plan_next, wanted_sessions,
};
use super::outbox::{Claimed, MAIL_LEASE, Outbox, subscription_delivery, to_device};
use super::settle::{Batch, next};
use crate::config::MailAddress;
use crate::release::Release;
use crate::revision::Digest;
use crate::store::{
    Cause, Channel, DeliveryRecord, ReadError, Skipped, Store, SubscriptionRecord, SubscriptionsRecord, Write,
};
use chrono::{DateTime, Utc};

/// The next step of a mailbox whose delivery was claimed.
#[derive(Debug)]
pub enum MailboxStep {
    /// Send this mail.
    Send {
        /// The key of the record with the subscription.
        agenda: Digest,
        /// The mail address.
        address: String,
        /// The mail.
        planned: PlannedMail,
    },
    /// Wait for this many seconds.
    Later(i64),
    /// Nothing is to be sent: the mailbox has everything, or its subscription has ended.
    Done,
}

impl Outbox {
    /// Asks a mailbox to confirm that it wants the invitations of an agenda. If it was asked before, nothing happens.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn ask_mailbox(&self, keys: &MailKeys, agenda: Digest, address: MailAddress) -> Result<(), AskError> {
        self.confirmations.ask(&self.store, keys, (agenda, address), self.clock.now())?;
        self.wake();
        Ok(())
    }

    /// How many mailboxes were asked.
    pub fn confirmation_counts(&self) -> ConfirmationCounts {
        self.confirmations.counts()
    }

    /// Claims up to `limit` mails that ask for a confirmation. Also returns when the next one becomes due.
    pub(crate) fn claim_confirmations(&self, limit: usize) -> (Vec<Waiting>, Option<DateTime<Utc>>) {
        let now = self.clock.now();
        self.confirmations.claim(limit, now, now + MAIL_LEASE)
    }

    /// Plans the next mail of each claimed delivery to a mailbox, and stores that it is tried, in one commit.
    ///
    /// # Errors
    /// [`OutboxError`]; then no mail may be sent. An inner error concerns one mailbox.
    pub fn plan_mails(
        &self,
        claimed: &[Claimed],
        live: &Release,
    ) -> Result<Vec<Result<MailboxStep, ReadError>>, OutboxError> {
        let now = self.clock.now();
        self.change(|batch| Ok(claimed.iter().map(|one| plan_mail(batch, one, live, now)).collect()))
    }

    /// Lets every mailbox be checked, since nothing was sent while mails were off.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn check_all_mailboxes(&self) -> Result<(), OutboxError> {
        for row in Skipped::default().over(self.store.all_subscriptions()) {
            let (key, SubscriptionsRecord { list, .. }) = row?;
            self.change(|batch| {
                batch.writes.extend(check_mailboxes(&self.store, &key, &list, self.clock.now())?);
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// The writes that let the mailboxes of an agenda be checked after its picks changed. They belong in the commit of the
/// change, so that a crash loses none.
///
/// # Errors
/// If the store cannot be read.
pub fn check_mailboxes(
    store: &Store,
    key: &Digest,
    list: &[SubscriptionRecord],
    now: DateTime<Utc>,
) -> Result<Vec<Write>, ReadError> {
    let mut writes = Vec::new();
    for mailbox in list.iter().filter(|one| one.channel == Channel::Mail) {
        let id = subscription_delivery(&mailbox.id, key);
        let stored = store.delivery(&id)?;
        let expect = stored.as_ref().map(|stored| stored.version.version);
        let record = match stored {
            // The write also meets a claim that read the picks before this change.
            Some(stored) => {
                let version = next(stored.version);
                DeliveryRecord { version, has_more: stored.has_more || stored.lease.is_some(), ..stored }
            }
            None => to_device(mailbox, key, Cause::Agenda, 0, now),
        };
        writes.push(Write::PutDelivery { id, expect, record: Some(record) });
    }
    Ok(writes)
}

/// The next step of a mailbox, recorded in its subscription.
fn plan_mail(
    batch: &mut Batch<'_>,
    Claimed { record, .. }: &Claimed,
    live: &Release,
    now: DateTime<Utc>,
) -> Result<MailboxStep, ReadError> {
    let Some(agenda) = record.subscriptions_key() else { return Ok(MailboxStep::Done) };
    let Some(picks) = batch.store.agenda(&agenda)? else { return Ok(MailboxStep::Done) };
    let wanted = wanted_sessions(&picks, live, now);
    let step = batch.change_subscriptions(&agenda, |stored| {
        let mailbox = stored.list.iter_mut().find(|one| one.id == record.subscription);
        let Some(mail) = mailbox.and_then(|one| one.mail.as_mut()) else { return (MailboxStep::Done, false) };
        match plan_next(mail, &wanted, now, record.claims) {
            Step::Send(planned) => {
                (MailboxStep::Send { agenda, address: mail.address.clone(), planned }, true)
            }
            Step::Wait(until) => (MailboxStep::Later((until - now).num_seconds()), false),
            Step::Done => (MailboxStep::Done, false),
        }
    })?;
    Ok(step.unwrap_or(MailboxStep::Done))
}
