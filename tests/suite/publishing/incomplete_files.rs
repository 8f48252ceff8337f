//! Incomplete program files: cut off, still being written or too large.

use super::venue::{Venue, csv, held_digest, moved, without};
use callboard::publisher::{AttemptResult, HoldReason, PublishError, watch};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_file_that_lacks_its_last_rows_is_held() {
    for (from, reason) in [(8, "exactly the last row of"), (7, "exactly the last 2 rows of")] {
        let mut venue = Venue::started();
        let before = venue.feeds();
        let cut = without(&csv(), |n| n >= from);
        let digest = held_digest(venue.save_and_publish(&cut).await.unwrap());
        let held_proposal = venue.running().status().held.newest().cloned().unwrap();
        assert!(
            held_proposal.reasons.iter().any(|found| found.to_string().contains(reason)),
            "{:?}",
            held_proposal.reasons
        );
        assert_eq!((venue.number(), venue.feeds()), (1, before));
        assert_eq!(held_digest(venue.upload(&cut).await), digest, "an upload may be cut off too");
        assert!(venue.upload_with(&cut, Some(digest), None).await.unwrap().is_new);
        assert!(venue.running().status().held.newest().is_none());
    }
}

#[tokio::test]
async fn a_file_that_ends_within_its_last_row_is_held() {
    let mut venue = Venue::started();
    let text = csv();
    let result = venue.save_and_publish(text.trim_end().trim_end_matches("out 8,confirmed")).await.unwrap();
    assert!(matches!(result, Err(PublishError::Refused(_))), "a row without all of its cells is refused");
    // A text column at the end of a row may be cut off anywhere.
    let columns = csv().replace(",abstract,status", ",status,abstract").replace(",confirmed\n", "\n");
    let columns = columns.replace(",About", ",confirmed,About");
    let columns = moved(&columns, 1);
    venue.upload(&columns).await.unwrap();
    held_digest(venue.save_and_publish(columns.trim_end().trim_end_matches("ut 8")).await.unwrap());
    let reasons = venue.running().status().held.newest().unwrap().reasons.clone();
    assert_eq!(reasons, [HoldReason::EndsWithin("talk-8".to_owned())]);
    assert!(
        venue.save_and_publish(columns.trim_end()).await.unwrap().is_ok(),
        "without its last line end it is whole"
    );
}

#[tokio::test]
async fn a_file_without_other_rows_or_with_an_earlier_program_is_not_cut_off() {
    let mut venue = Venue::started();
    venue.save_and_publish(&without(&csv(), |n| n == 7)).await.unwrap().unwrap();
    venue.save_and_publish(&without(&csv(), |n| n == 1)).await.unwrap().unwrap();
    let more = csv() + "talk-9,2025-03-26,09:00,10:00,talk,Talk 9,One,Room 9,Ada,About,confirmed\n";
    venue.save_and_publish(&more).await.unwrap().unwrap();
    let number = venue.number();
    assert!(venue.running().roll_back(1, None, None, None).await.unwrap().is_new, "the program of release 1");
    assert_eq!(venue.number(), number + 1);
}

/// The writer pauses at the end of a row, for longer than the wait for quiet.
#[tokio::test]
async fn a_file_that_is_open_for_writing_is_published_when_its_writer_closes_it() {
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
    assert!(publisher.status().held.newest().is_none(), "the file was not read");
    file.write_all(rest.as_bytes()).unwrap();
    drop(file);
    tokio::time::timeout(PATIENCE, releases.changed()).await.unwrap().unwrap();
    watching.abort();
    let stored = venue.store.as_ref().unwrap().releases().unwrap();
    assert_eq!(
        stored.iter().map(|release| release.changes).collect::<Vec<_>>()[1..],
        [1],
        "one session was moved"
    );
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_unread_and_a_restart_works() {
    let mut venue = Venue::started();
    let before = venue.feeds();
    let path = venue.dir.path().join("program.csv");
    OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    let result = venue.running().publish_file().await.unwrap();
    let Err(PublishError::Refused(report)) = result else { panic!("{result:?}") };
    assert_eq!(report.faults[0].rule, "file-too-large");
    let last = venue.running().status().last.unwrap();
    assert_eq!(last.verdict, AttemptResult::Refused { errors: 1 });
    venue.restart().await;
    assert_eq!((venue.number(), venue.feeds()), (1, before));
    assert!(venue.save_and_publish(&moved(&csv(), 1)).await.unwrap().is_ok());
}

#[tokio::test]
async fn the_warnings_of_the_first_publication_are_in_the_status() {
    let mut venue = Venue::new();
    venue.save(&csv().replace("About 3", "[node:body]"));
    venue.start().unwrap();
    let last = venue.running().status().last.unwrap();
    assert_eq!(last.verdict, AttemptResult::Published { release: 1 });
    let report = last.report.unwrap();
    let rules: Vec<&str> =
        report["faults"].as_array().unwrap().iter().map(|fault| fault["rule"].as_str().unwrap()).collect();
    assert_eq!((rules, &report["warnings"]), (vec!["template-residue"], &serde_json::json!(1)));
}
