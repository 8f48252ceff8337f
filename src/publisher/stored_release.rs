//! Reads a release back from the store, as it was published.

use super::StartError;
use crate::import::{Report, import};
use crate::program::{Conference, Identity, Program};
use crate::release::{Prepared, Release};
use crate::revision::{Ledger, Standing};
use crate::store::Store;
use bytes::Bytes;
use std::sync::Arc;

/// A stored release, rendered again.
pub(super) struct StoredRelease {
    /// `is_new` only if the renderer now shows a session differently.
    pub(super) prepared: Prepared,
    /// The config that it was published with.
    pub(super) conference: Arc<Conference>,
    /// The release's program file.
    pub(super) csv: Bytes,
    /// The warnings of today's import.
    pub(super) warnings: Vec<String>,
}

impl StoredRelease {
    /// The newest release; none before the first.
    pub(super) fn newest(store: &Store, identity: &Arc<Identity>) -> Result<Option<Self>, StartError> {
        store.ledger()?.map(|ledger| Self::load(store, &ledger, identity)).transpose()
    }

    /// The release of a ledger, prepared at the time of its publication: a restart alone expires no tombstone. Its pages
    /// show `identity`, which no release stores.
    pub(super) fn load(store: &Store, ledger: &Ledger, identity: &Arc<Identity>) -> Result<Self, StartError> {
        let number = ledger.release;
        let (Some(mut conference), Some(csv)) =
            (store.release_conference(number)?, store.program_csv(number)?)
        else {
            return Err(StartError::Incomplete { number });
        };
        conference.identity = Arc::clone(identity);
        let (conference, csv) = (Arc::new(conference), Bytes::from(csv));
        let report = import(&csv, &conference);
        let warnings = warnings(&report);
        let program = match report.program {
            Some(program) => program,
            None => {
                // Today's import is stricter, or an erasure removed the file's last row.
                tracing::warn!(
                    number,
                    "the stored program file has import errors; its sessions are read from the ledger"
                );
                program_of(ledger, Arc::clone(&conference))
            }
        };
        let prepared = Release::prepare(program, ledger, ledger.published);
        Ok(Self { prepared, conference, csv, warnings })
    }
}

/// An import's warnings as release records hold them.
pub(super) fn warnings(report: &Report) -> Vec<String> {
    report.warnings().map(ToString::to_string).collect()
}

/// The sessions as last published.
fn program_of(ledger: &Ledger, conference: Arc<Conference>) -> Program {
    let entries = ledger.entries.values();
    let rows = entries.filter(|entry| matches!(entry.standing, Standing::Listed | Standing::Withdrawn));
    let sessions: Vec<_> = rows.map(|entry| entry.session.as_ref().clone()).collect();
    let mut tracks = conference.tracks.clone();
    for slug in sessions.iter().filter_map(|session| session.track.as_ref()) {
        if !tracks.iter().any(|track| track.slug == *slug) {
            tracks.extend(ledger.slugs.track(slug).cloned());
        }
    }
    Program::new(conference, tracks, sessions)
}
