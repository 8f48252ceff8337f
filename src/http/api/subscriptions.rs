//! `/api/v1/agenda/subscriptions`: the devices that are told of changes, and the key with which browsers subscribe.

use super::agenda::{AgendaChange, AgendaRequest};
use super::json;
use crate::feed::Coding;
use crate::http::agendas::Device;
use crate::http::conditional::Validators;
use crate::http::problem::InvalidValue;
use crate::http::reply::{self, Answer, Content, JSON, Representation, no_content};
use crate::http::{EntityTag, Problem};
use crate::publisher::Publisher;
use crate::reach::{Endpoint, are_usable_keys};
use crate::revision::Digest;
use crate::store::{Channel, SubscriptionRecord};
use data_encoding::BASE64URL_NOPAD;
use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json as value};

/// The fields of a subscription, as `PushSubscription.toJSON()` writes them (W3C Push API, 8).
#[derive(Debug, Default)]
pub(in crate::http) struct DeviceFields<'a> {
    pub(in crate::http) endpoint: &'a str,
    pub(in crate::http) p256dh: &'a str,
    pub(in crate::http) auth: &'a str,
    pub(in crate::http) label: &'a str,
}

impl DeviceFields<'_> {
    /// Checks the fields. Messages to browsers are on, or nothing is at this address.
    pub(in crate::http) fn check(&self, publisher: &Publisher) -> Result<Device, Problem> {
        let push = publisher.push().ok_or(Problem::NotFound)?;
        let mut faults = Vec::new();
        let endpoint = Endpoint::parse(self.endpoint, &push.allow_networks);
        if let Err(error) = &endpoint {
            faults.push(InvalidValue::new("endpoint", error.to_string()));
        }
        let decoded = |text: &str| BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok();
        let keys = decoded(self.p256dh).zip(decoded(self.auth));
        let keys = keys.filter(|(p256dh, auth)| are_usable_keys(p256dh, auth));
        if keys.is_none() {
            let problem = "write the keys p256dh and auth that the browser gives, in base64url";
            faults.push(InvalidValue::new("keys", problem));
        }
        match (endpoint, keys) {
            (Ok(endpoint), Some((p256dh, auth))) => {
                Ok(Device { endpoint, p256dh, auth, label: self.label.to_owned() })
            }
            _ => Err(Problem::Values(faults)),
        }
    }
}

/// The key that a browser needs to subscribe. 404 while messages to browsers are off.
pub(in crate::http) fn push_key(publisher: &Publisher, head: &Parts) -> Answer {
    if publisher.push().is_none() {
        return Err(Problem::NotFound);
    }
    let key = publisher.push_key()?.ok_or(Problem::NotFound)?;
    let document = value!({ "key": key.public() }).to_string();
    let representation = Representation {
        media_type: JSON,
        validators: Validators {
            tag: EntityTag::plain(Digest::of(document.as_bytes()).short()),
            modified: None,
        },
        coding: Coding::Identity,
        body: Content::Kept(document.into()),
        fields: Vec::new(),
    };
    representation.answer(head)
}

impl AgendaRequest<'_> {
    pub(in crate::http) async fn subscriptions(self) -> Answer {
        let owned = self.open()?;
        let list: Value = self.agendas.devices(&owned)?.iter().map(device_document).collect();
        Ok(reply::json(StatusCode::OK, &list))
    }

    pub(in crate::http) async fn subscribe(self) -> Answer {
        let AgendaChange { owned, .. } = self.change()?;
        let mut object = json::object(&self.head.headers, &self.body)?;
        let (channel, endpoint, label) =
            (object.text("channel"), object.text("endpoint"), object.text("label"));
        let mut keys = object.object("keys");
        let (p256dh, auth) = (keys.text("p256dh"), keys.text("auth"));
        object.done()?;
        if channel.is_some_and(|channel| channel != Channel::WebPush.as_str()) {
            return Err(Problem::Values(vec![InvalidValue::new("channel", "write \"web-push\"")]));
        }
        let fields = DeviceFields {
            endpoint: endpoint.as_deref().unwrap_or_default(),
            p256dh: p256dh.as_deref().unwrap_or_default(),
            auth: auth.as_deref().unwrap_or_default(),
            label: label.as_deref().unwrap_or_default(),
        };
        let device = fields.check(self.publisher)?;
        let (record, is_new) = self.agendas.subscribe(&owned, device).await?;
        let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
        Ok(reply::json(status, &device_document(&record)))
    }

    pub(in crate::http) async fn unsubscribe(self, id: String) -> Answer {
        let AgendaChange { owned, .. } = self.change()?;
        self.agendas.unsubscribe(&owned, &id).await?;
        Ok(no_content())
    }
}

/// Endpoint and keys are secrets of the device, so only its name is shown.
fn device_document(device: &SubscriptionRecord) -> Value {
    value!({
        "id": device.id,
        "channel": device.channel,
        "label": device.label,
        "created": device.created,
    })
}
