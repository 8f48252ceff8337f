//! The tests of commits, releases, pieces and deliveries again, with the log in a database instead of a local journal; and
//! what only replicas do.

#[expect(clippy::duplicate_mod, reason = "the same tests, on another journal")]
#[path = "commits.rs"]
mod commits;
#[expect(clippy::duplicate_mod, reason = "the same tests, on another journal")]
#[path = "pieces.rs"]
mod pieces;
#[expect(clippy::duplicate_mod, reason = "the same tests, on another journal")]
#[path = "reach.rs"]
mod reach;
#[expect(clippy::duplicate_mod, reason = "the same tests, on another journal")]
#[path = "releases.rs"]
mod releases;
mod replicas;

use super::raw;

/// The sample records, and stores with their log in a database.
mod sample {
    pub(super) use super::super::sample::*;
    use crate::database::database;
    use callboard::store::{Store, StoreOptions};
    use std::path::Path;

    pub(super) fn open(dir: &Path) -> Store {
        open_with(dir, StoreOptions::default())
    }

    /// A replica with a database of its own, named after the directory.
    pub(super) fn open_with(dir: &Path, options: StoreOptions) -> Store {
        let database = database(dir.to_str().unwrap(), "a");
        Store::open_replica(dir, &slug(), options, &database).unwrap()
    }
}
