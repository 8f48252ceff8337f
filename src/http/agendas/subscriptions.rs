//! The devices that receive messages about an agenda.

use super::owner::{Agendas, Owned};
use super::{AgendaError, checked_name};
use crate::reach::{Endpoint, MOST_SUBSCRIPTIONS};
use crate::store::{
    Channel, CommitError, ReadError, SubscriptionRecord, SubscriptionsRecord, Version, Write,
};

/// How often a change is tried. Each conflict means that another change succeeded.
const ATTEMPTS: usize = 16;

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
}

impl Agendas {
    /// The devices of an agenda, the oldest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn devices(&self, owned: &Owned) -> Result<Vec<SubscriptionRecord>, ReadError> {
        Ok(self.store.subscriptions(&owned.key.hash())?.unwrap_or_default().list)
    }

    /// Subscribes a device. Returns its record, and whether it is new. A device that is known gets new keys.
    ///
    /// # Errors
    /// [`AgendaError`].
    pub async fn subscribe(
        &self,
        owned: &Owned,
        device: Device,
    ) -> Result<(SubscriptionRecord, bool), AgendaError> {
        let label = checked_name("label", &device.label)?;
        let record = SubscriptionRecord {
            id: device.endpoint.id(),
            channel: Channel::WebPush,
            endpoint: device.endpoint.as_str().to_owned(),
            p256dh: device.p256dh,
            auth: device.auth,
            label,
            created: self.clock.now(),
        };
        self.change_devices(owned, |list| {
            if let Some(known) = list.iter_mut().find(|known| known.id == record.id) {
                let updated = SubscriptionRecord { created: known.created, ..record.clone() };
                let has_changed = *known != updated;
                *known = updated.clone();
                return Ok(((updated, false), has_changed));
            }
            if list.len() >= MOST_SUBSCRIPTIONS {
                return Err(AgendaError::TooManyDevices);
            }
            list.push(record.clone());
            Ok(((record.clone(), true), true))
        })
        .await
    }

    /// Ends the subscription of a device.
    ///
    /// # Errors
    /// [`AgendaError::NoSuchDevice`], or another [`AgendaError`].
    pub async fn unsubscribe(&self, owned: &Owned, id: &str) -> Result<(), AgendaError> {
        self.change_devices(owned, |list| {
            let before = list.len();
            list.retain(|known| known.id != id);
            if list.len() == before { Err(AgendaError::NoSuchDevice) } else { Ok(((), true)) }
        })
        .await
    }

    /// Changes the devices of an agenda, and commits them if `change` says that it changed them.
    async fn change_devices<T>(
        &self,
        owned: &Owned,
        change: impl Fn(&mut Vec<SubscriptionRecord>) -> Result<(T, bool), AgendaError>,
    ) -> Result<T, AgendaError> {
        let key = owned.key.hash();
        for _ in 0..ATTEMPTS {
            let stored = self.store.subscriptions(&key)?;
            let expect = stored.as_ref().map(|stored| stored.version.version);
            let mut list = stored.unwrap_or_default().list;
            let (result, has_changed) = change(&mut list)?;
            if !has_changed {
                return Ok(result);
            }
            let version = Version { version: expect.unwrap_or_default() + 1 };
            let record = SubscriptionsRecord { version, list };
            match self.store.commit(vec![Write::PutSubscriptions { key, expect, record }]).await {
                Ok(()) => return Ok(result),
                // The agenda may have been deleted meanwhile.
                Err(CommitError::Conflict) => _ = self.open(&owned.key)?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(CommitError::Conflict.into())
    }
}
