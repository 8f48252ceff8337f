//! Retention: agendas are erased after the conference, records of deleted links at once.

use super::stage::{Mine, Stage};
use callboard::freshness::{Family, Freshness, Seen};
use callboard::retention::{Retention, RetentionResult};
use callboard::store::Write;
use chrono::TimeDelta;
use std::sync::Arc;

async fn retention(stage: &Stage) -> Arc<Retention> {
    let retention = restarted(stage);
    // Retention checks the clock for the first time while the clock is right.
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    retention
}

/// Retention after a restart, before its first check of the clock.
fn restarted(stage: &Stage) -> Arc<Retention> {
    let (publisher, freshness) = (Arc::clone(&stage.publisher), Arc::clone(&stage.freshness));
    Arc::new(Retention::new(180, publisher, stage.store.clone(), freshness, stage.clock.clone()))
}

/// Advances the clock to the last second before agendas are due.
fn wait_for_the_eve(stage: &Stage) {
    let eve = "2025-09-23T06:59:59Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    stage.clock.advance(eve - stage.clock.now());
}

/// Stores the last fetches, and returns the names of their records.
fn stored_freshness(stage: &Stage, freshness: &Freshness) -> Vec<String> {
    freshness.save_all(stage.clock.now(), |writes| stage.store.commit_blocking(writes)).unwrap();
    freshness_notes(stage)
}

/// The names of the stored records of link fetches.
fn freshness_notes(stage: &Stage) -> Vec<String> {
    let names = std::iter::once("freshness".to_owned()).chain((0..256).map(|n| format!("freshness-{n:02x}")));
    names.filter(|name| stage.store.raw(name).unwrap().is_some()).collect()
}

async fn status(stage: &Stage, mine: &Mine) -> (u16, u16) {
    (stage.get(&mine.feed).await.status, stage.send(mine.card("GET", "/agenda")).await.status)
}

#[tokio::test]
async fn agendas_are_erased_after_the_configured_time_and_their_links_answer_410() {
    let stage = Stage::new();
    let retention = retention(&stage).await;
    let (mine, revoked) = (stage.agenda(&["opening"]).await, stage.agenda(&["lunch"]).await);
    assert_eq!(stage.send(revoked.card("DELETE", "/agenda/links/1")).await.status, 204);
    stage.get(&mine.feed).await;
    assert_eq!(stored_freshness(&stage, &stage.freshness).len(), 1);

    wait_for_the_eve(&stage);
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    assert_eq!(status(&stage, &mine).await, (200, 200));
    stage.pass(1);
    assert_eq!(retention.pass().await.unwrap(), RetentionResult { agendas: 2, links: 2 });
    assert_eq!(status(&stage, &mine).await, (410, 401));
    assert_eq!(status(&stage, &revoked).await, (410, 401));
    assert_eq!(stage.store.agendas().count(), 0);
    assert!(freshness_notes(&stage).is_empty());
    assert_eq!(stage.get("/program.ics").await.status, 200);

    // Later agendas stay for the same time after their last change. Erased links stay erased.
    let late = stage.agenda(&["opening"]).await;
    stage.clock.advance(TimeDelta::days(180) - TimeDelta::seconds(1));
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    assert_eq!(status(&stage, &late).await, (200, 200));
    stage.pass(1);
    assert_eq!(retention.pass().await.unwrap(), RetentionResult { agendas: 1, links: 1 });
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    for mine in [&mine, &revoked, &late] {
        assert_eq!(status(&stage, mine).await, (410, 401));
    }
}

#[tokio::test]
async fn many_agendas_are_erased_in_small_commits() {
    let stage = Stage::new();
    let retention = retention(&stage).await;
    for _ in 0..300 {
        stage.agenda(&["opening"]).await;
    }
    wait_for_the_eve(&stage);
    stage.pass(1);
    assert_eq!(retention.pass().await.unwrap(), RetentionResult { agendas: 300, links: 300 });
    assert_eq!(stage.store.links().count(), 300, "erased links are still stored");
}

#[tokio::test]
async fn a_deleted_agenda_leaves_no_record_of_its_fetches() {
    let stage = Stage::new();
    let (deleted, revoked) = (stage.agenda(&["opening"]).await, stage.agenda(&["opening"]).await);
    for mine in [&deleted, &revoked] {
        stage.get(&mine.feed).await;
    }
    assert!(!stored_freshness(&stage, &stage.freshness).is_empty());
    assert_eq!(stage.send(revoked.card("DELETE", "/agenda/links/1")).await.status, 204);
    assert_eq!(stage.send(deleted.card("DELETE", "/agenda")).await.status, 204);
    assert!(stored_freshness(&stage, &stage.freshness).is_empty());
    // Fetches of "no longer shared" are not recorded.
    assert_eq!(stage.get(&deleted.feed).await.status, 200);
    assert!(stored_freshness(&stage, &stage.freshness).is_empty());
}

#[tokio::test]
async fn fetches_in_the_single_record_of_an_earlier_version_are_read() {
    let stage = Stage::new();
    let fetched = stage.clock.now() - TimeDelta::hours(1);
    let row = |first: u8| {
        let seen = [fetched.timestamp().to_le_bytes(), 7_u64.to_le_bytes()].concat();
        [&[first; 32][..], &seen, &[1]].concat()
    };
    let value = [row(1), row(2), row(0xff)].concat();
    stage.store.commit(vec![Write::raw("freshness", value)]).await.unwrap();
    let load = || Freshness::load(&stage.store);
    let names = stored_freshness(&stage, &load());
    assert_eq!(names, ["freshness-01", "freshness-02", "freshness-ff"]);
    let restarted = load();
    for first in [1, 2, 0xff] {
        let seen = Seen { at: fetched, by: Family::Google, release: 7 };
        assert_eq!(restarted.of(&[first; 32]), Some(seen));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pick_that_is_acknowledged_during_a_pass_is_not_erased() {
    let stage = Stage::new();
    let retention = retention(&stage).await;
    let mut agendas = Vec::new();
    for _ in 0..200 {
        agendas.push(stage.agenda(&["opening"]).await);
    }
    wait_for_the_eve(&stage);
    stage.pass(1);
    let turn = tokio::spawn(async move { retention.pass().await });
    let mut acknowledged = Vec::new();
    for mine in &agendas {
        acknowledged.push(stage.send(mine.card("PUT", "/agenda/picks/lunch")).await.status);
    }
    let erased = turn.await.unwrap().unwrap();
    let kept = acknowledged.iter().filter(|status| **status != 401).count();
    assert_eq!(erased.agendas + kept, agendas.len());
    assert_eq!(stage.store.agendas().count(), kept);
    for (mine, acknowledged) in agendas.iter().zip(acknowledged) {
        let expected = if acknowledged == 401 { (410, 401) } else { (200, 200) };
        assert_eq!(status(&stage, mine).await, expected, "a pick answered {acknowledged}");
    }
}

#[tokio::test]
async fn a_clock_that_is_a_year_ahead_at_a_start_erases_nothing() {
    let stage = Stage::new();
    retention(&stage).await;
    let mine = stage.agenda(&["opening"]).await;
    let right = stage.clock.now();
    // Each start sets the clock to the same wrong time, and agendas are created between the starts.
    for _ in 0..3 {
        stage.clock.set(right + TimeDelta::days(400));
        let wrong = restarted(&stage);
        stage.agenda(&["lunch"]).await;
        for _ in 0..23 {
            assert_eq!(wrong.pass().await.unwrap(), RetentionResult::default());
            stage.clock.advance(TimeDelta::hours(1));
        }
    }
    assert_eq!(status(&stage, &mine).await, (200, 200));
    stage.clock.set(right);
    assert_eq!(restarted(&stage).pass().await.unwrap(), RetentionResult::default());
    assert_eq!(stage.store.agendas().count(), 4);
}

#[tokio::test]
async fn a_clock_that_jumps_while_the_server_runs_erases_nothing_for_a_day() {
    let stage = Stage::new();
    let retention = retention(&stage).await;
    let mine = stage.agenda(&["opening"]).await;
    stage.clock.advance(TimeDelta::days(3));
    stage.clock.set(stage.clock.now() + TimeDelta::days(400));
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    stage.clock.advance(TimeDelta::hours(23));
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    assert_eq!(status(&stage, &mine).await, (200, 200));
}

#[tokio::test]
async fn a_server_that_was_stopped_for_long_erases_after_a_day() {
    let stage = Stage::new();
    retention(&stage).await;
    let mine = stage.agenda(&["opening"]).await;
    stage.clock.advance(TimeDelta::days(400));
    let started = restarted(&stage);
    assert_eq!(started.pass().await.unwrap(), RetentionResult::default());
    stage.clock.advance(TimeDelta::days(1));
    assert_eq!(started.pass().await.unwrap(), RetentionResult { agendas: 1, links: 1 });
    assert_eq!(status(&stage, &mine).await, (410, 401));
    // The probation is over: the next start erases at once.
    stage.agenda(&["lunch"]).await;
    let again = restarted(&stage);
    assert_eq!(again.pass().await.unwrap(), RetentionResult::default());
    stage.clock.advance(TimeDelta::days(181));
    assert_eq!(again.pass().await.unwrap(), RetentionResult { agendas: 1, links: 1 });
}

#[tokio::test]
async fn daily_restarts_after_a_jump_delay_erasing_by_a_day_only() {
    let stage = Stage::new();
    retention(&stage).await;
    let mine = stage.agenda(&["opening"]).await;
    stage.clock.advance(TimeDelta::days(400));
    for start in 0..2 {
        let started = restarted(&stage);
        for hour in 0..20 {
            // The hour between the last check and the restart does not count.
            let expected = if start * 20 + hour < 25 { 0 } else { 1 };
            assert_eq!(started.pass().await.unwrap().agendas, expected, "start {start}, hour {hour}");
            if expected == 1 {
                assert_eq!(status(&stage, &mine).await, (410, 401));
                assert_eq!(stage.store.clock_probation(), Ok(None));
                return;
            }
            stage.clock.advance(TimeDelta::hours(1));
        }
    }
    panic!("nothing was erased");
}
