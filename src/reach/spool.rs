//! The spool of earlier versions: webhook deliveries as files. The first start moves them into the outbox.

use super::OutboxError;
use super::webhook::webhook_key;
use crate::config::Webhook;
use crate::store::{Channel, DeliveryRecord, Store, Write};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::io;
use std::path::{Path, PathBuf};

/// One file of the spool.
#[derive(Deserialize)]
struct SpooledDelivery {
    webhook: Webhook,
    release: u64,
    attempts: u32,
    due: DateTime<Utc>,
    last_error: Option<String>,
}

/// Moves the spooled deliveries of a data directory into the store and returns their number.
///
/// A file is removed once its delivery is stored. Files that are no deliveries stay and are logged.
pub(super) fn take_over(spool: &Path, store: &Store, now: DateTime<Utc>) -> Result<usize, OutboxError> {
    let (mut writes, mut taken) = (Vec::new(), Vec::new());
    for (directory, is_undelivered) in [(spool.to_owned(), false), (spool.join("undelivered"), true)] {
        for path in json_files(&directory)? {
            let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
            let Ok(spooled) = serde_json::from_slice::<SpooledDelivery>(&std::fs::read(&path)?) else {
                tracing::error!(file = %path.display(), "this file of the old spool is not a delivery and stays");
                continue;
            };
            let (subscription, release) = (webhook_key(&spooled.webhook), spooled.release);
            let host = spooled.webhook.url.host_str().unwrap_or_default().to_owned();
            let record = DeliveryRecord {
                since: release.saturating_sub(1),
                attempts: spooled.attempts,
                due: spooled.due,
                given_up: is_undelivered.then_some(now),
                error: spooled.last_error,
                ..DeliveryRecord::new(Channel::Webhook, subscription, host, release, now)
            };
            // After a crash between commit and removal the delivery is there already.
            if store.delivery(name)?.is_none() {
                writes.push(Write::PutDelivery { id: name.to_owned(), expect: None, record: Some(record) });
            }
            taken.push(path);
        }
    }
    if !writes.is_empty() {
        store.commit_blocking(writes)?;
    }
    for path in &taken {
        std::fs::remove_file(path)?;
    }
    for directory in [spool.join("undelivered"), spool.to_owned()] {
        let _ = std::fs::remove_dir(directory); // fails if a file stays in it
    }
    Ok(taken.len())
}

fn json_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden && path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
