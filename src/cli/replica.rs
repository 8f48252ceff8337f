//! The store of a config: in the data directory alone, or as one of several replicas on a database.

use super::exit::{Exit, Failure};
use crate::config::Config;
use crate::publisher::{StartError, advance_counters};
use crate::store::{CommitError, Database, DatabaseOptions, OpenError, Store, StoreOptions};
use chrono::{DateTime, Utc};
use std::path::PathBuf;

/// The name of the credential that systemd passes for `database_password_file`.
const PASSWORD_CREDENTIAL: &str = "database-password";

/// The database in a config; none if the data directory is a store of its own.
pub(super) fn database(config: &Config) -> Result<Option<Database>, Failure> {
    let Some(url) = &config.database.url else { return Ok(None) };
    let replica = config.database.replica.clone().unwrap_or_else(machine_name);
    let password_file = config.database.password_file.clone().map(passed_or);
    let options = DatabaseOptions {
        url,
        password_file: password_file.as_deref(),
        replica: &replica,
        acknowledge_loss: config.database.acknowledge_loss,
    };
    Database::new(&options).map(Some).map_err(|error| Failure::new(Exit::BadConfig, &error))
}

/// Opens the store of a config.
pub(super) fn open(
    config: &Config,
    options: StoreOptions,
    database: Option<&Database>,
) -> Result<Store, OpenError> {
    match database {
        None => Store::open_with(&config.data, config.slug(), options),
        Some(database) => Store::open_replica(&config.data, config.slug(), options, database),
    }
}

/// Refuses a config with which replicas would give different links.
pub(super) fn check_origin(config: &Config, database: Option<&Database>) -> Result<(), Failure> {
    match database {
        Some(_) if config.public_url.is_none() => Err(Failure::text(
            Exit::BadConfig,
            "with `database`, public_url must be set: all replicas must give the same links; write the address of the \
             proxy in front of them",
        )),
        _ => Ok(()),
    }
}

/// Continues all counters above the numbers of entries that the database has lost, if it has.
pub(super) fn advance_past_lost_numbers(store: &Store, now: DateTime<Utc>) -> Result<(), StartError> {
    let unreadable = |error: std::io::Error| StartError::Commit(CommitError::Unavailable(error.to_string()));
    let Some(lost) = store.lost_numbers().map_err(unreadable)? else { return Ok(()) };
    let mut tries = 0;
    let advanced = loop {
        // Another replica may do the same at the same moment.
        match advance_counters(store, Some(lost), now) {
            Err(StartError::Commit(CommitError::Conflict)) if tries < 10 => tries += 1,
            result => break result?,
        }
    };
    store.advanced_past_lost_numbers().map_err(unreadable)?;
    tracing::error!(
        release = advanced.release,
        agendas = advanced.agendas,
        "the database had lost entries that this replica acknowledged or read; picks and releases in them are lost, and all \
         counters continue above them. The old copy is in the data directory, in `replaced`"
    );
    Ok(())
}

/// The credential that systemd passes for a file, or else the file.
fn passed_or(file: PathBuf) -> PathBuf {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let passed = credentials.map(|directory| directory.join(PASSWORD_CREDENTIAL));
    // The drop-in passes this text if the file does not exist.
    let is_given = |path: &PathBuf| std::fs::read(path).is_ok_and(|text| text.trim_ascii() != b"none");
    passed.filter(is_given).unwrap_or(file)
}

fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
