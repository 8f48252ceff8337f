//! A program file that is not all there: cut off, still being written, too large, or saved while the store takes no
//! writes.

use super::venue::{Venue, csv, held, moved, without};
use crate::store::full_disk::SmallDisk;
use callboard::publisher::{PublishError, Verdict, watch};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_file_that_lacks_exactly_its_last_rows_is_held_until_it_is_confirmed() {
    for (from, reason) in [(8, "exactly the last row of"), (7, "exactly the last 2 rows of")] {
        let mut venue = Venue::started();
        let before = venue.feeds();
        let cut = without(&csv(), |n| n >= from);
        let digest = held(venue.saved(&cut).await.unwrap());
        let waiting = venue.running().status().held.newest().cloned().unwrap();
        assert!(waiting.reasons.iter().any(|found| found.contains(reason)), "{:?}", waiting.reasons);
        assert_eq!((venue.number(), venue.feeds()), (1, before));
        assert_eq!(held(venue.upload(&cut).await), digest, "an upload may be cut off as well");
        assert!(venue.upload_with(&cut, Some(digest), None).await.unwrap().is_new);
        assert!(venue.running().status().held.newest().is_none());
    }
}

#[tokio::test]
async fn a_file_that_ends_within_its_last_row_is_held() {
    let mut venue = Venue::started();
    let text = csv();
    let result = venue.saved(text.trim_end().trim_end_matches("out 8,confirmed")).await.unwrap();
    assert!(matches!(result, Err(PublishError::Refused(_))), "a row without all of its cells is refused");
    // A last column of text may end anywhere.
    let columns = csv().replace(",abstract,status", ",status,abstract").replace(",confirmed\n", "\n");
    let columns = columns.replace(",About", ",confirmed,About");
    let columns = moved(&columns, 1);
    venue.upload(&columns).await.unwrap();
    held(venue.saved(columns.trim_end().trim_end_matches("ut 8")).await.unwrap());
    let reasons = venue.running().status().held.newest().unwrap().reasons.clone();
    assert_eq!(reasons, ["the file ends in the middle of the row of talk-8"]);
    assert!(venue.saved(columns.trim_end()).await.unwrap().is_ok(), "without its last line end it is whole");
}

#[tokio::test]
async fn rows_that_go_elsewhere_and_programs_that_were_published_before_are_not_cut_off() {
    let mut venue = Venue::started();
    venue.saved(&without(&csv(), |n| n == 7)).await.unwrap().unwrap();
    venue.saved(&without(&csv(), |n| n == 1)).await.unwrap().unwrap();
    let more = csv() + "talk-9,2025-03-26,09:00,10:00,talk,Talk 9,One,Room 9,Ada,About,confirmed\n";
    venue.saved(&more).await.unwrap().unwrap();
    let number = venue.number();
    assert!(venue.running().roll_back(1, None, None, None).await.unwrap().is_new, "the program of release 1");
    assert_eq!(venue.number(), number + 1);
}

/// The writer pauses at the end of a row, for longer than any quiet that is waited for.
#[tokio::test]
async fn a_file_that_its_writer_has_open_is_published_when_he_closes_it() {
    let mut venue = Venue::new();
    venue.settings.debounce_ms = 20;
    venue.settings.poll_s = 1;
    venue.start().unwrap();
    let publisher = Arc::clone(venue.running());
    let mut releases = publisher.subscribe();
    let watching = tokio::spawn(watch(Arc::clone(&publisher)));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let text = moved(&csv(), 2);
    let (part, rest) = text.split_at(text.find("talk-7").unwrap());
    let mut file =
        OpenOptions::new().write(true).truncate(true).open(venue.dir.path().join("program.csv")).unwrap();
    file.write_all(part.as_bytes()).unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(publisher.status().last.is_none_or(|last| last.at <= publisher.current().published()));
    publisher.catch_up().await; // SIGHUP
    assert!(publisher.status().held.newest().is_none(), "it is not even looked at");
    file.write_all(rest.as_bytes()).unwrap();
    drop(file);
    tokio::time::timeout(PATIENCE, releases.changed()).await.unwrap().unwrap();
    watching.abort();
    let kept = venue.store.as_ref().unwrap().releases().unwrap();
    assert_eq!(kept.iter().map(|kept| kept.changes).collect::<Vec<_>>()[1..], [1], "one session was moved");
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_unread_and_the_next_start_goes_on() {
    let mut venue = Venue::started();
    let before = venue.feeds();
    let path = venue.dir.path().join("program.csv");
    OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    let result = venue.running().take_file().await.unwrap();
    let Err(PublishError::Refused(report)) = result else { panic!("{result:?}") };
    assert_eq!(report.faults[0].rule, "file-too-large");
    let last = venue.running().status().last.unwrap();
    assert_eq!(last.verdict, Verdict::Refused { errors: 1 });
    venue.restart().await;
    assert_eq!((venue.number(), venue.feeds()), (1, before));
    assert!(venue.saved(&moved(&csv(), 1)).await.unwrap().is_ok());
}

#[tokio::test]
async fn the_warnings_of_the_first_publication_are_in_the_status() {
    let mut venue = Venue::new();
    venue.save(&csv().replace("About 3", "[node:body]"));
    venue.start().unwrap();
    let last = venue.running().status().last.unwrap();
    assert_eq!(last.verdict, Verdict::Published { release: 1 });
    let report = last.report.unwrap();
    let rules: Vec<&str> =
        report["faults"].as_array().unwrap().iter().map(|fault| fault["rule"].as_str().unwrap()).collect();
    assert_eq!((rules, &report["warnings"]), (vec!["template-residue"], &serde_json::json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_saved_on_a_full_disk_is_published_when_there_is_space_again() {
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
    assert!(matches!(status.last.unwrap().verdict, Verdict::Failed { .. }));
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
