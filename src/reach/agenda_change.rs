//! Notifies the calendar programs and the mailboxes of an agenda when its picks or its name change. Browsers get no
//! message, since their owner made the change.

use super::mailboxes::check_mailboxes;
use super::outbox::{delivery_id, to_device};
use super::settle::next;
use crate::revision::Digest;
use crate::store::{CalendarSource, Cause, DeliveryRecord, FollowedCalendar, ReadError, Store, Write};
use chrono::{DateTime, Utc};

/// The writes that queue a delivery to every calendar program that follows an agenda, and to its mailboxes. They belong
/// into the commit that changes the agenda to `version`.
///
/// A delivery waits for 10 seconds, and changes meanwhile become part of it. `callboard deliver` asks for deliveries at
/// least as often, so nothing has to wake it. A change while a message is being sent makes another one.
///
/// # Errors
/// If the store cannot be read.
pub fn announce_agenda(
    store: &Store,
    key: &Digest,
    version: u64,
    now: DateTime<Utc>,
) -> Result<Vec<Write>, ReadError> {
    let devices = store.subscriptions(key)?.unwrap_or_default().list;
    let follows = |calendar: &FollowedCalendar| matches!(calendar.source, CalendarSource::Link(_));
    let mut writes = check_mailboxes(store, key, &devices, now)?;
    for device in devices.iter().filter(|device| device.calendar.as_ref().is_some_and(follows)) {
        if device.is_expired(now) {
            continue;
        }
        let id = delivery_id("agenda", &device.id, key);
        let stored = store.delivery(&id)?;
        let expect = stored.as_ref().map(|stored| stored.version.version);
        let record = match stored {
            Some(stored) => {
                let (release, version, interrupted) = (version, next(stored.version), 0);
                DeliveryRecord { release, version, interrupted, ..stored }
            }
            None => to_device(device, key, Cause::Agenda, version, now),
        };
        writes.push(Write::PutDelivery { id, expect, record: Some(record) });
    }
    Ok(writes)
}
