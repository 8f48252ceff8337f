//! The outbox: webhook deliveries that the server writes after a release and `callboard deliver` sends.
//!
//! The outbox is the directory `spool` with one JSON file for each delivery; a file appears whole or not at all.
//! `deliver` signs body and timestamp when it sends, so a leaked outbox cannot be replayed with a fresh timestamp.
//! Every release is enqueued once: the store holds the number of the last enqueued release.

use super::{ChangeDescription, Publisher, PublisherTask, describe_changes};
use crate::config::Webhook;
use crate::store::{NamedRecord, ReadError, RecordName, ReleaseRecord, Store, Write};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder of deliveries that failed too often.
pub const UNDELIVERED: &str = "undelivered";

/// One message to one webhook, in the form of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The webhook's address and the file of its secret.
    pub webhook: Webhook,
    /// The announced release.
    pub release: u64,
    /// The body, byte for byte as it is signed and sent.
    pub body: String,
    /// Failed attempts.
    pub attempts: u32,
    /// The earliest time of the next attempt. The first attempt does not wait.
    pub due: DateTime<Utc>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

#[derive(Serialize)]
struct DeliveryBody<'a> {
    conference: &'a str,
    release: u64,
    published: DateTime<Utc>,
    changes: Vec<ChangeDescription>,
    url: String,
}

/// The outbox in a data directory.
pub fn outbox_directory(data: &Path) -> PathBuf {
    data.join("spool")
}

/// The number of deliveries in an outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxCount {
    /// Deliveries that wait for `callboard deliver`.
    pub waiting: usize,
    /// Deliveries that failed too often.
    pub undelivered: usize,
}

/// Counts the deliveries of an outbox, which may not exist.
fn count(outbox: &Path) -> io::Result<OutboxCount> {
    let files = |directory: &Path| match std::fs::read_dir(directory) {
        Ok(entries) => {
            let mut files = 0;
            for entry in entries {
                let name = entry?.file_name();
                let name = name.to_string_lossy();
                files += usize::from(!name.starts_with('.') && name.ends_with(".json"));
            }
            Ok(files)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    };
    Ok(OutboxCount { waiting: files(outbox)?, undelivered: files(&outbox.join(UNDELIVERED))? })
}

/// Writes the deliveries of a release, one for each webhook.
///
/// # Errors
/// If a file cannot be written.
pub fn enqueue(outbox: &Path, webhooks: &[Webhook], release: &ReleaseRecord) -> io::Result<()> {
    let body = body(release)?;
    for (place, webhook) in webhooks.iter().enumerate() {
        let delivery = Delivery {
            webhook: webhook.clone(),
            release: release.number,
            body: body.clone(),
            attempts: 0,
            due: release.published,
            last_error: None,
        };
        write_delivery(outbox, &format!("{:010}-{place}.json", release.number), &delivery)?;
    }
    Ok(())
}

fn body(release: &ReleaseRecord) -> io::Result<String> {
    let conference = &release.conference;
    let body = DeliveryBody {
        conference: conference.slug.as_str(),
        release: release.number,
        published: release.published,
        changes: describe_changes(&release.changes, conference.zone),
        url: conference.link("/changes"),
    };
    Ok(serde_json::to_string(&body)?)
}

/// Rewrites the deliveries of a release after an erasure, undelivered ones included, so that none holds the erased
/// text. A delivery that `deliver` is sending meanwhile may be sent twice, under the same delivery name.
///
/// # Errors
/// If a file cannot be read or written.
pub(super) fn rewrite(outbox: &Path, release: &ReleaseRecord) -> io::Result<()> {
    let prefix = format!("{:010}-", release.number);
    let body = body(release)?;
    for directory in [outbox.to_owned(), outbox.join(UNDELIVERED)] {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        for name in names.filter(|name| name.starts_with(&prefix) && name.ends_with(".json")) {
            // A file that was sent meanwhile, or that is not a delivery, needs no rewrite.
            let Ok(bytes) = std::fs::read(directory.join(&name)) else { continue };
            let Ok(delivery) = serde_json::from_slice::<Delivery>(&bytes) else { continue };
            if delivery.body != body {
                write_delivery(&directory, &name, &Delivery { body: body.clone(), ..delivery })?;
            }
        }
    }
    Ok(())
}

/// Writes a delivery under its name, whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write_delivery(directory: &Path, name: &str, delivery: &Delivery) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let temporary = directory.join(format!(".{name}.part"));
    let mut file = std::fs::File::create(&temporary)?;
    io::Write::write_all(&mut file, &serde_json::to_vec(delivery)?)?;
    file.sync_all()?;
    std::fs::rename(&temporary, directory.join(name))
}

/// The write that makes deliveries begin after `release`: a webhook that the config adds later gets no past releases.
/// None if the store needs no change.
///
/// # Errors
/// If the record is damaged. Without webhooks the damage does not matter, and the record is dropped.
pub(super) fn first_release_write(
    store: &Store,
    has_webhooks: bool,
    release: u64,
) -> Result<Option<Write>, ReadError> {
    Ok(match (has_webhooks, store.spooled_release()) {
        (false, Ok(Some(_)) | Err(ReadError::Damaged { .. })) => {
            Some(Write::DropNamed(RecordName::SpooledRelease))
        }
        (true, Ok(None)) => Some(NamedRecord::SpooledRelease(release).into()),
        (_, found) => found.map(|_| None)?,
    })
}

impl Publisher {
    /// The number of deliveries in the outbox.
    ///
    /// # Errors
    /// If the outbox cannot be read.
    pub fn count_deliveries(&self) -> io::Result<OutboxCount> {
        count(&self.outbox)
    }

    /// Enqueues the deliveries of every release that has none yet: the one just published, and earlier ones whose
    /// deliveries a crash or a full disk prevented.
    ///
    /// A failure does not undo the release, which is live already.
    pub async fn enqueue_missing_deliveries(self: &Arc<Self>) {
        if self.settings.load().webhooks.is_empty() {
            return;
        }
        let this = Arc::clone(self);
        match tokio::task::spawn_blocking(move || this.enqueue_missing()).await {
            Ok(Ok(())) => self.state().set_fault(PublisherTask::Webhooks, None),
            Err(_) => {} // the server is stopping
            Ok(Err(EnqueueError::Read(error))) => {
                self.state().set_fault(PublisherTask::Webhooks, Some(&error));
            }
            Ok(Err(error)) => {
                let outbox = self.outbox.display();
                tracing::error!(%error, %outbox, "webhook deliveries could not be enqueued; the next release or start retries");
            }
        }
    }

    fn enqueue_missing(&self) -> Result<(), EnqueueError> {
        let live = self.current().number();
        let last = self.store.spooled_release()?.unwrap_or(live);
        for number in last + 1..=live {
            if let Some(record) = self.store.release(number)? {
                enqueue(&self.outbox, &self.settings.load().webhooks, &record)?;
                self.store.commit_blocking(vec![NamedRecord::SpooledRelease(number).into()])?;
            }
        }
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum EnqueueError {
    #[error("{0}")]
    Disk(#[from] io::Error),
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("{0}")]
    Commit(#[from] crate::store::CommitError),
}
