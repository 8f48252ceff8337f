//! The gate: a new release's feeds are looked at before anything of it is kept.
//!
//! A finding is a warning in the publication's report; only feeds that do not parse back stop a release.

use crate::doctor::{BackError, Found};
use crate::import::{Fault, Report};
use crate::release::Release;

/// Looks at a release, of which an earlier one that was looked at may share parts: [`crate::doctor::inspect`].
pub type Inspect = fn(&Release, Option<&Release>) -> Result<Vec<Found>, BackError>;

/// What was found, as warnings.
pub(super) fn told(found: Vec<Found>) -> impl Iterator<Item = Fault> {
    found
        .into_iter()
        .map(|one| Fault::of_release(one.finding.rule, one.to_string(), one.finding.remedy.to_owned()))
}

/// Adds what was found to the report of the publication.
pub(super) fn tell(found: Vec<Found>, report: &mut Report) {
    report.faults.splice(0..0, told(found));
}
