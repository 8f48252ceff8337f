//! The feed of a shared agenda: while the link works, while it answers "no longer shared", and after that.

use super::test_app::{PROGRAM, TestApp, TestRequest};
use callboard::agenda::{EditKey, ReadToken};
use callboard::store::{LinkTarget, Write};
use chrono::TimeDelta;
use std::io::Read;

#[tokio::test]
async fn picks_come_in_order_with_cancelled_ones_as_cancelled() {
    let app = TestApp::new();
    let mine = app.agenda(&["sick-talk", "last-talk", "opening", "lunch"]).await;
    app.pass(60);
    let answer = app.get(&mine.feed).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.sessions(), ["opening", "lunch", "sick-talk", "last-talk"]);
    assert_eq!(answer.property("NAME"), "Mine");
    assert!(answer.text().contains("STATUS:CANCELLED"));
    for (name, value) in [
        ("content-type", "text/calendar; charset=utf-8"),
        ("cache-control", "private, no-cache"),
        ("x-robots-tag", "noindex"),
        ("referrer-policy", "no-referrer"),
        ("vary", "Accept-Encoding"),
        ("access-control-allow-origin", ""),
        ("content-location", ""),
    ] {
        assert_eq!(answer.field(name), value, "{name}");
    }
    let token = mine.feed.trim_start_matches("/agendas/").trim_end_matches(".ics");
    assert!(!answer.text().replace("\r\n ", "").contains(token), "the feed carries its own secret");
}

#[tokio::test]
async fn an_agenda_takes_options_and_conditions_like_any_feed() {
    let app = TestApp::new();
    let mine = app.agenda(&["sick-talk", "opening"]).await;
    let dropped = app.get(&format!("{}?cancelled=drop&alarm=15m", mine.feed)).await;
    assert_eq!(dropped.sessions(), ["opening"]);
    assert!(dropped.text().contains("TRIGGER:-PT15M"));
    assert_eq!(app.get(&format!("{}?alarm=x", mine.feed)).await.status, 400);
    let tag = app.get(&mine.feed).await.tag().to_owned();
    let again = app.send(TestRequest::new("GET", &mine.feed).field("if-none-match", &tag)).await;
    assert_eq!((again.status, again.field("cache-control")), (304, "private, no-cache"));
}

#[tokio::test]
async fn its_last_modified_is_the_later_of_its_own_change_and_the_release() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    app.pass(5);
    assert_eq!(app.get(&mine.feed).await.field("last-modified"), "Sat, 01 Mar 2025 13:00:00 GMT");
    assert_eq!(app.send(mine.request("PUT", "/agenda/picks/lunch")).await.status, 204);
    assert_eq!(app.get(&mine.feed).await.field("last-modified"), "");
    app.pass(5);
    assert_eq!(app.get(&mine.feed).await.field("last-modified"), "Sat, 01 Mar 2025 13:00:05 GMT");
    let before = app.get(&mine.feed).await;
    app.publish(&PROGRAM.replace("First", "Premiere")).await;
    app.pass(5);
    let after = app.get(&mine.feed).await;
    assert_eq!(after.field("last-modified"), "Sat, 01 Mar 2025 13:00:10 GMT");
    assert_eq!((after.tag(), &after.body), (before.tag(), &before.body));
}

#[tokio::test]
async fn two_changes_within_a_second_are_two_states() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let mut seen = vec![app.get(&mine.feed).await.property("LAST-MODIFIED").to_owned()];
    for session in ["lunch", "first-talk"] {
        app.send(mine.request("PUT", &format!("/agenda/picks/{session}"))).await;
        seen.push(app.get(&mine.feed).await.property("LAST-MODIFIED").to_owned());
    }
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[tokio::test]
async fn a_new_link_does_not_change_the_feed() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let before = app.get(&mine.feed).await;
    app.pass(60);
    assert_eq!(app.send(mine.request("POST", "/agenda/links")).await.status, 201);
    let after = app.get(&mine.feed).await;
    assert_eq!(
        (after.body, after.headers["etag"].clone()),
        (before.body.clone(), before.headers["etag"].clone())
    );
}

#[tokio::test]
async fn revoked_and_deleted_links_say_so_for_thirty_days_and_then_are_gone() {
    let app = TestApp::new();
    let (revoked, deleted) = (app.agenda(&["opening"]).await, app.agenda(&["opening"]).await);
    assert_eq!(app.send(revoked.request("DELETE", "/agenda/links/1")).await.status, 204);
    assert_eq!(app.send(deleted.request("DELETE", "/agenda")).await.status, 204);
    app.pass(10);
    let (one, other) = (app.get(&revoked.feed).await, app.get(&deleted.feed).await);
    assert_eq!((one.status, &one.body, one.tag()), (200, &other.body, other.tag()));
    assert!(one.property("NAME").ends_with("(no longer shared)"), "{}", one.text());
    assert!(one.sessions().is_empty());
    assert_eq!(one.field("cache-control"), "private, no-cache");
    assert_eq!(app.get(&format!("{}?alarm=nonsense", revoked.feed)).await.status, 200);
    app.clock.advance(TimeDelta::days(30) - TimeDelta::seconds(10));
    assert_eq!(app.get(&revoked.feed).await.status, 200);
    app.pass(1);
    for feed in [&revoked.feed, &deleted.feed] {
        let answer = app.get(feed).await;
        assert_eq!((answer.status, answer.field("x-robots-tag")), (410, "noindex"));
    }
}

#[tokio::test]
async fn an_erased_link_is_gone_at_once_and_one_never_issued_is_not_found() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let path = |token: &ReadToken| format!("/agendas/{}.ics", token.reveal());
    let token = EditKey::parse(&mine.key).unwrap().read_token(1);
    assert_eq!(path(&token), mine.feed);
    let target = LinkTarget::Erased { at: app.clock.now() };
    app.store.commit(vec![Write::PutLink { hash: token.hash(), target }]).await.unwrap();
    assert_eq!(app.get(&mine.feed).await.status, 410);
    let never = EditKey::generate().unwrap().read_token(1);
    assert_eq!(app.get(&path(&never)).await.status, 404);
}

#[tokio::test]
async fn an_agenda_without_a_name_is_named_after_the_conference() {
    let app = TestApp::new();
    let mine = app.agenda(&[]).await;
    app.send(mine.request("PATCH", "/agenda").json(&serde_json::json!({ "name": "" }))).await;
    let answer = app.get(&mine.feed).await;
    assert_eq!(answer.property("NAME"), "Engines: my agenda");
    assert!(answer.text().contains("BEGIN:VTIMEZONE") && answer.sessions().is_empty());
}

/// The result of a poll: the sessions, the tag and the bytes of both codings.
async fn polled(app: &TestApp, feed: &str) -> (Vec<String>, String, Vec<u8>) {
    let plain = app.get(feed).await;
    let sessions: Vec<String> = plain.sessions().iter().map(ToString::to_string).collect();
    let tag = plain.tag().to_owned();
    let same = app.send(TestRequest::new("GET", feed).field("if-none-match", &tag)).await;
    assert_eq!((plain.status, same.status), (200, 304));
    let coded = app.send(TestRequest::new("GET", feed).field("accept-encoding", "gzip")).await;
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(&coded.body[..]).read_to_end(&mut inflated).unwrap();
    assert!(inflated == plain.body, "the codings of {feed} differ");
    (sessions, tag, inflated)
}

#[tokio::test]
async fn a_poll_sees_every_change_that_was_acknowledged_before_it() {
    let app = TestApp::new();
    let (mine, other) = (app.agenda(&["opening"]).await, app.agenda(&["opening"]).await);
    let titled = format!("{}?cancelled=title", mine.feed);
    for round in 0..30 {
        assert_eq!(polled(&app, &mine.feed).await.0, ["opening"], "round {round}");
        let before = polled(&app, &titled).await;
        // Another agenda changes at the same time, so that the commits of a group come in either order.
        let (picked, changed) = tokio::join!(
            app.send(mine.request("PUT", "/agenda/picks/lunch")),
            app.send(
                other.request(if round % 2 == 0 { "PUT" } else { "DELETE" }, "/agenda/picks/first-talk")
            ),
        );
        assert_eq!((picked.status, changed.status), (204, 204));
        for _ in 0..2 {
            assert_eq!(polled(&app, &mine.feed).await.0, ["opening", "lunch"], "round {round}");
            assert_ne!(polled(&app, &titled).await, before, "round {round}");
        }
        let (unpicked, meanwhile) =
            tokio::join!(app.send(mine.request("DELETE", "/agenda/picks/lunch")), app.get(&mine.feed));
        assert_eq!((unpicked.status, meanwhile.status), (204, 200));
    }
}

#[tokio::test]
async fn a_poll_sees_releases_names_and_revocations_at_once() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let mut seen = vec![polled(&app, &mine.feed).await];
    app.publish(&PROGRAM.replace("Opening", "Premiere")).await;
    seen.push(polled(&app, &mine.feed).await);
    app.send(mine.request("PATCH", "/agenda").json(&serde_json::json!({ "name": "Yours" }))).await;
    seen.push(polled(&app, &mine.feed).await);
    assert_eq!(app.get(&mine.feed).await.property("NAME"), "Yours");
    for (place, one) in seen.iter().enumerate() {
        assert!(seen[..place].iter().all(|other| other.1 != one.1 && other.2 != one.2), "state {place}");
    }
    assert_eq!(app.send(mine.request("DELETE", "/agenda/links/1")).await.status, 204);
    let tag = seen.pop().unwrap().1;
    let revoked = app.send(TestRequest::new("GET", &mine.feed).field("if-none-match", &tag)).await;
    assert_eq!((revoked.status, revoked.sessions().len()), (200, 0));
}

#[tokio::test]
async fn a_poll_after_a_change_of_another_agenda_gives_the_same() {
    let app = TestApp::new();
    let (mine, other) = (app.agenda(&["opening", "sick-talk"]).await, app.agenda(&["opening"]).await);
    let before = polled(&app, &mine.feed).await;
    for session in ["lunch", "first-talk"] {
        assert_eq!(app.send(other.request("PUT", &format!("/agenda/picks/{session}"))).await.status, 204);
        assert_eq!(polled(&app, &mine.feed).await, before);
    }
    assert_eq!(app.send(mine.request("POST", "/agenda/links")).await.status, 201);
    assert_eq!(polled(&app, &mine.feed).await, before);
}

#[tokio::test]
async fn a_coded_feed_is_never_longer_than_the_plain_one() {
    let app = TestApp::new();
    let picks = ["first-talk", "other-talk", "last-talk", "opening", "sick-talk"];
    let mut is_coded = false;
    for n in 1..=picks.len() {
        let mine = app.agenda(&picks[..n]).await;
        for target in
            [mine.feed.clone(), format!("{}?alarm=10m", mine.feed), "/program.ics?track=later".to_owned()]
        {
            let plain = app.get(&target).await;
            let gzip = |fields: &[(&'static str, &str)]| {
                let request = TestRequest::new("GET", &target).field("accept-encoding", "gzip");
                fields.iter().fold(request, |request, (name, value)| request.field(name, value))
            };
            // The second response comes from the cache.
            for _ in 0..2 {
                let coded = app.send(gzip(&[])).await;
                let what = format!("{target}: {} and {} bytes", coded.body.len(), plain.body.len());
                if coded.field("content-encoding") == "gzip" {
                    is_coded = true;
                    assert!(coded.body.len() < plain.body.len(), "{what}");
                } else {
                    assert_eq!(coded.body, plain.body, "{what}");
                }
                assert_eq!(coded.field("vary"), "Accept-Encoding");
                assert_eq!(app.send(gzip(&[("if-none-match", coded.tag())])).await.status, 304, "{what}");
                assert_ne!(coded.tag(), plain.tag());
            }
        }
    }
    assert!(is_coded, "no feed was worth coding");
}
