//! Writes a store with many agendas, and measures sled alone: opening and reading that store without Callboard.

use crate::timing::Watch;
use callboard::agenda::EditKey;
use callboard::program::{SessionId, Slug};
use callboard::store::{AgendaRecord, LinkRecord, LinkTarget, Store, Write};
use chrono::DateTime;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

/// Agendas per commit, more than the store's group commit ever combines.
const TOGETHER: usize = 2000;
/// The number of read tokens in the output file, spread over all agendas.
const TOKENS: usize = 20_000;

/// Writes agendas of ten picks with the store's own commits. The sessions come from the ledger in the store.
pub(crate) fn write(data: &str, slug: &str, count: usize, tokens: &str) -> Result<Value, Box<dyn Error>> {
    let watch = Watch::start()?;
    let store = Store::open(Path::new(data), &Slug::parse(slug)?)?;
    let ledger = store.ledger()?.ok_or("the store has no release: start the server on it once")?;
    let sessions: Vec<SessionId> = ledger.entries.keys().cloned().collect();
    let at = DateTime::from_timestamp(1_740_000_000, 0).ok_or("no such time")?;
    let mut shared = Vec::new();
    let mut writes = Vec::with_capacity(TOGETHER * 2);
    for n in 0..count {
        let key = EditKey::generate()?;
        let token = key.read_token(1);
        if n % (count / TOKENS).max(1) == 0 {
            shared.push(token.reveal());
        }
        // The different starts make the picks of agendas different enough.
        let picks = sessions.iter().cycle().skip(n % sessions.len()).step_by(3).take(10).cloned().collect();
        let link = LinkRecord {
            n: 1,
            label: String::new(),
            hash: token.hash(),
            generation: 0,
            created: at,
            revoked: None,
        };
        let record = AgendaRecord {
            version: 1,
            name: String::new(),
            picks,
            links: vec![link],
            created: at,
            modified: at,
            key_generation: 0,
            next_link: 2,
            seen_release: ledger.release,
            ranks: BTreeMap::new(),
            busy: Vec::new(),
        };
        writes.push(Write::PutAgenda { key: key.hash(), expect: None, record });
        writes.push(Write::PutLink { hash: token.hash(), target: LinkTarget::Agenda(key.hash()) });
        if writes.len() >= TOGETHER * 2 {
            store.commit_blocking(std::mem::take(&mut writes))?;
        }
    }
    store.commit_blocking(writes)?;
    store.close();
    std::fs::write(tokens, shared.join("\n"))?;
    Ok(json!({ "agendas": count, "tokens": shared.len(), "took": watch.read()? }))
}

/// Opens the database with sled's own settings and reads all of it.
pub(crate) fn scan(data: &str) -> Result<Value, Box<dyn Error>> {
    let watch = Watch::start()?;
    let db = sled::Config::default()
        .path(Path::new(data).join("index"))
        .cache_capacity(64 << 20)
        .flush_every_ms(None)
        .open()?;
    let opened = watch.read()?;
    let (mut records, mut bytes) = (0_u64, 0);
    for row in db.iter() {
        let (key, value) = row?;
        records += 1;
        bytes += key.len() + value.len();
    }
    Ok(json!({ "records": records, "bytes": bytes, "opened": opened, "scanned": watch.read()? }))
}
