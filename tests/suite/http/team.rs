//! Teams, which are several agendas behind one link: the page, the feed, revoked members, and how such a link is made.

use super::test_app::{PROGRAM, TestAgenda, TestApp, TestRequest, TestResponse};
use callboard::agenda::EditKey;
use callboard::ics;
use std::fmt::Write;

async fn named_agenda(app: &TestApp, name: &str, picks: &[&str]) -> TestAgenda {
    let mine = app.agenda(picks).await;
    let request = mine.request("PATCH", "/agenda").json(&serde_json::json!({ "name": name }));
    assert!(app.send(request).await.status < 300);
    mine
}

fn token(mine: &TestAgenda) -> &str {
    mine.feed.trim_start_matches("/agendas/").trim_end_matches(".ics")
}

fn page(team: &[&TestAgenda]) -> String {
    let tokens: Vec<&str> = team.iter().map(|mine| token(mine)).collect();
    format!("/team/{}", tokens.join("."))
}

/// The titles of a feed, unfolded but still escaped.
fn titles(answer: &TestResponse) -> Vec<String> {
    let text = answer.text().replace("\r\n ", "");
    text.lines().filter_map(|line| line.strip_prefix("SUMMARY:")).map(str::to_owned).collect()
}

/// The part of a page about a session, from its title on; empty if the page does not show the session.
fn session_part<'a>(page: &'a str, id: &str) -> &'a str {
    let from = page.find(&format!("<h4 dir=\"auto\"><a href=\"/sessions/{id}\"")).unwrap_or(page.len());
    let rest = &page[from..];
    &rest[..rest.find("</div>").unwrap_or(rest.len())]
}

async fn make_team(app: &TestApp, links: &str) -> TestResponse {
    let mut form = String::from("links=");
    for byte in links.bytes() {
        write!(form, "%{byte:02X}").unwrap();
    }
    let request = TestRequest::new("POST", "/team").text("application/x-www-form-urlencoded", &form);
    app.send(request.field("origin", "https://conf.example").field("sec-fetch-site", "same-origin")).await
}

#[tokio::test]
async fn the_page_shows_who_goes_where_and_which_sessions_are_uncovered() {
    let app = TestApp::new();
    let ada = named_agenda(&app, "Ada", &["opening", "first-talk", "sick-talk"]).await;
    let grace = named_agenda(&app, "Grace", &["opening", "lunch"]).await;
    let answer = app.get(&page(&[&ada, &grace])).await;
    assert_eq!(answer.status, 200);
    let text = answer.text();
    assert!(session_part(text, "opening").contains("<strong>Ada, Grace</strong>"), "{text}");
    assert!(session_part(text, "first-talk").contains("<strong>Ada</strong>"));
    assert!(session_part(text, "other-talk").contains("Nobody"));
    assert!(
        session_part(text, "sick-talk").contains("Ada")
            && session_part(text, "sick-talk").contains("Canceled")
    );
    assert_eq!(session_part(text, "last-talk"), "", "nobody is anywhere then");
    assert_eq!(answer.field("x-robots-tag"), "noindex");
    assert_eq!(answer.field("cache-control"), "private, no-cache");
    assert!(text.contains(&format!("href=\"/subscribe{}\"", page(&[&ada, &grace]))));
    for mine in [&ada, &grace] {
        assert!(!text.contains(&mine.key));
    }
    let how = app.get(&format!("/subscribe{}", page(&[&ada, &grace]))).await;
    assert_eq!(how.status, 200);
    assert!(how.text().contains("Subscribe to Ada, Grace"), "{}", how.text());
}

#[tokio::test]
async fn the_feed_has_each_session_once_with_the_names_of_its_members() {
    let app = TestApp::new();
    let long = "An agenda with a very long name; with a comma, and \\ and 🎉 to be folded";
    let ada = named_agenda(&app, "Ada", &["opening", "first-talk", "sick-talk"]).await;
    let other = named_agenda(&app, long, &["opening", "lunch"]).await;
    let feed = format!("{}.ics", page(&[&ada, &other]));
    let answer = app.get(&feed).await;
    assert_eq!((answer.status, answer.field("content-type")), (200, "text/calendar; charset=utf-8"));
    assert_eq!(answer.sessions(), ["opening", "first-talk", "lunch", "sick-talk"]);
    let escaped = long.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    let wanted = [
        format!("Ada\\, {escaped}: Opening"),
        "Ada: First".to_owned(),
        format!("{escaped}: Lunch"),
        "Ada: Sick".to_owned(),
    ];
    assert_eq!(titles(&answer), wanted);
    assert!(answer.text().lines().all(|line| line.len() <= 75));
    assert!(!answer.text().contains("OPAQUE"), "a team's feed blocks nobody's hours");
    let read = ics::read(&answer.body);
    assert!(read.errors.is_empty(), "{:?}", read.errors);
    let events: Vec<String> =
        read.calendars().flat_map(|it| it.all("VEVENT")).map(|it| it.text("SUMMARY")).collect();
    assert_eq!(events.len(), 4);
    assert_eq!(events[0], format!("Ada, {long}: Opening"));
    let text = answer.text().replace("\r\n ", "");
    assert!(!text.contains(token(&ada)) && text.contains("\r\nNAME:Team: Ada\\, An agenda"));
    let jcal = app.get(&feed.replace(".ics", ".jcal")).await;
    assert_eq!((jcal.status, jcal.field("content-type")), (200, "application/calendar+json; charset=utf-8"));
    assert!(jcal.text().contains("\"Ada: First\""));
}

#[tokio::test]
async fn options_work_and_the_word_cancelled_comes_before_the_names() {
    let app = TestApp::new();
    let ada = named_agenda(&app, "Ada", &["first-talk", "sick-talk"]).await;
    let feed = format!("{}.ics", page(&[&ada]));
    let optioned = app.get(&format!("{feed}?cancelled=title&alarm=10m&busy=yes")).await;
    assert_eq!(titles(&optioned), ["Ada: First", "CANCELLED: Ada: Sick"]);
    assert!(optioned.text().contains("TRIGGER:-PT10M") && optioned.text().contains("TRANSP:OPAQUE"));
    assert_eq!(app.get(&format!("{feed}?cancelled=drop")).await.sessions(), ["first-talk"]);
    assert_eq!(app.get(&format!("{feed}?alarm=x")).await.status, 400);
}

#[tokio::test]
async fn a_pick_changes_the_etag_and_the_times_and_other_sessions_do_not() {
    let app = TestApp::new();
    let (ada, grace) =
        (named_agenda(&app, "Ada", &["opening"]).await, named_agenda(&app, "Grace", &["opening"]).await);
    let feed = format!("{}.ics", page(&[&ada, &grace]));
    app.pass(60);
    let before = app.get(&feed).await;
    let again = || TestRequest::new("GET", &feed).field("if-none-match", before.tag());
    assert_eq!(app.send(again()).await.status, 304);
    app.publish(&PROGRAM.replace("Last,", "Final,")).await;
    app.pass(60);
    assert_eq!(app.send(again()).await.status, 304, "another session changed");
    assert_eq!(app.send(grace.request("DELETE", "/agenda/picks/opening")).await.status, 204);
    app.pass(60);
    let after = app.send(again()).await;
    assert_eq!((after.status, titles(&after)), (200, vec!["Ada: Opening".to_owned()]));
    let times = |answer: &TestResponse| -> Vec<String> {
        let lines = answer.text().lines().filter(|line| line.starts_with("LAST-MODIFIED:"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(times(&after).len(), 2, "the calendar's and the event's");
    assert!(times(&after).iter().zip(times(&before)).all(|(after, before)| *after > before));
    assert_ne!(app.get(&format!("{}.ics", page(&[&grace, &ada]))).await.tag(), after.tag());
}

#[tokio::test]
async fn a_gzip_body_decodes_to_the_plain_body() {
    use std::io::Read;
    let app = TestApp::new();
    let ada = named_agenda(&app, "Ada", &["opening", "sick-talk"]).await;
    let feed = format!("{}.ics", page(&[&ada]));
    let coded = app.send(TestRequest::new("GET", &feed).field("accept-encoding", "gzip")).await;
    assert_eq!(coded.field("content-encoding"), "gzip");
    let mut plain = String::new();
    flate2::read::GzDecoder::new(&coded.body[..]).read_to_string(&mut plain).unwrap();
    assert_eq!(plain, app.get(&feed).await.text());
}

#[tokio::test]
async fn a_member_who_revokes_disappears_and_without_members_the_link_is_dead() {
    let app = TestApp::new();
    let ada = named_agenda(&app, "Ada", &["opening"]).await;
    let grace = named_agenda(&app, "Grace", &["opening", "lunch"]).await;
    let page = page(&[&ada, &grace]);
    let feed = format!("{page}.ics");
    let before = app.get(&feed).await;
    assert_eq!(app.send(grace.request("DELETE", "/agenda/links/1")).await.status, 204);
    let after = app.get(&feed).await;
    assert_ne!(after.tag(), before.tag());
    assert_eq!((after.property("NAME"), titles(&after)), ("Team: Ada", vec!["Ada: Opening".to_owned()]));
    let shown = app.get(&page).await;
    assert!(!shown.text().contains("Grace") && session_part(shown.text(), "lunch").is_empty());
    assert!(shown.text().contains("<bdi>Member 2</bdi> (no longer shared)"), "{}", shown.text());
    assert_eq!(app.send(ada.request("DELETE", "/agenda")).await.status, 204);
    app.pass(10);
    let closed = app.get(&feed).await;
    assert_eq!((closed.status, closed.sessions().len()), (200, 0));
    assert!(closed.property("NAME").ends_with("(no longer shared)"));
    assert_eq!(app.get(&page).await.status, 410);
    app.pass(31 * 24 * 3600);
    assert_eq!(app.get(&feed).await.status, 410);
}

#[tokio::test]
async fn an_unknown_link_or_more_than_twenty_links_answer_404() {
    let app = TestApp::new();
    let ada = named_agenda(&app, "Ada", &["opening"]).await;
    let key = EditKey::generate().unwrap();
    let never = key.read_token(1).reveal();
    let tokens = |most: u32| (1..=most).map(|n| key.read_token(n).reveal()).collect::<Vec<_>>().join(".");
    for team in [never.clone(), format!("{}.{never}", token(&ada)), tokens(21), format!("{}.", token(&ada))] {
        for end in ["", ".ics", ".jcal"] {
            assert_eq!(app.get(&format!("/team/{team}{end}")).await.status, 404, "{team}{end}");
        }
    }
}

#[tokio::test]
async fn pasted_links_redirect_to_the_team_page_and_a_bad_line_is_named() {
    let app = TestApp::new();
    let (ada, grace) =
        (named_agenda(&app, "Ada", &["opening"]).await, named_agenda(&app, "Grace", &["opening"]).await);
    assert!(app.get("/team").await.text().contains("<textarea"));
    let links = format!("https://conf.example{}\r\n\r\n  {}\r\n{}\r\n", ada.feed, token(&grace), token(&ada));
    let made = make_team(&app, &links).await;
    assert_eq!((made.status, made.field("location")), (303, page(&[&ada, &grace]).as_str()));
    let never = EditKey::generate().unwrap().read_token(1).reveal();
    for bad in ["https://elsewhere.example/agendas/x", "<b>", &never] {
        let refused = make_team(&app, &format!("{}\n{bad}", token(&ada))).await;
        assert_eq!(refused.status, 422, "{bad}");
        assert!(refused.text().contains("Line 2 isn’t an agenda link"), "{}", refused.text());
        assert!(!refused.text().contains("<b>"));
    }
    assert_eq!(make_team(&app, " \n").await.status, 422);
    let mut many = String::new();
    for _ in 0..21 {
        writeln!(many, "{}", token(&app.agenda(&[]).await)).unwrap();
    }
    let refused = make_team(&app, &many).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("at most 20"));
    let foreign = TestRequest::new("POST", "/team").text("application/x-www-form-urlencoded", "links=x");
    let foreign = app.send(foreign.field("sec-fetch-site", "cross-site")).await;
    assert_eq!(foreign.status, 403);
}
