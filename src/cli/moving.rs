//! `callboard move`: a data directory becomes the log in a database, or the log a data directory.

use super::exit::{Exit, Failure};
use super::replica;
use super::settings::Serving;
use crate::store::{MoveError, OwnershipGuard, Store};
use std::io::Write;

/// The direction of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToDatabase,
    FromDatabase,
}

pub(super) fn move_store(direction: Direction, serving: &Serving) -> Result<Exit, Failure> {
    let config = serving.config()?;
    let Some(database) = replica::database(&config)? else {
        return Err(Failure::text(
            Exit::BadConfig,
            "no database is configured; name it with --database or `database` in the config",
        ));
    };
    if !config.data.is_dir() && direction == Direction::ToDatabase {
        let text = format!("there is no data directory {}; name it with --data", config.data.display());
        return Err(Failure::text(Exit::Failed, text));
    }
    let _owner = OwnershipGuard::of(&config.data);
    let moved = match direction {
        Direction::ToDatabase => Store::move_to_database(&config.data, config.slug(), &database),
        Direction::FromDatabase => Store::move_from_database(&config.data, config.slug(), &database),
    };
    let position = moved.map_err(|error| match error {
        MoveError::Open(cause) => Failure::new(Exit::of_opening(&cause), &cause),
        error => Failure::new(Exit::Failed, &error),
    })?;
    let data = config.data.display();
    let line = match direction {
        Direction::ToDatabase => format!(
            "{database} has the log of {} now, from entry {position} on; start the server with this database. {data} is \
             this replica's copy",
            config.slug()
        ),
        Direction::FromDatabase => format!(
            "{data} is a store of its own now, with all entries up to {position}; start the server without `database`. The \
             log is still in {database}"
        ),
    };
    let _ = writeln!(std::io::stdout().lock(), "{line}");
    Ok(Exit::Done)
}
