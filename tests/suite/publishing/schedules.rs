//! Programs on the schedule.

use super::venue::{Venue, csv, held_digest, moved, proposal, start_of_day, without};
use callboard::publisher::{AttemptResult, HoldReason, Proposal, PublishError, Publisher, Setup};
use callboard::store::{Origin, RecordName, Write};
use chrono::{DateTime, TimeDelta, Utc};

fn in_hours(hours: i64) -> DateTime<Utc> {
    start_of_day() + TimeDelta::hours(hours)
}

#[tokio::test]
async fn a_scheduled_program_is_published_at_its_time_and_not_before() {
    let mut venue = Venue::started();
    let text = moved(&csv(), 2);
    let scheduled = venue.running().schedule(proposal(&text, None, Some(1)), in_hours(2)).await.unwrap();
    assert_eq!((scheduled.running, scheduled.changes.len()), (1, 1));
    assert!(venue.running().publish_due().await.is_none());
    assert_eq!(venue.running().status().schedule.unwrap().at, in_hours(2));
    venue.clock.advance(TimeDelta::hours(2));
    let published = venue.running().publish_due().await.unwrap().unwrap();
    assert!(published.is_new);
    let record = venue.store.as_ref().unwrap().release(2).unwrap().unwrap();
    assert_eq!((record.origin, record.who.as_deref()), (Origin::Scheduled, Some("ops")));
    assert!(venue.running().status().schedule.is_none() && venue.running().publish_due().await.is_none());
    venue.restart().await;
    assert_eq!(venue.number(), 2);
    assert!(venue.running().status().schedule.is_none() && venue.running().file_is_stale());
}

#[tokio::test]
async fn a_start_publishes_a_program_that_was_due_while_the_server_was_down() {
    let mut venue = Venue::started();
    venue.running().schedule(proposal(&moved(&csv(), 2), None, None), in_hours(2)).await.unwrap();
    venue.restart().await;
    assert_eq!(venue.running().status().schedule.unwrap().at, in_hours(2));
    venue.clock.advance(TimeDelta::days(1));
    venue.restart().await;
    assert_eq!(venue.number(), 1);
    venue.running().publish_due().await.unwrap().unwrap();
    assert_eq!(venue.number(), 2);
}

#[tokio::test]
async fn a_later_schedule_replaces_an_earlier_one_and_can_be_removed() {
    let mut venue = Venue::started();
    venue.running().schedule(proposal(&moved(&csv(), 2), None, None), in_hours(1)).await.unwrap();
    venue.running().schedule(proposal(&moved(&csv(), 3), None, None), in_hours(3)).await.unwrap();
    venue.clock.advance(TimeDelta::hours(2));
    assert!(venue.running().publish_due().await.is_none());
    venue.clock.advance(TimeDelta::hours(2));
    venue.running().publish_due().await.unwrap().unwrap();
    venue.check_invariants();
    assert_eq!((venue.sequence(2), venue.sequence(3)), (0, 1));
    venue.running().schedule(proposal(&csv(), None, None), in_hours(9)).await.unwrap();
    assert!(
        venue.running().unschedule(None).await.unwrap() && !venue.running().unschedule(None).await.unwrap()
    );
    venue.clock.advance(TimeDelta::hours(9));
    assert!(venue.running().publish_due().await.is_none());
}

#[tokio::test]
async fn scheduling_refuses_and_holds_like_publishing() {
    let venue = Venue::started();
    let publisher = venue.running();
    let schedule = |text: &str, confirm| publisher.schedule(proposal(text, confirm, None), in_hours(1));
    assert!(matches!(schedule("id\nx", None).await, Err(PublishError::Refused(_))));
    let truncated = without(&csv(), |n| n > 4);
    let digest = held_digest(schedule(&truncated, None).await);
    schedule(&truncated, Some(digest)).await.unwrap();
    let past = publisher.schedule(proposal(&csv(), None, None), in_hours(0)).await;
    assert!(matches!(past, Err(PublishError::Past { .. })));
    let late = publisher.schedule(proposal(&csv(), None, Some(7)), in_hours(1)).await;
    assert!(matches!(late, Err(PublishError::Superseded { live: 1 })));
    venue.clock.advance(TimeDelta::hours(1));
    publisher.publish_due().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_release_in_between_makes_a_confirmation_stale() {
    let mut venue = Venue::started();
    let truncated = without(&csv(), |n| n > 4);
    let digest = held_digest(venue.upload(&truncated).await);
    venue.running().schedule(proposal(&truncated, Some(digest), None), in_hours(1)).await.unwrap();
    venue.upload(&moved(&csv(), 1)).await.unwrap();
    venue.clock.advance(TimeDelta::hours(1));
    held_digest(venue.running().publish_due().await.unwrap());
    let status = venue.running().status();
    assert_eq!(status.held.newest().unwrap().origin, Origin::Scheduled);
    assert!(status.schedule.is_none() && matches!(status.last.unwrap().verdict, AttemptResult::Held { .. }));
    venue.restart().await;
    assert!(venue.running().publish_due().await.is_none(), "it was taken off the schedule");
    assert_eq!(venue.number(), 2);
}

/// A venue with a scheduled program that was held at its time, and the digest that confirms it.
async fn held_when_due() -> (Venue, String) {
    let mut venue = Venue::started();
    let truncated = without(&csv(), |n| n < 5); // the last rows would be held whatever the share
    let digest = held_digest(venue.upload(&truncated).await);
    venue.running().schedule(proposal(&truncated, Some(digest), None), in_hours(1)).await.unwrap();
    venue.upload(&moved(&csv(), 1)).await.unwrap();
    venue.clock.advance(TimeDelta::hours(1));
    let digest = held_digest(venue.running().publish_due().await.unwrap());
    (venue, digest)
}

#[tokio::test]
async fn a_held_schedule_survives_a_restart_until_it_is_confirmed() {
    let (mut venue, digest) = held_when_due().await;
    venue.restart().await;
    let status = venue.running().status();
    let held_proposal = status.held.find(&digest).expect("it is held again").clone();
    assert_eq!((held_proposal.origin, status.schedule), (Origin::Scheduled, None));
    let csv = std::str::from_utf8(&held_proposal.csv).unwrap();
    let confirmed = Proposal { origin: Origin::Scheduled, ..proposal(csv, Some(digest), Some(2)) };
    assert!(venue.running().publish(confirmed).await.unwrap().is_new);
    venue.restart().await;
    assert_eq!(venue.number(), 3);
    assert!(venue.running().status().held.all().is_empty());
}

#[tokio::test]
async fn discarding_or_another_release_removes_a_held_schedule() {
    for is_discarded in [true, false] {
        let (mut venue, digest) = held_when_due().await;
        if is_discarded {
            assert!(venue.running().discard(&digest).await.unwrap());
            assert!(!venue.running().discard(&digest).await.unwrap());
        } else {
            venue.upload(&moved(&csv(), 2)).await.unwrap();
        }
        assert!(venue.running().status().held.all().is_empty());
        venue.restart().await;
        assert!(venue.running().status().held.all().is_empty());
        assert!(!venue.running().unschedule(None).await.unwrap());
    }
}

#[tokio::test]
async fn a_restart_with_a_laxer_guard_does_not_publish_a_held_schedule() {
    let (mut venue, _) = held_when_due().await;
    venue.settings.guard_share = 1.0;
    venue.restart().await;
    assert_eq!(venue.number(), 2);
    let status = venue.running().status();
    assert!(status.held.newest().unwrap().reasons[0] == HoldReason::HeldWhenDue);
}

#[tokio::test]
async fn the_status_follows_a_schedule_that_left_the_store() {
    let venue = Venue::started();
    venue.running().schedule(proposal(&moved(&csv(), 2), None, None), in_hours(1)).await.unwrap();
    // Removes the schedule from the store alone, as a commit with an unknown outcome may do.
    let forget = Write::DropNamed(RecordName::Schedule);
    venue.store.as_ref().unwrap().commit_blocking(vec![forget]).unwrap();
    assert!(venue.running().publish_due().await.is_none());
    assert!(venue.running().status().schedule.is_some(), "it is read before its time");
    venue.clock.advance(TimeDelta::hours(2));
    assert!(venue.running().publish_due().await.is_none());
    assert!(venue.running().status().schedule.is_none(), "or its keeper looks again at once, for ever");
}

#[tokio::test]
async fn a_scheduled_release_of_another_publisher_is_served() {
    let venue = Venue::started();
    let store = venue.store.clone().unwrap();
    let setup = Setup {
        file: venue.dir.path().join("program.csv"),
        settings: venue.settings.clone(),
        webhooks: Vec::new(),
        push: None,
        source: None,
        mail: None,
        spool: venue.dir.path().join("spool"),
        inspect: venue.inspect,
    };
    venue.running().schedule(proposal(&moved(&csv(), 2), None, None), in_hours(1)).await.unwrap();
    let other = Publisher::start(store, venue.conference(), setup, venue.clock.clone()).unwrap().publisher;
    venue.clock.advance(TimeDelta::hours(2));
    assert!(other.publish_due().await.unwrap().unwrap().is_new);
    assert_eq!(venue.number(), 1);
    assert!(venue.running().publish_due().await.is_none());
    assert_eq!(venue.number(), 2);
    assert!(venue.running().status().schedule.is_none());
}

/// A scheduled file moves the second talk; meanwhile another organizer moved the third one.
async fn overtaken_schedule() -> Venue {
    let mut venue = Venue::started();
    venue.running().schedule(proposal(&moved(&csv(), 2), None, None), in_hours(1)).await.unwrap();
    venue.upload(&moved(&csv(), 3)).await.unwrap();
    venue
}

#[tokio::test]
async fn a_scheduled_file_that_would_undo_a_later_release_is_held() {
    let mut venue = overtaken_schedule().await;
    venue.clock.advance(TimeDelta::hours(1));
    let due = venue.running().publish_due().await.unwrap();
    let digest = held_digest(due);
    assert_eq!(venue.number(), 2);
    let expected = HoldReason::Overwrites { first: 2, last: 2, sessions: vec!["talk-3".to_owned()] };
    let status = venue.running().status();
    assert_eq!(status.held.find(&digest).unwrap().reasons, std::slice::from_ref(&expected));
    assert!(status.schedule.is_none() && matches!(status.last.unwrap().verdict, AttemptResult::Held { .. }));

    venue.restart().await;
    assert!(venue.running().publish_due().await.is_none());
    let held_proposal = venue.running().status().held.find(&digest).expect("it is held again").clone();
    assert_eq!((venue.number(), held_proposal.reasons.last()), (2, Some(&expected)));
    let text = std::str::from_utf8(&held_proposal.csv).unwrap();
    let confirmed = Proposal { origin: Origin::Scheduled, ..proposal(text, Some(digest), Some(2)) };
    assert!(venue.running().publish(confirmed).await.unwrap().is_new);
    assert_eq!(venue.number(), 3);
}

#[tokio::test]
async fn a_late_start_holds_a_scheduled_file_that_would_undo_a_later_release() {
    let mut venue = overtaken_schedule().await;
    venue.restart().await;
    venue.clock.advance(TimeDelta::days(1));
    venue.restart().await;
    held_digest(venue.running().publish_due().await.unwrap());
    assert_eq!(venue.number(), 2);
}

#[tokio::test]
async fn a_scheduled_file_with_the_same_change_as_a_later_release_is_published() {
    let mut venue = Venue::started();
    let both = moved(&moved(&csv(), 2), 3);
    venue.running().schedule(proposal(&both, None, None), in_hours(1)).await.unwrap();
    venue.upload(&moved(&csv(), 3)).await.unwrap();
    venue.clock.advance(TimeDelta::hours(1));
    assert!(venue.running().publish_due().await.unwrap().unwrap().is_new);
    venue.check_invariants();
    assert_eq!((venue.number(), venue.sequence(2), venue.sequence(3)), (3, 1, 1));
}

#[tokio::test]
async fn a_schedule_of_an_earlier_version_is_compared_by_time() {
    for is_overtaken in [true, false] {
        let mut venue = Venue::started();
        if !is_overtaken {
            venue.upload(&moved(&csv(), 3)).await.unwrap();
        }
        venue.clock.advance(TimeDelta::minutes(1));
        let (made, at) = (venue.clock.now(), in_hours(1));
        let head = format!(
            r#"{{"at":"{}","who":"ops","made":"{}","confirm":null}}"#,
            at.to_rfc3339(),
            made.to_rfc3339()
        );
        let value = [head.as_bytes(), b"\n", moved(&csv(), 2).as_bytes()].concat();
        let write = Write::raw("schedule", value);
        venue.store.as_ref().unwrap().commit(vec![write]).await.unwrap();
        venue.clock.advance(TimeDelta::minutes(1));
        if is_overtaken {
            venue.upload(&moved(&csv(), 3)).await.unwrap();
        }
        venue.restart().await;
        venue.clock.advance(TimeDelta::hours(1));
        let due = venue.running().publish_due().await.unwrap();
        match is_overtaken {
            true => drop(held_digest(due)),
            false => assert!(due.unwrap().is_new),
        }
    }
}
