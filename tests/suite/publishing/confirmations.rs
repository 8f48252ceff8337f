//! The guard: what is held, and what lets it through.

use super::venue::{Venue, csv, held, moved, without};
use callboard::publisher::PublishError;

#[tokio::test]
async fn a_truncated_file_is_held_loudly_and_confirmed_by_its_digest() {
    let mut venue = Venue::started();
    let before = venue.feeds();
    let truncated = without(&csv(), |n| n > 4);
    let digest = held(venue.saved(&truncated).await.unwrap());
    assert_eq!(venue.feeds(), before);
    let waiting = venue.running().status().held.newest().cloned().unwrap();
    assert_eq!((waiting.digest.clone(), waiting.changes.len()), (digest.clone(), 4));
    assert!(waiting.reasons[0].contains("4 of 8"), "{:?}", waiting.reasons);

    assert_eq!(held(venue.upload_with(&truncated, Some("0".repeat(32)), None).await), digest);
    let published = venue.upload_with(&truncated, Some(digest), None).await.unwrap();
    assert!(published.is_new && published.changes.len() == 4);
    assert!(venue.running().status().held.newest().is_none());
    assert_eq!(venue.running().current().feeds.events().len(), 8, "as tombstones they stay");
}

#[tokio::test]
async fn a_held_file_that_is_put_right_waits_no_longer() {
    for put_right in [csv(), csv().replace("09:00", "25:00")] {
        let mut venue = Venue::started();
        held(venue.saved(&without(&csv(), |n| n > 4)).await.unwrap());
        assert!(venue.running().status().held.newest().is_some());
        let _ = venue.saved(&put_right).await;
        assert!(venue.running().status().held.newest().is_none());
    }
}

#[tokio::test]
async fn a_digest_is_stale_after_another_release_another_file_or_another_config() {
    let mut venue = Venue::started();
    let truncated = without(&csv(), |n| n > 4);
    let digest = held(venue.upload(&truncated).await);
    let other = without(&csv(), |n| n > 3);
    assert_ne!(held(venue.upload_with(&other, Some(digest.clone()), None).await), digest);
    venue.upload(&moved(&csv(), 1)).await.unwrap();
    let fresh = held(venue.upload_with(&truncated, Some(digest.clone()), None).await);
    assert_ne!(fresh, digest);
    venue.config = venue.config.replace("title = \"Conf\"", "title = \"Conf 2025\"");
    venue.restart().await;
    assert_ne!(held(venue.upload_with(&truncated, Some(fresh.clone()), None).await), fresh);
}

#[tokio::test]
async fn a_quarter_of_the_program_may_go_and_two_sessions_always_may() {
    let mut venue = Venue::started();
    venue.upload(&without(&csv(), |n| n < 3)).await.unwrap();
    // Six sessions are left: two of them are a third, but fewer than three sessions.
    venue.upload(&without(&csv(), |n| n < 5)).await.unwrap();
    held(venue.upload(&without(&csv(), |n| n < 8)).await);
}

#[tokio::test]
async fn retitled_and_moved_sessions_count_and_edited_ones_do_not() {
    let mut venue = Venue::started();
    held(venue.upload(&csv().replace("Talk", "Lecture")).await);
    held(venue.upload(&csv().replace("Room ", "Hall ")).await);
    venue.upload(&csv().replace("About", "All about")).await.unwrap();
    assert_eq!(venue.number(), 2);
}

#[tokio::test]
async fn two_organizers_do_not_publish_over_each_other() {
    let mut venue = Venue::started();
    venue.upload_with(&moved(&csv(), 1), None, Some(1)).await.unwrap();
    let error = venue.upload_with(&moved(&csv(), 2), None, Some(1)).await.unwrap_err();
    assert!(matches!(error, PublishError::Superseded { running: 2 }));
    let (a, b) = {
        let publisher = venue.running();
        let first = publisher.publish(super::venue::proposal(&moved(&csv(), 3), None, Some(2)));
        let second = publisher.publish(super::venue::proposal(&moved(&csv(), 4), None, Some(2)));
        tokio::join!(first, second)
    };
    assert!(a.is_ok() != b.is_ok(), "one of them is too late");
    venue.look();
}

#[tokio::test]
async fn a_preview_changes_nothing_and_says_what_publishing_would() {
    let mut venue = Venue::started();
    let text = without(&moved(&csv(), 1), |n| n == 7);
    let preview = venue.running().preview(text.as_bytes());
    let (prepared, guarded) = (preview.prepared.unwrap(), preview.guarded.unwrap());
    assert_eq!((venue.number(), prepared.release.number(), guarded.is_held()), (1, 2, false));
    let published = venue.upload(&text).await.unwrap();
    assert_eq!(published.changes, prepared.changes);
    let broken = venue.running().preview(b"id\nx");
    assert!(broken.prepared.is_none() && broken.report.errors().count() > 0);
}
