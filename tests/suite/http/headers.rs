//! Headers that depend on the kind of an answer, not on its path. The tests send requests to every route, so that a new
//! route cannot lack these headers.

use super::matrix::{NOBODY, filled, token};
use super::test_app::{PROGRAM, SECRET, TestApp, TestRequest};
use callboard::feed::Effort;
use callboard::http::routes;
use http::{HeaderMap, Method, Request};
use http_body_util::Full;
use std::collections::BTreeSet;

/// Sends a request and drops the body, because the body of an event stream never ends.
async fn head(app: &TestApp, method: &Method, target: &str, fields: &[(&str, &str)]) -> (u16, HeaderMap) {
    head_with(app, method, target, fields, "").await
}

async fn head_with(
    app: &TestApp,
    method: &Method,
    target: &str,
    fields: &[(&str, &str)],
    body: &str,
) -> (u16, HeaderMap) {
    let mut request = Request::builder().method(method).uri(target).header("host", "conf.example");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::from(body.to_owned())).unwrap();
    let response = app.inner.respond(request).await;
    (response.status().as_u16(), response.headers().clone())
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get("content-type").is_some_and(|value| value.to_str().unwrap().starts_with("text/html"))
}

/// Every route of the table with its methods and with PUT, OPTIONS and HEAD, and GET of paths that match no route.
fn requests(in_path: &str) -> Vec<(String, Method)> {
    let table = routes().flat_map(|(pattern, method)| {
        [method, Method::PUT, Method::OPTIONS, Method::HEAD].map(|method| (pattern, method.to_string()))
    });
    let table: BTreeSet<(&str, String)> = table.collect();
    let known =
        table.into_iter().map(|(pattern, method)| (filled(pattern, in_path), method.parse().unwrap()));
    let unknown = ["/nowhere", "/organizer/nowhere", "/tracks/never", "/sessions/never", "//", "/%ff"];
    known.chain(unknown.map(|path| (path.to_owned(), Method::GET))).collect()
}

#[tokio::test]
async fn every_html_answer_has_a_policy_and_no_other_site_may_frame_it() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk", "other-talk"]).await;
    let link = token(&mine.feed);
    let form = "application/x-www-form-urlencoded";
    let sign_in = [("sec-fetch-site", "same-origin"), ("content-type", form)];
    let secret = format!("secret={SECRET}");
    let (_, signed) = head_with(&app, &Method::POST, "/organizer/session", &sign_in, &secret).await;
    let organizer = signed["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let agenda = format!("__Host-agenda={}", mine.key);
    let multipart = "multipart/form-data; boundary=line";
    let upload = format!(
        "--line\r\nContent-Disposition: form-data; name=\"program\"\r\n\r\n{PROGRAM}\r\n--line--\r\n"
    );
    let mut seen = BTreeSet::new();
    // Requests that end a sign-in or change the key are left out. The other POST requests come last.
    let ends = ["/organizer/session/end", "/agenda/key"];
    for is_post in [false, true] {
        for (in_path, cookie) in [(NOBODY, ""), (&link, &organizer), (&link, &agenda)] {
            for (target, method) in requests(in_path) {
                if (method == Method::POST) != is_post || ends.contains(&target.as_str()) {
                    continue;
                }
                let (media_type, body) = match target.as_str() {
                    "/organizer/preview" | "/agenda/import" if is_post => (multipart, upload.as_str()),
                    _ if method == Method::POST => (form, "x=1"),
                    _ => ("", ""),
                };
                let mut fields = vec![("accept", "text/html"), ("sec-fetch-site", "same-origin")];
                fields.extend([("cookie", cookie), ("content-type", media_type)]);
                fields.retain(|(_, value)| !value.is_empty());
                let (status, headers) = head_with(&app, &method, &target, &fields, body).await;
                let what = format!("{status} {method} {target} with {cookie:.20}");
                assert_eq!(headers["x-content-type-options"], "nosniff", "{what}");
                if !is_html(&headers) {
                    continue;
                }
                let policy = headers.get_all("content-security-policy").iter().collect::<Vec<_>>();
                assert_eq!(policy.len(), 1, "{what}");
                let policy = policy[0].to_str().unwrap();
                assert!(policy.contains("default-src 'none'"), "{what}: {policy}");
                assert!(policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
                assert_eq!(headers["x-frame-options"], "DENY", "{what}");
                seen.insert(format!("{status} {method} {target}"));
            }
        }
    }
    for page in [
        "200 GET /",
        "200 GET /organizer",
        "410 GET /organizer/preview/none",
        "200 GET /agenda",
        "200 POST /agenda/handover",
        "404 GET /nowhere",
        "404 GET /tracks/never",
        "405 PUT /agenda",
        "401 POST /agenda/name",
    ] {
        assert!(seen.contains(page), "{page} was not a page: {seen:#?}");
    }
}

#[tokio::test]
async fn every_compressed_answer_varies_by_accept_encoding() {
    let app = TestApp::new();
    let published = app.publisher.live();
    published.pages.compress(Effort::Best, || true);
    published.release.feeds.compress(Effort::Best, || true);
    let mine = app.agenda(&["first-talk", "other-talk"]).await;
    let mut coded = BTreeSet::new();
    for (target, method) in requests(&token(&mine.feed)).into_iter().filter(|(_, m)| m == Method::GET) {
        let (_, gzip) = head(&app, &method, &target, &[("accept-encoding", "gzip")]).await;
        if !gzip.contains_key("content-encoding") {
            continue;
        }
        coded.insert(target.clone());
        let (_, plain) = head(&app, &method, &target, &[]).await;
        let mut answers = vec![gzip.clone(), plain];
        if let Some(tag) = gzip.get("etag") {
            let again = [("accept-encoding", "gzip"), ("if-none-match", tag.to_str().unwrap())];
            let (status, unchanged) = head(&app, &method, &target, &again).await;
            assert_eq!(status, 304, "{target}");
            answers.push(unchanged);
        }
        for headers in answers {
            let vary: Vec<&str> =
                headers.get_all("vary").iter().flat_map(|line| line.to_str().unwrap().split(", ")).collect();
            let times = vary.iter().filter(|name| **name == "Accept-Encoding").count();
            assert_eq!(times, 1, "{target}: {vary:?}");
        }
    }
    for target in [
        "/",
        "/program.ics",
        "/schedule.json",
        "/robots.txt",
        "/sitemap.xml",
        "/manifest.webmanifest",
        "/sw.js",
    ] {
        assert!(coded.contains(target), "{target} is not coded: {coded:?}");
    }
}

/// The longest answer that may be sent plain to a client that accepts gzip.
const MAX_PLAIN: usize = 4 * 1024;

#[tokio::test]
async fn every_long_answer_is_compressed_and_its_tag_is_known() {
    let app = TestApp::shipped();
    let published = app.publisher.live();
    published.pages.compress(Effort::Best, || true);
    published.release.feeds.compress(Effort::Best, || true);
    let ids: Vec<&str> =
        published.release.program.order().iter().map(|session| session.id.as_str()).collect();
    let body = serde_json::json!({ "name": "Mine", "picks": ids });
    let answer = app.send(TestRequest::new("POST", "/api/v1/agendas").json(&body)).await.json();
    let feed = answer["read_links"][0]["feed"].as_str().unwrap();
    let token = token(&feed[feed.find("/agendas/").unwrap()..]).to_owned();
    let key = format!("Bearer {}", answer["edit_key"].as_str().unwrap());
    let known =
        requests(&token).into_iter().filter(|(_, method)| method == Method::GET).map(|(target, _)| target);
    let more = [
        "/program.ics?kind=talk",
        "/program.jcal",
        "/program.jcal?kind=talk",
        "/days/2025-03-25.ics?alarm=10m",
        "/api/v1/sessions?limit=40",
        "/api/v1/sessions?fields=id,title,abstract",
        "/?q=reliability",
        "/subscribe/program",
    ];
    let mut compressed = BTreeSet::new();
    for target in known.chain(more.map(str::to_owned)).filter(|target| !target.ends_with("/events")) {
        let request = || TestRequest::new("GET", &target).field("authorization", &key);
        let plain = app.send(request()).await;
        if plain.status != 200
            || plain.body.len() < MAX_PLAIN
            || plain.field("content-type").starts_with("image/p")
        {
            continue;
        }
        let coded = app.send(request().field("accept-encoding", "gzip")).await;
        assert_eq!(coded.field("content-encoding"), "gzip", "{target} has {} bytes", plain.body.len());
        assert!(coded.body.len() < plain.body.len(), "{target}");
        compressed.insert(target.clone());
        if coded.headers.contains_key("etag") {
            assert_ne!(coded.headers["etag"], plain.headers["etag"], "{target}");
            for accepted in ["gzip", "identity"] {
                let again = request().field("if-none-match", coded.tag()).field("accept-encoding", accepted);
                let again = app.send(again).await;
                // A tag of a coding that was made at publication does not match the plain body.
                let is_known = accepted == "gzip" || coded.tag().ends_with("-gd\"");
                assert_eq!(again.status, if is_known { 304 } else { 200 }, "{target} {accepted}");
            }
        }
    }
    for target in more.into_iter().chain(["/api", "/schedule.xml", "/openapi.json", "/api/v1/agenda/export"])
    {
        assert!(compressed.contains(target), "{target}: {compressed:#?}");
    }
}
