//! Deliveries to webhooks: which releases make them, and how they are claimed, settled and retried.

use super::venue::{Venue, csv, moved};
use callboard::config::Webhook;
use callboard::reach::{Body, ClaimedMessage, Outcome, SendResult};
use callboard::store::DeliveryRecord;
use chrono::TimeDelta;
use std::collections::BTreeSet;

fn hook(host: &str) -> Webhook {
    Webhook { url: format!("https://{host}.example/").parse().unwrap(), secret_file: "secret".into() }
}

/// A venue whose releases 1 and 2 were announced to two webhooks.
async fn two_releases() -> Venue {
    let mut venue = Venue::new();
    venue.webhooks = vec![hook("one"), hook("two")];
    venue.start().unwrap();
    venue.save_and_publish(&moved(&csv(), 2)).await.unwrap().unwrap();
    venue
}

fn claim(venue: &Venue, limit: usize) -> Vec<ClaimedMessage> {
    venue.running().claim_messages(limit, &[]).unwrap().messages
}

fn outcome(claimed: &ClaimedMessage, result: SendResult) -> Outcome {
    Outcome { id: claimed.id.clone(), claim: claimed.claim, release: claimed.release, result }
}

fn settle(venue: &Venue, claimed: &[ClaimedMessage], result: SendResult) {
    let outcomes: Vec<Outcome> = claimed.iter().map(|one| outcome(one, result.clone())).collect();
    venue.running().outbox().settle(&outcomes).unwrap();
}

fn answered(status: u16) -> SendResult {
    SendResult::Answered { status, retry_after: None }
}

fn record(venue: &Venue, id: &str) -> DeliveryRecord {
    venue.store.as_ref().unwrap().delivery(id).unwrap().unwrap()
}

#[tokio::test]
async fn each_release_makes_one_delivery_for_each_webhook() {
    let mut venue = two_releases().await;
    venue.save_and_publish(&moved(&csv(), 2)).await;
    assert_eq!(venue.delivery_ids(), ["0000000001-0", "0000000001-1", "0000000002-0", "0000000002-1"]);
    let claimed = claim(&venue, 99);
    let sent: BTreeSet<_> = claimed.iter().map(|one| (one.release, one.host.as_str())).collect();
    assert_eq!(sent, [(1, "one.example"), (1, "two.example"), (2, "one.example"), (2, "two.example")].into());
    let body = |release| {
        let found = claimed.iter().find(|one| one.release == release).unwrap();
        let Body::Text(text) = &found.message.body else { panic!("no text") };
        serde_json::from_str::<serde_json::Value>(text).unwrap()
    };
    assert_eq!(body(1)["changes"], serde_json::json!([]), "the first release is no list of additions");
    assert_eq!((&body(2)["release"], &body(2)["changes"][0]["change"]), (&2.into(), &"moved".into()));
    let start = &body(2)["changes"][0]["fields"]["start"];
    assert_eq!(
        (&start["from"], &start["to"]),
        (&"2025-03-25T10:00:00-07:00".into(), &"2025-03-26T10:00:00-07:00".into(),)
    );
}

#[tokio::test]
async fn a_webhook_that_is_added_later_gets_only_later_releases() {
    let mut venue = Venue::started();
    venue.save_and_publish(&moved(&csv(), 2)).await.unwrap().unwrap();
    venue.webhooks = vec![hook("one")];
    venue.restart().await;
    venue.running().announce_releases().await;
    assert!(venue.delivery_ids().is_empty());
    venue.save_and_publish(&moved(&csv(), 3)).await.unwrap().unwrap();
    assert_eq!(venue.delivery_ids(), ["0000000003-0"]);
}

#[tokio::test]
async fn deliveries_to_a_webhook_that_left_the_config_are_dropped() {
    let mut venue = two_releases().await;
    venue.webhooks = vec![hook("two")];
    venue.restart().await;
    let hosts: BTreeSet<String> = claim(&venue, 99).into_iter().map(|one| one.host).collect();
    assert_eq!(hosts, ["two.example".to_owned()].into());
    assert_eq!(venue.delivery_ids(), ["0000000001-1", "0000000002-1"]);
}

#[tokio::test]
async fn a_failed_delivery_waits_longer_each_time_and_keeps_its_content() {
    let venue = two_releases().await;
    let (mut waits, mut bodies) = (Vec::new(), BTreeSet::new());
    for _ in 0..6 {
        let claimed: Vec<_> = claim(&venue, 99).into_iter().filter(|one| one.id == "0000000002-0").collect();
        bodies.insert(format!("{:?}", claimed[0].message));
        settle(&venue, &claimed, answered(503));
        let failed = record(&venue, "0000000002-0");
        waits.push((failed.due - venue.clock.now()).num_seconds());
        assert_eq!(failed.error.as_deref(), Some("the receiver answered 503"));
        assert!(claim(&venue, 99).iter().all(|one| one.id != "0000000002-0"), "it is not due");
        venue.clock.advance(TimeDelta::seconds(waits.last().unwrap() + 1));
    }
    assert!(waits[0] <= 2 && waits.is_sorted() && waits[5] >= 30, "{waits:?}");
    assert_eq!(bodies.len(), 1, "every attempt sends the same");
    let claimed: Vec<_> = claim(&venue, 99).into_iter().filter(|one| one.id == "0000000002-0").collect();
    settle(&venue, &claimed, SendResult::Answered { status: 429, retry_after: Some(3600) });
    assert_eq!((record(&venue, "0000000002-0").due - venue.clock.now()).num_seconds(), 3600);
}

#[tokio::test]
async fn a_claim_that_nobody_settles_ends_and_its_late_result_is_ignored() {
    let venue = two_releases().await;
    let first = claim(&venue, 1);
    assert_eq!(claim(&venue, 99).len(), 3, "a claimed delivery is not claimed again");
    venue.clock.advance(TimeDelta::seconds(119));
    assert!(claim(&venue, 99).is_empty());
    venue.clock.advance(TimeDelta::seconds(1));
    let again = claim(&venue, 99);
    assert_eq!(again.len(), 4);
    settle(&venue, &first, answered(500));
    assert_eq!(record(&venue, &first[0].id).attempts, 0);
    // The sender that was killed had sent it: the receiver knows it by its name.
    let same = again.iter().find(|one| one.id == first[0].id).unwrap();
    assert_eq!(same.message, first[0].message);
    settle(&venue, &again, answered(204));
    assert!(venue.delivery_ids().is_empty());
}

#[tokio::test]
async fn a_claim_survives_a_restart_of_the_server() {
    let mut venue = two_releases().await;
    let claimed = claim(&venue, 99);
    venue.stop();
    venue.start().unwrap();
    assert!(claim(&venue, 99).is_empty());
    settle(&venue, &claimed, answered(200));
    assert!(venue.delivery_ids().is_empty());
}

#[tokio::test]
async fn a_returned_claim_is_due_at_once_and_counts_as_no_attempt() {
    let venue = two_releases().await;
    let claimed = claim(&venue, 99);
    settle(&venue, &claimed, SendResult::Returned);
    assert_eq!(claim(&venue, 99).len(), 4);
    assert_eq!(record(&venue, "0000000001-0").attempts, 0);
}

#[tokio::test]
async fn a_delivery_is_given_up_after_two_days_and_can_be_retried() {
    let mut venue = two_releases().await;
    venue.clock.advance(TimeDelta::hours(49));
    let claimed = claim(&venue, 99);
    settle(&venue, &claimed, SendResult::Failed { error: "no answer".to_owned() });
    assert!(claim(&venue, 99).is_empty());
    let counts = venue.running().count_deliveries().unwrap();
    let count = counts.values().next().unwrap();
    assert_eq!((count.waiting, count.given_up), (0, 4));
    assert_eq!(venue.running().outbox().retry_given_up().unwrap(), 4);
    assert_eq!(claim(&venue, 99).len(), 4);
    // What is never retried is listed for a month.
    venue.clock.advance(TimeDelta::hours(49));
    let claimed = claim(&venue, 99);
    settle(&venue, &claimed, answered(500));
    venue.clock.advance(TimeDelta::days(31));
    venue.save_and_publish(&moved(&csv(), 3)).await.unwrap().unwrap();
    assert_eq!(venue.delivery_ids(), ["0000000003-0", "0000000003-1"]);
}

#[tokio::test]
async fn hosts_take_turns_and_busy_ones_are_left_out() {
    let venue = two_releases().await;
    let hosts = |claimed: &[ClaimedMessage]| claimed.iter().map(|one| one.host.clone()).collect::<Vec<_>>();
    let claimed = claim(&venue, 2);
    assert_eq!(hosts(&claimed), ["one.example", "two.example"]);
    let busy = venue.running().claim_messages(99, &["one.example".to_owned()]).unwrap();
    assert_eq!(hosts(&busy.messages), ["two.example"]);
    assert!(busy.next.is_some_and(|next| next <= venue.clock.now()), "the busy host's delivery is due");
}

#[tokio::test]
async fn the_counts_of_a_release_say_what_became_of_its_deliveries() {
    let venue = two_releases().await;
    venue.clock.advance(TimeDelta::seconds(7));
    let claimed: Vec<_> = claim(&venue, 99).into_iter().filter(|one| one.release == 2).collect();
    settle(&venue, &claimed[..1], answered(204));
    let reach = venue.store.as_ref().unwrap().reach(2).unwrap().unwrap();
    let tally = reach.channels.values().next().unwrap();
    assert_eq!((tally.queued, tally.delivered, tally.failed, tally.dropped), (2, 1, 0, 0));
    let seconds = (venue.clock.now() - venue.running().current().published()).num_seconds();
    assert_eq!(tally.seconds, [(u32::try_from(seconds).unwrap(), 1)].into());
}

#[tokio::test]
async fn the_spool_of_an_earlier_version_is_taken_over_once() {
    let mut venue = Venue::new();
    venue.webhooks = vec![hook("one")];
    venue.start().unwrap();
    venue.save_and_publish(&moved(&csv(), 2)).await.unwrap().unwrap();
    let claimed = claim(&venue, 99);
    settle(&venue, &claimed, answered(204));
    venue.stop();
    // The files as version 0.1.0 wrote them.
    let spool = venue.dir.path().join("spool");
    std::fs::create_dir_all(spool.join("undelivered")).unwrap();
    let file = |release: u64, attempts: u32| {
        format!(
            r#"{{"webhook":{{"url":"https://one.example/","secret_file":"secret"}},"release":{release},"body":"{{}}","attempts":{attempts},"due":"2025-03-20T17:00:00Z","last_error":"the receiver answered 500"}}"#
        )
    };
    std::fs::write(spool.join("0000000002-0.json"), file(2, 3)).unwrap();
    std::fs::write(spool.join("undelivered/0000000001-0.json"), file(1, 9)).unwrap();
    std::fs::write(spool.join("0000000002-9.json"), "no delivery").unwrap();
    venue.start().unwrap();
    assert_eq!(venue.delivery_ids(), ["0000000001-0", "0000000002-0"]);
    assert!(record(&venue, "0000000001-0").given_up.is_some());
    assert_eq!(record(&venue, "0000000002-0").attempts, 3);
    venue.clock.advance(TimeDelta::days(1));
    let claimed = claim(&venue, 99);
    assert_eq!(claimed.len(), 1);
    let delivery_header = claimed[0].message.headers.iter().find(|(name, _)| name == "callboard-delivery");
    assert_eq!(delivery_header.unwrap().1, "0000000002-0");
    let left: Vec<_> = std::fs::read_dir(&spool).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["0000000002-9.json"], "what is no delivery stays");
    venue.restart().await;
    assert_eq!(venue.delivery_ids().len(), 2);
}
