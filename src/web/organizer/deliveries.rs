//! The desk's sections about deliveries: the messages that wait, and how those about each release fared.

use crate::web::site::Site;
use chrono::{DateTime, Utc};

/// The deliveries of one channel that wait or were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxStatus {
    /// The channel.
    pub channel: MessageChannel,
    /// Deliveries that wait.
    pub waiting: usize,
    /// Deliveries that were given up.
    pub failed: usize,
    /// When the oldest delivery that waits was queued.
    pub oldest: Option<DateTime<Utc>>,
}

/// The receivers of messages about releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageChannel {
    /// Webhooks.
    Webhook,
    /// Browsers, by push messages.
    Browser,
    /// Calendar programs, by push messages.
    CalendarProgram,
    /// Mailboxes, by invitations.
    Mailbox,
}

/// How the messages about one release through one channel fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReachRow {
    /// The release's number.
    pub release: u64,
    /// The channel.
    pub channel: MessageChannel,
    /// Messages that count: all but those that a later release replaced and those to ended subscriptions.
    pub sent: u64,
    /// Accepted messages.
    pub delivered: u64,
    /// Messages that were given up.
    pub failed: u64,
    /// Messages that wait or are being sent.
    pub waiting: u64,
    /// The seconds after which 50, 95 and 100 percent were accepted; none while fewer are.
    pub seconds: [Option<u32>; 3],
}

/// A row of the table of releases and channels.
pub(super) struct ReachLine<'a> {
    pub(super) row: &'a ReachRow,
    pub(super) channel: &'static str,
    pub(super) times: String,
}

impl<'a> ReachLine<'a> {
    pub(super) fn of(site: &Site<'_>, row: &'a ReachRow) -> Self {
        Self { row, channel: channel_name(site, row.channel), times: times(row) }
    }
}

fn channel_name(site: &Site<'_>, channel: MessageChannel) -> &'static str {
    match channel {
        MessageChannel::Webhook => site.words.outbox_webhook,
        MessageChannel::Browser => site.words.outbox_push,
        MessageChannel::CalendarProgram => site.words.outbox_calendars,
        MessageChannel::Mailbox => site.words.outbox_mail,
    }
}

/// The times of a row, such as `3 s · 12 s · –`. The units are the same in every language.
fn times(row: &ReachRow) -> String {
    let time = |seconds: &Option<u32>| match *seconds {
        None => "–".to_owned(),
        Some(seconds) if seconds < 120 => format!("{seconds} s"),
        Some(seconds) if seconds < 7_200 => format!("{} min", seconds.div_ceil(60)),
        Some(seconds) => format!("{} h", seconds.div_ceil(3_600)),
    };
    row.seconds.iter().map(time).collect::<Vec<_>>().join(" · ")
}

/// The label and the text of a channel in the outbox.
pub(super) fn outbox_line(site: &Site<'_>, outbox: &OutboxStatus) -> (&'static str, String) {
    let words = site.words;
    let label = channel_name(site, outbox.channel);
    let mut line = words.outbox_waiting(outbox.waiting);
    if let Some(at) = outbox.oldest {
        line = format!("{line} {}", words.outbox_oldest(&site.when.full(at)));
    }
    if outbox.failed > 0 {
        line = format!("{line} {}", words.outbox_failed(outbox.failed));
    }
    (label, line)
}
