//! The reading part of the API: the program as JSON.

use super::test_app::{PROGRAM, TestApp, TestRequest, TestResponse};
use callboard::export::SESSION_FIELDS;
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn read(app: &TestApp, target: &str) -> Value {
    let answer = app.get(target).await;
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    assert_eq!(answer.field("content-type"), "application/json", "{target}");
    answer.json()
}

fn ids(page: &Value) -> Vec<&str> {
    page["sessions"].as_array().unwrap().iter().map(|session| session["id"].as_str().unwrap()).collect()
}

/// The path of a list's next page.
fn next(page: &Value) -> Option<String> {
    Some(page["next"].as_str()?.strip_prefix("https://conf.example").unwrap().to_owned())
}

/// The members of a list, from all of its pages.
async fn all(app: &TestApp, target: &str, list: &str) -> Vec<Value> {
    let (mut target, mut all) = (Some(target.to_owned()), Vec::new());
    while let Some(page) = target {
        let page = read(app, &page).await;
        all.extend(page[list].as_array().unwrap().iter().cloned());
        target = next(&page);
        assert!(all.len() < 1000, "the list ends");
    }
    all
}

fn moved() -> String {
    PROGRAM.replace("first-talk,2025-03-25", "first-talk,2025-03-26")
}

const READINGS: &[&str] = &[
    "/api/v1/program",
    "/api/v1/sessions",
    "/api/v1/sessions?track=main&fields=title",
    "/api/v1/sessions/opening",
    "/api/v1/tracks",
    "/api/v1/speakers",
    "/api/v1/releases",
    "/api/v1/changes?since=0",
    "/openapi.json",
    "/giggity.json",
];

#[tokio::test]
async fn anybody_may_read_and_an_unchanged_document_is_not_sent_again() {
    let app = TestApp::new();
    for target in READINGS {
        let answer = app.get(target).await;
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert_eq!(answer.field("access-control-allow-origin"), "*", "{target}");
        assert_eq!(answer.field("cache-control"), "public, max-age=300, stale-while-revalidate=3600");
        assert_eq!(answer.field("vary"), "Accept-Encoding");
        assert!(answer.tag().starts_with('"'), "{target}");
        let again = app.send(TestRequest::new("GET", target).field("if-none-match", answer.tag())).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{target}");
        let head = app.send(TestRequest::new("HEAD", target)).await;
        assert_eq!((head.status, head.tag(), head.body.len()), (200, answer.tag(), 0), "{target}");
        assert_eq!(head.field("content-length"), answer.body.len().to_string(), "{target}");
        let options = app.send(TestRequest::new("OPTIONS", target)).await;
        assert_eq!((options.status, options.field("allow")), (204, "GET, HEAD, OPTIONS"), "{target}");
        assert_eq!(options.field("access-control-allow-methods"), "GET, HEAD");
        assert_eq!(app.send(TestRequest::new("POST", target)).await.status, 405, "{target}");
        let zipped = app.send(TestRequest::new("GET", target).field("accept-encoding", "gzip")).await;
        if zipped.field("content-encoding") == "gzip" {
            assert_ne!(zipped.tag(), answer.tag(), "{target}");
        }
    }
    let zipped = app.send(TestRequest::new("GET", "/api/v1/sessions").field("accept-encoding", "gzip")).await;
    assert_eq!(zipped.field("content-encoding"), "gzip");
}

#[tokio::test]
async fn sessions_have_everything_and_the_withdrawn_one_is_nowhere() {
    let app = TestApp::new();
    let page = read(&app, "/api/v1/sessions").await;
    assert_eq!(ids(&page), ["opening", "first-talk", "other-talk", "lunch", "sick-talk", "last-talk"]);
    assert_eq!((&page["release"], &page["next"]), (&json!(1), &Value::Null));
    let session = &page["sessions"][1];
    assert_eq!(session.as_object().unwrap().len(), SESSION_FIELDS.len());
    assert_eq!(session["uid"], "first-talk@engines.callboard.invalid");
    assert_eq!(session["start"], "2025-03-25T10:00:00-07:00");
    assert_eq!(session["room"], json!({ "slug": "hall", "name": "Hall" }));
    assert_eq!(session["speakers"][0]["affiliation"], "Analytical");
    assert_eq!(session["feed"], "https://conf.example/sessions/first-talk.ics");
    assert_eq!(page["sessions"][4]["status"], "cancelled");
    assert_eq!(read(&app, "/api/v1/sessions/first-talk").await, *session);
    for id in ["secret-talk", "never-was", "X"] {
        let answer = app.get(&format!("/api/v1/sessions/{id}")).await;
        assert_eq!((answer.status, answer.field("content-type")), (404, "application/problem+json"), "{id}");
    }
    for target in READINGS {
        let text = app.get(target).await.text().to_owned();
        assert!(!text.contains("Secret") && !text.contains("secret-talk"), "{target}");
    }
}

#[tokio::test]
async fn filters_mean_what_they_mean_on_the_feeds() {
    let app = TestApp::new();
    for query in [
        "",
        "track=main",
        "track=grand",
        "track=main&track=side",
        "track=main&day=2025-03-26",
        "kind=meal&kind=plenary",
        "room=attic",
        "speaker=ada-lovelace",
        "cancelled=drop",
        "cancelled=drop&track=side",
        "utm=x&track=later",
    ] {
        let feed = app.get(&format!("/program.ics?{query}")).await.sessions();
        let page = read(&app, &format!("/api/v1/sessions?{query}")).await;
        assert_eq!(ids(&page), feed, "{query}");
        let paged = all(&app, &format!("/api/v1/sessions?{query}&limit=1"), "sessions").await;
        assert_eq!(paged.iter().map(|session| session["id"].as_str().unwrap()).collect::<Vec<_>>(), feed);
    }
    for (query, status) in [
        ("track=nowhere", 404),
        ("day=2024-01-01", 404),
        ("kind=keynote", 404),
        ("cancelled=perhaps", 400),
        ("limit=0", 400),
        ("limit=501", 400),
        ("fields=titel", 400),
        ("cursor=abc", 400),
    ] {
        let answer = app.get(&format!("/api/v1/sessions?{query}")).await;
        assert_eq!((answer.status, answer.field("cache-control")), (status, "no-store"), "{query}");
        assert_eq!(answer.json()["status"], status, "{query}");
    }
    let many = vec!["kind=talk"; 21].join("&");
    assert_eq!(app.get(&format!("/api/v1/sessions?{many}")).await.status, 400);
}

#[tokio::test]
async fn sessions_of_the_api_equal_those_of_the_feed() {
    let app = TestApp::new();
    app.pass(60);
    app.publish(&moved().replace("Other,Side", "Another,Side")).await;
    let feed = app.get("/program.ics").await;
    let events: Vec<BTreeMap<String, String>> = unfolded(&feed)
        .split("BEGIN:VEVENT\r\n")
        .skip(1)
        .map(|event| {
            let lines = event.lines().filter_map(|line| line.split_once(':'));
            lines
                .map(|(name, value)| (name.split(';').next().unwrap().to_owned(), value.to_owned()))
                .collect()
        })
        .collect();
    let page = read(&app, "/api/v1/sessions").await;
    let sessions = page["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), events.len());
    let stamp = |text: &str| text.replace(['-', ':'], "");
    for (session, event) in sessions.iter().zip(&events) {
        let text = |name: &str| session[name].as_str().unwrap();
        assert_eq!(event["UID"], text("uid"));
        assert_eq!(event["SEQUENCE"], session["sequence"].to_string());
        assert_eq!(event["LAST-MODIFIED"], stamp(text("modified")));
        // The API's times have the venue's offset of that day, so their hour equals the feed's hour with a TZID.
        assert_eq!(event["DTSTART"], stamp(&text("start")[..19]));
        assert_eq!(event["DTEND"], stamp(&text("end")[..19]));
        assert!(event["SUMMARY"].ends_with(text("title")), "{event:?}");
        assert_eq!(event["STATUS"], text("status").to_uppercase());
    }
    let first = sessions.iter().find(|session| session["id"] == "first-talk").unwrap();
    assert_eq!((&first["sequence"], &first["release"]), (&json!(1), &json!(2)));
    assert_eq!(first["moved_from"]["start"], "2025-03-25T10:00:00-07:00");
}

fn unfolded(answer: &TestResponse) -> String {
    answer.text().replace("\r\n ", "")
}

#[tokio::test]
async fn a_cursor_into_sessions_goes_with_its_release_and_its_query() {
    let app = TestApp::new();
    let page = read(&app, "/api/v1/sessions?limit=2&fields=title").await;
    assert_eq!(page["sessions"][0], json!({ "id": "opening", "title": "Opening" }));
    let second = next(&page).unwrap();
    assert_eq!(ids(&read(&app, &second).await), ["other-talk", "lunch"]);
    let other = app.get(&second.replace("limit=2", "limit=3")).await;
    assert_eq!((other.status, &other.json()["errors"][0]["field"]), (400, &json!("cursor")));
    app.publish(&moved()).await;
    let stale = app.get(&second).await;
    assert_eq!(stale.status, 410);
    assert!(stale.json()["detail"].as_str().unwrap().contains("start again"), "{}", stale.text());
}

#[tokio::test]
async fn tracks_and_speakers_name_their_feeds() {
    let app = TestApp::new();
    let tracks = read(&app, "/api/v1/tracks").await;
    let tracks = tracks["tracks"].as_array().unwrap();
    let counts: Vec<(&str, u64)> =
        tracks.iter().map(|one| (one["slug"].as_str().unwrap(), one["sessions"].as_u64().unwrap())).collect();
    assert_eq!(counts, [("main", 3), ("side", 2), ("later", 0)]);
    assert_eq!(tracks[0]["was"], json!(["grand"]));
    assert_eq!(app.get("/tracks/later.ics").await.status, 200);
    let speakers = all(&app, "/api/v1/speakers?limit=1", "speakers").await;
    let slugs: Vec<&str> = speakers.iter().map(|one| one["slug"].as_str().unwrap()).collect();
    assert_eq!(slugs, ["ada-lovelace", "charles-babbage", "grace-hopper"]);
    assert_eq!(speakers[0]["sessions"], json!(["opening", "first-talk"]));
    let feed = speakers[1]["feed"].as_str().unwrap().strip_prefix("https://conf.example").unwrap();
    assert_eq!(app.get(feed).await.sessions(), ["other-talk", "sick-talk"]);
    // A cursor of speakers is a slug, so it stays valid after a release.
    let second = next(&read(&app, "/api/v1/speakers?limit=1").await).unwrap();
    app.publish(&moved()).await;
    assert_eq!(read(&app, &second).await["speakers"][0]["slug"], "charles-babbage");
}

#[tokio::test]
async fn a_mirror_that_follows_the_changes_comes_to_the_same_sessions() {
    let app = TestApp::new();
    let mut csv = moved();
    app.publish(&csv).await;
    csv = csv.replace(",Other,Side", ",Another,Side").replace("Lunch,,Foyer,,,", "Lunch,,Foyer,,,cancelled");
    app.publish(&csv).await;
    csv = csv.replace("Last,Main,Hall,Grace Hopper,,", "Last,Main,Hall,Grace Hopper,,withdrawn");
    csv.push_str("late-talk,2025-03-26,16:00,16:40,talk,Late,Side,Attic,,,\n");
    app.publish(&csv).await;

    let changes = all(&app, "/api/v1/changes?since=1&limit=2", "changes").await;
    let said: Vec<(u64, &str, &str)> = changes
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap();
            (one["release"].as_u64().unwrap(), text("session"), text("change"))
        })
        .collect();
    assert_eq!(
        said,
        [
            (2, "first-talk", "moved"),
            (3, "lunch", "cancelled"),
            (3, "other-talk", "edited"),
            (4, "last-talk", "withdrawn"),
            (4, "late-talk", "added"),
        ]
    );
    assert_eq!(changes[0]["fields"]["start"]["from"], "2025-03-25T10:00:00-07:00");
    assert_eq!(changes[2]["fields"]["title"], json!({ "from": "Other", "to": "Another" }));
    assert_eq!((&changes[3]["title"], &changes[3]["fields"]), (&json!(""), &json!({})));
    // The changes no longer list the addition of a session that is now withdrawn.
    let first = all(&app, "/api/v1/changes?since=0&limit=3", "changes").await;
    assert!(!first.iter().any(|one| one["session"] == "last-talk" && one["change"] != "withdrawn"));
    assert!(!first.iter().any(|one| one["session"] == "secret-talk"));

    let mut mirror: Vec<String> =
        ["opening", "first-talk", "other-talk", "lunch", "sick-talk", "last-talk"].map(str::to_owned).into();
    for (_, session, change) in said {
        match change {
            "withdrawn" => mirror.retain(|id| id != session),
            "added" => mirror.push(session.to_owned()),
            _ => assert!(mirror.iter().any(|id| id == session)),
        }
    }
    let page = read(&app, "/api/v1/sessions?fields=id").await;
    let mut now = ids(&page);
    now.sort_unstable();
    mirror.sort_unstable();
    assert_eq!(mirror, now);
    assert_eq!(read(&app, "/api/v1/changes?since=4").await["changes"], json!([]));

    // The text of a withdrawn session is not listed when the session comes back.
    app.publish(&csv.replace(",Last,Main", ",Embargoed,Main")).await;
    app.publish(&csv.replace(",Grace Hopper,,withdrawn", ",Grace Hopper,,")).await;
    let answer = app.get("/api/v1/changes?since=4").await;
    assert!(!answer.text().contains("Embargoed"), "{}", answer.text());
    let back = &answer.json()["changes"][0];
    assert_eq!((&back["session"], &back["change"]), (&json!("last-talk"), &json!("restored")));
    assert_eq!((&back["title"], &back["fields"]), (&json!("Last"), &json!({})));
}

#[tokio::test]
async fn a_since_that_cannot_be_answered_says_why() {
    let app = TestApp::new();
    for (query, status, word) in [
        ("", 400, "since"),
        ("?since=", 400, "since"),
        ("?since=-1", 400, "since"),
        ("?since=one", 400, "since"),
        ("?since=1&since=1", 400, "once"),
        ("?since=2", 404, "newest is 1"),
        ("?since=1&cursor=x", 400, "cursor"),
    ] {
        let answer = app.get(&format!("/api/v1/changes{query}")).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
        assert!(answer.text().contains(word), "{query}: {}", answer.text());
    }
}

#[tokio::test]
async fn releases_are_listed_latest_first_without_what_is_the_organizer_s() {
    let app = TestApp::new();
    app.publish(&moved()).await;
    app.publish(PROGRAM).await;
    let releases = all(&app, "/api/v1/releases?limit=2", "releases").await;
    let numbers: Vec<u64> = releases.iter().map(|one| one["release"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(releases[1]["changes"], json!({ "moved": 1 }));
    assert_eq!(releases[2]["changes"], json!({ "added": 6 }));
    assert_eq!(releases[0].as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn a_shared_agenda_is_read_by_its_link_until_that_is_revoked() {
    let app = TestApp::new();
    let mine = app.agenda(&["last-talk", "first-talk", "other-talk"]).await;
    let target = format!("/api/v1{}", mine.feed.trim_end_matches(".ics"));
    let answer = app.get(&target).await;
    assert_eq!((answer.status, answer.field("cache-control")), (200, "private, no-cache"));
    assert_eq!(answer.field("access-control-allow-origin"), "");
    let agenda = answer.json();
    let picks = agenda["picks"].as_array().unwrap();
    let shown: Vec<&Value> = picks.iter().map(|pick| &pick["session"]["id"]).collect();
    assert_eq!(shown, ["first-talk", "other-talk", "last-talk"]);
    assert_eq!(picks[0]["clashes"], json!(["other-talk"]));
    assert_eq!(picks[0]["more_clashes"], 0);
    assert!(!answer.text().contains(&mine.key));
    let short = app.get(&format!("{target}?fields=title")).await.json();
    assert_eq!(short["picks"][2]["session"], json!({ "id": "last-talk", "title": "Last" }));

    let again = |tag: &str| TestRequest::new("GET", &target).field("if-none-match", tag);
    assert_eq!(app.send(again(answer.tag())).await.status, 304);
    app.send(mine.request("DELETE", "/agenda/picks/other-talk")).await;
    let changed = app.send(again(answer.tag())).await;
    assert_eq!(changed.json()["picks"].as_array().unwrap().len(), 2);
    app.publish(&moved()).await;
    assert_eq!(app.send(again(changed.tag())).await.status, 200);
    app.publish(&moved().replace("Grace Hopper,,", "Grace Hopper,,withdrawn")).await;
    assert_eq!(app.get(&target).await.json()["gone"], json!(["last-talk"]));

    assert_eq!(app.send(mine.request("DELETE", "/agenda/links/1")).await.status, 204);
    assert_eq!(app.get(&target).await.status, 410);
    let never = callboard::agenda::EditKey::generate().unwrap().read_token(1).reveal();
    assert_eq!(app.get(&format!("/api/v1/agendas/{never}")).await.status, 404);
    assert_eq!(app.get("/api/v1/agendas/cbr_x").await.status, 404);
}
