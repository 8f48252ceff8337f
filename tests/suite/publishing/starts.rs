//! Starts: which programs they publish, and which state they leave unchanged.

use super::venue::{Venue, csv, id, moved, without};
use callboard::publisher::{AttemptResult, Proposal, StartError};
use callboard::revision::EntryState;
use callboard::store::Origin;
use chrono::TimeDelta;

#[test]
fn the_first_start_publishes_release_1() {
    let mut venue = Venue::new();
    assert!(venue.start().unwrap());
    let record = venue.store.as_ref().unwrap().release(1).unwrap().unwrap();
    assert_eq!((record.number, record.origin, record.changes.len()), (1, Origin::First, 8));
    assert_eq!(venue.running().release_csv(venue.number()).unwrap(), csv().into_bytes());
}

#[test]
fn a_first_start_needs_a_program_without_errors() {
    let mut venue = Venue::new();
    venue.save("id,date\nx");
    assert!(matches!(venue.start(), Err(StartError::BadProgram(report)) if report.errors().count() > 0));
    std::fs::remove_file(venue.dir.path().join("program.csv")).unwrap();
    assert!(matches!(venue.start(), Err(StartError::NoProgram { .. })));
    venue.save(&csv());
    assert!(venue.start().unwrap(), "nothing of the failed starts is in the store");
}

#[tokio::test]
async fn a_late_restart_serves_the_same_bytes() {
    let mut venue = Venue::started();
    venue.save_and_publish(&without(&csv(), |n| n == 3)).await.unwrap().unwrap();
    let before = venue.feeds();
    for _ in 0..2 {
        // Later than the day from which a release would drop the tombstone.
        venue.clock.advance(TimeDelta::days(90));
        venue.restart().await;
        assert_eq!((venue.number(), venue.feeds()), (2, before.clone()));
        assert_eq!(venue.entry(3).state, EntryState::Removed);
    }
    venue.save_and_publish(&moved(&without(&csv(), |n| n == 3), 1)).await.unwrap().unwrap();
    assert_eq!(venue.entry(3).state, EntryState::Dropped, "a release drops it");
}

#[tokio::test]
async fn a_start_publishes_a_file_saved_while_the_server_was_down() {
    let mut venue = Venue::started();
    venue.save(&moved(&csv(), 2));
    venue.restart().await;
    assert_eq!((venue.number(), venue.sequence(2)), (2, 1));
    assert!(!venue.running().file_is_stale());
}

#[tokio::test]
async fn a_start_publishes_a_renamed_track_whose_old_slug_still_answers() {
    let mut venue = Venue::started();
    venue.config = venue
        .config
        .replace("name = \"One\"\nslug = \"one\"", "name = \"First\"\nslug = \"first\"\nwas = [\"one\"]");
    venue.save(&csv().replace(",One,", ",First,"));
    venue.restart().await;
    let origins: Vec<Origin> =
        venue.store.as_ref().unwrap().releases().unwrap().iter().map(|release| release.origin).collect();
    assert_eq!(origins, [Origin::First, Origin::Config,]);
    assert!(venue.sequence(1) == 1 && venue.sequence(2) == 0);
    let slugs = venue.running().current().ledger.slugs.clone();
    let old = callboard::program::Slug::parse("one").unwrap();
    assert_eq!(slugs.track(&old).unwrap().name.as_str(), "First");
    assert!(!venue.running().file_is_stale(), "the file gives the same program, so it is not stale");
    let before = venue.feeds();
    venue.restart().await;
    assert_eq!(venue.feeds(), before);
}

#[tokio::test]
async fn a_config_that_changes_no_feed_leaves_the_release_record_unchanged() {
    let mut venue = Venue::started();
    venue.save_and_publish(&moved(&csv(), 2)).await.unwrap().unwrap();
    let before = (venue.feeds(), venue.store.as_ref().unwrap().release(2).unwrap().unwrap());
    venue.config = venue.config.replace("[conference]", "[conference]\ntombstone_days = 7");
    venue.restart().await;
    let after = (venue.feeds(), venue.store.as_ref().unwrap().release(2).unwrap().unwrap());
    assert_eq!(before, after, "changes, origin and time of a release are history");
    assert_eq!(venue.running().current().program.conference.tombstone_days, 7);
}

#[tokio::test]
async fn a_start_holds_a_changed_zone_or_changed_dates() {
    for (old, new) in
        [("America/Los_Angeles", "America/New_York"), ("last_day = 2025-03-27", "last_day = 2025-03-28")]
    {
        let mut venue = Venue::started();
        let before = venue.feeds();
        venue.config = venue.config.replace(old, new);
        venue.restart().await;
        assert_eq!((venue.number(), venue.feeds()), (1, before), "the old config goes on");
        let held_proposal = venue.running().status().held.newest().cloned().unwrap();
        assert_eq!(held_proposal.origin, Origin::Config);
        let published = venue.upload_with(&csv(), Some(held_proposal.digest), None).await.unwrap();
        assert!(published.is_new && venue.running().status().held.newest().is_none());
        assert_eq!(published.release.program.conference, venue.running().conference());
        venue.restart().await;
        assert_eq!(venue.number(), 2);
    }
}

#[tokio::test]
async fn a_held_config_is_confirmed_by_uploading_the_live_program() {
    let mut venue = Venue::started();
    venue.config = venue.config.replace("last_day = 2025-03-27", "last_day = 2025-03-28");
    venue.restart().await;
    let held_proposal = venue.running().status().held.newest().cloned().unwrap();
    assert_eq!((held_proposal.origin, held_proposal.base), (Origin::Config, 1));
    let csv = std::str::from_utf8(&held_proposal.csv).unwrap();
    let confirm = Some(held_proposal.digest.clone());
    let proposal = Proposal { origin: Origin::Config, ..super::venue::proposal(csv, confirm, Some(1)) };
    assert!(venue.running().publish(proposal).await.unwrap().is_new);
    assert!(!venue.running().file_is_stale() && venue.running().status().held.all().is_empty());
    venue.restart().await;
    assert_eq!(venue.number(), 2);
}

#[tokio::test]
async fn a_start_refuses_a_config_that_gives_the_program_errors() {
    let mut venue = Venue::started();
    // 02:30 does not exist on that day in that zone.
    let csv = csv().replace("talk-1,2025-03-25,09:00,10:00", "talk-1,2025-03-30,02:30,03:30");
    venue.save_and_publish(&csv).await.unwrap().unwrap();
    venue.config = venue.config.replace("America/Los_Angeles", "Europe/Berlin");
    venue.restart().await;
    assert_eq!(venue.number(), 2);
    let last = venue.running().status().last.unwrap();
    assert!(matches!(last.verdict, AttemptResult::Refused { errors: 1.. }), "{last:?}");
}

#[tokio::test]
async fn a_changed_uid_domain_prevents_the_start() {
    let mut venue = Venue::started();
    venue.stop();
    venue.config = venue.config.replace("uid_domain = \"conf.example\"", "uid_domain = \"other.example\"");
    let error = venue.start().unwrap_err();
    assert!(matches!(&error, StartError::UidDomain { stored, .. } if stored == "conf.example"));
    assert!(error.to_string().contains("uid_domain = \"conf.example\""), "{error}");
}

#[tokio::test]
async fn a_stored_file_that_no_longer_imports_is_served_from_the_ledger() {
    let mut venue = Venue::started();
    venue.save_and_publish(&moved(&csv(), 2)).await.unwrap().unwrap();
    let before = venue.feeds();
    let store = venue.store.as_ref().unwrap();
    let record = Box::new(store.release(2).unwrap().unwrap());
    let csv = Some(b"nothing of a program".to_vec());
    store.commit(vec![callboard::store::Write::RewriteRelease { record, csv }]).await.unwrap();
    venue.restart().await;
    assert_eq!((venue.number(), venue.feeds()), (2, before));
    assert!(venue.running().current().program.session(&id(2)).is_some());
}
