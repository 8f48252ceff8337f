//! Removing rows that no release needs: replaced ledgers, and pieces of releases that were never published.

use super::{Committer, GroupError};
use crate::store::index::ledger::leftovers;
use crate::store::plan::STAGING;
use crate::store::record::RecordTable;
use crate::store::record::release::LedgerHead;
use crate::store::replica::is_same_replica;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// After this time, the pieces of a release that another replica began to write are removed.
const ABANDONED: Duration = Duration::from_secs(600);

impl Committer {
    /// Removes up to one batch of rows that no release needs.
    pub(super) fn remove_leftovers(&mut self) {
        if !self.has_leftovers || self.shared.state.is_staging.load(Ordering::Acquire) {
            return;
        }
        let Some(engine) = self.engine.clone() else { return };
        let shared = Arc::clone(&self.shared);
        let space = &shared.space;
        let head = space.address(RecordTable::Head, b"").read(|key| Ok(engine.value(key)?));
        let head =
            head.map(|bytes| bytes.map(|bytes| serde_json::from_slice::<LedgerHead>(&bytes)).transpose());
        let Ok(Ok(head)) = head else {
            // Without the head, leftovers cannot be told from rows in use. Readers of the head report the damage.
            self.has_leftovers = false;
            return;
        };
        let stager = space.named(STAGING).read(|key| Ok(engine.value(key)?)).ok().flatten();
        if !self.is_abandoned(stager.as_deref()) {
            return;
        }
        let removed = leftovers(&engine, space, head.as_ref()).map_err(GroupError::Index);
        let removed = removed.and_then(|mut rows| {
            self.has_leftovers = !rows.is_empty();
            if stager.is_some() {
                rows.insert(space.named(STAGING).key(0), None);
            }
            self.write(&engine, &rows)
        });
        drop(engine);
        match removed {
            Ok(_) => {}
            Err(GroupError::Journal(error)) => drop(self.fail(error)),
            Err(GroupError::Index(error)) => drop(self.fail_index(error)),
        }
    }

    /// Whether nobody writes pieces: no replica has announced it, or the one that did was not heard of for long.
    fn is_abandoned(&mut self, stager: Option<&[u8]>) -> bool {
        let Some(stager) = stager else {
            self.stager = None;
            return true;
        };
        // This process writes no pieces now, and an earlier one of this replica was stopped. A process elsewhere with the same
        // name would meet a conflict.
        let own = self.shared.replica.as_ref().map(|replica| replica.id.as_bytes());
        if own.is_some_and(|own| is_same_replica(own, stager)) {
            return true;
        }
        match &self.stager {
            Some((seen, since)) if seen == stager => since.elapsed() >= ABANDONED,
            _ => {
                self.stager = Some((stager.to_owned(), Instant::now()));
                false
            }
        }
    }
}
