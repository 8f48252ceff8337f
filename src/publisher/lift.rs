//! A store that came back from a backup, lifted over everything that may have been given out since.
//!
//! Without it the next release would have a number that calendars have seen with other content, and every
//! change would look older to them than what they hold.

use super::start::Step;
use super::{StartError, kept};
use crate::release::Release;
use crate::revision::{Ceiling, lift as lift_ledger};
use crate::store::{HighWater, Origin, Skipped, Store, Write};
use chrono::{DateTime, Utc};

/// Changes of an agenda that may have come faster than one a second.
const BURST: u64 = 1000;

/// Agendas in one commit.
const BATCH: usize = 500;

/// What lifting did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lifted {
    /// The release that the store runs now.
    pub release: u64,
    /// Whether that is a new one, since releases were missing.
    pub is_new: bool,
    /// How many agendas got a later version.
    pub agendas: u64,
    /// How many agendas are damaged and were left as they are.
    pub damaged: usize,
}

/// Lifts the store over `given`, what was given out at most; without it over what can have been at most,
/// when releases are at least a second apart and a person changes an agenda no more often, bursts aside.
pub fn lift(store: &Store, given: Option<HighWater>, now: DateTime<Utc>) -> Result<Lifted, StartError> {
    let (agendas, damaged) = lift_agendas(store, given, now)?;
    let mut lifted = Lifted { agendas, damaged, ..Lifted::default() };
    let Some(ledger) = store.ledger()? else { return Ok(lifted) };
    let ceiling = match given {
        Some(HighWater { release, published, number, .. }) => Ceiling { release, published, number },
        None => Ceiling::guess(&ledger, now),
    };
    lifted.release = ledger.release;
    if let Some(previous) = lift_ledger(&ledger, ceiling, now) {
        let kept::Kept { prepared, conference, csv, warnings } = kept::of(store, &ledger)?;
        let prepared = Release::prepare(prepared.release.into_program(), &previous, now);
        let step = Step { previous: Some(&ledger), origin: Origin::Restored, conference: &conference };
        lifted.release = step.persist(store, prepared, csv, warnings)?.number();
        lifted.is_new = true;
    }
    Ok(lifted)
}

/// How many were lifted, and how many are damaged: nobody can open those, so their versions stay as they are.
///
/// A read link's number rises no faster than the version, so it is lifted by as much: a link that was made and
/// revoked since the backup does not come back as another one.
fn lift_agendas(
    store: &Store,
    given: Option<HighWater>,
    now: DateTime<Utc>,
) -> Result<(u64, usize), StartError> {
    let mut lifted = 0;
    let mut batch = Vec::new();
    let mut skipped = Skipped::default();
    for agenda in skipped.over(store.agendas()) {
        let (key, mut record) = agenda?;
        let version = match given {
            Some(given) => given.agenda,
            None => record.version.saturating_add(seconds(now, record.modified)).saturating_add(BURST),
        };
        let Some(missing) = version.checked_sub(record.version).filter(|missing| *missing > 0) else {
            continue;
        };
        let expect = Some(record.version);
        let links = u32::try_from(missing).unwrap_or(u32::MAX);
        record.version = version.saturating_add(1);
        record.next_link = record.next_link.saturating_add(links);
        batch.push(Write::PutAgenda { key, expect, record });
        lifted += 1;
        if batch.len() >= BATCH {
            store.commit_blocking(std::mem::take(&mut batch))?;
        }
    }
    store.commit_blocking(batch)?;
    skipped.log("giving agendas later versions");
    Ok((lifted, skipped.count()))
}

fn seconds(now: DateTime<Utc>, since: DateTime<Utc>) -> u64 {
    (now - since).num_seconds().max(0).unsigned_abs()
}
