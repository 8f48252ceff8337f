//! Web Push: one encrypted message to one device of an attendee, through the push service of its browser or calendar program
//! (RFC 8030).

mod calendar;
mod encryption;
mod endpoint;
mod notification;
mod push_key;
mod reminder;

pub use calendar::calendar_notification;
pub use encryption::EncryptionError;
pub use endpoint::{Endpoint, EndpointError};
pub(super) use notification::notifies_people;
pub use notification::{Notification, merge_changes, notification};
pub use push_key::PushKey;
pub(super) use reminder::is_reminded_of;
pub use reminder::reminder;

use super::{Body, Guard, Message};
use crate::config::Push;
use crate::store::SubscriptionRecord;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64;
use std::collections::BTreeMap;

/// The most subscriptions of one agenda.
pub const MAX_SUBSCRIPTIONS: usize = 10;

/// How long a push service keeps a message for a device that is offline.
const MAX_TTL: TimeDelta = TimeDelta::hours(24);

/// Why a message could not be composed.
#[derive(Debug, thiserror::Error)]
pub enum WebPushError {
    /// The message could not be encrypted.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
    /// The config no longer allows the address of the subscription.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The request could not be signed.
    #[error("the system gives no random bytes")]
    Random,
}

/// Composes messages to devices. Messages to one push service share a token.
#[derive(Debug)]
pub struct WebPushWriter<'a> {
    push: &'a Push,
    key: PushKey,
    now: DateTime<Utc>,
    tokens: BTreeMap<String, String>,
}

impl<'a> WebPushWriter<'a> {
    /// A writer of messages that are sent soon after `now`.
    pub fn new(push: &'a Push, key: PushKey, now: DateTime<Utc>) -> Self {
        Self { push, key, now, tokens: BTreeMap::new() }
    }

    /// The request that delivers a notification to a device.
    ///
    /// # Errors
    /// [`WebPushError`].
    pub fn message(
        &mut self,
        device: &SubscriptionRecord,
        notification: &Notification,
    ) -> Result<Message, WebPushError> {
        let endpoint = Endpoint::parse(&device.endpoint, &self.push.allow_networks)?;
        let body = encryption::encrypt(&device.p256dh, &device.auth, notification.text.as_bytes())?;
        let ttl = (notification.until - self.now).clamp(TimeDelta::seconds(1), MAX_TTL).num_seconds();
        let urgency = if notification.is_urgent { "high" } else { "normal" };
        let authorization = self.authorization(endpoint.origin())?;
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Ok(Message {
            url: endpoint.as_str().to_owned(),
            headers: vec![
                header("content-type", notification.media_type),
                header("content-encoding", "aes128gcm"),
                header("ttl", &ttl.to_string()),
                header("topic", &notification.topic),
                header("urgency", urgency),
                header("authorization", &authorization),
            ],
            body: Body::Base64(BASE64.encode(&body)),
            guard: Guard::Stranger,
        })
    }

    fn authorization(&mut self, origin: String) -> Result<String, WebPushError> {
        if let Some(token) = self.tokens.get(&origin) {
            return Ok(token.clone());
        }
        let token = self.key.authorization(&origin, &self.push.contact, self.now);
        let token = token.map_err(|_| WebPushError::Random)?;
        self.tokens.insert(origin, token.clone());
        Ok(token)
    }
}

/// Whether messages can be encrypted with the keys of a device (RFC 8291, 3.1 and 3.2): a point of the curve, and 16
/// random bytes.
pub fn are_usable_keys(p256dh: &[u8], auth: &[u8]) -> bool {
    auth.len() == 16 && encryption::encrypt(p256dh, auth, b"").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Channel;
    use encryption::tests::Device;

    #[test]
    fn a_message_is_encrypted_for_its_device_and_says_how_long_it_matters() {
        let now = DateTime::from_timestamp(1_742_900_000, 0).unwrap();
        let push = Push { contact: "mailto:desk@conf.example.org".into(), allow_networks: Vec::new() };
        let key = PushKey::parse(&PushKey::generate().unwrap()).unwrap();
        let device = Device::new();
        let record = SubscriptionRecord {
            id: "x".into(),
            channel: Channel::WebPush,
            endpoint: "https://push.example.org/send/1".into(),
            p256dh: device.p256dh.clone(),
            auth: device.auth.clone(),
            label: String::new(),
            reminders: false,
            created: now,
            calendar: None,
            mail: None,
        };
        let notification = Notification {
            text: "{}".into(),
            media_type: "application/octet-stream",
            topic: "t".repeat(32),
            is_urgent: true,
            until: now + TimeDelta::hours(2),
        };
        let mut writer = WebPushWriter::new(&push, key, now);
        let message = writer.message(&record, &notification).unwrap();
        let header = |name: &str| {
            message.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap()
        };
        assert_eq!((header("ttl"), header("urgency"), header("topic").len()), ("7200", "high", 32));
        assert_eq!((header("content-encoding"), &message.guard), ("aes128gcm", &Guard::Stranger));
        let Body::Base64(body) = &message.body else { panic!("text") };
        assert_eq!(device.decrypt(&BASE64.decode(body.as_bytes()).unwrap()).unwrap(), b"{}");
        let again = writer.message(&record, &notification).unwrap();
        assert_ne!(again.body, message.body, "each message has its own keys");
        assert_eq!(again.headers, message.headers, "the token is used again");
        let late = Notification { until: now + TimeDelta::days(9), ..notification.clone() };
        assert!(writer.message(&record, &late).unwrap().headers.contains(&("ttl".into(), "86400".into())));
        let plain = SubscriptionRecord { endpoint: "http://push.example.org/".into(), ..record };
        assert!(matches!(writer.message(&plain, &notification), Err(WebPushError::Endpoint(_))));
    }
}
