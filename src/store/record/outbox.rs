//! Subscriptions, deliveries and their counts.
//!
//! Deliveries hold no text: the message is composed from the releases when it is sent, so an erased text is in no
//! waiting delivery. A subscription holds the address at which a push service accepts messages for one device. Whoever
//! knows the address and the keys can send to the device, so they never reach a log.

use super::mail::MailRecord;
use crate::revision::Digest;
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// How a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// A signed POST to an address of the config.
    Webhook,
    /// An encrypted message to a browser, through its push service (RFC 8030).
    WebPush,
    /// An encrypted message to a calendar program, through its push service (WebDAV-Push).
    DavPush,
    /// A calendar invitation by mail (iMIP, RFC 6047).
    Mail,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::Webhook, Self::WebPush, Self::DavPush, Self::Mail];

    /// The channel's name in metrics and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::WebPush => "web-push",
            Self::DavPush => "dav-push",
            Self::Mail => "mail",
        }
    }
}

/// The version of a record, whatever else it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Version {
    /// Rises with every change. Compare-and-set uses it.
    pub version: u64,
}

/// The subscriptions of one agenda, stored under the SHA-256 of its edit key; or a share of the subscriptions to public
/// calendars, stored under [`Self::public_key`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SubscriptionsRecord {
    /// The record's version.
    #[serde(flatten)]
    pub version: Version,
    /// The subscriptions, the oldest first.
    pub list: Vec<SubscriptionRecord>,
}

impl SubscriptionsRecord {
    /// The key of the record with a subscription to a public calendar, by the subscription's id. There are 256 such
    /// records, so that a change of one subscription rewrites few others.
    pub fn public_key(id: &str) -> Digest {
        Digest::of_parts([&b"public calendars"[..], id.as_bytes().get(..2).unwrap_or_default()])
    }

    /// Whether all subscriptions are to public calendars, which no agenda erases.
    pub(in crate::store) fn is_public(&self) -> bool {
        let is_public = |one: &SubscriptionRecord| {
            matches!(one.calendar, Some(FollowedCalendar { source: CalendarSource::Feed(_), .. }))
        };
        self.list.iter().all(is_public)
    }
}

/// A device or mailbox that receives messages about one agenda or calendar.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionRecord {
    /// The subscription's id, in hexadecimal: the beginning of the SHA-256 of its endpoint, or random for a mailbox.
    pub id: String,
    /// How messages are sent.
    pub channel: Channel,
    /// The address at the push service; empty for a mailbox.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub endpoint: String,
    /// The device's public key (RFC 8291), uncompressed; empty for a mailbox.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "base64url")]
    pub p256dh: Vec<u8>,
    /// The device's authentication secret (RFC 8291); empty for a mailbox.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "base64url")]
    pub auth: Vec<u8>,
    /// The device's name, such as "Firefox on Android".
    pub label: String,
    /// The calendar that a calendar program follows; none for a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<FollowedCalendar>,
    /// Whether a browser is also reminded of sessions before they start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reminders: bool,
    /// The mailbox and its invitations; none for a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailRecord>,
    /// When the device subscribed.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub created: DateTime<Utc>,
}

impl SubscriptionRecord {
    /// Whether the subscription has ended because the calendar program did not renew it.
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.calendar.as_ref().is_some_and(|calendar| calendar.expires <= now)
    }
}

/// A CalDAV calendar that a calendar program follows (WebDAV-Push).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowedCalendar {
    /// What the calendar shows.
    pub source: CalendarSource,
    /// The calendar's name in messages.
    pub topic: String,
    /// When the subscription ends unless it is renewed.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub expires: DateTime<Utc>,
}

/// What a CalDAV calendar shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalendarSource {
    /// A public feed, by its path.
    Feed(String),
    /// The agenda of a read link, by the SHA-256 of the link's token.
    Link(Digest),
}

impl fmt::Debug for SubscriptionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionRecord").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A release.
    #[default]
    Release,
    /// The picks or the name of an agenda changed, which calendar programs are notified of.
    Agenda,
    /// Sessions start soon.
    Reminder {
        /// When they start.
        #[serde(with = "chrono::serde::ts_seconds")]
        start: DateTime<Utc>,
    },
}

impl Cause {
    /// Whether the message belongs to the counts of a release.
    pub fn is_release(&self) -> bool {
        *self == Self::Release
    }
}

/// One message that waits in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRecord {
    /// The record's version.
    #[serde(flatten)]
    pub version: Version,
    /// How the message is sent.
    pub channel: Channel,
    /// Why the message is sent.
    #[serde(default, skip_serializing_if = "Cause::is_release")]
    pub cause: Cause,
    /// The id of the subscription or webhook.
    pub subscription: String,
    /// The key of the record with the subscription, in hexadecimal. For an agenda this is the SHA-256 of its edit key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agenda: Option<String>,
    /// The host that receives the message.
    pub host: String,
    /// The last release that the receiver knows.
    pub since: u64,
    /// The release that the message is about. For a change of an agenda, the version of the agenda; 0 for
    /// a mailbox.
    pub release: u64,
    /// When the oldest release of the message was published, or when the message was queued for another cause.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub queued: DateTime<Utc>,
    /// Failed attempts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// Attempts whose sender was killed, so that nobody knows whether the message arrived.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub interrupted: u32,
    /// The earliest time of the next attempt.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub due: DateTime<Utc>,
    /// How often the delivery was claimed. A result counts only for the last claim.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub claims: u32,
    /// Until when a sender has claimed the delivery.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "chrono::serde::ts_seconds_option")]
    pub lease: Option<DateTime<Utc>>,
    /// When the delivery was given up.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "chrono::serde::ts_seconds_option")]
    pub given_up: Option<DateTime<Utc>>,
    /// Whether something to tell was added while a sender had the delivery.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_more: bool,
    /// Mails that the relay accepted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub mails: u32,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl DeliveryRecord {
    /// A delivery of a release that is due at once and was not tried yet.
    pub fn new(
        channel: Channel,
        subscription: String,
        host: String,
        release: u64,
        queued: DateTime<Utc>,
    ) -> Self {
        Self {
            version: Version { version: 1 },
            channel,
            cause: Cause::Release,
            subscription,
            agenda: None,
            host,
            since: release,
            release,
            queued,
            attempts: 0,
            interrupted: 0,
            due: queued,
            claims: 0,
            lease: None,
            given_up: None,
            has_more: false,
            mails: 0,
            error: None,
        }
    }

    /// The key of the record with the subscription; none for a webhook.
    pub fn subscriptions_key(&self) -> Option<Digest> {
        HEXLOWER.decode(self.agenda.as_deref()?.as_bytes()).ok()?.try_into().ok().map(Digest)
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The delivery counts of one release.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReachRecord {
    /// The record's version.
    #[serde(flatten)]
    pub version: Version,
    /// The counts of each channel.
    pub channels: BTreeMap<Channel, ReachTally>,
}

/// The deliveries of one release through one channel. What is not counted as done still waits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReachTally {
    /// Deliveries that were queued.
    pub queued: u64,
    /// Deliveries that the receiver accepted.
    pub delivered: u64,
    /// Deliveries that were given up.
    pub failed: u64,
    /// Deliveries that became part of a later release's delivery, or whose subscription ended.
    pub dropped: u64,
    /// The number of accepted deliveries by the seconds that they took since the release.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seconds: BTreeMap<u32, u64>,
}

impl ReachTally {
    /// Deliveries that still count for this release.
    pub fn sent(&self) -> u64 {
        self.queued.saturating_sub(self.dropped)
    }

    /// Deliveries that wait or are being sent.
    pub fn waiting(&self) -> u64 {
        self.sent().saturating_sub(self.delivered).saturating_sub(self.failed)
    }

    /// The seconds after which a share of the deliveries, in percent, was accepted; none while fewer are.
    pub fn seconds_to(&self, percent: u64) -> Option<u32> {
        let wanted = (self.sent().saturating_mul(percent)).div_ceil(100).max(1);
        let mut accepted = 0;
        self.seconds.iter().find_map(|(seconds, count)| {
            accepted += count;
            (accepted >= wanted).then_some(*seconds)
        })
    }
}

macro_rules! has_version {
    ($($record:ty),*) => {
        $(impl AsRef<Version> for $record {
            fn as_ref(&self) -> &Version {
                &self.version
            }
        })*
    };
}

has_version!(SubscriptionsRecord, DeliveryRecord, ReachRecord);

mod base64url {
    use data_encoding::BASE64URL_NOPAD;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64URL_NOPAD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64URL_NOPAD.decode(text.as_bytes()).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_reached_when_that_many_of_all_deliveries_were_accepted() {
        let seconds = [(1, 50), (3, 45), (9, 4)].into();
        let tally = ReachTally { queued: 110, delivered: 99, failed: 0, dropped: 10, seconds };
        assert_eq!((tally.sent(), tally.waiting()), (100, 1));
        assert_eq!(
            [1, 50, 51, 95, 96, 99, 100].map(|percent| tally.seconds_to(percent)),
            [Some(1), Some(1), Some(3), Some(3), Some(9), Some(9), None]
        );
        assert_eq!(ReachTally::default().seconds_to(100), None);
        let gone = ReachTally { queued: 1, dropped: 3, ..ReachTally::default() };
        assert_eq!((gone.sent(), gone.waiting()), (0, 0));
    }
}
