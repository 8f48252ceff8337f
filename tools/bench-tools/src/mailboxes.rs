//! Writes a store with many mailboxes, each of an agenda of its own.

use crate::timing::Watch;
use callboard::agenda::EditKey;
use callboard::program::{SessionId, Slug};
use callboard::store::{
    AgendaRecord, Channel, MailRecord, Store, SubscriptionRecord, SubscriptionsRecord, Version, Write,
};
use chrono::DateTime;
use serde_json::{Value, json};
use std::error::Error;
use std::path::Path;

/// Agendas per commit.
const TOGETHER: usize = 500;

pub(crate) fn write(data: &str, slug: &str, count: usize, pick: &str) -> Result<Value, Box<dyn Error>> {
    let watch = Watch::start()?;
    let store = Store::open(Path::new(data), &Slug::parse(slug)?)?;
    let at = DateTime::from_timestamp(1_740_000_000, 0).ok_or("no such time")?;
    let release = store.release_number()?;
    let mut writes = Vec::new();
    for n in 0..count {
        let key = EditKey::generate()?.hash();
        let record =
            AgendaRecord { picks: vec![SessionId::parse(pick)?], ..AgendaRecord::empty(at, release) };
        let mailbox = SubscriptionRecord {
            id: format!("{n:024x}"),
            channel: Channel::Mail,
            endpoint: String::new(),
            p256dh: Vec::new(),
            auth: Vec::new(),
            label: String::new(),
            calendar: None,
            reminders: false,
            mail: Some(MailRecord { address: format!("attendee{n}@example.org"), ..MailRecord::default() }),
            created: at,
        };
        writes.push(Write::PutAgenda { key, expect: None, record });
        let record = SubscriptionsRecord { version: Version { version: 1 }, list: vec![mailbox] };
        writes.push(Write::PutSubscriptions { key, expect: None, record });
        if writes.len() >= TOGETHER * 2 {
            store.commit_blocking(std::mem::take(&mut writes))?;
        }
    }
    store.commit_blocking(writes)?;
    store.close();
    Ok(json!({ "mailboxes": count, "took": watch.read()? }))
}
