//! Rate limits of one address and one agenda. They never refuse a feed.

use super::test_app::{SECRET, TestAgenda, TestApp, TestRequest, TestResponse};
use bytes::Bytes;
use callboard::agenda::EditKey;
use callboard::config::Limits;
use http::{Request, StatusCode};
use http_body::{Body, Frame};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

async fn make(app: &TestApp, from: &str, forwarded: &str) -> TestResponse {
    let request = TestRequest::new("POST", "/api/v1/agendas").from(from);
    let request = if forwarded.is_empty() { request } else { request.field("x-forwarded-for", forwarded) };
    app.send(request).await
}

#[tokio::test]
async fn a_venue_creates_600_agendas_at_once_and_must_then_wait() {
    let app = TestApp::limited();
    for _ in 0..600 {
        assert_eq!(make(&app, "192.0.2.1", "").await.status, 201);
    }
    let refused = make(&app, "192.0.2.1", "").await;
    assert_eq!((refused.status, refused.field("retry-after")), (429, "2"));
    assert_eq!(refused.field("content-type"), "application/problem+json");
    assert_eq!(refused.field("cache-control"), "no-store");
    assert!(refused.json()["detail"].as_str().unwrap().contains("from this address"));
    // An X-Forwarded-For of the client itself is ignored.
    assert_eq!(make(&app, "192.0.2.1", "203.0.113.9").await.status, 429);
    // A first pick on a page also creates an agenda.
    let pick =
        TestRequest::new("POST", "/agenda/picks").from("192.0.2.1").field("origin", "https://conf.example");
    let pick = pick.text("application/x-www-form-urlencoded", "session=opening");
    assert_eq!(app.send(pick).await.status, 429);
    assert_eq!(make(&app, "192.0.2.2", "").await.status, 201);
    app.pass(60);
    for _ in 0..50 {
        assert_eq!(make(&app, "192.0.2.1", "").await.status, 201);
    }
    assert_eq!(make(&app, "192.0.2.1", "").await.status, 429);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_counts_by_itself() {
    let app = TestApp::limited();
    for _ in 0..600 {
        assert_eq!(make(&app, "127.0.0.1", "198.51.100.1, 2a00:1:2:3::1").await.status, 201);
    }
    assert_eq!(make(&app, "127.0.0.1", "2a00:1:2:3:ffff::9").await.status, 429);
    assert_eq!(make(&app, "127.0.0.1", "2a00:1:2:4::1").await.status, 201);
}

#[tokio::test]
async fn wrong_edit_keys_are_limited_and_neither_right_ones_nor_reads_are() {
    let app = TestApp::limited();
    let mine = app.agenda(&["opening"]).await;
    let wrong = format!("Bearer {}", EditKey::generate().unwrap().reveal());
    let guess = |method| {
        TestRequest::new(method, "/api/v1/agenda/picks/lunch")
            .field("authorization", &wrong)
            .from("192.0.2.1")
    };
    for _ in 0..60 {
        assert_eq!(app.send(guess("PUT")).await.status, 401);
    }
    let refused = app.send(guess("DELETE")).await;
    assert_eq!((refused.status, refused.field("retry-after")), (429, "6"));
    // A venue has one address, so another guest's right key still works.
    let pick = mine.request("PUT", "/agenda/picks/lunch").from("192.0.2.1");
    assert_eq!(app.send(pick).await.status, 204);
    let read = TestRequest::new("GET", "/api/v1/agenda").field("authorization", &wrong).from("192.0.2.1");
    assert_eq!(app.send(read).await.status, 401);
    assert_eq!(app.send(TestRequest::new("GET", &mine.feed).from("192.0.2.1")).await.status, 200);
    assert_eq!(app.send(TestRequest::new("GET", "/program.ics").from("192.0.2.1")).await.status, 200);
}

#[tokio::test]
async fn wrong_secrets_lock_out_only_their_address_and_only_for_a_while() {
    let app = TestApp::limited();
    let ask = |secret: &str, from: &str| {
        let request =
            TestRequest::new("GET", "/organizer/status").field("authorization", &format!("Bearer {secret}"));
        request.from(from)
    };
    for _ in 0..10 {
        assert_eq!(app.send(ask("wrong", "192.0.2.1")).await.status, 401);
    }
    for secret in ["wrong", SECRET] {
        let refused = app.send(ask(secret, "192.0.2.1")).await;
        assert_eq!((refused.status, refused.field("retry-after")), (429, "60"));
    }
    let form = TestRequest::new("POST", "/organizer/session").from("192.0.2.1");
    let form = form.text("application/x-www-form-urlencoded", &format!("secret={SECRET}"));
    assert_eq!(app.send(form).await.status, 429);
    assert_eq!(app.send(ask(SECRET, "192.0.2.2")).await.status, 200);
    app.pass(60);
    assert_eq!(app.send(ask(SECRET, "192.0.2.1")).await.status, 200);
}

/// A body whose end comes when the gate opens.
struct Gated {
    gate: Pin<Box<dyn Future<Output = ()> + Send>>,
    text: Option<Bytes>,
}

impl Body for Gated {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.text.is_none() {
            return Poll::Ready(None);
        }
        self.gate.as_mut().poll(context).map(|()| self.text.take().map(|text| Ok(Frame::data(text))))
    }
}

/// Sign-ins that arrived together once bypassed the limit, since all passed it before one was checked.
#[tokio::test]
async fn sign_ins_that_arrive_together_are_looked_up_no_more_often_than_the_limit_allows() {
    let app = TestApp::limited();
    let (open, gate) = tokio::sync::watch::channel(false);
    let attempts: Vec<_> = (0..40)
        .map(|n| {
            let mut gate = gate.clone();
            let gate = Box::pin(async move { drop(gate.wait_for(|is_open| *is_open).await) });
            let secret = if n == 39 { SECRET.to_owned() } else { format!("guess-{n}") };
            let text = Some(Bytes::from(format!("secret={secret}")));
            let request = Request::post("/organizer/session")
                .header("host", "conf.example")
                .header("sec-fetch-site", "same-origin")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Gated { gate, text })
                .unwrap();
            let app = app.inner.clone();
            tokio::spawn(async move { app.respond(request).await.status().as_u16() })
        })
        .collect();
    // The runtime has one thread, so after this yield each attempt waits for the end of its body.
    tokio::task::yield_now().await;
    assert!(attempts.iter().all(|attempt| !attempt.is_finished()));
    open.send(true).unwrap();
    let mut statuses = Vec::new();
    for attempt in attempts {
        statuses.push(attempt.await.unwrap());
    }
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!(count(401), 10, "{statuses:?}");
    // The attempts wake in any order. The right secret is checked only if it comes while guesses are left.
    assert_eq!(count(429) + count(303), 30, "{statuses:?}");
}

#[tokio::test]
async fn right_secrets_are_never_counted_as_guesses() {
    let app = TestApp::limited();
    let ask = |secret: &str| {
        TestRequest::new("GET", "/organizer/status").field("authorization", &format!("Bearer {secret}"))
    };
    for _ in 0..9 {
        assert_eq!(app.send(ask("wrong")).await.status, 401);
    }
    let sign_in = format!("secret={SECRET}");
    for _ in 0..30 {
        assert_eq!(app.send(ask(SECRET)).await.status, 200);
        let form = TestRequest::new("POST", "/organizer/session").field("sec-fetch-site", "same-origin");
        assert_eq!(app.send(form.text("application/x-www-form-urlencoded", &sign_in)).await.status, 303);
    }
    assert_eq!(app.send(ask("wrong")).await.status, 401);
    assert_eq!(app.send(ask(SECRET)).await.status, 429);
}

/// A form of the visitor's agenda page.
fn form(target: &str, cookie: &str, body: &str) -> TestRequest {
    let request =
        TestRequest::new("POST", target).field("origin", "https://conf.example").field("cookie", cookie);
    request.text("application/x-www-form-urlencoded", body).from("192.0.2.1")
}

fn cookie(mine: &TestAgenda) -> String {
    format!("__Host-agenda={}", mine.key)
}

async fn hand_over(app: &TestApp, mine: &TestAgenda) -> (u16, String) {
    let answer = app.send(form("/agenda/handover", &cookie(mine), "")).await;
    let code = answer.text().split_once("/handover/").map_or("", |(_, code)| code);
    let end = code.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or_default();
    (answer.status, format!("/handover/{}", &code[..end]))
}

#[tokio::test]
async fn a_flood_of_hand_overs_voids_no_link_of_a_bystander() {
    let app = TestApp::limited();
    let victim = app.agenda(&["opening"]).await;
    let (status, link) = hand_over(&app, &victim).await;
    assert_eq!((status, app.get(&link).await.status), (200, 200));
    let mut answers = std::collections::BTreeMap::new();
    for _ in 0..20 {
        let attacker = app.agenda(&["opening"]).await;
        for _ in 0..30 {
            *answers.entry(hand_over(&app, &attacker).await.0).or_insert(0) += 1;
        }
    }
    assert_eq!(answers.keys().collect::<Vec<_>>(), [&200, &429], "{answers:?}");
    assert!(answers[&200] <= 200, "{answers:?}");
    assert_eq!(app.get(&link).await.status, 200);
    // A guest at the same address who comes later can still create a hand-over link.
    let late = app.agenda(&["opening"]).await;
    assert_eq!(hand_over(&app, &late).await.0, 200);
    // The owner's next link replaces the first one, and works once.
    let (_, next) = hand_over(&app, &victim).await;
    assert_eq!((app.get(&link).await.status, app.get(&next).await.status), (410, 200));
    assert_eq!(app.send(form(&next, "", "")).await.status, 303);
    assert_eq!(app.get(&next).await.status, 410);
}

#[tokio::test]
async fn a_hand_over_of_a_deleted_agenda_or_an_old_key_leads_nowhere() {
    let app = TestApp::new();
    for (method, path) in [("DELETE", "/agenda"), ("POST", "/agenda/key")] {
        let mine = app.agenda(&["opening"]).await;
        let (_, link) = hand_over(&app, &mine).await;
        assert!(app.send(mine.request(method, path)).await.status < 300);
        assert_eq!((app.get(&link).await.status, app.send(form(&link, "", "")).await.status), (410, 410));
    }
}

#[tokio::test]
async fn links_made_and_revoked_without_end_leave_a_bounded_number_of_records() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let bystander = app.agenda(&["lunch"]).await;
    let tokens: Vec<String> = churn(&app, &mine, 130).await;
    assert_eq!(app.store.links().count(), 1 + 50 + 1, "a link of each, and the last fifty revoked ones");
    // The last 50 links answer "no longer shared", and the first ones are forgotten.
    assert_eq!((app.get(&tokens[129]).await.status, app.get(&tokens[80]).await.status), (200, 200));
    assert!(app.get(&tokens[129]).await.text().contains("no longer shared"));
    assert_eq!((app.get(&tokens[0]).await.status, app.get(&tokens[79]).await.status), (404, 404));
    for mine in [&mine, &bystander] {
        assert_eq!(app.get(&mine.feed).await.status, 200);
    }
}

/// Creates and revokes links, and returns the paths of their feeds.
async fn churn(app: &TestApp, mine: &TestAgenda, times: usize) -> Vec<String> {
    let mut feeds = Vec::new();
    for _ in 0..times {
        let made = app.send(mine.request("POST", "/agenda/links")).await;
        if made.status != 201 {
            assert_eq!(made.status, 429);
            break;
        }
        let made = made.json();
        feeds.push(made["feed"].as_str().unwrap().trim_start_matches("https://conf.example").to_owned());
        let revoke = format!("/agenda/links/{}", made["n"]);
        assert_eq!(app.send(mine.request("DELETE", &revoke)).await.status, 204);
    }
    feeds
}

#[tokio::test]
async fn an_agenda_makes_links_as_people_do_and_a_new_key_is_no_way_around_it() {
    let app = TestApp::limited();
    let mut mine = app.agenda(&["opening"]).await;
    assert_eq!(churn(&app, &mine, 100).await.len(), 40);
    let key = app.send(mine.request("POST", "/agenda/key")).await.json();
    mine.key = key["edit_key"].as_str().unwrap().to_owned();
    assert_eq!(churn(&app, &mine, 100).await.len(), 0);
    let refused = app.send(mine.request("POST", "/agenda/links")).await;
    assert!(refused.json()["detail"].as_str().unwrap().contains("with this agenda"), "{}", refused.text());
    // Picks still work, and other agendas can create links.
    assert_eq!(app.send(mine.request("PUT", "/agenda/picks/lunch")).await.status, 204);
    assert_eq!(churn(&app, &app.agenda(&["lunch"]).await, 3).await.len(), 3);
    app.pass(60 * 60);
    assert_eq!(churn(&app, &mine, 100).await.len(), 40);
}

#[tokio::test]
async fn many_agendas_of_one_address_change_no_more_than_it_may_and_a_late_guest_is_not_refused() {
    let mut limits = Limits::default();
    (limits.agenda_changes_at_once, limits.agenda_changes_hour) = (50, 50);
    (limits.changes_at_once, limits.changes_hour) = (100, 100);
    let app = TestApp::limited_to(&limits);
    let change = async |mine: &TestAgenda| {
        let mut taken = 0;
        for n in 0..60 {
            let method = if n % 2 == 0 { "PUT" } else { "DELETE" };
            taken += usize::from(app.send(mine.request(method, "/agenda/picks/lunch")).await.status == 204);
        }
        taken
    };
    let mut taken = Vec::new();
    for _ in 0..6 {
        taken.push(change(&app.agenda(&["opening"]).await).await);
    }
    assert_eq!(taken, [50, 50, 30, 10, 10, 10], "a fifth is everybody's own");
}

#[tokio::test]
async fn a_clock_that_is_set_back_changes_no_limit() {
    let app = TestApp::limited();
    for _ in 0..10 {
        assert_eq!(make(&app, "192.0.2.1", "").await.status, 201);
    }
    app.clock.set(app.clock.now() - chrono::TimeDelta::days(400));
    for _ in 10..600 {
        assert_eq!(make(&app, "192.0.2.1", "").await.status, 201);
    }
    assert_eq!(make(&app, "192.0.2.1", "").await.status, 429, "nor does it give anything away");
    app.clock.set(app.clock.now() + chrono::TimeDelta::days(800));
    assert_eq!(make(&app, "192.0.2.1", "").await.status, 429);
}

/// A body that never arrives.
struct Owed;

impl Body for Owed {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn a_request_whose_body_is_not_complete_takes_no_turn() {
    let app = TestApp::new();
    let owing = (0..64).map(|_| {
        let request = Request::get("/?kind=talk").header("host", "conf.example").body(Owed).unwrap();
        let app = app.inner.clone();
        tokio::spawn(async move { app.respond(request).await.status() })
    });
    let owing: Vec<_> = owing.collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(app.get("/?kind=talk").await.status, 200);
    assert!(owing.iter().all(|owes| !owes.is_finished()));
    for owes in owing {
        assert_eq!(owes.await.unwrap(), StatusCode::REQUEST_TIMEOUT);
    }
}
