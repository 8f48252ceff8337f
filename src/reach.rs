//! Notifies subscribers of releases and changed agendas, and reminds them of sessions: who gets a message, the deliveries
//! that wait, and the messages.
//!
//! ```text
//! release --announce--> deliveries in the outbox --claim--> message --callboard deliver--> receiver
//!                                ^                                           |
//!                                +---------------- settle -------------------+
//! ```
//!
//! Every channel uses the same outbox. Reach opens no connection: `callboard deliver` claims messages, sends them and
//! reports the results. Invariants: every release is announced once; a delivery leaves the outbox only when it was
//! accepted, given up or replaced by the delivery of a later release, so a crash on either side loses none.

mod agenda_change;
mod announce;
mod mail;
mod mailboxes;
mod outbox;
mod reminders;
mod retry;
mod settle;
mod spool;
mod web_push;
mod webhook;

pub use agenda_change::announce_agenda;
pub use mail::{
    AskError, CONFIRMATION_LASTS, ConfirmationCounts, MAIL_HOST, MAX_MAILBOXES, MailKeys, MailKind, MailLink,
    MailWriter, PlannedMail,
};
pub use mailboxes::{MailboxStep, check_mailboxes};
pub use outbox::{Claimed, Claims, DeliveryCounts, Outbox};
pub use settle::{Outcome, SendResult, Settled};
use web_push::is_reminded_of;
pub use web_push::{
    EncryptionError, Endpoint, EndpointError, MAX_SUBSCRIPTIONS, Notification, PushKey, WebPushError,
    WebPushWriter, are_usable_keys, calendar_notification, merge_changes, notification, reminder,
};
pub use webhook::{WEBHOOK_SIGNATURE, webhook_key, webhook_message};

use crate::store::{CommitError, ReadError};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The outbox could not be read or written. A failed write is repeated later.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store refused a write.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The spool of an earlier version could not be read.
    #[error("the old spool: {0}")]
    Spool(#[from] std::io::Error),
}

/// A request or a mail for `callboard deliver` to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The absolute address, `mailto:` for a mail. May be a secret.
    pub url: String,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// How the sender must sign or restrict the request.
    pub guard: Guard,
}

/// A message with the claim of its delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedMessage {
    /// The delivery's id.
    pub id: String,
    /// The number of the claim.
    pub claim: u32,
    /// The release that the message tells of.
    pub release: u64,
    /// The host that receives it.
    pub host: String,
    /// The message.
    pub message: Message,
}

impl ClaimedMessage {
    /// The result of an attempt to send it.
    pub fn outcome(self, result: SendResult) -> Outcome {
        let Self { id, claim, release, .. } = self;
        Outcome { id, claim, release, result }
    }
}

/// The body of a message. JSON between server and sender stays readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// Text.
    Text(String),
    /// Any bytes, in base64.
    Base64(String),
}

/// What the sender must do beside sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// Sign the body with the secret in this file. The address comes from the config and may be anywhere.
    Sign(PathBuf),
    /// Check every address before it is dialled: a client of the server chose the URL. See [`Endpoint`].
    Stranger,
    /// Give the mail to the relay of the config.
    Relay {
        /// The sender.
        sender: String,
    },
}
