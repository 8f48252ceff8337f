//! What follows a release: announcing it to subscribers, and composing the messages that are sent.

use super::{Publisher, PublisherTask};
use crate::reach::{
    ClaimedMessage, Claims, DeliveryCounts, Message, Outbox, OutboxError, Outcome, SendResult, webhook_key,
    webhook_message,
};
use crate::store::{
    AnnouncedReleases, Channel, DeliveryRecord, NamedRecord, ReadError, ReleaseRecord, Store, Write,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The directory in which earlier versions kept deliveries.
pub fn spool_directory(data: &Path) -> PathBuf {
    data.join("spool")
}

/// The write that makes announcements begin after `release`: a webhook that the config adds later gets no past
/// releases. None if the store needs no change.
///
/// # Errors
/// If the record is damaged. Without webhooks the damage does not matter, and the record is replaced.
pub(super) fn first_release_write(
    store: &Store,
    has_webhooks: bool,
    release: u64,
) -> Result<Option<Write>, ReadError> {
    let first = NamedRecord::Announced(AnnouncedReleases { release, after: None });
    Ok(match store.announced() {
        Ok(None) => Some(first.into()),
        Err(ReadError::Damaged { .. }) if !has_webhooks => Some(first.into()),
        found => found.map(|_| None)?,
    })
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

    /// Announces every release that was not announced yet: the one just published, and earlier ones whose announcement
    /// a crash or a full disk prevented.
    ///
    /// A failure does not undo the release, which is live already.
    pub async fn announce_releases(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let announce = move || this.outbox.announce(&this.settings.load().webhooks, this.current().number());
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
        let mut composer = Composer { publisher: self, releases: HashMap::new() };
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
    releases: HashMap<u64, Option<Arc<ReleaseRecord>>>,
}

impl Composer<'_> {
    /// The message of a delivery; none if nobody waits for it any more.
    fn compose(&mut self, id: &str, delivery: &DeliveryRecord) -> Result<Option<Message>, ReadError> {
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
            Channel::WebPush => Ok(None),
        }
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
