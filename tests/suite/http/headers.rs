//! Headers that depend on the kind of an answer, not on its path. The tests send requests to every route, so that a new
//! route cannot lack these headers.

use super::matrix::{NOBODY, filled, token};
use super::test_app::{PROGRAM, SECRET, TestApp};
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
        "200 POST /organizer/preview",
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
        let tag = gzip["etag"].to_str().unwrap();
        let again = [("accept-encoding", "gzip"), ("if-none-match", tag)];
        let (status, unchanged) = head(&app, &method, &target, &again).await;
        assert_eq!(status, 304, "{target}");
        for headers in [gzip, plain, unchanged] {
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
