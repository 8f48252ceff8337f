//! Webhooks: the body that describes a release, and its headers.

use super::{Body, Guard, Message};
use crate::config::Webhook;
use crate::program::{ChangeDescription, describe_changes};
use crate::revision::Digest;
use crate::store::{Origin, ReleaseRecord};
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use serde::Serialize;

/// The header with the signature. `callboard deliver` adds it and `callboard-timestamp` when it sends, so that a copy
/// of the outbox cannot be replayed with a fresh timestamp.
pub const WEBHOOK_SIGNATURE: &str = "callboard-signature";

#[derive(Serialize)]
struct WebhookBody<'a> {
    conference: &'a str,
    release: u64,
    published: DateTime<Utc>,
    changes: Vec<ChangeDescription>,
    url: String,
}

/// A webhook's name in the outbox. It changes with address and secret file, and reveals neither.
pub fn webhook_key(webhook: &Webhook) -> String {
    let text = format!("{}\n{}", webhook.url, webhook.secret_file.display());
    let Digest(digest) = Digest::of(text.as_bytes());
    HEXLOWER.encode(digest.get(..8).unwrap_or_default())
}

/// The message of a release. `name` is the same for every attempt, so that a receiver can ignore duplicates.
pub fn webhook_message(webhook: &Webhook, name: &str, release: &ReleaseRecord) -> Message {
    let conference = &release.conference;
    // In the first release every session is new, so no change is listed.
    let is_first = release.origin == Origin::First;
    let changes = if is_first { Vec::new() } else { describe_changes(&release.changes, conference.zone) };
    let body = WebhookBody {
        conference: conference.slug.as_str(),
        release: release.number,
        published: release.published,
        changes,
        url: conference.link("/changes"),
    };
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Message {
        url: webhook.url.to_string(),
        headers: vec![
            header("content-type", "application/json"),
            header("callboard-release", &release.number.to_string()),
            header("callboard-delivery", name),
        ],
        // Strings and numbers always have a JSON form.
        body: Body::Text(serde_json::to_string(&body).unwrap_or_default()),
        guard: Guard::Sign(webhook.secret_file.clone()),
    }
}
