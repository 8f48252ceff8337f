//! Import and export of picks over HTTP: by the API, by an uploaded file, and by a link that contains picks.

use super::test_app::{TestApp, TestRequest, TestResponse};

fn upload(file: &str) -> TestRequest {
    let body = format!(
        "--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.ics\"\r\n\r\n{file}\r\n--xx--\r\n"
    );
    TestRequest::new("POST", "/agenda/import")
        .text("multipart/form-data; boundary=xx", &body)
        .field("sec-fetch-site", "same-origin")
}

fn cookie(key: &str) -> String {
    format!("__Host-agenda={key}")
}

async fn picks(app: &TestApp, mine: &super::test_app::TestAgenda) -> serde_json::Value {
    app.send(mine.request("GET", "/agenda")).await.json()["picks"].clone()
}

#[tokio::test]
async fn the_api_matches_and_picks_and_says_what_became_of_every_line() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let list = serde_json::json!(["opening", "first-talk", "never", "secret-talk"]);
    let preview = app.send(mine.request("POST", "/agenda/import?preview=yes").json(&list)).await;
    assert_eq!(preview.status, 200, "{}", preview.text());
    let matching = preview.json();
    assert_eq!(matching["applied"], false);
    assert_eq!(
        matching["matched"],
        serde_json::json!([{ "session": "first-talk", "title": "First", "text": "first-talk" }])
    );
    assert_eq!(matching["already_picked"][0]["session"], "opening");
    assert_eq!(matching["unknown"], serde_json::json!([{ "text": "never" }, { "text": "secret-talk" }]));
    assert_eq!(matching["ambiguous"], serde_json::json!([]));
    assert_eq!(picks(&app, &mine).await, serde_json::json!(["opening"]), "a preview picks nothing");
    let done = app.send(mine.request("POST", "/agenda/import").json(&list)).await;
    assert_eq!(done.json()["applied"], true);
    assert_eq!(done.json()["picks"], serde_json::json!(["opening", "first-talk"]));
    assert_eq!(picks(&app, &mine).await, done.json()["picks"]);
    assert_ne!(done.tag(), preview.tag());
    let stale = mine.request("POST", "/agenda/import").json(&list).field("if-match", preview.tag());
    assert_eq!(app.send(stale).await.status, 412);
}

#[tokio::test]
async fn another_agenda_imports_an_export() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening", "sick-talk", "lunch"]).await;
    let list = app.send(mine.request("GET", "/agenda/export")).await;
    assert_eq!(list.field("content-type"), "application/json");
    assert_eq!(list.json()["picks"][0]["title"], "Opening");
    let again = mine.request("GET", "/agenda/export").field("if-none-match", list.tag());
    assert_eq!(app.send(again).await.status, 304);
    let calendar = app.send(mine.request("GET", "/agenda/export?format=ics")).await;
    assert_eq!(calendar.sessions(), ["opening", "lunch", "sick-talk"]);
    assert_eq!(calendar.field("content-disposition"), "attachment; filename=\"agenda.ics\"");
    for (media_type, file) in [("application/json", &list), ("text/calendar; charset=utf-8", &calendar)] {
        let other = app.agenda(&[]).await;
        let done = app.send(other.request("POST", "/agenda/import").text(media_type, file.text())).await;
        assert_eq!(
            (done.status, done.json()["picks"].as_array().unwrap().len()),
            (200, 3),
            "{}",
            done.text()
        );
    }
}

#[tokio::test]
async fn imports_that_cannot_be_taken_change_nothing_and_say_why() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let send = |media_type: &'static str, body: &str| {
        app.send(mine.request("POST", "/agenda/import").text(media_type, body))
    };
    assert_eq!(send("text/plain", "[]").await.status, 415);
    for (media_type, body) in [
        ("application/json", "{}"),
        ("application/json", "["),
        ("application/json", "[null]"),
        ("text/calendar", "BEGIN:VEVENT"),
    ] {
        let answer = send(media_type, body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert!(!answer.json()["detail"].as_str().unwrap().is_empty());
    }
    assert_eq!(send("application/json", &" ".repeat(2 * 1024 * 1024 + 1)).await.status, 413);
    assert_eq!(app.send(TestRequest::new("POST", "/api/v1/agenda/import")).await.status, 401);
    assert_eq!(picks(&app, &mine).await, serde_json::json!(["opening"]));
}

#[tokio::test]
async fn an_uploaded_file_is_shown_before_it_is_taken() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening", "first-talk"]).await;
    let calendar = app.get(&mine.feed).await;
    let page = app.send(upload(calendar.text())).await;
    assert_eq!((page.status, page.field("content-type")), (200, "text/html; charset=utf-8"));
    for id in ["opening", "first-talk"] {
        assert!(page.text().contains(&format!("name=\"session\" value=\"{id}\"")), "{}", page.text());
    }
    assert!(page.field("set-cookie").is_empty(), "nothing is made of a look");
    // With an agenda, its picks are listed separately.
    let own = app.agenda(&["opening"]).await;
    let page = app.send(upload(calendar.text()).field("cookie", &cookie(&own.key))).await;
    assert!(
        page.text().contains("Found (1)") && page.text().contains("Already in your agenda (1)"),
        "{}",
        page.text()
    );
    assert_eq!(picks(&app, &own).await, serde_json::json!(["opening"]));
    let broken = app.send(upload("<script>alert(1)</script>")).await;
    assert_eq!(broken.status, 422);
    assert!(broken.text().contains("role=\"alert\"") && !broken.text().contains("<script>alert"));
    let hostile = app.send(upload("[\"<b>never</b>\"]")).await;
    assert!(hostile.text().contains("Not in this program (1)") && !hostile.text().contains("<b>never"));
    let other = TestRequest { fields: Vec::new(), ..upload("[]") };
    let other =
        other.field("content-type", "multipart/form-data; boundary=xx").field("sec-fetch-site", "cross-site");
    assert_eq!(app.send(other).await.status, 403);
}

/// The page behind a link that contains picks.
async fn carried(app: &TestApp, page: &TestResponse) -> TestResponse {
    let start = page.text().find("/agenda/import?picks=").unwrap();
    let link: String = page.text()[start..].chars().take_while(|c| *c != '"').collect();
    app.get(&link).await
}

#[tokio::test]
async fn a_link_carries_the_picks_and_a_look_at_it_changes_nothing() {
    let app = TestApp::new();
    let mine = app.agenda(&["last-talk", "opening"]).await;
    let page = app.send(TestRequest::new("GET", "/agenda").field("cookie", &cookie(&mine.key))).await;
    let shown = carried(&app, &page).await;
    assert_eq!((shown.status, shown.field("set-cookie")), (200, ""));
    assert_eq!(shown.field("cache-control"), "private, no-cache");
    assert!(shown.text().contains("Found (2)"), "{}", shown.text());
    assert!(!shown.text().contains("cbe_") && !shown.text().contains("cbr_"));
    let take = TestRequest::new("POST", "/agenda/picks")
        .text("application/x-www-form-urlencoded", "action=pick&session=last-talk&session=opening")
        .field("sec-fetch-site", "same-origin");
    assert_eq!(app.send(take).await.status, 303);
    for broken in ["x", "AQ", "%F0%9F", ""] {
        let answer = app.get(&format!("/agenda/import?picks={broken}")).await;
        assert_eq!(answer.status, 422, "{broken}");
        assert!(answer.text().contains("it may be cut off"));
    }
    assert_eq!(app.get("/agenda/import").await.status, 200);
}

#[tokio::test]
async fn picks_are_downloaded_by_their_owner_alone() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    for (path, part) in
        [("/agenda/export.ics", "UID:opening@"), ("/agenda/export.json", "\"id\": \"opening\"")]
    {
        let file = app.send(TestRequest::new("GET", path).field("cookie", &cookie(&mine.key))).await;
        assert_eq!(file.status, 200);
        assert!(file.text().contains(part), "{}", file.text());
        assert!(file.field("content-disposition").starts_with("attachment; filename=\"agenda."));
        assert_eq!(file.field("cache-control"), "no-store");
        assert_eq!(app.get(path).await.status, 401);
    }
}
