//! The store on a real disk: acknowledged commits survive, and nobody sees others.

mod commits;
mod copied;
mod copies;
mod crash;
mod directories;
mod format;
pub(crate) mod full_disk;
mod moved;
mod on_a_database;
mod pieces;
mod reach;
mod releases;
mod sample;

use std::path::Path;
use std::time::{Duration, Instant};

/// Opens the database of a closed store. The lock may be held for a moment: other tests start processes, and a forked
/// child holds every lock of this process until its exec.
fn raw(dir: &Path) -> sled::Db {
    let started = Instant::now();
    loop {
        match sled::open(dir) {
            Err(error)
                if error.to_string().contains("could not acquire lock")
                    && started.elapsed() < Duration::from_secs(5) =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened.unwrap(),
        }
    }
}

/// Changes every value of a table in the only copy, as a newer version or a bad disk would.
pub(crate) fn tamper(dir: &Path, conference: &str, table: u8, change: impl Fn(&mut Vec<u8>)) {
    for copy in ["journal", "checkpoints"] {
        let _ = std::fs::remove_dir_all(dir.join(copy));
    }
    let db = raw(&dir.join("index"));
    let prefix = [conference.as_bytes(), &[0, table]].concat();
    for row in db.scan_prefix(prefix) {
        let (key, value) = row.unwrap();
        let mut value = value.to_vec();
        change(&mut value);
        db.insert(key, value).unwrap();
    }
    db.flush().unwrap();
}
