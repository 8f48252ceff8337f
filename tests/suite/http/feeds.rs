//! Public feeds: bytes, validators, codings, filters, options.

use super::test_app::{PROGRAM, TestApp, TestRequest, TestResponse};
use callboard::feed::Effort;
use std::io::Read;

async fn coded(app: &TestApp, target: &str, coding: &str) -> TestResponse {
    app.send(TestRequest::new("GET", target).field("accept-encoding", coding)).await
}

fn decoded(answer: &TestResponse) -> Vec<u8> {
    let mut plain = Vec::new();
    match answer.field("content-encoding") {
        "gzip" => drop(flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut plain).unwrap()),
        "br" => brotli::BrotliDecompress(&mut &answer.body[..], &mut plain).unwrap(),
        "zstd" => plain = zstd::bulk::decompress(&answer.body, 1 << 20).unwrap(),
        "" => plain = answer.body.to_vec(),
        other => panic!("{other}"),
    }
    plain
}

#[tokio::test]
async fn a_public_feed_has_the_fields_that_clients_and_caches_need() {
    let app = TestApp::new();
    let answer = app.get("/program.ics").await;
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("content-type", "text/calendar; charset=utf-8"),
        ("cache-control", "public, max-age=300, stale-while-revalidate=3600"),
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", "ETag, Last-Modified, Content-Location"),
        ("vary", "Accept-Encoding"),
        ("last-modified", "Sat, 01 Mar 2025 12:00:00 GMT"),
        ("x-content-type-options", "nosniff"),
        ("content-disposition", ""),
        ("content-location", ""),
        ("location", ""),
    ] {
        assert_eq!(answer.field(name), value, "{name}");
    }
    let shown = ["opening", "first-talk", "other-talk", "lunch", "sick-talk", "last-talk"];
    assert_eq!(answer.sessions(), shown);
    assert!(answer.tag().starts_with('"') && answer.tag().len() == 34);
}

#[tokio::test]
async fn every_part_is_a_feed_and_an_announced_track_is_an_empty_one() {
    let app = TestApp::new();
    for (target, sessions) in [
        ("/tracks/main.ics", vec!["opening", "first-talk", "last-talk"]),
        ("/tracks/later.ics", vec![]),
        ("/days/2025-03-26.ics", vec!["sick-talk", "last-talk"]),
        ("/rooms/attic.ics", vec!["other-talk", "sick-talk"]),
        ("/speakers/ada-lovelace.ics", vec!["opening", "first-talk"]),
    ] {
        let answer = app.get(target).await;
        assert_eq!((answer.status, answer.sessions()), (200, sessions.iter().map(|s| (*s).into()).collect()));
        assert!(answer.text().contains("BEGIN:VTIMEZONE"), "{target}");
    }
    for target in [
        "/tracks/none.ics",
        "/tracks/Main.ics",
        "/days/2025-03-27.ics",
        "/days/2025-3-26.ics",
        "/rooms/none.ics",
        "/speakers/none.ics",
        "/sessions/none-at-all.ics",
        "/sessions/secret-talk.ics",
        "/agendas/cbr_nonsense.ics",
    ] {
        let answer = app.get(target).await;
        assert_eq!(
            (answer.status, answer.field("content-type")),
            (404, "application/problem+json"),
            "{target}"
        );
    }
}

#[tokio::test]
async fn an_old_slug_answers_with_the_present_feed_and_says_where_it_is() {
    let app = TestApp::new();
    let (old, new) = (app.get("/tracks/grand.ics").await, app.get("/tracks/main.ics").await);
    assert_eq!((old.status, &old.body, old.tag()), (200, &new.body, new.tag()));
    assert_eq!(old.field("content-location"), "/tracks/main.ics");
    assert_eq!(new.field("content-location"), "");
    let filtered = app.get("/program.ics?track=grand").await;
    assert_eq!(filtered.field("content-location"), "/program.ics?track=main");
}

#[tokio::test]
async fn a_session_is_a_download() {
    let app = TestApp::new();
    let answer = app.get("/sessions/first-talk.ics").await;
    assert_eq!(answer.sessions(), ["first-talk"]);
    assert_eq!(answer.field("content-disposition"), "attachment; filename=\"first-talk.ics\"");
    assert_eq!(app.get("/sessions/sick-talk.ics").await.sessions(), ["sick-talk"]);
    let alarmed = app.get("/sessions/first-talk.ics?alarm=10m").await;
    assert!(alarmed.text().contains("TRIGGER:-PT10M"));
}

#[tokio::test]
async fn every_coding_holds_the_same_text_and_answers_304_in_its_own() {
    let app = TestApp::new();
    let identity = app.get("/program.ics").await;
    app.publisher.current().feeds.compress(Effort::Quick, || true);
    for (coding, tag) in [("br", "-b3\""), ("zstd", "-z2\""), ("gzip", "-g1\""), ("identity", "\"")] {
        let answer = coded(&app, "/program.ics", coding).await;
        let expected = if coding == "identity" { "" } else { coding };
        assert_eq!(answer.field("content-encoding"), expected);
        assert_eq!(decoded(&answer), identity.body, "{coding}");
        assert!(answer.tag().ends_with(tag), "{}", answer.tag());
        let again = TestRequest::new("GET", "/program.ics").field("accept-encoding", coding);
        let again = app.send(again.field("if-none-match", answer.tag())).await;
        assert_eq!((again.status, again.tag(), again.body.len()), (304, answer.tag(), 0));
        for name in ["cache-control", "vary", "last-modified"] {
            assert_eq!(again.field(name), answer.field(name), "{name}");
        }
        assert_eq!(again.field("content-type"), "");
    }
}

#[tokio::test]
async fn a_tag_of_an_earlier_level_stays_good_and_one_of_another_coding_does_not() {
    let app = TestApp::new();
    app.publisher.current().feeds.compress(Effort::Quick, || true);
    let quick = coded(&app, "/program.ics", "gzip").await;
    app.publisher.current().feeds.compress(Effort::Best, || true);
    let ask = |coding: &str| TestRequest::new("GET", "/program.ics").field("accept-encoding", coding);
    let again = app.send(ask("gzip").field("if-none-match", quick.tag())).await;
    assert_eq!((again.status, again.tag()), (304, quick.tag()));
    let weak = format!("\"x,y\", W/{}", quick.tag());
    assert_eq!(app.send(ask("gzip").field("if-none-match", &weak)).await.status, 304);
    assert_eq!(app.send(ask("br").field("if-none-match", quick.tag())).await.status, 200);
    assert_ne!(coded(&app, "/program.ics", "gzip").await.tag(), quick.tag());
}

#[tokio::test]
async fn dates_decide_where_there_are_no_tags_and_if_match_comes_first() {
    let app = TestApp::new();
    let last = app.get("/program.ics").await.field("last-modified").to_owned();
    let ask = || TestRequest::new("GET", "/program.ics");
    assert_eq!(app.send(ask().field("if-modified-since", &last)).await.status, 304);
    let both = ask().field("if-modified-since", &last).field("if-none-match", "\"other\"");
    assert_eq!(app.send(both).await.status, 200);
    let failed = app.send(ask().field("if-match", "\"other\"").field("if-none-match", "*")).await;
    assert_eq!((failed.status, failed.field("content-type")), (412, "application/problem+json"));
    assert_eq!(app.send(ask().field("if-none-match", "*")).await.status, 304);
    let before = ask().field("if-unmodified-since", "Sat, 01 Mar 2025 11:59:59 GMT");
    assert_eq!(app.send(before).await.status, 412);
}

#[tokio::test]
async fn a_release_of_this_second_has_no_last_modified_yet() {
    let app = TestApp::new();
    app.publish(&PROGRAM.replace("First", "Premiere")).await;
    for (target, seconds) in [("/program.ics", 0), ("/program.ics?kind=talk", 1)] {
        app.pass(seconds);
        assert_eq!(app.get(target).await.field("last-modified"), "", "{target}");
    }
    app.pass(1);
    assert_eq!(app.get("/program.ics").await.field("last-modified"), "Sat, 01 Mar 2025 13:00:00 GMT");
}

#[tokio::test]
async fn filters_meet_within_a_key_and_across_keys() {
    let app = TestApp::new();
    for (query, sessions) in [
        ("track=side", vec!["other-talk", "sick-talk"]),
        ("track=side&track=main&kind=talk&day=2025-03-25", vec!["first-talk", "other-talk"]),
        ("kind=meal", vec!["lunch"]),
        ("speaker=grace-hopper", vec!["last-talk"]),
        ("room=attic&cancelled=drop", vec!["other-talk"]),
        ("track=later", vec![]),
    ] {
        let answer = app.get(&format!("/program.ics?{query}")).await;
        let expected: Vec<String> = sessions.iter().map(|s| (*s).to_owned()).collect();
        assert_eq!((answer.status, answer.sessions()), (200, expected), "{query}");
    }
}

#[tokio::test]
async fn one_filter_in_any_spelling_is_one_feed() {
    let app = TestApp::new();
    let canonical = app.get("/program.ics?busy=yes&kind=plenary&kind=talk&track=main").await;
    assert_eq!(canonical.field("content-location"), "");
    for query in [
        "track=main&kind=talk&kind=plenary&busy=yes",
        "kind=talk&busy=yes&kind=plenary&kind=talk&track=main&utm_source=x",
        "busy=yes&kind=plenary&kind=talk&track=grand",
    ] {
        let answer = app.get(&format!("/program.ics?{query}")).await;
        assert_eq!((&answer.body, answer.tag()), (&canonical.body, canonical.tag()), "{query}");
        let place = "/program.ics?busy=yes&kind=plenary&kind=talk&track=main";
        assert_eq!(answer.field("content-location"), place, "{query}");
    }
    let encoded = app.get("/program.ics?busy=%79es&kind=plenary&kind=talk&track=main").await;
    assert_eq!(encoded.field("content-location"), "");
    assert_eq!(encoded.tag(), canonical.tag());
}

#[tokio::test]
async fn an_empty_filter_is_the_canonical_feed() {
    let app = TestApp::new();
    for (canonical, same) in [
        ("/program.ics", "/program.ics?utm_source=x"),
        ("/program.ics", "/program.ics?cancelled=strike"),
        ("/tracks/main.ics", "/tracks/main.ics?track=side"),
    ] {
        let (canonical_answer, answer) = (app.get(canonical).await, app.get(same).await);
        assert_eq!((&answer.body, answer.tag()), (&canonical_answer.body, canonical_answer.tag()), "{same}");
        assert_eq!(answer.field("content-location"), canonical, "{same}");
    }
    assert_eq!(app.get("/program.ics?").await.field("content-location"), "");
}

#[tokio::test]
async fn a_value_that_never_was_is_not_found_and_a_bad_option_is_a_bad_request() {
    let app = TestApp::new();
    for query in
        ["track=none", "kind=keynote", "day=2025-03-27", "speaker=none", "room=none", "tag=none", "track="]
    {
        let answer = app.get(&format!("/program.ics?{query}")).await;
        assert_eq!(
            (answer.status, answer.field("content-type")),
            (404, "application/problem+json"),
            "{query}"
        );
    }
    let many = vec!["kind=talk"; 21].join("&");
    for query in ["alarm=10", "busy=maybe", "cancelled=x", many.as_str()] {
        assert_eq!(app.get(&format!("/program.ics?{query}")).await.status, 400, "{query}");
    }
    for target in ["/tracks/main.ics?alarm=x", "/sessions/lunch.ics?alarm=x"] {
        let answer = app.get(target).await;
        assert_eq!(answer.status, 400);
        assert!(answer.json()["detail"].as_str().unwrap().contains("alarm=10m"));
    }
}

#[tokio::test]
async fn joined_feeds_are_gzip_at_most_and_hold_the_same_text() {
    let app = TestApp::new();
    for target in ["/program.ics?kind=talk", "/sessions/lunch.ics", "/tracks/main.ics?alarm=5m&busy=yes"] {
        let plain = app.get(target).await;
        let gzip = coded(&app, target, "br, gzip").await;
        assert_eq!(gzip.field("content-encoding"), "gzip");
        assert_eq!(decoded(&gzip), plain.body, "{target}");
        assert!(gzip.tag().ends_with("-gj\""));
        let again = TestRequest::new("GET", target).field("accept-encoding", "gzip");
        assert_eq!(app.send(again.field("if-none-match", gzip.tag())).await.status, 304);
        let plain_tag = TestRequest::new("GET", target).field("if-none-match", plain.tag());
        assert_eq!(app.send(plain_tag).await.status, 304);
        assert_eq!(coded(&app, target, "br").await.field("content-encoding"), "");
    }
}

#[tokio::test]
async fn a_feed_changes_its_tag_when_and_only_when_its_bytes_change() {
    let app = TestApp::new();
    let targets = [
        "/program.ics",
        "/tracks/main.ics",
        "/tracks/side.ics",
        "/program.ics?track=main",
        "/sessions/lunch.ics",
    ];
    let mut before = Vec::new();
    for target in targets {
        before.push(app.get(target).await);
    }
    app.publish(&PROGRAM.replace("First", "Premiere")).await;
    app.pass(10);
    for (target, before) in targets.iter().zip(before) {
        let after = app.get(target).await;
        assert_eq!(after.tag() == before.tag(), after.body == before.body, "{target}");
        let changed = ["/program.ics", "/tracks/main.ics", "/program.ics?track=main"].contains(target);
        assert_eq!(after.tag() != before.tag(), changed, "{target}");
    }
}

#[tokio::test]
async fn a_filtered_feed_is_young_only_for_what_it_lost_itself() {
    let app = TestApp::new();
    let (main, side) = ("/program.ics?kind=talk&track=main", "/program.ics?kind=talk&track=side");
    let (main_tag, side_tag) = (app.get(main).await.tag().to_owned(), app.get(side).await.tag().to_owned());
    app.publish(&PROGRAM.replace("Other,Side", "Other,Main")).await;
    assert_ne!(app.get(main).await.tag(), main_tag, "it gained one");
    let lost = app.get(side).await;
    assert_ne!(lost.tag(), side_tag, "it lost one");
    assert_eq!(lost.property("LAST-MODIFIED"), "20250301T130000Z");
    // A session that leaves one feed does not change the time of another.
    let main_tag = app.get(main).await.tag().to_owned();
    app.pass(60);
    app.publish(&PROGRAM.replace("Other,Side", "Other,Main").replace(",Lunch,,Foyer", ",Lunch,Side,Foyer"))
        .await;
    app.pass(60);
    app.publish(&PROGRAM.replace("Other,Side", "Other,Main")).await;
    assert_eq!(app.get(main).await.tag(), main_tag);
    assert_eq!(app.get(side).await.tag(), lost.tag());
}

#[tokio::test]
async fn a_long_joined_feed_converts_to_jcal() {
    let app = TestApp::new();
    let row = |n: usize| format!("talk-{n},2025-03-25,09:00,09:30,talk,Talk {n},,,,,\n");
    app.publish(&format!("{PROGRAM}{}", (0..600).map(row).collect::<String>())).await;
    let feed = app.get("/program.ics?kind=talk").await;
    let converted = app.get("/program.jcal?kind=talk").await;
    assert_eq!(converted.status, 200, "{}", converted.text());
    let events = converted.json()[2].as_array().unwrap().iter().filter(|part| part[0] == "vevent").count();
    assert_eq!(events, feed.text().matches("BEGIN:VEVENT").count());
    assert!(events > 600);
}
