//! A release back from the store, as it was published.

use super::StartError;
use crate::import::{Report, import};
use crate::program::{Conference, Program};
use crate::release::{Prepared, Release};
use crate::revision::{Ledger, Standing};
use crate::store::Store;
use bytes::Bytes;
use std::sync::Arc;

/// The running release of a store.
pub(super) struct Kept {
    /// Not new, unless the renderer shows a session differently by now.
    pub(super) prepared: Prepared,
    /// The config that it was published with.
    pub(super) conference: Arc<Conference>,
    /// Its program as a file.
    pub(super) csv: Bytes,
    /// The warnings that its import gives now.
    pub(super) warnings: Vec<String>,
}

/// The running release; none before the first.
pub(super) fn running(store: &Store) -> Result<Option<Kept>, StartError> {
    store.ledger()?.map(|ledger| of(store, &ledger)).transpose()
}

/// The release of a ledger.
///
/// It is made at the time of its publication, not now, so that no tombstone expires by a restart alone.
pub(super) fn of(store: &Store, ledger: &Ledger) -> Result<Kept, StartError> {
    let number = ledger.release;
    let (Some(conference), Some(csv)) = (store.release_conference(number)?, store.program_csv(number)?)
    else {
        return Err(StartError::Incomplete { number });
    };
    let (conference, csv) = (Arc::new(conference), Bytes::from(csv));
    let report = import(&csv, &conference);
    let warnings = warnings(&report);
    let program = match report.program {
        Some(program) => program,
        None => {
            // A stricter import than the one that took it in, or an erasure of its last row.
            tracing::warn!(
                number,
                "the kept program file no longer imports; its sessions come from the ledger"
            );
            from_ledger(ledger, Arc::clone(&conference))
        }
    };
    let prepared = Release::prepare(program, ledger, ledger.published);
    Ok(Kept { prepared, conference, csv, warnings })
}

/// What an import warned of, as it is kept.
pub(super) fn warnings(report: &Report) -> Vec<String> {
    report.warnings().map(ToString::to_string).collect()
}

/// The sessions as last published.
fn from_ledger(ledger: &Ledger, conference: Arc<Conference>) -> Program {
    let entries = ledger.entries.values();
    let lines = entries.filter(|entry| matches!(entry.standing, Standing::Listed | Standing::Withdrawn));
    let sessions: Vec<_> = lines.map(|entry| entry.session.as_ref().clone()).collect();
    let mut tracks = conference.tracks.clone();
    for slug in sessions.iter().filter_map(|session| session.track.as_ref()) {
        if !tracks.iter().any(|track| track.slug == *slug) {
            tracks.extend(ledger.slugs.track(slug).cloned());
        }
    }
    Program::new(conference, tracks, sessions)
}
