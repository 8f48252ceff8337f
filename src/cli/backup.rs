//! `callboard backup`: everything that is kept, in one file, whole or not at all.

use super::control;
use super::exit::{Exit, Failure};
use super::settings::Settings;
use crate::config::Config;
use crate::store::{Backup, Store, verify_backup};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

pub(super) fn back_up(file: &Path, settings: &Settings) -> Result<Exit, Failure> {
    let config = settings.config_without_zone()?;
    let unfinished = unfinished(file);
    let written = write(&config, &unfinished).and_then(|()| keep(&unfinished, file));
    let Backup { conference, records, sequence } =
        written.inspect_err(|_| drop(std::fs::remove_file(&unfinished)))?;
    let _ = writeln!(
        io::stdout().lock(),
        "{}: {conference} at {sequence}, {records} records, SHA-256 verified",
        file.display()
    );
    Ok(Exit::Done)
}

/// From the server where one runs, else from its data directory.
fn write(config: &Config, to: &Path) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let out = options.create(true).truncate(true).write(true).mode(0o600).open(to);
    let mut out = out.map_err(|error| cannot(to, &error))?;
    let socket = control::path(&config.data);
    match UnixStream::connect(&socket) {
        Ok(mut server) => {
            io::copy(&mut server, &mut out).map_err(|error| cannot(to, &error))?;
        }
        Err(error) if is_nobody(&error) => from_directory(config, &out, to)?,
        Err(error) => {
            let text = format!("the server's socket {} cannot be used: {error}", socket.display());
            return Err(Failure::text(Exit::Failed, text));
        }
    }
    out.sync_all().map_err(|error| cannot(to, &error))
}

fn is_nobody(error: &io::Error) -> bool {
    // A path that is too long for a socket is none that a server listens on.
    use io::ErrorKind::{ConnectionRefused, InvalidInput, NotFound};
    matches!(error.kind(), ConnectionRefused | NotFound | InvalidInput)
}

fn from_directory(config: &Config, out: &File, to: &Path) -> Result<(), Failure> {
    if !config.data.is_dir() {
        let text = format!(
            "there is nothing to back up: {} is no directory; name the server's with --data or --config",
            config.data.display()
        );
        return Err(Failure::text(Exit::Failed, text));
    }
    let store = Store::open(&config.data, config.slug());
    let store = store.map_err(|error| Failure::new(Exit::Failed, &error))?;
    let out = out.try_clone().map_err(|error| cannot(to, &error))?;
    let written = store.back_up(Box::new(io::BufWriter::new(out)));
    store.close();
    written.map(drop).map_err(|error| Failure::new(Exit::Failed, &error))
}

/// Gives a whole backup its name. A server that stopped in the middle of it leaves one that is not.
fn keep(unfinished: &Path, file: &Path) -> Result<Backup, Failure> {
    let backup = verify_backup(unfinished).map_err(|error| {
        let text = format!("the backup was cut off; {} is as it was: {}", file.display(), error.cause);
        Failure::text(Exit::Failed, text)
    })?;
    let named = std::fs::rename(unfinished, file).and_then(|()| {
        let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(dir)?.sync_all()
    });
    named.map_err(|error| cannot(file, &error))?;
    Ok(backup)
}

fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

fn cannot(file: &Path, error: &io::Error) -> Failure {
    Failure::text(Exit::Failed, format!("the backup {} cannot be written: {error}", file.display()))
}
