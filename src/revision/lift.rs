//! Lifting a ledger that came back from a backup over everything that may have been served since.

use super::{Entry, Floor, Ledger, Revision};
use chrono::{DateTime, TimeDelta, Utc};

/// What was given out at most: nothing at or below it may be given out again with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling {
    /// The number of a release.
    pub release: u64,
    /// When that was published.
    pub published: DateTime<Utc>,
    /// The number of a session.
    pub number: u32,
}

/// Seconds by which the time of a release may run ahead of the clock: as many releases were made at once.
const BURST: i64 = 60;

/// The sessions that may have got numbers unnoticed, where nothing says how many.
const UNKNOWN_NUMBERS: u32 = 100_000;

impl Ceiling {
    /// The ceiling where no record of it is left: releases are at least a second apart. A second guess from the
    /// same ledger may give session numbers out again.
    pub fn guess(ledger: &Ledger, now: DateTime<Utc>) -> Self {
        let latest = now.max(ledger.published) + TimeDelta::seconds(BURST);
        let seconds = (latest - ledger.published).num_seconds().unsigned_abs();
        Self {
            release: ledger.release.saturating_add(seconds),
            published: latest,
            number: ledger.highest_number().saturating_add(UNKNOWN_NUMBERS),
        }
    }
}

/// The ledger as that of a release after `ceiling.release`, for one that follows it. None where nothing is
/// missing.
///
/// A sequence is 0 at first and rises at most once a release, so it is never above the number of the release:
/// that of a release which nobody saw is above all that were seen, and leaves that true.
pub fn lift(ledger: &Ledger, ceiling: Ceiling, now: DateTime<Utc>) -> Option<Ledger> {
    if ceiling.release <= ledger.release {
        return None;
    }
    let release = ceiling.release.saturating_add(1);
    let sequence = u32::try_from(release).unwrap_or(u32::MAX);
    let published = ceiling.published.max(ledger.published).max(now) + TimeDelta::seconds(1);
    let lifted = |entry: &Entry| Entry {
        revision: Revision { sequence, modified: published },
        release,
        ..entry.clone()
    };
    Some(Ledger {
        release,
        published,
        last_departure: published,
        floor: Floor { number: ceiling.number.max(ledger.floor.number), sequence },
        entries: ledger.entries.iter().map(|(id, entry)| (id.clone(), lifted(entry))).collect(),
        ..ledger.clone()
    })
}
