//! The watched program file, beside uploads and roll-backs.

use super::venue::{Venue, csv, held_digest, moved, without};
use callboard::publisher::{AttemptResult, PublishError};
use callboard::store::Origin;

#[tokio::test]
async fn a_saved_file_is_published_once() {
    let mut venue = Venue::started();
    let published = venue.save_and_publish(&moved(&csv(), 2)).await.unwrap().unwrap();
    assert_eq!((published.release.number(), published.changes.len()), (2, 1));
    assert!(venue.save_and_publish(&moved(&csv(), 2)).await.is_none(), "touched, not changed");
    assert!(venue.running().publish_file().await.is_none(), "SIGHUP finds nothing new");
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_is_reported() {
    let mut venue = Venue::started();
    let before = venue.feeds();
    let result = venue.save_and_publish(&csv().replace("09:00", "25:00")).await.unwrap();
    assert!(matches!(result, Err(PublishError::Refused(report)) if report.errors().count() >= 1));
    assert_eq!(venue.feeds(), before);
    let last = venue.running().status().last.unwrap();
    assert!(matches!(last.verdict, AttemptResult::Refused { .. }) && last.report.is_some());
    venue.restart().await;
    assert_eq!(venue.feeds(), before, "a broken file is not fatal with a release in the store");
    assert!(venue.save_and_publish(&moved(&csv(), 1)).await.unwrap().is_ok());
}

/// A bug: the desk showed the error until the next release.
#[tokio::test]
async fn a_file_that_is_corrected_to_the_live_program_leaves_no_fault_behind() {
    for wrong in [csv().replace("09:00", "25:00"), without(&csv(), |n| n > 4)] {
        let mut venue = Venue::started();
        venue.save_and_publish(&wrong).await.unwrap().unwrap_err();
        assert!(venue.save_and_publish(&csv()).await.is_none());
        let status = venue.running().status();
        let last = status.last.unwrap();
        assert_eq!((last.origin, last.verdict), (Origin::File, AttemptResult::Unchanged { release: 1 }));
        assert_eq!(last.at, venue.clock.now());
        assert!(last.report.is_none() && status.held.newest().is_none());
        venue.clock.advance(chrono::TimeDelta::minutes(1));
        assert!(venue.running().publish_file().await.is_none());
        assert_eq!(venue.running().status().last.unwrap().at, last.at, "touched, not changed");

        // Put back to a file that an upload replaced, it is ignored as before.
        venue.upload(&moved(&csv(), 2)).await.unwrap();
        venue.save_and_publish(&wrong).await.unwrap().unwrap_err();
        assert!(venue.save_and_publish(&csv()).await.is_none());
        assert!(venue.running().status().last.is_none() && venue.running().file_is_stale());
    }
}

#[tokio::test]
async fn an_unreadable_file_leaves_the_release_live() {
    let mut venue = Venue::started();
    std::fs::remove_file(venue.dir.path().join("program.csv")).unwrap();
    assert!(venue.running().publish_file().await.is_none());
    venue.restart().await;
    assert_eq!(venue.number(), 1);
}

#[tokio::test]
async fn an_upload_survives_a_restart_with_the_old_file_on_disk() {
    let mut venue = Venue::started();
    venue.upload(&moved(&csv(), 2)).await.unwrap();
    assert!(venue.running().file_is_stale() || venue.running().status().file.is_none());
    venue.restart().await;
    assert_eq!((venue.number(), venue.sequence(2)), (2, 1));
    assert!(venue.running().file_is_stale());
    venue.restart().await;
    assert_eq!(venue.number(), 2);
    // Saved with other content, the file is published again.
    venue.save_and_publish(&moved(&moved(&csv(), 2), 3)).await.unwrap().unwrap();
    assert_eq!((venue.number(), venue.sequence(2), venue.sequence(3)), (3, 1, 1));
    assert!(!venue.running().file_is_stale());
}

#[tokio::test]
async fn a_file_that_was_held_or_broken_does_not_undo_a_later_upload() {
    for old in [without(&csv(), |n| n > 4), csv().replace("09:00", "25:00")] {
        let mut venue = Venue::started();
        venue.save_and_publish(&old).await.unwrap().unwrap_err();
        // Compared with this upload, the guard would no longer hold the first file. The second file still has an error.
        let base = without(&csv(), |n| n < 3);
        venue.upload(&base).await.unwrap();
        venue.restart().await;
        assert_eq!(venue.number(), 2);
        assert!(venue.running().file_is_stale());
    }
}

#[tokio::test]
async fn an_upload_of_the_files_bytes_does_not_make_it_stale() {
    let mut venue = Venue::started();
    let text = without(&csv(), |n| n > 4);
    let digest = held_digest(venue.save_and_publish(&text).await.unwrap());
    venue.upload_with(&text, Some(digest), None).await.unwrap();
    assert!(!venue.running().file_is_stale());
    venue.restart().await;
    assert!(!venue.running().file_is_stale() && venue.running().status().held.newest().is_none());
    assert_eq!(venue.number(), 2);
}

#[tokio::test]
async fn other_bytes_of_the_same_program_are_not_stale() {
    let mut venue = Venue::started();
    let result = venue.save_and_publish(&csv().replace('\n', "\r\n")).await.unwrap().unwrap();
    assert!(!result.is_new && result.release.number() == 1);
    assert!(!venue.running().file_is_stale());
    venue.restart().await;
    assert!(!venue.running().file_is_stale());
}

#[tokio::test]
async fn a_pulled_file_is_not_stale() {
    let mut venue = Venue::started();
    venue.upload(&moved(&csv(), 2)).await.unwrap();
    let running = String::from_utf8(venue.running().release_csv(venue.number()).unwrap()).unwrap();
    let result = venue.save_and_publish(&running).await.unwrap().unwrap();
    assert!(!result.is_new && !venue.running().file_is_stale());
}

#[tokio::test]
async fn the_watch_publishes_after_writes_in_place_and_after_renames() {
    let mut venue = Venue::new();
    venue.settings.debounce_ms = 20;
    venue.start().unwrap();
    let publisher = std::sync::Arc::clone(venue.running());
    let mut releases = publisher.subscribe();
    let watch = tokio::spawn(callboard::publisher::watch(publisher));
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let patience = std::time::Duration::from_secs(10);
    venue.save(&moved(&csv(), 1));
    tokio::time::timeout(patience, releases.changed()).await.unwrap().unwrap();
    let temporary = venue.dir.path().join(".program.csv.swp");
    std::fs::write(&temporary, moved(&csv(), 2)).unwrap();
    std::fs::rename(&temporary, venue.dir.path().join("program.csv")).unwrap();
    tokio::time::timeout(patience, releases.changed()).await.unwrap().unwrap();
    watch.abort();
    assert_eq!((venue.number(), venue.sequence(1), venue.sequence(2)), (3, 2, 1));
    let origins = venue.store.as_ref().unwrap().releases().unwrap();
    assert!(origins[1..].iter().all(|release| release.origin == Origin::File));
}
