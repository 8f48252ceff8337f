//! Invitations by mail: how a mailbox is confirmed, what it is sent, and how it ends.

use super::operator::OperatorClient;
use super::push::{claim, settle};
use super::test_app::{PROGRAM, TestAgenda, TestApp, TestRequest};
use callboard::reach::{Body, ClaimedMessage, Guard, Outcome, SendResult};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

async fn ask(app: &TestApp, mine: &TestAgenda, address: &str, peer: &str) -> u16 {
    let body = json!({ "channel": "mail", "address": address });
    app.send(mine.request("POST", "/agenda/subscriptions").json(&body).field("x-forwarded-for", peer))
        .await
        .status
}

/// The decoded text of a mail.
fn text(message: &ClaimedMessage) -> String {
    let Body::Text(mime) = &message.message.body else { panic!("a mail is text") };
    // `=CA` of the header is no encoded byte.
    let mime = mime.replace("method=CANCEL", "method CANCEL");
    let (joined, mut out) = (mime.replace("=\r\n", ""), Vec::new());
    let mut bytes = joined.bytes();
    while let Some(byte) = bytes.next() {
        let digits = joined.len() - bytes.len();
        let hex = joined.get(digits..digits + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, hex) {
            (b'=', Some(decoded)) => {
                out.push(decoded);
                bytes.nth(1);
            }
            _ => out.push(byte),
        }
    }
    // Calendars are folded.
    String::from_utf8(out).unwrap().replace("\r\n ", "")
}

fn recipient(message: &ClaimedMessage) -> &str {
    message.message.url.strip_prefix("mailto:").unwrap()
}

/// The path of the link in a mail.
fn link(message: &ClaimedMessage, kind: &str) -> String {
    let text = text(message);
    let rest = text.split(&format!("https://conf.example/mail/{kind}/")).nth(1).unwrap();
    let token: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    format!("/mail/{kind}/{token}")
}

fn property(message: &ClaimedMessage, name: &str) -> String {
    let text = text(message);
    let line =
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {text}"));
    line.to_owned()
}

/// Method, summary line of the session, generation of the UID and sequence.
fn said(message: &ClaimedMessage) -> (String, String, String, u32) {
    let uid = property(message, "UID:");
    let (session, rest) = uid.split_once('.').unwrap();
    let generation = rest.split(['.', '@']).nth(1).unwrap();
    let sequence = property(message, "SEQUENCE:").parse().unwrap();
    (property(message, "METHOD:"), session.to_owned(), generation.to_owned(), sequence)
}

fn outcome(message: &ClaimedMessage, result: SendResult) -> Outcome {
    Outcome { id: message.id.clone(), claim: message.claim, release: message.release, result }
}

fn stored(app: &TestApp) -> usize {
    app.store.all_subscriptions().map(|row| row.unwrap().1.list.len()).sum()
}

/// An agenda whose mailbox is confirmed.
async fn confirmed(app: &TestApp, picks: &[&str]) -> TestAgenda {
    let mine = app.agenda(picks).await;
    assert_eq!(ask(app, &mine, "ada@example.org", "192.0.2.1").await, 202);
    let mails = claim(app).await;
    settle(app, &mails, 250);
    assert_eq!(app.send(TestRequest::new("POST", &link(&mails[0], "confirm"))).await.status, 200);
    mine
}

/// Lets the relay accept every mail that is due, a minute after the last one.
async fn receive(app: &TestApp) -> Vec<ClaimedMessage> {
    app.pass(61);
    let mut received = Vec::new();
    loop {
        let mails = claim(app).await;
        if mails.is_empty() {
            return received;
        }
        settle(app, &mails, 250);
        received.extend(mails);
    }
}

async fn pick(app: &TestApp, mine: &TestAgenda, method: &'static str, session: &str) {
    let answer = app.send(mine.request(method, &format!("/agenda/picks/{session}"))).await;
    assert!(answer.status < 300, "{}", answer.status);
}

fn moved(program: &str) -> String {
    program.replace("first-talk,2025-03-25,10:00,10:40", "first-talk,2025-03-25,11:00,11:40")
}

#[tokio::test]
async fn a_mailbox_is_stored_only_after_its_owner_pressed_the_button() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    assert_eq!(ask(&app, &mine, "ada@example.org", "192.0.2.1").await, 202);
    let mails = claim(&app).await;
    assert_eq!((mails.len(), recipient(&mails[0]), mails[0].host.as_str()), (1, "ada@example.org", "mail"));
    assert_eq!(mails[0].message.guard, Guard::Relay { sender: "calendar@conf.example.org".to_owned() });
    let path = link(&mails[0], "confirm");
    assert!(!path.contains("ada") && text(&mails[0]).contains("ignore this mail"));
    settle(&app, &mails, 250);
    // Some mail programs open every link.
    for method in ["GET", "HEAD", "GET"] {
        let page = app.send(TestRequest::new(method, &path)).await;
        assert_eq!(page.status, 200);
        assert!(method == "HEAD" || page.text().contains("a…@example.org"), "{}", page.text());
        assert!(!page.text().contains("ada@example.org"));
    }
    assert_eq!((stored(&app), app.store.deliveries().count()), (0, 0));
    for _ in 0..2 {
        assert_eq!(app.send(TestRequest::new("POST", &path)).await.status, 200);
        assert_eq!(stored(&app), 1, "a repetition changes nothing");
    }
    let list = app.send(mine.request("GET", "/agenda/subscriptions")).await.json();
    assert_eq!((&list[0]["channel"], &list[0]["label"]), (&json!("mail"), &json!("a…@example.org")));
    app.pass(10);
    let first = claim(&app).await;
    assert_eq!(said(&first[0]), ("REQUEST".into(), "first-talk".into(), "0".into(), 0));
    let mail = text(&first[0]);
    for part in [
        "ORGANIZER:mailto:calendar@conf.example.org\r\n",
        "PARTSTAT=NEEDS-ACTION;RSVP=FALSE:mailto:ada@example.org\r\n",
        "DTSTART;TZID=America/Los_Angeles:20250325T100000\r\n",
        "BEGIN:VTIMEZONE\r\n",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        "Press “Yes” in this invitation once.",
        "Content-Type: multipart/alternative",
        "method=REQUEST",
    ] {
        assert!(mail.contains(part), "{part}\n{mail}");
    }
    assert_eq!(mail.matches("ATTENDEE").count(), 1);
}

#[tokio::test]
async fn links_expire_and_die_with_the_agenda() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    let other = app.agenda(&["first-talk"]).await;
    ask(&app, &mine, "ada@example.org", "192.0.2.1").await;
    ask(&app, &other, "eve@example.org", "192.0.2.1").await;
    let mails = claim(&app).await;
    let [first, second] = [0, 1].map(|n| link(&mails[n], "confirm"));
    app.send(mine.request("DELETE", "/agenda")).await;
    for method in ["GET", "POST"] {
        assert_eq!(app.send(TestRequest::new(method, &first)).await.status, 410, "{method}");
        assert_eq!(app.send(TestRequest::new(method, "/mail/confirm/AAAA")).await.status, 404);
        assert_eq!(app.send(TestRequest::new(method, &second.replace("confirm", "end"))).await.status, 404);
    }
    app.pass(48 * 3600);
    assert_eq!(app.send(TestRequest::new("POST", &second)).await.status, 410);
    assert_eq!(stored(&app), 0);
}

#[tokio::test]
async fn ten_thousand_requests_mail_nobody_twice() {
    let app = TestApp::new();
    let agendas = [app.agenda(&["first-talk"]).await, app.agenda(&["lunch"]).await];
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    let mut mailed: BTreeMap<String, usize> = BTreeMap::new();
    for n in 0..10_000_usize {
        // Two thousand clients write one victim's address in many ways, and those of many others.
        let peer = format!("10.{}.{}.7", n % 2000 / 250, n % 250);
        let address = match n % 3 {
            0 => format!("Victim+{n}@example.org"),
            1 => format!("v.i.c.t.i.m+{n}@gmail.com"),
            _ => format!("other{}@example.org", n % 500),
        };
        *statuses.entry(ask(&app, &agendas[n % 2], &address, &peer).await).or_default() += 1;
        if n % 100 == 0 {
            let mails = claim(&app).await;
            mails.iter().for_each(|mail| *mailed.entry(recipient(mail).to_lowercase()).or_default() += 1);
            settle(&app, &mails, 250);
        }
    }
    assert_eq!(statuses.keys().copied().collect::<Vec<_>>(), [202, 429]);
    let total: usize = mailed.values().sum();
    assert!(mailed.values().all(|count| *count == 1) && (2..=100).contains(&total), "{mailed:?}");
    let victims = mailed.keys().filter(|address| address.replace('.', "").contains("victim")).count();
    assert_eq!(victims, 2, "each mailbox of the victim gets one mail");
    let (_, metrics) = OperatorClient::of(&app).get("/metrics").await;
    let limited = metrics.lines().find(|line| line.starts_with("callboard_mail_confirmations_limited_total"));
    assert!(limited.is_some_and(|line| !line.ends_with(" 0")), "{limited:?}");
    assert_eq!(stored(&app), 0);
}

#[tokio::test]
async fn ten_thousand_confirmations_subscribe_once() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    ask(&app, &mine, "ada@example.org", "192.0.2.1").await;
    let path = link(&claim(&app).await[0], "confirm");
    for n in 0..10_000 {
        let method = if n % 2 == 0 { "POST" } else { "GET" };
        assert_eq!(app.send(TestRequest::new(method, &path)).await.status, 200);
    }
    assert_eq!((stored(&app), receive(&app).await.len()), (1, 1));
}

#[tokio::test]
async fn a_mailbox_is_asked_once_a_day_and_three_times_in_all() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    let mut asked = Vec::new();
    for day in 0..6 {
        for hour in [0, 12] {
            assert_eq!(ask(&app, &mine, "ada@example.org", "192.0.2.1").await, 202, "nothing tells");
            let mails = claim(&app).await;
            settle(&app, &mails, 250);
            asked.extend(mails.iter().map(|_| (day, hour)));
            app.pass(12 * 3600 + 1);
        }
    }
    assert_eq!(asked, [(0, 0), (1, 0), (2, 0)]);
}

#[tokio::test]
async fn a_client_asks_five_times_an_hour_and_the_conference_a_hundred_times() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    let mut accepted = 0;
    for n in 0..30 {
        for client in 0..5 {
            let (address, peer) = (format!("a{n}.{client}@example.org"), format!("192.0.2.{client}"));
            accepted += usize::from(ask(&app, &mine, &address, &peer).await == 202);
        }
    }
    assert_eq!(accepted, 25);
    for client in 10..100 {
        let status = ask(&app, &mine, &format!("b{client}@example.org"), &format!("192.0.2.{client}")).await;
        assert_eq!(status, if client < 85 { 202 } else { 429 }, "{client}");
    }
    app.pass(3600);
    assert_eq!(ask(&app, &mine, "later@example.org", "192.0.2.99").await, 202);
}

#[tokio::test]
async fn a_mail_to_confirm_is_tried_for_an_hour_and_forgotten_with_the_server() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    ask(&app, &mine, "ada@example.org", "192.0.2.1").await;
    let fail = |mail: &ClaimedMessage| {
        let result = SendResult::Failed { error: "the relay answered 451 to RCPT".to_owned() };
        app.publisher.outbox().settle(&[outcome(mail, result)]).unwrap();
    };
    let mails = claim(&app).await;
    fail(&mails[0]);
    assert!(claim(&app).await.is_empty(), "it waits");
    app.pass(5);
    let mails = claim(&app).await;
    assert_eq!(mails.len(), 1);
    fail(&mails[0]);
    app.pass(3600);
    assert!(claim(&app).await.is_empty());
    // Nothing arrived, so the mailbox may be asked again.
    ask(&app, &mine, "ada@example.org", "192.0.2.1").await;
    assert_eq!(claim(&app).await.len(), 1);
}

#[tokio::test]
async fn changes_cancellations_and_new_picks_follow() {
    let app = TestApp::new();
    let mine = confirmed(&app, &["first-talk", "lunch"]).await;
    let all = |mails: &[ClaimedMessage]| mails.iter().map(said).collect::<Vec<_>>();
    let line = |method: &str, session: &str, generation: &str, sequence| {
        (method.to_owned(), session.to_owned(), generation.to_owned(), sequence)
    };
    let first = receive(&app).await;
    assert_eq!(all(&first), [line("REQUEST", "first-talk", "0", 0), line("REQUEST", "lunch", "0", 0)]);
    assert!(text(&first[0]).contains("Press “Yes”") && !text(&first[1]).contains("Press “Yes”"));
    assert_eq!(app.store.deliveries().count(), 0);

    app.publish(&moved(PROGRAM)).await;
    app.pass(1);
    app.publish(&PROGRAM.replace("first-talk,2025-03-25,10:00,10:40", "first-talk,2025-03-25,11:15,11:55"))
        .await;
    let update = receive(&app).await;
    assert_eq!(all(&update), [line("REQUEST", "first-talk", "0", 1)], "two releases are one mail");
    assert!(text(&update[0]).contains("T111500") && text(&update[0]).contains("Updated: First"));

    app.publish(&moved(PROGRAM)).await;
    app.pass(1);
    app.publish(&PROGRAM.replace("first-talk,2025-03-25,10:00,10:40", "first-talk,2025-03-25,11:15,11:55"))
        .await;
    assert!(receive(&app).await.is_empty(), "what was taken back is not sent");

    app.publish(&moved(PROGRAM).replace("What was first", "What came first")).await;
    receive(&app).await;
    app.publish(&moved(PROGRAM).replace("What was first", "What comes first")).await;
    assert!(receive(&app).await.is_empty(), "a corrected abstract disturbs nobody");

    pick(&app, &mine, "DELETE", "lunch").await;
    let cancelled = receive(&app).await;
    assert_eq!(all(&cancelled), [line("CANCEL", "lunch", "0", 1)]);
    assert!(text(&cancelled[0]).contains("STATUS:CANCELLED\r\n"));
    pick(&app, &mine, "PUT", "lunch").await;
    assert_eq!(all(&receive(&app).await), [line("REQUEST", "lunch", "1", 0)], "a new UID");

    let program = moved(PROGRAM).replace("What was first,", "What was first,cancelled");
    app.publish(&program).await;
    let cancelled = receive(&app).await;
    assert_eq!(all(&cancelled), [line("CANCEL", "first-talk", "0", 3)]);
    app.publish(&moved(PROGRAM)).await;
    assert_eq!(all(&receive(&app).await), [line("REQUEST", "first-talk", "1", 0)]);
    app.publish(
        &moved(PROGRAM).lines().filter(|line| !line.starts_with("first-talk")).collect::<Vec<_>>().join("\n"),
    )
    .await;
    assert_eq!(
        all(&receive(&app).await),
        [line("CANCEL", "first-talk", "1", 1)],
        "a withdrawn row is cancelled"
    );
}

#[tokio::test]
async fn a_pick_while_a_mail_is_being_sent_is_not_lost() {
    let app = TestApp::new();
    let mine = confirmed(&app, &["first-talk"]).await;
    app.pass(61);
    let sending = claim(&app).await;
    pick(&app, &mine, "PUT", "lunch").await;
    settle(&app, &sending, 250);
    assert_eq!(receive(&app).await.iter().map(|mail| said(mail).1).collect::<Vec<_>>(), ["lunch"]);
}

#[tokio::test]
async fn the_relay_decides_what_becomes_of_a_mailbox() {
    let app = TestApp::new();
    confirmed(&app, &["first-talk"]).await;
    app.pass(61);
    let mails = claim(&app).await;
    let failed = SendResult::Failed { error: "the relay answered 451 to RCPT".to_owned() };
    app.publisher.outbox().settle(&[outcome(&mails[0], failed)]).unwrap();
    assert_eq!(stored(&app), 1);
    app.pass(61);
    let again = claim(&app).await;
    assert_eq!(property(&again[0], "UID:"), property(&mails[0], "UID:"));
    assert_eq!(said(&again[0]).3, 1, "the first mail may have arrived");
    app.publisher.outbox().settle(&[outcome(&again[0], SendResult::NoRecipient { status: 550 })]).unwrap();
    assert_eq!((stored(&app), app.store.deliveries().count()), (0, 0));
}

#[tokio::test]
async fn one_click_ends_the_invitations_without_a_cookie_and_a_link_scanner_does_not() {
    let app = TestApp::new();
    confirmed(&app, &["first-talk", "lunch"]).await;
    let first = receive(&app).await;
    let path = link(&first[0], "end");
    assert_eq!(path, link(&first[1], "end"));
    let header = property(&first[0], "List-Unsubscribe: ");
    assert_eq!(header, format!("<https://conf.example{path}>"));
    assert_eq!(app.get(&path).await.status, 200);
    assert_eq!(stored(&app), 1);
    // RFC 8058, 3.1: a POST of this form, from anywhere.
    let form = "application/x-www-form-urlencoded";
    let one_click = TestRequest::new("POST", &path).text(form, "List-Unsubscribe=One-Click");
    let answer = app.send(one_click.field("origin", "https://mail.example")).await;
    assert_eq!((answer.status, stored(&app)), (200, 0));
    assert_eq!(app.send(TestRequest::new("POST", &path)).await.status, 200, "a repetition is no error");
    app.publish(&moved(PROGRAM)).await;
    assert!(receive(&app).await.is_empty());
}

#[tokio::test]
async fn a_deleted_agenda_and_a_new_key_erase_the_mailbox_at_once() {
    let app = TestApp::new();
    for (method, path) in [("DELETE", "/agenda"), ("POST", "/agenda/key")] {
        let mine = confirmed(&app, &["first-talk"]).await;
        assert_eq!(stored(&app), 1);
        assert!(app.send(mine.request(method, path)).await.status < 300);
        assert_eq!(stored(&app), 0, "{method} {path}");
        assert!(receive(&app).await.is_empty());
        assert_eq!(app.store.deliveries().count(), 0);
        app.pass(25 * 3600);
    }
}

#[tokio::test]
async fn where_a_calendar_is_added_the_page_says_that_mails_bring_the_sessions_already() {
    let app = TestApp::new();
    let page = |key: &str| {
        app.send(TestRequest::new("GET", "/agenda").field("cookie", &format!("__Host-agenda={key}")))
    };
    let warning = "Your sessions already come by mail.";
    let without = app.agenda(&["first-talk"]).await;
    let answer = page(&without.key).await;
    assert!(answer.text().contains("Add to calendar") && !answer.text().contains(warning));
    assert!(answer.text().contains("Use either these invitations or a subscribed calendar."));
    let with = confirmed(&app, &["first-talk"]).await;
    assert!(page(&with.key).await.text().contains(warning));
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    for address in ["", "ada", "ada@localhost", "ada@example.org\r\nBcc: eve@example.org", "a b@example.org"]
    {
        assert_eq!(ask(&app, &mine, address, "192.0.2.1").await, 422, "{address}");
    }
    assert!(claim(&app).await.is_empty());
}

#[tokio::test]
async fn an_agenda_invites_two_mailboxes() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    let mut statuses = Vec::new();
    for name in ["ada", "bob", "eve"] {
        ask(&app, &mine, &format!("{name}@example.org"), "192.0.2.1").await;
        let mails = claim(&app).await;
        settle(&app, &mails, 250);
        statuses.push(app.send(TestRequest::new("POST", &link(&mails[0], "confirm"))).await.status);
    }
    assert_eq!(statuses, [200, 200, 422]);
    let received = receive(&app).await;
    let recipients: BTreeSet<&str> = received.iter().map(recipient).collect();
    assert_eq!((received.len(), recipients.len()), (2, 2));
    assert_ne!(property(&received[0], "UID:"), property(&received[1], "UID:"));
}
