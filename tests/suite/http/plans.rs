//! Ranks, busy times and suggested choices, through the API and on pages.

use super::test_app::{TestAgenda, TestApp, TestRequest, TestResponse};
use serde_json::{Value, json};

async fn call(app: &TestApp, request: TestRequest) -> (u16, Value) {
    let answer = app.send(request).await;
    let json = if answer.body.is_empty() { Value::Null } else { answer.json() };
    (answer.status, json)
}

async fn rank(app: &TestApp, mine: &TestAgenda, session: &str, rank: &str) {
    let request = mine.request("PUT", &format!("/agenda/picks/{session}")).json(&json!({ "rank": rank }));
    assert_eq!(call(app, request).await.0, 204, "{session} {rank}");
}

#[tokio::test]
async fn a_rank_picks_a_session_and_changes_no_feed() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening", "first-talk"]).await;
    let feed = app.get(&mine.feed).await.tag().to_owned();
    rank(&app, &mine, "opening", "must").await;
    rank(&app, &mine, "first-talk", "Maybe").await;
    assert_eq!(app.get(&mine.feed).await.tag(), feed);
    rank(&app, &mine, "last-talk", "must").await;
    let shown = call(&app, mine.request("GET", "/agenda")).await.1;
    assert_eq!(shown["picks"], json!(["opening", "first-talk", "last-talk"]));
    assert_eq!(shown["ranks"], json!({ "opening": "must", "first-talk": "maybe", "last-talk": "must" }));

    rank(&app, &mine, "opening", "want").await;
    assert_eq!(app.send(mine.request("PUT", "/agenda/picks/first-talk")).await.status, 204, "without a rank");
    assert_eq!(app.send(mine.request("DELETE", "/agenda/picks/last-talk")).await.status, 204);
    assert_eq!(app.send(mine.request("PUT", "/agenda/picks/last-talk")).await.status, 204);
    let shown = call(&app, mine.request("GET", "/agenda")).await.1;
    assert_eq!(shown["ranks"], json!({ "first-talk": "maybe" }), "a new pick has the rank want");
}

#[tokio::test]
async fn bad_ranks_and_busy_times_are_refused_by_name() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening"]).await;
    let pick = |body: Value| mine.request("PUT", "/agenda/picks/opening").json(&body);
    let (status, problem) = call(&app, pick(json!({ "rank": "urgent" }))).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("rank")));
    assert!(problem.to_string().contains("must, want, maybe"), "{problem}");
    let unknown = mine.request("PUT", "/agenda/picks/never-was").json(&json!({ "rank": "must" }));
    assert_eq!(call(&app, unknown).await.0, 404);

    let busy = |body: Value| mine.request("PUT", "/agenda/busy").json(&body);
    let at = |start: &str, end: &str| json!({ "start": start, "end": end });
    let wrong = json!([
        at("2025-03-25T17:00:00Z", "2025-03-25T18:00:00Z"),
        at("2025-03-25T18:00:00Z", "2025-03-25T18:00:00Z"),
        at("2025-03-25T18:00", "2025-03-25T19:00:00Z"),
    ]);
    let (status, problem) = call(&app, busy(wrong)).await;
    assert_eq!(status, 422);
    let fields: Vec<&Value> = problem["errors"].as_array().unwrap().iter().map(|it| &it["field"]).collect();
    assert_eq!(fields, ["[1]", "[2]"]);
    let day = |minute: usize| format!("2025-03-25T{:02}:{:02}:00Z", minute / 60, minute % 60);
    let many: Vec<Value> = (0..201).map(|n| at(&day(n), &day(n + 1))).collect();
    assert_eq!(call(&app, busy(json!(many))).await.0, 422);
    let (status, agenda) = call(&app, busy(json!(many[..200]))).await;
    assert_eq!((status, agenda["busy"].as_array().unwrap().len()), (200, 200));
    assert_eq!(call(&app, busy(json!([]))).await.1["busy"], json!([]));
}

#[tokio::test]
async fn a_suggestion_follows_ranks_and_busy_times() {
    let app = TestApp::new();
    let mine = app.agenda(&["first-talk", "other-talk", "opening", "lunch", "sick-talk"]).await;
    rank(&app, &mine, "other-talk", "must").await;
    let plan = call(&app, mine.request("GET", "/agenda/plan")).await.1;
    assert_eq!(plan["chosen"], json!(["opening", "other-talk"]));
    assert_eq!(plan["weight"], json!({ "must": 1, "want": 1, "maybe": 0 }));
    assert_eq!((&plan["exact"], &plan["aside"]), (&json!(true), &json!(["lunch", "sick-talk"])));
    let cost = json!({ "price": { "must": 1, "want": -1, "maybe": 0 }, "goes": ["other-talk"], "comes": [] });
    let left = &plan["left_out"];
    assert_eq!((left.as_array().unwrap().len(), &left[0]["session"]), (1, &json!("first-talk")));
    assert_eq!((&left[0]["reason"], &left[0]["cost"]), (&json!("outweighed"), &cost));

    let call_at_ten =
        json!([{ "start": "2025-03-25T17:10:00Z", "end": "2025-03-25T17:20:00Z", "label": "Call" }]);
    assert_eq!(
        call(&app, mine.request("PUT", "/agenda/busy").json(&call_at_ten)).await.1["busy"],
        call_at_ten
    );
    let plan = call(&app, mine.request("GET", "/agenda/plan")).await.1;
    assert_eq!((&plan["chosen"], &plan["left_out"][1]["reason"]), (&json!(["opening"]), &json!("busy")));
    assert_eq!((&plan["left_out"][1]["busy"], &plan["left_out"][1]["cost"]), (&call_at_ten[0], &Value::Null));

    let page = mine.feed.trim_end_matches(".ics");
    let shared = app.get(&format!("/api/v1{page}")).await.json().to_string();
    assert!(
        shared.contains("other-talk") && !shared.contains("must") && !shared.contains("Call"),
        "{shared}"
    );
    let picks = call(&app, mine.request("GET", "/agenda")).await.1["picks"].clone();
    assert_eq!(picks.as_array().unwrap().len(), 5, "a suggestion removes nothing");
}

#[tokio::test]
async fn a_suggestion_leaves_time_to_walk() {
    let walks = |minutes: u32| {
        format!(
            "[walking]\ndefault = 0\n[[walking.between]]\nfrom = \"Hall\"\nto = \"attic\"\nminutes = {minutes}\n"
        )
    };
    for (minutes, expected) in [(30, json!(["opening", "other-talk"])), (31, json!(["other-talk"]))] {
        let app = TestApp::with_walks(&walks(minutes));
        let mine = app.agenda(&["opening", "other-talk"]).await;
        rank(&app, &mine, "other-talk", "must").await;
        let plan = call(&app, mine.request("GET", "/agenda/plan")).await.1;
        assert_eq!(plan["chosen"], expected, "{minutes} minutes");
    }
}

fn form(mine: &TestAgenda, target: &str, body: &str) -> TestRequest {
    let request = TestRequest::new("POST", target).field("content-type", "application/x-www-form-urlencoded");
    let request = request.field("sec-fetch-site", "same-origin").field("cookie", &cookie(mine));
    TestRequest { body: body.to_owned().into(), ..request }
}

fn cookie(mine: &TestAgenda) -> String {
    format!("__Host-agenda={}", mine.key)
}

async fn page(app: &TestApp, mine: &TestAgenda, target: &str) -> TestResponse {
    app.send(TestRequest::new("GET", target).field("cookie", &cookie(mine))).await
}

/// The picks, as the API shows them.
async fn picks(app: &TestApp, mine: &TestAgenda) -> Value {
    call(app, mine.request("GET", "/agenda")).await.1["picks"].clone()
}

#[tokio::test]
async fn the_page_suggests_and_only_its_buttons_change_the_agenda() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening", "first-talk", "other-talk", "lunch"]).await;
    let answer = app.send(form(&mine, "/agenda/ranks", "must=other-talk")).await;
    assert_eq!((answer.status, answer.field("location")), (303, "/agenda?done=ranked#other-talk"));
    let agenda = page(&app, &mine, "/agenda?done=ranked").await;
    assert!(agenda.text().contains("Saved.") && agenda.text().contains("Must see"), "{}", agenda.text());
    assert!(agenda.text().contains("href=\"/agenda/plan?day=2025-03-25\""));

    let plan = page(&app, &mine, "/agenda/plan").await;
    assert_eq!(
        (plan.status, plan.field("cache-control"), plan.field("x-robots-tag")),
        (200, "private, no-cache", "noindex")
    );
    let text = plan.text();
    assert!(text.contains("2 of your 3 sessions fit together."), "{text}");
    assert!(text.contains("To attend it, you’d have to skip “Other”."), "{text}");
    assert!(text.contains("You’d see 1 must-see session less and 1 want-to-see session more."), "{text}");
    assert!(text.contains("Remove the session that was left out"), "{text}");
    assert!(text.contains("Free <time") && text.contains("09:30–10:00"), "{text}");
    assert_eq!(picks(&app, &mine).await.as_array().unwrap().len(), 4, "the page changes nothing");

    let body = "action=unpick&done=planned&session=first-talk&day=2025-03-25";
    let answer = app.send(form(&mine, "/agenda/plan", body)).await;
    assert_eq!((answer.status, answer.field("location")), (303, "/agenda/plan?done=planned&day=2025-03-25"));
    assert_eq!(picks(&app, &mine).await, json!(["opening", "other-talk", "lunch"]));
    let plan = page(&app, &mine, "/agenda/plan?done=planned&day=2025-03-25").await;
    assert!(plan.text().contains("All your sessions fit together."), "{}", plan.text());
    assert!(plan.text().contains("Removed. Your sessions fit together now."));

    let swap = app.send(form(&mine, "/agenda/plan", "action=pick&done=picked&session=first-talk")).await;
    assert_eq!((swap.status, swap.field("location")), (303, "/agenda/plan?done=picked"));
    assert_eq!(picks(&app, &mine).await.as_array().unwrap().len(), 4);
    let other = TestRequest::new("POST", "/agenda/plan").field("sec-fetch-site", "cross-site");
    let other =
        other.field("content-type", "application/x-www-form-urlencoded").field("cookie", &cookie(&mine));
    let other = TestRequest { body: "action=unpick&session=opening".into(), ..other };
    assert_eq!(app.send(other).await.status, 403);
}

#[tokio::test]
async fn busy_times_are_entered_in_the_venues_zone_and_removed() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening", "first-talk"]).await;
    let body = "date=2025-03-25&from=10%3A00&to=10%3A30&label=A+call";
    let answer = app.send(form(&mine, "/agenda/busy", body)).await;
    assert_eq!((answer.status, answer.field("location")), (303, "/agenda/plan?done=busy#busy"));
    let busy = call(&app, mine.request("GET", "/agenda")).await.1["busy"].clone();
    assert_eq!(
        busy,
        json!([{ "start": "2025-03-25T17:00:00Z", "end": "2025-03-25T17:30:00Z", "label": "A call" }])
    );
    let plan = page(&app, &mine, "/agenda/plan").await;
    assert!(plan.text().contains("You’re busy then: A call."), "{}", plan.text());

    for wrong in
        ["date=2025-03-25&from=10:00&to=10:00", "date=2025-03-25&from=10:00&to=", "date=x&from=1&to=2"]
    {
        let answer = app.send(form(&mine, "/agenda/busy", wrong)).await;
        assert_eq!(answer.status, 422, "{wrong}");
        assert!(answer.text().contains("the end must be after the start"), "{wrong}");
    }
    let value = "busy=1742922000%2F1742923800";
    let answer = app.send(form(&mine, "/agenda/busy/remove", value)).await;
    assert_eq!((answer.status, answer.field("location")), (303, "/agenda/plan?done=free#busy"));
    assert_eq!(call(&app, mine.request("GET", "/agenda")).await.1["busy"], json!([]));
}

#[tokio::test]
async fn an_uploaded_calendar_blocks_its_times_and_keeps_no_titles() {
    let app = TestApp::new();
    let mine = app.agenda(&["opening", "first-talk"]).await;
    let upload = |file: &str| {
        let body = format!(
            "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"my.ics\"\r\n\r\n{file}\r\n--xyz--\r\n"
        );
        let request = TestRequest::new("POST", "/agenda/busy/import").field("sec-fetch-site", "same-origin");
        let request = request
            .field("content-type", "multipart/form-data; boundary=xyz")
            .field("cookie", &cookie(&mine));
        TestRequest { body: body.into(), ..request }
    };
    let event = |lines: &str| format!("BEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\n");
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}{}{}END:VCALENDAR",
        event("UID:1\r\nSUMMARY:Doctor\r\nDTSTART:20250325T160000Z\r\nDTEND:20250325T161500Z"),
        event(
            "UID:2\r\nSUMMARY:Weekly\r\nRRULE:FREQ=WEEKLY\r\nDTSTART:20250325T180000Z\r\nDTEND:20250325T190000Z"
        ),
        event("UID:3\r\nSUMMARY:Later\r\nDTSTART:20260325T160000Z\r\nDTEND:20260325T161500Z"),
    );
    let answer = app.send(upload(&calendar)).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let place = answer.field("location").to_owned();
    assert_eq!(place, "/agenda/plan?done=read&times=1&skipped=1#busy");
    let plan = page(&app, &mine, place.split('#').next().unwrap()).await;
    assert!(plan.text().contains("1 busy time added."), "{}", plan.text());
    assert!(plan.text().contains("1 all-day or repeating event wasn’t read."), "{}", plan.text());
    assert!(!plan.text().contains("Doctor") && plan.text().contains("You’re busy then."));
    assert_eq!(app.send(upload("no calendar")).await.status, 422);
}

#[tokio::test]
async fn visitors_without_an_agenda_see_how_to_start_one() {
    let app = TestApp::new();
    let answer = app.get("/agenda/plan").await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("You have no agenda yet"), "{}", answer.text());
    for path in ["/agenda/plan", "/agenda/ranks", "/agenda/busy", "/agenda/busy/remove"] {
        let request = TestRequest::new("POST", path).field("sec-fetch-site", "same-origin");
        let request = request.field("content-type", "application/x-www-form-urlencoded");
        let request = TestRequest { body: "must=opening&busy=1/2".into(), ..request };
        assert_eq!(app.send(request).await.status, 401, "{path}");
    }
}
