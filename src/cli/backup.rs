//! The commands for backups: `callboard backup`, `callboard restore` and `callboard verify`.
//!
//! A backup is everything that is stored in one file or stream, whole or not at all. Restoring it replaces the data
//! directory's contents and advances the counters. Verifying reads all data, reports damage, and repairs it from the second
//! copy.

use super::control;
use super::exit::{Exit, Failure};
use super::replace::{self, UNFINISHED};
use super::replica;
use super::settings::Settings;
use crate::clock::Clock;
use crate::config::Config;
use crate::import::counted;
use crate::publisher::{AdvancedCounters, advance_counters};
use crate::store::{
    Backup, BackupError, HighWater, OpenError, OwnershipGuard, RestoreError, Restoring, Snapshot, Store,
    StoreOptions, Verified, verify, verify_backup, verify_backup_from,
};
use chrono::{Days, NaiveDate};
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// The suffix of a backup's name in a directory, after the day.
const SUFFIX: &str = ".ndjson";

pub(super) fn back_up(file: &Path, keep: Option<u32>, settings: &Settings) -> Result<Exit, Failure> {
    let config = settings.config_without_zone()?;
    if keep.is_some() && !file.is_dir() {
        return Err(Failure::text(Exit::Usage, "--keep needs a directory to write the backup to"));
    }
    let today = Clock::wall().now().date_naive();
    let target = if file.is_dir() { file.join(format!("{today}{SUFFIX}")) } else { file.to_owned() };
    let Backup { conference, records, sequence } =
        if file == Path::new("-") { stream(&config)? } else { write(&config, &target)? };
    control::store_backup_time(&config.data, config.slug());
    let name = target.display();
    let line = format!("{name}: {conference} at {sequence}, {records} records, SHA-256 verified\n");
    if file == Path::new("-") {
        let _ = io::stderr().lock().write_all(line.as_bytes());
    } else {
        let _ = io::stdout().lock().write_all(line.as_bytes());
    }
    if file.is_dir() {
        let keep = keep.unwrap_or(config.backup_keep_days);
        remove_old(file, today, keep).map_err(|error| {
            let text =
                format!("the new backup is saved; old ones in {} cannot be removed: {error}", file.display());
            Failure::text(Exit::Failed, text)
        })?;
    }
    Ok(Exit::Done)
}

/// Writes to standard output. A stream that was cut off lacks its last line, so a restore notices.
fn stream(config: &Config) -> Result<Backup, Failure> {
    if io::stdout().is_terminal() {
        let text =
            "standard output is a terminal; pipe the backup, as in `callboard backup - | age -r KEY > FILE`";
        return Err(Failure::text(Exit::Usage, text));
    }
    let failed =
        |error: &io::Error| Failure::text(Exit::Failed, format!("the backup cannot be written: {error}"));
    let copied = copy(config, Tee { from: source(config)?, to: io::stdout() }, Path::new("standard output"))?;
    io::stdout().flush().map_err(|error| failed(&error))?;
    Ok(copied)
}

fn write(config: &Config, target: &Path) -> Result<Backup, Failure> {
    let unfinished = replace::beside(target, 0o600).map_err(|error| cannot(target, &error))?;
    let out = unfinished.as_file().try_clone().map_err(|error| cannot(target, &error))?;
    let backup = copy(config, Tee { from: source(config)?, to: out }, target)?;
    replace::finish(unfinished, target).map_err(|error| cannot(target, &error))?;
    Ok(backup)
}

/// Copies a backup and verifies the copy: if the server stops in the middle, the copy is incomplete.
fn copy<W: Write>(config: &Config, tee: Tee<BackupSource, W>, target: &Path) -> Result<Backup, Failure> {
    let mut reader = BufReader::with_capacity(256 * 1024, tee);
    let verified = verify_backup_from(&mut reader, target);
    let Tee { from, .. } = reader.into_inner();
    from.finish(config)?;
    verified.map_err(|BackupError { cause, .. }| {
        let text = format!("the backup was cut off; {} is as it was: {cause}", target.display());
        Failure::text(Exit::Failed, text)
    })
}

/// Writes everything that is read to `to` as well.
struct Tee<R, W> {
    from: R,
    to: W,
}

impl<R: Read, W: Write> Read for Tee<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.to.write_all(buffer.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}

/// The source of the backup: a running server, or else the data directory.
enum BackupSource {
    Server(std::os::unix::net::UnixStream),
    Directory { pipe: io::PipeReader, writer: std::thread::JoinHandle<Result<(), Failure>> },
}

impl Read for BackupSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Server(server) => server.read(buffer),
            Self::Directory { pipe, .. } => pipe.read(buffer),
        }
    }
}

impl BackupSource {
    fn finish(self, config: &Config) -> Result<(), Failure> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Directory { pipe, writer } => {
                drop(pipe); // ends a writer that still writes
                writer.join().unwrap_or_else(|_| {
                    let text = format!("the data directory {} could not be read", config.data.display());
                    Err(Failure::text(Exit::Failed, text))
                })
            }
        }
    }
}

fn source(config: &Config) -> Result<BackupSource, Failure> {
    match control::request(&config.data, control::BACKUP) {
        Ok(server) => return Ok(BackupSource::Server(server)),
        Err(error) if control::has_no_server(&error) => {}
        Err(error) => {
            let text = format!("the server's control socket cannot be used: {error}");
            return Err(Failure::text(Exit::Failed, text));
        }
    }
    if !config.data.is_dir() {
        let text = format!(
            "there is nothing to back up: {} is not a directory; name the data directory with --data or --config",
            config.data.display()
        );
        return Err(Failure::text(Exit::Failed, text));
    }
    let failed = |error: io::Error| Failure::new(Exit::Failed, &error);
    let (pipe, to) = io::pipe().map_err(failed)?;
    let opened = OpenedDirectory::of(config)?;
    let writer = std::thread::Builder::new().name("backup".to_owned()).spawn(move || {
        let written = opened.store().back_up(Box::new(io::BufWriter::new(to)));
        opened.close();
        written.map(drop).map_err(|error| Failure::new(Exit::Failed, &error))
    });
    Ok(BackupSource::Directory { pipe, writer: writer.map_err(failed)? })
}

/// A data directory that no server has open, or a copy of one on a read-only mount.
enum OpenedDirectory {
    /// `_owner` gives new files to the directory's owner after the store was closed.
    Store {
        store: Store,
        _owner: OwnershipGuard,
    },
    Copy(Snapshot),
}

impl OpenedDirectory {
    fn of(config: &Config) -> Result<Self, Failure> {
        let owner = OwnershipGuard::of(&config.data);
        let database = replica::database(config)?;
        let opened = match replica::open(config, StoreOptions::default(), database.as_ref()) {
            Err(error) if error.is_read_only() => {
                Snapshot::of(&config.data, config.slug(), StoreOptions::default()).map(Self::Copy)
            }
            opened => opened.map(|store| Self::Store { store, _owner: owner }),
        };
        opened.map_err(|error| Failure::new(Exit::of_opening(&error), &error))
    }

    fn store(&self) -> &Store {
        match self {
            Self::Store { store, .. } => store,
            Self::Copy(copy) => copy.store(),
        }
    }

    fn close(self) {
        self.store().close();
    }
}

/// Removes backups older than `keep` days, and unfinished ones from before yesterday. Files with other names stay.
fn remove_old(dir: &Path, today: NaiveDate, keep: u32) -> io::Result<()> {
    let oldest = today.checked_sub_days(Days::new(keep.into())).unwrap_or(NaiveDate::MIN);
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let day = |name: &str| name.get(..10)?.parse::<NaiveDate>().ok();
        let is_old = match name.strip_suffix(SUFFIX) {
            Some(stem) => stem.len() == 10 && day(stem).is_some_and(|day| day < oldest),
            None => {
                let left = name.strip_prefix('.').filter(|name| name.ends_with(UNFINISHED)).and_then(day);
                left.is_some_and(|day| Some(day) < today.pred_opt())
            }
        };
        if is_old {
            std::fs::remove_file(entry.path())?;
        }
    }
    File::open(dir)?.sync_all()
}

fn cannot(file: &Path, error: &io::Error) -> Failure {
    Failure::text(Exit::Failed, format!("the backup {} cannot be written: {error}", file.display()))
}

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

/// Verifies a backup.
pub(super) fn verify_file(file: &Path) -> Result<Exit, Failure> {
    let found = verify_backup(file).map_err(|error| Failure::new(Exit::Failed, &error))?;
    let Backup { conference, records, sequence } = found;
    say(&format!("{}: whole; {conference} at {sequence}, {records} records", file.display()));
    Ok(Exit::Done)
}

/// Verifies a data directory.
pub(super) fn verify_data_directory(settings: &Settings, repairs: bool) -> Result<Exit, Failure> {
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
    let database = replica::database(config)?;
    let open = || replica::open(config, StoreOptions::default(), database.as_ref());
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
        say(&format!("the index lacks the last {}; the next start {start}", counted(*lacking, "record")));
    }
    let kept = [
        counted(*rows, "row"),
        counted(*checkpoints, "whole checkpoint"),
        counted(*segments, "journal segment"),
        counted(*records, "record"),
    ];
    say(&format!("{verdict}: {} after the oldest checkpoint", kept.join(", ")));
    if faults.is_empty() { Exit::Done } else { Exit::Failed }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_backups_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let names = [
            "2025-03-25.ndjson",
            "2025-03-24.ndjson",
            "2025-03-23.ndjson",
            "2025-03-22.ndjson",
            "2024-12-31.ndjson",
            "2024-12-31.ndjson.age",
            "notes.ndjson",
            ".2025-03-20.ndjson.x7Kq.unfinished",
            ".2025-03-25.ndjson.9aBc.unfinished",
        ];
        for name in names {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        remove_old(dir.path(), "2025-03-25".parse().unwrap(), 2).unwrap();
        let mut left: Vec<String> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(
            left,
            [
                ".2025-03-25.ndjson.9aBc.unfinished",
                "2024-12-31.ndjson.age",
                "2025-03-23.ndjson",
                "2025-03-24.ndjson",
                "2025-03-25.ndjson",
                "notes.ndjson",
            ]
        );
    }
}
