//! After a restore: counters continue above every number that may have been issued since the backup.
//!
//! Otherwise the next release would reuse a number that calendars have seen with other content, and every change would
//! look older to them than the copy that they hold.

use super::StartError;
use super::StoredRelease;
use super::start::UnattendedRelease;
use crate::release::Release;
use crate::revision::Issued;
use crate::store::{HighWater, Origin, Skipped, Store, Write};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The allowance for changes of an agenda that came faster than one a second.
const MAX_FAST_CHANGES: u64 = 1000;

/// The most agendas in one commit.
const AGENDAS_PER_COMMIT: usize = 500;

/// The result of [`advance_counters`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AdvancedCounters {
    /// The live release of the store.
    pub release: u64,
    /// Whether it was published anew because later releases are missing.
    pub is_new: bool,
    /// How many agendas got a later version.
    pub agendas: u64,
    /// How many damaged agendas were skipped.
    pub damaged: usize,
}

/// Advances all counters past `issued`. If `issued` is unknown, advances them past an upper bound from the elapsed
/// time: one release and one change of an agenda a second, plus `MAX_FAST_CHANGES`.
pub fn advance_counters(
    store: &Store,
    issued: Option<HighWater>,
    now: DateTime<Utc>,
) -> Result<AdvancedCounters, StartError> {
    let (agendas, damaged) = advance_agendas(store, issued, now)?;
    let mut advanced = AdvancedCounters { agendas, damaged, ..AdvancedCounters::default() };
    let Some(ledger) = store.ledger()? else { return Ok(advanced) };
    let ceiling = match issued {
        Some(HighWater { release, published, number, .. }) => Issued { release, published, number },
        None => Issued::guess(&ledger, now),
    };
    advanced.release = ledger.release;
    if let Some(previous) = ledger.advance_past(ceiling, now) {
        let StoredRelease { prepared, conference, csv, warnings } =
            StoredRelease::load(store, &ledger, &Arc::default())?;
        let prepared = Release::prepare(prepared.release.into_program(), &previous, now);
        let release =
            UnattendedRelease { previous: Some(&ledger), origin: Origin::Restored, conference: &conference };
        advanced.release = release.persist(store, prepared, csv, warnings)?.number();
        advanced.is_new = true;
    }
    Ok(advanced)
}

/// Returns how many agendas were advanced and how many are damaged. A damaged agenda cannot be opened, so its version
/// does not matter.
///
/// The number of the next read link rises by as much as the version, since every new link changes the version. So a
/// link that was made and revoked since the backup is not issued a second time.
fn advance_agendas(
    store: &Store,
    issued: Option<HighWater>,
    now: DateTime<Utc>,
) -> Result<(u64, usize), StartError> {
    let mut advanced = 0;
    let mut batch = Vec::new();
    let mut skipped = Skipped::default();
    for agenda in skipped.over(store.agendas()) {
        let (key, mut record) = agenda?;
        let version = match issued {
            Some(issued) => issued.agenda,
            None => {
                record.version.saturating_add(seconds(now, record.modified)).saturating_add(MAX_FAST_CHANGES)
            }
        };
        let Some(missing) = version.checked_sub(record.version).filter(|missing| *missing > 0) else {
            continue;
        };
        let expect = Some(record.version);
        let links = u32::try_from(missing).unwrap_or(u32::MAX);
        record.version = version.saturating_add(1);
        record.next_link = record.next_link.saturating_add(links);
        batch.push(Write::PutAgenda { key, expect, record });
        advanced += 1;
        if batch.len() >= AGENDAS_PER_COMMIT {
            store.commit_blocking(std::mem::take(&mut batch))?;
        }
    }
    store.commit_blocking(batch)?;
    skipped.log("advancing the versions of agendas");
    Ok((advanced, skipped.count()))
}

fn seconds(now: DateTime<Utc>, since: DateTime<Utc>) -> u64 {
    (now - since).num_seconds().max(0).unsigned_abs()
}
