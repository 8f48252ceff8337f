//! The guard: when it holds a release, and how a confirmation lets it through.

use super::venue::{Venue, csv, held_digest, moved, without};
use callboard::publisher::PublishError;

#[tokio::test]
async fn a_truncated_file_is_held_until_its_digest_confirms_it() {
    let mut venue = Venue::started();
    let before = venue.feeds();
    let truncated = without(&csv(), |n| n > 4);
    let digest = held_digest(venue.save_and_publish(&truncated).await.unwrap());
    assert_eq!(venue.feeds(), before);
    let held_proposal = venue.running().status().held.newest().cloned().unwrap();
    assert_eq!((held_proposal.digest.clone(), held_proposal.changes.len()), (digest.clone(), 4));
    assert!(held_proposal.reasons[0].to_string().contains("4 of 8"), "{:?}", held_proposal.reasons);

    assert_eq!(held_digest(venue.upload_with(&truncated, Some("0".repeat(32)), None).await), digest);
    let published = venue.upload_with(&truncated, Some(digest), None).await.unwrap();
    assert!(published.is_new && published.changes.len() == 4);
    assert!(venue.running().status().held.newest().is_none());
    assert_eq!(venue.running().current().feeds.events().len(), 8, "they stay as tombstones");
}

#[tokio::test]
async fn correcting_a_held_file_drops_the_held_proposal() {
    for put_right in [csv(), csv().replace("09:00", "25:00")] {
        let mut venue = Venue::started();
        held_digest(venue.save_and_publish(&without(&csv(), |n| n > 4)).await.unwrap());
        assert!(venue.running().status().held.newest().is_some());
        let _ = venue.save_and_publish(&put_right).await;
        assert!(venue.running().status().held.newest().is_none());
    }
}

#[tokio::test]
async fn a_digest_is_stale_after_another_release_file_or_config() {
    let mut venue = Venue::started();
    let truncated = without(&csv(), |n| n > 4);
    let digest = held_digest(venue.upload(&truncated).await);
    let other = without(&csv(), |n| n > 3);
    assert_ne!(held_digest(venue.upload_with(&other, Some(digest.clone()), None).await), digest);
    venue.upload(&moved(&csv(), 1)).await.unwrap();
    let fresh = held_digest(venue.upload_with(&truncated, Some(digest.clone()), None).await);
    assert_ne!(fresh, digest);
    venue.config = venue.config.replace("title = \"Conf\"", "title = \"Conf 2025\"");
    venue.restart().await;
    assert_ne!(held_digest(venue.upload_with(&truncated, Some(fresh.clone()), None).await), fresh);
}

#[tokio::test]
async fn removing_a_quarter_of_the_program_or_two_sessions_needs_no_confirmation() {
    let mut venue = Venue::started();
    venue.upload(&without(&csv(), |n| n < 3)).await.unwrap();
    // Six sessions are left. Two removed sessions are a third of them, but fewer than three (guard_least).
    venue.upload(&without(&csv(), |n| n < 5)).await.unwrap();
    held_digest(venue.upload(&without(&csv(), |n| n < 8)).await);
}

#[tokio::test]
async fn the_guard_counts_retitled_and_moved_sessions_but_not_edited_ones() {
    let mut venue = Venue::started();
    held_digest(venue.upload(&csv().replace("Talk", "Lecture")).await);
    held_digest(venue.upload(&csv().replace("Room ", "Hall ")).await);
    venue.upload(&csv().replace("About", "All about")).await.unwrap();
    assert_eq!(venue.number(), 2);
}

#[tokio::test]
async fn the_second_of_two_organizers_gets_a_conflict() {
    let mut venue = Venue::started();
    venue.upload_with(&moved(&csv(), 1), None, Some(1)).await.unwrap();
    let error = venue.upload_with(&moved(&csv(), 2), None, Some(1)).await.unwrap_err();
    assert!(matches!(error, PublishError::Superseded { live: 2 }));
    let (a, b) = {
        let publisher = venue.running();
        let first = publisher.publish(super::venue::proposal(&moved(&csv(), 3), None, Some(2)));
        let second = publisher.publish(super::venue::proposal(&moved(&csv(), 4), None, Some(2)));
        tokio::join!(first, second)
    };
    assert!(a.is_ok() != b.is_ok(), "only one is first");
    venue.check_invariants();
}

#[tokio::test]
async fn a_preview_publishes_nothing_and_shows_the_changes_of_a_publication() {
    let mut venue = Venue::started();
    let text = without(&moved(&csv(), 1), |n| n == 7);
    let preview = venue.running().preview(text.as_bytes());
    let (prepared, verdict) = (preview.prepared.unwrap(), preview.verdict.unwrap());
    assert_eq!((venue.number(), prepared.release.number(), verdict.is_held()), (1, 2, false));
    let published = venue.upload(&text).await.unwrap();
    assert_eq!(published.changes, prepared.changes);
    let broken = venue.running().preview(b"id\nx");
    assert!(broken.prepared.is_none() && broken.report.errors().count() > 0);
}
