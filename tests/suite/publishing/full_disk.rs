//! Publishing on a full disk: the release stays live, and the saved file is retried.

use super::venue::{Venue, csv, moved};
use crate::store::full_disk::SmallDisk;
use callboard::publisher::{AttemptResult, watch};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn a_file_saved_while_the_disk_is_full_is_published_once_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(dir.path(), "size=24m") else {
        println!("skipped: no file system may be mounted here");
        return;
    };
    let mut venue = Venue::new();
    venue.settings.debounce_ms = 20;
    venue.start_in(&dir.path().join("data")).unwrap();
    let publisher = Arc::clone(venue.running());
    let mut releases = publisher.subscribe();
    let watching = tokio::spawn(watch(Arc::clone(&publisher)));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let taken = dir.path().join("taken");
    let mut filler = std::fs::File::create(&taken).unwrap();
    for size in [1 << 20, 1 << 12, 1] {
        while filler.write_all(&vec![1; size]).is_ok() {}
    }
    venue.save(&moved(&csv(), 2));
    let began = std::time::Instant::now();
    while publisher.status().unstored.is_none_or(|unstored| unstored.attempts < 2) {
        assert!(began.elapsed() < PATIENCE, "{:?}", publisher.status().last);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let status = publisher.status();
    assert!(status.unstored.unwrap().reason.ends_with("the disk is full"));
    assert!(matches!(status.last.unwrap().verdict, AttemptResult::Failed { .. }));
    std::fs::remove_file(&taken).unwrap();
    drop(filler);
    tokio::time::timeout(PATIENCE, releases.changed()).await.unwrap().unwrap();
    watching.abort();
    let published = || publisher.status().unstored.is_none();
    while !published() {
        assert!(began.elapsed() < 2 * PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((venue.number(), venue.sequence(2)), (2, 1));
    venue.store.take().unwrap().close();
}
