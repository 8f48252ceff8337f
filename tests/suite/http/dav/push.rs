//! WebDAV-Push: calendar programs subscribe as DAVx5 and the draft's examples do, and are notified of changes.

use super::super::push::{claim, header, settle};
use super::super::test_app::TestAgenda;
use super::{
    AGENDA, PROGRAM, PUBLIC, TestApp, TestRequest, TestResponse, assert_refused, basic, password, propfind,
    request,
};
use callboard::reach::ClaimedMessage;
use callboard::xml::{Element, read};
use chrono::{DateTime, TimeDelta, Utc};

const PUSH: &str = "https://bitfire.at/webdav-push";

/// The keys of RFC 8291, appendix A.
const KEY: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

/// What DAVx5 writes: no trigger, no content coding, a prefix that Android's serializer makes up.
fn davx5(endpoint: &str, expires: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?><n0:push-register xmlns:n0=\"{PUSH}\"><n0:subscription>\
         <n0:web-push-subscription><n0:push-resource>{endpoint}</n0:push-resource><n0:subscription-public-key \
         type=\"p256dh\">{KEY}</n0:subscription-public-key><n0:auth-secret>{AUTH}</n0:auth-secret>\
         </n0:web-push-subscription></n0:subscription><n0:expires>{expires}</n0:expires></n0:push-register>"
    )
}

/// The example of the draft, with other triggers.
fn example(endpoint: &str, trigger: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<push-register xmlns=\"{PUSH}\" xmlns:D=\"DAV:\">\n  <subscription>\n    \
         <web-push-subscription>\n      <push-resource>{endpoint}</push-resource>\n      \
         <content-encoding>aes128gcm</content-encoding>\n      <subscription-public-key type=\"p256dh\">{KEY}\
         </subscription-public-key>\n      <auth-secret>{AUTH}</auth-secret>\n    </web-push-subscription>\n  \
         </subscription>\n  {trigger}\n  <expires>Wed, 20 Dec 2023 10:03:31 GMT</expires>\n</push-register>\n"
    )
}

const TRIGGERS: &str = "<trigger>\n    <content-update>\n      <D:depth>infinity</D:depth>\n    </content-update>\n    \
                        <property-update>\n      <D:depth>0</D:depth>\n      <D:prop>\n        <D:displayname/>\n        \
                        <D:owner/>\n      </D:prop>\n    </property-update>\n  </trigger>";

fn endpoint(n: usize) -> String {
    format!("https://push.example.org/up/{n}")
}

fn date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn register(target: &str, body: &str) -> TestRequest {
    TestRequest::new("POST", target)
        .text("application/xml; charset=utf-8", body)
        .field("user-agent", "DAVx5/4.5.3-ose (2026-08-04; dav4jvm; okhttp/5.1.0) Android/16")
}

/// The path of a subscription, from its absolute address.
fn path(answer: &TestResponse) -> String {
    assert_eq!(answer.status, 204, "{}", answer.text());
    answer.field("location").strip_prefix("https://conf.example").unwrap().to_owned()
}

fn find<'a>(root: &'a Element, name: &str) -> Option<&'a Element> {
    if root.is(PUSH, name) { Some(root) } else { root.children.iter().find_map(|child| find(child, name)) }
}

/// The topic that a calendar states.
async fn topic(app: &TestApp, target: &str, password: &str) -> String {
    let body = format!("<D:propfind xmlns:D='DAV:'><D:prop><topic xmlns='{PUSH}'/></D:prop></D:propfind>");
    let answer =
        app.send(request("PROPFIND", target, "0", &body).field("authorization", &basic("", password))).await;
    find(&read(&answer.body, 1 << 20).unwrap(), "topic").unwrap().text.trim().to_owned()
}

/// Publishes a program, waits for the pause that collects releases, and claims the messages.
async fn publish(app: &TestApp, program: &str) -> Vec<ClaimedMessage> {
    app.pass(60);
    app.publish(program).await;
    assert!(claim(app).await.is_empty(), "more releases may follow");
    app.pass(10);
    claim(app).await
}

/// The topic header of each message, by the address that gets it.
fn topics(sent: &[ClaimedMessage]) -> Vec<(&str, &str)> {
    let mut topics: Vec<_> =
        sent.iter().map(|one| (one.message.url.as_str(), header(one, "topic"))).collect();
    topics.sort_unstable();
    topics
}

fn moved(program: &str) -> String {
    program.replace("first-talk,2025-03-25,10:00,10:40", "first-talk,2025-03-25,11:00,11:40")
}

#[tokio::test]
async fn calendars_state_the_key_the_topic_and_the_trigger() {
    let app = TestApp::new();
    let key = app.get("/api/v1/push-key").await.json()["key"].as_str().unwrap().to_owned();
    let body = format!(
        "<propfind xmlns=\"DAV:\" xmlns:P=\"{PUSH}\"><prop><P:transports/><P:topic/><P:supported-triggers/></prop></propfind>"
    );
    let answer = app.send(request("PROPFIND", "/dav/public/", "1", &body)).await;
    let root = read(&answer.body, 1 << 20).unwrap();
    let mut topics = Vec::new();
    for response in root.all("response") {
        let vapid = find(response, "vapid-public-key").filter(|found| !found.text.is_empty());
        if response.text_of("href") == "/dav/public/" {
            assert!(vapid.is_none(), "only calendars can be subscribed to");
            continue;
        }
        let vapid = vapid.unwrap();
        assert_eq!((vapid.text.trim(), vapid.attribute("type")), (key.as_str(), Some("p256ecdsa")));
        let trigger = find(response, "supported-triggers").unwrap().child("content-update").unwrap();
        assert_eq!((trigger.text_of("depth"), &*trigger.child("depth").unwrap().namespace), ("1", "DAV:"));
        topics.push(find(response, "topic").unwrap().text.trim().to_owned());
    }
    assert_eq!(topics.len(), 4);
    topics.push(topic(&app, "/dav/cancelled-title/public/program/", "").await);
    for picks in [["lunch"], ["opening"]] {
        let token = password(&app.agenda(&picks).await.feed);
        topics.push(topic(&app, AGENDA, &token).await);
        assert_eq!(topics.last(), Some(&topic(&app, AGENDA, &token).await), "it stays");
    }
    topics.sort_unstable();
    topics.dedup();
    assert_eq!(topics.len(), 7, "each calendar has its own");
    for (target, allow) in [
        (PUBLIC, "GET, PROPFIND, REPORT, POST, HEAD, OPTIONS"),
        (AGENDA, "GET, PROPFIND, REPORT, POST, HEAD, OPTIONS"),
        ("/dav/public/", "GET, PROPFIND, REPORT, HEAD, OPTIONS"),
    ] {
        let answer = app.send(TestRequest::new("OPTIONS", target)).await;
        assert_eq!(
            (answer.field("allow"), answer.field("dav")),
            (allow, "1, 3, calendar-access, webdav-push")
        );
    }
}

#[tokio::test]
async fn davx5_subscribes_renews_gets_messages_and_ends() {
    let app = TestApp::new();
    app.publisher.announce_releases().await; // the first release has no subscribers yet
    let asked = app.clock.now() + TimeDelta::days(3);
    let answer = app.send(register(PUBLIC, &davx5(&endpoint(1), &date(asked)))).await;
    let first = path(&answer);
    assert_eq!(answer.field("expires"), date(asked));
    assert!(first.starts_with("/dav/public/subscriptions/"));
    let track = app.send(register("/dav/public/track-side/", &davx5(&endpoint(1), &date(asked)))).await;
    assert_ne!(path(&track), first, "one program has one address for all its calendars");

    // A talk of another track moves.
    let sent = publish(&app, &moved(PROGRAM)).await;
    let program = topic(&app, PUBLIC, "").await;
    assert_eq!(topics(&sent), [(endpoint(1).as_str(), program.as_str())]);
    assert_eq!(header(&sent[0], "content-type"), "application/xml; charset=\"UTF-8\"");
    assert_eq!((header(&sent[0], "content-encoding"), header(&sent[0], "urgency")), ("aes128gcm", "normal"));
    settle(&app, &sent, 201);
    let sent = publish(&app, &moved(PROGRAM).replace("What was first", "What came first")).await;
    assert_eq!(sent.len(), 1, "edits too");
    settle(&app, &sent, 201);
    let sent = publish(&app, PROGRAM.replace("Other", "Another").as_str()).await;
    assert_eq!(sent.len(), 2, "the talk has the track");
    settle(&app, &sent, 201);

    app.pass(2 * 24 * 60 * 60);
    let later = app.clock.now() + TimeDelta::days(3);
    let again = app.send(register(PUBLIC, &davx5(&endpoint(1), &date(later)))).await;
    assert_eq!((path(&again), again.field("expires")), (first.clone(), date(later).as_str()));
    assert_eq!(app.store.all_subscriptions().map(|row| row.unwrap().1.list.len()).sum::<usize>(), 2);
    // The other one was not renewed.
    app.pass(2 * 24 * 60 * 60);
    let sent = publish(&app, PROGRAM).await;
    assert_eq!(topics(&sent), [(endpoint(1).as_str(), program.as_str())]);
    settle(&app, &sent, 201);
    assert_eq!(app.send(TestRequest::new("DELETE", &path(&track))).await.status, 404, "it has expired");
    assert_eq!(app.publisher.outbox().drop_expired().unwrap(), 1);
    assert_eq!(app.send(TestRequest::new("DELETE", &first)).await.status, 204);
    assert_eq!(app.send(TestRequest::new("DELETE", &first)).await.status, 404);
    assert_eq!(app.store.all_subscriptions().count(), 0);
    assert!(publish(&app, &moved(PROGRAM)).await.is_empty());
}

#[tokio::test]
async fn an_agenda_notifies_its_calendar_programs_until_the_link_is_revoked() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    let key = basic("me", &password(&mine.feed));
    let body = davx5(&endpoint(1), &date(app.clock.now() + TimeDelta::days(3)));
    assert_eq!(app.send(register(AGENDA, &body)).await.status, 401);
    let answer = app.send(register(AGENDA, &body).field("authorization", &key)).await;
    let at = path(&answer);
    let listed = app.send(mine.request("GET", "/agenda/subscriptions")).await.json();
    assert_eq!((&listed[0]["channel"], &listed[0]["label"]), (&"dav-push".into(), &"DAVx5".into()));
    let sent = publish(&app, &moved(PROGRAM)).await;
    let topic = topic(&app, AGENDA, &password(&mine.feed)).await;
    assert_eq!(topics(&sent), [(endpoint(1).as_str(), topic.as_str())]);
    settle(&app, &sent, 201);
    assert!(publish(&app, &moved(PROGRAM).replace("Lunch", "Dinner")).await.is_empty(), "it is not picked");
    // A new edit key leaves the link as it is, and so its calendar programs.
    let replaced = app.send(mine.request("POST", "/agenda/key")).await;
    assert_eq!(replaced.status, 200, "{}", replaced.text());
    let new = replaced.json()["edit_key"].as_str().unwrap().to_owned();
    let mine = TestAgenda { key: new, ..mine };
    let sent = publish(&app, &moved(PROGRAM).replace("What was first", "What came first")).await;
    assert_eq!(topics(&sent), [(endpoint(1).as_str(), topic.as_str())]);
    settle(&app, &sent, 201);
    // Only who has the link can end it.
    let other = basic("", &password(&app.agenda(&["lunch"]).await.feed));
    assert_eq!(app.send(TestRequest::new("DELETE", &at)).await.status, 401);
    assert_eq!(app.send(TestRequest::new("DELETE", &at).field("authorization", &other)).await.status, 404);
    assert_eq!(app.send(mine.request("DELETE", "/agenda/links/1")).await.status, 204);
    assert!(publish(&app, PROGRAM).await.is_empty(), "the link is revoked");
    let late = app.send(register(AGENDA, &body).field("authorization", &key)).await;
    assert_refused(&late, "<P:push-not-available/>");
    app.send(mine.request("DELETE", "/agenda")).await;
    assert_eq!(app.store.all_subscriptions().count(), 0);
}

#[tokio::test]
async fn changed_picks_notify_the_calendar_programs_of_an_agenda_after_a_pause() {
    let app = TestApp::new();
    app.publisher.announce_releases().await; // the first release has no subscribers yet
    let mine = app.agenda(&["first-talk"]).await;
    let key = basic("me", &password(&mine.feed));
    let body = davx5(&endpoint(1), &date(app.clock.now() + TimeDelta::days(3)));
    path(&app.send(register(AGENDA, &body).field("authorization", &key)).await);
    path(&app.send(register(PUBLIC, &davx5(&endpoint(2), "")).field("authorization", &key)).await);
    let topic = topic(&app, AGENDA, &password(&mine.feed)).await;
    let change = async |method: &'static str, session: &str| {
        let answer = app.send(mine.request(method, &format!("/agenda/picks/{session}"))).await;
        assert!(answer.status < 300, "{}", answer.text());
    };
    change("PUT", "first-talk").await;
    assert_eq!(app.store.deliveries().count(), 0, "it was picked already");
    change("PUT", "lunch").await;
    app.pass(9);
    change("PUT", "last-talk").await;
    assert!(claim(&app).await.is_empty(), "more changes may follow");
    app.pass(1);
    let sent = claim(&app).await;
    assert_eq!(topics(&sent), [(endpoint(1).as_str(), topic.as_str())]);
    // A change while the message is being sent makes another one.
    change("DELETE", "lunch").await;
    settle(&app, &sent, 201);
    assert!(claim(&app).await.is_empty());
    app.pass(10);
    let sent = claim(&app).await;
    assert_eq!((sent.len(), header(&sent[0], "urgency")), (1, "normal"));
    settle(&app, &sent, 201);
    assert_eq!(app.store.deliveries().count(), 0);
    assert_eq!(app.store.reach(app.publisher.current().number()).unwrap(), None, "no release is counted");
    // Other agendas and notes of the owner notify nobody.
    let other = app.agenda(&["opening"]).await;
    app.send(other.request("PUT", "/agenda/picks/lunch")).await;
    assert_eq!(app.store.deliveries().count(), 0);
    change("PUT", "opening").await;
    app.send(mine.request("DELETE", "/agenda")).await;
    app.pass(10);
    assert!(claim(&app).await.is_empty());
    assert_eq!(app.store.deliveries().count(), 0);
}

#[tokio::test]
async fn releases_that_follow_closely_are_one_message_and_a_gone_program_is_dropped() {
    let app = TestApp::new();
    app.send(register(PUBLIC, &example(&endpoint(1), TRIGGERS))).await;
    app.pass(60);
    for program in [moved(PROGRAM), PROGRAM.to_owned(), moved(PROGRAM)] {
        app.publish(&program).await;
        assert!(claim(&app).await.is_empty());
        app.pass(4);
    }
    let sent = claim(&app).await;
    assert_eq!((sent.len(), sent[0].release), (1, 4));
    settle(&app, &sent, 410);
    assert_eq!(app.store.all_subscriptions().count(), 0);
}

#[tokio::test]
async fn what_cannot_be_subscribed_is_refused_with_the_elements_of_the_draft() {
    let app = TestApp::new();
    let whole = example(&endpoint(1), TRIGGERS);
    let without = |from: &str, to: &str| whole.replace(from, to);
    let (invalid, unsupported, unavailable) =
        ("<P:invalid-subscription/>", "<P:no-supported-trigger/>", "<P:push-not-available/>");
    for (element, target, body) in [
        (invalid, PUBLIC, without("https://push.example.org", "http://push.example.org")),
        (invalid, PUBLIC, without("https://push.example.org", "https://push.example.org:8443")),
        (invalid, PUBLIC, without("https://push.example.org", "https://127.0.0.1")),
        (invalid, PUBLIC, without("https://push.example.org", "https://[::ffff:10.0.0.1]")),
        (invalid, PUBLIC, without("push-resource", "push-source")),
        (invalid, PUBLIC, without("aes128gcm", "aesgcm")),
        (invalid, PUBLIC, without("p256dh", "p384dh")),
        (invalid, PUBLIC, without(AUTH, "AAAA")),
        (invalid, PUBLIC, without(KEY, "BAAA")),
        (invalid, PUBLIC, without("web-push-subscription", "fax-subscription")),
        (invalid, PUBLIC, format!("<push-register xmlns='{PUSH}'/>")),
        (unsupported, PUBLIC, example(&endpoint(1), "<trigger/>")),
        (unsupported, PUBLIC, example(&endpoint(1), "<trigger><property-update/></trigger>")),
        (unavailable, "/dav/public/", whole.clone()),
        (unavailable, "/dav/public/program/opening.ics", whole.clone()),
        ("<D:need-privileges>", PUBLIC, "<x/>".to_owned()),
        ("<D:need-privileges>", "/dav/public/track-never/", whole.clone()),
        ("<D:need-privileges>", "/dav/", whole.clone()),
    ] {
        assert_refused(&app.send(register(target, &body)).await, element);
    }
    assert_eq!(app.send(register(PUBLIC, "<push-register")).await.status, 400);
    let form = TestRequest::new("POST", PUBLIC).text("text/plain", &whole);
    assert_refused(&app.send(form).await, "<D:need-privileges>");
    for trigger in ["", "<trigger><content-update/></trigger>", TRIGGERS] {
        path(&app.send(register(PUBLIC, &example(&endpoint(1), trigger))).await);
    }
    assert_eq!(app.send(TestRequest::new("GET", "/dav/public/subscriptions/0")).await.status, 405);
    assert_eq!(app.send(TestRequest::new("DELETE", "/dav/public/subscriptions/é")).await.status, 404);
}

#[tokio::test]
async fn an_agenda_takes_ten_calendar_programs_beside_its_browsers_and_an_address_makes_few_new_ones() {
    let app = TestApp::limited();
    let mine = app.agenda(&["first-talk"]).await;
    let key = basic("", &password(&mine.feed));
    for n in 0..10 {
        path(&app.send(register(AGENDA, &davx5(&endpoint(n), "")).field("authorization", &key)).await);
    }
    let more = app.send(register(AGENDA, &davx5(&endpoint(10), "")).field("authorization", &key)).await;
    assert_refused(&more, "<P:push-not-available/>");
    let browser: serde_json::Value = serde_json::from_str(super::super::matrix::DEVICE).unwrap();
    assert_eq!(app.send(mine.request("POST", "/agenda/subscriptions").json(&browser)).await.status, 201);
    let statuses: Vec<u16> = {
        let mut statuses = Vec::new();
        for n in 0..620 {
            statuses.push(app.send(register(PUBLIC, &davx5(&endpoint(n), "")).from("9.9.9.9")).await.status);
        }
        statuses
    };
    assert_eq!((statuses[599], statuses[600], statuses[619]), (204, 429, 429));
    let renewed = app.send(register(PUBLIC, &davx5(&endpoint(1), "")).from("9.9.9.9")).await;
    assert_eq!(renewed.status, 204, "a renewal is free");
}

#[tokio::test]
async fn without_push_nothing_is_offered() {
    let app = TestApp::new();
    app.set_push(None).await;
    let answer = app.send(register(PUBLIC, &davx5(&endpoint(1), ""))).await;
    assert_refused(&answer, "<P:push-not-available/>");
    let answer =
        app.send(request("PROPFIND", PUBLIC, "0", &propfind(&format!("<topic xmlns='{PUSH}'/>")))).await;
    assert!(answer.text().contains("404 Not Found"));
    let options = app.send(TestRequest::new("OPTIONS", PUBLIC)).await;
    assert_eq!(options.field("dav"), "1, 3, calendar-access");
}
