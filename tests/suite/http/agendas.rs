//! The JSON API of agendas.

use super::test_app::{PROGRAM, TestAgenda, TestApp, TestRequest};
use serde_json::{Value, json};
use std::sync::Arc;

async fn call(app: &TestApp, request: TestRequest) -> (u16, Value) {
    let answer = app.send(request).await;
    let json = if answer.body.is_empty() { Value::Null } else { answer.json() };
    (answer.status, json)
}

async fn picks(app: &TestApp, mine: &TestAgenda) -> Value {
    call(app, mine.request("GET", "/agenda")).await.1["picks"].clone()
}

fn fields(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_agenda_is_made_with_its_key_and_its_first_link() {
    let app = TestApp::new();
    let body = json!({ "name": " Ada’s\tplan ", "picks": ["last-talk", "opening", "opening", "sick-talk"] });
    let answer = app.send(TestRequest::new("POST", "/api/v1/agendas").json(&body)).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.field("cache-control"), "no-store");
    assert!(answer.tag().starts_with("\"a-"));
    let made = answer.json();
    assert_eq!(made["name"], "Ada’s plan");
    assert_eq!(made["picks"], json!(["opening", "sick-talk", "last-talk"]));
    let link = &made["read_links"][0];
    assert_eq!((&link["n"], &link["label"]), (&json!(1), &json!("")));
    let page = link["page"].as_str().unwrap();
    assert!(page.starts_with("https://conf.example/agendas/cbr_"), "{page}");
    assert_eq!(link["feed"], format!("{page}.ics"));
    let keys: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 6);

    let mine = TestAgenda { key: made["edit_key"].as_str().unwrap().to_owned(), feed: String::new() };
    let (status, shown) = call(&app, mine.request("GET", "/agenda")).await;
    let mut expected = made;
    expected.as_object_mut().unwrap().remove("edit_key");
    assert_eq!((status, shown), (200, expected));
}

#[tokio::test]
async fn name_and_picks_may_both_be_left_out() {
    let app = TestApp::new();
    for request in [
        TestRequest::new("POST", "/api/v1/agendas"),
        TestRequest::new("POST", "/api/v1/agendas").json(&json!({})),
        TestRequest::new("POST", "/api/v1/agendas").json(&json!({ "name": null, "picks": null, "more": 1 })),
    ] {
        let (status, made) = call(&app, request).await;
        assert_eq!((status, &made["name"], &made["picks"]), (201, &json!(""), &json!([])));
    }
}

#[tokio::test]
async fn all_faults_of_a_key_have_the_same_answer() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let (status, new) = call(&app, mine.request("POST", "/agenda/key")).await;
    assert_eq!(status, 200);
    let unknown = callboard::agenda::EditKey::generate().unwrap().reveal();
    let mut answers = Vec::new();
    for field in [
        "Bearer".to_owned(),
        "Bearer nonsense".to_owned(),
        format!("Basic {}", new["edit_key"].as_str().unwrap()),
        format!("Bearer {unknown}"),
        format!("Bearer {}", mine.key),
        format!("Bearer {}", mine.feed),
    ] {
        let request = TestRequest::new("GET", "/api/v1/agenda");
        answers.push(app.send(request.field("authorization", &field)).await);
    }
    for answer in &answers {
        assert_eq!(answer.status, 401);
        assert_eq!((&answer.headers, &answer.body), (&answers[0].headers, &answers[0].body));
    }
    for (method, path) in [
        ("PATCH", "/agenda"),
        ("DELETE", "/agenda"),
        ("PUT", "/agenda/picks"),
        ("PUT", "/agenda/picks/opening"),
        ("PUT", "/agenda/picks/never-was"),
        ("GET", "/agenda/links"),
        ("DELETE", "/agenda/links/1"),
        ("POST", "/agenda/key"),
    ] {
        assert_eq!(app.send(mine.request(method, path)).await.status, 401, "{method} {path}");
    }
}

#[tokio::test]
async fn picking_and_unpicking_are_idempotent() {
    let app = TestApp::new();
    let mine = app.agenda(&[]).await;
    for _ in 0..2 {
        assert_eq!(app.send(mine.request("PUT", "/agenda/picks/lunch")).await.status, 204);
        assert_eq!(app.send(mine.request("PUT", "/agenda/picks/sick-talk")).await.status, 204);
    }
    assert_eq!(picks(&app, &mine).await, json!(["lunch", "sick-talk"]));
    for _ in 0..2 {
        let answer = app.send(mine.request("DELETE", "/agenda/picks/lunch")).await;
        assert_eq!((answer.status, answer.body.len()), (204, 0));
    }
    assert_eq!(picks(&app, &mine).await, json!(["sick-talk"]));
}

#[tokio::test]
async fn a_session_that_the_program_does_not_show_cannot_be_picked() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    for id in ["never-was", "secret-talk", "X", "a%2Fb"] {
        for method in ["PUT", "DELETE"] {
            let answer = app.send(mine.request(method, &format!("/agenda/picks/{id}"))).await;
            assert_eq!(answer.status, 404, "{method} {id}");
        }
    }
    let all = json!(["lunch", "never-was", "secret-talk", "?"]);
    let (status, problem) = call(&app, mine.request("PUT", "/agenda/picks").json(&all)).await;
    assert_eq!(status, 422);
    let text = problem.to_string();
    assert!(["never-was", "secret-talk", "?"].iter().all(|id| text.contains(id)), "{text}");
    assert!(!text.contains("lunch"));
    assert_eq!(picks(&app, &mine).await, json!(["opening"]));
    let body = json!({ "picks": ["never-was"] });
    assert_eq!(call(&app, TestRequest::new("POST", "/api/v1/agendas").json(&body)).await.0, 422);
}

#[tokio::test]
async fn a_pick_that_the_program_no_longer_shows_is_kept_and_can_be_unpicked() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening", "first-talk", "lunch"]).await;
    app.publish(&PROGRAM.replace("What was first,", "What was first,withdrawn")).await;
    assert_eq!(app.get(&mine.feed).await.sessions(), ["opening", "lunch"]);
    assert_eq!(picks(&app, &mine).await, json!(["opening", "lunch", "first-talk"]));
    let same = json!(["lunch", "first-talk"]);
    assert_eq!(call(&app, mine.request("PUT", "/agenda/picks").json(&same)).await.0, 200);
    app.publish(PROGRAM).await;
    assert_eq!(app.get(&mine.feed).await.sessions(), ["first-talk", "lunch"]);
    app.publish(&PROGRAM.replace("What was first,", "What was first,withdrawn")).await;
    assert_eq!(app.send(mine.request("DELETE", "/agenda/picks/first-talk")).await.status, 204);
    assert_eq!(picks(&app, &mine).await, json!(["lunch"]));
}

#[tokio::test]
async fn a_list_replaces_all_picks() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let list = json!(["last-talk", "lunch", "last-talk"]);
    let (status, agenda) = call(&app, mine.request("PUT", "/agenda/picks").json(&list)).await;
    assert_eq!((status, &agenda["picks"]), (200, &json!(["lunch", "last-talk"])));
    assert_eq!(call(&app, mine.request("PUT", "/agenda/picks").json(&json!([]))).await.1["picks"], json!([]));
}

#[tokio::test]
async fn the_caps_hold_and_errors_name_them() {
    let app = TestApp::new();
    let header = PROGRAM.lines().next().unwrap();
    let rows = (0..501).map(|n| format!("talk-{n},2025-03-25,10:00,10:40,talk,Talk {n},Main,,,,"));
    let csv: Vec<String> = [header.to_owned()].into_iter().chain(rows).collect();
    app.publish(&csv.join("\n")).await;
    let ids: Vec<String> = (0..501).map(|n| format!("talk-{n}")).collect();
    let mine = app.agenda(&[]).await;
    let (status, problem) = call(&app, mine.request("PUT", "/agenda/picks").json(&json!(ids))).await;
    assert_eq!((status, fields(&problem)), (422, vec!["picks"]));
    assert_eq!(call(&app, mine.request("PUT", "/agenda/picks").json(&json!(ids[..500]))).await.0, 200);
    assert_eq!(call(&app, mine.request("PUT", "/agenda/picks/talk-500")).await.0, 422);
    assert_eq!(call(&app, mine.request("PUT", "/agenda/picks/talk-499")).await.0, 204);

    let name = |length| json!({ "name": "é".repeat(length) });
    assert_eq!(call(&app, mine.request("PATCH", "/agenda").json(&name(100))).await.0, 200);
    let (status, problem) = call(&app, mine.request("PATCH", "/agenda").json(&name(101))).await;
    assert_eq!((status, fields(&problem)), (422, vec!["name"]));
    let label = json!({ "label": "x".repeat(101) });
    let (status, problem) = call(&app, mine.request("POST", "/agenda/links").json(&label)).await;
    assert_eq!((status, fields(&problem)), (422, vec!["label"]));

    for n in 2..=20 {
        assert_eq!(call(&app, mine.request("POST", "/agenda/links")).await.1["n"], n);
    }
    assert_eq!(call(&app, mine.request("POST", "/agenda/links")).await.0, 422);
    assert_eq!(call(&app, mine.request("DELETE", "/agenda/links/7")).await.0, 204);
    assert_eq!(call(&app, mine.request("POST", "/agenda/links")).await.1["n"], 21);
}

#[tokio::test]
async fn bodies_are_json_of_at_most_64_kib() {
    let app = TestApp::new();
    let mine = app.agenda(&[]).await;
    let request = || mine.request("PUT", "/agenda/picks");
    assert_eq!(call(&app, request().text("text/plain", "[]")).await.0, 415);
    assert_eq!(call(&app, request()).await.0, 415);
    assert_eq!(call(&app, request().text("application/json", "[")).await.0, 400);
    assert_eq!(call(&app, request().text("application/json", "{}")).await.0, 422);
    let (status, problem) = call(&app, request().json(&json!(["lunch", 7]))).await;
    assert_eq!((status, fields(&problem)), (422, vec!["[1]"]));
    let spaces = " ".repeat(64 * 1024 - 2);
    assert_eq!(call(&app, request().text("application/json", &format!("[{spaces}]"))).await.0, 200);
    let answer = app.send(request().text("application/json", &format!("[ {spaces}]"))).await;
    assert_eq!((answer.status, answer.field("connection")), (413, "close"));
    let (status, problem) = call(&app, mine.request("PATCH", "/agenda").json(&json!({ "name": 3 }))).await;
    assert_eq!((status, fields(&problem)), (422, vec!["name"]));
}

#[tokio::test]
async fn links_are_labelled_revoked_and_never_numbered_twice() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let label = json!({ "label": "my  phone" });
    let (status, second) = call(&app, mine.request("POST", "/agenda/links").json(&label)).await;
    assert_eq!((status, &second["n"], &second["label"]), (201, &json!(2), &json!("my phone")));
    assert_eq!(call(&app, mine.request("DELETE", "/agenda/links/2")).await.0, 204);
    assert_eq!(call(&app, mine.request("DELETE", "/agenda/links/2")).await.0, 204);
    assert_eq!(call(&app, mine.request("DELETE", "/agenda/links/3")).await.0, 404);
    assert_eq!(call(&app, mine.request("DELETE", "/agenda/links/0")).await.0, 404);
    assert_eq!(call(&app, mine.request("POST", "/agenda/links")).await.1["n"], 3);
    let links = call(&app, mine.request("GET", "/agenda/links")).await.1;
    let numbers: Vec<u64> = links.as_array().unwrap().iter().map(|l| l["n"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 3]);
    assert_eq!(app.get(&mine.feed).await.sessions(), ["opening"]);
    assert_eq!(picks(&app, &mine).await, json!(["opening"]));
}

#[tokio::test]
async fn a_new_key_leaves_the_links_working_and_lists_them_by_label_alone() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let (status, answer) = call(&app, mine.request("POST", "/agenda/key")).await;
    assert_eq!((status, answer.as_object().unwrap().len()), (200, 1));
    let new = TestAgenda { key: answer["edit_key"].as_str().unwrap().to_owned(), feed: mine.feed.clone() };
    assert_eq!(call(&app, mine.request("GET", "/agenda")).await.0, 401);
    assert_eq!(app.send(new.request("PUT", "/agenda/picks/lunch")).await.status, 204);
    assert_eq!(app.get(&mine.feed).await.sessions(), ["opening", "lunch"]);
    assert_eq!(call(&app, new.request("POST", "/agenda/links")).await.0, 201);
    let links = call(&app, new.request("GET", "/agenda")).await.1["read_links"].clone();
    let first = &links[0];
    assert_eq!((&first["n"], &first["label"]), (&json!(1), &json!("")));
    assert!(first["page"].is_null() && first["feed"].is_null() && first["seen"]["release"] == 1, "{first}");
    let feed = links[1]["feed"].as_str().unwrap().strip_prefix("https://conf.example").unwrap();
    assert_eq!(app.get(feed).await.sessions(), ["opening", "lunch"]);
    assert_eq!(call(&app, new.request("DELETE", "/agenda/links/1")).await.0, 204);
    assert!(app.get(&mine.feed).await.sessions().is_empty());
}

#[tokio::test]
async fn if_match_guards_every_change() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let tag = app.send(mine.request("GET", "/agenda")).await.tag().to_owned();
    let fresh = app.send(mine.request("PUT", "/agenda/picks/lunch").field("if-match", &tag)).await;
    assert_eq!(fresh.status, 204);
    assert_ne!(fresh.tag(), tag);
    for request in [
        mine.request("PUT", "/agenda/picks").json(&json!([])),
        mine.request("PATCH", "/agenda").json(&json!({ "name": "x" })),
        mine.request("PUT", "/agenda/picks/last-talk"),
        mine.request("DELETE", "/agenda/picks/lunch"),
        mine.request("POST", "/agenda/links"),
        mine.request("POST", "/agenda/key"),
        mine.request("DELETE", "/agenda/links/1"),
        mine.request("DELETE", "/agenda"),
    ] {
        let target = request.target.clone();
        assert_eq!(app.send(request.field("if-match", &tag)).await.status, 412, "{target}");
    }
    assert_eq!(picks(&app, &mine).await, json!(["opening", "lunch"]));
    let star = mine.request("PUT", "/agenda/picks").json(&json!([])).field("if-match", "*");
    assert_eq!(app.send(star).await.status, 200);
    let read = app.send(mine.request("GET", "/agenda")).await;
    let again = app.send(mine.request("GET", "/agenda").field("if-none-match", read.tag())).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_edit_at_once_lose_nothing() {
    let app = Arc::new(TestApp::new());
    let mine = Arc::new(app.agenda(&["sick-talk"]).await);
    let ids = ["opening", "first-talk", "other-talk", "lunch", "last-talk"];
    let tasks: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let (app, mine) = (Arc::clone(&app), Arc::clone(&mine));
            tokio::spawn(async move {
                for method in ["PUT", "DELETE", "PUT"] {
                    let answer = app.send(mine.request(method, &format!("/agenda/picks/{id}"))).await;
                    assert_eq!(answer.status, 204);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let all = json!(["opening", "first-talk", "other-talk", "lunch", "sick-talk", "last-talk"]);
    assert_eq!(picks(&app, &mine).await, all);
}

#[tokio::test]
async fn a_closed_store_promises_nothing() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    app.store.close();
    let made = app.send(TestRequest::new("POST", "/api/v1/agendas")).await;
    assert_eq!((made.status, made.field("retry-after")), (503, "10"));
    let read = app.send(mine.request("GET", "/agenda")).await;
    assert_eq!((read.status, read.field("retry-after")), (503, "10"));
    assert_eq!(app.get(&mine.feed).await.status, 503);
    assert_eq!(app.get("/program.ics").await.status, 200);
}
