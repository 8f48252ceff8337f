//! The guard: a release that touches too much of the program waits until somebody confirms it.

use crate::config::Publishing;
use crate::import::{Report, Truncation};
use crate::program::{Change, ChangeKind, Conference, Field, Program, Zone};
use crate::release::Prepared;
use crate::revision::Digest;
use bytes::Bytes;

/// What the guard makes of a release.
#[derive(Debug, Clone)]
pub struct Guarded {
    /// Covers the file's bytes, the config and the base release: what a confirmation must name.
    pub digest: String,
    /// Sessions that the release removes, moves or retitles.
    pub touched: usize,
    /// Sessions of the running program.
    pub of: usize,
    /// Why it is held; empty where it is not.
    pub reasons: Vec<String>,
}

impl Guarded {
    /// Whether it needs a confirmation.
    pub fn is_held(&self) -> bool {
        !self.reasons.is_empty()
    }
}

/// A release that waits for its confirmation.
#[derive(Debug)]
pub struct Held {
    /// The guard's verdict.
    pub guarded: Guarded,
    /// The import's report.
    pub report: Report,
    /// What it would change.
    pub changes: Vec<Change>,
    /// The venue's zone, to show the changes in.
    pub zone: Zone,
    /// Its program.
    pub csv: Bytes,
    /// The release that it was weighed against.
    pub base: u64,
}

/// What a confirmation must name, for a file that is to follow the release `base`: a newer release, another config or another file make it stale.
pub(super) fn digest(csv: &[u8], conference: &Conference, base: u64) -> String {
    let config = serde_json::to_vec(conference).unwrap_or_default();
    Digest::of_parts([csv, config.as_slice(), base.to_le_bytes().as_slice()]).short()
}

/// Weighs a release against the running program.
pub(super) fn weigh(
    running: &Program,
    prepared: &Prepared,
    settings: &Publishing,
    cut: Option<Truncation>,
    digest: String,
) -> Guarded {
    let touched = prepared.changes.iter().filter(|change| upsets(change)).count();
    let of = running.order().len();
    let mut reasons = Vec::new();
    #[expect(clippy::cast_precision_loss, reason = "at most 50,000 sessions")]
    let share = touched as f64 / of.max(1) as f64;
    if touched >= settings.guard_least && share > settings.guard_share {
        let percent = share * 100.0;
        reasons.push(format!("it removes, moves or retitles {touched} of {of} sessions ({percent:.0} %)"));
    }
    if !same_frame(running, &prepared.release.program) {
        reasons.push("it changes the conference's zone or dates".to_owned());
    }
    if let Some(Truncation { missing, within }) = cut {
        match missing {
            0 => {}
            1 => reasons.push(
                "the file lacks exactly the last row of the running program, as if it was cut off".to_owned(),
            ),
            rows => reasons.push(format!(
                "the file lacks exactly the last {rows} rows of the running program, as if it was cut off"
            )),
        }
        reasons.extend(within.map(|id| format!("the file ends in the middle of the row of {id}")));
    }
    Guarded { digest, touched, of, reasons }
}

/// Whether a change takes something away from those who planned by it.
fn upsets(change: &Change) -> bool {
    match change.kind {
        ChangeKind::Cancelled | ChangeKind::Withdrawn | ChangeKind::Moved => true,
        ChangeKind::Edited => change.fields().iter().any(|field| field.field == Field::Title),
        ChangeKind::Added | ChangeKind::Restored => false,
    }
}

/// Whether two programs are of one conference in the things that move every session.
fn same_frame(a: &Program, b: &Program) -> bool {
    a.conference.zone == b.conference.zone && a.conference.dates == b.conference.dates
}
