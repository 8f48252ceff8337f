//! The organizer's pages: an organizer signs in with a secret, and publishes exactly what the preview shows.

use super::test_app::{PROGRAM, SECRET, TestApp, TestRequest, TestResponse, secret_line};
use callboard::store::Origin;

fn post(target: &str, body: &str) -> TestRequest {
    TestRequest::new("POST", target)
        .field("sec-fetch-site", "same-origin")
        .text("application/x-www-form-urlencoded", body)
}

fn upload(target: &str, csv: &str) -> TestRequest {
    let body = format!(
        "--line\r\nContent-Disposition: form-data; name=\"program\"; filename=\"program.csv\"\r\n\
         Content-Type: text/csv\r\n\r\n{csv}\r\n--line--\r\n"
    );
    TestRequest::new("POST", target)
        .field("sec-fetch-site", "same-origin")
        .text("multipart/form-data; boundary=line", &body)
}

pub(super) async fn signed_in(app: &TestApp) -> String {
    let answer = app.send(post("/organizer/session", &format!("secret={SECRET}"))).await;
    assert_eq!((answer.status, answer.field("location")), (303, "/organizer"));
    let [cookie, mark] = cookies(&answer);
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(SECRET));
    assert_eq!(mark, "organizer_here=1; Path=/; SameSite=Lax; Max-Age=43200; Secure");
    cookie.split(';').next().unwrap().to_owned()
}

/// The cookies that an answer sets: the sign-in, and the mark that scripts read.
fn cookies(answer: &TestResponse) -> [String; 2] {
    let lines = answer.headers.get_all("set-cookie").iter();
    let lines: Vec<String> = lines.map(|line| line.to_str().unwrap().to_owned()).collect();
    lines.try_into().unwrap()
}

fn digest(page: &TestResponse) -> String {
    let text = page.text();
    let start = text.find("name=\"confirm\" value=\"").expect("a confirmation") + 22;
    text[start..].chars().take_while(|c| *c != '"').collect()
}

/// The fields that publish what a preview shows.
fn confirmation(page: &TestResponse) -> String {
    let key = between(page.text(), "name=\"preview\" value=\"", "\"");
    format!("preview={key}&confirm={}", digest(page))
}

/// The page to which a form redirects the browser.
async fn shown(app: &TestApp, form: TestRequest, cookie: &str) -> TestResponse {
    let answer = app.send(form.field("cookie", cookie)).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    app.send(TestRequest::new("GET", answer.field("location")).field("cookie", cookie)).await
}

#[tokio::test]
async fn a_wrong_secret_or_none_shows_the_form_only() {
    let app = TestApp::new();
    let home = app.get("/organizer").await;
    assert!(home.status == 200 && home.text().contains("name=\"secret\""), "{}", home.text());
    let wrong = app.send(post("/organizer/session", "secret=wrong")).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.headers.get("set-cookie").is_none());
    for request in [
        upload("/organizer/preview", PROGRAM),
        post("/organizer/publish", "confirm=x"),
        post("/organizer/releases/1/preview", ""),
        TestRequest::new("GET", "/organizer/preview/x"),
    ] {
        assert_eq!(app.send(request).await.status, 401);
    }
}

#[tokio::test]
async fn a_file_is_previewed_confirmed_published_and_rolled_back() {
    let app = TestApp::new();
    let cookie = signed_in(&app).await;
    let moved = PROGRAM.replace("last-talk,2025-03-26,14:00,14:40", "last-talk,2025-03-26,15:00,15:40");
    let preview = shown(&app, upload("/organizer/preview", &moved), &cookie).await;
    assert_eq!(preview.status, 200, "{}", preview.text());
    assert!(preview.text().contains("Last"));
    assert_eq!(app.publisher.current().number(), 1, "a preview changes nothing");
    let digest_of_move = digest(&preview);
    let publish = post("/organizer/publish", &format!("confirm={digest_of_move}")).field("cookie", &cookie);
    assert_eq!(app.send(publish).await.status, 303);
    assert_eq!(app.publisher.current().number(), 2);
    let back = shown(&app, post("/organizer/releases/1/preview", ""), &cookie).await;
    let publish = post("/organizer/publish", &format!("confirm={}", digest(&back))).field("cookie", &cookie);
    assert_eq!(app.send(publish).await.status, 303);
    assert_eq!(app.publisher.current().number(), 3);
    let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(home.text().contains("<dt>Release</dt><dd dir=\"auto\">3</dd>"), "{}", home.text());
    let file = TestRequest::new("GET", "/organizer/releases/2/program.csv").field("cookie", &cookie);
    assert_eq!(app.send(file).await.text(), moved);
}

const LAST: &str = "last-talk,2025-03-26,14:00,14:40";

async fn pressed(app: &TestApp, target: &str, body: &str, cookie: &str) -> TestResponse {
    app.send(post(target, body).field("cookie", cookie)).await
}

/// A bug: the first organizer's release undid the second organizer's release without showing it.
#[tokio::test]
async fn a_release_of_a_colleague_is_shown_before_another_is_published_over_it() {
    let app = TestApp::new();
    let (first, second) = (signed_in(&app).await, signed_in(&app).await);
    let retitled = PROGRAM.replace("talk,First,", "talk,Foremost,");
    let moved = PROGRAM.replace(LAST, "last-talk,2025-03-26,15:00,15:40");
    let preview = shown(&app, upload("/organizer/preview", &retitled), &first).await;
    let shown_first = confirmation(&preview);
    let preview = shown(&app, upload("/organizer/preview", &moved), &second).await;
    let shown_second = confirmation(&preview);
    assert_eq!(pressed(&app, "/organizer/publish", &shown_second, &second).await.status, 303);

    let publish = |fields: &str| shown(&app, post("/organizer/publish", fields), &first);
    for _ in ["once", "again"] {
        let answer = publish(&shown_first).await;
        assert_eq!((answer.status, app.publisher.current().number()), (200, 2), "{}", answer.text());
        assert!(answer.text().contains("Nothing was published: release 2"), "{}", answer.text());
        let taken_back = between(answer.text(), "takes back what release 2 changed</h2>", "</section>");
        assert!(taken_back.contains(">Last<") && !taken_back.contains("Foremost"), "{taken_back}");
        let others = answer.text().split_once("class=\"preview-day\"").unwrap().1;
        assert!(others.contains("Foremost") && !others.contains(">Last<"), "{others}");
    }
    let answer = publish(&shown_first).await;
    let now_shown = confirmation(&answer);
    assert!(publish(&now_shown).await.text().contains("Published: release 3 is live."));
    assert_eq!(app.publisher.current().number(), 3);

    // If the button is pressed twice, the second request finds that its release is already published.
    let twice = publish(&now_shown).await;
    assert_eq!((twice.status, app.publisher.current().number()), (200, 3));
    assert!(twice.text().contains("Nothing would change"), "{}", twice.text());
    assert!(!twice.text().contains("Nothing was published"), "{}", twice.text());
}

#[tokio::test]
async fn a_release_is_not_published_again_over_what_came_after_its_preview() {
    let app = TestApp::new();
    app.publish(&PROGRAM.replace("talk,First,", "talk,Foremost,")).await;
    let cookie = signed_in(&app).await;
    let preview = shown(&app, post("/organizer/releases/1/preview", ""), &cookie).await;
    app.publish(&PROGRAM.replace(LAST, "last-talk,2025-03-26,15:00,15:40")).await;
    let answer = shown(&app, post("/organizer/publish", &confirmation(&preview)), &cookie).await;
    assert_eq!((answer.status, app.publisher.current().number()), (200, 3), "{}", answer.text());
    let home = shown(&app, post("/organizer/publish", &confirmation(&answer)), &cookie).await;
    assert_eq!(app.publisher.current().number(), 4);
    assert!(home.text().contains("release 1, restored"), "{}", home.text());
    assert!(!home.text().contains("rollback {"), "no debugging text");
}

/// The program without the second day, and with one talk at another hour.
fn truncated() -> String {
    let rows = PROGRAM.lines().filter(|row| !row.contains("2025-03-26"));
    let rows: String = rows.map(|row| format!("{row}\n")).collect();
    rows.replace("first-talk,2025-03-25,10:00,10:40", "first-talk,2025-03-25,11:00,11:40")
}

async fn save(app: &TestApp, csv: &str) {
    std::fs::write(app.dir.path().join("program.csv"), csv).unwrap();
    app.publisher.publish_file().await;
}

#[tokio::test]
async fn the_desk_says_in_the_conferences_language_why_a_release_is_held() {
    let languages = [
        ("de", "verlegt oder benennt 2 von 7 Sessions um (29 %)"),
        ("fr", "déplace ou renomme 2 des 7 sessions (29 %)"),
        ("es", "mueve o renombra 2 de 7 sesiones (29 %)"),
        ("pt-BR", "move ou renomeia 2 de 7 sessões (29 %)"),
        ("ja", "7件のうち2件のセッション（29%）"),
    ];
    for (language, reason) in languages {
        let app = TestApp::guarded_in(language);
        let cookie = signed_in(&app).await;
        save(&app, &truncated()).await;
        let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", &cookie)).await;
        assert_eq!(home.text().matches(reason).count(), 2, "{reason}: {}", home.text());
        assert!(!home.text().contains("removes, moves"), "{}", home.text());
        let path = "/organizer/held/preview";
        let preview = shown(&app, post(path, &format!("digest={}", digest(&home))), &cookie).await;
        assert!(preview.text().contains(reason), "{}", preview.text());
    }
}

#[tokio::test]
async fn a_held_file_is_seen_and_confirmed_at_the_desk() {
    let app = TestApp::guarded();
    let cookie = signed_in(&app).await;
    save(&app, &truncated()).await;
    let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(home.text().contains("waits for your confirmation"), "{}", home.text());
    let place = |text: &str| home.text().find(text).unwrap();
    assert!(place("waits for your confirmation") < place("Live release"), "what waits stands at the top");
    for text in ["From: program file", "removes, moves or retitles", ">First<", ">Last<", "Discard"] {
        assert!(home.text().contains(text), "{text}: {}", home.text());
    }
    let held = digest(&home);
    let preview = shown(&app, post("/organizer/held/preview", &format!("digest={held}")), &cookie).await;
    assert_eq!((preview.status, digest(&preview)), (200, held.clone()));
    assert!(
        preview.text().contains("This removes 1 session. Type 1 to publish anyway:"),
        "{}",
        preview.text()
    );
    for wrong in ["", "&number=0", "&number=2", "&number=one"] {
        let form = post("/organizer/publish", &format!("confirm={held}{wrong}"));
        let answer = shown(&app, form, &cookie).await;
        assert_eq!((answer.status, app.publisher.current().number()), (200, 1), "{wrong}");
        assert!(answer.text().contains("role=\"alert\" id=\"number-fault\""), "{}", answer.text());
        assert_eq!(digest(&answer), held, "the same release can be confirmed from here");
    }
    let answer = pressed(&app, "/organizer/publish", &format!("confirm={held}&number=1"), &cookie).await;
    assert_eq!((answer.status, app.publisher.current().number()), (303, 2), "{}", answer.text());
    assert_eq!(answer.field("location"), "/organizer?done=published");
    let record = app.store.release(2).unwrap().unwrap();
    assert_eq!((record.origin, record.who.as_deref()), (Origin::File, Some("ops")));
    assert!(!app.publisher.file_is_stale());
    let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(!home.text().contains("waits for your confirmation"));
    let again = shown(&app, post("/organizer/publish", &format!("confirm={held}")), &cookie).await;
    assert!(again.text().contains("Nothing would change"), "it was previewed, so it is compared again");
}

#[tokio::test]
async fn a_held_file_is_discarded_at_the_desk_and_not_held_again() {
    let app = TestApp::guarded();
    let cookie = signed_in(&app).await;
    save(&app, &truncated()).await;
    let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", &cookie)).await;
    let held = digest(&home);
    let body = format!("digest={held}");
    let discard = || pressed(&app, "/organizer/held/discard", &body, &cookie);
    let mut foreign = post("/organizer/held/discard", &format!("digest={held}")).field("cookie", &cookie);
    foreign.fields.retain(|(name, _)| *name != "sec-fetch-site");
    assert_eq!(app.send(foreign.field("sec-fetch-site", "cross-site")).await.status, 403);
    assert!(app.publisher.status().held.newest().is_some());
    assert_eq!(discard().await.field("location"), "/organizer?done=discarded");
    app.publisher.catch_up().await;
    assert!(app.publisher.status().held.newest().is_none() && app.publisher.file_is_stale());
    let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(home.text().contains("program.csv differs from the live release"), "{}", home.text());
    let late = pressed(&app, "/organizer/publish", &format!("confirm={held}"), &cookie).await;
    assert_eq!((late.status, app.publisher.current().number()), (410, 1));
    let again = discard().await;
    assert_eq!((again.status, again.field("location")), (303, "/organizer?done=gone"), "twice does no harm");
    save(&app, &truncated().replace("Opening", "The Opening")).await;
    assert!(app.publisher.status().held.newest().is_some(), "a file that is saved anew is");
}

#[tokio::test]
async fn an_upload_that_is_held_waits_at_the_desk_beside_a_held_file() {
    let app = TestApp::guarded();
    let cookie = signed_in(&app).await;
    save(&app, &truncated()).await;
    let two_moved = PROGRAM.replace("10:00,10:40", "11:00,11:40");
    let put =
        TestRequest::new("PUT", "/organizer/program").field("authorization", &format!("Bearer {SECRET}"));
    let held = app.send(put.text("text/csv", &two_moved)).await;
    assert_eq!(held.status, 409);
    let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(
        home.text().contains("From: program file") && home.text().contains("From: upload"),
        "{}",
        home.text()
    );
    assert_eq!(digest(&home), held.json()["digest"].as_str().unwrap(), "the newest first");
    let body = format!("confirm={}&number=2", digest(&home));
    assert!(home.text().contains("This changes 2 sessions. Type 2"), "{}", home.text());
    let answer = pressed(&app, "/organizer/publish", &body, &cookie).await;
    assert_eq!((answer.status, app.publisher.current().number()), (303, 2));
    assert!(app.publisher.status().held.all().is_empty(), "the file was weighed against release 1");
    assert!(app.publisher.file_is_stale());
}

#[tokio::test]
async fn a_removed_secret_ends_its_sign_ins_at_once_and_no_others() {
    let app = TestApp::new();
    app.reload_secrets(&(secret_line("chair", "the-chairs-secret") + &secret_line("ops", SECRET)));
    let (ops, chair) = (signed_in(&app).await, {
        let answer = app.send(post("/organizer/session", "secret=the-chairs-secret")).await;
        cookies(&answer)[0].split(';').next().unwrap().to_owned()
    });
    let moved = PROGRAM.replace("last-talk,2025-03-26,14:00,14:40", "last-talk,2025-03-26,15:00,15:40");
    let put = |cookie: &str| {
        let request =
            TestRequest::new("PUT", "/organizer/program").text("text/csv", &moved).field("cookie", cookie);
        request.field("sec-fetch-site", "same-origin")
    };
    app.reload_secrets(&secret_line("operations", SECRET));
    assert_eq!(app.send(put(&chair)).await.status, 401);
    let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", &chair)).await;
    assert!(home.text().contains("name=\"secret\""), "the form to sign in");
    let status = app.send(TestRequest::new("GET", "/organizer/status").field("cookie", &chair)).await;
    assert_eq!((status.status, app.publisher.current().number()), (401, 1));
    assert_eq!(app.send(put(&ops)).await.status, 201);
    let releases =
        app.send(TestRequest::new("GET", "/organizer/releases").field("cookie", &ops)).await.json();
    assert_eq!(releases["releases"][0]["who"], "operations", "the label of the line as it is now");
    // If a removed secret is added again, its sessions are valid again.
    app.reload_secrets(&secret_line("chair", "the-chairs-secret"));
    let status = |cookie: &str| TestRequest::new("GET", "/organizer/status").field("cookie", cookie);
    assert_eq!(app.send(status(&chair)).await.status, 200);
    assert_eq!(app.send(status(&ops)).await.status, 401);
    app.pass(12 * 60 * 60);
    assert_eq!(app.send(status(&chair)).await.status, 401, "it expires");
}

/// Browsers send no Sec-Fetch-Site to a plain-http origin, and `Origin: null` from a page with `no-referrer`.
#[tokio::test]
async fn signing_in_works_over_plain_http_where_the_browser_names_the_origin() {
    let app = TestApp::at("http://conf.lan:8080");
    let home = app.get("/organizer").await;
    assert_eq!(home.field("referrer-policy"), "strict-origin");
    let sign_in = |origin: &str| {
        let request = TestRequest::new("POST", "/organizer/session").field("origin", origin);
        request.text("application/x-www-form-urlencoded", &format!("secret={SECRET}"))
    };
    assert_eq!(app.send(sign_in("http://conf.lan:8080")).await.status, 303);
    for origin in ["null", "http://conf.lan", "http://evil.lan:8080", "https://conf.lan:8080"] {
        assert_eq!(app.send(sign_in(origin)).await.status, 403, "{origin}");
    }
}

#[tokio::test]
async fn errors_are_shown_and_other_sites_refused() {
    let app = TestApp::new();
    let cookie = signed_in(&app).await;
    let broken = PROGRAM.replace("14:00,14:40", "14:00,13:40");
    let page = shown(&app, upload("/organizer/preview", &broken), &cookie).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("type=\"file\" name=\"program\""), "the corrected file is chosen here");
    assert!(page.text().contains("Line 8, column end:"), "{}", page.text());
    assert!(!page.text().contains("name=\"confirm\""));
    let mut foreign = upload("/organizer/preview", PROGRAM).field("cookie", &cookie);
    foreign.fields.retain(|(name, _)| *name != "sec-fetch-site");
    assert_eq!(app.send(foreign.field("sec-fetch-site", "cross-site")).await.status, 401);
    let unknown = post("/organizer/publish", "confirm=never-shown").field("cookie", &cookie);
    assert_eq!(app.send(unknown).await.status, 410);
    let out = app.send(post("/organizer/session/end", "").field("cookie", &cookie)).await;
    assert_eq!(out.status, 303);
    let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(home.text().contains("name=\"secret\""));
}

/// The link would otherwise be in the bytes that caches give to everybody.
#[tokio::test]
async fn only_pages_of_a_signed_in_organizer_link_to_the_desk() {
    let app = TestApp::new();
    let get = |path: &str, cookie: &str| app.send(TestRequest::new("GET", path).field("cookie", cookie));
    let links = |page: &TestResponse| page.text().contains("<a href=\"/organizer\"");
    for path in ["/agenda", "/mine"] {
        assert!(!links(&get(path, "x=1").await), "{path}");
        assert!(links(&get(path, "organizer_here=1").await), "{path}");
    }
    for path in ["/", "/sessions/opening", "/changes", "/subscribe/program", "/nowhere"] {
        let page = get(path, "organizer_here=1").await;
        assert!(!links(&page) && page.body == get(path, "x=1").await.body, "{path}");
    }
    let cookie = signed_in(&app).await;
    assert!(get("/organizer", &cookie).await.text().contains("<a href=\"/organizer\" aria-current=\"page\""));
    let out = pressed(&app, "/organizer/session/end", "", &cookie).await;
    assert_eq!(out.field("location"), "/organizer?done=signed-out");
    assert!(cookies(&out).iter().all(|set| set.contains("=; Path=/; ") && set.contains("Max-Age=0")));
    assert!(get("/organizer?done=signed-out", "x=1").await.text().contains("You are signed out."));
}

/// A restart of the server ends every sign-in.
#[tokio::test]
async fn a_browser_whose_sign_in_has_ended_sees_a_notice_and_loses_the_link() {
    let app = TestApp::new();
    let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", "organizer_here=1")).await;
    assert!(home.status == 200 && home.text().contains("name=\"secret\""));
    assert!(cookies(&home)[1].starts_with("organizer_here=; ") && cookies(&home)[1].contains("Max-Age=0"));
    let browser = |request: TestRequest| app.send(request.field("accept", "text/html,*/*;q=0.8"));
    let late = browser(post("/organizer/publish", "confirm=x")).await;
    assert_eq!((late.status, late.field("content-type")), (401, "text/html; charset=utf-8"));
    assert!(late.text().contains("You were signed out") && late.text().contains("role=\"alert\""));
    let cookie = signed_in(&app).await;
    let gone = browser(post("/organizer/publish", "confirm=x").field("cookie", &cookie)).await;
    assert_eq!((gone.status, gone.field("content-type")), (410, "text/html; charset=utf-8"));
    assert!(gone.text().contains("<a href=\"/organizer\">Back to"), "{}", gone.text());
    let program = app.send(TestRequest::new("GET", "/organizer/status").field("accept", "*/*")).await;
    assert_eq!((program.status, program.field("content-type")), (401, "application/problem+json"));
}

/// The text between two marks.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let rest = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}")).1;
    rest.split_once(end).unwrap().0
}

#[tokio::test]
async fn a_preview_lists_changes_by_day_with_old_and_new_text_and_the_row_in_the_file() {
    let app = TestApp::new();
    let cookie = signed_in(&app).await;
    let edited = PROGRAM
        .replace(
            "lunch,2025-03-25,12:00,13:00,meal,Lunch,,Foyer",
            "lunch,2025-03-25,12:00,13:00,meal,Lunch,,Garden",
        )
        .replace(
            "first-talk,2025-03-25,10:00,10:40,talk,First,Main",
            "first-talk,2025-03-25,10:10,10:40,talk,Foremost,Side",
        )
        .replace("opening,2025-03-25,09:00,09:30,plenary,Opening,Main,Hall,Ada Lovelace,,\n", "")
        .replace("last-talk,", "new-talk,2025-03-26,13:00,13:30,talk,New,Main,Hall,,,\nlast-talk,");
    let page = shown(&app, upload("/organizer/preview", &edited), &cookie).await;
    let text = page.text();
    assert!(text.contains("<strong>4 changes: 1 added, 2 moved, 1 canceled.</strong>"), "{text}");
    let day = |date: &str| {
        between(
            text,
            &format!("<section class=\"preview-day\" aria-labelledby=\"day-{date}\">"),
            "</section>",
        )
    };
    let (first, second) = (day("2025-03-25"), day("2025-03-26"));
    assert!(first.contains("Tuesday, March 25") && first.contains("3 changes"), "{first}");
    assert!(
        second.contains(">New<")
            && second.contains("Line 7 of the file")
            && second.contains("new-talk,2025-03-26")
    );
    let order: Vec<usize> =
        [">Opening<", ">Foremost<", ">Lunch<"].iter().map(|title| first.find(title).unwrap()).collect();
    assert!(order.is_sorted(), "{first}");
    let breaks = between(first, "<details class=\"breaks\">", "</ul></details>");
    assert!(
        breaks.contains("<summary>1 break or meal</summary>")
            && breaks.contains(">Lunch<")
            && !breaks.contains(">First<")
    );
    let moved = between(first, "<li class=\"moved\">", "</li>");
    for expected in [
        "<del>Tuesday, March 25, 10:00–10:40</del>",
        "<ins>Tuesday, March 25, 10:10–10:40</ins>",
        "<del>First</del>",
        "<ins>Foremost</ins>",
        "<del>Main</del>",
        "<ins>Side</ins>",
        "<summary>Line 2 of the file</summary>",
    ] {
        assert!(moved.contains(expected), "{expected}: {moved}");
    }
    let removed = between(first, "<li class=\"cancelled\">", "</li>");
    assert!(removed.contains("Not in the file; line 2 of the live program"), "{removed}");
}

/// A bug: the preview then showed a closed fold only.
#[tokio::test]
async fn changes_of_breaks_alone_are_not_folded() {
    let app = TestApp::new();
    let cookie = signed_in(&app).await;
    let edited = PROGRAM.replace("Lunch,,Foyer", "Lunch,,Garden");
    let page = shown(&app, upload("/organizer/preview", &edited), &cookie).await;
    assert!(page.text().contains("<details class=\"breaks\" open>"), "{}", page.text());
}

/// A bug: the browser could not go back to the answer to a form.
#[tokio::test]
async fn a_preview_has_an_address_that_can_be_loaded_again_and_says_when_it_is_gone() {
    let app = TestApp::guarded();
    let cookie = signed_in(&app).await;
    let get = |path: &str| app.send(TestRequest::new("GET", path).field("cookie", &cookie));
    let two_moved = PROGRAM.replace("10:00,10:40", "11:00,11:40");
    let form = upload("/organizer/preview", &two_moved).field("cookie", &cookie);
    let address = app.send(form).await.field("location").to_owned();
    let (page, again) = (get(&address).await, get(&address).await);
    assert_eq!((page.status, page.body), (200, again.body.clone()));
    assert_eq!(again.field("cache-control"), "no-store");

    // An upload that nobody published is not held on the desk, whatever number was typed.
    let publish = |fields: String| app.send(post("/organizer/publish", &fields).field("cookie", &cookie));
    let answer = publish(format!("{}&number=%26", confirmation(&again))).await;
    assert_eq!(answer.field("location"), format!("{address}?typed=%26"));
    assert!(get(answer.field("location")).await.text().contains("“&#38;” is not the number"));
    assert!(app.publisher.status().last.is_none_or(|last| last.origin != Origin::Upload));

    let published = publish(format!("{}&number=2", confirmation(&again))).await;
    assert_eq!(published.field("location"), "/organizer?done=published");
    assert!(get(&address).await.text().contains("Nothing would change"), "the browser went back");
    let gone = TestRequest::new("GET", "/organizer/preview/gone").field("accept", "text/html");
    let gone = app.send(gone.field("cookie", &cookie)).await;
    assert_eq!(gone.status, 410);
    assert!(gone.text().contains("<a href=\"/organizer\">Back to"), "{}", gone.text());
}

#[tokio::test]
async fn a_preview_names_a_status_in_the_conferences_language() {
    for (language, from, to) in [("de", "bestätigt", "abgesagt"), ("en-US", "confirmed", "canceled")] {
        let app = TestApp::guarded_in(language);
        let cookie = signed_in(&app).await;
        let row = PROGRAM.lines().find(|row| row.starts_with("last-talk,")).unwrap();
        let (start, _) = row.rsplit_once(',').unwrap();
        let edited = PROGRAM.replace(row, &format!("{start},cancelled"));
        let page = shown(&app, upload("/organizer/preview", &edited), &cookie).await;
        for expected in [format!("<del>{from}</del>"), format!("<ins>{to}</ins>")] {
            assert!(page.text().contains(&expected), "{expected}: {}", page.text());
        }
    }
}

#[tokio::test]
async fn a_program_is_scheduled_from_its_preview_and_only_that_schedule_is_cancelled() {
    let app = TestApp::new();
    let cookie = signed_in(&app).await;
    let moved = PROGRAM.replace(LAST, "last-talk,2025-03-26,15:00,15:40");
    let preview = shown(&app, upload("/organizer/preview", &moved), &cookie).await;
    let confirm = confirmation(&preview);
    for wrong in ["yesterday", "2025-02-01T09:00", "2025-03-09T02:30"] {
        let form = post("/organizer/publish", &format!("{confirm}&at={wrong}"));
        let answer = shown(&app, form, &cookie).await;
        assert!(answer.text().contains("role=\"alert\" id=\"time-fault\""), "{}", answer.text());
    }
    let answer =
        pressed(&app, "/organizer/publish", &format!("{confirm}&at=2025-03-20T09:00"), &cookie).await;
    assert_eq!((answer.status, answer.field("location")), (303, "/organizer?done=scheduled"));
    let schedule = app.publisher.status().schedule.unwrap();
    assert_eq!(schedule.at.to_rfc3339(), "2025-03-20T16:00:00+00:00");
    assert_eq!(app.publisher.current().number(), 1);
    let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(
        home.text().contains("goes live on March 20, 2025, 09:00 PDT. ops scheduled it"),
        "{}",
        home.text()
    );
    let made = between(home.text(), "name=\"made\" value=\"", "\"").replace("&#43;", "+").replace('+', "%2B");

    // A colleague schedules the program for another time meanwhile.
    app.pass(1);
    let later = pressed(&app, "/organizer/publish", &format!("{confirm}&at=2025-03-21T09:00"), &cookie).await;
    assert_eq!(later.status, 303);
    let cancel = |made: String, cookie: String| {
        let app = &app;
        async move { pressed(app, "/organizer/schedule/cancel", &format!("made={made}"), &cookie).await }
    };
    assert_eq!(cancel(made, cookie.clone()).await.field("location"), "/organizer?done=gone");
    let schedule = app.publisher.status().schedule.unwrap();
    let made = schedule.made.to_rfc3339().replace('+', "%2B");
    assert_eq!(cancel(made.clone(), cookie.clone()).await.field("location"), "/organizer?done=unscheduled");
    assert!(app.publisher.status().schedule.is_none() && app.store.schedule().unwrap().is_none());
    assert_eq!(cancel(made, cookie.clone()).await.field("location"), "/organizer?done=gone");
    assert_eq!(cancel("never".to_owned(), cookie).await.status, 400);
}

/// Otherwise the guard's second look is skipped, and a held release is published without its number.
#[tokio::test]
async fn a_release_that_the_guard_holds_by_now_is_not_published_without_its_number() {
    let app = TestApp::new();
    let cookie = signed_in(&app).await;
    let two_moved = PROGRAM.replace("10:00,10:40", "11:00,11:40");
    let preview = shown(&app, upload("/organizer/preview", &two_moved), &cookie).await;
    assert!(!preview.text().contains("to publish anyway"), "{}", preview.text());
    app.guard().await;
    let answer = shown(&app, post("/organizer/publish", &confirmation(&preview)), &cookie).await;
    assert_eq!((answer.status, app.publisher.current().number()), (200, 1), "{}", answer.text());
    assert!(answer.text().contains("Type 2 to publish anyway:"), "{}", answer.text());
    let confirm = format!("{}&number=2", confirmation(&answer));
    assert_eq!(pressed(&app, "/organizer/publish", &confirm, &cookie).await.status, 303);
}

#[tokio::test]
async fn picks_are_listed_by_day_for_room_sizes_and_rare_ones_are_left_out() {
    let app = TestApp::new();
    let cookie = signed_in(&app).await;
    let get = |path: &str| app.send(TestRequest::new("GET", path).field("cookie", &cookie));
    assert!(get("/organizer/rooms").await.text().contains("No session has 5 picks yet."));
    for n in 0..7 {
        let picks = ["last-talk", "first-talk", "other-talk", "opening"];
        app.agenda(
            &picks[..if n < 4 {
                4
            } else if n < 5 {
                3
            } else {
                2
            }],
        )
        .await;
    }
    let page = get("/organizer/rooms").await;
    let text = page.text();
    let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
    assert!(place("Tuesday, March 25") < place(">First<") && place(">First<") < place(">Other<"));
    assert!(
        place(">Other<") < place("Wednesday, March 26") && place("Wednesday, March 26") < place(">Last<")
    );
    assert!(!text.contains(">Opening<"), "four picks could identify somebody");
    assert!(text.contains("<td dir=\"auto\">Attic</td>"), "{text}");
    let csv = get("/organizer/picks.csv").await;
    assert_eq!(csv.field("content-disposition"), "attachment; filename=\"picks.csv\"");
    assert_eq!(
        csv.text(),
        "id,date,start,title,room,picks,capacity\r\nfirst-talk,2025-03-25,10:00,First,Hall,7,\r\n\
         last-talk,2025-03-26,14:00,Last,Hall,7,\r\nother-talk,2025-03-25,10:00,Other,Attic,5,\r\n"
    );
    assert!(!text.contains("Seats"), "{text}");
}

#[tokio::test]
async fn picks_are_shown_beside_the_capacity_of_the_room() {
    let app = TestApp::with_capacities();
    let cookie = signed_in(&app).await;
    let get = |path: &str| app.send(TestRequest::new("GET", path).field("cookie", &cookie));
    for _ in 0..5 {
        app.agenda(&["first-talk", "other-talk"]).await;
    }
    let page = get("/organizer/rooms").await;
    let text = page.text();
    assert!(text.contains("Seats</th>") && text.contains("<td class=\"number\">400</td>"), "{text}");
    assert!(text.contains("4 <strong>too small</strong>"), "{text}");
    assert_eq!(text.matches("too small").count(), 1);
    let csv = get("/organizer/picks.csv").await;
    assert!(csv.text().contains("Attic,5,4\r\n") && csv.text().contains("Hall,5,400\r\n"), "{}", csv.text());
}

/// A bug: only read links of agendas were counted.
#[tokio::test]
async fn the_desk_counts_every_calendar_by_client_and_release() {
    let app = TestApp::new();
    let cookie = signed_in(&app).await;
    let mine = app.agenda(&["first-talk"]).await;
    let poll = |path: &str, agent: &str, address: &str| {
        let request = TestRequest::new("GET", path).field("user-agent", agent).from(address);
        app.send(request)
    };
    for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
        poll("/program.ics", "iOS/17.4 dataaccessd/1.0", address).await;
    }
    poll("/program.ics?kind=talk", "iOS/17.4 dataaccessd/1.0", "192.0.2.3").await;
    let feed = poll("/tracks/main.ics", "Google-Calendar-Importer", "192.0.2.9").await;
    poll(&mine.feed, "Google-Calendar-Importer", "192.0.2.9").await;
    app.send(TestRequest::new("HEAD", "/days/2025-03-25.ics")).await;
    poll("/rooms/nowhere.ics", "curl", "192.0.2.9").await;
    app.publish(&PROGRAM.replace("talk,First,", "talk,Foremost,")).await;
    let again = TestRequest::new("GET", "/program.ics")
        .field("user-agent", "iOS/17.4 dataaccessd/1.0")
        .from("192.0.2.2");
    app.send(again).await;
    let unchanged = TestRequest::new("GET", "/tracks/side.ics")
        .field("user-agent", "Google-Calendar-Importer")
        .from("192.0.2.9");
    assert_eq!(app.send(unchanged.field("if-none-match", "*")).await.status, 304);
    drop(feed);

    let status = app.send(TestRequest::new("GET", "/organizer/status").field("cookie", &cookie)).await.json();
    let feeds = status["freshness"]["feeds"].as_array().unwrap();
    let rows: Vec<String> = feeds
        .iter()
        .map(|row| format!("{} {} {}", row["feed"], row["client"], row["releases"]).replace('"', ""))
        .collect();
    assert_eq!(
        rows,
        [
            "program Apple Calendar [{clients:1,release:2},{clients:2,release:1}]",
            "track Google Calendar [{clients:1,release:2}]",
            "agenda Google Calendar [{clients:1,release:1}]",
        ]
    );
    let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", &cookie)).await;
    let table = between(home.text(), "<tbody>", "</tbody>");
    assert!(table.contains(">Apple Calendar</td>") && table.contains(">2 (release 1)</td>"), "{table}");
    for (share, apps) in [
        ("In 2 of 5 calendars (40%)", "Apple Calendar 1/3 · Google Calendar 1/2"),
        ("In 5 of 5 calendars (100%)", "Apple Calendar 3/3 · Google Calendar 2/2"),
    ] {
        let line = format!("<p class=\"share\">{share} <span class=\"soft\">{apps}</span></p>");
        assert!(home.text().contains(&line), "{line}\n{}", home.text());
    }
    assert!(!home.text().contains("192.0.2."), "no address");
    app.pass(3 * 24 * 60 * 60);
    let cookie = signed_in(&app).await;
    let home = app.send(TestRequest::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(home.text().contains("No calendar was fetched in the last two days."), "{}", home.text());
}
