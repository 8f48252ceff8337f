//! The guard: holds a release that touches too much of the program until somebody confirms it.

use super::hold_reason::HoldReason;
use crate::config::Publishing;
use crate::import::{Report, Truncation};
use crate::program::{Change, ChangeKind, Conference, Field, Program, Zone};
use crate::release::Prepared;
use crate::revision::Digest;
use bytes::Bytes;

/// The guard's verdict on a release.
#[derive(Debug, Clone)]
pub struct GuardVerdict {
    /// The digest of the file's bytes, the config and the base release. A confirmation names this digest.
    pub digest: String,
    /// How many sessions the release removes, moves or retitles.
    pub touched: usize,
    /// How many sessions the live program has.
    pub of: usize,
    /// Why the release is held; empty if it is not.
    pub reasons: Vec<HoldReason>,
}

impl GuardVerdict {
    /// Whether the release needs a confirmation.
    pub fn is_held(&self) -> bool {
        !self.reasons.is_empty()
    }
}

/// The release that the guard holds, for [`super::PublishError::Held`].
#[derive(Debug)]
pub struct Hold {
    /// The guard's verdict.
    pub verdict: GuardVerdict,
    /// The import's report.
    pub report: Report,
    /// The release's changes.
    pub changes: Vec<Change>,
    /// The venue's zone, in which times of the changes are shown.
    pub zone: Zone,
    /// The release's program file.
    pub csv: Bytes,
    /// The release that the held one was compared with.
    pub base: u64,
}

/// The digest that confirms a file as the successor of release `base`. A newer release, another config or another file
/// makes it stale.
pub(super) fn digest(csv: &[u8], conference: &Conference, base: u64) -> String {
    let config = serde_json::to_vec(conference).unwrap_or_default();
    Digest::of_parts([csv, config.as_slice(), base.to_le_bytes().as_slice()]).short()
}

/// Judges a release by its changes to the live program.
pub(super) fn judge(
    live: &Program,
    prepared: &Prepared,
    settings: &Publishing,
    cut: Option<Truncation>,
    digest: String,
) -> GuardVerdict {
    let touched = prepared.changes.iter().filter(|change| disrupts_plans(change)).count();
    let of = live.order().len();
    let mut reasons = Vec::new();
    #[expect(clippy::cast_precision_loss, reason = "at most 50,000 sessions")]
    let share = touched as f64 / of.max(1) as f64;
    if touched >= settings.guard_least && share > settings.guard_share {
        reasons.push(HoldReason::TouchesMany { touched, of });
    }
    if !has_same_frame(live, &prepared.release.program) {
        reasons.push(HoldReason::ZoneOrDates);
    }
    if let Some(Truncation { missing, within }) = cut {
        if missing > 0 {
            reasons.push(HoldReason::LacksLastRows(missing));
        }
        reasons.extend(within.map(|id| HoldReason::EndsWithin(id.to_string())));
    }
    GuardVerdict { digest, touched, of, reasons }
}

/// Whether a change takes a session away from attendees who plan to see it.
fn disrupts_plans(change: &Change) -> bool {
    match change.kind {
        ChangeKind::Cancelled | ChangeKind::Withdrawn | ChangeKind::Moved => true,
        ChangeKind::Edited => change.fields().iter().any(|field| field.field == Field::Title),
        ChangeKind::Added | ChangeKind::Restored => false,
    }
}

/// Whether two programs have the same zone and dates; a change of those affects every session.
fn has_same_frame(a: &Program, b: &Program) -> bool {
    a.conference.zone == b.conference.zone && a.conference.dates == b.conference.dates
}
