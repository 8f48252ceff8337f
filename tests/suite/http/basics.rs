//! Rules for every resource: targets, hosts, methods and errors.

use super::test_app::{TestApp, TestRequest};
use http::Version;

#[tokio::test]
async fn an_unknown_path_is_not_found_as_json_or_as_a_page() {
    let app = TestApp::new();
    let answer = app.get("/nowhere").await;
    assert_eq!((answer.status, answer.field("content-type")), (404, "application/problem+json"));
    assert_eq!(answer.json()["status"], 404);
    assert_eq!(answer.field("cache-control"), "no-store");
    let request = TestRequest::new("GET", "/nowhere").field("accept", "text/html,*/*;q=0.8");
    let page = app.send(request).await;
    assert_eq!((page.status, page.field("content-type")), (404, "text/html; charset=utf-8"));
    let request = TestRequest::new("GET", "/tracks/none.ics").field("accept", "text/html,*/*;q=0.8");
    let feed = app.send(request).await;
    assert_eq!((feed.status, feed.field("content-type")), (404, "application/problem+json"));
}

#[tokio::test]
async fn host_is_needed_on_http_1_1_alone_and_once() {
    let app = TestApp::new();
    let twice = TestRequest::new("GET", "/program.ics").field("host", "other.example");
    assert_eq!(app.send(twice).await.status, 400);
    let old = TestRequest { version: Version::HTTP_10, ..TestRequest::new("GET", "/program.ics") };
    assert_eq!(app.send(old).await.status, 200);
    let bad = TestRequest { version: Version::HTTP_10, ..TestRequest::new("GET", "/program.ics") }
        .field("host", "a b");
    assert_eq!(app.send(bad).await.status, 400);
    let foreign = TestRequest { version: Version::HTTP_10, ..TestRequest::new("GET", "/program.ics") };
    let foreign = app.send(foreign.field("host", "evil.example")).await;
    assert!(!foreign.text().contains("evil"));
}

#[tokio::test]
async fn an_absolute_target_is_served_and_what_is_no_path_is_refused() {
    let app = TestApp::new();
    assert_eq!(app.get("http://conf.example/program.ics").await.status, 200);
    assert_eq!(app.send(TestRequest::new("CONNECT", "conf.example:80")).await.status, 400);
    let star = app.send(TestRequest::new("OPTIONS", "*")).await;
    assert_eq!((star.status, star.field("allow")), (204, "GET, HEAD, OPTIONS"));
    assert_eq!(app.send(TestRequest::new("GET", "*")).await.status, 400);
}

#[tokio::test]
async fn a_method_that_is_not_allowed_gets_the_list_of_those_that_are() {
    let app = TestApp::new();
    for (method, target, allow) in [
        ("POST", "/program.ics", "GET, HEAD, OPTIONS"),
        ("PROPFIND", "/program.ics", "GET, HEAD, OPTIONS"),
        ("TRACE", "/program.ics", "GET, HEAD, OPTIONS"),
        ("DELETE", "/sessions/never-was.ics", "GET, HEAD, OPTIONS"),
        ("GET", "/api/v1/agendas", "POST, OPTIONS"),
        ("PUT", "/api/v1/agenda", "GET, PATCH, DELETE, HEAD, OPTIONS"),
        ("GET", "/api/v1/agenda/picks/first-talk", "PUT, DELETE, OPTIONS"),
        ("HEAD", "/api/v1/agenda/picks", "PUT, OPTIONS"),
    ] {
        let answer = app.send(TestRequest::new(method, target)).await;
        assert_eq!((answer.status, answer.field("allow")), (405, allow), "{method} {target}");
    }
    let options = app.send(TestRequest::new("OPTIONS", "/program.ics")).await;
    assert_eq!((options.status, options.field("allow")), (204, "GET, HEAD, OPTIONS"));
    assert!(options.body.is_empty());
}

#[tokio::test]
async fn an_unknown_method_is_not_implemented() {
    let app = TestApp::new();
    for target in ["/program.ics", "/nowhere", "/dav/public/", "/organizer/program", "/api/v1/agenda", "/"] {
        for method in ["BREW", "get", "PROPFINDS"] {
            let answer = app.send(TestRequest::new(method, target)).await;
            assert_eq!((answer.status, answer.field("allow")), (501, ""), "{method} {target}");
        }
    }
}

#[tokio::test]
async fn a_coded_body_is_refused_wherever_bodies_are_read() {
    let app = TestApp::new();
    let mine = app.agenda(&[]).await;
    let key = format!("Bearer {}", mine.key);
    let secret = format!("Bearer {}", super::test_app::SECRET);
    for (method, target, authorization) in [
        ("POST", "/api/v1/agendas", ""),
        ("PUT", "/api/v1/agenda/picks", key.as_str()),
        ("POST", "/api/v1/agenda/import", &key),
        ("PUT", "/organizer/program", &secret),
        ("POST", "/organizer/preview", &secret),
        ("POST", "/agenda/picks", ""),
        ("PROPFIND", "/dav/public/", ""),
    ] {
        for coding in ["gzip", "br, identity", "x-unknown"] {
            let request = TestRequest::new(method, target)
                .text("application/json", "[]")
                .field("content-encoding", coding);
            let request = if authorization.is_empty() {
                request
            } else {
                request.field("authorization", authorization)
            };
            let answer = app.send(request.field("origin", "https://conf.example")).await;
            let refusal = (answer.status, answer.field("accept-encoding"));
            assert_eq!(refusal, (415, "identity"), "{method} {target} {coding}: {}", answer.text());
        }
    }
    let plain = TestRequest::new("POST", "/api/v1/agendas").text("application/json", "{}");
    assert_eq!(app.send(plain.field("content-encoding", "identity")).await.status, 201);
    // A Content-Encoding on a request without a body has no effect.
    assert_eq!(
        app.send(TestRequest::new("GET", "/program.ics").field("content-encoding", "gzip")).await.status,
        200
    );
}

#[tokio::test]
async fn a_challenge_distinguishes_wrong_credentials_from_missing_ones() {
    let app = TestApp::new();
    let wrong = callboard::agenda::EditKey::generate().unwrap().reveal();
    for target in ["/api/v1/agenda", "/api/v1/agenda/links", "/organizer/status", "/organizer/releases"] {
        let without = app.get(target).await;
        assert_eq!((without.status, without.field("www-authenticate")), (401, "Bearer realm=\"Callboard\""));
        assert!(without.json()["detail"].as_str().unwrap().starts_with("Send the "), "{}", without.text());
        for sent in [format!("Bearer {wrong}"), "Bearer x".to_owned(), "bearer".to_owned()] {
            let answer = app.send(TestRequest::new("GET", target).field("authorization", &sent)).await;
            let challenge = "Bearer realm=\"Callboard\", error=\"invalid_token\"";
            assert_eq!(
                (answer.status, answer.field("www-authenticate")),
                (401, challenge),
                "{target} {sent}"
            );
            assert!(!answer.json()["detail"].as_str().unwrap().starts_with("Send"), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn public_feeds_can_be_read_from_any_origin_and_agendas_from_none() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    for (method, target, origin) in [
        ("GET", "/program.ics", "*"),
        ("GET", "/program.ics?kind=talk", "*"),
        ("GET", "/tracks/never-was.ics", "*"),
        ("OPTIONS", "/program.ics", "*"),
        ("GET", mine.feed.as_str(), ""),
        ("OPTIONS", mine.feed.as_str(), ""),
        ("OPTIONS", "/api/v1/agenda", ""),
        ("GET", "/api/v1/agenda", ""),
    ] {
        let answer = app.send(TestRequest::new(method, target).field("origin", "https://app.example")).await;
        assert_eq!(answer.field("access-control-allow-origin"), origin, "{method} {target}");
    }
    let preflight = app.send(TestRequest::new("OPTIONS", "/program.ics")).await;
    let allowed: Vec<&str> = preflight.field("access-control-allow-headers").split(", ").collect();
    // Conditional requests, the reload button, range requests, and libraries that mark or authenticate every request.
    for field in [
        "If-None-Match",
        "If-Modified-Since",
        "Cache-Control",
        "Pragma",
        "Range",
        "X-Requested-With",
        "Authorization",
        "*",
    ] {
        assert!(allowed.contains(&field), "{field}: {allowed:?}");
    }
    assert_eq!(preflight.field("access-control-allow-methods"), "GET, HEAD");
}

#[tokio::test]
async fn needless_percent_encodings_are_the_same_address() {
    let app = TestApp::new();
    for (encoded, plain) in [
        ("/program%2Eics", "/program.ics"),
        ("/%70rogram%2eics?kind=talk", "/program.ics?kind=talk"),
        ("/tracks/m%61in%2Eics", "/tracks/main.ics"),
        ("/api/v1/sessions/first%2Dtalk", "/api/v1/sessions/first-talk"),
        ("/sessions/first%2dtalk%2Ejcal", "/sessions/first-talk.jcal"),
    ] {
        let (one, other) = (app.get(encoded).await, app.get(plain).await);
        assert_eq!((one.status, one.body), (200, other.body), "{encoded}");
        assert_eq!(one.headers["etag"], other.headers["etag"]);
    }
    assert_eq!(app.get("/program%252Eics").await.status, 404, "decoded once");
    assert_eq!(app.get("/tracks%2Fmain.ics").await.status, 404, "a slash in a segment separates nothing");
}

#[tokio::test]
async fn head_has_the_fields_of_get_and_no_body() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    for target in ["/program.ics", "/program.ics?kind=talk", &mine.feed, "/robots.txt", "/nowhere"] {
        let get = app.get(target).await;
        let head = app.send(TestRequest::new("HEAD", target)).await;
        assert!(head.body.is_empty());
        assert_eq!(head.field("content-length"), get.body.len().to_string(), "{target}");
        let mut fields = head.headers.clone();
        fields.remove("content-length");
        assert_eq!((head.status, fields), (get.status, get.headers), "{target}");
    }
}

#[tokio::test]
async fn robots_may_read_every_feed() {
    let app = TestApp::new();
    let answer = app.get("/robots.txt").await;
    assert_eq!(answer.field("content-type"), "text/plain; charset=utf-8");
    assert!(!answer.text().contains(".ics"), "{}", answer.text());
    // Without the first rule, `Disallow: /agenda` would also apply to `/agendas/` (RFC 9309, 2.2.2).
    assert!(answer.text().contains("\nAllow: /agendas/\nDisallow: /agenda\n"), "{}", answer.text());
}

#[tokio::test]
async fn a_parameter_that_cannot_exist_is_not_found() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk"]).await;
    for target in [
        "/program.ics/",
        "//program.ics",
        "/tracks/.ics",
        "/tracks/A.ics",
        "/tracks/a%2Fb.ics",
        "/tracks/%ff.ics",
        "/tracks/a/b.ics",
        "/days/2025-02-30.ics",
        "/sessions/x.ics",
        "/agendas/cbr_x.ics",
    ] {
        assert_eq!(app.get(target).await.status, 404, "{target}");
    }
    for target in ["/links/0", "/links/01", "/links/+1", "/links/4294967296", "/picks/.."] {
        assert_eq!(
            app.send(mine.request("DELETE", &format!("/agenda{target}"))).await.status,
            404,
            "{target}"
        );
    }
}
