//! A data directory that goes away under a store.

use super::sample::{key, open, put};
use callboard::store::{CommitError, Store, Write};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Every file below a directory, with its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

fn refused(store: &Store, write: Write) {
    match store.commit_blocking(vec![write]) {
        Err(CommitError::Unavailable(cause)) if cause.contains("or restart the server") => {}
        other => panic!("{other:?}"),
    }
}

fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(10), "not after 10 s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn nothing_is_acknowledged_into_a_directory_that_went_away() {
    let dir = tempfile::tempdir().unwrap();
    let (data, away) = (dir.path().join("data"), dir.path().join("away"));
    let store = open(&data);
    store.commit_blocking(vec![put(1, None, 1)]).unwrap();

    fs::rename(&data, &away).unwrap();
    refused(&store, put(2, None, 1));
    assert!(store.agenda(&key(1)).unwrap().is_some(), "reads go on");

    // Another store in its place is not touched, by whatever opens a file by its name.
    let other = open(&data);
    other.commit_blocking(vec![put(3, None, 1)]).unwrap();
    drop(other);
    let before = files(&data);
    refused(&store, put(2, None, 1));
    assert!(store.checkpoint().is_err());
    assert!(store.back_up(Box::new(Vec::new())).is_err());
    assert_eq!(files(&data), before);
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(1500) {
        assert!(!store.status().writable, "no retry may take the other for its own");
        std::thread::sleep(Duration::from_millis(5));
    }

    fs::remove_dir_all(&data).unwrap();
    fs::rename(&away, &data).unwrap();
    soon("writes are taken again", || store.commit_blocking(vec![put(4, None, 1)]).is_ok());
    assert!(store.status().writable);
    drop(store);
    let store = open(&data);
    let kept = [1, 2, 3, 4].map(|n| store.agenda(&key(n)).unwrap().is_some());
    assert_eq!(kept, [true, false, false, true]);
}

#[test]
fn a_store_at_rest_notices_too() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let store = open(&data);
    assert!(store.status().writable);
    fs::remove_dir_all(&data).unwrap();
    soon("it is not ready", || !store.status().writable);
}

/// The index has what was in it, and a new segment what comes.
#[test]
fn a_segment_of_the_journal_that_went_away_is_followed_by_another() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit_blocking(vec![put(1, None, 1)]).unwrap();
    for entry in fs::read_dir(dir.path().join("journal")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    refused(&store, put(2, None, 1));
    soon("writes are taken again", || store.commit_blocking(vec![put(3, None, 1)]).is_ok());
    drop(store);
    let store = open(dir.path());
    let kept = [1, 2, 3].map(|n| store.agenda(&key(n)).unwrap().is_some());
    assert_eq!(kept, [true, false, true]);
}
