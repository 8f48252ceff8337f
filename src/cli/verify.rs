//! `callboard verify`: whether everything that is kept is what was written, and making good what is not.

use super::exit::{Exit, Failure};
use super::settings::Settings;
use crate::config::Config;
use crate::store::{Backup, OpenError, OwnershipGuard, Store, Verified, verify, verify_backup};
use std::io::Write;
use std::path::Path;

/// Reads a backup.
pub(super) fn backup(file: &Path) -> Result<Exit, Failure> {
    let found = verify_backup(file).map_err(|error| Failure::new(Exit::Failed, &error))?;
    let Backup { conference, records, sequence } = found;
    say(&format!("{}: whole; {conference} at {sequence}, {records} records", file.display()));
    Ok(Exit::Done)
}

/// Reads a data directory.
pub(super) fn store(settings: &Settings, repairs: bool) -> Result<Exit, Failure> {
    let config = settings.config_without_zone()?;
    let _owner = OwnershipGuard::of(&config.data);
    let found = look(&config)?;
    if found.faults.is_empty() || !repairs {
        return Ok(tell(&found));
    }
    tell(&found);
    let lost = repair(&config, &found)?;
    let left = look(&config)?;
    if lost > 0 {
        say(&format!("{lost} records are damaged in both copies: restore a backup"));
    }
    let exit = tell(&left);
    Ok(if lost > 0 { Exit::Failed } else { exit })
}

fn look(config: &Config) -> Result<Verified, Failure> {
    verify(&config.data).map_err(|error| failed(&error))
}

/// Opening makes the index anew where it is not sound; a checkpoint then stands for all that was damaged
/// beside it. Gives what is in neither copy.
fn repair(config: &Config, found: &Verified) -> Result<u64, Failure> {
    for fault in &found.faults {
        if fault.place.is_file() {
            // It stays for whoever wants to know why, under a name that nothing reads.
            let mut aside = fault.place.as_os_str().to_owned();
            aside.push(".damaged");
            let moved = std::fs::rename(&fault.place, aside);
            moved.map_err(|error| Failure::text(Exit::Failed, format!("{fault}; {error}")))?;
        }
    }
    let open = || Store::open(&config.data, config.slug());
    let store = match open() {
        // That noted, the second opening does not touch the index that the first one panicked over.
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

fn tell(found: &Verified) -> Exit {
    let Verified { rows, segments, records, checkpoints, lacking, faults } = found;
    for fault in faults {
        say(&format!("damaged: {fault}"));
    }
    let (verdict, start) = match faults.as_slice() {
        [] => ("sound", "puts them in"),
        _ => ("damaged", "makes good what is in the other copy"),
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
