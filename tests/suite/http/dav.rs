//! CalDAV through `respond`: discovery, reports, sync tokens, refusals and hostile bodies.

mod hostile;
mod push;

use super::test_app::{PROGRAM, TestApp, TestRequest, TestResponse};
use data_encoding::BASE64;
use std::collections::{BTreeMap, BTreeSet};

const PUBLIC: &str = "/dav/public/program/";
const AGENDA: &str = "/dav/agendas/agenda/";

fn request(method: &'static str, target: &str, depth: &str, body: &str) -> TestRequest {
    let request = TestRequest::new(method, target).text("application/xml", body);
    if depth.is_empty() { request } else { request.field("depth", depth) }
}

fn propfind(names: &str) -> String {
    format!(
        "<D:propfind xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav' \
         xmlns:S='http://calendarserver.org/ns/' xmlns:A='http://apple.com/ns/ical/'><D:prop>{names}</D:prop></D:propfind>"
    )
}

fn sync(token: &str, more: &str) -> String {
    format!(
        "<D:sync-collection xmlns:D='DAV:'><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>\
         {more}<D:prop><D:getetag/></D:prop></D:sync-collection>"
    )
}

fn query(filter: &str) -> String {
    format!(
        "<C:calendar-query xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'><D:prop><D:getetag/></D:prop>\
         <C:filter><C:comp-filter name='VCALENDAR'>{filter}</C:comp-filter></C:filter></C:calendar-query>"
    )
}

/// Each response's address, with the first status in it.
fn responses(answer: &TestResponse) -> BTreeMap<String, String> {
    assert_eq!(answer.status, 207, "{}", answer.text());
    let root = callboard::xml::read(&answer.body, 1 << 24).unwrap();
    assert!(root.is("DAV:", "multistatus"));
    let status = |response: &callboard::xml::Element| {
        let own = response.text_of("status").to_owned();
        if own.is_empty() { response.child("propstat").unwrap().text_of("status").to_owned() } else { own }
    };
    root.all("response").map(|r| (r.text_of("href").to_owned(), status(r)[9..12].to_owned())).collect()
}

/// The existing and the removed sessions of an answer.
fn sessions(answer: &TestResponse) -> (BTreeSet<String>, BTreeSet<String>) {
    let named = |status: &str| {
        let all = responses(answer).into_iter().filter(|(_, s)| s == status);
        all.filter_map(|(href, _)| Some(href.rsplit('/').next()?.strip_suffix(".ics")?.to_owned())).collect()
    };
    (named("200"), named("404"))
}

fn token(answer: &TestResponse) -> String {
    let root = callboard::xml::read(&answer.body, 1 << 24).unwrap();
    root.text_of("sync-token").to_owned()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{user}:{password}").as_bytes()))
}

fn varies_by_credentials(answer: &TestResponse) -> bool {
    answer.headers.get_all("vary").iter().any(|value| value == "Authorization")
}

/// The token in a feed's path, as a password.
fn password(feed: &str) -> String {
    feed.trim_start_matches("/agendas/").trim_end_matches(".ics").to_owned()
}

fn assert_refused(answer: &TestResponse, element: &str) {
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(answer.text().contains(element), "{}", answer.text());
    assert_eq!(answer.field("content-type"), "application/xml; charset=utf-8");
}

#[tokio::test]
async fn discovery_leads_from_the_well_known_address_to_the_calendars() {
    let app = TestApp::new();
    let answer = app.send(request("PROPFIND", "/.well-known/caldav", "0", "")).await;
    assert_eq!((answer.status, answer.field("location")), (301, "/dav/public/"));
    let body =
        propfind("<D:current-user-principal/><C:calendar-home-set/><D:resourcetype/><D:principal-URL/>");
    let answer = app.send(request("PROPFIND", "/dav/public/", "0", &body)).await;
    assert_eq!(responses(&answer), BTreeMap::from([("/dav/public/".to_owned(), "200".to_owned())]));
    assert_eq!(answer.text().matches("<D:href>/dav/public/</D:href>").count(), 4);
    assert!(answer.text().contains("<D:principal/>"));
    assert_eq!(answer.field("dav"), "1, 3, calendar-access");

    let body = propfind(
        "<D:displayname/><D:resourcetype/><S:getctag/><D:sync-token/><D:current-user-privilege-set/><C:supported-calendar-component-set/><D:nonsense/>",
    );
    let answer = app.send(request("PROPFIND", "/dav/public/", "1", &body)).await;
    let listed: Vec<String> = responses(&answer).into_keys().collect();
    let expected = ["", "program/", "track-later/", "track-main/", "track-side/"];
    assert_eq!(listed, expected.map(|name| format!("/dav/public/{name}")));
    assert!(answer.text().contains("Engines: Main") && answer.text().contains("<C:comp name=\"VEVENT\"/>"));
    assert!(!answer.text().contains("<D:write"), "it is read-only");
    assert!(answer.text().contains("<nonsense xmlns=\"DAV:\"/>"));
    // Other calendars are not listed, but exist under their addresses.
    for name in ["day-2025-03-25", "room-hall", "speaker-ada-lovelace", "track-grand"] {
        let answer = app.send(request("PROPFIND", &format!("/dav/public/{name}"), "1", &body)).await;
        assert!(responses(&answer).len() > 1, "{name}");
        assert!(responses(&answer).keys().all(|href| href.starts_with(&format!("/dav/public/{name}/"))));
    }
    for name in [
        "track-never",
        "nothing",
        "day-2025-02-30",
        "program/never.ics",
        "program/opening",
        "program/secret-talk.ics",
    ] {
        let answer = app.send(request("PROPFIND", &format!("/dav/public/{name}"), "0", &body)).await;
        assert_eq!(answer.status, 404, "{name}");
    }
}

#[tokio::test]
async fn a_client_that_knows_the_host_alone_is_led_to_the_tree_that_its_credentials_open() {
    let app = TestApp::new();
    let mine = app.agenda(&["lunch"]).await;
    let token = password(&mine.feed);
    let asked = propfind("<D:current-user-principal/><D:resourcetype/><C:calendar-home-set/>");
    let revoked = callboard::agenda::EditKey::generate().unwrap().read_token(1).reveal();
    for (sent, home) in [
        (String::new(), "/dav/public/"),
        (basic("", ""), "/dav/public/"),
        (basic("me", ""), "/dav/public/"),
        (basic("me", "my own password"), "/dav/public/"),
        ("Basic ???".to_owned(), "/dav/public/"),
        (basic("", &token), "/dav/agendas/"),
        (basic("me", &token), "/dav/agendas/"),
        (basic(&token, ""), "/dav/agendas/"),
        // The agenda's own tree reports the revocation.
        (basic("me", &revoked), "/dav/agendas/"),
    ] {
        let with = |request: TestRequest| {
            if sent.is_empty() { request } else { request.field("authorization", &sent) }
        };
        for root in ["/", "/dav", "/dav/"] {
            for depth in ["0", "1"] {
                let answer = app.send(with(request("PROPFIND", root, depth, &asked))).await;
                let own = if root == "/" { "/" } else { "/dav/" };
                assert_eq!(
                    responses(&answer),
                    BTreeMap::from([(own.to_owned(), "200".to_owned())]),
                    "{sent}"
                );
                let href = format!("<D:current-user-principal><D:href>{home}</D:href>");
                let text: String = answer.text().split_whitespace().collect();
                assert!(text.contains(&href), "{sent}: {text}");
                assert!(varies_by_credentials(&answer), "{:?}", answer.headers);
                assert_eq!(answer.field("dav"), "1, 3, calendar-access");
            }
        }
        for method in ["GET", "PROPFIND"] {
            let answer = app.send(with(request(method, "/.well-known/caldav", "0", ""))).await;
            assert_eq!((answer.status, answer.field("location")), (301, home), "{sent}");
            assert!(varies_by_credentials(&answer), "{:?}", answer.headers);
        }
        // The public tree never asks for credentials.
        for place in ["/dav/public/", PUBLIC, "/dav/public/never/", "/dav/cancelled-title/public/"] {
            for method in ["PROPFIND", "OPTIONS", "GET", "PUT"] {
                let answer = app.send(with(request(method, place, "0", ""))).await;
                assert_eq!(answer.field("www-authenticate"), "", "{method} {place}");
                assert_ne!(answer.status, 401, "{method} {place}");
            }
        }
    }
    let options = app.send(TestRequest::new("OPTIONS", "/")).await;
    assert_eq!(options.field("dav"), "1, 3, calendar-access, webdav-push");
    assert_eq!(options.field("allow"), "GET, PROPFIND, REPORT, HEAD, OPTIONS");
    // GET still serves the page.
    let page = app.get("/").await;
    assert_eq!((page.status, page.field("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.field("dav").is_empty() && !varies_by_credentials(&page));
    let refused = app.send(TestRequest::new("POST", "/")).await;
    assert_eq!((refused.status, refused.field("allow")), (405, "GET, PROPFIND, REPORT, HEAD, OPTIONS"));
}

#[tokio::test]
async fn the_other_trees_say_in_the_title_that_a_session_is_cancelled() {
    let app = TestApp::new();
    let mine = app.agenda(&["sick-talk", "lunch"]).await;
    let key = basic("", &password(&mine.feed));
    let body = propfind("<D:getetag/><D:getcontentlength/><D:sync-token/><S:getctag/>");
    for (tree, calendar) in [("public/", "program/"), ("agendas/", "agenda/")] {
        let plain = format!("/dav/{tree}{calendar}");
        let titled = format!("/dav/cancelled-title/{tree}{calendar}");
        let ask = |request: TestRequest| app.send(request.field("authorization", &key));
        let object = ask(TestRequest::new("GET", &format!("{titled}sick-talk.ics"))).await;
        assert_eq!(object.property("SUMMARY"), "CANCELLED: Sick", "{}", object.text());
        assert_eq!(object.property("STATUS"), "CONFIRMED");
        let before = ask(TestRequest::new("GET", &format!("{plain}sick-talk.ics"))).await;
        assert_eq!((before.property("SUMMARY"), before.property("STATUS")), ("Sick", "CANCELLED"));
        assert_ne!(object.tag(), before.tag());
        let same = [&titled, &plain].map(|base| TestRequest::new("GET", &format!("{base}lunch.ics")));
        let [one, other] = same;
        assert_eq!(ask(one).await.body, ask(other).await.body);
        // All addresses in the answers stay in this tree.
        let home = format!("/dav/cancelled-title/{tree}");
        let listed = ask(request("PROPFIND", &home, "1", &propfind("<D:current-user-principal/>"))).await;
        assert!(responses(&listed).keys().all(|href| href.starts_with(&home)), "{}", listed.text());
        assert!(!listed.text().contains(&format!(">/dav/{tree}")), "{}", listed.text());
        let members = ask(request("PROPFIND", &titled, "1", &body)).await;
        assert!(responses(&members).keys().all(|href| href.starts_with(&titled)));
        assert!(members.text().contains(&object.tag().replace('"', "&quot;")), "{}", members.text());
        assert!(members.text().contains(&format!("<D:getcontentlength>{}<", object.body.len())));
        // A sync token of one tree is invalid in the other.
        let first = ask(request("REPORT", &titled, "0", &sync("", ""))).await;
        assert!(sessions(&first).0.contains("sick-talk"));
        assert_refused(
            &ask(request("REPORT", &plain, "0", &sync(&token(&first), ""))).await,
            "valid-sync-token",
        );
        let nothing = ask(request("REPORT", &titled, "0", &sync(&token(&first), ""))).await;
        assert!(responses(&nothing).is_empty());
    }
    // Without an agenda's token, the tree of agendas asks for credentials.
    let answer = app.send(request("PROPFIND", "/dav/cancelled-title/agendas/", "0", "")).await;
    assert_eq!(answer.status, 401);
    assert!(answer.field("www-authenticate").starts_with("Basic "));
}

#[tokio::test]
async fn every_calendar_has_a_colour() {
    let app = TestApp::new();
    let mine = app.agenda(&["lunch"]).await;
    let key = basic("", &password(&mine.feed));
    let body = propfind("<A:calendar-color/>");
    for place in
        [PUBLIC, "/dav/public/track-main/", "/dav/public/track-side/", "/dav/public/room-hall/", AGENDA]
    {
        let answer = app.send(request("PROPFIND", place, "0", &body).field("authorization", &key)).await;
        let colour = answer.text().split_once("<A:calendar-color>").map(|(_, rest)| &rest[..9]).unwrap();
        let is_hex = colour[1..].bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_lowercase());
        assert!(colour.starts_with('#') && colour.ends_with("FF") && is_hex, "{place}: {colour}");
    }
}

#[tokio::test]
async fn properties_are_listed_named_and_reported_missing() {
    let app = TestApp::new();
    let all = app.send(request("PROPFIND", PUBLIC, "1", "")).await;
    assert_eq!(responses(&all).len(), 7, "the calendar, five sessions and a cancelled one");
    assert!(all.text().contains("getetag") && !all.text().contains("calendar-data"));
    let names = "<propfind xmlns='DAV:'><propname/></propfind>";
    let names = app.send(request("PROPFIND", PUBLIC, "0", names)).await;
    for name in ["calendar-timezone", "calendar-description", "supported-report-set", "getctag", "owner"] {
        assert!(names.text().contains(&format!(":{name}/>")), "{name}");
    }
    let include = "<propfind xmlns='DAV:'><allprop/><include><sync-token/></include></propfind>";
    let include = app.send(request("PROPFIND", PUBLIC, "0", include)).await;
    assert!(include.text().contains("<D:sync-token>https://conf.example/dav/sync/program/r1."));
    // The session's data is not available as a property.
    let data = propfind("<C:calendar-data/>");
    let data = app.send(request("PROPFIND", &format!("{PUBLIC}opening.ics"), "0", &data)).await;
    assert_eq!(responses(&data).into_values().next().as_deref(), Some("404"));
    let quiet = request("PROPFIND", PUBLIC, "0", &propfind("<D:x/><D:displayname/>"))
        .field("prefer", "return=minimal");
    let quiet = app.send(quiet).await;
    assert!(!quiet.text().contains("404"));
    assert_eq!(quiet.field("preference-applied"), "return=minimal");
    // PROPFIND of a session needs no Depth. PROPFIND of a calendar needs a finite one.
    let answer = app.send(request("PROPFIND", &format!("{PUBLIC}opening.ics"), "", "")).await;
    assert_eq!(responses(&answer).len(), 1);
    for depth in ["", "infinity"] {
        assert_refused(&app.send(request("PROPFIND", PUBLIC, depth, "")).await, "<D:propfind-finite-depth/>");
    }
    assert_eq!(app.send(request("PROPFIND", PUBLIC, "2", "")).await.status, 400);
}

#[tokio::test]
async fn an_object_is_its_zone_and_the_stored_event_under_a_tag_of_its_own() {
    let app = TestApp::new();
    let answer = app.get(&format!("{PUBLIC}first-talk.ics")).await;
    assert_eq!((answer.status, answer.field("content-type")), (200, "text/calendar; charset=utf-8"));
    let single = app.get("/sessions/first-talk.ics").await;
    let part = |text: &str, name: &str| {
        let (from, to) = (format!("BEGIN:{name}"), format!("END:{name}"));
        text[text.find(&from).unwrap()..text.find(&to).unwrap()].to_owned()
    };
    for name in ["VTIMEZONE", "VEVENT"] {
        assert_eq!(part(answer.text(), name), part(single.text(), name));
    }
    assert!(answer.text().ends_with("END:VEVENT\r\nEND:VCALENDAR\r\n"));
    assert!(callboard::ics::read(&answer.body).errors.is_empty());
    let body = propfind("<D:getetag/><D:getcontentlength/><D:getlastmodified/>");
    let properties = app.send(request("PROPFIND", &format!("{PUBLIC}first-talk.ics"), "0", &body)).await;
    assert!(properties.text().contains(&answer.tag().replace('"', "&quot;")), "{}", properties.text());
    assert!(properties.text().contains(&format!("<D:getcontentlength>{}<", answer.body.len())));
    let known =
        TestRequest::new("GET", &format!("{PUBLIC}first-talk.ics")).field("if-none-match", answer.tag());
    assert_eq!(app.send(known).await.status, 304);
    let cancelled = app.get(&format!("{PUBLIC}sick-talk.ics")).await;
    assert_eq!(cancelled.property("STATUS"), "CANCELLED");
    // A person in a browser gets an explanation.
    assert!(app.get("/dav/public/").await.text().contains("https://conf.example/"));
}

#[tokio::test]
async fn writes_are_refused_with_the_privilege_that_is_missing() {
    let app = TestApp::new();
    for method in [
        "PUT",
        "DELETE",
        "POST",
        "PATCH",
        "PROPPATCH",
        "MKCOL",
        "MKCALENDAR",
        "MOVE",
        "COPY",
        "LOCK",
        "UNLOCK",
        "ACL",
    ] {
        // Existing and missing targets, because a method that creates something has a missing target.
        for place in [
            PUBLIC,
            "/dav/public/program/new-event.ics",
            "/dav/public/new-calendar/",
            "/dav/public/program/below/",
            "/dav/public/program/below/it/",
            "/dav/",
            "/dav/elsewhere/",
            "/dav/cancelled-title/public/program/below/",
        ] {
            let answer = app.send(request(method, place, "", "<x/>")).await;
            assert_refused(&answer, "<D:need-privileges>");
            assert!(answer.text().contains("<D:write/>") && answer.text().contains(place));
        }
    }
    let answer = app.send(TestRequest::new("SEARCH", PUBLIC)).await;
    assert_eq!((answer.status, answer.field("allow")), (405, "GET, PROPFIND, REPORT, HEAD, OPTIONS"));
    let answer = app.send(TestRequest::new("OPTIONS", "/dav/agendas/")).await;
    assert_eq!((answer.status, answer.field("allow")), (200, "GET, PROPFIND, REPORT, HEAD, OPTIONS"));
    assert_eq!(answer.field("dav"), "1, 3, calendar-access, webdav-push");
    let answer = app.send(TestRequest::new("HEAD", &format!("{PUBLIC}opening.ics"))).await;
    assert!(answer.status == 200 && answer.body.is_empty());
}

#[tokio::test]
async fn a_sync_token_brings_exactly_what_changed() {
    let app = TestApp::new();
    let track = "/dav/public/track-side/";
    let first = app.send(request("REPORT", PUBLIC, "0", &sync("", ""))).await;
    let side = app.send(request("REPORT", track, "1", &sync("", ""))).await;
    assert_eq!(sessions(&first).0.len(), 6);
    assert_eq!(sessions(&side).0, set(&["other-talk", "sick-talk"]));
    let nothing = app.send(request("REPORT", PUBLIC, "0", &sync(&token(&first), ""))).await;
    assert!(responses(&nothing).is_empty() && token(&nothing) == token(&first));

    // Lunch moves, Other changes its track, Last loses its line, Opening is withdrawn, New comes.
    let next = PROGRAM
        .replace("12:00,13:00", "12:30,13:30")
        .replace("Other,Side", "Other,Main")
        .replace("last-talk,2025-03-26,14:00,14:40,talk,Last,Main,Hall,Grace Hopper,,\n", "")
        .replace("Opening,Main,Hall,Ada Lovelace,,", "Opening,Main,Hall,Ada Lovelace,,withdrawn")
        + "new-talk,2025-03-26,15:00,15:40,talk,New,Side,Attic,,,\n";
    app.publish(&next).await;
    let second = app.send(request("REPORT", PUBLIC, "0", &sync(&token(&first), ""))).await;
    let changed = set(&["lunch", "other-talk", "last-talk", "new-talk"]);
    assert_eq!(sessions(&second), (changed, set(&["opening"])));
    let second_side = app.send(request("REPORT", track, "0", &sync(&token(&side), ""))).await;
    assert_eq!(sessions(&second_side), (set(&["new-talk"]), set(&["other-talk"])));
    // An older client catches up over several releases.
    app.publish(&next.replace("First,Main", "The first,Main")).await;
    let third = app.send(request("REPORT", track, "0", &sync(&token(&side), ""))).await;
    assert_eq!(sessions(&third), (set(&["new-talk"]), set(&["other-talk"])));
    let third = app.send(request("REPORT", PUBLIC, "0", &sync(&token(&second), ""))).await;
    assert_eq!(sessions(&third), (set(&["first-talk"]), set(&[])));
}

#[tokio::test]
async fn unknown_old_and_foreign_tokens_ask_for_a_new_start() {
    let app = TestApp::new();
    let own = token(&app.send(request("REPORT", PUBLIC, "0", &sync("", ""))).await);
    let other = token(&app.send(request("REPORT", "/dav/public/track-main/", "0", &sync("", ""))).await);
    for bad in [
        other.as_str(),
        "urn:x",
        "x",
        &own.replace("/r1.", "/r2."),
        &own.replace("/r1.", "/r1.1"),
        &format!("{own}.AQ"),
        &own.replace("conf.example", "other.example"),
    ] {
        let answer = app.send(request("REPORT", PUBLIC, "0", &sync(bad, ""))).await;
        assert_refused(&answer, "<D:valid-sync-token/>");
    }
    let endless = sync(&own, "").replace(">1<", ">infinite<");
    assert_refused(&app.send(request("REPORT", PUBLIC, "0", &endless)).await, "sync-traversal-supported");
    assert_eq!(app.send(request("REPORT", PUBLIC, "infinity", &sync(&own, ""))).await.status, 400);
}

#[tokio::test]
async fn a_limit_gives_the_answer_in_parts_that_make_the_whole() {
    let app = TestApp::new();
    let limit = "<D:limit><D:nresults>4</D:nresults></D:limit>";
    let first = app.send(request("REPORT", PUBLIC, "0", &sync("", limit))).await;
    assert_eq!(responses(&first).get(PUBLIC).map(String::as_str), Some("507"));
    assert!(first.text().contains("number-of-matches-within-limits"));
    let rest = app.send(request("REPORT", PUBLIC, "0", &sync(&token(&first), limit))).await;
    let (one, two) = (sessions(&first).0, sessions(&rest).0);
    assert_eq!((one.len(), two.len(), one.union(&two).count()), (4, 2, 6));
    assert_eq!(responses(&rest).get(PUBLIC), None);
    // After a release between the parts nothing is missed.
    app.publish(&PROGRAM.replace("12:00,13:00", "12:30,13:30")).await;
    let whole = app.send(request("REPORT", PUBLIC, "0", &sync(&token(&first), ""))).await;
    assert_eq!(sessions(&whole).0.len(), 6);
    let bad = sync("", "<D:limit><D:nresults>0</D:nresults></D:limit>");
    assert_eq!(app.send(request("REPORT", PUBLIC, "0", &bad)).await.status, 400);
}

#[tokio::test]
async fn multiget_gives_what_is_there_and_names_what_is_not() {
    let app = TestApp::new();
    let body = format!(
        "<C:calendar-multiget xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'><D:prop><D:getetag/>\
         <C:calendar-data/></D:prop><D:href>{PUBLIC}lunch.ics</D:href><D:href>https://conf.example{PUBLIC}first%2Dtalk.ics</D:href>\
         <D:href>{PUBLIC}lunch.ics</D:href><D:href>{PUBLIC}secret-talk.ics</D:href><D:href>/etc/passwd</D:href></C:calendar-multiget>"
    );
    let answer = app.send(request("REPORT", PUBLIC, "1", &body)).await;
    assert_eq!(sessions(&answer), (set(&["lunch", "first-talk"]), set(&["secret-talk"])));
    assert_eq!(responses(&answer)["/etc/passwd"], "404");
    let root = callboard::xml::read(&answer.body, 1 << 24).unwrap();
    let data = root
        .child("response")
        .unwrap()
        .child("propstat")
        .unwrap()
        .child("prop")
        .unwrap()
        .text_of("calendar-data");
    assert_eq!(format!("{data}\r\n"), app.get(&format!("{PUBLIC}lunch.ics")).await.text(), "line ends too");
    let other =
        body.replace("<C:calendar-data/>", "<C:calendar-data content-type='application/calendar+json'/>");
    assert_refused(&app.send(request("REPORT", PUBLIC, "1", &other)).await, "supported-calendar-data");
}

#[tokio::test]
async fn queries_find_sessions_by_time_and_by_text() {
    let app = TestApp::new();
    let event = |inner: &str| query(&format!("<C:comp-filter name='VEVENT'>{inner}</C:comp-filter>"));
    let range = |attributes: &str| event(&format!("<C:time-range {attributes}/>"));
    // First and Other are from 17:00 to 17:40 in UTC, on a day in summer time.
    for (body, expected) in [
        (event(""), vec!["opening", "first-talk", "other-talk", "lunch", "sick-talk", "last-talk"]),
        (range("start='20250325T170000Z' end='20250325T174000Z'"), vec!["first-talk", "other-talk"]),
        (range("start='20250325T174000Z' end='20250325T190000Z'"), vec![]),
        (range("start='20250325T173959Z' end='20250325T190001Z'"), vec!["first-talk", "other-talk", "lunch"]),
        (range("end='20250325T163000Z'"), vec!["opening"]),
        (range("start='20250326T160000Z'"), vec!["sick-talk", "last-talk"]),
        (
            event("<C:prop-filter name='SUMMARY'><C:text-match>FIRST</C:text-match></C:prop-filter>"),
            vec!["first-talk"],
        ),
        (
            event(
                "<C:prop-filter name='STATUS'><C:text-match negate-condition='yes'>CONFIRMED</C:text-match></C:prop-filter>",
            ),
            vec!["sick-talk"],
        ),
        (
            event(
                "<C:prop-filter name='UID'><C:text-match collation='i;octet'>lunch@</C:text-match></C:prop-filter>",
            ),
            vec!["lunch"],
        ),
        (event("<C:prop-filter name='RRULE'/>"), vec![]),
        (
            event(
                "<C:prop-filter name='ORGANIZER'><C:is-not-defined/></C:prop-filter><C:time-range end='20250325T163000Z'/>",
            ),
            vec!["opening"],
        ),
        (
            event(
                "<C:prop-filter name='DTSTART'><C:param-filter name='TZID'><C:text-match>berlin</C:text-match></C:param-filter></C:prop-filter>",
            ),
            vec![],
        ),
        (
            event(
                "<C:prop-filter name='DTSTART'><C:time-range start='20250326T160000Z' end='20250326T160001Z'/></C:prop-filter>",
            ),
            vec!["sick-talk"],
        ),
        (
            event(
                "<C:comp-filter name='VALARM'><C:is-not-defined/></C:comp-filter><C:time-range end='20250325T163000Z'/>",
            ),
            vec!["opening"],
        ),
        (event("<C:comp-filter name='VALARM'/>"), vec![]),
        (query("<C:comp-filter name='VTODO'/>"), vec![]),
        (query("<C:comp-filter name='VEVENT'><C:is-not-defined/></C:comp-filter>"), vec![]),
        (
            query(
                "<C:prop-filter name='VERSION'><C:text-match>2.0</C:text-match></C:prop-filter><C:comp-filter name='VEVENT'><C:time-range end='20250325T163000Z'/></C:comp-filter>",
            ),
            vec!["opening"],
        ),
    ] {
        let answer = app.send(request("REPORT", PUBLIC, "1", &body)).await;
        assert_eq!(sessions(&answer).0, set(&expected), "{body}");
    }
    assert!(responses(&app.send(request("REPORT", PUBLIC, "0", &event(""))).await).is_empty());
    for (body, element) in [
        (range("start='20250325T170000Z' end='20250325T170000Z'"), "valid-filter"),
        (range("start='20250325T170000'"), "valid-filter"),
        (range(""), "valid-filter"),
        (query("<C:time-range start='20250325T170000Z'/>"), "valid-filter"),
        (
            event("<C:prop-filter name='SUMMARY'><C:time-range start='20250325T170000Z'/></C:prop-filter>"),
            "supported-filter",
        ),
        (
            event(
                "<C:prop-filter name='SUMMARY'><C:text-match collation='i;klingon'>x</C:text-match></C:prop-filter>",
            ),
            "supported-collation",
        ),
        (event("<C:x/>"), "supported-filter"),
        (event(&"<C:prop-filter name='UID'/>".repeat(60)), "supported-filter"),
    ] {
        assert_refused(&app.send(request("REPORT", PUBLIC, "1", &body)).await, element);
    }
}

#[tokio::test]
async fn an_agenda_opens_with_its_token_as_any_users_password() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk", "lunch", "sick-talk"]).await;
    let other = app.agenda(&["last-talk"]).await;
    let opened = |request: TestRequest, user: &str| {
        request.field("authorization", &basic(user, &password(&mine.feed)))
    };
    for method in ["PROPFIND", "REPORT", "GET", "PUT"] {
        for target in ["/dav/agendas/", AGENDA, "/dav/agendas/agenda/first-talk.ics", "/dav/agendas/agenda/x"]
        {
            let answer = app.send(request(method, target, "0", "")).await;
            assert_eq!(
                (answer.status, answer.field("www-authenticate")),
                (401, "Basic realm=\"Callboard\", charset=\"UTF-8\"")
            );
        }
    }
    let never = callboard::agenda::EditKey::generate().unwrap().read_token(1).reveal();
    let wrong = request("PROPFIND", AGENDA, "0", "").field("authorization", &basic("me", &never));
    assert_eq!(app.send(wrong).await.status, 401);

    let home = app
        .send(opened(request("PROPFIND", "/dav/agendas/", "1", &propfind("<D:displayname/>")), "me"))
        .await;
    assert_eq!(responses(&home).into_keys().collect::<Vec<_>>(), ["/dav/agendas/", AGENDA]);
    assert_eq!((home.field("cache-control"), home.field("vary")), ("private, no-cache", "Authorization"));
    let all = app.send(opened(request("REPORT", AGENDA, "0", &sync("", "")), "you")).await;
    assert_eq!(sessions(&all).0, set(&["first-talk", "lunch", "sick-talk"]));
    let talk = app.send(opened(TestRequest::new("GET", "/dav/agendas/agenda/first-talk.ics"), "")).await;
    assert_eq!((talk.property("TRANSP"), talk.field("x-robots-tag")), ("OPAQUE", "noindex"));
    assert_eq!(
        app.send(opened(TestRequest::new("GET", "/dav/agendas/agenda/last-talk.ics"), "")).await.status,
        404
    );
    assert_refused(&app.send(opened(request("DELETE", AGENDA, "", ""), "me")).await, "need-privileges");
    // A sync token of another agenda is invalid here.
    let theirs = request("REPORT", AGENDA, "0", &sync("", ""))
        .field("authorization", &basic("x", &password(&other.feed)));
    let theirs = app.send(theirs).await;
    assert_eq!(sessions(&theirs).0, set(&["last-talk"]));
    let foreign = app.send(opened(request("REPORT", AGENDA, "0", &sync(&token(&theirs), "")), "me")).await;
    assert_refused(&foreign, "valid-sync-token");
    // The owner sees that a calendar has read the link.
    let links = app.send(mine.request("GET", "/agenda/links")).await;
    assert_eq!(links.json()[0]["seen"]["release"], 1, "{}", links.text());
}

#[tokio::test]
async fn picking_unpicking_and_releases_reach_an_agenda_by_its_token() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk", "lunch", "opening"]).await;
    let opened = |body: &str| {
        request("REPORT", AGENDA, "0", body).field("authorization", &basic("me", &password(&mine.feed)))
    };
    let first = app.send(opened(&sync("", ""))).await;
    app.send(mine.request("PUT", "/agenda/picks/last-talk")).await;
    app.send(mine.request("DELETE", "/agenda/picks/lunch")).await;
    let second = app.send(opened(&sync(&token(&first), ""))).await;
    assert_eq!(sessions(&second), (set(&["last-talk"]), set(&["lunch"])));
    // A change, a cancellation and a withdrawal; sessions that are not picked are not listed.
    let next = PROGRAM
        .replace("First,Main", "The first,Main")
        .replace("Last,Main,Hall,Grace Hopper,,", "Last,Main,Hall,Grace Hopper,,cancelled")
        .replace("Opening,Main,Hall,Ada Lovelace,,", "Opening,Main,Hall,Ada Lovelace,,withdrawn")
        .replace("12:00,13:00", "12:30,13:30");
    app.publish(&next).await;
    let third = app.send(opened(&sync(&token(&second), ""))).await;
    assert_eq!(sessions(&third), (set(&["first-talk", "last-talk"]), set(&["opening"])));
    // A revoked link empties the calendar, and is gone a month later.
    app.send(mine.request("DELETE", "/agenda/links/1")).await;
    let closed = app.send(opened(&sync(&token(&third), ""))).await;
    assert_eq!(sessions(&closed), (set(&[]), set(&["first-talk", "last-talk"])));
    app.pass(31 * 86_400);
    assert_eq!(app.send(opened(&sync("", ""))).await.status, 410);
}

#[tokio::test]
async fn free_and_busy_times_come_from_what_blocks_its_hour() {
    let app = TestApp::new();
    let body = "<C:free-busy-query xmlns:C='urn:ietf:params:xml:ns:caldav'><C:time-range start='20250325T000000Z' end='20250327T000000Z'/></C:free-busy-query>";
    let public = app.send(request("REPORT", PUBLIC, "1", body)).await;
    assert_eq!((public.status, public.field("content-type")), (200, "text/calendar; charset=utf-8"));
    assert!(public.text().contains("BEGIN:VFREEBUSY") && !public.text().contains("FREEBUSY;"));
    let mine = app.agenda(&["first-talk", "other-talk", "lunch", "sick-talk", "last-talk"]).await;
    let request =
        request("REPORT", AGENDA, "1", body).field("authorization", &basic("me", &password(&mine.feed)));
    let busy = app.send(request).await;
    let expected =
        "FREEBUSY;FBTYPE=BUSY:20250325T170000Z/20250325T174000Z,20250326T210000Z/202\r\n 50326T214000Z\r\n";
    assert!(busy.text().contains(expected), "{}", busy.text());
    assert!(callboard::ics::read(&busy.body).errors.is_empty());
}
