//! Pages: public pages have the same bytes for everybody, a visitor's own pages need the cookie, and only forms of our
//! own pages can write.

use super::test_app::{PROGRAM, TestApp, TestRequest, TestResponse};

fn form(target: &str, body: &str) -> TestRequest {
    let request = TestRequest::new("POST", target).field("content-type", "application/x-www-form-urlencoded");
    TestRequest { body: body.to_owned().into(), ..request.field("sec-fetch-site", "same-origin") }
}

/// The edit key's cookie as the browser sends it back.
fn cookie(answer: &TestResponse) -> String {
    let mut lines = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
    let line = lines.rfind(|line| line.starts_with("__Host-agenda=")).unwrap();
    assert!(
        line.contains("; Secure") && line.contains("; HttpOnly") && line.contains("SameSite=Lax"),
        "{line}"
    );
    line.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn public_pages_answer_with_policy_and_validators() {
    let app = TestApp::new();
    for target in [
        "/",
        "/?track=main",
        "/?q=first",
        "/sessions/first-talk",
        "/tracks/later",
        "/tracks/grand",
        "/speakers/ada-lovelace",
        "/days/2025-03-25",
        "/tracks",
        "/rooms",
        "/speakers",
        "/changes",
        "/offline",
        "/sessions/sick-talk",
    ] {
        let answer = app.get(target).await;
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(answer.field("content-type"), "text/html; charset=utf-8");
        let policy = answer.field("content-security-policy");
        assert!(
            policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!answer.text().contains("Secret"), "{target} shows what was withdrawn");
        let again = TestRequest::new("GET", target).field("if-none-match", answer.field("etag"));
        assert_eq!(app.send(again).await.status, 304, "{target}");
    }
    for target in [
        "/sessions/secret-talk",
        "/sessions/never",
        "/tracks/never",
        "/speakers/never",
        "/rooms/never",
        "/days/2020-01-01",
        "/speakers?page=2",
        "/tracks/grand?page=0",
        "/?track=never",
        "/assets/none.js",
    ] {
        assert_eq!(app.get(target).await.status, 404, "{target}");
    }
}

#[tokio::test]
async fn a_mistake_is_a_page_for_a_browser_and_echoes_nothing_raw() {
    let app = TestApp::new();
    let request =
        TestRequest::new("GET", "/?track=%3Cscript%3Ealert(1)%3C/script%3E").field("accept", "text/html");
    let answer = app.send(request).await;
    assert_eq!((answer.status, answer.field("content-type")), (404, "text/html; charset=utf-8"));
    assert!(
        answer.text().contains("Page not found") && !answer.text().contains("alert(1)"),
        "{}",
        answer.text()
    );
    assert_eq!(app.get("/nowhere").await.field("content-type"), "application/problem+json");
}

#[tokio::test]
async fn the_first_pick_makes_an_agenda_and_later_ones_change_it() {
    let app = TestApp::new();
    let first = app.send(form("/agenda/picks", "action=pick&session=first-talk")).await;
    assert_eq!((first.status, first.field("location")), (303, "/mine#first-talk"));
    let key = cookie(&first);
    let second = form("/agenda/picks", "action=pick&session=other-talk&session=lunch").field("cookie", &key);
    let second = app.send(second.field("accept", "application/json")).await;
    assert_eq!(second.json()["picks"], serde_json::json!(["first-talk", "other-talk", "lunch"]));
    let mine = app.send(TestRequest::new("GET", "/agenda").field("cookie", &key)).await;
    assert_eq!(mine.field("cache-control"), "private, no-cache");
    assert!(mine.text().contains("First") && mine.text().contains("Other"));
    assert!(!mine.text().contains("cbe_"), "the edit key is in a page");
    let unpick = form("/agenda/picks", "action=unpick&session=other-talk").field("cookie", &key);
    assert_eq!(app.send(unpick).await.status, 303);
    let state = app.send(TestRequest::new("GET", "/agenda/state").field("cookie", &key)).await;
    assert_eq!(state.json()["picks"], serde_json::json!(["first-talk", "lunch"]));
}

#[tokio::test]
async fn other_sites_and_strangers_change_nothing() {
    let app = TestApp::new();
    let first = app.send(form("/agenda/picks", "action=pick&session=first-talk")).await;
    let key = cookie(&first);
    for fields in [
        vec![("sec-fetch-site", "cross-site")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![],
    ] {
        let mut request = TestRequest::new("POST", "/agenda/delete").field("cookie", &key);
        request = request.field("content-type", "application/x-www-form-urlencoded");
        for (name, value) in fields {
            request = request.field(name, value);
        }
        let answer = app.send(TestRequest { body: "sure=yes".into(), ..request }).await;
        assert_eq!(answer.status, 403);
    }
    let state = app.send(TestRequest::new("GET", "/agenda/state").field("cookie", &key)).await;
    assert_eq!(state.json()["picks"], serde_json::json!(["first-talk"]));
    assert_eq!(app.send(form("/agenda/name", "name=x")).await.status, 401);
    let unknown = form("/agenda/picks", "action=pick&session=never").field("cookie", &key);
    assert_eq!(app.send(unknown).await.status, 422);
    let json = TestRequest::new("POST", "/agenda/picks").field("content-type", "application/json");
    let json = json.field("sec-fetch-site", "same-origin").field("cookie", &key);
    assert_eq!(app.send(TestRequest { body: "{}".into(), ..json }).await.status, 415);
}

#[tokio::test]
async fn a_hand_over_moves_the_key_once_and_a_preview_does_not_burn_it() {
    let app = TestApp::new();
    let key = cookie(&app.send(form("/agenda/picks", "action=pick&session=first-talk")).await);
    let made = app.send(form("/agenda/handover", "").field("cookie", &key)).await;
    let text = made.text().to_owned();
    let start = text.find("/handover/").unwrap();
    let path: String = text[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
    for _ in 0..2 {
        assert_eq!(app.get(&path).await.status, 200);
    }
    let redeemed = app.send(form(&path, "")).await;
    assert_eq!((redeemed.status, cookie(&redeemed)), (303, key.clone()));
    assert_eq!(app.send(form(&path, "")).await.status, 410);
    let late = app.send(form("/agenda/handover", "").field("cookie", &key)).await.text().to_owned();
    let start = late.find("/handover/").unwrap();
    let path: String = late[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
    app.pass(601);
    assert_eq!(app.send(form(&path, "")).await.status, 410);
}

#[tokio::test]
async fn a_revoked_link_s_page_is_gone_at_once() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk", "sick-talk"]).await;
    let page = mine.feed.trim_end_matches(".ics").to_owned();
    let shared = app.get(&page).await;
    assert_eq!((shared.status, shared.field("x-robots-tag")), (200, "noindex"));
    assert!(shared.text().contains("First") && shared.text().contains("Sick"));
    let subscribe = format!("/subscribe{page}");
    assert_eq!(app.get(&subscribe).await.status, 200);
    app.send(mine.request("DELETE", "/agenda/links/1")).await;
    assert_eq!(app.get(&page).await.status, 410);
    assert_eq!(app.get(&subscribe).await.status, 410);
    assert_eq!(app.get("/agendas/cbr_nope").await.status, 404);
}

#[tokio::test]
async fn a_new_edit_key_locks_the_old_cookie_out() {
    let app = TestApp::new();
    let old = cookie(&app.send(form("/agenda/picks", "action=pick&session=first-talk")).await);
    let new = cookie(&app.send(form("/agenda/key", "").field("cookie", &old)).await);
    assert_ne!(old, new);
    let state = app.send(TestRequest::new("GET", "/agenda/state").field("cookie", &old)).await;
    assert_eq!(state.json()["picks"], serde_json::json!([]));
    let state = app.send(TestRequest::new("GET", "/agenda/state").field("cookie", &new)).await;
    assert_eq!(state.json()["picks"], serde_json::json!(["first-talk"]));
    let gone = app.send(form("/agenda/delete", "sure=yes").field("cookie", &new)).await;
    assert_eq!(gone.status, 303);
    assert_eq!(app.send(form("/agenda/name", "name=x").field("cookie", &new)).await.status, 401);
}

#[tokio::test]
async fn an_agenda_is_read_while_the_store_takes_no_writes() {
    let app = TestApp::new();
    let key = cookie(&app.send(form("/agenda/picks", "action=pick&session=first-talk")).await);
    app.publish(&PROGRAM.replace("What was first", "What was second")).await;
    // Without its data directory a store can be read but refuses writes, as on a full disk.
    let (data, away) = (app.dir.path().join("data"), app.dir.path().join("away"));
    std::fs::rename(&data, &away).unwrap();
    let pick = || form("/agenda/picks", "action=pick&session=lunch").field("cookie", &key);
    assert_eq!(app.send(pick()).await.status, 503);
    let read = || TestRequest::new("GET", "/agenda").field("cookie", &key);
    for _ in 0..2 {
        let page = app.send(read()).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("first-talk"));
    }
    std::fs::rename(&away, &data).unwrap();
}

#[tokio::test]
async fn looking_at_an_agenda_notes_which_release_its_owner_has_seen() {
    let app = TestApp::new();
    let key = cookie(&app.send(form("/agenda/picks", "action=pick&session=first-talk")).await);
    app.publish(&PROGRAM.replace("What was first", "What was second")).await;
    let seen = || app.store.agendas().next().unwrap().unwrap().1.seen_release;
    let look = |method| TestRequest::new(method, "/agenda").field("cookie", &key);
    assert_eq!(app.send(look("HEAD")).await.status, 200);
    assert_eq!(app.send(look("GET").field("purpose", "prefetch")).await.status, 200);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!((seen(), app.send(look("GET")).await.status), (1, 200));
    for _ in 0..500 {
        if seen() == 2 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("release 2 is never noted as seen");
}

#[tokio::test]
async fn a_pick_without_scripts_returns_to_its_place_in_the_program_which_then_shows_it() {
    let app = TestApp::new();
    let first = app.send(form("/agenda/picks", "action=pick&session=first-talk")).await;
    let key = cookie(&first);
    let page = app.send(TestRequest::new("GET", "/mine").field("cookie", &key)).await;
    assert_eq!((page.status, page.field("cache-control")), (200, "private, no-cache"));
    assert!(page.headers.get_all("vary").iter().any(|vary| vary == "Cookie"), "{:?}", page.headers);
    assert_eq!(page.field("x-robots-tag"), "noindex");
    assert_eq!(page.text().matches("aria-pressed=\"true\"").count(), 1);
    let button =
        page.text().split("<button").find(|it| it.contains("aria-pressed=\"true\"")).unwrap().to_owned();
    assert!(button.contains("form=\"pick\" name=\"unpick\" value=\"first-talk\""), "{button}");
    // The public page is the same for everybody, with a cookie or without.
    let (with, without) =
        (app.send(TestRequest::new("GET", "/").field("cookie", &key)).await, app.get("/").await);
    assert_eq!(with.text(), without.text());
    assert_eq!(app.get("/mine").await.text().matches("aria-pressed=\"true\"").count(), 0);
    let unpick = form("/agenda/picks", "action=unpick&session=first-talk").field("cookie", &key);
    assert_eq!(app.send(unpick).await.field("location"), "/mine#first-talk");
    let hostile = form("/agenda/picks", "action=unpick&session=x%0d%0aset-cookie:a").field("cookie", &key);
    assert_eq!(app.send(hostile).await.field("location"), "/mine");
}

#[tokio::test]
async fn a_pick_without_scripts_returns_to_the_page_where_it_was_pressed_which_then_shows_it() {
    let app = TestApp::new();
    let key = cookie(&app.send(form("/agenda/picks", "action=pick&session=opening")).await);
    for (public, session, personal) in [
        ("/", "first-talk", "/mine#first-talk"),
        ("/?q=other", "other-talk", "/mine?q=other#other-talk"),
        ("/?track=main&embed", "first-talk", "/mine?track=main#first-talk"),
        ("/sessions/first-talk", "first-talk", "/mine/sessions/first-talk"),
        ("/tracks/side", "other-talk", "/mine?track=side#other-talk"),
        ("/days/2025-03-25", "first-talk", "/mine?day=2025-03-25#first-talk"),
    ] {
        let page = app.get(public).await;
        let from = page.text().split("name=\"from\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let from = from.replace("&#38;", "&").replace('?', "%3F").replace('&', "%26");
        let body = |name| format!("action=pick&{name}={session}&from={from}");
        let picked = app.send(form("/agenda/picks", &body("session")).field("cookie", &key)).await;
        assert_eq!(picked.field("location"), personal, "{public}");
        let path = personal.split('#').next().unwrap();
        let page = app.send(TestRequest::new("GET", path).field("cookie", &key)).await;
        assert_eq!((page.status, page.field("cache-control")), (200, "private, no-cache"), "{path}");
        assert_eq!(page.field("x-robots-tag"), "noindex", "{path}");
        let mut buttons = page.text().split("<button").filter(|it| it.contains("name=\"unpick\""));
        assert!(buttons.any(|it| it.contains(&format!("value=\"{session}\""))), "{path}: {}", page.text());
        let unpicked = app.send(form("/agenda/picks", &body("unpick")).field("cookie", &key)).await;
        assert_eq!(unpicked.field("location"), personal, "{public}");
        let page = app.send(TestRequest::new("GET", path).field("cookie", &key)).await;
        let pick = format!("form=\"pick\" name=\"session\" value=\"{session}\"");
        assert!(page.text().contains(&pick), "{path}");
    }
    for from in [
        "https://evil.example/",
        "//evil.example",
        "/mine/sessions/a%0d%0ab",
        "/agendas/../..",
        "/?track=never",
    ] {
        let body = format!("action=pick&session=first-talk&from={from}");
        let answer = app.send(form("/agenda/picks", &body).field("cookie", &key)).await;
        assert_eq!(answer.field("location"), "/mine#first-talk", "{from}");
    }
    assert_eq!(app.get("/mine/sessions/secret-talk").await.status, 404);
}

#[tokio::test]
async fn a_pick_without_scripts_names_its_overlaps_on_every_page() {
    let app = TestApp::new();
    let both = "action=pick&session=first-talk&session=other-talk";
    let key = cookie(&app.send(form("/agenda/picks", both)).await);
    for path in ["/mine", "/mine?q=first", "/mine/sessions/first-talk"] {
        let page = app.send(TestRequest::new("GET", path).field("cookie", &key)).await;
        assert!(page.text().contains("Overlaps with “Other”."), "{path}");
        assert!(page.text().contains("href=\"/mine/sessions/"), "{path} leads to pages with marks");
    }
}

#[tokio::test]
async fn a_removed_session_comes_back_by_one_press() {
    let app = TestApp::new();
    let key =
        cookie(&app.send(form("/agenda/picks", "action=pick&session=first-talk&session=opening")).await);
    let unpick = form("/agenda/picks", "action=unpick&done=removed&session=first-talk").field("cookie", &key);
    let location = app.send(unpick).await.field("location").to_owned();
    assert_eq!(location, "/agenda?done=removed&undo=first-talk#day-2025-03-25");
    let page = TestRequest::new("GET", location.split('#').next().unwrap()).field("cookie", &key);
    let page = app.send(page).await;
    let undo = page.text().split("<form").find(|it| it.contains(">Undo<")).unwrap();
    assert!(
        undo.contains("value=\"pick\"") && undo.contains("name=\"session\" value=\"first-talk\""),
        "{undo}"
    );
    for path in ["/agenda?done=removed&undo=opening", "/agenda?done=removed&undo=secret-talk&undo=%3Cb"] {
        let page = app.send(TestRequest::new("GET", path).field("cookie", &key)).await;
        assert!(!page.text().contains(">Undo<"), "{path}");
    }
}

#[tokio::test]
async fn every_form_of_the_agenda_returns_to_its_section_with_a_confirmation() {
    let app = TestApp::new();
    let key =
        cookie(&app.send(form("/agenda/picks", "action=pick&session=first-talk&session=other-talk")).await);
    for (path, body, section, text) in [
        ("/agenda/name", "name=Mine", "#name", "has a new name"),
        ("/agenda/links", "label=x", "#links", "new link is ready"),
        ("/agenda/links/2/revoke", "", "#links", "turned off"),
        ("/agenda/links", "fresh=yes", "#links", "Google"),
        (
            "/agenda/picks",
            "action=unpick&session=other-talk&done=kept&place=first-talk",
            "#first-talk",
            "resolved",
        ),
        ("/agenda/picks", "action=unpick&session=first-talk&done=removed", "#day-2025-03-25", "Removed"),
        ("/agenda/picks", "action=pick&session=first-talk&done=picked&place=no%23such", "", "Added"),
    ] {
        let answer = app.send(form(path, body).field("cookie", &key)).await;
        let location = answer.field("location").to_owned();
        assert_eq!(answer.status, 303, "{path}");
        let (page, fragment) = location.split_at(location.find('#').unwrap_or(location.len()));
        assert_eq!(fragment, section, "{path}");
        let page = app.send(TestRequest::new("GET", page).field("cookie", &key)).await;
        let done = page.text().split("class=\"done\"").nth(1).unwrap_or_default().to_owned();
        assert!(done.starts_with(" role=\"status\"") && done[..200].contains(text), "{path}: {location}");
        if let Some(id) = section.strip_prefix('#').filter(|id| !id.starts_with("day-")) {
            assert!(page.text().contains(&format!("id=\"{id}\"")), "{path}: {id}");
        }
    }
    let signed_out = app.send(form("/agenda/key", "").field("cookie", &key)).await;
    assert_eq!(signed_out.field("location"), "/agenda?done=key#key");
    let old = app.send(TestRequest::new("GET", "/agenda").field("cookie", &key)).await;
    assert!(old.text().contains("signed out"), "the old key's browser learns why it has no agenda");
    let deleted = form("/agenda/delete", "sure=yes").field("cookie", &cookie(&signed_out));
    assert_eq!(app.send(deleted).await.field("location"), "/agenda?done=deleted");
    assert!(app.get("/agenda?done=deleted").await.text().contains("was deleted"));
}

#[tokio::test]
async fn a_google_calendar_that_is_behind_gets_a_fresh_link_last_in_the_list() {
    let app = TestApp::new();
    let key = cookie(&app.send(form("/agenda/picks", "action=pick&session=first-talk")).await);
    let page = |target: &str| TestRequest::new("GET", target).field("cookie", &key);
    let feeds = |text: &str| -> Vec<String> {
        let links = text.split("<input id=\"link-").skip(1);
        links
            .map(|link| link.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned())
            .collect()
    };
    let before = feeds(app.send(page("/agenda")).await.text());
    let asked = app.send(form("/agenda/links", "fresh=yes").field("cookie", &key)).await;
    assert_eq!(asked.field("location"), "/agenda?done=fresh#links");
    let after = app.send(page("/agenda?done=fresh")).await;
    assert!(after.text().contains("then delete the old calendar there"));
    let after = feeds(after.text());
    assert_eq!((before.len(), &after[..1], after.len()), (1, &before[..], 2));
    assert_ne!(after[0], after[1]);
    for link in &after {
        let path = link.strip_prefix("https://conf.example").unwrap();
        assert_eq!(app.get(path).await.status, 200, "the old link works until its calendar is deleted");
    }
}

#[tokio::test]
async fn a_pick_by_script_names_the_picks_that_it_overlaps() {
    let app = TestApp::new();
    let key = cookie(&app.send(form("/agenda/picks", "action=pick&session=first-talk")).await);
    let pick = |session| {
        let request = form("/agenda/picks", &format!("action=pick&session={session}")).field("cookie", &key);
        request.field("accept", "application/json")
    };
    let answer = app.send(pick("other-talk")).await.json();
    assert_eq!(answer["overlaps"], serde_json::json!([{ "id": "first-talk", "title": "First" }]));
    for session in ["last-talk", "lunch", "opening"] {
        assert_eq!(app.send(pick(session)).await.json()["overlaps"], serde_json::json!([]), "{session}");
    }
}

#[tokio::test]
async fn a_search_folds_accents_and_case_ranks_and_marks() {
    let app = TestApp::new();
    let page = app.get("/?q=FIRST").await;
    assert!(page.text().contains("result"), "{}", page.text());
    assert!(page.text().contains("<mark>First</mark>"), "{}", page.text());
    let index = app.get("/search.json").await.json();
    assert!(index.as_array().unwrap().iter().any(|entry| entry["id"] == "first-talk"));
    assert!(!index.to_string().contains("Secret"), "the index has a withdrawn session");
}
