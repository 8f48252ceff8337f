//! The deliveries of a publisher: announces releases to subscribers, and composes the messages that are sent.

use super::{Publisher, PublisherTask};
use crate::config::{Mail, Push, Webhook};
use crate::program::{Change, SessionId};
use crate::reach::{
    Claimed, ClaimedMessage, Claims, DeliveryCounts, MAIL_HOST, MailKeys, MailWriter, MailboxStep, Message,
    Notification, Outbox, OutboxError, Outcome, PushKey, SendResult, WebPushError, WebPushWriter,
    calendar_notification, merge_changes, notification, reminder, webhook_key, webhook_message,
};
use crate::release::Release;
use crate::revision::Digest;
use crate::store::{
    AnnouncedReleases, CalendarSource, Cause, Channel, DeliveryRecord, NamedRecord, PushKeyBytes, ReadError,
    ReleaseRecord, Store, SubscriptionRecord, Write,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Whether to announce a release that was found in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Announce {
    Yes,
    /// The replica that published it does.
    No,
}

/// The directory in which earlier versions kept deliveries.
pub fn spool_directory(data: &Path) -> PathBuf {
    data.join("spool")
}

/// The writes that deliveries need before the first one. Announcements begin after `release`: a receiver that the
/// config adds later gets no past releases. And devices subscribe with the push key, so it is made before them.
///
/// # Errors
/// If the record of the announced releases is damaged. While no release is announced, the damage does not matter, and
/// the record is replaced.
pub(super) fn first_writes(
    store: &Store,
    webhooks: &[Webhook],
    push: Option<&Push>,
    mail: Option<&Mail>,
    release: u64,
) -> Result<Vec<Write>, ReadError> {
    let mut notes = Vec::new();
    match store.push_key() {
        Ok(None) if push.is_some() => {
            notes.extend(PushKey::generate().ok().map(|key| NamedRecord::PushKey(PushKeyBytes(key))));
        }
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "browsers get no messages: the push key cannot be read"),
    }
    match store.mail_secret() {
        Ok(None) if mail.is_some() => notes.extend(MailKeys::generate().ok().map(NamedRecord::MailSecret)),
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "no mails are sent: the secret of their links cannot be read"),
    }
    if store.is_shared() && store.sign_in_key()?.is_none() {
        let mut key = vec![0; 32];
        if getrandom::fill(&mut key).is_ok() {
            notes.push(NamedRecord::SignInKey(PushKeyBytes(key)));
        }
    }
    let first = NamedRecord::Announced(AnnouncedReleases { release, after: None });
    match store.announced() {
        Ok(None) => notes.push(first),
        Err(ReadError::Damaged { .. }) if webhooks.is_empty() && push.is_none() && mail.is_none() => {
            notes.push(first);
        }
        Ok(Some(_)) => {}
        Err(error) => return Err(error),
    }
    Ok(notes.into_iter().map(Write::from).collect())
}

/// Why a message could not be composed. The delivery is tried again.
#[derive(Debug, thiserror::Error)]
enum ComposeError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    WebPush(#[from] WebPushError),
    #[error("the store has no usable push key")]
    NoPushKey,
    #[error("the mail could not be composed")]
    NoMail,
}

/// Messages to send, and when the next delivery becomes due.
#[derive(Debug, Default)]
pub struct ClaimedMessages {
    /// The messages.
    pub messages: Vec<ClaimedMessage>,
    /// When the next delivery becomes due, if one waits that was not claimed.
    pub next: Option<DateTime<Utc>>,
}

impl Publisher {
    /// The deliveries that wait.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The number of deliveries in the outbox, by channel.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn count_deliveries(&self) -> Result<BTreeMap<Channel, DeliveryCounts>, ReadError> {
        self.outbox.count()
    }

    /// How messages to browsers are sent, if they are on.
    pub fn push(&self) -> Option<Push> {
        self.settings.load().push.clone()
    }

    /// The key pair that signs messages to browsers; none if the store could not take one yet.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn push_key(&self) -> Result<Option<PushKey>, ReadError> {
        let stored = self.store.push_key()?;
        Ok(stored.and_then(|PushKeyBytes(pkcs8)| PushKey::parse(&pkcs8).ok()))
    }

    /// How invitations are sent by mail, if they are on.
    pub fn mail(&self) -> Option<Mail> {
        self.settings.load().mail.clone()
    }

    /// The keys of the links in mails; none if the store could not take their secret yet.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn mail_keys(&self) -> Result<Option<MailKeys>, ReadError> {
        Ok(self.store.mail_secret()?.as_ref().and_then(MailKeys::of))
    }

    /// Announces every release that was not announced yet: the one just published, and earlier ones whose announcement
    /// a crash or a full disk prevented.
    ///
    /// A failure does not undo the release, which is live already.
    pub async fn announce_releases(self: &Arc<Self>) {
        self.check_reminders(); // sessions may have moved
        let this = Arc::clone(self);
        let announce = move || this.outbox.announce(&this.settings.load().webhooks, &this.current());
        match tokio::task::spawn_blocking(announce).await {
            Ok(Ok(())) => self.state().set_fault(PublisherTask::Deliveries, None),
            Err(_) => {} // the server is stopping
            Ok(Err(OutboxError::Read(error))) => {
                self.state().set_fault(PublisherTask::Deliveries, Some(&error));
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the deliveries of a release could not be queued; the next release or start retries");
            }
        }
    }

    /// Claims deliveries that are due and composes their messages. Blocks on the store.
    ///
    /// # Errors
    /// [`OutboxError`]; then nothing is claimed.
    pub fn claim_messages(&self, limit: usize, busy: &[String]) -> Result<ClaimedMessages, OutboxError> {
        let (mail, push, live) = (self.mail(), self.push(), self.current());
        // A damaged secret must not keep the other channels from sending; the start has logged it.
        let keys = mail.as_ref().and_then(|_| self.mail_keys().ok().flatten());
        let writer = mail.as_ref().zip(keys.as_ref());
        let writer = writer.map(|(mail, keys)| MailWriter::new(mail, keys, &live));
        let (mut messages, mut not_needed) = (Vec::new(), Vec::new());
        let mut next_confirmation = None;
        if let Some(writer) = writer.as_ref().filter(|_| !busy.iter().any(|host| host == MAIL_HOST)) {
            next_confirmation = self.claim_confirmations(writer, limit, &mut messages, &mut not_needed)?;
        }
        let Claims { claimed, next } = self.outbox.claim(limit.saturating_sub(messages.len()), busy)?;
        let next = [next, next_confirmation].into_iter().flatten().min();
        let (mails, claimed): (Vec<Claimed>, Vec<Claimed>) =
            claimed.into_iter().partition(|one| one.record.channel == Channel::Mail);
        self.compose_mails(writer.as_ref(), &live, &mails, &mut messages, &mut not_needed)?;
        let mut composer = Composer {
            publisher: self,
            live: Arc::clone(&live),
            releases: HashMap::new(),
            changes: HashMap::new(),
            push: push.as_ref(),
            writer: None,
        };
        for delivery in claimed {
            let (id, claim, release) = (delivery.id, delivery.record.claims, delivery.record.release);
            match composer.compose(&id, &delivery.record) {
                Ok(Some(message)) => {
                    let host = delivery.record.host;
                    messages.push(ClaimedMessage { id, claim, release, host, message });
                }
                Ok(None) => not_needed.push(Outcome { id, claim, release, result: SendResult::NotNeeded }),
                Err(error) => {
                    not_needed.push(Outcome { result: failure(&id, &error), id, claim, release });
                }
            }
        }
        if !not_needed.is_empty() {
            self.outbox.settle(&not_needed)?;
        }
        Ok(ClaimedMessages { messages, next })
    }
}

impl Publisher {
    /// Claims the mails that ask for a confirmation. Returns when the next one becomes due.
    fn claim_confirmations(
        &self,
        writer: &MailWriter<'_>,
        limit: usize,
        messages: &mut Vec<ClaimedMessage>,
        not_needed: &mut Vec<Outcome>,
    ) -> Result<Option<DateTime<Utc>>, OutboxError> {
        let (claimed, next) = self.outbox.claim_confirmations(limit);
        for one in claimed {
            let (id, claim) = one.claim();
            // The agenda may have been deleted meanwhile.
            let is_wanted = self.store.agenda(&one.agenda)?.is_some();
            let message = is_wanted.then(|| writer.confirmation(one.agenda, &one.address, self.clock.now()));
            match message.flatten() {
                Some(message) => {
                    let host = MAIL_HOST.to_owned();
                    messages.push(ClaimedMessage { id, claim, release: 0, host, message });
                }
                None => not_needed.push(Outcome { id, claim, release: 0, result: SendResult::NotNeeded }),
            }
        }
        Ok(next)
    }

    /// Plans and composes the next mail of each mailbox. Without a writer, mails are off and nothing is sent.
    fn compose_mails(
        &self,
        writer: Option<&MailWriter<'_>>,
        live: &Release,
        claimed: &[Claimed],
        messages: &mut Vec<ClaimedMessage>,
        not_needed: &mut Vec<Outcome>,
    ) -> Result<(), OutboxError> {
        if claimed.is_empty() {
            return Ok(());
        }
        let steps = match writer {
            Some(_) => self.outbox.plan_mails(claimed, live)?,
            None => claimed.iter().map(|_| Ok(MailboxStep::Done)).collect(),
        };
        for (one, step) in claimed.iter().zip(steps) {
            let (id, claim, release) = (one.id.clone(), one.record.claims, one.record.release);
            let result = match step {
                Ok(MailboxStep::Send { agenda, address, planned }) => {
                    let compose = |writer: &MailWriter<'_>| {
                        writer.invitation(agenda, &one.record.subscription, &address, &planned)
                    };
                    match writer.and_then(compose) {
                        Some(message) => {
                            let host = one.record.host.clone();
                            messages.push(ClaimedMessage { id, claim, release, host, message });
                            continue;
                        }
                        None => failure(&id, &ComposeError::NoMail),
                    }
                }
                Ok(MailboxStep::Later(seconds)) => SendResult::Later { seconds },
                Ok(MailboxStep::Done) => SendResult::NotNeeded,
                Err(error) => failure(&id, &error.into()),
            };
            not_needed.push(Outcome { id, claim, release, result });
        }
        Ok(())
    }
}

fn failure(id: &str, error: &ComposeError) -> SendResult {
    tracing::error!(%error, id, "the message of a delivery could not be composed");
    SendResult::Failed { error: error.to_string() }
}

/// Composes the messages of one claim. Deliveries of one release share its record.
struct Composer<'a> {
    publisher: &'a Publisher,
    live: Arc<Release>,
    releases: HashMap<u64, Option<Arc<ReleaseRecord>>>,
    /// The changes from one release to another.
    changes: HashMap<(u64, u64), Arc<BTreeMap<SessionId, Change>>>,
    push: Option<&'a Push>,
    /// Made for the first message to a browser.
    writer: Option<WebPushWriter<'a>>,
}

impl Composer<'_> {
    /// The message of a delivery; none if nobody waits for it any more.
    fn compose(&mut self, id: &str, delivery: &DeliveryRecord) -> Result<Option<Message>, ComposeError> {
        match delivery.channel {
            Channel::Webhook => {
                let settings = self.publisher.settings.load();
                let hook = settings.webhooks.iter().find(|hook| webhook_key(hook) == delivery.subscription);
                let Some(hook) = hook else {
                    tracing::info!(id, "a delivery is dropped: its webhook is not in the config any more");
                    return Ok(None);
                };
                let release = self.release(delivery.release)?;
                Ok(release.map(|release| webhook_message(hook, id, &release)))
            }
            Channel::WebPush | Channel::DavPush => self.push(delivery),
            Channel::Mail => Ok(None), // composed together, see `compose_mails`
        }
    }

    /// The message to a device. None if messages are off, the device is gone, or there is nothing to tell it in the
    /// end.
    fn push(&mut self, delivery: &DeliveryRecord) -> Result<Option<Message>, ComposeError> {
        let Self { publisher, push: Some(push), .. } = *self else { return Ok(None) };
        let (store, now) = (&publisher.store, publisher.clock.now());
        let Some(key) = delivery.subscriptions_key() else { return Ok(None) };
        let devices = store.subscriptions(&key)?.unwrap_or_default().list;
        let Some(device) = devices.iter().find(|device| device.id == delivery.subscription) else {
            return Ok(None);
        };
        let notification = match delivery.cause {
            Cause::Release | Cause::Agenda => {
                let changes = match delivery.cause {
                    Cause::Release => self.changes(delivery.since, delivery.release)?,
                    _ => Arc::default(),
                };
                self.notification(&key, device, &changes, now)?
            }
            Cause::Reminder { .. } if !device.reminders => None,
            Cause::Reminder { start } => {
                store.agenda(&key)?.and_then(|agenda| reminder(&agenda.picks, start, &self.live, now))
            }
        };
        let Some(notification) = notification else { return Ok(None) };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let key = publisher.push_key()?.ok_or(ComposeError::NoPushKey)?;
                none.insert(WebPushWriter::new(push, key, now))
            }
        };
        Ok(Some(writer.message(device, &notification)?))
    }

    /// The message to a device, before it is encrypted. None if its agenda or link is gone, its subscription has
    /// expired, or nothing that the agenda holds has changed in the end.
    fn notification(
        &self,
        key: &Digest,
        device: &SubscriptionRecord,
        changes: &BTreeMap<SessionId, Change>,
        now: DateTime<Utc>,
    ) -> Result<Option<Notification>, ReadError> {
        let agenda = || self.publisher.store.agenda(key);
        let Some(calendar) = &device.calendar else {
            return Ok(agenda()?.and_then(|agenda| notification(&agenda.picks, changes, &self.live, now)));
        };
        let is_open = match &calendar.source {
            _ if device.is_expired(now) => false,
            CalendarSource::Feed(_) => true,
            CalendarSource::Link(hash) => agenda()?.is_some_and(|agenda| {
                agenda.links.iter().any(|link| link.hash == *hash && link.revoked.is_none())
            }),
        };
        Ok(is_open.then(|| calendar_notification(calendar, changes, now)))
    }

    fn changes(&mut self, since: u64, until: u64) -> Result<Arc<BTreeMap<SessionId, Change>>, ReadError> {
        if let Some(found) = self.changes.get(&(since, until)) {
            return Ok(Arc::clone(found));
        }
        let mut releases = Vec::new();
        for number in since + 1..=until {
            releases.extend(self.release(number)?);
        }
        let merged = Arc::new(merge_changes(releases.iter().flat_map(|release| &release.changes)));
        self.changes.insert((since, until), Arc::clone(&merged));
        Ok(merged)
    }

    fn release(&mut self, number: u64) -> Result<Option<Arc<ReleaseRecord>>, ReadError> {
        if let Some(found) = self.releases.get(&number) {
            return Ok(found.clone());
        }
        let found = self.publisher.store.release(number)?.map(Arc::new);
        self.releases.insert(number, found.clone());
        Ok(found)
    }
}
