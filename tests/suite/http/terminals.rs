//! Plain text for terminals, and jCal beside the feeds.

use super::test_app::{TestApp, TestRequest, TestResponse};

async fn by(app: &TestApp, target: &str, agent: &str, accept: &str) -> TestResponse {
    app.send(TestRequest::new("GET", target).field("user-agent", agent).field("accept", accept)).await
}

#[tokio::test]
async fn curl_gets_the_program_as_a_table_and_a_browser_the_page() {
    let app = TestApp::new();
    let text = by(&app, "/", "curl/8.5.0", "*/*").await;
    assert_eq!((text.status, text.field("content-type")), (200, "text/plain; charset=utf-8"));
    assert_eq!(text.text(), app.get("/program.txt").await.text());
    assert!(
        text.text().contains("10:00-10:40") && text.text().contains("CANCELLED: Sick"),
        "{}",
        text.text()
    );
    let page = by(&app, "/", "Mozilla/5.0", "text/html,*/*;q=0.8").await;
    assert_eq!(page.field("content-type"), "text/html; charset=utf-8");
    assert_ne!(page.tag(), text.tag());
    for answer in [&page, &text] {
        let vary: Vec<&str> =
            answer.headers.get_all("vary").iter().map(|vary| vary.to_str().unwrap()).collect();
        assert_eq!(vary, ["Accept-Encoding", "Accept, User-Agent"]);
    }
    let again =
        TestRequest::new("GET", "/").field("user-agent", "curl/8.5.0").field("if-none-match", text.tag());
    assert_eq!(app.send(again).await.status, 304);
    let other =
        TestRequest::new("GET", "/").field("user-agent", "Mozilla/5.0").field("if-none-match", text.tag());
    assert_eq!(app.send(other).await.status, 200);
}

#[tokio::test]
async fn a_filter_holds_for_the_table_too() {
    let app = TestApp::new();
    let answer = by(&app, "/?track=side&q=other", "Wget/1.21", "*/*").await;
    let text = answer.text();
    assert!(text.contains("Other") && !text.contains("First") && !text.contains("Sick"), "{text}");
    assert_eq!(by(&app, "/?track=never", "curl/8.5.0", "*/*").await.status, 404);
}

#[tokio::test]
async fn a_shared_agenda_is_a_table_that_marks_overlaps_and_cancelled_sessions() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk", "other-talk", "sick-talk"]).await;
    let page = mine.feed.trim_end_matches(".ics");
    let text = by(&app, page, "", "text/plain").await;
    assert_eq!((text.status, text.field("content-type")), (200, "text/plain; charset=utf-8"));
    assert_eq!(text.field("cache-control"), "private, no-cache");
    let body = text.text();
    assert!(body.starts_with("Mine\n") && body.contains("America/Los_Angeles"), "{body}");
    assert!(body.contains("! First takes place at the same time as Other"), "{body}");
    assert!(body.contains("CANCELLED: Sick"), "{body}");
    assert!(!body.contains("cbr_"), "{body}");
    let page = by(&app, page, "Mozilla/5.0", "text/html").await;
    assert_eq!(page.field("content-type"), "text/html; charset=utf-8");
    let vary: Vec<&str> = page.headers.get_all("vary").iter().map(|vary| vary.to_str().unwrap()).collect();
    assert_eq!(vary, ["Accept, User-Agent", "Cookie", "Accept-Encoding"]);
}

#[tokio::test]
async fn jcal_stays_beside_its_feed_through_changes() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    let path = mine.feed.replace(".ics", ".jcal");
    let first = app.get(&path).await;
    assert_eq!(first.field("content-type"), "application/calendar+json; charset=utf-8");
    assert_eq!(app.get(&path).await.body, first.body);
    assert!(first.text().contains("\"First\"") && !first.text().contains("\"Other\""));
    app.send(mine.request("PUT", "/agenda/picks/other-talk")).await;
    let next = app.get(&path).await;
    assert!(next.text().contains("\"Other\"") && next.tag() != first.tag());
    assert_eq!(app.get("/program.jcal").await.json()[0], "vcalendar");
    assert_eq!(app.send(TestRequest::new("HEAD", "/program.jcal")).await.status, 200);
}
