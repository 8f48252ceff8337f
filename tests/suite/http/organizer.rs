//! The organizer's API: who has access, and the answer of each path.

use super::test_app::{PROGRAM, SECRET, TestApp, TestRequest, TestResponse};
use serde_json::Value;

async fn ask(app: &TestApp, method: &'static str, target: &str, body: &str) -> TestResponse {
    let request = TestRequest::new(method, target).field("authorization", &format!("Bearer {SECRET}"));
    app.send(request.text("text/csv", body)).await
}

fn moved() -> String {
    PROGRAM.replace("first-talk,2025-03-25", "first-talk,2025-03-26")
}

#[tokio::test]
async fn without_the_secret_every_path_answers_401() {
    let app = TestApp::new();
    for (method, target) in [
        ("GET", "/organizer/status"),
        ("PUT", "/organizer/program"),
        ("POST", "/organizer/preview"),
        ("GET", "/organizer/releases/1/program.csv"),
        ("POST", "/organizer/erase/first-talk"),
    ] {
        for secret in ["Bearer wrong", "Basic eDp5", ""] {
            let answer = app.send(TestRequest::new(method, target).field("authorization", secret)).await;
            assert_eq!(answer.status, 401, "{method} {target}");
            assert!(answer.field("www-authenticate").starts_with("Bearer "));
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert!(!answer.text().contains("Ada"));
        }
    }
    assert_eq!(app.publisher.current().number(), 1);
}

#[tokio::test]
async fn an_upload_is_published_and_answered_with_its_changes() {
    let app = TestApp::new();
    let answer = ask(&app, "PUT", "/organizer/program", &moved()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(answer.field("etag").starts_with("\"release-2."));
    assert_eq!(answer.headers["location"], "/organizer/releases/2");
    let json = answer.json();
    assert_eq!(json["release"], 2);
    let change = &json["changes"][0];
    assert_eq!(
        (&change["session"], &change["change"], &change["title"]),
        (&"first-talk".into(), &"moved".into(), &"First".into())
    );
    assert_eq!(change["fields"]["start"]["from"], "2025-03-25T10:00:00-07:00");
    assert_eq!(change["fields"]["start"]["to"], "2025-03-26T10:00:00-07:00");
    assert!(json["warnings"].is_array());
    let again = ask(&app, "PUT", "/organizer/program", &moved()).await;
    assert_eq!((again.status, again.json()["release"].clone()), (200, 2.into()));
    assert_eq!(ask(&app, "GET", "/organizer/program", "").await.text(), moved());
    assert!(
        app.get("/program.ics").await.text().contains("DTSTART;TZID=America/Los_Angeles:20250326T100000")
    );
}

#[tokio::test]
async fn a_program_with_errors_is_answered_with_its_report() {
    let app = TestApp::new();
    for (method, target) in [("PUT", "/organizer/program"), ("POST", "/organizer/preview")] {
        let answer = ask(&app, method, target, &PROGRAM.replace("10:00", "10:61")).await;
        assert_eq!(answer.status, 422);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let json = answer.json();
        assert!(json["report"]["faults"].as_array().unwrap().len() >= 2 && json["report"]["valid"] == false);
        assert!(json["report_text"].as_str().unwrap().contains("10:61"));
    }
    let status = ask(&app, "GET", "/organizer/status", "").await.json();
    assert_eq!((&status["release"], &status["last"]["verdict"]), (&1.into(), &"refused".into()));
    assert_eq!(status["last"]["origin"], "upload");
}

#[tokio::test]
async fn a_held_upload_is_confirmed_with_its_digest_or_that_of_its_preview() {
    let app = TestApp::guarded();
    let truncated: String = PROGRAM.lines().take(4).map(|line| format!("{line}\n")).collect();
    let held = ask(&app, "PUT", "/organizer/program", &truncated).await;
    assert_eq!(held.status, 409);
    let json = held.json();
    assert_eq!(json["changes"].as_array().unwrap().len(), 2, "{json}");
    assert!(json["reasons"][0].as_str().unwrap().contains("removes"));
    let preview = ask(&app, "POST", "/organizer/preview", &truncated).await;
    assert_eq!(preview.status, 200);
    assert_eq!((&preview.json()["digest"], &preview.json()["reasons"]), (&json["digest"], &json["reasons"]));
    assert_eq!(ask(&app, "PUT", "/organizer/program?confirm=0", &truncated).await.status, 409);
    let target = format!("/organizer/program?confirm={}", json["digest"].as_str().unwrap());
    assert_eq!(ask(&app, "PUT", &target, &truncated).await.status, 201);
    assert_eq!(ask(&app, "PUT", &target, &truncated).await.status, 200);
}

#[tokio::test]
async fn if_match_keeps_two_organizers_apart() {
    let app = TestApp::new();
    let put = |tag: &'static str, csv: String| {
        let request =
            TestRequest::new("PUT", "/organizer/program").field("authorization", &format!("Bearer {SECRET}"));
        request.field("if-match", tag).text("text/csv", &csv)
    };
    assert_eq!(app.send(put("\"release-1\"", moved())).await.status, 201);
    let late = app.send(put("\"release-1\"", PROGRAM.to_owned())).await;
    assert_eq!((late.status, late.json()["release"].clone()), (412, 2.into()));
    assert_eq!(app.send(put("*", PROGRAM.to_owned())).await.status, 201);
}

#[tokio::test]
async fn a_scheduled_upload_waits_and_can_be_taken_back() {
    let app = TestApp::new();
    let target = "/organizer/program?at=2025-03-02T09:00:00-08:00";
    let answer = ask(&app, "PUT", target, &moved()).await;
    assert_eq!((answer.status, answer.json()["at"].clone()), (202, "2025-03-02T17:00:00Z".into()));
    let status = ask(&app, "GET", "/organizer/status", "").await.json();
    assert_eq!(
        (&status["schedule"]["at"], &status["schedule"]["who"]),
        (&"2025-03-02T17:00:00Z".into(), &"ops".into())
    );
    assert_eq!(ask(&app, "DELETE", "/organizer/schedule", "").await.status, 204);
    assert_eq!(ask(&app, "DELETE", "/organizer/schedule", "").await.status, 404);
    for wrong in ["soon", "2020-01-01T00:00:00Z"] {
        let target = format!("/organizer/program?at={wrong}");
        assert_eq!(ask(&app, "PUT", &target, &moved()).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_preview_says_whom_it_touches_and_changes_nothing() {
    let app = TestApp::new();
    app.agenda(&["first-talk", "last-talk"]).await;
    app.agenda(&["other-talk"]).await;
    let text = PROGRAM.replace("first-talk,2025-03-25,10:00,10:40", "first-talk,2025-03-26,14:20,14:50");
    let json = ask(&app, "POST", "/organizer/preview", &text).await.json();
    let impact = &json["impact"];
    assert_eq!(
        (&impact["agendas"], &impact["touched"], &impact["new_clashes"]),
        (&2.into(), &1.into(), &1.into())
    );
    assert_eq!(impact["sessions"][0]["session"], "first-talk");
    assert_eq!(json["release"], 1);
    let again = ask(&app, "POST", "/organizer/preview", &text).await.json();
    assert_eq!((json, app.publisher.current().number()), (again, 1));
}

#[tokio::test]
async fn releases_are_listed_shown_and_published_again() {
    let app = TestApp::new();
    ask(&app, "PUT", "/organizer/program", &moved()).await;
    let back = ask(&app, "POST", "/organizer/releases/1/publish", "").await;
    assert_eq!((back.status, back.json()["release"].clone()), (201, 3.into()));
    let list = ask(&app, "GET", "/organizer/releases", "").await.json();
    let rows: Vec<(&Value, &Value, &Value)> = list["releases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["release"], &row["origin"], &row["who"]))
        .collect();
    assert_eq!(
        rows,
        [
            (&3.into(), &"rollback".into(), &"ops".into()),
            (&2.into(), &"upload".into(), &"ops".into()),
            (&1.into(), &"first".into(), &Value::Null)
        ]
    );
    let second = ask(&app, "GET", "/organizer/releases/2", "").await.json();
    assert_eq!(second["changes"][0]["session"], "first-talk");
    assert_eq!(ask(&app, "GET", "/organizer/releases/2/program.csv", "").await.text(), moved());
    for missing in ["/organizer/releases/9", "/organizer/releases/9/program.csv", "/organizer/releases/x"] {
        assert_eq!(ask(&app, "GET", missing, "").await.status, 404, "{missing}");
    }
    assert_eq!(ask(&app, "POST", "/organizer/releases/9/publish", "").await.status, 404);
}

#[tokio::test]
async fn small_numbers_of_picks_are_not_shown() {
    let app = TestApp::new();
    for n in 0..5 {
        app.agenda(if n < 4 { &["first-talk", "last-talk"] } else { &["first-talk"] }).await;
    }
    let json = ask(&app, "GET", "/organizer/picks", "").await.json();
    let picks = json["picks"].as_array().unwrap();
    assert_eq!(picks.len(), 1);
    assert_eq!((&picks[0]["session"], &picks[0]["picks"]), (&"first-talk".into(), &5.into()));
    assert_eq!((&picks[0]["room"], &picks[0]["capacity"]), (&"Hall".into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn an_erasure_needs_a_withdrawn_session() {
    let app = TestApp::new();
    assert_eq!(ask(&app, "POST", "/organizer/erase/first-talk", "").await.status, 409);
    assert_eq!(ask(&app, "POST", "/organizer/erase/nobody", "").await.status, 404);
    let text = PROGRAM.replace("What was first,", "What was first,withdrawn");
    assert_eq!(ask(&app, "PUT", "/organizer/program", &text).await.status, 201);
    let erased = ask(&app, "POST", "/organizer/erase/first-talk", "").await;
    assert_eq!((erased.status, erased.json()["releases"].clone()), (200, 2.into()));
    assert!(
        !ask(&app, "GET", "/organizer/releases/1/program.csv", "").await.text().contains("What was first")
    );
}

#[tokio::test]
async fn a_link_shows_what_its_calendar_has_seen() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk", "last-talk"]).await;
    let seen = async |app: &TestApp| {
        let request =
            TestRequest::new("GET", "/api/v1/agenda").field("authorization", &format!("Bearer {}", mine.key));
        app.send(request).await.json()["read_links"][0]["seen"].clone()
    };
    assert_eq!(seen(&app).await, Value::Null);
    let poll = |tag: &str| {
        let request = TestRequest::new("GET", &mine.feed).field("user-agent", "Google-Calendar-Importer");
        if tag.is_empty() { request } else { request.field("if-none-match", tag) }
    };
    let first = app.send(poll("")).await;
    let fetch = seen(&app).await;
    assert_eq!(
        (&fetch["release"], &fetch["client"], &fetch["behind"]),
        (&1.into(), &"Google Calendar".into(), &0.into())
    );
    ask(&app, "PUT", "/organizer/program", &moved()).await;
    assert_eq!(seen(&app).await["behind"], 1);
    let share = ask(&app, "GET", "/organizer/status", "").await.json()["freshness"].clone();
    assert_eq!((&share["polled"], &share["current"]), (&1.into(), &0.into()));
    app.pass(60);
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let second = app.send(poll(&tag)).await;
    assert_eq!(second.status, 200);
    let tag = second.headers["etag"].to_str().unwrap().to_owned();
    app.pass(60);
    assert_eq!(app.send(poll(&tag)).await.status, 304);
    let fetch = seen(&app).await;
    assert_eq!((&fetch["release"], &fetch["behind"]), (&2.into(), &0.into()));
    assert_eq!(fetch["at"], "2025-03-01T13:02:00Z", "a 304 counts");
}
