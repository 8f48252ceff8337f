//! The mailboxes that get the sessions of an agenda as invitations.
//!
//! The links in a mail change only its mailbox, and they work without an edit key.

use super::AgendaError;
use super::owner::Agendas;
use crate::config::MailAddress;
use crate::reach::{MAX_MAILBOXES, check_mailboxes};
use crate::revision::Digest;
use crate::store::{Channel, MailRecord, SubscriptionRecord};
use data_encoding::HEXLOWER;

impl Agendas {
    /// Subscribes a mailbox that was confirmed. A repetition changes nothing.
    ///
    /// # Errors
    /// [`AgendaError::UnknownKey`] if the agenda is gone or has a new key, or another [`AgendaError`].
    pub async fn confirm_mailbox(&self, agenda: Digest, address: &MailAddress) -> Result<(), AgendaError> {
        let mut id = [0; 12];
        getrandom::fill(&mut id)?;
        let record = SubscriptionRecord {
            id: HEXLOWER.encode(&id),
            channel: Channel::Mail,
            endpoint: String::new(),
            p256dh: Vec::new(),
            auth: Vec::new(),
            label: address.masked(),
            calendar: None,
            reminders: false,
            mail: Some(MailRecord { address: address.as_str().to_owned(), ..MailRecord::default() }),
            created: self.clock.now(),
        };
        let is_same = |known: &SubscriptionRecord| {
            known.mail.as_ref().is_some_and(|mail| mail.address.eq_ignore_ascii_case(address.as_str()))
        };
        self.is_open(&agenda)?;
        let still_open = || self.is_open(&agenda);
        let confirmed = self.change_devices_with(agenda, still_open, |list| {
            if list.iter().any(is_same) {
                return Ok(((), false, Vec::new()));
            }
            if list.iter().filter(|known| known.mail.is_some()).count() >= MAX_MAILBOXES {
                return Err(AgendaError::TooManyMailboxes);
            }
            list.push(record.clone());
            let new = std::slice::from_ref(&record);
            Ok(((), true, check_mailboxes(&self.store, &agenda, new, self.clock.now())?))
        });
        confirmed.await
    }

    /// Ends the invitations to a mailbox, and erases its address. A repetition changes nothing.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn end_mailbox(&self, agenda: Digest, id: &str) -> Result<(), AgendaError> {
        self.change_devices(agenda, |list| {
            let before = list.len();
            list.retain(|known| known.id != id || known.mail.is_none());
            Ok(((), list.len() < before))
        })
        .await
    }

    /// Whether a mailbox gets invitations.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn has_mailbox(&self, agenda: &Digest, id: &str) -> Result<bool, AgendaError> {
        let list = self.store.subscriptions(agenda)?.unwrap_or_default().list;
        Ok(list.iter().any(|known| known.id == id && known.mail.is_some()))
    }

    /// Whether an agenda still has the key with this hash.
    ///
    /// # Errors
    /// [`AgendaError::UnknownKey`] if not, or [`AgendaError::Read`].
    pub fn is_open(&self, agenda: &Digest) -> Result<(), AgendaError> {
        self.store.agenda(agenda)?.map(|_| ()).ok_or(AgendaError::UnknownKey)
    }
}
