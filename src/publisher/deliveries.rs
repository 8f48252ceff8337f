//! What follows a release: announcing it to subscribers, and composing the messages that are sent.

use super::{Publisher, PublisherTask};
use crate::config::{Push, Webhook};
use crate::program::{Change, SessionId};
use crate::reach::{
    ClaimedMessage, Claims, DeliveryCounts, Message, Notification, Outbox, OutboxError, Outcome, PushKey,
    SendResult, WebPushError, WebPushWriter, calendar_notification, merge_changes, notification, webhook_key,
    webhook_message,
};
use crate::release::Release;
use crate::revision::Digest;
use crate::store::{
    AnnouncedReleases, CalendarSource, Channel, DeliveryRecord, NamedRecord, PushKeyBytes, ReadError,
    ReleaseRecord, Store, SubscriptionRecord, Write,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory in which earlier versions kept deliveries.
pub fn spool_directory(data: &Path) -> PathBuf {
    data.join("spool")
}

/// The writes that deliveries need before the first one. Announcements begin after `release`: a receiver that the config
/// adds later gets no past releases. And devices subscribe with the push key, so it is made before them.
///
/// # Errors
/// If the record of the announced releases is damaged. While nobody is told of releases the damage does not matter, and
/// the record is replaced.
pub(super) fn first_writes(
    store: &Store,
    webhooks: &[Webhook],
    push: Option<&Push>,
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
    let first = NamedRecord::Announced(AnnouncedReleases { release, after: None });
    match store.announced() {
        Ok(None) => notes.push(first),
        Err(ReadError::Damaged { .. }) if webhooks.is_empty() && push.is_none() => notes.push(first),
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

    /// Announces every release that was not announced yet: the one just published, and earlier ones whose announcement
    /// a crash or a full disk prevented.
    ///
    /// A failure does not undo the release, which is live already.
    pub async fn announce_releases(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let announce = move || this.outbox.announce(&this.settings.load().webhooks, &this.current());
        match tokio::task::spawn_blocking(announce).await {
            Ok(Ok(())) => self.state().set_fault(PublisherTask::Deliveries, None),
            Err(_) => {} // the server is stopping
            Ok(Err(OutboxError::Read(error))) => {
                self.state().set_fault(PublisherTask::Deliveries, Some(&error));
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "subscribers could not be told of a release; the next release or start retries");
            }
        }
    }

    /// Claims deliveries that are due and composes their messages. Blocks on the store.
    ///
    /// # Errors
    /// [`OutboxError`]; then nothing is claimed.
    pub fn claim_messages(&self, limit: usize, busy: &[String]) -> Result<ClaimedMessages, OutboxError> {
        let Claims { claimed, next } = self.outbox.claim(limit, busy)?;
        let push = self.push();
        let mut composer = Composer {
            publisher: self,
            live: self.current(),
            releases: HashMap::new(),
            changes: HashMap::new(),
            push: push.as_ref(),
            writer: None,
        };
        let (mut messages, mut moot) = (Vec::new(), Vec::new());
        for delivery in claimed {
            let (id, claim, release) = (delivery.id, delivery.record.claims, delivery.record.release);
            match composer.compose(&id, &delivery.record) {
                Ok(Some(message)) => {
                    let host = delivery.record.host;
                    messages.push(ClaimedMessage { id, claim, release, host, message });
                }
                Ok(None) => moot.push(Outcome { id, claim, release, result: SendResult::Moot }),
                Err(error) => {
                    tracing::error!(%error, id, "the message of a delivery could not be composed");
                    let error = error.to_string();
                    moot.push(Outcome { id, claim, release, result: SendResult::Failed { error } });
                }
            }
        }
        if !moot.is_empty() {
            self.outbox.settle(&moot)?;
        }
        Ok(ClaimedMessages { messages, next })
    }
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
        }
    }

    /// The message to a device. None if messages are off, the device is gone, or there is nothing to tell it in the end.
    fn push(&mut self, delivery: &DeliveryRecord) -> Result<Option<Message>, ComposeError> {
        let Self { publisher, push: Some(push), .. } = *self else { return Ok(None) };
        let (store, now) = (&publisher.store, publisher.clock.now());
        let Some(key) = delivery.subscriptions_key() else { return Ok(None) };
        let devices = store.subscriptions(&key)?.unwrap_or_default().list;
        let Some(device) = devices.iter().find(|device| device.id == delivery.subscription) else {
            return Ok(None);
        };
        let changes = self.changes(delivery.since, delivery.release)?;
        let Some(notification) = self.notification(&key, device, &changes, now)? else { return Ok(None) };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let key = publisher.push_key()?.ok_or(ComposeError::NoPushKey)?;
                none.insert(WebPushWriter::new(push, key, now))
            }
        };
        Ok(Some(writer.message(device, &notification)?))
    }

    /// What a device is told; none if its agenda or link is gone, its subscription has expired, or nothing that the agenda
    /// holds has changed in the end.
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
