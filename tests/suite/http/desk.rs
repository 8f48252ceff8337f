//! The organizer's pages: an organizer signs in with a secret, and publishes exactly what the preview shows.

use super::stage::{Answer, Card, PROGRAM, SECRET, Stage, secret_line};
use callboard::store::Origin;

fn post(target: &str, body: &str) -> Card {
    Card::new("POST", target)
        .field("sec-fetch-site", "same-origin")
        .text("application/x-www-form-urlencoded", body)
}

fn upload(target: &str, csv: &str) -> Card {
    let body = format!(
        "--line\r\nContent-Disposition: form-data; name=\"program\"; filename=\"program.csv\"\r\n\
         Content-Type: text/csv\r\n\r\n{csv}\r\n--line--\r\n"
    );
    Card::new("POST", target)
        .field("sec-fetch-site", "same-origin")
        .text("multipart/form-data; boundary=line", &body)
}

async fn signed_in(stage: &Stage) -> String {
    let answer = stage.send(post("/organizer/session", &format!("secret={SECRET}"))).await;
    assert_eq!((answer.status, answer.field("location")), (303, "/organizer"));
    let cookie = answer.field("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(SECRET));
    cookie.split(';').next().unwrap().to_owned()
}

fn digest(page: &Answer) -> String {
    let text = page.text();
    let start = text.find("name=\"confirm\" value=\"").expect("a confirmation") + 22;
    text[start..].chars().take_while(|c| *c != '"').collect()
}

#[tokio::test]
async fn a_wrong_secret_or_none_shows_the_form_only() {
    let stage = Stage::new();
    let home = stage.get("/organizer").await;
    assert!(home.status == 200 && home.text().contains("name=\"secret\""), "{}", home.text());
    let wrong = stage.send(post("/organizer/session", "secret=wrong")).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.headers.get("set-cookie").is_none());
    for card in [
        upload("/organizer/preview", PROGRAM),
        post("/organizer/publish", "confirm=x"),
        post("/organizer/releases/1/preview", ""),
    ] {
        assert_eq!(stage.send(card).await.status, 401);
    }
}

#[tokio::test]
async fn a_file_is_previewed_confirmed_published_and_rolled_back() {
    let stage = Stage::new();
    let cookie = signed_in(&stage).await;
    let moved = PROGRAM.replace("last-talk,2025-03-26,14:00,14:40", "last-talk,2025-03-26,15:00,15:40");
    let preview = stage.send(upload("/organizer/preview", &moved).field("cookie", &cookie)).await;
    assert_eq!(preview.status, 200, "{}", preview.text());
    assert!(preview.text().contains("Last"));
    assert_eq!(stage.publisher.current().number(), 1, "a preview changes nothing");
    let digest_of_move = digest(&preview);
    let publish = post("/organizer/publish", &format!("confirm={digest_of_move}")).field("cookie", &cookie);
    assert_eq!(stage.send(publish).await.status, 303);
    assert_eq!(stage.publisher.current().number(), 2);
    let back = stage.send(post("/organizer/releases/1/preview", "").field("cookie", &cookie)).await;
    let publish = post("/organizer/publish", &format!("confirm={}", digest(&back))).field("cookie", &cookie);
    assert_eq!(stage.send(publish).await.status, 303);
    assert_eq!(stage.publisher.current().number(), 3);
    let home = stage.send(Card::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(home.text().contains("release 3") || home.text().contains("Release 3"), "{}", home.text());
    let file = Card::new("GET", "/organizer/releases/2/program.csv").field("cookie", &cookie);
    assert_eq!(stage.send(file).await.text(), moved);
}

const LAST: &str = "last-talk,2025-03-26,14:00,14:40";

async fn pressed(stage: &Stage, target: &str, body: &str, cookie: &str) -> Answer {
    stage.send(post(target, body).field("cookie", cookie)).await
}

/// A bug: the first organizer's release undid the second organizer's release without showing it.
#[tokio::test]
async fn a_release_of_a_colleague_is_shown_before_another_is_published_over_it() {
    let stage = Stage::new();
    let (first, second) = (signed_in(&stage).await, signed_in(&stage).await);
    let retitled = PROGRAM.replace("talk,First,", "talk,Foremost,");
    let moved = PROGRAM.replace(LAST, "last-talk,2025-03-26,15:00,15:40");
    let preview = stage.send(upload("/organizer/preview", &retitled).field("cookie", &first)).await;
    let shown_first = format!("confirm={}", digest(&preview));
    let preview = stage.send(upload("/organizer/preview", &moved).field("cookie", &second)).await;
    let shown_second = format!("confirm={}", digest(&preview));
    assert_eq!(pressed(&stage, "/organizer/publish", &shown_second, &second).await.status, 303);

    let answer = pressed(&stage, "/organizer/publish", &shown_first, &first).await;
    assert_eq!((answer.status, stage.publisher.current().number()), (409, 2), "{}", answer.text());
    assert!(answer.text().contains("Nothing was published: release 2"), "{}", answer.text());
    assert!(answer.text().contains("Foremost") && answer.text().contains("Last"), "both changes are shown");
    assert_eq!(pressed(&stage, "/organizer/publish", &shown_first, &first).await.status, 409, "again");
    let now_shown = format!("confirm={}", digest(&answer));
    assert_eq!(pressed(&stage, "/organizer/publish", &now_shown, &first).await.status, 303);
    assert_eq!(stage.publisher.current().number(), 3);

    // If the button is pressed twice, the second request finds that its release is already published.
    let twice = pressed(&stage, "/organizer/publish", &now_shown, &first).await;
    assert_eq!((twice.status, stage.publisher.current().number()), (409, 3));
    assert!(twice.text().contains("Nothing would change"), "{}", twice.text());
}

#[tokio::test]
async fn a_release_is_not_published_again_over_what_came_after_its_preview() {
    let stage = Stage::new();
    stage.publish(&PROGRAM.replace("talk,First,", "talk,Foremost,")).await;
    let cookie = signed_in(&stage).await;
    let preview = pressed(&stage, "/organizer/releases/1/preview", "", &cookie).await;
    let shown = format!("confirm={}", digest(&preview));
    stage.publish(&PROGRAM.replace(LAST, "last-talk,2025-03-26,15:00,15:40")).await;
    let answer = pressed(&stage, "/organizer/publish", &shown, &cookie).await;
    assert_eq!((answer.status, stage.publisher.current().number()), (409, 3), "{}", answer.text());
    let shown = format!("confirm={}", digest(&answer));
    assert_eq!(pressed(&stage, "/organizer/publish", &shown, &cookie).await.status, 303);
    let home = stage.send(Card::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(home.text().contains("release 1, published again"), "{}", home.text());
    assert!(!home.text().contains("rollback {"), "no debugging text");
}

/// The program without the second day, and with one talk at another hour.
fn truncated() -> String {
    let rows = PROGRAM.lines().filter(|row| !row.contains("2025-03-26"));
    let rows: String = rows.map(|row| format!("{row}\n")).collect();
    rows.replace("first-talk,2025-03-25,10:00,10:40", "first-talk,2025-03-25,11:00,11:40")
}

async fn save(stage: &Stage, csv: &str) {
    std::fs::write(stage.dir.path().join("program.csv"), csv).unwrap();
    stage.publisher.publish_file().await;
}

#[tokio::test]
async fn a_held_file_is_seen_and_confirmed_at_the_desk() {
    let stage = Stage::guarded();
    let cookie = signed_in(&stage).await;
    save(&stage, &truncated()).await;
    let home = stage.send(Card::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(home.text().contains("waits for your confirmation"), "{}", home.text());
    for text in ["From: program file", "removes, moves or retitles", ">First<", ">Last<", "Discard"] {
        assert!(home.text().contains(text), "{text}: {}", home.text());
    }
    let held = digest(&home);
    let preview = pressed(&stage, "/organizer/held/preview", &format!("digest={held}"), &cookie).await;
    assert_eq!((preview.status, digest(&preview)), (200, held.clone()));
    let answer = pressed(&stage, "/organizer/publish", &format!("confirm={held}"), &cookie).await;
    assert_eq!((answer.status, stage.publisher.current().number()), (303, 2), "{}", answer.text());
    let record = stage.store.release(2).unwrap().unwrap();
    assert_eq!((record.origin, record.who.as_deref()), (Origin::File, Some("ops")));
    assert!(!stage.publisher.file_is_stale());
    let home = stage.send(Card::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(!home.text().contains("waits for your confirmation"));
    let again = pressed(&stage, "/organizer/publish", &format!("confirm={held}"), &cookie).await;
    assert_eq!(again.status, 409, "it was previewed, so it is compared again");
}

#[tokio::test]
async fn a_held_file_is_discarded_at_the_desk_and_not_held_again() {
    let stage = Stage::guarded();
    let cookie = signed_in(&stage).await;
    save(&stage, &truncated()).await;
    let home = stage.send(Card::new("GET", "/organizer").field("cookie", &cookie)).await;
    let held = digest(&home);
    let body = format!("digest={held}");
    let discard = || pressed(&stage, "/organizer/held/discard", &body, &cookie);
    let mut foreign = post("/organizer/held/discard", &format!("digest={held}")).field("cookie", &cookie);
    foreign.fields.retain(|(name, _)| *name != "sec-fetch-site");
    assert_eq!(stage.send(foreign.field("sec-fetch-site", "cross-site")).await.status, 403);
    assert!(stage.publisher.status().held.newest().is_some());
    assert_eq!(discard().await.status, 303);
    stage.publisher.catch_up().await;
    assert!(stage.publisher.status().held.newest().is_none() && stage.publisher.file_is_stale());
    let home = stage.send(Card::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(home.text().contains("is older than the live release"), "{}", home.text());
    let late = pressed(&stage, "/organizer/publish", &format!("confirm={held}"), &cookie).await;
    assert_eq!((late.status, stage.publisher.current().number()), (410, 1));
    assert_eq!(discard().await.status, 303, "twice does no harm");
    save(&stage, &truncated().replace("Opening", "The Opening")).await;
    assert!(stage.publisher.status().held.newest().is_some(), "a file that is saved anew is");
}

#[tokio::test]
async fn an_upload_that_is_held_waits_at_the_desk_beside_a_held_file() {
    let stage = Stage::guarded();
    let cookie = signed_in(&stage).await;
    save(&stage, &truncated()).await;
    let two_moved = PROGRAM.replace("10:00,10:40", "11:00,11:40");
    let put = Card::new("PUT", "/organizer/program").field("authorization", &format!("Bearer {SECRET}"));
    let held = stage.send(put.text("text/csv", &two_moved)).await;
    assert_eq!(held.status, 409);
    let home = stage.send(Card::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(
        home.text().contains("From: program file") && home.text().contains("From: upload"),
        "{}",
        home.text()
    );
    assert_eq!(digest(&home), held.json()["digest"].as_str().unwrap(), "the newest first");
    let answer = pressed(&stage, "/organizer/publish", &format!("confirm={}", digest(&home)), &cookie).await;
    assert_eq!((answer.status, stage.publisher.current().number()), (303, 2));
    assert!(stage.publisher.status().held.all().is_empty(), "the file was weighed against release 1");
    assert!(stage.publisher.file_is_stale());
}

#[tokio::test]
async fn a_removed_secret_ends_its_sign_ins_at_once_and_no_others() {
    let stage = Stage::new();
    stage.reload_secrets(&(secret_line("chair", "the-chairs-secret") + &secret_line("ops", SECRET)));
    let (ops, chair) = (signed_in(&stage).await, {
        let answer = stage.send(post("/organizer/session", "secret=the-chairs-secret")).await;
        answer.field("set-cookie").split(';').next().unwrap().to_owned()
    });
    let moved = PROGRAM.replace("last-talk,2025-03-26,14:00,14:40", "last-talk,2025-03-26,15:00,15:40");
    let put = |cookie: &str| {
        let card = Card::new("PUT", "/organizer/program").text("text/csv", &moved).field("cookie", cookie);
        card.field("sec-fetch-site", "same-origin")
    };
    stage.reload_secrets(&secret_line("operations", SECRET));
    assert_eq!(stage.send(put(&chair)).await.status, 401);
    let home = stage.send(Card::new("GET", "/organizer").field("cookie", &chair)).await;
    assert!(home.text().contains("name=\"secret\""), "the form to sign in");
    let status = stage.send(Card::new("GET", "/organizer/status").field("cookie", &chair)).await;
    assert_eq!((status.status, stage.publisher.current().number()), (401, 1));
    assert_eq!(stage.send(put(&ops)).await.status, 201);
    let releases = stage.send(Card::new("GET", "/organizer/releases").field("cookie", &ops)).await.json();
    assert_eq!(releases["releases"][0]["who"], "operations", "the label of the line as it is now");
    // If a removed secret is added again, its sessions are valid again.
    stage.reload_secrets(&secret_line("chair", "the-chairs-secret"));
    let status = |cookie: &str| Card::new("GET", "/organizer/status").field("cookie", cookie);
    assert_eq!(stage.send(status(&chair)).await.status, 200);
    assert_eq!(stage.send(status(&ops)).await.status, 401);
    stage.pass(12 * 60 * 60);
    assert_eq!(stage.send(status(&chair)).await.status, 401, "it expires");
}

/// Browsers send no Sec-Fetch-Site to a plain-http origin, and `Origin: null` from a page with `no-referrer`.
#[tokio::test]
async fn signing_in_works_over_plain_http_where_the_browser_names_the_origin() {
    let stage = Stage::at("http://conf.lan:8080");
    let home = stage.get("/organizer").await;
    assert_eq!(home.field("referrer-policy"), "strict-origin");
    let sign_in = |origin: &str| {
        let card = Card::new("POST", "/organizer/session").field("origin", origin);
        card.text("application/x-www-form-urlencoded", &format!("secret={SECRET}"))
    };
    assert_eq!(stage.send(sign_in("http://conf.lan:8080")).await.status, 303);
    for origin in ["null", "http://conf.lan", "http://evil.lan:8080", "https://conf.lan:8080"] {
        assert_eq!(stage.send(sign_in(origin)).await.status, 403, "{origin}");
    }
}

#[tokio::test]
async fn errors_are_shown_and_other_sites_refused() {
    let stage = Stage::new();
    let cookie = signed_in(&stage).await;
    let broken = PROGRAM.replace("14:00,14:40", "14:00,13:40");
    let page = stage.send(upload("/organizer/preview", &broken).field("cookie", &cookie)).await;
    assert_eq!(page.status, 422);
    assert!(page.text().contains("Line 8, column end:"), "{}", page.text());
    assert!(!page.text().contains("name=\"confirm\""));
    let mut foreign = upload("/organizer/preview", PROGRAM).field("cookie", &cookie);
    foreign.fields.retain(|(name, _)| *name != "sec-fetch-site");
    assert_eq!(stage.send(foreign.field("sec-fetch-site", "cross-site")).await.status, 401);
    let unknown = post("/organizer/publish", "confirm=never-shown").field("cookie", &cookie);
    assert_eq!(stage.send(unknown).await.status, 410);
    let out = stage.send(post("/organizer/session/end", "").field("cookie", &cookie)).await;
    assert_eq!(out.status, 303);
    let home = stage.send(Card::new("GET", "/organizer").field("cookie", &cookie)).await;
    assert!(home.text().contains("name=\"secret\""));
}
