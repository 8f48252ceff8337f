//! Change feeds: they answer conditional requests like every feed, and contain only public data.

use super::test_app::{PROGRAM, TestApp, TestRequest};

fn moved() -> String {
    PROGRAM.replace("first-talk,2025-03-25", "first-talk,2025-03-26")
}

#[tokio::test]
async fn every_release_is_in_the_change_feeds() {
    let app = TestApp::new();
    let atom = app.get("/changes.atom").await;
    assert_eq!((atom.status, atom.text().matches("<entry>").count()), (200, 1));
    assert_eq!(atom.headers["content-type"], "application/atom+xml; charset=utf-8");
    assert!(atom.headers["cache-control"].to_str().unwrap().starts_with("public"));
    app.publish(&moved()).await;
    let json = app.get("/changes.json").await.json();
    let items = json["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert!(items[0]["title"].as_str().unwrap().contains("First"), "{json}");
    assert_eq!(app.get("/tracks/main/changes.atom").await.text().matches("<entry>").count(), 2);
    assert_eq!(app.get("/tracks/side/changes.atom").await.text().matches("<entry>").count(), 1);
    assert_eq!(app.get("/tracks/grand/changes.atom").await.status, 200, "a former slug answers");
    assert_eq!(app.get("/tracks/nowhere/changes.atom").await.status, 404);
}

#[tokio::test]
async fn no_entry_links_to_a_page_that_does_not_exist() {
    let app = TestApp::new();
    let without = PROGRAM.replace("lunch,2025-03-25,12:00,13:00,meal,Lunch,,Foyer,,,\n", "");
    app.publish(&without).await;
    assert!(app.get("/changes.json").await.text().contains("https://conf.example/sessions/lunch"));
    // After the conference and the tombstone's days, the next release drops the session.
    app.pass(400 * 86_400);
    app.publish(&without.replace("Last", "The last")).await;
    assert_eq!(app.get("/sessions/lunch").await.status, 404);
    let json = app.get("/changes.json").await.json();
    let atom = app.get("/changes.atom").await;
    let items = json["items"].as_array().unwrap();
    assert!(items.iter().any(|item| item["title"].as_str().unwrap().contains("Lunch")), "{json}");
    for item in items {
        let url = item["url"].as_str().unwrap();
        assert!(atom.text().contains(url));
        let page = app.get(url.strip_prefix("https://conf.example").unwrap()).await;
        assert_eq!(page.status, 200, "{url}");
    }
}

#[tokio::test]
async fn a_change_feed_without_news_is_not_sent_again() {
    let app = TestApp::new();
    let first = app.get("/changes.atom").await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let again = |tag: &str| TestRequest::new("GET", "/changes.atom").field("if-none-match", tag);
    assert_eq!(app.send(again(&tag)).await.status, 304);
    app.publish(&moved()).await;
    let news = app.send(again(&tag)).await;
    assert_eq!(news.status, 200);
    assert_ne!(news.headers["etag"], first.headers["etag"]);
}

#[tokio::test]
async fn an_agenda_s_change_feed_shows_only_its_picks_and_keeps_its_secret() {
    let app = TestApp::new();
    let mine = app.agenda(&["other-talk"]).await;
    let target = mine.feed.replace(".ics", "/changes.atom");
    app.publish(&moved()).await;
    let feed = app.get(&target).await;
    assert_eq!((feed.status, feed.text().matches("<entry>").count()), (200, 1));
    assert_eq!(feed.headers["cache-control"], "private, no-cache");
    let token = mine.feed.trim_start_matches("/agendas/").trim_end_matches(".ics");
    assert!(!feed.text().contains(token));
    app.publish(&moved().replace("other-talk,2025-03-25", "other-talk,2025-03-26")).await;
    assert_eq!(app.get(&target).await.text().matches("<entry>").count(), 2);
    let revoke = TestRequest::new("DELETE", "/api/v1/agenda/links/1")
        .field("authorization", &format!("Bearer {}", mine.key));
    assert_eq!(app.send(revoke).await.status, 204);
    assert_eq!(app.get(&target).await.status, 410);
}
