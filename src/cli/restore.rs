//! `callboard restore`: a backup in the place of what is kept, lifted over what was given out since.

use super::exit::{Exit, Failure};
use super::settings::Settings;
use crate::clock::Clock;
use crate::publisher::{Lifted, lift};
use crate::store::{HighWater, RestoreError, Restoring};
use std::io::Write;
use std::path::Path;

pub(super) fn restore(file: &Path, latest: bool, settings: &Settings) -> Result<Exit, Failure> {
    let config = settings.config_without_zone()?;
    let failed = |error: RestoreError| match error {
        RestoreError::Conference { .. } => Failure::new(Exit::BadConfig, &error),
        error => Failure::new(Exit::Failed, &error),
    };
    let restoring = Restoring::begin(&config.data, config.slug(), file).map_err(failed)?;
    let records = restoring.backup().records;
    // Over nothing, where nothing was given out since.
    let given = restoring.high_water().or(latest.then(HighWater::default));
    let lifted = lift(restoring.store(), given, Clock::wall().now());
    let Lifted { release, is_new, .. } = lifted.map_err(|error| Failure::new(Exit::Failed, &error))?;
    let replaced = restoring.finish().map_err(failed)?;
    let news = if is_new { "published anew, over all that was seen since, as release" } else { "at release" };
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "restored {records} records, {news} {release}");
    if replaced.exists() {
        let _ = writeln!(out, "what was there is in {}; remove it when all is well", replaced.display());
    }
    Ok(Exit::Done)
}
