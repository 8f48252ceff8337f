//! The records of the latest releases, read and parsed once for each live release.
//!
//! One release can record a change for every session, so parsing it again for each request would take a processor for a
//! fraction of a second.

use crate::release::Release;
use crate::release::ReleaseMark;
use crate::store::{ReadError, ReleaseRecord, Store};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many releases are covered.
pub(super) const MAX_RELEASES: u64 = 500;

/// The numbers of the releases that are covered while a release is live.
pub(super) fn covered(live: u64) -> RangeInclusive<u64> {
    live.saturating_sub(MAX_RELEASES).max(1)..=live
}

/// The cache. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct ReleaseHistory(Arc<Mutex<Option<Arc<ReleaseRecords>>>>);

/// The records of one live release and its predecessors.
#[derive(Debug)]
pub(super) struct ReleaseRecords {
    release: ReleaseMark,
    records: Vec<ReleaseRecord>,
}

impl ReleaseHistory {
    /// The records for a live release. This method may read the disk, so call it on a thread that may wait.
    pub(super) fn of(&self, release: &Arc<Release>, store: &Store) -> Result<Arc<ReleaseRecords>, ReadError> {
        if let Some(known) = self.lock().as_ref().filter(|known| known.release.is(release)) {
            return Ok(Arc::clone(known));
        }
        let mut records = Vec::new();
        for number in covered(release.number()) {
            records.extend(store.release(number)?);
        }
        let records = Arc::new(ReleaseRecords { release: ReleaseMark::of(release), records });
        *self.lock() = Some(Arc::clone(&records));
        Ok(records)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<ReleaseRecords>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReleaseRecords {
    /// The oldest first.
    pub(super) fn all(&self) -> &[ReleaseRecord] {
        &self.records
    }

    pub(super) fn get(&self, number: u64) -> Option<&ReleaseRecord> {
        let place = self.records.binary_search_by_key(&number, |record| record.number).ok()?;
        self.records.get(place)
    }
}
