//! Two publishers whose stores are replicas of one log.

use super::venue::{CONFIG, csv, id, moved, start_of_day};
use crate::database::database;
use callboard::clock::Clock;
use callboard::config::{Config, Overrides, Publishing};
use callboard::publisher::{Proposal, PublishError, Publisher, Setup, follow_replicas};
use callboard::revision::Digest;
use callboard::store::{NamedRecord, Origin, ReleaseWrite, Store, StoreOptions, Write};
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Replica {
    publisher: Arc<Publisher>,
    store: Store,
}

/// A replica of the log that is named after the directory, which follows the others.
fn replica(dir: &TempDir, name: &str, clock: &Clock) -> Replica {
    guarded_replica(dir, name, clock, 1.0)
}

/// A replica that holds a release which touches more than this share of the sessions.
fn guarded_replica(dir: &TempDir, name: &str, clock: &Clock, guard_share: f64) -> Replica {
    let config = Config::parse(Some(CONFIG), Overrides::default()).unwrap();
    let conference = config.conference(config.listen);
    let database = database(dir.path().to_str().unwrap(), name);
    let file = dir.path().join("program.csv");
    std::fs::write(&file, csv()).unwrap();
    let options = StoreOptions::default();
    let store = Store::open_replica(&dir.path().join(name), &conference.slug, options, &database).unwrap();
    let setup = Setup {
        file,
        settings: Publishing { guard_share, ..Publishing::default() },
        webhooks: Vec::new(),
        push: None,
        mail: None,
        source: None,
        spool: dir.path().join("spool"),
        inspect: callboard::doctor::inspect,
    };
    let publisher = Publisher::start(store.clone(), conference, setup, clock.clone()).unwrap().publisher;
    tokio::spawn(follow_replicas(Arc::clone(&publisher)));
    Replica { publisher, store }
}

fn proposal(csv: String, origin: Origin) -> Proposal {
    Proposal { csv: csv.into(), origin, who: None, confirm: None, expect: None }
}

async fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(10), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_of_one_replica_is_live_on_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(start_of_day());
    let (one, two) = (replica(&dir, "one", &clock), replica(&dir, "two", &clock));
    assert_eq!((one.publisher.current().number(), two.publisher.current().number()), (1, 1));
    let mut announced = two.publisher.subscribe();
    clock.advance(TimeDelta::minutes(1));
    one.publisher.publish(proposal(moved(&csv(), 3), Origin::Upload)).await.unwrap();
    wait("it does not come", || two.publisher.current().number() == 2).await;
    assert_eq!(*announced.borrow_and_update(), 2, "open pages are notified");
    assert_eq!(one.publisher.current().ledger, two.publisher.current().ledger);
    // Each continues the other's ledger.
    two.publisher.publish(proposal(csv(), Origin::Upload)).await.unwrap();
    wait("it does not come back", || one.publisher.current().number() == 3).await;
    assert_eq!(one.publisher.current().ledger.entries[&id(3)].revision.sequence, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_publications_at_once_both_become_releases_and_no_number_is_used_twice() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(start_of_day());
    let (one, two) = (replica(&dir, "one", &clock), replica(&dir, "two", &clock));
    let publish = |replica: &Replica, n| {
        let (publisher, csv) = (Arc::clone(&replica.publisher), moved(&csv(), n));
        tokio::spawn(async move {
            let mut conflicts = 0;
            loop {
                match publisher.publish(proposal(csv.clone(), Origin::Upload)).await {
                    Ok(published) => return (published.release.number(), conflicts),
                    Err(PublishError::Commit(_)) => conflicts += 1,
                    Err(error) => panic!("{error}"),
                }
            }
        })
    };
    let (first, second) = (publish(&one, 1), publish(&two, 2));
    let mut numbers = [first.await.unwrap().0, second.await.unwrap().0];
    numbers.sort();
    assert_eq!(numbers, [2, 3]);
    wait("they do not agree", || {
        one.publisher.current().number() == 3
            && one.publisher.current().ledger == two.publisher.current().ledger
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_program_is_published_once() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(start_of_day());
    let (one, two) = (replica(&dir, "one", &clock), replica(&dir, "two", &clock));
    let at = start_of_day() + TimeDelta::hours(1);
    one.publisher.schedule(proposal(moved(&csv(), 3), Origin::Scheduled), at).await.unwrap();
    wait("the other does not see it", || two.store.schedule().unwrap().is_some()).await;
    clock.advance(TimeDelta::hours(2));
    // Both may succeed, with the same release.
    let _ = tokio::join!(one.publisher.publish_due(), two.publisher.publish_due());
    one.publisher.publish_due().await;
    two.publisher.publish_due().await;
    wait("it is not published", || [&one, &two].iter().all(|at| at.publisher.current().number() == 2)).await;
    assert_eq!((one.store.schedule().unwrap(), one.store.releases().unwrap().len()), (None, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_session_is_gone_on_the_other_replica() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(start_of_day());
    let (one, two) = (replica(&dir, "one", &clock), replica(&dir, "two", &clock));
    let withdrawn = csv()
        .replace("Talk 5,One,Room 5,Ada 5,About 5,confirmed", "Talk 5,One,Room 5,Ada 5,About 5,withdrawn");
    one.publisher.publish(proposal(withdrawn, Origin::Upload)).await.unwrap();
    wait("it does not come", || two.publisher.current().number() == 2).await;
    one.publisher.erase(id(5)).await.unwrap();
    wait("its title is still there", || {
        two.publisher.current().ledger.entries[&id(5)].session.title.as_str().is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_a_newer_version_renders_differently_is_not_answered_with_another() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(start_of_day());
    let (one, two) = (replica(&dir, "one", &clock), replica(&dir, "two", &clock));
    // As the newer version would store it: other bytes of a session, under the next number.
    let live = two.publisher.current();
    let mut next = live.ledger.clone();
    next.release = 2;
    next.published = live.published() + TimeDelta::minutes(1);
    for entry in next.entries.values_mut() {
        entry.digest = Digest([7; 32]);
        entry.revision.sequence += 1;
        entry.release = 2;
    }
    let mut record = two.store.release(1).unwrap().unwrap();
    (record.number, record.origin, record.published) = (2, Origin::Upgrade, next.published);
    let write = ReleaseWrite::between(Some(&live.ledger), &next, record, csv().into());
    let newer = NamedRecord::Renderer(9_000_000);
    two.store.commit(vec![Write::PutRelease(Box::new(write)), newer.into()]).await.unwrap();

    wait("the older version does not say so", || one.publisher.status().outdated.is_some()).await;
    let outdated = one.publisher.status().outdated.unwrap();
    assert!(outdated.contains("callboard 9.0.0 published release 2"), "{outdated}");
    let refused = one.publisher.publish(proposal(moved(&csv(), 1), Origin::Upload)).await;
    assert!(matches!(refused, Err(PublishError::Stored(_))), "{refused:?}");
    assert_eq!((one.publisher.current().number(), one.store.release_number()), (1, Ok(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_release_is_confirmed_or_discarded_on_any_replica() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(start_of_day());
    let start = |name| guarded_replica(&dir, name, &clock, 0.25);
    let (one, two) = (start("one"), start("two"));
    let half = csv().lines().take(1 + csv().lines().count() / 2).collect::<Vec<_>>().join("\n");
    let hold = async |replica: &Replica, n: u32| {
        let text = half.replace("About", &format!("About version {n} of"));
        match replica.publisher.publish(proposal(text, Origin::Upload)).await {
            Err(PublishError::Held(held)) => held,
            other => panic!("{other:?}"),
        }
    };
    let shows = |replica: &Replica, digest: &str| {
        let newest = replica.publisher.status().held.newest().cloned();
        newest.is_some_and(|held| held.digest == digest)
    };
    let is_free = |replica: &Replica| replica.publisher.status().held.newest().is_none();

    // A newer one replaces the first.
    hold(&one, 1).await;
    let held = hold(&one, 2).await;
    let digest = held.verdict.digest.clone();
    wait("the other does not show it", || shows(&two, &digest)).await;
    let shown = two.publisher.status().held.newest().unwrap().clone();
    assert_eq!((&shown.csv, &shown.details), (&held.csv, &held.changes));
    assert_eq!(shown.reasons, held.verdict.reasons);

    assert!(two.publisher.discard(&digest).await.unwrap());
    wait("the other still shows it", || is_free(&one)).await;
    assert!(!one.publisher.discard(&digest).await.unwrap());

    let digest = hold(&two, 3).await.verdict.digest.clone();
    wait("the other does not show it", || shows(&one, &digest)).await;
    let three = start("three");
    wait("a replica that starts does not show it", || shows(&three, &digest)).await;
    let csv = one.publisher.status().held.find(&digest).unwrap().csv.clone();
    let confirmed = Proposal { csv, confirm: Some(digest), ..proposal(String::new(), Origin::Upload) };
    assert!(one.publisher.publish(confirmed).await.unwrap().is_new);
    for replica in [&one, &two, &three] {
        wait("it is still held", || replica.publisher.current().number() == 2 && is_free(replica)).await;
    }
}
