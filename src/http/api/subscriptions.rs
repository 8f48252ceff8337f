//! `/api/v1/agenda/subscriptions`: the devices that are notified of changes, and the key with which browsers subscribe.

use super::agenda::{AgendaChange, AgendaRequest};
use super::json;
use crate::config::{Mail, MailAddress};
use crate::feed::Coding;
use crate::http::agendas::Device;
use crate::http::allowance::Allowed;
use crate::http::conditional::Validators;
use crate::http::problem::InvalidValue;
use crate::http::reply::{self, Answer, Content, JSON, Representation, no_content};
use crate::http::{EntityTag, Problem};
use crate::publisher::Publisher;
use crate::reach::{AskError, Endpoint, MailKeys, are_usable_keys};
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
    pub(in crate::http) reminders: Option<bool>,
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
                let (label, reminders) = (self.label.to_owned(), self.reminders);
                Ok(Device { endpoint, p256dh, auth, label, reminders })
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

/// Asks a mailbox to confirm that it wants the sessions of an agenda. Nothing tells whether the mailbox was asked before.
pub(in crate::http) fn ask_mailbox(
    publisher: &Publisher,
    allowed: Allowed<'_>,
    agenda: Digest,
    address: &str,
) -> Result<(), Problem> {
    let (_, keys) = mail_and_keys(publisher)?;
    let address = MailAddress::parse(address)
        .map_err(|error| Problem::Values(vec![InvalidValue::new("address", error.to_string())]))?;
    allowed.mailbox()?;
    publisher.outbox().ask_mailbox(&keys, agenda, address).map_err(|error| match error {
        AskError::TooMany { wait } => {
            Problem::TooOften { what: "Mails to confirm are asked for", by: "at this conference", wait }
        }
        AskError::Read(error) => error.into(),
    })
}

/// How mails are sent, and the keys of their links. While mails are off, nothing is at an address that needs them.
pub(in crate::http) fn mail_and_keys(publisher: &Publisher) -> Result<(Mail, MailKeys), Problem> {
    let mail = publisher.mail().ok_or(Problem::NotFound)?;
    Ok((mail, publisher.mail_keys()?.ok_or(Problem::NotFound)?))
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
        let reminders = object.flag("reminders");
        let mut keys = object.object("keys");
        let (p256dh, auth) = (keys.text("p256dh"), keys.text("auth"));
        let address = object.text("address");
        object.done()?;
        match channel.as_deref() {
            Some("mail") => {
                let address = address.unwrap_or_default();
                ask_mailbox(self.publisher, self.allowed, owned.key.hash(), &address)?;
                let asked = value!({ "channel": Channel::Mail, "confirmed": false });
                return Ok(reply::json(StatusCode::ACCEPTED, &asked));
            }
            None | Some("web-push") => {}
            Some(_) => {
                let problem = "write \"web-push\" or \"mail\"";
                return Err(Problem::Values(vec![InvalidValue::new("channel", problem)]));
            }
        }
        let fields = DeviceFields {
            endpoint: endpoint.as_deref().unwrap_or_default(),
            p256dh: p256dh.as_deref().unwrap_or_default(),
            auth: auth.as_deref().unwrap_or_default(),
            label: label.as_deref().unwrap_or_default(),
            reminders,
        };
        let device = fields.check(self.publisher)?;
        let (record, is_new) = self.agendas.subscribe(&owned, device, "").await?;
        self.publisher.check_reminders();
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
        "reminders": device.reminders,
        "created": device.created,
    })
}
