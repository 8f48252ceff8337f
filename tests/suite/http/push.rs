//! Messages to browsers: subscribing through the API, and what a release sends to whom.

use super::desk::signed_in;
use super::matrix::DEVICE;
use super::operator::OperatorClient;
use super::test_app::{PROGRAM, TestAgenda, TestApp, TestRequest};
use callboard::reach::{ClaimedMessage, Guard, Outcome, SendResult};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// The subscription of a device with its own address.
fn device(n: usize) -> Value {
    let mut device: Value = serde_json::from_str(DEVICE).unwrap();
    device["endpoint"] = json!(format!("https://push.example.org/send/{n}"));
    device["label"] = json!(format!("Device {n}"));
    device
}

async fn subscribe(app: &TestApp, mine: &TestAgenda, device: &Value) -> (u16, Value) {
    let answer = app.send(mine.request("POST", "/agenda/subscriptions").json(device)).await;
    (answer.status, answer.json())
}

async fn listed(app: &TestApp, mine: &TestAgenda) -> Vec<String> {
    let list = app.send(mine.request("GET", "/agenda/subscriptions")).await.json();
    list.as_array().unwrap().iter().map(|one| one["label"].as_str().unwrap().to_owned()).collect()
}

/// Publishes a program and claims the messages that follow.
async fn publish(app: &TestApp, program: &str) -> Vec<ClaimedMessage> {
    app.pass(60);
    app.publish(program).await;
    claim(app).await
}

pub(super) async fn claim(app: &TestApp) -> Vec<ClaimedMessage> {
    app.publisher.announce_releases().await;
    app.publisher.claim_messages(99, &[]).unwrap().messages
}

pub(super) fn settle(app: &TestApp, sent: &[ClaimedMessage], status: u16) {
    report(app, sent, &SendResult::Answered { status, retry_after: None });
}

fn report(app: &TestApp, sent: &[ClaimedMessage], result: &SendResult) {
    let outcomes: Vec<Outcome> = sent.iter().map(|one| one.clone().outcome(result.clone())).collect();
    app.publisher.outbox().settle(&outcomes).unwrap();
}

pub(super) fn header<'a>(message: &'a ClaimedMessage, name: &str) -> &'a str {
    message.message.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

fn moved(program: &str) -> String {
    program.replace("first-talk,2025-03-25,10:00,10:40", "first-talk,2025-03-25,11:00,11:40")
}

#[tokio::test]
async fn a_device_is_subscribed_listed_without_its_address_and_ended() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    let (status, made) = subscribe(&app, &mine, &device(1)).await;
    assert_eq!((status, &made["channel"], &made["label"]), (201, &json!("web-push"), &json!("Device 1")));
    let (status, again) = subscribe(&app, &mine, &device(1)).await;
    assert_eq!((status, &again["id"]), (200, &made["id"]), "the device is known");
    subscribe(&app, &mine, &device(2)).await;
    let list = app.send(mine.request("GET", "/agenda/subscriptions")).await;
    assert_eq!(list.json().as_array().unwrap().len(), 2);
    for secret in ["push.example.org", "BCVxsr7N", "BTBZMqHH"] {
        assert!(!list.text().contains(secret), "{secret}");
    }
    let end = format!("/agenda/subscriptions/{}", made["id"].as_str().unwrap());
    assert_eq!(app.send(mine.request("DELETE", &end)).await.status, 204);
    assert_eq!(app.send(mine.request("DELETE", &end)).await.status, 404);
    assert_eq!(listed(&app, &mine).await, ["Device 2"]);
    let other = app.agenda(&["first-talk"]).await;
    assert!(listed(&app, &other).await.is_empty(), "another agenda has its own devices");
}

/// A bug: a device whose push service gave it another address lost its reminders, and stood in the list twice.
#[tokio::test]
async fn a_device_with_another_address_replaces_itself() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    let mut first = device(1);
    first["reminders"] = json!(true);
    let (_, old) = subscribe(&app, &mine, &first).await;
    for n in 2..11 {
        subscribe(&app, &mine, &device(n)).await;
    }
    let (p256dh, auth) = (&first["keys"]["p256dh"], &first["keys"]["auth"]);
    let renew = |id: &str| {
        let fields = format!(
            "endpoint=https://push.example.org/send/new&p256dh={}&auth={}&replaces={id}",
            p256dh.as_str().unwrap(),
            auth.as_str().unwrap(),
        );
        let request = TestRequest::new("POST", "/agenda/devices")
            .field("content-type", "application/x-www-form-urlencoded")
            .field("sec-fetch-site", "same-origin")
            .field("cookie", &format!("__Host-agenda={}", mine.key));
        app.send(TestRequest { body: fields.into(), ..request })
    };
    assert_eq!(renew("000000000000000000000000").await.status, 422, "ten devices are enough");
    for _ in 0..2 {
        assert_eq!(renew(old["id"].as_str().unwrap()).await.status, 200);
        let list = app.send(mine.request("GET", "/agenda/subscriptions")).await.json();
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), 10);
        assert!(!list.iter().any(|one| one["id"] == old["id"]));
        assert_eq!(list.iter().filter(|one| one["reminders"] == true).count(), 1);
    }
}

#[tokio::test]
async fn what_is_no_subscription_is_refused_with_the_field_at_fault() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    let with = |pointer: &str, value: Value| {
        let mut device = device(1);
        *device.pointer_mut(pointer).unwrap() = value;
        device
    };
    for (field, bad) in [
        ("endpoint", with("/endpoint", json!("http://push.example.org/x"))),
        ("endpoint", with("/endpoint", json!("https://push.example.org:8443/x"))),
        ("endpoint", with("/endpoint", json!("https://me:pw@push.example.org/x"))),
        ("endpoint", with("/endpoint", json!("https://127.0.0.1/x"))),
        ("endpoint", with("/endpoint", json!("https://[::ffff:192.168.0.1]/x"))),
        ("endpoint", with("/endpoint", json!(format!("https://push.example.org/{}", "x".repeat(2048))))),
        ("endpoint", with("/endpoint", Value::Null)),
        ("keys", with("/keys/auth", json!("AAAA"))),
        ("keys", with("/keys/p256dh", json!("BAAA"))),
        ("keys", with("/keys", Value::Null)),
        ("channel", with("/channel", json!("webhook"))),
        ("label", with("/label", json!("x".repeat(101)))),
    ] {
        let (status, problem) = subscribe(&app, &mine, &bad).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{bad}");
    }
    for n in 0..10 {
        assert_eq!(subscribe(&app, &mine, &device(n)).await.0, 201);
    }
    assert_eq!(subscribe(&app, &mine, &device(10)).await.0, 422, "ten devices are enough");
    assert_eq!(subscribe(&app, &mine, &device(9)).await.0, 200);
}

#[tokio::test]
async fn without_a_contact_nobody_can_subscribe_and_nothing_is_sent() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    let key = app.get("/api/v1/push-key").await.json();
    assert_eq!(key["key"].as_str().unwrap().len(), 87);
    subscribe(&app, &mine, &device(1)).await;
    app.set_push(None).await;
    assert_eq!(app.get("/api/v1/push-key").await.status, 404);
    assert_eq!(subscribe(&app, &mine, &device(2)).await.0, 404);
    assert_eq!(listed(&app, &mine).await, ["Device 1"], "it can still be ended");
    assert!(publish(&app, &moved(PROGRAM)).await.is_empty());
    assert_eq!(app.store.deliveries().count(), 0);
}

#[tokio::test]
async fn a_moved_session_sends_one_message_to_each_device_that_has_it() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    for n in [1, 2] {
        subscribe(&app, &mine, &device(n)).await;
    }
    let other = app.agenda(&["other-talk"]).await;
    subscribe(&app, &other, &device(3)).await;
    let sent = publish(&app, &moved(PROGRAM)).await;
    let mut urls: Vec<&str> = sent.iter().map(|one| one.message.url.as_str()).collect();
    urls.sort_unstable();
    assert_eq!(urls, ["https://push.example.org/send/1", "https://push.example.org/send/2"]);
    for one in &sent {
        assert_eq!((one.host.as_str(), &one.message.guard), ("push.example.org", &Guard::Stranger));
        assert_eq!((header(one, "ttl"), header(one, "urgency")), ("86400", "normal"));
        assert_eq!((header(one, "content-encoding"), header(one, "topic").len()), ("aes128gcm", 32));
        assert!(header(one, "authorization").starts_with("vapid t="));
    }
    settle(&app, &sent, 201);
    assert!(claim(&app).await.is_empty());
    // The day before the session, the message is urgent.
    let start = "2025-03-25T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    app.clock.advance(start - app.clock.now());
    let sent = publish(&app, PROGRAM).await;
    assert_eq!((sent.len(), header(&sent[0], "urgency")), (2, "high"));
}

#[tokio::test]
async fn the_operator_and_the_organizer_see_how_many_messages_of_a_release_were_accepted_and_how_fast() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    for n in 1..=4 {
        subscribe(&app, &mine, &device(n)).await;
    }
    let sent = publish(&app, &moved(PROGRAM)).await;
    app.pass(3);
    settle(&app, &sent[..2], 201);
    app.pass(300);
    settle(&app, &sent[2..3], 413);
    let operator = OperatorClient::of(&app);
    let (_, metrics) = operator.get("/metrics").await;
    for line in [
        "callboard_reach_deliveries{channel=\"web-push\",state=\"sent\"} 4",
        "callboard_reach_deliveries{channel=\"web-push\",state=\"delivered\"} 2",
        "callboard_reach_deliveries{channel=\"web-push\",state=\"failed\"} 1",
        "callboard_reach_deliveries{channel=\"web-push\",state=\"waiting\"} 1",
        "callboard_reach_seconds{channel=\"web-push\",percent=\"50\"} 3",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    assert!(!metrics.contains("percent=\"95\""), "a share that is not reached has no time");
    let cookie = signed_in(&app).await;
    let desk = app.send(TestRequest::new("GET", "/organizer").field("cookie", &cookie)).await;
    let table = desk.text().split("aria-labelledby=\"reach\"").nth(1).unwrap();
    let row = table.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
    let cells: Vec<&str> = row.split("</t").filter_map(|cell| cell.rsplit('>').next()).collect();
    assert_eq!(&cells[..7], ["2", "Push messages", "4", "2", "1", "1", "3 s · – · –"], "{row}");
    assert!(!table.contains("push.example.org"));
}

#[tokio::test]
async fn several_releases_become_one_message_and_a_reverted_change_none() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk", "lunch"]).await;
    subscribe(&app, &mine, &device(1)).await;
    let lunch = |program: &str| program.replace("lunch,2025-03-25,12:00", "lunch,2025-03-25,12:15");
    for program in [moved(PROGRAM), lunch(&moved(PROGRAM))] {
        app.pass(60);
        app.publish(&program).await;
        app.publisher.announce_releases().await;
    }
    let sent = claim(&app).await;
    assert_eq!((sent.len(), sent[0].release), (1, 3));
    settle(&app, &sent, 201);
    // The second release moves the talk back before the first was announced.
    for program in [lunch(PROGRAM), lunch(&moved(PROGRAM))] {
        app.pass(60);
        app.publish(&program).await;
        app.publisher.announce_releases().await;
    }
    assert!(claim(&app).await.is_empty());
    assert_eq!(app.store.deliveries().count(), 0, "there was nothing to tell");
    let corrected = lunch(&moved(PROGRAM)).replace("What was first", "What came first");
    assert!(publish(&app, &corrected).await.is_empty(), "a corrected abstract disturbs nobody");
}

/// A bug: each of five corrections within a minute was a message.
#[tokio::test]
async fn a_burst_of_releases_is_one_message_at_once_and_then_few() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    subscribe(&app, &mine, &device(1)).await;
    let at = |minute: usize| PROGRAM.replace("10:00,10:40", &format!("11:{minute:02},11:59"));
    app.pass(60);
    let mut received = Vec::new();
    for second in 0..=60 {
        app.pass(1);
        if second < 50 && second % 10 == 0 {
            app.publish(&at(second / 10)).await;
        }
        let sent = claim(&app).await;
        settle(&app, &sent, 201);
        received.extend(sent.iter().map(|one| (second, one.release)));
    }
    assert_eq!(received, [(0, 2), (30, 5), (60, 6)]);
    // A release after a quiet minute is announced at once again.
    assert_eq!(publish(&app, PROGRAM).await.len(), 1);
}

#[tokio::test]
async fn the_answer_of_the_push_service_decides_what_becomes_of_a_device() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    let mut program = PROGRAM.to_owned();
    for (status, is_retried, is_ended) in [
        (201, false, false),
        (404, false, true),
        (410, false, true),
        (413, false, false),
        (400, false, false),
        (307, false, false),
        (403, true, false),
        (429, true, false),
        (500, true, false),
    ] {
        let (_, made) = subscribe(&app, &mine, &device(1)).await;
        program = if program == PROGRAM { moved(PROGRAM) } else { PROGRAM.to_owned() };
        let sent = publish(&app, &program).await;
        assert_eq!(sent.len(), 1, "before {status}");
        settle(&app, &sent, status);
        assert_eq!(app.store.deliveries().count() == 1, is_retried, "{status}");
        assert_eq!(listed(&app, &mine).await.is_empty(), is_ended, "{status}");
        if is_retried {
            app.clock.advance(TimeDelta::minutes(1));
            let again = claim(&app).await;
            settle(&app, &again, 201);
        }
        let id = made["id"].as_str().unwrap();
        app.send(mine.request("DELETE", &format!("/agenda/subscriptions/{id}"))).await;
    }
}

#[tokio::test]
async fn a_message_whose_sender_was_killed_is_sent_a_second_time_and_never_a_third() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    subscribe(&app, &mine, &device(1)).await;
    let mut sent = publish(&app, &moved(PROGRAM)).await;
    // A message that was not begun, or was refused, counts as no copy.
    for result in [SendResult::Returned, SendResult::Answered { status: 503, retry_after: None }] {
        report(&app, &sent, &result);
        app.pass(60);
        sent = claim(&app).await;
        assert_eq!(sent.len(), 1, "{result}");
    }
    report(&app, &sent, &SendResult::Interrupted);
    app.pass(60);
    let second = claim(&app).await;
    assert_eq!(second.len(), 1, "it may not have arrived");
    report(&app, &sent, &SendResult::Interrupted);
    assert!(claim(&app).await.is_empty(), "a result of an earlier claim counts for nothing");
    report(&app, &second, &SendResult::Interrupted);
    app.pass(600);
    assert!(claim(&app).await.is_empty(), "it arrived once or twice");
    // A release that joins a message makes it another one, which has its own second attempt.
    let sent = publish(&app, PROGRAM).await;
    report(&app, &sent, &SendResult::Interrupted);
    app.publish(&moved(PROGRAM).replace("11:00,11:40", "13:00,13:40")).await;
    for expected in [1, 1, 0] {
        app.pass(60);
        let again = claim(&app).await;
        assert_eq!(again.len(), expected);
        report(&app, &again, &SendResult::Interrupted);
    }
    // And so does one that joins while the message is being sent.
    let sent = publish(&app, PROGRAM).await;
    report(&app, &sent, &SendResult::Interrupted);
    app.pass(60);
    let again = claim(&app).await;
    app.publish(&moved(PROGRAM)).await;
    app.publisher.announce_releases().await;
    report(&app, &again, &SendResult::Interrupted);
    app.pass(60);
    assert_eq!(claim(&app).await.len(), 1, "the second release is announced");
}

#[tokio::test]
async fn a_deleted_agenda_and_a_new_key_end_its_subscriptions() {
    let app = TestApp::new();
    for (method, path) in [("DELETE", "/agenda"), ("POST", "/agenda/key")] {
        let mine = app.agenda(&["first-talk"]).await;
        subscribe(&app, &mine, &device(1)).await;
        let program = if method == "DELETE" { moved(PROGRAM) } else { PROGRAM.to_owned() };
        app.pass(60);
        app.publish(&program).await;
        app.publisher.announce_releases().await;
        assert_eq!(app.store.deliveries().count(), 1);
        assert!(app.send(mine.request(method, path)).await.status < 300);
        assert!(app.store.all_subscriptions().next().is_none(), "{method} {path}");
        assert!(claim(&app).await.is_empty());
        assert_eq!(app.store.deliveries().count(), 0);
    }
}

#[tokio::test]
async fn the_push_key_is_made_once() {
    let app = TestApp::new();
    let first = app.get("/api/v1/push-key").await;
    assert_eq!(first.status, 200);
    let again =
        app.send(TestRequest::new("GET", "/api/v1/push-key").field("if-none-match", first.tag())).await;
    assert_eq!(again.status, 304);
    let config = "[push]\ncontact = \"https://conf.example.org/contact\"\n[conference]\nzone = \"UTC\"";
    let config = callboard::config::Config::parse(Some(config), Default::default()).unwrap();
    app.set_push(config.push).await;
    assert_eq!(app.get("/api/v1/push-key").await.body, first.body);
}
