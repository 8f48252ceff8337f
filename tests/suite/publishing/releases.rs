//! Releases: their effect on sequences and on the store.

use super::venue::{Venue, csv, held_digest, moved, without};
use callboard::program::ChangeKind;
use callboard::publisher::PublishError;
use callboard::revision::EntryState;
use callboard::store::Origin;

#[tokio::test]
async fn an_unchanged_upload_returns_the_live_release() {
    let mut venue = Venue::started();
    let before = venue.feeds();
    let published = venue.upload(&csv()).await.unwrap();
    assert_eq!((published.is_new, published.release.number()), (false, 1));
    assert_eq!(venue.feeds(), before);
    assert_eq!(venue.store.as_ref().unwrap().releases().unwrap().len(), 1);
}

#[tokio::test]
async fn a_roll_back_is_a_new_release_and_sequences_only_rise() {
    let mut venue = Venue::started();
    venue.upload(&moved(&csv(), 2)).await.unwrap();
    let back = venue.running().roll_back(1, Some("ops".into()), None, Some(2)).await.unwrap();
    venue.check_invariants();
    assert_eq!((back.release.number(), venue.sequence(2), venue.sequence(1)), (3, 2, 0));
    assert_eq!(
        venue.entry(2).session.slot,
        venue.running().current().program.session(&super::venue::id(2)).unwrap().slot
    );
    let record = venue.store.as_ref().unwrap().release(3).unwrap().unwrap();
    assert_eq!((record.origin, record.who.as_deref()), (Origin::Rollback { of: 1 }, Some("ops")));
    venue.restart().await;
    assert_eq!(venue.number(), 3, "the file has release 1's bytes, and does not undo anything");
    let missing = venue.running().roll_back(9, None, None, None).await.unwrap_err();
    assert!(matches!(missing, PublishError::NotKept { number: 9 }));
}

#[tokio::test]
async fn a_roll_back_goes_through_the_guard() {
    let mut venue = Venue::started();
    let digest = held_digest(venue.upload(&without(&csv(), |n| n > 4)).await);
    venue.upload_with(&without(&csv(), |n| n > 4), Some(digest), None).await.unwrap();
    venue.running().roll_back(1, None, None, None).await.unwrap(); // it only restores
    let digest = held_digest(venue.running().roll_back(2, None, None, None).await);
    venue.running().roll_back(2, None, Some(digest), None).await.unwrap();
    venue.check_invariants();
}

#[tokio::test]
async fn a_removed_session_is_cancelled_and_comes_back_with_a_higher_sequence() {
    let mut venue = Venue::started();
    let gone = venue.save_and_publish(&without(&csv(), |n| n == 5)).await.unwrap().unwrap();
    assert_eq!(gone.changes[0].kind, ChangeKind::Cancelled);
    let entry = venue.entry(5);
    assert_eq!((entry.state, entry.is_cancelled(), entry.revision.sequence), (EntryState::Removed, true, 1));
    venue.restart().await;
    let back = venue.save_and_publish(&csv()).await.unwrap().unwrap();
    assert_eq!(back.changes[0].kind, ChangeKind::Restored);
    assert_eq!((venue.sequence(5), venue.entry(5).number), (2, entry.number));
}

#[tokio::test]
async fn a_withdrawn_session_leaves_every_feed_at_once() {
    let mut venue = Venue::started();
    let text = csv().replace("About 6,confirmed", "About 6,withdrawn");
    let published = venue.save_and_publish(&text).await.unwrap().unwrap();
    assert_eq!(published.changes[0].kind, ChangeKind::Withdrawn);
    for (path, bytes) in venue.feeds() {
        assert!(!String::from_utf8_lossy(&bytes).contains("talk-6@"), "{path}");
    }
    let shown =
        callboard::publisher::describe_changes(&published.changes, published.release.program.conference.zone);
    assert!(shown[0].title.is_empty() && shown[0].fields.is_empty(), "its text is not repeated");
    venue.restart().await;
    venue.save_and_publish(&csv()).await.unwrap().unwrap();
    assert!(venue.sequence(6) >= 1, "it comes back above what was served");
}

#[tokio::test]
async fn a_moved_session_keeps_its_old_slot_until_its_next_change() {
    let mut venue = Venue::started();
    venue.save_and_publish(&moved(&csv(), 2)).await.unwrap().unwrap();
    assert!(venue.entry(2).moved_from.is_some());
    venue.save_and_publish(&moved(&moved(&csv(), 2), 3)).await.unwrap().unwrap();
    assert!(venue.entry(2).moved_from.is_some(), "another session's change leaves it");
    venue.save_and_publish(&moved(&csv(), 3)).await.unwrap().unwrap();
    let entry = venue.entry(2);
    assert_eq!(entry.revision.sequence, 2, "moved back is a move");
    assert!(entry.moved_from.is_some());
}

#[tokio::test]
async fn programs_beyond_the_configured_number_are_dropped_but_never_the_live_one() {
    let mut venue = Venue::new();
    venue.settings.keep_releases = 3;
    venue.start().unwrap();
    for n in 0..5 {
        venue.upload(&csv().replace("About 1", &format!("About {n} things"))).await.unwrap();
    }
    let complete = |venue: &Venue| -> Vec<u64> {
        let releases = venue.store.as_ref().unwrap().releases().unwrap();
        releases.iter().filter(|release| release.complete).map(|release| release.number).collect()
    };
    assert_eq!(complete(&venue), [4, 5, 6]);
    assert!(matches!(venue.running().release_csv(2), Err(PublishError::NotKept { number: 2 })));
    // With a lower limit, the next release drops all programs beyond it.
    venue.settings.keep_releases = 0;
    venue.restart().await;
    venue.upload(&csv()).await.unwrap();
    assert_eq!(complete(&venue), [7]);
    venue.restart().await;
    assert_eq!(venue.number(), 7);
}
