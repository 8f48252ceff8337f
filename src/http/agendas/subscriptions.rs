//! The devices that receive messages about an agenda or a public calendar.
//!
//! Calendar programs have a limit of their own for each agenda: a friend with a read link cannot take the places of the
//! owner's devices.

use super::owner::{Agendas, Owned};
use super::{AgendaError, checked_name};
use crate::agenda::ReadToken;
use crate::http::Problem;
use crate::reach::{Endpoint, MAX_SUBSCRIPTIONS};
use crate::revision::Digest;
use crate::store::{
    CalendarSource, Channel, CommitError, FollowedCalendar, LinkTarget, ReadError, SubscriptionRecord,
    SubscriptionsRecord, Version, Write,
};

/// How often a change is tried. Each conflict means that another change succeeded.
const ATTEMPTS: usize = 16;

/// The most subscriptions to public calendars in one record of the store: 16,384 in all.
const MAX_PUBLIC: usize = 64;

/// A device that subscribes.
#[derive(Debug)]
pub struct Device {
    /// Where messages go.
    pub endpoint: Endpoint,
    /// The device's public key.
    pub p256dh: Vec<u8>,
    /// The device's authentication secret.
    pub auth: Vec<u8>,
    /// The device's name; may be empty.
    pub label: String,
    /// Whether the device is reminded of sessions; none leaves it as it is.
    pub reminders: Option<bool>,
}

impl Agendas {
    /// The devices of an agenda, the oldest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn devices(&self, owned: &Owned) -> Result<Vec<SubscriptionRecord>, ReadError> {
        Ok(self.store.subscriptions(&owned.key.hash())?.unwrap_or_default().list)
    }

    /// Subscribes a device. Returns its record, and whether it is new. A device that is known gets new keys. `replaces` is
    /// the id of the device's former subscription, if its push service gave it another address; else it is empty.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn subscribe(
        &self,
        owned: &Owned,
        device: Device,
        replaces: &str,
    ) -> Result<(SubscriptionRecord, bool), AgendaError> {
        let label = checked_name("label", &device.label)?;
        let record = SubscriptionRecord {
            id: device.endpoint.id(),
            channel: Channel::WebPush,
            endpoint: device.endpoint.as_str().to_owned(),
            p256dh: device.p256dh,
            auth: device.auth,
            label,
            reminders: device.reminders.unwrap_or_default(),
            created: self.clock.now(),
            calendar: None,
            mail: None,
        };
        self.change_agenda_devices(owned, |list| {
            let former = list.iter().position(|known| known.id == replaces && known.id != record.id);
            let former = former.map(|place| list.remove(place));
            let known = list.iter().find(|known| known.id == record.id).or(former.as_ref());
            let reminders = device.reminders.or(known.map(|known| known.reminders)).unwrap_or_default();
            let record = SubscriptionRecord { reminders, ..record.clone() };
            if let Some((updated, has_changed)) = update(list, &record) {
                return Ok((updated, has_changed || former.is_some()));
            }
            if list.iter().filter(|known| known.channel == Channel::WebPush).count() >= MAX_SUBSCRIPTIONS {
                return Err(AgendaError::TooManyDevices);
            }
            list.push(record.clone());
            Ok(((record, true), true))
        })
        .await
    }

    /// Subscribes a calendar program to a calendar. `charge` may refuse a subscription that is new. Returns the
    /// subscription's id. A program that is known gets new keys and a later end.
    ///
    /// # Errors
    /// [`Problem`].
    pub(in crate::http) async fn follow(
        &self,
        device: Device,
        calendar: FollowedCalendar,
        charge: impl Fn() -> Result<(), Problem>,
    ) -> Result<String, Problem> {
        let now = self.clock.now();
        let id = device.endpoint.calendar_id(&calendar.topic);
        let key = self.key_of(&calendar.source, &id)?;
        let most = match calendar.source {
            CalendarSource::Feed(_) => MAX_PUBLIC,
            CalendarSource::Link(_) => MAX_SUBSCRIPTIONS,
        };
        let record = SubscriptionRecord {
            id: id.clone(),
            channel: Channel::DavPush,
            endpoint: device.endpoint.as_str().to_owned(),
            p256dh: device.p256dh,
            auth: device.auth,
            label: checked_name("label", &device.label)?,
            reminders: false,
            created: now,
            calendar: Some(calendar),
            mail: None,
        };
        let known = self.store.subscriptions(&key)?.unwrap_or_default().list;
        if !known.iter().any(|known| known.id == id && !known.is_expired(now)) {
            charge()?;
        }
        self.change_devices(key, |list| {
            list.retain(|known| !known.is_expired(now));
            if let Some((_, has_changed)) = update(list, &record) {
                return Ok(((), has_changed));
            }
            if list.iter().filter(|known| known.calendar.is_some()).count() >= most {
                return Err(AgendaError::TooManyDevices);
            }
            list.push(record.clone());
            Ok(((), true))
        })
        .await?;
        Ok(id)
    }

    /// Ends the subscription of a calendar program: to a public calendar without `token`, else to the calendar of the
    /// agenda that the token opens.
    ///
    /// # Errors
    /// [`AgendaError::NoSuchDevice`], or another [`AgendaError`].
    pub async fn unfollow(&self, token: Option<&ReadToken>, id: &str) -> Result<(), AgendaError> {
        let now = self.clock.now();
        let link = token.map(|token| CalendarSource::Link(token.hash()));
        let key = match &link {
            Some(link) => self.key_of(link, id)?,
            None => SubscriptionsRecord::public_key(id),
        };
        self.change_devices(key, |list| {
            let before = list.len();
            list.retain(|known| {
                let is_theirs = known
                    .calendar
                    .as_ref()
                    .is_some_and(|calendar| link.as_ref().is_none_or(|link| calendar.source == *link));
                known.id != id || !is_theirs || known.is_expired(now)
            });
            if list.len() == before { Err(AgendaError::NoSuchDevice) } else { Ok(((), true)) }
        })
        .await
    }

    /// The key of the record with a subscription.
    fn key_of(&self, source: &CalendarSource, id: &str) -> Result<Digest, AgendaError> {
        match source {
            CalendarSource::Feed(_) => Ok(SubscriptionsRecord::public_key(id)),
            CalendarSource::Link(hash) => match self.store.linked_agenda(hash)?.target {
                Some(LinkTarget::Agenda(key)) => Ok(key),
                _ => Err(AgendaError::NoSuchDevice),
            },
        }
    }

    /// Ends the subscription of a device.
    ///
    /// # Errors
    /// [`AgendaError::NoSuchDevice`], or another [`AgendaError`].
    pub async fn unsubscribe(&self, owned: &Owned, id: &str) -> Result<(), AgendaError> {
        self.change_agenda_devices(owned, |list| {
            let before = list.len();
            list.retain(|known| known.id != id);
            if list.len() == before { Err(AgendaError::NoSuchDevice) } else { Ok(((), true)) }
        })
        .await
    }

    /// Changes the devices in one record, and commits them if `change` says that it changed them. On a shared store, another
    /// replica may have changed them since they were read, so that they did not change is committed too.
    pub(super) async fn change_devices<T>(
        &self,
        key: Digest,
        change: impl Fn(&mut Vec<SubscriptionRecord>) -> Result<(T, bool), AgendaError>,
    ) -> Result<T, AgendaError> {
        self.change_devices_with(key, || Ok(()), without_writes(change)).await
    }

    /// [`Self::change_devices`] with further writes of the same commit. After a conflict, `check` may end the attempts.
    pub(super) async fn change_devices_with<T>(
        &self,
        key: Digest,
        check: impl Fn() -> Result<(), AgendaError>,
        change: impl Fn(&mut Vec<SubscriptionRecord>) -> Result<(T, bool, Vec<Write>), AgendaError>,
    ) -> Result<T, AgendaError> {
        for _ in 0..ATTEMPTS {
            let stored = self.store.subscriptions(&key)?;
            let expect = stored.as_ref().map(|stored| stored.version.version);
            let mut list = stored.unwrap_or_default().list;
            let (result, has_changed, mut writes) = change(&mut list)?;
            if has_changed {
                let version = Version { version: expect.unwrap_or_default() + 1 };
                writes.push(Write::PutSubscriptions {
                    key,
                    expect,
                    record: SubscriptionsRecord { version, list },
                });
            } else if self.store.is_shared() {
                writes = vec![Write::ExpectSubscriptions { key, version: expect }];
            } else {
                return Ok(result);
            }
            match self.store.commit(writes).await {
                Ok(()) => return Ok(result),
                Err(CommitError::Conflict) => check()?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Conflict.into())
    }

    /// [`Self::change_devices`] of an agenda, which may be deleted meanwhile: then every attempt would be a conflict.
    async fn change_agenda_devices<T>(
        &self,
        owned: &Owned,
        change: impl Fn(&mut Vec<SubscriptionRecord>) -> Result<(T, bool), AgendaError>,
    ) -> Result<T, AgendaError> {
        let is_there = || self.open(&owned.key).map(drop);
        self.change_devices_with(owned.key.hash(), is_there, without_writes(change)).await
    }
}

/// A change of devices whose commit writes nothing else.
fn without_writes<T>(
    change: impl Fn(&mut Vec<SubscriptionRecord>) -> Result<(T, bool), AgendaError>,
) -> impl Fn(&mut Vec<SubscriptionRecord>) -> Result<(T, bool, Vec<Write>), AgendaError> {
    move |list| change(list).map(|(result, has_changed)| (result, has_changed, Vec::new()))
}

/// Replaces a known device. Returns its new record, that it is not new, and whether it changed; none if it is not known.
fn update(
    list: &mut [SubscriptionRecord],
    record: &SubscriptionRecord,
) -> Option<((SubscriptionRecord, bool), bool)> {
    let known = list.iter_mut().find(|known| known.id == record.id)?;
    let updated = SubscriptionRecord { created: known.created, ..record.clone() };
    let has_changed = *known != updated;
    *known = updated.clone();
    Some(((updated, false), has_changed))
}
