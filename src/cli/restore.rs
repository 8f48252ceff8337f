//! `callboard restore`: replaces the data directory's contents by a backup and advances its counters.

use super::exit::{Exit, Failure};
use super::settings::Settings;
use crate::clock::Clock;
use crate::publisher::{AdvancedCounters, advance_counters};
use crate::store::{HighWater, OwnershipGuard, RestoreError, Restoring};
use std::io::{IsTerminal, Write};
use std::path::Path;
use tempfile::NamedTempFile;

pub(super) fn restore(file: &Path, latest: bool, settings: &Settings) -> Result<Exit, Failure> {
    let config = settings.config_without_zone()?;
    let is_stream = file == Path::new("-");
    let received = if is_stream { Some(receive(&config.data)?) } else { None };
    let file = received.as_ref().map_or(file, |received| received.path());
    let failed = |error: RestoreError| match error {
        RestoreError::Backup(error) if is_stream => {
            let text =
                format!("nothing was restored: standard input is not a complete backup: {}", error.cause);
            Failure::text(Exit::Failed, text)
        }
        RestoreError::Conference { .. } => Failure::new(Exit::BadConfig, &error),
        error => Failure::new(Exit::Failed, &error),
    };
    let _owner = OwnershipGuard::of(&config.data);
    let restoring = Restoring::begin(&config.data, config.slug(), file).map_err(failed)?;
    let records = restoring.backup().records;
    // With --latest, no number was issued since the backup.
    let issued = restoring.high_water().or(latest.then(HighWater::default));
    let advanced = advance_counters(restoring.store(), issued, Clock::wall().now());
    let AdvancedCounters { release, is_new, damaged, .. } =
        advanced.map_err(|error| Failure::new(Exit::Failed, &error))?;
    let replaced = restoring.finish().map_err(failed)?;
    let news =
        if is_new { "published again above all numbers issued since, as release" } else { "at release" };
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "restored {records} records, {news} {release}");
    if damaged > 0 {
        let _ = writeln!(out, "damaged agendas in the backup, which cannot be opened: {damaged}");
    }
    if replaced.exists() {
        let _ =
            writeln!(out, "the replaced data is in {}; remove it when everything works", replaced.display());
    }
    Ok(Exit::Done)
}

/// Copies the backup from standard input to a file beside the data, since all of it is verified before anything is
/// replaced.
fn receive(data: &Path) -> Result<NamedTempFile, Failure> {
    let mut input = std::io::stdin().lock();
    if input.is_terminal() {
        return Err(Failure::text(Exit::Usage, "standard input is a terminal; pipe a backup into it"));
    }
    let file = if data.is_dir() { NamedTempFile::new_in(data) } else { NamedTempFile::new() };
    let copied = file.and_then(|mut file| {
        std::io::copy(&mut input, file.as_file_mut())?;
        Ok(file)
    });
    copied.map_err(|error| {
        Failure::text(
            Exit::Failed,
            format!("nothing was restored: standard input cannot be copied to a file: {error}"),
        )
    })
}
