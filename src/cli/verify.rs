//! `callboard verify`: reads all data, reports damage, and repairs it from the second copy.

use super::exit::{Exit, Failure};
use super::settings::Settings;
use crate::config::Config;
use crate::store::{Backup, OpenError, OwnershipGuard, Store, Verified, verify, verify_backup};
use std::io::Write;
use std::path::Path;

/// Verifies a backup.
pub(super) fn backup(file: &Path) -> Result<Exit, Failure> {
    let found = verify_backup(file).map_err(|error| Failure::new(Exit::Failed, &error))?;
    let Backup { conference, records, sequence } = found;
    say(&format!("{}: whole; {conference} at {sequence}, {records} records", file.display()));
    Ok(Exit::Done)
}

/// Verifies a data directory.
pub(super) fn store(settings: &Settings, repairs: bool) -> Result<Exit, Failure> {
    let config = settings.config_without_zone()?;
    let _owner = OwnershipGuard::of(&config.data);
    let found = verify_data(&config)?;
    if found.faults.is_empty() || !repairs {
        return Ok(report(&found));
    }
    report(&found);
    let lost = repair(&config, &found)?;
    let left = verify_data(&config)?;
    if lost > 0 {
        say(&format!("{lost} records are damaged in both copies: restore a backup"));
    }
    let exit = report(&left);
    Ok(if lost > 0 { Exit::Failed } else { exit })
}

fn verify_data(config: &Config) -> Result<Verified, Failure> {
    verify(&config.data).map_err(|error| failed(&error))
}

/// Opening the store rebuilds a damaged index; a new checkpoint then replaces damaged files. Returns the number of records
/// that are damaged in both copies.
fn repair(config: &Config, found: &Verified) -> Result<u64, Failure> {
    for fault in &found.faults {
        if fault.place.is_file() {
            // The damaged file is kept for an analysis, under a name that nothing reads.
            let mut aside = fault.place.as_os_str().to_owned();
            aside.push(".damaged");
            let moved = std::fs::rename(&fault.place, aside);
            moved.map_err(|error| Failure::text(Exit::Failed, format!("{fault}; {error}")))?;
        }
    }
    let open = || Store::open(&config.data, config.slug());
    let store = match open() {
        // The first opening recorded the panic, so the second one does not use that index.
        Err(OpenError::Panicked { .. }) => open(),
        opened => opened,
    };
    let store = store.map_err(|error| failed(&error))?;
    let made = store.checkpoint();
    let lost = store.status().lost;
    store.close();
    made.map_err(|error| Failure::new(Exit::Failed, &error))?;
    Ok(lost)
}

fn failed(error: &OpenError) -> Failure {
    Failure::new(Exit::of_opening(error), error)
}

fn report(found: &Verified) -> Exit {
    let Verified { rows, segments, records, checkpoints, lacking, faults } = found;
    for fault in faults {
        say(&format!("damaged: {fault}"));
    }
    let (verdict, start) = match faults.as_slice() {
        [] => ("sound", "adds them"),
        _ => ("damaged", "restores what the other copy has"),
    };
    if *lacking > 0 {
        say(&format!("the index lacks the last {lacking} records; the next start {start}"));
    }
    let journal = format!("{segments} journal segments, {records} records after the oldest checkpoint");
    say(&format!("{verdict}: {rows} rows, {checkpoints} whole checkpoints, {journal}"));
    if faults.is_empty() { Exit::Done } else { Exit::Failed }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
