//! Strong entity tags (RFC 9110, 8.8.1): at one address, a tag stands for one body, at any time and for every client. A
//! conditional change compares only the state that it changes, not the rest of the response.

use super::test_app::{PROGRAM, SECRET, TestAgenda, TestApp, TestRequest, TestResponse};
use std::collections::HashMap;

/// The body that each tag stood for, by address.
#[derive(Default)]
struct Seen(HashMap<(String, String), Vec<u8>>);

impl Seen {
    fn note(&mut self, address: &str, answer: &TestResponse) {
        assert_eq!(answer.status, 200, "{address}: {}", answer.text());
        let tag = answer.tag().to_owned();
        if tag.is_empty() || tag.starts_with("W/") {
            return;
        }
        let before = self.0.entry((address.to_owned(), tag.clone())).or_insert_with(|| answer.body.to_vec());
        assert_eq!(*before, answer.body, "{address}: {tag} stands for two bodies");
    }

    /// Reads every response that depends on an agenda, on several agendas, or on the organizer.
    async fn read_all(&mut self, app: &TestApp, people: [&TestAgenda; 2], team: &str) {
        for mine in people {
            for path in ["/agenda", "/agenda/links", "/agenda/export", "/agenda/export?format=ics"] {
                self.note(path, &app.send(mine.request("GET", path)).await);
            }
            let token = mine.feed.trim_start_matches("/agendas/").trim_end_matches(".ics");
            for path in [
                mine.feed.clone(),
                format!("{}?cancelled=title", mine.feed),
                mine.feed.replace(".ics", ".jcal"),
                mine.feed.replace(".ics", "/changes.atom"),
                mine.feed.replace(".ics", ""),
                format!("/api/v1/agendas/{token}"),
                format!("/api/v1/agendas/{token}?fields=id"),
            ] {
                self.note(&path, &app.get(&path).await);
            }
            let basic = format!("Basic {}", data_encoding::BASE64.encode(format!(":{token}").as_bytes()));
            let object =
                TestRequest::new("GET", "/dav/agendas/agenda/first-talk.ics").field("authorization", &basic);
            self.note("/dav/agendas/agenda/first-talk.ics", &app.send(object).await);
        }
        for path in [
            team,
            "/program.ics",
            "/tracks/main.ics",
            "/schedule.json",
            "/changes.atom",
            "/changes.json",
            "/dav/public/program/first-talk.ics",
            "/api/v1/program",
            "/api/v1/releases",
            "/api/v1/changes?since=1",
            "/api/v1/sessions?limit=2",
            "/",
            "/changes",
            "/sessions/first-talk",
        ] {
            self.note(path, &app.get(path).await);
        }
        for path in ["/status", "/picks", "/releases", "/releases/1", "/program", "/releases/1/program.csv"] {
            let path = format!("/organizer{path}");
            let request = TestRequest::new("GET", &path).field("authorization", &format!("Bearer {SECRET}"));
            self.note(&path, &app.send(request).await);
        }
    }
}

#[tokio::test]
async fn a_strong_tag_stands_for_one_body() {
    let app = TestApp::new();
    let (one, other) = (app.agenda(&["first-talk"]).await, app.agenda(&["first-talk", "lunch"]).await);
    let tokens = [&one, &other].map(|mine| mine.feed.trim_start_matches("/agendas/").replace(".ics", ""));
    let team = format!("/team/{}.ics", tokens.join("."));
    let mut seen = Seen::default();
    let both = [&one, &other];
    seen.read_all(&app, both, &team).await;
    // A calendar app fetches the feed, and later another app does.
    for (seconds, agent) in [(60, "Google-Calendar-Importer"), (60, "DAVx5/4.4"), (90_000, "DAVx5/4.4")] {
        app.pass(seconds);
        app.send(TestRequest::new("GET", &one.feed).field("user-agent", agent)).await;
        seen.read_all(&app, both, &team).await;
    }
    for (method, path, body) in [
        ("PATCH", "/agenda", "{\"name\": \"Other\"}"),
        ("PUT", "/agenda/picks", "[\"first-talk\", \"other-talk\"]"),
        ("POST", "/agenda/links", "{\"label\": \"for my phone\"}"),
        ("DELETE", "/agenda/links/2", ""),
    ] {
        for mine in both {
            let request = mine.request(method, path).text("application/json", body);
            assert!(app.send(request).await.status < 300, "{method} {path}");
            seen.read_all(&app, both, &team).await;
        }
    }
    for next in [
        PROGRAM.replace("What was first", "What came first"),
        PROGRAM.replace("10:00,10:40,talk,First", "10:30,11:10,talk,First"),
        PROGRAM.replace("Charles Babbage,,\n", "Charles Babbage,,cancelled\n"),
    ] {
        app.pass(30);
        app.publish(&next).await;
        seen.read_all(&app, both, &team).await;
    }
    // The file on disk changes, which only the organizer's status shows.
    std::fs::write(app.dir.path().join("program.csv"), "nonsense").unwrap();
    seen.read_all(&app, both, &team).await;
    let erased = PROGRAM.replace("What was first,", "What was first,withdrawn");
    app.publish(&erased).await;
    let erase = TestRequest::new("POST", "/organizer/erase/first-talk");
    let erase = app.send(erase.field("authorization", &format!("Bearer {SECRET}"))).await;
    assert_eq!(erase.status, 200, "{}", erase.text());
    let csv = TestRequest::new("GET", "/organizer/releases/1/program.csv");
    let csv = app.send(csv.field("authorization", &format!("Bearer {SECRET}"))).await;
    seen.note("/organizer/releases/1/program.csv", &csv);
}

#[tokio::test]
async fn an_agenda_s_tag_says_whose_it_is_and_what_it_shows() {
    let app = TestApp::new();
    let (one, other) = (app.agenda(&["first-talk"]).await, app.agenda(&["lunch"]).await);
    let tag = app.send(one.request("GET", "/agenda")).await.tag().to_owned();
    let known = |mine: &TestAgenda, tag: &str| mine.request("GET", "/agenda").field("if-none-match", tag);
    assert_eq!(app.send(known(&one, &tag)).await.status, 304);
    assert_eq!(app.send(known(&other, &tag)).await.status, 200, "of another agenda");
    app.get(&one.feed).await;
    let now = app.send(known(&one, &tag)).await;
    assert_eq!(now.status, 200, "the link was fetched");
    assert_ne!(now.tag(), tag);
    // A change is conditional only on the state of the agenda, so the first tag is still valid.
    let pick =
        |mine: &TestAgenda, name, tag: &str| mine.request("PUT", "/agenda/picks/opening").field(name, tag);
    assert_eq!(app.send(pick(&other, "if-match", &tag)).await.status, 412);
    assert_eq!(app.send(pick(&one, "if-match", &format!("W/{tag}"))).await.status, 412);
    assert_eq!(app.send(pick(&one, "if-none-match", &tag)).await.status, 412);
    let picked = app.send(pick(&one, "if-match", &tag)).await;
    assert_eq!(picked.status, 204, "{}", picked.text());
    assert_eq!(picked.tag(), app.send(one.request("GET", "/agenda")).await.tag(), "what a change answers");
    for stale in [tag.as_str(), now.tag()] {
        assert_eq!(app.send(pick(&one, "if-match", stale)).await.status, 412);
    }
    assert_eq!(app.send(pick(&one, "if-match", picked.tag())).await.status, 204);
    // A release changes the response (how far calendars are behind), but no agenda.
    let before = app.send(one.request("GET", "/agenda")).await.tag().to_owned();
    app.publish(&PROGRAM.replace("10:00,10:40,talk,First", "10:30,11:10,talk,First")).await;
    assert_eq!(app.send(known(&one, &before)).await.status, 200);
    assert_eq!(app.send(pick(&one, "if-match", &before)).await.status, 204);
}
