//! A data directory that is moved or removed under an open store.

use super::copies::files;
use super::full_disk::wait_until_writable;
use super::sample::{key, open, put};
use callboard::store::{CommitError, Store, Write};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);

fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(dir).into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
}

fn refused(store: &Store, write: Write) {
    match store.commit_blocking(vec![write]) {
        Err(CommitError::Unavailable(cause)) if cause.contains("or restart the server") => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_commit_is_acknowledged_without_the_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let (data, away) = (dir.path().join("data"), dir.path().join("away"));
    let store = open(&data);
    store.commit_blocking(vec![put(1, None, 1)]).unwrap();

    fs::rename(&data, &away).unwrap();
    refused(&store, put(2, None, 1));
    assert!(store.agenda(&key(1)).unwrap().is_some(), "reads go on");

    // Another store in its place is never touched.
    let other = open(&data);
    other.commit_blocking(vec![put(3, None, 1)]).unwrap();
    drop(other);
    let before = contents(&data);
    refused(&store, put(2, None, 1));
    assert!(store.checkpoint().is_err());
    assert!(store.back_up(Box::new(Vec::new())).is_err());
    assert_eq!(contents(&data), before);
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(1500) {
        assert!(!store.status().writable, "a retry took the other store for its own");
        std::thread::sleep(Duration::from_millis(5));
    }

    fs::remove_dir_all(&data).unwrap();
    fs::rename(&away, &data).unwrap();
    wait_until_writable(&store, PATIENCE);
    store.commit_blocking(vec![put(4, None, 1)]).unwrap();
    assert!(store.status().writable);
    drop(store);
    let store = open(&data);
    let kept = [1, 2, 3, 4].map(|n| store.agenda(&key(n)).unwrap().is_some());
    assert_eq!(kept, [true, false, false, true]);
}

#[test]
fn a_store_at_rest_detects_it_too() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let store = open(&data);
    assert!(store.status().writable);
    fs::remove_dir_all(&data).unwrap();
    let started = Instant::now();
    while store.status().writable {
        assert!(started.elapsed() < PATIENCE, "it still accepts writes");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_removed_segment_of_the_journal_is_followed_by_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit_blocking(vec![put(1, None, 1)]).unwrap();
    for segment in files(&dir.path().join("journal")) {
        fs::remove_file(segment).unwrap();
    }
    refused(&store, put(2, None, 1));
    wait_until_writable(&store, PATIENCE);
    store.commit_blocking(vec![put(3, None, 1)]).unwrap();
    drop(store);
    let store = open(dir.path());
    let kept = [1, 2, 3].map(|n| store.agenda(&key(n)).unwrap().is_some());
    assert_eq!(kept, [true, false, true]);
}
