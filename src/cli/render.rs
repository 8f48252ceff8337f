//! `callboard render`: writes all public feeds as files for a static host.

use super::check::program_file;
use super::exit::{Exit, Failure};
use super::replace;
use super::settings::Settings;
use crate::clock::Clock;
use crate::config::Config;
use crate::doctor;
use crate::feed::{FeedOptions, session_path};
use crate::import::import;
use crate::program::Conference;
use crate::release::Release;
use crate::revision::Ledger;
use crate::store::{OwnershipGuard, Store};
use bytes::Bytes;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// The file that stores the ledger if there is no data directory.
const LEDGER: &str = "ledger.json";

pub(super) fn render(dir: &Path, settings: Settings) -> Result<Exit, Failure> {
    let config = settings.config()?;
    let conference = Arc::new(config.conference(config.listen));
    let release = match stored_release(&config)? {
        Some(release) => release,
        None => release_of_file(dir, &config, &conference)?,
    };
    let mut files: Vec<(String, Bytes)> =
        release.feeds.feeds().map(|(key, feed)| (key.to_string(), feed.identity.clone())).collect();
    for entry in release.visible_entries() {
        let session = &entry.session;
        let single = release.feeds.single(&session.id, &session.title, FeedOptions::default());
        files.extend(single.map(|joined| (session_path(&session.id), joined.identity())));
    }
    files.sort();
    let mut written = 0;
    for (path, bytes) in &files {
        written += usize::from(write(dir, path, bytes)?);
    }
    let _ = writeln!(
        std::io::stdout().lock(),
        "release {} as {} feeds in {}: {written} written, {} unchanged",
        release.number(),
        files.len(),
        dir.display(),
        files.len() - written,
    );
    Ok(Exit::Done)
}

/// The live release of the data directory, if there is one.
fn stored_release(config: &Config) -> Result<Option<Release>, Failure> {
    if !config.data.exists() {
        return Ok(None);
    }
    let fail = |error: &dyn std::error::Error| Failure::new(Exit::Failed, error);
    let _owner = OwnershipGuard::of(&config.data);
    let store = Store::open(&config.data, config.slug()).map_err(|error| fail(&error))?;
    let Some(ledger) = store.ledger().map_err(|error| fail(&error))? else { return Ok(None) };
    let number = ledger.release;
    let record = store.release(number).map_err(|error| fail(&error))?;
    let csv = store.program_csv(number).map_err(|error| fail(&error))?;
    let (Some(record), Some(csv)) = (record, csv) else { return Ok(None) };
    let report = import(&csv, &Arc::new(record.conference));
    let program = report.program.clone();
    Ok(program.map(|program| Release::prepare(program, &ledger, ledger.published).release))
}

/// A release of the program file, following the ledger that the last run wrote to the directory.
fn release_of_file(dir: &Path, config: &Config, conference: &Arc<Conference>) -> Result<Release, Failure> {
    let path = &config.program;
    let csv = program_file(path)?;
    let report = import(&csv, conference);
    let Some(program) = report.program.clone() else {
        let text = report.render_human(&path.display().to_string(), &csv, false);
        return Err(Failure::text(Exit::BadProgram, text));
    };
    let ledger = dir.join(LEDGER);
    let previous = match std::fs::read(&ledger) {
        Ok(bytes) => serde_json::from_slice::<Ledger>(&bytes).map_err(|error| {
            let text = format!(
                "{} is not a ledger: {error}; restore it from a copy, since a new one would change the times of all sessions",
                ledger.display()
            );
            Failure::text(Exit::Failed, text)
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ledger::empty(&conference.uid_domain),
        Err(error) => return Err(Failure::new(Exit::Failed, &error)),
    };
    if previous.uid_domain != conference.uid_domain {
        let text = format!(
            "the config's uid_domain is {:?}, but {} was made with {:?}; it can never change",
            conference.uid_domain,
            ledger.display(),
            previous.uid_domain
        );
        return Err(Failure::text(Exit::BadConfig, text));
    }
    let prepared = Release::prepare(program, &previous, Clock::wall().now());
    let found = doctor::inspect(&prepared.release, None)
        .map_err(|error| Failure::text(Exit::Failed, format!("nothing was written: {error}")))?;
    for one in found {
        let _ = writeln!(std::io::stderr().lock(), "warning: {one}");
    }
    let json =
        serde_json::to_vec(&prepared.release.ledger).map_err(|error| Failure::new(Exit::Failed, &error))?;
    write(dir, LEDGER, &json)?;
    Ok(prepared.release)
}

/// Writes a file whole; false if it has these bytes already, so that its modification time stays.
fn write(dir: &Path, path: &str, bytes: &[u8]) -> Result<bool, Failure> {
    let target = dir.join(path.trim_start_matches('/'));
    if std::fs::read(&target).is_ok_and(|present| present == bytes) {
        return Ok(false);
    }
    let write = || {
        std::fs::create_dir_all(target.parent().unwrap_or(dir))?;
        replace::write(&target, bytes, 0o666)
    };
    write().map_err(|error: std::io::Error| {
        Failure::text(Exit::Failed, format!("{} cannot be written: {error}", target.display()))
    })?;
    Ok(true)
}
