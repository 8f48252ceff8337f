//! Retention: agendas are erased after the conference, records of deleted links at once.

use super::test_app::{TestAgenda, TestApp};
use callboard::freshness::{Family, Freshness, Seen};
use callboard::retention::{Retention, RetentionResult};
use callboard::store::Write;
use chrono::TimeDelta;
use std::sync::Arc;

async fn retention(app: &TestApp) -> Arc<Retention> {
    let retention = restarted(app);
    // Retention checks the clock for the first time while the clock is right.
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    retention
}

/// Retention after a restart, before its first check of the clock.
fn restarted(app: &TestApp) -> Arc<Retention> {
    let (publisher, freshness) = (Arc::clone(&app.publisher), Arc::clone(&app.freshness));
    Arc::new(Retention::new(180, publisher, app.store.clone(), freshness, app.clock.clone()))
}

/// Advances the clock to the last second before agendas are due.
fn wait_for_the_eve(app: &TestApp) {
    let eve = "2025-09-23T06:59:59Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    app.clock.advance(eve - app.clock.now());
}

/// Stores the last fetches, and returns the names of their records.
fn stored_freshness(app: &TestApp, freshness: &Freshness) -> Vec<String> {
    freshness.save_all(app.clock.now(), |writes| app.store.commit_blocking(writes)).unwrap();
    freshness_notes(app)
}

/// The names of the stored records of link fetches.
fn freshness_notes(app: &TestApp) -> Vec<String> {
    let names = std::iter::once("freshness".to_owned()).chain((0..256).map(|n| format!("freshness-{n:02x}")));
    names.filter(|name| app.store.raw(name).unwrap().is_some()).collect()
}

async fn status(app: &TestApp, mine: &TestAgenda) -> (u16, u16) {
    (app.get(&mine.feed).await.status, app.send(mine.request("GET", "/agenda")).await.status)
}

#[tokio::test]
async fn agendas_are_erased_after_the_configured_time_and_their_links_answer_410() {
    let app = TestApp::new();
    let retention = retention(&app).await;
    let (mine, revoked) = (app.agenda(&["opening"]).await, app.agenda(&["lunch"]).await);
    assert_eq!(app.send(revoked.request("DELETE", "/agenda/links/1")).await.status, 204);
    app.get(&mine.feed).await;
    assert_eq!(stored_freshness(&app, &app.freshness).len(), 1);

    wait_for_the_eve(&app);
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    assert_eq!(status(&app, &mine).await, (200, 200));
    app.pass(1);
    assert_eq!(retention.pass().await.unwrap(), RetentionResult { agendas: 2, links: 2 });
    assert_eq!(status(&app, &mine).await, (410, 401));
    assert_eq!(status(&app, &revoked).await, (410, 401));
    assert_eq!(app.store.agendas().count(), 0);
    assert!(freshness_notes(&app).is_empty());
    assert_eq!(app.get("/program.ics").await.status, 200);

    // Later agendas stay for the same time after their last change. Erased links stay erased.
    let late = app.agenda(&["opening"]).await;
    app.clock.advance(TimeDelta::days(180) - TimeDelta::seconds(1));
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    assert_eq!(status(&app, &late).await, (200, 200));
    app.pass(1);
    assert_eq!(retention.pass().await.unwrap(), RetentionResult { agendas: 1, links: 1 });
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    for mine in [&mine, &revoked, &late] {
        assert_eq!(status(&app, mine).await, (410, 401));
    }
}

#[tokio::test]
async fn many_agendas_are_erased_in_small_commits() {
    let app = TestApp::new();
    let retention = retention(&app).await;
    for _ in 0..300 {
        app.agenda(&["opening"]).await;
    }
    wait_for_the_eve(&app);
    app.pass(1);
    assert_eq!(retention.pass().await.unwrap(), RetentionResult { agendas: 300, links: 300 });
    assert_eq!(app.store.links().count(), 300, "erased links are still stored");
}

#[tokio::test]
async fn a_deleted_agenda_leaves_no_record_of_its_fetches() {
    let app = TestApp::new();
    let (deleted, revoked) = (app.agenda(&["opening"]).await, app.agenda(&["opening"]).await);
    for mine in [&deleted, &revoked] {
        app.get(&mine.feed).await;
    }
    assert!(!stored_freshness(&app, &app.freshness).is_empty());
    assert_eq!(app.send(revoked.request("DELETE", "/agenda/links/1")).await.status, 204);
    assert_eq!(app.send(deleted.request("DELETE", "/agenda")).await.status, 204);
    assert!(stored_freshness(&app, &app.freshness).is_empty());
    // Fetches of "no longer shared" are not recorded.
    assert_eq!(app.get(&deleted.feed).await.status, 200);
    assert!(stored_freshness(&app, &app.freshness).is_empty());
}

#[tokio::test]
async fn fetches_in_the_single_record_of_an_earlier_version_are_read() {
    let app = TestApp::new();
    let fetched = app.clock.now() - TimeDelta::hours(1);
    let row = |first: u8| {
        let seen = [fetched.timestamp().to_le_bytes(), 7_u64.to_le_bytes()].concat();
        [&[first; 32][..], &seen, &[1]].concat()
    };
    let value = [row(1), row(2), row(0xff)].concat();
    app.store.commit(vec![Write::raw("freshness", value)]).await.unwrap();
    let load = || Freshness::load(&app.store);
    let names = stored_freshness(&app, &load());
    assert_eq!(names, ["freshness-01", "freshness-02", "freshness-ff"]);
    let restarted = load();
    for first in [1, 2, 0xff] {
        let seen = Seen { at: fetched, by: Family::Google, release: 7 };
        assert_eq!(restarted.of(&[first; 32]), Some(seen));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pick_that_is_acknowledged_during_a_pass_is_not_erased() {
    let app = TestApp::new();
    let retention = retention(&app).await;
    let mut agendas = Vec::new();
    for _ in 0..200 {
        agendas.push(app.agenda(&["opening"]).await);
    }
    wait_for_the_eve(&app);
    app.pass(1);
    let turn = tokio::spawn(async move { retention.pass().await });
    let mut acknowledged = Vec::new();
    for mine in &agendas {
        acknowledged.push(app.send(mine.request("PUT", "/agenda/picks/lunch")).await.status);
    }
    let erased = turn.await.unwrap().unwrap();
    let kept = acknowledged.iter().filter(|status| **status != 401).count();
    assert_eq!(erased.agendas + kept, agendas.len());
    assert_eq!(app.store.agendas().count(), kept);
    for (mine, acknowledged) in agendas.iter().zip(acknowledged) {
        let expected = if acknowledged == 401 { (410, 401) } else { (200, 200) };
        assert_eq!(status(&app, mine).await, expected, "a pick answered {acknowledged}");
    }
}

#[tokio::test]
async fn a_clock_that_is_a_year_ahead_at_a_start_erases_nothing() {
    let app = TestApp::new();
    retention(&app).await;
    let mine = app.agenda(&["opening"]).await;
    let right = app.clock.now();
    // Each start sets the clock to the same wrong time, and agendas are created between the starts.
    for _ in 0..3 {
        app.clock.set(right + TimeDelta::days(400));
        let wrong = restarted(&app);
        app.agenda(&["lunch"]).await;
        for _ in 0..23 {
            assert_eq!(wrong.pass().await.unwrap(), RetentionResult::default());
            app.clock.advance(TimeDelta::hours(1));
        }
    }
    assert_eq!(status(&app, &mine).await, (200, 200));
    app.clock.set(right);
    assert_eq!(restarted(&app).pass().await.unwrap(), RetentionResult::default());
    assert_eq!(app.store.agendas().count(), 4);
}

#[tokio::test]
async fn a_clock_that_jumps_while_the_server_runs_erases_nothing_for_a_day() {
    let app = TestApp::new();
    let retention = retention(&app).await;
    let mine = app.agenda(&["opening"]).await;
    app.clock.advance(TimeDelta::days(3));
    app.clock.set(app.clock.now() + TimeDelta::days(400));
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    app.clock.advance(TimeDelta::hours(23));
    assert_eq!(retention.pass().await.unwrap(), RetentionResult::default());
    assert_eq!(status(&app, &mine).await, (200, 200));
}

#[tokio::test]
async fn a_server_that_was_stopped_for_long_erases_after_a_day() {
    let app = TestApp::new();
    retention(&app).await;
    let mine = app.agenda(&["opening"]).await;
    app.clock.advance(TimeDelta::days(400));
    let started = restarted(&app);
    assert_eq!(started.pass().await.unwrap(), RetentionResult::default());
    app.clock.advance(TimeDelta::days(1));
    assert_eq!(started.pass().await.unwrap(), RetentionResult { agendas: 1, links: 1 });
    assert_eq!(status(&app, &mine).await, (410, 401));
    // The probation is over: the next start erases at once.
    app.agenda(&["lunch"]).await;
    let again = restarted(&app);
    assert_eq!(again.pass().await.unwrap(), RetentionResult::default());
    app.clock.advance(TimeDelta::days(181));
    assert_eq!(again.pass().await.unwrap(), RetentionResult { agendas: 1, links: 1 });
}

#[tokio::test]
async fn daily_restarts_after_a_jump_delay_erasing_by_a_day_only() {
    let app = TestApp::new();
    retention(&app).await;
    let mine = app.agenda(&["opening"]).await;
    app.clock.advance(TimeDelta::days(400));
    for start in 0..2 {
        let started = restarted(&app);
        for hour in 0..20 {
            // The hour between the last check and the restart does not count.
            let expected = if start * 20 + hour < 25 { 0 } else { 1 };
            assert_eq!(started.pass().await.unwrap().agendas, expected, "start {start}, hour {hour}");
            if expected == 1 {
                assert_eq!(status(&app, &mine).await, (410, 401));
                assert_eq!(app.store.clock_probation(), Ok(None));
                return;
            }
            app.clock.advance(TimeDelta::hours(1));
        }
    }
    panic!("nothing was erased");
}
