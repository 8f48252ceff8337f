//! Reminders before sessions: who is reminded of what, at which time, and what a move, a cancellation or a stop changes.

use super::matrix::DEVICE;
use super::push::{claim, header, settle};
use super::test_app::{PROGRAM, TestAgenda, TestApp};
use callboard::reach::ClaimedMessage;
use callboard::store::{NamedRecord, RemindedSessions};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// `time` of the first day, as the venue's clock shows it.
fn at(time: &str) -> DateTime<Utc> {
    format!("2025-03-25T{time}:00-07:00").parse().unwrap()
}

fn set_clock(app: &TestApp, to: DateTime<Utc>) {
    app.clock.advance(to - app.clock.now());
}

fn device(n: usize, reminders: Value) -> Value {
    let mut device: Value = serde_json::from_str(DEVICE).unwrap();
    device["endpoint"] = json!(format!("https://push.example.org/send/{n}"));
    device["reminders"] = reminders;
    device
}

async fn subscribe(app: &TestApp, mine: &TestAgenda, n: usize, reminders: Value) -> Value {
    let answer = app.send(mine.request("POST", "/agenda/subscriptions").json(&device(n, reminders))).await;
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
    answer.json()
}

/// Queues the reminders that are due, and claims their messages. Returns when the next reminder may be due, too.
fn remind(app: &TestApp) -> (Option<DateTime<Utc>>, Vec<ClaimedMessage>) {
    let next = app.publisher.remind().unwrap();
    (next, app.publisher.claim_messages(99, &[]).unwrap().messages)
}

fn devices(sent: &[ClaimedMessage]) -> Vec<&str> {
    let mut devices: Vec<&str> = sent.iter().map(|one| one.message.url.rsplit('/').next().unwrap()).collect();
    devices.sort_unstable();
    devices
}

#[tokio::test]
async fn devices_that_ask_for_it_are_reminded_ten_minutes_before_their_sessions() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening", "first-talk", "other-talk"]).await;
    assert_eq!(remind(&app).0, None, "nobody asked for reminders");
    assert_eq!(subscribe(&app, &mine, 1, json!(true)).await["reminders"], true);
    assert_eq!(subscribe(&app, &mine, 2, json!(false)).await["reminders"], false);
    let other = app.agenda(&["lunch"]).await;
    subscribe(&app, &other, 3, json!(true)).await;
    assert_eq!(remind(&app), (Some(at("08:50")), Vec::new()));
    set_clock(&app, at("08:49"));
    assert_eq!(remind(&app), (Some(at("08:50")), Vec::new()));
    set_clock(&app, at("08:50"));
    let (next, sent) = remind(&app);
    assert_eq!((next, devices(&sent)), (Some(at("09:50")), vec!["1"]));
    let opening = header(&sent[0], "topic").to_owned();
    assert_eq!((header(&sent[0], "ttl"), header(&sent[0], "urgency")), ("600", "high"));
    settle(&app, &sent, 201);
    assert_eq!(remind(&app), (Some(at("09:50")), Vec::new()), "once is enough");
    // Two sessions start at the same time: one message.
    set_clock(&app, at("09:52"));
    let (next, sent) = remind(&app);
    assert_eq!((next, devices(&sent)), (Some(at("11:50")), vec!["1"]));
    assert_eq!(header(&sent[0], "ttl"), "480", "it is worth nothing once they have begun");
    assert_eq!(header(&sent[0], "topic"), opening, "it replaces a reminder that waits for the device");
    settle(&app, &sent, 201);
    assert_eq!(app.store.reach(1).unwrap(), None, "reminders are not messages about a release");
    set_clock(&app, at("11:50"));
    assert_eq!(devices(&remind(&app).1), ["3"]);
}

#[tokio::test]
async fn a_device_turns_reminders_on_and_off_and_keeps_them_otherwise() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    for (choice, is_on) in [
        (Value::Null, false),
        (json!(true), true),
        (Value::Null, true), // what a page sends at each visit
        (json!(false), false),
    ] {
        assert_eq!(subscribe(&app, &mine, 1, choice).await["reminders"], is_on);
    }
    let answer = app.send(mine.request("POST", "/agenda/subscriptions").json(&device(1, json!("yes")))).await;
    assert_eq!((answer.status, &answer.json()["errors"][0]["field"]), (422, &json!("reminders")));
    // Turned off between the time and the sending.
    subscribe(&app, &mine, 1, json!(true)).await;
    set_clock(&app, at("08:50"));
    app.publisher.remind().unwrap();
    subscribe(&app, &mine, 1, json!(false)).await;
    assert!(claim(&app).await.is_empty());
    assert_eq!(app.store.deliveries().count(), 0);
}

#[tokio::test]
async fn the_time_and_the_picks_at_the_last_moment_decide() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening", "first-talk", "lunch"]).await;
    subscribe(&app, &mine, 1, json!(true)).await;
    // Moved to an hour later, and then to an hour that has been reminded of already.
    let later = PROGRAM.replace("opening,2025-03-25,09:00,09:30", "opening,2025-03-25,09:30,10:00");
    set_clock(&app, at("08:40"));
    app.publish(&later).await;
    settle(&app, &claim(&app).await, 201);
    assert_eq!(remind(&app), (Some(at("09:20")), Vec::new()));
    // A session that is cancelled, and one that is unpicked, after the reminder was queued.
    set_clock(&app, at("09:20"));
    app.publisher.remind().unwrap();
    assert_eq!(app.store.deliveries().count(), 1);
    app.send(mine.request("DELETE", "/agenda/picks/opening")).await;
    assert!(claim(&app).await.is_empty(), "it was unpicked");
    set_clock(&app, at("09:50"));
    app.publisher.remind().unwrap();
    app.publish(&later.replace("What was first,", "What was first,cancelled")).await;
    let sent = claim(&app).await;
    assert_eq!((sent.len(), header(&sent[0], "ttl") != "600"), (1, true), "only the cancellation is sent");
    settle(&app, &sent, 201);
    assert_eq!(app.store.deliveries().count(), 0);
    // A push service that does not answer until the session has begun.
    set_clock(&app, at("11:50"));
    let (_, sent) = remind(&app);
    settle(&app, &sent, 503);
    set_clock(&app, at("11:51"));
    let again = claim(&app).await;
    assert_eq!(again.len(), 1);
    settle(&app, &again, 503);
    set_clock(&app, at("12:00"));
    assert!(claim(&app).await.is_empty(), "the session has begun");
    assert_eq!(app.store.deliveries().count(), 0);
}

#[tokio::test]
async fn a_server_that_was_down_reminds_late_but_never_after_the_start_and_never_twice() {
    let app = TestApp::new();
    let mut agendas = Vec::new();
    for n in 1..=3 {
        let mine = app.agenda(&["opening", "first-talk", "lunch"]).await;
        subscribe(&app, &mine, n, json!(true)).await;
        agendas.push(mine);
    }
    assert_eq!(remind(&app).0, Some(at("08:50")));
    set_clock(&app, at("09:57"));
    // A crash while the reminders of 10:00 were being queued.
    let (first, _) = app.store.all_subscriptions().next().unwrap().unwrap();
    let half = RemindedSessions { start: at("10:00"), after: Some(first) };
    app.store.commit(vec![NamedRecord::Reminded(half).into()]).await.unwrap();
    let (next, sent) = remind(&app);
    assert_eq!(
        (next, sent.len()),
        (Some(at("11:50")), 2),
        "the opening is over, and the first agenda is done"
    );
    assert!(sent.iter().all(|one| header(one, "ttl") == "180"));
    settle(&app, &sent, 201);
    assert_eq!(remind(&app).1, Vec::new());
    set_clock(&app, at("12:00"));
    let tomorrow = at("13:50") + TimeDelta::days(1);
    assert_eq!(remind(&app), (Some(tomorrow), Vec::new()), "too late for lunch");
    set_clock(&app, tomorrow);
    assert_eq!(remind(&app), (None, Vec::new()), "nobody has the last talk, and nothing follows");
}

#[tokio::test]
async fn a_deleted_agenda_and_a_config_without_messages_end_reminders() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    subscribe(&app, &mine, 1, json!(true)).await;
    let gone = app.agenda(&["opening"]).await;
    subscribe(&app, &gone, 2, json!(true)).await;
    set_clock(&app, at("08:55"));
    app.publisher.remind().unwrap();
    app.send(gone.request("DELETE", "/agenda")).await;
    let sent = claim(&app).await;
    assert_eq!(devices(&sent), ["1"]);
    settle(&app, &sent, 429);
    app.set_push(None).await;
    app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(remind(&app), (None, Vec::new()));
}
